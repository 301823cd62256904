//! The store on one SQLite file: WAL, `synchronous = FULL`, one writer, a few readers, one process.
//!
//! A lock on `<file>.lock` keeps a second process out. A file that is foreign, damaged or newer is refused with what to do
//! about it; nothing is ever recreated over what was there. After an I/O error the connections are thrown away and the
//! file is opened and checked anew, because what a failed fsync left behind is unknown.

mod accounts;
mod columns;
mod connectors;
mod events;
mod open;
mod proposals;
mod transaction;

use std::cell::Cell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::{Body, Store, StoreError};
use transaction::SqliteTransaction;

/// Readers kept open between reads; more are opened while more read at once.
const IDLE_READERS: usize = 4;

/// A store in one SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    /// `None` after an I/O error, until the next use opens the file anew.
    writer: Mutex<Option<Connection>>,
    readers: Mutex<Vec<(u64, Connection)>>,
    /// Counts the openings, so that a reader of an earlier one is not kept.
    opening: AtomicU64,
    /// Held as long as the store is open.
    _lock: File,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store at `path`, making it (readable by its owner only) if there is no file of that name.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = open::lock(path)?;
        if !path.exists() {
            open::make(path)?;
        }
        let writer = open::writer(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            writer: Mutex::new(Some(writer)),
            readers: Mutex::new(Vec::new()),
            opening: AtomicU64::new(0),
            _lock: lock,
        })
    }

    /// Reads the whole file for damage. Takes long on a large one; for `doctor`.
    pub fn verify(&self) -> Result<(), StoreError> {
        let (opening, reader) = self.reader()?;
        open::quick_check(&reader, &self.path)?;
        self.give_back(opening, reader);
        Ok(())
    }

    fn writer(&self) -> Result<MutexGuard<'_, Option<Connection>>, StoreError> {
        let mut guard = lock(&self.writer);
        if guard.is_none() {
            let connection = open::writer(&self.path)?;
            open::quick_check(&connection, &self.path)?;
            *guard = Some(connection);
        }
        Ok(guard)
    }

    fn reader(&self) -> Result<(u64, Connection), StoreError> {
        if let Some(found) = lock(&self.readers).pop() {
            return Ok(found);
        }
        let opening = self.opening.load(Ordering::SeqCst);
        Ok((opening, open::reader(&self.path)?))
    }

    fn give_back(&self, opening: u64, reader: Connection) {
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS && opening == self.opening.load(Ordering::SeqCst) {
            readers.push((opening, reader));
        }
    }

    /// After an I/O error nothing that is open is used again.
    fn forget_connections(&self, writer: &mut Option<Connection>) {
        self.opening.fetch_add(1, Ordering::SeqCst);
        *writer = None;
        lock(&self.readers).clear();
    }

    fn failed(&self, error: rusqlite::Error, io_failed: &Cell<bool>) -> StoreError {
        if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
            io_failed.set(true);
        }
        open::failed(&self.path, error)
    }
}

/// A thread that panicked inside a transaction has had it rolled back; the connection itself is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for SqliteStore {
    fn transact(&self, body: Body<'_>) -> Result<(), StoreError> {
        let mut guard = self.writer()?;
        let Some(connection) = guard.as_mut() else {
            return Err(StoreError::Failed("the store's file could not be opened again".into()));
        };
        let io_failed = Cell::new(false);
        let outcome = (|| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(|e| self.failed(e, &io_failed))?;
            body(&mut SqliteTransaction { c: &transaction, store: self, io_failed: &io_failed })?;
            transaction.commit().map_err(|e| self.failed(e, &io_failed))
        })();
        if io_failed.get() {
            self.forget_connections(&mut guard);
        }
        outcome
    }

    fn read(&self, body: Body<'_>) -> Result<(), StoreError> {
        let (opening, mut reader) = self.reader()?;
        let io_failed = Cell::new(false);
        let outcome = (|| {
            let transaction = reader
                .transaction_with_behavior(TransactionBehavior::Deferred)
                .map_err(|e| self.failed(e, &io_failed))?;
            body(&mut SqliteTransaction { c: &transaction, store: self, io_failed: &io_failed })
        })();
        // A reader that failed is not worth keeping.
        if matches!(outcome, Ok(()) | Err(StoreError::Undone(_))) {
            self.give_back(opening, reader);
        }
        outcome
    }

    fn check(&self) -> Result<(), StoreError> {
        // Only a commit shows that there is room and that the disk still takes writes.
        self.transact(&mut |tx| tx.put_meta("checked", "yes"))
    }
}

#[cfg(test)]
mod tests;
