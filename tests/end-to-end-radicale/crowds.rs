//! Many at once, while Microsoft takes its time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use graph_sim::{Fault, FaultKind};

use crate::radicale::{Radicale, SOON, with_teams};
use crate::saves::wired;
use crate::world::{World, until};

/// How long another user's PROPFIND may take while others wait for Microsoft.
const UNNOTICED: Duration = Duration::from_millis(200);

#[test]
fn sixteen_waiting_saves_keep_nobody_else_waiting() {
    let Some((world, radicale)) = wired() else { return };
    radicale.calendar("/bob/work/", "bob");
    world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(2_000).always());
    let mut rounds = Vec::new();
    // Whatever else this machine does may cost a round, and not every one.
    for round in 0..3 {
        let slowest = slowest_bystander(&world, &radicale, round);
        rounds.push(slowest);
        // Who did not wait gets the link later, without another save.
        for number in 0..16 {
            radicale.holds_link(&world, &format!("/alice/work/{round}-{number}.ics"), &format!("{round}-{number}"));
        }
        assert_eq!(world.in_teams().len(), 16 * (round + 1));
        assert_eq!(world.graph_methods(), ["POST"; 16]);
        world.sim.clear_requests();
        if slowest < UNNOTICED {
            return;
        }
    }
    panic!("the slowest PROPFIND of each round: {rounds:?}");
}

/// Sixteen saves at once; gives the slowest of the PROPFINDs of another user meanwhile.
fn slowest_bystander(world: &World, radicale: &Radicale, round: usize) -> Duration {
    let saving = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let saves: Vec<_> = (0..16)
            .map(|number| {
                let uid = format!("{round}-{number}");
                scope.spawn(move || {
                    let begun = Instant::now();
                    let saved = radicale.put(&format!("/alice/work/{uid}.ics"), &with_teams(&uid, "Planning", &[]));
                    assert_eq!(saved.status, 201, "{}", saved.text);
                    begun.elapsed()
                })
            })
            .collect();
        let bystander = scope.spawn(|| {
            // From the moment on at which saves wait for Microsoft.
            assert!(until(SOON, || !world.graph().is_empty()));
            let (mut slowest, mut asked) = (Duration::ZERO, 0);
            while saving.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let found = radicale.request("PROPFIND", "/bob/work/", "bob", &[("depth", "1")], "");
                slowest = slowest.max(begun.elapsed());
                assert_eq!(found.status, 207);
                asked += 1;
            }
            assert!(asked > 10, "{asked}");
            eprintln!("the slowest of {asked} PROPFINDs took {slowest:?}");
            slowest
        });
        let waited: Vec<_> = saves.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        saving.store(false, Ordering::Relaxed);
        let waited: Vec<Duration> = waited.into_iter().map(Result::unwrap).collect();
        let waiting = waited.iter().filter(|time| **time > Duration::from_millis(1_900)).count();
        assert!((1..=4).contains(&waiting), "half of max_connections may wait: {waited:?}");
        bystander.join().unwrap()
    })
}

#[test]
fn saves_of_one_event_at_once_end_with_what_is_stored() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put("/alice/work/e1.ics", &with_teams("e1", "Planning", &[]));
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    for round in 0..5 {
        std::thread::scope(|scope| {
            for number in 0..6 {
                let radicale = &radicale;
                scope.spawn(move || {
                    let subject = format!("Round {round} hand {number}");
                    radicale.put("/alice/work/e1.ics", &with_teams("e1", &subject, &[]));
                });
            }
        });
        radicale.told();
        let stored = radicale.stored("/alice/work/e1.ics");
        let subject = stored.lines().find_map(|line| line.strip_prefix("SUMMARY:")).unwrap().to_owned();
        let same = until(SOON, || world.in_teams()[0]["subject"] == subject.as_str());
        assert!(same, "stored `{subject}`, in Teams {}\n{}", world.in_teams()[0]["subject"], radicale.log());
        assert!(until(SOON, || world.settled("e1").str("state") == "mirrored"));
        assert_eq!(world.in_teams()[0]["subject"], subject.as_str());
    }
    assert_eq!(world.in_teams().len(), 1);
}
