//! Other people's files: mirrored exactly, or refused with a reason that is true.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use exact::corpus;
use exact::python::{self, Python};

#[test]
fn other_peoples_files_are_mirrored_exactly_or_refused_truly() {
    let all = match corpus::files::corpora().and_then(|_| Python::start(corpus::SCRIPT)) {
        Ok(_) => corpus::judge_all().unwrap(),
        Err(why) => return python::skip("other people's files", &why),
    };
    println!("{}", corpus::table(&all));
    let wrong: Vec<_> =
        all.iter().flat_map(|(_, verdicts)| verdicts).filter(|verdict| verdict.wrong.is_some()).collect();
    if let Some(first) = wrong.first() {
        panic!("{} wrong, the first: {}: {:?}\n{}", wrong.len(), first.file, first.wrong, first.text);
    }
}
