//! Dates, zones and fields as they come from real programs.

use chrono::{NaiveDate, TimeZone};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::event::{Importance, Sensitivity};
use super::times::Moment;
use super::*;
use crate::domain::Account;

fn account(zone: Option<&str>) -> Account {
    Account { address: "alice@example.org".into(), time_zone: zone.map(str::to_owned), ..Account::default() }
}

fn calendar(zones: &str, lines: &str) -> String {
    format!("BEGIN:VCALENDAR\r\n{zones}BEGIN:VEVENT\r\nUID:1\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n")
}

#[track_caller]
pub(super) fn event(lines: &str) -> Event {
    read(&calendar("", lines), &account(None)).unwrap().event.unwrap()
}

/// `2026-12-01T10:00 in W. Europe Standard Time`
fn said(moment: Moment) -> String {
    format!("{} in {}", moment.local.format("%Y-%m-%dT%H:%M"), moment.zone)
}

#[track_caller]
fn assert_span(lines: &str, zone: Option<&str>, start: &str, end: &str) {
    let event = read(&calendar("", lines), &account(zone)).unwrap().event.unwrap();
    assert_eq!((said(event.span.start).as_str(), said(event.span.end).as_str()), (start, end), "{lines}");
}

#[test]
fn times_keep_their_zone_by_its_windows_name() {
    assert_span(
        "DTSTART;TZID=Europe/Madrid:20261201T100000\r\nDTEND;TZID=America/Toronto:20261201T100000\r\n",
        None,
        "2026-12-01T10:00 in Romance Standard Time",
        "2026-12-01T10:00 in Eastern Standard Time",
    );
    assert_span(
        "DTSTART:20261201T100000Z\r\nDURATION:PT1H30M\r\n",
        None,
        "2026-12-01T10:00 in UTC",
        "2026-12-01T11:30 in UTC",
    );
    assert_span(
        "DTSTART:20261201T100000\r\nDTEND:20261201T110000\r\n",
        Some("Asia/Tokyo"),
        "2026-12-01T10:00 in Tokyo Standard Time",
        "2026-12-01T11:00 in Tokyo Standard Time",
    );
    assert_span("DTSTART:20261201T100000\r\n", None, "2026-12-01T10:00 in UTC", "2026-12-01T10:00 in UTC");
    // A zone nobody defines is read as the account's own.
    assert_span(
        "DTSTART;TZID=Nowhere:20261201T100000\r\n",
        Some("Europe/Berlin"),
        "2026-12-01T10:00 in W. Europe Standard Time",
        "2026-12-01T10:00 in W. Europe Standard Time",
    );
    // A zone Windows has not goes as the instant it means.
    assert_span(
        "DTSTART;TZID=Antarctica/Troll:20261201T100000\r\n",
        None,
        "2026-12-01T10:00 in UTC",
        "2026-12-01T10:00 in UTC",
    );
}

#[test]
fn hours_that_come_twice_or_never_go_as_instants() {
    let twice = "DTSTART;TZID=Europe/Berlin:20261025T023000\r\nDURATION:PT1H\r\n";
    assert_span(twice, None, "2026-10-25T00:30 in UTC", "2026-10-25T01:30 in UTC");
    let never = "DTSTART;TZID=Europe/Berlin:20260329T023000\r\nDTEND;TZID=Europe/Berlin:20260329T040000\r\n";
    assert_span(never, None, "2026-03-29T01:30 in UTC", "2026-03-29T04:00 in W. Europe Standard Time");
    // That moves a start behind its end; then the event is as long as it says.
    let short = "DTSTART;TZID=Europe/Berlin:20260329T023500\r\nDTEND;TZID=Europe/Berlin:20260329T031500\r\n";
    assert_span(short, None, "2026-03-29T01:35 in UTC", "2026-03-29T02:15 in UTC");
}

