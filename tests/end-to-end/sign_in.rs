//! What an attacker, a hurried user and a hostile link can do to a sign-in and to a session: nothing.

use graph_sim::{Fault, FaultKind, Service};
use support::{Browser, Page};

use crate::world::{ALICE, ALICE_AT_MICROSOFT, SOON, World, until};

const BOB: &str = "bob@test.tld";
const BOB_AT_MICROSOFT: &str = "bob@contoso.example";

fn link(world: &World, account: &str) -> String {
    world.hook.put_account(account, serde_json::json!({})).unwrap();
    world.hook.settings_link(account).unwrap().str("url").to_owned()
}

fn is_connected(world: &World, account: &str) -> bool {
    world.hook.account(account).unwrap().json["connected"] == true
}

fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let found = url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("no `{name}` in {url}"))
}

/// F36: the attacker signs in with their own Microsoft account and gives the victim the callback, or the question behind it.
#[test]
fn a_planted_answer_connects_nothing() {
    let world = World::new();
    let mut attacker = Browser::default();
    attacker.sign_in_until_callback(&link(&world, ALICE), BOB_AT_MICROSOFT).unwrap();
    let callback = attacker.visited.last().unwrap().clone();
    let mut victim = Browser::default();
    victim.open(&link(&world, ALICE)).unwrap();
    assert_eq!(victim.open(&callback).unwrap().status, 400);

    let question = attacker.sign_in_until_question(&link(&world, ALICE), BOB_AT_MICROSOFT).unwrap();
    assert!(question.has("confirm-yes"), "{}", question.text());
    let seen = victim.open(&question.url).unwrap();
    assert!(seen.status == 400 && !seen.has("confirm-yes"), "{}", seen.text());
    // Even with the form's token: the cookie is the attacker's.
    let (action, fields) = question.form("confirm-yes").unwrap();
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    fields.push(("connect", "yes"));
    let sent = victim.send(&format!("{}{action}", world.public_url), &fields).unwrap();
    assert_eq!(sent.status, 400, "{}", sent.text());
    assert!(!is_connected(&world, ALICE));
}

