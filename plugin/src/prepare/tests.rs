//! What each kind of text comes to at a save.

mod excluded;

use proptest::prelude::*;

use super::*;
use crate::domain::Setting;

mod content;

const TAG: &str = "0123456789abcdef0123456789abcdef";
const OTHER_TAG: &str = "fedcba9876543210fedcba9876543210";
const URL: &str = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%7d";
const NEW_URL: &str = "https://teams.microsoft.com/meet/123?p=new";
/// 2026-11-22T10:00:00Z.
const NOW: i64 = 1_795_341_600_000;

fn text(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTART:20261201T100000Z\r\nDTEND:20261201T110000Z\r\n\
         SUMMARY:x\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn save(icalendar: &str) -> Save {
    Save {
        account: Account { address: "alice@example.org".into(), language: "en".into(), ..Account::default() },
        object: CalendarObject { uid: "u1".into(), tag: TAG.into(), icalendar: icalendar.into() },
        mirrored: None,
        wish: Wish::Keep,
        history: History::Unseen,
        draft: false,
        now_ms: NOW,
    }
}

fn with(mut save: Save, settings: &[(&str, &str)]) -> Save {
    save.account.settings =
        settings.iter().map(|&(name, value)| Setting { name: name.into(), value: value.into() }).collect();
    save
}

fn record(url: Option<&str>, tag: &str) -> Option<Vec<u8>> {
    let record = Record {
        remote_id: Some("AAk=".into()),
        join_url: url.map(str::to_owned),
        tag: tag.into(),
        meeting_asked: true,
        ..Record::default()
    };
    Some(record.to_bytes())
}

fn linked(lines: &str, tag: &str, url: &str) -> String {
    join_link::insert(&Document::parse(&text(lines)), tag, url, Words::for_language("en"))
}

#[test]
fn an_ordinary_event_is_left_alone() {
    let prepared = prepare(&save(&text(""))).unwrap();
    assert_eq!(prepared.icalendar, text(""));
    assert_eq!(prepared.kept, text(""));
    assert_eq!((prepared.mirror, prepared.meeting, prepared.link_needed), (false, false, false));
    assert_eq!(prepared.reason.as_deref(), Some("no-meeting-wanted"));
    assert_eq!((prepared.copy, prepared.uid.as_str()), (Copy::Own, "u1"));
    assert_eq!(prepared.first_start_ms, Some(1_796_119_200_000));
    assert_eq!(prepared.last_end_ms, Some(1_796_122_800_000));
    assert!(prepared.kept_is_whole);
}

#[test]
fn a_wish_needs_a_link_and_then_the_text_carries_it() {
    let mut wanted = save(&text("DESCRIPTION:Agenda\r\n"));
    wanted.wish = Wish::Wanted;
    let prepared = prepare(&wanted).unwrap();
    assert_eq!((prepared.mirror, prepared.meeting, prepared.link_needed), (true, true, true));
    assert_eq!(prepared.icalendar, wanted.object.icalendar);

    wanted.mirrored = record(Some(URL), TAG);
    let prepared = prepare(&wanted).unwrap();
    assert!(!prepared.link_needed);
    assert_eq!(prepared.icalendar, linked("DESCRIPTION:Agenda\r\n", TAG, URL));
    assert_eq!(prepared.kept, wanted.object.icalendar);

    // The client brings it back: nothing to do, nothing changed.
    let kept = prepared.kept.clone();
    let mut again = save(&prepared.icalendar);
    again.mirrored = record(Some(URL), TAG);
    let prepared = prepare(&again).unwrap();
    assert_eq!((prepared.icalendar.as_str(), &prepared.kept), (again.object.icalendar.as_str(), &kept));

    // The client dropped it or a part of it, or carries an older one: it is put in again.
    let without_conference: String = again
        .object
        .icalendar
        .replace("\r\n ", "")
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with("CONFERENCE"))
        .collect();
    for brought in [kept.clone(), without_conference, linked("DESCRIPTION:Agenda\r\n", TAG, NEW_URL)] {
        again.object.icalendar = brought;
        let prepared = prepare(&again).unwrap();
        assert_eq!(prepared.icalendar, linked("DESCRIPTION:Agenda\r\n", TAG, URL));
        assert_eq!(prepared.kept, kept);
    }
}

