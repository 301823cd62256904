//! Pieces against the rule they stand for: Microsoft's side is expanded here by Microsoft's definition, the rule by another
//! library than ours.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use proptest::prelude::*;
use serde_json::Value;

use super::cover::Reliance;
use super::plan::{Piece, plan};
use super::*;
use crate::calendar::{self, read};
use crate::domain::Account;

mod invited;

const CLAMP: Reliance = Reliance { clamp: true };
const NO_CLAMP: Reliance = Reliance { clamp: false };

/// A VEVENT with these lines, read.
fn series(lines: &str) -> Result<Series, calendar::recurring::SeriesFault> {
    let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n");
    let account = Account { address: "alice@example.org".into(), ..Account::default() };
    read(&text, &account).unwrap().series.unwrap()
}

#[track_caller]
fn planned(lines: &str, on: Reliance) -> Result<Vec<Piece>, Refusal> {
    match series(lines) {
        Ok(series) => plan(&series, on),
        Err(calendar::recurring::SeriesFault::Refused(refusal)) => Err(refusal),
        Err(other) => panic!("{other:?}: {lines}"),
    }
}

fn weekday(name: &str) -> Weekday {
    name.parse().unwrap()
}

/// The days of a `patternedRecurrence`, by the definition of its resource types and `graph-facts` A3.
fn microsofts_days(recurrence: &Value, clamp: bool, until: NaiveDate) -> Vec<NaiveDate> {
    let (pattern, range) = (&recurrence["pattern"], &recurrence["range"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let date = |value: &Value| text(value).parse::<NaiveDate>().unwrap();
    let start = date(&range["startDate"]);
    let interval = number(&pattern["interval"]);
    let days: Vec<Weekday> =
        pattern["daysOfWeek"].as_array().into_iter().flatten().map(|day| weekday(&text(day))).collect();
    let in_month = |year: i32, month: u32| -> Option<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let length = u32::from(first.num_days_in_month());
        if let Some(day) = pattern["dayOfMonth"].as_u64() {
            let day = u32::try_from(day).unwrap();
            return first.with_day(if clamp { day.min(length) } else { day });
        }
        let fitting: Vec<NaiveDate> =
            first.iter_days().take(length as usize).filter(|day| days.contains(&day.weekday())).collect();
        match text(&pattern["index"]).as_str() {
            "last" => fitting.last().copied(),
            index => fitting
                .get(["first", "second", "third", "fourth"].iter().position(|name| *name == index).unwrap())
                .copied(),
        }
    };
    let mut found: Vec<NaiveDate> = Vec::new();
    for step in 0_u32.. {
        let steps = u64::from(step) * u64::from(interval);
        let (floor, some): (NaiveDate, Vec<NaiveDate>) = match text(&pattern["type"]).as_str() {
            "daily" => {
                let day = start + Days::new(steps);
                (day, vec![day])
            }
            "weekly" => {
                let first_day = weekday(&text(&pattern["firstDayOfWeek"]));
                let week = start - Days::new(u64::from(start.weekday().days_since(first_day))) + Days::new(steps * 7);
                (week, week.iter_days().take(7).filter(|day| days.contains(&day.weekday())).collect())
            }
            "absoluteMonthly" | "relativeMonthly" => {
                let month = u64::from(start.month0()) + steps;
                let (year, month) = (start.year() + (month / 12) as i32, (month % 12) as u32 + 1);
                (NaiveDate::from_ymd_opt(year, month, 1).unwrap(), in_month(year, month).into_iter().collect())
            }
            _ => {
                let (year, month) = (start.year() + steps as i32, number(&pattern["month"]));
                (NaiveDate::from_ymd_opt(year, month, 1).unwrap(), in_month(year, month).into_iter().collect())
            }
        };
        if floor > until {
            break;
        }
        found.extend(some.into_iter().filter(|day| *day >= start && *day <= until));
    }
    match text(&range["type"]).as_str() {
        "noEnd" => {}
        "endDate" => found.retain(|day| *day <= date(&range["endDate"])),
        _ => found.truncate(number(&range["numberOfOccurrences"]) as usize),
    }
    // The start of the event is on the day the range starts with, and so is its first occurrence.
    assert_eq!(found.first(), Some(&start), "{recurrence}");
    found
}

/// All occurrences at Microsoft up to a day, each with the number of times it stands there.
fn at_microsoft(pieces: &[Piece], clamp: bool, until: NaiveDate) -> BTreeMap<NaiveDateTime, usize> {
    let mut found = BTreeMap::new();
    for piece in pieces {
        let start = piece.event.span.start.local;
        let Some(repeats) = &piece.repeats else {
            *found.entry(start).or_default() += 1;
            continue;
        };
        for day in microsofts_days(&repeats.recurrence, clamp, until) {
            assert!(repeats.has(day), "{day}: {}", repeats.recurrence);
            match repeats.changes.get(&day) {
                None => *found.entry(day.and_time(start.time())).or_default() += 1,
                Some(plan::Change::Removed) => {}
                Some(plan::Change::Edited(event)) => *found.entry(event.span.start.local).or_default() += 1,
            }
        }
    }
    found.retain(|local, _| local.date() <= until);
    found
}

/// The occurrences of a rule by the crate `rrule`, with DTSTART as RFC 5545 has it: always there, and counted.
fn by_rrule(start: NaiveDateTime, rule: &str, until: NaiveDate) -> Option<Vec<NaiveDateTime>> {
    let end = rrule::Tz::UTC.from_utc_datetime(&until.and_hms_opt(23, 59, 59).unwrap());
    let expand = |rule: &str| -> Option<Vec<NaiveDateTime>> {
        let text = format!("DTSTART:{}\nRRULE:{rule}", start.format("%Y%m%dT%H%M%SZ"));
        let set: rrule::RRuleSet = text.parse().ok()?;
        Some(set.before(end).all(20_000).dates.into_iter().map(|date| date.naive_utc()).collect())
    };
    let mut found = expand(rule)?;
    if !found.contains(&start) {
        found.insert(0, start);
        if let Some(count) = rule.split(';').find_map(|part| part.strip_prefix("COUNT=")) {
            found.truncate(count.parse().unwrap());
        }
    }
    Some(found)
}

#[track_caller]
fn assert_exact(start: NaiveDateTime, rule: &str) -> Option<usize> {
    let until = start.date() + Days::new(365 * 9);
    let lines = format!("DTSTART:{}\r\nRRULE:{rule}\r\n", start.format("%Y%m%dT%H%M%SZ"));
    let expected = by_rrule(start, rule, until)?;
    let mut pieces_needed = None;
    for (on, clamp) in [(CLAMP, true), (NO_CLAMP, true), (NO_CLAMP, false)] {
        let Ok(pieces) = planned(&lines, on) else { continue };
        pieces_needed.get_or_insert(pieces.len());
        assert!(pieces.len() <= MAX_PIECES);
        let found = at_microsoft(&pieces, clamp, until);
        let twice: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "{rule} from {start}: twice {twice:?}");
        let found: Vec<NaiveDateTime> = found.into_keys().collect();
        let odd = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        assert!(
            found == expected,
            "{rule} from {start}, clamp {clamp}, in {} pieces: {} of {}, {odd:?}",
            pieces.len(),
            found.len(),
            expected.len()
        );
    }
    pieces_needed
}

