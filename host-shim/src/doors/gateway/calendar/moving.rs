//! MOVE and COPY: of an object or a calendar, within one person's calendars or to another's.

use std::collections::HashSet;
use std::sync::Arc;

use hyper::{Request, Response};

use super::later;
use super::notes::Step;
use super::owner::{Calendar, Place};
use super::path::{canonical, collection, parent};
use super::put::in_a_task;
use super::removal::{events, of_object};
use super::server::{Trouble, Who};
use super::shared::Shared;
use crate::doors::gateway::Body;

/// Answers a MOVE, or a COPY where what is copied `stays`.
pub(super) async fn answer(shared: Arc<Shared>, request: Request<Body>, stays: bool) -> Response<Body> {
    let destination = request.headers().get("destination").and_then(|value| value.to_str().ok()).and_then(canonical);
    let (Some(from), Some(to)) = (canonical(request.uri().path()), destination) else {
        return shared.pass(request).await;
    };
    let who = Who::sent(request.headers(), &shared.config);
    let moved = match found(&shared, &who, &from, &to).await {
        Ok(moved) => moved,
        Err(trouble) => {
            tracing::warn!(from, to, %trouble, "what is moved is not followed: the server does not say what it is");
            Moved::default()
        }
    };
    shared.places.forget(&from);
    shared.places.forget(&to);
    let mut steps = moved.there;
    steps.extend(moved.replaced.into_iter().map(going));
    if !stays {
        steps.extend(moved.left.into_iter().map(going));
    }
    if steps.is_empty() {
        return shared.pass(request).await;
    }
    in_a_task(later::noted(shared, who, request, steps)).await
}

/// What there is to tell.
#[derive(Default)]
struct Moved {
    /// At the new place.
    there: Vec<Step>,
    /// What stood in its way.
    replaced: Vec<Step>,
    /// At the old place.
    left: Vec<Step>,
}

async fn found(shared: &Shared, who: &Who, from: &str, to: &str) -> Result<Moved, Trouble> {
    match shared.places.place(who, parent(from)).await {
        Place::Calendar(calendar) if !from.ends_with('/') => object(shared, who, &calendar, from, to).await,
        _ => whole(shared, who, &collection(from), &collection(to)).await,
    }
}

async fn object(shared: &Shared, who: &Who, calendar: &Calendar, from: &str, to: &str) -> Result<Moved, Trouble> {
    let source = of_object(shared, who, calendar, from).await?;
    let target = shared.places.calendar(who, parent(to)).await;
    let mut replaced = match &target {
        Some(target) => of_object(shared, who, target, to).await?,
        None => None,
    };
    let there = source.as_ref().zip(target.as_ref()).map(|(source, target)| Step {
        account: target.owner.account.clone(),
        object: target.told_object(to),
        calendar: target.told.clone(),
        calendar_name: target.name.clone(),
        ..source.clone()
    });
    // The same event there is not gone.
    replaced.take_if(|old| there.as_ref().is_some_and(|new| new.event() == old.event()));
    Ok(Moved {
        there: there.into_iter().collect(),
        replaced: replaced.into_iter().collect(),
        left: source.into_iter().collect(),
    })
}

/// A collection with all it holds. Calendars keep their names.
async fn whole(shared: &Shared, who: &Who, from: &str, to: &str) -> Result<Moved, Trouble> {
    let left = events(shared, who, from, true).await?;
    if left.is_empty() {
        return Ok(Moved::default());
    }
    let mut replaced = events(shared, who, to, false).await?;
    let owner = shared.places.owner_at(who, parent(to)).await?;
    let there: Vec<Step> = left
        .iter()
        .filter_map(|event| {
            let account = owner.as_ref().map_or_else(|| event.account.clone(), |owner| owner.account.clone());
            let object = format!("{to}{}", event.object.strip_prefix(from)?);
            let calendar = format!("{to}{}", event.calendar.strip_prefix(from)?);
            Some(Step { account, object, calendar, ..event.clone() })
        })
        .collect();
    let stays: HashSet<(&str, &str)> = there.iter().map(|new| (new.uid.as_str(), new.object.as_str())).collect();
    replaced.retain(|old| !stays.contains(&(old.uid.as_str(), old.object.as_str())));
    Ok(Moved { there, replaced, left })
}

fn going(step: Step) -> Step {
    Step { gone: true, text: None, ..step }
}
