//! The settings page, as a browser without JavaScript sees it: every state, every form, both languages.

use graph_sim::{Fault, FaultBody, FaultKind, UserKind};
use support::{Browser, Page, Put, event};

use crate::world::{ALICE, ALICE_AT_MICROSOFT, World};

const BOB_AT_MICROSOFT: &str = "bob@contoso.example";

fn settings(world: &World, browser: &mut Browser) -> Page {
    let link = world.hook.settings_link(ALICE).unwrap();
    assert_eq!(link.status, 200, "{}", link.text);
    browser.open(link.str("url")).unwrap()
}

fn state(page: &Page) -> String {
    page.attribute("status", "data-state")
        .unwrap_or_else(|| panic!("no settings page: {} {}", page.status, page.text()))
}

fn notice(page: &Page) -> Option<String> {
    page.attribute("notice", "data-notice")
}

#[test]
fn from_never_signed_in_to_connected_in_two_presses() {
    let world = World::new();
    let mut browser = Browser::default();
    let page = settings(&world, &mut browser);
    assert_eq!((page.status, state(&page).as_str()), (200, "new"), "{}", page.text());
    assert!(!page.has("turn-on") && !page.has("disconnect") && !page.has("held"), "nothing to do but connect");
    let question = browser.sign_in_until_question(&page.url, ALICE_AT_MICROSOFT).unwrap();
    assert!(question.text().contains(ALICE) && question.text().contains(ALICE_AT_MICROSOFT), "{}", question.text());
    assert_eq!(world.hook.account(ALICE).unwrap().json["connected"], false, "nothing is connected before the yes");
    let done = browser.press(&question, "confirm-yes").unwrap();
    assert!(done.text().contains("Teams is connected"), "{}", done.text());
    // In the same window the way back is open; a page in a frame would have looked by itself.
    let page = browser.click(&done, "go-on").unwrap();
    assert_eq!(state(&page), "connected", "{}", page.text());
    assert_eq!(page.attribute("mailbox", "data-mailbox").as_deref(), Some("ready"));
    assert_eq!(page.attribute("turn-off", "aria-checked").as_deref(), Some("true"));
    assert!(page.has("no-events") && page.has("held") && page.has("test-now"));
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "ready");
}

#[test]
fn no_link_is_made_before_the_yes_nor_after_a_no() {
    let world = World::new();
    let mut browser = Browser::default();
    let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    let question = browser.sign_in_until_question(&link, ALICE_AT_MICROSOFT).unwrap();
    let page = browser.press(&question, "confirm-no").unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("Teams is not connected"), "{}", page.text());
    assert_eq!(world.hook.account(ALICE).unwrap().json["connected"], false);
    // The button of the page that is still open in another tab.
    let late = browser.press(&question, "confirm-yes").unwrap();
    assert_eq!(late.status, 400, "{}", late.text());
    assert_eq!(world.hook.account(ALICE).unwrap().json["connected"], false);
    assert!(world.graph().is_empty(), "nothing was asked of the mailbox");
}

#[test]
fn each_kind_of_mailbox_is_told_at_the_end_of_the_sign_in_and_on_the_page() {
    for (at_microsoft, code, word) in [
        ("unlicensed@contoso.example", "no-teams", "licence"),
        ("personal@outlook.example", "personal", "personal"),
        ("skype@contoso.example", "other-provider", "Skype"),
        ("onprem@contoso.example", "no-mailbox", "Exchange Online"),
    ] {
        let world = World::new();
        let mut browser = Browser::default();
        let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
        let done = browser.sign_in(&link, at_microsoft).unwrap();
        assert!(done.text().contains(word), "{at_microsoft}: {}", done.text());
        let page = browser.open(&format!("{}/settings", world.public_url)).unwrap();
        assert_eq!(
            (state(&page).as_str(), page.attribute("mailbox", "data-mailbox").as_deref()),
            ("connected", Some(code))
        );
    }
    let world = World::new();
    world.sim.switches(|switches| switches.fresh_mailbox_code = "ErrorItemNotFound".into());
    let mut browser = Browser::default();
    let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    browser.sign_in(&link, "fresh@contoso.example").unwrap();
    let page = browser.open(&format!("{}/settings", world.public_url)).unwrap();
    assert_eq!(page.attribute("mailbox", "data-mailbox").as_deref(), Some("not-ready-yet"));
}

