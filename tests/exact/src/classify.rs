//! Whether Microsoft can say an event, by graph-facts A3 and the fixed split (one series for each BYMONTHDAY × BYMONTH ×
//! ordinal BYDAY; an off-rule DTSTART and RDATEs as single events; at most 30 pieces). Written from those and not from the
//! product.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDateTime, TimeDelta};

use crate::case::{Case, Freq, Rule};
use crate::oracle::{self, Expand, Unknown};

/// The most pieces an event may be mirrored as.
pub const MOST_PIECES: usize = 30;

/// What Microsoft can say of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// All of it, with one event or series.
    Series,
    /// All of it, with at most so many series and single events.
    Set(usize),
    /// Not by the rules above; it may be refused.
    Neither(&'static str),
}

impl Fit {
    /// Its name in the tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Series => "one series",
            Self::Set(_) => "a set",
            Self::Neither(_) => "neither",
        }
    }
}

/// Classifies an event; `clamps`: whether Graph takes a month's last day for one it does not have.
///
/// # Errors
/// Where the oracle does not know the event's dates.
pub fn classify(case: &Case, clamps: bool, expand: &mut dyn Expand) -> Result<Fit, Unknown> {
    let (_, mut to) = oracle::window(case);
    if case.rules.len() > 1 {
        // Two that meet do so within this time, in which the weekdays come round to the same days.
        to += TimeDelta::days(28 * 366);
    }
    let mut pieces = 0;
    let mut on_rule = false;
    let mut of_rules: BTreeSet<NaiveDateTime> = BTreeSet::new();
    for rule in &case.rules {
        match pieces_of(case, rule, clamps) {
            Ok(number) => pieces += number,
            Err(why) => return Ok(Fit::Neither(why)),
        }
        let dates = oracle::dates_of(case, rule, to, expand)?;
        on_rule |= dates.contains(&case.start);
        for date in dates {
            if !of_rules.insert(date) {
                return Ok(Fit::Neither("two rules meet on one date"));
            }
        }
    }
    let one_rule = case.rules.len() == 1 && pieces == 1 && on_rule;
    let future = case.overrides.iter().filter(|change| change.and_future).count();
    // Each override that means all that follow cuts every rule in two.
    pieces *= 1 + future;
    let alone: BTreeSet<NaiveDateTime> =
        case.rdates.iter().copied().chain([case.start]).filter(|at| !of_rules.contains(at)).collect();
    pieces += alone.len();
    let is_one = future == 0 && (one_rule && alone.is_empty() || case.rules.is_empty() && alone.len() == 1);
    if is_one {
        return Ok(Fit::Series);
    }
    // A moved occurrence may have to become an event of its own, because Graph lets none cross its neighbour.
    let moved = case.overrides.iter().filter(|change| change.start.is_some()).count();
    let most = pieces + moved;
    Ok(if most <= MOST_PIECES { Fit::Set(most) } else { Fit::Neither("more than 30 pieces") })
}

