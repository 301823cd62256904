//! What may go wrong on the way to Microsoft and back, by accident or by intent.

use support::Browser;

use crate::chromium::{Chromium, Look};
use crate::flows::{new_event, save};
use crate::world::{ALICE, AT_MICROSOFT, World, at_microsoft, connect_from_frame};

fn open(world: &World, chromium: &Chromium) {
    chromium.go(&world.page("/settings/teams/open"));
    chromium.see("#settings[data-state=new]");
}

fn connected(world: &World) -> bool {
    world.account().json["connected"] == true
}

#[test]
fn whoever_refuses_consent_is_told_so_and_can_begin_again() {
    let Some(chromium) = Chromium::open(Look { language: "de", phone: true, script: false }) else { return };
    let world = World::new();
    open(&world, &chromium);
    chromium.click("#connect");
    chromium.write("#loginfmt", AT_MICROSOFT);
    chromium.click("#next");
    chromium.see("#accept");
    chromium.click("#cancel");
    chromium.read("Teams ist nicht verbunden");
    assert_eq!(chromium.overflow(), 0);
    assert!(!connected(&world));
    open(&world, &chromium);
    chromium.click("#connect");
    // Microsoft still knows who was there.
    chromium.click("[name=account]");
    chromium.click("#accept");
    chromium.click("#confirm-no");
    chromium.read("Teams ist nicht verbunden");
    assert!(!connected(&world));
    open(&world, &chromium);
    chromium.click("#connect");
    chromium.see("#confirm-yes, [name=account]");
    if chromium.seen("[name=account]").is_some() {
        chromium.click("[name=account]");
    }
    chromium.click("#confirm-yes");
    chromium.see("[data-page=connected]");
    assert!(connected(&world));
}

#[test]
fn a_window_closed_half_way_leaves_nothing_half_linked() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::new();
    chromium.go(&world.page("/settings/teams"));
    let webmail = chromium.window();
    chromium.enter_frame("#inside");
    chromium.click("#connect");
    chromium.follow_new_window(std::slice::from_ref(&webmail));
    chromium.see("#loginfmt");
    chromium.close_and_look_at(&webmail);
    chromium.enter_frame("#inside");
    // The page waits, and offers the way again.
    chromium.see("#waiting");
    assert!(!connected(&world));
    connect_from_frame(&chromium, &webmail, AT_MICROSOFT);
    chromium.enter_frame("#inside");
    chromium.see("#settings[data-state=connected]");
}

#[test]
fn double_clicks_connect_once() {
    let Some(chromium) = Chromium::open(Look { language: "en", phone: false, script: false }) else { return };
    let world = World::new();
    open(&world, &chromium);
    chromium.double_click("#connect");
    // The second click may find the link spent by the first; that is said, and connects nothing.
    chromium.see("#loginfmt, main.message");
    if chromium.seen("main.message").is_some() {
        chromium.read("used already");
        assert!(!connected(&world));
        open(&world, &chromium);
        chromium.click("#connect");
    }
    at_microsoft(&chromium, AT_MICROSOFT);
    chromium.double_click("#confirm-yes");
    chromium.see("[data-page=connected]");
    assert!(connected(&world));
}

#[test]
fn where_scripts_run_a_double_click_is_one_click() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::new();
    open(&world, &chromium);
    chromium.double_click("#connect");
    at_microsoft(&chromium, AT_MICROSOFT);
    chromium.double_click("#confirm-yes");
    chromium.see("[data-page=connected]");
    assert!(connected(&world));
}

#[test]
fn two_tabs_do_not_get_into_each_others_way() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::new();
    open(&world, &chromium);
    let first = chromium.window();
    chromium.click("#connect");
    chromium.see("#loginfmt");
    let second = chromium.open_tab();
    open(&world, &chromium);
    chromium.click("#connect");
    at_microsoft(&chromium, AT_MICROSOFT);
    chromium.see("#confirm-yes");
    chromium.look_at(&first);
    chromium.write("#loginfmt", AT_MICROSOFT);
    chromium.click("#next");
    chromium.click("#confirm-yes");
    chromium.see("[data-page=connected]");
    chromium.look_at(&second);
    chromium.click("#confirm-yes");
    chromium.see("main.message");
    assert!(connected(&world));
    assert_eq!(world.account().str("microsoft_account"), AT_MICROSOFT);
    // One link, that works.
    new_event(&world, &chromium, "After two tabs");
    chromium.click("#add-teams");
    save(&chromium);
    chromium.see("#state.mirrored");
}

