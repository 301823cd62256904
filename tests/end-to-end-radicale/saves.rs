//! Saves of one event.

use support::event;

use crate::radicale::{Radicale, SOON, with_teams};
use crate::world::{World, until};

const E1: &str = "/alice/work/e1.ics";

/// A world, and a Radicale in which Alice has a calendar.
pub fn wired() -> Option<(World, Radicale)> {
    let world = World::signed_in();
    let radicale = Radicale::start(&world)?;
    radicale.calendar("/alice/work/", "alice");
    Some((world, radicale))
}

#[test]
fn a_created_event_is_in_teams_and_its_link_in_what_is_stored() {
    let Some((world, radicale)) = wired() else { return };
    let saved = radicale.put(E1, &with_teams("e1", "Planning", &["DESCRIPTION:Agenda"]));
    assert_eq!(saved.status, 201);
    assert_eq!(saved.header("etag"), None, "the client's text is not what is stored");
    assert_eq!(saved.header("last-modified"), None);
    let link = world.settled("e1").str("join_url").to_owned();
    assert!(!link.is_empty());
    assert!(radicale.stored(E1).contains(&link), "the link was there before the answer");
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(world.in_teams()[0]["subject"], "Planning");
    assert_eq!(world.graph_methods(), ["POST"]);
    radicale.told();
}

#[test]
fn an_update_is_one_request_and_keeps_the_link() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put(E1, &with_teams("e1", "Planning", &[]));
    let link = radicale.holds_link(&world, E1, "e1");
    world.sim.clear_requests();
    let before = radicale.get(E1);
    let next = event::with_line(&before.text, "SUMMARY", "SUMMARY:Planning again");
    let saved = radicale.put_as("alice", E1, &next, &[("if-match", before.header("etag").unwrap())]);
    assert!(matches!(saved.status, 201 | 204), "{}", saved.text);
    assert!(until(SOON, || world.in_teams()[0]["subject"] == "Planning again"), "{}", world.log_tail());
    assert_eq!(world.graph_methods(), ["PATCH"]);
    assert_eq!(world.settled("e1").str("join_url"), link);
    assert!(radicale.stored(E1).contains(&link));
}

#[test]
fn a_client_that_drops_the_link_gets_it_back_in_the_same_save() {
    let Some((world, radicale)) = wired() else { return };
    let text = with_teams("e1", "Planning", &[]);
    radicale.put(E1, &text);
    let link = radicale.holds_link(&world, E1, "e1");
    world.sim.clear_requests();
    let saved = radicale.put(E1, &text);
    assert_eq!(saved.header("etag"), None);
    assert!(radicale.stored(E1).contains(&link));
    world.settled("e1");
    assert!(world.graph_methods().is_empty(), "nothing that is mirrored changed: {:?}", world.graph_methods());
}

#[test]
fn a_save_that_changes_nothing_keeps_its_etag() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put(E1, &with_teams("e1", "Planning", &[]));
    radicale.holds_link(&world, E1, "e1");
    let stored = radicale.get(E1);
    let again = radicale.put(E1, &stored.text);
    assert_eq!(again.header("etag"), stored.header("etag"), "what Radicale stored is what the hook would have");
}

#[test]
fn a_stale_etag_makes_no_meeting() {
    let Some((world, radicale)) = wired() else { return };
    let stale = [("if-match", "\"0123456789\"")];
    assert_eq!(radicale.put_as("alice", E1, &with_teams("e1", "Planning", &[]), &stale).status, 412);
    radicale.put(E1, &event::meeting("e1", "Planning", &[]));
    world.sim.clear_requests();
    assert_eq!(radicale.put_as("alice", E1, &with_teams("e1", "Planning", &[]), &stale).status, 412);
    let fresh_only = [("if-none-match", "*")];
    assert_eq!(radicale.put_as("alice", E1, &with_teams("e1", "Planning", &[]), &fresh_only).status, 412);
    radicale.told();
    world.settled("e1");
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    assert!(world.in_teams().is_empty());
}

