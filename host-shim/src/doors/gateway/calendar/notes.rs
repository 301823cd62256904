//! Notes on disk, of what the hook has to be told.
//!
//! A note says what the hook is to know once the server has done what it was asked: that an object holds a text, or is gone. It is
//! written, durably, before the server sees the request, and taken back when the hook knows; so what a killed process leaves is
//! complete, whenever it was killed. One note is one file of a few lines: what was begun; that the server sees it, and with which
//! text; what became of it. A line that breaks off was not written.
//!
//! What is about one event is told in the order in which it was begun. However often an object is saved while the hook is down,
//! one note of it waits: the newest. No account has more notes than there is room left, so that one of them alone never takes the
//! others' room. One process works on a folder at a time. Where the folder cannot be written, notes are kept in memory, and only
//! what outlives the process is lost.

mod folder;
mod index;
mod record;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use index::{Holder, Index};
pub(crate) use record::{Outcome, Record, Sent, Step};

/// Why nothing could be noted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoteError {
    /// As many notes as may be kept are there.
    #[error("{0} notes are there, and `spool_limit` allows no more")]
    Full(usize),
    /// Something older about the event waits to be told, which has to be told first.
    #[error("something older about the event is to be told first")]
    Waits,
    /// As many as one account may have are there.
    #[error("{0} notes of {1} are there, and the room left is for the others")]
    ShareFull(usize, String),
}

/// How many notes wait in a folder, or could wait there, without changing anything.
///
/// # Errors
/// Where they could not be written, in a sentence that says what to do.
pub(crate) fn look_at(folder: &Path) -> Result<usize, String> {
    folder::could_be_written(folder)?;
    Ok(folder::names(folder).len())
}

/// The notes.
#[derive(Clone)]
pub(crate) struct Notes(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    index: Mutex<Index>,
    /// Told when a note is left or gone.
    changed: Notify,
    /// Held as long as the process works on the folder; `None`: it has none.
    lock: Option<File>,
}

/// One note, held by whoever works on it. Dropped, it is left for later.
pub(crate) struct Note {
    notes: Notes,
    name: String,
    /// The opened file; `None`: not opened yet, or there is none.
    file: Option<File>,
    record: Record,
    /// Why the disk has not all of it.
    trouble: Option<std::io::Error>,
    /// Whether it is out of our hands.
    finished: bool,
}

impl Notes {
    /// Makes the folder, for its owner alone, and reads what an earlier process left. The second part says why the notes can only
    /// be kept in memory, if so, and what to do: the folder cannot be made or written, or another process works on it.
    pub(crate) fn open(folder: &Path, limit: usize) -> (Self, Option<String>) {
        let mut index = Index::new(limit);
        let (lock, why) = match folder::claim(folder) {
            Ok(lock) => (Some(lock), None),
            Err(why) => (None, Some(why)),
        };
        for (name, octets) in lock.iter().flat_map(|_| folder::names(folder)) {
            match folder::read(folder, &name) {
                Ok(Some(record)) => {
                    index.add(name.clone(), &record, Holder::Nobody);
                    index.grown(&name, octets);
                }
                // It broke off while it was written, so the server never saw what it is about.
                Ok(None) => drop(std::fs::remove_file(folder.join(&name))),
                Err(error) => folder::set_aside(folder, &name, &error),
            }
        }
        let inner = Inner { folder: folder.into(), index: Mutex::new(index), changed: Notify::new(), lock };
        (Self(Arc::new(inner)), why)
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Begins a note for an operation; `now` is Unix time in milliseconds. `first`: only where nothing older about the events
    /// waits. It blocks for as long as the disk needs.
    pub(crate) fn begin(&self, record: Record, now: i64, first: bool) -> Result<Note, NoteError> {
        let name = {
            let mut index = self.index();
            if first && index.wait_about(&record.events()) {
                return Err(NoteError::Waits);
            }
            let name = folder::name(index.next_number(&record, now)?);
            index.add(name.clone(), &record, Holder::Operation);
            name
        };
        let mut note = Note { notes: self.clone(), name, file: None, record, trouble: None, finished: false };
        if self.0.lock.is_some() {
            match folder::write(&self.0.folder, &note.name, &note.record) {
                Ok((file, octets)) => {
                    note.file = Some(file);
                    self.index().grown(&note.name, octets);
                }
                Err(error) => note.trouble = Some(error),
            }
        }
        Ok(note)
    }

    /// How many there are, those that are worked on included.
    pub(crate) fn count(&self) -> usize {
        self.index().count()
    }

    /// Whether something about one of these events waits to be told, or is being told.
    pub(crate) fn wait_about(&self, events: &[String]) -> bool {
        self.index().wait_about(events)
    }

    /// The notes that can be told now, oldest first.
    pub(crate) fn due(&self) -> Vec<String> {
        self.index().due()
    }

    /// Takes a note that can be told now.
    pub(crate) fn take(&self, name: &str) -> Option<Note> {
        let in_memory = self.index().take(name)?;
        let record = match in_memory {
            Some(record) => record,
            None => match folder::read(&self.0.folder, name) {
                Ok(Some(record)) => record,
                read => {
                    let why = read.err().unwrap_or_else(|| "it is not there any more, or empty".into());
                    folder::set_aside(&self.0.folder, name, &why);
                    self.forget(name);
                    return None;
                }
            },
        };
        Some(Note { notes: self.clone(), name: name.into(), file: None, record, trouble: None, finished: false })
    }

    /// Resolves when a note was left, or is gone. Ask for it before looking.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.0.changed.notified()
    }

