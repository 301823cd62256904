//! Random recurrence rules: of every frequency, most of them such as people make, some such as nobody would.

use chrono::{Datelike, NaiveDateTime, TimeDelta, Weekday};

use crate::case::{Case, End, Freq, Rule, midnight};
use crate::dice::Dice;

const DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// A random rule, without an end.
pub(super) fn rule(dice: &mut Dice, start: NaiveDateTime) -> Rule {
    let freq = match dice.below(100) {
        0..=2 => Freq::Secondly,
        3..=5 => Freq::Minutely,
        6..=9 => Freq::Hourly,
        10..=27 => Freq::Daily,
        28..=54 => Freq::Weekly,
        55..=80 => Freq::Monthly,
        _ => Freq::Yearly,
    };
    let mut rule = Rule::every(freq);
    if dice.percent(30) {
        rule.interval = u32::try_from(dice.between(2, 4)).unwrap_or(2);
    }
    if dice.percent(25) {
        rule.week_start = dice.pick(&[Weekday::Sun, Weekday::Sat, Weekday::Wed]).copied().unwrap_or(Weekday::Sun);
    }
    let number = usize::try_from(dice.between(1, 4)).unwrap_or(1);
    match freq {
        Freq::Secondly | Freq::Minutely | Freq::Hourly => {
            rule.interval = u32::try_from(dice.between(1, 90)).unwrap_or(1)
        }
        Freq::Daily if dice.percent(12) => rule.by_day = plain(&dice.some(&DAYS, number)),
        Freq::Daily if dice.percent(4) => rule.by_month = months(dice, 1),
        Freq::Daily => {}
        Freq::Weekly => {
            if dice.percent(80) {
                rule.by_day = plain(&dice.some(&DAYS, number));
            }
            if dice.percent(3) {
                rule.by_month = months(dice, 2);
            }
        }
        Freq::Monthly => {
            monthly(dice, &mut rule);
            if dice.percent(12) {
                let number = usize::try_from(dice.between(1, 3)).unwrap_or(1);
                rule.by_month = months(dice, number);
            }
        }
        Freq::Yearly => yearly(dice, &mut rule, start),
    }
    rule
}

fn monthly(dice: &mut Dice, rule: &mut Rule) {
    match dice.below(100) {
        0..=17 => {}
        18..=39 => rule.by_month_day = month_days(dice, 28),
        40..=46 => rule.by_month_day = vec![-1],
        47..=50 => rule.by_month_day = month_days(dice, 31),
        51..=52 => rule.by_month_day = vec![i32::try_from(dice.between(-10, -2)).unwrap_or(-2)],
        53..=79 => rule.by_day = ordinals(dice),
        80..=94 => {
            let sets: [&[Weekday]; 4] = [&[], &DAYS[..5], &DAYS[5..], &DAYS];
            let set = dice.pick(&sets).copied().unwrap_or_default();
            let number = usize::try_from(dice.between(1, 3)).unwrap_or(1);
            let some = dice.some(&DAYS, number);
            rule.by_day = plain(if set.is_empty() { &some } else { set });
            rule.by_set_pos = match dice.below(10) {
                0 => vec![1, -1],
                1 => vec![2, 3],
                2 => vec![-2],
                3 => vec![5],
                _ => vec![dice.pick(&[1, 2, 3, 4, -1]).copied().unwrap_or(1)],
            };
        }
        95..=96 => rule.by_day = plain(&dice.some(&DAYS, 1)),
        _ => {
            rule.by_day = plain(&[dice.pick(&DAYS).copied().unwrap_or(Weekday::Fri)]);
            rule.by_month_day = vec![13];
        }
    }
}

fn yearly(dice: &mut Dice, rule: &mut Rule, start: NaiveDateTime) {
    match dice.below(100) {
        0..=24 => {}
        25..=44 => {
            let number = usize::try_from(dice.between(1, 3)).unwrap_or(1);
            rule.by_month = months(dice, number);
            rule.by_month_day = month_days(dice, 28);
        }
        45..=64 => {
            let number = usize::try_from(dice.between(1, 2)).unwrap_or(1);
            rule.by_month = months(dice, number);
            rule.by_day = ordinals(dice);
        }
        65..=74 => {
            rule.by_month = months(dice, 1);
            rule.by_day = plain(&DAYS[..5]);
            rule.by_set_pos = vec![dice.pick(&[1, -1]).copied().unwrap_or(1)];
        }
        75..=82 => {
            rule.by_month = vec![start.month()];
            rule.by_month_day = vec![-1];
        }
        83..=86 => rule.by_year_day = vec![i32::try_from(dice.between(1, 366)).unwrap_or(1)],
        87..=89 => {
            rule.by_week_no = vec![i32::try_from(dice.between(1, 52)).unwrap_or(1)];
            rule.by_day = plain(&[Weekday::Mon]);
        }
        90..=92 => rule.by_month_day = month_days(dice, 28),
        _ => {
            rule.by_month = vec![dice.pick(&[2, 4, 10]).copied().unwrap_or(2)];
            rule.by_month_day = vec![29];
        }
    }
}

fn plain(days: &[Weekday]) -> Vec<(i32, Weekday)> {
    days.iter().map(|day| (0, *day)).collect()
}

fn months(dice: &mut Dice, number: usize) -> Vec<u32> {
    dice.some(&(1..=12).collect::<Vec<u32>>(), number)
}

fn month_days(dice: &mut Dice, last: i32) -> Vec<i32> {
    let number = if dice.percent(60) { 1 } else { usize::try_from(dice.between(2, 3)).unwrap_or(2) };
    let days: Vec<i32> = if last > 28 { (29..=last).collect() } else { (1..=last).collect() };
    dice.some(&days, if last > 28 { 1 } else { number })
}

fn ordinals(dice: &mut Dice) -> Vec<(i32, Weekday)> {
    let number = if dice.percent(65) { 1 } else { 2 };
    let days = dice.some(&DAYS, number);
    let nth = |dice: &mut Dice| dice.pick(&[1, 1, 2, 2, 3, 3, 4, -1, -1, 5]).copied().unwrap_or(1);
    days.into_iter().map(|day| (nth(dice), day)).collect()
}

/// The rule with a random end.
pub(super) fn ended(dice: &mut Dice, case: &Case, mut rule: Rule) -> Rule {
    rule.end = match dice.below(3) {
        0 => End::Never,
        1 => End::Count(u32::try_from(dice.between(1, 40)).unwrap_or(1)),
        _ => {
            let until = case.start + TimeDelta::days(dice.between(10, 900)) + TimeDelta::hours(dice.between(0, 23));
            End::Until(if case.all_day { midnight(until.date()) } else { until })
        }
    };
    rule
}

/// A rule of the kinds that one series can say, for edits.
pub(super) fn such_as_people_make(dice: &mut Dice, start: NaiveDateTime) -> Rule {
    let mut rule = Rule::every(dice.pick(&[Freq::Daily, Freq::Weekly, Freq::Monthly]).copied().unwrap_or(Freq::Weekly));
    rule.interval = u32::try_from(dice.between(1, 2)).unwrap_or(1);
    match rule.freq {
        Freq::Weekly => {
            let mut days = dice.some(&DAYS, 2);
            days.push(start.weekday());
            days.sort_by_key(Weekday::num_days_from_monday);
            days.dedup();
            rule.by_day = plain(&days);
        }
        Freq::Monthly => {
            let nth = i32::try_from(start.day().div_ceil(7)).unwrap_or(1);
            rule.by_day = vec![(if nth > 4 { -1 } else { nth }, start.weekday())];
        }
        _ => {}
    }
    rule
}
