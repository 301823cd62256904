//! Every page in every state: shown once in each language, wide and light, narrow and dark. axe finds nothing serious in it,
//! nothing reaches beyond the right edge, and a picture of it is left in the target folder's `tmp/pictures`.

use std::path::PathBuf;

use graph_sim::Fault;
use host_shim::address::Address;
use host_shim::store::Scope;
use serde_json::json;

use crate::axe;
use crate::chromium::{Chromium, Look};
use crate::flows::{new_event, save};
use crate::world::{ALICE, AT_MICROSOFT, World, at_microsoft};

/// Looks at the page that is open, from every side.
fn show(chromium: &Chromium, name: &str) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    for (kind, width, scale, scheme) in [("wide", 1000, 1, "light"), ("phone", 360, 2, "dark")] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        chromium.devtools("Emulation.setEmulatedMedia", &media);
        let size =
            |height: i64| json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        chromium.devtools("Emulation.setDeviceMetricsOverride", &size(740));
        let name = format!("{name}-{}-{kind}", chromium.look.language);
        assert_eq!(chromium.overflow(), 0, "{name} is too wide");
        assert_eq!(chromium.evaluate("return document.documentElement.lang"), chromium.look.language, "{name}");
        axe::assert_nothing_serious(chromium, &name);
        // The whole page, however long.
        let height = chromium.evaluate("return document.documentElement.scrollHeight").as_i64().unwrap_or(740);
        chromium.devtools("Emulation.setDeviceMetricsOverride", &size(height.clamp(500, 4_000)));
        std::fs::write(folder.join(format!("{name}.png")), chromium.picture()).unwrap();
    }
    chromium.devtools("Emulation.clearDeviceMetricsOverride", &json!({}));
}

fn settings(world: &World, chromium: &Chromium, state: &str) {
    chromium.go(&world.page("/settings/teams/open"));
    chromium.see(&format!("#settings[data-state={state}]"));
}

fn meeting(world: &World, chromium: &Chromium, subject: &str) -> String {
    new_event(world, chromium, subject);
    chromium.click("#add-teams");
    chromium.see("#discard");
    save(chromium);
    chromium.address().split('?').next().unwrap_or_default().to_owned()
}

/// What an administrator does.
fn policy(world: &World, allow: bool) {
    let accounts = world.shim().running.shim().accounts();
    accounts.set_policy(&Scope::Domain("mail.example".into()), Some(allow)).unwrap();
}

/// A watcher counts the coming events that are older than the turning on, where all events are to be in Teams; none: it has told
/// those that were asked for.
fn older(world: &World, count: u32) {
    let shim = world.shim().running.shim();
    let all = (count > 0).then_some("all-events");
    shim.accounts().set_setting(&Scope::Server, "mirror", all, shim.mirror().declared_settings()).unwrap();
    shim.accounts().set_older(&Address::parse(ALICE).unwrap(), count, count == 0).unwrap();
}

/// The registration's secret ends, as seen by the next refresh.
fn secret_expires(world: &World) {
    world.sim.expire_access_tokens(AT_MICROSOFT);
    world.sim.fault(Fault::aadsts(7_000_222).on_token().always());
}

