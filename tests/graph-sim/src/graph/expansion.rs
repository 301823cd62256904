//! The days on which a recurrence takes place, by Microsoft's definition of its patterns.
//!
//! A pattern is looked at period by period (day, week, month, year), from the one `startDate` lies in, every `interval`
//! of them. What lies before `startDate` does not count; what is deleted later still counts towards `numbered`.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use crate::graph::recurrence::{End, Index, Kind, Pattern, Recurrence};

/// No calendar of Exchange goes further.
const LAST_YEAR: i32 = 4500;

impl Recurrence {
    /// The days, in order. With `clamp` a day the month does not have is its last one; without, that month is left out.
    pub(crate) fn days(&self, clamp: bool) -> impl Iterator<Item = NaiveDate> {
        let (pattern, range) = (&self.pattern, &self.range);
        let start = range.start;
        let days = (0u32..)
            .map_while(move |nth| pattern.period(start, nth, clamp))
            .flatten()
            .skip_while(move |day| *day < start);
        let (last, most) = match range.end {
            End::On(date) => (date, usize::MAX),
            End::Never => (NaiveDate::MAX, usize::MAX),
            End::After(number) => (NaiveDate::MAX, usize::try_from(number).unwrap_or(usize::MAX)),
        };
        days.take_while(move |day| *day <= last).take(most)
    }
}

impl Pattern {
    /// The days of one period, in order; `None` beyond the end of time.
    fn period(&self, start: NaiveDate, nth: u32, clamp: bool) -> Option<Vec<NaiveDate>> {
        let steps = nth.checked_mul(self.interval)?;
        let days = match self.kind {
            Kind::Daily => vec![start.checked_add_days(Days::new(u64::from(steps)))?],
            Kind::Weekly => {
                let into_week = start.weekday().days_since(self.first_day);
                let week = start
                    .checked_sub_days(Days::new(u64::from(into_week)))?
                    .checked_add_days(Days::new(u64::from(steps) * 7))?;
                week.iter_days().take(7).filter(|day| self.days.contains(&day.weekday())).collect()
            }
            Kind::AbsoluteMonthly | Kind::RelativeMonthly => {
                let months = i64::from(start.year()) * 12 + i64::from(start.month0()) + i64::from(steps);
                let year = i32::try_from(months.div_euclid(12)).ok()?;
                self.in_month(year, u32::try_from(months.rem_euclid(12)).ok()? + 1, clamp)?
            }
            Kind::AbsoluteYearly | Kind::RelativeYearly => {
                self.in_month(start.year().checked_add_unsigned(steps)?, self.month, clamp)?
            }
        };
        let over = days.first().is_some_and(|day| day.year() > LAST_YEAR);
        (!over).then_some(days)
    }

    fn in_month(&self, year: i32, month: u32, clamp: bool) -> Option<Vec<NaiveDate>> {
        if year > LAST_YEAR {
            return None;
        }
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let length = u32::from(first.num_days_in_month());
        if matches!(self.kind, Kind::AbsoluteMonthly | Kind::AbsoluteYearly) {
            let day = if clamp { self.day_of_month.min(length) } else { self.day_of_month };
            return Some(first.with_day(day).into_iter().collect());
        }
        Some(nth_of(first, length, &self.days, self.index).into_iter().collect())
    }
}

/// The day an index names among all days of the month that are one of `days`: one a month, however many days there are
/// ("on which instance of the allowed days … counted from the first instance in the month").
fn nth_of(first: NaiveDate, length: u32, days: &[Weekday], index: Index) -> Option<NaiveDate> {
    let mut fitting = (1..=length).filter_map(|day| first.with_day(day)).filter(|day| days.contains(&day.weekday()));
    match index {
        Index::Nth(nth) => fitting.nth(nth),
        Index::Last => fitting.next_back(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::switches::Switches;

    fn days(pattern: serde_json::Value, range: serde_json::Value, clamp: bool, most: usize) -> Vec<String> {
        let value = json!({"pattern": pattern, "range": range});
        let recurrence = Recurrence::read(&value, &Switches::default()).unwrap();
        recurrence.days(clamp).take(most).map(|day| day.to_string()).collect()
    }

    #[test]
    fn a_month_without_the_day_has_its_last_day_or_none() {
        let pattern = json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31});
        let range = json!({"type": "noEnd", "startDate": "2027-01-31"});
        assert_eq!(days(pattern.clone(), range.clone(), true, 3), ["2027-01-31", "2027-02-28", "2027-03-31"]);
        assert_eq!(days(pattern, range, false, 3), ["2027-01-31", "2027-03-31", "2027-05-31"]);
        let leap = json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2});
        let range = json!({"type": "noEnd", "startDate": "2028-02-29"});
        assert_eq!(days(leap.clone(), range.clone(), true, 2), ["2028-02-29", "2029-02-28"]);
        assert_eq!(days(leap, range, false, 2), ["2028-02-29", "2032-02-29"]);
    }

    #[test]
    fn weeks_begin_on_their_first_day() {
        let weekly = |first: &str| {
            let pattern =
                json!({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": first});
            days(pattern, json!({"type": "numbered", "startDate": "1997-08-05", "numberOfOccurrences": 4}), true, 9)
        };
        // The example of RFC 5545 for WKST.
        assert_eq!(weekly("monday"), ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]);
        assert_eq!(weekly("sunday"), ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]);
    }

    #[test]
    fn several_days_of_a_relative_pattern_are_one_set() {
        let weekdays = json!(["monday", "tuesday", "wednesday", "thursday", "friday"]);
        let nth = |index: &str| {
            let pattern = json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": weekdays, "index": index});
            days(pattern, json!({"type": "noEnd", "startDate": "2027-05-01"}), true, 1).concat()
        };
        // 1 May 2027 is a Saturday.
        assert_eq!([nth("first"), nth("second"), nth("last")], ["2027-05-03", "2027-05-04", "2027-05-31"]);
    }

    #[test]
    fn the_first_occurrence_may_be_later_than_the_start_date() {
        let pattern =
            json!({"type": "relativeYearly", "interval": 1, "daysOfWeek": ["monday"], "index": "first", "month": 9});
        let range = json!({"type": "endDate", "startDate": "2027-10-01", "endDate": "2029-09-03"});
        assert_eq!(days(pattern, range, true, 9), ["2028-09-04", "2029-09-03"]);
        let daily = json!({"type": "daily", "interval": 2147483647});
        assert_eq!(days(daily, json!({"type": "noEnd", "startDate": "2027-10-01"}), true, 9), ["2027-10-01"]);
    }
}
