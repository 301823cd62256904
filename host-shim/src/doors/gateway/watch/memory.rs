//! What the watcher remembers from one look to the next: a small SQLite file beside the notes.
//!
//! It is a memory and no record: what is lost of it is found out again from the server and the hook. So it need not survive a
//! power cut to the last write, and where it is damaged it is put aside and begun anew.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

/// The file's name in the folder of the notes.
const FILE: &str = "watch.sqlite";

/// The layout below; a file of another one is begun anew.
const VERSION: i32 = 1;

const LAYOUT: &str = "
    -- How an account was looked at last.
    CREATE TABLE accounts (
        account TEXT PRIMARY KEY, turned_on TEXT NOT NULL, terms TEXT NOT NULL, whole_at INTEGER NOT NULL, doubted_at INTEGER
    ) STRICT, WITHOUT ROWID;
    -- Its calendars, each with where the next question to the server begins.
    CREATE TABLE calendars (
        account TEXT NOT NULL, path TEXT NOT NULL, ctag TEXT NOT NULL, token TEXT NOT NULL, PRIMARY KEY (account, path)
    ) STRICT, WITHOUT ROWID;
    -- What is in them.
    CREATE TABLE objects (
        account TEXT NOT NULL, path TEXT NOT NULL, calendar TEXT NOT NULL, etag TEXT NOT NULL, uid TEXT, told TEXT, state TEXT NOT NULL,
        PRIMARY KEY (account, path)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX objects_of_calendar ON objects (account, calendar);
";

/// Why the memory cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the watcher's memory, `{path}`, cannot be used: {why}")]
pub(crate) struct MemoryError {
    path: String,
    why: String,
}

/// How an object stands with the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As the server holds it, it was told, or is not to be told: no event, somebody else's, refused.
    Told,
    /// From before the turning on; it is left alone until it is saved again.
    Older,
    /// Outside the window; it is told when its time comes.
    Later,
    /// It has to be looked at again.
    Again,
}

impl Standing {
    fn name(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Older => "older",
            Self::Later => "later",
            Self::Again => "again",
        }
    }

    fn from_name(name: &str) -> Self {
        [Self::Told, Self::Older, Self::Later].into_iter().find(|known| known.name() == name).unwrap_or(Self::Again)
    }
}

/// An object of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectRow {
    /// Its path.
    pub(crate) path: String,
    /// The ETag it had when it was looked at.
    pub(crate) etag: String,
    /// Whose event it was then, where it was one.
    pub(crate) uid: Option<String>,
    /// SHA-256 of the text that the hook keeps of it; `None`: it keeps nothing.
    pub(crate) told: Option<String>,
    /// How it stands.
    pub(crate) standing: Standing,
}

/// A calendar all of whose members are remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CalendarRow {
    /// Its path.
    pub(crate) path: String,
    /// What changes with anything in it; empty where the server tells none.
    pub(crate) ctag: String,
    /// Where the next question begins; empty where the server cannot say what changed.
    pub(crate) token: String,
}

/// How an account was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AccountRow {
    /// The moment of turning on that `Older` refers to.
    pub(crate) turned_on: String,
    /// The settings of the last whole look.
    pub(crate) terms: String,
    /// When that was, Unix milliseconds.
    pub(crate) whole_at: i64,
    /// Since when so much is missing that it is not believed yet.
    pub(crate) doubted_at: Option<i64>,
}

/// The memory; cheap to clone.
#[derive(Clone)]
pub(crate) struct Memory {
    connection: Arc<Mutex<Connection>>,
    path: Arc<PathBuf>,
}

impl Memory {
    /// Opens the file in a folder, or makes it. What is damaged, or of another version, is begun anew.
    pub(crate) fn open(folder: &Path) -> Result<Self, MemoryError> {
        let path = folder.join(FILE);
        let connection = match open(&path) {
            Ok(connection) => connection,
            Err(error) => {
                let aside = folder.join(format!("{FILE}.damaged"));
                tracing::warn!(%error, "the watcher's memory is damaged; it is put aside as `{}` and begun anew", aside.display());
                for ending in ["-wal", "-shm"] {
                    let _ = std::fs::remove_file(folder.join(format!("{FILE}{ending}")));
                }
                std::fs::rename(&path, &aside)
                    .map_err(|e| e.to_string())
                    .and_then(|()| open(&path).map_err(|e| e.to_string()))
                    .map_err(|why| MemoryError { path: path.display().to_string(), why })?
            }
        };
        Ok(Self { connection: Arc::new(Mutex::new(connection)), path: Arc::new(path) })
    }