/// F36: a state is for one account; the other's callback, code and cookie do not mix.
#[test]
fn the_state_of_another_account_is_of_no_use() {
    let world = World::new();
    let (mut alice, mut bob) = (Browser::default(), Browser::default());
    alice.sign_in_until_callback(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
    bob.sign_in_until_callback(&link(&world, BOB), BOB_AT_MICROSOFT).unwrap();
    let (alices, bobs) = (alice.visited.last().unwrap().clone(), bob.visited.last().unwrap().clone());
    // Bob's code under Alice's state, in Alice's browser: the verifier is Alice's.
    let mixed = format!(
        "{}/api/v1/oauth/access?state={}&code={}",
        world.public_url,
        parameter(&alices, "state"),
        parameter(&bobs, "code")
    );
    let page = alice.open(&mixed).unwrap();
    assert!(page.text().contains("not connected"), "{}", page.text());
    // Bob's whole answer in Alice's browser.
    assert_eq!(alice.open(&bobs).unwrap().status, 400);
    assert!(!is_connected(&world, ALICE) && !is_connected(&world, BOB));
    // A wrong browser spends the state: it was shown to somebody.
    assert_eq!(bob.open(&bobs).unwrap().status, 400);
}

#[test]
fn an_answer_counts_once() {
    let world = World::new();
    let mut browser = Browser::default();
    let page = browser.sign_in(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    let callback = browser.visited.iter().find(|url| url.contains("/api/v1/oauth/access")).unwrap().clone();
    world.run(&["disconnect", ALICE]);
    assert_eq!(browser.open(&callback).unwrap().status, 400);
    assert!(!is_connected(&world, ALICE));
}

#[test]
fn links_and_sign_ins_end() {
    let clock = std::sync::Arc::new(host_shim::clock::ShiftedClock::default());
    let sim = graph_sim::Simulator::start(([127, 0, 0, 1], 0).into()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let extras = host_shim::serve::Extras { clock: Some(clock.clone()), ..Default::default() };
    let shim = support::shim::start(&sim, &dir.path().join("state"), "test.tld", |_| {}, extras).unwrap();
    let link = || shim.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    let connected = || shim.hook.account(ALICE).unwrap().json["connected"] == true;

    let settings = link();
    clock.advance(60_001);
    assert_eq!(Browser::default().open(&settings).unwrap().status, 403, "a minute");

    let mut browser = Browser::default();
    browser.sign_in_until_callback(&link(), ALICE_AT_MICROSOFT).unwrap();
    let callback = browser.visited.last().unwrap().clone();
    clock.advance(600_001);
    assert_eq!(browser.open(&callback).unwrap().status, 400, "ten minutes");

    let question = browser.sign_in_until_question(&link(), ALICE_AT_MICROSOFT).unwrap();
    assert!(question.has("confirm-yes"), "{}", question.text());
    clock.advance(600_001);
    assert_eq!(browser.press(&question, "confirm-yes").unwrap().status, 400, "ten more");
    assert!(!connected());

    let page = browser.open(&link()).unwrap();
    assert!(page.has("connect"), "{}", page.text());
    clock.advance(3_600_001);
    assert_eq!(browser.open(&page.url).unwrap().status, 403, "an hour");
    assert_eq!(browser.click(&page, "connect").unwrap().status, 400, "and with it the button");
    shim.running.stop();
}

/// Back to the question, or the same question in a second tab: what is connected is not said to be nothing.
#[test]
fn cancel_after_connect_tells_what_is_so() {
    let world = World::new();
    let mut browser = Browser::default();
    let question = browser.sign_in_until_question(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
    browser.press(&question, "confirm-yes").unwrap();
    let late = browser.press(&question, "confirm-no").unwrap();
    assert!(late.status == 200 && late.text().contains("Teams is connected"), "{}", late.text());
    assert!(is_connected(&world, ALICE));
    world.run(&["disconnect", ALICE]);
    let question = browser.sign_in_until_question(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
    let no = browser.press(&question, "confirm-no").unwrap();
    assert!(no.status == 200 && no.text().contains("Teams is not connected"), "{}", no.text());
    assert_eq!(browser.press(&question, "confirm-no").unwrap().status, 400, "nothing is open any more");
}

/// Both presses of a double click arrive before either is answered, in a browser whose scripts do not stop the second.
#[test]
fn two_answers_at_once_leave_one_connection() {
    let world = World::new();
    let mut browser = Browser::default();
    for round in 0..5 {
        let question = browser.sign_in_until_question(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
        assert!(question.has("confirm-yes"), "{round}: {}", question.text());
        let start = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mut press = browser.clone();
                let (question, start) = (&question, &start);
                scope.spawn(move || {
                    start.wait();
                    let page = press.press(question, "confirm-yes").unwrap();
                    assert!(page.status == 200 && page.text().contains("Teams is connected"), "{}", page.text());
                });
            }
        });
        assert!(is_connected(&world, ALICE));
        world.run(&["disconnect", ALICE]);
    }
}

/// F40: an impatient user presses twice; two tabs; the back button.
#[test]
fn pressing_twice_and_two_tabs_leave_one_connection() {
    let world = World::new();
    let mut browser = Browser::default();
    let question = browser.sign_in_until_question(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
    let first = browser.press(&question, "confirm-yes").unwrap();
    let second = browser.press(&question, "confirm-yes").unwrap();
    for page in [&first, &second] {
        assert!(page.status == 200 && page.text().contains("Teams is connected"), "{}", page.text());
    }
    // Back to the question, and forward.
    let back = browser.open(&question.url).unwrap();
    assert!(back.text().contains("Teams is connected"), "{}", back.text());

    world.run(&["disconnect", ALICE]);
    let settings = browser.open(&link(&world, ALICE)).unwrap();
    let tabs = [browser.open(&settings.url).unwrap(), browser.open(&settings.url).unwrap()];
    let questions: Vec<Page> = tabs.iter().map(|tab| browser.click(tab, "connect").unwrap()).collect();
    assert!(questions.iter().all(|page| page.has("confirm-yes")));
    for question in &questions {
        let done = browser.press(question, "confirm-yes").unwrap();
        assert!(done.text().contains("Teams is connected"), "{}", done.text());
    }
    assert!(is_connected(&world, ALICE));
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "ready");
}

#[test]
fn refused_consent_is_a_calm_page() {
    let world = World::new();
    let mut browser = Browser::default();
    let page = browser.refuse_consent(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("Teams is not connected"), "{}", page.text());
    assert!(!is_connected(&world, ALICE));
    // And once more, with a yes.
    let page = browser.sign_in(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
    assert!(page.text().contains("Teams is connected"), "{}", page.text());
}

/// F41: whoever makes the link chooses what `error_description` says.
#[test]
fn a_hostile_error_description_is_text_and_short() {
    let world = World::new();
    let mut browser = Browser::default();
    browser.sign_in_until_callback(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
    let state = parameter(browser.visited.last().unwrap(), "state");
    let hostile = format!("<script>alert(1)</script>\u{202e}\u{7}\"'&amp;{}", "x".repeat(10_000));
    let mut callback = url::Url::parse(&format!("{}/api/v1/oauth/access", world.public_url)).unwrap();
    callback
        .query_pairs_mut()
        .append_pair("state", &state)
        .append_pair("error", "access_denied")
        .append_pair("error_description", &hostile);
    let page = browser.open(callback.as_str()).unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(!page.html.contains("<script") && page.text().contains("<script>alert(1)</script>"), "{}", page.html);
    assert!(!page.html.contains('\u{202e}') && !page.html.contains('\u{7}'));
    assert!(!page.html.contains(&"x".repeat(200)), "at most 200 characters of it");
}

/// F38: nothing in a query leads anywhere else.
#[test]
fn no_query_leads_to_another_site() {
    let world = World::signed_in();
    let mut browser = Browser::default();
    browser.open(&link(&world, ALICE)).unwrap();
    for evil in
        ["//evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)", "%0d%0aX: y", "a\"b"]
    {
        for name in ["ticket", "again", "done", "waiting", "s", "return_to", "next"] {
            for path in ["/settings", "/signin", "/signin/confirm", "/signin/done"] {
                let mut url = url::Url::parse(&format!("{}{path}", world.public_url)).unwrap();
                url.query_pairs_mut().append_pair(name, evil);
                let page = browser.open(url.as_str()).unwrap();
                assert!(page.url.starts_with(&world.public_url), "{url} led to {}", page.url);
                assert!(!page.html.contains("evil.example") && !page.html.contains("javascript:"), "{url}");
                assert_eq!(page.header("x"), None);
            }
        }
    }
    let nobody = Browser::default().open(&format!("{}/settings?again=%22%3E%3Cb%3E//evil.example", world.public_url));
    assert!(!nobody.unwrap().html.contains("<b>"));
}

#[test]
fn a_form_without_its_token_or_from_elsewhere_does_nothing() {
    let world = World::signed_in();
    let mut browser = Browser::default();
    let page = browser.open(&link(&world, ALICE)).unwrap();
    for (button, filled) in [
        ("turn-off", vec![("token", "")]),
        ("turn-off", vec![("token", "x")]),
        ("save-meetings", vec![("token", ""), ("meetings", "always")]),
        ("test-now", vec![("token", "")]),
        ("disconnect-now", vec![("token", "")]),
    ] {
        let refused = browser.press_with(&page, button, &filled).unwrap();
        assert_eq!(refused.status, 403, "{button}: {}", refused.text());
    }
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        browser.sends = vec![(name.into(), value.into())];
        let refused = browser.press(&page, "turn-off").unwrap();
        assert_eq!(refused.status, 403, "{name}: {value}: {}", refused.text());
    }
    browser.sends = Vec::new();
    let stranger = Browser::default().press(&page, "turn-off").unwrap();
    assert_eq!(stranger.status, 403, "the token without the cookie: {}", stranger.text());
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "ready", "nothing was done");
    assert_eq!(world.graph().len(), 0);
    browser.sends = vec![("sec-fetch-site".into(), "same-origin".into()), ("origin".into(), world.public_url.clone())];
    let page = browser.press(&page, "turn-off").unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "off");
}

#[test]
fn the_session_of_one_account_cannot_act_for_another() {
    let world = World::signed_in();
    assert_eq!(world.sign_in(BOB, BOB_AT_MICROSOFT).status, 200);
    let mut browser = Browser::default();
    let alices = browser.open(&link(&world, ALICE)).unwrap();
    // The same browser opens Bob's settings: Alice's page that is still open acts for nobody.
    let bobs = browser.open(&link(&world, BOB)).unwrap();
    assert!(bobs.text().contains(BOB) && !bobs.text().contains(ALICE), "{}", bobs.text());
    let refused = browser.press(&alices, "turn-off").unwrap();
    assert_eq!(refused.status, 403, "{}", refused.text());
    // Nor does naming her help.
    let refused = browser.press_with(&bobs, "turn-off", &[("account", ALICE)]).unwrap();
    assert_eq!(refused.status, 200);
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "ready");
    assert_eq!(world.hook.account(BOB).unwrap().str("button"), "off");
}

#[test]
fn a_session_follows_a_renamed_account_and_ends_with_a_removed_one() {
    let world = World::signed_in();
    let mut browser = Browser::default();
    let page = browser.open(&link(&world, ALICE)).unwrap();
    world.hook.rename(ALICE, "alice.new@test.tld").unwrap();
    world.hook.put_account(ALICE, serde_json::json!({})).unwrap();
    let renamed = browser.press(&page, "turn-off").unwrap();
    assert!(renamed.text().contains("alice.new@test.tld"), "{}", renamed.text());
    assert_eq!(world.hook.account("alice.new@test.tld").unwrap().str("button"), "off");
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "sign-in", "whoever has the address now is untouched");
    world.hook.remove_account("alice.new@test.tld").unwrap();
    assert_eq!(browser.open(&page.url).unwrap().status, 403);
}

