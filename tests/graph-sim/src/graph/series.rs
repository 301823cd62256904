//! Recurring events: a master is kept, its occurrences are worked out when somebody looks.
//!
//! An occurrence is known by the day the pattern gives it (in the series' own zone), whatever becomes of it: its ids are
//! made of the master's and that day, so they stay the same when it is changed, as Exchange's do.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::graph::mailbox::{Event, Mailbox, Moment};
use crate::graph::meeting::Meeting;
use crate::graph::recurrence::Recurrence;

/// What makes an event a series' master.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub recurrence: Recurrence,
    /// Whether a day a month does not have is its last one, as the switch stood when the pattern was written.
    pub clamp: bool,
    /// The days whose occurrence was deleted.
    pub deleted: BTreeSet<NaiveDate>,
    /// The days whose occurrence was changed.
    pub changes: BTreeMap<NaiveDate, Change>,
}

/// What an exception has of its own; all else is the master's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub plain: Map<String, Value>,
    /// Start, end and whether it is all day.
    pub times: Option<(Moment, Moment, bool)>,
    /// The document, its meeting, and the one it lost.
    pub body: Option<(String, Option<Meeting>, Option<Meeting>)>,
    pub extended: Vec<(String, String)>,
    pub extensions: Option<Vec<Value>>,
    pub change_key: String,
    pub modified: DateTime<Utc>,
}

/// Where an occurrence belongs.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub master: String,
    pub master_immutable: String,
    /// The day the pattern gives it.
    pub day: NaiveDate,
    /// When the pattern has it start.
    pub original_start: DateTime<Utc>,
    /// It was changed.
    pub exception: bool,
}

const MARK: &str = "FRAAg";
const DIGITS: usize = 10;
const DEFAULT_END: &str = "AA=";

/// An occurrence's id of the default kind.
fn occurrence_id(master: &str, day: NaiveDate) -> String {
    format!("{}{DEFAULT_END}", immutable_occurrence_id(master, day))
}

fn immutable_occurrence_id(master: &str, day: NaiveDate) -> String {
    format!("{master}{MARK}{:0DIGITS$X}", day.num_days_from_ce())
}

/// The master's id and the day in an occurrence's id; whether there is such an occurrence is another question.
fn parts(id: &str) -> Option<(&str, NaiveDate)> {
    let id = id.strip_suffix(DEFAULT_END).unwrap_or(id);
    let (rest, digits) = id.split_at_checked(id.len().checked_sub(DIGITS)?)?;
    let day = NaiveDate::from_num_days_from_ce_opt(i32::from_str_radix(digits, 16).ok()?)?;
    Some((rest.strip_suffix(MARK)?, day))
}

impl Series {
    pub(crate) fn new(recurrence: Recurrence, clamp: bool) -> Self {
        Self { recurrence, clamp, deleted: BTreeSet::new(), changes: BTreeMap::new() }
    }

    /// The days of the pattern, deleted ones included.
    pub(crate) fn days(&self) -> impl Iterator<Item = NaiveDate> {
        self.recurrence.days(self.clamp)
    }

    /// Whether the pattern has an occurrence on that day, deleted or not.
    pub(crate) fn has(&self, day: NaiveDate) -> bool {
        self.days().take_while(|d| *d <= day).last() == Some(day)
    }

    /// Forgets exceptions and deletions of days the pattern does not have (any more).
    pub(crate) fn prune(&mut self) {
        let Some(last) = self.changes.keys().chain(&self.deleted).max().copied() else { return };
        let days: BTreeSet<NaiveDate> = self.days().take_while(|day| *day <= last).collect();
        self.changes.retain(|day, _| days.contains(day));
        self.deleted.retain(|day| days.contains(day));
    }
}

impl Event {
    /// The occurrence of a day the pattern has; the caller knows that it has it and that it is not deleted.
    fn occurrence(&self, series: &Series, day: NaiveDate) -> Event {
        let later = day - self.start.local.date();
        let start = self.start.moved(later);
        let original_start = if self.is_all_day { start.local.and_utc() } else { start.utc };
        let change = series.changes.get(&day);
        let mut event = Event {
            id: occurrence_id(&self.id, day),
            immutable_id: immutable_occurrence_id(&self.immutable_id, day),
            transaction_id: None,
            ical_uid: ical_uid(&self.ical_uid, day),
            end: self.end.moved(later),
            start,
            moves_at: None,
            series: None,
            place: Some(Place {
                master: self.id.clone(),
                master_immutable: self.immutable_id.clone(),
                day,
                original_start,
                exception: change.is_some(),
            }),
            ..self.clone()
        };
        let Some(change) = change else { return event };
        event.plain.extend(change.plain.clone());
        if let Some((start, end, is_all_day)) = &change.times {
            (event.start, event.end, event.is_all_day) = (start.clone(), end.clone(), *is_all_day);
        }
        if let Some((body, meeting, lost)) = &change.body {
            (event.body, event.meeting, event.lost) = (body.clone(), meeting.clone(), lost.clone());
        }
        for (id, value) in &change.extended {
            event.set_extended(id, value);
        }
        if let Some(extensions) = &change.extensions {
            event.extensions.clone_from(extensions);
        }
        event.change_key.clone_from(&change.change_key);
        event.modified = change.modified;
        event
    }