/// teams-mirror's own pages, from the first to the last.
fn settings_and_sign_in(language: &'static str) {
    let Some(chromium) = Chromium::open(Look { language, ..Look::DESKTOP }) else { return };
    let world = World::new();
    settings(&world, &chromium, "new");
    show(&chromium, "settings-new");
    chromium.click("#connect");
    chromium.see("#loginfmt");
    chromium.click("#cancel");
    chromium.see("main.message");
    show(&chromium, "sign-in-declined");
    settings(&world, &chromium, "new");
    chromium.click("#connect");
    at_microsoft(&chromium, AT_MICROSOFT);
    chromium.see("#confirm-yes");
    show(&chromium, "confirm");
    chromium.click("#confirm-yes");
    chromium.see("[data-page=connected]");
    show(&chromium, "sign-in-connected");
    settings(&world, &chromium, "connected");
    show(&chromium, "settings-connected");
    chromium.click("#test-now");
    chromium.see("#test-result");
    show(&chromium, "settings-tested");

    older(&world, 12);
    settings(&world, &chromium, "connected");
    chromium.see("#older-include");
    show(&chromium, "settings-older");
    chromium.click("#older-include");
    chromium.see("#older-wanted");
    show(&chromium, "settings-older-wanted");
    older(&world, 0);

    meeting(&world, &chromium, "Planning");
    settings(&world, &chromium, "connected");
    chromium.see(".join");
    chromium.click("#disconnect-details summary");
    show(&chromium, "settings-with-events");
    chromium.click("#turn-off");
    chromium.see("#settings[data-state=off]");
    show(&chromium, "settings-off");
    chromium.click("#turn-on");
    chromium.see("#settings[data-state=connected]");

    chromium.click("#other-account");
    chromium.write("#loginfmt", "bob@contoso.example");
    chromium.click("#next");
    chromium.click("#accept");
    chromium.see("#events-move");
    show(&chromium, "confirm-another-account");

    // Events are being taken out of Teams, and Microsoft does not answer.
    settings(&world, &chromium, "connected");
    world.sim.pause().unwrap();
    chromium.click("#disconnect-details summary");
    chromium.click("#disconnect-remove");
    chromium.click("#disconnect-now");
    chromium.see("#settings[data-state=leaving]");
    show(&chromium, "settings-leaving");
    world.sim.resume().unwrap();
    chromium.see("#settings[data-state=new]");

    let public_url = &world.shim().public_url;
    chromium.go(&format!("{public_url}/settings?ticket=spent"));
    chromium.see("main.message");
    show(&chromium, "settings-over");
    chromium.go(&format!("{public_url}/nothing"));
    chromium.see("main.message");
    show(&chromium, "nothing-here");
}

#[test]
fn settings_and_sign_in_in_english() {
    settings_and_sign_in("en");
}

#[test]
fn settings_and_sign_in_in_german() {
    settings_and_sign_in("de");
}

/// What the settings page and an event say where somebody has to act.
fn where_somebody_has_to_act(language: &'static str) {
    let Some(chromium) = Chromium::open(Look { language, ..Look::DESKTOP }) else { return };
    let world = World::signed_in(&chromium);
    let event = meeting(&world, &chromium, "Planning");
    world.sim.revoke(AT_MICROSOFT);
    world.sim.expire_access_tokens(AT_MICROSOFT);
    let waiting = meeting(&world, &chromium, "Waiting");
    chromium.see("#state.sign-in-needed");
    chromium.see(".notice a");
    show(&chromium, "event-sign-in-needed");
    settings(&world, &chromium, "dead");
    chromium.see("[data-state=sign-in-needed]");
    show(&chromium, "settings-dead");
    chromium.click("#reconnect");
    chromium.see("#loginfmt, [data-page=connected]");
    if chromium.seen("#loginfmt").is_some() {
        chromium.write("#loginfmt", AT_MICROSOFT);
        chromium.click("#next");
    }
    chromium.see("[data-page=connected]");
    chromium.go(&waiting);
    chromium.see("#state.mirrored");

    secret_expires(&world);
    meeting(&world, &chromium, "For the administrator");
    chromium.see("#state.admin-needed");
    show(&chromium, "event-admin-needed");
    settings(&world, &chromium, "connector-dead");
    chromium.see("li[data-state=admin-needed]");
    show(&chromium, "settings-connector-dead");

    let accounts = world.shim().running.shim().accounts();
    accounts.enable_connector("teams", false).unwrap();
    settings(&world, &chromium, "connector-off");
    show(&chromium, "settings-connector-off");
    accounts.enable_connector("teams", true).unwrap();
    policy(&world, false);
    settings(&world, &chromium, "not-allowed");
    show(&chromium, "settings-not-allowed");
    chromium.go(&event);
    chromium.see("#save");
    assert!(chromium.seen("#teams").is_none(), "hidden is hidden: {}", chromium.text());
    show(&chromium, "event-hidden");
    chromium.go(&world.page("/settings"));
    chromium.see("h1");
    assert!(chromium.seen("#open-teams").is_none());
    show(&chromium, "webmail-settings-hidden");
}

#[test]
fn where_somebody_has_to_act_in_english() {
    where_somebody_has_to_act("en");
}

