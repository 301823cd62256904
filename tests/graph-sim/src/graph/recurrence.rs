//! Reading, checking and writing `patternedRecurrence` (graph-facts A3; Microsoft's pages recurrencePattern and
//! recurrenceRange).

use chrono::{NaiveDate, Weekday};
use serde_json::{Map, Value, json};

use crate::graph::draft::{array, one_of, property_failed, wrong_type};
use crate::graph::error::{Result, no_such_property, not_modelled, time_zone_not_supported};
use crate::graph::mailbox::Moment;
use crate::switches::Switches;
use crate::zones;

/// When a series takes place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recurrence {
    pub pattern: Pattern,
    pub range: Range,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Daily,
    Weekly,
    AbsoluteMonthly,
    RelativeMonthly,
    AbsoluteYearly,
    RelativeYearly,
}

/// Which of the days that fit, counted from the first one in the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    Nth(usize),
    Last,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern {
    pub kind: Kind,
    /// At least 1.
    pub interval: u32,
    /// 0 where it was not sent.
    pub day_of_month: u32,
    /// 0 where it was not sent.
    pub month: u32,
    pub days: Vec<Weekday>,
    pub first_day: Weekday,
    pub index: Index,
}

/// When a range ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With this day, which is still part of it.
    On(NaiveDate),
    Never,
    /// After so many occurrences.
    After(u32),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    pub start: NaiveDate,
    pub end: End,
    /// The zone's name as sent.
    pub zone: Option<String>,
}

const KINDS: &[(&str, Kind)] = &[
    ("daily", Kind::Daily),
    ("weekly", Kind::Weekly),
    ("absoluteMonthly", Kind::AbsoluteMonthly),
    ("relativeMonthly", Kind::RelativeMonthly),
    ("absoluteYearly", Kind::AbsoluteYearly),
    ("relativeYearly", Kind::RelativeYearly),
];

const DAYS: &[(&str, Weekday)] = &[
    ("sunday", Weekday::Sun),
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
];

const INDEXES: &[(&str, Index)] = &[
    ("first", Index::Nth(0)),
    ("second", Index::Nth(1)),
    ("third", Index::Nth(2)),
    ("fourth", Index::Nth(3)),
    ("last", Index::Last),
];

impl Recurrence {
    /// Reads the object. Whatever is there is checked, whether or not the pattern's type uses it.
    pub(crate) fn read(value: &Value, switches: &Switches) -> Result<Self> {
        let members = value.as_object().ok_or_else(|| wrong_type("recurrence"))?;
        if let Some(unknown) = members.keys().find(|name| !["pattern", "range"].contains(&name.as_str()) && own(name)) {
            return Err(no_such_property(unknown));
        }
        let part = |name: &str| members.get(name).and_then(Value::as_object).ok_or_else(property_failed);
        Ok(Self { pattern: Pattern::read(part("pattern")?)?, range: Range::read(part("range")?, switches)? })
    }

    /// What hangs together with the event's start: `startDate` must be its date, whatever the pattern says of it.
    pub(crate) fn check_start(&self, start: &Moment) -> Result<()> {
        if self.range.start != start.local.date() {
            return Err(property_failed());
        }
        match &self.range.zone {
            Some(zone) if zones::find(zone, true) != zones::find(&start.zone, true) => {
                Err(not_modelled("a recurrenceTimeZone other than that of the event's start"))
            }
            _ => Ok(()),
        }
    }

    /// As an answer shows it: everything, with zeros where there is nothing, and the event's zone where none was sent.
    pub(crate) fn render(&self, zone: &str) -> Value {
        let (pattern, range) = (&self.pattern, &self.range);
        let days: Vec<&str> = pattern.days.iter().map(|day| name_of(DAYS, *day)).collect();
        let shown = json!({
            "type": name_of(KINDS, pattern.kind),
            "interval": pattern.interval,
            "month": pattern.month,
            "dayOfMonth": pattern.day_of_month,
            "daysOfWeek": days,
            "firstDayOfWeek": name_of(DAYS, pattern.first_day),
            "index": name_of(INDEXES, pattern.index),
        });
        let (kind, end, number) = match range.end {
            End::On(date) => ("endDate", date.to_string(), 0),
            End::Never => ("noEnd", "0001-01-01".to_owned(), 0),
            End::After(number) => ("numbered", "0001-01-01".to_owned(), number),
        };
        json!({
            "pattern": shown,
            "range": {
                "type": kind,
                "startDate": range.start.to_string(),
                "endDate": end,
                "recurrenceTimeZone": range.zone.as_deref().unwrap_or(zone),
                "numberOfOccurrences": number,
            },
        })
    }
}

