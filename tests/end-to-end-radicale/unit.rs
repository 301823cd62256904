//! The adapter's own tests, which stand beside it.

use std::process::Command;

use crate::python;

#[test]
fn the_adapters_own_tests_pass() {
    let Some(python) = python::with_radicale(python::NEWEST) else { return };
    let tests = python::run(
        Command::new(python)
            .args(["-m", "unittest", "discover", "-s", "tests", "-t", "."])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(python::adapter()),
    );
    let printed = tests.unwrap_or_else(|printed| panic!("{printed}"));
    assert!(printed.contains("OK") && !printed.contains("Ran 0 tests"), "{printed}");
}
