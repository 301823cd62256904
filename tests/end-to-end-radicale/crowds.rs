//! Many at once, while Microsoft takes its time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use graph_sim::{Fault, FaultKind};

use crate::radicale::{Radicale, SOON, Setup, with_teams};
use crate::saves::wired;
use crate::world::until;

/// How long another user's PROPFIND may take while others wait for Microsoft.
const UNNOTICED: Duration = Duration::from_millis(200);
/// How long Microsoft takes. A PROPFIND that waits for a save takes about as long.
const SLOW: Duration = Duration::from_secs(2);

#[test]
fn sixteen_waiting_saves_keep_nobody_else_waiting() {
    let Some((world, radicale)) = wired() else { return };
    let plain = Setup { with_adapter: false, ..Setup::default() };
    let Some(alone) = Radicale::set_up(&world, plain) else { return };
    alone.calendar("/alice/work/", "alice");
    for radicale in [&radicale, &alone] {
        radicale.calendar("/bob/work/", "bob");
    }
    let delay = u64::try_from(SLOW.as_millis()).unwrap();
    world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(delay).always());
    let mut rounds = Vec::new();
    // On a machine that is busy otherwise the same crowd at Radicale alone is the measure; a save in the way is far above it.
    for round in 0..3 {
        let slowest = slowest_bystander(&radicale, round, || !world.graph().is_empty());
        let at_radicale_alone = slowest_bystander(&alone, round, || true);
        rounds.push((slowest, at_radicale_alone));
        // Who did not wait gets the link later, without another save.
        for number in 0..16 {
            radicale.holds_link(&world, &format!("/alice/work/{round}-{number}.ics"), &format!("{round}-{number}"));
        }
        assert_eq!(world.in_teams().len(), 16 * (round + 1));
        assert_eq!(world.graph_methods(), ["POST"; 16]);
        world.sim.clear_requests();
        if slowest < UNNOTICED.max(at_radicale_alone * 3).min(SLOW / 2) {
            eprintln!("the slowest PROPFIND, with us and at Radicale alone: {rounds:?}");
            return;
        }
    }
    panic!("the slowest PROPFIND, with us and at Radicale alone: {rounds:?}");
}

/// Sixteen saves at once; gives the slowest of the PROPFINDs of another user, from a moment on until all are answered.
fn slowest_bystander(radicale: &Radicale, round: usize, from: impl Fn() -> bool + Send) -> Duration {
    let saving = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let saves: Vec<_> = (0..16)
            .map(|number| {
                let uid = format!("{round}-{number}");
                scope.spawn(move || {
                    let saved = radicale.put(&format!("/alice/work/{uid}.ics"), &with_teams(&uid, "Planning", &[]));
                    assert_eq!(saved.status, 201, "{}", saved.text);
                })
            })
            .collect();
        let bystander = scope.spawn(|| {
            assert!(until(SOON, from));
            let mut slowest = Duration::ZERO;
            while saving.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let found = radicale.request("PROPFIND", "/bob/work/", "bob", &[("depth", "1")], "");
                slowest = slowest.max(begun.elapsed());
                assert_eq!(found.status, 207);
            }
            slowest
        });
        let saved: Vec<_> = saves.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        saving.store(false, Ordering::Relaxed);
        saved.into_iter().for_each(Result::unwrap);
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
