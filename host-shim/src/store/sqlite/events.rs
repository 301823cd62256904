//! Events: by key, by state, and the search for those that are due.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::columns::{Columns, count, desired, json};
use super::connectors;
use crate::store::{CalendarRow, EventRow, ToldRow};

/// Due rows looked at for one page, oldest first. What it bounds is the cost of a page when a hundred thousand are due.
const CANDIDATES: u32 = 4_096;

const COLUMNS: &str = "account, uid, due_at, first_start, last_end, updated_at, state, parked, generation, \
    mirrored_generation, desired, mirror, meeting, record_meeting, unconfirmed, attempts, stored_from, gone_at, history, \
    mailbox, made_for, reason, message, objects, text_sha, stored_sha, record_sha, record, view, text, \
    stored_link, record_asked, calendar";

fn event(row: &Row<'_>) -> Result<EventRow> {
    let mut c = Columns::of(row);
    Ok(EventRow {
        account: c.take()?,
        uid: c.take()?,
        due_at: c.take()?,
        first_start: c.take()?,
        last_end: c.take()?,
        updated_at: c.take()?,
        state: c.take()?,
        parked: c.take()?,
        generation: c.count()?,
        mirrored_generation: c.count()?,
        desired: c.desired()?,
        mirror: c.take()?,
        meeting: c.take()?,
        record_meeting: c.take()?,
        unconfirmed: c.take()?,
        attempts: c.take()?,
        stored_from: c.take()?,
        gone_at: c.take()?,
        history: c.take()?,
        mailbox: c.take()?,
        made_for: c.take()?,
        reason: c.take()?,
        message: c.take()?,
        objects: c.json()?,
        text_sha: c.take()?,
        stored_sha: c.take()?,
        record_sha: c.take()?,
        record: c.take()?,
        view: c.take()?,
        text: c.take()?,
        stored_link: c.take()?,
        record_asked: c.take()?,
        calendar: c.take()?,
    })
}

pub(super) fn get(c: &Connection, account: &str, uid: &str) -> Result<Option<EventRow>> {
    c.prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE account = ?1 AND uid = ?2"))?
        .query_row(params![account, uid], event)
        .optional()
}

pub(super) fn calendars(c: &Connection, account: &str, limit: u32) -> Result<Vec<CalendarRow>> {
    c.prepare_cached(
        "SELECT account, path, name FROM calendars c WHERE account = ?1
             AND EXISTS (SELECT 1 FROM events WHERE account = c.account AND calendar = c.path) ORDER BY path LIMIT ?2",
    )?
    .query_map(params![account, limit], calendar_row)?
    .collect()
}

pub(super) fn calendar(c: &Connection, account: &str, path: &str) -> Result<Option<CalendarRow>> {
    c.prepare_cached("SELECT account, path, name FROM calendars WHERE account = ?1 AND path = ?2")?
        .query_row([account, path], calendar_row)
        .optional()
}

pub(super) fn put_calendar(c: &Connection, row: &CalendarRow) -> Result<()> {
    // Most saves tell what is known.
    c.prepare_cached(
        "INSERT INTO calendars (account, path, name) VALUES (?1, ?2, ?3)
             ON CONFLICT (account, path) DO UPDATE SET name = ?3 WHERE ?3 IS NOT NULL AND name IS NOT ?3",
    )?
    .execute(params![row.account, row.path, row.name])
    .map(drop)
}

fn calendar_row(row: &Row<'_>) -> Result<CalendarRow> {
    let mut c = Columns::of(row);
    Ok(CalendarRow { account: c.take()?, path: c.take()?, name: c.take()? })
}

