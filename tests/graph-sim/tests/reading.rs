//! Finding and reading: filters, expand, paging, Prefer, ids, scopes, kinds of mailbox (graph-facts A1, A4, A6).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use chrono::TimeDelta;
use common::{ALICE, BOB, Graph, event, id, start};
use graph_sim::{IdResolution, TimeZoneAnswer};
use serde_json::{Value, json};

const TAG: &str = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name mirror-id";

fn tagged(value: &str) -> Value {
    json!({"singleValueExtendedProperties": [{"id": TAG, "value": value}]})
}

fn by_tag(id: &str, value: &str) -> String {
    format!("singleValueExtendedProperties/Any(ep: ep/id eq '{id}' and ep/value eq '{value}')")
}

// A1, checklist 17: name with case, value without.
#[test]
fn events_are_found_by_their_extended_property() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&tagged("Abc'1"));
    graph.create(&tagged("other"));
    let found = |filter: &str| {
        graph.query("/me/events", &[("$filter", filter)]).expect(200).json()["value"].as_array().unwrap().clone()
    };
    assert_eq!(found(&by_tag(TAG, "aBC''1")).len(), 1);
    assert_eq!(found(&by_tag(TAG, "aBC''1"))[0]["id"], event["id"]);
    assert_eq!(found(&by_tag(&TAG.replace("mirror-id", "Mirror-Id"), "Abc''1")).len(), 0);
    assert_eq!(found(&by_tag(&TAG.replace("66f5", "66F5"), "Abc''1")).len(), 1);
    assert_eq!(found(&by_tag(TAG, "nothing")).len(), 0);
    // The answer does not show the property unless it is asked for.
    assert!(event.get("singleValueExtendedProperties").is_none());
    let expand = format!("singleValueExtendedProperties($filter=id eq '{TAG}')");
    let one = graph.query(&format!("/me/events/{}", id(&event)), &[("$expand", &expand)]).expect(200).json();
    assert_eq!(one["singleValueExtendedProperties"], json!([{"id": TAG, "value": "Abc'1"}]));
    graph.patch(id(&event), &tagged("changed")).expect(200);
    assert_eq!(found(&by_tag(TAG, "changed")).len(), 1);
    assert_eq!(sim.events(ALICE)[0]["singleValueExtendedProperties"][0]["value"], "changed");
}

// A1 (mgd#6757, mgd#6247).
#[test]
fn filters_that_outlook_does_not_know_are_refused() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&json!({}));
    let filter = |text: &str| graph.query("/me/events", &[("$filter", text)]);
    let refused = filter("id eq 'x'").expect(400);
    assert_eq!(refused.code(), "ErrorInvalidProperty");
    assert!(refused.body.contains("The property 'Id' does not support filtering"));
    assert_eq!(filter("transactionId eq 'x'").expect(400).code(), "ErrorInvalidProperty");
    assert_eq!(filter(&by_tag("mirror-id", "x")).expect(400).code(), "ErrorInvalidProperty");
    filter("subject eq").expect(400);
    let uid = event["iCalUId"].as_str().unwrap();
    assert_eq!(filter(&format!("iCalUId eq '{uid}'")).expect(200).json()["value"][0]["id"], event["id"]);
    assert_eq!(filter("uid eq 'x'").expect(400).code(), "ErrorInvalidProperty");
    graph.query("/me/events", &[("$select", "uid")]).expect(400);
    let wrong = json!({"singleValueExtendedProperties": [{"id": "mirror-id", "value": "x"}]});
    assert_eq!(graph.post("/me/events", &common::event(&wrong)).expect(400).code(), "ErrorInvalidProperty");
}

#[test]
fn lists_come_in_pages_of_ten() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    for n in 0..23 {
        graph.create(&json!({"subject": format!("n{n}")}));
    }
    let mut seen = Vec::new();
    let mut next = Some("/me/events?%24select=subject".to_owned());
    let mut pages = 0;
    while let Some(path) = next {
        let page = graph.get(&path).expect(200).json();
        pages += 1;
        seen.extend(page["value"].as_array().unwrap().iter().map(|e| e["subject"].as_str().unwrap().to_owned()));
        assert!(page["value"][0].get("body").is_none());
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    seen.sort();
    seen.dedup();
    assert_eq!((pages, seen.len()), (3, 23));
    assert_eq!(graph.query("/me/events", &[("$top", "20")]).json()["value"].as_array().unwrap().len(), 20);
}

