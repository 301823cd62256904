//! Create, update, cancel, delete, and what a refused save leaves behind.

use serde_json::Value;
use support::{Put, event};

use crate::world::World;

fn keys(body: &Value) -> Vec<String> {
    let mut keys: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    keys
}

#[test]
fn a_saved_event_appears_in_teams_and_its_link_comes_back() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &["DESCRIPTION:First\\nSecond", "LOCATION:Room 1"]);
    let answer = server.save("e1", &text, &Put::wanted()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.str("state"), "mirrored");
    let link = answer.str("join_url");
    assert!(link.starts_with("https://teams.microsoft.com/"), "{link}");
    let stored = event::unfolded(&server.stored("e1"));
    assert!(stored.contains(&format!("\n{link}\n")), "{stored}");
    assert!(stored.contains("LOCATION:Room 1"), "{stored}");

    let events = world.in_teams();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["subject"], "Planning");
    assert_eq!(events[0]["onlineMeeting"]["joinUrl"], link);
    assert_eq!(events[0]["originalStartTimeZone"], "W. Europe Standard Time");
    assert!(events[0]["startLocal"].as_str().unwrap().starts_with("2030-01-14 10:00"), "{}", events[0]["startLocal"]);
    assert!(events[0]["body"]["content"].as_str().unwrap().contains("First"));
    assert_eq!(world.graph_methods(), ["POST"]);
}

#[test]
fn the_same_text_twice_is_one_remote_event_and_one_request() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &[]);
    server.save("e1", &text, &Put::wanted()).unwrap();
    server.save("e1", &text, &Put::wanted()).unwrap();
    let again = server.stored("e1");
    server.save("e1", &again, &Put::default()).unwrap();
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(world.graph_methods(), ["POST"]);
    assert_eq!(server.stored("e1"), again, "storing the amended text again changes nothing in it");
}

#[test]
fn ten_changes_of_the_subject_are_ten_patches_of_one_field() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &[]);
    server.save("e1", &text, &Put::wanted()).unwrap();
    world.sim.clear_requests();
    for n in 1..=10 {
        let stored = server.stored("e1");
        let next = event::with_line(&stored, "SUMMARY", &format!("SUMMARY:Planning {n}"));
        server.save("e1", &next, &Put::default()).unwrap();
        assert_eq!(world.settled("e1").str("state"), "mirrored");
    }
    let requests = world.graph();
    assert_eq!(requests.len(), 10);
    for request in requests {
        assert_eq!(request.method, "PATCH");
        assert_eq!(keys(&request.json()), ["subject"]);
    }
    assert_eq!(world.in_teams()[0]["subject"], "Planning 10");
}

#[test]
fn ten_changes_while_microsoft_is_down_are_one_patch() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &[]);
    server.save("e1", &text, &Put::wanted()).unwrap();
    world.sim.clear_requests();
    world.sim.pause().unwrap();
    for n in 1..=10 {
        let next = event::with_line(&server.stored("e1"), "SUMMARY", &format!("SUMMARY:Planning {n}"));
        let answer = server.save("e1", &next, &Put::default()).unwrap();
        assert_eq!(answer.status, 200, "the link is there already, so the save is final: {}", answer.text);
    }
    world.sim.resume().unwrap();
    world.reaches("e1", "mirrored");
    assert_eq!(world.graph_methods(), ["PATCH"]);
    assert_eq!(world.in_teams()[0]["subject"], "Planning 10");
}

#[test]
fn what_is_not_mirrored_costs_no_request() {
    let world = World::signed_in();
    let mut server = world.server();
    let guest = "ATTENDEE;PARTSTAT=NEEDS-ACTION;CN=Bob:mailto:bob@elsewhere.example";
    let text = event::meeting("e1", "Planning", &["ORGANIZER:mailto:alice@test.tld", guest, "X-CLIENT-COLOUR:red"]);
    server.save("e1", &text, &Put::wanted()).unwrap();
    world.sim.clear_requests();
    for (name, line) in [
        ("ATTENDEE", "ATTENDEE;PARTSTAT=ACCEPTED;CN=Bob:mailto:bob@elsewhere.example"),
        ("SEQUENCE", "SEQUENCE:7"),
        ("DTSTAMP", "DTSTAMP:20291202T090000Z"),
        ("X-CLIENT-COLOUR", "X-CLIENT-COLOUR:blue"),
        ("X-SOMETHING-NEW", "X-SOMETHING-NEW:1"),
    ] {
        let next = event::with_line(&server.stored("e1"), name, line);
        assert_ne!(next, server.stored("e1"));
        server.save("e1", &next, &Put::default()).unwrap();
        assert_eq!(world.settled("e1").str("state"), "mirrored", "{name}");
    }
    assert_eq!(world.graph_methods(), Vec::<String>::new());
}

