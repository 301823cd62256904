//! Events that repeat: what is sent for them, in which order, and what is gone on with.

use super::*;
use crate::record::Deleted;

/// A series at Microsoft: what a POST or PATCH of it answers.
pub(super) fn master(first_day: &str, etag: &str) -> Value {
    let mut master = remote(Some(URL), etag);
    master["recurrence"] = json!({ "pattern": {}, "range": { "startDate": first_day } });
    master
}

/// Another event, without a meeting.
pub(super) fn plain(id: &str) -> Value {
    let mut plain = remote(None, "W/\"p1\"");
    plain["id"] = json!(id);
    plain
}

/// An occurrence in a list: a Tuesday at nine in UTC, which is ten in Berlin.
fn listed(day: &str) -> Value {
    json!({
        "id": format!("i-{day}"), "@odata.etag": "W/\"i1\"", "type": "occurrence",
        "originalStart": format!("{day}T09:00:00Z"),
        "start": { "dateTime": format!("{day}T09:00:00.0000000"), "timeZone": "UTC" },
        "end": { "dateTime": format!("{day}T10:00:00.0000000"), "timeZone": "UTC" },
    })
}

pub(super) fn list(days: &[&str]) -> Result<Response, HttpError> {
    answer(200, json!({ "value": days.iter().map(|day| listed(day)).collect::<Vec<_>>() }))
}

pub(super) fn changed_instance(day: &str) -> Result<Response, HttpError> {
    let mut instance = remote(Some(URL), "W/\"i2\"");
    instance["id"] = json!(format!("i-{day}"));
    answer(200, instance)
}

/// The event, weekly, with further lines and further components.
pub(super) fn weekly(lines: &str, overrides: &str) -> String {
    EVENT
        .replace("SUMMARY", &format!("RRULE:FREQ=WEEKLY\r\n{lines}SUMMARY"))
        .replace("END:VCALENDAR", &format!("{overrides}END:VCALENDAR"))
}

fn exdate(day: &str) -> String {
    format!("EXDATE;TZID=Europe/Berlin:{day}T100000\r\n")
}

pub(super) fn renamed(day: &str, subject: &str) -> String {
    format!(
        "BEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID;TZID=Europe/Berlin:{day}T100000\r\n\
         DTSTART;TZID=Europe/Berlin:{day}T100000\r\nDTEND;TZID=Europe/Berlin:{day}T110000\r\nSUMMARY:{subject}\r\n\
         DESCRIPTION:Agenda\r\nEND:VEVENT\r\n"
    )
}

pub(super) fn at_work(script: &mut Script, context: &Context, text: &str, record: Option<&[u8]>) -> Vec<u8> {
    let outcome = match record {
        None => on_create(script, context, &object(text), MEETING),
        Some(record) => on_update(script, context, &object(text), MEETING, record),
    };
    let outcome = outcome.unwrap();
    assert_eq!((outcome.state, outcome.join_url.as_deref()), (RemoteState::Mirrored, Some(URL)));
    outcome.mirrored.unwrap()
}

#[track_caller]
fn step(
    text: &str,
    record: Option<&[u8]>,
    answers: Vec<Result<Response, HttpError>>,
    steps: &[&str],
) -> (Script, Vec<u8>) {
    let mut host = Script::new(answers);
    let record = at_work(&mut host, &context(&[]), text, record);
    host.assert_steps(steps);
    (host, record)
}

#[test]
fn a_series_is_one_request_and_a_rename_another() {
    let text = weekly("", "");
    let (host, record) = step(&text, None, vec![answer(201, master("2026-12-01", "W/\"1\""))], &["save", "Post"]);
    let recurrence = &host.body(0)["recurrence"];
    assert_eq!(
        recurrence["pattern"],
        json!({ "type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday" })
    );
    assert_eq!(
        recurrence["range"],
        json!({ "type": "noEnd", "startDate": "2026-12-01", "recurrenceTimeZone": "W. Europe Standard Time" })
    );
    // Graph reads a recurrence only in this order.
    let sent = String::from_utf8(host.requests[0].body.clone().unwrap()).unwrap();
    assert!(sent.find("\"pattern\"").unwrap() < sent.find("\"range\"").unwrap());

    let renamed = text.replace("Planning", "Other");
    let (host, record) = step(&renamed, Some(&record), vec![answer(200, master("2026-12-01", "W/\"2\""))], &["Patch"]);
    assert_eq!(host.body(0), json!({ "subject": "Other" }));
    step(&renamed, Some(&record), vec![], &[]);
}

