//! Which notes there are, whose, and about what.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::record::Record;
use super::{NoteError, Outcome, folder};

/// The most octets of notes kept: they hold texts, where nobody could read them later.
const ROOM: u64 = 2 << 30;
/// How long a note waits that the hook could not take, at first and at most.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

pub(super) struct Index {
    limit: usize,
    notes: BTreeMap<String, Entry>,
    octets: u64,
    /// The number of the newest.
    newest: u64,
    shares: HashMap<String, Share>,
    /// The notes about each event, as `Step::event` names it.
    events: HashMap<String, About>,
}

/// The notes about one event.
#[derive(Default)]
struct About {
    names: BTreeSet<String>,
    /// The newest since there have been any, gone or not.
    newest: String,
}

#[derive(Default)]
struct Share {
    notes: usize,
    octets: u64,
}

/// Who works on a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// It waits to be told.
    Nobody,
    /// What it is about goes on.
    Operation,
    /// It is being told.
    Worker,
}

pub(super) struct Entry {
    accounts: Vec<String>,
    events: Vec<String>,
    /// What notes have in common of which the newest is enough.
    merged: Option<String>,
    octets: u64,
    holder: Holder,
    /// Not before then, and how long it waited last.
    later: Option<(Instant, Duration)>,
    /// What it says, where the disk does not have it.
    record: Option<Record>,
}

