//! A running sabre/dav with the plugin, and a plain HTTP client of it.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use support::event;

use crate::world::{ALICE, World, until};

/// How long anything may take that should happen soon.
pub const SOON: Duration = Duration::from_secs(20);

/// Whose interface the plugin meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dress {
    /// sabre/dav 1.8's, as it is.
    Old,
    /// sabre/dav 4's, over 1.8.
    Modern,
}

/// Runs a test with both.
pub fn in_both(test: impl Fn(Dress)) {
    for dress in [Dress::Old, Dress::Modern] {
        eprintln!("dress: {dress:?}");
        test(dress);
    }
}

pub struct Sabre {
    pub port: u16,
    pub dir: tempfile::TempDir,
    dress: Dress,
    child: Option<Child>,
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Sabre {
    /// Wired to a world, with calendars of Alice and Bob. `None`: skipped, and said so.
    pub fn start(world: &World, dress: Dress) -> Option<Self> {
        Self::with(world, dress, json!({}))
    }

    /// With these settings of the plugin besides those it needs.
    pub fn with(world: &World, dress: Dress, settings: Value) -> Option<Self> {
        if !php_is_there() {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        for folder in ["mails", "spool"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        std::fs::write(dir.path().join("secret"), format!("{}\n", world.secret)).unwrap();
        let mut all = json!({
            "hook": world.hook.base(),
            "secret_file": dir.path().join("secret"),
            "spool": dir.path().join("spool"),
            // What is left over is told when a test asks for it.
            "work_after_requests": false,
        });
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        std::fs::write(dir.path().join("plugin.json"), all.to_string()).unwrap();
        let database = rusqlite::Connection::open(dir.path().join("sabre.sqlite")).unwrap();
        database.execute_batch(SCHEMA).unwrap();
        let mut sabre = Self { port: free_port(), dir, dress, child: None };
        sabre.run();
        Some(sabre)
    }

    pub fn run(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("php.log")).unwrap();
        let child = Command::new("php")
            .args(["-S", &format!("127.0.0.1:{}", self.port)])
            .arg(scripts().join("server.php"))
            .env("PHP_CLI_SERVER_WORKERS", "6")
            .env("SABRE_DIR", self.dir.path())
            .env("SABRE_MODERN", if self.dress == Dress::Modern { "1" } else { "0" })
            .env("TEAMS_MIRROR_PLUGIN", plugin())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            // Its workers are processes of their own, and end with the group.
            .process_group(0)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let up = until(SOON, || self.try_request("OPTIONS", "/", "alice", &[], "").is_ok());
        assert!(up, "sabre did not start:\n{}", self.log());
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let group = rustix::process::Pid::from_child(&child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            child.wait().unwrap();
        }
    }

    /// What the plugin said, and what PHP did.
    pub fn log(&self) -> String {
        ["log", "php.log"]
            .map(|name| std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default())
            .join("\n")
    }

    /// Makes a file that the server looks for.
    pub fn set(&self, switch: &str, on: bool) {
        let path = self.dir.path().join(switch);
        if on { std::fs::write(path, "").unwrap() } else { std::fs::remove_file(path).unwrap() }
    }

    /// What would have been mailed.
    pub fn mails(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.dir.path().join("mails")).unwrap();
        folder.flatten().map(|file| event::unfolded(&std::fs::read_to_string(file.path()).unwrap())).collect()
    }

    /// The notes on disk.
    pub fn notes(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.dir.path().join("spool")).unwrap();
        let names = folder.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".json") && !name.starts_with('.')).collect()
    }

    /// The command for cron: whether it went well, and what it printed.
    pub fn work(&self) -> (bool, String) {
        let output = Command::new("php")
            .arg(plugin())
            .args(["--work", &self.url("/.teams"), "--secret-file"])
            .arg(self.dir.path().join("secret"))
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// Has it work until nothing is left to tell.
    pub fn told(&self) {
        let mut printed = String::new();
        let told = until(SOON, || {
            printed = self.work().1;
            self.notes().is_empty()
        });
        assert!(told, "{:?}\n{printed}\n{}", self.notes(), self.log());
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        user: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, String> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        if !user.is_empty() {
            let login = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{user}:pw"));
            request = request.header("authorization", format!("Basic {login}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = agent.run(request.body(body.to_owned()).unwrap()).map_err(|e| e.to_string())?;
        let headers = answer.headers().iter();
        let headers =
            headers.map(|(n, v)| (n.as_str().to_owned(), v.to_str().unwrap_or_default().to_owned())).collect();
        let text = answer.body_mut().with_config().limit(100_000_000).read_to_string().map_err(|e| e.to_string())?;
        Ok(Answer { status: answer.status().as_u16(), headers, text })
    }

    pub fn request(&self, method: &str, path: &str, user: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_request(method, path, user, headers, body)
            .unwrap_or_else(|e| panic!("{method} {path}: {e}\n{}", self.log()))
    }

    pub fn put_as(&self, user: &str, path: &str, text: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "text/calendar; charset=utf-8")];
        all.extend_from_slice(headers);
        self.request("PUT", path, user, &all, text)
    }

    pub fn put(&self, path: &str, text: &str) -> Answer {
        self.put_as("alice", path, text, &[])
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "alice", &[], "")
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path, "alice", &[], "")
    }

    /// MOVE or COPY.
    pub fn to(&self, method: &str, from: &str, to: &str) -> Answer {
        self.request(method, from, "alice", &[("destination", &self.url(to))], "")
    }

    /// The text stored under a path, its lines joined.
    pub fn stored(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}\n{}", answer.text, self.log());
        event::unfolded(&answer.text)
    }

    /// The link of an event that is mirrored, which has to stand in the stored text now.
    pub fn holds_link(&self, world: &World, path: &str, uid: &str) -> String {
        let link = world.settled(uid).str("join_url").to_owned();
        let stored = self.stored(path);
        assert!(
            !link.is_empty() && stored.contains(&link),
            "`{link}` is not in\n{stored}\n{}\n{}",
            self.log(),
            world.log_tail()
        );
        link
    }

    /// The same, after having it work until the link is there.
    pub fn gets_link(&self, world: &World, path: &str, uid: &str) -> String {
        until(SOON, || {
            let link = world.settled(uid).str("join_url").to_owned();
            let holds = !link.is_empty() && self.stored(path).contains(&link);
            if !holds {
                self.work();
            }
            holds
        });
        self.holds_link(world, path, uid)
    }

    /// The objects of an event of Alice's, as the hook knows them.
    pub fn objects(world: &World, uid: &str) -> Value {
        world.hook.event(ALICE, uid).unwrap().json["objects"].clone()
    }
}

