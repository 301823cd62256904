//! Links that come after their save was answered, and what is told only once it happened.

use graph_sim::{Fault, FaultKind};
use support::event;

use crate::alone::{Alone, PUT, with_teams};
use crate::relay::Deed;
use crate::servers::{Kind, Site};
use crate::world::{ALICE, SOON, World, until};

const E1: &str = "/alice/work/e1.ics";
const SERVICE: &str = "[service]\nuser = 'service'\npassword_file = '{password_file}'\n";
const GUEST: &str = "ATTENDEE;CN=Carol:mailto:carol@elsewhere.example";
/// What a request of hers begins with: the login `alice:pw`.
const ALICE_LOGIN: &str = "Basic YWxpY2U6cHc=";
const ORGANIZER: &str = "ORGANIZER;CN=Alice:mailto:alice@test.tld";

/// A world in which Microsoft takes longer than saves wait.
fn slow() -> World {
    let world = World::signed_in();
    world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(1_000).always());
    world
}

/// With saves that do not wait.
fn served(lines: &str) -> Option<Alone> {
    Alone::served(slow(), &format!("patience = '1s'\n{lines}"), SERVICE)
}

#[test]
fn a_late_link_is_written_back() {
    let Some(alone) = served("") else { return };
    let saved = alone.put(E1, &with_teams("e1", "Planning", &[]));
    assert_eq!(saved.status, 201);
    assert!(until(SOON, || alone.holds_link(E1, "e1")), "{}", alone.gateway.log());
    alone.gateway.told();
    let written = alone.relay.seen("PUT").len();
    assert_eq!(written, 2, "the save, and the link");
    assert_eq!(alone.world.graph_methods(), ["POST"]);
}

#[test]
fn a_save_that_comes_between_wins() {
    let Some(alone) = served("") else { return };
    alone.put(E1, &with_teams("e1", "Planning", &[]));
    let (arrives, go) = alone.relay.hold(PUT);
    arrives.recv_timeout(SOON).unwrap();
    // The link is on its way; meanwhile somebody saves past it.
    let next = with_teams("e1", "Planning again", &[]);
    assert!(matches!(alone.put(E1, &next).status, 201 | 204));
    go.send(()).unwrap();
    alone.gateway.told();
    alone.teams_shows(&["Planning again"]);
    assert!(alone.stored(E1).contains("SUMMARY:Planning again"));
    assert!(until(SOON, || alone.holds_link(E1, "e1")), "{}", alone.gateway.log());
}

#[test]
fn guests_need_not_be_mailed_twice() {
    let Some(alone) = served("write_back = 'without-guests'\n") else { return };
    alone.put(E1, &with_teams("e1", "With guests", &[ORGANIZER, GUEST]));
    alone.put("/alice/work/e2.ics", &with_teams("e2", "Without", &[]));
    assert!(until(SOON, || alone.holds_link("/alice/work/e2.ics", "e2")), "{}", alone.gateway.log());
    alone.says("is not written back, because the event has guests");
    assert!(!alone.holds_link(E1, "e1"));
    // It comes with the next save.
    let stored = alone.get(E1);
    assert!(matches!(alone.put(E1, &stored.text).status, 201 | 204));
    assert!(alone.holds_link(E1, "e1"));
}

#[test]
fn without_a_service_the_next_save_brings_the_link() {
    let Some(alone) = Alone::with(slow(), "patience = '1s'\n") else { return };
    alone.says("links that come late are put in at the next save");
    alone.put(E1, &with_teams("e1", "Planning", &[]));
    assert!(until(SOON, || !alone.world.settled("e1").str("join_url").is_empty()));
    assert!(!alone.holds_link(E1, "e1"));
    let stored = alone.get(E1);
    alone.put(E1, &stored.text);
    assert!(alone.holds_link(E1, "e1"));
}

#[test]
fn so_many_saves_wait_and_no_more() {
    let Some(alone) = Alone::with(slow(), "max_waiting = 0\n") else { return };
    let saved = alone.put(E1, &with_teams("e1", "Planning", &[]));
    assert!(saved.header("etag").is_some(), "stored as it was sent");
    alone.gateway.told();
    alone.teams_shows(&["Planning"]);
}

#[test]
fn what_is_moved_copied_and_removed_is_followed() {
    let Some(alone) = Alone::start() else { return };
    alone.calendar("/alice/other/");
    alone.calendar("/bob/work/");
    alone.put(E1, &with_teams("e1", "Planning", &[]));
    alone.put("/alice/work/e2.ics", &with_teams("e2", "Review", &[]));
    alone.teams_shows(&["Planning", "Review"]);
    alone.gateway.told();
    alone.world.sim.clear_requests();
    let moved = |from: &str, to: &str, user: &str| {
        let to = alone.client.url(to);
        alone.client.request("MOVE", from, user, &[("destination", &to)], "").status
    };
    assert_eq!(moved(E1, "/alice/other/e1.ics", "alice"), 201);
    alone.gateway.told();
    alone.world.settled("e1");
    assert!(alone.world.graph_methods().is_empty(), "{:?}", alone.world.graph_methods());
    // Bob has nothing to do with Teams, so what becomes his goes.
    assert_eq!(moved("/alice/other/e1.ics", "/bob/work/e1.ics", "service"), 201);
    alone.teams_shows(&["Review"]);
    // And comes back.
    assert_eq!(moved("/bob/work/e1.ics", "/alice/work/back.ics", "service"), 201);
    alone.gateway.told();
    alone.teams_shows(&["Planning", "Review"]);
    assert_eq!(alone.delete("/alice/work/").status, 200);
    alone.teams_shows(&[]);
    alone.gateway.told();
}