pub(super) fn put(c: &Connection, row: &EventRow) -> Result<()> {
    // An UPSERT and not a REPLACE: a replaced row would be deleted and written anew in every index.
    const SQL: &str = "INSERT INTO events (account, uid, due_at, first_start, last_end, updated_at, state, parked, \
        generation, mirrored_generation, desired, mirror, meeting, record_meeting, unconfirmed, attempts, stored_from, \
        gone_at, history, mailbox, made_for, reason, message, objects, text_sha, stored_sha, record_sha, record, view, text, \
        stored_link, record_asked, calendar) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, \
        ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33) \
        ON CONFLICT (account, uid) DO UPDATE SET due_at = ?3, first_start = ?4, last_end = ?5, updated_at = ?6, \
        state = ?7, parked = ?8, generation = ?9, mirrored_generation = ?10, desired = ?11, mirror = ?12, meeting = ?13, \
        record_meeting = ?14, unconfirmed = ?15, attempts = ?16, stored_from = ?17, gone_at = ?18, history = ?19, \
        mailbox = ?20, made_for = ?21, reason = ?22, message = ?23, objects = ?24, text_sha = ?25, stored_sha = ?26, \
        record_sha = ?27, record = ?28, view = ?29, text = ?30, stored_link = ?31, record_asked = ?32, \
        calendar = ?33";
    c.prepare_cached(SQL)?
        .execute(params![
            row.account,
            row.uid,
            row.due_at,
            row.first_start,
            row.last_end,
            row.updated_at,
            row.state,
            row.parked,
            count(row.generation),
            count(row.mirrored_generation),
            desired(row.desired),
            row.mirror,
            row.meeting,
            row.record_meeting,
            row.unconfirmed,
            row.attempts,
            row.stored_from,
            row.gone_at,
            row.history,
            row.mailbox,
            row.made_for,
            row.reason,
            row.message,
            json(&row.objects),
            row.text_sha,
            row.stored_sha,
            row.record_sha,
            row.record,
            row.view,
            row.text,
            row.stored_link,
            row.record_asked,
            row.calendar,
        ])
        .map(drop)
}

pub(super) fn remove(c: &Connection, account: &str, uid: &str) -> Result<()> {
    for table in ["events", "proposals", "offers"] {
        c.prepare_cached(&format!("DELETE FROM {table} WHERE account = ?1 AND uid = ?2"))?
            .execute(params![account, uid])?;
    }
    Ok(())
}

/// One due row, in the order in which pages are sorted.
type Due = (Option<i64>, i64, String, String);

fn due_row(row: &Row<'_>) -> Result<Due> {
    let mut c = Columns::of(row);
    Ok((c.take()?, c.take()?, c.take()?, c.take()?))
}

/// The oldest due rows, capped per account. Where few accounts fill that front, what they hide is found account by account,
/// so that a hundred thousand rows of one account never starve another.
pub(super) fn due(c: &Connection, now: i64, limit: u32, per_account: u32) -> Result<Vec<(String, String)>> {
    let candidates = CANDIDATES.max(limit.saturating_mul(4));
    let page = |rows: Vec<Due>| rows.into_iter().map(|(_, _, account, uid)| (account, uid)).collect();
    let front: u32 = c
        .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM events WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2)")?
        .query_row(params![now, candidates], |r| r.get(0))?;
    let mut rows: Vec<Due> = c
        .prepare_cached(
            "WITH front AS (
                 SELECT first_start, due_at, account, uid FROM events WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2
             ), ranked AS (
                 SELECT *, row_number() OVER (PARTITION BY account ORDER BY first_start NULLS FIRST, due_at, uid) AS place
                 FROM front
             )
             SELECT first_start, due_at, account, uid FROM ranked WHERE place <= ?4
             ORDER BY first_start NULLS FIRST, due_at, account, uid LIMIT ?3",
        )?
        .query_map(params![now, candidates, limit, per_account], due_row)?
        .collect::<Result<_>>()?;
    if front < candidates || rows.len() >= limit as usize {
        return Ok(page(rows));
    }
    let seen: std::collections::HashSet<String> = rows.iter().map(|(_, _, account, _)| account.clone()).collect();
    let mut next_account = c.prepare_cached(
        "SELECT account FROM events WHERE due_at IS NOT NULL AND account > ?1 ORDER BY account LIMIT 1",
    )?;
    let mut of_account = c.prepare_cached(
        "SELECT first_start, due_at, account, uid FROM (
             SELECT first_start, due_at, account, uid FROM events
             WHERE account = ?1 AND due_at <= ?2 ORDER BY due_at LIMIT ?3
         ) ORDER BY first_start NULLS FIRST, due_at, uid LIMIT ?4",
    )?;
    let mut after = String::new();
    while rows.len() < limit as usize {
        let Some(account) = next_account.query_row([&after], |r| r.get::<_, String>(0)).optional()? else { break };
        if !seen.contains(&account) {
            let found = of_account.query_map(params![account, now, candidates, per_account], due_row)?;
            rows.extend(found.collect::<Result<Vec<_>>>()?);
        }
        after = account;
    }
    rows.sort();
    rows.truncate(limit as usize);
    Ok(page(rows))
}

