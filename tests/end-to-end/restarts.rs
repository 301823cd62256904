//! Killed at any time, started again, nothing is lost and nothing doubled.

use graph_sim::{Fault, FaultKind};
use support::{Put, event};

use crate::world::{SOON, World, until};

#[test]
fn killed_between_accepting_and_mirroring_it_goes_on() {
    let mut world = World::signed_in();
    let mut server = world.server();
    world.sim.pause().unwrap();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    world.kill();
    world.sim.resume().unwrap();
    world.start();
    world.reaches("e1", "mirrored");
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(server.write_back(5).unwrap(), 1);
}

#[test]
fn killed_while_the_create_is_on_its_way_it_makes_one_event() {
    let mut world = World::signed_in();
    let mut server = world.server();
    // Microsoft does it, and takes its time to say so.
    world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(3_000).after_commit());
    let put = Put { prefer: Some("respond-async".into()), ..Put::wanted() };
    server.save("e1", &event::meeting("e1", "Planning", &[]), &put).unwrap();
    let sent = crate::world::until(std::time::Duration::from_secs(10), || world.graph_methods() == ["POST"]);
    assert!(sent);
    world.kill();
    world.start();
    world.reaches("e1", "mirrored");
    assert_eq!(world.in_teams().len(), 1, "{:?}", world.graph_methods());
}

#[test]
fn killed_before_a_save_was_reported_it_is_taken_up() {
    let mut world = World::with("unconfirmed_after = '1s'").and_alice();
    let text = event::meeting("e1", "Planning", &[]);
    let answer = world.hook.put(crate::world::ALICE, "e1", &text, &Put::wanted()).unwrap();
    world.kill();
    world.start();
    let report = world.hook.report(crate::world::ALICE, "e1", answer.str("change"), "stored").unwrap();
    assert_eq!(report.status, 200, "{}", report.text);
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    assert_eq!(world.in_teams().len(), 1);
}

#[test]
fn told_to_stop_it_stops_and_forgets_nothing() {
    let mut world = World::signed_in();
    let mut server = world.server();
    server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap();
    let next = event::with_line(&server.stored("e1"), "SUMMARY", "SUMMARY:Planning, edited");
    server.save("e1", &next, &Put::default()).unwrap();
    world.stop();
    world.start();
    world.reaches("e1", "mirrored");
    assert_eq!(world.in_teams()[0]["subject"], "Planning, edited");
    assert_eq!(world.in_teams().len(), 1);
}

#[test]
fn told_to_stop_it_answers_who_waits_for_changes() {
    let mut world = World::new();
    let hook = world.hook.clone();
    let reader = std::thread::spawn(move || hook.changes("", 60));
    assert!(until(SOON, || world.log().contains("a reader waits for changes")), "{}", world.log_tail());
    world.stop();
    let answer = reader.join().unwrap().unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json["changes"].as_array().map(Vec::len), Some(0), "{}", answer.text);
}

#[test]
fn a_second_one_on_the_same_store_refuses_to_start() {
    let world = World::new();
    let (ok, said) = world.try_run(&["serve"]);
    assert!(!ok);
    assert!(said.contains("is in use"), "{said}");
}

/// A backup from before the event existed is restored: the event is found by its tag, not made a second time.
#[test]
fn a_restored_store_makes_no_second_event() {
    let mut world = World::signed_in();
    let mut server = world.server();
    world.stop();
    let store = world.state().join("store.sqlite");
    let backup = std::fs::read(&store).unwrap();
    world.start();
    let text = event::meeting("e1", "Planning", &[]);
    server.save("e1", &text, &Put::wanted()).unwrap();
    let link = world.settled("e1").str("join_url").to_owned();
    world.stop();
    for leftover in ["store.sqlite-wal", "store.sqlite-shm"] {
        let _ = std::fs::remove_file(world.state().join(leftover));
    }
    std::fs::write(&store, backup).unwrap();
    world.start();
    let answer = server.save("e1", &server.stored("e1"), &Put::wanted()).unwrap();
    assert_eq!(answer.str("join_url"), link, "{}\n{}", answer.text, world.log_tail());
    assert_eq!(world.in_teams().len(), 1);
}
