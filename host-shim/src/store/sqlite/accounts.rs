//! Accounts and their connections, tickets and sign-ins on their way.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::columns::{Columns, count, json};
use crate::store::{AccountRow, ConnectionRow, Digest, OnceRow};

const ACCOUNT: &str = "address, further_addresses, display_name, time_zone, language, class, turned_on, created_at, \
    last_remote, turned_on_at, older_events, older_wanted";

fn account(row: &Row<'_>) -> Result<AccountRow> {
    let mut c = Columns::of(row);
    Ok(AccountRow {
        address: c.take()?,
        further_addresses: c.json()?,
        display_name: c.take()?,
        time_zone: c.take()?,
        language: c.take()?,
        class: c.take()?,
        on: c.take()?,
        created_at: c.take()?,
        last_remote: c.take()?,
        turned_on_at: c.take()?,
        older_events: c.take()?,
        older_wanted: c.take()?,
    })
}

pub(super) fn get(c: &Connection, address: &str) -> Result<Option<AccountRow>> {
    c.prepare_cached(&format!("SELECT {ACCOUNT} FROM accounts WHERE address = ?1"))?
        .query_row([address], account)
        .optional()
}

pub(super) fn put(c: &Connection, row: &AccountRow) -> Result<()> {
    c.prepare_cached(
        "INSERT INTO accounts (address, further_addresses, display_name, time_zone, language, class, turned_on, created_at,
             last_remote, turned_on_at, older_events, older_wanted)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (address) DO UPDATE SET further_addresses = ?2, display_name = ?3, time_zone = ?4, language = ?5,
             class = ?6, turned_on = ?7, created_at = ?8, last_remote = ?9, turned_on_at = ?10, older_events = ?11, older_wanted = ?12",
    )?
    .execute(params![
        row.address,
        json(&row.further_addresses),
        row.display_name,
        row.time_zone,
        row.language,
        row.class,
        row.on,
        row.created_at,
        row.last_remote,
        row.turned_on_at,
        row.older_events,
        row.older_wanted,
    ])
    .map(drop)
}

pub(super) fn list(c: &Connection, after: &str, limit: u32) -> Result<Vec<AccountRow>> {
    c.prepare_cached(&format!("SELECT {ACCOUNT} FROM accounts WHERE address > ?1 ORDER BY address LIMIT ?2"))?
        .query_map(params![after, limit], account)?
        .collect()
}

/// The tables that hold rows of an account, and the column that names it.
const OF_ACCOUNT: [(&str, &str); 7] = [
    ("events", "account"),
    ("proposals", "account"),
    ("calendars", "account"),
    ("offers", "account"),
    ("connections", "account"),
    ("once", "account"),
    ("accounts", "address"),
];

pub(super) fn remove(c: &Connection, address: &str) -> Result<()> {
    for (table, column) in OF_ACCOUNT {
        c.prepare_cached(&format!("DELETE FROM {table} WHERE {column} = ?1"))?.execute([address])?;
    }
    for table in ["settings", "policy"] {
        c.prepare_cached(&format!("DELETE FROM {table} WHERE level IN ('account', 'own') AND scope = ?1"))?
            .execute([address])?;
    }
    Ok(())
}

