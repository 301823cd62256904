//! What happens to an event that repeats between two saves: people at Microsoft, hosts that die or lose what they knew,
//! and texts made to take more requests than one hook has.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use chrono::{NaiveDate, TimeDelta};
use exact::runner::{self, Ended, MAILBOX, Mirror};
use graph_sim::{Fault, RecurrencePatch, Simulator};
use serde_json::Value;
use teams_mirror_plugin::domain::Wish;

/// The event, on Tuesday 8 December 2026 at ten in Berlin, with further lines and further components.
fn text(lines: &str, more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:u1\nDTSTART;TZID=Europe/Berlin:20261208T100000\n\
         DTEND;TZID=Europe/Berlin:20261208T110000\nSUMMARY:Planning\n{lines}END:VEVENT\n{more}END:VCALENDAR\n"
    )
    .replace('\n', "\r\n")
}

fn exdate(day: NaiveDate) -> String {
    format!("EXDATE;TZID=Europe/Berlin:{}T100000\n", day.format("%Y%m%d"))
}

/// An occurrence that takes place at another time and is called otherwise.
fn moved(day: &str, to: &str, subject: &str) -> String {
    format!(
        "BEGIN:VEVENT\nUID:u1\nRECURRENCE-ID;TZID=Europe/Berlin:{day}T100000\nDTSTART;TZID=Europe/Berlin:{to}\n\
         DURATION:PT1H\nSUMMARY:{subject}\nEND:VEVENT\n"
    )
}

/// What the calendar shows from the beginning on.
fn shown(sim: &Simulator, days: i64) -> Vec<String> {
    let rows = sim.calendar(MAILBOX, runner::now(), runner::now() + TimeDelta::days(days));
    let mut rows: Vec<String> = rows.iter().map(|row| format!("{} {}", row["start"], row["subject"])).collect();
    rows.sort();
    rows
}

