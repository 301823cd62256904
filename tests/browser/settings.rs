//! The settings: connecting, off and on, leaving; alone and in the webmail's frame.

use graph_sim::Simulator;

use crate::chromium::{Chromium, Look};
use crate::flows::{link, new_event, save};
use crate::world::{AT_MICROSOFT, World, connect_from_frame};

/// Opens teams-mirror's settings page by the webmail.
fn open(world: &World, chromium: &Chromium) {
    chromium.go(&world.page("/settings/teams/open"));
    chromium.see("#settings");
}

/// Waits until the settings page stands so.
fn stands(chromium: &Chromium, state: &str) {
    chromium.see(&format!("#settings[data-state={state}]"));
}

fn clicks_beyond(sim: &Simulator, chromium: &Chromium) -> usize {
    chromium.clicked().iter().filter(|page| !page.starts_with(&sim.base_url())).count()
}

/// A webmail of another site frames the settings; the sign-in has a window of its own; the frame takes the news by itself.
fn in_a_frame(look: Look) {
    let Some(chromium) = Chromium::open(look) else { return };
    let world = World::new();
    chromium.go(&world.elsewhere("/settings/teams"));
    assert_eq!(chromium.overflow(), 0);
    let webmail = chromium.window();
    chromium.enter_frame("#inside");
    stands(&chromium, "new");
    assert_eq!(chromium.overflow(), 0);
    connect_from_frame(&chromium, &webmail, AT_MICROSOFT);
    chromium.enter_frame("#inside");
    stands(&chromium, "connected");
    // Forms work in the frame as well.
    chromium.click("#turn-off");
    stands(&chromium, "off");
    assert_eq!(world.account().str("button"), "off");
    chromium.click("#turn-on");
    stands(&chromium, "connected");
    chromium.leave_frame();
    chromium.go(&world.elsewhere("/settings"));
    chromium.read(AT_MICROSOFT);
}

#[test]
fn in_a_frame_of_another_site() {
    in_a_frame(Look { language: "en", phone: false, script: true });
}

#[test]
fn in_a_frame_of_another_site_without_javascript() {
    in_a_frame(Look { language: "de", phone: true, script: false });
}

#[test]
fn four_clicks_lead_from_the_settings_to_the_first_meeting() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::new();
    chromium.go(&world.page("/settings/teams"));
    let webmail = chromium.window();
    chromium.enter_frame("#inside");
    stands(&chromium, "new");
    chromium.clicked();
    connect_from_frame(&chromium, &webmail, AT_MICROSOFT);
    chromium.click("#new");
    chromium.click("#add-teams");
    link(&chromium);
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(clicks_beyond(&world.sim, &chromium), 4);
}

#[test]
fn off_and_on_again_without_a_page_of_microsofts() {
    let Some(chromium) = Chromium::open(Look { language: "en", phone: true, script: true }) else { return };
    let world = World::signed_in(&chromium);
    new_event(&world, &chromium, "Before");
    chromium.click("#add-teams");
    let joined = link(&chromium);
    save(&chromium);
    let event = chromium.address();
    let pages = world.pages_at_microsoft();
    open(&world, &chromium);
    chromium.click("#turn-off");
    stands(&chromium, "off");

    // New events get none; what there is follows, and can be joined.
    chromium.go(&world.page("/events/new"));
    chromium.read("You have turned Teams off");
    assert!(chromium.seen("#add-teams").is_none());
    chromium.go(&event);
    assert_eq!(link(&chromium), joined);
    chromium.write("#subject", "Before and after");
    save(&chromium);
    world.teams_shows(&chromium, "the change", |events| events[0]["subject"] == "Before and after");

    open(&world, &chromium);
    chromium.click("#turn-on");
    stands(&chromium, "connected");
    chromium.go(&world.page("/events/new"));
    chromium.see("#add-teams");
    assert_eq!(world.pages_at_microsoft(), pages);
}

