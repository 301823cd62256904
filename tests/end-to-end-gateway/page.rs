//! The way to the settings, behind the server's own login.

use crate::alone::Alone;
use crate::client::{Answer, Client};
use crate::relay::{Deed, Which};
use crate::servers::{Kind, Site};
use crate::world::{ALICE, World};

fn page(alone: &Alone, user: &str, method: &str, headers: &[(&str, &str)]) -> Answer {
    alone.client.request(method, "/.teams/", user, headers, "")
}

#[test]
fn a_user_is_led_to_her_own_settings() {
    let Some(alone) = Alone::with(World::signed_in(), "time_zone = 'Europe/Vienna'\n") else { return };
    let led = page(&alone, "alice", "GET", &[("accept-language", "de-AT,de;q=0.8,en;q=0.5")]);
    assert_eq!(led.status, 303, "{}\n{}", led.text, alone.gateway.log());
    assert!(led.header("location").unwrap().starts_with(&alone.world.public_url));
    assert_eq!(led.header("cache-control"), Some("no-store"));
    assert_eq!(led.header("referrer-policy"), Some("no-referrer"));
    let known = alone.world.hook.account(ALICE).unwrap();
    assert_eq!((known.str("time_zone"), known.str("language")), ("Europe/Vienna", "de-AT"));
    // Each time another one, and none for who only asks whether there is a page.
    let again = page(&alone, "alice", "GET", &[]);
    assert_ne!(again.header("location"), led.header("location"));
    let only_asked = page(&alone, "alice", "HEAD", &[]);
    assert_eq!((only_asked.status, only_asked.header("location")), (200, None));
    assert_eq!(page(&alone, "alice", "POST", &[]).status, 405);
}

#[test]
fn who_does_not_log_in_is_asked_to() {
    let Some(alone) = Alone::start() else { return };
    let refused = page(&alone, "nobody", "GET", &[]);
    assert_eq!((refused.status, refused.header("location")), (401, None));
    assert!(refused.header("www-authenticate").unwrap().contains("Basic"), "{refused:?}");
    let login = [("authorization", "Basic YWxpY2U6d3Jvbmc=")];
    let wrong = Client::of(&alone.gateway.url()).named_by("x-unused").request("GET", "/.teams", "", &login, "");
    assert_eq!(wrong.status, 401);
}

#[test]
fn a_hook_that_is_down_costs_the_page_alone() {
    let Some(mut alone) = Alone::start() else { return };
    alone.world.kill();
    let sorry = page(&alone, "alice", "GET", &[]);
    assert_eq!(sorry.status, 503);
    assert!(sorry.text.contains("Your calendar works"), "{}", sorry.text);
}

/// Where the server names somebody whoever asks, anybody could connect a Microsoft account with that calendar.
#[test]
fn a_server_that_lets_everybody_in_has_no_settings() {
    let Some(alone) = Alone::start() else { return };
    let everybody = "<multistatus xmlns='DAV:'><response><href>/</href><propstat><prop><current-user-principal><href>/alice/</href>\
                     </current-user-principal></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>";
    let asks_without_login: Which =
        |head, _| head.starts_with("PROPFIND /.well-known/caldav ") && !head.to_lowercase().contains("authorization");
    alone.relay.next(asks_without_login, Deed::Say("207 Multi-Status", everybody.into()));
    let closed = page(&alone, "alice", "GET", &[]);
    assert_eq!((closed.status, closed.header("location")), (403, None), "{}", closed.text);
    assert!(closed.text.contains("does not ask who you are"));
    assert_eq!(page(&alone, "alice", "GET", &[]).status, 303, "and asks again");
}

#[test]
fn other_servers_know_who_asks_as_well() {
    for kind in [Kind::XandikosByGateway, Kind::CyrusByGateway] {
        let Some(site) = Site::start(kind) else { continue };
        let led = site.request("GET", "/.teams/", &[], "");
        assert_eq!(led.status, 303, "{}: {}\n{}", kind.name(), led.text, site.log());
        assert!(led.header("location").unwrap().starts_with(&site.world.public_url));
    }
}
