//! Series: what a pattern means, what is refused (graph-facts A3, checklist 9 and 11).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{ALICE, Graph, event, id, start};
use serde_json::{Value, json};

const BERLIN: &str = "W. Europe Standard Time";

/// A recurrence: a pattern, and a range that starts on the plain event's day and has the members given.
fn series(pattern: Value, range: Value) -> Value {
    let mut whole = json!({"startDate": "2027-03-01"});
    whole.as_object_mut().unwrap().extend(range.as_object().unwrap().clone());
    json!({"recurrence": {"pattern": pattern, "range": whole}})
}

fn weekly() -> Value {
    json!({"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"})
}

fn with(of: Value, changes: Value) -> Value {
    let mut of = of;
    of.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    of
}

fn instances(graph: &Graph<'_>, master: &Value, from: &str, to: &str) -> Vec<Value> {
    let path = format!("/me/events/{}/instances", id(master));
    let query = [("startDateTime", from), ("endDateTime", to), ("$top", "1000")];
    graph.query(&path, &query).expect(200).json()["value"].as_array().unwrap().clone()
}

/// The days (UTC) on which a series takes place.
fn days(graph: &Graph<'_>, master: &Value) -> Vec<String> {
    instances(graph, master, "2027-01-01", "2030-01-01")
        .iter()
        .map(|event| event["start"]["dateTime"].as_str().unwrap()[..10].to_owned())
        .collect()
}

#[test]
fn a_series_answers_with_its_recurrence_and_its_occurrences() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let master = graph.create(&series(weekly(), json!({"type": "numbered", "numberOfOccurrences": 3})));
    assert_eq!(master["type"], "seriesMaster");
    assert_eq!(master["seriesMasterId"], Value::Null);
    assert!(master.get("originalStart").is_none());
    // Zeros and defaults where there is nothing, and the zone of the event.
    assert_eq!(
        master["recurrence"],
        json!({
            "pattern": {
                "type": "weekly", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": ["monday"],
                "firstDayOfWeek": "monday", "index": "first",
            },
            "range": {
                "type": "numbered", "startDate": "2027-03-01", "endDate": "0001-01-01",
                "recurrenceTimeZone": BERLIN, "numberOfOccurrences": 3,
            },
        })
    );
    let found = instances(&graph, &master, "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
    assert_eq!(found.len(), 3);
    for occurrence in &found {
        assert_eq!(occurrence["type"], "occurrence");
        assert_eq!(occurrence["seriesMasterId"], master["id"]);
        assert_eq!(occurrence["recurrence"], Value::Null);
        assert_eq!(occurrence["subject"], "Planning");
        assert_eq!(occurrence["originalStartTimeZone"], BERLIN);
        assert_ne!(occurrence["iCalUId"], master["iCalUId"]);
        let start = occurrence["start"]["dateTime"].as_str().unwrap();
        assert_eq!(occurrence["originalStart"], format!("{}Z", &start[..19]));
        // Each can be read by its id, and it stays the same.
        assert_eq!(
            graph.get(&format!("/me/events/{}", id(occurrence))).expect(200).json()["start"],
            occurrence["start"]
        );
    }
    // The list holds masters and single events, the calendar view occurrences.
    assert_eq!(graph.get("/me/events").json()["value"].as_array().unwrap().len(), 1);
    let view = graph
        .query("/me/calendarView", &[("startDateTime", "2027-03-01"), ("endDateTime", "2027-03-09")])
        .expect(200)
        .json();
    assert_eq!(view["value"], json!([found[0], found[1]]));
}

// "responses to noEnd carry endDate 0001-01-01"
#[test]
fn a_range_without_an_end_says_so() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let range = graph.create(&series(weekly(), json!({"type": "noEnd"})))["recurrence"]["range"].clone();
    assert_eq!(range["endDate"], "0001-01-01");
    assert_eq!(range["numberOfOccurrences"], 0);
    let master = graph.create(&series(weekly(), json!({"type": "endDate", "endDate": "2027-03-15"})));
    assert_eq!(master["recurrence"]["range"]["endDate"], "2027-03-15");
    // The end is a whole day and part of the range.
    assert_eq!(days(&graph, &master), ["2027-03-01", "2027-03-08", "2027-03-15"]);
}

