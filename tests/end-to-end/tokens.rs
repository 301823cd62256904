//! What becomes of a connection: refreshed, stored, revoked, and mended by the user.

use graph_sim::{Fault, Service};
use support::{Browser, Put, event};

use crate::world::{ALICE, ALICE_AT_MICROSOFT, World};

fn token_requests(world: &World) -> usize {
    world.sim.requests_to(Service::Token).len()
}

#[test]
fn an_expired_access_token_is_refreshed_and_the_new_refresh_token_kept() {
    let mut world = World::signed_in();
    let mut server = world.server();
    for n in 0..3 {
        world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
        let uid = format!("e{n}");
        let answer = server.save(&uid, &event::meeting(&uid, "Planning", &[]), &Put::wanted()).unwrap();
        assert_eq!(answer.str("state"), "mirrored", "{}", answer.text);
        assert_eq!(token_requests(&world), n + 1);
    }
    // Each refresh used the token that the one before it had brought.
    let used: Vec<String> = world.sim.requests_to(Service::Token).iter().map(|r| r.body.clone()).collect();
    assert_ne!(used[0], used[1]);
    assert_ne!(used[1], used[2]);
    world.kill();
    world.start();
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    let answer = server.save("e9", &event::meeting("e9", "Planning", &[]), &Put::wanted()).unwrap();
    assert_eq!(answer.str("state"), "mirrored", "what was rotated was on disk: {}", answer.text);
}

#[test]
fn a_revoked_connection_is_told_with_a_link_and_mended_by_it() {
    let world = World::signed_in();
    let mut server = world.server();
    world.sim.revoke(ALICE_AT_MICROSOFT);
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    let text = event::meeting("e1", "Planning", &[]);
    let answer = server.save("e1", &text, &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.str("state")), (202, "sign-in-needed"), "{}", answer.text);
    assert_eq!(answer.icalendar(), text);
    assert!(answer.notice_link("sign-in-needed").unwrap().starts_with(&world.public_url));

    let account = world.hook.account(ALICE).unwrap();
    assert_eq!(account.str("button"), "sign-in", "{}", account.text);
    assert!(!account.json["connection_problem"]["message"].as_str().unwrap().is_empty());
    let link = account.notice_link("sign-in-needed").unwrap();

    let before = token_requests(&world);
    server.save("e2", &event::meeting("e2", "Another", &[]), &Put::wanted()).unwrap();
    assert_eq!(token_requests(&world), before, "a dead connection is not asked again");

    let page = Browser::default().sign_in(&link, ALICE_AT_MICROSOFT).unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(world.reaches("e1", "mirrored").str("reason"), "");
    world.reaches("e2", "mirrored");
    let mut written = 0;
    while written < 2 {
        written += server.write_back(10).unwrap();
    }
    assert!(event::unfolded(&server.stored("e1")).contains(world.settled("e1").str("join_url")));
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "ready");
}

#[test]
fn a_revoked_connection_does_not_disturb_a_save_that_needs_no_link() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let link = world.settled("e1").str("join_url").to_owned();
    world.sim.revoke(ALICE_AT_MICROSOFT);
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    let next = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:Planning, edited");
    server.save("e1", &next, &Put::default()).unwrap();
    let status = world.reaches("e1", "sign-in-needed");
    assert_eq!(status.str("join_url"), link, "the link that is there stays known");
    assert!(event::unfolded(&server.stored("e1")).contains(&link));
    let page = world.sign_in(ALICE, ALICE_AT_MICROSOFT);
    assert_eq!(page.status, 200);
    world.reaches("e1", "mirrored");
    assert_eq!(world.in_teams()[0]["subject"], "Planning, edited");
}

#[test]
fn a_wrong_client_secret_is_the_admins_matter_and_kills_no_connection() {
    let world = World::signed_in();
    let mut server = world.server();
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    world.sim.fault(Fault::aadsts(7_000_222).on_token());
    let answer = server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.str("state")), (202, "admin-needed"), "{}", answer.text);
    let status = world.run(&["status"]);
    assert!(status.contains("The client secret has expired"), "{status}");
    assert!(world.hook.account(ALICE).unwrap().json["connection_problem"].is_null());
    // A new secret mends it, without a restart and without the user.
    let file = world.state().join("new-secret");
    std::fs::write(&file, graph_sim::CLIENT_SECRET).unwrap();
    world.run(&["connector", "set", "teams", "--secret-file", file.to_str().unwrap()]);
    world.reaches("e1", "mirrored");
}

#[test]
fn a_token_endpoint_in_trouble_is_waited_for() {
    let world = World::signed_in();
    let mut server = world.server();
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    world.sim.fault(Fault::aadsts(90_033).on_token());
    let answer = server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.str("state")), (202, "pending"), "{}", answer.text);
    world.run(&["events", "retry", "alice@test.tld", "e1"]);
    world.reaches("e1", "mirrored");
}

#[test]
fn one_expired_token_and_many_saves_are_one_refresh() {
    let world = World::signed_in();
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    std::thread::scope(|scope| {
        for n in 0..12 {
            let world = &world;
            scope.spawn(move || {
                let uid = format!("e{n}");
                world.server().save(&uid, &event::meeting(&uid, "Planning", &[]), &Put::wanted()).unwrap();
            });
        }
    });
    for n in 0..12 {
        world.reaches(&format!("e{n}"), "mirrored");
    }
    assert_eq!(token_requests(&world), 1);
    assert_eq!(world.in_teams().len(), 12);
    assert_eq!(world.sim.violations().len(), 0, "{:?}", world.sim.violations());
}

/// What a user sends along with a sign-in must not be able to stop the connector for everybody.
#[test]
fn a_made_up_code_stops_nobody_else() {
    let world = World::signed_in();
    world.hook.put_account("bob@test.tld", serde_json::json!({})).unwrap();
    let link = world.hook.settings_link("bob@test.tld").unwrap().str("url").to_owned();
    let mut browser = Browser::default();
    browser.sign_in_until_callback(&link, "bob@contoso.example").unwrap();
    let callback = browser.visited.last().unwrap().clone();
    let (before, _) = callback.split_once("code=").unwrap();
    let state = url::Url::parse(&callback).unwrap();
    let state = state.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let base = before.split('?').next().unwrap();
    let page = browser.open(&format!("{base}?state={state}&code=garbage")).unwrap();
    assert!(page.text().contains("not connected"), "{}", page.text());
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    let mut server = world.server();
    let answer = server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    assert_eq!(answer.str("state"), "mirrored", "{}", answer.text);
}

#[test]
fn what_one_tenant_refuses_does_not_stop_the_others() {
    let world = World::signed_in();
    assert_eq!(world.sign_in("fay@test.tld", "fay@fabrikam.example").status, 200);
    for user in ["fay@fabrikam.example", ALICE_AT_MICROSOFT] {
        world.sim.expire_access_tokens(user);
    }
    world.sim.fault(Fault::aadsts(700_016).on_token().times(1));
    let mut fays = support::Server::new(world.hook.clone(), "fay@test.tld");
    let answer = fays.save("f1", &event::meeting("f1", "Planning", &[]), &Put::wanted()).unwrap();
    assert_eq!(answer.str("state"), "sign-in-needed", "{}", answer.text);
    let mut server = world.server();
    let answer = server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    assert_eq!(answer.str("state"), "mirrored", "{}", answer.text);
}
