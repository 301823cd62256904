//! The shim, the gateway and Microsoft die in turn while a client goes on: it sees no error, nothing it saved is lost, and in the
//! end everything is as it should be.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use support::event;

use crate::client::Client;
use crate::radicale::with_teams;
use crate::random::Random;
use crate::servers::{Kind, Site};
use crate::world::{SOON, until};

/// Who is away.
#[derive(Default)]
struct Away {
    shim: bool,
    microsoft: bool,
}

/// One client, and what it was told is stored: the subject by path.
struct Session {
    client: Client,
    calendar: String,
    saved: BTreeMap<String, String>,
    number: usize,
}

impl Session {
    /// One request; comes again while nobody accepts its connection, as clients do. Whether an earlier one may have been taken.
    fn patiently(&self, method: &str, path: &str, body: &str) -> (u16, bool) {
        let begun = Instant::now();
        let mut again = false;
        loop {
            let headers = [("content-type", "text/calendar; charset=utf-8")];
            match self.client.try_request(method, path, "alice", &headers, body) {
                // Xandikos takes one write at a time: the one that was cut off is still on its way.
                Ok(answer) if again && answer.status == 423 => assert!(begun.elapsed() < SOON, "{method} {path}"),
                Ok(answer) => return (answer.status, again),
                Err(error) => assert!(begun.elapsed() < SOON, "{method} {path}: {error}"),
            }
            again = true;
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Creates, changes or deletes.
    fn step(&mut self, random: &mut Random) {
        self.number += 1;
        let subject = format!("Edit {}", self.number);
        let paths: Vec<String> = self.saved.keys().cloned().collect();
        let choice = random.below(10);
        if paths.is_empty() || (choice < 3 && paths.len() < 8) {
            let uid = format!("m{}", self.number);
            let path = format!("{}{uid}.ics", self.calendar);
            let (status, _) = self.patiently("PUT", &path, &with_teams(&uid, &subject, &[]));
            assert!(matches!(status, 201 | 204), "{path}: {status}");
            self.saved.insert(path, subject);
            return;
        }
        let path = paths[random.below(paths.len())].clone();
        if choice == 9 {
            let (status, again) = self.patiently("DELETE", &path, "");
            assert!(matches!(status, 200 | 204) || (again && status == 404), "{path}: {status}");
            self.saved.remove(&path);
            return;
        }
        let begun = Instant::now();
        let stored = loop {
            match self.client.try_request("GET", &path, "alice", &[], "") {
                Ok(answer) => break answer,
                Err(error) => assert!(begun.elapsed() < SOON, "GET {path}: {error}"),
            }
            std::thread::park_timeout(Duration::from_millis(20));
        };
        assert_eq!(stored.status, 200, "{path}: {}", stored.text);
        let text = event::unfolded(&stored.text);
        assert!(text.contains(&format!("SUMMARY:{}\r\n", self.saved[&path])), "{path}: an edit is lost\n{text}");
        let next = event::with_line(&stored.text, "SUMMARY", &format!("SUMMARY:{subject}"));
        let (status, _) = self.patiently("PUT", &path, &next);
        assert!(matches!(status, 201 | 204), "{path}: {status}");
        self.saved.insert(path, subject);
    }
}

fn session(kind: Kind, mut random: Random, patience: Duration) {
    let Some(mut site) = Site::with(kind, crate::world::World::signed_in(), "patience = '1s'") else { return };
    let calendar = site.calendar("work");
    let mut session = Session { client: site.client.clone(), calendar, saved: BTreeMap::new(), number: 0 };
    let mut away = Away::default();
    let begun = Instant::now();
    let mut turns = 0;
    while begun.elapsed() < patience || turns < 3 {
        // Each of them in turn, at some moment of what the client does.
        let moment = Duration::from_millis(u64::try_from(random.below(60)).unwrap());
        std::thread::scope(|scope| {
            let mut steps = Random::seeded(u64::try_from(random.below(1 << 30)).unwrap());
            let session = &mut session;
            let client = scope.spawn(move || (0..4).for_each(|_| session.step(&mut steps)));
            std::thread::park_timeout(moment);
            match turns % 3 {
                0 if away.shim => site.world.start(),
                0 => site.world.kill(),
                1 => {
                    let gateway = site.gateway.as_mut().unwrap();
                    gateway.kill();
                    gateway.run();
                }
                _ if away.microsoft => site.world.sim.resume().unwrap(),
                _ => site.world.sim.pause().unwrap(),
            }
            client.join().unwrap();
        });
        match turns % 3 {
            0 => away.shim = !away.shim,
            2 => away.microsoft = !away.microsoft,
            _ => {}
        }
        turns += 1;
    }
    if away.microsoft {
        site.world.sim.resume().unwrap();
    }
    if away.shim {
        site.world.start();
    }
    println!("{}: {turns} mishaps, {} edits", kind.name(), session.number);
    converges(&site, &session.saved);
}

/// What was saved is stored, is what Teams shows, and holds the link of what Teams shows.
fn converges(site: &Site, saved: &BTreeMap<String, String>) {
    for (path, subject) in saved {
        assert!(site.stored(path).contains(&format!("SUMMARY:{subject}\r\n")), "{path}\n{}", site.stored(path));
    }
    site.told();
    let mut expected: Vec<&String> = saved.values().collect();
    expected.sort();
    let shown = || {
        let mut shown: Vec<String> =
            site.world.in_teams().iter().map(|event| event["subject"].as_str().unwrap().to_owned()).collect();
        shown.sort();
        shown
    };
    let same = until(SOON, || shown().iter().eq(expected.iter().copied()));
    assert!(same, "saved {expected:?}, in Teams {:?}\n{}\n{}", shown(), site.log(), site.world.log_tail());
    for (path, subject) in saved {
        let uid = path.rsplit('/').next().unwrap().trim_end_matches(".ics");
        let link = site.link(path, uid);
        let events = site.world.in_teams();
        let shown = events.iter().find(|event| event["subject"] == subject.as_str()).unwrap();
        assert_eq!(shown["onlineMeeting"]["joinUrl"], link.as_str(), "{path}");
    }
}

const EACH: Duration = Duration::from_secs(4);

fn sessions(kind: Kind) {
    session(kind, Random::seeded(3), EACH);
    session(kind, Random::of_this_run(kind.name()), EACH);
}

#[test]
fn killed_in_turn_nobody_takes_an_edit_along_with_radicale() {
    sessions(Kind::RadicaleByGateway);
}

#[test]
fn killed_in_turn_nobody_takes_an_edit_along_with_xandikos() {
    sessions(Kind::XandikosByGateway);
}

#[test]
fn killed_in_turn_nobody_takes_an_edit_along_with_cyrus() {
    sessions(Kind::CyrusByGateway);
}
