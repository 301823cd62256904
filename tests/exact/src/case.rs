//! An event as data, and its iCalendar text.

use std::fmt::Write as _;

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// The zone in which the account's floating times are meant.
pub const ACCOUNT_ZONE: Tz = Tz::Europe__Berlin;

/// How an event names its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    /// Times end in Z.
    Utc,
    /// Times name no zone.
    Floating,
    /// `TZID=…`, what it means, and the VTIMEZONE that goes with it ("" for none).
    Named {
        /// As written.
        id: &'static str,
        /// What it means.
        zone: Tz,
        /// The component, lines ended by `\n`.
        definition: &'static str,
    },
}

impl Zone {
    /// What the zone means.
    #[must_use]
    pub fn meaning(&self) -> Tz {
        match self {
            Self::Utc => Tz::UTC,
            Self::Floating => ACCOUNT_ZONE,
            Self::Named { zone, .. } => *zone,
        }
    }
}

/// How long an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// DTEND so much later by the clock on the wall.
    End(TimeDelta),
    /// DURATION: days by the calendar, seconds by the clock.
    Duration(u16, u32),
    /// Neither: a day for dates, nothing for times.
    Nothing,
}

/// RFC 5545's frequencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are called what they are")]
pub enum Freq {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

impl Freq {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Secondly, Self::Minutely, Self::Hourly, Self::Daily, Self::Weekly, Self::Monthly, Self::Yearly];

    /// Its name in a rule.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Secondly => "SECONDLY",
            Self::Minutely => "MINUTELY",
            Self::Hourly => "HOURLY",
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
            Self::Yearly => "YEARLY",
        }
    }
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Never.
    Never,
    /// After so many.
    Count(u32),
    /// With that moment, by the event's own clock; it is still part.
    Until(NaiveDateTime),
}

/// An RRULE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// FREQ.
    pub freq: Freq,
    /// INTERVAL.
    pub interval: u32,
    /// COUNT or UNTIL.
    pub end: End,
    /// BYDAY: ordinal (0 for none) and day.
    pub by_day: Vec<(i32, Weekday)>,
    /// BYMONTHDAY.
    pub by_month_day: Vec<i32>,
    /// BYMONTH.
    pub by_month: Vec<u32>,
    /// BYSETPOS.
    pub by_set_pos: Vec<i32>,
    /// BYYEARDAY.
    pub by_year_day: Vec<i32>,
    /// BYWEEKNO.
    pub by_week_no: Vec<i32>,
    /// BYHOUR.
    pub by_hour: Vec<u32>,
    /// WKST; Monday is not written.
    pub week_start: Weekday,
}

impl Rule {
    /// The plain rule of a frequency.
    #[must_use]
    pub fn every(freq: Freq) -> Self {
        Self {
            freq,
            interval: 1,
            end: End::Never,
            by_day: Vec::new(),
            by_month_day: Vec::new(),
            by_month: Vec::new(),
            by_set_pos: Vec::new(),
            by_year_day: Vec::new(),
            by_week_no: Vec::new(),
            by_hour: Vec::new(),
            week_start: Weekday::Mon,
        }
    }

    /// Reads a rule without COUNT and UNTIL; `None` where it has parts this type does not.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        fn list<T: std::str::FromStr>(value: &str) -> Option<Vec<T>> {
            value.split(',').map(|one| one.trim_start_matches('+').parse().ok()).collect()
        }
        let mut rule = Self::every(Freq::Daily);
        let mut freq = None;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            match name.to_ascii_uppercase().as_str() {
                "FREQ" => freq = Freq::ALL.into_iter().find(|freq| freq.name().eq_ignore_ascii_case(value)),
                "INTERVAL" => rule.interval = value.parse().ok().filter(|interval| *interval > 0)?,
                "BYMONTH" => rule.by_month = list(value)?,
                "BYMONTHDAY" => rule.by_month_day = list(value)?,
                "BYYEARDAY" => rule.by_year_day = list(value)?,
                "BYWEEKNO" => rule.by_week_no = list(value)?,
                "BYHOUR" => rule.by_hour = list(value)?,
                "BYSETPOS" => rule.by_set_pos = list(value)?,
                "WKST" => rule.week_start = weekday(value)?,
                "BYDAY" => {
                    let day = |one: &str| {
                        let (nth, day) = one.split_at_checked(one.len().checked_sub(2)?)?;
                        let nth = nth.trim_start_matches('+');
                        Some((if nth.is_empty() { 0 } else { nth.parse().ok()? }, weekday(day)?))
                    };
                    rule.by_day = value.split(',').map(day).collect::<Option<_>>()?;
                }
                _ => return None,
            }
        }
        Some(Self { freq: freq?, ..rule })
    }

    /// The rule without COUNT and UNTIL.
    #[must_use]
    pub fn body(&self) -> String {
        let mut text = format!("FREQ={}", self.freq.name());
        let mut list = |name: &str, values: Vec<String>| {
            if !values.is_empty() {
                let _ = write!(text, ";{name}={}", values.join(","));
            }
        };
        list("INTERVAL", if self.interval == 1 { Vec::new() } else { vec![self.interval.to_string()] });
        list("BYMONTH", texts(&self.by_month));
        list("BYWEEKNO", texts(&self.by_week_no));
        list("BYYEARDAY", texts(&self.by_year_day));
        list("BYMONTHDAY", texts(&self.by_month_day));
        let day = |(nth, day): &(i32, Weekday)| {
            let nth = if *nth == 0 { String::new() } else { nth.to_string() };
            format!("{nth}{}", day_name(*day))
        };
        list("BYDAY", self.by_day.iter().map(day).collect());
        list("BYHOUR", texts(&self.by_hour));
        list("BYSETPOS", texts(&self.by_set_pos));
        list("WKST", if self.week_start == Weekday::Mon { Vec::new() } else { vec![day_name(self.week_start)] });
        text
    }
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

