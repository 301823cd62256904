//! Each kind of mailbox is named as what it is, at sign-in and on the event.

use support::{Put, Server, event};

use crate::world::World;

/// Signs `account` in as `at_microsoft`; gives the text of the last page.
fn sign_in(world: &World, account: &str, at_microsoft: &str) -> String {
    let page = world.sign_in(account, at_microsoft);
    assert_eq!(page.status, 200, "{}", page.text());
    page.text()
}

fn save(world: &World, account: &str) -> support::Answer {
    let mut server = Server::new(world.hook.clone(), account);
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap()
}

#[test]
fn without_a_teams_licence_the_event_is_mirrored_and_said_to_have_no_link() {
    for (account, at_microsoft, code) in [
        ("u@test.tld", "unlicensed@contoso.example", "no-teams"),
        ("p@test.tld", "personal@outlook.example", "personal"),
        ("s@test.tld", "skype@contoso.example", "other-provider"),
    ] {
        let world = World::new();
        let page = sign_in(&world, account, at_microsoft);
        assert!(page.contains("Teams"), "{page}");
        let known = world.hook.account(account).unwrap();
        assert_eq!(known.str("mailbox"), code, "{}", known.text);
        assert!(!known.str("mailbox_message").is_empty());
        let answer = save(&world, account);
        assert_eq!((answer.status, answer.str("state")), (200, "mirrored"), "{at_microsoft}: {}", answer.text);
        assert_eq!(answer.str("reason"), "no-teams", "{at_microsoft}: {}", answer.text);
        assert_eq!(answer.str("join_url"), "");
        assert!(!answer.notice_codes().is_empty(), "{}", answer.text);
        let settled = world.settled_of(account, "e1");
        assert_eq!((settled.str("state"), settled.str("reason")), ("mirrored", "no-teams"), "{}", settled.text);
        assert_eq!(world.sim.events(at_microsoft).len(), 1);
        world.sim.clear_requests();
        let again = save(&world, account);
        assert_eq!((again.status, again.str("reason")), (200, "no-teams"), "{}", again.text);
        world.settled_of(account, "e1");
        assert_eq!(world.graph_methods(), Vec::<String>::new(), "what cannot be is not asked for at each save");
    }
}

#[test]
fn a_licence_withdrawn_after_sign_in_is_noticed_on_the_event() {
    let world = World::signed_in();
    world.sim.edit_user(crate::world::ALICE_AT_MICROSOFT, |user| user.kind = graph_sim::UserKind::Unlicensed);
    let answer = save(&world, crate::world::ALICE);
    assert_eq!((answer.str("state"), answer.str("reason")), ("mirrored", "no-teams"), "{}", answer.text);
}

#[test]
fn without_an_exchange_online_mailbox_it_is_said() {
    let world = World::new();
    let page = sign_in(&world, "o@test.tld", "onprem@contoso.example");
    assert!(page.to_lowercase().contains("mailbox"), "{page}");
    assert_eq!(world.hook.account("o@test.tld").unwrap().str("mailbox"), "no-mailbox");
    let answer = save(&world, "o@test.tld");
    assert_eq!((answer.status, answer.str("state")), (200, "rejected"), "{}", answer.text);
    assert_eq!(answer.str("reason"), "no-mailbox");
    assert_eq!(answer.icalendar(), event::meeting("e1", "Planning", &[]));
}

#[test]
fn a_mailbox_still_being_set_up_is_waited_for() {
    let world = World::new();
    world.sim.switches(|switches| switches.fresh_mailbox_code = "ErrorItemNotFound".into());
    sign_in(&world, "f@test.tld", "fresh@contoso.example");
    assert_eq!(world.hook.account("f@test.tld").unwrap().str("mailbox"), "not-ready-yet");
    let answer = save(&world, "f@test.tld");
    assert_eq!((answer.status, answer.str("state")), (202, "pending"), "{}", answer.text);
    assert_eq!(answer.str("reason"), "mailbox-not-ready", "{}", answer.text);
    world.sim.advance(chrono::TimeDelta::hours(1));
    world.run(&["events", "retry", "f@test.tld", "e1"]);
    let settled = world.settled_of("f@test.tld", "e1");
    assert_eq!(settled.str("state"), "mirrored", "{}\n{}", settled.text, world.log_tail());
    assert!(!settled.str("join_url").is_empty(), "{}\n{}", settled.text, world.log_tail());
}