    /// Does something in one transaction, where it delays no request.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, MemoryError> {
        let connection = Arc::clone(&self.connection);
        let done = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction()?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok::<_, rusqlite::Error>(value)
        });
        let why = match done.await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Err(MemoryError { path: self.path.display().to_string(), why })
    }

    /// The accounts that were looked at.
    pub(crate) async fn accounts(&self) -> Result<Vec<String>, MemoryError> {
        self.with(|tx| tx.prepare_cached("SELECT account FROM accounts")?.query_map([], |row| row.get(0))?.collect())
            .await
    }

    /// How an account was looked at; `None`: never, or not to the end.
    pub(crate) async fn account(&self, account: &str) -> Result<Option<AccountRow>, MemoryError> {
        let account = account.to_owned();
        self.with(move |tx| {
            tx.prepare_cached("SELECT turned_on, terms, whole_at, doubted_at FROM accounts WHERE account = ?1")?
                .query_row([account], |row| {
                    Ok(AccountRow {
                        turned_on: row.get(0)?,
                        terms: row.get(1)?,
                        whole_at: row.get(2)?,
                        doubted_at: row.get(3)?,
                    })
                })
                .optional()
        })
        .await
    }

    /// Remembers how an account was looked at.
    pub(crate) async fn put_account(&self, account: &str, row: AccountRow) -> Result<(), MemoryError> {
        let account = account.to_owned();
        self.with(move |tx| {
            tx.prepare_cached(
                "INSERT OR REPLACE INTO accounts (account, turned_on, terms, whole_at, doubted_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![account, row.turned_on, row.terms, row.whole_at, row.doubted_at])
            .map(drop)
        })
        .await
    }

    /// Forgets what was looked at of an account.
    pub(crate) async fn forget(&self, account: &str) -> Result<(), MemoryError> {
        let account = account.to_owned();
        self.with(move |tx| {
            for table in ["accounts", "calendars", "objects"] {
                tx.prepare_cached(&format!("DELETE FROM {table} WHERE account = ?1"))?.execute([&account])?;
            }
            Ok(())
        })
        .await
    }

    /// An account's calendars.
    pub(crate) async fn calendars(&self, account: &str) -> Result<HashMap<String, CalendarRow>, MemoryError> {
        let account = account.to_owned();
        self.with(move |tx| {
            tx.prepare_cached("SELECT path, ctag, token FROM calendars WHERE account = ?1")?
                .query_map([account], |row| {
                    let row = CalendarRow { path: row.get(0)?, ctag: row.get(1)?, token: row.get(2)? };
                    Ok((row.path.clone(), row))
                })?
                .collect()
        })
        .await
    }

    /// All members of a calendar are remembered as they were at this token.
    pub(crate) async fn put_calendar(&self, account: &str, row: CalendarRow) -> Result<(), MemoryError> {
        let account = account.to_owned();
        self.with(move |tx| {
            tx.prepare_cached("INSERT OR REPLACE INTO calendars (account, path, ctag, token) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![account, row.path, row.ctag, row.token])
                .map(drop)
        })
        .await
    }

    /// Forgets a calendar with all in it.
    pub(crate) async fn forget_calendar(&self, account: &str, calendar: &str) -> Result<(), MemoryError> {
        let (account, calendar) = (account.to_owned(), calendar.to_owned());
        self.with(move |tx| {
            tx.prepare_cached("DELETE FROM calendars WHERE account = ?1 AND path = ?2")?
                .execute([&account, &calendar])?;
            tx.prepare_cached("DELETE FROM objects WHERE account = ?1 AND calendar = ?2")?
                .execute([&account, &calendar])
                .map(drop)
        })
        .await
    }

    /// What is in a calendar, by path.
    pub(crate) async fn objects(
        &self,
        account: &str,
        calendar: &str,
    ) -> Result<HashMap<String, ObjectRow>, MemoryError> {
        let (account, calendar) = (account.to_owned(), calendar.to_owned());
        self.with(move |tx| {
            tx.prepare_cached("SELECT path, etag, uid, told, state FROM objects WHERE account = ?1 AND calendar = ?2")?
                .query_map([account, calendar], |row| {
                    let state: String = row.get(4)?;
                    let row = ObjectRow {
                        path: row.get(0)?,
                        etag: row.get(1)?,
                        uid: row.get(2)?,
                        told: row.get(3)?,
                        standing: Standing::from_name(&state),
                    };
                    Ok((row.path.clone(), row))
                })?
                .collect()
        })
        .await
    }

    /// How many objects of an account stand so.
    pub(crate) async fn number(&self, account: &str, standing: Standing) -> Result<usize, MemoryError> {
        let account = account.to_owned();
        self.with(move |tx| {
            tx.prepare_cached("SELECT count(*) FROM objects WHERE account = ?1 AND state = ?2")?
                .query_row(params![account, standing.name()], |row| row.get::<_, i64>(0))
                .map(|count| usize::try_from(count).unwrap_or(0))
        })
        .await
    }

    /// Remembers objects of a calendar.
    pub(crate) async fn put_objects(
        &self,
        account: &str,
        calendar: &str,
        rows: Vec<ObjectRow>,
    ) -> Result<(), MemoryError> {
        if rows.is_empty() {
            return Ok(());
        }
        let (account, calendar) = (account.to_owned(), calendar.to_owned());
        self.with(move |tx| {
            let mut put = tx.prepare_cached(
                "INSERT OR REPLACE INTO objects (account, path, calendar, etag, uid, told, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            rows.iter().try_for_each(|row| {
                put.execute(params![account, row.path, calendar, row.etag, row.uid, row.told, row.standing.name()]).map(drop)
            })
        })
        .await
    }

    /// Forgets objects.
    pub(crate) async fn forget_objects(&self, account: &str, paths: Vec<String>) -> Result<(), MemoryError> {
        if paths.is_empty() {
            return Ok(());
        }
        let account = account.to_owned();
        self.with(move |tx| {
            let mut forget = tx.prepare_cached("DELETE FROM objects WHERE account = ?1 AND path = ?2")?;
            paths.iter().try_for_each(|path| forget.execute([&account, path]).map(drop))
        })
        .await
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // The other files are made with the mode of this one.
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    if let Err(error) = std::fs::set_permissions(path, private) {
        tracing::warn!(%error, "`{}` cannot be kept from others", path.display());
    }
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF;")?;
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != VERSION {
        let tables: Vec<String> = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let transaction = connection.transaction()?;
        for table in tables {
            transaction.execute_batch(&format!("DROP TABLE \"{}\"", table.replace('"', "\"\"")))?;
        }
        transaction.execute_batch(LAYOUT)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
    }
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(path: &str, standing: Standing) -> ObjectRow {
        ObjectRow { path: path.into(), etag: "\"1\"".into(), uid: Some("u".into()), told: Some("5".into()), standing }
    }

    #[tokio::test]
    async fn what_is_remembered_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let row = AccountRow { turned_on: "t".into(), terms: "x".into(), whole_at: 5, doubted_at: Some(6) };
        let calendar = CalendarRow { path: "/a/c/".into(), ctag: "1".into(), token: "t".into() };
        let objects = vec![object("/a/c/1", Standing::Told), object("/a/c/2", Standing::Older)];
        {
            let memory = Memory::open(folder.path()).unwrap();
            memory.put_account("a@x", row.clone()).await.unwrap();
            memory.put_calendar("a@x", calendar.clone()).await.unwrap();
            memory.put_objects("a@x", "/a/c/", objects.clone()).await.unwrap();
            memory.put_objects("b@x", "/a/c/", vec![object("/a/c/1", Standing::Later)]).await.unwrap();
        }
        let memory = Memory::open(folder.path()).unwrap();
        assert_eq!(memory.account("a@x").await.unwrap(), Some(row));
        assert_eq!(memory.calendars("a@x").await.unwrap().get("/a/c/"), Some(&calendar));
        let there = memory.objects("a@x", "/a/c/").await.unwrap();
        assert_eq!((there.len(), there.get("/a/c/2")), (2, objects.get(1)));
        assert_eq!(memory.number("a@x", Standing::Older).await.unwrap(), 1);
        memory.forget_objects("a@x", vec!["/a/c/2".into()]).await.unwrap();
        assert_eq!(memory.number("a@x", Standing::Older).await.unwrap(), 0);
        memory.forget("a@x").await.unwrap();
        assert!(
            memory.objects("a@x", "/a/c/").await.unwrap().is_empty() && memory.accounts().await.unwrap().is_empty()
        );
        assert_eq!(memory.objects("b@x", "/a/c/").await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_is_damaged_or_of_another_version_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), b"this is no database, whatever its name says").unwrap();
        let memory = Memory::open(folder.path()).unwrap();
        assert!(memory.accounts().await.unwrap().is_empty());
        assert!(folder.path().join("watch.sqlite.damaged").exists());
        memory.put_account("a@x", AccountRow::default()).await.unwrap();
        drop(memory);
        let other = Connection::open(folder.path().join(FILE)).unwrap();
        other.pragma_update(None, "user_version", 99).unwrap();
        drop(other);
        assert!(Memory::open(folder.path()).unwrap().accounts().await.unwrap().is_empty());
    }

    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().unwrap();
        let _memory = Memory::open(folder.path()).unwrap();
        assert_eq!(folder.path().join(FILE).metadata().unwrap().mode() & 0o777, 0o600);
    }
}