#[test]
fn lines_folded_anew_by_a_client_are_still_ours() {
    let mut brought = save(&linked("DESCRIPTION:Agenda\r\n", TAG, URL).replace("\r\n ", ""));
    brought.mirrored = record(Some(URL), TAG);
    let prepared = prepare(&brought).unwrap();
    assert_eq!(prepared.icalendar, brought.object.icalendar, "complete as it is");
    assert_eq!(prepared.kept, text("DESCRIPTION:Agenda\r\n"));
}

#[test]
fn taking_teams_away_takes_the_lines_away() {
    let mut unwanted = save(&linked("LOCATION:\r\n", TAG, URL));
    unwanted.mirrored = record(Some(URL), TAG);
    unwanted.wish = Wish::None;
    let prepared = prepare(&unwanted).unwrap();
    assert_eq!(prepared.icalendar, text("LOCATION:\r\n"));
    assert_eq!((prepared.mirror, prepared.meeting), (false, false));
    assert_eq!(prepared.reason.as_deref(), Some("no-meeting-wanted"));

    let prepared = prepare(&with(unwanted, &[("mirror", "all-events")])).unwrap();
    assert_eq!((prepared.mirror, prepared.meeting, prepared.reason), (true, false, None));
    assert_eq!(prepared.icalendar, text("LOCATION:\r\n"));
}

#[test]
fn who_decides_comes_in_order() {
    let guest = "ATTENDEE:mailto:bob@example.org\r\n";
    let always: &[(&str, &str)] = &[("meetings", "always")];
    let with_guests: &[(&str, &str)] = &[("meetings", "with-guests")];
    for (lines, wish, history, settings, meeting) in [
        ("X-TEAMS-MEETING:TRUE\r\n", Wish::None, History::Unseen, always, false),
        ("X-TEAMS-MEETING:FALSE\r\n", Wish::Wanted, History::Unseen, &[][..], true),
        ("X-TEAMS-MEETING:FALSE\r\n", Wish::Keep, History::Unseen, always, false),
        ("X-TEAMS-MEETING:true\r\n", Wish::Keep, History::Imported, &[][..], true),
        ("", Wish::Keep, History::Unseen, always, true),
        ("", Wish::Keep, History::SeenAlone, always, false),
        ("", Wish::Keep, History::Imported, always, false),
        ("", Wish::Keep, History::Unseen, with_guests, false),
        (guest, Wish::Keep, History::Unseen, with_guests, true),
        (guest, Wish::Keep, History::SeenAlone, with_guests, true),
        (guest, Wish::Keep, History::SeenWithGuests, with_guests, false),
        (guest, Wish::Keep, History::Imported, with_guests, false),
        (guest, Wish::Keep, History::Unseen, &[][..], false),
    ] {
        let mut save = with(save(&text(lines)), settings);
        save.wish = wish;
        save.history = history;
        let prepared = prepare(&save).unwrap();
        assert_eq!(
            (prepared.meeting, prepared.mirror),
            (meeting, meeting),
            "{lines} {wish:?} {history:?} {settings:?}"
        );
    }
    // What is there stays, and what the mailbox could not make stays asked for.
    for url in [Some(URL), None] {
        let mut save = save(&text(""));
        save.mirrored = record(url, TAG);
        save.history = History::SeenAlone;
        let prepared = prepare(&save).unwrap();
        assert_eq!((prepared.meeting, prepared.link_needed), (true, url.is_none()));
    }
}