#[test]
fn the_back_button_finds_calm_pages_and_breaks_nothing() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::signed_in(&chromium);
    for _ in 0..4 {
        chromium.back();
        let text = chromium.text();
        assert!(!text.contains("Something broke"), "{}: {text}", chromium.address());
    }
    assert!(connected(&world));
    open_connected(&world, &chromium);
}

fn open_connected(world: &World, chromium: &Chromium) {
    chromium.go(&world.page("/settings/teams/open"));
    chromium.see("#settings[data-state=connected]");
}

#[test]
fn another_browsers_sign_in_connects_nothing_here() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::new();
    // Mallory signs in at Microsoft with his own account, and sends the victim the address at which Microsoft gives it back;
    // once from a sign-in of his own calendar, once from one of the victim's whose link he came by.
    for account in ["mallory@mail.example", ALICE] {
        let hook = &world.shim().hook;
        hook.put_account(account, serde_json::json!({})).unwrap();
        let link = hook.settings_link(account).unwrap();
        let mut mallory = Browser::default();
        mallory.sign_in_until_callback(link.str("url"), "bob@contoso.example").unwrap();
        let callback = mallory.visited.last().cloned().unwrap();
        assert!(callback.contains("code="), "{callback}");
        // The victim is in the middle of a sign-in, cookies and all.
        open(&world, &chromium);
        chromium.click("#connect");
        chromium.see("#loginfmt");
        chromium.go(&callback);
        chromium.read("begun in another browser");
        for (of, standing) in [(ALICE, world.account()), (account, hook.account(account).unwrap())] {
            assert_eq!(standing.json["connected"], false, "{of}: {}", standing.text);
        }
    }
}

#[test]
fn what_is_spent_or_too_old_opens_nothing() {
    let Some(chromium) = Chromium::open(Look { language: "de", phone: true, script: false }) else { return };
    let world = World::new();
    let settings_link = || world.shim().hook.settings_link(ALICE).unwrap().str("url").to_owned();
    let link = settings_link();
    chromium.go(&link);
    chromium.see("#settings");
    // In another browser, as whoever read the link over the user's shoulder.
    let Some(other) = Chromium::open(Look { language: "de", phone: true, script: false }) else { return };
    other.go(&link);
    other.read("Diese Seite ist nicht mehr offen");
    assert_eq!(other.overflow(), 0);
    let late = settings_link();
    world.clock.advance(61_000);
    other.go(&late);
    other.read("Diese Seite ist nicht mehr offen");
    // The sign-in of a page that was left open over night.
    let connect = chromium.attribute("#connect", "href");
    world.clock.advance(13 * 3_600_000);
    chromium.go(&format!("{}{connect}", world.shim().public_url));
    chromium.read("Teams ist nicht verbunden");
    assert!(!connected(&world));
}

#[test]
fn no_parameter_leads_anywhere_else() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::new();
    open(&world, &chromium);
    let ours = world.shim().public_url.clone();
    for path in [
        "/settings?done=//evil.example",
        "/settings?again=%2F%2Fevil.example",
        "/settings?waiting=javascript:alert(1)",
        "/settings?return_to=https://evil.example",
        "/signin?ticket=https://evil.example&return_to=//evil.example",
        "/signin/confirm?s=%2F%2Fevil.example%0d%0aLocation:%20//evil.example",
        "/signin/done?s=javascript:alert(1)",
        "/api/v1/oauth/access?state=%5C%5Cevil.example&redirect=//evil.example",
        "//evil.example/settings",
    ] {
        chromium.go(&format!("{ours}{path}"));
        chromium.see("main");
        assert!(chromium.address().starts_with(&format!("{ours}/")), "{path}: {}", chromium.address());
        let foreign = "return [...document.querySelectorAll('[href],[src],[action]')].map(e => e.href ?? e.src ?? e.action)\
                       .filter(address => String(address).includes('evil') || String(address).startsWith('javascript'))";
        assert_eq!(chromium.evaluate(foreign), serde_json::json!([]), "{path}");
    }
}

