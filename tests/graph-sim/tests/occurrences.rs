//! Single occurrences of a series, and what a change of the series does to them (graph-facts A2, A3, checklist 10, 13).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{ALICE, BOB, Graph, id, join_url, start, teams};
use graph_sim::{RecurrencePatch, Simulator};
use serde_json::{Value, json};

/// Every Monday at ten in Berlin, four times from 1 March 2027.
fn mondays(changes: Value) -> Value {
    let mut body = json!({"recurrence": recurrence("monday", 4)});
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

fn recurrence(day: &str, number: u32) -> Value {
    json!({
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [day], "firstDayOfWeek": "monday"},
        "range": {"type": "numbered", "startDate": "2027-03-01", "numberOfOccurrences": number},
    })
}

fn at(name: &str, time: &str) -> Value {
    json!({ name: {"dateTime": time, "timeZone": "W. Europe Standard Time"} })
}

fn times(start: &str, end: &str) -> Value {
    let mut both = at("start", start);
    both.as_object_mut().unwrap().extend(at("end", end).as_object().unwrap().clone());
    both
}

fn instances(graph: &Graph<'_>, master: &Value) -> Vec<Value> {
    let path = format!("/me/events/{}/instances", id(master));
    let query = [("startDateTime", "2027-01-01"), ("endDateTime", "2028-01-01"), ("$top", "100")];
    graph.query(&path, &query).expect(200).json()["value"].as_array().unwrap().clone()
}

/// Day (UTC), subject and type of each instance.
fn shown(graph: &Graph<'_>, master: &Value) -> Vec<String> {
    instances(graph, master)
        .iter()
        .map(|e| {
            let text = |name: &str| e[name].as_str().unwrap().to_owned();
            format!("{} {} {}", &e["start"]["dateTime"].as_str().unwrap()[5..10], text("subject"), text("type"))
        })
        .collect()
}

fn guest(address: &str) -> Value {
    json!({"emailAddress": {"address": address}, "type": "required"})
}

fn mails(sim: &Simulator) -> Vec<String> {
    sim.mails().iter().map(|m| format!("{} {} {}", m.kind, m.to, m.subject)).collect()
}

#[test]
fn a_changed_occurrence_becomes_an_exception() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&mondays(json!({})));
    let second = instances(&graph, &master)[1].clone();
    let patched = graph.patch(id(&second), &json!({"subject": "Elsewhere"})).expect(200).json();
    assert_eq!(patched["type"], "exception");
    assert_eq!(patched["id"], second["id"]);
    assert_eq!(patched["seriesMasterId"], master["id"]);
    assert_ne!(patched["changeKey"], second["changeKey"]);
    let moved = times("2027-03-09T12:00:00", "2027-03-09T12:30:00");
    let moved = graph.patch(id(&second), &moved).expect(200).json();
    assert_eq!(moved["start"]["dateTime"], "2027-03-09T11:00:00.0000000");
    // Where the pattern has it, in UTC, whatever it was moved to.
    assert_eq!(moved["originalStart"], "2027-03-08T09:00:00Z");
    assert_eq!(
        shown(&graph, &master),
        [
            "03-01 Planning occurrence",
            "03-09 Elsewhere exception",
            "03-15 Planning occurrence",
            "03-22 Planning occurrence"
        ]
    );
    // An occurrence cannot recur.
    graph.patch(id(&second), &json!({"recurrence": recurrence("monday", 2)})).expect(400);
}