#[test]
fn a_duplicate_loses_the_others_link_and_gets_one_of_its_own() {
    let copied = linked("DESCRIPTION:Agenda\r\n", OTHER_TAG, URL);
    let prepared = prepare(&save(&copied)).unwrap();
    assert_eq!((prepared.meeting, prepared.link_needed), (true, true));
    assert_eq!(prepared.icalendar, text("DESCRIPTION:Agenda\r\n"));
    assert_eq!(prepared.kept, text("DESCRIPTION:Agenda\r\n"));

    for copied in [copied, linked("DESCRIPTION:Agenda\r\n", TAG, URL)] {
        let mut imported = save(&copied);
        imported.history = History::Imported;
        let prepared = prepare(&imported).unwrap();
        assert_eq!((prepared.meeting, prepared.icalendar.as_str()), (false, copied.as_str()));
    }
}

#[test]
fn a_draft_saved_under_another_uid_keeps_its_link() {
    let mut saved = save(&linked("DESCRIPTION:Agenda\r\n", OTHER_TAG, URL));
    saved.mirrored = record(Some(URL), OTHER_TAG);
    let prepared = prepare(&saved).unwrap();
    assert_eq!(prepared.icalendar, linked("DESCRIPTION:Agenda\r\n", TAG, URL));
    assert!(!prepared.link_needed);
}

#[test]
fn a_draft_needs_no_start() {
    let draft: String = text("").split_inclusive("\r\n").filter(|line| !line.starts_with("DT")).collect();
    let mut save = save(&draft);
    save.wish = Wish::Wanted;
    assert_eq!(prepare(&save).unwrap().rejected.unwrap().code, "no-start");
    save.draft = true;
    let prepared = prepare(&save).unwrap();
    assert_eq!((prepared.rejected, prepared.link_needed, prepared.first_start_ms), (None, true, None));
}

#[test]
fn a_cancelled_event_keeps_its_lines_and_a_later_one_gets_a_new_link() {
    let lines = "STATUS:CANCELLED\r\n";
    let mut cancelled = save(&linked(lines, TAG, URL));
    cancelled.mirrored = record(Some(URL), TAG);
    let prepared = prepare(&cancelled).unwrap();
    assert_eq!(prepared.icalendar, cancelled.object.icalendar);
    assert_eq!(prepared.kept, text(lines));
    assert_eq!((prepared.mirror, prepared.reason.as_deref()), (false, Some("cancelled")));
    assert!(!prepared.kept_is_whole);

    let mut again = save(&linked("STATUS:CONFIRMED\r\n", TAG, URL));
    again.history = History::SeenAlone;
    let prepared = prepare(&again).unwrap();
    assert_eq!((prepared.meeting, prepared.link_needed), (true, true));
    again.mirrored = record(Some(NEW_URL), TAG);
    assert_eq!(prepare(&again).unwrap().icalendar, linked("STATUS:CONFIRMED\r\n", TAG, NEW_URL));
}

#[test]
fn a_link_made_elsewhere_stays_and_forbids_a_second() {
    let lines = format!("DESCRIPTION:Join: {URL}\r\n");
    let mut foreign = save(&text(&lines));
    foreign.wish = Wish::Wanted;
    let prepared = prepare(&foreign).unwrap();
    assert_eq!(prepared.rejected.unwrap().code, "has-a-link");
    assert!(!prepared.link_needed);
    assert_eq!(prepared.icalendar, text(&lines));

    let prepared = prepare(&with(save(&text(&lines)), &[("meetings", "always")])).unwrap();
    assert_eq!((prepared.mirror, prepared.reason.as_deref(), prepared.rejected), (false, Some("has-a-link"), None));

    foreign.mirrored = record(Some(URL), TAG);
    assert_eq!(prepare(&foreign).unwrap().rejected, None, "our own link in the user's words is no other");
}

