//! A simulator, teams-mirror and the sample webmail, wired together.

use std::time::Duration;

use demo::webmail::{Options, Webmail};
use graph_sim::Simulator;
use host_shim::serve::Extras;
use serde_json::Value;
use support::Hook;
use support::shim::Embedded;

use crate::chromium::Chromium;

/// The server's user of most tests, and the Microsoft account.
pub const ALICE: &str = "alice@mail.example";
pub const AT_MICROSOFT: &str = "alice@contoso.example";

pub struct World {
    pub sim: Simulator,
    pub hook: Hook,
    pub webmail: Webmail,
    pub public_url: String,
    pub shim: Option<Embedded>,
    _dir: tempfile::TempDir,
}

impl World {
    /// Installed, running, enabled for the domain; nobody has signed in.
    pub fn new() -> Self {
        let sim = Simulator::start(([127, 0, 0, 1], 0).into()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let quick = |config: &mut host_shim::config::Config| config.mirror.delete_grace = Duration::from_millis(300);
        let shim = support::shim::start(&sim, &state, "mail.example", quick, Extras::default()).unwrap();
        let options = Options { hook: shim.hook.clone(), account: ALICE.into(), beside: None };
        let webmail = Webmail::start(([127, 0, 0, 1], 0).into(), options).unwrap();
        let (hook, public_url) = (shim.hook.clone(), shim.public_url.clone());
        Self { sim, hook, webmail, public_url, shim: Some(shim), _dir: dir }
    }

    /// A page of the webmail.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.webmail.url())
    }

    /// What stands in Alice's Teams calendar.
    pub fn in_teams(&self) -> Vec<Value> {
        self.sim.events(AT_MICROSOFT)
    }

    /// Waits for what stands in her Teams calendar.
    pub fn teams_shows(&self, chromium: &Chromium, what: &str, so: impl Fn(&[Value]) -> bool) {
        chromium.wait(&format!("{what} in the Teams calendar"), || so(&self.in_teams()).then_some(()));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(shim) = self.shim.take() {
            shim.running.stop();
        }
    }
}

/// Does what Microsoft's pages ask for, as `address`, whichever of them are shown.
pub fn at_microsoft(chromium: &Chromium, address: &str) {
    chromium.write("#loginfmt", address);
    chromium.click("#next");
    chromium.click("#accept");
}
