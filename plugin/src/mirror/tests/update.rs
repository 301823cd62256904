//! Changing and removing: what differs, and the link stays.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_not_mirrored_costs_no_request_and_what_is_costs_one_of_its_group() {
    let context = context(&[]);
    let record = created(&context, EVENT);
    for (from, to) in [
        ("SUMMARY", "SUMMARY"),
        ("DTSTAMP:20261122T090000Z", "DTSTAMP:20261122T100000Z\r\nSEQUENCE:4\r\nLAST-MODIFIED:20261122T100000Z"),
        ("SUMMARY", "X-MOZ-GENERATION:3\r\nCOMMENT:x\r\nSUMMARY"),
        ("SUMMARY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.org\r\nSUMMARY"),
        ("Europe/Berlin", "W. Europe Standard Time"),
    ] {
        let mut host = Script::default();
        on_update(&mut host, &context, &object(&EVENT.replace(from, to)), MEETING, &record).unwrap();
        host.assert_steps(&[]);
    }
    for (from, to, fields) in [
        ("SUMMARY:Planning", "SUMMARY:Other", vec!["subject"]),
        ("T110000", "T113000", vec!["end", "isAllDay", "start"]),
        ("SUMMARY", "LOCATION:Room\r\nGEO:48.1;11.5\r\nSUMMARY", vec!["location"]),
        ("SUMMARY", "TRANSP:TRANSPARENT\r\nSUMMARY", vec!["showAs"]),
        ("SUMMARY", "CLASS:PRIVATE\r\nSUMMARY", vec!["sensitivity"]),
        ("SUMMARY", "PRIORITY:1\r\nSUMMARY", vec!["importance"]),
        ("SUMMARY", "CATEGORIES:a,b\r\nSUMMARY", vec!["categories"]),
        (
            "END:VEVENT",
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT",
            vec!["isReminderOn", "reminderMinutesBeforeStart"],
        ),
        ("Agenda", "Agenda 2", vec!["body"]),
    ] {
        let mut host = Script::new([answer(200, remote(Some(URL), "W/\"2\""))]);
        on_update(&mut host, &context, &object(&EVENT.replace(from, to)), MEETING, &record).unwrap();
        host.assert_steps(&["Patch"]);
        let mut names: Vec<String> = host.body(0).as_object().unwrap().keys().cloned().collect();
        names.sort();
        assert_eq!(names, fields, "{to}");
    }
}

#[test]
fn a_body_travels_with_the_recorded_block_and_its_etag() {
    let context = context(&[]);
    let record = created(&context, EVENT);
    let mut host = Script::new([answer(200, remote(Some(URL), "W/\"2\""))]);
    let changed = EVENT.replace("Agenda", "New agenda");
    let outcome = on_update(&mut host, &context, &object(&changed), MEETING, &record).unwrap();
    assert_eq!(host.body(0)["body"]["content"], format!("New agenda{}", block(URL)));
    assert!(host.requests[0].headers.contains(&("If-Match".into(), "W/\"1\"".into())));
    assert!(outcome.notices.is_empty());
    assert_eq!(Record::read(&outcome.mirrored.unwrap()).unwrap().etag.as_deref(), Some("W/\"2\""));
}

#[test]
fn a_moved_etag_costs_a_read_and_keeps_the_block_that_is_there_now() {
    let context = context(&[]);
    let record = created(&context, EVENT);
    let changed = EVENT.replace("Agenda", "New agenda");
    let mut now = remote(Some(URL), "W/\"9\"");
    now["body"]["content"] = json!(format!("<html><body>edited there{}<p>more</p></body></html>", block(URL)));
    let mut host = Script::new([
        refusal(412, "ErrorIrresolvableConflict"),
        answer(200, now),
        answer(200, remote(Some(URL), "W/\"10\"")),
    ]);
    let outcome = on_update(&mut host, &context, &object(&changed), MEETING, &record).unwrap();
    host.assert_steps(&["Patch", "Get", "Patch"]);
    assert_eq!(host.body(2)["body"]["content"], format!("New agenda{}<p>more</p>", block(URL)));
    assert!(host.requests[2].headers.contains(&("If-Match".into(), "W/\"9\"".into())));
    assert!(outcome.notices.is_empty());
}

