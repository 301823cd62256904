//! The event resources: one event, lists, and the calendar view.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Call, member};
use crate::directory::User;
use crate::graph::error::{Result, invalid, item_not_found, not_modelled};
use crate::graph::filter::{Filter, instant};
use crate::graph::mailbox::Event;
use crate::graph::prefer::Prefer;
use crate::graph::render::Shape;
use crate::switches::IdResolution;
use crate::world::World;

const PAGE: usize = 10;
const LARGEST_PAGE: usize = 1_000;

/// The JSON object a POST or PATCH must carry.
pub(crate) fn body_object(call: &Call) -> Result<Map<String, Value>> {
    let kind = call.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if !kind.starts_with("application/json") {
        let error = super::error::usual(415);
        return Err(super::error::GraphError {
            message: format!("A valid Content-Type header with `application/json` is required, not `{kind}`."),
            ..error
        });
    }
    match serde_json::from_slice(&call.body) {
        Ok(Value::Object(object)) if !range_comes_first(&call.body) => Ok(object),
        _ => Err(invalid("UnableToDeserializePostBody", "were unable to deserialize ")),
    }
}

/// Graph reads `recurrence` as a stream: a `range` before its `pattern` it cannot read (mgd#11359).
fn range_comes_first(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Body {
        recurrence: Option<Names>,
    }
    struct Names(Vec<String>);
    impl<'de> Deserialize<'de> for Names {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
            deserializer.deserialize_map(Self(Vec::new()))
        }
    }
    impl<'de> Visitor<'de> for Names {
        type Value = Self;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> std::result::Result<Self, A::Error> {
            while let Some((name, IgnoredAny)) = map.next_entry()? {
                self.0.push(name);
            }
            Ok(self)
        }
    }
    let names = serde_json::from_slice::<Body>(body).ok().and_then(|body| body.recurrence);
    let place = |name: &str| names.as_ref().and_then(|names| names.0.iter().position(|own| own == name));
    matches!((place("range"), place("pattern")), (Some(range), Some(pattern)) if range < pattern)
}

pub(crate) fn create(world: &mut World, call: &Call, owner: &User) -> Result<Answer> {
    let prefer = Prefer::read(call, world.switches.any_iana_zone)?;
    let object = body_object(call)?;
    let event = world.create_event(owner, &object)?;
    Ok(one(call, owner, 201, &event, &prefer, &Shape::default()))
}

pub(crate) fn item(world: &mut World, call: &Call, owner: &User, id: &str) -> Result<Answer> {
    let prefer = Prefer::read(call, world.switches.any_iana_zone)?;
    let id = resolve(world, owner, id, &prefer)?;
    let if_match = call.header("if-match");
    match call.method.as_str() {
        "GET" => {
            let shape = Shape::read(&call.query_pairs())?;
            let event = world.fetch_event(owner, &id)?;
            Ok(one(call, owner, 200, &event, &prefer, &shape))
        }
        "PATCH" => {
            let object = body_object(call)?;
            let event = world.patch_event(owner, &id, &object, if_match)?;
            Ok(one(call, owner, 200, &event, &prefer, &Shape::default()))
        }
        "DELETE" => {
            let event = world.fetch_event(owner, &id)?;
            world.check_etag(&event, if_match)?;
            world.delete_event(owner, &id, None)?;
            Ok(Answer::empty(204))
        }
        _ => Err(method_not_allowed()),
    }
}

pub(crate) fn action(world: &mut World, call: &Call, owner: &User, id: &str, action: &str) -> Result<Answer> {
    let prefer = Prefer::read(call, world.switches.any_iana_zone)?;
    let id = resolve(world, owner, id, &prefer)?;
    if action != "cancel" {
        return Err(not_modelled(&format!("the event's `{action}`")));
    }
    if call.method != "POST" {
        return Err(method_not_allowed());
    }
    let comment = if call.body.is_empty() {
        None
    } else {
        let object = body_object(call)?;
        let comment = object.iter().find(|(name, _)| name.eq_ignore_ascii_case("comment"));
        comment.and_then(|(_, value)| value.as_str().map(str::to_owned))
    };
    world.cancel_event(owner, &id, comment)?;
    Ok(Answer::empty(202))
}

