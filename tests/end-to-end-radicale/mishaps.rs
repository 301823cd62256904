//! Something in between is down, or is killed.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use graph_sim::{Fault, FaultKind};
use support::event;

use crate::radicale::{Radicale, SOON, Setup, with_teams};
use crate::saves::wired;
use crate::world::{ALICE, World, until};

#[test]
fn what_happens_while_the_shim_is_dead_is_told_when_it_lives() {
    let Some((mut world, radicale)) = wired() else { return };
    radicale.put("/alice/work/changed.ics", &with_teams("changed", "Before", &[]));
    radicale.put("/alice/work/deleted.ics", &with_teams("deleted", "To be deleted", &[]));
    let link = radicale.holds_link(&world, "/alice/work/changed.ics", "changed");
    radicale.holds_link(&world, "/alice/work/deleted.ics", "deleted");
    world.sim.clear_requests();
    world.kill();
    let begun = Instant::now();
    let created = radicale.put("/alice/work/created.ics", &with_teams("created", "Created", &[]));
    assert_eq!(created.status, 201, "{}", created.text);
    let next = event::with_line(&radicale.get("/alice/work/changed.ics").text, "SUMMARY", "SUMMARY:After");
    let notes = radicale.notes().len();
    for number in 0..9 {
        let text = if number < 8 { next.replace("SUMMARY:After", "SUMMARY:In between") } else { next.clone() };
        let changed = radicale.put("/alice/work/changed.ics", &text);
        assert!(matches!(changed.status, 201 | 204));
    }
    assert_eq!(radicale.notes().len(), notes + 1, "one note, however often it is saved");
    assert_eq!(radicale.delete("/alice/work/deleted.ics").status, 200);
    assert!(begun.elapsed() < Duration::from_secs(3), "nobody waits for the dead: {:?}", begun.elapsed());
    assert!(radicale.log().contains("Saves go on without waiting for it"), "{}", radicale.log());
    assert!(!radicale.notes().is_empty());
    world.start();
    radicale.told();
    radicale.holds_link(&world, "/alice/work/created.ics", "created");
    let right = until(SOON, || {
        let mut subjects: Vec<String> =
            world.in_teams().iter().map(|event| event["subject"].as_str().unwrap().to_owned()).collect();
        subjects.sort();
        subjects == ["After", "Created"]
    });
    assert!(right, "{:#?}\n{}", world.in_teams(), radicale.log());
    assert_eq!(world.settled("changed").str("join_url"), link);
    let mut methods = world.graph_methods();
    methods.sort();
    assert_eq!(methods, ["DELETE", "PATCH", "POST"]);
    assert!(radicale.log().contains("answers again"));
}

#[test]
fn notes_outlive_radicale() {
    let Some((mut world, mut radicale)) = wired() else { return };
    world.kill();
    radicale.put("/alice/work/e1.ics", &with_teams("e1", "Planning", &[]));
    radicale.kill();
    assert_eq!(radicale.notes().len(), 1);
    let (_, printed) = radicale.check();
    assert!(printed.contains("notes that wait to be told: 1"), "{printed}");
    world.start();
    radicale.run();
    radicale.told();
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    assert_eq!(world.graph_methods(), ["POST"]);
}

/// Between the adapter and the hook, holding back what is to be held back.
struct Between {
    port: u16,
    forward: std::sync::Arc<std::sync::atomic::AtomicBool>,
    seen: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
}