// A3, A4: the calendar view's window; all-day events matched as midnights of UTC.
#[test]
fn a_calendar_view_has_a_window() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    graph.create(&json!({}));
    graph.create(&json!({
        "isAllDay": true,
        "start": {"dateTime": "2027-03-05T00:00:00", "timeZone": "Tokyo Standard Time"},
        "end": {"dateTime": "2027-03-06T00:00:00", "timeZone": "Tokyo Standard Time"},
    }));
    let view = |from: &str, to: &str| graph.query("/me/calendarView", &[("startDateTime", from), ("endDateTime", to)]);
    let count = |from: &str, to: &str| view(from, to).expect(200).json()["value"].as_array().unwrap().len();
    assert_eq!(count("2027-03-01T00:00:00Z", "2027-03-02T00:00:00Z"), 1);
    assert_eq!(count("2027-03-01T10:00:00Z", "2027-03-02T00:00:00Z"), 0);
    assert_eq!(count("2027-03-05T23:00:00Z", "2027-03-05T23:30:00Z"), 1);
    assert_eq!(count("2027-03-04T15:00:00Z", "2027-03-05T00:00:00Z"), 0);
    assert_eq!(view("2027-01-01T00:00:00Z", "2033-01-01T00:00:00Z").expect(400).code(), "ErrorInvalidRequest");
    graph.get("/me/calendarView").expect(400);
}

// A1: Prefer is granted request by request, and acknowledged.
#[test]
fn preferences_are_applied_and_acknowledged() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&json!({}));
    let path = format!("/me/events/{}", id(&event));
    let prefer = "outlook.timezone=\"Pacific Standard Time\", outlook.body-content-type=\"text\"";
    let reply = graph.call("GET", &path, &[("Prefer", prefer)], None).expect(200);
    let applied = reply.header("preference-applied").unwrap();
    assert!(applied.contains("outlook.timezone=\"Pacific Standard Time\"") && applied.contains("text"), "{applied}");
    let shown = reply.json();
    assert_eq!(shown["start"], json!({"dateTime": "2027-03-01T01:00:00.0000000", "timeZone": "Pacific Standard Time"}));
    assert_eq!(shown["body"], json!({"contentType": "text", "content": "Agenda"}));
    let plain = graph.get(&path).expect(200);
    assert!(plain.header("preference-applied").is_none());
    assert_eq!(plain.json()["start"]["timeZone"], "UTC");
    let unknown = graph.call("GET", &path, &[("Prefer", "outlook.timezone=\"Mars\"")], None);
    assert_eq!(unknown.expect(400).code(), "TimeZoneNotSupportedException");
}

// A1, checklist 13.
#[test]
fn immutable_ids_belong_to_requests_that_say_so() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let prefer = [("Prefer", "IdType=\"ImmutableId\"")];
    let event = graph.call("POST", "/me/events", &prefer, Some(&event(&json!({})))).expect(201).json();
    let immutable = id(&event).to_owned();
    assert!((60..80).contains(&immutable.len()));
    let path = format!("/me/events/{immutable}");
    assert_eq!(graph.get(&path).expect(404).code(), "ErrorItemNotFound");
    assert_eq!(graph.call("GET", &path, &prefer, None).expect(200).json()["id"], event["id"]);
    let listed = graph.get("/me/events").json()["value"][0]["id"].as_str().unwrap().to_owned();
    assert!(listed.len() > 140 && listed != immutable);
    graph.get(&format!("/me/events/{}", listed.to_lowercase())).expect(404);
    sim.switches(|s| s.id_resolution = IdResolution::Either);
    graph.get(&path).expect(200);
    let translate = json!({"inputIds": [listed], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"});
    assert_eq!(
        graph.post("/me/translateExchangeIds", &translate).expect(200).json()["value"][0]["targetId"],
        immutable
    );
}

// A6: the 401s, with their challenge.
#[test]
fn tokens_are_checked() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let with = |token: &str| {
        let headers = [("Authorization", token)];
        graph.http.send("GET", &graph.url("/me"), &headers, None).expect(401)
    };
    let message = |reply: &common::Reply| reply.json()["error"]["message"].as_str().unwrap().to_owned();
    let none = graph.http.get(&graph.url("/me")).expect(401);
    assert_eq!(
        (none.code().as_str(), message(&none).as_str()),
        ("InvalidAuthenticationToken", "Access token is empty.")
    );
    assert!(none.header("www-authenticate").unwrap().starts_with("Bearer "));
    assert!(message(&with("Bearer nonsense")).contains("80049217"));
    assert!(message(&with("Bearer a.b.c")).contains("signature"));
    graph.get("/me").expect(200);
    sim.expire_access_tokens(ALICE);
    assert_eq!(message(&graph.get("/me").expect(401)), "Lifetime validation failed, the token is expired.");
    let graph = Graph::of(&sim, ALICE);
    sim.advance(TimeDelta::minutes(91));
    graph.get("/me").expect(401);
}

