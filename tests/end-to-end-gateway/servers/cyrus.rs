//! Cyrus IMAP as Debian packages it, with CalDAV and scheduling.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::debian::Unpacked;
use super::login;
use super::mails::Mails;
use crate::client::{Client, PASSWORD};
use crate::radicale::free_port;
use crate::world::{SOON, until};

/// The account that may do everything; it is the gateway's.
pub const ADMIN: &str = "admin";
/// Lookup to administer: everything.
const ALL_RIGHTS: &str = "lrswipkxtecdan9";

pub struct Cyrus {
    pub port: u16,
    imap_port: u16,
    dir: tempfile::TempDir,
    programs: Unpacked,
    master: Option<Child>,
}

impl Cyrus {
    /// Running, with an inbox and calendars for each of the users.
    pub fn start(mails: &Mails, users: &[&str]) -> Option<Self> {
        let programs = Unpacked::of("cyrus", &["cyrus-imapd", "cyrus-caldav", "cyrus-common"])?;
        let dir = tempfile::tempdir().unwrap();
        let mut cyrus = Self { port: free_port(), imap_port: free_port(), dir, programs, master: None };
        cyrus.configure(mails);
        login::serve(&cyrus.dir.path().join("login"));
        cyrus.run();
        let mut imap = cyrus.imap();
        for user in users.iter().chain(&[ADMIN]) {
            imap.command(&format!("CREATE user/{user}"));
        }
        let client = Client::of(&format!("http://127.0.0.1:{}", cyrus.port));
        for user in users {
            // The first look makes them.
            let home = client.request("PROPFIND", &home(user), user, &[("depth", "0")], "");
            assert_eq!(home.status, 207, "{}", home.text);
        }
        Some(cyrus)
    }

    fn configure(&self, mails: &Mails) {
        let dir = self.dir.path().display();
        let user = runs_as();
        let imapd = format!(
            "configdirectory: {dir}/conf\npartition-default: {dir}/spool\ndefaultpartition: default\nadmins: {ADMIN}\n\
             cyrus_user: {user}\nallowplaintext: yes\nsasl_mech_list: PLAIN\nsasl_pwcheck_method: saslauthd\n\
             sasl_saslauthd_path: {dir}/login\nhttpmodules: caldav\ncaldav_allowscheduling: on\ncaldav_create_default: yes\n\
             caldav_historical_age: -1\nunixhierarchysep: yes\nvirtdomains: off\ncalendar_user_address_set: test.tld\n\
             smtp_backend: host\nsmtp_host: 127.0.0.1:{}\n",
            mails.port
        );
        let program = |name: &str| format!("{} -C {dir}/imapd.conf", self.program(name));
        let services = format!(
            "START {{\n recover cmd=\"{} -r\"\n}}\nSERVICES {{\n http cmd=\"{}\" listen=\"127.0.0.1:{}\" prefork=2\n \
             imap cmd=\"{}\" listen=\"127.0.0.1:{}\" prefork=0\n}}\nEVENTS {{\n}}\n",
            program("ctl_cyrusdb"),
            program("httpd"),
            self.port,
            program("imapd"),
            self.imap_port
        );
        let root = self.dir.path();
        std::fs::write(root.join("imapd.conf"), imapd).unwrap();
        std::fs::write(root.join("cyrus.conf"), services).unwrap();
        let folders =
            ["conf/db", "conf/proc", "conf/socket", "conf/lock", "conf/log", "conf/msg", "conf/quota", "spool"];
        for folder in folders {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o755)).unwrap();
        give(root, &user);
    }

    fn program(&self, name: &str) -> String {
        self.programs.path("usr/lib/cyrus/bin").join(name).display().to_string()
    }

    /// Starts it and waits until it answers.
    pub fn run(&mut self) {
        self.kill();
        let file = |name: &str| self.dir.path().join(name);
        let log = std::fs::OpenOptions::new().create(true).append(true).open(file("master.log")).unwrap();
        let mut command = Command::new(self.program("master"));
        command
            .arg("-C")
            .arg(file("imapd.conf"))
            .arg("-M")
            .arg(file("cyrus.conf"))
            .arg("-p")
            .arg(file("pid"))
            .arg("-D");
        command.env("LD_LIBRARY_PATH", self.programs.libraries());
        // Its services are processes of their own, which end with it.
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        self.master = Some(command.spawn().unwrap());
        let up = until(SOON, || self.imap_answers() && TcpStream::connect(("127.0.0.1", self.port)).is_ok());
        assert!(up, "Cyrus did not start:\n{}", self.log());
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut master) = self.master.take() {
            let group = format!("-{}", master.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            let _ = master.kill();
            master.wait().unwrap();
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("master.log")).unwrap_or_default()
    }

    fn imap_answers(&self) -> bool {
        let Ok(stream) = TcpStream::connect(("127.0.0.1", self.imap_port)) else { return false };
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).is_ok_and(|_| line.starts_with("* OK"))
    }

    fn imap(&self) -> Imap {
        let mut imap = Imap(BufReader::new(TcpStream::connect(("127.0.0.1", self.imap_port)).unwrap()));
        imap.command(&format!("LOGIN {ADMIN} {PASSWORD}"));
        imap
    }

    /// Lets somebody write into a calendar of somebody else's.
    pub fn share(&self, owner: &str, calendar: &str, with: &str) {
        self.imap().command(&format!("SETACL user/{owner}/#calendars/{calendar} {with} {ALL_RIGHTS}"));
    }
}

impl Drop for Cyrus {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The collection of a user's calendars.
pub fn home(user: &str) -> String {
    format!("/dav/calendars/user/{user}/")
}

/// Where a calendar stands for somebody it is shared with: in a home of their own.
pub fn shared(owner: &str, calendar: &str, with: &str) -> String {
    format!("{}{owner}.{calendar}/", home(with))
}

/// An administrator's connection.
struct Imap(BufReader<TcpStream>);

impl Imap {
    fn command(&mut self, command: &str) {
        self.0.get_mut().write_all(format!("a {command}\r\n").as_bytes()).unwrap();
        let mut line = String::new();
        while !line.starts_with("a ") {
            line.clear();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "{command}: Cyrus hung up");
        }
        assert!(line.starts_with("a OK"), "{command}: {line}");
    }
}

/// Cyrus refuses to be root.
fn runs_as() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if user == "root" { "nobody".into() } else { user }
}

/// Gives a folder and all it holds to a user, where that is another one.
fn give(folder: &Path, user: &str) {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let entry = users.lines().find(|line| line.split(':').next() == Some(user));
    let number =
        |at: usize| entry.and_then(|line| line.split(':').nth(at)).and_then(|number| number.parse::<u32>().ok());
    let (Some(owner), Some(group)) = (number(2), number(3)) else { return };
    let mut folders = vec![folder.to_owned()];
    while let Some(path) = folders.pop() {
        chown(&path, Some(owner), Some(group)).unwrap();
        if path.is_dir() {
            folders.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}