#[test]
fn a_new_link_is_recorded_and_told() {
    let context = context(&[]);
    let record = created(&context, EVENT);
    let changed = EVENT.replace("Agenda", "New agenda");
    let mut host = Script::new([answer(200, remote(Some(NEW_URL), "W/\"2\""))]);
    let outcome = on_update(&mut host, &context, &object(&changed), MEETING, &record).unwrap();
    assert_eq!(outcome.join_url.as_deref(), Some(NEW_URL));
    assert_eq!(codes(&outcome), ["link-changed"]);
    let record = Record::read(&outcome.mirrored.unwrap()).unwrap();
    assert_eq!((record.join_url.as_deref(), record.block), (Some(NEW_URL), Some(block(NEW_URL))));
}

#[test]
fn a_meeting_that_is_gone_is_asked_for_once_more() {
    let context = context(&[]);
    let record = created(&context, EVENT);
    let changed = EVENT.replace("Agenda", "New agenda");
    let mut host = Script::new([answer(200, remote(None, "W/\"2\"")), answer(200, remote(Some(NEW_URL), "W/\"3\""))]);
    let outcome = on_update(&mut host, &context, &object(&changed), MEETING, &record).unwrap();
    host.assert_steps(&["Patch", "save", "Patch"]);
    assert_eq!((outcome.join_url.as_deref(), codes(&outcome)), (Some(NEW_URL), vec!["link-changed"]));

    let mut host = Script::new([answer(200, remote(None, "W/\"2\"")), answer(200, remote(None, "W/\"3\""))]);
    let outcome = on_update(&mut host, &context, &object(&changed), MEETING, &record).unwrap();
    assert_eq!((outcome.join_url.as_deref(), codes(&outcome)), (None, vec!["meeting-lost"]));
    assert!(outcome.facts_stale);
}

#[test]
fn a_block_that_cannot_be_seen_leaves_the_body_alone() {
    let context = context(&[]);
    let mut without = remote(Some(URL), "W/\"1\"");
    without["body"]["content"] = json!("<html><body>Agenda</body></html>");
    let mut host = Script::new([answer(201, without.clone())]);
    let record = on_create(&mut host, &context, &object(EVENT), MEETING).unwrap().mirrored.unwrap();
    let changed = EVENT.replace("Agenda", "New agenda").replace("Planning", "Other");
    let mut host = Script::new([answer(200, without.clone()), answer(200, without)]);
    let outcome = on_update(&mut host, &context, &object(&changed), MEETING, &record).unwrap();
    host.assert_steps(&["Get", "Patch"]);
    assert_eq!(host.body(1), json!({ "subject": "Other" }));
    assert_eq!(codes(&outcome), ["body-not-updated"]);
}

#[test]
fn what_was_deleted_at_microsoft_stays_deleted_until_a_meeting_is_asked_for() {
    let context = context(&[]);
    let record = created(&context, EVENT);
    let changed = EVENT.replace("Planning", "Other");
    let mut host = Script::new([refusal(404, "ErrorItemNotFound")]);
    let outcome = on_update(&mut host, &context, &object(&changed), MEETING, &record).unwrap();
    assert_eq!(
        (outcome.state, outcome.reason.as_deref()),
        (RemoteState::RemovedRemotely, Some("deleted-at-microsoft"))
    );
    assert_eq!(codes(&outcome), ["deleted-at-microsoft"]);
    let tombstone = outcome.mirrored.unwrap();

    let all_events = self::context(&[("mirror", "all-events")]);
    let mut host = Script::default();
    let outcome = on_update(&mut host, &all_events, &object(EVENT), NOTHING, &tombstone).unwrap();
    host.assert_steps(&[]);
    assert_eq!((outcome.state, outcome.notices.len()), (RemoteState::RemovedRemotely, 0));
    on_delete(&mut Script::default(), &context, &object(""), &tombstone).unwrap();

    let mut host = Script::new([answer(201, remote(Some(URL), "W/\"1\""))]);
    let outcome = on_update(&mut host, &context, &object(EVENT), MEETING, &tombstone).unwrap();
    assert_eq!(outcome.state, RemoteState::Mirrored);

    let mut host = Script::new([refusal(404, "MailboxNotEnabledForRESTAPI")]);
    let error = on_update(&mut host, &context, &object(&changed), MEETING, &record).unwrap_err();
    assert_eq!(error.problem().code, "no-mailbox");
}

