//! Creating an event once, whatever breaks in between.

use serde_json::{Value, json};

use super::session::{Desired, Goal, Session};
use super::update::{update, without_teams};
use super::{SETTLING_MS, absent, mirrored_as};
use crate::domain::{HookError, Outcome, Retry};
use crate::graph::{RemoteEvent, errors, meeting_block, requests};
use crate::mailbox::TEAMS;
use crate::record::{Pending, Record};
use crate::standing::reason;
use crate::words::Phrase;

/// Creates the event: one checkpoint, one request.
pub(super) fn create(session: &mut Session<'_>, desired: &Desired) -> Result<Outcome, HookError> {
    let mirror_id = session.new_id();
    let tag = session.object.tag.clone();
    let mut fields = desired.fields.all();
    if desired.meeting && session.teams() {
        fields.insert("isOnlineMeeting".to_owned(), Value::Bool(true));
        fields.insert("onlineMeetingProvider".to_owned(), json!(TEAMS));
    }
    fields.insert("transactionId".to_owned(), json!(mirror_id));
    fields.insert("singleValueExtendedProperties".to_owned(), requests::properties(&mirror_id, &tag));
    let body = Value::Object(fields).to_string();
    let record = Record {
        mirror_id: mirror_id.clone(),
        tag,
        meeting_asked: desired.meeting,
        groups: desired.fields.fingerprints(),
        pending: Some(Pending { body: body.clone(), mirror_id, sent_ms: session.context.now_ms }),
        ..Record::default()
    };
    session.save(Some(&record))?;
    let created = post(session, record, &body, true)?;
    Ok(outcome(session, &created, desired))
}

/// Finds out what became of a create, then goes on to the goal.
pub(super) fn settle(session: &mut Session<'_>, record: Record, goal: Goal) -> Result<Outcome, HookError> {
    let Some(pending) = record.pending.clone() else { return Ok(mirrored_as(&record)) };
    let desired = match goal {
        Goal::Present(desired) => desired,
        Goal::Absent(why) => {
            unmake(session, &record)?;
            return Ok(absent(why));
        }
        Goal::Past => {
            return match session.find(&requests::mirror_id_property(), &pending.mirror_id)? {
                Some(found) => {
                    let record = completed(record, found);
                    Ok(Outcome { reason: Some(reason::PAST.to_owned()), ..mirrored_as(&record) })
                }
                None => Ok(absent(reason::PAST)),
            };
        }
    };
    let settled = match session.find(&requests::mirror_id_property(), &pending.mirror_id)? {
        Some(found) => completed(record, found),
        // It had arrived, and was on its way out again: its name is spent.
        None if record.deleting => return create(session, &desired),
        None => post(session, record, &pending.body, false)?,
    };
    update(session, settled, &desired)
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

fn outcome(session: &Session<'_>, record: &Record, desired: &Desired) -> Outcome {
    let mut outcome = mirrored_as(record);
    if desired.meeting && !record.has_meeting() {
        without_teams(&mut outcome, session, true);
    }
    outcome
}
