//! Creating an event once, whatever breaks in between.

use serde_json::{Value, json};

use super::session::{Desired, Session};
use super::{Done, SETTLING_MS};
use crate::domain::{HookError, Retry};
use crate::graph::{RemoteEvent, errors, meeting_block, requests};
use crate::mailbox::TEAMS;
use crate::record::{Pending, Record};
use crate::words::Phrase;

/// Creates the event in hand: one checkpoint, one request.
pub(super) fn create(session: &mut Session<'_>, desired: &Desired) -> Result<Done, HookError> {
    let mirror_id = session.new_id();
    let tag = session.object.tag.clone();
    // Guests of a series are told once, when its exceptions stand, too.
    let exceptions = desired.repeats.as_ref().is_some_and(|repeats| !repeats.changes.is_empty());
    let told = if exceptions { desired.fields.clone().without_attendees() } else { desired.fields.clone() };
    let mut fields = told.all();
    if desired.meeting && session.teams() {
        fields.insert("isOnlineMeeting".to_owned(), Value::Bool(true));
        fields.insert("onlineMeetingProvider".to_owned(), json!(TEAMS));
    }
    fields.insert("transactionId".to_owned(), json!(mirror_id));
    fields.insert("singleValueExtendedProperties".to_owned(), requests::properties(&mirror_id, &tag));
    let body = Value::Object(fields).to_string();
    // What was found out about the mailbox or the series holds for the next event, too.
    let known = session.record().cloned().unwrap_or_default();
    let record = Record {
        mirror_id: mirror_id.clone(),
        tag,
        meeting_asked: desired.meeting,
        groups: told.fingerprints(),
        pending: Some(Pending { body: body.clone(), mirror_id, sent_ms: session.context.now_ms }),
        series: desired.repeats.is_some(),
        clamps: known.clamps,
        split: known.split,
        ..Record::default()
    };
    session.save(Some(&record))?;
    let record = post(session, record, &body, true)?;
    session.put(record.clone());
    Ok(Done { created: true, ..Done::of(&record, session, desired, true) })
}

/// Finds out what became of the create of the event in hand, and makes up for it where it did not arrive; `None` where the
/// event was on its way out again.
pub(super) fn settle(session: &mut Session<'_>, record: Record) -> Result<Option<Record>, HookError> {
    let Some(pending) = record.pending.clone() else { return Ok(Some(record)) };
    let settled = match session.find(&requests::mirror_id_property(), &pending.mirror_id)? {
        Some(found) => completed(record, found),
        // It had arrived, and was on its way out again: its name is spent.
        None if record.deleting => return Ok(None),
        None => post(session, record, &pending.body, false)?,
    };
    session.put(settled.clone());
    Ok(Some(settled))
}

/// Finds out what became of a create that nothing follows any more.
pub(super) fn look(session: &mut Session<'_>, record: Record) -> Result<Option<Record>, HookError> {
    let Some(pending) = record.pending.clone() else { return Ok(Some(record)) };
    Ok(session.find(&requests::mirror_id_property(), &pending.mirror_id)?.map(|found| completed(record, found)))
}

/// Makes sure that a create whose fate is unknown leaves nothing behind.
pub(super) fn unmake(session: &mut Session<'_>, record: &Record) -> Result<(), HookError> {
    let Some(pending) = &record.pending else { return Ok(()) };
    if let Some(found) = session.find(&requests::mirror_id_property(), &pending.mirror_id)? {
        return session.delete(record, &found.id);
    }
    if record.deleting {
        return Ok(());
    }
    let rest = pending.sent_ms.saturating_add(SETTLING_MS).saturating_sub(session.context.now_ms);
    match u64::try_from(rest) {
        Ok(rest @ 1..) => Err(HookError::TryAgain(Retry {
            problem: session.words.problem(Phrase::Settling),
            after_ms: Some(rest),
            counts: false,
        })),
        _ => Ok(()),
    }
}

/// The record of an event found by its tag: nothing is known of its fields, so all of them will be sent.
pub(super) fn adopted(session: &Session<'_>, found: RemoteEvent) -> Record {
    let record = Record {
        tag: session.object.tag.clone(),
        mirror_id: found.mirror_id.clone().unwrap_or_default(),
        meeting_asked: found.join_url.is_some(),
        series: found.first_day.is_some(),
        unread: found.first_day.is_some(),
        adopted: found.first_day.is_some(),
        ..Record::default()
    };
    completed(record, found)
}

/// Sends a create. `first`: it has certainly not left before.
fn post(session: &mut Session<'_>, record: Record, body: &str, first: bool) -> Result<Record, HookError> {
    match session.attempt(requests::create(body)) {
        Ok(response) if (200..300).contains(&response.status) => match RemoteEvent::read(&response) {
            Some(created) if created.is_vague => {
                // The event stands, whatever this read comes to.
                let known = session.get(&created.id).ok().flatten().unwrap_or(created);
                Ok(completed(record, known))
            }
            Some(created) => Ok(completed(record, created)),
            None => Err(errors::unexpected(&response, session.words)),
        },
        Ok(response) => {
            if errors::proves_not_created(&response) {
                session.save(None)?;
            }
            Err(errors::of_response(&response, session.words))
        }
        Err(error) => {
            if first && !error.may_have_arrived() {
                session.save(None)?;
            }
            Err(errors::of_failure(&error, session.words))
        }
    }
}

/// The record of a create that is known to have happened.
fn completed(mut record: Record, created: RemoteEvent) -> Record {
    record.pending = None;
    record.deleting = false;
    record.removed = false;
    record.block = created
        .join_url
        .as_deref()
        .zip(created.body.as_deref())
        .and_then(|(url, body)| meeting_block::find(body, url))
        .map(str::to_owned);
    record.remote_id = Some(created.id);
    record.etag = created.etag;
    record.join_url = created.join_url;
    record.web_link = created.web_link;
    record
}