#[test]
fn a_rename_ends_every_link_and_every_sign_in_on_its_way() {
    let world = World::new();
    let (mut callback, mut asked, mut open) = (Browser::default(), Browser::default(), Browser::default());
    callback.sign_in_until_callback(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
    let answer = callback.visited.last().unwrap().clone();
    let question = asked.sign_in_until_question(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
    let page = open.open(&link(&world, ALICE)).unwrap();
    let printed = world.run(&["sign-in", ALICE]);
    let sign_in = printed.split_whitespace().find(|word| word.starts_with("http")).unwrap();
    let settings = link(&world, ALICE);
    world.hook.rename(ALICE, "alice.new@test.tld").unwrap();
    assert_eq!(Browser::default().open(sign_in).unwrap().status, 400, "an administrator's link");
    assert_eq!(Browser::default().open(&settings).unwrap().status, 403, "a link to the settings");
    assert_eq!(open.click(&page, "connect").unwrap().status, 400, "a button of a page");
    assert_eq!(callback.open(&answer).unwrap().status, 400, "Microsoft's answer");
    assert_eq!(asked.press(&question, "confirm-yes").unwrap().status, 400, "a question");
    // The page itself follows, and its button is good again.
    let page = open.open(&page.url).unwrap();
    assert!(page.text().contains("alice.new@test.tld"), "{}", page.text());
    let done = open.sign_in(&page.url, ALICE_AT_MICROSOFT).unwrap();
    assert!(done.text().contains("Teams is connected"), "{}", done.text());
}

/// Whoever has the address by then must not find a stranger's sign-in waiting under it.
#[test]
fn an_account_renamed_or_removed_while_microsoft_answers_is_not_connected() {
    for end in ["rename", "remove"] {
        let world = World::new();
        let mut browser = Browser::default();
        browser.sign_in_until_callback(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
        let callback = browser.visited.last().unwrap().clone();
        world.sim.fault(Fault::new(FaultKind::Delay).on_token().delay(1_500));
        let page = std::thread::scope(|scope| {
            let answer = scope.spawn(|| browser.open(&callback).unwrap());
            assert!(until(SOON, || !world.sim.requests_to(Service::Token).is_empty()));
            let ended = match end {
                "rename" => world.hook.rename(ALICE, "alice.new@test.tld").unwrap(),
                _ => world.hook.remove_account(ALICE).unwrap(),
            };
            assert!(ended.status < 300, "{}", ended.text);
            answer.join().unwrap()
        });
        assert_eq!(page.status, 400, "{end}: {}", page.text());
        assert_eq!(world.count("SELECT count(*) FROM once WHERE account = 'alice@test.tld'"), 0, "{end}");
        world.hook.put_account(ALICE, serde_json::json!({})).unwrap();
        assert!(!is_connected(&world, ALICE));
    }
}

/// Where the webmail is of the same site, the window's cookie is sent with the frame's, under the same name, the older first.
#[test]
fn the_ticket_just_spent_decides_whose_settings_are_shown() {
    let world = World::new();
    let mut window = Browser::default();
    window.sends.push(("sec-fetch-dest".into(), "document".into()));
    let alices = window.open(&link(&world, ALICE)).unwrap();
    assert!(alices.text().contains(ALICE), "{}", alices.text());
    let mut frame = Browser::default();
    frame.older = window.cookies();
    frame.sends.push(("sec-fetch-dest".into(), "iframe".into()));
    let page = frame.open(&link(&world, BOB)).unwrap();
    assert!(page.text().contains(BOB) && !page.text().contains(ALICE), "{}", page.text());
    assert_eq!(window.open(&alices.url).unwrap().status, 403, "the older session has ended");

    // A frame that keeps no cookie is shown nobody's settings, although the window's came along.
    window.open(&link(&world, ALICE)).unwrap();
    let mut blocked = Browser::default();
    (blocked.older, blocked.keeps_nothing) = (window.cookies(), true);
    let page = blocked.open(&link(&world, BOB)).unwrap();
    assert!(page.has("go-on") && !page.text().contains(ALICE), "{}", page.text());
    // Nor where the window's session began only after the ticket was spent.
    window.open(&link(&world, ALICE)).unwrap();
    let page = window.open(blocked.visited.last().unwrap()).unwrap();
    assert!(page.has("go-on") && !page.text().contains(ALICE), "{}", page.text());
}

#[test]
fn of_two_sessions_the_newer_is_shown() {
    let clock = std::sync::Arc::new(host_shim::clock::ShiftedClock::default());
    let sim = graph_sim::Simulator::start(([127, 0, 0, 1], 0).into()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let extras = host_shim::serve::Extras { clock: Some(clock.clone()), ..Default::default() };
    let shim = support::shim::start(&sim, &dir.path().join("state"), "test.tld", |_| {}, extras).unwrap();
    let open = |account: &str| {
        shim.hook.put_account(account, serde_json::json!({})).unwrap();
        let mut browser = Browser::default();
        browser.open(shim.hook.settings_link(account).unwrap().str("url")).unwrap();
        clock.advance(1_000);
        browser
    };
    let (alices, bobs) = (open(ALICE), open(BOB));
    for (mut browser, older) in [(bobs.clone(), alices.cookies()), (alices, bobs.cookies())] {
        browser.older = older;
        let page = browser.open(&format!("{}/settings", shim.public_url)).unwrap();
        assert!(page.text().contains(BOB) && !page.text().contains(ALICE), "{}", page.text());
    }
    shim.running.stop();
}

#[test]
fn looking_at_a_link_does_not_use_it_up() {
    let world = World::new();
    for link in [link(&world, ALICE), world.run(&["sign-in", ALICE]).trim().to_owned()] {
        let link = link.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned();
        let head = support::head(&link).unwrap();
        assert_eq!(head, 200);
        let page = Browser::default().open(&link).unwrap();
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(Browser::default().open(&link).unwrap().status >= 400, "once");
    }
}

#[test]
fn cookies_are_of_this_host_alone_and_out_of_reach_of_scripts() {
    let world = World::new();
    let link = link(&world, ALICE);
    for (dest, reach) in [("iframe", "SameSite=None; Partitioned"), ("document", "SameSite=Lax")] {
        let cookie = support::first_cookie(&self::link(&world, ALICE), &[("sec-fetch-dest", dest)]).unwrap();
        assert!(cookie.starts_with("__Host-teams-mirror-settings="), "{cookie}");
        assert!(cookie.contains("; Path=/; Max-Age=3600; Secure; HttpOnly; ") && cookie.ends_with(reach), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    let page = Browser::default().open(&link).unwrap();
    let connect = page.attribute("connect", "href").unwrap();
    let cookie = support::first_cookie(&format!("{}{connect}", world.public_url), &[]).unwrap();
    assert!(
        cookie.starts_with("__Host-teams-mirror-") && cookie.ends_with("Secure; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
}

#[test]
fn the_log_tells_how_sign_ins_end_and_why() {
    let world = World::new();
    let try_once = |fault: Fault| {
        world.sim.fault(fault.on_token());
        let page = Browser::default().sign_in_until_question(&link(&world, ALICE), ALICE_AT_MICROSOFT).unwrap();
        assert!(page.text().contains("not connected"), "{}", page.text());
    };
    let warned = |what: &str| {
        world.log().lines().any(|line| line.contains("WARN") && line.contains("sign-in") && line.contains(what))
    };
    try_once(Fault::new(FaultKind::DropBefore));
    assert!(warned("no answer"), "{}", world.log_tail());
    try_once(Fault::status(503));
    assert!(warned("503"), "{}", world.log_tail());
    try_once(Fault::aadsts(50_076));
    assert!(warned("AADSTS50076"), "{}", world.log_tail());
    try_once(Fault::aadsts(90_033));
    assert!(warned("AADSTS90033"), "{}", world.log_tail());
    try_once(Fault::aadsts(7_000_222));
    assert!(warned("AADSTS7000222"), "{}", world.log_tail());
    // The registration is dead by now; its code is told to the administrator, too.
    for command in
        [vec!["connector", "show", "teams"], vec!["connector", "list"], vec!["status"], vec!["status", ALICE]]
    {
        let told = world.run(&command);
        assert!(told.contains("AADSTS7000222"), "{command:?}: {told}");
    }

    let world = World::signed_in();
    let log = world.log();
    let told = log.lines().find(|line| line.contains("INFO") && line.contains("connected with Microsoft"));
    let told = told.unwrap_or_else(|| panic!("{}", world.log_tail()));
    assert!(told.contains(ALICE) && told.contains("teams") && !told.contains(ALICE_AT_MICROSOFT), "{told}");
}
