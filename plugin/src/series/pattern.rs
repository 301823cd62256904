//! Microsoft's recurrence patterns (Graph v1.0, resources `recurrencePattern` and `recurrenceRange`).

use chrono::{Datelike, NaiveDate, Weekday, WeekdaySet};
use serde_json::{Map, Value, json};

use super::days::{Days, Grid, Phase, WEEK};

/// Which of the days that fit, counted from the first one in the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    First,
    Second,
    Third,
    Fourth,
    Last,
}

impl Index {
    pub(super) const ALL: [Self; 5] = [Self::First, Self::Second, Self::Third, Self::Fourth, Self::Last];

    fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Third => "third",
            Self::Fourth => "fourth",
            Self::Last => "last",
        }
    }
}

/// The days of one pattern in the intervals that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Daily,
    Weekly {
        days: Vec<Weekday>,
        wkst: Weekday,
    },
    /// A day of the month, or its last day where it has no such day; of every month, or of one.
    Absolute {
        day: u32,
        month: Option<u32>,
    },
    /// The first … last of some weekdays in the month: one day a month, however many weekdays there are.
    Relative {
        index: Index,
        days: Vec<Weekday>,
        month: Option<u32>,
    },
}

/// Every month has this day.
const EVERY_MONTH: u32 = 28;

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) shape: Shape,
    /// Days, weeks, months or years, at least 1.
    pub(crate) interval: u32,
}

/// When a series ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    Never,
    /// With this day, on which it takes place for the last time.
    On(NaiveDate),
    /// After so many occurrences.
    After(u32),
}

impl Range {
    /// The same for a series that begins so much later.
    pub(crate) fn shifted(self, later: chrono::Duration) -> Self {
        match self {
            Self::On(last) => Self::On(last + later),
            other => other,
        }
    }
}

impl Shape {
    /// The month it is limited to.
    pub(super) fn month(&self) -> Option<u32> {
        match self {
            Self::Absolute { month, .. } | Self::Relative { month, .. } => *month,
            Self::Daily | Self::Weekly { .. } => None,
        }
    }

    /// Its days, in intervals that count.
    pub(super) fn grid(&self) -> Grid {
        match self {
            Self::Daily => Grid::of_weekdays(&WEEK),
            Self::Weekly { days, .. } => Grid::of_weekdays(days),
            Self::Absolute { day, month } => Grid::of_months(*month, |of| 1 << (*day).min(of.length)),
            Self::Relative { index, days, month } => {
                let days = WeekdaySet::from_iter(days.iter().copied());
                Grid::of_months(*month, |of| {
                    let mut fitting = of.days(days);
                    let day = match index {
                        Index::First => fitting.next(),
                        Index::Second => fitting.nth(1),
                        Index::Third => fitting.nth(2),
                        Index::Fourth => fitting.nth(3),
                        Index::Last => fitting.last(),
                    };
                    day.map_or(0, |day| 1 << day)
                })
            }
        }
    }
}

impl Pattern {
    /// Its days from `first` on, which must be one of them.
    pub(crate) fn days(&self, first: NaiveDate) -> Days {
        let every = self.interval;
        let phase = match &self.shape {
            Shape::Daily => Phase::Days { first, every },
            Shape::Weekly { wkst, .. } => Phase::Weeks { first, every, wkst: *wkst },
            Shape::Absolute { month: None, .. } | Shape::Relative { month: None, .. } => Phase::Months { first, every },
            Shape::Absolute { .. } | Shape::Relative { .. } => Phase::Years { first, every },
        };
        Days { grid: self.shape.grid(), phase, first }
    }

    /// The pattern whose days lie so many days later, where there is one.
    pub(crate) fn shifted(&self, days: i64) -> Option<Self> {
        let weekday = |day: Weekday| {
            let number = (i64::from(day.num_days_from_monday()) + days).rem_euclid(7);
            Weekday::try_from(u8::try_from(number).ok()?).ok()
        };
        let shape = match &self.shape {
            shape if days == 0 => shape.clone(),
            Shape::Daily => Shape::Daily,
            Shape::Weekly { days, wkst } => {
                Shape::Weekly { days: days.iter().copied().map(weekday).collect::<Option<_>>()?, wkst: weekday(*wkst)? }
            }
            // Days that every month has stay in their month.
            Shape::Absolute { day, month } if *day <= EVERY_MONTH => {
                let day = u32::try_from(i64::from(*day) + days).ok().filter(|day| (1..=EVERY_MONTH).contains(day))?;
                Shape::Absolute { day, month: *month }
            }
            Shape::Absolute { .. } | Shape::Relative { .. } => return None,
        };
        Some(Self { shape, interval: self.interval })
    }

    /// Whether a day of its is the last of a month that has not the day it names.
    pub(crate) fn is_clamped(&self, day: NaiveDate) -> bool {
        matches!(self.shape, Shape::Absolute { day: wanted, .. } if wanted > day.day())
    }

    /// `patternedRecurrence`. Its members come in the order of their names, `pattern` before `range`, without which Graph
    /// does not read it.
    pub(crate) fn json(&self, first: NaiveDate, range: Range, zone: &str) -> Value {
        let mut pattern = Map::new();
        pattern.insert("interval".to_owned(), json!(self.interval));
        let kind = match &self.shape {
            Shape::Daily => "daily",
            Shape::Weekly { days, wkst } => {
                pattern.insert("daysOfWeek".to_owned(), names(days));
                // Microsoft's week begins on Sunday where nothing is said, RFC 5545's on Monday.
                pattern.insert("firstDayOfWeek".to_owned(), json!(name(*wkst)));
                "weekly"
            }
            Shape::Absolute { day, month } => {
                pattern.insert("dayOfMonth".to_owned(), json!(day));
                if month.is_some() { "absoluteYearly" } else { "absoluteMonthly" }
            }
            Shape::Relative { index, days, month } => {
                pattern.insert("daysOfWeek".to_owned(), names(days));
                pattern.insert("index".to_owned(), json!(index.name()));
                if month.is_some() { "relativeYearly" } else { "relativeMonthly" }
            }
        };
        pattern.insert("type".to_owned(), json!(kind));
        if let Some(month) = self.shape.month() {
            pattern.insert("month".to_owned(), json!(month));
        }
        let mut limits = Map::new();
        limits.insert("startDate".to_owned(), json!(first.to_string()));
        limits.insert("recurrenceTimeZone".to_owned(), json!(zone));
        let kind = match range {
            Range::Never => "noEnd",
            Range::On(last) => {
                limits.insert("endDate".to_owned(), json!(last.to_string()));
                "endDate"
            }
            Range::After(number) => {
                limits.insert("numberOfOccurrences".to_owned(), json!(number));
                "numbered"
            }
        };
        limits.insert("type".to_owned(), json!(kind));
        json!({ "pattern": pattern, "range": limits })
    }
}

fn names(days: &[Weekday]) -> Value {
    json!(days.iter().map(|&day| name(day)).collect::<Vec<_>>())
}

fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "monday",
        Weekday::Tue => "tuesday",
        Weekday::Wed => "wednesday",
        Weekday::Thu => "thursday",
        Weekday::Fri => "friday",
        Weekday::Sat => "saturday",
        Weekday::Sun => "sunday",
    }
}
