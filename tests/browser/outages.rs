//! When something is down: nothing is lost, and everything is said.

use crate::chromium::{Chromium, Look};
use crate::flows::{link, new_event, save};
use crate::world::{AT_MICROSOFT, World};

#[test]
fn without_teams_mirror_events_are_saved_and_told_later() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::signed_in(&chromium);
    world.wire.cut();
    new_event(&world, &chromium, "In the dark");
    chromium.read("does not answer just now");
    chromium.click("#add-teams");
    chromium.read("the meeting follows");
    save(&chromium);
    chromium.read("Saved. Teams could not be told just now");
    chromium.see("#state.pending");
    world.wire.mend();
    // The open page takes the news by itself.
    chromium.see("#state.mirrored");
    let joined = link(&chromium);
    world.teams_shows(&chromium, "the event", |events| events.len() == 1 && events[0]["subject"] == "In the dark");
    chromium.reload();
    assert!(chromium.value("#description").contains(&joined));
}

#[test]
fn without_microsoft_an_event_is_saved_at_once_and_gets_its_link_later() {
    let Some(chromium) = Chromium::open(Look { language: "de", phone: true, script: false }) else { return };
    let world = World::signed_in(&chromium);
    world.sim.pause().unwrap();
    new_event(&world, &chromium, "Später");
    chromium.click("#add-teams");
    chromium.read("Teams ist gewünscht");
    save(&chromium);
    chromium.see("#state.pending");
    world.sim.resume().unwrap();
    chromium.go(&world.page("/"));
    // The list looks again by itself, without a script.
    chromium.see(".event .state.mirrored");
    chromium.see(".event .join");
    assert_eq!(world.in_teams().len(), 1);
}

#[test]
fn a_revoked_sign_in_is_mended_in_one_click_and_the_waiting_event_gets_its_link() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::signed_in(&chromium);
    world.sim.revoke(AT_MICROSOFT);
    world.sim.expire_access_tokens(AT_MICROSOFT);
    new_event(&world, &chromium, "Waiting");
    chromium.click("#add-teams");
    save(&chromium);
    chromium.see("#state.sign-in-needed");
    assert_eq!(world.in_teams().len(), 0);
    let here = chromium.window();
    chromium.click(".notice a");
    chromium.follow_new_window(std::slice::from_ref(&here));
    chromium.read("connected");
    chromium.close_and_look_at(&here);
    // The page that was left open takes the news by itself.
    chromium.see("#state.mirrored");
    link(&chromium);
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(world.account().str("button"), "ready");
}
