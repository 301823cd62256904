//! Other people's files: mirrored exactly, or refused with a reason that is true.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use exact::corpus;
use exact::python::{self, Python};
use exact::runner;

#[test]
fn other_peoples_files_are_mirrored_exactly_or_refused_truly() {
    let (corpora, mut python) = match corpus::corpora().and_then(|c| Python::start(corpus::SCRIPT).map(|p| (c, p))) {
        Ok(both) => both,
        Err(why) => return python::skip("other people's files", &why),
    };
    let sim = runner::simulator(1).unwrap();
    let mut all = Vec::new();
    for set in corpora {
        let mut verdicts = Vec::new();
        for file in &set.files {
            verdicts.extend(corpus::judge_file(&sim, &mut python, file).unwrap());
        }
        all.push((set.name, verdicts));
    }
    println!("{}", corpus::table(&all));
    let wrong: Vec<_> =
        all.iter().flat_map(|(_, verdicts)| verdicts).filter(|verdict| verdict.wrong.is_some()).collect();
    if let Some(first) = wrong.first() {
        panic!("{} wrong, the first: {}: {:?}\n{}", wrong.len(), first.file, first.wrong, first.text);
    }
}
