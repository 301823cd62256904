//! Bad input gets its documented answer and changes nothing.

use support::{Put, event};

use crate::world::{ALICE, World};

#[test]
fn each_bad_input_gets_its_answer() {
    let world = World::signed_in();
    let good = event::meeting("e1", "Planning", &[]);
    let put = |uid: &str, text: &str| world.hook.put(ALICE, uid, text, &Put::wanted()).unwrap();
    let expect = |answer: support::Answer, status: u16, code: &str| {
        assert_eq!((answer.status, answer.str("code")), (status, code), "{}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(!answer.str("detail").is_empty());
    };
    expect(put("e1", &good.replace("UID:e1\r\n", "")), 422, "uid-missing");
    expect(put("e2", &good), 422, "uid-differs");
    let vevent = &good[good.find("BEGIN:VEVENT").unwrap()..good.find("END:VCALENDAR").unwrap()];
    let two = good.replace("END:VCALENDAR", &format!("{}END:VCALENDAR", vevent.replace("UID:e1", "UID:e2")));
    expect(put("e1", &two), 422, "several-uids");
    expect(put("e1", "Dear Sir or Madam"), 422, "not-icalendar");
    expect(put("e1", ""), 422, "not-icalendar");
    expect(
        world.hook.put_raw(ALICE, "e1", "text/calendar", b"BEGIN:VCALENDAR\r\n\xff\xfe").unwrap(),
        422,
        "not-icalendar",
    );
    expect(world.hook.put_raw(ALICE, "e1", "application/json", good.as_bytes()).unwrap(), 415, "not-text-calendar");
    let huge = vec![b'x'; 10 * 1024 * 1024];
    expect(world.hook.put_raw(ALICE, "e1", "text/calendar", &huge).unwrap(), 413, "body-too-large");
    expect(world.hook.with_secret("wrong").event(ALICE, "e1").unwrap(), 401, "secret-wrong");
    expect(world.hook.with_secret("").event(ALICE, "e1").unwrap(), 401, "secret-wrong");
    expect(world.hook.put("alice@other.tld", "e1", &good, &Put::wanted()).unwrap(), 403, "other-domain");
    expect(world.hook.account("no address").unwrap(), 400, "account-invalid");
    expect(world.hook.get("/v1/nothing").unwrap(), 404, "no-such-route");
    expect(world.hook.report(ALICE, "e1", "0123", "stored").unwrap(), 404, "no-such-change");
    expect(world.hook.get("/v1/changes?after=yesterday").unwrap(), 400, "cursor-invalid");

    assert_eq!(world.hook.event(ALICE, "e1").unwrap().status, 204, "nothing was changed");
    assert_eq!(world.graph_methods(), Vec::<String>::new());
}

#[test]
fn what_is_understood_but_cannot_be_mirrored_says_why() {
    let world = World::signed_in();
    let mut server = world.server();
    let good = event::meeting("e1", "Planning", &[]);
    let lines: String = (0..20_000).map(|n| format!("X-LINE-{n}:1\r\n")).collect();
    let long = good.replace("SUMMARY", &format!("{lines}SUMMARY"));
    let answer = server.save("e1", &long, &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.str("state"), answer.str("reason")), (200, "rejected", "too-large"));
    assert_eq!(answer.icalendar(), long);

    let series = good.replace("SUMMARY", "RRULE:FREQ=MONTHLY;BYDAY=5MO\r\nSUMMARY");
    let answer = server.save("e1", &series, &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.str("state"), answer.str("reason")), (200, "rejected", "rule-not-expressible"));
    assert_eq!(answer.icalendar(), series);

    let method = good.replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST");
    let answer = server.save("e2", &method.replace("UID:e1", "UID:e2"), &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.str("state"), answer.str("reason")), (200, "not-mirrored", "not-an-event"));

    let task = good.replace("VEVENT", "VTODO").replace("DTEND", "DUE").replace("UID:e1", "UID:e3");
    let answer = server.save("e3", &task, &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.str("state"), answer.str("reason")), (200, "not-mirrored", "not-an-event"));
    assert_eq!(world.graph_methods(), Vec::<String>::new());
}