/// The id of the event that has the meeting, or of the first that has none.
fn event(sim: &Simulator, with_meeting: bool) -> String {
    let events = sim.events(MAILBOX);
    let found = events.iter().find(|event| event["joinUrl"].is_string() == with_meeting).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

fn series(sim: &Simulator) -> usize {
    sim.events(MAILBOX).iter().filter(|event| event["recurrence"] != Value::Null).count()
}

#[track_caller]
fn mirrored(mirror: &mut Mirror<'_>, text: &str) -> String {
    match mirror.save(text, Wish::Wanted) {
        Ok(Ended::Mirrored(Some(link))) => link,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_set_whose_meeting_somebody_removed_goes_whole_under_faults() {
    let sim = runner::simulator(1).unwrap();
    let mut mirror = Mirror::new(&sim, MAILBOX, "u1", &[]).unwrap();
    let set = text("RRULE:FREQ=MONTHLY;BYMONTHDAY=8,15,22\n", "");
    mirrored(&mut mirror, &set);
    sim.delete_in_outlook(MAILBOX, &event(&sim, true)).unwrap();
    sim.fault(Fault::status(503).on_graph("DELETE", "/events"));
    let ended = mirror.save(&set.replace("Planning", "Other"), Wish::Keep);
    assert_eq!(ended, Ok(Ended::Absent("deleted-at-microsoft".into())));
    assert_eq!(sim.events(MAILBOX), Vec::<Value>::new());
}

#[test]
fn a_series_somebody_removed_is_noticed_when_only_an_exception_changes() {
    let sim = runner::simulator(1).unwrap();
    let mut mirror = Mirror::new(&sim, MAILBOX, "u1", &[]).unwrap();
    mirrored(&mut mirror, &text("RRULE:FREQ=WEEKLY\n", ""));
    sim.delete_in_outlook(MAILBOX, &event(&sim, true)).unwrap();
    let day = NaiveDate::from_ymd_opt(2026, 12, 22).unwrap();
    let without = text(&format!("RRULE:FREQ=WEEKLY\n{}", exdate(day)), "");
    assert_eq!(mirror.save(&without, Wish::Keep), Ok(Ended::Absent("deleted-at-microsoft".into())));
}

#[test]
fn a_further_series_somebody_removed_stays_away_and_the_others_go_on() {
    let sim = runner::simulator(1).unwrap();
    let mut mirror = Mirror::new(&sim, MAILBOX, "u1", &[]).unwrap();
    mirrored(&mut mirror, &text("RRULE:FREQ=MONTHLY;BYMONTHDAY=8,15\n", ""));
    sim.delete_in_outlook(MAILBOX, &event(&sim, false)).unwrap();
    for day in [15, 8, 15] {
        let day = NaiveDate::from_ymd_opt(2027, 2, day).unwrap();
        let without = text(&format!("RRULE:FREQ=MONTHLY;BYMONTHDAY=8,15\n{}", exdate(day)), "");
        assert!(matches!(mirror.save(&without, Wish::Keep), Ok(Ended::Mirrored(Some(_)))));
        assert_eq!(series(&sim), 1);
    }
}

#[test]
fn after_a_restore_a_set_is_there_once_even_if_looking_for_it_ends_early() {
    let sim = runner::simulator(1).unwrap();
    let mut mirror = Mirror::new(&sim, MAILBOX, "u1", &[]).unwrap();
    let set = text("RRULE:FREQ=MONTHLY;BYMONTHDAY=2,4,6,8,10,12,14,16,18\n", "");
    let link = mirrored(&mut mirror, &set);
    let before = shown(&sim, 60);
    mirror.forgets();
    sim.fault(Fault::status(503).on_graph("DELETE", "/events"));
    assert_eq!((mirrored(&mut mirror, &set), shown(&sim, 60)), (link, before));
    assert_eq!(series(&sim), 9);
}

#[test]
fn after_a_restore_an_exception_is_found_wherever_it_was_moved() {
    let sim = runner::simulator(1).unwrap();
    let mut mirror = Mirror::new(&sim, MAILBOX, "u1", &[]).unwrap();
    let far = text("RRULE:FREQ=WEEKLY\n", &moved("20261215", "20261219T120000", "Moved"));
    let link = mirrored(&mut mirror, &far);
    let before = shown(&sim, 30);
    mirror.forgets();
    assert_eq!((mirrored(&mut mirror, &far), shown(&sim, 30)), (link, before));

    // The exception has left the text in the meantime.
    mirror.forgets();
    mirrored(&mut mirror, &text("RRULE:FREQ=WEEKLY\n", ""));
    let plain: Vec<String> =
        ["08", "15", "22", "29"].map(|day| format!("\"2026-12-{day}T09:00:00.000Z\" \"Planning\"")).to_vec();
    assert_eq!(shown(&sim, 30), plain);
}

#[test]
fn an_exception_is_moved_again_where_nobody_remembers_where_it_was_moved_first() {
    let sim = runner::simulator(1).unwrap();
    let mut mirror = Mirror::new(&sim, MAILBOX, "u1", &[]).unwrap();
    mirrored(&mut mirror, &text("RRULE:FREQ=WEEKLY\n", ""));
    // The list, and the change that arrives.
    mirror.dies_after(Some(2));
    let once = text("RRULE:FREQ=WEEKLY\n", &moved("20261215", "20261219T120000", "Moved"));
    mirrored(&mut mirror, &once);
    mirrored(&mut mirror, &once.replace("20261219T120000", "20261220T150000"));
    let rows = shown(&sim, 30);
    assert_eq!((rows.len(), rows[1].as_str()), (4, "\"2026-12-20T14:00:00.000Z\" \"Moved\""));
}

#[test]
fn exceptions_far_apart_come_to_an_end_in_many_hooks() {
    let sim = runner::simulator(1).unwrap();
    let mut mirror = Mirror::new(&sim, MAILBOX, "u1", &[]).unwrap();
    let first = NaiveDate::from_ymd_opt(2026, 12, 20).unwrap();
    let out: String = (0..60).map(|number| exdate(first + TimeDelta::days(number * 210))).collect();
    let sparse = text(&format!("RRULE:FREQ=DAILY\n{out}"), "");
    mirrored(&mut mirror, &sparse);
    let rows = shown(&sim, 900);
    // Five of them lie within that time.
    assert_eq!(rows.len(), 894 - 5);
    // Another time of day: every one of them is looked at again.
    mirrored(&mut mirror, &sparse.replace("T110000", "T113000"));
    assert_eq!(shown(&sim, 900), rows);
}

#[test]
fn a_series_split_again_and_again_keeps_its_past_where_this_and_future_was_moved_over_days() {
    let sim = runner::simulator(1).unwrap();
    sim.switches(|switches| switches.recurrence_patch = RecurrencePatch::Split);
    let mut mirror = Mirror::new(&sim, MAILBOX, "u1", &[]).unwrap();
    let later =
        moved("20261222", "20261224T120000", "Later").replace("RECURRENCE-ID;", "RECURRENCE-ID;RANGE=THISANDFUTURE;");
    let turned = text("RRULE:FREQ=WEEKLY\n", &later);
    mirrored(&mut mirror, &turned);
    let rows = shown(&sim, 90);
    for days in [20, 21, 7, 3] {
        sim.advance(TimeDelta::days(days));
        mirrored(&mut mirror, &turned.replace("DURATION:PT1H", &format!("DURATION:PT{}M", 60 + days)));
        assert_eq!(shown(&sim, 90), rows, "{days}");
    }
    mirror.delete(&turned).unwrap();
    assert_eq!(sim.events(MAILBOX), Vec::<Value>::new());
}
