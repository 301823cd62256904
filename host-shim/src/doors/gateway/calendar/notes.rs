//! Notes on disk, of what the hook has to be told.
//!
//! A note says what the hook is to know once the server has done what it was asked: that an object holds a text, or is gone. It is
//! written, durably, before the server sees the request, and taken back when the hook knows; so what a killed process leaves is
//! complete, whenever it was killed. One note is one file of a few lines: what was begun; that the server saw it, and with which
//! text; what became of it. A line that breaks off was not written.
//!
//! However often an object is saved while the hook is down, one note of it waits: the newest. No account has more notes than there
//! is room left, so that one of them alone never takes the others' room. One process works on a folder at a time.

mod folder;
mod record;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

pub(crate) use record::{Outcome, Record, Sent, Step};

/// The most octets of notes kept; they hold texts where nobody could read them later.
const ROOM: u64 = 2 << 30;
/// How long a note waits that the hook could not take, at first and at most.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why nothing could be noted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoteError {
    /// As many notes as may be kept are there.
    #[error("{0} notes are there, and `spool_limit` allows no more")]
    Full(usize),
    /// As many as one account may have are there.
    #[error("{0} notes of {1} are there, and the room left is for the others")]
    ShareFull(usize, String),
    /// The folder cannot be written.
    #[error("{0}")]
    Folder(#[from] std::io::Error),
}

/// The folder with the notes.
#[derive(Clone)]
pub(crate) struct Notes(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    limit: usize,
    known: Mutex<Known>,
    /// Told when a note is left or gone.
    changed: Notify,
    /// Held as long as the process works on the folder.
    _lock: File,
}

#[derive(Default)]
struct Known {
    notes: BTreeMap<String, Entry>,
    octets: u64,
    /// Which of them are whose.
    shares: HashMap<String, Share>,
    /// The number of the last one made.
    last: u64,
}

#[derive(Default)]
struct Share {
    names: BTreeSet<String>,
    octets: u64,
}

struct Entry {
    accounts: Vec<String>,
    /// What notes have in common of which the newest is enough.
    merged: Option<String>,
    octets: u64,
    /// Whether somebody works on it.
    held: bool,
    /// Not before then, and how long it waited last.
    later: Option<(Instant, Duration)>,
}

/// One note, held by whoever works on it. Dropped, it is left for later.
pub(crate) struct Note {
    notes: Notes,
    name: String,
    file: Option<File>,
    record: Record,
    finished: bool,
}

impl Notes {
    /// Makes the folder, for its owner alone, and reads what an earlier process left.
    ///
    /// # Errors
    /// A sentence that says what to do: the folder cannot be made or written, or another process works on it.
    pub(crate) fn open(folder: &Path, limit: usize) -> Result<Self, String> {
        let lock = folder::claim(folder)?;
        let mut known = Known::default();
        for (name, octets) in folder::names(folder) {
            let record = match folder::read(folder, &name) {
                Ok(Some(record)) => record,
                Ok(None) => {
                    // It broke off while it was written, so the server never saw what it is about.
                    let _ = std::fs::remove_file(folder.join(&name));
                    continue;
                }
                Err(error) => {
                    folder::set_aside(folder, &name, &error);
                    continue;
                }
            };
            known.last = known.last.max(folder::number(&name));
            known.added(name.clone(), Entry::of(&record, false));
            known.grown(&name, octets);
        }
        Ok(Self(Arc::new(Inner { folder: folder.into(), limit, known: Mutex::new(known), changed: Notify::new(), _lock: lock })))
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Writes a note. It blocks for as long as the disk needs.
    pub(crate) fn begin(&self, record: Record, now_ms: i64) -> Result<Note, NoteError> {
        let accounts = record.accounts();
        let name = {
            let mut known = self.known();
            let free = self.0.limit.saturating_sub(known.notes.len());
            if free == 0 || known.octets >= ROOM {
                return Err(NoteError::Full(known.notes.len()));
            }
            for account in &accounts {
                let Some(share) = known.shares.get(account) else { continue };
                if share.names.len() >= free || share.octets >= ROOM - known.octets {
                    return Err(NoteError::ShareFull(share.names.len(), account.clone()));
                }
            }
            known.last = u64::try_from(now_ms).unwrap_or_default().saturating_mul(1000).max(known.last + 1);
            let name = folder::name(known.last);
            known.added(name.clone(), Entry::of(&record, true));
            name
        };
        match folder::write(&self.0.folder, &name, &record) {
            Ok((file, octets)) => {
                self.known().grown(&name, octets);
                Ok(Note { notes: self.clone(), name, file: Some(file), record, finished: false })
            }
            Err(error) => {
                self.forget(&name);
                Err(error.into())
            }
        }
    }

    /// How many there are, those that are worked on included.
    pub(crate) fn count(&self) -> usize {
        self.known().notes.len()
    }

    /// Whether any of these accounts has notes that wait to be told.
    pub(crate) fn wait_for(&self, accounts: &[String]) -> bool {
        let known = self.known();
        accounts.iter().any(|account| known.names_of(account).any(|name| known.notes.get(name).is_some_and(|n| !n.held)))
    }

    /// The accounts whose oldest note can be told now, that of the oldest note first.
    pub(crate) fn due(&self) -> Vec<String> {
        let known = self.known();
        let mut found: Vec<(&String, &String)> = known
            .shares
            .iter()
            .filter_map(|(account, share)| Some((share.names.first()?, account)))
            .filter(|(name, _)| known.notes.get(*name).is_some_and(|entry| !entry.held && entry.is_due()))
            .collect();
        found.sort();
        found.into_iter().map(|(_, account)| account.clone()).collect()
    }

    /// Takes the oldest note of an account, where it waits to be told now, and where the other accounts that it is about have no
    /// older one.
    pub(crate) fn take(&self, account: &str) -> Option<Note> {
        let name = {
            let mut known = self.known();
            let name = known.names_of(account).next()?.clone();
            let entry = known.notes.get(&name)?;
            let first = entry.accounts.iter().all(|account| known.names_of(account).next() == Some(&name));
            if entry.held || !first || !entry.is_due() {
                return None;
            }
            known.notes.get_mut(&name)?.held = true;
            name
        };
        match folder::read(&self.0.folder, &name) {
            Ok(Some(record)) => Some(Note { notes: self.clone(), name, file: None, record, finished: false }),
            Ok(None) => {
                self.forget(&name);
                None
            }
            Err(error) => {
                folder::set_aside(&self.0.folder, &name, &error);
                self.forget(&name);
                None
            }
        }
    }

    /// Resolves when a note was left, or is gone. Ask for it before looking.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.0.changed.notified()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, name: &str) {
        self.known().removed(name);
        self.0.changed.notify_waiters();
    }
}

