//! A gateway before Radicale that has no credential of its own, with a relay between the two.

use crate::client::{Answer, Client};
use crate::gateway::Gateway;
use crate::radicale::{Radicale, Setup};
use crate::relay::{Relay, Which};
use crate::world::{SOON, World, until};
use support::event;

pub struct Alone {
    pub world: World,
    pub radicale: Radicale,
    pub relay: Relay,
    pub gateway: Gateway,
    pub client: Client,
}

/// Whether a request is a PUT.
pub const PUT: Which = |head, _| head.starts_with("PUT ");
/// Whether a request is a PUT of a text with a link.
pub const PUT_WITH_LINK: Which = |head, body| head.starts_with("PUT ") && body.contains("CONFERENCE");

impl Alone {
    /// Alice has signed in, and has a calendar. `None`: skipped, and said so.
    pub fn start() -> Option<Self> {
        Self::with(World::signed_in(), "")
    }

    /// With further lines of the gateway's configuration.
    pub fn with(world: World, lines: &str) -> Option<Self> {
        Self::served(world, lines, "")
    }

    /// With a section about the service.
    pub fn served(world: World, lines: &str, service: &str) -> Option<Self> {
        let mut radicale = Radicale::prepared(&world, Setup { with_adapter: false, ..Setup::default() })?;
        for (file, line) in
            [("users", "service:pw\n"), ("rights", "[service]\nuser: service\ncollection: .*\npermissions: RrWw\n")]
        {
            let path = radicale.dir.path().join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(path, format!("{line}{text}")).unwrap();
        }
        radicale.run();
        let relay = Relay::before(radicale.port);
        let upstream = format!("http://127.0.0.1:{}", relay.port);
        let address = if lines.contains("address =") { "" } else { "address = '{user}@test.tld'\n" };
        let gateway = Gateway::start(&world, &upstream, &format!("{address}{lines}"), service);
        let client = Client::of(&gateway.url());
        let alone = Self { world, radicale, relay, gateway, client };
        alone.calendar("/alice/work/");
        Some(alone)
    }

    pub fn calendar(&self, path: &str) {
        let user = path.split('/').nth(1).unwrap();
        let home = self.client.request("PROPFIND", &format!("/{user}/"), user, &[("depth", "0")], "");
        assert_eq!(home.status, 207, "{}", home.text);
        assert_eq!(self.client.request("MKCALENDAR", path, user, &[], "").status, 201);
    }

    pub fn put(&self, path: &str, text: &str) -> Answer {
        self.put_with(path, text, &[])
    }

    pub fn put_with(&self, path: &str, text: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "text/calendar; charset=utf-8")];
        all.extend_from_slice(headers);
        self.client.request("PUT", path, "alice", &all, text)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.client.request("GET", path, "alice", &[], "")
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.client.request("DELETE", path, "alice", &[], "")
    }

    /// The text stored under a path, as Radicale itself gives it, its lines joined.
    pub fn stored(&self, path: &str) -> String {
        self.radicale.stored(path)
    }

    /// The subjects in Alice's Teams calendar, sorted.
    pub fn subjects(&self) -> Vec<String> {
        let events = self.world.in_teams();
        let mut subjects: Vec<String> = events.iter().map(|e| e["subject"].as_str().unwrap().to_owned()).collect();
        subjects.sort();
        subjects
    }

    /// Waits until these subjects, and no others, stand in Alice's Teams calendar.
    pub fn teams_shows(&self, expected: &[&str]) {
        let shows = until(SOON, || self.subjects() == expected);
        assert!(shows, "{expected:?}, not {:?}\n{}\n{}", self.subjects(), self.gateway.log(), self.world.log_tail());
    }

    /// Whether the link of an event stands in what is stored.
    pub fn holds_link(&self, path: &str, uid: &str) -> bool {
        let link = self.world.settled(uid).str("join_url").to_owned();
        !link.is_empty() && self.stored(path).contains(&link)
    }

    /// Waits until the gateway's log says something.
    pub fn says(&self, sentence: &str) {
        assert!(
            until(SOON, || self.gateway.log().contains(sentence)),
            "`{sentence}` is not in\n{}",
            self.gateway.log()
        );
    }
}

/// An event with a meeting.
pub fn with_teams(uid: &str, subject: &str, lines: &[&str]) -> String {
    event::meeting(uid, subject, &[&["X-TEAMS-MEETING:TRUE"], lines].concat())
}