#[test]
fn cancelled_unwanted_and_deleted_events_go() {
    let context = context(&[]);
    let record = created(&context, EVENT);
    let cancelled = EVENT.replace("SUMMARY", "STATUS:CANCELLED\r\nSUMMARY");
    for (text, why) in [(cancelled.as_str(), "cancelled"), (EVENT, "no-meeting-wanted")] {
        for status in [204, 404] {
            let mut host = Script::new([answer(status, Value::Null)]);
            let outcome = on_update(&mut host, &context, &object(text), NOTHING, &record).unwrap();
            host.assert_steps(&["save", "Delete"]);
            assert_eq!(host.requests[0].path, "/me/events/AAk%3D");
            assert_eq!(
                (outcome.state, outcome.reason.as_deref(), outcome.mirrored),
                (RemoteState::Absent, Some(why), None)
            );
        }
    }
    for status in [204, 404, 410] {
        on_delete(&mut Script::new([answer(status, Value::Null)]), &context, &object(""), &record).unwrap();
    }
    on_delete(&mut Script::new([answer(503, Value::Null)]), &context, &object(""), &record).unwrap_err();
}

#[test]
fn what_the_host_means_to_stand_counts_whatever_the_settings_have_become() {
    let all_events = context(&[("mirror", "all-events")]);
    let record = created(&all_events, EVENT);
    let too_large = "X".repeat(crate::calendar::limits::MAX_OCTETS + 1);
    for text in [EVENT, "", too_large.as_str()] {
        let mut host = Script::new([answer(204, Value::Null)]);
        let outcome = on_update(&mut host, &all_events, &object(text), NOTHING, &record).unwrap();
        host.assert_steps(&["save", "Delete"]);
        assert_eq!((outcome.state, outcome.reason.as_deref()), (RemoteState::Absent, Some("no-meeting-wanted")));
    }
    let mut host = Script::new([answer(201, remote(None, "W/\"1\""))]);
    let outcome = on_create(&mut host, &context(&[]), &object(EVENT), PLAIN).unwrap();
    assert_eq!((outcome.state, outcome.reason), (RemoteState::Mirrored, None));
}

/// The answer of our DELETE was lost, and the event is back in the calendar.
#[test]
fn what_we_set_out_to_remove_is_not_taken_for_removed_by_the_user() {
    let context = context(&[]);
    let mut host = Script::new([answer(503, Value::Null)]);
    on_delete(&mut host, &context, &object(""), &created(&context, EVENT)).unwrap_err();
    let deleting = host.saved.clone().flatten().unwrap();

    let mut host = Script::new([answer(404, Value::Null), answer(201, remote(Some(URL), "W/\"2\""))]);
    let outcome = on_update(&mut host, &context, &object(EVENT), MEETING, &deleting).unwrap();
    host.assert_steps(&["Get", "save", "Post"]);
    assert_eq!(outcome.state, RemoteState::Mirrored);

    let mut host = Script::new([answer(200, remote(Some(URL), "W/\"2\""))]);
    let outcome = on_update(&mut host, &context, &object(EVENT), MEETING, &deleting).unwrap();
    host.assert_steps(&["Get"]);
    assert_eq!((outcome.state, outcome.join_url.as_deref()), (RemoteState::Mirrored, Some(URL)));
}

#[test]
fn under_all_events_the_event_is_made_anew_without_its_meeting() {
    let context = context(&[("mirror", "all-events")]);
    let record = created(&context, EVENT);
    let mut host = Script::new([answer(204, Value::Null), answer(201, remote(None, "W/\"1\""))]);
    let outcome = on_update(&mut host, &context, &object(EVENT), PLAIN, &record).unwrap();
    host.assert_steps(&["save", "Delete", "save", "Post"]);
    assert!(host.body(1).get("isOnlineMeeting").is_none());
    assert_eq!((outcome.state, outcome.reason, outcome.join_url), (RemoteState::Mirrored, None, None));
}

