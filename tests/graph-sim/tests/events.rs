//! Creating, changing and deleting events (graph-facts A1, A2, A4).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use chrono::TimeDelta;
use common::{ALICE, BOB, Graph, event, id, join_url, start, teams};
use graph_sim::{AfterDelete, Fault, FaultKind, OtherBody, TransactionMemory, UpdateMail};
use serde_json::{Value, json};

fn guest(address: &str) -> Value {
    json!({"emailAddress": {"address": address}, "type": "required"})
}

// A1: the response has all of these.
#[test]
fn a_created_event_has_the_whole_shape() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let reply = graph.post("/me/events", &event(&teams())).expect(201);
    assert!(reply.header("request-id").is_some());
    let event = reply.json();
    for name in [
        "@odata.context",
        "@odata.etag",
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "changeKey",
        "categories",
        "transactionId",
        "originalStartTimeZone",
        "originalEndTimeZone",
        "iCalUId",
        "reminderMinutesBeforeStart",
        "isReminderOn",
        "hasAttachments",
        "hideAttendees",
        "subject",
        "bodyPreview",
        "importance",
        "sensitivity",
        "isAllDay",
        "isCancelled",
        "isDraft",
        "isOrganizer",
        "responseRequested",
        "seriesMasterId",
        "showAs",
        "type",
        "webLink",
        "onlineMeetingUrl",
        "isOnlineMeeting",
        "onlineMeetingProvider",
        "allowNewTimeProposals",
        "recurrence",
        "responseStatus",
        "body",
        "start",
        "end",
        "location",
        "locations",
        "attendees",
        "organizer",
        "onlineMeeting",
    ] {
        assert!(event.get(name).is_some(), "{name}");
    }
    assert!(event.get("uid").is_none() && event.get("occurrenceId").is_none());
    assert_eq!(event["@odata.etag"], format!("W/\"{}\"", event["changeKey"].as_str().unwrap()));
    // UTC and seven decimals.
    assert_eq!(event["start"], json!({"dateTime": "2027-03-01T09:00:00.0000000", "timeZone": "UTC"}));
    assert_eq!(event["originalStartTimeZone"], "W. Europe Standard Time");
    assert_eq!(event["onlineMeetingUrl"], Value::Null);
    assert!(event["iCalUId"].as_str().unwrap().starts_with("040000008200E00074C5B7101A82E008"));
    assert_eq!(event["transactionId"], Value::Null);
}

// A1, checklist 2: the same transactionId answers 201 with the same event.
#[test]
fn a_transaction_id_makes_one_event() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let first = graph.create(&json!({"transactionId": "t1"}));
    let second = graph.create(&json!({"transactionId": "t1"}));
    assert_eq!(first["id"], second["id"]);
    assert_eq!(first["transactionId"], "t1");
    assert_eq!(sim.events(ALICE).len(), 1);
    assert_ne!(graph.create(&json!({}))["id"], graph.create(&json!({}))["id"]);
    graph.patch(id(&first), &json!({"transactionId": "t2"})).expect(200);
    assert_eq!(graph.get(&format!("/me/events/{}", id(&first))).json()["transactionId"], "t1");
}

// Checklist 17: how long it is remembered.
#[test]
fn a_transaction_id_can_be_forgotten() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let body = json!({"transactionId": "t1"});
    let first = graph.create(&body);
    sim.switches(|s| s.transaction_memory = TransactionMemory::OneHour);
    sim.advance(TimeDelta::minutes(50));
    assert_eq!(graph.create(&body)["id"], first["id"]);
    sim.advance(TimeDelta::minutes(20));
    let graph = Graph::of(&sim, ALICE);
    assert_ne!(graph.create(&body)["id"], first["id"]);
    sim.switches(|s| s.transaction_memory = TransactionMemory::None);
    let third = graph.create(&body);
    assert_ne!(graph.create(&body)["id"], third["id"]);
}