// A3: the table of types, and "any property you include that does not have a supported value results in an error".
#[test]
fn patterns_are_checked_by_the_table() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let end = json!({"type": "noEnd"});
    let refused = |pattern: Value| {
        let reply = graph.post("/me/events", &event(&series(pattern.clone(), end.clone())));
        assert_eq!(reply.status, 400, "{pattern}");
        reply.code()
    };
    let failed = "ErrorPropertyValidationFailure";
    let relative = json!({"type": "relativeYearly", "interval": 1, "daysOfWeek": ["monday"], "month": 3});
    let absolute = json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 1, "month": 3});
    let without = |pattern: &Value, name: &str| {
        let mut pattern = pattern.clone();
        pattern.as_object_mut().unwrap().remove(name).unwrap();
        pattern
    };
    for (pattern, names) in [
        (json!({"type": "daily", "interval": 1}), vec!["type", "interval"]),
        (weekly(), vec!["interval", "daysOfWeek"]),
        (json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 1}), vec!["interval", "dayOfMonth"]),
        (json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday"]}), vec!["interval", "daysOfWeek"]),
        (absolute, vec!["interval", "dayOfMonth", "month"]),
        (relative, vec!["interval", "daysOfWeek", "month"]),
    ] {
        graph.create(&series(pattern.clone(), end.clone()));
        for name in names {
            assert_eq!(refused(without(&pattern, name)), failed, "{pattern} without {name}");
        }
    }
    // Even where the type does not use them.
    for (name, value, code) in [
        ("interval", json!(0), failed),
        ("interval", json!(-1), failed),
        ("interval", json!(1.5), "RequestBodyRead"),
        ("interval", json!(3_000_000_000_u64), "RequestBodyRead"),
        ("dayOfMonth", json!(0), failed),
        ("dayOfMonth", json!(32), failed),
        ("dayOfMonth", json!(-1), failed),
        ("month", json!(0), failed),
        ("month", json!(13), failed),
        ("index", json!("fifth"), "RequestBodyRead"),
        ("firstDayOfWeek", json!("mo"), "RequestBodyRead"),
        ("daysOfWeek", json!(["weekday"]), "RequestBodyRead"),
        ("daysOfWeek", json!([]), failed),
        ("type", json!("hourly"), "RequestBodyRead"),
        ("byHour", json!(1), "RequestBodyRead"),
    ] {
        let mut pattern = weekly();
        pattern[name] = value;
        assert_eq!(refused(pattern.clone()), code, "{pattern}");
    }
}

