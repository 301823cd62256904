//! Saves of one event.

use support::event;

use crate::sabre::{Answer, Dress, SOON, Sabre, in_both, with_teams};
use crate::world::{ALICE, World, until};

pub const E1: &str = "/calendars/alice/work/e1.ics";

/// A world, and a sabre/dav with Alice's calendars.
pub fn wired(dress: Dress) -> Option<(World, Sabre)> {
    let world = World::signed_in();
    let sabre = Sabre::start(&world, dress)?;
    Some((world, sabre))
}

#[test]
fn a_created_event_is_in_teams_and_its_guest_gets_one_mail_with_the_link() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let guests = ["DESCRIPTION:Agenda", "ORGANIZER:mailto:alice@test.tld", "ATTENDEE:mailto:bob@elsewhere.example"];
        let saved = sabre.put(E1, &with_teams("e1", "Planning", &guests));
        assert_eq!(saved.status, 201, "{}\n{}", saved.text, sabre.log());
        assert_eq!(saved.header("etag"), None, "the client's text is not what is stored");
        let link = sabre.holds_link(&world, E1, "e1");
        let mails = sabre.mails();
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert!(mails[0].contains("METHOD:REQUEST") && mails[0].contains(&link), "{}", mails[0]);
        assert_eq!(world.in_teams().len(), 1);
        assert_eq!(world.in_teams()[0]["subject"], "Planning");
        assert_eq!(world.graph_methods(), ["POST"]);
        assert!(sabre.notes().is_empty(), "{:?}", sabre.notes());
    });
}

#[test]
fn an_update_is_one_request_and_keeps_the_link() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        sabre.put(E1, &with_teams("e1", "Planning", &[]));
        let link = sabre.holds_link(&world, E1, "e1");
        world.sim.clear_requests();
        let before = sabre.get(E1);
        let next = event::with_line(&before.text, "SUMMARY", "SUMMARY:Planning again");
        let saved = sabre.put_as("alice", E1, &next, &[("if-match", before.header("etag").unwrap())]);
        assert_eq!(saved.status, 204, "{}", saved.text);
        assert_eq!(saved.header("etag"), sabre.get(E1).header("etag"), "the client's text is what is stored");
        assert!(until(SOON, || world.in_teams()[0]["subject"] == "Planning again"), "{}", world.log_tail());
        assert_eq!(world.graph_methods(), ["PATCH"]);
        assert_eq!(world.settled("e1").str("join_url"), link);
    });
}

#[test]
fn a_client_that_drops_the_link_gets_it_back_in_the_same_save() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let text = with_teams("e1", "Planning", &[]);
        sabre.put(E1, &text);
        let link = sabre.holds_link(&world, E1, "e1");
        world.sim.clear_requests();
        let saved = sabre.put(E1, &text);
        assert_eq!(saved.header("etag"), None);
        assert!(sabre.stored(E1).contains(&link));
        world.settled("e1");
        assert!(world.graph_methods().is_empty(), "nothing that is mirrored changed: {:?}", world.graph_methods());
    });
}

#[test]
fn a_stale_etag_makes_no_meeting() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let text = with_teams("e1", "Planning", &[]);
        let stale = [("if-match", "\"0123456789\"")];
        assert_eq!(sabre.put_as("alice", E1, &text, &stale).status, 412);
        sabre.put(E1, &event::meeting("e1", "Planning", &[]));
        assert_eq!(sabre.put_as("alice", E1, &text, &stale).status, 412);
        assert_eq!(sabre.put_as("alice", E1, &text, &[("if-none-match", "*")]).status, 412);
        world.settled("e1");
        assert!(sabre.notes().is_empty());
        assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    });
}

#[test]
fn who_may_not_write_makes_no_meeting() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let text = with_teams("e1", "Planning", &[]);
        assert_eq!(sabre.put_as("bob", E1, &text, &[]).status, 403);
        assert_eq!(sabre.put_as("", E1, &text, &[]).status, 401);
        assert!(sabre.notes().is_empty());
        assert_eq!(world.settled("e1").status, 204, "nothing is known of it");
        assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    });
}