#[test]
fn what_was_deleted_at_microsoft_comes_back_only_when_asked_for() {
    let mut save = with(save(&linked("", TAG, URL)), &[("meetings", "always"), ("mirror", "all-events")]);
    save.mirrored = Some(Record { removed: true, ..Record::default() }.to_bytes());
    let prepared = prepare(&save).unwrap();
    assert_eq!((prepared.mirror, prepared.reason.as_deref()), (false, Some("deleted-at-microsoft")));
    assert_eq!(prepared.icalendar, text(""), "a dead link helps nobody");
    save.wish = Wish::Wanted;
    let prepared = prepare(&save).unwrap();
    assert_eq!((prepared.mirror, prepared.link_needed), (true, true));
}

#[test]
fn copies_of_others_are_never_touched() {
    let theirs = linked(
        "ORGANIZER:mailto:bob@example.org\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.org\r\n",
        OTHER_TAG,
        URL,
    );
    let mut save = save(&theirs);
    save.wish = Wish::Wanted;
    let prepared = prepare(&save).unwrap();
    assert_eq!((prepared.icalendar.as_str(), prepared.kept.as_str()), (theirs.as_str(), theirs.as_str()));
    assert_eq!((prepared.copy, prepared.reason.as_deref()), (Copy::Attendee, Some("attendee-copy")));
    assert_eq!(prepared.notices[0].code, "not-the-organizer");

    save.wish = Wish::Keep;
    let prepared = prepare(&with(save.clone(), &[("mirror", "all-events")])).unwrap();
    assert_eq!((prepared.mirror, prepared.meeting, prepared.icalendar.as_str()), (true, false, theirs.as_str()));
    save.object.icalendar = theirs.replace("ACCEPTED", "DECLINED");
    let prepared = prepare(&with(save, &[("mirror", "all-events")])).unwrap();
    assert_eq!((prepared.mirror, prepared.reason.as_deref()), (false, Some("declined")));
}

#[test]
fn the_account_is_known_by_any_of_its_addresses() {
    let mut save = save(&text("ORGANIZER;CN=A:MAILTO:Alice%2Bwork@Example.org\r\nATTENDEE:mailto:bob@example.org\r\n"));
    assert_eq!(prepare(&save).unwrap().copy, Copy::Attendee);
    save.account.further_addresses = vec!["alice+work@example.org".into()];
    let prepared = prepare(&save).unwrap();
    assert_eq!((prepared.copy, prepared.has_guests), (Copy::Own, true));
    save.object.icalendar = text("ORGANIZER:mailto:alice@example.org\r\nATTENDEE:mailto:alice@example.org\r\n");
    assert!(!prepare(&save).unwrap().has_guests);
}

#[test]
fn a_series_lasts_as_long_as_its_last_occurrence() {
    let day = 24 * 60 * 60 * 1000;
    let first_end = 1_796_122_800_000;
    for (line, last_end) in [
        ("RRULE:FREQ=WEEKLY\r\n", None),
        ("RRULE:FREQ=WEEKLY;COUNT=3\r\n", Some(first_end + 14 * day)),
        ("RRULE:FREQ=DAILY;COUNT=3\r\nEXDATE:20261203T100000Z\r\n", Some(first_end + day)),
        ("RDATE:20261202T100000Z\r\n", Some(first_end + day)),
        ("RECURRENCE-ID:20261201T100000Z\r\n", Some(first_end)),
    ] {
        let mut save = save(&text(line));
        save.wish = Wish::Wanted;
        let prepared = prepare(&save).unwrap();
        assert_eq!((prepared.rejected, prepared.link_needed, prepared.last_end_ms), (None, true, last_end), "{line}");
        assert_eq!(prepared.first_start_ms, Some(1_796_119_200_000));
    }
    // One that still runs is not past, one that has run out is.
    let mut old = save(&text("RRULE:FREQ=WEEKLY\r\n").replace("202612", "201612"));
    old.wish = Wish::Wanted;
    assert_eq!(prepare(&old).unwrap().reason, None);
    old.object.icalendar = old.object.icalendar.replace("WEEKLY", "WEEKLY;COUNT=9");
    assert_eq!(prepare(&old).unwrap().reason.as_deref(), Some("past"));
}

