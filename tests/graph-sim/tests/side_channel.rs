//! The side channel, the pages, and Microsoft being down.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{ALICE, Graph, Http, id, start, teams};
use graph_sim::{Simulator, UserKind};
use serde_json::{Value, json};

#[test]
fn microsoft_goes_down_and_comes_back_with_everything() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    graph.create(&json!({}));
    sim.pause().unwrap();
    assert!(graph.try_call("GET", "/me/events", &[], None).is_err());
    assert!(std::net::TcpStream::connect(sim.address()).is_err());
    sim.resume().unwrap();
    assert_eq!(graph.get("/me/events").expect(200).json()["value"].as_array().unwrap().len(), 1);
    let address = sim.address();
    drop(sim);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn it_starts_inside_async_code_as_well() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sim = runtime.block_on(async { Simulator::start(([127, 0, 0, 1], 0).into()).unwrap() });
    Http::default().get(&format!("{}/sim/", sim.base_url())).expect(200);
    let taken = Simulator::start(sim.address());
    assert!(taken.is_err());
    runtime.block_on(async move { sim.stop() });
}

#[test]
fn one_seed_is_one_run() {
    let run = || {
        let sim = start();
        let event = Graph::of(&sim, ALICE).create(&teams());
        (event["id"].clone(), event["onlineMeeting"].clone())
    };
    assert_eq!(run(), run());
}

#[test]
fn everything_is_arranged_by_http_too() {
    let sim = start();
    let http = Http::default();
    let url = |path: &str| format!("{}/sim{path}", sim.base_url());
    http.json("POST", &url("/tenants"), &json!({"domain": "northwind.example"})).expect(201);
    let user = http
        .json("POST", &url("/users"), &json!({"address": "Nora@northwind.example", "kind": "unlicensed"}))
        .expect(201)
        .json();
    assert_eq!(user["address"], "nora@northwind.example");
    http.json("PATCH", &url("/users/nora@northwind.example"), &json!({"kind": "teams", "fresh_seconds": 60}))
        .expect(200);
    assert!(
        http.json("PATCH", &url("/users/nora@northwind.example"), &json!({"knd": "teams"}))
            .expect(400)
            .body
            .contains("knd")
    );
    let wish = json!({"scopes": "openid offline_access Calendars.ReadWrite"});
    let tokens = http.json("POST", &url("/users/nora@northwind.example/tokens"), &wish).expect(200).json();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let calendar = format!("{}/v1.0/me/calendar", sim.base_url());
    let get = || http.send("GET", &calendar, &[("Authorization", &bearer)], None);
    get().expect(404);
    http.json("POST", &url("/clock"), &json!({"advance_seconds": 61})).expect(200);
    get().expect(200);
    http.json("POST", &url("/users/nora@northwind.example/expire-access-tokens"), &json!({})).expect(200);
    get().expect(401);
    let app = http
        .json("POST", &url("/apps"), &json!({"redirect_uris": ["http://127.0.0.1:1/cb"], "secret": "s"}))
        .expect(201)
        .json();
    assert_eq!(app["secrets"][0]["value"], "s");
    let seen = http.get(&url("/requests?service=graph&method=GET")).expect(200).json();
    assert_eq!(seen.as_array().unwrap().len(), 3);
    assert_eq!(seen[1]["user"], "nora@northwind.example");
    assert!(seen[0]["end_tick"].as_u64().unwrap() < seen[1]["start_tick"].as_u64().unwrap());
    let switches = http.json("PATCH", &url("/switches"), &json!({"transaction_memory": "none"})).expect(200).json();
    assert_eq!(switches["transaction_memory"], "none");
    assert!(
        http.json("PATCH", &url("/switches"), &json!({"transaction_memroy": "none"}))
            .expect(400)
            .body
            .contains("transaction_memroy")
    );
    http.send("DELETE", &url("/requests"), &[], None).expect(200);
    assert_eq!(http.get(&url("/requests")).json(), json!([]));
    http.json("POST", &url("/reset"), &json!({})).expect(200);
    assert_eq!(http.get(&url("/state")).expect(200).json()["users"].as_array().unwrap().len(), 9);
    for path in
        ["/state", "/switches", "/faults", "/clock", "/violations", "/mails", "/pages", "/tenants", "/apps", "/users"]
    {
        http.get(&url(path)).expect(200).json();
    }
}