#[test]
fn an_event_that_is_over_is_neither_made_nor_changed_but_deleted() {
    let mut context = context(&[]);
    let record = created(&context, EVENT);
    context.now_ms = NOW + 30 * 86_400_000;
    let outcome = on_create(&mut Script::default(), &context, &object(EVENT), MEETING).unwrap();
    assert_eq!((outcome.state, outcome.reason.as_deref()), (RemoteState::Absent, Some("past")));
    let changed = EVENT.replace("Planning", "Other");
    let outcome = on_update(&mut Script::default(), &context, &object(&changed), MEETING, &record).unwrap();
    assert_eq!((outcome.state, outcome.reason.as_deref()), (RemoteState::Mirrored, Some("past")));
    assert_eq!(outcome.mirrored, Some(record.clone()));
    on_delete(&mut Script::new([answer(204, Value::Null)]), &context, &object(""), &record).unwrap();
    let mut host = Script::new([answer(204, Value::Null)]);
    on_update(&mut host, &context, &object(EVENT), NOTHING, &record).unwrap();
}

/// For each group: a line before, the line after, and the fields that then travel.
const GROUPS: &[(&str, &str, &[&str])] = &[
    ("SUMMARY:a", "SUMMARY:b", &["subject"]),
    ("DTSTART:20261201T100000Z", "DTSTART:20261201T090000Z", &["start", "end", "isAllDay"]),
    ("LOCATION:a", "LOCATION:b", &["location"]),
    ("DESCRIPTION:a", "DESCRIPTION:b", &["body"]),
    ("TRANSP:OPAQUE", "TRANSP:TRANSPARENT", &["showAs"]),
    ("CLASS:PUBLIC", "CLASS:PRIVATE", &["sensitivity"]),
    ("PRIORITY:5", "PRIORITY:1", &["importance"]),
    ("CATEGORIES:a", "CATEGORIES:a,b", &["categories"]),
    ("ATTENDEE:mailto:bob@example.org", "ATTENDEE:mailto:eve@example.org", &["attendees"]),
    ("SEQUENCE:0", "SEQUENCE:1", &[]),
    ("X-OTHER:a", "X-OTHER:b", &[]),
    ("DTSTAMP:20261122T090000Z", "DTSTAMP:20261122T100000Z", &[]),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn exactly_the_changed_groups_travel_in_at_most_one_request(changes in prop::collection::vec(any::<bool>(), GROUPS.len())) {
        let text = |changes: &[bool]| {
            let lines: String = GROUPS
                .iter()
                .zip(changes)
                .map(|((before, after, _), &changed)| format!("{}\r\n", if changed { after } else { before }))
                .collect();
            format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTEND:20261201T110000Z\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n")
        };
        let context = context(&[("invitations", "microsoft")]);
        let record = created(&context, &text(&vec![false; GROUPS.len()]));
        let mut expected: Vec<&str> =
            GROUPS.iter().zip(&changes).filter(|(_, changed)| **changed).flat_map(|((_, _, fields), _)| fields.iter().copied()).collect();
        expected.sort_unstable();
        let answers = (!expected.is_empty()).then(|| answer(200, remote(Some(URL), "W/\"2\"")));
        let mut host = Script::new(answers);
        let outcome = on_update(&mut host, &context, &object(&text(&changes)), MEETING, &record).unwrap();
        prop_assert!(host.answers.is_empty());
        if !expected.is_empty() {
            let body = host.body(0);
            let mut names: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            prop_assert_eq!(names, expected);
        }
        // What was confirmed is not sent again.
        let mut host = Script::default();
        on_update(&mut host, &context, &object(&text(&changes)), MEETING, &outcome.mirrored.unwrap()).unwrap();
        prop_assert!(host.requests.is_empty());
    }
}
