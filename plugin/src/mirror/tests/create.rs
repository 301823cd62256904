//! Creating: one event, whatever breaks.

use super::*;

#[test]
fn a_create_is_one_request_behind_one_checkpoint_of_its_very_bytes() {
    let mut host = Script::new([answer(201, remote(Some(URL), "W/\"1\""))]);
    let outcome = on_create(&mut host, &context(&[]), &object(EVENT), MEETING).unwrap();
    host.assert_steps(&["save", "Post"]);
    let pending = host.saved().pending.unwrap();
    assert_eq!(Some(pending.body.as_bytes()), host.requests[0].body.as_deref());
    assert_eq!((pending.mirror_id.as_str(), pending.sent_ms), (FIRST_ID, NOW));
    let body = host.body(0);
    assert_eq!(body["transactionId"], FIRST_ID);
    assert_eq!(body["singleValueExtendedProperties"][0]["value"], FIRST_ID);
    assert_eq!(body["singleValueExtendedProperties"][1]["value"], TAG);
    assert_eq!(body["isOnlineMeeting"], true);
    assert_eq!(body["onlineMeetingProvider"], "teamsForBusiness");
    assert_eq!(body["subject"], "Planning");
    assert_eq!(body["start"], json!({ "dateTime": "2026-12-01T10:00:00", "timeZone": "W. Europe Standard Time" }));
    assert_eq!(body["body"], json!({ "contentType": "html", "content": "Agenda" }));
    assert_eq!(body["isReminderOn"], false);
    assert!(body.get("attendees").is_none());
    assert_eq!(outcome.state, RemoteState::Mirrored);
    assert_eq!(outcome.join_url.as_deref(), Some(URL));
    assert_eq!((outcome.reason, outcome.facts_stale), (None, false));
    let record = Record::read(&outcome.mirrored.unwrap()).unwrap();
    assert_eq!(record.remote_id.as_deref(), Some("AAk="));
    assert_eq!(record.block, Some(block(URL)));
    assert_eq!(record.pending, None);
}

#[test]
fn without_a_checkpoint_nothing_leaves() {
    let mut host = Script { save_fails: true, ..Script::default() };
    let error = on_create(&mut host, &context(&[]), &object(EVENT), MEETING).unwrap_err();
    assert_eq!(error.problem().code, "not-saved");
    host.assert_steps(&["save"]);
}

#[test]
fn a_silently_missing_link_is_told() {
    let mut host = Script::new([answer(201, remote(None, "W/\"1\""))]);
    let outcome = on_create(&mut host, &context(&[]), &object(EVENT), MEETING).unwrap();
    assert_eq!(outcome.state, RemoteState::Mirrored);
    assert_eq!(outcome.reason.as_deref(), Some("no-teams"));
    assert_eq!(codes(&outcome), ["no-teams"]);
    assert!(outcome.facts_stale);
}