// Checklist 17: after DELETE, and for another body.
#[test]
fn a_transaction_id_after_delete_and_with_another_body() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let first = graph.create(&json!({"transactionId": "t1"}));
    let other = graph.create(&json!({"transactionId": "t1", "subject": "Other"}));
    assert_eq!((other["id"].clone(), other["subject"].clone()), (first["id"].clone(), json!("Planning")));
    sim.switches(|s| s.transaction_other_body = OtherBody::Refuse);
    graph.post("/me/events", &event(&json!({"transactionId": "t1", "subject": "Other"}))).expect(400);
    graph.call("DELETE", &format!("/me/events/{}", id(&first)), &[], None).expect(204);
    sim.switches(|s| s.transaction_after_delete = AfterDelete::DeadId);
    assert_eq!(graph.create(&json!({"transactionId": "t1"}))["id"], first["id"]);
    assert_eq!(sim.events(ALICE).len(), 0);
    sim.switches(|s| s.transaction_after_delete = AfterDelete::NewEvent);
    assert_ne!(graph.create(&json!({"transactionId": "t1"}))["id"], first["id"]);
    assert_eq!(sim.events(ALICE).len(), 1);
}

// A4, checklist 11.
#[test]
fn time_zones_and_all_day_rules_are_enforced() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let at = |time: &str, zone: &str| json!({"dateTime": time, "timeZone": zone});
    let refused = |changes: Value| graph.post("/me/events", &event(&changes)).expect(400).code();
    let madrid = json!({"start": at("2027-03-01T10:00:00", "Europe/Madrid")});
    assert_eq!(refused(madrid.clone()), "TimeZoneNotSupportedException");
    assert_eq!(refused(json!({"start": at("2027-03-01T10:00:00", "CET")})), "TimeZoneNotSupportedException");
    graph.create(&json!({"start": at("2027-03-01T10:00:00", "Europe/Berlin")}));
    sim.switches(|s| s.any_iana_zone = true);
    graph.create(&madrid);
    let midnight =
        |end: &str| json!({"isAllDay": true, "start": at("2027-03-01T00:00:00", "UTC"), "end": at(end, "UTC")});
    graph.create(&midnight("2027-03-02T00:00:00"));
    assert_eq!(refused(midnight("2027-03-01T00:00:00")), "ErrorInvalidRequest");
    assert_eq!(refused(midnight("2027-03-02T10:00:00")), "ErrorInvalidRequest");
    assert_eq!(refused(json!({"isAllDay": true})), "ErrorInvalidRequest");
    assert_eq!(refused(json!({"end": at("2027-02-01T10:00:00", "UTC")})), "ErrorPropertyValidationFailure");
    assert_eq!(refused(json!({"start": null})), "ErrorPropertyValidationFailure");
    assert_eq!(refused(json!({"start": at("2027-03-01T10:00:00Z", "UTC")})), "ErrorInvalidParameter");
    // All-day events are floating dates, whatever zone is sent.
    let day = graph.create(&json!({
        "isAllDay": true,
        "start": at("2027-05-01T00:00:00", "Tokyo Standard Time"),
        "end": at("2027-05-02T00:00:00", "Tokyo Standard Time"),
    }));
    assert_eq!(day["start"], json!({"dateTime": "2027-05-01T00:00:00.0000000", "timeZone": "UTC"}));
}

#[test]
fn bodies_that_are_wrong_are_refused() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let refused = |changes: Value| graph.post("/me/events", &event(&changes)).expect(400).code();
    assert_eq!(refused(json!({"uid": "mine"})), "RequestBodyRead");
    assert_eq!(refused(json!({"subject": 7})), "RequestBodyRead");
    assert_eq!(refused(json!({"showAs": "asleep"})), "RequestBodyRead");
    assert_eq!(refused(json!({"subject": "x".repeat(256)})), "ErrorPropertyValidationFailure");
    let crowd: Vec<Value> = (0..501).map(|n| guest(&format!("g{n}@x.example"))).collect();
    assert_eq!(refused(json!({"attendees": crowd})), "ErrorInvalidRequest");
    let bearer = format!("Bearer {}", graph.token);
    let send = |kind: &str, body: &[u8]| {
        graph.http.send(
            "POST",
            &graph.url("/me/events"),
            &[("Authorization", &bearer), ("Content-Type", kind)],
            Some(body),
        )
    };
    assert_eq!(send("application/json", b"{\"subject\":").expect(400).code(), "UnableToDeserializePostBody");
    send("text/plain", b"{}").expect(415);
    send("application/json", &vec![b' '; 4 * 1024 * 1024 + 10]).expect(413);
    assert_eq!(sim.events(ALICE).len(), 0);
}