impl Between {
    /// Lets through what does not contain `held`; what does is read and never answered until `release`.
    fn new(world: &World, held: &'static str) -> Self {
        use std::sync::atomic::{AtomicBool, Ordering};
        use std::sync::{Arc, Mutex};
        let target = world.hook.base().trim_start_matches("http://").to_owned();
        let port = crate::radicale::free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let forward = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (open, lines) = (Arc::clone(&forward), Arc::clone(&seen));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (target, open, lines) = (target.clone(), Arc::clone(&open), Arc::clone(&lines));
                std::thread::spawn(move || {
                    let Ok(server) = std::net::TcpStream::connect(target) else { return };
                    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                    let (mut from, mut to) = (client, server);
                    let mut buffer = [0; 65_536];
                    while let Ok(read) = from.read(&mut buffer) {
                        if read == 0 {
                            break;
                        }
                        let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
                        let line = text.lines().next().unwrap_or_default().to_owned();
                        let hold = line.contains(held) && !open.load(Ordering::Relaxed);
                        lines.lock().unwrap().push(line);
                        if hold || to.write_all(&buffer[..read]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { port, forward, seen }
    }

    fn saw(&self, part: &str) -> bool {
        self.seen.lock().unwrap().iter().any(|line| line.contains(part))
    }

    fn release(&self) {
        self.forward.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    fn setup(&self) -> Setup {
        Setup { adapter: format!("hook = http://127.0.0.1:{}", self.port), ..Setup::default() }
    }
}

#[test]
fn radicale_killed_after_its_store_loses_and_doubles_nothing() {
    let world = World::signed_in();
    let between = Between::new(&world, "/stored ");
    let Some(mut radicale) = Radicale::set_up(&world, between.setup()) else { return };
    radicale.calendar("/alice/work/", "alice");
    std::thread::scope(|scope| {
        let url = radicale.url("/alice/work/e1.ics");
        let save = scope.spawn(move || put_ignoring_the_end(&url, &with_teams("e1", "Planning", &[])));
        let reported = until(SOON, || between.saw("/stored "));
        radicale.kill();
        save.join().unwrap();
        assert!(reported, "{}", radicale.log());
    });
    between.release();
    assert_eq!(radicale.notes().len(), 1, "{}", radicale.log());
    radicale.run();
    radicale.told();
    let link = radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    let status = world.settled("e1");
    assert_eq!((status.str("state"), status.json["unconfirmed"].as_bool()), ("mirrored", Some(false)));
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(world.in_teams()[0]["onlineMeeting"]["joinUrl"], link);
    assert_eq!(world.graph_methods(), ["POST"]);
}

#[test]
fn radicale_killed_before_its_store_leaves_no_meeting() {
    let world = World::signed_in();
    world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(1_500));
    let Some(mut radicale) = Radicale::start(&world) else { return };
    radicale.calendar("/alice/work/", "alice");
    std::thread::scope(|scope| {
        let url = radicale.url("/alice/work/e1.ics");
        let save = scope.spawn(move || put_ignoring_the_end(&url, &with_teams("e1", "Planning", &[])));
        let asked = until(SOON, || !world.graph().is_empty());
        radicale.kill();
        save.join().unwrap();
        assert!(asked, "{}", radicale.log());
    });
    assert!(until(SOON, || world.in_teams().len() == 1), "the meeting is made for nothing");
    radicale.run();
    radicale.told();
    assert_eq!(radicale.get("/alice/work/e1.ics").status, 404);
    assert!(until(SOON, || world.in_teams().is_empty()), "{}\n{}", radicale.log(), world.log_tail());
    // The client saves again: one meeting.
    radicale.put("/alice/work/e1.ics", &with_teams("e1", "Planning", &[]));
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    assert_eq!(world.in_teams().len(), 1);
}

/// A save whose answer never comes.
fn put_ignoring_the_end(url: &str, text: &str) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let request = agent.put(url).header("authorization", "Basic YWxpY2U6cHc=").content_type("text/calendar");
    assert!(request.send(text).is_err(), "it was answered");
}

#[test]
fn a_hook_that_hangs_costs_one_save_its_patience_and_the_others_nothing() {
    let world = World::signed_in();
    let between = Between::new(&world, "/v1/");
    let setup = Setup { adapter: format!("{}\npatience = 1", between.setup().adapter), ..Setup::default() };
    let Some(radicale) = Radicale::set_up(&world, setup) else { return };
    radicale.calendar("/alice/work/", "alice");
    let begun = Instant::now();
    for number in 0..4 {
        let saved =
            radicale.put(&format!("/alice/work/e{number}.ics"), &with_teams(&format!("e{number}"), "Planning", &[]));
        assert_eq!(saved.status, 201);
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "one second in all, connecting included: {:?}", begun.elapsed());
    assert_eq!(radicale.notes().len(), 4);
    between.release();
    radicale.told();
    for number in 0..4 {
        radicale.holds_link(&world, &format!("/alice/work/e{number}.ics"), &format!("e{number}"));
    }
    assert_eq!(world.in_teams().len(), 4);
}

#[test]
fn with_microsoft_down_the_link_comes_within_five_seconds_of_its_return() {
    let Some((world, radicale)) = wired() else { return };
    world.sim.pause().unwrap();
    let begun = Instant::now();
    let saved = radicale.put("/alice/work/e1.ics", &with_teams("e1", "Planning", &["DESCRIPTION:Mine"]));
    assert_eq!(saved.status, 201);
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
    let etag = radicale.get("/alice/work/e1.ics").header("etag").unwrap().to_owned();
    assert!(!radicale.stored("/alice/work/e1.ics").contains("CONFERENCE"));
    world.sim.resume().unwrap();
    let back = Instant::now();
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    assert!(back.elapsed() < Duration::from_secs(5), "{:?}\n{}", back.elapsed(), radicale.log());
    assert!(radicale.stored("/alice/work/e1.ics").contains("DESCRIPTION:Mine"));
    assert_ne!(radicale.get("/alice/work/e1.ics").header("etag").unwrap(), etag, "clients see that it changed");
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(world.settled("e1").str("state"), "mirrored");
}

#[test]
fn a_link_that_comes_late_finds_what_was_saved_meanwhile() {
    let world = World::signed_in();
    let setup = Setup { adapter: "patience = 1".into(), ..Setup::default() };
    let Some(radicale) = Radicale::set_up(&world, setup) else { return };
    radicale.calendar("/alice/work/", "alice");
    world.sim.pause().unwrap();
    radicale.put("/alice/work/e1.ics", &with_teams("e1", "First", &[]));
    // The link is not there yet; the user goes on.
    let stored = radicale.get("/alice/work/e1.ics");
    let next = event::with_line(&stored.text, "SUMMARY", "SUMMARY:Second");
    let saved = radicale.put_as("alice", "/alice/work/e1.ics", &next, &[("if-match", stored.header("etag").unwrap())]);
    assert!(matches!(saved.status, 201 | 204), "{} {}", saved.status, saved.text);
    world.sim.resume().unwrap();
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    assert!(radicale.stored("/alice/work/e1.ics").contains("SUMMARY:Second"));
    assert!(until(SOON, || world.in_teams().first().is_some_and(|event| event["subject"] == "Second")));
    assert_eq!(world.in_teams().len(), 1);
    assert_eq!(world.hook.event(ALICE, "e1").unwrap().json["objects"].as_array().unwrap().len(), 1);
}
