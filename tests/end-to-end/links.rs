//! The meeting block in the body, the link in the text, and what Microsoft does to both.

use graph_sim::{Fault, FaultKind};
use support::{Put, event};

use crate::world::{ALICE_AT_MICROSOFT, World};

/// A saved event with a description.
fn saved(world: &World) -> (support::Server, String) {
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &["DESCRIPTION:First"]), &Put::wanted()).unwrap();
    let link = world.settled("e1").str("join_url").to_owned();
    assert!(!link.is_empty());
    world.sim.clear_requests();
    (server, link)
}

/// Changes the description as a client would, with the link lines left where they are.
fn describe(server: &mut support::Server, from: &str, to: &str) -> support::Answer {
    let stored = event::unfolded_only(&server.stored("e1"));
    let next = stored.replace(&format!("DESCRIPTION:{from}"), &format!("DESCRIPTION:{to}"));
    assert_ne!(next, stored);
    server.save("e1", &next, &Put::default()).unwrap()
}

#[test]
fn a_change_of_the_description_keeps_the_link_in_one_request() {
    let world = World::signed_in();
    let (mut server, link) = saved(&world);
    describe(&mut server, "First", "Second");
    assert_eq!(world.settled("e1").str("join_url"), link);
    let requests = world.graph();
    assert_eq!(requests.len(), 1, "{:?}", world.graph_methods());
    assert_eq!(requests[0].method, "PATCH");
    assert!(requests[0].header("if-match").is_some(), "a body travels with the etag it was read under");
    let body = world.in_teams()[0]["body"]["content"].as_str().unwrap().to_owned();
    assert!(body.contains("Second") && !body.contains("First"), "{body}");
    assert_eq!(world.in_teams()[0]["onlineMeeting"]["joinUrl"], link);
}

#[test]
fn an_etag_that_moved_by_itself_costs_a_read_and_loses_nothing() {
    let world = World::signed_in();
    let (mut server, link) = saved(&world);
    world.sim.fault(Fault::new(FaultKind::Conflict).on_graph("PATCH", "/events"));
    describe(&mut server, "First", "Second");
    assert_eq!(world.reaches("e1", "mirrored").str("join_url"), link);
    assert_eq!(world.graph_methods(), ["PATCH", "GET", "PATCH"]);
    let body = world.in_teams()[0]["body"]["content"].as_str().unwrap().to_owned();
    assert!(body.contains("Second") && !body.contains("First"), "{body}");
    assert_eq!(body.matches("Second").count(), 1, "{body}");
}

#[test]
fn where_a_body_mints_a_new_link_the_new_one_stands_everywhere_and_is_told() {
    let world = World::signed_in();
    let (mut server, link) = saved(&world);
    world.sim.switches(|switches| switches.body_patch_mints_new_link = true);
    describe(&mut server, "First", "Second");
    let status = world.settled("e1");
    let new = status.str("join_url").to_owned();
    assert_ne!(new, link);
    assert_eq!(status.notice_codes(), ["link-changed"], "{}", status.text);
    assert_eq!(world.in_teams()[0]["onlineMeeting"]["joinUrl"], new);
    // The stored text still has the old one; it is offered with the new one.
    assert_eq!(server.write_back(10).unwrap(), 1, "{}", world.log_tail());
    let stored = event::unfolded(&server.stored("e1"));
    assert!(stored.contains(&new) && !stored.contains(&link), "{stored}");
    assert_eq!(server.write_back(0).unwrap(), 0, "what was written back is not offered again");
    assert_eq!(world.graph_methods(), ["PATCH"]);
}

#[test]
fn an_ignored_if_match_is_survived() {
    let world = World::signed_in();
    let (mut server, link) = saved(&world);
    world.sim.switches(|switches| switches.if_match_ignored = true);
    let id = world.in_teams()[0]["id"].as_str().unwrap().to_owned();
    let edited = serde_json::json!({ "subject": "Edited in Outlook" });
    world.sim.edit_in_outlook(ALICE_AT_MICROSOFT, &id, edited.as_object().unwrap()).unwrap();
    describe(&mut server, "First", "Second");
    assert_eq!(world.settled("e1").str("join_url"), link);
    assert_eq!(world.in_teams()[0]["onlineMeeting"]["joinUrl"], link);
}

#[test]
fn a_block_that_a_client_dropped_is_put_in_again() {
    let world = World::signed_in();
    let (mut server, link) = saved(&world);
    let bare = event::meeting("e1", "Planning", &["DESCRIPTION:First"]);
    let answer = server.save("e1", &bare, &Put::default()).unwrap();
    assert_eq!(answer.str("join_url"), link);
    assert!(event::unfolded(&server.stored("e1")).contains(&link));
    world.settled("e1");
    assert_eq!(world.graph_methods(), Vec::<String>::new(), "our own lines are no change of the event");
}

#[test]
fn the_text_outside_our_lines_survives_byte_for_byte() {
    let world = World::signed_in();
    let mut server = world.server();
    let odd = event::meeting(
        "e1",
        "Planning",
        &[
            "X-ODD;X-PARAM=\"a;b,c\":keeps  its   spaces\\, and \\; escapes",
            "ATTACH:https://files.example/a%20b,c;d",
            "ORGANIZER;CN=\"Alice, A.\":mailto:alice@test.tld",
            "DESCRIPTION;LANGUAGE=en:Caf\u{e9} \u{1f600} line one\\nline two which is long enough to be folded by an",
            "  honest client\\nthird",
        ],
    );
    server.save("e1", &odd, &Put::wanted()).unwrap();
    assert_ne!(server.stored("e1"), odd);
    let taken = server.save("e1", &server.stored("e1"), &Put::unwanted()).unwrap();
    assert_eq!(taken.icalendar(), odd);
}

#[test]
fn a_duplicated_event_gets_a_meeting_of_its_own() {
    let world = World::signed_in();
    let (mut server, link) = saved(&world);
    let copy = server.stored("e1").replace("UID:e1", "UID:e2");
    let answer = server.save("e2", &copy, &Put::default()).unwrap();
    assert_eq!(answer.str("state"), "mirrored", "{}", answer.text);
    let own = answer.str("join_url");
    assert_ne!(own, link);
    let stored = event::unfolded(&server.stored("e2"));
    assert!(stored.contains(own) && !stored.contains(&link), "{stored}");
    assert_eq!(world.in_teams().len(), 2);
}

#[test]
fn a_link_of_somebody_else_is_left_alone() {
    let world = World::signed_in();
    let mut server = world.server();
    let theirs = "DESCRIPTION:Join: https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0";
    let text = event::meeting("e1", "Planning", &[theirs]);
    let answer = server.save("e1", &text, &Put::wanted()).unwrap();
    assert_eq!((answer.status, answer.str("state")), (200, "rejected"), "{}", answer.text);
    assert_eq!(answer.str("reason"), "has-a-link");
    assert_eq!(answer.icalendar(), text);
    assert_eq!(world.graph_methods(), Vec::<String>::new());
}

#[test]
fn both_forms_of_join_links_work() {
    let world = World::signed_in();
    world.sim.switches(|switches| switches.join_url_format = graph_sim::JoinUrlFormat::Meet);
    let (mut server, link) = saved(&world);
    assert!(link.contains("/meet/"), "{link}");
    describe(&mut server, "First", "Second");
    assert_eq!(world.settled("e1").str("join_url"), link);
    assert!(event::unfolded(&server.stored("e1")).contains(&link));
}