fn at(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

#[test]
fn rules_take_as_few_pieces_as_microsoft_allows() {
    let start = at("2026-12-01T10:00:00");
    for (rule, pieces) in [
        ("FREQ=DAILY", 1),
        ("FREQ=DAILY;INTERVAL=3;COUNT=10", 1),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", 1),
        ("FREQ=DAILY;INTERVAL=2;BYDAY=TU,WE", 2),
        ("FREQ=DAILY;INTERVAL=14;BYDAY=TU", 1),
        ("FREQ=WEEKLY", 1),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU;WKST=SU", 1),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU;WKST=MO;COUNT=5", 1),
        ("FREQ=WEEKLY;BYDAY=TU;UNTIL=20270301T095959Z", 1),
        ("FREQ=WEEKLY;BYDAY=TU;UNTIL=20270302T100000Z", 1),
        ("FREQ=WEEKLY;COUNT=1", 1),
        // DTSTART is not on the rule: an event of its own beside the series.
        ("FREQ=WEEKLY;BYDAY=MO", 2),
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", 2),
        ("FREQ=MONTHLY", 1),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", 2),
        ("FREQ=MONTHLY;BYDAY=1TU", 1),
        ("FREQ=MONTHLY;BYDAY=2TU,3WE", 3),
        ("FREQ=MONTHLY;BYDAY=TU;BYMONTHDAY=1,2,3,4,5,6,7", 1),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", 1),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", 2),
        ("FREQ=MONTHLY;BYDAY=MO,TH;BYSETPOS=2", 2),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", 2),
        ("FREQ=MONTHLY;BYMONTHDAY=-2;COUNT=12", 12),
        ("FREQ=MONTHLY;BYDAY=TU", 1),
        ("FREQ=MONTHLY;INTERVAL=5;BYMONTH=12,5", 2),
        ("FREQ=MONTHLY;BYMONTHDAY=31", 8),
        ("FREQ=MONTHLY;BYMONTHDAY=30", 12),
        ("FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=29", 7),
        ("FREQ=YEARLY", 1),
        ("FREQ=YEARLY;BYMONTH=12,3", 2),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", 2),
        ("FREQ=YEARLY;BYMONTHDAY=1", 1),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTHDAY=1", 12),
        ("FREQ=YEARLY;BYDAY=TU", 1),
        ("FREQ=YEARLY;BYYEARDAY=1", 2),
        ("FREQ=YEARLY;BYYEARDAY=-1", 2),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", 2),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", 2),
        ("FREQ=YEARLY;BYMONTH=12;BYDAY=MO,TU;BYSETPOS=1", 1),
        ("FREQ=DAILY;BYMONTHDAY=1,2", 2),
        ("FREQ=DAILY;BYHOUR=10,14;COUNT=8", 2),
        ("FREQ=HOURLY;COUNT=5", 5),
        ("FREQ=YEARLY;BYMONTH=1;BYDAY=TU;COUNT=6", 6),
    ] {
        assert_eq!(assert_exact(start, rule), Some(pieces), "{rule}");
    }
}

