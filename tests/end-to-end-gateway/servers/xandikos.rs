//! Xandikos as it is installed from PyPI, for several users, with scheduling. Who asks is told by a header, from a proxy it trusts.

use std::process::{Child, Command, Stdio};

use super::mails::Mails;
use crate::client::{Client, REMOTE_USER};
use crate::python;
use crate::radicale::free_port;
use crate::world::{SOON, until};

const VERSION: &str = "0.4.10";

pub struct Xandikos {
    pub port: u16,
    mails_port: u16,
    dir: tempfile::TempDir,
    python: std::path::PathBuf,
    child: Option<Child>,
}

impl Xandikos {
    /// Running, with an address for each of the users.
    pub fn start(mails: &Mails, users: &[&str]) -> Option<Self> {
        let python = python::environment(&format!("xandikos-{VERSION}"), &[&format!("xandikos=={VERSION}")])?;
        let dir = tempfile::tempdir().unwrap();
        let mut xandikos = Self { port: free_port(), mails_port: mails.port, dir, python, child: None };
        xandikos.run();
        for user in users {
            let addresses = format!(
                "<propertyupdate xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><set><prop><C:calendar-user-address-set>\
                 <href>mailto:{user}@test.tld</href></C:calendar-user-address-set></prop></set></propertyupdate>"
            );
            let told = xandikos.client().request("PROPPATCH", &format!("/{user}/"), user, &[], &addresses);
            assert_eq!(told.status, 207, "{}\n{}", told.text, xandikos.log());
        }
        Some(xandikos)
    }

    /// Starts it and waits until it answers.
    pub fn run(&mut self) {
        self.kill();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let at = |name: &str| self.dir.path().join(name).display().to_string();
        let (port, mails_port) = (self.port.to_string(), self.mails_port.to_string());
        let child = Command::new(&self.python)
            .args(["-m", "xandikos", "multi-user", "--no-detect-systemd", "--listen-address", "127.0.0.1"])
            .args(["--port", &port, "--directory", &at("store"), "--state-dir", &at("state"), "--defaults"])
            .args([
                "--trust-x-remote-user-from",
                "127.0.0.1",
                "--imip-send",
                "smtp",
                "--smtp-from",
                "calendar@test.tld",
            ])
            .args(["--smtp-host", "127.0.0.1", "--smtp-port", &mails_port])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let up = until(SOON, || self.client().try_request("OPTIONS", "/", "alice", &[], "").is_ok());
        assert!(up, "Xandikos did not start:\n{}", self.log());
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn client(&self) -> Client {
        Client::of(&format!("http://127.0.0.1:{}", self.port)).named_by(REMOTE_USER)
    }
}

impl Drop for Xandikos {
    fn drop(&mut self) {
        self.kill();
    }
}
