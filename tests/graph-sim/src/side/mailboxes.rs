//! Mailboxes as they are, and what their owners do to them in Outlook.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clock::plain_instant;
use crate::directory::User;
use crate::front::Shared;
use crate::graph::error::{GraphError, Result, item_not_found};
use crate::graph::filter::instant;
use crate::graph::mailbox::Event;
use crate::graph::prefer::Prefer;
use crate::graph::render::Shape;
use crate::side::{bad, ok, reply, unknown};
use crate::world::World;

/// An event as Graph would answer it, and with it what Graph shows only on request or not at all.
fn raw(event: &Event) -> Value {
    let mut value = event.render(&Prefer::default(), &Shape::default());
    if let Some(members) = value.as_object_mut() {
        let extended: Vec<Value> = event.extended.iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
        members.insert("singleValueExtendedProperties".into(), Value::Array(extended));
        members.insert("extensions".into(), json!(event.extensions));
        members.insert("immutableId".into(), json!(event.immutable_id));
        members.insert("joinUrl".into(), json!(event.meeting.as_ref().map(|meeting| &meeting.join_url)));
        members.insert("meetingBlock".into(), json!(event.meeting.as_ref().map(|meeting| &meeting.block)));
        members.insert("startUtc".into(), json!(plain_instant(event.span().0)));
        members.insert("endUtc".into(), json!(plain_instant(event.span().1)));
        let exceptions: Vec<Value> = event.exceptions().iter().map(raw).collect();
        members.insert("exceptionOccurrences".into(), Value::Array(exceptions));
        let deleted: Vec<String> =
            event.series.iter().flat_map(|series| &series.deleted).map(ToString::to_string).collect();
        members.insert("deletedDays".into(), json!(deleted));
        members.insert("startLocal".into(), json!(event.start.local.to_string()));
        members.insert("endLocal".into(), json!(event.end.local.to_string()));
    }
    value
}

/// All events of a mailbox, oldest creation first.
pub(crate) fn raw_events(world: &World, address: &str) -> Vec<Value> {
    let mut events: Vec<&Event> =
        world.mailboxes.get(&address.to_lowercase()).map(|m| m.events.values().collect()).unwrap_or_default();
    events.sort_by_key(|event| event.created);
    events.into_iter().map(raw).collect()
}

fn owner(world: &World, address: &str) -> Result<User> {
    world.users.get(&address.to_lowercase()).cloned().ok_or_else(item_not_found)
}

fn resolve(world: &World, owner: &User, id: &str) -> Result<String> {
    world.mailboxes.get(&owner.address).and_then(|mailbox| mailbox.resolve(id, true)).ok_or_else(item_not_found)
}

pub(crate) fn edit(world: &mut World, address: &str, id: &str, change: &Map<String, Value>) -> Result<Value> {
    let owner = owner(world, address)?;
    let id = resolve(world, &owner, id)?;
    world.patch_event(&owner, &id, change, None).map(|event| raw(&event))
}

pub(crate) fn delete(world: &mut World, address: &str, id: &str) -> Result<()> {
    let owner = owner(world, address)?;
    let id = resolve(world, &owner, id)?;
    world.delete_event(&owner, &id, None)
}

fn refused(error: &GraphError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    reply(status, &json!({"error": error.message, "code": error.code}))
}

pub(crate) async fn list(State(shared): State<Shared>, Path(address): Path<String>) -> Response {
    let world = shared.lock();
    if !world.mailboxes.contains_key(&address.to_lowercase()) {
        return unknown("mailbox", &address);
    }
    ok(&json!(raw_events(&world, &address)))
}

