//! Clients that people use, and suites that others wrote to look at a server: through the gateway as past it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::client::PASSWORD;
use crate::python::{self, run};
use crate::radicale::with_teams;
use crate::servers::{Kind, Site};
use crate::world::{SOON, World, until};

const CALDAV: &str = "caldav==3.6.0";
const TESTER: [&str; 3] = [CALDAV, "caldav-server-tester==1.7.0", "vobject==0.9.9"];
const SUITE: [&str; 7] = [
    CALDAV,
    "vobject==0.9.9",
    "pytest==9.2.0",
    "pytest-asyncio==1.5.0",
    "tzlocal==5.4.5",
    "manuel==1.13.0",
    "proxy.py==2.4.10",
];

/// A world in which every first save of an event makes a meeting, so that every text is amended that can be.
fn with_meetings_for_everything(kind: Kind) -> Option<Site> {
    let world = World::signed_in();
    world.run(&["set", "meetings=always", "--server"]);
    Site::with(kind, world, "")
}

/// Runs the same twice at the same time: by Bob past the gateway, and by Alice through it.
fn both<T: Send>(site: &Site, look: impl Fn(&str, &str) -> T + Sync) -> (T, T) {
    std::thread::scope(|scope| {
        let direct = scope.spawn(|| look(site.direct.base(), "bob"));
        let through = look(site.client.base(), "alice");
        (direct.join().unwrap(), through)
    })
}

/// What differs: the name, past the gateway, through it.
fn differences(direct: &BTreeMap<String, String>, through: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = direct.keys().chain(through.keys()).collect();
    let value = |of: &BTreeMap<String, String>, name: &String| of.get(name).cloned().unwrap_or_else(|| "-".into());
    names
        .into_iter()
        .filter(|name| direct.get(*name) != through.get(*name))
        .map(|name| format!("{name}: {} → {}", value(direct, name), value(through, name)))
        .collect()
}

/// What caldav-server-tester finds out about a server: how far it supports each feature that it says anything of.
fn features(python: &Path, url: &str, user: &str, preset: &str) -> BTreeMap<String, String> {
    let output = Command::new(python.with_file_name("caldav-server-tester"))
        .args(["--format", "json", "--caldav-features", preset, "--caldav-url", url])
        .args(["--caldav-username", user, "--caldav-password", PASSWORD])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let begin = printed.find('{').unwrap_or_else(|| panic!("{printed}\n{}", String::from_utf8_lossy(&output.stderr)));
    let found: Value = serde_json::from_str(&printed[begin..]).unwrap_or_else(|error| panic!("{error}\n{printed}"));
    let features = found["features"].as_object().unwrap();
    let known = |feature: &Value| match feature {
        Value::Object(feature) => feature.get("support").or_else(|| feature.get("value")).map(ToString::to_string),
        other => Some(other.to_string()),
    };
    features.iter().map(|(name, feature)| (name.clone(), known(feature).unwrap_or_default())).collect()
}

/// The gateway keeps back the server's ETag of a text that is not the client's (RFC 4791 §5.3.4), so the tester cannot tell whether
/// the server gives one.
const DIFFERENT: [&str; 1] = ["save.etag: - → \"unknown\""];

fn the_tester_finds(kind: Kind, preset: &str) {
    let Some(python) = python::environment("caldav-server-tester", &TESTER) else { return };
    let Some(site) = with_meetings_for_everything(kind) else { return };
    let (direct, through) = both(&site, |base, user| {
        let url = if kind.is_radicale() { format!("{base}/") } else { format!("{base}{}", kind.home(user)) };
        features(&python, &url, user, preset)
    });
    assert!(direct.len() > 15, "{direct:?}");
    assert_eq!(differences(&direct, &through), DIFFERENT);
    assert!(site.world.graph_methods().contains(&"POST".to_owned()), "no event of these was mirrored");
}

#[test]
fn caldav_server_tester_finds_the_same_server_behind_the_gateway_with_radicale() {
    the_tester_finds(Kind::RadicaleByGateway, "radicale");
}

#[test]
fn caldav_server_tester_finds_the_same_server_behind_the_gateway_with_cyrus() {
    the_tester_finds(Kind::CyrusByGateway, "cyrus");
}

/// The suite of python-caldav, which its source package holds: an interpreter that can run it, and its folder.
fn suite() -> Option<(PathBuf, PathBuf)> {
    let python = python::environment("python-caldav-suite", &SUITE)?;
    let fetched = fetched(&python).map_err(|why| python::skip(&format!("python-caldav's suite cannot be had: {why}")));
    Some((python, fetched.ok()?))
}

fn fetched(python: &Path) -> Result<PathBuf, String> {
    let folder = python.ancestors().nth(2).unwrap().join("suite");
    let tests = folder.join(CALDAV.replace("==", "-"));
    if !tests.exists() {
        let fresh = tempfile::tempdir_in(folder.parent().unwrap()).unwrap();
        let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "caldav", CALDAV, "--dest"];
        run(Command::new(python).args(download).arg(fresh.path()))?;
        let archive = std::fs::read_dir(fresh.path()).unwrap().flatten().next().unwrap().path();
        run(Command::new(python).args(["-m", "tarfile", "-e"]).arg(archive).arg(fresh.path()))?;
        // Another run may have been faster.
        let _ = std::fs::rename(fresh.path(), &folder);
    }
    Ok(tests)
}