    /// Waits until nothing about these events waits to be told. Whether that came about in time; what the hook could not take just
    /// now is not waited for.
    pub(crate) async fn told(&self, events: &[String], patience: Duration) -> bool {
        if self.index().is_put_off(events, patience) {
            return false;
        }
        let told = async {
            loop {
                let mut changed = std::pin::pin!(self.changed());
                changed.as_mut().enable();
                if !self.wait_about(events) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(patience, told).await.is_ok()
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, name: &str) {
        self.index().remove(name);
        self.0.changed.notify_waiters();
    }
}

impl Note {
    /// What it says.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// Why it is not on the disk as a whole, if so: it is lost with the process.
    pub(crate) fn trouble(&self) -> Option<&std::io::Error> {
        self.trouble.as_ref()
    }

    /// The server sees it now. It blocks for as long as the disk needs.
    pub(crate) fn sent(&mut self, sent: Sent) {
        self.append(&record::Line::Sent(sent.clone()));
        self.record.sent = Some(sent);
    }

    /// What is to be told, where that is known only now.
    pub(crate) fn steps(&mut self, steps: Vec<Step>) {
        self.append(&record::Line::Steps(steps.clone()));
        self.record.steps = steps;
        self.notes.index().about(&self.name, &self.record);
    }

    /// What became of it.
    pub(crate) fn outcome(&mut self, outcome: Outcome) {
        self.append(&record::Line::Outcome(outcome));
        self.record.outcome = Some(outcome);
    }

    fn append(&mut self, line: &record::Line) {
        if self.notes.0.lock.is_none() || self.trouble.is_some() {
            return;
        }
        let appended = match &mut self.file {
            Some(file) => folder::append(file, line),
            none => {
                folder::open(&self.notes.0.folder, &self.name).and_then(|file| folder::append(none.insert(file), line))
            }
        };
        match appended {
            Ok(octets) => self.notes.index().grown(&self.name, octets),
            Err(error) => self.trouble = Some(error),
        }
    }

    /// The hook knows.
    pub(crate) fn done(mut self) {
        self.finished = true;
        self.notes.remove_file(&self.name);
        self.notes.forget(&self.name);
    }

    /// What it was about did not happen.
    pub(crate) fn take_back(note: Option<Self>) {
        if let Some(note) = note {
            note.done();
        }
    }

    /// What it says was found by looking: it is left, unless something about the same event was begun meanwhile, which looks again.
    pub(crate) fn leave_unless_overtaken(mut self) {
        self.leave(true);
    }

    /// The hook could not take it: it waits, longer each time.
    pub(crate) fn wait_longer(self) {
        self.notes.index().later(&self.name);
    }

    fn leave(&mut self, only_newest: bool) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let in_memory = self.notes.0.lock.is_none() || self.trouble.is_some();
        let removed = {
            let mut index = self.notes.index();
            if only_newest && index.is_overtaken(&self.name) {
                index.remove(&self.name);
                vec![self.name.clone()]
            } else {
                index.left(&self.name, in_memory.then(|| self.record.clone()));
                index.overtaken_by(&self.name, &self.record)
            }
        };
        for name in removed {
            self.notes.remove_file(&name);
        }
        self.notes.0.changed.notify_waiters();
    }
}

impl Notes {
    fn remove_file(&self, name: &str) {
        if self.0.lock.is_some() {
            let _ = std::fs::remove_file(self.0.folder.join(name));
        }
    }
}

impl Drop for Note {
    /// What the hook does not know yet is left to whoever works notes off, and what older notes of the same object say is not
    /// needed any more, where this one is certain.
    fn drop(&mut self) {
        self.leave(false);
    }
}