#[test]
fn ranges_are_checked() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let refused = |range: Value| {
        let reply = graph.post("/me/events", &event(&series(weekly(), range.clone())));
        assert_eq!(reply.status, 400, "{range}");
        reply.code()
    };
    let failed = "ErrorPropertyValidationFailure";
    // startDate must equal the date of the event's start, in its own zone.
    assert_eq!(refused(json!({"type": "noEnd", "startDate": "2027-02-28"})), failed);
    assert_eq!(refused(json!({"type": "noEnd", "startDate": "2027-03-08"})), failed);
    assert_eq!(refused(json!({"type": "noEnd", "startDate": "tomorrow"})), "RequestBodyRead");
    assert_eq!(refused(json!({"type": "endDate"})), failed);
    assert_eq!(refused(json!({"type": "endDate", "endDate": "2027-02-28"})), failed);
    assert_eq!(refused(json!({"type": "numbered"})), failed);
    assert_eq!(refused(json!({"type": "numbered", "numberOfOccurrences": 0})), failed);
    assert_eq!(refused(json!({"type": "noEnd", "numberOfOccurrences": -1})), failed);
    assert_eq!(refused(json!({"type": "forever"})), "RequestBodyRead");
    let odd = refused(json!({"type": "noEnd", "recurrenceTimeZone": "Europe/Madrid"}));
    assert_eq!(odd, "TimeZoneNotSupportedException");
    graph.create(&series(weekly(), json!({"type": "noEnd", "recurrenceTimeZone": BERLIN})));
    // Late in the evening in Tokyo it is still that day there, and another one in UTC.
    let tokyo = json!({
        "start": {"dateTime": "2027-03-01T06:00:00", "timeZone": "Tokyo Standard Time"},
        "end": {"dateTime": "2027-03-01T07:00:00", "timeZone": "Tokyo Standard Time"},
    });
    let master = graph.create(&with(series(weekly(), json!({"type": "numbered", "numberOfOccurrences": 2})), tokyo));
    assert_eq!(days(&graph, &master), ["2027-02-28", "2027-03-07"]);
    let whole = graph.post("/me/events", &event(&json!({"recurrence": {"pattern": weekly()}})));
    assert_eq!(whole.expect(400).code(), failed);
    // A rule without any day.
    let never = json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 20});
    let ended = series(never, json!({"type": "endDate", "endDate": "2027-03-10"}));
    graph.post("/me/events", &event(&ended)).expect(400);
}

// mgd#11359: the order of the members matters.
#[test]
fn the_pattern_comes_before_the_range() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let bearer = format!("Bearer {}", graph.token);
    let send = |recurrence: &str| {
        let body = format!(
            r#"{{"subject":"x","start":{{"dateTime":"2027-03-01T10:00:00","timeZone":"UTC"}},"end":{{"dateTime":"2027-03-01T11:00:00","timeZone":"UTC"}},"recurrence":{{{recurrence}}}}}"#
        );
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        graph.http.send("POST", &graph.url("/me/events"), &headers, Some(body.as_bytes()))
    };
    let pattern = r#""pattern":{"type":"daily","interval":1}"#;
    let range = r#""range":{"type":"noEnd","startDate":"2027-03-01"}"#;
    assert_eq!(send(&format!("{range},{pattern}")).expect(400).code(), "UnableToDeserializePostBody");
    send(&format!("{pattern},{range}")).expect(201);
}

// A3: 29 to 31 and Feb 29 are clamped to the last day, where RFC 5545 leaves the month out.
#[test]
fn days_a_month_does_not_have_are_clamped_or_left_out() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let at = |date: &str| {
        json!({
            "start": {"dateTime": format!("{date}T10:00:00"), "timeZone": "UTC"},
            "end": {"dateTime": format!("{date}T11:00:00"), "timeZone": "UTC"},
        })
    };
    let monthly = json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31});
    let range = json!({"type": "numbered", "numberOfOccurrences": 3, "startDate": "2027-01-31"});
    let last = with(series(monthly, range), at("2027-01-31"));
    let yearly = json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2});
    let range = json!({"type": "numbered", "numberOfOccurrences": 2, "startDate": "2028-02-29"});
    let leap = with(series(yearly, range), at("2028-02-29"));
    assert_eq!(days(&graph, &graph.create(&last)), ["2027-01-31", "2027-02-28", "2027-03-31"]);
    assert_eq!(days(&graph, &graph.create(&leap)), ["2028-02-29", "2029-02-28"]);
    sim.switches(|switches| switches.recurrence_clamps = false);
    assert_eq!(days(&graph, &graph.create(&last)), ["2027-01-31", "2027-03-31", "2027-05-31"]);
    assert_eq!(days(&graph, &graph.create(&leap)), ["2028-02-29"]);
}