#[test]
fn a_deleted_or_cancelled_occurrence_is_gone_for_good() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&mondays(json!({})));
    let found = instances(&graph, &master);
    let path = |n: usize| format!("/me/events/{}", id(&found[n]));
    graph.call("DELETE", &path(1), &[], None).expect(204);
    assert_eq!(graph.call("DELETE", &path(1), &[], None).expect(404).code(), "ErrorItemNotFound");
    graph.get(&path(1)).expect(404);
    graph.patch(id(&found[1]), &json!({"subject": "back"})).expect(404);
    graph.patch(id(&found[2]), &json!({"subject": "x"})).expect(200);
    graph.post(&format!("{}/cancel", path(2)), &json!({})).expect(202);
    assert_eq!(shown(&graph, &master), ["03-01 Planning occurrence", "03-22 Planning occurrence"]);
    // The deleted ones still count.
    assert_eq!(graph.get(&format!("/me/events/{}", id(&master))).json()["recurrence"], master["recurrence"]);
    graph.call("DELETE", &format!("/me/events/{}", id(&master)), &[], None).expect(204);
    graph.get(&path(0)).expect(404);
    assert_eq!(sim.events(ALICE).len(), 0);
}

// Checklist 10: only under $select, and the exceptions only where they are expanded as well.
#[test]
fn what_became_of_occurrences_is_told_to_those_who_ask() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&mondays(json!({})));
    let found = instances(&graph, &master);
    graph.call("DELETE", &format!("/me/events/{}", id(&found[0])), &[], None).expect(204);
    graph.patch(id(&found[2]), &json!({"subject": "x"})).expect(200);
    let path = format!("/me/events/{}", id(&master));
    let ask = |query: &[(&str, &str)]| graph.query(&path, query).expect(200).json();
    let plain = ask(&[]);
    assert!(plain.get("cancelledOccurrences").is_none() && plain.get("exceptionOccurrences").is_none());
    let selected = ask(&[("$select", "subject,cancelledOccurrences,exceptionOccurrences")]);
    assert_eq!(selected["cancelledOccurrences"], json!([format!("OID.{}.2027-03-01", id(&master))]));
    assert!(selected.get("exceptionOccurrences").is_none());
    assert!(ask(&[("$expand", "exceptionOccurrences")]).get("exceptionOccurrences").is_none());
    let both = ask(&[("$select", "exceptionOccurrences"), ("$expand", "exceptionOccurrences")]);
    assert_eq!(both["exceptionOccurrences"].as_array().unwrap().len(), 1);
    assert_eq!(both["exceptionOccurrences"][0]["id"], found[2]["id"]);
    assert_eq!(both["exceptionOccurrences"][0]["originalStart"], "2027-03-15T09:00:00Z");
    let narrow =
        ask(&[("$select", "exceptionOccurrences"), ("$expand", "exceptionOccurrences($select=originalStart)")]);
    assert!(narrow["exceptionOccurrences"][0].get("subject").is_none());
}

// The rule of Microsoft's page event-update: not to or before the day of the previous, nor to or after that of the next.
#[test]
fn an_occurrence_does_not_cross_its_neighbours() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&mondays(json!({})));
    let found = instances(&graph, &master);
    let moved = |n: usize, start: &str, end: &str| graph.patch(id(&found[n]), &times(start, end));
    for (start, end) in [
        ("2027-03-15T08:00:00", "2027-03-15T09:00:00"),
        ("2027-03-16T08:00:00", "2027-03-16T09:00:00"),
        ("2027-03-01T20:00:00", "2027-03-01T21:00:00"),
        ("2027-02-20T08:00:00", "2027-02-20T09:00:00"),
        ("2027-03-14T20:00:00", "2027-03-15T11:00:00"),
    ] {
        let refused = moved(1, start, end).expect(400);
        assert_eq!(refused.code(), "ErrorOccurrenceCrossingBoundary");
        assert!(refused.body.contains("Modified occurrence is crossing or overlapping adjacent occurrence"));
    }
    assert_eq!(shown(&graph, &master)[1], "03-08 Planning occurrence");
    moved(1, "2027-03-14T08:00:00", "2027-03-14T09:00:00").expect(200);
    // The neighbour is where it was moved to.
    moved(2, "2027-03-14T20:00:00", "2027-03-14T21:00:00").expect(400);
    // The last one may go as far as it likes.
    moved(3, "2027-12-01T08:00:00", "2027-12-01T09:00:00").expect(200);
    // Even a deleted neighbour is in the way, unless the switch says otherwise.
    graph.call("DELETE", &format!("/me/events/{}", id(&found[0])), &[], None).expect(204);
    moved(1, "2027-03-01T08:00:00", "2027-03-01T09:00:00").expect(400);
    sim.switches(|switches| switches.deleted_occurrences_bound_moves = false);
    moved(1, "2027-02-20T08:00:00", "2027-02-20T09:00:00").expect(200);
}

