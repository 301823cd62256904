//! A rule's days → patterns of Microsoft's that have exactly these days, each once.
//!
//! What is equal is equal for ever, because it is compared on [`Grid`]s: a pattern is taken only where all of its days are
//! days of the rule that no other pattern has yet, and the rule is covered only where no day is left over.

use chrono::{Datelike, NaiveDate, Weekday};

use super::Refusal;
use super::days::{Days, Grid, Phase, WEEK};
use super::pattern::{Index, Pattern, Shape};

/// What may be relied on at Microsoft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reliance {
    /// A day the month does not have is taken for its last one.
    pub(crate) clamp: bool,
}

/// A pattern, and the first day of the rule's that is its.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) pattern: Pattern,
    pub(crate) first: NaiveDate,
    /// It must end before this day, after which the pattern and the rule part.
    pub(crate) before: Option<NaiveDate>,
}

/// Covers a rule's days from `from` on. `wkst` is the rule's.
///
/// # Errors
/// [`Refusal::NotExpressible`] where a day is left over.
pub(crate) fn cover(days: &Days, wkst: Weekday, from: NaiveDate, on: Reliance) -> Result<Vec<Covered>, Refusal> {
    if days.grid.is_empty() {
        return Ok(Vec::new());
    }
    let weekdays = days.grid.whole_weekdays();
    match (days.phase, weekdays) {
        (Phase::Days { every, .. }, Some(weekdays)) if weekdays.len() == WEEK.len() => {
            Ok(first_of(days, Pattern { shape: Shape::Daily, interval: every }, from).into_iter().collect())
        }
        (Phase::Weeks { every, .. }, Some(weekdays)) => {
            let shape = Shape::Weekly { days: weekdays, wkst };
            Ok(first_of(days, Pattern { shape, interval: every }, from).into_iter().collect())
        }
        // Every such weekday of every interval: of every week.
        (
            Phase::Days { every: 1, .. } | Phase::Months { every: 1, .. } | Phase::Years { every: 1, .. },
            Some(weekdays),
        ) => {
            let shape =
                if weekdays.len() == WEEK.len() { Shape::Daily } else { Shape::Weekly { days: weekdays, wkst } };
            Ok(first_of(days, Pattern { shape, interval: 1 }, from).into_iter().collect())
        }
        (Phase::Days { every, .. }, Some(weekdays)) => some_weekdays_of_days(days, every, &weekdays, from),
        (Phase::Days { every: 1, .. } | Phase::Weeks { every: 1, .. }, None) => {
            let daily = Days { phase: Phase::Years { first: days.first, every: 1 }, ..*days };
            months_and_years(&daily, from, on)
        }
        (Phase::Days { .. } | Phase::Weeks { .. }, None) => Err(Refusal::NotExpressible),
        (Phase::Months { .. } | Phase::Years { .. }, _) => months_and_years(days, from, on),
    }
}

/// The pattern from the rule's first day on that is its; nothing where the rule never has one.
fn first_of(days: &Days, pattern: Pattern, from: NaiveDate) -> Option<Covered> {
    let grid = pattern.shape.grid();
    let first = days.from(from).find(|&day| grid.has(day))?;
    Some(Covered { pattern, first, before: None })
}

/// Every so many days, if it is one of some weekdays: the same weekday comes round every seventh time, or always.
fn some_weekdays_of_days(
    days: &Days,
    every: u32,
    weekdays: &[Weekday],
    from: NaiveDate,
) -> Result<Vec<Covered>, Refusal> {
    let interval = if every.is_multiple_of(7) { Some(every) } else { every.checked_mul(7) };
    let interval = interval.filter(|&interval| i32::try_from(interval).is_ok()).ok_or(Refusal::NotExpressible)?;
    let covered = weekdays.iter().filter_map(|&weekday| {
        let first = days.from(from).take_while(|day| (*day - from).num_days() <= i64::from(interval) * 2);
        let first = first.into_iter().find(|day| day.weekday() == weekday)?;
        Some(Covered { pattern: Pattern { shape: Shape::Daily, interval }, first, before: None })
    });
    Ok(covered.collect())
}

/// One weekday or several first: what is taken first may leave a rest that no pattern has, where the other order leaves none.
fn months_and_years(days: &Days, from: NaiveDate, on: Reliance) -> Result<Vec<Covered>, Refusal> {
    let single: Vec<Vec<Weekday>> = WEEK.iter().map(|&day| vec![day]).collect();
    let several = sets(&days.grid);
    let own_first: Vec<_> = several.iter().rev().chain(&single).cloned().collect();
    in_order(days, from, on, &[single, several].concat()).or_else(|_| in_order(days, from, on, &own_first))
}

