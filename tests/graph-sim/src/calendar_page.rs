//! A mailbox's calendar as a page, week by week, as the Teams calendar would list it.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::front::Shared;
use crate::graph::mailbox::Event;
use crate::html;
use crate::zones;

#[derive(Template)]
#[template(path = "index.html")]
struct Index {
    base: String,
    rows: Vec<Row>,
}

struct Row {
    address: String,
    kind: String,
    events: usize,
}

#[derive(Template)]
#[template(path = "calendar.html")]
struct Calendar {
    name: String,
    address: String,
    zone: String,
    title: String,
    previous: NaiveDate,
    next: NaiveDate,
    days: Vec<Day>,
    /// Events after the week shown: the week to open, and a line.
    later: Vec<(NaiveDate, String)>,
}

struct Day {
    name: String,
    today: bool,
    events: Vec<Entry>,
}

struct Entry {
    time: String,
    subject: String,
    location: String,
    people: String,
    preview: String,
    join: Option<String>,
    cancelled: bool,
}

#[derive(Deserialize)]
pub(crate) struct Week {
    week: Option<NaiveDate>,
}

pub(crate) async fn index(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1").to_owned();
    let world = shared.lock();
    let rows = world
        .users
        .values()
        .map(|user| Row {
            address: user.address.clone(),
            kind: serde_json::to_value(user.kind)
                .ok()
                .and_then(|kind| kind.as_str().map(|kind| kind.replace('_', " ")))
                .unwrap_or_default(),
            events: world.mailboxes.get(&user.address).map_or(0, |mailbox| mailbox.events.len()),
        })
        .collect();
    drop(world);
    page(&Index { base: format!("http://{host}"), rows })
}

pub(crate) async fn show(
    State(shared): State<Shared>,
    Path(address): Path<String>,
    Query(week): Query<Week>,
) -> Response {
    let world = shared.lock();
    let Some(user) = world.users.get(&address.to_lowercase()).cloned() else {
        return crate::side::unknown("mailbox", &address);
    };
    let zone = zones::find(&user.time_zone, true).unwrap_or(Tz::UTC);
    let today = world.now().with_timezone(&zone).date_naive();
    let monday = monday(week.week.unwrap_or(today));
    // A zone's day begins at most a day before or after UTC's, and a year ahead is far enough to look for what comes later.
    let (from, to) = (midnight(monday) - TimeDelta::days(1), midnight(monday) + TimeDelta::days(370));
    let events = world.mailboxes.get(&user.address).map(|m| m.window(from, to)).unwrap_or_default();
    drop(world);
    let days = (0..7)
        .filter_map(|n| monday.checked_add_days(Days::new(n)))
        .map(|date| Day {
            name: date.format("%a %-d %b").to_string(),
            today: date == today,
            events: events.iter().filter(|event| falls_on(event, date, zone)).map(|event| entry(event, zone)).collect(),
        })
        .collect();
    let end = monday.checked_add_days(Days::new(7)).unwrap_or(monday);
    let later = events
        .iter()
        .filter(|event| bounds(event, zone).0.date() >= end)
        .take(5)
        .map(|event| {
            let date = bounds(event, zone).0.date();
            (date, format!("{} {}", date.format("%-d %b %Y"), event.subject()))
        })
        .collect();
    let sunday = end.checked_sub_days(Days::new(1)).unwrap_or(end);
    page(&Calendar {
        name: user.display_name,
        address: user.address,
        zone: user.time_zone,
        title: format!("{} – {}", monday.format("%-d %b"), sunday.format("%-d %b %Y")),
        previous: monday.checked_sub_days(Days::new(7)).unwrap_or(monday),
        next: end,
        days,
        later,
    })
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}

fn monday(date: NaiveDate) -> NaiveDate {
    date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday()))).unwrap_or(date)
}

/// Start and end as the wall clock of a zone shows them; all-day events are dates.
fn bounds(event: &Event, zone: Tz) -> (NaiveDateTime, NaiveDateTime) {
    if event.is_all_day {
        (event.start.local, event.end.local)
    } else {
        (event.start.utc.with_timezone(&zone).naive_local(), event.end.utc.with_timezone(&zone).naive_local())
    }
}

fn falls_on(event: &Event, date: NaiveDate, zone: Tz) -> bool {
    let (start, end) = bounds(event, zone);
    let midnight = date.and_time(chrono::NaiveTime::MIN);
    start.date() == date || start < midnight && end > midnight
}

fn entry(event: &Event, zone: Tz) -> Entry {
    let (start, end) = bounds(event, zone);
    let time = if event.is_all_day {
        "All day".to_owned()
    } else if start.date() == end.date() {
        format!("{} – {}", start.format("%H:%M"), end.format("%H:%M"))
    } else {
        format!("{} – {}", start.format("%-d %b %H:%M"), end.format("%-d %b %H:%M"))
    };
    let location = event.plain.get("location").and_then(|place| place.get("displayName"));
    // The block would only repeat what the button does.
    let own = event.meeting.as_ref().map_or_else(|| event.body.clone(), |m| event.body.replace(&m.block, ""));
    Entry {
        time,
        subject: event.subject().to_owned(),
        location: location.and_then(|name| name.as_str()).unwrap_or_default().to_owned(),
        people: event.attendees().join(", "),
        preview: html::to_text(&own).chars().take(400).collect(),
        join: event.meeting.as_ref().map(|meeting| meeting.join_url.clone()),
        cancelled: event.is_cancelled,
    }
}

fn page(template: &impl Template) -> Response {
    let (status, text) = match template.render() {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
