//! Clients that people use.

use std::process::Command;

use crate::python;
use crate::radicale::{Radicale, SOON, with_teams};
use crate::saves::wired;
use crate::world::until;

/// python-caldav makes a calendar, saves, reads, changes and deletes. Prints what it read after each step.
const CALDAV: &str = r#"
import sys, caldav
url, text = sys.argv[1:]
with caldav.DAVClient(url=url, username="alice", password="pw") as client:
    calendar = client.principal().make_calendar(name="Work")
    calendar.save_event(text)
    found = calendar.event_by_uid("c1")
    print(found.data)
    print("--")
    found.data = found.data.replace("SUMMARY:Planning", "SUMMARY:Planning again")
    found.save()
    print(calendar.event_by_uid("c1").data)
    print("--")
    if "delete" in sys.stdin.read():
        calendar.event_by_uid("c1").delete()
        print(len(calendar.events()))
"#;

fn caldav(radicale: &Radicale, python: &std::path::Path, text: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new(python)
        .args(["-c", CALDAV, &radicale.url("/"), text])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"delete").unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}\n{}", radicale.log());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn python_caldav_saves_changes_and_deletes() {
    let Some((world, radicale)) = wired() else { return };
    let Some(python) = python::with_clients() else { return };
    let printed = caldav(&radicale, &python, &with_teams("c1", "Planning", &[]));
    let steps: Vec<String> = printed.split("--\n").map(support::event::unfolded).collect();
    assert!(steps[0].contains("https://teams.microsoft.com/l/meetup-join/"), "{printed}");
    assert!(steps[1].contains("SUMMARY:Planning again") && steps[1].contains("meetup-join"), "{printed}");
    assert_eq!(steps[2].trim(), "0", "{printed}");
    assert!(until(SOON, || world.in_teams().is_empty()), "{}", world.log_tail());
    let mut methods = world.graph_methods();
    methods.dedup();
    // The change may be overtaken by the delete before it is sent.
    assert!(methods == ["POST", "PATCH", "DELETE"] || methods == ["POST", "DELETE"], "{methods:?}");
}

/// vdirsyncer, between Radicale and a folder.
struct Vdirsyncer {
    dir: tempfile::TempDir,
    program: std::path::PathBuf,
}

impl Vdirsyncer {
    fn new(radicale: &Radicale, python: &std::path::Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let config = format!(
            "[general]\nstatus_path = \"{}\"\n[pair p]\na = \"local\"\nb = \"remote\"\ncollections = [\"work\"]\n\
             conflict_resolution = \"b wins\"\n[storage local]\ntype = \"filesystem\"\npath = \"{}\"\nfileext = \".ics\"\n\
             [storage remote]\ntype = \"caldav\"\nurl = \"{}\"\nusername = \"alice\"\npassword = \"pw\"\n",
            at("status"),
            at("local"),
            radicale.url("/alice/")
        );
        std::fs::write(dir.path().join("config"), config).unwrap();
        std::fs::create_dir_all(dir.path().join("local/work")).unwrap();
        let syncer = Self { dir, program: python.with_file_name("vdirsyncer") };
        syncer.run("discover");
        syncer
    }

    fn run(&self, what: &str) {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(self.dir.path().join("config")).arg(what);
        python::run(&mut command).unwrap_or_else(|printed| panic!("{printed}"));
    }

    fn file(&self) -> std::path::PathBuf {
        self.dir.path().join("local/work/v1.ics")
    }
}

#[test]
fn vdirsyncer_fetches_the_link_at_its_next_sync() {
    let Some((world, radicale)) = wired() else { return };
    let Some(python) = python::with_clients() else { return };
    let syncer = Vdirsyncer::new(&radicale, &python);
    std::fs::write(syncer.file(), with_teams("v1", "Planning", &["DESCRIPTION:Mine"])).unwrap();
    syncer.run("sync");
    let status = world.settled("v1");
    let link = status.str("join_url");
    assert!(!link.is_empty(), "{}\n{}", status.text, radicale.log());
    syncer.run("sync");
    let local = std::fs::read_to_string(syncer.file()).unwrap();
    assert!(support::event::unfolded(&local).contains(link), "{local}");
    assert_eq!(world.graph_methods(), ["POST"]);
    world.sim.clear_requests();
    // And nothing goes back and forth after that.
    syncer.run("sync");
    let changed = local.replace("SUMMARY:Planning", "SUMMARY:Changed there");
    assert_ne!(changed, local);
    std::fs::write(syncer.file(), changed).unwrap();
    syncer.run("sync");
    assert!(until(SOON, || world.in_teams()[0]["subject"] == "Changed there"), "{}", world.log_tail());
    assert_eq!(world.graph_methods(), ["PATCH"]);
    std::fs::remove_file(syncer.file()).unwrap();
    std::fs::write(syncer.file().with_file_name("other.ics"), support::event::meeting("o1", "Other", &[])).unwrap();
    syncer.run("sync");
    assert!(until(SOON, || world.in_teams().is_empty()), "{}", world.log_tail());
}
