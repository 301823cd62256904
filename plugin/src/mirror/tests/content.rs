//! What Microsoft is told of an event, and what not.

use super::series::{at_work, changed_instance, list, master, plain, renamed, weekly};
use super::*;

#[test]
fn a_series_that_cannot_be_said_is_refused_and_nothing_is_sent() {
    let context = context(&[]);
    let record = created(&context, EVENT);
    let series = EVENT.replace("SUMMARY", "RRULE:FREQ=MONTHLY;BYDAY=5TU\r\nSUMMARY");
    for error in [
        on_create(&mut Script::default(), &context, &object(&series), MEETING).unwrap_err(),
        on_update(&mut Script::default(), &context, &object(&series), MEETING, &record).unwrap_err(),
    ] {
        assert!(matches!(&error, HookError::Rejected(problem) if problem.code == "rule-not-expressible"), "{error:?}");
    }
}

#[test]
fn a_draft_becomes_an_event_under_another_uid() {
    let mut context = context(&[("invitations", "microsoft")]);
    context.draft = true;
    let with_guest = EVENT.replace("SUMMARY", "ATTENDEE;CN=Bob;ROLE=OPT-PARTICIPANT:mailto:bob@example.org\r\nSUMMARY");
    let without_start: String = with_guest.split_inclusive("\r\n").filter(|line| !line.starts_with("DT")).collect();
    let mut host = Script::new([answer(201, remote(Some(URL), "W/\"1\""))]);
    let record = on_create(&mut host, &context, &object(&without_start), MEETING).unwrap().mirrored.unwrap();
    let body = host.body(0);
    assert!(body.get("attendees").is_none(), "a draft invites nobody");
    assert_eq!(body["start"], json!({ "dateTime": "2026-11-22T11:00:00", "timeZone": "UTC" }));
    assert_eq!(body["end"]["dateTime"], "2026-11-22T11:30:00");

    context.draft = false;
    let mut saved = object(&with_guest);
    saved.tag = "f".repeat(32);
    let mut host = Script::new([answer(200, remote(Some(URL), "W/\"2\""))]);
    let outcome = on_update(&mut host, &context, &saved, MEETING, &record).unwrap();
    host.assert_steps(&["Patch"]);
    let body = host.body(0);
    assert_eq!(body["singleValueExtendedProperties"][0]["value"], "f".repeat(32));
    assert_eq!(body["start"]["dateTime"], "2026-12-01T10:00:00");
    assert_eq!(
        body["attendees"],
        json!([{ "type": "optional", "emailAddress": { "address": "bob@example.org", "name": "Bob" } }])
    );
    assert_eq!(Record::read(&outcome.mirrored.unwrap()).unwrap().tag, "f".repeat(32));

    context.draft = true;
    let error = on_create(&mut Script::default(), &self::context(&[]), &object(&without_start), MEETING).unwrap_err();
    assert_eq!(error.problem().code, "no-start");
}

#[test]
fn attendees_are_told_once_for_each_change_of_theirs_and_never_of_their_answers() {
    let context = context(&[("invitations", "microsoft")]);
    let text = |line: &str| EVENT.replace("SUMMARY", &format!("{line}SUMMARY"));
    let bob = "ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION:mailto:bob@example.org\r\n";
    let record = created(&context, &text(bob));
    let mut host = Script::default();
    on_update(&mut host, &context, &object(&text(&bob.replace("NEEDS-ACTION", "ACCEPTED"))), MEETING, &record).unwrap();
    host.assert_steps(&[]);
    let room = "ATTENDEE;CUTYPE=ROOM:mailto:room@example.org\r\nATTENDEE:mailto:alice@example.org\r\n";
    let mut host = Script::new([answer(200, remote(Some(URL), "W/\"2\""))]);
    on_update(&mut host, &context, &object(&text(&format!("{bob}{room}"))), MEETING, &record).unwrap();
    assert_eq!(host.body(0).as_object().unwrap().len(), 1);
    assert_eq!(host.body(0)["attendees"].as_array().unwrap().len(), 2);
    assert_eq!(host.body(0)["attendees"][1]["type"], "resource");

    // Nobody invited, nobody ever told: no request for an empty list.
    let record = created(&self::context(&[]), EVENT);
    on_update(&mut Script::default(), &context, &object(EVENT), MEETING, &record).unwrap();
}

