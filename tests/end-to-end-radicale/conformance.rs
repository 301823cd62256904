//! The conformance kit for adapters: it finds Radicale with the adapter in order, and its stand-in answers as the real hook API.
//! That it finds broken adapters out, its own tests show.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::python;
use crate::radicale::{Radicale, Setup, free_port};
use crate::world::{ALICE, World};

/// What Radicale does not have, or nobody can make it do: representations in the answer to a PUT, another UID in an event's place,
/// copies under the same UID, changes of its own, drafts.
const NOT_RADICALES: [&str; 7] = ["SAVE-11", "DEL-4", "COPY-1", "WHO-4", "DRAFT-1", "DRAFT-2", "DRAFT-3"];

fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters/conformance")
}

/// The script, with any Python: it needs nothing but the standard library.
fn script() -> Option<Command> {
    let python = python::with_radicale(python::NEWEST)?;
    let mut command = Command::new(python);
    command.arg(kit().join("conformance.py")).env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    Some(command)
}

#[test]
fn radicale_with_the_adapter_conforms() {
    let Some(mut script) = script() else { return };
    let world = World::signed_in();
    let hook = format!("127.0.0.1:{}", free_port());
    let adapter = format!("hook = http://{hook}\npatience = 3");
    let Some(radicale) = Radicale::set_up(&world, Setup { adapter, ..Setup::default() }) else { return };
    for (path, user) in [("/alice/work/", "alice"), ("/alice/home/", "alice"), ("/secretary/work/", "secretary")] {
        radicale.calendar(path, user);
    }
    let looked = script
        .args(["--listen", &hook, "--caldav", &radicale.url(""), "--user", "alice:pw", "--calendar", "/alice/work/"])
        .args(["--second-calendar", "/alice/home/", "--guest", "bob:pw", "--delegate", "secretary:pw"])
        .args(["--delegate-calendar", "/secretary/work/", "--import-path", "/alice/{name}/", "--account", ALICE])
        .args(["--restart-command", &radicale.restart_command(), "--patience", "3", "--json", "--secret-file"])
        .arg(radicale.dir.path().join("secret"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&looked.stderr);
    let report: serde_json::Value = serde_json::from_slice(&looked.stdout)
        .unwrap_or_else(|e| panic!("{e}: {said}\n{}", String::from_utf8_lossy(&looked.stdout)));
    let requirements = report["requirements"].as_array().unwrap();
    let those = |outcome: &str| -> Vec<&serde_json::Value> {
        requirements.iter().filter(|one| one["outcome"] == outcome).collect()
    };
    assert!(those("broken").is_empty(), "{:#?}\n{}", those("broken"), radicale.log());
    assert!(those("not-looked-at").is_empty(), "{:#?}", those("not-looked-at"));
    let apart: Vec<&str> = those("not-applicable").iter().filter_map(|one| one["id"].as_str()).collect();
    assert!(apart.iter().all(|id| NOT_RADICALES.contains(id)), "{:#?}", those("not-applicable"));
    assert_eq!(those("holds").len() + NOT_RADICALES.len(), requirements.len());
    assert!(looked.status.success(), "{said}");
    assert!(world.graph_methods().is_empty(), "the stand-in asks nobody: {:?}", world.graph_methods());
}

#[test]
fn the_stand_in_answers_as_the_real_hook_api() {
    let Some(mut script) = script() else { return };
    let world = World::signed_in();
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), world.secret.trim()).unwrap();
    let compared = python::run(
        script.args(["--compare", world.hook.base(), "--account", ALICE, "--secret-file"]).arg(secret.path()),
    );
    let printed = compared.unwrap_or_else(|printed| panic!("{printed}"));
    assert!(printed.contains(" calls, 0 answered otherwise by the stand-in"), "{printed}");
    assert!(printed.matches('✓').count() > 60, "{printed}");
}

fn its_tests_pass(modules: &[&str]) {
    let Some(python) = python::with_radicale(python::NEWEST) else { return };
    let tests = python::run(
        Command::new(python)
            .args(["-m", "unittest"])
            .args(modules)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("TEAMS_MIRROR_REQUIRE_ALL", "1")
            .current_dir(kit()),
    );
    let printed = tests.unwrap_or_else(|printed| panic!("{printed}"));
    assert!(printed.contains("OK") && !printed.contains("Ran 0 tests") && !printed.contains("skipped"), "{printed}");
}

#[test]
fn adapters_broken_on_purpose_are_found_out() {
    its_tests_pass(&["tests.test_radicale"]);
}

#[test]
fn the_kits_own_tests_pass() {
    its_tests_pass(&["tests.test_texts", "tests.test_standin", "tests.test_protocol", "tests.test_toy"]);
}