/// A series that was just made, one of its occurrences taken out and one renamed.
fn with_two_exceptions() -> (String, Script, Vec<u8>) {
    let text = weekly(&exdate("20261208"), &renamed("20261215", "Special"));
    let answers = vec![
        answer(201, master("2026-12-01", "W/\"1\"")),
        list(&["2026-12-08", "2026-12-15"]),
        answer(204, Value::Null),
        changed_instance("2026-12-15"),
    ];
    let mut host = Script::new(answers);
    let record = at_work(&mut host, &context(&[]), &text, None);
    (text, host, record)
}

#[test]
fn exceptions_cost_one_list_and_one_request_each() {
    let (text, host, record) = with_two_exceptions();
    let sent: Vec<String> = host.requests.iter().map(|request| format!("{:?}", request.method)).collect();
    assert_eq!(sent, ["Post", "Get", "Delete", "Patch"]);
    let list_path = &host.requests[1].path;
    assert!(
        list_path.starts_with("/me/events/AAk%3D/instances?startDateTime=2026-12-07T09:00:00Z&endDateTime=2026-12-16T")
    );
    assert_eq!(host.requests[2].path, "/me/events/i-2026-12-08");
    assert_eq!(host.body(3), json!({ "subject": "Special" }));

    // Known by now: one request each.
    let again = text.replace("Special", "Very special");
    let (host, record) = step(&again, Some(&record), vec![changed_instance("2026-12-15")], &["Patch"]);
    assert_eq!(host.body(0), json!({ "subject": "Very special" }));
    let both_gone = weekly(&format!("{}{}", exdate("20261208"), exdate("20261215")), "");
    step(&both_gone, Some(&record), vec![answer(204, Value::Null)], &["save", "Delete"]);
}

#[test]
fn an_exception_taken_back_is_what_the_series_is() {
    let (_, record) = step(
        &weekly("", &renamed("20261215", "Special")),
        None,
        vec![answer(201, master("2026-12-01", "W/\"1\"")), list(&["2026-12-15"]), changed_instance("2026-12-15")],
        &["save", "Post", "Get", "Patch"],
    );
    let (host, record) = step(&weekly("", ""), Some(&record), vec![changed_instance("2026-12-15")], &["Patch"]);
    assert_eq!(
        (host.requests[0].path.as_str(), host.body(0)),
        ("/me/events/i-2026-12-15", json!({ "subject": "Planning" }))
    );
    // It has a subject of its own now, so it does not follow by itself.
    let renamed_series = weekly("", "").replace("Planning", "Other");
    let answers = vec![answer(200, master("2026-12-01", "W/\"2\"")), changed_instance("2026-12-15")];
    let (host, _) = step(&renamed_series, Some(&record), answers, &["Patch", "Patch"]);
    assert_eq!(host.body(1), json!({ "subject": "Other" }));
}

#[test]
fn a_deleted_occurrence_comes_back_as_an_event_of_its_own() {
    let answers = vec![answer(201, master("2026-12-01", "W/\"1\"")), list(&["2026-12-08"]), answer(204, Value::Null)];
    let (_, record) = step(&weekly(&exdate("20261208"), ""), None, answers, &["save", "Post", "Get", "save", "Delete"]);
    let (host, record) = step(&weekly("", ""), Some(&record), vec![answer(201, plain("AAx"))], &["save", "Post"]);
    let body = host.body(0);
    assert_eq!(body["start"]["dateTime"], "2026-12-08T10:00:00");
    assert!(body.get("recurrence").is_none() && body.get("isOnlineMeeting").is_none());
    assert_eq!(body["location"]["displayName"], URL);
    assert!(body["body"]["content"].as_str().unwrap().contains(URL));
    let read = Record::read(&record).unwrap();
    assert_eq!(read.others.len(), 1);
    // Out again.
    let (host, record) =
        step(&weekly(&exdate("20261208"), ""), Some(&record), vec![answer(204, Value::Null)], &["save", "Delete"]);
    assert_eq!(host.requests[0].path, "/me/events/AAx");
    assert_eq!(Record::read(&record).unwrap().others, []);
}