#[test]
fn days_of_a_duration_are_days_of_the_calendar_and_hours_are_hours() {
    for (duration, end) in [("P1D", "2026-10-25T12:00"), ("PT24H", "2026-10-25T11:00"), ("P1W", "2026-10-31T12:00")] {
        let lines = format!("DTSTART;TZID=Europe/Berlin:20261024T120000\r\nDURATION:{duration}\r\n");
        let end = format!("{end} in W. Europe Standard Time");
        assert_span(&lines, None, "2026-10-24T12:00 in W. Europe Standard Time", &end);
    }
    // A day later at an hour that does not exist: by the offset before it, like any such hour.
    let never = "DTSTART;TZID=Europe/Berlin:20260328T023000\r\nDURATION:P1D\r\n";
    assert_span(
        never,
        None,
        "2026-03-28T02:30 in W. Europe Standard Time",
        "2026-03-29T03:30 in W. Europe Standard Time",
    );
}

#[test]
fn whole_days_are_dates_without_a_zone() {
    for (lines, end) in [
        ("DTSTART;VALUE=DATE:20261201\r\n", "02"),
        ("DTSTART;VALUE=DATE:20261201\r\nDTEND;VALUE=DATE:20261201\r\n", "02"),
        ("DTSTART;VALUE=DATE:20261201\r\nDTEND;VALUE=DATE:20261204\r\n", "04"),
        ("DTSTART;VALUE=DATE:20261201\r\nDURATION:P2D\r\n", "03"),
        ("DTSTART;VALUE=DATE:20261201\r\nDURATION:PT25H\r\n", "03"),
        ("DTSTART;VALUE=DATE:20261201\r\nDTEND:20261202T120000Z\r\n", "03"),
    ] {
        let read = read(&calendar("", lines), &account(Some("America/New_York"))).unwrap().event.unwrap();
        assert!(read.span.all_day);
        assert_eq!(said(read.span.start), "2026-12-01T00:00 in UTC");
        assert_eq!(said(read.span.end), format!("2026-12-{end}T00:00 in UTC"), "{lines}");
        // For the host's clock the day begins where the account is.
        assert_eq!(read.span.start.utc_ms, 1_796_101_200_000);
    }
    assert!(!event("DTSTART:20261201T000000Z\r\nDTEND:20261202T000000Z\r\n").span.all_day);
}

#[test]
fn definitions_of_zones_are_used_where_names_fail() {
    let definition = |id: &str, extra: &str| {
        format!(
            "BEGIN:VTIMEZONE\r\nTZID:{id}\r\n{extra}\
             BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:-0300\r\nTZOFFSETTO:-0400\r\n\
             RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\r\nEND:STANDARD\r\n\
             BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0300\r\n\
             RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
        )
    };
    let start = |id: &str, extra: &str, date: &str| {
        let text = calendar(&definition(id, extra), &format!("DTSTART;TZID=\"{id}\":{date}T100000\r\n"));
        said(read(&text, &account(None)).unwrap().event.unwrap().span.start)
    };
    // By what the definition says of daylight saving, which is what one zone of Microsoft's does.
    for date in ["20261201", "20260115", "20260701", "20260308", "20260307", "20261101"] {
        let (year, rest) = date.split_at(4);
        let (month, day) = rest.split_at(2);
        let said = format!("{year}-{month}-{day}T10:00 in Atlantic Standard Time");
        assert_eq!(start("Customized Time Zone", "", date), said);
        assert_eq!(start("GMT -0400 (Standard) / GMT -0300 (Daylight)", "", date), said);
    }
    // No zone of Microsoft's changes its clocks so: an instant.
    let odd = |date: &str| {
        let zones = definition("Own", "").replace("BYDAY=2SU", "BYDAY=3SU");
        let text = calendar(&zones, &format!("DTSTART;TZID=Own:{date}T100000\r\n"));
        said(read(&text, &account(None)).unwrap().event.unwrap().span.start)
    };
    for (date, said) in [
        ("20261201", "2026-12-01T14:00 in UTC"),
        ("20260701", "2026-07-01T13:00 in UTC"),
        ("20260315", "2026-03-15T13:00 in UTC"),
        ("20260314", "2026-03-14T14:00 in UTC"),
        ("20261101", "2026-11-01T14:00 in UTC"),
    ] {
        assert_eq!(odd(date), said, "{date}");
    }
    assert_eq!(
        start("Mine", "X-LIC-LOCATION:America/Halifax\r\n", "20261201"),
        "2026-12-01T10:00 in Atlantic Standard Time"
    );
    assert_eq!(start("Mine", "X-MICROSOFT-CDO-TZID:4\r\n", "20261201"), "2026-12-01T10:00 in W. Europe Standard Time");
    assert_eq!(start("W. Europe Standard Time", "", "20261201"), "2026-12-01T10:00 in W. Europe Standard Time");
}