fn weekday(name: &str) -> Option<Weekday> {
    let days = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
    days.into_iter().find(|day| day_name(*day).eq_ignore_ascii_case(name))
}

fn day_name(day: Weekday) -> String {
    day.to_string().get(..2).unwrap_or_default().to_uppercase()
}

/// A VEVENT with RECURRENCE-ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// RECURRENCE-ID: where the rule has it.
    pub original: NaiveDateTime,
    /// DTSTART, where it was moved.
    pub start: Option<NaiveDateTime>,
    /// Its own length.
    pub length: Option<Length>,
    /// Its own SUMMARY.
    pub subject: Option<String>,
    /// STATUS:CANCELLED.
    pub cancelled: bool,
    /// RANGE=THISANDFUTURE.
    pub and_future: bool,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// UID.
    pub uid: String,
    /// SUMMARY.
    pub subject: String,
    /// DTSTART and all else are dates.
    pub all_day: bool,
    /// The zone of all its times.
    pub zone: Zone,
    /// DTSTART, by the event's own clock; midnight where it is a date.
    pub start: NaiveDateTime,
    /// DTEND, DURATION or neither.
    pub length: Length,
    /// RRULE lines.
    pub rules: Vec<Rule>,
    /// RDATE.
    pub rdates: Vec<NaiveDateTime>,
    /// EXDATE.
    pub exdates: Vec<NaiveDateTime>,
    /// Further VEVENTs of the same UID.
    pub overrides: Vec<Override>,
    /// Lines to add to each VEVENT, each ended by `\n`.
    pub more: String,
    /// STATUS:CANCELLED on the event itself.
    pub cancelled: bool,
}

impl Case {
    /// A single event of an hour.
    #[must_use]
    pub fn single(uid: &str, start: NaiveDateTime, zone: Zone) -> Self {
        Self {
            uid: uid.to_owned(),
            subject: "Planning".to_owned(),
            all_day: false,
            zone,
            start,
            length: Length::End(TimeDelta::hours(1)),
            rules: Vec::new(),
            rdates: Vec::new(),
            exdates: Vec::new(),
            overrides: Vec::new(),
            more: String::new(),
            cancelled: false,
        }
    }

