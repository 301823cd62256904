//! The first beat's proposals, what became of them, and the offers of texts to write back.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::columns::{Columns, count};
use crate::store::{ClosedRow, OfferRow, ProposalRow};

const COLUMNS: &str = "change, account, uid, created_at, object, mirror, meeting, link_needed, has_guests, import, draft, \
    draft_of, reason, rejected, first_start, last_end, text_sha, original_sha, answered_sha, text, answered_link, original_link, \
    calendar";

fn proposal(row: &Row<'_>) -> Result<ProposalRow> {
    let mut c = Columns::of(row);
    Ok(ProposalRow {
        change: c.take()?,
        account: c.take()?,
        uid: c.take()?,
        created_at: c.take()?,
        object: c.take()?,
        mirror: c.take()?,
        meeting: c.take()?,
        link_needed: c.take()?,
        has_guests: c.take()?,
        import: c.take()?,
        draft: c.take()?,
        draft_of: c.take()?,
        reason: c.take()?,
        rejected: c.take()?,
        first_start: c.take()?,
        last_end: c.take()?,
        text_sha: c.digest()?,
        original_sha: c.digest()?,
        answered_sha: c.digest()?,
        text: c.take()?,
        answered_link: c.take()?,
        original_link: c.take()?,
        calendar: c.take()?,
    })
}

pub(super) fn get(c: &Connection, change: &str) -> Result<Option<ProposalRow>> {
    c.prepare_cached(&format!("SELECT {COLUMNS} FROM proposals WHERE change = ?1"))?
        .query_row([change], proposal)
        .optional()
}

pub(super) fn of_event(c: &Connection, account: &str, uid: &str) -> Result<Vec<ProposalRow>> {
    c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM proposals WHERE account = ?1 AND uid = ?2 ORDER BY created_at, rowid"
    ))?
    .query_map(params![account, uid], proposal)?
    .collect()
}

pub(super) fn put(c: &Connection, row: &ProposalRow) -> Result<()> {
    // An UPSERT keeps the row's place among proposals of one millisecond.
    c.prepare_cached(
        "INSERT INTO proposals (change, account, uid, created_at, object, mirror, meeting, link_needed, has_guests, import,
             draft, draft_of, reason, rejected, first_start, last_end, text_sha, original_sha, answered_sha, text,
             answered_link, original_link, calendar)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
             ?23)
         ON CONFLICT (change) DO UPDATE SET account = ?2, uid = ?3, created_at = ?4, object = ?5, mirror = ?6, meeting = ?7,
             link_needed = ?8, has_guests = ?9, import = ?10, draft = ?11, draft_of = ?12, reason = ?13, rejected = ?14,
             first_start = ?15, last_end = ?16, text_sha = ?17, original_sha = ?18, answered_sha = ?19, text = ?20,
             answered_link = ?21, original_link = ?22, calendar = ?23",
    )?
    .execute(params![
        row.change,
        row.account,
        row.uid,
        row.created_at,
        row.object,
        row.mirror,
        row.meeting,
        row.link_needed,
        row.has_guests,
        row.import,
        row.draft,
        row.draft_of,
        row.reason,
        row.rejected,
        row.first_start,
        row.last_end,
        row.text_sha,
        row.original_sha,
        row.answered_sha,
        row.text,
        row.answered_link,
        row.original_link,
        row.calendar,
    ])
    .map(drop)
}

pub(super) fn remove(c: &Connection, change: &str) -> Result<()> {
    c.prepare_cached("DELETE FROM proposals WHERE change = ?1")?.execute([change]).map(drop)
}

pub(super) fn put_offer(c: &Connection, offer: &OfferRow) -> Result<u64> {
    remove_offer(c, &offer.account, &offer.uid)?;
    c.prepare_cached("INSERT INTO offers (account, uid, created_at, base_sha, text) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![offer.account, offer.uid, offer.created_at, offer.base_sha, offer.text])?;
    Ok(c.last_insert_rowid().max(0).unsigned_abs())
}

pub(super) fn remove_offer(c: &Connection, account: &str, uid: &str) -> Result<()> {
    c.prepare_cached("DELETE FROM offers WHERE account = ?1 AND uid = ?2")?.execute(params![account, uid]).map(drop)
}

const OFFER: &str = "SELECT number, account, uid, created_at, base_sha, text FROM offers";

fn offer_row(row: &Row<'_>) -> Result<OfferRow> {
    let mut c = Columns::of(row);
    Ok(OfferRow {
        number: c.count()?,
        account: c.take()?,
        uid: c.take()?,
        created_at: c.take()?,
        base_sha: c.digest()?,
        text: c.take()?,
    })
}

pub(super) fn offer(c: &Connection, account: &str, uid: &str) -> Result<Option<OfferRow>> {
    c.prepare_cached(&format!("{OFFER} WHERE account = ?1 AND uid = ?2"))?
        .query_row([account, uid], offer_row)
        .optional()
}

pub(super) fn offers(c: &Connection, after: u64, limit: u32) -> Result<Vec<OfferRow>> {
    c.prepare_cached(&format!("{OFFER} WHERE number > ?1 ORDER BY number LIMIT ?2"))?
        .query_map(params![count(after), limit], offer_row)?
        .collect()
}

pub(super) fn put_closed(c: &Connection, row: &ClosedRow) -> Result<()> {
    c.prepare_cached(
        "INSERT INTO closed (change, account, uid, result, closed_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (change) DO UPDATE SET account = ?2, uid = ?3, result = ?4, closed_at = ?5",
    )?
    .execute(params![row.change, row.account, row.uid, row.result, row.closed_at])
    .map(drop)
}

pub(super) fn closed(c: &Connection, change: &str) -> Result<Option<ClosedRow>> {
    c.prepare_cached("SELECT change, account, uid, result, closed_at FROM closed WHERE change = ?1")?
        .query_row([change], |row| {
            let mut c = Columns::of(row);
            Ok(ClosedRow {
                change: c.take()?,
                account: c.take()?,
                uid: c.take()?,
                result: c.take()?,
                closed_at: c.take()?,
            })
        })
        .optional()
}

pub(super) fn expire_closed(c: &Connection, before: i64) -> Result<()> {
    c.prepare_cached("DELETE FROM closed WHERE closed_at < ?1")?.execute([before]).map(drop)
}