#[test]
fn a_change_of_the_series_reaches_what_an_exception_does_not_have_of_its_own() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&mondays(json!({"categories": ["Red"]})));
    let found = instances(&graph, &master);
    graph.patch(id(&found[1]), &json!({"subject": "Mine"})).expect(200);
    graph.patch(id(&master), &json!({"subject": "Ours", "categories": ["Blue"]})).expect(200);
    let after = instances(&graph, &master);
    let of = |n: usize| (after[n]["subject"].as_str().unwrap(), after[n]["categories"][0].as_str().unwrap());
    assert_eq!([of(0), of(1), of(2)], [("Ours", "Blue"), ("Mine", "Blue"), ("Ours", "Blue")]);
    // Ids do not change.
    let ids = |list: &[Value]| list.iter().map(|e| id(e).to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(&found));
}

// A3 [?] (a): exceptions and deletions stay, on the days the new pattern still has.
#[test]
fn a_new_pattern_keeps_them() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = disturbed(&graph);
    let later = with_recurrence(times("2027-03-01T15:00:00", "2027-03-01T16:00:00"), recurrence("monday", 3));
    graph.patch(id(&master), &later).expect(200);
    assert_eq!(shown(&graph, &master), ["03-01 Planning occurrence", "03-15 Changed exception"]);
    assert_eq!(instances(&graph, &master)[1]["start"]["dateTime"], "2027-03-15T14:00:00.0000000");
    // On other days there is nothing left of them.
    graph.patch(id(&master), &json!({"recurrence": recurrence("tuesday", 3)})).expect(200);
    graph.patch(id(&master), &json!({"recurrence": recurrence("monday", 3)})).expect(200);
    assert_eq!(shown(&graph, &master).len(), 3);
    assert!(shown(&graph, &master).iter().all(|line| line.ends_with("Planning occurrence")));
}

// (b): they are gone.
#[test]
fn a_new_pattern_drops_them() {
    let sim = start();
    sim.switches(|switches| switches.recurrence_patch = RecurrencePatch::Drop);
    let graph = Graph::of(&sim, ALICE);
    let master = disturbed(&graph);
    graph.patch(id(&master), &at("start", "2027-03-01T10:15:00")).expect(200);
    assert_eq!(shown(&graph, &master).len(), 4);
    assert!(shown(&graph, &master).iter().all(|line| line.ends_with("Planning occurrence")));
}

// (c): the series is split at now, and the PATCHed id is the part still to come (OfficeDev/ews-managed-api#168).
#[test]
fn a_new_pattern_splits_the_series() {
    let sim = start();
    sim.switches(|switches| switches.recurrence_patch = RecurrencePatch::Split);
    let graph = Graph::of(&sim, ALICE);
    let master = disturbed(&graph);
    // Nothing has begun yet: nothing to split.
    graph.patch(id(&master), &json!({"recurrence": recurrence("monday", 5)})).expect(200);
    assert_eq!(sim.events(ALICE).len(), 1);
    advance_to(&sim, "2027-03-16T00:00:00Z");
    let graph = Graph::of(&sim, ALICE);
    let patched = graph.patch(id(&master), &json!({"recurrence": recurrence("thursday", 5)})).expect(200).json();
    assert_eq!(patched["id"], master["id"]);
    assert_eq!(sim.events(ALICE).len(), 2);
    assert_eq!(
        shown(&graph, &master),
        ["03-18 Planning occurrence", "03-25 Planning occurrence", "04-01 Planning occurrence"]
    );
    let all = sim.calendar(ALICE, instant("2027-01-01T00:00:00Z"), instant("2028-01-01T00:00:00Z"));
    let days: Vec<&str> = all.iter().map(|e| &e["start"].as_str().unwrap()[5..10]).collect();
    assert_eq!(days, ["03-01", "03-15", "03-18", "03-25", "04-01"]);
    assert_eq!(all[1]["subject"], "Changed");
    assert_ne!(all[1]["seriesMasterId"], master["id"]);
}

