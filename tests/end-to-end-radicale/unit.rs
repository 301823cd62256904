//! The adapter's own tests, which stand beside it, with the newest Radicale and with the oldest.

use std::process::Command;

use crate::python;

fn pass_with(version: &str) {
    let Some(python) = python::with_radicale(version) else { return };
    let tests = python::run(
        Command::new(python)
            .args(["-m", "unittest", "discover", "-s", "tests", "-t", "."])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(python::adapter()),
    );
    let printed = tests.unwrap_or_else(|printed| panic!("{printed}"));
    assert!(printed.contains("OK") && !printed.contains("Ran 0 tests"), "{printed}");
}

#[test]
fn the_adapters_own_tests_pass() {
    pass_with(python::NEWEST);
}

#[test]
fn they_pass_with_radicale_3_1_of_debian_12() {
    pass_with("3.1.8");
}