pub(super) fn rename(c: &Connection, from: &str, to: &str) -> Result<()> {
    for (table, column) in OF_ACCOUNT {
        c.prepare_cached(&format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1"))?.execute([from, to])?;
    }
    for table in ["settings", "policy"] {
        c.prepare_cached(&format!("UPDATE {table} SET scope = ?2 WHERE level IN ('account', 'own') AND scope = ?1"))?
            .execute([from, to])?;
    }
    Ok(())
}

pub(super) fn connection(c: &Connection, account: &str) -> Result<Option<ConnectionRow>> {
    c.prepare_cached(
        "SELECT account, connector, tenant, object, remote_address, version, dead, dead_message, since, facts_code,
             facts_message, facts_at, facts_until, facts, tokens, facts_events, facts_meetings, leaving_since
             FROM connections WHERE account = ?1",
    )?
    .query_row([account], |row| {
        let mut c = Columns::of(row);
        Ok(ConnectionRow {
            account: c.take()?,
            connector: c.take()?,
            tenant: c.take()?,
            object: c.take()?,
            remote_address: c.take()?,
            version: c.count()?,
            dead: c.take()?,
            dead_message: c.take()?,
            since: c.take()?,
            facts_code: c.take()?,
            facts_message: c.take()?,
            facts_at: c.take()?,
            facts_until: c.take()?,
            facts: c.take()?,
            tokens: c.take()?,
            facts_events: c.take()?,
            facts_meetings: c.take()?,
            leaving_since: c.take()?,
        })
    })
    .optional()
}

pub(super) fn put_connection(c: &Connection, row: &ConnectionRow) -> Result<()> {
    c.prepare_cached(
        "INSERT INTO connections (account, connector, tenant, object, remote_address, version, dead, dead_message, since,
             facts_code, facts_message, facts_at, facts_until, facts, tokens, facts_events,
             facts_meetings, leaving_since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
         ON CONFLICT (account) DO UPDATE SET connector = ?2, tenant = ?3, object = ?4, remote_address = ?5, version = ?6,
             dead = ?7, dead_message = ?8, since = ?9, facts_code = ?10, facts_message = ?11, facts_at = ?12,
             facts_until = ?13, facts = ?14, tokens = ?15, facts_events = ?16,
             facts_meetings = ?17, leaving_since = ?18",
    )?
    .execute(params![
        row.account,
        row.connector,
        row.tenant,
        row.object,
        row.remote_address,
        count(row.version),
        row.dead,
        row.dead_message,
        row.since,
        row.facts_code,
        row.facts_message,
        row.facts_at,
        row.facts_until,
        row.facts,
        row.tokens,
        row.facts_events,
        row.facts_meetings,
        row.leaving_since,
    ])
    .map(drop)
}

pub(super) fn remove_connection(c: &Connection, account: &str) -> Result<()> {
    c.prepare_cached("DELETE FROM connections WHERE account = ?1")?.execute([account]).map(drop)
}

pub(super) fn accounts_of_mailbox(c: &Connection, tenant: &str, object: &str) -> Result<Vec<String>> {
    c.prepare_cached("SELECT account FROM connections WHERE tenant = ?1 AND object = ?2 ORDER BY account")?
        .query_map([tenant, object], |r| r.get(0))?
        .collect()
}

pub(super) fn connected(c: &Connection, after: &str, limit: u32) -> Result<Vec<String>> {
    c.prepare_cached("SELECT account FROM connections WHERE account > ?1 ORDER BY account LIMIT ?2")?
        .query_map(params![after, limit], |r| r.get(0))?
        .collect()
}

pub(super) fn leaving(c: &Connection) -> Result<Vec<String>> {
    c.prepare_cached("SELECT account FROM connections WHERE leaving_since IS NOT NULL ORDER BY leaving_since")?
        .query_map([], |r| r.get(0))?
        .collect()
}

pub(super) fn put_once(c: &Connection, row: &OnceRow) -> Result<()> {
    c.prepare_cached("INSERT OR REPLACE INTO once (kind, key, account, expires_at, value) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![row.kind, row.key, row.account, row.expires_at, row.value])
        .map(drop)
}

fn once_row(row: &Row<'_>) -> Result<OnceRow> {
    let mut c = Columns::of(row);
    Ok(OnceRow { kind: c.take()?, key: c.digest()?, account: c.take()?, expires_at: c.take()?, value: c.take()? })
}

pub(super) fn once(c: &Connection, kind: &str, key: &Digest) -> Result<Option<OnceRow>> {
    c.prepare_cached("SELECT kind, key, account, expires_at, value FROM once WHERE kind = ?1 AND key = ?2")?
        .query_row(params![kind, key], once_row)
        .optional()
}

pub(super) fn take_once(c: &Connection, kind: &str, key: &Digest) -> Result<Option<OnceRow>> {
    c.prepare_cached("DELETE FROM once WHERE kind = ?1 AND key = ?2 RETURNING kind, key, account, expires_at, value")?
        .query_row(params![kind, key], once_row)
        .optional()
}

pub(super) fn end_once(c: &Connection, account: &str, kinds: &[&str]) -> Result<()> {
    let mut end = c.prepare_cached("DELETE FROM once WHERE account = ?1 AND kind = ?2")?;
    kinds.iter().try_for_each(|kind| end.execute([account, kind]).map(drop))
}

pub(super) fn expire_once(c: &Connection, now: i64) -> Result<()> {
    c.prepare_cached("DELETE FROM once WHERE expires_at < ?1")?.execute([now]).map(drop)
}