/// Somebody after the plugin refuses, when the meeting is made already: it goes again, and what was there stays.
#[test]
fn a_save_that_the_server_refuses_leaves_no_meeting() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        sabre.set("refuse", true);
        assert_eq!(sabre.put(E1, &with_teams("e1", "Planning", &[])).status, 403);
        assert!(until(SOON, || world.in_teams().is_empty()), "{}", world.log_tail());
        assert!(until(SOON, || world.graph_methods() == ["POST", "DELETE"]), "{:?}", world.graph_methods());
        assert!(sabre.notes().is_empty(), "{:?}\n{}", sabre.notes(), sabre.log());
        sabre.set("refuse", false);
        sabre.put(E1, &with_teams("e1", "Planning", &[]));
        sabre.holds_link(&world, E1, "e1");
        world.sim.clear_requests();
        sabre.set("refuse", true);
        let next = event::with_line(&sabre.get(E1).text, "SUMMARY", "SUMMARY:Refused");
        assert_eq!(sabre.put(E1, &next).status, 403);
        world.settled("e1");
        assert_eq!(world.in_teams()[0]["subject"], "Planning");
        assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
        assert!(sabre.notes().is_empty());
    });
}

#[test]
fn what_is_no_event_is_stored_as_it_was_sent() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let task = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:t1\r\nDTSTAMP:20291201T080000Z\r\n\
                    SUMMARY:Buy milk\r\nX-TEAMS-MEETING:TRUE\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
        let saved = sabre.put("/calendars/alice/work/t1.ics", task);
        assert_eq!((saved.status, saved.header("etag").is_some()), (201, true));
        assert_eq!(sabre.get("/calendars/alice/work/t1.ics").text, task);
        let plain = event::meeting("e1", "Dentist", &[]);
        let saved = sabre.put(E1, &plain);
        assert_eq!((saved.status, saved.header("etag").is_some()), (201, true));
        assert_eq!(sabre.get(E1).text, plain, "byte for byte");
        assert_eq!(sabre.put("/calendars/alice/work/bad.ics", "no calendar at all").status, 415);
        assert!(sabre.notes().is_empty());
        world.settled("e1");
        assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    });
}

#[test]
fn an_attendees_copy_is_left_as_it_is() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let guests = ["ORGANIZER:mailto:boss@elsewhere.example", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@test.tld"];
        let text = with_teams("e1", "Their planning", &guests);
        let saved = sabre.put(E1, &text);
        assert_eq!((saved.status, saved.header("etag").is_some()), (201, true));
        assert_eq!(sabre.get(E1).text, text);
        world.settled("e1");
        assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    });
}

#[test]
fn a_delegate_saves_for_the_calendars_owner() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let saved = sabre.put_as("secretary", E1, &with_teams("e1", "Planning", &[]), &[]);
        assert_eq!(saved.status, 201, "{}", saved.text);
        let link = sabre.holds_link(&world, E1, "e1");
        assert_eq!(world.in_teams()[0]["onlineMeeting"]["joinUrl"], link);
        assert_eq!(world.graph_methods(), ["POST"]);
        assert_eq!(world.hook.event("secretary@test.tld", "e1").unwrap().status, 204);
    });
}