impl Drop for Sabre {
    fn drop(&mut self) {
        self.kill();
        let log = self.log();
        if std::thread::panicking() {
            let lines: Vec<&str> = log.lines().collect();
            let _ =
                writeln!(std::io::stderr(), "--- sabre ---\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
        } else {
            // Requests go on whatever happens to the plugin, so its own failures show nowhere else. sabre/dav 1.8 has warnings of
            // its own on this PHP.
            let ours = |line: &&str| line.contains("PHP ") && line.contains("TeamsMirrorPlugin.php");
            let bad = log.lines().find(ours).or_else(|| log.lines().find(|line| line.contains("this went wrong")));
            assert_eq!(bad, None);
        }
    }
}

/// An event that asks for a meeting, as a client that only speaks CalDAV can.
pub fn with_teams(uid: &str, subject: &str, lines: &[&str]) -> String {
    event::meeting(uid, subject, &[&["X-TEAMS-MEETING:TRUE"], lines].concat())
}

pub fn plugin() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters/sabre/TeamsMirrorPlugin.php")
}

/// The server, and what it is made of.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/end-to-end-sabre/php")
}

/// Whether PHP and sabre/dav are installed; where not, that is said.
pub fn php_is_there() -> bool {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    let missing = MISSING.get_or_init(|| {
        let tried =
            "require 'Sabre/autoload.php'; curl_init(); new PDO('sqlite::memory:'); echo Sabre\\DAV\\Version::VERSION;";
        match Command::new("php").args(["-d", "error_reporting=0", "-r", tried]).output() {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()),
            Err(error) => Some(error.to_string()),
        }
    });
    let Some(why) = missing else { return true };
    let why = format!("no sabre/dav (Debian: apt install php-cli php-curl php-sqlite3 php-sabre-dav): {why}");
    assert!(std::env::var_os("TEAMS_MIRROR_REQUIRE_ALL").is_none(), "{why}");
    eprintln!("skipped: {why}");
    false
}

/// A port below those the system gives to outgoing connections, and apart from those of `world`.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 400).unwrap() * 20;
    loop {
        let port = 3_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 8_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What sabre/dav 1.8's PDO backends work on, with three users; the secretary may write for Alice.
const SCHEMA: &str = "
CREATE TABLE calendarobjects (id INTEGER PRIMARY KEY, calendardata BLOB, uri TEXT, calendarid INTEGER, lastmodified INTEGER,
    etag TEXT, size INTEGER, componenttype TEXT, firstoccurence INTEGER, lastoccurence INTEGER);
CREATE TABLE calendars (id INTEGER PRIMARY KEY, principaluri TEXT, displayname TEXT, uri TEXT, ctag INTEGER, description TEXT,
    calendarorder INTEGER, calendarcolor TEXT, timezone TEXT, components TEXT, transparent BOOL);
CREATE TABLE principals (id INTEGER PRIMARY KEY, uri TEXT UNIQUE, email TEXT, displayname TEXT, vcardurl TEXT);
CREATE TABLE groupmembers (id INTEGER PRIMARY KEY, principal_id INTEGER, member_id INTEGER);
INSERT INTO principals (id, uri, email, displayname) VALUES
    (1, 'principals/alice', 'Alice@test.tld', 'Alice'), (2, 'principals/alice/calendar-proxy-read', NULL, NULL),
    (3, 'principals/alice/calendar-proxy-write', NULL, NULL), (4, 'principals/bob', 'bob@test.tld', 'Bob'),
    (5, 'principals/bob/calendar-proxy-read', NULL, NULL), (6, 'principals/bob/calendar-proxy-write', NULL, NULL),
    (7, 'principals/secretary', 'secretary@test.tld', 'Secretary'),
    (8, 'principals/secretary/calendar-proxy-read', NULL, NULL), (9, 'principals/secretary/calendar-proxy-write', NULL, NULL);
INSERT INTO groupmembers (principal_id, member_id) VALUES (3, 7);
INSERT INTO calendars (principaluri, displayname, uri, ctag, components, transparent) VALUES
    ('principals/alice', 'Work', 'work', 1, 'VEVENT,VTODO', 0), ('principals/alice', 'Private', 'private', 1, 'VEVENT', 0),
    ('principals/bob', 'Work', 'work', 1, 'VEVENT', 0);
";
