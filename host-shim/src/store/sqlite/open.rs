//! The file itself: its lock, its making, its identity, its settings, its version.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};

use crate::store::StoreError;

/// "tmir": how the file says whose it is.
const APPLICATION_ID: i32 = 0x746d_6972;

/// One transaction each, in order; the number of the last one is the file's version.
const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/0001_rows.sql"),
    include_str!("migrations/0002_leaving.sql"),
    include_str!("migrations/0003_calendars.sql"),
    include_str!("migrations/0004_watching.sql"),
];

/// Below this size the file is read for damage at every start; a large one only by `doctor`, because it takes seconds.
const CHECK_BELOW_BYTES: u64 = 32 << 20;

/// Never created by opening: a store that vanished is not to be replaced by an empty one.
const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Takes the lock that keeps a second process out.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let lock = beside(path, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&lock)
        .map_err(|e| unusable(path, cannot(&lock, &e)))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.display().to_string() }),
        Err(TryLockError::Error(e)) => Err(unusable(path, cannot(&lock, &e))),
    }
}

/// Makes an empty store under another name and moves it into place whole, so that a file of the store's name is always a
/// complete store and an incomplete one is always damage.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    let io = |e: io::Error| match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full(e.to_string()),
        _ => unusable(path, cannot(path, &e)),
    };
    for left_over in ["-wal", "-shm"] {
        let file = beside(path, left_over);
        if file.exists() {
            let why = format!(
                "the file is gone but `{}` is still there; restore both from a backup, or move that one away to begin anew",
                file.display()
            );
            return Err(unusable(path, why));
        }
    }
    let new = beside(path, ".new");
    for suffix in ["", "-journal"] {
        match std::fs::remove_file(beside(&new, suffix)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io(e)),
            _ => {}
        }
    }
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new).map_err(io)?;
    {
        let mut connection = Connection::open_with_flags(&new, FLAGS).map_err(|e| failed(path, e))?;
        let made = connection
            .execute_batch("PRAGMA page_size = 8192; PRAGMA synchronous = FULL;")
            .and_then(|()| migrate(&mut connection, 0));
        made.map_err(|e| failed(path, e))?;
    }
    std::fs::rename(&new, path).map_err(io)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(io)
}

/// Opens the one connection that writes, after making sure that the file is a store this program can use.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    let err = |e| failed(path, e);
    let size = std::fs::metadata(path).map_err(|e| unusable(path, cannot(path, &e)))?.len();
    if size == 0 {
        return Err(unusable(path, "it is empty; restore it from a backup, or move it away to begin anew".into()));
    }
    let mut connection = Connection::open_with_flags(path, FLAGS).map_err(err)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(err)?;
    let identity: i32 = connection.pragma_query_value(None, "application_id", |r| r.get(0)).map_err(err)?;
    if identity != APPLICATION_ID {
        let why = "it is a database of another program; name another file, or move this one away".into();
        return Err(unusable(path, why));
    }
    if connection.is_readonly(MAIN_DB).map_err(err)? {
        return Err(unusable(path, "it cannot be written; give this user write access to it and to its folder".into()));
    }
    let version: i64 = connection.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(err)?;
    let Some(known) = usize::try_from(version).ok().filter(|v| (1..=MIGRATIONS.len()).contains(v)) else {
        let why = format!(
            "it has version {version} and this program knows versions 1 to {}; use the newer program, or restore the \
             backup made before it was installed",
            MIGRATIONS.len()
        );
        return Err(unusable(path, why));
    };
    if size < CHECK_BELOW_BYTES {
        quick_check(&connection, path)?;
    }
    settings(&connection).map_err(err)?;
    migrate(&mut connection, known).map_err(err)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let err = |e| failed(path, e);
    let connection = Connection::open_with_flags(path, FLAGS).map_err(err)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(err)?;
    settings(&connection).and_then(|()| connection.pragma_update(None, "query_only", true)).map_err(err)?;
    Ok(connection)
}

/// Reads the whole file for damage.
pub(super) fn quick_check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).map_err(|e| failed(path, e))?;
    if found == "ok" {
        return Ok(());
    }
    Err(damaged(path, &found))
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

fn migrate(connection: &mut Connection, from: usize) -> rusqlite::Result<()> {
    for (version, sql) in (1_i32..).zip(MIGRATIONS).skip(from) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// An error of SQLite as one of the store's.
pub(super) fn failed(path: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(error.to_string()),
        Some(ErrorCode::NotADatabase) => {
            unusable(path, "it is not a database; name another file, or move this one away".into())
        }
        Some(ErrorCode::DatabaseCorrupt) => damaged(path, &error.to_string()),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            unusable(path, format!("{error}; give this user read and write access to it and to its folder"))
        }
        _ => StoreError::Failed(error.to_string()),
    }
}

fn damaged(path: &Path, what: &str) -> StoreError {
    let why = format!("it is damaged ({what}); stop the program, keep a copy, and restore it from a backup");
    unusable(path, why)
}

fn unusable(path: &Path, why: String) -> StoreError {
    StoreError::Unusable { path: path.display().to_string(), why }
}

fn cannot(path: &Path, error: &io::Error) -> String {
    format!("`{}` cannot be opened: {error}; check that the folder exists and belongs to this user", path.display())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    name.into()
}