#[test]
fn who_may_not_write_makes_no_meeting() {
    let Some((world, radicale)) = wired() else { return };
    let text = with_teams("e1", "Planning", &[]);
    assert_eq!(radicale.put_as("bob", E1, &text, &[]).status, 403);
    assert_eq!(radicale.put_as("", E1, &text, &[]).status, 401);
    let wrong = [("authorization", "Basic YWxpY2U6d3Jvbmc=")];
    assert_eq!(radicale.put_as("", E1, &text, &wrong).status, 401);
    radicale.told();
    assert_eq!(world.settled("e1").status, 204, "nothing is known of it");
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
}

/// A body without an end, announced as -1 octets: whoever did not log in is refused before it is read, as by Radicale alone.
#[test]
fn a_body_without_an_end_is_not_waited_for() {
    use std::io::{Read as _, Write as _};
    let Some((_world, radicale)) = wired() else { return };
    for path in ["/alice/big/zz.ics", "/alice/work/zz.ics", "/alice/zz/"] {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", radicale.port)).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let head =
            format!("PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/calendar\r\nContent-Length: -1\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&[b'x'; 10_000]).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap_or_else(|error| panic!("{path}: {error}\n{}", radicale.log()));
        assert_eq!(String::from_utf8_lossy(&answer).split(' ').nth(1), Some("401"), "{path}");
    }
    assert!(radicale.notes().is_empty());
}

#[test]
fn a_uid_that_stands_elsewhere_in_the_calendar_makes_no_meeting() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put(E1, &event::meeting("e1", "Planning", &[]));
    let second = radicale.put("/alice/work/copy.ics", &with_teams("e1", "Planning", &[]));
    assert_eq!(second.status, 409, "{}", second.text);
    let other = radicale.put(E1, &with_teams("e2", "Another", &[]));
    assert_eq!(other.status, 409, "{}", other.text);
    radicale.told();
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
}

#[test]
fn a_deleted_event_goes_from_teams() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put(E1, &with_teams("e1", "Planning", &[]));
    radicale.holds_link(&world, E1, "e1");
    world.sim.clear_requests();
    assert_eq!(radicale.delete(E1).status, 200);
    assert!(until(SOON, || world.in_teams().is_empty()), "{}\n{}", radicale.log(), world.log_tail());
    assert_eq!(world.graph_methods(), ["DELETE"]);
    radicale.told();
}

#[test]
fn a_delete_that_is_refused_deletes_nothing() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put(E1, &with_teams("e1", "Planning", &[]));
    radicale.holds_link(&world, E1, "e1");
    world.sim.clear_requests();
    let stale = radicale.request("DELETE", E1, "alice", &[("if-match", "\"0123456789\"")], "");
    assert_eq!(stale.status, 412);
    assert_eq!(radicale.request("DELETE", E1, "bob", &[], "").status, 403);
    radicale.told();
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    assert!(world.graph_methods().is_empty());
    assert_eq!(world.hook.event(crate::world::ALICE, "e1").unwrap().json["objects"][0], E1);
}