#[test]
fn what_cannot_be_said_exactly_is_refused_with_its_reason() {
    let lines = |rule: &str| format!("DTSTART:20261201T100000Z\r\nRRULE:{rule}\r\n");
    for (rule, refusal) in [
        ("FREQ=MONTHLY;BYDAY=5TU", Refusal::NotExpressible),
        ("FREQ=MONTHLY;BYDAY=-2TU", Refusal::NotExpressible),
        ("FREQ=MONTHLY;BYDAY=4TU,-1TU", Refusal::NotExpressible),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", Refusal::NotExpressible),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=TU", Refusal::NotExpressible),
        ("FREQ=YEARLY;BYDAY=20MO", Refusal::NotExpressible),
        ("FREQ=YEARLY;BYYEARDAY=100", Refusal::NotExpressible),
        ("FREQ=WEEKLY;BYMONTH=1", Refusal::NotExpressible),
        ("FREQ=HOURLY", Refusal::NotExpressible),
        ("FREQ=HOURLY;COUNT=31", Refusal::TooManyPieces),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTHDAY=1,2,3", Refusal::TooManyPieces),
        ("FREQ=YEARLY;BYWEEKNO=3", Refusal::NotExpressible),
        ("FREQ=WEEKLY;X=1", Refusal::Unreadable),
    ] {
        assert_eq!(planned(&lines(rule), CLAMP).map(|pieces| pieces.len()), Err(refusal), "{rule}");
    }
    let exrule = format!("{}EXRULE:FREQ=DAILY;INTERVAL=2\r\n", lines("FREQ=DAILY"));
    assert_eq!(planned(&exrule, CLAMP).map(|pieces| pieces.len()), Err(Refusal::NotExpressible));
    let nowhere = "DTSTART;TZID=Customized Time Zone:20261201T100000\r\nRRULE:FREQ=DAILY\r\n";
    assert_eq!(planned(nowhere, CLAMP).map(|pieces| pieces.len()), Err(Refusal::ZoneUnknown));
    let nothing =
        "DTSTART:20261201T100000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\nEXDATE:20261201T100000Z,20261202T100000Z\r\n";
    assert_eq!(planned(nothing, CLAMP).map(|pieces| pieces.len()), Err(Refusal::NoOccurrences));
}