#[test]
fn a_mailbox_without_teams_is_not_asked_for_a_meeting_until_it_has_them() {
    let mut context = context(&[]);
    context.mailbox = Some(br#"{"allowedOnlineMeetingProviders":["skypeForConsumer"]}"#.to_vec());
    let mut host = Script::new([answer(201, remote(None, "W/\"1\""))]);
    let outcome = on_create(&mut host, &context, &object(EVENT), MEETING).unwrap();
    assert!(host.body(0).get("isOnlineMeeting").is_none());
    assert_eq!((outcome.reason.as_deref(), outcome.facts_stale), (Some("no-teams"), false));
    let record = outcome.mirrored.unwrap();

    let mut host = Script::default();
    let outcome = on_update(&mut host, &context, &object(EVENT), MEETING, &record).unwrap();
    host.assert_steps(&[]);
    assert_eq!(outcome.reason.as_deref(), Some("no-teams"));

    context.mailbox = Some(br#"{"allowedOnlineMeetingProviders":["teamsForBusiness"]}"#.to_vec());
    let mut host = Script::new([answer(200, remote(Some(URL), "W/\"2\""))]);
    let outcome = on_update(&mut host, &context, &object(EVENT), MEETING, &record).unwrap();
    assert_eq!(host.body(0), json!({ "isOnlineMeeting": true, "onlineMeetingProvider": "teamsForBusiness" }));
    assert_eq!((outcome.join_url.as_deref(), outcome.reason), (Some(URL), None));
}

#[test]
fn a_refused_create_leaves_no_checkpoint_and_a_doubtful_one_does() {
    for (answer, code, cleared) in [
        (refusal(400, "ErrorInvalidRequest"), "refused-by-microsoft", true),
        (refusal(401, "InvalidAuthenticationToken"), "sign-in-needed", true),
        (refusal(403, "ErrorAccessDenied"), "permission-missing", true),
        (refusal(403, "Forbidden"), "access-refused", true),
        (refusal(404, "MailboxNotEnabledForRESTAPI"), "no-mailbox", true),
        (answer(404, Value::Null), "mailbox-not-ready", true),
        (answer(413, Value::Null), "too-large-for-microsoft", true),
        (refusal(429, "TooManyRequests"), "throttled", true),
        (answer(408, Value::Null), "microsoft-unavailable", false),
        (answer(409, Value::Null), "conflict", false),
        (answer(500, Value::Null), "microsoft-unavailable", false),
        (answer(504, Value::Null), "microsoft-unavailable", false),
        (answer(201, Value::Null), "unexpected-answer", false),
        (Err(HttpError::NotSent("x".into())), "not-sent", true),
        (Err(HttpError::Wait(5)), "waiting", true),
        (Err(HttpError::SignInNeeded("x".into())), "sign-in-needed", true),
        (Err(HttpError::AdminNeeded("x".into())), "admin-needed", true),
        (Err(HttpError::Refused("x".into())), "refused-by-host", true),
        (Err(HttpError::BudgetSpent("x".into())), "budget-spent", true),
        (Err(HttpError::Unanswered("x".into())), "unanswered", false),
        (Err(HttpError::Other("x".into())), "unanswered", false),
    ] {
        let mut host = Script::new([answer]);
        let error = on_create(&mut host, &context(&[]), &object(EVENT), MEETING).unwrap_err();
        assert_eq!(error.problem().code, code);
        // Nothing is wrong with an event that has nowhere to go yet.
        assert_eq!(matches!(error, HookError::MailboxNeeded(_)), code == "no-mailbox");
        let steps: &[&str] = if cleared { &["save", "Post", "clear"] } else { &["save", "Post"] };
        host.assert_steps(steps);
    }
}

#[test]
fn only_failures_of_its_own_count_as_tries() {
    let retry = |answer: Result<Response, HttpError>| {
        let record = created(&context(&[]), EVENT);
        let changed = EVENT.replace("Planning", "Other");
        match on_update(&mut Script::new([answer]), &context(&[]), &object(&changed), MEETING, &record).unwrap_err() {
            HookError::TryAgain(retry) => (retry.counts, retry.after_ms),
            other => panic!("{other:?}"),
        }
    };
    let with =
        |status, after| Ok(Response { status, headers: Vec::new(), retry_after_ms: after, body: b"<html>".to_vec() });
    assert_eq!(retry(with(429, Some(2128))), (false, Some(2128)));
    assert_eq!(retry(with(429, None)), (false, None));
    assert_eq!(retry(with(503, Some(9))), (false, Some(9)));
    assert_eq!(retry(with(503, None)), (true, None));
    assert_eq!(retry(with(500, None)), (true, None));
    assert_eq!(retry(Err(HttpError::Wait(7))), (false, Some(7)));
}

fn pending(context: &Context) -> (Vec<u8>, Vec<u8>) {
    let mut host = Script::new([Err(HttpError::Unanswered("x".into()))]);
    on_create(&mut host, context, &object(EVENT), MEETING).unwrap_err();
    (host.saved.unwrap().unwrap(), host.requests[0].body.clone().unwrap())
}

#[test]
fn a_doubtful_create_is_looked_up_and_adopted() {
    let context = context(&[]);
    let (record, _) = pending(&context);
    let mut host = Script::new([answer(200, json!({ "value": [remote(Some(URL), "W/\"1\"")] }))]);
    let outcome = on_update(&mut host, &context, &object(EVENT), MEETING, &record).unwrap();
    host.assert_steps(&["Get"]);
    assert_eq!(outcome.join_url.as_deref(), Some(URL));
    let path = percent_encoding::percent_decode_str(&host.requests[0].path).decode_utf8().unwrap().into_owned();
    assert!(path.starts_with("/me/events?$filter=singleValueExtendedProperties/Any(ep: ep/id eq 'String {"), "{path}");
    assert!(path.contains(&format!("}} Name mirror-id' and ep/value eq '{FIRST_ID}')&$expand=")), "{path}");

    // With an edit in between: one PATCH of what was edited.
    let mut host = Script::new([
        answer(200, json!({ "value": [remote(Some(URL), "W/\"1\"")] })),
        answer(200, remote(Some(URL), "W/\"2\"")),
    ]);
    let changed = EVENT.replace("Planning", "Other");
    on_update(&mut host, &context, &object(&changed), MEETING, &record).unwrap();
    host.assert_steps(&["Get", "Patch"]);
    assert_eq!(host.body(1), json!({ "subject": "Other" }));
}

#[test]
fn a_doubtful_create_that_is_absent_is_sent_again_to_the_byte_then_brought_up_to_date() {
    let context = context(&[]);
    let (record, bytes) = pending(&context);
    let mut host = Script::new([
        answer(200, json!({ "value": [] })),
        answer(201, remote(Some(URL), "W/\"1\"")),
        answer(200, remote(Some(URL), "W/\"2\"")),
    ]);
    let changed = EVENT.replace("Planning", "Other");
    on_update(&mut host, &context, &object(&changed), MEETING, &record).unwrap();
    host.assert_steps(&["Get", "Post", "Patch"]);
    assert_eq!(host.requests[1].body.as_deref(), Some(bytes.as_slice()));

    // Not sent the second time says nothing about the first.
    let mut host = Script::new([answer(200, json!({ "value": [] })), Err(HttpError::NotSent("x".into()))]);
    on_update(&mut host, &context, &object(EVENT), MEETING, &record).unwrap_err();
    host.assert_steps(&["Get", "Post"]);
}

#[test]
fn a_doubtful_create_that_is_no_longer_wanted_leaves_nothing_behind() {
    let mut context = context(&[]);
    let (record, _) = pending(&context);
    let found = || answer(200, json!({ "value": [remote(Some(URL), "W/\"1\"")] }));
    let none = || answer(200, json!({ "value": [] }));

    let mut host = Script::new([found(), answer(204, Value::Null)]);
    on_delete(&mut host, &context, &object(""), &record).unwrap();
    host.assert_steps(&["Get", "save", "Delete"]);

    let cancelled = EVENT.replace("SUMMARY", "STATUS:CANCELLED\r\nSUMMARY");
    let mut host = Script::new([found(), answer(404, Value::Null)]);
    let outcome = on_update(&mut host, &context, &object(&cancelled), NOTHING, &record).unwrap();
    assert_eq!((outcome.state, outcome.reason.as_deref()), (RemoteState::Absent, Some("cancelled")));

    context.now_ms = NOW + 30_000;
    let error = on_delete(&mut Script::new([none()]), &context, &object(""), &record).unwrap_err();
    let HookError::TryAgain(retry) = error else { panic!("{error:?}") };
    assert_eq!((retry.counts, retry.after_ms), (false, Some(90_000)));
    context.now_ms = NOW + 120_000;
    on_delete(&mut Script::new([none()]), &context, &object(""), &record).unwrap();
}

#[test]
fn after_a_restore_the_event_is_looked_for_before_it_is_made() {
    let mut context = context(&[]);
    context.may_exist = true;
    let mut host = Script::new([answer(200, json!({ "value": [] })), answer(201, remote(Some(URL), "W/\"1\""))]);
    on_create(&mut host, &context, &object(EVENT), MEETING).unwrap();
    host.assert_steps(&["Get", "save", "Post"]);
    assert!(host.requests[0].path.contains("mirror-object") && host.requests[0].path.contains(TAG));

    let mut host = Script::new([
        answer(200, json!({ "value": [remote(Some(URL), "W/\"1\"")] })),
        answer(200, remote(Some(URL), "W/\"2\"")),
    ]);
    let outcome = on_create(&mut host, &context, &object(EVENT), MEETING).unwrap();
    host.assert_steps(&["Get", "Patch"]);
    assert_eq!(host.body(1)["subject"], "Planning");
    assert_eq!(outcome.join_url.as_deref(), Some(URL));
}

#[test]
fn an_unreadable_record_is_said_and_nothing_is_sent() {
    let error = on_update(&mut Script::default(), &context(&[]), &object(EVENT), MEETING, b"\0\x07{}").unwrap_err();
    assert_eq!(error.problem().code, "record-unreadable");
}

#[test]
fn an_answer_that_does_not_say_where_to_join_is_followed_by_a_look() {
    let mut vague = remote(None, "W/\"1\"");
    vague["isOnlineMeeting"] = json!(true);
    let mut host = Script::new([answer(201, vague.clone()), answer(200, remote(Some(URL), "W/\"2\""))]);
    let outcome = on_create(&mut host, &context(&[]), &object(EVENT), MEETING).unwrap();
    host.assert_steps(&["save", "Post", "Get"]);
    assert_eq!((outcome.join_url.as_deref(), outcome.reason), (Some(URL), None));

    // The event stands although the look failed.
    let mut host = Script::new([answer(201, vague.clone()), answer(503, Value::Null)]);
    let outcome = on_create(&mut host, &context(&[]), &object(EVENT), MEETING).unwrap();
    assert_eq!((outcome.state, outcome.reason.as_deref()), (RemoteState::Mirrored, Some("no-teams")));

    let record = created(&context(&[]), EVENT);
    let changed = EVENT.replace("Planning", "Other");
    let mut host = Script::new([answer(200, vague), answer(200, remote(Some(URL), "W/\"3\""))]);
    let outcome = on_update(&mut host, &context(&[]), &object(&changed), MEETING, &record).unwrap();
    host.assert_steps(&["Patch", "Get"]);
    assert!(outcome.notices.is_empty());
}
