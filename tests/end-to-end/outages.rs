//! Microsoft is slow, down, refuses, or loses its answers.

use std::time::{Duration, Instant};

use graph_sim::{AfterDelete, Fault, FaultKind, OtherBody, TransactionMemory};
use support::{Put, event};

use crate::world::World;

#[test]
fn a_save_while_microsoft_is_down_is_answered_and_its_link_offered_later() {
    let world = World::signed_in();
    let mut server = world.server();
    world.sim.pause().unwrap();
    let text = event::meeting("e1", "Planning", &["DESCRIPTION:Mine"]);
    let asked = Instant::now();
    let answer = server.save("e1", &text, &Put::wanted()).unwrap();
    assert!(asked.elapsed() < Duration::from_secs(6), "within the patience");
    assert_eq!((answer.status, answer.str("state")), (202, "pending"), "{}", answer.text);
    assert_eq!(answer.icalendar(), text);
    world.sim.resume().unwrap();
    let written = server.write_back(5).unwrap();
    assert_eq!(written, 1, "offered within five seconds: {}", world.log_tail());
    let status = world.settled("e1");
    assert_eq!(status.str("state"), "mirrored");
    assert!(event::unfolded(&server.stored("e1")).contains(status.str("join_url")));
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(server.write_back(0).unwrap(), 0);
}

#[test]
fn a_service_that_only_fails_is_down_and_is_asked_again_soon_after() {
    let world = World::signed_in();
    let mut server = world.server();
    world.sim.fault(Fault::status(503).on_graph("POST", "/events").always());
    world.sim.fault(Fault::status(503).on_graph("GET", "/events").always());
    let answer = server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    assert_eq!(answer.status, 202, "{}", answer.text);
    let tried = crate::world::until(Duration::from_secs(20), || world.graph().len() >= 4);
    assert!(tried, "an outage is probed");
    let attempts = world.hook.event(crate::world::ALICE, "e1").unwrap().json["attempts"].as_u64().unwrap();
    assert!(attempts <= 1, "the first may be the event's own failure, an outage is not: {attempts}");
    world.sim.clear_faults();
    assert_eq!(server.write_back(5).unwrap(), 1, "{}", world.log_tail());
    assert_eq!(world.in_teams().len(), 1);
}

#[test]
fn a_slow_microsoft_costs_no_more_than_the_patience() {
    let world = World::signed_in();
    let mut server = world.server();
    world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(2_500));
    let put = Put { prefer: Some("wait=1".into()), ..Put::wanted() };
    let asked = Instant::now();
    let answer = server.save("e1", &event::meeting("e1", "Planning", &[]), &put).unwrap();
    assert!(asked.elapsed() < Duration::from_millis(2_000), "{:?}", asked.elapsed());
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(server.write_back(10).unwrap(), 1);
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(world.graph_methods(), ["POST"], "patience aborts nothing");
}

#[test]
fn who_does_not_want_to_wait_does_not() {
    let world = World::signed_in();
    let mut server = world.server();
    world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(1_000));
    let put = Put { prefer: Some("respond-async".into()), ..Put::wanted() };
    let asked = Instant::now();
    let answer = server.save("e1", &event::meeting("e1", "Planning", &[]), &put).unwrap();
    assert!(asked.elapsed() < Duration::from_millis(900), "{:?}", asked.elapsed());
    assert_eq!(answer.status, 202);
    assert_eq!(server.write_back(10).unwrap(), 1);
}

/// The answer of the create is lost after Microsoft did it. Whatever it remembers of transaction ids, and whether or not the
/// user edits before the retry: one remote event, and it is right.
#[test]
fn a_lost_answer_of_a_create_makes_no_second_event() {
    for memory in [TransactionMemory::Forever, TransactionMemory::OneHour, TransactionMemory::None] {
        for other_body in [OtherBody::OldEvent, OtherBody::Refuse] {
            for edited in [false, true] {
                let world = World::signed_in();
                let mut server = world.server();
                world.sim.switches(|switches| {
                    switches.transaction_memory = memory;
                    switches.transaction_other_body = other_body;
                    switches.transaction_after_delete = AfterDelete::DeadId;
                });
                world.sim.fault(Fault::new(FaultKind::DropAfter).on_graph("POST", "/events"));
                let text = event::meeting("e1", "Planning", &[]);
                server.save("e1", &text, &Put::wanted()).unwrap();
                if edited {
                    let next = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:Planning, edited");
                    server.save("e1", &next, &Put::default()).unwrap();
                }
                world.run(&["events", "retry", "alice@test.tld", "e1"]);
                let status = world.reaches("e1", "mirrored");
                let events = world.in_teams();
                let case = format!("{memory:?} {other_body:?} edited: {edited}");
                assert_eq!(events.len(), 1, "{case}");
                let subject = if edited { "Planning, edited" } else { "Planning" };
                assert_eq!(events[0]["subject"], subject, "{case}");
                assert_eq!(events[0]["onlineMeeting"]["joinUrl"], status.str("join_url"), "{case}");
            }
        }
    }
}

#[test]
fn a_lost_answer_of_an_update_or_a_delete_changes_nothing_twice() {
    let world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    world.sim.fault(Fault::new(FaultKind::DropAfter).on_graph("PATCH", "/events"));
    let next = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:Planning, edited");
    server.save("e1", &next, &Put::default()).unwrap();
    world.run(&["events", "retry", "alice@test.tld", "e1"]);
    world.reaches("e1", "mirrored");
    assert_eq!(world.in_teams()[0]["subject"], "Planning, edited");
    world.sim.fault(Fault::new(FaultKind::DropAfter).on_graph("DELETE", "/events"));
    server.delete("e1").unwrap();
    crate::world::until(Duration::from_secs(10), || world.in_teams().is_empty());
    world.run(&["events", "retry", "alice@test.tld", "e1"]);
    assert_eq!(world.settled("e1").status, 204);
}

#[test]
fn throttling_is_obeyed_and_is_no_failure() {
    let world = World::signed_in();
    let mut server = world.server();
    for after in ["1", "0.4", "2.128"] {
        world.sim.clear_requests();
        world.sim.fault(Fault::throttled(after).on_graph("POST", "/events"));
        let uid = format!("e-{after}");
        let answer = server.save(&uid, &event::meeting(&uid, "Planning", &[]), &Put::wanted()).unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text);
        let status = world.reaches(&uid, "mirrored");
        assert_eq!(status.json["attempts"], 0, "a wait is no failed try");
    }
    assert_eq!(world.sim.violations().len(), 0, "{:?}", world.sim.violations());
    assert_eq!(world.in_teams().len(), 3);
}

#[test]
fn whatever_a_broken_service_answers_nothing_is_lost() {
    for fault in [
        Fault::status(500),
        Fault::status(502),
        Fault::status(503),
        Fault::status(504),
        Fault::new(FaultKind::Garbage),
        Fault::new(FaultKind::ErrorInOk),
        Fault::new(FaultKind::HugeBody { bytes: 3_000_000 }),
        Fault::new(FaultKind::DropBefore),
        Fault::new(FaultKind::Redirect { location: "http://127.0.0.1:9/elsewhere".into(), status: 302 }),
    ] {
        let world = World::signed_in();
        let mut server = world.server();
        let kind = format!("{fault:?}");
        world.sim.fault(fault.on_graph("POST", "/events"));
        let answer = server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
        assert_eq!(answer.status, 202, "{kind}: {}", answer.text);
        world.run(&["events", "retry", "alice@test.tld", "e1"]);
        world.reaches("e1", "mirrored");
        assert_eq!(world.in_teams().len(), 1, "{kind}");
    }
}