#[test]
fn disconnected_and_connected_again_while_microsofts_session_lives_shows_no_page_of_microsofts() {
    let Some(chromium) = Chromium::open(Look { language: "de", phone: false, script: false }) else { return };
    let world = World::signed_in(&chromium);
    let pages = world.pages_at_microsoft();
    open(&world, &chromium);
    chromium.click("#disconnect-details summary");
    chromium.click("#disconnect-now");
    stands(&chromium, "new");
    chromium.click("#connect");
    chromium.click("#confirm-yes");
    chromium.see("[data-page=connected]");
    chromium.click("#go-on");
    stands(&chromium, "connected");
    assert_eq!(world.pages_at_microsoft(), pages);
}

/// Disconnects with a mirrored event, and this choice; ends when nothing is connected any more.
fn disconnect(chromium: &Chromium, world: &World, choice: &str) {
    new_event(world, chromium, "To come");
    chromium.click("#add-teams");
    save(chromium);
    chromium.see("#state.mirrored");
    open(world, chromium);
    chromium.click("#disconnect-details summary");
    chromium.click(choice);
    chromium.click("#disconnect-now");
    stands(chromium, "new");
    assert_eq!(world.account().json["connected"], false);
}

#[test]
fn whoever_disconnects_can_leave_the_events_in_teams() {
    let Some(chromium) = Chromium::open(Look { language: "de", phone: true, script: true }) else { return };
    let world = World::signed_in(&chromium);
    disconnect(&chromium, &world, "#disconnect-keep");
    assert_eq!(world.in_teams().len(), 1);
    chromium.go(&world.page("/settings"));
    chromium.read("Nicht verbunden");
}

#[test]
fn whoever_disconnects_can_take_the_events_out_of_teams() {
    let Some(chromium) = Chromium::open(Look { language: "en", phone: true, script: false }) else { return };
    let world = World::signed_in(&chromium);
    disconnect(&chromium, &world, "#disconnect-remove");
    assert_eq!(world.in_teams().len(), 0);
}

#[test]
fn a_default_for_new_events_counts_and_the_test_says_a_sentence_for_each_part() {
    let Some(chromium) = Chromium::open(Look { language: "de", phone: true, script: false }) else { return };
    let world = World::signed_in(&chromium);
    open(&world, &chromium);
    chromium.click("#meetings-with-guests");
    chromium.click("#save-meetings");
    chromium.see("#notice[data-notice=saved]");
    chromium.click("#test-now");
    chromium.see("#test-result");
    assert_eq!(chromium.evaluate("return document.querySelectorAll('#test-result [data-ok=yes]').length"), 4);
    assert_eq!(chromium.overflow(), 0);
    new_event(&world, &chromium, "Zu zweit");
    chromium.write("#guests", "carol@partner.example");
    save(&chromium);
    link(&chromium);
    assert_eq!(world.in_teams().len(), 1);
}

/// Connects a Microsoft account that can have no meetings; what is told at once, and on an event.
fn without_meetings(look: Look, address: &str, told: &str, on_event: &str) {
    let Some(chromium) = Chromium::open(look) else { return };
    let world = World::signed_in_as(&chromium, address);
    assert!(chromium.text().contains(told), "at the end of the sign-in: {}", chromium.text());
    chromium.go(&world.page("/settings"));
    chromium.read(told);
    new_event(&world, &chromium, "Without");
    chromium.click("#add-teams");
    save(&chromium);
    chromium.see("#state.mirrored");
    chromium.read(on_event);
    assert!(chromium.seen("#join").is_none());
    assert_eq!(world.sim.events(address).len(), 1);
}

#[test]
fn a_personal_account_is_told_as_such() {
    let look = Look { language: "en", phone: true, script: true };
    without_meetings(look, "personal@outlook.example", "personal Microsoft account", "meeting");
}

#[test]
fn an_account_without_a_licence_is_told_as_such() {
    let look = Look { language: "de", phone: false, script: false };
    without_meetings(look, "unlicensed@contoso.example", "Teams-Lizenz", "Besprechung");
}