    /// The instants a time of this event may stand for: one, or two where the clocks go back, and where they go forward the
    /// one the offset before that gives (RFC 5545 §3.3.5). Which of two is meant RFC 5545 says (the first) and .NET says
    /// otherwise; both count as right.
    #[must_use]
    pub fn instants(&self, local: NaiveDateTime) -> Vec<DateTime<Utc>> {
        if self.all_day {
            return vec![local.and_utc()];
        }
        let zone = self.zone.meaning();
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) => vec![at.to_utc()],
            LocalResult::Ambiguous(first, second) => vec![first.to_utc(), second.to_utc()],
            LocalResult::None => {
                let day = TimeDelta::days(1);
                let before = zone.from_local_datetime(&(local - day)).latest();
                before.map(|at| at.to_utc() + day).into_iter().collect()
            }
        }
    }

    /// Where DTEND stands for an occurrence's start: by the clock on the wall, and exactly as long as the first one
    /// (RFC 5545 §3.8.5.3 wants the latter of DTEND, calendars and Exchange do the former). Both count as right; they
    /// differ only where the clocks change in between.
    #[must_use]
    pub fn ends(&self, start: NaiveDateTime, length: Length) -> Vec<DateTime<Utc>> {
        let (days, seconds) = match length {
            Length::Nothing if self.all_day => (1, 0),
            Length::Nothing => (0, 0),
            Length::Duration(days, seconds) => (u64::from(days), i64::from(seconds)),
            Length::End(by) => {
                let mut ends = self.instants(start + by);
                let exact =
                    self.instants(self.start + by).first().zip(self.instants(self.start).first()).map(|(b, a)| *b - *a);
                ends.extend(self.instants(start).into_iter().zip(exact).map(|(at, exact)| at + exact));
                return ends;
            }
        };
        let nominal = start.checked_add_days(Days::new(days)).unwrap_or(start);
        let mut ends = self.instants(nominal + TimeDelta::seconds(seconds));
        ends.extend(self.instants(nominal).into_iter().map(|at| at + TimeDelta::seconds(seconds)));
        ends
    }

    /// The iCalendar text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//exact//EN\n");
        if let Zone::Named { definition, .. } = &self.zone {
            text.push_str(definition);
        }
        let mut lines = String::new();
        let _ = writeln!(lines, "{}", self.property("DTSTART", self.start));
        self.write_length(&mut lines, self.start, self.length);
        for rule in &self.rules {
            let _ = writeln!(lines, "RRULE:{}{}", rule.body(), self.end(rule.end));
        }
        for at in &self.rdates {
            let _ = writeln!(lines, "{}", self.property("RDATE", *at));
        }
        for at in &self.exdates {
            let _ = writeln!(lines, "{}", self.property("EXDATE", *at));
        }
        self.write_event(&mut text, &lines, &self.subject, self.cancelled);
        for change in &self.overrides {
            let mut lines = String::new();
            let name = if change.and_future { "RECURRENCE-ID;RANGE=THISANDFUTURE" } else { "RECURRENCE-ID" };
            let start = change.start.unwrap_or(change.original);
            let _ = writeln!(lines, "{}", self.property(name, change.original));
            let _ = writeln!(lines, "{}", self.property("DTSTART", start));
            self.write_length(&mut lines, start, change.length.unwrap_or(self.length));
            let subject = change.subject.as_deref().unwrap_or(&self.subject);
            self.write_event(&mut text, &lines, subject, change.cancelled);
        }
        text.push_str("END:VCALENDAR\n");
        text.replace('\n', "\r\n")
    }

    fn write_event(&self, text: &mut String, lines: &str, subject: &str, cancelled: bool) {
        let status = if cancelled { "STATUS:CANCELLED\n" } else { "" };
        let _ = write!(
            text,
            "BEGIN:VEVENT\nUID:{}\nDTSTAMP:20261101T000000Z\n{lines}SUMMARY:{subject}\n{status}{}END:VEVENT\n",
            self.uid, self.more
        );
    }

    fn write_length(&self, lines: &mut String, start: NaiveDateTime, length: Length) {
        let _ = match length {
            Length::End(by) => writeln!(lines, "{}", self.property("DTEND", start + by)),
            Length::Duration(days, 0) => writeln!(lines, "DURATION:P{days}D"),
            Length::Duration(0, seconds) => writeln!(lines, "DURATION:PT{seconds}S"),
            Length::Duration(days, seconds) => writeln!(lines, "DURATION:P{days}DT{seconds}S"),
            Length::Nothing => Ok(()),
        };
    }

    fn property(&self, name: &str, at: NaiveDateTime) -> String {
        if self.all_day {
            return format!("{name};VALUE=DATE:{}", at.format("%Y%m%d"));
        }
        let time = at.format("%Y%m%dT%H%M%S");
        match &self.zone {
            Zone::Utc => format!("{name}:{time}Z"),
            Zone::Floating => format!("{name}:{time}"),
            Zone::Named { id, .. } => format!("{name};TZID={id}:{time}"),
        }
    }

    /// UNTIL is written as RFC 5545 §3.3.10 wants it: a date for dates, UTC for zoned times, local for floating ones.
    fn end(&self, end: End) -> String {
        match end {
            End::Never => String::new(),
            End::Count(number) => format!(";COUNT={number}"),
            End::Until(at) if self.all_day => format!(";UNTIL={}", at.format("%Y%m%d")),
            End::Until(at) if self.zone == Zone::Floating => format!(";UNTIL={}", at.format("%Y%m%dT%H%M%S")),
            End::Until(at) => {
                let utc = self.instants(at).first().map_or(at, DateTime::naive_utc);
                format!(";UNTIL={}Z", utc.format("%Y%m%dT%H%M%S"))
            }
        }
    }
}

/// A date as the time dates stand for.
#[must_use]
pub fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}