/// Puts an event into a mailbox: Graph's members, and `isOrganizer` and `organizer` are obeyed.
pub(crate) async fn add(
    State(shared): State<Shared>,
    Path(address): Path<String>,
    Json(object): Json<Map<String, Value>>,
) -> Response {
    let mut world = shared.lock();
    let created = owner(&world, &address).and_then(|owner| world.create_event(&owner, &object));
    let event = match created {
        Ok(event) => event,
        Err(error) => return refused(&error),
    };
    let mailbox = world.mailboxes.get_mut(&address.to_lowercase());
    let Some(kept) = mailbox.and_then(|mailbox| mailbox.events.get_mut(&event.id)) else {
        return unknown("event", &event.id);
    };
    kept.is_organizer = object.get("isOrganizer").and_then(Value::as_bool).unwrap_or(true);
    if let Some(organizer) = object.get("organizer").and_then(|o| o.pointer("/emailAddress/address")) {
        let text = organizer.as_str().unwrap_or_default().to_owned();
        kept.organizer = (text.clone(), text);
    }
    reply(StatusCode::CREATED, &raw(kept))
}

pub(crate) async fn show(State(shared): State<Shared>, Path((address, id)): Path<(String, String)>) -> Response {
    let mut world = shared.lock();
    let found = owner(&world, &address)
        .and_then(|owner| resolve(&world, &owner, &id).map(|id| (owner, id)))
        .and_then(|(owner, id)| world.fetch_event(&owner, &id));
    match found {
        Ok(event) => ok(&raw(&event)),
        Err(error) => refused(&error),
    }
}

pub(crate) async fn change(
    State(shared): State<Shared>,
    Path((address, id)): Path<(String, String)>,
    Json(change): Json<Map<String, Value>>,
) -> Response {
    match edit(&mut shared.lock(), &address, &id, &change) {
        Ok(event) => ok(&event),
        Err(error) => refused(&error),
    }
}

pub(crate) async fn remove(State(shared): State<Shared>, Path((address, id)): Path<(String, String)>) -> Response {
    match delete(&mut shared.lock(), &address, &id) {
        Ok(()) => ok(&json!({"removed": id})),
        Err(error) => refused(&error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    from: Option<String>,
    to: Option<String>,
}

/// A mailbox's calendar in order of time.
pub(crate) async fn calendar(
    State(shared): State<Shared>,
    Path(address): Path<String>,
    Query(window): Query<Window>,
) -> Response {
    let bound = |text: Option<&str>| match text {
        None => Ok(None),
        Some(text) => {
            instant(text).map(Some).ok_or_else(|| format!("`{text}` is no moment; write 2026-11-22T10:00:00Z"))
        }
    };
    let (from, to) = match (bound(window.from.as_deref()), bound(window.to.as_deref())) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(error), _) | (_, Err(error)) => return bad(error),
    };
    let world = shared.lock();
    if !world.mailboxes.contains_key(&address.to_lowercase()) {
        return unknown("mailbox", &address);
    }
    // A series without an end has no last occurrence to show: five years, as in a calendar view.
    let from = from.unwrap_or(DateTime::UNIX_EPOCH);
    let to = to.unwrap_or_else(|| world.now().max(from) + TimeDelta::days(1_825));
    ok(&json!(expanded(&world, &address, from, to)))
}

/// What a mailbox's calendar shows in a window, in order of time: single events, and the occurrences of series.
pub(crate) fn expanded(world: &World, address: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Value> {
    let mailbox = world.mailboxes.get(&address.to_lowercase());
    let shown = mailbox.map(|mailbox| mailbox.window(from, to)).unwrap_or_default();
    let row = |event: &Event| {
        json!({
            "id": event.id,
            "type": event.kind(),
            "seriesMasterId": event.place.as_ref().map(|place| &place.master),
            "originalStart": event.place.as_ref().map(|place| plain_instant(place.original_start)),
            "subject": event.subject(),
            "location": event.plain.get("location").and_then(|place| place.get("displayName")),
            "start": plain_instant(event.span().0),
            "end": plain_instant(event.span().1),
            "startLocal": event.start.local.to_string(),
            "endLocal": event.end.local.to_string(),
            "timeZone": event.start.zone,
            "isAllDay": event.is_all_day,
            "isCancelled": event.is_cancelled,
            "joinUrl": event.meeting.as_ref().map(|meeting| &meeting.join_url),
        })
    };
    shown.iter().map(row).collect()
}