#[test]
fn off_and_on_again_shows_no_page_of_microsofts() {
    let world = World::signed_in();
    let mut browser = Browser::default();
    let page = settings(&world, &mut browser);
    let page = browser.press(&page, "turn-off").unwrap();
    assert_eq!((state(&page).as_str(), notice(&page).as_deref()), ("off", Some("off")), "{}", page.text());
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "off");
    let page = browser.press(&page, "turn-on").unwrap();
    assert_eq!((state(&page).as_str(), notice(&page).as_deref()), ("connected", Some("on")));
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "ready");
    assert!(!browser.visited.iter().any(|url| url.starts_with(&world.sim.base_url())), "{:?}", browser.visited);
}

#[test]
fn a_second_connecting_shows_no_page_while_microsofts_session_lives() {
    let world = World::new();
    let mut browser = Browser::default();
    let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    browser.sign_in(&link, ALICE_AT_MICROSOFT).unwrap();
    let page = browser.open(&format!("{}/settings", world.public_url)).unwrap();
    let page = browser.press(&page, "disconnect-now").unwrap();
    assert_eq!((state(&page).as_str(), notice(&page).as_deref()), ("new", Some("disconnected")), "{}", page.text());
    assert!(
        page.text().contains("to suggest it when you sign in again"),
        "what is still held is said: {}",
        page.text()
    );
    // Straight to our own question: Microsoft sends the browser on without a page.
    let question = browser.click(&page, "connect").unwrap();
    assert!(question.has("confirm-yes"), "{}", question.text());
    let authorize = browser.visited.iter().rfind(|url| url.contains("/authorize?")).unwrap();
    assert!(!authorize.contains("prompt="), "{authorize}");
    assert!(authorize.contains("login_hint=alice%40contoso.example"), "{authorize}");
    browser.press(&question, "confirm-yes").unwrap();
    assert_eq!(world.hook.account(ALICE).unwrap().str("button"), "ready");
}

#[test]
fn use_another_account_asks_microsoft_for_its_list() {
    let world = World::signed_in();
    let mut browser = Browser::default();
    let page = settings(&world, &mut browser);
    let at_microsoft = browser.click(&page, "other-account").unwrap();
    let authorize = browser.visited.iter().rfind(|url| url.contains("/authorize?")).unwrap();
    assert!(authorize.contains("prompt=select_account") && !authorize.contains("login_hint"), "{authorize}");
    assert!(at_microsoft.html.contains("loginfmt"), "{}", at_microsoft.text());
}

#[test]
fn a_dead_connection_is_mended_in_one_press_and_no_question() {
    let world = World::signed_in();
    let mut server = world.server();
    world.sim.revoke(ALICE_AT_MICROSOFT);
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let mut browser = Browser::default();
    let page = settings(&world, &mut browser);
    assert_eq!(state(&page), "dead", "{}", page.text());
    assert_eq!(page.attribute_where("data-uid", "e1", "data-state").as_deref(), Some("sign-in-needed"));
    assert!(!page.has("disconnect-remove"), "over a dead connection nothing can be taken away");
    let done = browser.sign_in_until_question(&page.url, ALICE_AT_MICROSOFT).unwrap();
    assert!(!done.has("confirm-yes"), "the same Microsoft account is not asked about again: {}", done.text());
    assert!(done.text().contains("Teams is connected"), "{}", done.text());
    world.reaches("e1", "mirrored");
    let page = browser.open(&format!("{}/settings", world.public_url)).unwrap();
    assert_eq!(state(&page), "connected");
    assert!(page.html.contains("class=\"button join\" href=\"https://teams.microsoft.com/"), "{}", page.html);
}

#[test]
fn an_event_that_waits_for_a_sign_in_brings_the_button_although_the_connection_lives() {
    let world = World::signed_in();
    // Microsoft's word for a permission that was taken away.
    world.sim.fault(Fault::status(403).on_graph("POST", "/events").always());
    world.server().save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    world.reaches("e1", "sign-in-needed");
    let mut browser = Browser::default();
    let page = settings(&world, &mut browser);
    assert_eq!((state(&page).as_str(), page.has("reconnect")), ("connected", true), "{}", page.text());
    world.sim.clear_faults();
    browser.sign_in(&page.url, ALICE_AT_MICROSOFT).unwrap();
    world.reaches("e1", "mirrored");
}

