//! The calendar servers people run, each started for a test and wired to a world: by its adapter, or by the gateway before it.

mod cyrus;
mod debian;
mod login;
mod mails;
mod xandikos;

use support::event;

use crate::client::{Answer, Client, REMOTE_USER};
use crate::gateway::Gateway;
use crate::radicale::{Radicale, Setup};
use crate::world::{ALICE, SOON, World, until};

use cyrus::Cyrus;
pub use mails::{Mail, Mails};
use xandikos::Xandikos;

/// A server, and what stands between it and its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    RadicaleByAdapter,
    RadicaleByGateway,
    XandikosByGateway,
    CyrusByGateway,
}

impl Kind {
    pub const ALL: [Self; 4] =
        [Self::RadicaleByAdapter, Self::RadicaleByGateway, Self::XandikosByGateway, Self::CyrusByGateway];

    pub fn name(self) -> &'static str {
        match self {
            Self::RadicaleByAdapter => "Radicale by adapter",
            Self::RadicaleByGateway => "Radicale by gateway",
            Self::XandikosByGateway => "Xandikos by gateway",
            Self::CyrusByGateway => "Cyrus by gateway",
        }
    }

    pub fn is_radicale(self) -> bool {
        matches!(self, Self::RadicaleByAdapter | Self::RadicaleByGateway)
    }

    /// Whether it sends invitations.
    pub fn schedules(self) -> bool {
        !self.is_radicale()
    }

    /// What a DELETE that went well is answered with.
    pub fn deleted(self) -> u16 {
        if self.is_radicale() { 200 } else { 204 }
    }

    /// The collection of a user's calendars.
    pub fn home(self, user: &str) -> String {
        match self {
            Self::RadicaleByAdapter | Self::RadicaleByGateway => format!("/{user}/"),
            Self::XandikosByGateway => format!("/{user}/calendars/"),
            Self::CyrusByGateway => cyrus::home(user),
        }
    }

    /// Where Alice's calendar stands for the secretary.
    pub fn shared(self, calendar: &str) -> String {
        match self {
            Self::CyrusByGateway => cyrus::shared("alice", calendar, "secretary"),
            _ => format!("{}{calendar}/", self.home("alice")),
        }
    }
}

enum Running {
    Radicale(Radicale),
    Xandikos(Xandikos),
    Cyrus(Cyrus),
}

/// A world, a server in it, and the way its users reach it.
pub struct Site {
    pub kind: Kind,
    pub world: World,
    pub mails: Mails,
    server: Running,
    pub gateway: Option<Gateway>,
    /// As users do.
    pub client: Client,
    /// Past whatever stands between.
    pub direct: Client,
}

const USERS: [&str; 3] = ["alice", "bob", "secretary"];

impl Site {
    /// Alice has signed in. `None`: skipped, and said so.
    pub fn start(kind: Kind) -> Option<Self> {
        Self::with(kind, World::signed_in(), "")
    }

    /// In this world, with further lines of the gateway's configuration.
    pub fn with(kind: Kind, world: World, lines: &str) -> Option<Self> {
        let mails = Mails::start();
        let (server, port) = match kind {
            Kind::RadicaleByAdapter | Kind::RadicaleByGateway => {
                let radicale = radicale(&world, kind)?;
                let port = radicale.port;
                (Running::Radicale(radicale), port)
            }
            Kind::XandikosByGateway => {
                let xandikos = Xandikos::start(&mails, &USERS)?;
                let port = xandikos.port;
                (Running::Xandikos(xandikos), port)
            }
            Kind::CyrusByGateway => {
                let cyrus = Cyrus::start(&mails, &USERS)?;
                let port = cyrus.port;
                (Running::Cyrus(cyrus), port)
            }
        };
        let upstream = format!("http://127.0.0.1:{port}");
        let gateway = (kind != Kind::RadicaleByAdapter).then(|| {
            let (more, service) = match kind {
                Kind::XandikosByGateway => {
                    ("credential_headers = ['X-Remote-User']\n", "[service]\nremote_user_header = 'X-Remote-User'\n")
                }
                Kind::CyrusByGateway => ("", "[service]\nuser = 'admin'\npassword_file = '{password_file}'\n"),
                // Radicale knows no addresses.
                _ => (
                    "address = '{user}@test.tld'\n",
                    "[service]\nuser = 'service'\npassword_file = '{password_file}'\n",
                ),
            };
            Gateway::start(&world, &upstream, &format!("{more}{lines}"), service)
        });
        let base = gateway.as_ref().map_or_else(|| upstream.clone(), Gateway::url);
        let client = |base: &str| match kind {
            Kind::XandikosByGateway => Client::of(base).named_by(REMOTE_USER),
            _ => Client::of(base),
        };
        let (client, direct) = (client(&base), client(&upstream));
        Some(Self { kind, world, mails, server, gateway, client, direct })
    }