impl Pattern {
    fn read(members: &Map<String, Value>) -> Result<Self> {
        let kind = choice("type", members.get("type").ok_or_else(property_failed)?, KINDS)?;
        let mut pattern = Self {
            kind,
            interval: 0,
            day_of_month: 0,
            month: 0,
            days: Vec::new(),
            // Microsoft's default, where RFC 5545's is Monday.
            first_day: Weekday::Sun,
            index: Index::Nth(0),
        };
        for (name, value) in members {
            match name.as_str() {
                "type" => {}
                "interval" => pattern.interval = number(name, value, 1, i32::MAX.unsigned_abs())?,
                "dayOfMonth" => pattern.day_of_month = number(name, value, 1, 31)?,
                "month" => pattern.month = number(name, value, 1, 12)?,
                "firstDayOfWeek" => pattern.first_day = choice(name, value, DAYS)?,
                "index" => pattern.index = choice(name, value, INDEXES)?,
                "daysOfWeek" => {
                    let days = array(name, value)?.iter().map(|day| choice(name, day, DAYS));
                    pattern.days = days.collect::<Result<_>>()?;
                }
                _ if !own(name) => {}
                _ => return Err(no_such_property(name)),
            }
        }
        let sent = |name: &str| members.contains_key(name);
        let required: &[&str] = match kind {
            Kind::Daily => &["interval"],
            Kind::Weekly => &["interval", "daysOfWeek", "firstDayOfWeek"],
            Kind::AbsoluteMonthly => &["interval", "dayOfMonth"],
            Kind::RelativeMonthly => &["interval", "daysOfWeek"],
            Kind::AbsoluteYearly => &["interval", "dayOfMonth", "month"],
            Kind::RelativeYearly => &["interval", "daysOfWeek", "month"],
        };
        // `firstDayOfWeek` is called required and has a default; without it the default holds.
        if required.iter().any(|name| !sent(name) && *name != "firstDayOfWeek")
            || required.contains(&"daysOfWeek") && pattern.days.is_empty()
        {
            return Err(property_failed());
        }
        Ok(pattern)
    }
}

impl Range {
    fn read(members: &Map<String, Value>, switches: &Switches) -> Result<Self> {
        const TYPES: &[(&str, &str)] = &[("endDate", "endDate"), ("noEnd", "noEnd"), ("numbered", "numbered")];
        let kind = choice("type", members.get("type").ok_or_else(property_failed)?, TYPES)?;
        let (mut start, mut end, mut count, mut zone) = (None, None, None, None);
        for (name, value) in members {
            match name.as_str() {
                "type" => {}
                "startDate" => start = Some(date(name, value)?),
                "endDate" => end = Some(date(name, value)?),
                "numberOfOccurrences" => count = Some(number(name, value, 1, i32::MAX.unsigned_abs())?),
                "recurrenceTimeZone" if value.is_null() => {}
                "recurrenceTimeZone" => {
                    let text = value.as_str().ok_or_else(|| wrong_type(name))?;
                    zones::find(text, switches.any_iana_zone).ok_or_else(|| time_zone_not_supported(text))?;
                    zone = Some(text.to_owned());
                }
                _ if !own(name) => {}
                _ => return Err(no_such_property(name)),
            }
        }
        let start = start.ok_or_else(property_failed)?;
        let end = match kind {
            "endDate" => End::On(end.filter(|end| *end >= start).ok_or_else(property_failed)?),
            "numbered" => End::After(count.ok_or_else(property_failed)?),
            _ => End::Never,
        };
        Ok(Self { start, end, zone })
    }
}

/// Whether a member is the type's own, and not an annotation.
fn own(name: &str) -> bool {
    !name.starts_with('@')
}

fn choice<T: Copy>(name: &str, value: &Value, known: &[(&str, T)]) -> Result<T> {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let chosen = one_of(name, value, &names)?;
    known.iter().find(|(name, _)| *name == chosen).map(|(_, meaning)| *meaning).ok_or_else(property_failed)
}

fn name_of<T: PartialEq>(known: &[(&'static str, T)], of: T) -> &'static str {
    known.iter().find(|(_, meaning)| *meaning == of).map_or("", |(name, _)| *name)
}

/// An Int32 within bounds.
fn number(name: &str, value: &Value, least: u32, most: u32) -> Result<u32> {
    let number = value.as_i64().and_then(|n| i32::try_from(n).ok()).ok_or_else(|| wrong_type(name))?;
    u32::try_from(number).ok().filter(|n| (least..=most).contains(n)).ok_or_else(property_failed)
}

/// An `Edm.Date`.
fn date(name: &str, value: &Value) -> Result<NaiveDate> {
    let text = value.as_str().filter(|text| text.len() == 10).ok_or_else(|| wrong_type(name))?;
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| wrong_type(name))
}