#[test]
fn each_group_of_fields_travels_alone() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &["DESCRIPTION:First"]);
    server.save("e1", &text, &Put::wanted()).unwrap();
    let link = world.settled("e1").str("join_url").to_owned();
    for (name, line, expected) in [
        ("DTEND", "DTEND;TZID=Europe/Vienna:20300114T120000", vec!["end", "isAllDay", "start"]),
        ("CLASS", "CLASS:PRIVATE", vec!["sensitivity"]),
        ("TRANSP", "TRANSP:TRANSPARENT", vec!["showAs"]),
        ("PRIORITY", "PRIORITY:1", vec!["importance"]),
        ("CATEGORIES", "CATEGORIES:Red,Blue", vec!["categories"]),
    ] {
        world.sim.clear_requests();
        let next = event::with_line(&server.stored("e1"), name, line);
        server.save("e1", &next, &Put::default()).unwrap();
        assert_eq!(world.settled("e1").str("state"), "mirrored");
        let requests = world.graph();
        assert_eq!(requests.len(), 1, "{name}");
        assert_eq!(keys(&requests[0].json()), expected, "{name}");
    }
    assert_eq!(world.in_teams()[0]["onlineMeeting"]["joinUrl"], link);
}

#[test]
fn a_cancelled_event_leaves_teams_and_comes_back_with_a_new_link() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let first = world.settled("e1").str("join_url").to_owned();
    let with_link = server.stored("e1");
    let cancelled = event::with_line(&with_link, "STATUS", "STATUS:CANCELLED");
    server.save("e1", &cancelled, &Put::default()).unwrap();
    assert_eq!(world.settled("e1").str("state"), "not-mirrored");
    assert_eq!(world.in_teams().len(), 0);
    assert!(event::unfolded(&server.stored("e1")).contains(&first), "the lines stay: no second mail");

    let confirmed = event::with_line(&server.stored("e1"), "STATUS", "STATUS:CONFIRMED");
    let answer = server.save("e1", &confirmed, &Put::default()).unwrap();
    assert_eq!(answer.str("state"), "mirrored", "{}", answer.text);
    let second = answer.str("join_url");
    assert_ne!(second, first);
    let stored = event::unfolded(&server.stored("e1"));
    assert!(stored.contains(second) && !stored.contains(&first), "{stored}");
}

#[test]
fn a_deleted_event_is_deleted_once() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    world.sim.clear_requests();
    server.delete("e1").unwrap();
    assert_eq!(world.settled("e1").status, 204);
    assert_eq!(world.in_teams().len(), 0);
    assert_eq!(world.graph_methods(), ["DELETE"]);
    assert_eq!(server.delete("e1").unwrap().status, 204);
}

#[test]
fn an_event_that_is_gone_at_microsoft_too_counts_as_deleted() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let id = world.in_teams()[0]["id"].as_str().unwrap().to_owned();
    world.sim.delete_in_outlook(crate::world::ALICE_AT_MICROSOFT, &id).unwrap();
    server.delete("e1").unwrap();
    assert_eq!(world.settled("e1").status, 204);
}

#[test]
fn what_the_user_deleted_in_teams_stays_deleted_until_asked_for() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let id = world.in_teams()[0]["id"].as_str().unwrap().to_owned();
    world.sim.delete_in_outlook(crate::world::ALICE_AT_MICROSOFT, &id).unwrap();
    let next = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:Planning again");
    server.save("e1", &next, &Put::default()).unwrap();
    let status = world.reaches("e1", "removed");
    assert_eq!(status.str("reason"), "deleted-at-microsoft");
    assert_eq!(status.notice_codes(), ["deleted-at-microsoft"]);
    assert_eq!(world.in_teams().len(), 0);

    let once_more = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:Planning, third");
    server.save("e1", &once_more, &Put::default()).unwrap();
    assert_eq!(world.settled("e1").str("state"), "removed");
    assert_eq!(world.in_teams().len(), 0);

    let answer = server.save("e1", &server.stored("e1"), &Put::wanted()).unwrap();
    assert_eq!(answer.str("state"), "mirrored", "{}", answer.text);
    assert_eq!(world.in_teams().len(), 1);
}

#[test]
fn a_move_keeps_the_meeting() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let link = world.settled("e1").str("join_url").to_owned();
    world.sim.clear_requests();
    // To another calendar: PUT there, DELETE here.
    let put = Put { object: Some("/other/e1.ics".into()), ..Put::default() };
    let answer = world.hook.put(crate::world::ALICE, "e1", &server.stored("e1"), &put).unwrap();
    world.hook.report(crate::world::ALICE, "e1", answer.str("change"), "stored").unwrap();
    server.delete("e1").unwrap();
    // Past the grace time an event that was to be deleted would be gone.
    server.save("e2", &event::meeting("e2", "Another", &[]), &Put::wanted()).unwrap();
    server.delete("e2").unwrap();
    assert_eq!(world.settled("e2").status, 204);
    assert_eq!(world.settled("e1").str("join_url"), link);
    assert_eq!(world.graph_methods(), ["POST", "DELETE"], "of the other event alone");
}

