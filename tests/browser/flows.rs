//! What people do all day.

use crate::chromium::{Chromium, Look};
use crate::world::{AT_MICROSOFT, World, at_microsoft};

/// From nothing to a meeting and its end.
fn a_meeting_lives(look: Look) {
    let Some(chromium) = Chromium::open(look) else { return };
    let world = World::new();
    chromium.go(&world.page("/settings/teams/open"));
    at_microsoft(&chromium, AT_MICROSOFT);
    chromium.go(&world.page("/"));
    chromium.click("#new");
    chromium.write("#subject", "Planning");
    chromium.click("#add-teams");
    let link = chromium.attribute("#join", "href");
    assert!(link.contains("/l/meetup-join/"), "{link}");
    chromium.click("#save");
    chromium.see("#state.mirrored");
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(chromium.overflow(), 0);
    assert_eq!(chromium.evaluate("return document.documentElement.lang"), look.language);
}

#[test]
fn on_a_desktop() {
    a_meeting_lives(Look::DESKTOP);
}

#[test]
fn on_a_phone_in_german_without_javascript() {
    a_meeting_lives(Look { language: "de", phone: true, script: false });
}
