//! Off, disconnected with events kept or removed, another Microsoft account: what becomes of what is mirrored.

use std::time::Duration;

use graph_sim::{Fault, FaultKind, UserKind};
use support::{Browser, Page, Put, Server, event};

use crate::world::{ALICE, ALICE_AT_MICROSOFT, World, until};

const CARL_AT_MICROSOFT: &str = "bob@contoso.example";

struct User {
    world: World,
    browser: Browser,
    server: Server,
}

impl User {
    /// Alice, signed in, with one meeting `e1` and its link.
    fn with_a_meeting() -> (Self, String) {
        let world = World::signed_in();
        let mut server = world.server();
        let answer = server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
        assert_eq!(answer.str("state"), "mirrored", "{}", answer.text);
        world.settled("e1");
        (Self { world, browser: Browser::default(), server }, answer.str("join_url").to_owned())
    }

    fn settings(&mut self) -> Page {
        let link = self.world.hook.settings_link(ALICE).unwrap();
        self.browser.open(link.str("url")).unwrap()
    }

    fn press(&mut self, button: &str, filled: &[(&str, &str)]) -> Page {
        let page = self.settings();
        let page = self.browser.press_with(&page, button, filled).unwrap();
        assert_eq!(page.status, 200, "{}", page.text());
        page
    }

    fn edit(&mut self, uid: &str, subject: &str) -> support::Answer {
        let text = event::with_line(&self.server.stored(uid), "SUMMARY", &format!("SUMMARY:{subject}"));
        self.server.save(uid, &text, &Put::default()).unwrap()
    }

