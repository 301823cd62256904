//! Notes that come and go, and what a killed process leaves.

use super::*;

fn holds(object: &str, text: &str) -> Step {
    Step::Holds {
        account: "alice@test.tld".into(),
        uid: "e1".into(),
        object: object.into(),
        calendar: "/alice/work/".into(),
        calendar_name: None,
        text: Some(text.into()),
        import: false,
    }
}

fn gone(account: &str, object: &str) -> Step {
    Step::Gone { account: account.into(), uid: "e1".into(), object: object.into() }
}

fn record(steps: Vec<Step>) -> Record {
    Record { steps, ..Record::default() }
}

fn opened(dir: &tempfile::TempDir) -> Notes {
    Notes::open(&dir.path().join("notes"), 10).unwrap()
}

fn take(notes: &Notes) -> Note {
    notes.take("alice@test.tld").unwrap()
}

#[test]
fn what_was_written_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    let mut note = notes.begin(Record { change: Some("c".into()), ..record(vec![holds("/a", "x")]) }, 5).unwrap();
    note.sent(Sent { text: Some("y".into()), announced: true }).unwrap();
    note.outcome(Outcome::Stored).unwrap();
    let wanted = note.record().clone();
    assert!(!notes.wait_for(&["alice@test.tld".into()]), "somebody works on it");
    // Neither dropped nor done: as a process that is killed.
    std::mem::forget(note);
    let lock = notes.0._lock.try_clone().unwrap();
    std::mem::forget(notes);
    lock.unlock().unwrap();

    let notes = opened(&dir);
    assert_eq!(notes.due(), ["alice@test.tld"]);
    let note = take(&notes);
    assert_eq!(note.record(), &wanted);
    note.done();
    assert_eq!(notes.count(), 0);
    assert_eq!(folder::names(notes.folder()), []);
}

#[test]
fn a_line_that_breaks_off_was_not_written() {
    let text = "{\"begun\":{\"change\":null,\"steps\":[]}}\n{\"outcome\":\"stor";
    assert_eq!(Record::of(text).unwrap(), Some(Record::default()));
    assert_eq!(Record::of("{\"begun\"").unwrap(), None);
    assert!(Record::of("{\"outcome\":\"stored\"}\n").is_err());
    assert!(Record::of("x\n").is_err());
}

#[test]
fn what_cannot_be_read_is_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    drop(opened(&dir));
    std::fs::write(dir.path().join("notes/00000000000000000001.note"), "x\n").unwrap();
    std::fs::write(dir.path().join("notes/00000000000000000002.note"), "{\"begun\"").unwrap();
    let notes = opened(&dir);
    assert_eq!(notes.count(), 0);
    assert!(dir.path().join("notes/00000000000000000001.note.unreadable").exists());
    assert!(!dir.path().join("notes/00000000000000000002.note").exists(), "the server never saw what it was about");
}

#[test]
fn of_one_object_the_newest_waits() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    for text in ["1", "2", "3"] {
        let mut note = notes.begin(record(vec![holds("/a", text)]), 0).unwrap();
        note.outcome(Outcome::Stored).unwrap();
    }
    // What became of this one is not known, so it overtakes nothing.
    drop(notes.begin(record(vec![holds("/a", "4")]), 0).unwrap());
    assert_eq!(notes.count(), 2);
    let first = take(&notes);
    assert_eq!(first.record().steps, [holds("/a", "3")]);
    assert!(notes.take("alice@test.tld").is_none(), "an older one is worked on");
    first.done();
    assert_eq!(take(&notes).record().steps, [holds("/a", "4")]);
}

#[test]
fn a_note_of_two_accounts_waits_for_the_older_ones_of_both() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    drop(notes.begin(record(vec![gone("bob@test.tld", "/b")]), 0).unwrap());
    drop(notes.begin(record(vec![holds("/a", "x"), gone("bob@test.tld", "/c")]), 0).unwrap());
    assert!(notes.take("alice@test.tld").is_none());
    notes.take("bob@test.tld").unwrap().done();
    take(&notes).done();
    assert_eq!(notes.count(), 0);
}

#[test]
fn one_that_could_not_be_told_waits() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    drop(notes.begin(record(vec![holds("/a", "x")]), 0).unwrap());
    take(&notes).wait_longer();
    assert!(notes.take("alice@test.tld").is_none() && notes.due().is_empty());
    assert!(notes.wait_for(&["alice@test.tld".into()]));
}

#[test]
fn nobody_takes_the_others_room() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    let mut held = Vec::new();
    for n in 0..5 {
        held.push(notes.begin(record(vec![holds(&format!("/{n}"), "x")]), 0).unwrap());
    }
    assert!(matches!(notes.begin(record(vec![holds("/5", "x")]), 0), Err(NoteError::ShareFull(5, _))));
    held.push(notes.begin(record(vec![gone("bob@test.tld", "/b")]), 0).unwrap());
    assert_eq!(notes.count(), 6);
}

#[test]
fn one_process_works_on_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    let refused = Notes::open(notes.folder(), 10).err().unwrap();
    assert!(refused.contains("another gateway"), "{refused}");
    let mode = notes.folder().metadata().unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o700);
}
