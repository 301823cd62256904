//! Events that repeat: one series or a set of pieces in Teams, one link in every component, and what they are made to do.

use chrono::{DateTime, TimeZone, Utc};
use graph_sim::{Fault, FaultKind};
use support::{Put, event};

use crate::world::{ALICE_AT_MICROSOFT, SOON, World, until};

/// Start in UTC, to the minute, and subject of what Teams shows in the first half of 2030. The events are at ten in Vienna,
/// which is one hour ahead in winter and two in summer.
fn shown(world: &World) -> Vec<(String, String)> {
    let at = |month| -> DateTime<Utc> { Utc.with_ymd_and_hms(2030, month, 1, 0, 0, 0).unwrap() };
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = world.sim.calendar(ALICE_AT_MICROSOFT, at(1), at(7));
    rows.iter().map(|row| (text(row, "start")[..16].to_owned(), text(row, "subject"))).collect()
}

/// The days and hours alone.
fn starts(world: &World) -> Vec<String> {
    shown(world).into_iter().map(|(start, _)| start).collect()
}

/// The event with further components.
fn with(text: &str, components: &str) -> String {
    text.replace("END:VCALENDAR", &format!("{components}END:VCALENDAR"))
}

fn changed(day: &str, start: &str, subject: &str) -> String {
    format!(
        "BEGIN:VEVENT\r\nUID:s1\r\nDTSTAMP:20291201T080000Z\r\nRECURRENCE-ID;TZID=Europe/Vienna:{day}T100000\r\n\
         DTSTART;TZID=Europe/Vienna:{start}\r\nDURATION:PT1H\r\nSUMMARY:{subject}\r\nEND:VEVENT\r\n"
    )
}

#[test]
fn a_series_with_exceptions_and_back() {
    let world = World::signed_in();
    let mut server = world.server();
    let weekly = event::meeting("s1", "Planning", &["RRULE:FREQ=WEEKLY;COUNT=4"]);
    let excepted = event::with_line(&weekly, "EXDATE", "EXDATE;TZID=Europe/Vienna:20300121T100000");
    let text = with(&excepted, &changed("20300128", "20300129T140000", "Special"));
    let answer = server.save("s1", &text, &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.str("state")), (200, "mirrored"), "{}", answer.text);
    let link = answer.str("join_url").to_owned();
    // Every component carries it: a client shows each occurrence by its own.
    assert_eq!(event::unfolded(&server.stored("s1")).matches(&format!("\n{link}\n")).count(), 2);
    let special = ("2030-01-29T13:00".to_owned(), "Special".to_owned());
    let plain = |day: &str| (format!("2030-{day}T09:00"), "Planning".to_owned());
    assert_eq!(shown(&world), [plain("01-14"), special.clone(), plain("02-04")]);
    assert_eq!(world.graph_methods(), ["POST", "GET", "DELETE", "PATCH"]);

    // Taken back: what was deleted at Microsoft comes as an event of its own, with the same link.
    server.save("s1", &with(&weekly, &changed("20300128", "20300129T140000", "Special")), &Put::default()).unwrap();
    assert_eq!(world.settled("s1").str("join_url"), link);
    assert!(until(SOON, || shown(&world) == [plain("01-14"), plain("01-21"), special.clone(), plain("02-04")]));
    let own = world.in_teams().into_iter().find(|event| event["type"] == "singleInstance").unwrap();
    assert!(own["body"]["content"].as_str().unwrap().contains(&link), "{own}");

    // Another rule, as every server's client writes it: the whole object again.
    let other = weekly.replace("COUNT=4", "COUNT=3;INTERVAL=2");
    server.save("s1", &other, &Put::default()).unwrap();
    assert_eq!(world.settled("s1").str("join_url"), link);
    assert!(until(SOON, || shown(&world) == [plain("01-14"), plain("01-28"), plain("02-11")]), "{:?}", shown(&world));

    server.delete("s1").unwrap();
    assert!(until(SOON, || world.in_teams().is_empty()), "{:?}", world.in_teams());
    assert!(world.sim.mails().is_empty(), "{:?}", world.sim.mails());
}

