//! Something in between is down, slow, or is killed.

use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use graph_sim::{Fault, FaultKind};
use serde_json::json;
use support::event;

use crate::sabre::{SOON, Sabre, in_both, with_teams};
use crate::saves::{E1, wired};
use crate::world::{World, until};

#[test]
fn what_happens_while_the_shim_is_dead_is_told_when_it_lives() {
    in_both(|dress| {
        let Some((mut world, sabre)) = wired(dress) else { return };
        let path = |name: &str| format!("/calendars/alice/work/{name}.ics");
        for uid in ["changed", "deleted", "moved"] {
            sabre.put(&path(uid), &with_teams(uid, "Before", &[]));
        }
        let link = sabre.holds_link(&world, &path("changed"), "changed");
        world.sim.clear_requests();
        world.kill();
        let begun = Instant::now();
        assert_eq!(sabre.put(&path("created"), &with_teams("created", "Created", &[])).status, 201, "{}", sabre.log());
        let notes = sabre.notes().len();
        let text = sabre.get(&path("changed")).text;
        for number in 0..6 {
            let next = event::with_line(&text, "SUMMARY", &format!("SUMMARY:After {number}"));
            assert_eq!(sabre.put(&path("changed"), &next).status, 204);
        }
        assert_eq!(sabre.notes().len(), notes + 1, "one note, however often it is saved");
        assert_eq!(sabre.delete(&path("deleted")).status, 204);
        assert_eq!(sabre.to("MOVE", &path("moved"), "/calendars/alice/private/moved.ics").status, 201);
        assert!(begun.elapsed() < Duration::from_secs(4), "nobody waits for the dead: {:?}", begun.elapsed());
        assert!(sabre.log().contains("Saves go on without waiting for it"), "{}", sabre.log());
        let (well, printed) = sabre.work();
        assert!(!well && printed.contains("cannot be reached"), "{printed}");
        world.start();
        sabre.told();
        sabre.gets_link(&world, &path("created"), "created");
        let right = until(SOON, || {
            let events = world.in_teams();
            let mut subjects: Vec<&str> = events.iter().map(|event| event["subject"].as_str().unwrap()).collect();
            subjects.sort_unstable();
            subjects == ["After 5", "Before", "Created"]
        });
        assert!(right, "{:#?}\n{}", world.in_teams(), sabre.log());
        assert_eq!(world.settled("changed").str("join_url"), link);
        assert_eq!(Sabre::objects(&world, "moved"), json!(["calendars/alice/private/moved.ics"]));
        let mut methods = world.graph_methods();
        methods.sort();
        assert_eq!(methods, ["DELETE", "PATCH", "POST"]);
        assert!(sabre.log().contains("answers again"), "{}", sabre.log());
    });
}

/// Without cron, the requests themselves find the time.
#[test]
fn later_requests_tell_what_is_left() {
    in_both(|dress| {
        let mut world = World::signed_in();
        let Some(sabre) = Sabre::with(&world, dress, json!({ "work_after_requests": true })) else { return };
        world.kill();
        assert_eq!(sabre.put(E1, &with_teams("e1", "Planning", &[])).status, 201);
        assert_eq!(sabre.notes().len(), 1);
        world.start();
        let again = || {
            // As if the while had passed after which it is tried again.
            for mark in ["down", "worked"] {
                let file = std::fs::File::options().write(true).open(sabre.dir.path().join("spool").join(mark));
                let _ = file.map(|file| file.set_modified(std::time::SystemTime::UNIX_EPOCH));
            }
            sabre.request("PROPFIND", "/calendars/alice/work", "alice", &[("depth", "0")], "").status == 207
                && sabre.notes().is_empty()
                && sabre.stored(E1).contains("CONFERENCE")
        };
        assert!(until(SOON, again), "{:?}\n{}", sabre.notes(), sabre.log());
        assert_eq!(world.graph_methods(), ["POST"]);
    });
}