/// How many series a rule needs.
fn pieces_of(case: &Case, rule: &Rule, clamps: bool) -> Result<usize, &'static str> {
    if !rule.by_year_day.is_empty() {
        return Err("BYYEARDAY");
    }
    if !rule.by_week_no.is_empty() {
        return Err("BYWEEKNO");
    }
    if !rule.by_hour.is_empty() {
        return Err("BYHOUR");
    }
    if i32::try_from(rule.interval).is_err() {
        return Err("INTERVAL beyond Int32");
    }
    let plain_days = rule.by_day.iter().all(|(nth, _)| *nth == 0);
    let has_month_parts = !rule.by_month.is_empty() || !rule.by_month_day.is_empty() || !rule.by_set_pos.is_empty();
    match rule.freq {
        Freq::Secondly | Freq::Minutely | Freq::Hourly => Err("several times a day"),
        Freq::Daily if has_month_parts => Err("DAILY with BYMONTH, BYMONTHDAY or BYSETPOS"),
        Freq::Daily if !rule.by_day.is_empty() && rule.interval != 1 => Err("DAILY with BYDAY and INTERVAL"),
        Freq::Weekly if has_month_parts => Err("WEEKLY with BYMONTH or BYSETPOS"),
        Freq::Daily | Freq::Weekly if plain_days => Ok(1),
        Freq::Daily | Freq::Weekly => Err("an ordinal on BYDAY of a day or week"),
        Freq::Monthly => {
            let months: Vec<Option<u32>> =
                if rule.by_month.is_empty() { vec![None] } else { rule.by_month.iter().copied().map(Some).collect() };
            months.into_iter().map(|month| pieces_in_month(case, rule, month, clamps)).sum()
        }
        Freq::Yearly => {
            let months = match (rule.by_month.as_slice(), rule.by_day.is_empty() && rule.by_month_day.is_empty()) {
                ([], true) => vec![case.start.month()],
                ([], false) => return Err("YEARLY with BYDAY or BYMONTHDAY without BYMONTH"),
                ([_, _, ..], _) if !rule.by_set_pos.is_empty() => return Err("BYSETPOS over several months of a year"),
                (months, _) => months.to_vec(),
            };
            months.into_iter().map(|month| pieces_in_month(case, rule, Some(month), clamps)).sum()
        }
    }
}

/// The series needed for one month (or for every month).
fn pieces_in_month(case: &Case, rule: &Rule, month: Option<u32>, clamps: bool) -> Result<usize, &'static str> {
    if !rule.by_day.is_empty() {
        if !rule.by_month_day.is_empty() {
            return Err("BYDAY with BYMONTHDAY");
        }
        let sayable = |nth: i32| (1..=4).contains(&nth) || nth == -1;
        if !rule.by_set_pos.is_empty() {
            let fits = rule.by_day.iter().all(|(nth, _)| *nth == 0) && rule.by_set_pos.iter().all(|pos| sayable(*pos));
            return match (fits, meet(&rule.by_set_pos)) {
                (true, false) => Ok(rule.by_set_pos.len()),
                (true, true) => Err("the fourth may be the last"),
                (false, _) => Err("BYSETPOS beyond 1 to 4 and -1"),
            };
        }
        if !rule.by_day.iter().all(|(nth, _)| sayable(*nth)) {
            return Err("BYDAY of a month without an ordinal, or with one beyond 1 to 4 and -1");
        }
        let same_day_meets = rule.by_day.iter().any(|(_, day)| {
            let ordinals: Vec<i32> = rule.by_day.iter().filter(|(_, d)| d == day).map(|(nth, _)| *nth).collect();
            meet(&ordinals)
        });
        return if same_day_meets { Err("the fourth may be the last") } else { Ok(rule.by_day.len()) };
    }
    if !rule.by_set_pos.is_empty() {
        return Err("BYSETPOS without BYDAY");
    }
    let own_day = i32::try_from(case.start.day()).unwrap_or(0);
    let days = if rule.by_month_day.is_empty() { vec![own_day] } else { rule.by_month_day.clone() };
    if days.contains(&-1) && days.iter().any(|day| *day >= 28) {
        return Err("a day that may be the last");
    }
    let mut pieces = 0;
    for day in days {
        pieces += match (day, month) {
            (1..=28, _) => 1,
            (29..=31, Some(month)) if day <= shortest(month) => 1,
            // Never.
            (29..=31, Some(month)) if month != 2 || day > 29 => 0,
            (29..=31, _) if clamps => return Err("a day not every month has"),
            (29..=31, _) => 1,
            (-1, _) if clamps => 1,
            (-1, _) => return Err("BYMONTHDAY=-1 without the clamp"),
            _ => return Err("negative BYMONTHDAY"),
        };
    }
    Ok(pieces)
}

/// The fourth and the last may be one day.
fn meet(ordinals: &[i32]) -> bool {
    ordinals.contains(&4) && ordinals.contains(&-1)
}

/// The days a month always has.
fn shortest(month: u32) -> i32 {
    match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
