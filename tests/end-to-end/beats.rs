//! The two beats under everything that can go wrong between them.

use support::{Put, event};

use crate::world::{ALICE, World};

fn announce(world: &World, change: &str, subject: &str) -> support::Answer {
    let put = Put { change: Some(change.into()), object: Some("/c/e1.ics".into()), ..Put::wanted() };
    world.hook.put(ALICE, "e1", &event::meeting("e1", subject, &[]), &put).unwrap()
}

#[test]
fn a_save_that_nobody_reported_does_not_overtake_a_newer_one() {
    let world = World::with("unconfirmed_after = '4s'").and_alice();
    assert_eq!(announce(&world, "old", "Old").str("change"), "old");
    announce(&world, "new", "New");
    assert_eq!(world.hook.report(ALICE, "e1", "new", "stored").unwrap().status, 200);
    let dropped = crate::world::until(std::time::Duration::from_secs(10), || {
        world.log().contains("a newer one is stored: dropped")
    });
    assert!(dropped, "{}", world.log_tail());
    let late = world.hook.report(ALICE, "e1", "old", "stored").unwrap();
    assert_eq!((late.status, late.str("code")), (409, "change-closed"), "{}", late.text);
    let status = world.settled("e1");
    assert_eq!(status.json["unconfirmed"], false, "{}", status.text);
    assert_eq!(world.in_teams()[0]["subject"], "New");
}

#[test]
fn a_report_is_answered_the_same_again_and_refused_where_it_contradicts() {
    let world = World::signed_in();
    announce(&world, "c1", "Planning");
    let report = |change: &str, result: &str| world.hook.report(ALICE, "e1", change, result).unwrap();
    assert_eq!(report("c1", "stored").status, 200);
    assert_eq!(report("c1", "stored").status, 200);
    let contradiction = report("c1", "refused");
    assert_eq!((contradiction.status, contradiction.str("code")), (409, "change-closed"), "{}", contradiction.text);
    assert_eq!(report("never", "stored").str("code"), "no-such-change");
    let again = announce(&world, "c1", "Planning");
    assert_eq!((again.status, again.str("code")), (409, "change-closed"), "{}", again.text);
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    assert_eq!(world.in_teams().len(), 1);
}

#[test]
fn an_adapter_that_stored_its_own_text_is_offered_the_link() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting("e1", "Planning", &[]);
    let put = Put { object: Some(support::Server::path("e1")), ..Put::wanted() };
    let answer = world.hook.put(ALICE, "e1", &text, &put).unwrap();
    server.objects.insert(support::Server::path("e1"), text);
    let report = world.hook.report(ALICE, "e1", answer.str("change"), "stored-original").unwrap();
    assert_eq!(report.str("state"), "mirrored", "{}", report.text);
    assert_eq!(server.write_back(5).unwrap(), 1);
    assert!(event::unfolded(&server.stored("e1")).contains(answer.str("join_url")));
    assert_eq!(server.write_back(0).unwrap(), 0);
    assert_eq!(world.graph_methods(), ["POST"]);
}

/// Radicale and others store what their library writes, not what they were given.
#[test]
fn a_server_that_rewrites_texts_is_offered_nothing_twice() {
    let world = World::signed_in();
    let mut server = world.server();
    server.keeps_as = event::unfolded_only;
    world.sim.pause().unwrap();
    let text = event::meeting(
        "e1",
        "Planning",
        &["DESCRIPTION:A long text that a client folds at some place of its", "  own liking"],
    );
    let answer = server.save("e1", &text, &Put::wanted()).unwrap();
    assert_eq!(answer.status, 202, "{}", answer.text);
    world.sim.resume().unwrap();
    assert_eq!(server.write_back(10).unwrap(), 1, "{}", world.log_tail());
    let link = world.settled("e1").str("join_url").to_owned();
    assert!(server.stored("e1").contains(&link));
    assert_eq!(server.write_back(0).unwrap(), 0);
    // An edit of the rewritten text keeps the link and is offered nothing either.
    let next = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:Planning, edited");
    server.save("e1", &next, &Put::default()).unwrap();
    world.reaches("e1", "mirrored");
    assert_eq!(server.write_back(0).unwrap(), 0);
    assert_eq!(world.in_teams()[0]["subject"], "Planning, edited");
}

#[test]
fn what_is_rejected_says_why_in_the_answer() {
    let world = World::signed_in();
    let series = event::meeting("e1", "Planning", &["RRULE:FREQ=HOURLY"]);
    let answer = world.hook.put(ALICE, "e1", &series, &Put::wanted()).unwrap();
    assert_eq!(answer.str("state"), "rejected");
    assert!(!answer.str("message").is_empty(), "{}", answer.text);
}