#[test]
fn with_microsoft_slow_the_save_goes_through_and_the_link_follows() {
    in_both(|dress| {
        let world = World::signed_in();
        let Some(sabre) = Sabre::with(&world, dress, json!({ "patience": 2 })) else { return };
        world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(3_000));
        let begun = Instant::now();
        let saved = sabre.put(E1, &with_teams("e1", "Planning", &["DESCRIPTION:Mine"]));
        assert_eq!(saved.status, 201);
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert!(!sabre.stored(E1).contains("CONFERENCE"));
        let etag = sabre.get(E1).header("etag").unwrap().to_owned();
        sabre.gets_link(&world, E1, "e1");
        assert!(sabre.stored(E1).contains("DESCRIPTION:Mine"));
        assert_ne!(sabre.get(E1).header("etag").unwrap(), etag, "clients see that it changed");
        assert_eq!(world.in_teams().len(), 1);
        assert_eq!(world.graph_methods(), ["POST"]);
        assert!(sabre.notes().is_empty());
        // What is right stays as it is.
        let etag = sabre.get(E1).header("etag").unwrap().to_owned();
        assert!(sabre.work().1.contains("links_written: 0"));
        assert_eq!(sabre.get(E1).header("etag").unwrap(), etag);
    });
}

#[test]
fn a_link_that_comes_late_finds_what_was_saved_meanwhile() {
    in_both(|dress| {
        let world = World::signed_in();
        let Some(sabre) = Sabre::with(&world, dress, json!({ "patience": 1 })) else { return };
        world.sim.pause().unwrap();
        sabre.put(E1, &with_teams("e1", "First", &[]));
        let stored = sabre.get(E1);
        let next = event::with_line(&stored.text, "SUMMARY", "SUMMARY:Second");
        let saved = sabre.put_as("alice", E1, &next, &[("if-match", stored.header("etag").unwrap())]);
        assert_eq!(saved.status, 204, "{}", saved.text);
        world.sim.resume().unwrap();
        sabre.gets_link(&world, E1, "e1");
        assert!(sabre.stored(E1).contains("SUMMARY:Second"));
        assert!(until(SOON, || world.in_teams().first().is_some_and(|event| event["subject"] == "Second")));
        assert_eq!(world.in_teams().len(), 1);
    });
}

/// PHP dies between the store and the report: the note it left says where to look.
#[test]
fn php_killed_right_after_the_store_loses_nothing() {
    in_both(|dress| {
        let Some((world, mut sabre)) = wired(dress) else { return };
        sabre.set("die", true);
        let died = sabre.try_request(
            "PUT",
            E1,
            "alice",
            &[("content-type", "text/calendar")],
            &with_teams("e1", "Planning", &[]),
        );
        assert!(died.is_err(), "{died:?}");
        sabre.set("die", false);
        sabre.kill();
        sabre.run();
        assert_eq!(sabre.notes().len(), 1);
        sabre.told();
        sabre.gets_link(&world, E1, "e1");
        assert_eq!(world.in_teams().len(), 1);
        assert_eq!(world.graph_methods(), ["POST"]);
        assert_eq!(Sabre::objects(&world, "e1"), json!(["calendars/alice/work/e1.ics"]));
    });
}

#[test]
fn the_server_killed_before_its_store_leaves_no_meeting() {
    in_both(|dress| {
        let Some((world, mut sabre)) = wired(dress) else { return };
        world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(1_500));
        std::thread::scope(|scope| {
            let url = sabre.url(E1);
            let save = scope.spawn(move || {
                let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
                let request =
                    agent.put(&url).header("authorization", "Basic YWxpY2U6cHc=").content_type("text/calendar");
                assert!(request.send(with_teams("e1", "Planning", &[])).is_err(), "it was answered");
            });
            let asked = until(SOON, || !world.graph().is_empty());
            sabre.kill();
            save.join().unwrap();
            assert!(asked, "{}", sabre.log());
        });
        assert!(until(SOON, || world.in_teams().len() == 1), "the meeting is made for nothing");
        sabre.run();
        sabre.told();
        assert_eq!(sabre.get(E1).status, 404);
        assert!(until(SOON, || world.in_teams().is_empty()), "{}\n{}", sabre.log(), world.log_tail());
        assert_eq!(world.graph_methods(), ["POST", "DELETE"]);
    });
}

