//! A mailbox's events as they are kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::graph::meeting::Meeting;
use crate::graph::series::{Place, Series};
use crate::rng::Rng;
use crate::zones;

/// A mailbox.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    /// By default id.
    pub events: BTreeMap<String, Event>,
    /// Immutable id to default id.
    pub immutable: HashMap<String, String>,
    pub transactions: HashMap<String, Transaction>,
}

/// A remembered `transactionId`.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub event: String,
    pub at: DateTime<Utc>,
    pub body: Value,
    /// The event as it last was, once it is deleted.
    pub dead: Option<Box<Event>>,
}

/// A wall-clock time in a zone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moment {
    pub local: NaiveDateTime,
    pub zone: String,
    pub utc: DateTime<Utc>,
}

impl Moment {
    /// The same time of day so much later (or earlier) by the zone's clock.
    pub(crate) fn moved(&self, by: TimeDelta) -> Self {
        let local = self.local.checked_add_signed(by).unwrap_or(self.local);
        let utc = zones::find(&self.zone, true).map_or_else(|| local.and_utc(), |zone| zones::to_utc(local, zone));
        Self { local, zone: self.zone.clone(), utc }
    }
}

/// An event: a single one, a series' master, or (worked out, never kept) an occurrence.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub id: String,
    pub immutable_id: String,
    pub change_key: String,
    pub created: DateTime<Utc>,
    pub modified: DateTime<Utc>,
    /// When the change key moves by itself.
    pub moves_at: Option<DateTime<Utc>>,
    pub transaction_id: Option<String>,
    pub ical_uid: String,
    /// The whole HTML document, the meeting's block included.
    pub body: String,
    pub start: Moment,
    pub end: Moment,
    pub is_all_day: bool,
    pub meeting: Option<Meeting>,
    /// The meeting a body PATCH took away.
    pub lost: Option<Meeting>,
    pub is_organizer: bool,
    pub is_cancelled: bool,
    /// Name and address.
    pub organizer: (String, String),
    /// Id and value.
    pub extended: Vec<(String, String)>,
    pub extensions: Vec<Value>,
    /// The properties that are kept as they were written: subject, location, attendees and the like.
    pub plain: Map<String, Value>,
    /// On a master: its pattern, and what became of single occurrences.
    pub series: Option<Arc<Series>>,
    /// On an occurrence: whose it is.
    pub place: Option<Place>,
}

impl Event {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.plain.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn subject(&self) -> &str {
        self.text("subject")
    }

    pub(crate) fn attendees(&self) -> Vec<String> {
        attendee_addresses(self.plain.get("attendees"))
    }

    pub(crate) fn etag(&self) -> String {
        format!("W/\"{}\"", self.change_key)
    }

    pub(crate) fn touch(&mut self, now: DateTime<Utc>, rng: &mut Rng) {
        self.change_key = change_key(rng);
        self.modified = now;
    }
}

impl Event {
    /// Moves the change key by itself, if it is to and the time has come.
    pub(crate) fn settle(&mut self, now: DateTime<Utc>, rng: &mut Rng) {
        if self.moves_at.is_some_and(|at| at <= now) {
            self.moves_at = None;
            self.touch(now, rng);
        }
    }
}

/// The addresses, lower case, of an `attendees` array.
pub(crate) fn attendee_addresses(attendees: Option<&Value>) -> Vec<String> {
    attendees
        .and_then(Value::as_array)
        .map(|list| {
            list.iter()
                .filter_map(|a| a.pointer("/emailAddress/address").and_then(Value::as_str))
                .map(str::to_lowercase)
                .collect()
        })
        .unwrap_or_default()
}

pub(crate) fn change_key(rng: &mut Rng) -> String {
    format!("{}AAA{}==", rng.text(18), rng.text(4))
}

/// A default id of about 150 characters, which like the real one changes when an item moves.
pub(crate) fn default_id(rng: &mut Rng) -> String {
    format!("AAMkA{}AABGAAAAAA{}=", rng.text(80), rng.text(56))
}

/// An immutable id of about 72 characters.
pub(crate) fn immutable_id(rng: &mut Rng) -> String {
    format!("AAkALgAA{}", rng.text(64))
}

pub(crate) fn ical_uid(rng: &mut Rng) -> String {
    format!("040000008200E00074C5B7101A82E00800000000{}000000000000000010000000{}", rng.hex(16), rng.hex(32))
}

impl Mailbox {
    pub(crate) fn insert(&mut self, event: Event) {
        self.immutable.insert(event.immutable_id.clone(), event.id.clone());
        self.events.insert(event.id.clone(), event);
    }

    /// The default id an id stands for. Ids are compared exactly, case included.
    pub(crate) fn resolve(&self, id: &str, immutable_allowed: bool) -> Option<String> {
        if self.events.contains_key(id) {
            return Some(id.to_owned());
        }
        let event = if immutable_allowed { self.immutable.get(id).cloned() } else { None };
        event.or_else(|| self.resolve_occurrence(id, immutable_allowed))
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Event> {
        let event = self.events.remove(id)?;
        self.immutable.remove(&event.immutable_id);
        if let Some(name) = &event.transaction_id
            && let Some(transaction) = self.transactions.get_mut(name)
        {
            transaction.dead = Some(Box::new(event.clone()));
        }
        Some(event)
    }
}
