//! Who may use it, and who is told what.

use support::{Browser, Put, Server, event};

use crate::world::{ALICE, ALICE_AT_MICROSOFT, World};

fn save(world: &World, account: &str) -> support::Answer {
    let mut server = Server::new(world.hook.clone(), account);
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap()
}

#[test]
fn whose_it_is_not_is_answered_204_with_the_reason() {
    let world = World::signed_in();
    assert_eq!(world.hook.put_account("bob@test.tld", serde_json::json!({})).unwrap().status, 200);
    world.run(&["disable", "--account", "carol@test.tld"]);
    world.hook.put_account("carol@test.tld", serde_json::json!({})).unwrap();
    let world_reason = |account: &str| {
        let answer = save(&world, account);
        assert_eq!(answer.status, 204, "{account}: {}", answer.text);
        assert_eq!(answer.text, "");
        answer.header("mirror-reason").unwrap().to_owned()
    };
    assert_eq!(world_reason("bob@test.tld"), "not-turned-on");
    assert_eq!(world_reason("carol@test.tld"), "denied");
    assert_eq!(world_reason("nobody@test.tld"), "unknown-account");
    world.run(&["disable", "--domain", "test.tld"]);
    assert_eq!(world_reason("nobody@test.tld"), "denied");
    assert_eq!(world_reason(ALICE), "denied");
    assert_eq!(world.graph_methods(), Vec::<String>::new());
}

#[test]
fn without_any_rule_nobody_may() {
    let world = World::new();
    world.run(&["secret", "add", "wide"]);
    let other = world.hook.with_secret(&fresh_secret(&world, "wide-2"));
    let answer = other.put("x@other.tld", "e1", &event::meeting("e1", "P", &[]), &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.header("mirror-reason")), (204, Some("not-enabled")), "{}", answer.text);
    assert_eq!(other.account("x@other.tld").unwrap().str("button"), "hidden");
}

fn fresh_secret(world: &World, name: &str) -> String {
    let printed = world.run(&["secret", "add", name]);
    printed.split_whitespace().find(|word| word.starts_with("tmh_")).unwrap_or_else(|| panic!("{printed}")).to_owned()
}

#[test]
fn a_change_of_policy_takes_effect_at_once() {
    let world = World::signed_in();
    assert_eq!(save(&world, ALICE).str("state"), "mirrored");
    world.sim.clear_requests();
    world.run(&["disable", "--account", ALICE]);
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "hidden");
    let mut server = world.server();
    let text = event::meeting("e1", "Planning, while disabled", &[]);
    server.save("e1", &text, &Put::default()).unwrap();
    world.reaches("e1", "admin-needed");
    assert_eq!(world.graph_methods(), Vec::<String>::new(), "nothing is sent for whoever is disabled");
    world.run(&["enable", "--account", ALICE]);
    world.reaches("e1", "mirrored");
    assert_eq!(world.in_teams()[0]["subject"], "Planning, while disabled");
}

#[test]
fn an_incomplete_or_switched_off_connector_hides_every_button() {
    let world = World::signed_in();
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "ready");
    world.run(&["connector", "disable", "teams"]);
    let account = world.hook.account(ALICE).unwrap();
    assert_eq!((account.str("button"), account.str("reason")), ("hidden", "connector-off"), "{}", account.text);
    let answer = save(&world, ALICE);
    assert_eq!((answer.status, answer.header("mirror-reason")), (204, Some("connector-off")));
    world.run(&["connector", "enable", "teams"]);
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "ready");
}

#[test]
fn the_connector_is_there_switched_off_and_complete_but_for_the_registration() {
    let world = World::new();
    let shown = world.run(&["connector", "show", "teams"]);
    assert!(!shown.contains(graph_sim::CLIENT_SECRET), "{shown}");
    let (ok, refused) = {
        world.run(&["connector", "disable", "teams"]);
        world.run(&["connector", "set", "teams", "--client-id", ""]);
        world.try_run(&["connector", "enable", "teams"])
    };
    assert!(!ok, "{refused}");
    assert!(refused.contains("client id"), "{refused}");
}

