//! What axe-core finds in a page.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::chromium::{Chromium, skip};

/// Where `npm install --prefix` puts it.
fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("axe/node_modules/axe-core/axe.min.js")
}

/// The program; nothing where it is not installed, which is told.
fn program() -> Option<&'static str> {
    static PROGRAM: OnceLock<Option<String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| std::fs::read_to_string(file()).ok());
    if program.is_none() {
        let prefix = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("axe");
        skip(&format!("axe-core is missing; `npm install --prefix {} axe-core@4` brings it", prefix.display()));
    }
    program.as_deref()
}

/// Asserts that axe finds nothing serious in the page, or in the frame that is looked into.
pub fn assert_nothing_serious(chromium: &Chromium, name: &str) {
    let Some(program) = program() else { return };
    let script = format!(
        "{program};\nconst done = arguments[arguments.length - 1];\n\
         axe.run(document, {{ iframes: false, resultTypes: ['violations'] }})\
         .then(found => done(found.violations), error => done([{{ impact: 'critical', id: String(error), nodes: [] }}]));"
    );
    let found = chromium.evaluate_later(&script);
    let serious: Vec<String> = found
        .as_array()
        .expect("axe gives a list")
        .iter()
        .filter(|violation| violation["impact"] == "serious" || violation["impact"] == "critical")
        .map(|violation| {
            let nodes: Vec<&Value> =
                violation["nodes"].as_array().into_iter().flatten().map(|node| &node["html"]).collect();
            format!("{}: {}", violation["id"], json!(nodes))
        })
        .collect();
    assert!(serious.is_empty(), "{name}: {}", serious.join("\n"));
}
