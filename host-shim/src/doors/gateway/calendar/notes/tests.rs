//! Notes that come and go, and what a killed process leaves.

use super::*;

fn holds(uid: &str, text: &str) -> Step {
    Step {
        account: "alice@test.tld".into(),
        uid: uid.into(),
        object: format!("/alice/work/{uid}.ics"),
        calendar: "/alice/work/".into(),
        text: Some(text.into()),
        ..Step::default()
    }
}

fn of(account: &str, uid: &str) -> Step {
    Step { account: account.into(), gone: true, text: None, ..holds(uid, "") }
}

fn begun(notes: &Notes, steps: Vec<Step>) -> Note {
    notes.begin(Record::of_steps(steps), 0, false).unwrap()
}

fn opened(dir: &tempfile::TempDir) -> Notes {
    let (notes, why) = Notes::open(&dir.path().join("notes"), 10);
    assert_eq!(why, None);
    notes
}

/// The only one that can be told.
fn take(notes: &Notes) -> Note {
    let due = notes.due();
    assert_eq!(due.len(), 1);
    notes.take(&due[0]).unwrap()
}

#[test]
fn what_was_written_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    let mut note =
        notes.begin(Record { change: Some("c".into()), ..Record::of_steps(vec![holds("e1", "x")]) }, 5, true).unwrap();
    note.sent(Sent { text: Some("y".into()), announced: true });
    note.outcome(Outcome::Stored);
    let wanted = note.record().clone();
    assert!(note.trouble().is_none());
    assert!(!notes.wait_about(&wanted.events()), "it goes on");
    // Neither dropped nor done: as a process that is killed.
    std::mem::forget(note);
    let lock = notes.0.lock.as_ref().unwrap().try_clone().unwrap();
    std::mem::forget(notes);
    lock.unlock().unwrap();

    let notes = opened(&dir);
    assert!(notes.wait_about(&wanted.events()));
    let note = take(&notes);
    assert_eq!(note.record(), &wanted);
    assert!(notes.wait_about(&wanted.events()), "it is being told");
    assert!(matches!(notes.begin(wanted.clone(), 0, true), Err(NoteError::Waits)));
    note.done();
    assert_eq!(notes.count(), 0);
    assert_eq!(folder::names(notes.folder()), []);
}

#[test]
fn a_line_that_breaks_off_was_not_written() {
    let text = "{\"begun\":{\"change\":null,\"steps\":[]}}\n{\"outcome\":\"stor";
    assert_eq!(Record::read(text).unwrap(), Some(Record::default()));
    assert_eq!(Record::read("{\"begun\"").unwrap(), None);
    assert!(Record::read("{\"outcome\":\"stored\"}\n").is_err());
    assert!(Record::read("x\n").is_err());
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
        begun(&notes, vec![holds("e1", text)]).outcome(Outcome::Stored);
    }
    // What became of this one is not known, so it overtakes nothing.
    drop(begun(&notes, vec![holds("e1", "4")]));
    assert_eq!((notes.count(), folder::names(notes.folder()).len()), (2, 2));
    let first = take(&notes);
    assert_eq!(first.record().steps, [holds("e1", "3")]);
    assert!(notes.due().is_empty(), "an older one is worked on");
    first.done();
    assert_eq!(take(&notes).record().steps, [holds("e1", "4")]);
}

#[test]
fn events_do_not_wait_for_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    let slow = begun(&notes, vec![holds("e1", "x")]);
    drop(begun(&notes, vec![holds("e2", "x")]));
    drop(begun(&notes, vec![holds("e1", "y"), of("bob@test.tld", "e1")]));
    assert_eq!(take(&notes).record().steps, [holds("e2", "x")]);
    slow.done();
    assert_eq!(notes.due().len(), 2);
}

#[tokio::test]
async fn whoever_waits_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    drop(begun(&notes, vec![holds("e1", "x")]));
    let about = [holds("e1", "").event()];
    assert!(!notes.told(&about, Duration::from_millis(10)).await);
    let waiting = tokio::spawn({
        let (notes, about) = (notes.clone(), about.clone());
        async move { notes.told(&about, Duration::from_secs(20)).await }
    });
    tokio::task::yield_now().await;
    take(&notes).done();
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn one_that_could_not_be_told_waits() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    drop(begun(&notes, vec![holds("e1", "x")]));
    take(&notes).wait_longer();
    assert!(notes.due().is_empty());
    let about = [holds("e1", "").event()];
    assert!(notes.wait_about(&about));
    assert!(!notes.told(&about, Duration::from_millis(1)).await, "nobody waits for it in vain");
    assert!(
        notes.index().is_put_off(&about, Duration::ZERO) && !notes.index().is_put_off(&about, Duration::from_secs(2))
    );
}

#[test]
fn nobody_takes_the_others_room() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    let held: Vec<Note> = (0..5).map(|n| begun(&notes, vec![holds(&format!("e{n}"), "x")])).collect();
    let refused = notes.begin(Record::of_steps(vec![holds("e5", "x")]), 0, false).err().unwrap();
    assert!(matches!(refused, NoteError::ShareFull(5, _)), "{refused}");
    drop(begun(&notes, vec![of("bob@test.tld", "e1")]));
    assert_eq!(notes.count(), 6);
    drop(held);
}

#[test]
fn one_process_works_on_a_folder_and_others_remember() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    let mode = notes.folder().metadata().unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o700);
    let (other, why) = Notes::open(notes.folder(), 10);
    assert!(why.unwrap().contains("another gateway"));
    let mut note = begun(&other, vec![holds("e1", "x")]);
    note.outcome(Outcome::Stored);
    let wanted = note.record().clone();
    drop(note);
    assert_eq!(folder::names(notes.folder()), []);
    let note = take(&other);
    assert_eq!(note.record(), &wanted);
    note.done();
    assert_eq!(other.count(), 0);
}

#[test]
fn what_was_looked_at_before_a_newer_save_is_not_told_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let notes = opened(&dir);
    let older = begun(&notes, vec![holds("e1", "x")]);
    begun(&notes, vec![holds("e1", "y")]).done();
    older.leave_unless_overtaken();
    assert_eq!((notes.count(), folder::names(notes.folder()).len()), (0, 0));
    begun(&notes, vec![holds("e1", "x")]).leave_unless_overtaken();
    assert_eq!(take(&notes).record().steps, [holds("e1", "x")]);
}
