//! Reading a row's columns in the order they were asked for, and the few types SQLite does not know.

use rusqlite::Row;
use rusqlite::types::{FromSql, Type};

use crate::store::{Desired, Digest, Scope};

/// The next column, and the next: a `SELECT` and the struct it fills are written in one order.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(super) fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let index = self.next;
        self.next = index.saturating_add(1);
        self.row.get(index)
    }

    /// A number that is never negative here.
    pub(super) fn count(&mut self) -> rusqlite::Result<u64> {
        Ok(self.take::<i64>()?.max(0).unsigned_abs())
    }

    pub(super) fn digest(&mut self) -> rusqlite::Result<Digest> {
        self.take()
    }

    /// A list kept as JSON.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        let index = self.next;
        let text: String = self.take()?;
        serde_json::from_str(&text)
            .map_err(|e| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(e)))
    }

    pub(super) fn desired(&mut self) -> rusqlite::Result<Desired> {
        let index = self.next;
        let text: String = self.take()?;
        match text.as_str() {
            "unstored" => Ok(Desired::Unstored),
            "stored" => Ok(Desired::Stored),
            "gone" => Ok(Desired::Gone),
            _ => Err(unknown(index, &text)),
        }
    }

    pub(super) fn scope(&mut self) -> rusqlite::Result<Scope> {
        let index = self.next;
        let level: String = self.take()?;
        let name: String = self.take()?;
        match level.as_str() {
            "server" => Ok(Scope::Server),
            "domain" => Ok(Scope::Domain(name)),
            "class" => Ok(Scope::Class(name)),
            "account" => Ok(Scope::Account(name)),
            "own" => Ok(Scope::Own(name)),
            _ => Err(unknown(index, &level)),
        }
    }
}

fn unknown(index: usize, text: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, format!("`{text}` is not known here").into())
}

pub(super) fn desired(value: Desired) -> &'static str {
    match value {
        Desired::Unstored => "unstored",
        Desired::Stored => "stored",
        Desired::Gone => "gone",
    }
}

pub(super) fn scope(value: &Scope) -> (&'static str, &str) {
    match value {
        Scope::Server => ("server", ""),
        Scope::Domain(name) => ("domain", name),
        Scope::Class(name) => ("class", name),
        Scope::Account(name) => ("account", name),
        Scope::Own(name) => ("own", name),
    }
}

/// A list as JSON. Lists of strings always serialise.
pub(super) fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "[]".into())
}

/// A counter as SQLite keeps it.
pub(super) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
