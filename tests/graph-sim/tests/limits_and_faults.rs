//! Throttling, batches and faults (graph-facts A6; reliability-facts F12 to F21).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use common::{ALICE, BOB, Graph, event, id, start};
use graph_sim::{Fault, FaultBody, FaultKind, Service};
use serde_json::{Value, json};

// A6, checklist 8: more than four at once.
#[test]
fn a_fifth_request_at_once_is_throttled() {
    let sim = start();
    let graphs: Vec<Graph<'_>> = (0..5).map(|_| Graph::of(&sim, ALICE)).collect();
    let other = Graph::of(&sim, BOB);
    sim.fault(Fault::new(FaultKind::Delay).delay(1_500).for_user(ALICE).always());
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let calls: Vec<_> = graphs.iter().map(|graph| scope.spawn(|| graph.get("/me/calendar"))).collect();
        // Another mailbox is not affected, and not held up by the delays.
        let began = Instant::now();
        other.get("/me/calendar").expect(200);
        assert!(began.elapsed() < Duration::from_millis(1_000));
        calls
            .into_iter()
            .map(|call| {
                let reply = call.join().unwrap();
                if reply.status == 429 {
                    assert_eq!(reply.code(), "ApplicationThrottled");
                    assert!(reply.header("retry-after").is_some());
                }
                reply.status
            })
            .collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 1, "{statuses:?}");
    assert_eq!(sim.violations()[0].rule, "concurrency");
    assert_eq!(sim.requests().iter().map(|r| r.in_flight).max(), Some(5));
}

// A6: so many in ten minutes, throttled ones included.
#[test]
fn ten_minutes_have_a_limit() {
    let sim = start();
    sim.switches(|s| {
        s.requests_per_ten_minutes = 3;
        s.retry_after_enforced = false;
    });
    let graph = Graph::of(&sim, ALICE);
    for _ in 0..3 {
        graph.get("/me/calendar").expect(200);
    }
    let refused = graph.get("/me/calendar").expect(429);
    assert_eq!(refused.code(), "TooManyRequests");
    assert_eq!(refused.json()["error"]["innerError"]["code"], "429");
    Graph::of(&sim, BOB).get("/me/calendar").expect(200);
    sim.advance(TimeDelta::minutes(11));
    graph.get("/me/calendar").expect(200);
}

// A6, checklist 7: fractional, absent, date and garbage; coming back early is noticed.
#[test]
fn retry_after_is_sent_as_told_and_watched() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    sim.fault(Fault::throttled("2.128"));
    let reply = graph.get("/me/calendar").expect(429);
    assert_eq!(reply.header("retry-after"), Some("2.128"));
    graph.get("/me/calendar").expect(429);
    assert_eq!(sim.violations().len(), 1);
    assert_eq!(sim.violations()[0].rule, "retry_after");
    sim.advance(TimeDelta::seconds(3));
    graph.get("/me/calendar").expect(200);
    // What names no moment opens no window.
    for text in ["soon", "-1"] {
        sim.fault(Fault::status(503).retry_after(text));
        assert_eq!(graph.get("/me/calendar").expect(503).header("retry-after"), Some(text));
        graph.get("/me/calendar").expect(200);
    }
    sim.fault(Fault::status(429));
    assert!(graph.get("/me/calendar").expect(429).header("retry-after").is_none());
    graph.get("/me/calendar").expect(200);
    assert_eq!(sim.violations().len(), 1);
    // A date does; with the switch off, coming early is noticed and answered.
    sim.switches(|s| s.retry_after_enforced = false);
    sim.fault(Fault::status(503).retry_after("Wed, 21 Oct 2099 07:28:00 GMT"));
    graph.get("/me/calendar").expect(503);
    graph.get("/me/calendar").expect(200);
    assert_eq!(sim.violations().len(), 2);
}

// Checklist 7: the answer dropped after the commit, the case that makes duplicates.
#[test]
fn a_connection_is_cut_after_or_before_the_work() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let body = event(&json!({"transactionId": "t1"}));
    sim.fault(Fault::new(FaultKind::DropBefore).on_graph("POST", "/events"));
    assert!(graph.try_call("POST", "/me/events", &[], Some(&body)).is_err());
    assert_eq!(sim.events(ALICE).len(), 0);
    sim.fault(Fault::new(FaultKind::DropAfter).on_graph("POST", "/events"));
    assert!(graph.try_call("POST", "/me/events", &[], Some(&body)).is_err());
    assert_eq!(sim.events(ALICE).len(), 1);
    let again = graph.post("/me/events", &body).expect(201).json();
    assert_eq!(again["id"], sim.events(ALICE)[0]["id"]);
    assert_eq!(sim.events(ALICE).len(), 1);
    let statuses: Vec<Option<u16>> = sim.requests().iter().map(|r| r.status).collect();
    assert_eq!(statuses, [None, None, Some(201)]);
    // The same with an error for an answer.
    sim.fault(Fault::status(504).after_commit().on_graph("DELETE", "/events"));
    let path = format!("/me/events/{}", id(&again));
    graph.call("DELETE", &path, &[], None).expect(504);
    graph.call("DELETE", &path, &[], None).expect(404);
}