#[test]
fn who_may_not_and_what_is_not_ready_is_said() {
    let world = World::signed_in();
    let mut browser = Browser::default();
    settings(&world, &mut browser);
    let mut look = || browser.open(&format!("{}/settings", world.public_url)).unwrap();
    world.run(&["connector", "disable", "teams"]);
    let page = look();
    assert_eq!(state(&page), "connector-off", "{}", page.text());
    assert!(!page.has("turn-off") && !page.has("connect") && page.has("disconnect-now"), "only leaving is left");
    world.run(&["connector", "enable", "teams"]);
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    world.sim.fault(Fault::aadsts(7_000_222).on_token());
    world.server().save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let page = look();
    assert_eq!(state(&page), "connector-dead", "{}", page.text());
    world.run(&["disable", "--account", ALICE]);
    let page = look();
    assert_eq!(state(&page), "not-allowed", "{}", page.text());
    assert!(!page.has("turn-off") && !page.has("connect") && page.has("disconnect-now"));
    // Whoever may not use it can still be shown what is held of them, and take it away; others get no link.
    assert_eq!(world.hook.settings_link(ALICE).unwrap().status, 200);
    world.hook.put_account("carol@test.tld", serde_json::json!({})).unwrap();
    world.run(&["disable", "--account", "carol@test.tld"]);
    assert_eq!(world.hook.settings_link("carol@test.tld").unwrap().status, 409);
}

#[test]
fn the_default_for_new_events_is_chosen_and_counts() {
    let world = World::signed_in();
    let mut browser = Browser::default();
    let page = settings(&world, &mut browser);
    assert!(page.attribute("meetings-never", "checked").is_some());
    let page = browser.press_with(&page, "save-meetings", &[("meetings", "always")]).unwrap();
    assert_eq!(notice(&page).as_deref(), Some("saved"), "{}", page.text());
    assert!(page.attribute("meetings-always", "checked").is_some());
    let answer = world.server().save("e1", &event::meeting("e1", "Planning", &[]), &Put::default()).unwrap();
    assert!(!answer.str("join_url").is_empty(), "{}", answer.text);
    let page = browser.press_with(&page, "save-meetings", &[("meetings", "sometimes")]).unwrap();
    assert_eq!(notice(&page).as_deref(), Some("not-saved"), "{}", page.text());
    assert!(page.attribute("meetings-always", "checked").is_some());
}

#[test]
fn the_test_is_a_real_round_trip_with_a_sentence_for_each_part() {
    let world = World::signed_in();
    let mut browser = Browser::default();
    let page = settings(&world, &mut browser);
    let results = |page: &Page| {
        ["token", "mailbox", "calendar", "provider"]
            .map(|part| page.attribute_where("data-part", part, "data-ok").unwrap_or_default())
    };
    assert!(!page.has("test-result") && world.graph().is_empty());
    let tested = browser.press(&page, "test-now").unwrap();
    assert_eq!(results(&tested), ["yes", "yes", "yes", "yes"], "{}", tested.text());
    assert_eq!(world.graph_methods(), ["GET"], "asked once, really");
    assert_eq!(state(&browser.open(&tested.url).unwrap()), "connected", "its address can be loaded again");

    world.sim.edit_user(ALICE_AT_MICROSOFT, |user| user.kind = UserKind::Unlicensed);
    let tested = browser.press(&page, "test-now").unwrap();
    assert_eq!(results(&tested), ["yes", "yes", "yes", "no"], "{}", tested.text());
    world.sim.edit_user(ALICE_AT_MICROSOFT, |user| user.kind = UserKind::OnPremises);
    let tested = browser.press(&page, "test-now").unwrap();
    assert_eq!(results(&tested), ["yes", "no", "unknown", "unknown"], "{}", tested.text());
    world.sim.edit_user(ALICE_AT_MICROSOFT, |user| user.kind = UserKind::Teams);
    world.sim.revoke(ALICE_AT_MICROSOFT);
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    let tested = browser.press(&page, "test-now").unwrap();
    assert_eq!(results(&tested), ["no", "unknown", "unknown", "unknown"], "{}", tested.text());
    assert_eq!(state(&tested), "dead", "what the test found holds at once");
}

