//! The decision: (desired, record) → requests → outcome.
//!
//! Every hook may be called again with the same arguments after any failure. A create is the one request whose effect could
//! be doubled, so it is checkpointed before it leaves, and settled before anything else happens when its fate is unknown;
//! a PATCH and a DELETE may be repeated freely.

mod create;
mod session;
mod update;

#[cfg(test)]
mod tests;

use crate::domain::{CalendarObject, Context, HookError, Intent, Outcome, RemoteState};
use crate::graph::requests;
use crate::host::Host;
use crate::record::Record;
use crate::standing::reason;
use session::{Goal, Session};

/// How long a create without an answer may still turn up at Microsoft.
const SETTLING_MS: i64 = 2 * 60 * 1000;

/// The event stands in the calendar and there is no record of it.
///
/// # Errors
/// See [`HookError`].
pub fn on_create(
    host: &mut dyn Host,
    context: &Context,
    object: &CalendarObject,
    intent: Intent,
) -> Result<Outcome, HookError> {
    let mut session = Session::new(host, context, object);
    match session.goal(intent)? {
        Goal::Absent(why) => Ok(absent(why)),
        Goal::Past => Ok(absent(reason::PAST)),
        Goal::Present(desired) => {
            if context.may_exist
                && let Some(found) = session.find(&requests::mirror_object_property(), &object.tag)?
            {
                let record = create::adopted(&session, found);
                return update::update(&mut session, record, &desired);
            }
            create::create(&mut session, &desired)
        }
    }
}

/// The event stands in the calendar and there is a record, of an event or of one that was on its way.
///
/// # Errors
/// See [`HookError`].
pub fn on_update(
    host: &mut dyn Host,
    context: &Context,
    object: &CalendarObject,
    intent: Intent,
    mirrored: &[u8],
) -> Result<Outcome, HookError> {
    let mut session = Session::new(host, context, object);
    let record = session.read(mirrored)?;
    let goal = session.goal(intent)?;
    if record.pending.is_some() {
        return create::settle(&mut session, record, goal);
    }
    match (goal, record.remote_id.clone()) {
        (Goal::Absent(why), Some(id)) => {
            session.delete(&record, &id)?;
            Ok(absent(why))
        }
        (Goal::Absent(reason::NO_MEETING_WANTED), None) if record.removed => Ok(update::removed(Vec::new())),
        (Goal::Absent(why), None) => Ok(absent(why)),
        (Goal::Past, Some(_)) => Ok(Outcome { reason: Some(reason::PAST.to_owned()), ..mirrored_as(&record) }),
        (Goal::Past, None) => Ok(absent(reason::PAST)),
        (Goal::Present(desired), Some(_)) => update::update(&mut session, record, &desired),
        (Goal::Present(desired), None) if record.removed && !desired.meeting => Ok(update::removed(Vec::new())),
        (Goal::Present(desired), None) => create::create(&mut session, &desired),
    }
}

/// The event is gone from the calendar, and there is a record.
///
/// # Errors
/// See [`HookError`].
pub fn on_delete(
    host: &mut dyn Host,
    context: &Context,
    object: &CalendarObject,
    mirrored: &[u8],
) -> Result<(), HookError> {
    let mut session = Session::new(host, context, object);
    let record = session.read(mirrored)?;
    if let Some(id) = &record.remote_id {
        session.delete(&record, id)?;
    }
    if record.pending.is_some() {
        create::unmake(&mut session, &record)?;
    }
    Ok(())
}

/// Nothing is there, because nothing is meant to be.
fn absent(why: &'static str) -> Outcome {
    Outcome {
        mirrored: None,
        state: RemoteState::Absent,
        reason: Some(why.to_owned()),
        join_url: None,
        web_link: None,
        notices: Vec::new(),
        facts_stale: false,
    }
}

/// The event stands as the record says.
fn mirrored_as(record: &Record) -> Outcome {
    Outcome {
        mirrored: Some(record.to_bytes()),
        state: RemoteState::Mirrored,
        reason: None,
        join_url: record.join_url.clone(),
        web_link: record.web_link.clone(),
        notices: Vec::new(),
        facts_stale: false,
    }
}
