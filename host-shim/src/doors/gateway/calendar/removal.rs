//! DELETE: of an object, of a calendar, or of a collection with calendars in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::{Request, Response};

use super::later;
use super::notes::Step;
use super::owner::{Calendar, Place};
use super::path::{canonical, collection, parent};
use super::peek::event_uid;
use super::put::in_a_task;
use super::save::step;
use super::server::{Trouble, Who};
use super::shared::Shared;
use crate::doors::gateway::Body;

/// How long may be taken to find out what a calendar holds that is to go.
pub(super) const LISTING: Duration = Duration::from_secs(30);

/// Answers a DELETE.
pub(super) async fn answer(shared: Arc<Shared>, request: Request<Body>) -> Response<Body> {
    let Some(path) = canonical(request.uri().path()) else { return shared.pass(request).await };
    let who = Who::sent(request.headers(), &shared.config);
    let steps = match shared.places.place(&who, parent(&path)).await {
        Place::Calendar(calendar) if !path.ends_with('/') => {
            of_object(&shared, &who, &calendar, &path).await.map(|step| step.into_iter().collect())
        }
        _ => events(&shared, &who, &path, false).await,
    };
    let steps: Vec<Step> = match steps {
        Ok(steps) => steps,
        Err(trouble) => {
            tracing::warn!(path, %trouble, "what goes with a calendar stays in Teams: the server does not say what it holds");
            Vec::new()
        }
    };
    shared.places.forget(&path);
    if steps.is_empty() {
        return shared.pass(request).await;
    }
    let steps = steps.into_iter().map(|step| Step { gone: true, text: None, ..step }).collect();
    in_a_task(later::noted(shared, who, request, steps)).await
}

/// The event under a path.
pub(super) async fn of_object(
    shared: &Shared,
    who: &Who,
    calendar: &Calendar,
    object: &str,
) -> Result<Option<Step>, Trouble> {
    match shared.server.get(who, object).await {
        Ok(there) => Ok(there.and_then(|there| {
            let uid = event_uid(&there.text)?;
            Some(step(calendar, &uid, object, Some(there.text)))
        })),
        // Whoever may not read it may not remove it, most likely.
        Err(Trouble::Refused(status)) if status.is_client_error() => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// The events of a calendar, or of the calendars in a collection, as deep as they lie. `texts`: with their texts.
pub(super) async fn events(shared: &Shared, who: &Who, path: &str, texts: bool) -> Result<Vec<Step>, Trouble> {
    let ends = Instant::now() + LISTING;
    let mut waiting = vec![collection(path)];
    let mut found = Vec::new();
    while let Some(at) = waiting.pop() {
        match shared.places.place(who, &at).await {
            Place::Calendar(calendar) => {
                let left = ends.saturating_duration_since(Instant::now());
                let members = shared.server.events(who, &at, texts, left).await?;
                found.extend(members.into_iter().filter_map(|member| {
                    let uid = event_uid(&member.text)?;
                    Some(step(&calendar, &uid, &member.path, texts.then_some(member.text)))
                }));
            }
            Place::Collection => {
                let inner = shared.server.propfind(who, &at, 1, "<D:resourcetype/>").await?.resources.into_iter();
                let inner = inner.filter(|inner| inner.is_collection()).map(|inner| collection(&inner.path));
                waiting.extend(inner.filter(|inner| inner.len() > at.len() && inner.starts_with(&at)));
            }
            Place::Other => {}
        }
    }
    Ok(found)
}