#[test]
fn the_last_events_stand_there_with_their_links() {
    let world = World::signed_in();
    let mut server = world.server();
    let series = event::meeting("e2", "Weekly", &["RRULE:FREQ=WEEKLY"]);
    server.save("e2", &series, &Put::wanted()).unwrap();
    world.settled("e2");
    // The last one stands first.
    let link =
        server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap().str("join_url").to_owned();
    let mut browser = Browser::default();
    let page = settings(&world, &mut browser);
    assert_eq!(page.attribute_where("data-uid", "e1", "data-state").as_deref(), Some("mirrored"));
    assert_eq!(page.attribute_where("class", "button join", "href").as_deref(), Some(link.as_str()));
    assert!(page.text().contains("Monday, 14 January 2030, 10:00"), "in the account's zone: {}", page.text());
}

#[test]
fn an_event_somebody_gave_up_on_is_tried_again() {
    let world = World::signed_in();
    let suspended = FaultKind::Status {
        status: 403,
        body: FaultBody::Json,
        code: Some("ErrorAccountSuspend".into()),
        message: None,
        retry_after: None,
    };
    world.sim.fault(Fault::new(suspended).on_graph("POST", "/events").always());
    world.server().save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    world.reaches("e1", "admin-needed");
    world.sim.clear_faults();
    let mut browser = Browser::default();
    let page = settings(&world, &mut browser);
    let (action, mut fields) = page.form_with("uid", "e1").unwrap_or_else(|| panic!("{}", page.html));
    fields.push(("uid".into(), "e1".into()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let page = browser.send(&format!("{}{action}", world.public_url), &fields).unwrap();
    assert_eq!(notice(&page).as_deref(), Some("retried"), "{}", page.text());
    world.reaches("e1", "mirrored");
}

#[test]
fn the_accounts_language_decides_and_then_the_browsers() {
    let world = World::new();
    let mut german = Browser::default();
    german.sends.push(("accept-language".into(), "de-AT, en;q=0.5".into()));
    let page = settings(&world, &mut german);
    assert!(page.html.contains("<html lang=\"de\">"), "{}", page.html);
    assert!(page.text().contains("Mit Microsoft verbinden"), "{}", page.text());
    world.hook.put_account(ALICE, serde_json::json!({ "language": "en" })).unwrap();
    let page = settings(&world, &mut german);
    assert!(
        page.html.contains("<html lang=\"en\">") && page.text().contains("Connect with Microsoft"),
        "{}",
        page.text()
    );
    world.hook.put_account(ALICE, serde_json::json!({ "language": "de" })).unwrap();
    let mut english = Browser::default();
    let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    let question = english.sign_in_until_question(&link, ALICE_AT_MICROSOFT).unwrap();
    assert!(question.text().contains("Diese beiden verbinden?"), "{}", question.text());
    let done = english.press(&question, "confirm-yes").unwrap();
    assert!(done.text().contains("Teams ist verbunden"), "{}", done.text());
    assert!(world.hook.account(ALICE).unwrap().str("message").contains("Verbunden mit"), "the hook API speaks it, too");
    // A problem is told in it, too, as soon as it is known whose sign-in it is.
    world.run(&["disconnect", ALICE]);
    let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    let refused = Browser::default().refuse_consent(&link, "bob@contoso.example").unwrap();
    assert!(refused.text().contains("Teams ist nicht verbunden"), "{}", refused.text());
    let lost = german.open(&format!("{}/nowhere", world.public_url)).unwrap();
    assert!(lost.text().contains("Hier ist nichts"), "{}", lost.text());
}

#[test]
fn a_page_is_framed_by_the_webmail_and_the_sign_in_by_nobody() {
    let world = World::with_config("webmail_origins = ['https://webmail.example', 'https://*.hosted.example']\n");
    let mut browser = Browser::default();
    browser.sends.push(("sec-fetch-dest".into(), "iframe".into()));
    let page = settings(&world, &mut browser);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.ends_with("frame-ancestors 'self' https://webmail.example https://*.hosted.example"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.attribute("connect", "target").as_deref(), Some("_blank"), "the sign-in leaves the frame");
    assert!(page.html.contains("http-equiv=\"refresh\""), "without a script it looks by itself");
    let question = browser.sign_in_until_question(&page.url, ALICE_AT_MICROSOFT).unwrap();
    let done = browser.press(&question, "confirm-yes").unwrap();
    let problem = browser.open(&format!("{}/signin?ticket=none", world.public_url)).unwrap();
    for page in [question, done, problem] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.ends_with("frame-ancestors 'none'") && !policy.contains("unsafe"), "{}: {policy}", page.url);
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
    // At the top the sign-in stays in the window.
    let mut top = Browser::default();
    top.sends.push(("sec-fetch-dest".into(), "document".into()));
    world.run(&["disconnect", ALICE]);
    let page = settings(&world, &mut top);
    assert_eq!(page.attribute("connect", "target"), None);
    assert!(!page.html.contains("http-equiv=\"refresh\""));
}

#[test]
fn under_a_path_every_way_leads_under_it() {
    let world = World::under("/teams");
    let mut browser = Browser::default();
    let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    assert!(link.starts_with(&format!("{}/settings?ticket=", world.public_url)), "{link}");
    // What the proxy would do on the way in; on the way back it changes nothing.
    let inside = |url: &str| url.replacen("/teams/", "/", 1);
    let lost = browser.open(&inside(&link)).unwrap();
    assert_eq!(lost.status, 404, "the redirect leads back to the proxy: {}", lost.url);
    assert!(lost.url.starts_with(&format!("{}/settings?again=", world.public_url)), "{}", lost.url);
    let back = browser.open(&inside(&lost.url)).unwrap();
    assert_eq!(back.url, format!("{}/settings", world.public_url));
    let page = browser.open(&inside(&back.url)).unwrap();
    assert_eq!(page.attribute("settings", "data-base").as_deref(), Some("/teams"), "{}", page.text());
    for (tag, address) in page.addresses() {
        assert!(address.starts_with("/teams/"), "{tag}: {address}");
    }
}

#[test]
fn a_browser_that_keeps_no_cookie_in_a_frame_is_led_to_a_window() {
    let world = World::new();
    let mut framed = Browser::default();
    framed.keeps_nothing = true;
    let page = settings(&world, &mut framed);
    assert_eq!(page.attribute("go-on", "target").as_deref(), Some("_blank"), "{}", page.text());
    let link = page.attribute("go-on", "href").unwrap();
    let mut window = Browser::default();
    let page = window.open(&format!("{}{link}", world.public_url)).unwrap();
    assert_eq!(state(&page), "new");
    assert_eq!(Browser::default().open(&format!("{}{link}", world.public_url)).unwrap().status, 403, "once");
}

#[test]
fn the_frame_notices_a_sign_in_in_another_window() {
    let world = World::new();
    let mut frame = Browser::default();
    settings(&world, &mut frame);
    let state_of = |frame: &mut Browser| {
        let answer = frame.open(&format!("{}/settings/state", world.public_url)).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.html);
        answer.html
    };
    let page = frame.open(&format!("{}/settings?waiting=1", world.public_url)).unwrap();
    assert!(page.has("waiting") && page.has("connect"), "{}", page.text());
    let before = state_of(&mut frame);
    assert_eq!(page.attribute("settings", "data-version").as_deref(), Some(before.as_str()));
    assert_eq!(state_of(&mut frame), before);
    let link = page.attribute("connect", "href").unwrap();
    Browser::default().sign_in(&format!("{}{link}", world.public_url), ALICE_AT_MICROSOFT).unwrap();
    assert_ne!(state_of(&mut frame), before);
    assert_eq!(Browser::default().open(&format!("{}/settings/state", world.public_url)).unwrap().status, 403);
}

