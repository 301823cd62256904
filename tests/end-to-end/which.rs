//! Which events are mirrored: all or those with a meeting, by scope and by the user; what events say of themselves; and what
//! happens when one leaves the set or enters it.

use serde_json::{Value, json};
use support::{Browser, Put, event};

use crate::world::{ALICE, World, until};

/// The settings of Alice as `teams-mirror` tells them: value, and the scope that decides.
fn counts(world: &World, name: &str) -> (String, Value) {
    let told: Value = serde_json::from_str(&world.run(&["--json", "status", ALICE])).unwrap();
    let setting = told["settings"].as_array().unwrap().iter().find(|setting| setting["name"] == name).unwrap();
    (setting["value"].as_str().unwrap().to_owned(), setting["decided_by"].clone())
}

fn subjects(world: &World) -> Vec<String> {
    let mut all: Vec<String> =
        world.in_teams().iter().map(|event| event["subject"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

/// Saves Alice's event and waits until it is done; gives how it stands.
fn save(world: &World, server: &mut support::Server, uid: &str, text: &str, put: &Put) -> support::Answer {
    let answer = server.save(uid, text, put).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.settled(uid)
}

#[test]
fn the_narrowest_scope_decides_and_the_commands_say_which() {
    let world = World::signed_in();
    let mut server = world.server();
    assert_eq!(counts(&world, "mirror"), ("teams-events".into(), Value::Null));
    save(&world, &mut server, "e1", &event::meeting("e1", "Lunch", &[]), &Put::default());
    assert!(world.in_teams().is_empty());

    let told = json!({ "class": "Staff", "time_zone": "Europe/Vienna" });
    assert_eq!(world.hook.put_account(ALICE, told).unwrap().status, 200);
    for (scope, name, value, level) in [
        ("--server", "", "all-events", "server"),
        ("--domain", "test.tld", "teams-events", "domain"),
        ("--class", "STAFF", "all-events", "class"),
        ("--account", ALICE, "teams-events", "account"),
    ] {
        let choice = format!("mirror={value}");
        let mut command = vec!["set", choice.as_str(), scope];
        command.extend(Some(name).filter(|name| !name.is_empty()));
        let said = world.run(&command);
        assert!(said.contains("from the next save of an event on"), "{said}");
        let (counts, by) = counts(&world, "mirror");
        assert_eq!((counts.as_str(), by["level"].as_str()), (value, Some(level)));
        // It counts without a restart, for what is saved from now on.
        let uid = format!("e-{level}");
        save(&world, &mut server, &uid, &event::meeting(&uid, level, &[]), &Put::default());
    }
    assert_eq!(subjects(&world), ["class", "server"], "what was saved before stays");
    let explained = world.run(&["settings", "--account", ALICE]);
    assert!(explained.contains("teams-events for `alice@test.tld` (--account alice@test.tld)"), "{explained}");
    assert!(explained.contains("all-events (--class staff)"), "{explained}");
    let status = world.run(&["status", ALICE]);
    assert!(status.contains("--account alice@test.tld") && status.contains("`Staff`"), "{status}");

    // Narrower now than when it was saved: it goes at its next save, and not before.
    save(&world, &mut server, "e-server", &event::meeting("e-server", "server", &[]), &Put::default());
    assert_eq!(subjects(&world), ["class"]);
    assert_eq!(world.settled("e-server").str("reason"), "no-meeting-wanted");
    let said = world.run(&["unset", "mirror", "--account", ALICE]);
    assert!(said.contains("the next wider choice counts"), "{said}");
    save(&world, &mut server, "e-server", &event::meeting("e-server", "server", &[]), &Put::default());
    assert_eq!(subjects(&world), ["class", "server"]);
}

#[test]
fn a_class_is_allowed_and_denied() {
    let world = World::new();
    let reason = || world.hook.account(ALICE).unwrap().str("reason").to_owned();
    let told = |class: Value| world.hook.put_account(ALICE, json!({ "class": class })).unwrap().status;
    assert_eq!(told(json!("Interns")), 200);
    assert_eq!(reason(), "not-turned-on");
    let said = world.run(&["disable", "--class", "interns"]);
    assert!(said.contains("Denied for the class `interns`"), "{said}");
    assert_eq!(reason(), "denied", "the class is narrower than the domain");
    let status = world.run(&["status", ALICE]);
    assert!(status.contains("no, by the rule `--class interns`"), "{status}");
    assert!(world.run(&["policy"]).contains("accounts of the class `interns` may not use it"));
    assert_eq!(told(json!("Staff")), 200);
    assert_eq!(reason(), "not-turned-on", "she is of another class now");
    assert_eq!(told(json!("interns")), 200);
    world.run(&["enable", "--account", ALICE]);
    assert_eq!(reason(), "not-turned-on", "her own rule is narrower still");
    world.run(&["forget-rule", "--account", ALICE]);
    world.run(&["forget-rule", "--class", "INTERNS"]);
    assert_eq!(reason(), "not-turned-on");
    let (ok, said) = world.try_run(&["enable", "--class", " "]);
    assert!(!ok && said.contains("is not a class"), "{said}");
}

#[test]
fn what_waited_for_a_rule_goes_on_when_the_server_tells_of_another_class() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &[]);
    save(&world, &mut server, "e1", &text, &Put::wanted());
    world.run(&["disable", "--class", "interns"]);
    let class = |name: &str| world.hook.put_account(ALICE, json!({ "class": name })).unwrap().status;
    assert_eq!(class("interns"), 200);
    let renamed = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:Renamed");
    server.save("e1", &renamed, &Put::default()).unwrap();
    assert_ne!(world.settled("e1").str("state"), "mirrored");
    assert_eq!(subjects(&world), ["Planning"]);
    assert_eq!(class("staff"), 200);
    world.reaches("e1", "mirrored");
    assert_eq!(subjects(&world), ["Renamed"]);
}

#[test]
fn a_user_narrows_and_takes_it_back_but_never_widens() {
    let world = World::signed_in();
    let mut server = world.server();
    let mut browser = Browser::default();
    let open = |browser: &mut Browser| {
        let link = world.hook.settings_link(ALICE).unwrap();
        browser.open(link.str("url")).unwrap()
    };
    let page = open(&mut browser);
    assert!(!page.has("mirror-all-events"), "there is nothing narrower to choose");
    world.run(&["set", "mirror=all-events", "--domain", "test.tld"]);
    let page = open(&mut browser);
    assert!(page.has("mirror-all-events") && page.has("mirror-teams-events"), "{}", page.text());
    save(&world, &mut server, "e1", &event::meeting("e1", "Lunch", &[]), &Put::default());
    assert_eq!(subjects(&world), ["Lunch"]);

    let page = browser.press_with(&page, "save-which", &[("mirror", "teams-events")]).unwrap();
    assert_eq!(page.attribute("notice", "data-notice").as_deref(), Some("saved"), "{}", page.text());
    let (value, by) = counts(&world, "mirror");
    assert_eq!((value.as_str(), by["level"].as_str()), ("teams-events", Some("own")));
    assert!(world.run(&["status", ALICE]).contains("by the user, on the settings page"));
    assert_eq!(subjects(&world), ["Lunch"], "until its next save");
    save(&world, &mut server, "e1", &event::meeting("e1", "Lunch", &[]), &Put::default());
    assert!(world.in_teams().is_empty());

    let page = browser.press_with(&page, "save-which", &[("mirror", "all-events")]).unwrap();
    assert_eq!(page.attribute("notice", "data-notice").as_deref(), Some("saved"));
    save(&world, &mut server, "e1", &event::meeting("e1", "Lunch", &[]), &Put::default());
    assert_eq!(subjects(&world), ["Lunch"]);

    // The page is still open when the administrator narrows.
    world.run(&["set", "mirror=teams-events", "--domain", "test.tld"]);
    let late = browser.press_with(&page, "save-which", &[("mirror", "all-events")]).unwrap();
    assert_eq!(late.attribute("notice", "data-notice").as_deref(), Some("not-saved"), "{}", late.text());
    assert_eq!(counts(&world, "mirror").0, "teams-events");
    assert!(!late.has("mirror-all-events"));

    // An administrator's choice for the account replaces the user's.
    world.run(&["set", "mirror=all-events", "--domain", "test.tld"]);
    let page = open(&mut browser);
    browser.press_with(&page, "save-which", &[("mirror", "teams-events")]).unwrap();
    let said = world.run(&["set", "mirror=all-events", "--account", ALICE]);
    assert!(said.contains("had chosen `teams-events`"), "{said}");
    assert_eq!(counts(&world, "mirror").0, "all-events");
}

#[test]
fn what_an_event_says_of_itself_takes_it_out_of_teams_and_brings_it_back() {
    let world = World::signed_in();
    world.run(&["set", "exclude-class=not-public", "--server"]);
    world.run(&["set", "exclude-categories=Holiday,Doctor", "--domain", "test.tld"]);
    let mut server = world.server();
    for (uid, line) in [("e1", "CLASS:CONFIDENTIAL"), ("e2", "CATEGORIES:Work,doctor"), ("e3", "X-TEAMS-MIRROR:FALSE")]
    {
        let text = event::meeting(uid, uid, &[]);
        let first = server.save(uid, &text, &Put::wanted()).unwrap();
        let link = first.str("join_url").to_owned();
        assert!(event::unfolded(&server.stored(uid)).contains(&link), "{}", first.text);

        let marked = event::with_line(&server.stored(uid), line, line);
        let stands = save(&world, &mut server, uid, &marked, &Put::default());
        assert_eq!((stands.str("state"), stands.str("reason")), ("not-mirrored", "excluded"), "{}", stands.text);
        assert!(world.in_teams().is_empty(), "{line}");
        assert_eq!(
            server.stored(uid),
            event::with_line(&text, line, line),
            "the link lines are gone, and nothing else"
        );

        // Asked for all the same: said why not, and nothing made.
        world.sim.clear_requests();
        let asked = server.save(uid, &server.stored(uid), &Put::wanted()).unwrap();
        assert_eq!((asked.status, asked.str("state")), (200, "not-mirrored"), "{}", asked.text);
        assert_eq!(asked.notice_codes(), ["excluded"]);
        assert!(world.graph().is_empty());

        let back = save(&world, &mut server, uid, &text, &Put::wanted());
        assert_eq!(back.str("state"), "mirrored", "{}", back.text);
        assert_eq!(subjects(&world), [uid]);
        server.delete(uid).unwrap();
        assert!(until(crate::world::SOON, || world.in_teams().is_empty()));
    }
}

#[test]
fn a_series_leaves_as_a_whole_and_a_user_adds_categories() {
    let world = World::signed_in();
    world.run(&["set", "mirror=all-events", "--server"]);
    world.run(&["set", "exclude-categories=Holiday", "--server"]);
    let link = world.hook.settings_link(ALICE).unwrap();
    let mut browser = Browser::default();
    let page = browser.open(link.str("url")).unwrap();
    let page = browser.press_with(&page, "save-which", &[("categories", "Sports, <b>Choir</b>")]).unwrap();
    assert_eq!(page.attribute("categories", "value").as_deref(), Some("Sports, <b>Choir</b>"), "{}", page.text());
    assert_eq!(counts(&world, "exclude-categories").0, "Holiday, Sports, <b>Choir</b>");

    let mut server = world.server();
    let series = event::meeting("s1", "Standup", &["RRULE:FREQ=MONTHLY;BYMONTHDAY=14,20;COUNT=6"]);
    assert_eq!(save(&world, &mut server, "s1", &series, &Put::default()).str("state"), "mirrored");
    assert!(!world.in_teams().is_empty());
    let sports = event::with_line(&series, "CATEGORIES", "CATEGORIES:sports");
    let stands = save(&world, &mut server, "s1", &sports, &Put::default());
    assert_eq!((stands.str("state"), stands.str("reason")), ("not-mirrored", "excluded"), "{}", stands.text);
    assert!(world.in_teams().is_empty(), "all pieces of it");
    let again = save(&world, &mut server, "s1", &series, &Put::default());
    assert_eq!(again.str("state"), "mirrored");

    let long = "x".repeat(1001);
    let page = browser.press_with(&page, "save-which", &[("categories", &long)]).unwrap();
    assert_eq!(page.attribute("notice", "data-notice").as_deref(), Some("too-long"), "{}", page.text());
    let page = browser.press_with(&page, "save-which", &[("categories", "")]).unwrap();
    assert_eq!(page.attribute("notice", "data-notice").as_deref(), Some("saved"));
    assert_eq!(counts(&world, "exclude-categories").0, "Holiday");
}

/// Under `all-events` the entry stays without its meeting: by another event, because Microsoft freezes `isOnlineMeeting`.
#[test]
fn taking_teams_away_under_all_events_keeps_the_entry_single_and_series() {
    let world = World::signed_in();
    world.run(&["set", "mirror=all-events", "--server"]);
    let mut server = world.server();
    for (uid, lines) in [("e1", [].as_slice()), ("s1", ["RRULE:FREQ=WEEKLY;COUNT=8"].as_slice())] {
        let text = event::meeting(uid, uid, lines);
        server.save(uid, &text, &Put::wanted()).unwrap();
        assert_eq!(world.settled(uid).str("state"), "mirrored");
        let before = world.in_teams();
        assert_eq!((before.len(), before[0]["isOnlineMeeting"].as_bool()), (1, Some(true)));

        world.sim.clear_requests();
        let stored = server.stored(uid);
        let stands = save(&world, &mut server, uid, &stored, &Put::unwanted());
        assert_eq!((stands.str("state"), stands.str("join_url")), ("mirrored", ""), "{}", stands.text);
        assert_eq!(server.stored(uid), text, "the link lines are gone");
        let after = world.in_teams();
        assert_eq!((after.len(), after[0]["isOnlineMeeting"].as_bool()), (1, Some(false)), "{uid}");
        assert_eq!((&after[0]["subject"], &after[0]["recurrence"]), (&before[0]["subject"], &before[0]["recurrence"]));
        assert_ne!(after[0]["id"], before[0]["id"]);
        assert_eq!(world.graph_methods(), ["DELETE", "POST"]);

        // The choice lasts, and Teams can be added again.
        world.sim.clear_requests();
        save(&world, &mut server, uid, &text, &Put::default());
        assert!(world.graph().is_empty());
        let stands = save(&world, &mut server, uid, &text, &Put::wanted());
        assert!(stands.str("join_url").starts_with("https://teams.microsoft.com/"), "{}", stands.text);
        assert_eq!(world.in_teams().len(), 1);
        server.delete(uid).unwrap();
        assert!(until(crate::world::SOON, || world.in_teams().is_empty()));
    }
}

#[test]
fn wrong_choices_are_refused_with_what_would_be_right() {
    let world = World::new();
    for (choice, expected) in [
        ("mirror=everything", "`all-events`, `teams-events`"),
        ("exclude-clas=none", "did you mean `exclude-class`?"),
        ("calendar=work", "did you mean `calendars`?"),
    ] {
        let (ok, said) = world.try_run(&["set", choice, "--server"]);
        assert!(!ok && said.contains(expected), "{choice}: {said}");
    }
    let (ok, said) = world.try_run(&["set", &format!("exclude-categories={}", "x".repeat(1001)), "--server"]);
    assert!(!ok && said.contains("at most 1000 bytes"), "{said}");
    let (ok, said) = world.try_run(&["set", "mirror=all-events", "--class", "a", "--server"]);
    assert!(!ok && said.contains("cannot be used with"), "{said}");
}

#[test]
fn a_choice_counts_at_the_next_save_even_of_the_same_text() {
    let world = World::signed_in();
    let mut server = world.server();
    let guest = "ATTENDEE;CN=Bob:mailto:bob@elsewhere.example";
    let text = event::meeting("e1", "Planning", &["ORGANIZER:mailto:alice@test.tld", guest]);
    save(&world, &mut server, "e1", &text, &Put::wanted());
    let stored = server.stored("e1");
    save(&world, &mut server, "e1", &stored, &Put::default());
    assert_eq!(world.graph_methods(), ["POST"], "the same text costs nothing");
    world.run(&["set", "guest-list=on", "--domain", "test.tld"]);
    let stored = server.stored("e1");
    save(&world, &mut server, "e1", &stored, &Put::default());
    let body = world.in_teams()[0]["body"]["content"].as_str().unwrap().to_owned();
    assert!(body.contains("bob@elsewhere.example"), "{body}");
    let stored = server.stored("e1");
    let requests = world.graph().len();
    save(&world, &mut server, "e1", &stored, &Put::default());
    assert_eq!(world.graph().len(), requests);
}

#[test]
fn a_ticked_box_that_comes_to_nothing_says_why() {
    let world = World::signed_in();
    let mut server = world.server();
    let over = event::with_line(&event::meeting("e1", "Over", &[]), "DTSTART", "DTSTART:20200114T090000Z");
    let over = event::with_line(&over, "DTEND", "DTEND:20200114T100000Z");
    let answer = server.save("e1", &over, &Put::wanted()).unwrap();
    assert_eq!((answer.str("state"), answer.str("reason")), ("not-mirrored", "past"));
    assert!(answer.str("message").contains("ended more than a day ago"), "{}", answer.text);
    let shown = world.run(&["events", "show", ALICE, "e1"]);
    assert!(shown.contains("ended more than a day ago"), "{shown}");
    let plain = server.save("e2", &event::meeting("e2", "Lunch", &[]), &Put::default()).unwrap();
    assert_eq!((plain.str("reason"), plain.str("message")), ("no-meeting-wanted", ""));
    assert_eq!(world.settled("e2").str("message"), "");
}