// A3: the default of firstDayOfWeek is Sunday, where RFC 5545's is Monday.
#[test]
fn weeks_begin_on_sunday_unless_told() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let mut pattern = json!({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "monday"]});
    let range = json!({"type": "numbered", "numberOfOccurrences": 4});
    // 1 March 2027 is a Monday.
    let days_of = |pattern: &Value| days(&graph, &graph.create(&series(pattern.clone(), range.clone())));
    assert_eq!(days_of(&pattern), ["2027-03-01", "2027-03-14", "2027-03-15", "2027-03-28"]);
    pattern["firstDayOfWeek"] = json!("monday");
    assert_eq!(days_of(&pattern), ["2027-03-01", "2027-03-07", "2027-03-15", "2027-03-21"]);
}

// A3: several days of a relative pattern make one set, of which the index takes one day a month; a start that is off the
// pattern is no occurrence.
#[test]
fn relative_patterns_take_one_day_a_month() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    let range = json!({"type": "numbered", "numberOfOccurrences": 2});
    let days_of = |pattern: Value| days(&graph, &graph.create(&series(pattern, range.clone())));
    let relative = |index: &str, days: &[&str]| json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": days, "index": index});
    assert_eq!(days_of(relative("first", &weekdays)), ["2027-03-01", "2027-04-01"]);
    assert_eq!(days_of(relative("second", &weekdays)), ["2027-03-02", "2027-04-02"]);
    assert_eq!(days_of(relative("last", &weekdays)), ["2027-03-31", "2027-04-30"]);
    assert_eq!(days_of(relative("last", &["saturday", "sunday"])), ["2027-03-28", "2027-04-25"]);
    // `index` is `first` where it is not sent.
    let pattern = json!({"type": "relativeMonthly", "interval": 2, "daysOfWeek": ["thursday"]});
    assert_eq!(days_of(pattern), ["2027-03-04", "2027-05-06"]);
    let yearly =
        json!({"type": "relativeYearly", "interval": 1, "daysOfWeek": ["thursday"], "index": "fourth", "month": 11});
    assert_eq!(days_of(yearly), ["2027-11-25", "2028-11-23"]);
}

// A4: the series keeps its local time over a daylight-saving change, and so does its end.
#[test]
fn occurrences_keep_their_local_time() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let night = json!({
        "start": {"dateTime": "2027-03-26T22:00:00", "timeZone": BERLIN},
        "end": {"dateTime": "2027-03-27T06:00:00", "timeZone": BERLIN},
    });
    let daily = json!({"type": "daily", "interval": 1});
    let range = json!({"type": "numbered", "numberOfOccurrences": 3, "startDate": "2027-03-26"});
    let master = graph.create(&with(series(daily, range), night));
    let found: Vec<String> = instances(&graph, &master, "2027-03-01", "2027-04-01")
        .iter()
        .flat_map(|e| [&e["start"]["dateTime"], &e["end"]["dateTime"]].map(|t| t.as_str().unwrap()[5..16].to_owned()))
        .collect();
    // The clocks go forward in the night of the 28th.
    assert_eq!(found, ["03-26T21:00", "03-27T05:00", "03-27T21:00", "03-28T04:00", "03-28T20:00", "03-29T04:00"]);
}

#[test]
fn all_day_series_are_dates() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let day = json!({
        "isAllDay": true,
        "start": {"dateTime": "2027-03-01T00:00:00", "timeZone": "Tokyo Standard Time"},
        "end": {"dateTime": "2027-03-03T00:00:00", "timeZone": "Tokyo Standard Time"},
    });
    let range = json!({"type": "numbered", "numberOfOccurrences": 2});
    let master = graph.create(&with(series(weekly(), range), day));
    let found = instances(&graph, &master, "2027-03-02T12:00:00Z", "2027-03-09T00:00:00Z");
    let bounds: Vec<&str> = found
        .iter()
        .flat_map(|e| [&e["start"]["dateTime"], &e["end"]["dateTime"]].map(|t| &t.as_str().unwrap()[..16]))
        .collect();
    assert_eq!(bounds, ["2027-03-01T00:00", "2027-03-03T00:00", "2027-03-08T00:00", "2027-03-10T00:00"]);
    assert_eq!(found[0]["originalStart"], "2027-03-01T00:00:00Z");
}