#[test]
fn guests_are_listed_in_the_body_where_the_administrator_says_so() {
    let context = context(&[("guest-list", "on")]);
    let text = EVENT.replace("SUMMARY", "ATTENDEE;CN=\"Bob <B>\":mailto:bob@example.org\r\nSUMMARY");
    let mut host = Script::new([answer(201, remote(Some(URL), "W/\"1\""))]);
    on_create(&mut host, &context, &object(&text), MEETING).unwrap();
    let body = host.body(0);
    assert_eq!(body["body"]["content"], "Agenda<p>Guests (required):<br>Bob &lt;B&gt; &lt;bob@example.org&gt;</p>");
    assert!(body.get("attendees").is_none());
}

#[test]
fn a_private_event_without_a_meeting_tells_only_that_the_time_is_taken() {
    let private = EVENT.replace("SUMMARY", "CLASS:PRIVATE\r\nLOCATION:Home\r\nCATEGORIES:x\r\nSUMMARY");
    let mut host = Script::new([answer(201, remote(None, "W/\"1\""))]);
    on_create(&mut host, &context(&[("mirror", "all-events")]), &object(&private), PLAIN).unwrap();
    let body = host.body(0);
    assert_eq!((&body["subject"], &body["sensitivity"]), (&json!("Private appointment"), &json!("private")));
    assert_eq!(body["body"]["content"], "");
    assert!(!host.body(0).to_string().contains("Home"));

    let skip = context(&[("mirror", "all-events"), ("private", "skip")]);
    let outcome = on_create(&mut Script::default(), &skip, &object(&private), NOTHING).unwrap();
    assert_eq!(outcome.reason.as_deref(), Some("private"));
    // Chosen after the save that is being brought about.
    let mut host = Script::new([answer(201, remote(None, "W/\"1\""))]);
    on_create(&mut host, &skip, &object(&private), PLAIN).unwrap();
    assert_eq!(host.body(0)["subject"], "Private appointment");

    let mut host = Script::new([answer(201, remote(Some(URL), "W/\"1\""))]);
    on_create(&mut host, &context(&[]), &object(&private), MEETING).unwrap();
    assert_eq!(host.body(0)["subject"], "Planning");
}

#[test]
fn invitations_of_others_are_plain_entries_under_all_events() {
    let theirs = |partstat: &str| {
        EVENT.replace(
            "SUMMARY",
            &format!(
                "ORGANIZER:mailto:bob@example.org\r\nATTENDEE;PARTSTAT={partstat}:MAILTO:Alice@Example.org\r\nSUMMARY"
            ),
        )
    };
    let context = context(&[("mirror", "all-events"), ("invitations", "microsoft"), ("guest-list", "on")]);
    for (partstat, show_as) in [("ACCEPTED", "busy"), ("TENTATIVE", "tentative"), ("NEEDS-ACTION", "tentative")] {
        let mut host = Script::new([answer(201, remote(None, "W/\"1\""))]);
        on_create(&mut host, &context, &object(&theirs(partstat)), MEETING).unwrap();
        let body = host.body(0);
        assert_eq!(body["showAs"], show_as);
        assert!(body.get("isOnlineMeeting").is_none() && body.get("attendees").is_none());
        assert_eq!(body["body"]["content"], "Agenda");
    }
    let outcome = on_create(&mut Script::default(), &context, &object(&theirs("DECLINED")), NOTHING).unwrap();
    assert_eq!(outcome.reason.as_deref(), Some("declined"));
    let outcome =
        on_create(&mut Script::default(), &self::context(&[]), &object(&theirs("ACCEPTED")), NOTHING).unwrap();
    assert_eq!(outcome.reason.as_deref(), Some("attendee-copy"));
}

/// The body of a request as a person reads it.
fn content(body: &Value) -> &str {
    body["body"]["content"].as_str().unwrap()
}