#[test]
fn the_last_day_of_the_month_leans_on_the_clamp_only_where_it_may() {
    let lines = "DTSTART:20260131T100000Z\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1\r\n";
    let [piece] = &planned(lines, CLAMP).unwrap()[..] else { panic!() };
    let repeats = piece.repeats.as_ref().unwrap();
    assert_eq!(repeats.recurrence["pattern"]["dayOfMonth"], 31);
    assert_eq!(repeats.clamped, NaiveDate::from_ymd_opt(2026, 2, 28));
    let [piece] = &planned(lines, NO_CLAMP).unwrap()[..] else { panic!() };
    let repeats = piece.repeats.as_ref().unwrap();
    assert_eq!((&repeats.recurrence["pattern"]["index"], repeats.clamped), (&"last".into(), None));
    // No short month in it: nothing to lean on.
    let july = "DTSTART:20260731T100000Z\r\nRRULE:FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=31\r\n";
    let [piece] = &planned(july, NO_CLAMP).unwrap()[..] else { panic!() };
    assert_eq!(piece.repeats.as_ref().unwrap().clamped, None);
}

#[test]
fn a_leap_day_keeps_its_rhythm_to_the_end_of_the_century() {
    let pieces = planned("DTSTART;VALUE=DATE:20280229\r\nRRULE:FREQ=YEARLY\r\n", CLAMP).unwrap();
    let recurrence = &pieces[0].repeats.as_ref().unwrap().recurrence;
    assert_eq!((pieces.len(), &recurrence["pattern"]["interval"]), (1, &4.into()));
    assert_eq!(recurrence["range"]["endDate"], "2096-02-29");
}

#[test]
fn the_end_is_a_day_of_the_series_own_zone() {
    let until = |rule: &str| {
        let lines = format!("DTSTART;TZID=America/Los_Angeles:20261201T200000\r\nDURATION:PT1H\r\nRRULE:{rule}\r\n");
        let pieces = planned(&lines, CLAMP).unwrap();
        let range = pieces[0].repeats.as_ref().unwrap().recurrence["range"].clone();
        assert_eq!(range["recurrenceTimeZone"], "Pacific Standard Time");
        range["endDate"].as_str().unwrap().to_owned()
    };
    // Eight in the evening there is four in the morning of the next day in UTC.
    assert_eq!(until("FREQ=DAILY;UNTIL=20261211T040000Z"), "2026-12-10");
    assert_eq!(until("FREQ=DAILY;UNTIL=20261211T035959Z"), "2026-12-09");
    assert_eq!(until("FREQ=DAILY;UNTIL=20261210"), "2026-12-10");
    assert_eq!(until("FREQ=DAILY;UNTIL=20261210T195959"), "2026-12-09");
}

#[test]
fn exceptions_and_extra_dates_find_their_piece() {
    let lines = "DTSTART;TZID=Europe/Berlin:20261201T100000\r\nDTEND;TZID=Europe/Berlin:20261201T110000\r\n\
        RRULE:FREQ=WEEKLY;COUNT=5\r\nEXDATE;TZID=Europe/Berlin:20261208T100000\r\nEXDATE:20261215T090000Z\r\n\
        RDATE;TZID=Europe/Berlin:20261203T150000,20261222T100000\r\n\
        RDATE;VALUE=PERIOD:20261204T100000Z/PT3H\r\nSUMMARY:x\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20261222T090000Z\r\nDTSTART;TZID=Europe/Berlin:20261222T120000\r\n\
        DTEND;TZID=Europe/Berlin:20261222T123000\r\nSUMMARY:later\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;TZID=Europe/Berlin:20261203T150000\r\nDTSTART:20261203T160000Z\r\n\
        SUMMARY:extra\r\n";
    let pieces = planned(lines, CLAMP).unwrap();
    assert_eq!(pieces.len(), 3);
    let repeats = pieces[0].repeats.as_ref().unwrap();
    let changes: Vec<String> = repeats.changes.keys().map(NaiveDate::to_string).collect();
    assert_eq!(changes, ["2026-12-08", "2026-12-15", "2026-12-22"]);
    assert!(matches!(repeats.changes.values().last(), Some(plan::Change::Edited(event)) if event.subject == "later"));
    // 29 December, 11 o'clock in Berlin.
    assert_eq!(pieces[0].last_end_ms, Some(1_798_538_400_000));
    let singles: Vec<(&str, String)> = pieces[1..]
        .iter()
        .map(|piece| (piece.event.subject.as_str(), piece.event.span.end.local.to_string()))
        .collect();
    assert_eq!(singles, [("x", "2026-12-04 14:00:00".to_owned()), ("extra", "2026-12-03 16:00:00".to_owned())]);
}

