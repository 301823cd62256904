//! The decision: (desired, record) → requests → outcome.
//!
//! | file | what happens there |
//! | --- | --- |
//! | `session` | one call: what is desired, what is remembered, and the requests it may send |
//! | `pieces` | all events at Microsoft that one event becomes |
//! | `create` | making one, and finding out what became of a create without an answer |
//! | `update` | changing one |
//! | `instances` | the occurrences of one that are not as the series says |
//!
//! Every hook may be called again with the same arguments after any failure. A create is the one request whose effect could
//! be doubled, so it is checkpointed before it leaves, and settled before anything else happens when its fate is unknown;
//! a PATCH and a DELETE may be repeated freely.

mod create;
mod instances;
mod pieces;
mod session;
mod update;

#[cfg(test)]
mod tests;

use chrono::NaiveDate;

use crate::domain::{CalendarObject, Context, HookError, Intent, Notice, Outcome, RemoteState};
use crate::host::Host;
use crate::record::Record;
use crate::standing::reason;
use crate::words::Phrase;
use session::{Desired, Goal, Session};

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
        Goal::Present(target) => {
            if context.may_exist {
                pieces::adopt(&mut session)?;
            }
            pieces::bring_about(&mut session, intent, target)
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
    let record = session.open(mirrored)?;
    let there = record.remote_id.is_some() || record.pending.is_some();
    match session.goal(intent)? {
        Goal::Absent(reason::NO_MEETING_WANTED | reason::EXCLUDED) if !there && record.removed => {
            Ok(removed(Vec::new()))
        }
        Goal::Absent(why) => {
            pieces::take_away(&mut session)?;
            Ok(absent(why))
        }
        Goal::Past => pieces::leave(&mut session),
        Goal::Present(target) if !there && record.removed && !target.meeting => Ok(removed(Vec::new())),
        Goal::Present(target) => pieces::bring_about(&mut session, intent, target),
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
    session.open(mirrored)?;
    pieces::take_away(&mut session)
}

/// What became of one event at Microsoft.
struct Done {
    reason: Option<&'static str>,
    notices: Vec<Notice>,
    facts_stale: bool,
    /// It was made just now.
    created: bool,
    /// Microsoft split the series: the event goes on from this day, what was before is another one.
    split: Option<NaiveDate>,
    /// Somebody removed it at Microsoft.
    removed: bool,
}

impl Done {
    /// The event stands. `tried`: a meeting was asked for just now.
    fn of(record: &Record, session: &Session<'_>, desired: &Desired, tried: bool) -> Self {
        let without = desired.meeting && !record.has_meeting();
        let told = without && tried;
        Self {
            reason: without.then_some(reason::NO_TEAMS),
            notices: if told { vec![session.words.notice(Phrase::NoTeams)] } else { Vec::new() },
            facts_stale: told && session.teams(),
            created: false,
            split: None,
            removed: false,
        }
    }

    fn removed(notices: Vec<Notice>) -> Self {
        Self {
            reason: Some(reason::DELETED_AT_MICROSOFT),
            notices,
            facts_stale: false,
            created: false,
            split: None,
            removed: true,
        }
    }
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

/// Somebody removed the event at Microsoft. That is remembered, or the next save would bring it back.
fn removed(notices: Vec<Notice>) -> Outcome {
    let tombstone = Record { removed: true, ..Record::default() };
    Outcome {
        mirrored: Some(tombstone.to_bytes()),
        state: RemoteState::RemovedRemotely,
        reason: Some(reason::DELETED_AT_MICROSOFT.to_owned()),
        join_url: None,
        web_link: None,
        notices,
        facts_stale: false,
    }
}

/// The event stands as the records say.
fn mirrored(session: &Session<'_>) -> Outcome {
    let owner = session.pieces.first();
    Outcome {
        mirrored: session.to_bytes(),
        state: RemoteState::Mirrored,
        reason: None,
        join_url: owner.and_then(|owner| owner.join_url.clone()),
        web_link: owner.and_then(|owner| owner.web_link.clone()),
        notices: Vec::new(),
        facts_stale: false,
    }
}
