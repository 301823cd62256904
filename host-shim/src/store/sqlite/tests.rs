use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::*;
use crate::store::{EventRow, read, suite, transact};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn refusal(path: &Path) -> String {
    match SqliteStore::open(path) {
        Err(error @ StoreError::Unusable { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn does_what_every_store_does() {
    let folder = folder();
    let count = std::cell::Cell::new(0);
    suite::run(&|| {
        count.set(count.get() + 1);
        Arc::new(SqliteStore::open(&folder.path().join(format!("{}.db", count.get()))).unwrap())
    });
}

#[test]
fn only_its_owner_can_read_it() {
    let folder = folder();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    store.check().unwrap();
    for name in ["store.db", "store.db-wal", "store.db-shm", "store.db.lock"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_second_process_is_kept_out() {
    let folder = folder();
    let path = folder.path().join("store.db");
    let first = SqliteStore::open(&path).unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::InUse { .. })));
    drop(first);
    SqliteStore::open(&path).unwrap();
}

#[test]
fn what_was_committed_is_there_after_a_crash() {
    let folder = folder();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    for n in 0..50 {
        transact(&store, |tx| tx.put_event(&EventRow::new("a@x.example", &n.to_string(), 0))).unwrap();
    }
    // The files as a killed process leaves them: the write-ahead log not yet folded in.
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for name in ["store.db", "store.db-wal"] {
        std::fs::copy(folder.path().join(name), copy.join(name)).unwrap();
    }
    let reopened = SqliteStore::open(&copy.join("store.db")).unwrap();
    assert_eq!(read(&reopened, |tx| tx.list_events(None, None, 100)).unwrap().len(), 50);
    reopened.verify().unwrap();
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("store.db");

    std::fs::write(&path, "").unwrap();
    assert!(refusal(&path).contains("is empty"));

    std::fs::write(
        &path,
        "a letter to my aunt, which is longer than a hundred octets, because a header of SQLite is. ".repeat(3),
    )
    .unwrap();
    assert!(refusal(&path).contains("not a database"));
    assert!(std::fs::read(&path).unwrap().starts_with(b"a letter"));

    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(refusal(&path).contains("another program"));

    assert!(refusal(&folder.path().join("missing/store.db")).contains("folder exists"));
}

#[test]
fn a_newer_or_damaged_store_is_refused() {
    let folder = folder();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    transact(&store, |tx| {
        for n in 0..200 {
            tx.put_event(&EventRow { text: Some(vec![1; 900]), ..EventRow::new("a@x.example", &n.to_string(), 0) })?;
        }
        Ok(())
    })
    .unwrap();
    drop(store);
    let whole = std::fs::read(&path).unwrap();

    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(refusal(&path).contains("version 99"));

    let mut broken = whole.clone();
    let middle = broken.len() / 2;
    broken[middle..middle + 8_192].fill(0xAA);
    std::fs::write(&path, &broken).unwrap();
    assert!(refusal(&path).contains("damaged"));

    std::fs::write(&path, &whole[..whole.len() - 20_000]).unwrap();
    assert!(refusal(&path).contains("damaged"));

    std::fs::write(&path, &whole).unwrap();
    SqliteStore::open(&path).unwrap();
}

#[test]
fn a_vanished_file_with_its_log_still_there_is_not_replaced() {
    let folder = folder();
    let path = folder.path().join("store.db");
    std::fs::write(folder.path().join("store.db-wal"), "something").unwrap();
    assert!(refusal(&path).contains("store.db-wal"));
    assert!(!path.exists());
}

#[test]
fn an_interrupted_making_is_begun_anew() {
    let folder = folder();
    let path = folder.path().join("store.db");
    std::fs::write(folder.path().join("store.db.new"), "half").unwrap();
    SqliteStore::open(&path).unwrap().check().unwrap();
    assert!(!folder.path().join("store.db.new").exists());
}

#[test]
fn readers_see_one_state_while_another_writes() {
    let folder = folder();
    let store = SqliteStore::open(&folder.path().join("store.db")).unwrap();
    transact(&store, |tx| tx.put_meta("x", "before")).unwrap();
    read(&store, |tx| {
        assert_eq!(tx.meta("x")?.as_deref(), Some("before"));
        transact(&store, |other| other.put_meta("x", "after"))?;
        assert_eq!(tx.meta("x")?.as_deref(), Some("before"));
        Ok(())
    })
    .unwrap();
    assert_eq!(read(&store, |tx| tx.meta("x")).unwrap().as_deref(), Some("after"));
}
