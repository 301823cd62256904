//! The days a rule names.
//!
//! Which days of a year fit a rule's BY parts depends on nothing but the weekday of its 1 January and whether it is a leap
//! year: there are 14 kinds of years. [`Grid`] holds the days of each kind, so two sets of days are equal for all time
//! exactly where their grids are. [`Phase`] says which intervals count.

use chrono::{Datelike, Days as Span, NaiveDate, Weekday, WeekdaySet};

use super::Refusal;
use super::rule::{Freq, Rule};

/// Kinds of years.
const KINDS: usize = 14;

/// The days of each kind of year: by kind and month, one bit per day of the month, bit 0 unused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid([[u32; 12]; KINDS]);

/// A year of each kind: common ones that begin on Monday to Sunday, then leap years.
const YEARS: [i32; KINDS] = [2001, 2002, 2003, 2009, 2010, 2011, 2006, 2024, 2008, 2020, 2004, 2016, 2000, 2012];

/// All of them, in order.
pub(crate) const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// A month of a kind of year.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Month {
    /// Its days.
    pub(crate) length: u32,
    first: Weekday,
}

impl Month {
    fn of(year: i32, number: u32) -> Option<Self> {
        let first = NaiveDate::from_ymd_opt(year, number, 1)?;
        Some(Self { length: u32::from(first.num_days_in_month()), first: first.weekday() })
    }

    /// Its days, by number, that are some weekday.
    pub(crate) fn days(&self, weekdays: WeekdaySet) -> impl Iterator<Item = u32> {
        let mut weekday = self.first.pred();
        (1..=self.length).filter(move |_| {
            weekday = weekday.succ();
            weekdays.contains(weekday)
        })
    }
}

fn kind_of(year: i32) -> usize {
    let first = NaiveDate::from_yo_opt(year, 1);
    let weekday = first.map_or(0, |day| day.weekday().num_days_from_monday());
    usize::try_from(weekday).unwrap_or(0) + if first.is_some_and(|day| day.leap_year()) { 7 } else { 0 }
}

fn days_of(year: i32) -> impl Iterator<Item = NaiveDate> {
    NaiveDate::from_yo_opt(year, 1)
        .into_iter()
        .flat_map(|day| day.iter_days())
        .take_while(move |day| day.year() == year)
}

impl Grid {
    /// The days for which `fits` holds.
    pub(crate) fn of(fits: impl Fn(NaiveDate) -> bool) -> Self {
        let mut grid = Self::empty();
        for year in YEARS {
            days_of(year).filter(|&day| fits(day)).for_each(|day| grid.put(day));
        }
        grid
    }

    /// The days of each month, bit by bit, of all months or of one.
    pub(crate) fn of_months(month: Option<u32>, days: impl Fn(&Month) -> u32) -> Self {
        let mut grid = Self::empty();
        for (year, bits) in YEARS.into_iter().zip(&mut grid.0) {
            for (number, bits) in (1..).zip(bits.iter_mut()) {
                if month.is_none_or(|month| month == number) {
                    *bits = Month::of(year, number).map_or(0, |month| days(&month));
                }
            }
        }
        grid
    }

    /// All days that are some weekday.
    pub(crate) fn of_weekdays(weekdays: &[Weekday]) -> Self {
        let set = WeekdaySet::from_iter(weekdays.iter().copied());
        Self::of_months(None, |month| month.days(set).fold(0, |bits, day| bits | 1 << day))
    }

    pub(crate) fn empty() -> Self {
        Self([[0; 12]; KINDS])
    }

    fn put(&mut self, day: NaiveDate) {
        if let Some(month) = self.0.get_mut(kind_of(day.year())).and_then(|year| year.get_mut(day.month0() as usize)) {
            *month |= 1 << day.day();
        }
    }

    pub(crate) fn has(&self, day: NaiveDate) -> bool {
        self.days_in_month(day) & (1 << day.day()) != 0
    }

    /// The bits of the month a day lies in.
    fn days_in_month(&self, day: NaiveDate) -> u32 {
        self.0.get(kind_of(day.year())).and_then(|year| year.get(day.month0() as usize)).copied().unwrap_or(0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().flatten().all(|&days| days == 0)
    }

    /// Whether all of its days are days of `other`.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().flatten().zip(other.0.iter().flatten()).all(|(own, others)| own & !others == 0)
    }

    /// Without the days of `other`.
    pub(crate) fn without(&self, other: &Self) -> Self {
        let mut rest = *self;
        rest.0.iter_mut().flatten().zip(other.0.iter().flatten()).for_each(|(own, others)| *own &= !others);
        rest
    }

    /// Only the days of one month, 1 to 12.
    pub(crate) fn in_month(&self, month: u32) -> Self {
        let mut only = *self;
        for year in &mut only.0 {
            for (number, days) in (1..).zip(year.iter_mut()) {
                if number != month {
                    *days = 0;
                }
            }
        }
        only
    }