#[test]
fn an_occurrence_that_cannot_pass_its_neighbour_is_set_apart() {
    let moved = renamed("20261208", "Planning")
        .replace("DTSTART;TZID=Europe/Berlin:20261208", "DTSTART;TZID=Europe/Berlin:20261216");
    let moved = moved.replace("DTEND;TZID=Europe/Berlin:20261208", "DTEND;TZID=Europe/Berlin:20261216");
    let answers = vec![
        answer(201, master("2026-12-01", "W/\"1\"")),
        list(&["2026-12-08"]),
        refusal(400, "ErrorOccurrenceCrossingBoundary"),
        answer(204, Value::Null),
        answer(201, plain("AAx")),
    ];
    let steps = ["save", "Post", "Get", "Patch", "save", "Delete", "save", "Post"];
    let (host, record) = step(&weekly("", &moved), None, answers, &steps);
    assert_eq!(host.body(4)["start"]["dateTime"], "2026-12-16T10:00:00");
    step(&weekly("", &moved), Some(&record), vec![], &[]);
}

#[test]
fn what_the_user_took_out_at_microsoft_stays_away() {
    let (_, record) =
        step(&weekly("", ""), None, vec![answer(201, master("2026-12-01", "W/\"1\""))], &["save", "Post"]);
    let special = weekly("", &renamed("20261215", "Special"));
    // It could have been moved far away: of what was changed, all is asked for.
    let changed = answer(200, json!({ "id": "AAk=", "exceptionOccurrences": [] }));
    let (_, record) = step(&special, Some(&record), vec![list(&["2026-12-08"]), changed], &["Get", "Get"]);
    let day = "2026-12-15".parse().unwrap();
    assert_eq!(Record::read(&record).unwrap().instances[&day].deleted, Some(Deleted::Elsewhere));
    step(&special, Some(&record), vec![], &[]);
    step(&weekly("", ""), Some(&record), vec![], &[]);
}

#[test]
fn another_rule_is_one_change_and_a_look_at_the_exceptions() {
    let (text, _, record) = with_two_exceptions();
    let other = text.replace("FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=9");

    // Kept: the deletion is not there, the exception is.
    let mut exception = listed("2026-12-15");
    exception["type"] = json!("exception");
    let kept = answer(200, json!({ "value": [exception] }));
    let (host, after) = step(
        &other,
        Some(&record),
        vec![answer(200, master("2026-12-01", "W/\"2\"")), kept],
        &["save", "Patch", "Get"],
    );
    assert_eq!(host.body(0)["recurrence"]["range"]["endDate"], "2027-01-26");
    step(&other, Some(&after), vec![], &[]);

    // Dropped: both are as the series is.
    let answers = vec![
        answer(200, master("2026-12-01", "W/\"2\"")),
        list(&["2026-12-08", "2026-12-15"]),
        answer(204, Value::Null),
        changed_instance("2026-12-15"),
    ];
    let (host, _) = step(&other, Some(&record), answers, &["save", "Patch", "Get", "save", "Delete", "Patch"]);
    assert_eq!(host.body(3), json!({ "subject": "Special" }));
}

#[test]
fn a_split_series_goes_on_as_two() {
    let text = weekly("", "").replace("20261201T1", "20261103T1");
    let (_, record) = step(&text, None, vec![answer(201, master("2026-11-03", "W/\"1\""))], &["save", "Post"]);
    let other = text.replace("FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2");
    let mut past = plain("AAp");
    past["recurrence"] = json!({ "range": { "startDate": "2026-11-03" } });
    let answers = vec![
        // What is still to come begins on 1 December.
        answer(200, master("2026-12-01", "W/\"2\"")),
        answer(200, json!({ "value": [master("2026-12-01", "W/\"2\""), past.clone()] })),
        answer(200, master("2026-12-01", "W/\"3\"")),
        answer(200, past),
    ];
    let (host, record) =
        step(&other, Some(&record), answers, &["save", "Patch", "Get", "save", "Patch", "save", "Patch"]);
    assert_eq!(host.requests[2].path, "/me/events/AAk%3D");
    assert_eq!(host.body(2)["recurrence"]["range"]["startDate"], "2026-12-01");
    let range = &host.body(3)["recurrence"]["range"];
    assert_eq!((&range["startDate"], &range["endDate"]), (&json!("2026-11-03"), &json!("2026-11-17")));
    step(&other, Some(&record), vec![], &[]);
    // Both go.
    let mut host = Script::new([answer(204, Value::Null), answer(204, Value::Null)]);
    on_delete(&mut host, &context(&[]), &object(""), &record).unwrap();
    let paths: Vec<&str> = host.requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/me/events/AAp", "/me/events/AAk%3D"]);
}