#[test]
fn the_first_display_alarm_before_the_start_is_the_reminder() {
    let alarm = |lines: &str| format!("BEGIN:VALARM\r\n{lines}\r\nEND:VALARM\r\n");
    let base = "DTSTART:20261201T100000Z\r\nDTEND:20261201T110000Z\r\n";
    for (alarms, minutes) in [
        (String::new(), None),
        (alarm("ACTION:DISPLAY\r\nTRIGGER:-PT15M"), Some(15)),
        (alarm("ACTION:DISPLAY\r\nTRIGGER:PT0S"), Some(0)),
        (alarm("ACTION:DISPLAY\r\nTRIGGER:-P1W"), Some(10_080)),
        (alarm("ACTION:DISPLAY\r\nTRIGGER;VALUE=DURATION;RELATED=START:-P1DT2H30M"), Some(1_590)),
        (alarm("ACTION:DISPLAY\r\nTRIGGER;RELATED=END:-PT1H"), Some(0)),
        (alarm("ACTION:DISPLAY\r\nTRIGGER;RELATED=END:-PT30M"), None),
        (alarm("ACTION:DISPLAY\r\nTRIGGER;RELATED=END:PT0S"), None),
        (alarm("ACTION:DISPLAY\r\nTRIGGER:+PT5M"), None),
        (alarm("action:display\r\ntrigger:PT5M") + &alarm("ACTION:DISPLAY\r\nTRIGGER:-PT10M"), Some(10)),
        (alarm("ACTION:DISPLAY\r\nTRIGGER;VALUE=DATE-TIME:20261201T100100Z"), None),
        (alarm("ACTION:NONE\r\nTRIGGER;VALUE=DATE-TIME:19760401T005545Z"), None),
        (alarm("ACTION:DISPLAY\r\nTRIGGER:soon") + &alarm("ACTION:DISPLAY"), None),
        (alarm("ACTION:DISPLAY\r\nTRIGGER;RELATED=END:-PT2H"), Some(60)),
        (alarm("ACTION:DISPLAY\r\nTRIGGER;VALUE=DATE-TIME:20261201T093000Z"), Some(30)),
        (alarm("ACTION:EMAIL\r\nTRIGGER:-P1D") + &alarm("ACTION:DISPLAY\r\nTRIGGER:-PT5M"), Some(5)),
        (alarm("ACTION:DISPLAY\r\nTRIGGER:PT5M"), None),
        (alarm("ACTION:AUDIO\r\nTRIGGER:-PT5M"), None),
    ] {
        assert_eq!(event(&format!("{base}{alarms}")).reminder, minutes, "{alarms}");
    }
}

#[test]
fn an_alarm_that_rings_once_is_no_reminder_of_a_series() {
    let alarm = |trigger: &str| format!("BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER{trigger}\r\nEND:VALARM\r\n");
    let once = alarm(";VALUE=DATE-TIME:20261201T093000Z");
    for (line, alarms, minutes) in [
        ("RRULE:FREQ=DAILY;COUNT=3\r\n", once.clone(), None),
        ("RDATE:20261203T100000Z\r\n", once.clone(), None),
        ("RRULE:FREQ=DAILY;COUNT=3\r\n", once.clone() + &alarm(":-PT5M"), Some(5)),
        ("RECURRENCE-ID:20261201T100000Z\r\n", once, Some(30)),
    ] {
        assert_eq!(event(&format!("DTSTART:20261201T100000Z\r\n{line}{alarms}")).reminder, minutes, "{line}");
    }
}