// The start alone must go on fitting the range.
#[test]
fn the_start_of_a_series_fits_its_range() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&mondays(json!({})));
    let other_day = times("2027-03-02T10:00:00", "2027-03-02T11:00:00");
    assert_eq!(graph.patch(id(&master), &other_day).expect(400).code(), "ErrorPropertyValidationFailure");
    assert_eq!(shown(&graph, &master)[0], "03-01 Planning occurrence");
    // A series becomes a single event, and a single event a series.
    let single = graph.patch(id(&master), &json!({"recurrence": null})).expect(200).json();
    assert_eq!((single["type"].as_str().unwrap(), &single["recurrence"]), ("singleInstance", &Value::Null));
    let again = graph.patch(id(&master), &json!({"recurrence": recurrence("monday", 2)})).expect(200).json();
    assert_eq!(again["type"], "seriesMaster");
    assert_eq!(shown(&graph, &master).len(), 2);
}

// One meeting for the whole series.
#[test]
fn occurrences_show_the_meeting_of_the_series() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&mondays(teams()));
    let link = join_url(&master).to_owned();
    let found = instances(&graph, &master);
    assert!(found.iter().all(|e| join_url(e) == link && e["body"]["content"].as_str().unwrap().contains(&link)));
    // A3 of the calendar view: not unless isOnlineMeeting is selected with it.
    let view = |select: &str| {
        let query = [("startDateTime", "2027-03-01"), ("endDateTime", "2027-03-02"), ("$select", select)];
        graph.query("/me/calendarView", &query).expect(200).json()["value"][0]["onlineMeeting"].clone()
    };
    assert_eq!(view("onlineMeeting"), Value::Null);
    assert_eq!(view("onlineMeeting,isOnlineMeeting")["joinUrl"], link);
    // A new pattern leaves it as it is; a body without the block takes it from that occurrence alone.
    graph.patch(id(&master), &json!({"recurrence": recurrence("monday", 3)})).expect(200);
    let bare = json!({"body": {"contentType": "html", "content": "<p>no block</p>"}});
    let patched = graph.patch(id(&found[1]), &bare).expect(200).json();
    assert_eq!(patched["onlineMeeting"], Value::Null);
    let after = instances(&graph, &master);
    assert_eq!(join_url(&after[0]), link);
    assert_eq!(join_url(&after[2]), link);
}

// Checklist 13, for occurrences.
#[test]
fn occurrences_have_immutable_ids_too() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&mondays(json!({})));
    let immutable = [("Prefer", "IdType=\"ImmutableId\"")];
    let path = format!("/me/events/{}", id(&master));
    let kept = graph.call("GET", &path, &immutable, None).expect(200).json();
    let list = format!("/me/events/{}/instances?startDateTime=2027-01-01&endDateTime=2028-01-01", id(&kept));
    graph.get(&list).expect(404);
    let found = graph.call("GET", &list, &immutable, None).expect(200).json()["value"].as_array().unwrap().clone();
    let plain = instances(&graph, &master);
    assert_ne!(found[1]["id"], plain[1]["id"]);
    assert_eq!(found[1]["seriesMasterId"], kept["id"]);
    let second = format!("/me/events/{}", id(&found[1]));
    graph.get(&second).expect(404);
    let change = json!({"subject": "By immutable id"});
    let patched = graph.call("PATCH", &second, &immutable, Some(&change)).expect(200).json();
    assert_eq!(patched["id"], found[1]["id"]);
    assert_eq!(graph.get(&format!("/me/events/{}", id(&plain[1]))).expect(200).json()["subject"], "By immutable id");
    // Compared with case, and only for days the pattern has.
    graph.call("GET", &second.to_lowercase(), &immutable, None).expect(404);
}