#[test]
fn what_one_series_cannot_say_is_a_set_with_one_link() {
    let world = World::signed_in();
    let mut server = world.server();
    let twice = event::meeting("s1", "Planning", &["RRULE:FREQ=MONTHLY;BYMONTHDAY=14,28;UNTIL=20300630T000000Z"]);
    let answer = server.save("s1", &twice, &Put::wanted()).unwrap();
    assert_eq!(answer.str("state"), "mirrored", "{}", answer.text);
    let link = answer.str("join_url").to_owned();
    let days = |days: &[&str]| -> Vec<String> {
        // Vienna's clocks go forward on the last Sunday of March.
        days.iter().map(|day| format!("2030-{day}T{}:00", if *day < "03-31" { "09" } else { "08" })).collect()
    };
    let all =
        ["01-14", "01-28", "02-14", "02-28", "03-14", "03-28", "04-14", "04-28", "05-14", "05-28", "06-14", "06-28"];
    assert_eq!(starts(&world), days(&all));
    let events = world.in_teams();
    assert_eq!(events.iter().filter(|event| event["isOnlineMeeting"] == true).count(), 1, "one meeting for all");
    assert!(events.iter().all(|event| event["body"]["content"].as_str().unwrap().contains(&link)));

    // Down to one of the two: what owns the meeting becomes it, whichever it was.
    server.save("s1", &twice.replace("14,28", "14"), &Put::default()).unwrap();
    assert_eq!(world.settled("s1").str("join_url"), link);
    let every_second: Vec<&str> = all.into_iter().step_by(2).collect();
    assert!(until(SOON, || starts(&world) == days(&every_second)), "{:?}", starts(&world));
    assert_eq!(world.in_teams().len(), 1);

    let cancelled = event::with_line(&twice, "STATUS", "STATUS:CANCELLED");
    server.save("s1", &cancelled, &Put::default()).unwrap();
    assert!(until(SOON, || world.in_teams().is_empty()), "{:?}", world.in_teams());
}

#[test]
fn a_crash_between_the_pieces_loses_none_and_doubles_none() {
    let mut world = World::signed_in();
    let mut server = world.server();
    let three = event::meeting("s1", "Planning", &["RRULE:FREQ=MONTHLY;BYMONTHDAY=14,20,28;COUNT=6"]);
    // The first piece arrives without an answer, the second waits for a server that is about to die.
    world.sim.fault(Fault::new(FaultKind::DropAfter).on_graph("POST", "/events"));
    world.sim.fault(Fault::status(503).on_graph("POST", "/events"));
    let answer = server.save("s1", &three, &Put { prefer: Some("wait=1".into()), ..Put::wanted() }).unwrap();
    assert!(matches!(answer.status, 200 | 202), "{}", answer.text);
    world.kill();
    world.start();
    assert_eq!(world.reaches("s1", "mirrored").str("state"), "mirrored");
    let days = ["01-14", "01-20", "01-28", "02-14", "02-20", "02-28"];
    let days: Vec<String> = days.iter().map(|day| format!("2030-{day}T09:00")).collect();
    assert!(until(SOON, || starts(&world) == days), "{:?}", starts(&world));
    assert_eq!(world.in_teams().len(), 3);
}

#[test]
fn rules_made_to_take_long_are_answered_like_any_other() {
    let world = World::signed_in();
    let mut server = world.server();
    let list = |most: u32| (0..most).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let many = |number: u32, line: fn(u32) -> String| (0..number).map(line).collect::<Vec<_>>().join("\r\n");
    let day = |n: u32| format!("2030{:02}{:02}", n % 12 + 1, n % 28 + 1);
    let stamps = (0..9_000).map(|n| format!("{}T10{:02}00Z", day(n), n % 60)).collect::<Vec<_>>().join(",\r\n ");
    for (lines, reason) in [
        (
            format!("RRULE:FREQ=DAILY;BYHOUR={};BYMINUTE={};BYSECOND={};COUNT=20000", list(24), list(60), list(60)),
            "too-many-pieces",
        ),
        (many(29, |n| format!("RRULE:FREQ=DAILY;BYHOUR={};BYMINUTE={n}", n % 24)), ""),
        (
            many(5_000, |n| format!("RRULE:FREQ=YEARLY;BYMONTH={};BYMONTHDAY={}", n % 12 + 1, n % 28 + 1)),
            "too-many-pieces",
        ),
        ("RRULE:FREQ=SECONDLY;BYMONTH=2;UNTIL=99991231T000000Z".to_owned(), "rule-not-expressible"),
        ("RRULE:FREQ=MINUTELY;BYYEARDAY=366;INTERVAL=2147483647".to_owned(), "rule-not-expressible"),
        ("RRULE:FREQ=YEARLY;INTERVAL=399;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=1000".to_owned(), ""),
        ("RRULE:FREQ=DAILY;INTERVAL=2147483647;UNTIL=99991231T235959Z".to_owned(), ""),
        ("RRULE:FREQ=MONTHLY;BYDAY=-53SU".to_owned(), ""),
        (format!("RRULE:FREQ=DAILY\r\nRDATE:{stamps}"), "too-many-pieces"),
        (format!("RRULE:FREQ=DAILY\r\nEXDATE:{stamps}"), ""),
    ] {
        let text = event::meeting("s1", "Planning", &[&lines]);
        let put = Put { prefer: Some("wait=30".into()), ..Put::wanted() };
        let answer = server.save("s1", &text, &put).unwrap();
        assert!(matches!(answer.status, 200 | 202), "{}: {}", &lines[..60.min(lines.len())], answer.text);
        let state = if reason.is_empty() { "mirrored" } else { "rejected" };
        let status = world.settled("s1");
        assert_eq!((status.str("state"), status.str("reason")), (state, reason), "{}", &lines[..60.min(lines.len())]);
    }
    assert!(!world.log().contains("trap"), "{}", world.log_tail());
}