#[test]
fn fields_are_read_with_their_escapes_and_parameters() {
    let event = event(
        "DTSTART:20261201T100000Z\r\nSUMMARY;LANGUAGE=de:Planung\\, Teil 2\\; Rest\r\nDESCRIPTION:a\\nb\\\\c\r\n\
         LOCATION:Raum 1\\, OG\r\nGEO:48.137;11.575\r\nURL:https://example.org/x?a=1,2;b\r\nTRANSP:TRANSPARENT\r\n\
         CLASS:CONFIDENTIAL\r\nPRIORITY:9\r\nCATEGORIES:Red,Blue\\, dark\r\nCATEGORIES:Red\r\n",
    );
    assert_eq!(event.subject, "Planung, Teil 2; Rest");
    assert_eq!(event.description, "a\nb\\c");
    assert_eq!(event.location, "Raum 1, OG");
    assert_eq!(event.position, Some((48.137, 11.575)));
    assert_eq!(event.url.as_deref(), Some("https://example.org/x?a=1,2;b"));
    assert_eq!(event.categories, ["Red", "Blue, dark"]);
    assert_eq!(
        (event.show_as, event.sensitivity, event.importance),
        (ShowAs::Free, Sensitivity::Confidential, Importance::Low)
    );
    let class = super::tests::event("DTSTART:20261201T100000Z\r\nCLASS:X-SECRET\r\nSTATUS:TENTATIVE\r\n");
    assert_eq!((class.sensitivity, class.show_as), (Sensitivity::Private, ShowAs::Tentative));
}

#[test]
fn every_file_of_the_public_collection_gets_an_answer() {
    let Some(folder) = crate::join_link::samples() else { return };
    let (mut events, mut other, mut faulty) = (0, 0, std::collections::BTreeMap::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ics") {
            continue;
        }
        let Ok(text) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        match read(&text, &account(Some("Europe/Berlin"))).map(|reading| reading.event) {
            Ok(Ok(event)) => {
                events += 1;
                assert!(event.span.end.utc_ms >= event.span.start.utc_ms, "{}", path.display());
            }
            Ok(Err(_)) => other += 1,
            Err(fault) => *faulty.entry(format!("{fault:?}")).or_insert(0) += 1,
        }
    }
    println!("{events} events, {other} without dates or no events, refused: {faulty:?}");
    assert!(events > 300);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The instant Microsoft will compute from the local time and the zone is the one that was meant.
    #[test]
    fn local_time_and_zone_mean_the_instant(index in 0..chrono_tz::TZ_VARIANTS.len(), days in 0_i64..3_000, minute in 0_u32..1_440) {
        let zone = chrono_tz::TZ_VARIANTS[index];
        let local = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + chrono::Duration::days(days);
        let local = local.and_hms_opt(minute / 60, minute % 60, 0).unwrap();
        let lines = format!("DTSTART;TZID={}:{}\r\n", zone.name(), local.format("%Y%m%dT%H%M%S"));
        let start = event(&lines).span.start;
        if let Some(meant) = zone.from_local_datetime(&local).earliest() {
            prop_assert_eq!(start.utc_ms, meant.timestamp_millis());
        }
        if start.zone == "UTC" {
            prop_assert_eq!(start.local.and_utc().timestamp_millis(), start.utc_ms);
        } else {
            prop_assert_eq!(start.local, local);
            prop_assert_eq!(Some(start.zone), zones::windows_name(zone));
        }
    }

    #[test]
    fn whole_days_are_at_midnight_and_at_least_one(start in 0_i64..3_000, length in -1_i64..400, zone in prop::option::of(0..chrono_tz::TZ_VARIANTS.len())) {
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + chrono::Duration::days(start);
        let end = first + chrono::Duration::days(length);
        let lines = format!("DTSTART;VALUE=DATE:{}\r\nDTEND;VALUE=DATE:{}\r\n", first.format("%Y%m%d"), end.format("%Y%m%d"));
        let zone: Option<Tz> = zone.map(|index| chrono_tz::TZ_VARIANTS[index]);
        let event = read(&calendar("", &lines), &account(zone.map(|zone| zone.name()))).unwrap().event;
        if length < 0 {
            prop_assert_eq!(event, Err(EventFault::EndBeforeStart));
        } else {
            let span = event.unwrap().span;
            prop_assert!(span.all_day);
            prop_assert_eq!(span.start.local, first.and_hms_opt(0, 0, 0).unwrap());
            prop_assert_eq!((span.end.local - span.start.local).num_days(), length.max(1));
            prop_assert_eq!(span.start.zone, span.end.zone);
        }
    }
}