/// Ids are case-sensitive; an immutable one belongs to requests that say so.
pub(crate) fn resolve(world: &World, owner: &User, id: &str, prefer: &Prefer) -> Result<String> {
    let immutable = prefer.immutable_ids || world.switches.id_resolution == IdResolution::Either;
    world.mailboxes.get(&owner.address).and_then(|mailbox| mailbox.resolve(id, immutable)).ok_or_else(item_not_found)
}

pub(crate) fn method_not_allowed() -> super::error::GraphError {
    super::error::GraphError::new(
        405,
        "Request_BadRequest",
        "Specified HTTP method is not allowed for the request target.",
    )
}

fn one(call: &Call, owner: &User, status: u16, event: &Event, prefer: &Prefer, shape: &Shape) -> Answer {
    let mut value = event.render(prefer, shape);
    let select = shape.select.as_ref().map(|names| format!("({})", names.join(","))).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        let context = format!("{}/v1.0/$metadata#users('{}')/events{select}/$entity", call.base, owner.graph_id());
        members.insert("@odata.context".into(), json!(context));
    }
    let answer = Answer::json(status, &value).with("ETag", &event.etag());
    let answer = if status == 201 {
        let id = if prefer.immutable_ids { &event.immutable_id } else { &event.id };
        answer.with("Location", &format!("{}/v1.0/users('{}')/events('{id}')", call.base, owner.graph_id()))
    } else {
        answer
    };
    prefer.acknowledge(answer)
}

/// GET …/events
pub(crate) fn list(world: &mut World, call: &Call, owner: &User) -> Result<Answer> {
    let query = call.query_pairs();
    let filter = find(&query, "$filter").map(Filter::read).transpose()?;
    settle(world, owner);
    let mut events = held(world, owner);
    if let Some(filter) = filter {
        events.retain(|event| filter.matches(event));
    }
    events.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    order(&mut events, find(&query, "$orderby"))?;
    page(world, call, owner, &query, &events, Shape::read(&query)?)
}

/// GET …/calendarView
pub(crate) fn calendar_view(world: &mut World, call: &Call, owner: &User) -> Result<Answer> {
    let query = call.query_pairs();
    let (from, to) = bounds(&query)?;
    if (to - from).num_days() > 1_825 {
        return Err(invalid("ErrorInvalidRequest", "The requested time window is longer than 1825 days."));
    }
    settle(world, owner);
    let shown = world.mailboxes.get(&owner.address).map(|mailbox| mailbox.window(from, to)).unwrap_or_default();
    let mut events: Vec<&Event> = shown.iter().collect();
    order(&mut events, find(&query, "$orderby"))?;
    let shape = Shape { calendar_view: true, ..Shape::read(&query)? };
    page(world, call, owner, &query, &events, shape)
}

/// GET …/events/{id}/instances: occurrences and exceptions in a window, deleted ones not among them.
pub(crate) fn instances(world: &mut World, call: &Call, owner: &User, id: &str) -> Result<Answer> {
    if call.method != "GET" {
        return Err(method_not_allowed());
    }
    let prefer = Prefer::read(call, world.switches.any_iana_zone)?;
    let id = resolve(world, owner, id, &prefer)?;
    let query = call.query_pairs();
    let (from, to) = bounds(&query)?;
    let master = world.fetch_event(owner, &id)?;
    if master.series.is_none() {
        return Err(invalid("ErrorInvalidRequest", "The event is not the master of a series."));
    }
    let shown = master.occurrences(from, to);
    let mut events: Vec<&Event> = shown.iter().collect();
    order(&mut events, find(&query, "$orderby"))?;
    page(world, call, owner, &query, &events, Shape::read(&query)?)
}