// A1: open extensions with nested objects are a 500.
#[test]
fn nested_extensions_are_an_internal_error() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let extension = |value: Value| json!({"extensions": [{"@odata.type": "microsoft.graph.openTypeExtension", "extensionName": "com.vendor.x", "k": value}]});
    graph.create(&extension(json!("v")));
    graph.post("/me/events", &event(&extension(json!({"a": 1})))).expect(500);
    let found = graph
        .query(
            "/me/events",
            &[
                ("$filter", "Extensions/any(f:f/id eq 'com.vendor.x')"),
                ("$expand", "Extensions($filter=id eq 'com.vendor.x')"),
            ],
        )
        .expect(200)
        .json();
    assert_eq!(found["value"][0]["extensions"][0]["k"], "v");
}

// A2: PATCH answers 200 with the whole event and a new etag; location replaces locations.
#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let old = graph.create(&json!({"location": {"displayName": "Room 1"}, "categories": ["Red"]}));
    let new = graph
        .patch(id(&old), &json!({"subject": "Replanning", "location": {"displayName": "Room 2"}}))
        .expect(200)
        .json();
    assert_ne!(new["changeKey"], old["changeKey"]);
    assert_eq!(new["subject"], "Replanning");
    assert_eq!(new["locations"][0]["displayName"], "Room 2");
    assert_eq!(new["locations"].as_array().unwrap().len(), 1);
    for name in ["id", "iCalUId", "body", "start", "end", "categories", "createdDateTime"] {
        assert_eq!(new[name], old[name], "{name}");
    }
    let cleared = graph.patch(id(&old), &json!({"location": {"displayName": ""}})).expect(200).json();
    assert_eq!(cleared["locations"], json!([]));
}

// A2, checklist 6 and 18.
#[test]
fn a_stale_etag_conflicts() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&json!({}));
    let path = format!("/me/events/{}", id(&event));
    let patch = |etag: &str| graph.call("PATCH", &path, &[("If-Match", etag)], Some(&json!({"subject": "x"})));
    let etag = event["@odata.etag"].as_str().unwrap();
    let after = patch(etag).expect(200).json();
    assert_eq!(patch(etag).expect(412).code(), "ErrorIrresolvableConflict");
    graph.call("DELETE", &path, &[("If-Match", etag)], None).expect(412);
    sim.switches(|s| s.if_match_ignored = true);
    patch(etag).expect(200);
    sim.switches(|s| s.if_match_ignored = false);
    assert_ne!(after["@odata.etag"], event["@odata.etag"]);
    // Returned spuriously, without If-Match.
    sim.fault(Fault::new(FaultKind::Conflict).on_graph("PATCH", "/events/"));
    assert_eq!(graph.patch(id(&event), &json!({"subject": "y"})).expect(412).code(), "ErrorIrresolvableConflict");
    graph.patch(id(&event), &json!({"subject": "y"})).expect(200);
}

// Checklist 18: changeKey moves by itself some seconds after a create.
#[test]
fn the_change_key_can_move_by_itself() {
    let sim = start();
    sim.switches(|s| s.change_key_moves_after_seconds = Some(3));
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&json!({}));
    let path = format!("/me/events/{}", id(&event));
    assert_eq!(graph.get(&path).json()["changeKey"], event["changeKey"]);
    sim.advance(TimeDelta::seconds(4));
    let moved = graph.get(&path).json();
    assert_ne!(moved["changeKey"], event["changeKey"]);
    assert_eq!(graph.get(&path).json()["changeKey"], moved["changeKey"]);
}