    /// The occurrence of a day, where there is one.
    pub(crate) fn occurrence_on(&self, day: NaiveDate) -> Option<Event> {
        let series = self.series.as_deref()?;
        (!series.deleted.contains(&day) && series.has(day)).then(|| self.occurrence(series, day))
    }

    /// What of a series lies in a window: exceptions where they were moved to, deleted occurrences not at all.
    pub(crate) fn occurrences(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Event> {
        let Some(series) = self.series.as_deref() else { return Vec::new() };
        // A zone is less than two days away from UTC.
        let length = (self.end.local - self.start.local).max(TimeDelta::zero()) + TimeDelta::days(2);
        let first = (from - length).date_naive();
        let last = (to + TimeDelta::days(2)).date_naive();
        let far = series.changes.keys().next_back().copied().unwrap_or(last).max(last);
        let mut found: Vec<Event> = series
            .days()
            .take_while(|day| *day <= far)
            .filter(|day| series.changes.contains_key(day) || (first..=last).contains(day))
            .filter(|day| !series.deleted.contains(day))
            .map(|day| self.occurrence(series, day))
            .filter(|event| event.is_within(from, to))
            .collect();
        found.sort_by_key(|event| event.span());
        found
    }

    /// The exceptions, by the day they stand for.
    pub(crate) fn exceptions(&self) -> Vec<Event> {
        let Some(series) = self.series.as_deref() else { return Vec::new() };
        series.changes.keys().map(|day| self.occurrence(series, *day)).collect()
    }

    /// Graph's `type`.
    pub(crate) fn kind(&self) -> &'static str {
        match (&self.series, &self.place) {
            (Some(_), _) => "seriesMaster",
            (None, Some(place)) if place.exception => "exception",
            (None, Some(_)) => "occurrence",
            (None, None) => "singleInstance",
        }
    }

    /// When it is. All-day events are matched as midnights of UTC, whatever their zone.
    pub(crate) fn span(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        if self.is_all_day {
            (self.start.local.and_utc(), self.end.local.and_utc())
        } else {
            (self.start.utc, self.end.utc)
        }
    }

    /// Whether any of it lies in a window.
    pub(crate) fn is_within(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        let (start, end) = self.span();
        start < to && end > from || start == end && start == from
    }

    pub(crate) fn set_extended(&mut self, id: &str, value: &str) {
        self.extended.retain(|(own, _)| !super::filter::same_extended(own, id));
        self.extended.push((id.to_owned(), value.to_owned()));
    }
}

impl Mailbox {
    /// An event or an occurrence by its default id.
    pub(crate) fn find(&self, id: &str) -> Option<Event> {
        if let Some(event) = self.events.get(id) {
            return Some(event.clone());
        }
        let (master, day) = parts(id)?;
        self.events.get(master)?.occurrence_on(day)
    }

    /// The default id of an occurrence of which any kind of id is given.
    pub(crate) fn resolve_occurrence(&self, id: &str, immutable_allowed: bool) -> Option<String> {
        let (master, day) = parts(id)?;
        let master = if id.ends_with(DEFAULT_END) {
            self.events.get(master)?
        } else {
            self.immutable.get(master).filter(|_| immutable_allowed).and_then(|master| self.events.get(master))?
        };
        let occurrence = master.occurrence_on(day)?;
        (id == occurrence.id || id == occurrence.immutable_id).then_some(occurrence.id)
    }

    /// All that a calendar shows in a window, in order of time: single events and occurrences.
    pub(crate) fn window(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Event> {
        let mut shown: Vec<Event> = Vec::new();
        for event in self.events.values() {
            if event.series.is_some() {
                shown.extend(event.occurrences(from, to));
            } else if event.is_within(from, to) {
                shown.push(event.clone());
            }
        }
        shown.sort_by(|a, b| a.span().0.cmp(&b.span().0).then_with(|| a.id.cmp(&b.id)));
        shown
    }
}

/// An occurrence's `iCalUId` is the master's with its day in it.
fn ical_uid(master: &str, day: NaiveDate) -> String {
    const AT: usize = 32;
    match (master.get(..AT), master.get(AT + 8..)) {
        (Some(head), Some(tail)) => {
            format!("{head}{:04X}{:02X}{:02X}{tail}", day.year().clamp(0, 9_999), day.month(), day.day())
        }
        _ => master.to_owned(),
    }
}