    /// Whether one of its days is a day of `other`.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().flatten().zip(other.0.iter().flatten()).any(|(own, others)| own & others != 0)
    }

    /// The weekdays its days are.
    pub(crate) fn weekdays(&self) -> Vec<Weekday> {
        WEEK.into_iter().filter(|&day| self.meets(&Self::of_weekdays(&[day]))).collect()
    }

    /// The weekdays, where the days are all days of some weekdays and no others.
    pub(crate) fn whole_weekdays(&self) -> Option<Vec<Weekday>> {
        let found = self.weekdays();
        (Self::of_weekdays(&found) == *self).then_some(found)
    }

    /// The days a rule's BY parts name, in intervals that count (RFC 5545 §3.3.10, the table and the notes to it).
    fn of_rule(rule: &Rule, start: NaiveDate) -> Self {
        let mut rule = rule.clone();
        let nothing = rule.month_days.is_empty() && rule.weekdays.is_empty() && rule.year_days.is_empty();
        match rule.freq {
            Freq::Yearly if nothing => {
                if rule.months.is_empty() {
                    rule.months.push(start.month());
                }
                rule.month_days.extend(i32::try_from(start.day()));
            }
            Freq::Monthly if nothing => rule.month_days.extend(i32::try_from(start.day())),
            Freq::Weekly if nothing => rule.weekdays.push((None, start.weekday())),
            _ => {}
        }
        let numbered = rule.weekdays.iter().any(|(ordinal, _)| ordinal.is_some());
        let limited = !(rule.months.is_empty() && rule.month_days.is_empty() && rule.year_days.is_empty());
        if !numbered && !limited && rule.positions.is_empty() {
            let weekdays: Vec<Weekday> = rule.weekdays.iter().map(|&(_, weekday)| weekday).collect();
            return Self::of_weekdays(if weekdays.is_empty() { &WEEK } else { &weekdays });
        }
        let in_year = rule.freq == Freq::Yearly && rule.months.is_empty();
        let grid = Self::of(|day| fits(&rule, day, in_year));
        if rule.positions.is_empty() { grid } else { grid.at(&rule) }
    }

    /// BYSETPOS: of the days of each interval, those at certain positions.
    fn at(&self, rule: &Rule) -> Self {
        let mut picked = Self::empty();
        for year in YEARS {
            let all: Vec<NaiveDate> = days_of(year).filter(|&day| self.has(day)).collect();
            let sets: Vec<Vec<NaiveDate>> = if rule.freq == Freq::Monthly {
                (1..=12).map(|month| all.iter().copied().filter(|day| day.month() == month).collect()).collect()
            } else {
                vec![all]
            };
            for set in sets {
                for &position in &rule.positions {
                    let number = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
                    let at = if position > 0 { number.checked_sub(1) } else { set.len().checked_sub(number) };
                    if let Some(&day) = at.and_then(|at| set.get(at)) {
                        picked.put(day);
                    }
                }
            }
        }
        picked
    }
}

fn fits(rule: &Rule, day: NaiveDate, in_year: bool) -> bool {
    let length = i32::from(day.num_days_in_month());
    let year_length = if day.leap_year() { 366 } else { 365 };
    let in_list = |list: &[i32], number: u32, length: i32| {
        let number = i32::try_from(number).unwrap_or(0);
        list.is_empty() || list.contains(&number) || list.contains(&(number - length - 1))
    };
    let (position, size) = if in_year { (day.ordinal(), year_length) } else { (day.day(), length) };
    let nth = |ordinal: i32| {
        let position = i32::try_from(position).unwrap_or(0);
        ordinal == (position - 1) / 7 + 1 || ordinal == -((size - position) / 7 + 1)
    };
    (rule.months.is_empty() || rule.months.contains(&day.month()))
        && in_list(&rule.month_days, day.day(), length)
        && in_list(&rule.year_days, day.ordinal(), year_length)
        && (rule.weekdays.is_empty()
            || rule.weekdays.iter().any(|&(ordinal, weekday)| weekday == day.weekday() && ordinal.is_none_or(nth)))
}

/// Which intervals count: every so many days, weeks, months or years, from the one DTSTART lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Days { first: NaiveDate, every: u32 },
    Weeks { first: NaiveDate, every: u32, wkst: Weekday },
    Months { first: NaiveDate, every: u32 },
    Years { first: NaiveDate, every: u32 },
}

impl Phase {
    fn has(&self, day: NaiveDate) -> bool {
        let of = |distance: i64, every: u32| distance.rem_euclid(i64::from(every.max(1))) == 0;
        match *self {
            Self::Days { first, every } => of((day - first).num_days(), every),
            Self::Weeks { first, every, wkst } => of((week(day, wkst) - week(first, wkst)).num_days() / 7, every),
            Self::Months { first, every } => of(months(day) - months(first), every),
            Self::Years { first, every } => of(i64::from(day.year()) - i64::from(first.year()), every),
        }
    }
}