#[test]
fn a_series_is_refused_with_its_reason_and_only_where_it_would_be_mirrored() {
    for (line, code) in [
        ("RRULE:FREQ=MONTHLY;BYDAY=5TU\r\n", "rule-not-expressible"),
        ("RRULE:FREQ=WEEKLY;BYWHAT=1\r\n", "rule-unreadable"),
        ("RRULE:FREQ=HOURLY;COUNT=60\r\n", "too-many-pieces"),
    ] {
        let mut save = save(&text(line));
        let prepared = prepare(&save).unwrap();
        assert_eq!((prepared.rejected, prepared.mirror, prepared.last_end_ms), (None, false, None), "{line}");
        save.wish = Wish::Wanted;
        let prepared = prepare(&save).unwrap();
        assert_eq!(prepared.rejected.unwrap().code, code);
        assert_eq!((prepared.link_needed, prepared.icalendar.as_str()), (false, save.object.icalendar.as_str()));
    }
    let mut save = save(&text("RRULE:FREQ=DAILY;COUNT=1\r\nEXDATE:20261201T100000Z\r\n"));
    save.wish = Wish::Wanted;
    let prepared = prepare(&save).unwrap();
    assert_eq!((prepared.rejected, prepared.mirror), (None, false));
    assert_eq!(prepared.reason.as_deref(), Some("no-occurrences"));
}

#[test]
fn the_link_stands_in_every_component() {
    let lines = "RRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID:20261208T100000Z\r\n\
        DTSTART:20261208T120000Z\r\nSUMMARY:y\r\n";
    let mut both = save(&text(lines));
    both.mirrored = record(Some(URL), TAG);
    let stored = prepare(&both).unwrap().icalendar;
    assert_eq!(stored.matches("X-MICROSOFT-SKYPETEAMSMEETINGURL").count(), 2);
    both.object.icalendar = stored;
    assert_eq!(prepare(&both).unwrap().kept, text(lines));
}

#[test]
fn what_is_no_event_passes_through() {
    for text in [
        "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:u1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n".to_owned(),
        "BEGIN:VCALENDAR\r\nBEGIN:VJOURNAL\r\nUID:u1\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n".to_owned(),
        "BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\nUID:u1\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n".to_owned(),
        text("").replace("VERSION:2.0", "METHOD:REQUEST"),
    ] {
        let mut save = save(&text);
        save.wish = Wish::Wanted;
        let prepared = prepare(&save).unwrap();
        assert_eq!((prepared.copy, prepared.reason.as_deref()), (Copy::NotAnEvent, Some("not-an-event")), "{text}");
        assert_eq!((prepared.icalendar.as_str(), prepared.kept.as_str()), (text.as_str(), text.as_str()));
    }
}

#[test]
fn texts_that_are_no_one_event_are_refused() {
    let two = text("").replace("END:VCALENDAR", "BEGIN:VEVENT\r\nUID:u2\r\nEND:VEVENT\r\nEND:VCALENDAR");
    for (text, code) in [
        (String::new(), "not-icalendar"),
        ("hello".into(), "not-icalendar"),
        ("BEGIN:VCARD\r\nEND:VCARD\r\n".into(), "not-icalendar"),
        (text("").replace("END:VEVENT\r\n", ""), "not-icalendar"),
        (text("").repeat(2), "not-icalendar"),
        ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".into(), "uid-missing"),
        (text("").replace("UID:u1\r\n", ""), "uid-missing"),
        (text("").replace("UID:u1\r\n", "UID:\r\n"), "uid-missing"),
        (two, "several-uids"),
    ] {
        assert_eq!(prepare(&save(&text)).unwrap_err().code, code, "{text:?}");
    }
}

