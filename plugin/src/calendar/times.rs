//! DTSTART, DTEND and DURATION → a start and an end in Microsoft's terms.

use std::cell::RefCell;
use std::collections::BTreeMap;

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarDuration, ICalendarEntry, ICalendarProperty, ICalendarValue,
};
use chrono::{DateTime, Days, Duration, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::event::EventFault;
use super::vtimezone::{self, by_rules, find, naive, offset_at};
use super::zones::{self, Zone, by_name, by_offset, is_bare, windows_name};
use crate::series::zone as home;

/// Nothing that repeats is longer: years are written with four digits.
const LONGEST_DAYS: i64 = 10_000 * 366;

/// Days from its start on for which a series' times must be those of the zone it is taken to be in.
const SERIES_KEEPS_DAYS: i64 = 5 * 365;

/// An instant, as Microsoft is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Date and time in `zone`.
    pub(crate) local: NaiveDateTime,
    /// A Windows zone name.
    pub(crate) zone: &'static str,
    /// The same instant: Unix time in milliseconds.
    pub(crate) utc_ms: i64,
}

impl Moment {
    /// An instant, told in UTC.
    pub(crate) fn utc(instant: DateTime<Utc>) -> Self {
        Self { local: instant.naive_utc(), zone: "UTC", utc_ms: instant.timestamp_millis() }
    }
}

/// When an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Its start; for whole days, midnight.
    pub(crate) start: Moment,
    /// Its end, exclusive; for whole days, the midnight after the last.
    pub(crate) end: Moment,
    /// Whether it is whole days, which have no zone.
    pub(crate) all_day: bool,
}

/// How times in one text are to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock<'c> {
    /// For its VTIMEZONEs.
    pub(crate) calendar: &'c ICalendar,
    /// The zone of floating times, and of the days of all-day events.
    pub(crate) floating: Tz,
    /// What TZIDs were found to mean: comparing a definition with every zone there is takes a while.
    pub(crate) known: &'c RefCell<BTreeMap<String, Option<Meaning>>>,
}

/// What a TZID was found to mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    zone: Tz,
    /// It has no name anybody knows, and keeps the time as its definition says it is kept now.
    by_rules: bool,
}

/// Where the times of an event that repeats belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) zone: home::Zone,
    /// DTSTART, local.
    pub(crate) start: NaiveDateTime,
    /// From start to end by the clock.
    pub(crate) length: Duration,
}

/// A date or time of EXDATE, RDATE or RECURRENCE-ID, local to a series' zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    Day(NaiveDate),
    Time(NaiveDateTime),
}

enum Written {
    Day(NaiveDate),
    Time(Moment, Option<Tz>),
}