// A2, checklist 12.
#[test]
fn deleting_twice_and_cancelling() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&json!({"attendees": [guest(BOB)]}));
    let path = format!("/me/events/{}", id(&event));
    assert_eq!(graph.call("DELETE", &path, &[], None).expect(204).body, "");
    assert_eq!(graph.call("DELETE", &path, &[], None).expect(404).code(), "ErrorItemNotFound");
    let event = graph.create(&json!({"attendees": [guest(BOB)]}));
    // Bob holds a copy, of which he is not the organizer.
    let bob = Graph::of(&sim, BOB);
    let copy = bob.get("/me/events").json()["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["isCancelled"] == false)
        .unwrap()
        .clone();
    let refused = bob.post(&format!("/me/events/{}/cancel", id(&copy)), &json!({})).expect(400);
    assert_eq!(refused.code(), "ErrorInvalidRequest");
    assert!(refused.body.contains("You need to be an organizer to cancel a meeting."));
    graph.post(&format!("/me/events/{}/cancel", id(&event)), &json!({"comment": "Sorry"})).expect(202);
    assert_eq!(sim.mails().last().unwrap().comment.as_deref(), Some("Sorry"));
    assert_eq!(sim.events(ALICE).len(), 0);
    assert_eq!(bob.get(&format!("/me/events/{}", id(&copy))).json()["isCancelled"], true);
}

// A2, checklist 5: who gets mail.
#[test]
fn mails_are_counted_per_attendee() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let mails = || sim.mails().iter().map(|m| format!("{} {}", m.kind, m.to)).collect::<Vec<_>>();
    let quiet = graph.create(&json!({}));
    graph.patch(id(&quiet), &json!({"subject": "x"})).expect(200);
    assert!(mails().is_empty());
    let event = graph.create(&json!({"attendees": [guest("a@x.example"), guest("b@x.example")]}));
    assert_eq!(mails(), ["invitation a@x.example", "invitation b@x.example"]);
    // Attendees only: those who came and those who went.
    graph.patch(id(&event), &json!({"attendees": [guest("b@x.example"), guest("c@x.example")]})).expect(200);
    assert_eq!(mails()[2..], ["invitation c@x.example", "cancellation a@x.example"]);
    graph.patch(id(&event), &json!({"subject": "y"})).expect(200);
    assert_eq!(mails()[4..], ["update b@x.example", "update c@x.example"]);
    // What else triggers mail is undocumented: every PATCH does, unless the switch says otherwise.
    graph.patch(id(&event), &json!({"categories": ["Red"]})).expect(200);
    assert_eq!(mails().len(), 8);
    sim.switches(|s| s.update_mail = UpdateMail::Significant);
    graph.patch(id(&event), &json!({"categories": ["Blue"]})).expect(200);
    assert_eq!(mails().len(), 8);
    graph.call("DELETE", &format!("/me/events/{}", id(&event)), &[], None).expect(204);
    assert_eq!(mails()[8..], ["cancellation b@x.example", "cancellation c@x.example"]);
}

// A2: what somebody who does not organize changes is his own copy.
#[test]
fn a_guest_changes_his_own_copy() {
    let sim = start();
    let (alice, bob) = (Graph::of(&sim, ALICE), Graph::of(&sim, BOB));
    let event = alice.create(&json!({"attendees": [guest(BOB)], "isOnlineMeeting": true}));
    let copy = bob.get("/me/events").json()["value"][0].clone();
    assert_eq!(join_url(&copy), join_url(&event));
    assert_eq!(copy["iCalUId"], event["iCalUId"]);
    let mails = sim.mails().len();
    bob.patch(id(&copy), &json!({"subject": "Mine"})).expect(200);
    assert_eq!(alice.get(&format!("/me/events/{}", id(&event))).json()["subject"], "Planning");
    assert_eq!(sim.mails().len(), mails);
}