#[test]
fn a_body_is_cut_and_the_meetings_block_never() {
    let context = context(&[("body-limit", "10")]);
    let record = created(&context, EVENT);
    let long = EVENT.replace("Agenda", &"Agenda ä\\n".repeat(3000));
    let mut host = Script::new([answer(200, remote(Some(URL), "W/\"2\""))]);
    on_update(&mut host, &context, &object(&long), MEETING, &record).unwrap();
    let body = host.body(0);
    let user = content(&body).strip_suffix(&block(URL)).expect("Microsoft's part, whole, at the end");
    assert!(user.len() <= 10 * 1024 && user.len() > 10 * 1024 - 200, "{}", user.len());
    assert!(
        user.ends_with("<p>[Shortened: Teams shows 10 KB of this event's text. All of it stands in the calendar.]</p>")
    );

    let mut host = Script::new([answer(201, remote(Some(URL), "W/\"1\""))]);
    on_create(&mut host, &self::context(&[]), &object(&long), MEETING).unwrap();
    assert!(!content(&host.body(0)).contains("Shortened"), "it is short enough for the usual limit");
}

#[test]
fn a_block_of_another_event_is_not_told_beside_microsofts() {
    let context = context(&[]);
    let rule = "_".repeat(80);
    let tag = "f".repeat(32);
    let copied = EVENT.replace(
        "Agenda",
        &format!("Agenda\\n\\n{rule}\\nMicrosoft Teams meeting\\nJoin:\\n{NEW_URL}\\n[tm:{tag}:lu]\\n{rule}"),
    );
    let mut host = Script::new([answer(201, remote(Some(URL), "W/\"1\""))]);
    on_create(&mut host, &context, &object(&copied), MEETING).unwrap();
    assert_eq!(content(&host.body(0)), "Agenda");
}

const GUEST_AND_FILE: &str = "ATTENDEE;CN=Bob:mailto:bob@example.org\r\nATTACH;FILENAME=a.pdf:https://x/a\r\n";
const LISTED: &str = "<p>Attachments:<br><a href=\"https://x/a\">a.pdf</a></p>\
    <p>Guests (required):<br>Bob &lt;bob@example.org&gt;</p>";

#[test]
fn a_series_and_each_changed_occurrence_have_the_same_content_as_a_single_event() {
    let context = context(&[("guest-list", "on"), ("body-limit", "10")]);
    let long = renamed("20261215", "x").replace("SUMMARY:x", &format!("{GUEST_AND_FILE}SUMMARY:{}", "😀".repeat(200)));
    let long = long.replace("DESCRIPTION:Agenda", &format!("DESCRIPTION:{}", "ä".repeat(9000)));
    let text = weekly(GUEST_AND_FILE, &long);
    let answers =
        vec![answer(201, master("2026-12-01", "W/\"1\"")), list(&["2026-12-15"]), changed_instance("2026-12-15")];
    let mut host = Script::new(answers);
    let record = at_work(&mut host, &context, &text, None);
    assert_eq!(content(&host.body(0)), format!("Agenda{LISTED}"));
    let changed = host.body(2);
    assert_eq!(changed["subject"], "😀".repeat(127));
    let user = content(&changed).strip_suffix(&block(URL)).expect("the occurrence's part of Microsoft's, whole");
    assert!(user.len() <= 10 * 1024 && user.contains(LISTED) && user.ends_with("in the calendar.]</p>"), "{user}");
    at_work(&mut Script::default(), &context, &text, Some(&record));
}

#[test]
fn every_piece_of_a_set_has_all_of_the_content_and_the_link() {
    let context = context(&[("guest-list", "on")]);
    let set = EVENT.replace("SUMMARY", &format!("RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15\r\n{GUEST_AND_FILE}SUMMARY"));
    let mut host = Script::new([answer(201, master("2026-12-01", "W/\"1\"")), answer(201, plain("AAp="))]);
    at_work(&mut host, &context, &set, None);
    assert_eq!(content(&host.body(0)), format!("Agenda{LISTED}"));
    let link = format!("<p><a href=\"{URL}\">{URL}</a></p>");
    assert_eq!(content(&host.body(1)), format!("Agenda{LISTED}{link}"));
}
