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
    // A judge that excuses much proves nothing, and neither do files of which nothing is mirrored.
    for (name, verdicts) in &all {
        let judged = verdicts.iter().filter(|verdict| verdict.judged).count();
        let mirrored = verdicts.iter().filter(|verdict| verdict.ended.starts_with("mirrored")).count();
        assert!(judged * 100 >= verdicts.len() * 90, "{name}: {judged} judged of {}", verdicts.len());
        assert!(mirrored * 3 >= verdicts.len(), "{name}: {mirrored} mirrored of {}", verdicts.len());
    }
    let wrong: Vec<_> =
        all.iter().flat_map(|(_, verdicts)| verdicts).filter(|verdict| verdict.wrong.is_some()).collect();
    if let Some(first) = wrong.first() {
        panic!("{} wrong, the first: {}: {:?}\n{}", wrong.len(), first.file, first.wrong, first.text);
    }
}
