//! Calendars that are left out, by the administrator and by the user; and events that move between calendars.

use graph_sim::Fault;
use support::{Answer, Browser, Put, event};

use crate::world::{ALICE, SOON, World, until};

fn object(calendar: &str) -> String {
    format!("/alice/{calendar}/e1.ics")
}

fn in_calendar(calendar: &str, put: Put) -> Put {
    Put { object: Some(object(calendar)), calendar: Some(format!("/alice/{calendar}/")), ..put }
}

/// Both beats; gives the answer of the first.
fn save(world: &World, calendar: &str, text: &str, put: Put) -> Answer {
    let answer = world.hook.put(ALICE, "e1", text, &in_calendar(calendar, put)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    let report = world.hook.report(ALICE, "e1", answer.str("change"), "stored").unwrap();
    assert!(matches!(report.status, 200 | 204), "{}", report.text);
    answer
}

/// A move as adapters tell it: the new object is there, the old one is gone.
fn moved(world: &World, from: &str, to: &str, text: &str) -> Answer {
    let answer = world.hook.put(ALICE, "e1", text, &in_calendar(to, Put { stored: true, ..Put::default() })).unwrap();
    assert!(matches!(answer.status, 200 | 202), "{}", answer.text);
    world.hook.delete(ALICE, "e1", Some(&object(from))).unwrap();
    answer
}

fn gone_from_teams(world: &World) -> bool {
    until(SOON, || world.in_teams().is_empty())
}

#[test]
fn an_event_in_a_calendar_that_is_left_out_leaves_no_trace() {
    let world = World::signed_in();
    world.run(&["set", "exclude-calendars=private, /alice/birthdays/", "--domain", "test.tld"]);
    let text = event::meeting("e1", "Planning", &[]);
    for calendar in ["private", "birthdays"] {
        let answer = save(&world, calendar, &text, Put::wanted());
        assert_eq!(
            (answer.str("state"), answer.str("reason")),
            ("not-mirrored", "calendar-excluded"),
            "{}",
            answer.text
        );
        assert_eq!((answer.icalendar(), answer.notice_codes()), (text.as_str(), vec!["calendar-excluded".to_owned()]));
        assert!(save(&world, calendar, &text, Put::default()).notice_codes().is_empty(), "nobody asked");
    }
    assert!(world.graph().is_empty() && world.hook.event(ALICE, "e1").unwrap().status == 204);
    // Where the call does not name the calendar, the object's folder counts.
    let put = Put { object: Some(object("private")), ..Put::wanted() };
    assert_eq!(world.hook.put(ALICE, "e1", &text, &put).unwrap().str("reason"), "calendar-excluded");
    assert_eq!(save(&world, "work", &text, Put::wanted()).str("state"), "mirrored");
}

#[test]
fn only_the_calendars_that_are_named_are_mirrored() {
    let world = World::signed_in();
    world.run(&["set", "mirror=all-events", "--server"]);
    world.run(&["set", "calendars=Work", "--server"]);
    let text = event::meeting("e1", "Planning", &[]);
    assert_eq!(save(&world, "team", &text, Put::default()).str("reason"), "calendar-excluded");
    let unnamed = world.hook.put(ALICE, "e1", &text, &Put::default()).unwrap();
    assert_eq!(unnamed.str("reason"), "calendar-excluded", "{}", unnamed.text);
    save(&world, "work", &text, Put::default());
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    world.run(&["set", "calendars=all", "--account", ALICE]);
    let other = event::meeting("e2", "Other", &[]);
    let put = Put { stored: true, ..in_calendar("team", Put::default()) };
    world.hook.put(ALICE, "e2", &other, &put).unwrap();
    assert_eq!(world.settled("e2").str("state"), "mirrored");
}

#[test]
fn a_move_to_a_calendar_that_is_left_out_takes_the_event_from_teams_and_a_move_back_brings_it() {
    let world = World::signed_in();
    world.run(&["set", "exclude-calendars=private", "--server"]);
    world.run(&["set", "meetings=always", "--server"]);
    let text = event::meeting("e1", "Planning", &[]);
    let saved = save(&world, "work", &text, Put::default());
    assert_eq!(saved.str("state"), "mirrored");
    let linked = saved.icalendar().to_owned();
    assert_ne!(linked, text);

    let answer = moved(&world, "work", "private", &linked);
    assert_eq!(answer.icalendar(), text, "to be written back without the link lines");
    assert!(gone_from_teams(&world));
    assert!(until(SOON, || world.hook.event(ALICE, "e1").unwrap().status == 204), "nothing is kept of it");

    let back = moved(&world, "private", "work", &text);
    assert!(matches!(back.status, 200 | 202), "{}", back.text);
    assert!(world.reaches("e1", "mirrored").str("join_url").starts_with("https://"), "as a new event");
    assert_eq!(world.in_teams().len(), 1);
}

#[test]
fn a_second_copy_in_a_calendar_that_is_left_out_changes_nothing() {
    let world = World::with_grace("300ms").and_alice();
    world.run(&["set", "exclude-calendars=private", "--server"]);
    let linked = save(&world, "work", &event::meeting("e1", "Planning", &[]), Put::wanted()).icalendar().to_owned();
    world.sim.clear_requests();
    let copy = event::with_line(&linked, "SUMMARY", "SUMMARY:Copy");
    save(&world, "private", &copy, Put::default());
    world.hook.delete(ALICE, "e1", Some(&object("private"))).unwrap();
    let stands = world.settled("e1");
    assert_eq!((stands.str("state"), stands.json["objects"].as_array().unwrap().len()), ("mirrored", 1));
    assert!(world.graph().is_empty());
    assert_eq!(world.in_teams()[0]["subject"], "Planning");
}

#[test]
fn a_calendar_left_out_later_lets_its_events_go_at_their_next_save_and_says_why() {
    let world = World::signed_in();
    world.run(&["set", "mirror=all-events", "--server"]);
    let text = event::meeting("e1", "Planning", &[]);
    save(&world, "work", &text, Put::default());
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    world.run(&["set", "exclude-calendars=work", "--account", ALICE]);
    assert_eq!(world.in_teams().len(), 1, "not before");
    // Microsoft refuses at first: that it was a calendar that was left out is not forgotten over it.
    world.sim.fault(Fault::throttled("1").on_graph("DELETE", "/events"));
    save(&world, "work", &text, Put::default());
    assert!(gone_from_teams(&world));
    let stands = world.reaches("e1", "not-mirrored");
    assert_eq!(stands.str("reason"), "calendar-excluded", "{}", stands.text);
    world.run(&["unset", "exclude-calendars", "--account", ALICE]);
    save(&world, "work", &text, Put::default());
    assert_eq!(world.settled("e1").str("state"), "mirrored");
}

#[test]
fn a_draft_saved_in_a_calendar_that_is_left_out_loses_its_meeting() {
    let world = World::signed_in();
    world.run(&["set", "exclude-calendars=private", "--server"]);
    for (draft, draft_of) in [("e1", None), ("d1", Some("d1".to_owned()))] {
        let text = event::meeting(draft, "Planning", &[]);
        let written = world.hook.put(ALICE, draft, &text, &Put { draft: true, ..Put::wanted() }).unwrap();
        assert_eq!(written.str("state"), "mirrored", "{}", written.text);
        let text = written.icalendar().replace(&format!("UID:{draft}\r\n"), "UID:e1\r\n");
        let answer = save(&world, "private", &text, Put { draft_of, ..Put::default() });
        assert_eq!(event::unfolded(answer.icalendar()).matches("teams.microsoft.com").count(), 0, "{}", answer.text);
        assert!(gone_from_teams(&world));
        assert_eq!(world.settled("e1").str("reason"), "calendar-excluded");
        world.hook.delete(ALICE, "e1", None).unwrap();
        assert!(until(SOON, || world.hook.event(ALICE, "e1").unwrap().status == 204));
    }
}

#[test]
fn a_calendar_is_named_as_its_user_calls_it() {
    let world = World::signed_in();
    world.run(&["set", "mirror=all-events", "--server"]);
    let text = event::meeting("e1", "Planning", &[]);
    let named = |name: &str| Put { calendar_name: Some(name.into()), ..Put::default() };
    save(&world, "5f0c", &text, named("Büro, <neu>"));
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    let mut browser = Browser::default();
    let page = browser.open(world.hook.settings_link(ALICE).unwrap().str("url")).unwrap();
    assert!(page.text().contains("Büro, <neu>"), "{}", page.text());
    let line = |of: &str| {
        let status = world.run(&["status", ALICE]);
        status.lines().find(|line| line.contains(of)).unwrap_or_else(|| panic!("{status}")).to_owned()
    };
    let told = line("/alice/5f0c/");
    assert!(told.starts_with("Büro, <neu>") && told.ends_with("yes"), "{told}");
    // The user leaves out the calendar, not the name that it has just now.
    let page = browser.press(&page, "calendar-off-1").unwrap();
    save(&world, "5f0c", &text, named("Renamed"));
    assert!(gone_from_teams(&world));
    let page = browser.press(&page, "calendar-on-1").unwrap();
    assert!(page.text().contains("Renamed"), "{}", page.text());
    assert!(line("/alice/5f0c/").starts_with("Renamed"));
    save(&world, "5f0c", &text, Put::default());
    assert_eq!(world.settled("e1").str("state"), "mirrored");

    world.run(&["set", "exclude-calendars=renamed", "--server"]);
    save(&world, "5f0c", &text, named("Renamed"));
    assert!(gone_from_teams(&world));
    assert_eq!(world.settled("e1").str("reason"), "calendar-excluded");
}

#[test]
fn a_user_leaves_a_calendar_out_on_the_settings_page() {
    let world = World::signed_in();
    world.run(&["set", "mirror=all-events", "--server"]);
    let text = event::meeting("e1", "Choir", &[]);
    save(&world, "a,b choir", &text, Put::default());
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    let mut browser = Browser::default();
    let page = browser.open(world.hook.settings_link(ALICE).unwrap().str("url")).unwrap();
    assert!(page.text().contains("a,b choir"), "{}", page.text());
    let page = browser.press(&page, "calendar-off-1").unwrap();
    assert_eq!(page.attribute("notice", "data-notice").as_deref(), Some("saved"), "{}", page.text());
    assert_eq!(page.attribute("calendar-on-1", "aria-checked").as_deref(), Some("false"));
    save(&world, "a,b choir", &text, Put::default());
    assert!(gone_from_teams(&world));
    assert_eq!(world.settled("e1").str("reason"), "calendar-excluded");

    let page = browser.press(&page, "calendar-on-1").unwrap();
    assert_eq!(page.attribute("calendar-off-1", "aria-checked").as_deref(), Some("true"), "{}", page.text());
    save(&world, "a,b choir", &text, Put::default());
    assert_eq!(world.settled("e1").str("state"), "mirrored");

    // What the administrator leaves out the user cannot bring back.
    world.run(&["set", "exclude-calendars=a%2Cb choir", "--domain", "test.tld"]);
    let page = browser.open(&format!("{}/settings", world.public_url)).unwrap();
    assert!(!page.has("calendar-on-1") && !page.has("calendar-off-1"));
    assert!(page.text().contains("your administrator has chosen this"), "{}", page.text());
}