#[test]
fn several_pieces_share_the_link_and_the_owner_is_never_removed() {
    let two = EVENT.replace("SUMMARY", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15\r\nSUMMARY");
    let answers = vec![answer(201, master("2026-12-01", "W/\"1\"")), answer(201, plain("AAx"))];
    let (host, record) = step(&two, None, answers, &["save", "Post", "save", "Post"]);
    assert_eq!(host.body(0)["isOnlineMeeting"], true);
    let second = host.body(1);
    assert!(second.get("isOnlineMeeting").is_none());
    assert_eq!(second["recurrence"]["pattern"]["dayOfMonth"], 15);
    assert_eq!(second["location"]["displayName"], URL);
    assert_ne!(host.body(0)["transactionId"], second["transactionId"]);

    // The owner becomes the only piece there is.
    let one = EVENT.replace("SUMMARY", "RRULE:FREQ=MONTHLY;BYMONTHDAY=15\r\nSUMMARY").replace("20261201", "20261215");
    let answers = vec![answer(200, master("2026-12-15", "W/\"2\"")), answer(204, Value::Null)];
    let (host, record) = step(&one, Some(&record), answers, &["save", "Patch", "save", "Delete"]);
    assert_eq!(
        (host.requests[0].path.as_str(), host.requests[1].path.as_str()),
        ("/me/events/AAk%3D", "/me/events/AAx")
    );

    // And a single event.
    let (host, record) =
        step(EVENT, Some(&record), vec![answer(200, remote(Some(URL), "W/\"3\""))], &["save", "Patch"]);
    assert_eq!(host.body(0)["recurrence"], Value::Null);
    assert!(host.body(0).as_object().unwrap().contains_key("recurrence"));
    step(EVENT, Some(&record), vec![], &[]);
}

#[test]
fn the_last_day_of_the_month_is_looked_at_and_said_otherwise_where_it_is_not_understood() {
    let last = EVENT.replace("SUMMARY", "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1\r\nSUMMARY").replace("20261201", "20261231");
    // 28 February 2027 is the first short month.
    let (host, record) = step(
        &last,
        None,
        vec![answer(201, master("2026-12-31", "W/\"1\"")), list(&["2027-02-28"])],
        &["save", "Post", "Get"],
    );
    assert_eq!(host.body(0)["recurrence"]["pattern"]["dayOfMonth"], 31);
    step(&last, Some(&record), vec![], &[]);

    let answers =
        vec![answer(201, master("2026-12-31", "W/\"1\"")), list(&[]), answer(200, master("2026-12-31", "W/\"2\""))];
    let (host, record) = step(&last, None, answers, &["save", "Post", "Get", "save", "Patch"]);
    let pattern = &host.body(2)["recurrence"]["pattern"];
    assert_eq!((&pattern["type"], &pattern["index"]), (&json!("relativeMonthly"), &json!("last")));
    step(&last, Some(&record), vec![], &[]);
}

#[test]
fn guests_of_microsofts_invitations_are_told_when_the_exceptions_stand() {
    let context = context(&[("invitations", "microsoft")]);
    let guest = "ATTENDEE:mailto:bob@example.org\r\n";
    let text = weekly(&format!("{guest}{}", exdate("20261208")), "");
    let mut host = Script::new([
        answer(201, master("2026-12-01", "W/\"1\"")),
        list(&["2026-12-08"]),
        answer(204, Value::Null),
        answer(200, master("2026-12-01", "W/\"2\"")),
    ]);
    let record = at_work(&mut host, &context, &text, None);
    host.assert_steps(&["save", "Post", "Get", "save", "Delete", "Patch"]);
    assert!(host.body(0).get("attendees").is_none());
    assert_eq!(host.body(3).as_object().unwrap().keys().collect::<Vec<_>>(), ["attendees"]);
    at_work(&mut Script::default(), &context, &text, Some(&record));
}

#[test]
fn a_hook_that_ends_early_goes_on_where_it_was() {
    let text = weekly(&format!("{}{}", exdate("20261208"), exdate("20261215")), "");
    let mut host = Script::new([
        answer(201, master("2026-12-01", "W/\"1\"")),
        list(&["2026-12-08", "2026-12-15"]),
        answer(204, Value::Null),
        Err(HttpError::BudgetSpent("enough".into())),
    ]);
    let error = on_create(&mut host, &context(&[]), &object(&text), MEETING).unwrap_err();
    let HookError::TryAgain(retry) = error else { panic!("{error:?}") };
    assert_eq!((retry.problem.code.as_str(), retry.counts), ("budget-spent", false));
    host.assert_steps(&["save", "Post", "Get", "save", "Delete", "Delete", "save"]);
    let kept = host.saved.unwrap().unwrap();
    // Found gone, it was taken out by us.
    let (host, record) = step(&text, Some(&kept), vec![refusal(404, "ErrorItemNotFound")], &["save", "Delete"]);
    assert_eq!(host.requests[0].path, "/me/events/i-2026-12-15");
    let restored = vec![answer(201, plain("AAx")), answer(201, plain("AAy"))];
    step(&weekly("", ""), Some(&record), restored, &["save", "Post", "save", "Post"]);
}

#[test]
fn a_doubtful_piece_is_settled_before_anything_else() {
    let two = EVENT.replace("SUMMARY", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15\r\nSUMMARY");
    let mut host =
        Script::new([answer(201, master("2026-12-01", "W/\"1\"")), Err(HttpError::Unanswered("gone".into()))]);
    on_create(&mut host, &context(&[]), &object(&two), MEETING).unwrap_err();
    let kept = host.saved.unwrap().unwrap();
    let read = Record::read(&kept).unwrap();
    assert_eq!((read.remote_id.as_deref(), read.others[0].pending.is_some()), (Some("AAk="), true));
    let found = answer(200, json!({ "value": [plain("AAx")] }));
    let (_, record) = step(&two, Some(&kept), vec![found], &["Get"]);
    assert_eq!(Record::read(&record).unwrap().others[0].remote_id.as_deref(), Some("AAx"));
    // Nothing of it is left, whatever became of the second.
    let mut host = Script::new([
        answer(200, json!({ "value": [plain("AAx")] })),
        answer(204, Value::Null),
        answer(204, Value::Null),
    ]);
    on_delete(&mut host, &context(&[]), &object(""), &kept).unwrap();
    assert_eq!(host.requests.iter().filter(|request| request.method == crate::host::Method::Delete).count(), 2);
}

#[test]
fn a_set_whose_meeting_was_removed_goes_whole_however_often_that_is_begun() {
    let two = EVENT.replace("SUMMARY", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15\r\nSUMMARY");
    let answers = vec![answer(201, master("2026-12-01", "W/\"1\"")), answer(201, plain("AAx"))];
    let (_, record) = step(&two, None, answers, &["save", "Post", "save", "Post"]);
    let other = two.replace("Planning", "Other");
    let gone = || refusal(404, "ErrorItemNotFound");
    let mut host = Script::new([gone(), refusal(503, "")]);
    on_update(&mut host, &context(&[]), &object(&other), MEETING, &record).unwrap_err();
    let kept = host.saved.unwrap().unwrap();
    let mut host = Script::new([gone(), answer(204, Value::Null)]);
    let outcome = on_update(&mut host, &context(&[]), &object(&other), MEETING, &kept).unwrap();
    host.assert_steps(&["Patch", "Delete"]);
    assert_eq!((outcome.state, codes(&outcome)), (RemoteState::RemovedRemotely, vec!["deleted-at-microsoft"]));
    assert_eq!(Record::read(&outcome.mirrored.unwrap()).unwrap(), Record { removed: true, ..Record::default() });
}