pub(super) fn next_due(c: &Connection) -> Result<Option<i64>> {
    c.prepare_cached("SELECT min(due_at) FROM events WHERE due_at IS NOT NULL")?.query_row([], |r| r.get(0))
}

pub(super) fn list(c: &Connection, account: Option<&str>, state: Option<&str>, limit: u32) -> Result<Vec<EventRow>> {
    // The inner query finds the page without reading the large columns of the others.
    let filter = match (account, state) {
        (Some(_), Some(_)) => "account = ?1 AND state = ?2",
        (Some(_), None) => "account = ?1 AND ?2 IS NULL",
        (None, Some(_)) => "?1 IS NULL AND state = ?2",
        (None, None) => "?1 IS NULL AND ?2 IS NULL",
    };
    c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM events WHERE rowid IN (SELECT rowid FROM events WHERE {filter} ORDER BY updated_at DESC LIMIT ?3) \
         ORDER BY updated_at DESC, account, uid"
    ))?
    .query_map(params![account, state, limit], event)?
    .collect()
}

pub(super) fn mirrored_ahead(c: &Connection, account: &str, now: i64) -> Result<Vec<(String, Option<String>)>> {
    c.prepare_cached(
        "SELECT uid, mailbox FROM events
         WHERE account = ?1 AND record IS NOT NULL AND state <> 'removed' AND (last_end IS NULL OR last_end > ?2)
         ORDER BY uid",
    )?
    .query_map(params![account, now], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

pub(super) fn told(c: &Connection, account: &str, after: &str, limit: u32, unconfirmed: bool) -> Result<Vec<ToldRow>> {
    let only = if unconfirmed { "AND unconfirmed" } else { "" };
    c.prepare_cached(&format!(
        "SELECT uid, objects, stored_sha, last_end, unconfirmed FROM events
         WHERE account = ?1 AND uid > ?2 AND desired = 'stored' AND gone_at IS NULL {only} ORDER BY uid LIMIT ?3"
    ))?
    .query_map(params![account, after, limit], |row| {
        let mut c = Columns::of(row);
        Ok(ToldRow {
            uid: c.take()?,
            objects: c.json()?,
            stored_sha: c.take()?,
            last_end: c.take()?,
            unconfirmed: c.take()?,
        })
    })?
    .collect()
}

pub(super) fn count_unconfirmed(c: &Connection, account: &str) -> Result<u64> {
    c.prepare_cached("SELECT count(*) FROM events WHERE account = ?1 AND unconfirmed")?
        .query_row([account], |row| Columns::of(row).count())
}

pub(super) fn count_by_state(c: &Connection) -> Result<Vec<(String, u64)>> {
    c.prepare_cached("SELECT state, count(*) FROM events GROUP BY state ORDER BY state")?
        .query_map([], |row| {
            let mut c = Columns::of(row);
            Ok((c.take()?, c.count()?))
        })?
        .collect()
}

pub(super) fn unpark(c: &Connection, account: Option<&str>, why: &str, now: i64) -> Result<u64> {
    let changed = match account {
        Some(account) => c
            .prepare_cached("UPDATE events SET parked = NULL, due_at = ?1 WHERE parked = ?2 AND account = ?3")?
            .execute(params![now, why, account])?,
        None => c
            .prepare_cached("UPDATE events SET parked = NULL, due_at = ?1 WHERE parked = ?2")?
            .execute(params![now, why])?,
    };
    c.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, '1') ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
    )?
    .execute([releases_of(why)])?;
    Ok(changed as u64)
}

pub(super) fn releases(c: &Connection, why: &str) -> Result<u64> {
    let counted = connectors::meta(c, &releases_of(why))?;
    Ok(counted.and_then(|number| number.parse().ok()).unwrap_or(0))
}

fn releases_of(why: &str) -> String {
    format!("releases-{why}")
}
