//! Events that stay away by what they say themselves.

use super::*;

const ALL: (&str, &str) = ("mirror", "all-events");

#[test]
fn an_excluded_event_stays_away_with_a_meeting_or_without() {
    for (lines, settings) in [
        ("CLASS:PRIVATE\r\n", vec![("exclude-class", "not-public")]),
        ("CLASS:CONFIDENTIAL\r\n", vec![("exclude-class", "confidential")]),
        ("CATEGORIES:Work,Doctor\r\n", vec![("exclude-categories", "holiday, doctor")]),
        ("X-TEAMS-MIRROR:FALSE\r\n", vec![]),
        ("X-Ours;X-P=1:Yes\r\n", vec![("exclude-properties", "X-OURS:yes")]),
    ] {
        let settings: Vec<_> = settings.into_iter().chain([ALL]).collect();
        let plain = prepare(&with(save(&text(lines)), &settings)).unwrap();
        assert_eq!((plain.mirror, plain.reason.as_deref()), (false, Some("excluded")), "{lines}");
        assert!(plain.notices.is_empty(), "nobody asked for anything: {lines}");

        let mut asked = with(save(&text(lines)), &settings);
        asked.wish = Wish::Wanted;
        let asked = prepare(&asked).unwrap();
        assert_eq!((asked.mirror, asked.meeting, asked.link_needed), (false, false, false), "{lines}");
        assert!(asked.rejected.is_none(), "what is there goes, so it is no rejection");
        assert_eq!(asked.notices.first().map(|notice| notice.code.as_str()), Some("excluded"), "{lines}");
    }
}

#[test]
fn what_is_not_excluded_is_mirrored_as_always() {
    for lines in ["CLASS:PUBLIC\r\n", "CLASS:PRIVATE\r\n", "CATEGORIES:Doctor's\r\n", "X-TEAMS-MIRROR:TRUE\r\n"] {
        let settings = [ALL, ("exclude-class", "confidential"), ("exclude-categories", "Doctor")];
        assert!(prepare(&with(save(&text(lines)), &settings)).unwrap().mirror, "{lines}");
    }
}

#[test]
fn a_mirrored_event_that_becomes_excluded_loses_its_link_lines() {
    let mut linked = save(&linked("CLASS:PRIVATE\r\n", TAG, URL));
    linked.mirrored = record(Some(URL), TAG);
    let kept = prepare(&linked).unwrap();
    assert_eq!((kept.mirror, kept.icalendar.as_str()), (true, linked.object.icalendar.as_str()));

    let gone = prepare(&with(linked, &[("exclude-class", "not-public")])).unwrap();
    assert_eq!((gone.mirror, gone.reason.as_deref()), (false, Some("excluded")));
    assert_eq!(gone.icalendar, text("CLASS:PRIVATE\r\n"));
}

#[test]
fn the_series_own_lines_decide_and_those_of_an_alarm_do_not() {
    let alarm = text("BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nX-TEAMS-MIRROR:FALSE\r\nEND:VALARM\r\n");
    assert!(prepare(&with(save(&alarm), &[ALL])).unwrap().mirror);

    let series = text("RRULE:FREQ=DAILY;COUNT=3\r\n").replace(
        "END:VCALENDAR",
        "BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID:20261202T100000Z\r\nDTSTART:20261202T120000Z\r\nCLASS:CONFIDENTIAL\r\n\
         END:VEVENT\r\nEND:VCALENDAR",
    );
    assert!(prepare(&with(save(&series), &[ALL, ("exclude-class", "not-public")])).unwrap().mirror);
}

#[test]
fn a_cancelled_event_is_cancelled_first() {
    let mut cancelled = save(&linked("STATUS:CANCELLED\r\nCLASS:PRIVATE\r\n", TAG, URL));
    cancelled.mirrored = record(Some(URL), TAG);
    let prepared = prepare(&with(cancelled.clone(), &[("exclude-class", "not-public")])).unwrap();
    assert_eq!(prepared.reason.as_deref(), Some("cancelled"));
    assert_eq!(prepared.icalendar, cancelled.object.icalendar, "no second mail for a cancelled event");
}
