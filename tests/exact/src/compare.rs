//! What the simulator shows against what the oracle says.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use graph_sim::Simulator;
use serde_json::Value;

use crate::case::Case;
use crate::oracle::{self, Occurrence};

/// A row of the simulated calendar.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Start.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
    /// Start by the clock of its own zone.
    pub local: String,
    /// Whether it is all day.
    pub all_day: bool,
    /// What it is called.
    pub subject: String,
    /// Graph's `type`.
    pub kind: String,
    /// Its zone's name at Microsoft.
    pub zone: String,
    /// Where it has a meeting of its own.
    pub join_url: Option<String>,
}

/// The rows of a mailbox in an event's window.
#[must_use]
pub fn rows(sim: &Simulator, mailbox: &str, case: &Case) -> Vec<Row> {
    let (from, to) = oracle::window(case);
    let day = TimeDelta::days(2);
    let shown = sim.calendar(mailbox, (from - day).and_utc(), (to + day).and_utc());
    let mut rows: Vec<Row> = shown.iter().filter_map(row).collect();
    rows.retain(|row| {
        let local = own_clock(case, row.start);
        local >= from && local < to
    });
    rows.sort();
    rows
}

/// An instant by the event's own clock.
fn own_clock(case: &Case, at: DateTime<Utc>) -> NaiveDateTime {
    if case.all_day { at.naive_utc() } else { at.with_timezone(&case.zone.meaning()).naive_local() }
}

fn row(value: &Value) -> Option<Row> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Row {
        start: text("start").parse().ok()?,
        end: text("end").parse().ok()?,
        local: text("startLocal"),
        all_day: value.get("isAllDay").and_then(Value::as_bool).unwrap_or_default(),
        subject: text("subject"),
        kind: text("type"),
        zone: text("timeZone"),
        join_url: Some(text("joinUrl")).filter(|url| !url.is_empty()),
    })
}

/// Compares; gives what is missing, what is too much, and what is in another zone.
///
/// # Errors
/// With a description of the differences, a few of each kind.
pub fn compare(case: &Case, expected: &[Occurrence], rows: &[Row], since: DateTime<Utc>) -> Result<(), String> {
    let mut left: Vec<&Row> = rows.iter().filter(|row| row.start >= since).collect();
    let mut missing = Vec::new();
    let mut elsewhere = Vec::new();
    for wanted in expected.iter().filter(|wanted| wanted.starts.iter().all(|start| *start >= since)) {
        let at = left.iter().position(|row| {
            wanted.starts.contains(&row.start)
                && wanted.ends.contains(&row.end)
                && row.subject == wanted.subject
                && row.all_day == case.all_day
        });
        match at {
            None => missing.push(format!(
                "{} ({}) to {} {:?}",
                wanted.local,
                wanted.starts.first().map(ToString::to_string).unwrap_or_default(),
                wanted.ends.first().map(ToString::to_string).unwrap_or_default(),
                wanted.subject
            )),
            Some(at) => {
                let row = left.remove(at);
                // The same wall clock, so that a later change of the zone's rules means the same to both calendars. A time
                // that the clocks skip is written otherwise, and one that comes twice may be told as its first instant
                // (RFC 5545 §3.3.5).
                let skipped = own_clock(case, row.start) != wanted.local;
                let first_of_two = wanted.starts.len() > 1 && wanted.starts.iter().min() == Some(&row.start);
                if !skipped && !first_of_two && row.local != wanted.local.to_string() {
                    elsewhere.push(format!("{} is {} in {}", wanted.local, row.local, row.zone));
                }
            }
        }
    }
    let extra: Vec<String> =
        left.iter().map(|row| format!("{} to {} {:?} ({})", row.start, row.end, row.subject, row.kind)).collect();
    let mut lines = Vec::new();
    for (what, list) in [("missing", &missing), ("too much", &extra), ("in another zone", &elsewhere)] {
        if !list.is_empty() {
            let shown: Vec<&str> = list.iter().take(3).map(String::as_str).collect();
            lines.push(format!("{what} ({} of {}): {}", list.len(), expected.len(), shown.join("; ")));
        }
    }
    if lines.is_empty() { Ok(()) } else { Err(lines.join("\n")) }
}

/// One join link for all: whatever has a meeting has the same one, and what has none names it in its text or its location.
///
/// # Errors
/// With what is wrong.
pub fn one_link(sim: &Simulator, mailbox: &str, link: &str) -> Result<(), String> {
    let events = sim.events(mailbox);
    let mut owners = 0;
    for event in &events {
        let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let own = text("/joinUrl");
        if own == link {
            owners += 1;
        } else if !own.is_empty() {
            return Err(format!("a second meeting: {own} beside {link}"));
        } else {
            let body = text("/body/content").replace("&amp;", "&");
            if !body.contains(link) {
                return Err(format!("a piece of the event does not carry the link {link} in its text: {body}"));
            }
        }
    }
    if owners == 1 || events.is_empty() {
        Ok(())
    } else {
        Err(format!("{owners} of {} events own the meeting", events.len()))
    }
}