impl Known {
    fn names_of(&self, account: &str) -> impl Iterator<Item = &String> {
        self.shares.get(account).into_iter().flat_map(|share| &share.names)
    }

    fn added(&mut self, name: String, entry: Entry) {
        for account in &entry.accounts {
            self.shares.entry(account.clone()).or_default().names.insert(name.clone());
        }
        self.notes.insert(name, entry);
    }

    fn grown(&mut self, name: &str, by: u64) {
        let Some(entry) = self.notes.get_mut(name) else { return };
        entry.octets += by;
        self.octets += by;
        for account in &entry.accounts {
            if let Some(share) = self.shares.get_mut(account) {
                share.octets += by;
            }
        }
    }

    fn removed(&mut self, name: &str) {
        let Some(entry) = self.notes.remove(name) else { return };
        self.octets = self.octets.saturating_sub(entry.octets);
        for account in &entry.accounts {
            let Some(share) = self.shares.get_mut(account) else { continue };
            share.names.remove(name);
            share.octets = share.octets.saturating_sub(entry.octets);
            if share.names.is_empty() {
                self.shares.remove(account);
            }
        }
    }
}

impl Entry {
    fn of(record: &Record, held: bool) -> Self {
        Self { accounts: record.accounts(), merged: record.merged(), octets: 0, held, later: None }
    }

    fn is_due(&self) -> bool {
        self.later.is_none_or(|(at, _)| at <= Instant::now())
    }
}

impl Note {
    /// What it says.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// Writes down that the server sees it now. It blocks for as long as the disk needs.
    pub(crate) fn sent(&mut self, sent: Sent) -> std::io::Result<()> {
        self.append(record::Line::Sent(sent.clone()))?;
        self.record.sent = Some(sent);
        Ok(())
    }

    /// Writes down what is to be told, where that is known only after the server has answered.
    pub(crate) fn steps(&mut self, steps: Vec<Step>) -> std::io::Result<()> {
        self.append(record::Line::Steps(steps.clone()))?;
        self.record.steps = steps;
        Ok(())
    }

    /// Writes down what became of it.
    pub(crate) fn outcome(&mut self, outcome: Outcome) -> std::io::Result<()> {
        self.append(record::Line::Outcome(outcome))?;
        self.record.outcome = Some(outcome);
        Ok(())
    }

    fn append(&mut self, line: record::Line) -> std::io::Result<()> {
        let folder = self.notes.folder().to_owned();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(folder::open(&folder, &self.name)?),
        };
        let octets = folder::append(file, &line)?;
        self.notes.known().grown(&self.name, octets);
        Ok(())
    }

    /// The hook knows.
    pub(crate) fn done(mut self) {
        self.finished = true;
        let _ = std::fs::remove_file(self.notes.folder().join(&self.name));
        self.notes.forget(&self.name);
    }

    /// The hook could not take it: it waits, longer each time.
    pub(crate) fn wait_longer(self) {
        let mut known = self.notes.known();
        if let Some(entry) = known.notes.get_mut(&self.name) {
            let waits = entry.later.map_or(FIRST_WAIT, |(_, waited)| (waited * 2).min(LONGEST_WAIT));
            entry.later = Some((Instant::now() + waits, waits));
        }
        drop(known);
    }
}

impl Drop for Note {
    /// The hook does not know yet: whoever works notes off takes it, and with it what older ones of the same object say.
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let mut known = self.notes.known();
        let merged = record_merges(&self.record).then(|| self.record.merged()).flatten();
        let overtaken: Vec<String> = match (&merged, self.record.steps.first()) {
            (Some(merged), Some(step)) => known
                .names_of(step.about().0)
                .take_while(|name| **name < self.name)
                .filter(|name| known.notes.get(*name).is_some_and(|n| !n.held && n.merged.as_ref() == Some(merged)))
                .cloned()
                .collect(),
            _ => Vec::new(),
        };
        for name in overtaken {
            let _ = std::fs::remove_file(self.notes.folder().join(&name));
            known.removed(&name);
        }
        if let Some(entry) = known.notes.get_mut(&self.name) {
            entry.held = false;
        }
        drop(known);
        self.notes.0.changed.notify_waiters();
    }
}

/// Whether what a note says is certain, so that older ones of the same object need not be told any more. An announced save that is
/// thereby never reported is dropped by the hook when this one is told.
fn record_merges(record: &Record) -> bool {
    matches!(record.outcome, Some(Outcome::Stored | Outcome::StoredOriginal))
}

#[cfg(test)]
mod tests;