#[test]
fn where_somebody_has_to_act_in_german() {
    where_somebody_has_to_act("de");
}

/// The webmail: its pages, and the states of its events.
fn webmail(language: &'static str) {
    let Some(chromium) = Chromium::open(Look { language, ..Look::DESKTOP }) else { return };
    let world = World::new();
    chromium.go(&world.page("/"));
    chromium.see("#new");
    show(&chromium, "calendar-empty");
    new_event(&world, &chromium, "Planning");
    chromium.see("#sign-in");
    show(&chromium, "event-sign-in");
    chromium.write("#guests", "carol");
    chromium.press_enter("#subject");
    chromium.see(".mistake");
    show(&chromium, "event-mistake");
    chromium.go(&world.page("/settings"));
    chromium.see("#open-teams");
    show(&chromium, "webmail-settings");
    chromium.click("#open-teams");
    chromium.enter_frame("#inside");
    chromium.see("#settings[data-state=new]");
    chromium.leave_frame();
    show(&chromium, "webmail-teams");
    world.sign_in(&chromium, AT_MICROSOFT);

    new_event(&world, &chromium, "Quarterly review");
    chromium.see("#add-teams");
    chromium.write("#guests", "carol@partner.example, dave@partner.example");
    chromium.write("#description", "What moved, what did not.");
    show(&chromium, "event-new");
    chromium.click("#add-teams");
    chromium.see("#discard");
    show(&chromium, "event-draft");
    save(&chromium);
    chromium.see("#state.mirrored");
    show(&chromium, "event-mirrored");

    meeting(&world, &chromium, "Called off");
    chromium.click("#cancel");
    chromium.see("#reinstate");
    show(&chromium, "event-cancelled");

    let removed = meeting(&world, &chromium, "Deleted in Teams");
    let id = world.in_teams().iter().find(|event| event["subject"] == "Deleted in Teams").unwrap()["id"].clone();
    world.sim.delete_in_outlook(AT_MICROSOFT, id.as_str().unwrap()).unwrap();
    chromium.go(&removed);
    chromium.write("#subject", "Deleted in Teams, then changed");
    save(&chromium);
    chromium.see("#state.removed");
    show(&chromium, "event-removed");

    // Longer than any event that is mirrored.
    new_event(&world, &chromium, "Far too long");
    chromium.evaluate("document.querySelector('#description').value = 'Lorem ipsum dolor. '.repeat(30000)");
    chromium.click("#add-teams");
    chromium.see("#discard");
    save(&chromium);
    chromium.see("#state.rejected");
    chromium.evaluate("document.querySelector('#description').value = '…'");
    show(&chromium, "event-rejected");

    world.sim.pause().unwrap();
    meeting(&world, &chromium, "While Microsoft is away");
    chromium.see("#state.pending");
    show(&chromium, "event-pending");
    new_event(&world, &chromium, "Begun");
    chromium.click("#add-teams");
    chromium.see("#discard");
    chromium.go(&world.page("/"));
    for state in ["mirrored", "removed", "rejected", "pending"] {
        chromium.see(&format!(".event .state.{state}"));
    }
    chromium.see(".draft");
    chromium.see(".event.cancelled");
    show(&chromium, "calendar");
    settings(&world, &chromium, "connected");
    for state in ["mirrored", "removed", "rejected", "pending", "not-mirrored"] {
        chromium.see(&format!("li[data-state={state}]"));
    }
    show(&chromium, "settings-every-event");
    world.sim.resume().unwrap();

    world.shim().hook.put_account(ALICE, json!({ "language": language })).unwrap();
    settings(&world, &chromium, "connected");
    chromium.click("#turn-off");
    chromium.see("#settings[data-state=off]");
    chromium.go(&world.page("/events/new"));
    chromium.see("#teams a");
    show(&chromium, "event-off");
    chromium.go(&world.page("/nowhere"));
    chromium.see("h1");
    show(&chromium, "webmail-nothing");
    world.wire.cut();
    chromium.go(&world.page("/events/new"));
    chromium.see(".notice");
    show(&chromium, "event-silent");
}

#[test]
fn webmail_in_english() {
    webmail("en");
}

#[test]
fn webmail_in_german() {
    webmail("de");
}
