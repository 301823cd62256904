//! The occurrences of an event by RFC 5545, with two independent expansions of its rules.
//!
//! Only rules are expanded by the two libraries; what DTSTART, RDATE, EXDATE and RECURRENCE-ID make of them is a few lines
//! here, the same for both. All of it happens on the event's own clock, without zones: a rule says when by that clock.

pub mod by_crate;
pub mod dateutil;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::case::{Case, End, Length, Override, Rule};

/// More occurrences than this in the window are not looked at: no calendar shows a meeting every minute.
pub const DENSE: usize = 1_600;

/// A rule with more dates than this is not expanded any further.
pub const LONG: usize = 20_000;

/// One occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Start, by the event's own clock.
    pub local: NaiveDateTime,
    /// The instants that count as its start.
    pub starts: Vec<DateTime<Utc>>,
    /// The instants that count as its end.
    pub ends: Vec<DateTime<Utc>>,
    /// What it is called.
    pub subject: String,
}

/// Why there is no set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// More than [`DENSE`] or [`LONG`].
    Dense,
    /// The library does not read the rule.
    Refused(String),
}

/// Expands one rule from a start, on a clock without zones, up to a moment.
pub trait Expand {
    /// The rule's own dates (DTSTART is one only where it fits), in order, at most so many of them.
    ///
    /// # Errors
    /// See [`Unknown`].
    fn expand(
        &mut self,
        rule: &str,
        start: NaiveDateTime,
        to: NaiveDateTime,
        most: Option<usize>,
    ) -> Result<Vec<NaiveDateTime>, Unknown>;
}

/// The window that is compared: three years from the event's start (and what moved a little before it).
#[must_use]
pub fn window(case: &Case) -> (NaiveDateTime, NaiveDateTime) {
    let day = crate::case::midnight(case.start.date());
    (day - TimeDelta::days(3), day + TimeDelta::days(3 * 365 + 1))
}

/// The dates of a rule of an event. COUNT counts DTSTART as the first, on the rule or not (RFC 5545 §3.3.10).
///
/// # Errors
/// See [`Unknown`].
pub fn dates_of(
    case: &Case,
    rule: &Rule,
    to: NaiveDateTime,
    expand: &mut dyn Expand,
) -> Result<Vec<NaiveDateTime>, Unknown> {
    let (most, to) = match rule.end {
        End::Count(number) => (Some(usize::try_from(number).unwrap_or(usize::MAX)), to),
        End::Until(last) => (None, to.min(last + TimeDelta::seconds(1))),
        End::Never => (None, to),
    };
    let mut dates = expand.expand(&rule.body(), case.start, to, most)?;
    match rule.end {
        End::Never => {}
        End::Until(last) => dates.retain(|at| *at <= last),
        End::Count(number) => {
            let on_rule = dates.first() == Some(&case.start);
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            dates.truncate(if on_rule { number } else { number.saturating_sub(1) });
        }
    }
    Ok(dates)
}

/// Where the event is before EXDATE and RECURRENCE-ID are looked at.
///
/// # Errors
/// See [`Unknown`].
pub fn dates(case: &Case, to: NaiveDateTime, expand: &mut dyn Expand) -> Result<BTreeSet<NaiveDateTime>, Unknown> {
    let mut all = BTreeSet::from([case.start]);
    for rule in &case.rules {
        all.extend(dates_of(case, rule, to, expand)?);
    }
    all.extend(case.rdates.iter().filter(|at| **at < to));
    if all.len() > DENSE { Err(Unknown::Dense) } else { Ok(all) }
}

/// All occurrences that start in the window, in order.
///
/// # Errors
/// See [`Unknown`].
pub fn occurrences(case: &Case, expand: &mut dyn Expand) -> Result<Vec<Occurrence>, Unknown> {
    if case.cancelled {
        return Ok(Vec::new());
    }
    let (from, to) = window(case);
    let mut found = Vec::new();
    for original in dates(case, to, expand)? {
        if case.exdates.contains(&original) {
            continue;
        }
        let (start, length, subject) = match governing(case, original) {
            Some(change) if change.cancelled => continue,
            Some(change) => {
                let shift = change.start.unwrap_or(change.original) - change.original;
                (original + shift, change.length.unwrap_or(case.length), change.subject.as_ref())
            }
            None => (original, case.length, None),
        };
        if start >= from && start < to {
            found.push(occurrence(case, start, length, subject.unwrap_or(&case.subject)));
        }
    }
    found.sort_by_key(|one| one.local);
    Ok(found)
}

/// The override that governs a date: its own, else the last one before it that means all that follow too.
fn governing(case: &Case, original: NaiveDateTime) -> Option<&Override> {
    case.overrides.iter().find(|change| change.original == original).or_else(|| {
        case.overrides
            .iter()
            .filter(|change| change.and_future && change.original < original)
            .max_by_key(|change| change.original)
    })
}

fn occurrence(case: &Case, start: NaiveDateTime, length: Length, subject: &str) -> Occurrence {
    Occurrence {
        local: start,
        starts: case.instants(start),
        ends: case.ends(start, length),
        subject: subject.to_owned(),
    }
}
