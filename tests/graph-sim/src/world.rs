//! Everything the simulated services know, behind one lock that is never held across a wait.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use chrono::{DateTime, Utc};

use crate::clock::{Clock, plain_instant};
use crate::directory::{self, App, Tenant, User};
use crate::entra::store::{Code, PendingSignIn, RefreshToken};
use crate::faults::Fault;
use crate::graph::mailbox::Mailbox;
use crate::records::{Mail, PageShown, RequestRecord, Violation};
use crate::rng::Rng;
use crate::switches::Switches;

/// An access token that was issued.
#[derive(Debug, Clone)]
pub(crate) struct AccessToken {
    pub app: String,
    /// `None` for an application's own token.
    pub user: Option<String>,
    pub tenant: String,
    pub scopes: BTreeSet<String>,
    pub expires: DateTime<Utc>,
    /// The client declared that it understands claims challenges.
    pub continuous: bool,
}

/// An application's traffic with a mailbox, or with the token endpoint.
pub(crate) type TrafficKey = (String, String);

#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub in_flight: u32,
    pub most_in_flight: u32,
    pub arrivals: VecDeque<DateTime<Utc>>,
    pub retry_until: Option<DateTime<Utc>>,
}

pub(crate) struct World {
    pub seed: u64,
    pub clock: Clock,
    pub rng: Rng,
    pub switches: Switches,
    pub tenants: Vec<Tenant>,
    pub apps: BTreeMap<String, App>,
    pub users: BTreeMap<String, User>,
    pub mailboxes: BTreeMap<String, Mailbox>,
    /// (user, client id) to the scopes consented to.
    pub consents: BTreeMap<(String, String), BTreeSet<String>>,
    /// (tenant, client id) to the scopes an administrator consented to.
    pub admin_consents: BTreeMap<(String, String), BTreeSet<String>>,
    pub codes: HashMap<String, Code>,
    pub refresh_tokens: HashMap<String, RefreshToken>,
    pub access_tokens: HashMap<String, AccessToken>,
    /// Cookie to the addresses signed in by it.
    pub sessions: HashMap<String, Vec<String>>,
    pub pending: HashMap<String, PendingSignIn>,
    pub faults: Vec<Fault>,
    pub requests: VecDeque<RequestRecord>,
    pub next_order: u64,
    pub tick: u64,
    pub traffic: HashMap<TrafficKey, Traffic>,
    pub mails: Vec<Mail>,
    pub violations: Vec<Violation>,
    pub pages: Vec<PageShown>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let clock = Clock::default();
        let mut world = Self {
            seed,
            clock,
            rng: Rng::new(seed),
            switches: Switches::default(),
            tenants: directory::tenants(),
            apps: BTreeMap::new(),
            users: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            consents: BTreeMap::new(),
            admin_consents: BTreeMap::new(),
            codes: HashMap::new(),
            refresh_tokens: HashMap::new(),
            access_tokens: HashMap::new(),
            sessions: HashMap::new(),
            pending: HashMap::new(),
            faults: Vec::new(),
            requests: VecDeque::new(),
            next_order: 0,
            tick: 0,
            traffic: HashMap::new(),
            mails: Vec::new(),
            violations: Vec::new(),
            pages: Vec::new(),
        };
        let app = directory::app();
        world.apps.insert(app.client_id.clone(), app);
        for user in directory::users(clock.now()) {
            world.add_user(user);
        }
        world
    }

    /// Everything as at the start; the generator runs on, so that no id or token comes twice.
    pub(crate) fn reset(&mut self) {
        let rng = self.rng.clone();
        *self = Self { rng, ..Self::new(self.seed) };
    }

    pub(crate) fn add_user(&mut self, user: User) {
        self.mailboxes.entry(user.address.clone()).or_default();
        self.users.insert(user.address.clone(), user);
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn next_tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    /// The tenant a path segment names: its id, or its domain.
    pub(crate) fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|t| t.id.eq_ignore_ascii_case(name) || t.domain.eq_ignore_ascii_case(name))
    }

    /// A user by address, object id or Graph id.
    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        let address = name.to_lowercase();
        self.users
            .get(&address)
            .or_else(|| self.users.values().find(|u| u.object_id == address || u.graph_id() == address))
    }

    pub(crate) fn violation(&mut self, order: u64, rule: &'static str, detail: String, key: &TrafficKey) {
        let at = plain_instant(self.now());
        let (app, mailbox) = key.clone();
        self.violations.push(Violation { order, at, rule, detail, mailbox, app });
    }

    pub(crate) fn page_shown(&mut self, page: &'static str, about: &str) {
        let at = plain_instant(self.now());
        self.pages.push(PageShown { at, page, about: about.to_owned() });
    }
}