#[test]
fn this_and_future_splits_the_series() {
    let lines = "DTSTART;TZID=Europe/Berlin:20261201T100000\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=6\r\nSUMMARY:a\r\n\
        END:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261222T100000\r\n\
        DTSTART;TZID=Europe/Berlin:20261222T113000\r\nDURATION:PT2H\r\nSUMMARY:b\r\n";
    let pieces = planned(lines, CLAMP).unwrap();
    let said: Vec<(&str, String, &Value)> = pieces
        .iter()
        .map(|piece| {
            let range = &piece.repeats.as_ref().unwrap().recurrence["range"]["endDate"];
            (piece.event.subject.as_str(), piece.event.span.start.local.to_string(), range)
        })
        .collect();
    assert_eq!(
        said,
        [
            ("b", "2026-12-22 11:30:00".to_owned(), &"2027-01-05".into()),
            ("a", "2026-12-01 10:00:00".to_owned(), &"2026-12-15".into()),
        ]
    );
    // Across midnight, and by days: another weekday of another week's beginning.
    let moved = lines.replace("20261222T113000", "20261224T003000").replace("COUNT=6", "COUNT=6;INTERVAL=2");
    let moved = moved.replace("20261222T100000", "20261229T100000").replace("20261224T003000", "20261231T003000");
    let pieces = planned(&moved, CLAMP).unwrap();
    let later = &pieces[0].repeats.as_ref().unwrap().recurrence;
    assert_eq!(later["pattern"]["daysOfWeek"], serde_json::json!(["thursday"]));
    assert_eq!(later["pattern"]["firstDayOfWeek"], "wednesday");
    assert_eq!(
        (&later["range"]["startDate"], &later["range"]["endDate"]),
        (&"2026-12-31".into(), &"2027-02-11".into())
    );
    assert_eq!(pieces[0].event.span.start.local, at("2026-12-31T00:30:00"));
    // Microsoft splits at a day of its own, which is two days after the rule's.
    let mut split = series(&moved).unwrap();
    split.base.as_mut().unwrap().split = "2027-01-14".parse().ok();
    let starts: Vec<String> =
        plan(&split, CLAMP).unwrap().iter().map(|piece| piece.event.span.start.local.date().to_string()).collect();
    assert_eq!(starts, ["2027-01-14", "2026-12-31", "2026-12-01"]);
    // By days of the month it is the same pattern only within every month.
    let monthly = |moved: &str| {
        lines.replace("WEEKLY;COUNT=6", "MONTHLY;BYMONTHDAY=22;COUNT=6").replace("20261222T113000", moved)
    };
    assert_eq!(planned(&monthly("20261225T113000"), CLAMP).map(|pieces| pieces.len()), Ok(2));
    assert_eq!(planned(&monthly("20261230T113000"), CLAMP).map(|pieces| pieces.len()), Err(Refusal::NotExpressible));
}

#[test]
fn the_newest_of_several_changes_of_an_occurrence_counts() {
    let change = |sequence: u32, subject: &str, status: &str| {
        format!(
            "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20261208T100000Z\r\nDTSTART:20261208T120000Z\r\n\
             SEQUENCE:{sequence}\r\nSTATUS:{status}\r\nSUMMARY:{subject}\r\n"
        )
    };
    let said = |changes: &[String]| {
        let lines = format!("DTSTART:20261201T100000Z\r\nRRULE:FREQ=WEEKLY\r\n{}", changes.concat());
        let pieces = planned(&lines, CLAMP).unwrap();
        match pieces[0].repeats.as_ref().unwrap().changes.values().next() {
            Some(plan::Change::Edited(event)) => event.subject.clone(),
            Some(plan::Change::Removed) => "removed".to_owned(),
            None => "nothing".to_owned(),
        }
    };
    let (old, new) = (change(1, "old", "CONFIRMED"), change(3, "new", "CONFIRMED"));
    assert_eq!(said(&[old.clone(), new.clone()]), "new");
    assert_eq!(said(&[new.clone(), old.clone()]), "new");
    assert_eq!(said(&[change(2, "", "CANCELLED"), old]), "removed");
    assert_eq!(said(&[change(2, "", "CANCELLED"), new]), "new");
}