#[test]
fn a_move_between_calendars_keeps_the_meeting() {
    let Some((world, radicale)) = wired() else { return };
    radicale.calendar("/alice/home/", "alice");
    radicale.put(E1, &with_teams("e1", "Planning", &[]));
    let link = radicale.holds_link(&world, E1, "e1");
    world.sim.clear_requests();
    assert_eq!(radicale.r#move(E1, "/alice/home/other%20name.ics").status, 201);
    radicale.told();
    let status = world.settled("e1");
    assert_eq!((status.str("state"), status.str("join_url")), ("mirrored", link.as_str()));
    assert_eq!(status.json["objects"], serde_json::json!(["/alice/home/other name.ics"]));
    assert!(radicale.stored("/alice/home/other%20name.ics").contains(&link));
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    // It is still the same event: its delete deletes it.
    assert_eq!(radicale.delete("/alice/home/other%20name.ics").status, 200);
    assert!(until(SOON, || world.in_teams().is_empty()), "{}", radicale.log());
    assert_eq!(world.graph_methods(), ["DELETE"]);
}

#[test]
fn an_undone_delete_keeps_the_meeting() {
    let world = World::with_grace("5s").and_alice();
    let Some(radicale) = Radicale::start(&world) else { return };
    radicale.calendar("/alice/work/", "alice");
    radicale.put(E1, &with_teams("e1", "Planning", &[]));
    let link = radicale.holds_link(&world, E1, "e1");
    let stored = radicale.get(E1).text;
    world.sim.clear_requests();
    assert_eq!(radicale.delete(E1).status, 200);
    assert_eq!(radicale.put(E1, &stored).status, 201);
    radicale.told();
    let status = world.settled("e1");
    assert_eq!((status.str("state"), status.str("join_url")), ("mirrored", link.as_str()), "{}", status.text);
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    assert_eq!(world.in_teams().len(), 1);
}

#[test]
fn a_delegate_saves_for_the_calendars_owner() {
    let Some((world, radicale)) = wired() else { return };
    assert_eq!(radicale.put_as("secretary", E1, &with_teams("e1", "Planning", &[]), &[]).status, 201);
    let link = radicale.holds_link(&world, E1, "e1");
    assert_eq!(world.in_teams()[0]["onlineMeeting"]["joinUrl"], link);
    assert_eq!(world.graph_methods(), ["POST"]);
    assert_eq!(world.hook.event("secretary@test.tld", "e1").unwrap().status, 204);
}

#[test]
fn an_attendees_copy_is_left_as_it_is() {
    let Some((world, radicale)) = wired() else { return };
    let guests = ["ORGANIZER:mailto:boss@elsewhere.example", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@test.tld"];
    let saved = radicale.put(E1, &with_teams("e1", "Their planning", &guests));
    assert_eq!(saved.status, 201);
    assert!(saved.header("etag").is_some(), "nothing was changed");
    radicale.told();
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    assert!(!radicale.stored(E1).contains("CONFERENCE"));
}

#[test]
fn a_copy_of_an_event_under_another_uid_gets_a_meeting_of_its_own() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put(E1, &with_teams("e1", "Planning", &[]));
    let first = radicale.holds_link(&world, E1, "e1");
    world.sim.clear_requests();
    let copied = radicale.get(E1).text.replace("UID:e1", "UID:e2");
    assert_eq!(radicale.put("/alice/work/e2.ics", &copied).status, 201);
    let second = radicale.holds_link(&world, "/alice/work/e2.ics", "e2");
    assert_ne!(first, second);
    assert!(!radicale.stored("/alice/work/e2.ics").contains(&first));
    assert_eq!(world.graph_methods(), ["POST"]);
    assert_eq!(world.in_teams().len(), 2);
}

#[test]
fn what_asks_for_nothing_costs_nothing() {
    let Some((world, radicale)) = wired() else { return };
    let saved = radicale.put(E1, &event::meeting("e1", "Dentist", &[]));
    assert!(saved.header("etag").is_some());
    let task = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:t1\r\nDTSTAMP:20291201T080000Z\r\n\
                SUMMARY:Buy milk\r\nX-TEAMS-MEETING:TRUE\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
    assert_eq!(radicale.put("/alice/work/t1.ics", task).status, 201);
    let book = "<?xml version=\"1.0\"?><mkcol xmlns=\"DAV:\"><set><prop><resourcetype><collection/>\
                <C:addressbook xmlns:C=\"urn:ietf:params:xml:ns:carddav\"/></resourcetype></prop></set></mkcol>";
    assert_eq!(radicale.request("MKCOL", "/alice/people/", "alice", &[], book).status, 201);
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c1\r\nFN:Bob\r\nN:;Bob;;;\r\nEND:VCARD\r\n";
    for kind in ["text/vcard", "application/octet-stream"] {
        let put = radicale.request("PUT", "/alice/people/c1.vcf", "alice", &[("content-type", kind)], card);
        assert!(matches!(put.status, 201 | 204), "{}", put.text);
        assert!(put.header("etag").is_some());
    }
    assert_eq!(radicale.delete("/alice/people/c1.vcf").status, 200);
    radicale.told();
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    assert!(!radicale.stored(E1).contains("CONFERENCE"));
}

#[test]
fn a_series_and_its_exceptions_are_one_resource() {
    let Some((world, radicale)) = wired() else { return };
    let series = with_teams("e1", "Weekly", &["RRULE:FREQ=WEEKLY;COUNT=4"]);
    let exception = event::at(
        "e1",
        "Moved",
        "20300121T150000",
        "20300121T160000",
        &["RECURRENCE-ID;TZID=Europe/Vienna:20300121T100000"],
    );
    let begin = exception.find("BEGIN:VEVENT").unwrap();
    let text = series.replace("END:VCALENDAR\r\n", &exception[begin..]);
    assert_eq!(radicale.put(E1, &text).status, 201);
    radicale.told();
    let stored = radicale.stored(E1);
    assert_eq!(stored.matches("BEGIN:VEVENT").count(), 2, "{stored}");
    assert_eq!(world.hook.event(crate::world::ALICE, "e1").unwrap().json["objects"][0], E1);
    assert_eq!(radicale.delete(E1).status, 200);
    assert!(until(SOON, || world.hook.event(crate::world::ALICE, "e1").unwrap().status == 204), "{}", radicale.log());
}

/// Radicale ends a text at a comma that is not escaped. Teams shows what is stored, not what was sent.
#[test]
fn what_radicale_reads_in_its_own_way_is_mirrored_as_it_is_stored() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put(E1, &with_teams("e1", "Planning, at last", &[]));
    radicale.holds_link(&world, E1, "e1");
    let stored = radicale.stored(E1);
    let subject = stored.lines().find_map(|line| line.strip_prefix("SUMMARY:")).unwrap().to_owned();
    assert_ne!(subject, "Planning, at last");
    assert!(until(SOON, || world.in_teams()[0]["subject"] == subject.as_str()), "{:#?}", world.in_teams());
    radicale.told();
}