#[test]
fn the_user_edits_and_deletes_in_outlook() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&teams());
    let http = Http::default();
    let url = format!("{}/sim/mailboxes/{ALICE}/events/{}", sim.base_url(), id(&event));
    let edited = http.json("PATCH", &url, &json!({"subject": "By hand"})).expect(200).json();
    assert_ne!(edited["changeKey"], event["changeKey"]);
    assert_eq!(graph.get(&format!("/me/events/{}", id(&event))).json()["subject"], "By hand");
    assert!(edited["meetingBlock"].as_str().unwrap().contains("me-email-text"));
    let calendar =
        http.get(&format!("{}/sim/mailboxes/{ALICE}/calendar?from=2027-03-01T00:00:00Z", sim.base_url())).json();
    assert_eq!(calendar[0]["start"], "2027-03-01T09:00:00.000Z");
    http.send("DELETE", &url, &[], None).expect(200);
    graph.get(&format!("/me/events/{}", id(&event))).expect(404);
    let foreign = json!({"isOrganizer": false, "organizer": {"emailAddress": {"address": "boss@x.example"}},
        "start": event["start"], "end": event["end"], "subject": "Theirs"});
    let foreign =
        http.json("POST", &format!("{}/sim/mailboxes/{ALICE}/events", sim.base_url()), &foreign).expect(201).json();
    assert_eq!(graph.get(&format!("/me/events/{}", id(&foreign))).json()["isOrganizer"], false);
    // None of this is a request of a client.
    assert_eq!(sim.requests().iter().filter(|r| r.path.contains("/sim/")).count(), 0);
}

#[test]
fn the_calendar_page_shows_a_week() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let mut wish = teams();
    wish["subject"] = json!("<b>Planning</b>");
    wish["location"] = json!({"displayName": "Room 7"});
    let event = graph.create(&wish);
    let http = Http::default();
    let page = http.get(&format!("{}/calendar/{ALICE}?week=2027-03-03", sim.base_url())).expect(200).body;
    assert!(page.contains("10:00 – 11:00"));
    assert!(page.contains("Room 7") && page.contains("Agenda") && page.contains(">Join</a>"));
    assert!(!page.contains("<b>Planning</b>"));
    assert!(page.contains(common::join_url(&event).split('?').next().unwrap()));
    assert!(http.get(&format!("{}/", sim.base_url())).expect(200).body.contains(ALICE));
    http.get(&format!("{}/calendar/nobody@x.example", sim.base_url())).expect(404);
    http.get(&format!("{}/elsewhere", sim.base_url())).expect(404);
}

#[test]
fn a_user_changes_kind() {
    let sim = start();
    sim.edit_user("unlicensed@contoso.example", |user| user.kind = UserKind::Teams);
    let event = Graph::of(&sim, "unlicensed@contoso.example").create(&teams());
    assert_ne!(event["onlineMeeting"], Value::Null);
    let http = Http::default();
    let metadata =
        http.get(&format!("{}/common/v2.0/.well-known/openid-configuration", sim.base_url())).expect(200).json();
    assert_eq!(metadata["issuer"], format!("{}/{{tenantid}}/v2.0", sim.base_url()));
}

#[test]
fn it_goes_down_in_the_middle_of_traffic_as_often_as_wanted() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = graph.try_call("GET", "/me/calendar", &[], None);
            }
        });
        for _ in 0..20 {
            sim.pause().unwrap();
            assert!(std::net::TcpStream::connect(sim.address()).is_err());
            sim.resume().unwrap();
            std::net::TcpStream::connect(sim.address()).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    graph.get("/me/calendar").expect(200);
}
