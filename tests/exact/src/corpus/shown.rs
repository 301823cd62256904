//! What Teams shows of an object, against what recurring-ical-events says of it.

use chrono::{DateTime, TimeDelta, Utc};
use graph_sim::Simulator;
use serde_json::Value;

use super::answer::{list_of, local, text_of};
use crate::runner::MAILBOX;

/// What is wrong with what Teams shows.
pub(super) fn wrong(sim: &Simulator, known: &Value) -> Option<String> {
    if let Some(error) = known.get("error").and_then(Value::as_str) {
        return Some(format!("mirrored, though the oracle cannot read it: {error}"));
    }
    let Some(start) = local(known.get("start").unwrap_or(&Value::Null)) else {
        return Some("mirrored, though the oracle finds no start".to_owned());
    };
    let Some(until) = local(known.get("until").unwrap_or(&Value::Null)) else {
        return Some("mirrored, though the oracle gives no occurrences".to_owned());
    };
    type Key = (String, String, bool, String);
    // Of a time that comes twice there are two instants.
    type Wanted = (Vec<String>, Vec<String>, bool, String);
    let wanted: Vec<Wanted> = list_of(known, "occurrences")
        .iter()
        .filter_map(|one| {
            let at = |n: usize| -> Option<Vec<String>> {
                let times = one.get(n)?.as_array()?.iter();
                Some(times.filter_map(|at| Some(at.as_str()?.parse::<DateTime<Utc>>().ok()?.to_string())).collect())
            };
            let all_day = one.get(2)?.as_bool()?;
            Some((at(0)?, at(1)?, all_day, subject(one.get(3)?.as_str()?)))
        })
        .collect();
    let is = |one: &Wanted, row: &Key| {
        one.0.contains(&row.0) && one.1.contains(&row.1) && (one.2, &one.3) == (row.2, &row.3)
    };
    let begin = known.get("begin").and_then(local).unwrap_or(start);
    let (from, to) = (begin - TimeDelta::days(2), until + TimeDelta::days(3));
    let mut shown: Vec<Key> = sim
        .calendar(MAILBOX, from.and_utc(), to.and_utc())
        .iter()
        .filter_map(|row| {
            let at = |name: &str| text_of(row, name).parse::<DateTime<Utc>>().ok();
            let all_day = row.get("isAllDay").and_then(Value::as_bool)?;
            Some((at("start")?.to_string(), at("end")?.to_string(), all_day, subject(text_of(row, "subject"))))
        })
        .collect();
    shown.sort();
    // The window of the oracle ends by the event's own clock, that of the simulator a little later.
    let last = until.and_utc().to_string();
    let missing: Vec<&Wanted> = wanted.iter().filter(|one| !shown.iter().any(|row| is(one, row))).collect();
    let extra: Vec<&Key> = shown.iter().filter(|row| !wanted.iter().any(|one| is(one, row)) && row.0 < last).collect();
    if missing.is_empty() && extra.is_empty() {
        return None;
    }
    Some(format!(
        "of {} missing {}: {:?}; too much {}: {:?}",
        wanted.len(),
        missing.len(),
        missing.iter().take(2).collect::<Vec<_>>(),
        extra.len(),
        extra.iter().take(2).collect::<Vec<_>>()
    ))
}

/// A subject as far as it can be compared: what is left of any title in Teams, without control characters and the
/// backslashes of escapes that are none, white space once.
fn subject(text: &str) -> String {
    let clean: String =
        text.trim().chars().filter(|c| *c != '\\').take(240).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    words.join(" ")
}
