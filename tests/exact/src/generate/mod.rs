//! Random events and random edits of them.

mod edits;
mod rules;

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use chrono_tz::Tz;

use crate::case::{Case, Length, Override, Rule, Zone, midnight};
use crate::dice::Dice;
use crate::oracle::{self, Expand};

pub use edits::edit;

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
    let rule = rules::rule(dice, start);
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
    case.rules.push(rules::ended(dice, &case, rule));
    if dice.percent(4) {
        let second = rules::rule(dice, start);
        case.rules.push(rules::ended(dice, &case, second));
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

/// Adds RDATE, EXDATE and RECURRENCE-ID here and there.
fn disturb(dice: &mut Dice, case: &mut Case, expand: &mut dyn Expand) {
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
fn rdate(dice: &mut Dice, case: &mut Case) {
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
fn exdate(dice: &mut Dice, case: &mut Case, expand: &mut dyn Expand) {
    let dates = undisturbed(case, expand);
    // An event without any occurrence is no event any more.
    if dates.len() > 1
        && let Some(at) = dice.pick(&dates)
    {
        case.exdates.push(*at);
    }
}

/// One more RECURRENCE-ID: moved, renamed, longer, cancelled.
fn override_one(dice: &mut Dice, case: &mut Case, expand: &mut dyn Expand) {
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
fn and_future(dice: &mut Dice, case: &mut Case, expand: &mut dyn Expand) {
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