#[test]
fn a_period_at_the_start_says_how_long_it_is() {
    let pieces = planned("DTSTART:20150219T133000Z\r\nRDATE;VALUE=PERIOD:20150219T133000Z/PT10H\r\n", CLAMP).unwrap();
    assert_eq!((pieces.len(), pieces[0].event.span.end.local), (1, at("2015-02-19T23:30:00")));
}

#[test]
fn a_zone_known_by_its_rules_must_have_kept_them_then() {
    // Always two hours ahead: that is what Kaliningrad does now, and did not in 2014.
    let zone = "BEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0200\r\n\
        TZOFFSETTO:+0200\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
    let text = |start: &str| {
        format!(
            "BEGIN:VCALENDAR\r\n{zone}BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Own:{start}\r\nRRULE:FREQ=DAILY\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    };
    for year in [1971, 2014, 2026] {
        let start = format!("{year}0409T093000");
        let reading = read(&text(&start), &Account::default()).unwrap();
        let instant = reading.event.unwrap().span.start.utc_ms;
        assert_eq!(instant, at(&format!("{year}-04-09T07:30:00")).and_utc().timestamp_millis());
        match reading.series.unwrap() {
            Ok(series) => assert_eq!(plan(&series, CLAMP).unwrap()[0].event.span.start.utc_ms, instant),
            Err(fault) => assert_eq!(fault, calendar::recurring::SeriesFault::Refused(Refusal::ZoneUnknown)),
        }
    }
}

#[test]
fn a_series_begins_at_an_hour_there_is() {
    // On 28 March 2027 the clocks in Berlin go from two to three o'clock.
    let lines =
        "DTSTART;TZID=Europe/Berlin:20270328T025500\r\nDURATION:PT35M\r\nRRULE:FREQ=YEARLY;COUNT=3\r\nSUMMARY:x\r\n";
    let pieces = planned(lines, CLAMP).unwrap();
    let said: Vec<(bool, &str, String, String)> = pieces
        .iter()
        .map(|piece| {
            let (start, end) = (&piece.event.span.start, &piece.event.span.end);
            (piece.repeats.is_some(), start.zone, start.local.to_string(), end.local.to_string())
        })
        .collect();
    let row = |repeats, zone, start: &str, end: &str| (repeats, zone, start.to_owned(), end.to_owned());
    assert_eq!(
        said,
        [
            row(true, "W. Europe Standard Time", "2028-03-28 02:55:00", "2028-03-28 03:30:00"),
            row(false, "UTC", "2027-03-28 01:55:00", "2027-03-28 02:30:00"),
        ]
    );
    let once = planned(&lines.replace("COUNT=3", "COUNT=1"), CLAMP).unwrap();
    assert!(once.len() == 1 && once[0].repeats.is_none());
}

#[test]
fn several_rules_must_not_meet() {
    let two = |second: &str| {
        planned(&format!("DTSTART:20261201T100000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=TU\r\nRRULE:{second}\r\n"), CLAMP)
            .map(|pieces| pieces.len())
    };
    assert_eq!(two("FREQ=MONTHLY;BYDAY=1TH"), Ok(2));
    assert_eq!(two("FREQ=MONTHLY;BYMONTHDAY=7"), Err(Refusal::NotExpressible));
}

#[test]
fn single_invitations_to_a_series_are_single_events() {
    let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20261208T100000Z\r\nDTSTART:20261208T110000Z\r\n\
        END:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20261215T100000Z\r\nDTSTART:20261215T100000Z\r\n\
        STATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let series = read(text, &Account::default()).unwrap().series.unwrap().unwrap();
    let pieces = plan(&series, CLAMP).unwrap();
    assert_eq!((pieces.len(), pieces[0].repeats.is_none()), (1, true));
    assert_eq!(pieces[0].event.span.start.local, at("2026-12-08T11:00:00"));
}

fn list(of: impl Strategy<Value = String>, most: usize) -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.35, prop::collection::vec(of, 1..=most).prop_map(|list| list.join(",")))
}