#[test]
fn an_administrator_passes_a_link_on() {
    let world = World::new();
    let printed = world.run(&["settings-link", ALICE]);
    let link = printed.split_whitespace().find(|word| word.starts_with("http")).unwrap_or_else(|| panic!("{printed}"));
    let page = Browser::default().open(link).unwrap();
    assert_eq!(state(&page), "new", "{}", page.text());
    let (ok, refused) = world.try_run(&["settings-link", "x@elsewhere.tld"]);
    assert!(!ok && refused.contains("enable"), "{refused}");
}

#[test]
fn another_account_cannot_take_a_mailbox_that_is_taken() {
    let world = World::signed_in();
    world.hook.put_account("bob@test.tld", serde_json::json!({})).unwrap();
    let link = world.hook.settings_link("bob@test.tld").unwrap().str("url").to_owned();
    let mut browser = Browser::default();
    let page = browser.sign_in_until_question(&link, ALICE_AT_MICROSOFT).unwrap();
    assert_eq!(page.status, 409, "{}", page.text());
    // Taken between the question and the answer.
    let link = world.hook.settings_link("bob@test.tld").unwrap().str("url").to_owned();
    let question = browser.sign_in_until_question(&link, BOB_AT_MICROSOFT).unwrap_or_else(|e| panic!("{e}"));
    assert!(question.has("confirm-yes"), "{}", question.text());
    world.hook.put_account("carol@test.tld", serde_json::json!({})).unwrap();
    assert_eq!(world.sign_in("carol@test.tld", BOB_AT_MICROSOFT).status, 200);
    let page = browser.press(&question, "confirm-yes").unwrap();
    assert_eq!(page.status, 409, "{}", page.text());
    assert_eq!(world.hook.account("bob@test.tld").unwrap().json["connected"], false);
}

