//! A simulator, an installed and running `teams-mirror`, and a user.

use std::fs::{DirBuilder, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use graph_sim::{CLIENT_ID, CLIENT_SECRET, RequestRecord, Service, Simulator};
use serde_json::Value;
use support::{Answer, Browser, Hook, Page, Server};

/// The server's user of most tests, and the Microsoft account.
pub const ALICE: &str = "alice@test.tld";
pub const ALICE_AT_MICROSOFT: &str = "alice@contoso.example";

/// How long anything may take that should happen soon.
pub const SOON: Duration = Duration::from_secs(20);

pub struct World {
    pub sim: Simulator,
    pub hook: Hook,
    pub secret: String,
    pub public_url: String,
    dir: tempfile::TempDir,
    serve: Option<Child>,
}

impl World {
    /// Installed, running, enabled for `test.tld`; nobody has signed in.
    pub fn new() -> Self {
        Self::with_grace("300ms")
    }

    /// With another time between an event's last object and its remote event going.
    pub fn with_grace(grace: &str) -> Self {
        Self::with(&format!("delete_grace = '{grace}'"))
    }

    /// With these lines in the configuration's `[mirror]` section.
    pub fn with(mirror: &str) -> Self {
        Self::installed("", mirror, "")
    }

    /// With these lines at the beginning of the configuration.
    pub fn with_config(lines: &str) -> Self {
        Self::installed(lines, "delete_grace = '300ms'", "")
    }

    /// As browsers reach it under a path, which the reverse proxy takes away; there is no proxy here.
    pub fn under(path: &str) -> Self {
        Self::installed("", "delete_grace = '300ms'", path)
    }

    fn installed(lines: &str, mirror: &str, path: &str) -> Self {
        let sim = Simulator::start(([127, 0, 0, 1], 0).into()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (hook_port, public_port) = (free_port(), free_port());
        let public_url = format!("http://127.0.0.1:{public_port}{path}");
        sim.add_redirect_uri(&format!("{public_url}/api/v1/oauth/access"));
        let mut world = Self {
            sim,
            hook: Hook::new(&format!("http://127.0.0.1:{hook_port}"), ""),
            secret: String::new(),
            public_url: public_url.clone(),
            dir,
            serve: None,
        };
        let state = world.state().display().to_string();
        COMPILED.lock().unwrap().give_to(&world.state());
        world.run(&["init", "--state", &state, "--public-url", &public_url, "--domain", "test.tld"]);
        COMPILED.lock().unwrap().take_from(&world.state());
        let config = world.config();
        let written = std::fs::read_to_string(&config).unwrap();
        assert!(written.contains(&public_url), "{written}");
        let short = format!(
            "state_dir = '{state}'\npublic_url = '{public_url}'\n{lines}[listen]\nhook = '127.0.0.1:{hook_port}'\n\
             public = '127.0.0.1:{public_port}'\n[mirror]\n{mirror}\n[log]\nfilter = 'trace'\n"
        );
        std::fs::write(&config, short).unwrap();
        world.secret = std::fs::read_to_string(world.state().join("hook-secret")).unwrap().trim().to_owned();
        world.hook = Hook::new(&format!("http://127.0.0.1:{hook_port}"), &world.secret);
        world.start();
        world.connect_simulator();
        world.run(&["enable", "--domain", "test.tld"]);
        world
    }

    /// With Alice signed in, and the simulator's memory of that wiped.
    pub fn signed_in() -> Self {
        Self::new().and_alice()
    }

    /// Signs Alice in.
    pub fn and_alice(self) -> Self {
        let page = self.sign_in(ALICE, ALICE_AT_MICROSOFT);
        assert_eq!(page.status, 200, "{}", page.text());
        self.sim.clear_requests();
        self
    }

    fn connect_simulator(&self) {
        let secret_file = self.dir.path().join("client-secret");
        std::fs::write(&secret_file, CLIENT_SECRET).unwrap();
        let base = self.sim.base_url();
        self.run(&[
            "connector",
            "set",
            "teams",
            "--client-id",
            CLIENT_ID,
            "--secret-file",
            secret_file.to_str().unwrap(),
            "--authorize-url",
            &format!("{base}/common/oauth2/v2.0/authorize"),
            "--token-url",
            &format!("{base}/common/oauth2/v2.0/token"),
            "--graph-url",
            &format!("{base}/v1.0"),
        ]);
        self.run(&["connector", "enable", "teams"]);
    }

    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Asks the store for a number.
    pub fn count(&self, sql: &str) -> i64 {
        let connection = rusqlite::Connection::open(self.state().join("store.sqlite")).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("teams-mirror.toml")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Everything the program wrote: store, caches, logs, configuration.
    pub fn files(&self) -> Vec<PathBuf> {
        fn walk(dir: &Path, into: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(dir).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(&path, into);
                } else {
                    into.push(path);
                }
            }
        }
        let mut files = Vec::new();
        walk(self.dir.path(), &mut files);
        files
    }

    /// Starts `teams-mirror serve` and waits until it answers.
    pub fn start(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_teams-mirror"))
            .arg("--config")
            .arg(self.config())
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.serve = Some(child);
        let up = until(SOON, || self.hook.get("/healthz").is_ok_and(|answer| answer.status == 200));
        assert!(up, "it did not start:\n{}", self.log());
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.serve.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.serve.take() {
            let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
            assert!(killed.success());
            assert!(child.wait().unwrap().success(), "{}", self.log());
        }
    }

    /// Runs a command that has to succeed; gives what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let (ok, output) = self.try_run(arguments);
        assert!(ok, "{arguments:?}:\n{output}\n{}", self.log());
        output
    }

    /// Runs a command; whether it succeeded, and what it printed on either side.
    pub fn try_run(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_teams-mirror"))
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// A user signs in through Microsoft's pages; gives the page at which that ended.
    pub fn sign_in(&self, account: &str, at_microsoft: &str) -> Page {
        let known = self.hook.put_account(account, serde_json::json!({ "time_zone": "Europe/Vienna" })).unwrap();
        assert_eq!(known.status, 200, "{}", known.text);
        let link = self.hook.settings_link(account).unwrap();
        assert_eq!(link.status, 200, "{}", link.text);
        Browser::default().sign_in(link.str("url"), at_microsoft).unwrap()
    }

    /// Alice's calendar on the server.
    pub fn server(&self) -> Server {
        Server::new(self.hook.clone(), ALICE)
    }

    /// How an event of Alice's stands once nothing is on its way any more.
    pub fn settled(&self, uid: &str) -> Answer {
        self.settled_of(ALICE, uid)
    }

    /// The same for any account.
    pub fn settled_of(&self, account: &str, uid: &str) -> Answer {
        let mut last = None;
        until(SOON, || {
            let answer = self.hook.event(account, uid).unwrap();
            let done = answer.status == 204 || answer.str("state") != "pending";
            last = Some(answer);
            done
        });
        last.unwrap()
    }

    /// Waits for a state.
    pub fn reaches(&self, uid: &str, state: &str) -> Answer {
        let reached = until(SOON, || self.hook.event(ALICE, uid).unwrap().str("state") == state);
        let answer = self.hook.event(ALICE, uid).unwrap();
        assert!(reached, "not `{state}` but {}\n{}", answer.text, self.log_tail());
        answer
    }

    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("TRACE")).collect();
        lines.iter().skip(lines.len().saturating_sub(30)).copied().collect::<Vec<_>>().join("\n")
    }

    /// What stands in Alice's Teams calendar.
    pub fn in_teams(&self) -> Vec<Value> {
        self.sim.events(ALICE_AT_MICROSOFT)
    }

    /// Requests at Graph.
    pub fn graph(&self) -> Vec<RequestRecord> {
        self.sim.requests_to(Service::Graph)
    }

    /// Method of each request at Graph.
    pub fn graph_methods(&self) -> Vec<String> {
        self.graph().into_iter().map(|request| request.method).collect()
    }
}

/// The extension compiled, by the first world: to compile it takes longer than most tests do.
static COMPILED: Mutex<Compiled> = Mutex::new(Compiled(Vec::new()));

struct Compiled(Vec<(PathBuf, Vec<u8>)>);

impl Compiled {
    fn take_from(&mut self, state: &Path) {
        if self.0.is_empty() {
            let files = std::fs::read_dir(state.join("cache")).unwrap().map(|entry| entry.unwrap().path());
            self.0.extend(files.map(|path| (path.file_name().unwrap().into(), std::fs::read(&path).unwrap())));
        }
    }

    fn give_to(&self, state: &Path) {
        let mut folders = DirBuilder::new();
        folders.mode(0o700).recursive(true).create(state.join("cache")).unwrap();
        for (name, content) in &self.0 {
            let path = state.join("cache").join(name);
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- end of the log ---\n{}", self.log_tail());
        }
    }
}

/// Waits until something is so, for at most `patience`.
pub fn until(patience: Duration, mut so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if so() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// A port below those the system gives to outgoing connections.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 12_000 + u16::try_from(std::process::id() % 900).unwrap() * 20;
    loop {
        let port = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 12_000 + (port - 12_000) % 20_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