/// Something listens, and never answers.
#[test]
fn a_hook_that_hangs_costs_one_save_its_patience_and_the_others_nothing() {
    in_both(|dress| {
        let world = World::signed_in();
        let hung = TcpListener::bind("127.0.0.1:0").unwrap();
        let hook = format!("http://{}", hung.local_addr().unwrap());
        let Some(sabre) = Sabre::with(&world, dress, json!({ "hook": hook, "patience": 1 })) else { return };
        let begun = Instant::now();
        for uid in ["e1", "e2", "e3", "e4"] {
            let saved = sabre.put(&format!("/calendars/alice/work/{uid}.ics"), &with_teams(uid, uid, &[]));
            assert_eq!(saved.status, 201, "{}", saved.text);
        }
        assert!(begun.elapsed() < Duration::from_secs(3), "one second in all: {:?}", begun.elapsed());
        assert_eq!(sabre.notes().len(), 4);
        let settings = std::fs::read_to_string(sabre.dir.path().join("plugin.json")).unwrap();
        std::fs::write(sabre.dir.path().join("plugin.json"), settings.replace(&hook, world.hook.base())).unwrap();
        sabre.told();
        for uid in ["e1", "e2", "e3", "e4"] {
            sabre.gets_link(&world, &format!("/calendars/alice/work/{uid}.ics"), uid);
        }
        assert_eq!(world.in_teams().len(), 4);
    });
}

/// The hook API behind a Unix socket, as `listen.hook = "unix:…"` has it.
#[test]
fn the_hook_may_be_a_unix_socket() {
    let world = World::signed_in();
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("hook.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let hook = world.hook.base().trim_start_matches("http://").to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&hook) else { return };
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut from, mut to) = (server, client);
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    let settings = json!({ "hook": format!("unix:{}", socket.display()) });
    let Some(sabre) = Sabre::with(&world, crate::sabre::Dress::Old, settings) else { return };
    sabre.put(E1, &with_teams("e1", "Planning", &[]));
    sabre.holds_link(&world, E1, "e1");
}

/// Two clients save one event in turn, each over what it fetched, while links are written back beside: no edit is lost.
#[test]
fn clients_in_turn_and_late_links_lose_no_edit() {
    in_both(|dress| {
        let world = World::signed_in();
        let Some(sabre) = Sabre::with(&world, dress, json!({ "patience": 1 })) else { return };
        sabre.put(E1, &with_teams("e1", "Planning", &[]));
        let over = AtomicBool::new(false);
        let saved = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    sabre.work();
                }
            });
            // Each adds a line to what is there; a 412 means that it has to look again.
            let add = |number: u32| {
                until(SOON, || {
                    let now = sabre.get(E1);
                    let line = format!("COMMENT:Edit {number}\r\nEND:VEVENT");
                    let etag = now.header("etag").unwrap_or_default().to_owned();
                    let next = now.text.replace("END:VEVENT", &line);
                    sabre.put_as("alice", E1, &next, &[("if-match", &etag)]).status == 204
                })
            };
            let saved = (0..20).all(add);
            over.store(true, Ordering::Relaxed);
            saved
        });
        assert!(saved, "{}", sabre.log());
        let stored = sabre.stored(E1);
        for number in 0..20 {
            assert!(stored.contains(&format!("COMMENT:Edit {number}\r\n")), "{number} is lost:\n{stored}");
        }
        sabre.told();
        sabre.gets_link(&world, E1, "e1");
        assert_eq!(world.in_teams().len(), 1);
    });
}

/// Whatever is wrong with the plugin's own things, saves go through.
#[test]
fn nothing_of_ours_fails_a_save() {
    in_both(|dress| {
        let world = World::signed_in();
        for wrong in [
            json!({ "secret_file": "/nowhere" }),
            json!({ "secret_file": "/etc/hostname" }),
            json!({ "spool": "/proc/no/such/folder" }),
            json!({ "hook": "http://127.0.0.1:1" }),
            json!({ "hook": world.public_url }),
            json!({ "hok": "http://127.0.0.1:1" }),
            json!({ "spool_limit": 0 }),
        ] {
            let Some(sabre) = Sabre::with(&world, dress, wrong.clone()) else { return };
            let saved = sabre.put(E1, &event::meeting("e1", "Planning", &[]));
            assert_eq!((saved.status, saved.header("etag").is_some()), (201, true), "{wrong}: {}", saved.text);
            assert_eq!(sabre.to("COPY", E1, "/calendars/alice/private/e1.ics").status, 201, "{wrong}");
            assert_eq!(sabre.delete(E1).status, 204, "{wrong}");
            assert!(sabre.log().contains("teams-mirror: "), "{wrong}: {}", sabre.log());
        }
    });
}