// A1, checklist 2: a transactionId makes one series too.
#[test]
fn a_transaction_id_makes_one_series() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let body = with(series(weekly(), json!({"type": "noEnd"})), json!({"transactionId": "t1"}));
    let (first, second) = (graph.create(&body), graph.create(&body));
    assert_eq!(first["id"], second["id"]);
    assert_eq!(sim.events(ALICE).len(), 1);
    assert_eq!(second["recurrence"], first["recurrence"]);
}

// The window of instances: both bounds, pages of ten, $top, $select.
#[test]
fn instances_come_in_pages() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let daily = json!({"type": "daily", "interval": 1});
    let master = graph.create(&series(daily, json!({"type": "numbered", "numberOfOccurrences": 25})));
    let path = format!("/me/events/{}/instances", id(&master));
    for query in [vec![], vec![("startDateTime", "2027-01-01")], vec![("endDateTime", "2027-01-01")]] {
        assert_eq!(graph.query(&path, &query).expect(400).code(), "ErrorInvalidParameter");
    }
    let window = [("startDateTime", "2027-01-01"), ("endDateTime", "2028-01-01")];
    let (mut next, mut sizes, mut seen) = (None::<String>, Vec::new(), Vec::new());
    loop {
        let page = match &next {
            None => graph.query(&path, &window),
            Some(link) => graph.get(link),
        };
        let page = page.expect(200).json();
        let events = page["value"].as_array().unwrap();
        sizes.push(events.len());
        seen.extend(events.iter().map(|event| id(event).to_owned()));
        match page["@odata.nextLink"].as_str() {
            Some(link) => next = Some(link.to_owned()),
            None => break,
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    let some = [window[0], window[1], ("$top", "3"), ("$select", "start,originalStart")];
    let page = graph.query(&path, &some).expect(200).json();
    assert_eq!(page["value"].as_array().unwrap().len(), 3);
    let mut names: Vec<&String> = page["value"][0].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["@odata.etag", "id", "originalStart", "start"]);
    // The view's window is limited to 1825 days.
    let long = [("startDateTime", "2027-01-01"), ("endDateTime", "2032-01-01")];
    assert_eq!(graph.query("/me/calendarView", &long).expect(400).code(), "ErrorInvalidRequest");
    let view = graph.query("/me/calendarView", &window).expect(200).json();
    assert_eq!(view["value"].as_array().unwrap().len(), 10);
    assert!(view["@odata.nextLink"].is_string());
    let single = graph.create(&json!({}));
    graph.query(&format!("/me/events/{}/instances", id(&single)), &window).expect(400);
}

// What people and tests look at.
#[test]
fn the_calendar_shows_occurrences() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    graph.create(&series(weekly(), json!({"type": "noEnd"})));
    let url =
        format!("{}/sim/mailboxes/{ALICE}/calendar?from=2027-03-01T00:00:00Z&to=2027-03-16T00:00:00Z", sim.base_url());
    let shown = graph.http.get(&url).expect(200).json();
    let starts: Vec<&str> = shown.as_array().unwrap().iter().map(|e| e["start"].as_str().unwrap()).collect();
    assert_eq!(starts, ["2027-03-01T09:00:00.000Z", "2027-03-08T09:00:00.000Z", "2027-03-15T09:00:00.000Z"]);
    assert_eq!(shown[1]["type"], "occurrence");
    assert_eq!(shown[1]["timeZone"], BERLIN);
    let page = graph.http.get(&format!("{}/calendar/{ALICE}?week=2027-03-08", sim.base_url())).expect(200);
    assert!(page.body.contains("10:00 – 11:00"), "{}", page.body);
    assert!(page.body.contains("Planning"));
}
