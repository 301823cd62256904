//! An event that repeats → the pieces Microsoft can hold of it, which together are exactly it, or a reason why not.
//!
//! | file | what happens there |
//! | --- | --- |
//! | [`rule`] | RRULE, read to the letter |
//! | [`days`] | the days a rule names |
//! | [`pattern`] | Microsoft's patterns and the days *they* name |
//! | [`cover`] | patterns that have exactly a rule's days, each once |
//! | [`parts`] | the same with beginning, end and time of day |
//! | [`plan`] | all pieces of an event, with their exceptions |
//! | [`zone`] | the zone a series keeps its times in |
//!
//! Microsoft takes a day the month has not for its last day, where RFC 5545 leaves that month out; it knows no ordinals but
//! first to fourth and last, one day of the month, and one month. What one pattern cannot say is said by several that share
//! no occurrence, and by single events.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, NaiveDate, NaiveDateTime};

use crate::calendar::Event;
use parts::Occurrences;
use zone::Zone;

pub(crate) mod cover;
pub(crate) mod days;
pub(crate) mod parts;
pub(crate) mod pattern;
pub(crate) mod plan;
pub(crate) mod rule;
pub(crate) mod zone;

#[cfg(test)]
mod tests;

/// Events at Microsoft that one event may become.
pub(crate) const MAX_PIECES: usize = 30;

/// Why an event that repeats cannot be mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A rule or date of it breaks RFC 5545.
    Unreadable,
    /// Microsoft's patterns cannot say it, however many are taken together.
    NotExpressible,
    /// They can, and it takes more than [`MAX_PIECES`] of them.
    TooManyPieces,
    /// Its times stand in a zone that Microsoft has not.
    ZoneUnknown,
    /// Every one of its occurrences is taken out again.
    NoOccurrences,
}

/// An event that repeats.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// The component without RECURRENCE-ID; an attendee may be invited to single occurrences only.
    pub(crate) base: Option<Base>,
    /// The components with one, those that take place.
    pub(crate) overrides: Vec<Override>,
}

/// The component that repeats.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// What it says, at its first occurrence.
    pub(crate) event: Event,
    /// Where its times belong. All times below are local to it.
    pub(crate) zone: Zone,
    /// DTSTART.
    pub(crate) start: NaiveDateTime,
    /// From start to end by the clock.
    pub(crate) length: Duration,
    /// RRULE.
    pub(crate) rules: Vec<Occurrences>,
    /// RDATE, with the length of a period where it is one.
    pub(crate) extra: BTreeMap<NaiveDateTime, Option<Duration>>,
    /// EXDATE, and the RECURRENCE-ID of what is cancelled.
    pub(crate) removed: BTreeSet<NaiveDateTime>,
    /// EXDATE of a whole day.
    pub(crate) removed_days: BTreeSet<NaiveDate>,
    /// RANGE=THISANDFUTURE: from this occurrence on, in order.
    pub(crate) turns: Vec<Turn>,
    /// A day Microsoft split the series at: nothing changes there, but no pattern goes beyond it.
    pub(crate) split: Option<NaiveDate>,
}

/// A component with RECURRENCE-ID.
#[derive(Debug, Clone)]
pub(crate) struct Override {
    /// The occurrence it stands for, local to the base's zone.
    pub(crate) of: NaiveDateTime,
    /// What it says.
    pub(crate) event: Event,
}

/// RANGE=THISANDFUTURE.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// The first occurrence it is about.
    pub(crate) from: NaiveDateTime,
    /// What is said from there on; `None`: nothing takes place any more.
    pub(crate) then: Option<Then>,
}

/// What is said from some occurrence on.
#[derive(Debug, Clone)]
pub(crate) struct Then {
    /// What it says, at the first occurrence it is about.
    pub(crate) event: Event,
    /// How much later than the rule says, by the clock; negative: earlier.
    pub(crate) later: Duration,
    /// From start to end by the clock.
    pub(crate) length: Duration,
}

impl Base {
    fn is_removed(&self, local: NaiveDateTime) -> bool {
        self.removed.contains(&local) || self.removed_days.contains(&local.date())
    }
}