#[test]
fn a_link_works_once_and_only_in_the_browser_that_began() {
    let world = World::new();
    world.hook.put_account(ALICE, serde_json::json!({})).unwrap();
    let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    let mut browser = Browser::default();
    let page = browser.sign_in(&link, ALICE_AT_MICROSOFT).unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains(ALICE_AT_MICROSOFT), "{}", page.text());
    let again = browser.open(&link).unwrap();
    assert!(again.status >= 400, "{}", again.text());
    // The callback again, in the same browser and in another one.
    let callback = browser.visited.iter().find(|url| url.contains("/api/v1/oauth/access")).unwrap().clone();
    assert!(browser.open(&callback).unwrap().status >= 400);
    assert!(Browser::default().open(&callback).unwrap().status >= 400);
}

#[test]
fn another_browser_cannot_finish_a_sign_in() {
    let world = World::new();
    world.hook.put_account(ALICE, serde_json::json!({})).unwrap();
    let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    let mut attacker = Browser::default();
    attacker.sign_in_until_callback(&link, "bob@contoso.example").unwrap();
    let callback = attacker.visited.last().unwrap().clone();
    let page = Browser::default().open(&callback).unwrap();
    assert!(page.status >= 400, "{}", page.text());
    assert_eq!(world.hook.account(ALICE).unwrap().json["connected"], false);
}

#[test]
fn refusing_consent_links_nothing_and_says_so() {
    let world = World::new();
    world.hook.put_account(ALICE, serde_json::json!({})).unwrap();
    let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    let page = Browser::default().refuse_consent(&link, ALICE_AT_MICROSOFT).unwrap();
    assert!(page.text().contains("not connected"), "{}", page.text());
    assert_eq!(world.hook.account(ALICE).unwrap().json["connected"], false);
}

#[test]
fn a_renamed_account_keeps_its_connection_and_its_meetings() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let link = world.settled("e1").str("join_url").to_owned();
    let renamed = world.hook.rename(ALICE, "alice.new@test.tld").unwrap();
    assert_eq!((renamed.status, renamed.str("button")), (200, "ready"), "{}", renamed.text);
    let mut server = Server::new(world.hook.clone(), "alice.new@test.tld");
    let text = event::meeting("e1", "Planning, renamed", &[]);
    let answer = server.save("e1", &text, &Put::default()).unwrap();
    assert_eq!(answer.str("join_url"), link, "{}", answer.text);
    assert_eq!(world.settled_of("alice.new@test.tld", "e1").str("state"), "mirrored");
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(world.in_teams()[0]["subject"], "Planning, renamed");
}

#[test]
fn an_account_nobody_knows_cannot_be_renamed_and_a_taken_address_not_be_taken() {
    let world = World::signed_in();
    let unknown = world.hook.rename("nobody@test.tld", "somebody@test.tld").unwrap();
    assert_eq!((unknown.status, unknown.str("code")), (404, "not-found"), "{}", unknown.text);
    world.hook.put_account("bob@test.tld", serde_json::json!({})).unwrap();
    let taken = world.hook.rename(ALICE, "bob@test.tld").unwrap();
    assert_eq!((taken.status, taken.str("code")), (409, "conflict"), "{}", taken.text);
    let other = world.hook.put_account(ALICE, serde_json::json!({ "addresses": ["boss@other.tld"] })).unwrap();
    assert_eq!((other.status, other.str("code")), (403, "other-domain"), "{}", other.text);
}

#[test]
fn a_removed_account_leaves_nothing_here() {
    let world = World::signed_in();
    assert_eq!(save(&world, ALICE).str("state"), "mirrored");
    world.hook.remove_account(ALICE).unwrap();
    assert_eq!(save(&world, ALICE).header("mirror-reason"), Some("unknown-account"));
    assert_eq!(world.hook.event(ALICE, "e1").unwrap().status, 204);
}
