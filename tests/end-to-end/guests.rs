//! Who is told what: by default nobody by Microsoft.

use support::{Put, event};

use crate::world::World;

const ORGANIZER: &str = "ORGANIZER:mailto:alice@test.tld";
const BOB: &str = "ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION:mailto:bob@elsewhere.example";
const CAROL: &str = "ATTENDEE;CN=Carol;ROLE=OPT-PARTICIPANT:mailto:carol@elsewhere.example";

#[test]
fn by_default_microsoft_learns_of_no_guest_and_mails_nobody() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[ORGANIZER, BOB]), &Put::wanted()).unwrap();
    let more = server.stored("e1").replace(BOB, &format!("{BOB}\r\n{CAROL}"));
    server.save("e1", &more, &Put::default()).unwrap();
    let moved = event::with_line(&server.stored("e1"), "DTSTART", "DTSTART;TZID=Europe/Vienna:20300114T090000");
    server.save("e1", &moved, &Put::default()).unwrap();
    world.settled("e1");
    server.delete("e1").unwrap();
    world.settled("e1");
    for request in world.graph() {
        assert!(!request.body.contains("attendees"), "{}", request.body);
        assert!(!request.body.contains("elsewhere.example"), "{}", request.body);
    }
    assert_eq!(world.sim.mails().len(), 0);
}

#[test]
fn where_microsoft_invites_each_change_of_the_guests_is_one_request() {
    let world = World::signed_in();
    world.run(&["set", "invitations=microsoft", "--server-invites-nobody", "--domain", "test.tld"]);
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[ORGANIZER, BOB]), &Put::wanted()).unwrap();
    let with_attendees = || world.graph().into_iter().filter(|r| r.body.contains("\"attendees\"")).count();
    world.settled("e1");
    assert_eq!(with_attendees(), 1);
    let renamed = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:Planning, renamed");
    server.save("e1", &renamed, &Put::default()).unwrap();
    world.settled("e1");
    assert_eq!(with_attendees(), 1, "the subject alone");
    let accepted = server.stored("e1").replace("NEEDS-ACTION", "ACCEPTED");
    server.save("e1", &accepted, &Put::default()).unwrap();
    world.settled("e1");
    assert_eq!(with_attendees(), 1, "an answer of a guest is no change of the guests");
    let more = server.stored("e1").replace("SUMMARY:", &format!("{CAROL}\r\nSUMMARY:"));
    server.save("e1", &more, &Put::default()).unwrap();
    world.settled("e1");
    assert_eq!(with_attendees(), 2);
    let attendees = world.in_teams()[0]["attendees"].as_array().unwrap().clone();
    assert_eq!(attendees.len(), 2, "{attendees:?}");
    let carol = attendees.iter().find(|a| a["emailAddress"]["name"] == "Carol").unwrap();
    assert_eq!(carol["type"], "optional", "{carol}");
}

#[test]
fn a_draft_invites_nobody() {
    let world = World::signed_in();
    world.run(&["set", "invitations=microsoft", "--server-invites-nobody", "--domain", "test.tld"]);
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &[ORGANIZER, BOB]);
    let put = Put { draft: true, ..Put::wanted() };
    world.hook.put(crate::world::ALICE, "e1", &text, &put).unwrap();
    assert_eq!(world.sim.mails().len(), 0);
    server.save("e1", &text, &Put::default()).unwrap();
    world.reaches("e1", "mirrored");
    assert_eq!(world.sim.mails().len(), 1);
}

#[test]
fn a_guest_list_as_text_follows_the_guests() {
    let world = World::signed_in();
    world.run(&["set", "guest-list=on", "--domain", "test.tld"]);
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[ORGANIZER, BOB]), &Put::wanted()).unwrap();
    let link = world.settled("e1").str("join_url").to_owned();
    let more = server.stored("e1").replace(BOB, &format!("{BOB}\r\n{CAROL}"));
    server.save("e1", &more, &Put::default()).unwrap();
    world.settled("e1");
    let body = world.in_teams()[0]["body"]["content"].as_str().unwrap().to_owned();
    assert!(body.contains("carol@elsewhere.example"), "{body}");
    assert_eq!(world.in_teams()[0]["onlineMeeting"]["joinUrl"], link);
    assert_eq!(world.sim.mails().len(), 0);
}

#[test]
fn somebody_elses_meeting_is_never_touched() {
    let world = World::signed_in();
    let mut server = world.server();
    let theirs =
        event::meeting("e1", "Theirs", &["ORGANIZER:mailto:bob@elsewhere.example", "ATTENDEE:mailto:alice@test.tld"]);
    let answer = server.save("e1", &theirs, &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.str("state")), (200, "not-mirrored"), "{}", answer.text);
    assert_eq!(answer.str("reason"), "attendee-copy");
    assert_eq!(answer.icalendar(), theirs);
    assert_eq!(world.graph_methods(), Vec::<String>::new());
}

#[test]
fn nobody_is_invited_twice() {
    let world = World::signed_in();
    let (ok, said) = world.try_run(&["set", "invitations=microsoft", "--domain", "test.tld"]);
    assert!(!ok && said.contains("--server-invites-nobody"), "{said}");
}