impl Index {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, notes: BTreeMap::new(), octets: 0, newest: 0, shares: HashMap::new(), events: HashMap::new() }
    }

    pub(super) fn count(&self) -> usize {
        self.notes.len()
    }

    /// The number of a new note, where there is room for it.
    pub(super) fn next_number(&mut self, record: &Record, now: i64) -> Result<u64, NoteError> {
        let free = self.limit.saturating_sub(self.notes.len());
        if free == 0 || self.octets >= ROOM {
            return Err(NoteError::Full(self.notes.len()));
        }
        for account in record.accounts() {
            let Some(share) = self.shares.get(&account) else { continue };
            if share.notes >= free || share.octets >= ROOM.saturating_sub(self.octets) {
                return Err(NoteError::ShareFull(share.notes, account));
            }
        }
        Ok(u64::try_from(now).unwrap_or_default().saturating_mul(1000).max(self.newest.saturating_add(1)))
    }

    pub(super) fn add(&mut self, name: String, record: &Record, holder: Holder) {
        self.newest = self.newest.max(folder::number(&name));
        let entry = Entry {
            accounts: record.accounts(),
            events: record.events(),
            merged: record.merged(),
            octets: 0,
            holder,
            later: None,
            record: None,
        };
        for account in &entry.accounts {
            self.shares.entry(account.clone()).or_default().notes += 1;
        }
        for event in &entry.events {
            let about = self.events.entry(event.clone()).or_default();
            about.names.insert(name.clone());
            if about.newest < name {
                about.newest.clone_from(&name);
            }
        }
        self.notes.insert(name, entry);
    }

    /// What a note says is another thing now.
    pub(super) fn about(&mut self, name: &str, record: &Record) {
        let Some(old) = self.remove(name) else { return };
        self.add(name.into(), record, old.holder);
        self.grown(name, old.octets);
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Entry> {
        let entry = self.notes.remove(name)?;
        self.octets = self.octets.saturating_sub(entry.octets);
        for account in &entry.accounts {
            if let Some(share) = self.shares.get_mut(account) {
                share.notes = share.notes.saturating_sub(1);
                share.octets = share.octets.saturating_sub(entry.octets);
                if share.notes == 0 {
                    self.shares.remove(account);
                }
            }
        }
        for event in &entry.events {
            if let Some(about) = self.events.get_mut(event) {
                about.names.remove(name);
                if about.names.is_empty() {
                    self.events.remove(event);
                }
            }
        }
        Some(entry)
    }

    pub(super) fn grown(&mut self, name: &str, by: u64) {
        let Some(entry) = self.notes.get_mut(name) else { return };
        entry.octets = entry.octets.saturating_add(by);
        self.octets = self.octets.saturating_add(by);
        for account in &entry.accounts {
            if let Some(share) = self.shares.get_mut(account) {
                share.octets = share.octets.saturating_add(by);
            }
        }
    }

    pub(super) fn wait_about(&self, events: &[String]) -> bool {
        let mut names = events.iter().filter_map(|event| self.events.get(event)).flat_map(|about| &about.names);
        names.any(|name| self.notes.get(name).is_some_and(|entry| entry.holder != Holder::Operation))
    }

    /// Whether something about one of these events is not going to be told within a time.
    pub(super) fn is_put_off(&self, events: &[String], within: Duration) -> bool {
        let then = Instant::now() + within;
        let mut names = events.iter().filter_map(|event| self.events.get(event)).flat_map(|about| &about.names);
        let put_off = |entry: &Entry| entry.later.is_some_and(|(at, _)| at > then);
        names.any(|name| self.notes.get(name).is_some_and(|entry| entry.holder == Holder::Nobody && put_off(entry)))
    }

    pub(super) fn due(&self) -> Vec<String> {
        self.notes.iter().filter(|(name, entry)| self.is_due(name, entry)).map(|(name, _)| name.clone()).collect()
    }

    fn is_due(&self, name: &str, entry: &Entry) -> bool {
        let oldest =
            |event| self.events.get(event).and_then(|about| about.names.first()).is_some_and(|first| first == name);
        entry.holder == Holder::Nobody
            && entry.later.is_none_or(|(at, _)| at <= Instant::now())
            && entry.events.iter().all(oldest)
    }

    /// Gives the note to the worker, with what it says where the disk does not have it.
    pub(super) fn take(&mut self, name: &str) -> Option<Option<Record>> {
        let entry = self.notes.get(name)?;
        if !self.is_due(name, entry) {
            return None;
        }
        let entry = self.notes.get_mut(name)?;
        entry.holder = Holder::Worker;
        Some(entry.record.clone())
    }

    pub(super) fn left(&mut self, name: &str, record: Option<Record>) {
        if let Some(entry) = self.notes.get_mut(name) {
            entry.holder = Holder::Nobody;
            entry.record = record;
        }
    }

    /// Whether other notes about each of its events were begun after it.
    pub(super) fn is_overtaken(&self, name: &str) -> bool {
        let Some(entry) = self.notes.get(name) else { return false };
        entry.events.iter().all(|event| self.events.get(event).is_some_and(|about| about.newest.as_str() > name))
    }

    pub(super) fn later(&mut self, name: &str) {
        if let Some(entry) = self.notes.get_mut(name) {
            let waits = entry.later.map_or(FIRST_WAIT, |(_, waited)| waited.saturating_mul(2).min(LONGEST_WAIT));
            entry.later = Some((Instant::now() + waits, waits));
        }
    }

    /// Takes out the notes that need not be told after this one. An announced save that is thereby never reported is dropped by
    /// the hook when this one is told.
    pub(super) fn overtaken_by(&mut self, name: &str, record: &Record) -> Vec<String> {
        let certain = matches!(record.outcome, Some(Outcome::Stored | Outcome::StoredOriginal | Outcome::Seen));
        let Some(entry) = self.notes.get(name).filter(|entry| certain && entry.merged.is_some()) else {
            return Vec::new();
        };
        let about = entry.events.first().and_then(|event| self.events.get(event)).map(|about| &about.names);
        let older = |other: &&String| other.as_str() < name;
        let overtaken: Vec<String> = about
            .into_iter()
            .flatten()
            .take_while(older)
            .filter(|other| {
                self.notes
                    .get(*other)
                    .is_some_and(|other| other.holder == Holder::Nobody && other.merged == entry.merged)
            })
            .cloned()
            .collect();
        for name in &overtaken {
            self.remove(name);
        }
        overtaken
    }
}
