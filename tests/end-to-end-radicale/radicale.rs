//! A running Radicale with the adapter, and a plain HTTP client of it.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use support::event;

use crate::python;
use crate::world::{ALICE, World, until};

/// How long anything may take that should happen soon.
pub const SOON: Duration = Duration::from_secs(20);

/// What goes into the adapter's configuration, and what is started.
pub struct Setup {
    /// Radicale's version.
    pub version: &'static str,
    /// Lines of the adapter's configuration; the address of the hook, the secret and the template are there already.
    pub adapter: String,
    /// Further sections of Radicale's configuration.
    pub sections: &'static str,
    /// Whether the adapter is there; without it, Radicale is as its authors made it.
    pub with_adapter: bool,
    /// The secret, where it is not the right one.
    pub secret: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { version: python::NEWEST, adapter: String::new(), sections: "", with_adapter: true, secret: None }
    }
}

pub struct Radicale {
    pub port: u16,
    pub dir: tempfile::TempDir,
    python: PathBuf,
    with_adapter: bool,
    child: Option<Child>,
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Radicale {
    /// The newest one, wired to a world. `None`: skipped, and said so.
    pub fn start(world: &World) -> Option<Self> {
        Self::set_up(world, Setup::default())
    }

    pub fn set_up(world: &World, setup: Setup) -> Option<Self> {
        let mut radicale = Self::prepared(world, setup)?;
        radicale.run();
        Some(radicale)
    }

    /// Everything but the start.
    pub fn prepared(world: &World, setup: Setup) -> Option<Self> {
        let python = python::with_radicale(setup.version)?;
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let port = free_port();
        let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
        write("users", "alice:pw\nbob:pw\nsecretary:pw\nAlice:pw\n".into());
        write(
            "rights",
            "[own]\nuser: .+\ncollection: {user}(/.*)?\npermissions: RrWw\n\
             [root]\nuser: .+\ncollection:\npermissions: R\n\
             [delegate]\nuser: secretary\ncollection: alice(/.*)?\npermissions: RrWw\n\
             [reader]\nuser: bob\ncollection: alice(/.*)?\npermissions: Rr\n"
                .into(),
        );
        write(
            "config",
            format!(
                "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {}\n\
                 htpasswd_encryption = plain\ndelay = 0\n[rights]\ntype = from_file\nfile = {}\n\
                 [storage]\nfilesystem_folder = {}\n[logging]\nlevel = info\n{}",
                path("users"),
                path("rights"),
                path("store"),
                setup.sections
            ),
        );
        write("secret", format!("{}\n", setup.secret.as_ref().unwrap_or(&world.secret)));
        let hook =
            if setup.adapter.contains("hook =") { String::new() } else { format!("hook = {}", world.hook.base()) };
        let address = if setup.adapter.contains("address =") { "" } else { "address = {user}@test.tld" };
        write(
            "teams-mirror.ini",
            format!("[teams-mirror]\n{hook}\nsecret_file = {}\n{address}\n{}\n", path("secret"), setup.adapter),
        );
        Some(Self { port, dir, python, with_adapter: setup.with_adapter, child: None })
    }

    pub fn run(&mut self) {
        self.spawn();
        let up = until(SOON, || self.try_request("OPTIONS", "/", "alice", &[], "").is_ok());
        assert!(up, "Radicale did not start:\n{}", self.log());
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        let module = if self.with_adapter { "teams_mirror_radicale" } else { "radicale" };
        command
            .args(["-m", module, "--config"])
            .arg(self.dir.path().join("config"))
            .env("PYTHONPATH", python::adapter())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("TEAMS_MIRROR_RADICALE_CONFIG", self.dir.path().join("teams-mirror.ini"))
            .stdin(Stdio::null());
        command
    }

    fn spawn(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        self.child = Some(self.command().stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    /// `--teams-mirror-check`: whether all is in order, and what was printed.
    pub fn check(&self) -> (bool, String) {
        match python::run(self.command().arg("--teams-mirror-check")) {
            Ok(printed) => (true, printed),
            Err(printed) => (false, printed),
        }
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        // What `restart_command` has started.
        if let Ok(started) = std::fs::read_to_string(self.dir.path().join("pid")) {
            let _ = Command::new("kill").args(["-9", started.trim()]).status();
            let _ = std::fs::remove_file(self.dir.path().join("pid"));
        }
    }

    /// A shell's command that kills it, as a power cut would, and starts it again.
    pub fn restart_command(&self) -> String {
        let quoted = |text: &std::ffi::OsStr| format!("'{}'", text.to_string_lossy().replace('\'', r"'\''"));
        let command = self.command();
        let named =
            command.get_envs().filter_map(|(name, value)| Some(format!("{}={}", name.display(), quoted(value?))));
        let started: Vec<String> =
            named.chain([quoted(command.get_program())]).chain(command.get_args().map(quoted)).collect();
        // The first process is this one's child, the later ones are the command's.
        let (dir, first) = (quoted(self.dir.path().as_os_str()), self.child.as_ref().map_or(0, Child::id));
        format!(
            "cd {dir}; kill -9 $(cat pid || echo {first}); {} >>log 2>&1 </dev/null & echo $! >pid",
            started.join(" ")
        )
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The notes on disk.
    pub fn notes(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.dir.path().join("store/.teams-mirror-spool")) else {
            return Vec::new();
        };
        let names = folder.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".json") && !name.starts_with('.')).collect()
    }

    /// Waits until nothing is left to tell.
    pub fn told(&self) {
        assert!(until(SOON, || self.notes().is_empty()), "{:?}\n{}", self.notes(), self.log());
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
        let mut answer = self.try_request(method, path, user, headers, body);
        // Radicale's listen queue holds five; where the kernel resets the sixth, clients come again.
        until(SOON, || {
            let reset = answer.as_ref().is_err_and(|error| error.contains("Connection reset"));
            if reset {
                answer = self.try_request(method, path, user, headers, body);
            }
            !reset
        });
        answer.unwrap_or_else(|e| panic!("{method} {path}: {e}\n{}", self.log()))
    }

    /// Makes a calendar.
    pub fn calendar(&self, path: &str, user: &str) {
        let made = self.request("MKCALENDAR", path, user, &[], "");
        assert_eq!(made.status, 201, "{}\n{}", made.text, self.log());
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

    pub fn r#move(&self, from: &str, to: &str) -> Answer {
        self.request("MOVE", from, "alice", &[("destination", &self.url(to))], "")
    }

    /// The text stored under a path, its lines joined.
    pub fn stored(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        event::unfolded(&answer.text)
    }

    /// Waits until the stored text holds the link of the event; gives it.
    pub fn holds_link(&self, world: &World, path: &str, uid: &str) -> String {
        let mut link = String::new();
        let holds = until(SOON, || {
            let status = world.hook.event(ALICE, uid).unwrap();
            status.str("join_url").clone_into(&mut link);
            !link.is_empty() && self.stored(path).contains(&link)
        });
        assert!(holds, "`{link}` is not in\n{}\n{}\n{}", self.get(path).text, self.log(), world.log_tail());
        link
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let _ =
                writeln!(std::io::stderr(), "--- Radicale ---\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
        }
    }
}

/// A port below those the system gives to outgoing connections, and apart from those of `world`.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 400).unwrap() * 20;
    loop {
        let port = 3_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 8_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// An event that asks for a meeting, as a client that only speaks CalDAV can.
pub fn with_teams(uid: &str, subject: &str, lines: &[&str]) -> String {
    event::meeting(uid, subject, &[&["X-TEAMS-MEETING:TRUE"], lines].concat())
}