/// Rules of every kind that the grammar allows.
fn any_rule() -> impl Strategy<Value = String> {
    const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let ordinal = prop_oneof![
        Just(String::new()),
        (1_i32..=5).prop_map(|n| n.to_string()),
        (1_i32..=2).prop_map(|n| format!("-{n}"))
    ];
    let day = (ordinal, 0..7_usize).prop_map(|(ordinal, day)| format!("{ordinal}{}", DAYS[day]));
    let month_day =
        prop_oneof![(1..=31_i32).prop_map(|day| day.to_string()), Just("-1".to_owned()), Just("-2".to_owned())];
    let end = prop_oneof![
        2 => Just(String::new()),
        1 => (1..60_u32).prop_map(|count| format!(";COUNT={count}")),
        1 => (0..1_500_u64, 0..24_u32).prop_map(|(days, hour)| {
            let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(days);
            format!(";UNTIL={}", day.and_hms_opt(hour, 0, 0).unwrap().format("%Y%m%dT%H%M%SZ"))
        }),
    ];
    let freq = prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let position = prop::sample::select(vec!["1", "2", "-1", "1,-1"]);
    (
        (freq, 1..5_u32, end, prop::sample::select(vec!["", ";WKST=SU", ";WKST=MO", ";WKST=WE"])),
        list(day, 3),
        list(month_day, 2),
        list((1..=12_u32).prop_map(|month| month.to_string()), 3),
        prop::option::weighted(0.15, position),
    )
        .prop_map(|((freq, interval, end, wkst), mut days, month_days, months, position)| {
            let limited = matches!(freq, "DAILY" | "WEEKLY");
            if limited || month_days.is_some() {
                let plain = |days: String| days.replace(|c: char| c.is_ascii_digit() || c == '-', "");
                days = days.map(plain);
            }
            let mut rule = format!("FREQ={freq};INTERVAL={interval}{wkst}{end}");
            let mut add = |name: &str, list: Option<String>| {
                if let Some(list) = list {
                    rule.push_str(&format!(";{name}={list}"));
                }
            };
            let by = days.is_some() || month_days.is_some();
            add("BYDAY", days);
            add("BYMONTHDAY", month_days.filter(|_| freq != "WEEKLY"));
            add("BYMONTH", months);
            add("BYSETPOS", position.map(str::to_owned).filter(|_| by && !limited));
            rule
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_pieces_are_the_rule(rule in any_rule(), day in 0..400_u64, minute in 0..1_440_u32) {
        let time = NaiveTime::from_num_seconds_from_midnight_opt(minute * 60, 0).unwrap();
        let start = (NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(day)).and_time(time);
        assert_exact(start, &rule);
    }
}

#[test]
fn lengths_and_intervals_beyond_all_measure_are_refused() {
    // 262,000 years is as far as a date can be reckoned.
    let long = "DTSTART:20261201T100000Z\r\nDURATION:P13560000W\r\nRRULE:FREQ=YEARLY;UNTIL=99991231T000000Z\r\n";
    assert!(matches!(series(long), Err(calendar::recurring::SeriesFault::Event(_))));
    for period in ["20261208T100000Z/P4000000000W", "20261208T100000Z/20261208T090000Z"] {
        let lines = format!("DTSTART:20261201T100000Z\r\nRDATE;VALUE=PERIOD:{period}\r\n");
        assert_eq!(planned(&lines, CLAMP).map(|pieces| pieces.len()), Err(Refusal::Unreadable), "{period}");
    }
    // Every so many years, of which Microsoft would have to be told four times as many.
    let leap = "DTSTART:20280229T100000Z\r\nRRULE:FREQ=YEARLY;INTERVAL=2147483647\r\n";
    assert_eq!(planned(leap, CLAMP).map(|pieces| pieces.len()), Err(Refusal::NotExpressible));
}