// A7: only a client that declared cp1 is challenged.
#[test]
fn continuous_access_challenges_those_who_declared_it() {
    let sim = start();
    let http = common::Http::default();
    let claims = "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}";
    let code = http.code(&sim, ALICE, &[("claims", claims)]);
    let body = http.redeem(&sim, &code, &[]).expect(200).json();
    assert!(body["expires_in"].as_u64().unwrap() >= 86_400);
    let plain = Graph::of(&sim, ALICE);
    sim.edit_user(ALICE, |user| user.claims_challenge = true);
    plain.get("/me").expect(200);
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let reply = http.send("GET", &plain.url("/me"), &[("Authorization", &bearer)], None).expect(401);
    let challenge = reply.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"insufficient_claims\"") && challenge.contains("claims=\""), "{challenge}");
}

// A6: 403 for a missing scope, 404 for unknown users, 403 for other mailboxes.
#[test]
fn scopes_and_mailboxes_are_checked() {
    let sim = start();
    let graph = Graph::with(&sim, ALICE, "User.Read Calendars.Read");
    assert_eq!(graph.post("/me/events", &event(&json!({}))).expect(403).code(), "ErrorAccessDenied");
    graph.get("/me/events").expect(200);
    assert_eq!(graph.get("/me/mailboxSettings/timeZone").expect(403).code(), "ErrorAccessDenied");
    assert_eq!(graph.get(&format!("/users/{BOB}/events")).expect(403).code(), "ErrorAccessDenied");
    graph.get(&format!("/users/{ALICE}/events")).expect(200);
    assert_eq!(graph.get("/users/nobody@contoso.example/events").expect(404).code(), "ErrorInvalidUser");
    assert_eq!(Graph::with(&sim, ALICE, "Calendars.Read").get("/me").expect(403).code(), "Authorization_RequestDenied");
    graph.get("/me/nonsense").expect(400);
    assert_eq!(graph.get("/me/onlineMeetings").expect(501).code(), "SimNotModelled");
}

// A4: the value may be plain or in an object.
#[test]
fn the_time_zone_of_the_mailbox() {
    let sim = start();
    let graph = Graph::with(&sim, ALICE, "MailboxSettings.Read");
    assert_eq!(graph.get("/me/mailboxSettings/timeZone").expect(200).json()["value"], "W. Europe Standard Time");
    assert_eq!(graph.get("/me/mailboxSettings").expect(200).json()["timeZone"], "W. Europe Standard Time");
    sim.switches(|s| s.time_zone_answer = TimeZoneAnswer::Plain);
    assert_eq!(graph.get("/me/mailboxSettings/timeZone").expect(200).json(), "W. Europe Standard Time");
    let zones = Graph::of(&sim, ALICE)
        .get("/me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')");
    assert!(zones.expect(200).body.contains("Europe/Berlin"));
}

// A6: no mailbox in Exchange Online; a mailbox that is being made.
#[test]
fn some_users_have_no_mailbox_yet_or_ever() {
    let sim = start();
    let onprem = Graph::of(&sim, "onprem@contoso.example");
    onprem.get("/me").expect(200);
    assert_eq!(onprem.get("/me/calendar").expect(404).code(), "MailboxNotEnabledForRESTAPI");
    onprem.post("/me/events", &event(&json!({}))).expect(404);
    let fresh = Graph::of(&sim, "fresh@contoso.example");
    fresh.get("/me/calendar").expect(404);
    sim.advance(TimeDelta::minutes(16));
    fresh.get("/me/calendar").expect(200);
    let id = Graph::of(&sim, "personal@outlook.example").get("/me").json()["id"].clone();
    assert_eq!(id, "a1b2c3d4e5f60718");
}
