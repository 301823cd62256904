//! Telling what is noted.

use bytes::Bytes;
use hyper::StatusCode;

use super::hook::{Answer, Event, PROMPT, Unanswered};
use super::look;
use super::notes::{Outcome, Record, Step};
use super::server::{Object, Trouble, Who};
use super::shared::Shared;
use crate::doors::gateway::calendar::peek::event_uid;

/// An object that changes while it is told is told again, so often.
const ROUNDS: usize = 5;

/// Why something is not told yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// The hook did not answer.
    #[error(transparent)]
    Hook(#[from] Unanswered),
    /// The server did not say what is there.
    #[error(transparent)]
    Server(#[from] Trouble),
}

/// Tells what a note says.
pub(super) async fn tell(shared: &Shared, record: &Record) -> Result<(), Failed> {
    let sent = record.sent.as_ref();
    let announced = record.change.is_some() && sent.is_some_and(|sent| sent.announced);
    match record.outcome {
        Some(Outcome::Refused) => close(shared, record).await,
        Some(outcome @ (Outcome::Stored | Outcome::StoredOriginal)) => {
            if announced && reported(shared, record, outcome).await? {
                return Ok(());
            }
            let mut steps = record.steps.clone();
            if let (Outcome::Stored, Some(text), Some(first)) =
                (outcome, sent.and_then(|s| s.text.clone()), steps.first_mut())
            {
                first.text = Some(text);
            }
            told(shared, &steps).await?;
            close(shared, record).await
        }
        Some(Outcome::Seen) => {
            told(shared, &record.steps).await?;
            close(shared, record).await
        }
        // It was announced, and the server never saw it.
        None if record.change.is_some() && sent.is_none() => close(shared, record).await,
        // The hook takes it as stored after a while, and remembers that nobody said so.
        None if announced && shared.config.service.is_none() => Ok(()),
        None => {
            told(shared, &record.steps).await?;
            close(shared, record).await
        }
    }
}

/// Tells that an announced save, if there is one, counts no more. That the hook does not know it, or knows better, is all right.
async fn close(shared: &Shared, record: &Record) -> Result<(), Failed> {
    if record.change.is_some() {
        reported(shared, record, Outcome::Refused).await?;
    }
    Ok(())
}

async fn reported(shared: &Shared, record: &Record, outcome: Outcome) -> Result<bool, Failed> {
    let (Some(change), Some(step)) = (&record.change, record.steps.first()) else { return Ok(false) };
    Ok(shared.hook.report(event(step), change, outcome, PROMPT).await?.is_taken())
}

/// What is there is told before what is gone: so a move never looks like an end.
async fn told(shared: &Shared, steps: &[Step]) -> Result<(), Failed> {
    let mut now = Vec::with_capacity(steps.len());
    for step in steps {
        now.push(current(shared, step).await?);
    }
    for step in now.iter().filter(|step| !step.gone) {
        match &step.text {
            Some(text) => {
                let text = Bytes::copy_from_slice(text.as_bytes());
                let answer = shared
                    .hook
                    .tell(event(step), text, &step.calendar, step.calendar_name.as_deref(), step.import)
                    .await?;
                if !answer.is_taken() {
                    shared.refused(&step.object, &answer);
                }
            }
            None => tracing::warn!(
                object = step.object,
                "what became of an event is not known, and without `[service]` the gateway cannot look; its next save tells it"
            ),
        }
    }
    for step in now.iter().filter(|step| step.gone) {
        let answer = shared.hook.gone(event(step)).await?;
        if !answer.is_taken() {
            shared.refused(&step.object, &answer);
        }
    }
    Ok(())
}

/// A step as things are now, where the gateway may look; else as it was noted.
async fn current(shared: &Shared, step: &Step) -> Result<Step, Trouble> {
    let Some(who) = service(shared, &step.account).filter(|_| !step.object.is_empty()) else { return Ok(step.clone()) };
    let why = match look::at(shared, &who, step).await {
        Ok(now) if !now.gone || step.gone => return Ok(now),
        // To whoever may not look, many servers say that nothing is there; a meeting is not cancelled for that.
        Ok(now) => match shared.places.calendar(&who, &step.calendar).await {
            Some(calendar) if calendar.owner.account == step.account => return Ok(now),
            _ => "it shows no such calendar".to_owned(),
        },
        Err(trouble) if trouble.may_pass() => return Err(trouble),
        Err(trouble) => trouble.to_string(),
    };
    shared.loudly("service", || {
        format!(
            "the server does not let the gateway's `[service]` look at `{}`: {why}; it is told as it was noted",
            step.object
        )
    });
    Ok(step.clone())
}

/// Tells the text of an object as its owner's service sees it, until it was the stored one. Gives the object and what the hook
/// would have stored in its place; `None`: the event is not there.
pub(super) async fn tell_stored(
    shared: &Shared,
    who: &Who,
    step: &Step,
) -> Result<Option<(Object, Option<String>)>, Failed> {
    let mut there = shared.server.get(who, &step.object).await?;
    for _ in 0..ROUNDS {
        let Some(object) = there.filter(|object| event_uid(&object.text).as_deref() == Some(&step.uid)) else {
            return Ok(None);
        };
        let text = Bytes::copy_from_slice(object.text.as_bytes());
        let answer: Answer =
            shared.hook.tell(event(step), text, &step.calendar, step.calendar_name.as_deref(), false).await?;
        if !answer.is_taken() {
            shared.refused(&step.object, &answer);
            return Ok(Some((object, None)));
        }
        let wanted = answer.icalendar().map(str::to_owned);
        there = shared.server.get(who, &step.object).await?;
        if there.as_ref().is_some_and(|now| now.etag == object.etag && now.text == object.text) {
            return Ok(Some((object, wanted)));
        }
    }
    Err(Failed::Server(Trouble::Refused(StatusCode::CONFLICT)))
}

/// The service, for the calendars of an account.
pub(super) fn service(shared: &Shared, account: &str) -> Option<Who> {
    let service = shared.config.service.as_ref()?;
    let user = shared.people.user(account);
    if service.remote_user_header.is_some() && user.is_none() {
        return None;
    }
    Who::service(Some(service), &user.unwrap_or_default())
}

fn event(step: &Step) -> Event<'_> {
    let object = Some(step.object.as_str()).filter(|object| !object.is_empty());
    Event { account: &step.account, uid: &step.uid, object }
}