// A2: who gets mail, and how often.
#[test]
fn mails_about_a_series() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&mondays(json!({"attendees": [guest(BOB)]})));
    assert_eq!(mails(&sim), ["invitation bob@contoso.example Planning"]);
    let found = instances(&graph, &master);
    graph.patch(id(&found[1]), &json!({"subject": "Second"})).expect(200);
    assert_eq!(mails(&sim)[1..], ["update bob@contoso.example Second"]);
    graph.patch(id(&found[2]), &json!({"attendees": [guest(BOB), guest("c@x.example")]})).expect(200);
    assert_eq!(mails(&sim)[2..], ["invitation c@x.example Planning"]);
    // The master: one for the series and one for each exception.
    graph.patch(id(&master), &json!({"location": {"displayName": "Room 1"}})).expect(200);
    assert_eq!(
        mails(&sim)[3..],
        [
            "update bob@contoso.example Planning",
            "update bob@contoso.example Second",
            "update bob@contoso.example Planning",
            "update c@x.example Planning",
        ]
    );
    graph.call("DELETE", &format!("/me/events/{}", id(&found[0])), &[], None).expect(204);
    assert_eq!(mails(&sim)[7..], ["cancellation bob@contoso.example Planning"]);
    // Bob's calendar shows the same series.
    let bobs = sim.calendar(BOB, instant("2027-01-01T00:00:00Z"), instant("2028-01-01T00:00:00Z"));
    let subjects: Vec<&str> = bobs.iter().map(|e| e["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["Second", "Planning", "Planning"]);
    let quiet = graph.create(&mondays(json!({})));
    graph.patch(id(&instances(&graph, &quiet)[0]), &json!({"subject": "x"})).expect(200);
    assert_eq!(mails(&sim).len(), 8);
}

// Exceptions are kept in the master's item, so its etag moves with them.
#[test]
fn etags_of_occurrences() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&mondays(json!({})));
    let second = instances(&graph, &master)[1].clone();
    let path = format!("/me/events/{}", id(&second));
    let patch = |etag: &Value| {
        graph.call("PATCH", &path, &[("If-Match", etag.as_str().unwrap())], Some(&json!({"subject": "x"})))
    };
    let patched = patch(&second["@odata.etag"]).expect(200).json();
    assert_eq!(patch(&second["@odata.etag"]).expect(412).code(), "ErrorIrresolvableConflict");
    patch(&patched["@odata.etag"]).expect(200);
    let read = |path: &str| graph.get(path).expect(200).json()["@odata.etag"].clone();
    let own = format!("/me/events/{}", id(&master));
    assert_ne!(read(&own), master["@odata.etag"]);
    sim.switches(|switches| switches.occurrence_change_moves_master = false);
    let before = read(&own);
    graph.call("DELETE", &path, &[], None).expect(204);
    assert_eq!(read(&own), before);
}

/// The second Monday deleted, the third renamed.
fn disturbed(graph: &Graph<'_>) -> Value {
    let master = graph.create(&mondays(json!({})));
    let found = instances(graph, &master);
    graph.call("DELETE", &format!("/me/events/{}", id(&found[1])), &[], None).expect(204);
    graph.patch(id(&found[2]), &json!({"subject": "Changed"})).expect(200);
    master
}

fn with_recurrence(mut body: Value, recurrence: Value) -> Value {
    body["recurrence"] = recurrence;
    body
}

fn instant(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().unwrap()
}

/// Sets the simulator's clock.
fn advance_to(sim: &Simulator, to: &str) {
    let now = Graph::of(sim, ALICE).http.get(&format!("{}/sim/clock", sim.base_url())).json();
    let now = now["now"].as_str().unwrap_or_else(|| panic!("{now}"));
    sim.advance(instant(to) - instant(now));
}
