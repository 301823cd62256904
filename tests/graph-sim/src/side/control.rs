//! Switches, faults, clock, and what was seen.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::plain_instant;
use crate::faults::{Fault, Service};
use crate::front::Shared;
use crate::side::{bad, ok};

pub(crate) async fn state(State(shared): State<Shared>) -> Response {
    let world = shared.lock();
    let traffic: Vec<Value> = world
        .traffic
        .iter()
        .map(|((app, mailbox), traffic)| {
            json!({
                "app": app,
                "mailbox": mailbox,
                "in_flight": traffic.in_flight,
                "most_in_flight": traffic.most_in_flight,
                "requests_in_ten_minutes": traffic.arrivals.len(),
                "retry_until": traffic.retry_until.map(plain_instant),
            })
        })
        .collect();
    let mailboxes: serde_json::Map<String, Value> =
        world.mailboxes.iter().map(|(address, mailbox)| (address.clone(), json!(mailbox.events.len()))).collect();
    ok(&json!({
        "seed": world.seed,
        "now": plain_instant(world.now()),
        "advanced_seconds": world.clock.advanced_seconds(),
        "tenants": world.tenants,
        "apps": world.apps.values().collect::<Vec<_>>(),
        "users": world.users.values().collect::<Vec<_>>(),
        "events": mailboxes,
        "traffic": traffic,
        "requests": world.next_order,
        "mails": world.mails.len(),
        "violations": world.violations.len(),
        "pages_shown": world.pages.len(),
        "faults_left": world.faults.len(),
        "access_tokens": world.access_tokens.len(),
        "refresh_tokens": world.refresh_tokens.len(),
    }))
}

pub(crate) async fn reset(State(shared): State<Shared>) -> Response {
    shared.lock().reset();
    ok(&json!({"reset": true}))
}

pub(crate) async fn switches(State(shared): State<Shared>) -> Response {
    ok(&json!(shared.lock().switches))
}

pub(crate) async fn change_switches(State(shared): State<Shared>, Json(changes): Json<Value>) -> Response {
    let mut world = shared.lock();
    match world.switches.patched(&changes) {
        Ok(switches) => {
            world.switches = switches;
            ok(&json!(world.switches))
        }
        Err(error) => bad(error),
    }
}

pub(crate) async fn faults(State(shared): State<Shared>) -> Response {
    ok(&json!(shared.lock().faults))
}

pub(crate) async fn add_faults(State(shared): State<Shared>, Json(value): Json<Value>) -> Response {
    let list = match value {
        Value::Array(list) => list,
        one => vec![one],
    };
    match list.into_iter().map(Fault::from_json).collect::<Result<Vec<_>, _>>() {
        Ok(faults) => {
            let mut world = shared.lock();
            world.faults.extend(faults);
            ok(&json!(world.faults))
        }
        Err(error) => bad(error),
    }
}

pub(crate) async fn clear_faults(State(shared): State<Shared>) -> Response {
    shared.lock().faults.clear();
    ok(&json!([]))
}

pub(crate) async fn clock(State(shared): State<Shared>) -> Response {
    let world = shared.lock();
    ok(&json!({"now": plain_instant(world.now()), "advanced_seconds": world.clock.advanced_seconds()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Advance {
    advance_seconds: f64,
}

pub(crate) async fn advance(State(shared): State<Shared>, Json(by): Json<Advance>) -> Response {
    shared.lock().clock.advance(TimeDelta::milliseconds((by.advance_seconds * 1_000.0) as i64));
    clock(State(shared)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestFilter {
    service: Option<Service>,
    method: Option<String>,
    path_contains: Option<String>,
    after: Option<u64>,
}

pub(crate) async fn requests(State(shared): State<Shared>, Query(filter): Query<RequestFilter>) -> Response {
    let world = shared.lock();
    let found: Vec<_> = world
        .requests
        .iter()
        .filter(|r| filter.service.is_none_or(|service| r.service == service))
        .filter(|r| filter.method.as_ref().is_none_or(|method| r.method.eq_ignore_ascii_case(method)))
        .filter(|r| filter.path_contains.as_ref().is_none_or(|part| r.path.contains(part)))
        .filter(|r| filter.after.is_none_or(|order| r.order > order))
        .collect();
    ok(&json!(found))
}

pub(crate) async fn clear_requests(State(shared): State<Shared>) -> Response {
    shared.lock().requests.clear();
    ok(&json!([]))
}

pub(crate) async fn violations(State(shared): State<Shared>) -> Response {
    ok(&json!(shared.lock().violations))
}

pub(crate) async fn mails(State(shared): State<Shared>) -> Response {
    ok(&json!(shared.lock().mails))
}

pub(crate) async fn clear_mails(State(shared): State<Shared>) -> Response {
    shared.lock().mails.clear();
    ok(&json!([]))
}

pub(crate) async fn pages(State(shared): State<Shared>) -> Response {
    ok(&json!(shared.lock().pages))
}