#[test]
fn an_event_that_becomes_a_series_nobody_can_express_keeps_what_was_mirrored() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let before = world.in_teams();
    let link = world.settled("e1").str("join_url").to_owned();
    let series = event::with_line(&server.stored("e1"), "RRULE", "RRULE:FREQ=MONTHLY;BYDAY=5MO");
    let answer = server.save("e1", &series, &Put::default()).unwrap();
    assert_eq!((answer.str("state"), answer.str("reason")), ("rejected", "rule-not-expressible"), "{}", answer.text);
    assert_eq!(world.in_teams(), before);
    let single = event::with_line(&event::meeting("e1", "Planning", &[]), "SUMMARY", "SUMMARY:Planning once");
    let answer = server.save("e1", &single, &Put::default()).unwrap();
    assert_eq!(answer.str("join_url"), link, "{}", answer.text);
    world.reaches("e1", "mirrored");
    assert_eq!(world.in_teams()[0]["subject"], "Planning once");
}

#[test]
fn an_event_long_over_is_never_made() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::at("e1", "Once upon a time", "20200114T100000", "20200114T110000", &[]);
    let answer = server.save("e1", &text, &Put::wanted()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.str("reason"), "past", "{}", answer.text);
    assert_eq!(answer.icalendar(), text);
    assert_eq!(world.in_teams().len(), 0);
}

#[test]
fn an_import_makes_meetings_only_where_the_event_says_so() {
    let world = World::signed_in();
    world.run(&["set", "meetings=always", "--account", ALICE]);
    let import = |uid: &str, lines: &[&str]| {
        let put = Put { import: true, stored: true, ..Put::default() };
        world.hook.put(ALICE, uid, &event::meeting(uid, "Imported", lines), &put).unwrap()
    };
    assert_eq!(import("e1", &[]).str("state"), "not-mirrored");
    assert_eq!(import("e2", &["X-TEAMS-MEETING:TRUE"]).str("state"), "mirrored");
    let mut server = world.server();
    let own = server.save("e3", &event::meeting("e3", "Mine", &[]), &Put::default()).unwrap();
    assert_eq!(own.str("state"), "mirrored", "the account's default: {}", own.text);
    assert_eq!(world.in_teams().len(), 2);
}

#[test]
fn the_description_of_the_api_is_served_and_names_every_reason() {
    let world = World::new();
    let api = world.hook.get("/v1/openapi.json").unwrap();
    assert_eq!(api.status, 200);
    assert!(api.json["openapi"].as_str().unwrap().starts_with("3."));
    for path in ["/v1/accounts/{account}/events/{uid}", "/v1/accounts/{account}/events/{uid}/stored", "/v1/changes"] {
        assert!(api.json["paths"][path].is_object(), "{path}");
    }
    let reasons = api.json["components"]["schemas"]["KnownReason"]["enum"].as_array().unwrap().clone();
    for reason in
        ["no-teams", "no-mailbox", "rule-not-expressible", "too-large", "has-a-link", "deleted-at-microsoft", "past"]
    {
        assert!(reasons.iter().any(|known| known == reason), "{reason}: {reasons:?}");
    }
}

#[test]
fn the_answer_can_be_the_text_alone() {
    let world = World::signed_in();
    let text = event::meeting("e1", "Planning", &[]);
    let answer = world.hook.put_for_text(ALICE, "e1", &text, "meeting=wanted").unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/calendar; charset=utf-8"));
    assert_eq!(answer.header("mirror-state"), Some("mirrored"));
    assert!(answer.text.contains("CONFERENCE"));
    let change = answer.header("mirror-change").unwrap();
    assert_eq!(world.hook.report(ALICE, "e1", change, "stored").unwrap().str("state"), "mirrored");
}
