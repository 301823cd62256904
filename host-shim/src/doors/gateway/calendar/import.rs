//! PUT to a calendar's own path: a whole calendar is replaced, or made (Radicale, DAViCal).

use std::collections::HashSet;
use std::sync::Arc;

use hyper::header::{self, HeaderMap};
use hyper::{Request, Response};

use super::later::Fate;
use super::look;
use super::notes::{Note, Record, Step};
use super::owner::Place;
use super::put::in_a_task;
use super::removal::events;
use super::server::Who;
use super::shared::Shared;
use crate::doors::gateway::Body;

/// Answers a PUT to what is no object of a calendar.
pub(super) async fn answer(shared: Arc<Shared>, who: Who, request: Request<Body>, path: String) -> Response<Body> {
    let place = shared.places.place(&who, &path).await;
    let may_write = match &place {
        Place::Calendar(calendar) => calendar.may_write,
        // What is not there yet may become a calendar.
        Place::Other => says_calendar(request.headers()),
        Place::Collection => false,
    };
    if !may_write {
        return shared.pass(request).await;
    }
    in_a_task(import(shared, who, request, path, matches!(place, Place::Calendar(_)))).await
}

fn says_calendar(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/calendar"))
}

async fn import(shared: Arc<Shared>, who: Who, request: Request<Body>, path: String, is_there: bool) -> Response<Body> {
    let before = if is_there { events(&shared, &who, &path, false).await } else { Ok(Vec::new()) };
    let before = before.unwrap_or_else(|trouble| {
        tracing::warn!(path, %trouble, "what an import takes out stays in Teams: the server does not say what was there");
        Vec::new()
    });
    let note = if before.is_empty() {
        None
    } else {
        shared.note(Record::of_steps(before.clone()), false).await.unwrap_or_default()
    };
    let passed = shared.write(request).await;
    let fate = Fate::of(&passed);
    shared.places.forget(&path);
    match fate {
        // There may be many, and nobody waits for them.
        Fate::Done(_) => drop(tokio::spawn(told(shared, who, path, before, note))),
        Fate::Unknown => look::begin(&shared, who, note),
        Fate::NotDone => Note::take_back(note),
    }
    passed.unwrap_or_else(|unreachable| unreachable.answer())
}

/// Tells what is there now, and what is not there any more.
async fn told(shared: Arc<Shared>, who: Who, path: String, before: Vec<Step>, note: Option<Note>) {
    let now = match events(&shared, &who, &path, true).await {
        Ok(now) => now,
        Err(trouble) => {
            tracing::warn!(path, %trouble, "an import is not told: the server does not say what is there now");
            return;
        }
    };
    let there: HashSet<(&str, &str)> = now.iter().map(|step| (step.uid.as_str(), step.object.as_str())).collect();
    let gone = before.into_iter().filter(|step| !there.contains(&(step.uid.as_str(), step.object.as_str())));
    let mut steps: Vec<Step> = gone.map(|step| Step { gone: true, ..step }).collect();
    steps.extend(now.into_iter().map(|step| Step { import: true, ..step }));
    let note = match note {
        Some(note) => Some(note),
        None if steps.is_empty() => None,
        None => shared.note(Record::of_steps(steps.clone()), false).await.unwrap_or_default(),
    };
    if let Some(note) = note {
        look::seen(&shared, note, steps).await;
    }
}
