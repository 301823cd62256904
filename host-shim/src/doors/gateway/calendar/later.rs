//! Changes that are told after they happened, in one beat: what is no save of one event, and saves that cannot have a first beat.

use std::sync::Arc;

use hyper::{Request, Response, StatusCode, header};

use super::look;
use super::notes::{Note, Outcome, Record, Step};
use super::owner::Calendar;
use super::path::canonical;
use super::peek::event_uid;
use super::save::step;
use super::server::Who;
use super::shared::Shared;
use crate::doors::gateway::Body;
use crate::doors::gateway::upstream::Unreachable;

/// Passes a save on and has its text told. `gone`: what it takes the place of.
pub(super) async fn told_after(
    shared: Arc<Shared>,
    who: Who,
    request: Request<Body>,
    holds: Step,
    gone: Option<Step>,
) -> Response<Body> {
    noted(shared, who, request, [Some(holds), gone].into_iter().flatten().collect()).await
}

/// Passes a request on that brings steps about, and has them told.
pub(super) async fn noted(shared: Arc<Shared>, who: Who, request: Request<Body>, steps: Vec<Step>) -> Response<Body> {
    let note = shared.note(Record::of_steps(steps), false).await.unwrap_or_default();
    let passed = shared.write(request).await;
    match Fate::of(&passed) {
        Fate::Done(place) => {
            let written = shared.written(note, move |note| {
                let mut steps = note.record().steps.clone();
                if let Some(step) = steps.iter_mut().find(|step| step.object.is_empty()) {
                    step.object = place.unwrap_or_default();
                    note.steps(steps);
                }
                note.outcome(Outcome::Stored);
            });
            drop(written.await);
        }
        Fate::Unknown => look::begin(&shared, who, note),
        Fate::NotDone => Note::take_back(note),
    }
    passed.unwrap_or_else(|unreachable| unreachable.answer())
}

/// What became of a request.
pub(super) enum Fate {
    /// It is done; where the server chose a path, this is it.
    Done(Option<String>),
    /// Some of it was done, or nobody knows.
    Unknown,
    /// The server did not do it.
    NotDone,
}

impl Fate {
    /// As the server's answer says.
    pub(super) fn of(passed: &Result<Response<Body>, Unreachable>) -> Self {
        match passed {
            Ok(answer) if answer.status() == StatusCode::MULTI_STATUS || answer.status().is_server_error() => {
                Self::Unknown
            }
            Ok(answer) if answer.status().is_success() => Self::Done(placed_by(answer)),
            Err(unreachable) if unreachable.may_have_arrived() => Self::Unknown,
            Ok(_) | Err(_) => Self::NotDone,
        }
    }
}

/// Where the server chose the path, it names it (RFC 5995 §3.1).
pub(super) fn placed_by(answer: &Response<Body>) -> Option<String> {
    let named = [header::LOCATION, header::CONTENT_LOCATION].iter().find_map(|name| answer.headers().get(name));
    named.and_then(|value| value.to_str().ok()).and_then(canonical)
}

/// Passes a request on that changes an object in a way that cannot be told beforehand, and tells what is there afterwards.
/// `before`: the UID of the event that was there.
pub(super) async fn seen_after(
    shared: Arc<Shared>,
    who: Who,
    request: Request<Body>,
    calendar: Arc<Calendar>,
    object: String,
    before: Option<String>,
) -> Response<Body> {
    let expected: Vec<Step> = before.iter().map(|uid| step(&calendar, uid, &object, None)).collect();
    let note = if expected.is_empty() {
        None
    } else {
        shared.note(Record::of_steps(expected.clone()), false).await.unwrap_or_default()
    };
    let passed = shared.write(request).await;
    let fate = Fate::of(&passed);
    let answer = passed.unwrap_or_else(|unreachable| unreachable.answer());
    match fate {
        Fate::Done(_) => {}
        Fate::Unknown => {
            look::begin(&shared, who, note);
            return answer;
        }
        Fate::NotDone => {
            Note::take_back(note);
            return answer;
        }
    }
    let there = match shared.server.get(&who, &object).await {
        Ok(there) => there,
        Err(trouble) => {
            tracing::warn!(object, %trouble, "what was saved is not told before its next save: the server does not show it");
            Note::take_back(note);
            return answer;
        }
    };
    let now = there.and_then(|object| Some((event_uid(&object.text)?, object.text)));
    let gone = expected.into_iter().filter(|step| now.as_ref().is_none_or(|(uid, _)| *uid != step.uid));
    let mut steps: Vec<Step> = gone.map(|step| Step { gone: true, ..step }).collect();
    steps.extend(now.map(|(uid, text)| step(&calendar, &uid, &object, Some(text))));
    let note = match note {
        Some(note) => Some(note),
        None if steps.is_empty() => None,
        None => shared.note(Record::of_steps(steps.clone()), false).await.unwrap_or_default(),
    };
    if let Some(note) = note {
        look::seen(&shared, note, steps).await;
    }
    answer
}
