//! "Add Teams" before saving.

use support::{Put, event};

use crate::world::{ALICE, World};

fn draft(world: &World, uid: &str, text: &str) -> support::Answer {
    let put = Put { draft: true, ..Put::wanted() };
    world.hook.put(ALICE, uid, text, &put).unwrap()
}

#[test]
fn a_draft_gives_the_link_and_the_save_keeps_it() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &[]);
    let drafted = draft(&world, "e1", &text);
    assert_eq!((drafted.status, drafted.str("state")), (200, "mirrored"), "{}", drafted.text);
    let link = drafted.str("join_url").to_owned();
    assert!(!link.is_empty());
    let saved = server.save("e1", drafted.icalendar(), &Put::default()).unwrap();
    assert_eq!(saved.str("join_url"), link);
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(world.graph_methods(), ["POST"]);
}

#[test]
fn a_draft_without_a_start_gets_one_when_it_is_saved() {
    let world = World::signed_in();
    let mut server = world.server();
    let bare = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:e1\r\n\
                DTSTAMP:20291201T080000Z\r\nSUMMARY:Soon\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let drafted = draft(&world, "e1", bare);
    assert_eq!(drafted.str("state"), "mirrored", "{}", drafted.text);
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::default()).unwrap();
    world.reaches("e1", "mirrored");
    let events = world.in_teams();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["subject"], "Planning");
    assert!(events[0]["start"]["dateTime"].as_str().unwrap().starts_with("2030-01-14"), "{}", events[0]);
}

#[test]
fn saved_under_another_uid_it_keeps_its_meeting() {
    let world = World::signed_in();
    let mut server = world.server();
    let drafted = draft(&world, "draft-1", &event::meeting("draft-1", "Planning", &[]));
    let link = drafted.str("join_url").to_owned();
    let final_text = drafted.icalendar().replace("UID:draft-1", "UID:final-1");
    let put = Put { draft_of: Some("draft-1".into()), ..Put::default() };
    let saved = server.save("final-1", &final_text, &put).unwrap();
    assert_eq!(saved.str("join_url"), link, "{}", saved.text);
    assert_eq!(world.settled("final-1").str("state"), "mirrored");
    assert_eq!(world.hook.event(ALICE, "draft-1").unwrap().status, 204);
    assert_eq!(world.in_teams().len(), 1);
    assert!(event::unfolded(&server.stored("final-1")).contains(&link));
    // The lines in the text are the new event's own now: storing them again changes nothing.
    world.sim.clear_requests();
    let stored = server.stored("final-1");
    server.save("final-1", &stored, &Put::default()).unwrap();
    assert_eq!(world.settled("final-1").str("join_url"), link);
    assert_eq!(server.stored("final-1"), stored);
    assert_eq!(world.graph_methods(), Vec::<String>::new());
}

#[test]
fn a_discarded_draft_is_gone() {
    let world = World::signed_in();
    draft(&world, "e1", &event::meeting("e1", "Planning", &[]));
    assert_eq!(world.in_teams().len(), 1);
    world.hook.discard(ALICE, "e1").unwrap();
    assert_eq!(world.settled("e1").status, 204);
    assert_eq!(world.in_teams().len(), 0);
}

#[test]
fn discarding_a_draft_of_a_stored_event_keeps_the_event() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &[]);
    server.save("e1", &text, &Put::default()).unwrap();
    let drafted = draft(&world, "e1", &text);
    assert_eq!(drafted.str("state"), "mirrored", "{}", drafted.text);
    world.hook.discard(ALICE, "e1").unwrap();
    world.reaches("e1", "not-mirrored");
    assert_eq!(world.in_teams().len(), 0);
    let added = server.save("e1", &text, &Put::wanted()).unwrap();
    assert_eq!(added.str("state"), "mirrored");
}

#[test]
fn an_unconfirmed_draft_removes_itself() {
    let world = World::with("draft_lifetime = '400ms'").and_alice();
    draft(&world, "e1", &event::meeting("e1", "Planning", &[]));
    assert_eq!(world.graph_methods().first().map(String::as_str), Some("POST"));
    let gone = crate::world::until(std::time::Duration::from_secs(10), || world.in_teams().is_empty());
    assert!(gone, "{}", world.log_tail());
    assert_eq!(world.settled("e1").status, 204);
}

#[test]
fn a_save_nobody_reported_is_taken_as_stored() {
    let world = World::with("unconfirmed_after = '400ms'").and_alice();
    let answer = world.hook.put(ALICE, "e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    assert_eq!(answer.str("state"), "mirrored");
    let marked = crate::world::until(std::time::Duration::from_secs(10), || {
        world.hook.event(ALICE, "e1").unwrap().json["unconfirmed"] == true
    });
    assert!(marked, "{}", world.hook.event(ALICE, "e1").unwrap().text);
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(world.graph_methods(), ["POST"]);
}