#[test]
fn saves_of_one_event_by_many_clients_make_one_meeting() {
    let world = World::signed_in();
    std::thread::scope(|scope| {
        for n in 0..20 {
            let world = &world;
            scope.spawn(move || {
                let put = Put { object: Some("/c/e1.ics".into()), ..Put::wanted() };
                let text = event::meeting("e1", &format!("Planning {n}"), &[]);
                let answer = world.hook.put(ALICE, "e1", &text, &put).unwrap();
                world.hook.report(ALICE, "e1", answer.str("change"), "stored").unwrap();
            });
        }
    });
    let status = world.reaches("e1", "mirrored");
    let events = world.in_teams();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["onlineMeeting"]["joinUrl"], status.str("join_url"));
    assert_eq!(world.sim.violations().len(), 0);
}

#[test]
fn a_delete_ends_the_saves_that_nobody_reported() {
    let world = World::with("delete_grace = '100ms'").and_alice();
    // A new event whose report was lost, and then the event is gone.
    announce(&world, "c1", "New");
    world.hook.delete(ALICE, "e1", Some("/c/e1.ics")).unwrap();
    assert_eq!(world.settled("e1").status, 204);
    assert_eq!(world.in_teams().len(), 0);
    // A stored event, an edit nobody reported and a draft, and then the event is gone.
    announce(&world, "c2", "Stored");
    world.hook.report(ALICE, "e1", "c2", "stored").unwrap();
    announce(&world, "c3", "Edit");
    let draft = Put { draft: true, ..Put::wanted() };
    world.hook.put(ALICE, "e1", &event::meeting("e1", "Draft", &[]), &draft).unwrap();
    world.hook.delete(ALICE, "e1", Some("/c/e1.ics")).unwrap();
    assert_eq!(world.settled("e1").status, 204);
    assert_eq!(world.in_teams().len(), 0);
    assert_eq!(world.hook.report(ALICE, "e1", "c3", "stored").unwrap().status, 409);
}

#[test]
fn a_draft_still_being_made_is_not_left_behind_by_the_save_under_another_uid() {
    let world = World::signed_in();
    let mut server = world.server();
    world.sim.fault(graph_sim::Fault::new(graph_sim::FaultKind::Delay).on_graph("POST", "/events").delay(1_500));
    let draft = Put { draft: true, prefer: Some("respond-async".into()), ..Put::wanted() };
    world.hook.put(ALICE, "d1", &event::meeting("d1", "Draft", &[]), &draft).unwrap();
    let sent = crate::world::until(std::time::Duration::from_secs(10), || world.graph_methods() == ["POST"]);
    assert!(sent);
    let put = Put { draft_of: Some("d1".into()), ..Put::wanted() };
    server.save("s1", &event::meeting("s1", "Saved", &[]), &put).unwrap();
    world.reaches("s1", "mirrored");
    let draft = world.settled("d1");
    assert_eq!(draft.status, 204, "{}\n{}", draft.text, world.log_tail());
    let subjects: Vec<String> = world.in_teams().iter().map(|e| e["subject"].as_str().unwrap().to_owned()).collect();
    assert_eq!(subjects, ["Saved"]);
}

#[test]
fn a_stored_event_lends_its_meeting_to_nobody() {
    let world = World::signed_in();
    let mut server = world.server();
    let first = server.save("e1", &event::meeting("e1", "First", &[]), &Put::wanted()).unwrap();
    let put = Put { draft_of: Some("e1".into()), ..Put::wanted() };
    let second = server.save("e2", &event::meeting("e2", "Second", &[]), &put).unwrap();
    assert_ne!(second.str("join_url"), first.str("join_url"), "{}", second.text);
    assert!(!event::unfolded(&server.stored("e2")).contains(first.str("join_url")));
    assert_eq!(world.settled("e1").str("join_url"), first.str("join_url"));
    assert_eq!(world.in_teams().len(), 2);
}

#[test]
fn a_good_text_after_a_rejected_one_is_not_called_rejected() {
    let world = World::signed_in();
    let mut server = world.server();
    let good = event::meeting("e1", "Planning", &[]);
    server.save("e1", &good, &Put::wanted()).unwrap();
    let series = event::with_line(&server.stored("e1"), "RRULE", "RRULE:FREQ=HOURLY");
    assert_eq!(server.save("e1", &series, &Put::default()).unwrap().str("state"), "rejected");
    let answer = server.save("e1", &good, &Put::default()).unwrap();
    assert_eq!((answer.str("state"), answer.str("reason")), ("mirrored", ""), "{}", answer.text);
    assert_eq!(world.reaches("e1", "mirrored").str("reason"), "");
}