impl Phase {
    /// From a day in an interval that does not count, to a later day before which none counts.
    fn skip(&self, day: NaiveDate) -> Option<NaiveDate> {
        match *self {
            Self::Days { first, every } => {
                let over = (day - first).num_days().rem_euclid(i64::from(every.max(1)));
                day.checked_add_days(Span::new(u64::try_from(i64::from(every) - over).ok()?))
            }
            Self::Weeks { wkst, .. } => week(day, wkst).checked_add_days(Span::new(7)),
            Self::Months { .. } => first_of_next_month(day),
            Self::Years { .. } => NaiveDate::from_yo_opt(day.year() + 1, 1),
        }
    }
}

/// The first day of the week a day lies in.
fn week(day: NaiveDate, wkst: Weekday) -> NaiveDate {
    day.checked_sub_days(Span::new(u64::from(day.weekday().days_since(wkst)))).unwrap_or(day)
}

/// Months since the year 0.
pub(crate) fn months(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month0())
}

/// A rule's days, whatever its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    pub(crate) grid: Grid,
    pub(crate) phase: Phase,
    /// None lies before it.
    pub(crate) first: NaiveDate,
}

impl Days {
    /// The days of a rule that takes place on days.
    ///
    /// # Errors
    /// [`Refusal::NotExpressible`] for a rule that repeats within a day.
    pub(crate) fn of(rule: &Rule, start: NaiveDate) -> Result<Self, Refusal> {
        let every = rule.interval;
        let phase = match rule.freq {
            Freq::Daily => Phase::Days { first: start, every },
            Freq::Weekly => Phase::Weeks { first: start, every, wkst: rule.wkst },
            Freq::Monthly => Phase::Months { first: start, every },
            Freq::Yearly => Phase::Years { first: start, every },
            _ => return Err(Refusal::NotExpressible),
        };
        Ok(Self { grid: Grid::of_rule(rule, start), phase, first: start })
    }

    pub(crate) fn has(&self, day: NaiveDate) -> bool {
        day >= self.first && self.grid.has(day) && self.phase.has(day)
    }

    /// The days from `from` on, in order, to the end of what can be looked at. An interval of many years makes for long
    /// gaps, so there is an end to looking, too.
    pub(crate) fn from(&self, from: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let days = *self;
        let from = from.max(self.first);
        let last = from.checked_add_days(Span::new(HORIZON_DAYS)).unwrap_or(NaiveDate::MAX);
        let mut next = Some(from);
        std::iter::from_fn(move || {
            while let Some(day) = next.filter(|day| *day <= last) {
                if days.grid.days_in_month(day) == 0 {
                    next = first_of_next_month(day);
                } else if !days.phase.has(day) {
                    next = days.phase.skip(day);
                } else {
                    next = day.succ_opt();
                    if days.grid.has(day) {
                        return Some(day);
                    }
                }
            }
            None
        })
    }
}

fn first_of_next_month(day: NaiveDate) -> Option<NaiveDate> {
    day.with_day(1)?.checked_add_months(chrono::Months::new(1))
}

/// The Gregorian calendar repeats itself after 400 years: what has not happened by then never does, for intervals that
/// divide it.
const HORIZON_DAYS: u64 = 146_097;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_year_of_every_kind() {
        assert_eq!(YEARS.map(kind_of).to_vec(), (0..KINDS).collect::<Vec<_>>());
    }

    #[test]
    fn the_grid_of_a_rule_holds_for_every_year() {
        let start = NaiveDate::from_ymd_opt(2026, 1, 15).unwrap();
        let rule = Rule::read("FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3,10").unwrap();
        let days = Days::of(&rule, start).unwrap();
        let found: Vec<String> = days.from(start).take(4).map(|day| day.to_string()).collect();
        assert_eq!(found, ["2026-03-29", "2026-10-25", "2027-03-28", "2027-10-31"]);
        let rule = Rule::read("FREQ=YEARLY;BYDAY=20MO").unwrap();
        let found: Vec<String> = Days::of(&rule, start).unwrap().from(start).take(2).map(|d| d.to_string()).collect();
        // RFC 5545 §3.8.5.3 has 1997-05-19, 1998-05-18 for it.
        assert_eq!(found, ["2026-05-18", "2027-05-17"]);
        let rule = Rule::read("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2").unwrap();
        let found: Vec<String> = Days::of(&rule, start).unwrap().from(start).take(2).map(|d| d.to_string()).collect();
        assert_eq!(found, ["2026-01-29", "2026-02-26"]);
    }
}
