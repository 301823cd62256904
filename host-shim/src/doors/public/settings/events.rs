//! The last events on the settings page: when, how they stand, why, and what to do.

use chrono::{DateTime, Datelike as _, Timelike as _};
use chrono_tz::Tz;

use crate::mirror::{EventStatus, State};
use crate::words::Words;

/// One event, in words.
pub(super) struct EventLine {
    pub(super) uid: String,
    pub(super) state: &'static str,
    pub(super) when: String,
    pub(super) label: String,
    /// Why it stands so and what to do; then whatever else the user should know of it.
    pub(super) sentences: Vec<String>,
    pub(super) join_url: Option<String>,
    pub(super) web_link: Option<String>,
    /// Whether trying again now may help.
    pub(super) retry: bool,
}

pub(super) fn line(w: &'static Words, zone: Tz, event: EventStatus) -> EventLine {
    let state = event.state.name();
    let mut sentences: Vec<String> = reason(w, &event).into_iter().collect();
    if let Some(at) = event.next_attempt_at.filter(|_| event.attempts > 0) {
        sentences.push(w.with("event-next-attempt", &[("when", &when(w, zone, at))]));
    }
    for notice in event.notices {
        if !sentences.contains(&notice.message) {
            sentences.push(notice.message);
        }
    }
    EventLine {
        when: event.first_start.map_or_else(|| w.say("event-no-time"), |at| when(w, zone, at)),
        label: w.say(&format!("event-state-{state}")),
        retry: event.state == State::AdminNeeded,
        join_url: event.join_url.filter(|url| is_web(url)),
        web_link: event.web_link.filter(|url| is_web(url)),
        uid: event.uid,
        state,
        sentences,
    }
}

/// Links come from Microsoft; a page leads only to web addresses.
fn is_web(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

/// What the extension said about this very event counts more where somebody has to act; otherwise the page's own words do, in
/// the page's language.
fn reason(w: &'static Words, event: &EventStatus) -> Option<String> {
    let known = event.reason.as_ref().map(|code| format!("event-reason-{code}")).filter(|id| w.has(id));
    match (known, &event.message) {
        (_, Some(message)) if event.state == State::AdminNeeded => Some(message.clone()),
        (Some(id), _) => Some(w.say(&id)),
        (None, message) => message.clone(),
    }
}

/// The zone in which an account's user reads times.
pub(super) fn zone(name: Option<&str>) -> Tz {
    name.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC)
}

/// An instant as people of that language write it, in a zone.
pub(super) fn when(w: &'static Words, zone: Tz, at: i64) -> String {
    let Some(at) = DateTime::from_timestamp_millis(at).map(|at| at.with_timezone(&zone)) else {
        return w.say("event-no-time");
    };
    let mut time = format!("{}:{:02}", at.hour(), at.minute());
    if zone == Tz::UTC {
        time.push_str(" UTC");
    }
    w.with(
        "event-when",
        &[
            ("weekday", &w.say(&format!("weekday-{}", at.weekday().number_from_monday()))),
            ("day", &at.day().to_string()),
            ("month", &w.say(&format!("month-{}", at.month()))),
            ("year", &at.year().to_string()),
            ("time", &time),
        ],
    )
}