    /// Makes a calendar of Alice's, which the secretary may write where the server knows of such; gives its path.
    pub fn calendar(&self, name: &str) -> String {
        let path = format!("{}{name}/", self.kind.home("alice"));
        let made = self.request("MKCALENDAR", &path, &[], "");
        assert_eq!(made.status, 201, "{}", made.text);
        if let Running::Cyrus(cyrus) = &self.server {
            for user in ["secretary", cyrus::ADMIN] {
                cyrus.share("alice", name, user);
            }
        }
        path
    }

    pub fn request_as(&self, user: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.client.request(method, path, user, headers, body)
    }

    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.request_as("alice", method, path, headers, body)
    }

    pub fn put_with(&self, path: &str, text: &str, headers: &[(&str, &str)]) -> Answer {
        self.put_as("alice", path, text, headers)
    }

    pub fn put_as(&self, user: &str, path: &str, text: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "text/calendar; charset=utf-8")];
        all.extend_from_slice(headers);
        self.request_as(user, "PUT", path, &all, text)
    }

    pub fn put(&self, path: &str, text: &str) -> Answer {
        self.put_with(path, text, &[])
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "")
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path, &[], "")
    }

    /// MOVE or COPY.
    pub fn to(&self, method: &str, from: &str, to: &str) -> Answer {
        self.request(method, from, &[("destination", &self.client.url(to))], "")
    }

    /// The text stored under a path, as the server itself gives it, its lines joined.
    pub fn stored(&self, path: &str) -> String {
        let answer = self.direct.request("GET", path, "alice", &[], "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        event::unfolded(&answer.text)
    }

    pub fn is_stored(&self, path: &str) -> bool {
        self.direct.request("GET", path, "alice", &[], "").status == 200
    }

    /// The link of an event, which is in what is stored.
    pub fn link(&self, path: &str, uid: &str) -> String {
        let mut link = String::new();
        let holds = until(SOON, || {
            self.world.hook.event(ALICE, uid).unwrap().str("join_url").clone_into(&mut link);
            !link.is_empty() && self.stored(path).contains(&link)
        });
        assert!(holds, "`{link}` is not in\n{}\n{}\n{}", self.stored(path), self.log(), self.world.log_tail());
        link
    }

    /// Waits until all is told, and an event is as it will stay.
    pub fn settled(&self, uid: &str) -> support::Answer {
        self.told();
        self.world.settled(uid)
    }

    /// Waits until nothing is left to tell.
    pub fn told(&self) {
        match (&self.gateway, &self.server) {
            (Some(gateway), _) => gateway.told(),
            (None, Running::Radicale(radicale)) => radicale.told(),
            (None, _) => unreachable!("only Radicale has an adapter"),
        }
    }

    pub fn kill_server(&mut self) {
        match &mut self.server {
            Running::Radicale(radicale) => radicale.kill(),
            Running::Xandikos(xandikos) => xandikos.kill(),
            Running::Cyrus(cyrus) => cyrus.kill(),
        }
    }

    pub fn start_server(&mut self) {
        match &mut self.server {
            Running::Radicale(radicale) => radicale.run(),
            Running::Xandikos(xandikos) => xandikos.run(),
            Running::Cyrus(cyrus) => cyrus.run(),
        }
    }

    /// Radicale's folder with all that it stores.
    pub fn storage(&self) -> std::path::PathBuf {
        match &self.server {
            Running::Radicale(radicale) => radicale.dir.path().join("store"),
            _ => unreachable!("only Radicale's is copied"),
        }
    }

    /// The end of what server and gateway wrote.
    pub fn log(&self) -> String {
        let server = match &self.server {
            Running::Radicale(radicale) => radicale.log(),
            Running::Xandikos(xandikos) => xandikos.log(),
            Running::Cyrus(cyrus) => cyrus.log(),
        };
        let gateway = self.gateway.as_ref().map(Gateway::log).unwrap_or_default();
        let tail = |log: &str| {
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(25)..].join("\n")
        };
        format!("--- server ---\n{}\n--- gateway ---\n{}", tail(&server), tail(&gateway))
    }
}

/// With a service account beside the users of the adapter's suite.
fn radicale(world: &World, kind: Kind) -> Option<Radicale> {
    let with_adapter = kind == Kind::RadicaleByAdapter;
    let mut radicale = Radicale::prepared(world, Setup { with_adapter, ..Setup::default() })?;
    for (file, line) in
        [("users", "service:pw\n"), ("rights", "[service]\nuser: service\ncollection: .*\npermissions: RrWw\n")]
    {
        let path = radicale.dir.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        // The first rule that fits counts.
        std::fs::write(path, format!("{line}{text}")).unwrap();
    }
    radicale.run();
    for user in USERS {
        let home = radicale.request("PROPFIND", &format!("/{user}/"), user, &[("depth", "0")], "");
        assert_eq!(home.status, 207, "{}", home.text);
    }
    Some(radicale)
}
