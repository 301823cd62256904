//! A simulator, teams-mirror and the sample webmail, wired together.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use demo::webmail::{Options, Webmail};
use graph_sim::Simulator;
use host_shim::clock::ShiftedClock;
use host_shim::serve::Extras;
use serde_json::Value;
use support::shim::Embedded;

use crate::chromium::{Chromium, Window};
use crate::relay::Relay;

/// The server's user of most tests, and the Microsoft account.
pub const ALICE: &str = "alice@mail.example";
pub const AT_MICROSOFT: &str = "alice@contoso.example";

pub struct World {
    pub sim: Simulator,
    pub webmail: Webmail,
    /// What is between the webmail and the hook API.
    pub wire: Relay,
    /// teams-mirror's clock.
    pub clock: Arc<ShiftedClock>,
    shim: Option<Embedded>,
    _dir: tempfile::TempDir,
}

impl World {
    /// Installed, running, enabled for the domain; nobody has signed in.
    pub fn new() -> Self {
        let sim = Simulator::start(([127, 0, 0, 1], 0).into()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let quick = |config: &mut host_shim::config::Config| {
            config.mirror.delete_grace = Duration::from_millis(300);
            config.webmail_origins = vec![format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")];
        };
        let clock = Arc::new(ShiftedClock::default());
        let extras = Extras { clock: Some(clock.clone()), ..Extras::default() };
        let shim = support::shim::start(&sim, &state, "mail.example", quick, extras).unwrap();
        let wire = Relay::to(shim.running.hook_address().unwrap());
        let options = Options { hook: shim.hook.at(&wire.url()), account: ALICE.into(), beside: None };
        let webmail = Webmail::start(listener, options).unwrap();
        Self { sim, webmail, wire, clock, shim: Some(shim), _dir: dir }
    }

    /// With Alice signed in, by her own hand.
    pub fn signed_in(chromium: &Chromium) -> Self {
        Self::signed_in_as(chromium, AT_MICROSOFT)
    }

    /// The same with another Microsoft account.
    pub fn signed_in_as(chromium: &Chromium, address: &str) -> Self {
        let world = Self::new();
        world.sign_in(chromium, address);
        world
    }

    /// Connects on teams-mirror's settings page; ends at the page that says how that went.
    pub fn sign_in(&self, chromium: &Chromium, address: &str) {
        chromium.go(&self.page("/settings/teams/open"));
        chromium.click("#connect");
        at_microsoft(chromium, address);
        chromium.click("#confirm-yes");
        chromium.see("[data-page=connected]");
    }

    pub fn shim(&self) -> &Embedded {
        self.shim.as_ref().unwrap()
    }

    /// A page of the webmail, under the name of another site than teams-mirror's.
    pub fn elsewhere(&self, path: &str) -> String {
        self.page(path).replace("127.0.0.1", "localhost")
    }

    /// A page of the webmail.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.webmail.url())
    }

    /// How Alice stands, as her server is told.
    pub fn account(&self) -> support::Answer {
        self.shim().hook.account(ALICE).unwrap()
    }

    /// What stands in Alice's Teams calendar.
    pub fn in_teams(&self) -> Vec<Value> {
        self.sim.events(AT_MICROSOFT)
    }

    /// Waits for what stands in her Teams calendar.
    pub fn teams_shows(&self, chromium: &Chromium, what: &str, so: impl Fn(&[Value]) -> bool) {
        chromium.wait(&format!("{what} in the Teams calendar: {:?}", self.in_teams()), || {
            so(&self.in_teams()).then_some(())
        });
    }

    /// How many pages Microsoft has shown.
    pub fn pages_at_microsoft(&self) -> usize {
        self.sim.pages().len()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // What the webmail waits for would hold up the stop.
        self.wire.cut();
        if let Some(shim) = self.shim.take() {
            shim.running.stop();
        }
    }
}

/// From the settings in the webmail's frame through the sign-in's window to its end, and back to the frame.
pub fn connect_from_frame(chromium: &Chromium, webmail: &Window, address: &str) {
    chromium.click("#connect");
    chromium.follow_new_window(std::slice::from_ref(webmail));
    at_microsoft(chromium, address);
    chromium.click("#confirm-yes");
    chromium.see("[data-page=connected]");
    chromium.close_and_look_at(webmail);
}

/// Does what Microsoft's pages ask for at a first sign-in, as `address`.
pub fn at_microsoft(chromium: &Chromium, address: &str) {
    chromium.write("#loginfmt", address);
    chromium.click("#next");
    chromium.click("#accept");
}
