//! Looking at what stands under a path, where nobody said.

use std::sync::Arc;
use std::time::Duration;

use super::notes::{Note, Outcome, Step};
use super::peek::event_uid;
use super::server::{Trouble, Who};
use super::shared::Shared;

/// How long it is waited before the server is asked again that gave no answer.
const PAUSES: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

/// What a step has to say now: the text under its path, or that its event is gone from there.
pub(super) async fn at(shared: &Shared, who: &Who, step: &Step) -> Result<Step, Trouble> {
    let there = shared.server.get(who, &step.object).await?;
    let text = there.map(|object| object.text).filter(|text| event_uid(text).as_deref() == Some(&step.uid));
    Ok(Step { gone: text.is_none(), text, ..step.clone() })
}

/// Finds out what became of a request that got no answer, with the credential of whoever sent it, as soon as the server answers
/// again. Whatever is found is told. What cannot be found out is left as it is.
pub(super) fn begin(shared: &Arc<Shared>, who: Who, note: Option<Note>) {
    let Some(note) = note else { return };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            match all(&shared, &who, &note.record().steps).await {
                Ok(steps) => return seen(&shared, note, steps).await,
                Err(trouble) if trouble.may_pass() => {}
                Err(trouble) => {
                    tracing::warn!(%trouble, "the server does not say what became of a save");
                    return;
                }
            }
        }
    });
}

/// Leaves a note that says what was seen.
pub(super) async fn seen(shared: &Shared, note: Note, steps: Vec<Step>) {
    let written = shared.written(Some(note), |note| {
        note.steps(steps);
        note.outcome(Outcome::Seen);
    });
    if let Some(note) = written.await {
        note.leave_unless_overtaken();
    }
}

/// The same of all steps.
async fn all(shared: &Shared, who: &Who, steps: &[Step]) -> Result<Vec<Step>, Trouble> {
    let mut now = Vec::with_capacity(steps.len());
    for step in steps {
        now.push(at(shared, who, step).await?);
    }
    Ok(now)
}
