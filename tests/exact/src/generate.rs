//! Random events and random edits of them.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Weekday};
use chrono_tz::Tz;

use crate::case::{Case, End, Freq, Length, Override, Rule, Zone, midnight};
use crate::dice::Dice;
use crate::oracle::{self, Expand};

const DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// Central Europe as many programs write it: a name nobody knows, and rules.
const CUSTOM: &str = "BEGIN:VTIMEZONE\nTZID:Customized Time Zone\nBEGIN:STANDARD\nDTSTART:16010101T030000\n\
    TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\n\
    DTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\n\
    END:VTIMEZONE\n";

const fn named(id: &'static str, zone: Tz) -> Zone {
    Zone::Named { id, zone, definition: "" }
}

/// Zones of every kind: with and without daylight saving, south of the equator, with half hours, not in Microsoft's list of
/// IANA names, by their Windows names, by nobody's name.
const ZONES: &[Zone] = &[
    Zone::Utc,
    Zone::Floating,
    named("Europe/Berlin", Tz::Europe__Berlin),
    named("Europe/Berlin", Tz::Europe__Berlin),
    named("Europe/Madrid", Tz::Europe__Madrid),
    named("Europe/London", Tz::Europe__London),
    named("America/New_York", Tz::America__New_York),
    named("America/Toronto", Tz::America__Toronto),
    named("America/Los_Angeles", Tz::America__Los_Angeles),
    named("America/Sao_Paulo", Tz::America__Sao_Paulo),
    named("Asia/Tokyo", Tz::Asia__Tokyo),
    named("Asia/Kolkata", Tz::Asia__Kolkata),
    named("Australia/Sydney", Tz::Australia__Sydney),
    named("Pacific/Auckland", Tz::Pacific__Auckland),
    named("W. Europe Standard Time", Tz::Europe__Berlin),
    named("Eastern Standard Time", Tz::America__New_York),
    Zone::Named { id: "Customized Time Zone", zone: Tz::Europe__Berlin, definition: CUSTOM },
];

const SUBJECTS: &[&str] = &["Planning", "Wöchentlich", "計画 📅", "Q3 – review", "x"];

/// A random event.
pub fn case(dice: &mut Dice, number: u64, expand: &mut dyn Expand) -> Case {
    let all_day = dice.percent(20);
    let zone = dice.pick(ZONES).cloned().unwrap_or(Zone::Utc);
    let mut start = moment(dice, all_day);
    let rule = rule(dice, start);
    let first = |rule: &Rule, start: NaiveDateTime, expand: &mut dyn Expand| {
        expand
            .expand(&rule.body(), start, start + TimeDelta::days(5 * 366), Some(1))
            .ok()
            .and_then(|d| d.first().copied())
    };
    // Most events begin where their rule does.
    if dice.percent(92)
        && let Some(on_rule) = first(&rule, start, expand)
    {
        start = on_rule;
    }
    let mut case = Case {
        length: length(dice, all_day),
        all_day,
        subject: dice.pick(SUBJECTS).map_or_else(String::new, |s| (*s).to_owned()),
        ..Case::single(&format!("case-{number}"), start, zone)
    };
    case.rules.push(ended(dice, &case, rule));
    if dice.percent(4) {
        let second = self::rule(dice, start);
        case.rules.push(ended(dice, &case, second));
    }
    disturb(dice, &mut case, expand);
    case
}

fn moment(dice: &mut Dice, all_day: bool) -> NaiveDateTime {
    let day = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap_or_default() + TimeDelta::days(dice.between(0, 729));
    if all_day {
        return midnight(day);
    }
    // People meet by day, mostly; now and then at night, where zones are odd.
    let hour = if dice.percent(85) { dice.between(7, 20) } else { dice.between(0, 23) };
    midnight(day) + TimeDelta::hours(hour) + TimeDelta::minutes(5 * dice.between(0, 11))
}

fn length(dice: &mut Dice, all_day: bool) -> Length {
    match (all_day, dice.below(10)) {
        (true, 0..=1) => Length::Nothing,
        (true, 2..=3) => Length::Duration(u16::try_from(dice.between(1, 3)).unwrap_or(1), 0),
        (true, _) => Length::End(TimeDelta::days(dice.between(1, 2))),
        (false, 0) => Length::Nothing,
        (false, 1) => Length::Duration(1, 0),
        (false, 2..=3) => Length::Duration(0, u32::try_from(300 * dice.between(1, 30)).unwrap_or(300)),
        (false, 4) => Length::End(TimeDelta::hours(dice.between(8, 26))),
        (false, _) => Length::End(TimeDelta::minutes(5 * dice.between(1, 36))),
    }
}

