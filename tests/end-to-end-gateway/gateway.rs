//! A running `teams-mirror gateway`.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::client::Client;
use crate::radicale::free_port;
use crate::world::{SOON, World, until};

pub struct Gateway {
    pub port: u16,
    dir: tempfile::TempDir,
    child: Option<Child>,
}

impl Gateway {
    /// Running before `upstream`, with further lines of its configuration; `service` is its section of that name.
    pub fn start(world: &World, upstream: &str, lines: &str, service: &str) -> Self {
        let mut gateway = Self::prepared(world, upstream, lines, service);
        gateway.run();
        gateway
    }

    /// Everything but the start.
    pub fn prepared(world: &World, upstream: &str, lines: &str, service: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let at = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(at("secret"), &world.secret).unwrap();
        std::fs::write(at("password"), crate::client::PASSWORD).unwrap();
        let service = service.replace("{password_file}", &at("password"));
        let text = format!(
            "listen = '127.0.0.1:{port}'\nupstream = '{upstream}'\nhook = '{}'\nsecret_file = '{}'\nspool = '{}'\n{lines}\n\
             {service}\n[log]\nfilter = 'debug'\n",
            world.hook.base(),
            at("secret"),
            at("spool"),
        );
        std::fs::write(at("gateway.toml"), text).unwrap();
        Self { port, dir, child: None }
    }

    /// Starts it and waits until it answers.
    pub fn run(&mut self) {
        self.spawn();
        let client = Client::of(&self.url());
        let up = until(SOON, || client.try_request("OPTIONS", "/", "alice", &[], "").is_ok());
        assert!(up, "the gateway did not start:\n{}", self.log());
    }

    /// Starts it, and does not wait.
    pub fn spawn(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_teams-mirror"))
            .arg("gateway")
            .arg("--config")
            .arg(self.path("gateway.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The notes on disk.
    pub fn notes(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.path("spool")) else { return Vec::new() };
        let names = folder.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".note")).collect()
    }

    /// Waits until nothing is left to tell.
    pub fn told(&self) {
        assert!(until(SOON, || self.notes().is_empty()), "{:?}\n{}", self.notes(), self.log());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- the gateway ---\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }
}