/// Each test's outcome.
fn outcomes(python: &Path, suite: &Path, server: &str, preset: &str) -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().unwrap();
    run(Command::new("cp").arg("-r").arg(suite.join("tests")).arg(suite.join("pyproject.toml")).arg(dir.path()))
        .unwrap();
    let servers = format!(
        "test-servers:\n  radicale: {{ type: embedded, enabled: false }}\n  xandikos: {{ type: embedded, enabled: false }}\n\
         \x20 site: {{ type: external, enabled: true, {server}, password: {PASSWORD}, features: {preset} }}\n"
    );
    std::fs::write(dir.path().join("tests/caldav_test_servers.yaml"), servers).unwrap();
    let output = Command::new(python)
        .args([
            "-m",
            "pytest",
            "--verbose",
            "--no-header",
            "-W",
            "default",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
        ])
        .args(["-p", "no:cacheprovider", "tests/test_caldav.py", "tests/test_async_integration.py", "-k", "site"])
        .env("PYTHON_CALDAV_TEST_DOCKER", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TMPDIR", dir.path())
        .current_dir(dir.path())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let outcome = |line: &str| {
        let (name, rest) = line.strip_prefix("tests/")?.split_once(' ')?;
        let word = rest.split_whitespace().next().filter(|word| word.chars().all(|c| c.is_ascii_uppercase()))?;
        Some((name.split_once("::")?.1.to_owned(), word.to_owned()))
    };
    let outcomes: BTreeMap<String, String> = printed.lines().filter_map(outcome).collect();
    assert!(outcomes.len() > 100, "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    outcomes
}

#[test]
fn the_suite_of_python_caldav_passes_through_the_gateway_as_past_it() {
    let Some((python, suite)) = suite() else { return };
    let Some(site) = with_meetings_for_everything(Kind::RadicaleByGateway) else { return };
    let (direct, through) =
        both(&site, |base, user| outcomes(&python, &suite, &format!("url: '{base}/', username: {user}"), "radicale"));
    let failed: Vec<&String> =
        direct.iter().filter(|(_, outcome)| *outcome == "FAILED").map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "past the gateway: {failed:?}");
    assert_eq!(differences(&direct, &through), [""; 0]);
    assert!(site.world.graph_methods().contains(&"POST".to_owned()), "no event of these was mirrored");
}

/// vdirsyncer, between a server and a folder.
struct Vdirsyncer {
    dir: tempfile::TempDir,
    program: PathBuf,
}

impl Vdirsyncer {
    fn new(site: &Site, python: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let config = format!(
            "[general]\nstatus_path = \"{}\"\n[pair p]\na = \"local\"\nb = \"remote\"\ncollections = [\"work\"]\n\
             conflict_resolution = \"b wins\"\n[storage local]\ntype = \"filesystem\"\npath = \"{}\"\nfileext = \".ics\"\n\
             [storage remote]\ntype = \"caldav\"\nurl = \"{}\"\nusername = \"alice\"\npassword = \"{PASSWORD}\"\n",
            at("status"),
            at("local"),
            site.client.url(&site.kind.home("alice"))
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
        run(&mut command).unwrap_or_else(|printed| panic!("{printed}"));
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("local/work/v1.ics")
    }
}

fn vdirsyncer(kind: Kind) {
    let Some(python) = python::with_clients() else { return };
    let Some(site) = Site::start(kind) else { return };
    site.calendar("work");
    let syncer = Vdirsyncer::new(&site, &python);
    std::fs::write(syncer.file(), with_teams("v1", "Planning", &["DESCRIPTION:Mine"])).unwrap();
    syncer.run("sync");
    let status = site.settled("v1");
    let link = status.str("join_url");
    assert!(!link.is_empty(), "{}\n{}", status.text, site.log());
    syncer.run("sync");
    let local = std::fs::read_to_string(syncer.file()).unwrap();
    assert!(support::event::unfolded(&local).contains(link), "{local}");
    assert_eq!(site.world.graph_methods(), ["POST"]);
    site.world.sim.clear_requests();
    // And nothing goes back and forth after that.
    syncer.run("sync");
    let changed = local.replace("SUMMARY:Planning", "SUMMARY:Changed there");
    assert_ne!(changed, local);
    std::fs::write(syncer.file(), changed).unwrap();
    syncer.run("sync");
    assert!(until(SOON, || site.world.in_teams()[0]["subject"] == "Changed there"), "{}", site.world.log_tail());
    assert_eq!(site.world.graph_methods(), ["PATCH"]);
    std::fs::remove_file(syncer.file()).unwrap();
    std::fs::write(syncer.file().with_file_name("o1.ics"), support::event::meeting("o1", "Other", &[])).unwrap();
    syncer.run("sync");
    assert!(until(SOON, || site.world.in_teams().is_empty()), "{}", site.world.log_tail());
}

#[test]
fn vdirsyncer_fetches_the_link_at_its_next_sync_from_radicale() {
    vdirsyncer(Kind::RadicaleByGateway);
}

#[test]
fn vdirsyncer_fetches_the_link_at_its_next_sync_from_cyrus() {
    vdirsyncer(Kind::CyrusByGateway);
}