// F14: bodies of every kind.
#[test]
fn errors_have_any_body() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let fault = |status, body| {
        sim.fault(Fault::new(FaultKind::Status { status, body, code: None, message: None, retry_after: None }));
        graph.get("/me/calendar")
    };
    for status in [400, 403, 404, 409, 413, 415, 500, 502, 503, 504, 507] {
        let reply = fault(status, FaultBody::Json).expect(status);
        assert!(!reply.code().is_empty());
        assert!(reply.json()["error"]["innerError"]["request-id"].is_string());
    }
    assert!(fault(502, FaultBody::Html).expect(502).body.starts_with("<html>"));
    assert_eq!(fault(503, FaultBody::Empty).expect(503).body, "");
    let cut = fault(500, FaultBody::Truncated).expect(500);
    assert!(serde_json::from_str::<Value>(&cut.body).is_err() && !cut.body.is_empty());
    sim.fault(Fault::new(FaultKind::ErrorInOk));
    assert!(graph.get("/me/calendar").expect(200).json()["error"].is_object());
    sim.fault(Fault::new(FaultKind::Garbage));
    graph.get("/me/calendar").expect(200);
    sim.fault(Fault::new(FaultKind::EchoAuthorization));
    assert!(graph.get("/me/calendar").expect(400).body.contains(&graph.token));
    sim.fault(Fault::new(FaultKind::ClaimsChallenge));
    assert!(graph.get("/me/calendar").expect(401).header("www-authenticate").unwrap().contains("insufficient_claims"));
    assert_eq!(sim.faults_left(), 0);
}

// F20, F21: slow, huge, mislabelled, redirected.
#[test]
fn answers_misbehave_on_the_wire() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    sim.fault(Fault::new(FaultKind::SlowBody { byte_interval_ms: 1 }));
    assert_eq!(graph.get("/me/calendar").expect(200).json()["name"], "Calendar");
    sim.fault(Fault::new(FaultKind::HugeBody { bytes: 3_000_000 }));
    assert_eq!(graph.get("/me/calendar").expect(200).body.len(), 3_000_000);
    sim.fault(Fault::new(FaultKind::FalseGzip));
    assert_eq!(graph.get("/me/calendar").expect(200).header("content-encoding"), Some("gzip"));
    sim.fault(Fault::new(FaultKind::Redirect { location: "http://169.254.169.254/".to_owned(), status: 307 }));
    assert_eq!(graph.get("/me/calendar").expect(307).header("location"), Some("http://169.254.169.254/"));
}

#[test]
fn faults_wait_their_turn() {
    let sim = start();
    let (alice, bob) = (Graph::of(&sim, ALICE), Graph::of(&sim, BOB));
    let fault = json!({"service": "graph", "user": BOB, "skip": 1, "times": 2, "kind": "status", "status": 500});
    alice.http.json("POST", &format!("{}/sim/faults", sim.base_url()), &fault).expect(200);
    alice.get("/me").expect(200);
    bob.get("/me").expect(200);
    bob.get("/me").expect(500);
    bob.get("/me").expect(500);
    bob.get("/me").expect(200);
    let misspelt = json!({"kind": "status", "status": 500, "retry_afer": "1"});
    let reply = alice.http.json("POST", &format!("{}/sim/faults", sim.base_url()), &misspelt).expect(400);
    assert!(reply.body.contains("retry_afer"));
    assert_eq!(sim.requests_to(Service::Graph).iter().filter(|r| r.fault.is_some()).count(), 2);
}

// A6, checklist 16.
#[test]
fn a_batch_answers_request_by_request() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let create = |id: &str, subject: &str| json!({"id": id, "method": "POST", "url": "/me/events", "headers": {"Content-Type": "application/json"}, "body": event(&json!({"subject": subject}))});
    let batch = |requests: Value| graph.post("/$batch", &json!({"requests": requests}));
    let by_id = |reply: common::Reply, id: &str| {
        let responses = reply.json()["responses"].clone();
        responses.as_array().unwrap().iter().find(|r| r["id"] == id).unwrap().clone()
    };
    let reply = batch(json!([create("1", "a"), create("2", "b"), {"id": "3", "method": "GET", "url": "/me/events"}]))
        .expect(200);
    assert_eq!(by_id(reply, "1")["body"]["subject"], "a");
    assert_eq!(sim.events(ALICE).len(), 2);
    // One is throttled, what depends on it fails, the rest is done.
    sim.fault(Fault::throttled("1.5").on_graph("POST", "/events"));
    let mut second = create("2", "d");
    second["dependsOn"] = json!(["1"]);
    // The outer request is a POST as well, but not of /events.
    let reply = batch(json!([create("1", "c"), second, create("3", "e")])).expect(200).body;
    let reply = || common::Reply { status: 200, headers: Vec::new(), body: reply.clone() };
    assert_eq!(by_id(reply(), "1")["status"], 429);
    assert_eq!(by_id(reply(), "1")["headers"]["Retry-After"], "1.5");
    assert_eq!(by_id(reply(), "2")["status"], 424);
    assert_eq!(by_id(reply(), "3")["status"], 201);
    // Malformed ones fail as a whole.
    let get = |id: &str| json!({"id": id, "method": "GET", "url": "/me"});
    batch(json!((0..21).map(|n| get(&n.to_string())).collect::<Vec<_>>())).expect(400);
    batch(json!([get("1"), get("1")])).expect(400);
    batch(json!([{"id": "1", "method": "GET", "url": format!("{}/v1.0/me", sim.base_url())}])).expect(400);
    batch(json!([{"id": "1", "method": "POST", "url": "/me/events", "body": {}}])).expect(400);
    let nested = json!([{"id": "1", "method": "POST", "url": "/$batch", "headers": {"Content-Type": "application/json"}, "body": {"requests": []}}]);
    assert_eq!(by_id(batch(nested).expect(200), "1")["status"], 400);
    sim.switches(|s| s.batch_throttles_beyond = Some(4));
    let reply = batch(json!((0..6).map(|n| get(&n.to_string())).collect::<Vec<_>>())).expect(200);
    let throttled = reply.json()["responses"].as_array().unwrap().iter().filter(|r| r["status"] == 429).count();
    assert_eq!(throttled, 2);
}