/// `startDateTime` and `endDateTime`, both of which a window needs.
fn bounds(query: &[(String, String)]) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let bound = |name: &str| {
        let text = find(query, name).ok_or_else(|| {
            invalid(
                "ErrorInvalidParameter",
                "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.",
            )
        })?;
        instant(text)
            .ok_or_else(|| invalid("ErrorInvalidParameter", format!("The value '{text}' of {name} is not valid.")))
    };
    let (from, to) = (bound("startDateTime")?, bound("endDateTime")?);
    if to < from {
        return Err(invalid("ErrorInvalidParameter", "The end of the time window lies before its start."));
    }
    Ok((from, to))
}

/// Moves the change keys whose time has come.
fn settle(world: &mut World, owner: &User) {
    let now = world.now();
    let World { mailboxes, rng, .. } = world;
    let events = mailboxes.get_mut(&owner.address).into_iter().flat_map(|mailbox| mailbox.events.values_mut());
    for event in events {
        event.settle(now, rng);
    }
}

fn held<'a>(world: &'a World, owner: &User) -> Vec<&'a Event> {
    world.mailboxes.get(&owner.address).map(|mailbox| mailbox.events.values().collect()).unwrap_or_default()
}

/// A query option by name; Graph takes them in any case.
fn find<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(key, _)| key.as_str())
        .and_then(|key| member(query, key))
}

fn order(events: &mut [&Event], by: Option<&str>) -> Result<()> {
    let Some(by) = by else { return Ok(()) };
    let (property, direction) = by.split_once(' ').unwrap_or((by, "asc"));
    match property.to_ascii_lowercase().as_str() {
        "start/datetime" => events.sort_by_key(|event| event.start.utc),
        "end/datetime" => events.sort_by_key(|event| event.end.utc),
        "createddatetime" => events.sort_by_key(|event| event.created),
        "lastmodifieddatetime" => events.sort_by_key(|event| event.modified),
        "subject" => events.sort_by_key(|event| event.subject().to_lowercase()),
        _ => return Err(not_modelled(&format!("$orderby={by}"))),
    }
    if direction.trim().eq_ignore_ascii_case("desc") {
        events.reverse();
    }
    Ok(())
}

fn page(
    world: &World,
    call: &Call,
    owner: &User,
    query: &[(String, String)],
    events: &[&Event],
    shape: Shape,
) -> Result<Answer> {
    let prefer = Prefer::read(call, world.switches.any_iana_zone)?;
    let number = |name: &str| {
        find(query, name)
            .map(|text| {
                text.parse::<usize>()
                    .map_err(|_| invalid("ErrorInvalidUrlQuery", format!("'{text}' is no number for {name}.")))
            })
            .transpose()
    };
    let size = number("$top")?.unwrap_or(PAGE).min(LARGEST_PAGE);
    if size == 0 {
        return Err(invalid("ErrorInvalidUrlQuery", "$top must be positive."));
    }
    let skip = number("$skip")?.unwrap_or(0);
    const KNOWN: &[&str] =
        &["$select", "$filter", "$expand", "$top", "$skip", "$orderby", "$count", "startdatetime", "enddatetime"];
    if let Some((name, _)) = query.iter().find(|(name, _)| !KNOWN.contains(&name.to_ascii_lowercase().as_str())) {
        return Err(not_modelled(&format!("the query option `{name}`")));
    }
    let value: Vec<Value> = events.iter().skip(skip).take(size).map(|event| event.render(&prefer, &shape)).collect();
    let mut body = Map::new();
    let what = if shape.calendar_view { "calendarView" } else { "events" };
    let context = format!("{}/v1.0/$metadata#users('{}')/{what}", call.base, owner.graph_id());
    body.insert("@odata.context".into(), json!(context));
    if find(query, "$count").is_some_and(|flag| flag.eq_ignore_ascii_case("true")) {
        body.insert("@odata.count".into(), json!(events.len()));
    }
    if skip + size < events.len() {
        let mut next = url::form_urlencoded::Serializer::new(String::new());
        for (name, text) in query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("$skip")) {
            next.append_pair(name, text);
        }
        next.append_pair("$skip", &(skip + size).to_string());
        body.insert("@odata.nextLink".into(), json!(format!("{}{}?{}", call.base, call.path, next.finish())));
    }
    body.insert("value".into(), Value::Array(value));
    Ok(prefer.acknowledge(Answer::json(200, &Value::Object(body))))
}