impl Clock<'_> {
    /// When a VEVENT is (RFC 5545 §3.6.1, §3.8.2).
    pub(crate) fn span(&self, event: &ICalendarComponent) -> Result<Span, EventFault> {
        let first_line = event.property(&ICalendarProperty::Dtstart).ok_or(EventFault::NoStart)?;
        let start = self.written(first_line).ok_or(EventFault::BadDate)?;
        let last_line = event.property(&ICalendarProperty::Dtend);
        let end = last_line.map(|entry| self.written(entry).ok_or(EventFault::BadDate)).transpose()?;
        let duration = match event.property(&ICalendarProperty::Duration).and_then(|entry| entry.values.first()) {
            None => None,
            Some(ICalendarValue::Duration(duration)) if !duration.neg => Some(duration),
            Some(ICalendarValue::Duration(_)) => return Err(EventFault::EndBeforeStart),
            Some(_) => return Err(EventFault::BadDate),
        };
        match start {
            Written::Day(first) => {
                let end = match (end, duration) {
                    (Some(Written::Day(end)), _) => end,
                    (Some(Written::Time(end, _)), _) => {
                        let day = end.local.date();
                        if end.local.time() == chrono::NaiveTime::MIN { day } else { next_day(day)? }
                    }
                    (None, Some(duration)) => {
                        let days =
                            duration.as_seconds().div_euclid(86_400) + i64::from(duration.as_seconds() % 86_400 > 0);
                        first.checked_add_signed(Duration::days(days)).ok_or(EventFault::BadDate)?
                    }
                    (None, None) => first,
                };
                if end < first {
                    return Err(EventFault::EndBeforeStart);
                }
                self.days(first, end.max(next_day(first)?))
            }
            Written::Time(start, zone) => {
                let end = match (end, duration) {
                    // In an hour that the clocks skip it starts later than is written, and may so have passed its end.
                    (Some(Written::Time(end, same)), _)
                        if end.utc_ms < start.utc_ms && zone.is_some() && same == zone =>
                    {
                        let by_the_clock =
                            last_line.and_then(wall).zip(wall(first_line)).map(|(end, start)| end - start);
                        let length = by_the_clock.filter(|length| *length >= Duration::zero());
                        let end = length.and_then(|length| {
                            DateTime::from_timestamp_millis(start.utc_ms)?.checked_add_signed(length)
                        });
                        Moment::utc(end.ok_or(EventFault::EndBeforeStart)?)
                    }
                    (Some(Written::Time(end, _)), _) => end,
                    (Some(Written::Day(end)), _) => {
                        self.moment(end.and_time(chrono::NaiveTime::MIN), zone.unwrap_or(self.floating))
                    }
                    (None, Some(duration)) => later(start, zone, duration).ok_or(EventFault::BadDate)?,
                    (None, None) => start,
                };
                if end.utc_ms < start.utc_ms {
                    return Err(EventFault::EndBeforeStart);
                }
                Ok(Span { start, end, all_day: false })
            }
        }
    }

    /// Half an hour from the next full hour of UTC on, for a draft that has no start yet. `now_ms`: Unix time in milliseconds.
    pub(crate) fn placeholder(now_ms: i64) -> Option<Span> {
        let now = DateTime::from_timestamp_millis(now_ms)?;
        let hour = now.with_minute(0)?.with_second(0)?.with_nanosecond(0)? + Duration::hours(1);
        Some(Span { start: Moment::utc(hour), end: Moment::utc(hour + Duration::minutes(30)), all_day: false })
    }

    /// An absolute instant, such as a TRIGGER may be: Unix time in milliseconds.
    pub(crate) fn instant(&self, entry: &ICalendarEntry) -> Option<i64> {
        match self.written(entry)? {
            Written::Time(moment, _) => Some(moment.utc_ms),
            Written::Day(_) => None,
        }
    }

    fn days(&self, first: NaiveDate, end: NaiveDate) -> Result<Span, EventFault> {
        let midnight = |day: NaiveDate| {
            let local = day.and_time(chrono::NaiveTime::MIN);
            // Days are floating (RFC 5545 §3.3.4); when they begin is a question of where the account is.
            Moment { local, zone: "UTC", utc_ms: self.moment(local, self.floating).utc_ms }
        };
        Ok(Span { start: midnight(first), end: midnight(end), all_day: true })
    }

    /// Where a VEVENT's times belong if it repeats, when it starts there, and how long it is by the clock there; `None`
    /// where no zone of Microsoft's keeps that time.
    pub(crate) fn home(&self, event: &ICalendarComponent) -> Result<Option<Home>, EventFault> {
        let span = self.span(event)?;
        if !is_possible(Duration::milliseconds(span.end.utc_ms - span.start.utc_ms)) {
            return Err(EventFault::BadDate);
        }
        let entry = event.property(&ICalendarProperty::Dtstart).ok_or(EventFault::NoStart)?;
        let value = entry.values.first().and_then(ICalendarValue::as_partial_date_time).ok_or(EventFault::BadDate)?;
        let start = naive(value).ok_or(EventFault::BadDate)?;
        if span.all_day {
            let zone = home::Zone { tz: self.floating, windows: span.start.zone, all_day: true };
            return Ok(Some(Home { zone, start: span.start.local, length: span.end.local - span.start.local }));
        }
        let tz = match (value.has_zone(), entry.tz_id()) {
            (true, _) if value.tz_hour.unwrap_or(0) == 0 && value.tz_minute.unwrap_or(0) == 0 => Some(Tz::UTC),
            (true, _) => None,
            (false, None) => Some(self.floating),
            (false, Some(tzid)) => self.zone(tzid).filter(|&tz| self.keeps(tzid, tz, start, SERIES_KEEPS_DAYS)),
        };
        let Some((tz, windows)) = tz.and_then(|tz| Some((tz, windows_name(tz)?))) else { return Ok(None) };
        let zone = home::Zone { tz, windows, all_day: false };
        let end = event.property(&ICalendarProperty::Dtend);
        let end = end.and_then(|entry| self.stamp(entry, entry.values.first()?.as_partial_date_time()?, &zone));
        let duration = event.property(&ICalendarProperty::Duration).and_then(|entry| entry.values.first());
        let length = match (end, duration) {
            (Some(Stamp::Time(end)), _) => end - start,
            (Some(Stamp::Day(end)), _) => end.and_time(chrono::NaiveTime::MIN) - start,
            (None, Some(ICalendarValue::Duration(duration))) => Duration::seconds(duration.as_seconds()),
            (None, _) => Duration::zero(),
        };
        Ok(Some(Home { zone, start, length: length.max(Duration::zero()) }))
    }

    /// A date or time of a line, as it stands in a series' zone.
    pub(crate) fn stamp(&self, entry: &ICalendarEntry, value: &PartialDateTime, zone: &home::Zone) -> Option<Stamp> {
        let local = naive(value)?;
        if !value.has_time() {
            return Some(Stamp::Day(local.date()));
        }
        if zone.all_day {
            // A time where a day is meant: the day it is written with.
            return Some(Stamp::Day(local.date()));
        }
        if value.has_zone() {
            return Some(Stamp::Time(zone.local(at_own_offset(value, local)?.timestamp_millis())));
        }
        Some(Stamp::Time(match entry.tz_id().and_then(|tzid| self.zone(tzid)) {
            Some(tz) if tz != zone.tz => zone.local(home::instant(tz, local)),
            // Without a zone, or with one nobody knows, it is meant where DTSTART is.
            _ => local,
        }))
    }

    /// The IANA zone of a TZID: by its name, by another name its definition gives, or by what the definition says.
    fn zone(&self, tzid: &str) -> Option<Tz> {
        self.meaning(tzid).map(|meaning| meaning.zone)
    }

    fn meaning(&self, tzid: &str) -> Option<Meaning> {
        if let Some(known) = self.known.borrow().get(tzid) {
            return *known;
        }
        let found = self.find_meaning(tzid);
        self.known.borrow_mut().insert(tzid.to_owned(), found);
        found
    }

    fn find_meaning(&self, tzid: &str) -> Option<Meaning> {
        let definition = find(self.calendar, tzid);
        let named = |zone| Meaning { zone, by_rules: false };
        match by_name(tzid).or_else(|| definition.and_then(vtimezone::named)) {
            Some(Zone::Iana(zone)) => Some(named(zone)),
            fixed => definition
                .and_then(|definition| by_rules(self.calendar, definition))
                .map(|zone| Meaning { zone, by_rules: true })
                .or_else(|| fixed.filter(|_| definition.is_none() && is_bare(tzid)).and_then(by_offset).map(named)),
        }
    }

    /// Whether a zone that was recognised by the rules that hold now kept the same time then, too, for so many days from
    /// `from` on; 0: at that time.
    fn keeps(&self, tzid: &str, zone: Tz, from: NaiveDateTime, days: i64) -> bool {
        let by_rules = self.meaning(tzid).is_some_and(|meaning| meaning.by_rules);
        let definition = find(self.calendar, tzid).filter(|_| by_rules);
        definition.is_none_or(|definition| {
            zones::keeps(zone, from, days, |local| offset_at(self.calendar, definition, local))
        })
    }

    fn written(&self, entry: &ICalendarEntry) -> Option<Written> {
        let value = entry.values.first()?.as_partial_date_time()?;
        let local = naive(value)?;
        if !value.has_time() {
            return Some(Written::Day(local.date()));
        }
        if value.has_zone() {
            return Some(Written::Time(Moment::utc(at_own_offset(value, local)?), None));
        }
        let Some(tzid) = entry.tz_id() else {
            return Some(Written::Time(self.moment(local, self.floating), Some(self.floating)));
        };
        if let Some(zone) = self.zone(tzid).filter(|&zone| self.keeps(tzid, zone, local, 0)) {
            return Some(Written::Time(self.moment(local, zone), Some(zone)));
        }
        let definition = find(self.calendar, tzid);
        // A definition knows daylight saving, which a bare offset does not.
        let defined = definition.and_then(|definition| offset_at(self.calendar, definition, local));
        let offset = match (defined, by_name(tzid).or_else(|| definition.and_then(vtimezone::named))) {
            (Some(offset), _) | (None, Some(Zone::Fixed(offset))) => offset,
            _ => return Some(Written::Time(self.moment(local, self.floating), Some(self.floating))),
        };
        let seconds = Duration::seconds(i64::from(offset.local_minus_utc()));
        Some(Written::Time(Moment::utc(local.checked_sub_signed(seconds)?.and_utc()), None))
    }

    fn moment(&self, local: NaiveDateTime, zone: Tz) -> Moment {
        match (zone.from_local_datetime(&local), windows_name(zone)) {
            (LocalResult::Single(time), Some(windows)) => {
                Moment { local, zone: windows, utc_ms: time.timestamp_millis() }
            }
            (LocalResult::Single(time), None) => Moment::utc(time.to_utc()),
            // The hour that comes twice is meant the first time (RFC 5545 §3.3.5); Microsoft may see it otherwise, so it is
            // told an instant.
            (LocalResult::Ambiguous(first, _), _) => Moment::utc(first.to_utc()),
            // The hour that does not exist is read with the offset before it (same section).
            (LocalResult::None, _) => {
                Moment::utc(DateTime::from_timestamp_millis(home::instant(zone, local)).unwrap_or_default())
            }
        }
    }
}

