//! What people do all day, in both languages, on both sizes, with and without JavaScript.

use crate::chromium::{Chromium, Look};
use crate::world::{ALICE, World};

/// Looks at the page as a person does: its language, and nothing beyond its right edge.
fn glance(chromium: &Chromium) {
    assert_eq!(chromium.evaluate("return document.documentElement.lang"), chromium.look.language);
    assert_eq!(chromium.overflow(), 0, "{} is too wide:\n{}", chromium.address(), chromium.text());
}

/// Opens the form of a new event and writes into it.
pub fn new_event(world: &World, chromium: &Chromium, subject: &str) {
    chromium.go(&world.page("/"));
    glance(chromium);
    chromium.click("#new");
    chromium.write("#subject", subject);
    glance(chromium);
}

/// Saves the form, and waits for the page that says so.
pub fn save(chromium: &Chromium) {
    let before = chromium.evaluate("return performance.timeOrigin");
    chromium.click("#save");
    chromium.wait("the page after the save", || {
        let loaded = chromium.evaluate("return performance.timeOrigin") != before;
        (loaded && chromium.seen(".said").is_some()).then_some(())
    });
    glance(chromium);
}

/// The link the page offers to join by.
pub fn link(chromium: &Chromium) -> String {
    let link = chromium.attribute("#join", "href");
    assert!(link.starts_with("https://teams.microsoft.com/l/meetup-join/"), "{link}");
    link
}

/// From signing in to a meeting, through its life, to its end.
fn a_meeting_lives(look: Look) {
    let Some(chromium) = Chromium::open(look) else { return };
    let world = World::signed_in(&chromium);

    new_event(&world, &chromium, "Never mind");
    chromium.click("#add-teams");
    link(&chromium);
    world.teams_shows(&chromium, "the draft's meeting", |events| events.len() == 1);
    chromium.click("#discard");
    world.teams_shows(&chromium, "nothing", <[_]>::is_empty);

    new_event(&world, &chromium, "Planning");
    chromium.click("#add-teams");
    let joined = link(&chromium);
    glance(&chromium);
    save(&chromium);
    chromium.see("#state.mirrored");
    assert_eq!(link(&chromium), joined, "the draft's meeting is the event's");
    let description = chromium.value("#description");
    assert!(description.contains(&joined), "the link stands in the webmail's own copy: {description}");
    world.teams_shows(&chromium, "the event", |events| events.len() == 1 && events[0]["subject"] == "Planning");

    chromium.write("#subject", "Planning, and more");
    chromium.write("#guests", "carol@partner.example, dave@partner.example");
    chromium.write("#description", &format!("Agenda: rooms; budget\n{description}"));
    save(&chromium);
    assert_eq!(link(&chromium), joined, "a change keeps the link");
    world.teams_shows(&chromium, "the change", |events| {
        let body = events[0]["body"]["content"].as_str().unwrap_or_default();
        events.len() == 1 && events[0]["subject"] == "Planning, and more" && body.contains("Agenda: rooms; budget")
    });
    assert!(world.sim.mails().is_empty(), "Microsoft mails nobody: {:?}", world.sim.mails());

    chromium.go(&world.page("/"));
    chromium.see(".event.cancelled, .event .join");
    glance(&chromium);
    chromium.click(".event h3 a");
    chromium.click("#cancel");
    chromium.see("#reinstate");
    glance(&chromium);
    world.teams_shows(&chromium, "nothing after the cancellation", <[_]>::is_empty);
    chromium.click("#delete");
    chromium.click("#delete-yes");
    chromium.see("#new");
    assert!(chromium.seen(".event").is_none(), "{}", chromium.text());
}

#[test]
fn on_a_desktop() {
    a_meeting_lives(Look { language: "en", phone: false, script: true });
}

#[test]
fn on_a_desktop_without_javascript() {
    a_meeting_lives(Look { language: "en", phone: false, script: false });
}

#[test]
fn on_a_phone_in_german() {
    a_meeting_lives(Look { language: "de", phone: true, script: true });
}

#[test]
fn on_a_phone_in_german_without_javascript() {
    a_meeting_lives(Look { language: "de", phone: true, script: false });
}

#[test]
fn teams_is_added_later_and_taken_away() {
    let Some(chromium) = Chromium::open(Look { language: "en", phone: true, script: false }) else { return };
    let world = World::signed_in(&chromium);
    new_event(&world, &chromium, "Quiet");
    chromium.write("#description", "By ourselves.");
    save(&chromium);
    assert!(chromium.seen("#state").is_none(), "{}", chromium.text());
    assert_eq!(world.in_teams().len(), 0);

    chromium.click("#add-teams");
    let joined = link(&chromium);
    save(&chromium);
    chromium.see("#state.mirrored");
    world.teams_shows(&chromium, "the event", |events| events.len() == 1 && events[0]["subject"] == "Quiet");
    assert!(chromium.value("#description").contains(&joined));

    chromium.click("#remove-teams");
    chromium.see("#add-teams");
    world.teams_shows(&chromium, "nothing", <[_]>::is_empty);
    assert_eq!(chromium.value("#description"), "By ourselves.");
    assert!(world.shim().hook.event(ALICE, "x").is_ok());
}

#[test]
fn a_double_click_makes_one_event_and_one_meeting() {
    let Some(chromium) = Chromium::open(Look::DESKTOP) else { return };
    let world = World::signed_in(&chromium);
    new_event(&world, &chromium, "Twice");
    chromium.double_click("#add-teams");
    link(&chromium);
    chromium.double_click("#save");
    chromium.see("#state.mirrored");
    chromium.go(&world.page("/"));
    chromium.see(".event .join");
    assert_eq!(chromium.evaluate("return document.querySelectorAll('.event').length"), 1);
    assert_eq!(world.in_teams().len(), 1);
    let posts = world.sim.requests_to(graph_sim::Service::Graph).iter().filter(|r| r.method == "POST").count();
    assert_eq!(posts, 1);
}

#[test]
fn what_is_not_understood_is_said_and_what_was_typed_stays() {
    let Some(chromium) = Chromium::open(Look { language: "de", phone: true, script: false }) else { return };
    let world = World::new();
    new_event(&world, &chromium, "Planung");
    chromium.write("#guests", "carol@partner.example, dave");
    // Enter saves, whatever buttons there are.
    chromium.press_enter("#subject");
    chromium.read("„dave“ ist keine Mailadresse");
    assert_eq!(chromium.value("#subject"), "Planung");
    assert_eq!(chromium.value("#guests"), "carol@partner.example, dave");
    glance(&chromium);
    chromium.write("#guests", "carol@partner.example");
    save(&chromium);
    assert_eq!(chromium.value("#guests"), "carol@partner.example");
}