/// Radicale writes texts in a form of its own. What it makes of a text with our lines, less our lines, is what it makes of the
/// text without them.
#[test]
fn outside_our_lines_the_stored_text_is_what_radicale_alone_would_have_stored() {
    let Some((world, radicale)) = wired() else { return };
    let plain = crate::radicale::Setup { with_adapter: false, ..crate::radicale::Setup::default() };
    let Some(alone) = Radicale::set_up(&world, plain) else { return };
    alone.calendar("/alice/work/", "alice");
    let lines = [
        "DESCRIPTION:Agenda: budget\\, staff\\; a long line that has to be folded because it is longer than seventy-five octets",
        "LOCATION:Raum 4\\, Straße 5",
        "URL:https://example.org/a?b=c;d",
        "X-ODD;X-P=\"a;b:c\":va\\nl\\,ue",
        "ATTACH;FMTTYPE=text/plain:https://example.org/notes.txt",
        "CATEGORIES:One,Two",
        "ORGANIZER;CN=Alice:mailto:alice@test.tld",
        "ATTENDEE;CN=\"Bob; B.\";PARTSTAT=NEEDS-ACTION:mailto:bob@elsewhere.example",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        "DESCRIPTION:Reminder",
        "END:VALARM",
    ];
    let text = with_teams("e1", "Planung für Öffentliches", &lines);
    assert_eq!(radicale.put(E1, &text).status, 201);
    let link = radicale.holds_link(&world, E1, "e1");
    assert_eq!(alone.put(E1, &text).status, 201);
    let ours: Vec<&str> = vec!["CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL"];
    let theirs = event::unfolded_only(&alone.get(E1).text);
    let with = event::unfolded_only(&radicale.get(E1).text);
    let mut kept = String::new();
    for line in with.split_inclusive("\r\n") {
        if ours.iter().any(|name| line.starts_with(name)) {
            assert!(line.contains(&link), "{line}");
        } else if let Some(begin) = line.find("\\n\\n____").filter(|_| line.starts_with("DESCRIPTION:Agenda")) {
            kept.push_str(&line[..begin]);
            kept.push_str("\r\n");
        } else {
            kept.push_str(line);
        }
    }
    assert_eq!(kept, theirs);
}