    fn subjects(&self, at_microsoft: &str) -> Vec<String> {
        let events = self.world.sim.events(at_microsoft);
        events.iter().map(|event| event["subject"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn is_connected(&self) -> bool {
        self.world.hook.account(ALICE).unwrap().json["connected"] == true
    }

    /// Whether any tokens lie in the store.
    fn has_tokens(&self) -> bool {
        let store = self.world.state().join("store.sqlite");
        let connection = rusqlite::Connection::open(store).unwrap();
        connection.query_row("SELECT count(*) FROM connections", [], |row| row.get::<_, i64>(0)).unwrap() > 0
    }
}

#[test]
fn off_makes_no_new_meetings_and_keeps_the_old_ones_following() {
    let (mut user, link) = User::with_a_meeting();
    user.press("turn-off", &[]);
    let answer = user.server.save("e2", &event::meeting("e2", "New", &[]), &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.header("mirror-reason")), (204, Some("not-turned-on")), "{}", answer.text);
    let answer = user.edit("e1", "Planning, edited while off");
    assert_eq!(answer.str("join_url"), link, "{}", answer.text);
    user.world.reaches("e1", "mirrored");
    assert_eq!(user.subjects(ALICE_AT_MICROSOFT), ["Planning, edited while off"]);
    let cancelled = event::with_line(&user.server.stored("e1"), "STATUS", "STATUS:CANCELLED");
    user.server.save("e1", &cancelled, &Put::default()).unwrap();
    user.world.reaches("e1", "not-mirrored");
    assert!(user.subjects(ALICE_AT_MICROSOFT).is_empty());
    user.press("turn-on", &[]);
    let answer = user.server.save("e2", &event::meeting("e2", "New", &[]), &Put::wanted()).unwrap();
    assert!(!answer.str("join_url").is_empty(), "{}", answer.text);
}

#[test]
fn off_takes_away_nothing_that_is_mirrored_without_a_meeting() {
    let world = World::new();
    assert_eq!(world.sign_in(ALICE, "unlicensed@contoso.example").status, 200);
    let mut user = User { server: world.server(), browser: Browser::default(), world };
    user.server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    user.world.reaches("e1", "mirrored");
    user.press("turn-off", &[]);
    user.edit("e1", "Planning, edited");
    user.world.reaches("e1", "mirrored");
    assert_eq!(user.subjects("unlicensed@contoso.example"), ["Planning, edited"]);
    // Nor does asking for a meeting make one while it is off.
    user.world.sim.edit_user("unlicensed@contoso.example", |known| known.kind = UserKind::Teams);
    let text = user.server.stored("e1");
    let answer = user.server.save("e1", &text, &Put::wanted()).unwrap();
    assert_eq!(answer.str("join_url"), "", "{}", answer.text);
}

#[test]
fn what_waited_when_it_was_turned_off_waits_until_it_is_on() {
    let world = World::signed_in();
    let mut user = User { server: world.server(), browser: Browser::default(), world };
    user.world.sim.fault(Fault::throttled("4").on_graph("POST", "/events").always());
    let answer = user.server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    assert_eq!(answer.str("state"), "pending", "{}", answer.text);
    user.press("turn-off", &[]);
    user.world.reaches("e1", "not-mirrored");
    assert_eq!(user.world.hook.event(ALICE, "e1").unwrap().str("reason"), "not-turned-on");
    assert!(user.subjects(ALICE_AT_MICROSOFT).is_empty());
    user.world.sim.clear_faults();
    user.press("turn-on", &[]);
    user.world.reaches("e1", "mirrored");
}

#[test]
fn disconnect_keep_wipes_the_tokens_at_once_and_touches_nothing_else() {
    let (mut user, link) = User::with_a_meeting();
    let before = user.world.graph().len();
    let page = user.press("disconnect-now", &[]);
    assert_eq!(page.attribute("notice", "data-notice").as_deref(), Some("disconnected"), "{}", page.text());
    assert!(!user.is_connected() && !user.has_tokens());
    assert_eq!(user.world.graph().len(), before, "nothing was asked of Microsoft");
    assert_eq!(user.subjects(ALICE_AT_MICROSOFT), ["Planning"]);
    // Later changes are recorded; the text keeps its link, and nobody is told to sign in.
    let answer = user.edit("e1", "Planning, edited");
    assert_eq!(answer.str("join_url"), link, "{}", answer.text);
    assert!(answer.notice_codes().is_empty(), "{}", answer.text);
    let status = user.world.reaches("e1", "not-mirrored");
    assert_eq!((status.str("reason"), status.str("join_url")), ("not-turned-on", link.as_str()), "{}", status.text);
    assert_eq!(user.subjects(ALICE_AT_MICROSOFT), ["Planning"]);
    let new = user.server.save("e2", &event::meeting("e2", "New", &[]), &Put::wanted()).unwrap();
    assert_eq!(new.status, 204, "{}", new.text);
    // Connected again with the same account, what was changed meanwhile goes through; nothing is made twice.
    assert_eq!(user.world.sign_in(ALICE, ALICE_AT_MICROSOFT).status, 200);
    user.world.reaches("e1", "mirrored");
    assert_eq!(user.subjects(ALICE_AT_MICROSOFT), ["Planning, edited"]);
    assert_eq!(user.world.settled("e1").str("join_url"), link);
}

#[test]
fn disconnect_remove_takes_events_to_come_away_first_and_then_the_tokens() {
    let (mut user, _) = User::with_a_meeting();
    let draft = Put { draft: true, ..Put::wanted() };
    user.world.hook.put(ALICE, "draft", &event::meeting("draft", "Draft", &[]), &draft).unwrap();
    assert_eq!(user.subjects(ALICE_AT_MICROSOFT).len(), 2, "a meeting and a draft");
    user.press("disconnect-now", &[("events", "remove")]);
    assert!(until(Duration::from_secs(20), || !user.has_tokens()), "{}", user.world.log_tail());
    assert!(user.subjects(ALICE_AT_MICROSOFT).is_empty());
    assert!(!user.is_connected());
    assert_eq!(user.world.hook.event(ALICE, "e1").unwrap().str("state"), "not-mirrored");
    // The server's own event stays; its link lines leave with the next save, not before.
    assert!(user.server.stored("e1").contains("X-MICROSOFT-SKYPETEAMSMEETINGURL"));
    assert_eq!(user.server.write_back(1).unwrap(), 0, "no mass write-back");
    user.edit("e1", "Planning, edited");
    assert!(
        !event::unfolded(&user.server.stored("e1")).contains("teams.microsoft.com"),
        "{}",
        user.server.stored("e1")
    );
    assert!(user.server.stored("e1").contains("Planning, edited"));
    // Nothing of the Microsoft account is left to be suggested.
    let page = user.settings();
    assert!(page.has("connect") && !page.html.contains(ALICE_AT_MICROSOFT), "{}", page.text());
}

#[test]
fn while_microsoft_is_down_removing_waits_and_ends_after_a_day() {
    let clock = std::sync::Arc::new(host_shim::clock::ShiftedClock::default());
    let sim = graph_sim::Simulator::start(([127, 0, 0, 1], 0).into()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let extras = host_shim::serve::Extras { clock: Some(clock.clone()), ..Default::default() };
    let shim = support::shim::start(&sim, &dir.path().join("state"), "test.tld", |_| {}, extras).unwrap();
    assert_eq!(shim.sign_in(ALICE, ALICE_AT_MICROSOFT).unwrap().status, 200);
    let mut server = Server::new(shim.hook.clone(), ALICE);
    for uid in ["e1", "e2"] {
        server.save(uid, &event::meeting(uid, uid, &[]), &Put::wanted()).unwrap();
    }
    sim.fault(Fault::status(503).on_graph("DELETE", "/events").always());
    let mut browser = Browser::default();
    let page = browser.open(shim.hook.settings_link(ALICE).unwrap().str("url")).unwrap();
    let page = browser.press_with(&page, "disconnect-now", &[("events", "remove")]).unwrap();
    assert_eq!(page.attribute("status", "data-state").as_deref(), Some("leaving"), "{}", page.text());
    assert!(page.text().contains("2 events are still to be taken out"), "{}", page.text());
    assert!(!page.has("turn-on") && !page.has("connect"), "one thing at a time");
    // A save meanwhile does not bring the mirror back.
    let edited = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:edited");
    let answer = server.save("e1", &edited, &Put::wanted()).unwrap();
    assert!(!event::unfolded(answer.icalendar()).contains("teams.microsoft.com"), "{}", answer.text);
    assert_eq!(shim.hook.account(ALICE).unwrap().json["connected"], true, "still there to take the events away with");
    clock.advance(24 * 3_600_000 + 1);
    shim.running.shim().mirror().wake();
    let gone = until(Duration::from_secs(20), || shim.hook.account(ALICE).unwrap().json["connected"] == false);
    assert!(gone, "after a day the tokens go whatever is left");
    // What could not be taken away by then stays, also when the user comes back.
    sim.clear_faults();
    assert_eq!(shim.sign_in(ALICE, ALICE_AT_MICROSOFT).unwrap().status, 200);
    server.save("e3", &event::meeting("e3", "e3", &[]), &Put::wanted()).unwrap();
    let edited = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:e1, edited");
    server.save("e1", &edited, &Put::default()).unwrap();
    let subjects = || {
        let events = sim.events(ALICE_AT_MICROSOFT);
        let mut subjects: Vec<_> =
            events.iter().map(|e| e["subject"].as_str().unwrap_or_default().to_owned()).collect();
        subjects.sort();
        subjects
    };
    let all = until(Duration::from_secs(20), || subjects() == ["e1, edited", "e2", "e3"]);
    assert!(all, "{:?}", subjects());
    for uid in ["e1", "e2", "e3"] {
        let mirrored = || shim.hook.event(ALICE, uid).unwrap().str("state") == "mirrored";
        assert!(until(Duration::from_secs(20), mirrored), "{}", shim.hook.event(ALICE, uid).unwrap().text);
    }
    shim.running.stop();
}

#[test]
fn the_rest_is_left_when_the_user_has_no_patience() {
    let (mut user, link) = User::with_a_meeting();
    user.server.save("e2", &event::meeting("e2", "Review", &[]), &Put::wanted()).unwrap();
    user.world.settled("e2");
    user.world.sim.fault(Fault::status(503).on_graph("DELETE", "/events").always());
    let page = user.press("disconnect-now", &[("events", "remove")]);
    assert_eq!(page.attribute("status", "data-state").as_deref(), Some("leaving"), "{}", page.text());
    user.edit("e2", "Review, edited while it was to go");
    let page = user.browser.press(&page, "finish-now").unwrap();
    assert_eq!(page.attribute("notice", "data-notice").as_deref(), Some("disconnected"), "{}", page.text());
    assert!(!user.has_tokens());
    assert_eq!(user.world.hook.event(ALICE, "e1").unwrap().str("state"), "mirrored");
    // It stays left, whatever happens later.
    user.world.sim.clear_faults();
    assert_eq!(user.world.sign_in(ALICE, ALICE_AT_MICROSOFT).status, 200);
    let both = ["Planning", "Review, edited while it was to go"];
    let told = until(Duration::from_secs(20), || user.subjects(ALICE_AT_MICROSOFT) == both);
    assert!(told, "{:?} {}", user.subjects(ALICE_AT_MICROSOFT), user.world.log_tail());
    let answer = user.edit("e1", "Planning, edited");
    assert_eq!(answer.str("join_url"), link, "{}", answer.text);
    let both = ["Planning, edited", "Review, edited while it was to go"];
    let told = until(Duration::from_secs(20), || user.subjects(ALICE_AT_MICROSOFT) == both);
    assert!(told, "{:?} {}", user.subjects(ALICE_AT_MICROSOFT), user.world.log_tail());
}

#[test]
fn an_event_deleted_while_leaving_is_not_left() {
    let (mut user, _) = User::with_a_meeting();
    user.world.sim.fault(Fault::status(503).on_graph("DELETE", "/events").always());
    let page = user.press("disconnect-now", &[("events", "remove")]);
    user.server.delete("e1").unwrap();
    let gone = until(Duration::from_secs(20), || {
        user.world.count("SELECT count(*) FROM events WHERE uid = 'e1' AND gone_at IS NULL AND desired = 'gone'") == 1
    });
    assert!(gone, "{}", user.world.log_tail());
    user.browser.press(&page, "finish-now").unwrap();
    user.world.sim.clear_faults();
    assert_eq!(user.world.sign_in(ALICE, ALICE_AT_MICROSOFT).status, 200);
    let gone = until(Duration::from_secs(20), || user.subjects(ALICE_AT_MICROSOFT).is_empty());
    assert!(gone, "{}", user.world.log_tail());
}

#[test]
fn a_leaving_account_that_is_renamed_or_restarted_goes_on_leaving() {
    let (mut user, _) = User::with_a_meeting();
    user.world.sim.fault(Fault::status(503).on_graph("DELETE", "/events").always());
    user.press("disconnect-now", &[("events", "remove")]);
    user.world.hook.rename(ALICE, "alice.new@test.tld").unwrap();
    user.world.kill();
    user.world.sim.clear_faults();
    user.world.start();
    user.world.run(&["events", "retry", "alice.new@test.tld", "e1"]);
    assert!(until(Duration::from_secs(20), || !user.has_tokens()), "{}", user.world.log_tail());
    assert!(user.subjects(ALICE_AT_MICROSOFT).is_empty());
}

/// Signs in as another Microsoft account, up to the question.
fn question(user: &mut User) -> Page {
    let page = user.settings();
    let at_microsoft = user.browser.click(&page, "other-account").unwrap();
    user.browser.sign_in_until_question(&at_microsoft.url, CARL_AT_MICROSOFT).unwrap()
}

#[test]
fn another_microsoft_account_keeps_the_old_events_where_they_are() {
    let (mut user, link) = User::with_a_meeting();
    let question = question(&mut user);
    let text = question.text();
    assert!(
        text.contains(CARL_AT_MICROSOFT) && text.contains(ALICE_AT_MICROSOFT) && text.contains("One event"),
        "{text}"
    );
    assert!(question.attribute("events-keep", "checked").is_some(), "keep is the default");
    let done = user.browser.press(&question, "confirm-yes").unwrap();
    assert!(done.text().contains("Teams is connected"), "{}", done.text());
    let answer = user.edit("e1", "Planning, edited");
    assert_eq!(answer.str("join_url"), link, "its link stays: {}", answer.text);
    let status = user.world.reaches("e1", "not-mirrored");
    assert_eq!(status.str("reason"), "other-mailbox");
    assert_eq!(user.subjects(ALICE_AT_MICROSOFT), ["Planning"]);
    assert!(user.subjects(CARL_AT_MICROSOFT).is_empty());
    let new = user.server.save("e2", &event::meeting("e2", "New", &[]), &Put::wanted()).unwrap();
    assert_eq!(new.str("state"), "mirrored", "{}", new.text);
    assert_eq!(user.subjects(CARL_AT_MICROSOFT), ["New"]);
}

#[test]
fn another_microsoft_account_makes_events_to_come_anew_where_asked_to() {
    let (mut user, link) = User::with_a_meeting();
    let question = question(&mut user);
    user.browser.press_with(&question, "confirm-yes", &[("events", "move")]).unwrap();
    let moved = until(Duration::from_secs(20), || user.subjects(CARL_AT_MICROSOFT) == ["Planning"]);
    assert!(moved, "{}", user.world.log_tail());
    let status = user.world.reaches("e1", "mirrored");
    assert_ne!(status.str("join_url"), link);
    assert_eq!(status.notice_codes(), ["link-changed"], "told: {}", status.text);
    assert_eq!(user.subjects(ALICE_AT_MICROSOFT), ["Planning"], "the old entry stays where it is");
    assert_eq!(user.server.write_back(10).unwrap(), 1, "the new link goes into the calendar");
    let stored = event::unfolded(&user.server.stored("e1"));
    assert!(stored.contains(status.str("join_url")) && !stored.contains(&link), "{stored}");
    user.edit("e1", "Planning, edited");
    user.world.reaches("e1", "mirrored");
    assert_eq!(user.subjects(CARL_AT_MICROSOFT), ["Planning, edited"]);
}

/// A question that is still open holds tokens; a link and an answer on its way would bring some.
#[test]
fn a_disconnect_ends_every_sign_in_on_its_way() {
    for how in ["keep", "remove", "administrator"] {
        let (mut user, _) = User::with_a_meeting();
        let asked = question(&mut user);
        let mut callback = Browser::default();
        let link = user.world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
        let page = callback.open(&link).unwrap();
        let at_microsoft = callback.click(&page, "other-account").unwrap();
        callback.sign_in_until_callback(&at_microsoft.url, CARL_AT_MICROSOFT).unwrap();
        let answer = callback.visited.last().unwrap().clone();
        let printed = user.world.run(&["sign-in", ALICE]);
        let link = printed.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned();
        let page = user.settings();
        match how {
            "administrator" => drop(user.world.run(&["disconnect", ALICE])),
            _ => drop(user.browser.press_with(&page, "disconnect-now", &[("events", how)]).unwrap()),
        }
        assert!(until(Duration::from_secs(20), || !user.has_tokens()), "{}", user.world.log_tail());
        assert_eq!(user.world.count("SELECT count(*) FROM once WHERE kind IN ('sign-in', 'sign-in-ticket', 'sign-in-answered', 'sign-in-confirm')"), 0, "{how}");
        for page in [
            user.browser.press(&asked, "confirm-yes").unwrap(),
            callback.open(&answer).unwrap(),
            Browser::default().open(&link).unwrap(),
            user.browser.click(&page, "other-account").unwrap(),
        ] {
            assert_eq!(page.status, 400, "{how}: {}", page.text());
        }
        assert!(!user.is_connected() && !user.has_tokens(), "{how}");
    }
}

#[test]
fn no_sign_in_calls_off_a_disconnect() {
    let (mut user, _) = User::with_a_meeting();
    user.world.sim.fault(Fault::status(503).on_graph("DELETE", "/events").always());
    let page = user.settings();
    user.browser.press_with(&page, "disconnect-now", &[("events", "remove")]).unwrap();
    // The page that was open before.
    let refused = user.browser.click(&page, "other-account").unwrap();
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("is being disconnected"), "{}", refused.text());
    let refused = user.browser.press(&page, "turn-off").unwrap();
    assert_eq!(refused.attribute("status", "data-state").as_deref(), Some("leaving"), "{}", refused.text());
    let refused = user.browser.press_with(&page, "turn-off", &[("teams", "on")]).unwrap();
    assert_eq!(refused.attribute("status", "data-state").as_deref(), Some("leaving"), "{}", refused.text());
    assert_ne!(refused.attribute("notice", "data-notice").as_deref(), Some("on"), "it is not turned on");
    let (ok, told) = user.world.try_run(&["sign-in", ALICE]);
    assert!(!ok && told.contains("being disconnected"), "{told}");
    user.world.sim.clear_faults();
    user.world.run(&["events", "retry", ALICE, "e1"]);
    assert!(until(Duration::from_secs(20), || !user.has_tokens()), "{}", user.world.log_tail());
    assert!(user.subjects(ALICE_AT_MICROSOFT).is_empty());
    assert_eq!(user.world.sign_in(ALICE, ALICE_AT_MICROSOFT).status, 200);
    assert!(user.is_connected(), "then it goes");
}

#[test]
fn a_save_on_its_way_when_the_user_leaves_comes_to_rest_and_promises_no_link() {
    for (fault, outcome) in [
        (Fault::new(FaultKind::Delay), "made"),
        (Fault::throttled("1"), "held back"),
        (Fault::status(400), "refused"),
        (Fault::new(FaultKind::DropAfter), "made, and the answer lost"),
    ] {
        let world = World::signed_in();
        let mut user = User { server: world.server(), browser: Browser::default(), world };
        let page = user.settings();
        user.world.sim.fault(fault.on_graph("POST", "/events").delay(2_000));
        let text = event::meeting("e1", "Planning", &[]);
        let (answer, stored) = std::thread::scope(|scope| {
            let mut server = user.world.server();
            let text = &text;
            let save = scope.spawn(move || (server.save("e1", text, &Put::wanted()).unwrap(), server.stored("e1")));
            let sent = || user.world.graph().iter().any(|request| request.method == "POST");
            assert!(until(Duration::from_secs(20), sent), "{}", user.world.log_tail());
            user.browser.press_with(&page, "disconnect-now", &[("events", "remove")]).unwrap();
            save.join().unwrap()
        });
        assert_eq!((answer.str("state"), answer.str("join_url")), ("not-mirrored", ""), "{outcome}: {}", answer.text);
        assert_eq!(answer.status, 200, "{outcome}: no link will come: {}", answer.text);
        assert!(!event::unfolded(&stored).contains("teams.microsoft.com"), "{outcome}: {stored}");
        assert!(until(Duration::from_secs(20), || !user.has_tokens()), "{outcome}: {}", user.world.log_tail());
        assert!(user.subjects(ALICE_AT_MICROSOFT).is_empty(), "{outcome}");
        user.world.reaches("e1", "not-mirrored");
        let settled = "SELECT count(*) FROM events WHERE uid = 'e1' AND generation = mirrored_generation";
        assert_eq!(user.world.count(settled), 1, "{outcome}");
    }
}
