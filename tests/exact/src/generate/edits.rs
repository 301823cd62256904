//! Random edits of an event, as people make them.

use chrono::TimeDelta;

use super::{ZONES, exdate, length, override_one, rules};
use crate::case::{Case, End, Zone};
use crate::dice::Dice;
use crate::oracle::{self, Expand};

/// Edits the event at random; says how.
pub fn edit(dice: &mut Dice, case: &mut Case, expand: &mut dyn Expand) -> &'static str {
    match dice.below(12) {
        0 => {
            case.subject = format!("Renamed {}", dice.below(1_000));
            "renamed"
        }
        1 | 2 => {
            let rule = rules::such_as_people_make(dice, case.start);
            case.rules = vec![rules::ended(dice, case, rule)];
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