#[test]
fn forms_of_other_sites_change_nothing() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::signed_in(&chromium);
    open_connected(&world, &chromium);
    // From a page that lets its forms go anywhere, while this browser has both sessions.
    let send = |to: &str, name: &str, value: &str| {
        chromium.go(&format!("{}/", world.sim.base_url()));
        chromium.evaluate(&format!(
            "const form = document.createElement('form'); form.method = 'post'; form.action = '{to}'; \
             form.innerHTML = '<input name={name} value={value}>'; document.body.append(form); form.submit();"
        ));
    };
    send(&world.page("/settings/language"), "language", "de");
    chromium.read("did not come from a page of this webmail");
    send(&format!("{}/settings/turn", world.shim().public_url), "teams", "off");
    chromium
        .wait("a page of teams-mirror's", || chromium.address().starts_with(&world.shim().public_url).then_some(()));
    chromium.see("main.message");
    assert_eq!(world.account().str("button"), "ready");
    chromium.go(&world.page("/"));
    assert_eq!(chromium.evaluate("return document.documentElement.lang"), "en");
}

/// Text that is a program to whoever takes it for HTML.
const HOSTILE: &str = "\"><img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";

#[test]
fn hostile_words_are_shown_as_words() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::new();
    let unharmed = |where_: &str| {
        assert_eq!(chromium.evaluate("return window.hacked ?? null"), serde_json::json!(null), "{where_}")
    };
    open(&world, &chromium);
    chromium.click("#connect");
    chromium.see("#loginfmt");
    let at = url::Url::parse(&chromium.address()).unwrap();
    let state = at.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let mut callback = url::Url::parse(&format!("{}/api/v1/oauth/access", world.shim().public_url)).unwrap();
    let long = format!("{HOSTILE}{}", "A".repeat(5_000));
    callback.query_pairs_mut().append_pair("error", "access_denied").append_pair("error_description", &long);
    callback.query_pairs_mut().append_pair("state", &state);
    chromium.go(callback.as_str());
    chromium.read("Teams is not connected");
    unharmed("the page after Microsoft's answer");
    let text = chromium.text();
    assert!(text.contains("<img src=x onerror="), "{text}");
    assert!(!text.contains(&"A".repeat(300)), "cut: {text}");

    world.sim.edit_user(AT_MICROSOFT, |user| user.display_name = HOSTILE.into());
    world.sign_in(&chromium, AT_MICROSOFT);
    unharmed("the page after the sign-in");
    new_event(&world, &chromium, HOSTILE);
    chromium.write("#description", &format!("</textarea>{HOSTILE}"));
    chromium.click("#add-teams");
    save(&chromium);
    unharmed("the event");
    assert_eq!(chromium.value("#subject"), HOSTILE);
    chromium.go(&world.page("/"));
    chromium.read("<script>window.hacked=1</script>");
    unharmed("the list");
    open_connected(&world, &chromium);
    unharmed("the settings");
    chromium.go(&format!("{}/calendar/{AT_MICROSOFT}", world.sim.base_url()));
    chromium.read("window.hacked=1");
    unharmed("the Teams calendar");
}

#[test]
fn signed_in_in_another_window_the_form_that_was_left_open_offers_teams() {
    let Some(chromium) = Chromium::open(Look { language: "de", phone: true, script: false }) else { return };
    let world = World::new();
    new_event(&world, &chromium, "Angefangen");
    let form = chromium.window();
    chromium.click("#sign-in");
    chromium.follow_new_window(std::slice::from_ref(&form));
    chromium.click("#connect");
    at_microsoft(&chromium, AT_MICROSOFT);
    chromium.click("#confirm-yes");
    chromium.see("[data-page=connected]");
    chromium.close_and_look_at(&form);
    chromium.click("#signed-in");
    chromium.see("#add-teams");
    assert_eq!(chromium.value("#subject"), "Angefangen");
}