#[test]
fn a_refused_removal_removes_nothing() {
    let Some(alone) = Alone::start() else { return };
    alone.put(E1, &with_teams("e1", "Planning", &[]));
    let stale = [("if-match", "\"0123456789\"")];
    assert_eq!(alone.client.request("DELETE", E1, "alice", &stale, "").status, 412);
    assert_eq!(alone.client.request("DELETE", E1, "bob", &[], "").status, 403);
    assert_eq!(alone.client.request("DELETE", "/alice/work/", "bob", &[], "").status, 403);
    alone.relay.next(|head, _| head.starts_with("DELETE "), Deed::Refuse("423 Locked"));
    assert_eq!(alone.delete("/alice/work/").status, 423);
    alone.gateway.told();
    alone.world.settled("e1");
    alone.teams_shows(&["Planning"]);
    assert_eq!(alone.world.graph_methods(), ["POST"]);
}

#[test]
fn an_import_makes_only_meetings_that_were_asked_for() {
    let world = World::signed_in();
    world.run(&["set", "meetings=always", "--domain", "test.tld"]);
    let Some(alone) = Alone::with(world, "") else { return };
    alone.put(E1, &with_teams("e1", "Goes", &[]));
    alone.teams_shows(&["Goes"]);
    let text = |uid: &str, subject: &str, lines: &[&str]| event::meeting(uid, subject, lines);
    let (wanted, plain) = (text("i1", "Wanted", &["X-TEAMS-MEETING:TRUE"]), text("i2", "Plain", &[]));
    let begins = plain.find("BEGIN:VEVENT").unwrap();
    let ends = plain.find("END:VCALENDAR").unwrap();
    let both = wanted.replace("END:VCALENDAR", &format!("{}END:VCALENDAR", &plain[begins..ends]));
    let imported = alone.put("/alice/work/", &both);
    assert!(matches!(imported.status, 201 | 204), "{}: {}", imported.status, imported.text);
    alone.teams_shows(&["Wanted"]);
    alone.gateway.told();
    assert_eq!(alone.subjects(), ["Wanted"]);
}

/// What is told later is what is stored then, where the gateway may look.
#[test]
fn a_service_tells_what_is_stored_by_then() {
    let Some(mut alone) = Alone::served(World::signed_in(), "", SERVICE) else { return };
    alone.world.kill();
    alone.put(E1, &with_teams("e1", "Noted", &[]));
    alone.put("/alice/work/e2.ics", &with_teams("e2", "Removed", &[]));
    // Past the gateway.
    alone.radicale.put(E1, &with_teams("e1", "Changed since", &[]));
    alone.radicale.delete("/alice/work/e2.ics");
    alone.world.start();
    alone.gateway.told();
    alone.teams_shows(&["Changed since"]);
    assert!(until(SOON, || alone.holds_link(E1, "e1")), "it is late, and written back\n{}", alone.gateway.log());
}

#[test]
fn with_other_servers_late_links_are_written_back_as_well() {
    for kind in [Kind::XandikosByGateway, Kind::CyrusByGateway] {
        let Some(site) = Site::with(kind, slow(), "patience = '1s'\n") else { continue };
        let calendar = site.calendar("late");
        let path = format!("{calendar}e1.ics");
        assert_eq!(site.put(&path, &with_teams("e1", "Planning", &[])).status, 201);
        site.link(&path, "e1");
        site.told();
        assert_eq!(site.world.graph_methods(), ["POST"], "{}", kind.name());
    }
}

/// Members whose path the server chooses, and objects that become another event.
#[test]
fn other_ways_to_save() {
    for kind in [Kind::XandikosByGateway, Kind::CyrusByGateway] {
        let Some(site) = Site::start(kind) else { continue };
        let calendar = site.calendar("ways");
        let kind_of = [("content-type", "text/calendar; charset=utf-8")];
        let added = site.request("POST", &calendar, &kind_of, &with_teams("added", "Added", &[]));
        assert!((200..300).contains(&added.status), "{}: {} {}", kind.name(), added.status, added.text);
        site.told();
        site.world.settled("added");
        let known = site.world.hook.event(ALICE, "added").unwrap();
        let objects = known.json["objects"].as_array().unwrap().clone();
        assert_eq!(objects.len(), 1, "{}: {}", kind.name(), known.text);
        let path = objects[0].as_str().unwrap();
        assert!(site.stored(path).contains(known.str("join_url")), "{}", kind.name());
        // The same path, another event.
        let other = site.put(path, &with_teams("other", "Other", &[]));
        site.told();
        let shows = if (200..300).contains(&other.status) { "Other" } else { "Added" };
        let in_teams =
            || site.world.in_teams().iter().map(|e| e["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert!(until(SOON, || in_teams() == [shows]), "{}: {} {:?}", kind.name(), other.status, in_teams());
    }
}

/// A service that may not see a calendar takes nobody's meeting away.
#[test]
fn what_the_service_may_not_see_is_not_gone() {
    let section = "[service]\nuser = 'bob'\npassword_file = '{password_file}'\n";
    let Some(mut alone) = Alone::served(World::signed_in(), "", section) else { return };
    alone.put(E1, &with_teams("e1", "Planning", &[]));
    alone.teams_shows(&["Planning"]);
    alone.gateway.told();
    alone.world.kill();
    alone.put(E1, &with_teams("e1", "Planning again", &[]));
    // To Bob it is as if nothing were there.
    alone.relay.next(|head, _| head.starts_with("GET ") && !head.contains(ALICE_LOGIN), Deed::Refuse("404 Not Found"));
    alone
        .relay
        .next(|head, _| head.starts_with("PROPFIND ") && !head.contains(ALICE_LOGIN), Deed::Refuse("404 Not Found"));
    alone.world.start();
    alone.gateway.told();
    alone.says("it is told as it was noted");
    alone.teams_shows(&["Planning again"]);
}