/// A date and time as it is written.
fn wall(entry: &ICalendarEntry) -> Option<NaiveDateTime> {
    naive(entry.values.first()?.as_partial_date_time()?)
}

/// The instant of a date and time that says itself how far from UTC it is, `Z` or an offset.
fn at_own_offset(value: &PartialDateTime, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    let minutes = i64::from(value.tz_hour.unwrap_or(0)) * 60 + i64::from(value.tz_minute.unwrap_or(0));
    let offset = Duration::minutes(if value.tz_minus { -minutes } else { minutes });
    Some(local.checked_sub_signed(offset)?.and_utc())
}

/// A start and a DURATION: weeks and days are days of the calendar, the rest is exact (RFC 5545 §3.3.6).
fn later(start: Moment, zone: Option<Tz>, duration: &ICalendarDuration) -> Option<Moment> {
    let days = u64::from(duration.weeks) * 7 + u64::from(duration.days);
    let exact = Duration::seconds(
        i64::from(duration.hours) * 3600 + i64::from(duration.minutes) * 60 + i64::from(duration.seconds),
    );
    let Some(zone) = zone else {
        let instant = DateTime::from_timestamp_millis(start.utc_ms)?;
        return Some(Moment::utc(instant.checked_add_days(Days::new(days))?.checked_add_signed(exact)?));
    };
    let local = DateTime::from_timestamp_millis(start.utc_ms)?.with_timezone(&zone).naive_local();
    let day = local.checked_add_days(Days::new(days))?;
    let end = DateTime::from_timestamp_millis(home::instant(zone, day))?.checked_add_signed(exact)?;
    let local = end.with_timezone(&zone).naive_local();
    match (zone.from_local_datetime(&local), windows_name(zone)) {
        (LocalResult::Single(_), Some(windows)) => {
            Some(Moment { local, zone: windows, utc_ms: end.timestamp_millis() })
        }
        _ => Some(Moment::utc(end)),
    }
}

/// Whether one occurrence can be so long; beyond, times could not be reckoned with.
pub(crate) fn is_possible(length: Duration) -> bool {
    (Duration::zero()..=Duration::days(LONGEST_DAYS)).contains(&length)
}

fn next_day(day: NaiveDate) -> Result<NaiveDate, EventFault> {
    day.succ_opt().ok_or(EventFault::BadDate)
}