/// A random rule, without an end.
pub fn rule(dice: &mut Dice, start: NaiveDateTime) -> Rule {
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
fn ended(dice: &mut Dice, case: &Case, mut rule: Rule) -> Rule {
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

/// Adds RDATE, EXDATE and RECURRENCE-ID here and there.
pub fn disturb(dice: &mut Dice, case: &mut Case, expand: &mut dyn Expand) {
    if dice.percent(15) {
        for _ in 0..dice.between(1, 3) {
            rdate(dice, case);
        }
    }
    if dice.percent(35) {
        for _ in 0..dice.between(1, 3) {
            exdate(dice, case, expand);
        }
    }
    if dice.percent(35) {
        for _ in 0..dice.between(1, 3) {
            override_one(dice, case, expand);
        }
    }
    if dice.percent(4) {
        and_future(dice, case, expand);
    }
}

/// Dates of the event that nothing is said of yet, the first ones.
fn undisturbed(case: &Case, expand: &mut dyn Expand) -> Vec<NaiveDateTime> {
    let (_, to) = oracle::window(case);
    let dates: BTreeSet<NaiveDateTime> = oracle::dates(case, to, expand).unwrap_or_default();
    dates
        .into_iter()
        .filter(|at| !case.exdates.contains(at) && !case.overrides.iter().any(|change| change.original == *at))
        .take(40)
        .collect()
}

/// One more RDATE.
pub fn rdate(dice: &mut Dice, case: &mut Case) {
    let mut at = case.start + TimeDelta::days(dice.between(1, 300));
    if !case.all_day && dice.percent(50) {
        let noon = midnight(at.date()) + TimeDelta::hours(12);
        at = noon + TimeDelta::hours(dice.between(-3, 6));
    }
    if !case.rdates.contains(&at) {
        case.rdates.push(at);
    }
}

/// One more EXDATE, where there is a date left.
pub fn exdate(dice: &mut Dice, case: &mut Case, expand: &mut dyn Expand) {
    let dates = undisturbed(case, expand);
    // An event without any occurrence is no event any more.
    if dates.len() > 1
        && let Some(at) = dice.pick(&dates)
    {
        case.exdates.push(*at);
    }
}

/// One more RECURRENCE-ID: moved, renamed, longer, cancelled.
pub fn override_one(dice: &mut Dice, case: &mut Case, expand: &mut dyn Expand) {
    let dates = undisturbed(case, expand);
    let Some(original) = dice.pick(&dates).copied() else { return };
    let mut change =
        Override { original, start: None, length: None, subject: None, cancelled: false, and_future: false };
    match dice.below(10) {
        0 if dates.len() > 1 => change.cancelled = true,
        1..=3 => change.subject = Some(format!("Changed {}", dice.below(100))),
        4..=6 => change.start = Some(moved(dice, case, original, 300)),
        // Far: over its neighbours, which Graph does not allow.
        7 => change.start = Some(moved(dice, case, original, 60 * 24 * 20)),
        8 => change.length = Some(length(dice, case.all_day)),
        _ => {
            change.start = Some(moved(dice, case, original, 600));
            change.subject = Some(format!("Elsewhere {}", dice.below(100)));
            change.length = Some(length(dice, case.all_day));
        }
    }
    case.overrides.push(change);
}

fn moved(dice: &mut Dice, case: &Case, from: NaiveDateTime, minutes: i64) -> NaiveDateTime {
    if case.all_day {
        return from + TimeDelta::days(dice.between(1, 1 + minutes / 1_440));
    }
    from + TimeDelta::minutes(5 * dice.between(-minutes / 5, minutes / 5))
}

/// From one date on everything is called otherwise, or later on the same day.
pub fn and_future(dice: &mut Dice, case: &mut Case, expand: &mut dyn Expand) {
    if case.overrides.iter().any(|change| change.and_future) {
        return;
    }
    let dates = undisturbed(case, expand);
    let Some(original) = dice.pick(&dates).copied() else { return };
    let later = original.hour() < 20 && !case.all_day && dice.percent(50);
    case.overrides.push(Override {
        original,
        start: later.then(|| original + TimeDelta::hours(1)),
        length: None,
        subject: Some("From now on".to_owned()),
        cancelled: false,
        and_future: true,
    });
}

/// A random edit, as people make them.
pub fn edit(dice: &mut Dice, case: &mut Case, expand: &mut dyn Expand) -> &'static str {
    match dice.below(12) {
        0 => {
            case.subject = format!("Renamed {}", dice.below(1_000));
            "renamed"
        }
        1 | 2 => {
            let rule = rule_people_make(dice, case.start);
            case.rules = vec![ended(dice, case, rule)];
            forget_dates(case, expand);
            "another rule"
        }
        3 => {
            if !case.all_day {
                let shift = TimeDelta::minutes(15 * dice.between(-8, 8));
                shift_all(case, shift);
            }
            "another time of day"
        }
        4 => {
            if !case.all_day {
                case.zone = dice.pick(ZONES).cloned().unwrap_or(Zone::Utc);
            }
            "another zone"
        }
        5 | 6 => {
            exdate(dice, case, expand);
            "an occurrence deleted"
        }
        7 => {
            case.exdates.pop();
            "a deleted occurrence back"
        }
        8 | 9 => {
            override_one(dice, case, expand);
            "an occurrence changed"
        }
        10 => {
            case.overrides.pop();
            "a changed occurrence as it was"
        }
        _ => {
            case.length = length(dice, case.all_day);
            "longer or shorter"
        }
    }
}

/// A rule of the kinds that one series can say, for edits.
fn rule_people_make(dice: &mut Dice, start: NaiveDateTime) -> Rule {
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

/// Whatever named a date that is none any more goes.
fn forget_dates(case: &mut Case, expand: &mut dyn Expand) {
    let (_, to) = oracle::window(case);
    let dates = oracle::dates(case, to, expand).unwrap_or_default();
    case.exdates.retain(|at| dates.contains(at));
    case.overrides.retain(|change| dates.contains(&change.original));
}

/// The whole event at another time of the same day; what named dates moves along, as calendars do it.
fn shift_all(case: &mut Case, by: TimeDelta) {
    if (case.start + by).date() != case.start.date() {
        return;
    }
    case.start += by;
    for at in case.rdates.iter_mut().chain(&mut case.exdates) {
        *at += by;
    }
    for change in &mut case.overrides {
        change.original += by;
        change.start = change.start.map(|start| start + by);
    }
    for rule in &mut case.rules {
        if let End::Until(at) = &mut rule.end {
            *at += by;
        }
    }
}