#[test]
fn looking_at_a_page_again_and_again_leaves_nothing_behind() {
    let world = World::new();
    let mut browser = Browser::default();
    let page = settings(&world, &mut browser);
    let question = browser.sign_in_until_question(&page.url, ALICE_AT_MICROSOFT).unwrap();
    let rows = || world.count("SELECT count(*) FROM once");
    let before = rows();
    for _ in 0..5 {
        assert!(browser.open(&page.url).unwrap().has("connect"));
        assert!(browser.open(&question.url).unwrap().has("other-account"));
    }
    assert_eq!(rows(), before);
    // Each look brings a button that works, once.
    let page = browser.open(&page.url).unwrap();
    assert!(browser.click(&page, "connect").unwrap().html.contains("loginfmt"));
    assert_eq!(browser.click(&page, "connect").unwrap().status, 400);
    let question = browser.open(&question.url).unwrap();
    assert!(browser.click(&question, "other-account").unwrap().html.contains("loginfmt"));
    assert_eq!(browser.click(&question, "other-account").unwrap().status, 400);
}

#[test]
fn what_cannot_be_read_is_answered_with_a_page_in_the_users_language() {
    let world = World::new();
    let mut browser = Browser::default();
    browser.sends.push(("accept-language".into(), "de".into()));
    let page = settings(&world, &mut browser);
    let url = |path: &str| format!("{}{path}", world.public_url);
    let large = "x".repeat(20_000);
    let mut typed = browser.clone();
    typed.sends.push(("content-type".into(), "text/plain".into()));
    let answers = [
        (400, browser.open(&url("/settings?ticket=a&ticket=b")).unwrap()),
        (400, browser.open(&url("/signin?ticket=a&ticket=b")).unwrap()),
        (400, browser.open(&url("/signin/confirm?s=a&s=b")).unwrap()),
        (400, browser.open(&url("/api/v1/oauth/access?state=a&state=b")).unwrap()),
        (422, browser.send(&url("/settings/turn"), &[("token", "a"), ("token", "b")]).unwrap()),
        (413, browser.send(&url("/settings/turn"), &[("token", &large)]).unwrap()),
        (413, browser.send(&url("/signin/confirm"), &[("token", &large)]).unwrap()),
        (415, typed.send(&url("/settings/turn"), &[("token", "a")]).unwrap()),
        (405, browser.open(&url("/settings/turn")).unwrap()),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status, status, "{}", answer.html);
        assert!(
            answer.html.contains("<html lang=\"de\">") && answer.html.contains("data-page=\"not-understood\""),
            "{}",
            answer.html
        );
        assert!(answer.header("content-security-policy").is_some(), "{}", answer.url);
    }
    assert_eq!(state(&browser.open(&page.url).unwrap()), "new", "the session is as it was");
}