/// Under a path of one's own, as sabre/dav 4 shows it, and as Nextcloud does. It is the owner's event all the same, and one object,
/// whoever saves or deletes it.
#[test]
fn a_shared_calendars_events_are_its_owners_under_one_name() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let theirs = "/calendars/bob/from-alice/e1.ics";
        let saved = sabre.put_as("bob", theirs, &with_teams("e1", "Planning", &[]), &[]);
        assert_eq!(saved.status, 201, "{}", saved.text);
        sabre.holds_link(&world, E1, "e1");
        assert_eq!(Sabre::objects(&world, "e1"), serde_json::json!(["calendars/alice/work/e1.ics"]));
        assert_eq!(world.hook.event("bob@test.tld", "e1").unwrap().status, 204);
        let next = event::with_line(&sabre.get(E1).text, "SUMMARY", "SUMMARY:By its owner");
        assert_eq!(sabre.put(E1, &next).status, 204);
        assert!(until(SOON, || world.in_teams()[0]["subject"] == "By its owner"), "{}", world.log_tail());
        // Bob leaves the share: nothing is gone.
        assert_eq!(sabre.request("DELETE", "/calendars/bob/from-alice", "bob", &[], "").status, 204, "{}", sabre.log());
        assert_eq!(Sabre::objects(&world, "e1"), serde_json::json!(["calendars/alice/work/e1.ics"]));
        assert_eq!(sabre.request("DELETE", theirs, "bob", &[], "").status, 204);
        assert!(until(SOON, || world.in_teams().is_empty()), "{}", sabre.log());
        assert_eq!(world.graph_methods(), ["POST", "PATCH", "DELETE"]);
        assert!(sabre.notes().is_empty());
    });
}

#[test]
fn a_series_and_its_exceptions_are_one_resource_with_the_link_in_each() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let series = with_teams("e1", "Weekly", &["RRULE:FREQ=WEEKLY;COUNT=4"]);
        let lines = ["RECURRENCE-ID;TZID=Europe/Vienna:20300121T100000"];
        let exception = event::at("e1", "Moved", "20300121T150000", "20300121T160000", &lines);
        let begin = exception.find("BEGIN:VEVENT").unwrap();
        let text = series.replace("END:VCALENDAR\r\n", &exception[begin..]);
        assert_eq!(sabre.put(E1, &text).status, 201, "{}", sabre.log());
        let link = sabre.holds_link(&world, E1, "e1");
        let stored = sabre.stored(E1);
        assert_eq!(stored.matches("BEGIN:VEVENT").count(), 2, "{stored}");
        assert_eq!(
            stored.matches(&format!("CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Microsoft Teams:{link}")).count(),
            2,
            "{stored}"
        );
        // The series in one request; the moved occurrence is read and patched.
        let methods = world.graph_methods();
        assert_eq!(methods.iter().filter(|method| *method == "POST").count(), 1, "{methods:?}");
        assert_eq!(sabre.delete(E1).status, 204);
        assert!(until(SOON, || world.in_teams().is_empty()), "{}", sabre.log());
        assert!(until(SOON, || world.hook.event(ALICE, "e1").unwrap().status == 204), "{}", sabre.log());
    });
}

#[test]
fn another_event_in_the_place_of_one_takes_it_out_of_teams() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        sabre.put(E1, &with_teams("e1", "First", &[]));
        let first = sabre.holds_link(&world, E1, "e1");
        let saved = sabre.put(E1, &with_teams("e2", "Second", &[]));
        assert_eq!(saved.status, 204, "{}", saved.text);
        let second = sabre.holds_link(&world, E1, "e2");
        assert_ne!(first, second);
        let subjects = || world.in_teams().iter().map(|event| event["subject"].to_string()).collect::<Vec<_>>();
        assert!(until(SOON, || subjects() == ["\"Second\""]), "{:?}\n{}", subjects(), sabre.log());
        assert!(sabre.notes().is_empty());
    });
}

/// The twin of these tests: without the plugin nothing of this happens.
#[test]
fn without_the_plugin_nothing_happens() {
    let Some((world, sabre)) = wired(Dress::Old) else { return };
    std::fs::remove_file(sabre.dir.path().join("plugin.json")).unwrap();
    let saved: Answer = sabre.put(E1, &with_teams("e1", "Planning", &[]));
    assert_eq!((saved.status, saved.header("etag").is_some()), (201, true));
    assert_eq!(world.settled("e1").status, 204);
    assert!(world.graph_methods().is_empty());
}