/// Covers the days with what sets of weekdays give, taken in their order.
fn in_order(days: &Days, from: NaiveDate, on: Reliance, sets: &[Vec<Weekday>]) -> Result<Vec<Covered>, Refusal> {
    let mut covered = Vec::new();
    let mut rest = days.grid;
    let monthly = match days.phase {
        Phase::Months { every, .. } => Some(every),
        Phase::Years { every: 1, .. } => Some(1),
        _ => None,
    };
    if let Some(interval) = monthly {
        take(&mut rest, sets, None, on, |shape| covered.extend(first_of(days, Pattern { shape, interval }, from)));
    }
    let yearly = match days.phase {
        Phase::Months { every, .. } => every / greatest_common_divisor(every, 12),
        Phase::Years { every, .. } => every,
        _ => return Err(Refusal::NotExpressible),
    };
    for month in 1..=12 {
        let mut of_month = rest.in_month(month);
        if of_month.is_empty() || !comes_round(days, month) {
            continue;
        }
        take(&mut of_month, sets, Some(month), on, |shape| {
            covered.extend(first_of(days, Pattern { shape, interval: yearly }, from));
        });
        if of_month.is_empty() {
            continue;
        }
        if of_month != leap_day() {
            return Err(Refusal::NotExpressible);
        }
        covered.extend(leap_years(days, yearly, from)?);
    }
    Ok(covered)
}

/// Takes every pattern that has only days of `rest`.
fn take(rest: &mut Grid, sets: &[Vec<Weekday>], month: Option<u32>, on: Reliance, mut taken: impl FnMut(Shape)) {
    let absolute = (1..=31).map(|day| Shape::Absolute { day, month });
    let relative =
        sets.iter().flat_map(|days| Index::ALL.map(|index| Shape::Relative { index, days: days.clone(), month }));
    for shape in absolute.chain(relative) {
        if rest.is_empty() {
            return;
        }
        let grid = shape.grid();
        if grid.is_empty() || !grid.is_within(rest) || (!on.clamp && leans_on_clamp(&shape, &grid)) {
            continue;
        }
        *rest = rest.without(&grid);
        taken(shape);
    }
}

/// Whether some day of a shape is there only because its month has not the day that is named.
fn leans_on_clamp(shape: &Shape, grid: &Grid) -> bool {
    matches!(shape, Shape::Absolute { day, .. } if !grid.is_within(&Grid::of_months(None, |of| if *day <= of.length { 1 << *day } else { 0 })))
}

/// Sets of weekdays that a "last weekday of the month" may be about: working days, the weekend, all, and those the rule
/// itself seems to speak of.
fn sets(grid: &Grid) -> Vec<Vec<Weekday>> {
    let (working, weekend) = WEEK.split_at(5);
    let mut sets = vec![working.to_vec(), weekend.to_vec(), WEEK.to_vec()];
    let own = grid.weekdays();
    if own.len() > 1 && !sets.contains(&own) {
        sets.push(own);
    }
    sets
}

fn leap_day() -> Grid {
    Grid::of_months(Some(2), |of| if of.length == 29 { 1 << 29 } else { 0 })
}

/// 29 February, which comes every fourth year but in most years that end a century. A series for it ends before the next
/// year that breaks the rhythm, 2100.
fn leap_years(days: &Days, every: u32, from: NaiveDate) -> Result<Option<Covered>, Refusal> {
    let interval = (every / greatest_common_divisor(every, 4)).checked_mul(4);
    let interval = interval.filter(|&interval| i32::try_from(interval).is_ok()).ok_or(Refusal::NotExpressible)?;
    let leap = leap_day();
    let Some(first) = days.from(from).find(|&day| leap.has(day)) else { return Ok(None) };
    let broken = (first.year()..).find(|year| year % 100 == 0 && year % 400 != 0);
    let before = broken.and_then(|year| NaiveDate::from_ymd_opt(year, 1, 1));
    let pattern = Pattern { shape: Shape::Absolute { day: 29, month: Some(2) }, interval };
    Ok(Some(Covered { pattern, first, before }))
}

/// Whether a month ever lies in an interval that counts.
fn comes_round(days: &Days, month: u32) -> bool {
    match days.phase {
        Phase::Months { first, every } => {
            let step = i64::from(greatest_common_divisor(every, 12));
            (i64::from(month) - i64::from(first.month())).rem_euclid(step) == 0
        }
        _ => true,
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a.max(1) } else { greatest_common_divisor(b, a % b) }
}