#[test]
fn an_undone_delete_keeps_the_meeting() {
    let world = World::with_grace("30s").and_alice();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let (link, stored) = (world.settled("e1").str("join_url").to_owned(), server.stored("e1"));
    world.sim.clear_requests();
    server.delete("e1").unwrap();
    let answer = server.save("e1", &stored, &Put::default()).unwrap();
    assert_eq!(answer.str("join_url"), link);
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    assert_eq!(world.graph_methods(), Vec::<String>::new());
}

#[test]
fn a_refused_new_event_leaves_nothing_behind() {
    let world = World::signed_in();
    let mut server = world.server();
    let answer = server.refused_save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    assert_eq!(answer.str("state"), "mirrored");
    assert_eq!(world.settled("e1").status, 204);
    assert_eq!(world.in_teams().len(), 0);
    assert_eq!(world.graph_methods(), ["POST", "DELETE"]);
}

#[test]
fn a_refused_change_destroys_nothing() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let before = world.in_teams();
    world.sim.clear_requests();
    let stored = server.stored("e1");
    for put in [Put::default(), Put::wanted(), Put::unwanted()] {
        let next = event::with_line(&stored, "SUMMARY", "SUMMARY:Never stored");
        server.refused_save("e1", &next, &put).unwrap();
    }
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    assert_eq!(world.in_teams(), before);
    assert_eq!(world.graph_methods(), Vec::<String>::new());
}

#[test]
fn teams_is_added_later_and_taken_away() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &["DESCRIPTION:Mine"]);
    let plain = server.save("e1", &text, &Put::default()).unwrap();
    assert_eq!((plain.status, plain.str("state")), (200, "not-mirrored"), "{}", plain.text);
    assert_eq!(plain.icalendar(), text);
    assert_eq!(world.graph_methods(), Vec::<String>::new());

    let added = server.save("e1", &server.stored("e1"), &Put::wanted()).unwrap();
    assert_eq!(added.str("state"), "mirrored", "{}", added.text);
    assert_eq!(world.in_teams().len(), 1);

    let taken = server.save("e1", &server.stored("e1"), &Put::unwanted()).unwrap();
    assert_eq!(taken.icalendar(), text, "not a trace of the link is left");
    assert_eq!(world.reaches("e1", "not-mirrored").str("reason"), "no-meeting-wanted");
    assert_eq!(world.in_teams().len(), 0);
}

#[test]
fn refusing_teams_added_later_takes_the_meeting_away_again() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &[]);
    server.save("e1", &text, &Put::default()).unwrap();
    server.refused_save("e1", &text, &Put::wanted()).unwrap();
    world.reaches("e1", "not-mirrored");
    assert_eq!(world.in_teams().len(), 0);
}

#[test]
fn a_server_that_can_call_only_once_gets_the_same() {
    let world = World::signed_in();
    let text = event::meeting("e1", "Planning", &[]);
    let put = Put { stored: true, object: Some("/c/e1.ics".into()), ..Put::wanted() };
    let answer = world.hook.put(crate::world::ALICE, "e1", &text, &put).unwrap();
    assert_eq!((answer.status, answer.str("state")), (200, "mirrored"), "{}", answer.text);
    assert!(answer.icalendar().contains("CONFERENCE"), "{}", answer.icalendar());
    let back = Put { stored: true, object: Some("/c/e1.ics".into()), ..Put::default() };
    let again = world.hook.put(crate::world::ALICE, "e1", answer.icalendar(), &back).unwrap();
    assert_eq!(again.icalendar(), answer.icalendar());
    assert_eq!(world.hook.changes("", 0).unwrap().json["changes"], serde_json::json!([]));
    assert_eq!(world.graph_methods(), ["POST"]);
}

#[test]
fn all_day_and_floating_events_keep_their_dates_and_times() {
    let world = World::signed_in();
    let mut server = world.server();
    let day = event::meeting("e1", "Trip", &[])
        .replace("DTSTART;TZID=Europe/Vienna:20300114T100000", "DTSTART;VALUE=DATE:20300114")
        .replace("DTEND;TZID=Europe/Vienna:20300114T110000", "DTEND;VALUE=DATE:20300117");
    server.save("e1", &day, &Put::wanted()).unwrap();
    let floating = event::meeting("e2", "Breakfast", &[]).replace(";TZID=Europe/Vienna", "");
    server.save("e2", &floating, &Put::wanted()).unwrap();
    let find = |subject: &str| world.in_teams().into_iter().find(|e| e["subject"] == subject).unwrap();
    let trip = find("Trip");
    assert_eq!(trip["isAllDay"], true);
    assert!(trip["start"]["dateTime"].as_str().unwrap().starts_with("2030-01-14T00:00"), "{trip}");
    assert!(trip["end"]["dateTime"].as_str().unwrap().starts_with("2030-01-17T00:00"), "{trip}");
    let breakfast = find("Breakfast");
    assert!(breakfast["startLocal"].as_str().unwrap().starts_with("2030-01-14 10:00"), "{breakfast}");
    assert_eq!(breakfast["originalStartTimeZone"], "W. Europe Standard Time", "the account's zone");
}