#[test]
fn too_large_texts_are_refused_unread_and_untouched() {
    for lines in ["X-A:1\r\n".repeat(10_001), format!("COMMENT:{}\r\n", "x".repeat(600_000))] {
        let mut save = save(&text(&lines));
        save.mirrored = record(Some(URL), TAG);
        let prepared = prepare(&save).unwrap();
        assert_eq!(prepared.rejected.unwrap().code, "too-large");
        assert_eq!((prepared.icalendar, prepared.uid.as_str()), (save.object.icalendar, "u1"));
    }
    let attached = text(&format!("ATTACH;ENCODING=BASE64;VALUE=BINARY:{}\r\n", "QUJD".repeat(300_000)));
    let prepared = prepare(&save(&attached)).unwrap();
    assert_eq!((prepared.icalendar.as_str(), prepared.kept.as_str()), (attached.as_str(), text("").as_str()));
    assert!(!prepared.kept_is_whole);
}

#[test]
fn an_event_that_is_over_gets_no_meeting() {
    let mut save = save(&text("").replace("202612", "202610"));
    save.wish = Wish::Wanted;
    let prepared = prepare(&save).unwrap();
    assert_eq!((prepared.mirror, prepared.meeting, prepared.reason.as_deref()), (false, false, Some("past")));
    save.mirrored = record(Some(URL), TAG);
    let prepared = prepare(&save).unwrap();
    assert_eq!((prepared.mirror, prepared.meeting, prepared.link_needed), (true, true, false));
}

#[test]
fn faults_of_a_date_are_said() {
    for (from, to, code) in [
        ("20261201T110000Z", "20261201T090000Z", "end-before-start"),
        ("DTSTART:20261201T100000Z", "DTSTART:20261301T100000Z", "bad-date"),
        ("DTSTART:20261201T100000Z", "DTSTART:tomorrow", "bad-date"),
        ("DTSTART:20261201T100000Z\r\n", "", "no-start"),
    ] {
        let mut save = save(&text("").replace(from, to));
        save.wish = Wish::Wanted;
        assert_eq!(prepare(&save).unwrap().rejected.unwrap().code, code, "{to}");
    }
}

fn property() -> impl Strategy<Value = String> {
    (
        prop_oneof![
            Just("DESCRIPTION"),
            Just("LOCATION"),
            Just("URL"),
            Just("COMMENT"),
            Just("X-TEAMS-MEETING"),
            Just("CATEGORIES")
        ],
        "[ -~äß]{0,40}",
    )
        .prop_map(|(name, value)| format!("{name}:{value}\r\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The kept text is the same whatever became of our lines, and asking twice changes nothing.
    #[test]
    fn link_lines_never_count_as_a_change(lines in prop::collection::vec(property(), 0..5), dropped: bool) {
        let plain = text(&lines.concat());
        let mut first = save(&plain);
        first.wish = Wish::Wanted;
        first.mirrored = record(Some(URL), TAG);
        let stored = prepare(&first).unwrap();
        prop_assert_eq!(&stored.kept, &plain);
        let mut second = first.clone();
        second.object.icalendar = if dropped { plain.clone() } else { stored.icalendar.clone() };
        let again = prepare(&second).unwrap();
        prop_assert_eq!(&again.kept, &plain);
        prop_assert_eq!(again.icalendar, stored.icalendar);
    }

    /// Nothing a user can write makes it fail otherwise than by saying so.
    #[test]
    fn any_text_gets_an_answer(lines in "(BEGIN:V|END:V|EVENT|CALENDAR|DTSTART|;TZID=|:|\r\n|\n| |[ -~]|ä|2026|T|Z|RRULE|DURATION:P){0,80}") {
        let mut save = save(&format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"));
        save.wish = Wish::Wanted;
        let _ = prepare(&save);
    }
}
