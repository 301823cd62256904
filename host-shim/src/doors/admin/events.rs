//! Events, and trying them again.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::StatusCode;

use super::extract::{Asked, Named};
use super::types::{EventInfo, EventsQuery, Released};
use super::{Answer, Problem, address, mirror_problem, nearest, off_the_loop, store_problem};
use crate::address::Address;
use crate::mirror::{EventStatus, State};
use crate::serve::Shim;

/// How many events a list holds where nobody says.
const USUAL: u32 = 50;

/// What an event can wait for.
const PARKED_FOR: [&str; 5] = ["connection", "connector", "policy", "mailbox", "hopeless"];

/// `GET /events`.
pub(super) async fn list(Shared(shim): Shared<Arc<Shim>>, Asked(query): Asked<EventsQuery>) -> Answer<Vec<EventInfo>> {
    off_the_loop(move || {
        let account = query.account.as_deref().map(address).transpose()?;
        let state = query.state.as_deref().map(state).transpose()?;
        last(&shim, account.as_ref(), state, query.limit.unwrap_or(USUAL))
    })
    .await
}

/// `GET /accounts/{account}/events/{uid}`.
pub(super) async fn show(
    Shared(shim): Shared<Arc<Shim>>,
    Named((account, uid)): Named<(String, String)>,
) -> Answer<EventInfo> {
    off_the_loop(move || one(&shim, &address(&account)?, &uid)).await
}

/// `POST /accounts/{account}/events/{uid}/retry`.
pub(super) async fn retry(
    Shared(shim): Shared<Arc<Shim>>,
    Named((account, uid)): Named<(String, String)>,
) -> Answer<EventInfo> {
    off_the_loop(move || {
        let account = address(&account)?;
        if !shim.mirror().retry(&account, &uid).map_err(mirror_problem)? {
            return Err(unknown(&account, &uid));
        }
        one(&shim, &account, &uid)
    })
    .await
}

/// `POST /events/retry-parked`.
pub(super) async fn retry_parked(Shared(shim): Shared<Arc<Shim>>) -> Answer<Released> {
    off_the_loop(move || {
        let mut released = 0;
        for why in PARKED_FOR {
            released += shim.mirror().unpark(None, why).map_err(|e| store_problem(&e))?;
        }
        Ok(Released { released })
    })
    .await
}

pub(super) fn last(
    shim: &Shim,
    account: Option<&Address>,
    state: Option<State>,
    limit: u32,
) -> Result<Vec<EventInfo>, Problem> {
    let events = shim.mirror().events(account, state, limit).map_err(mirror_problem)?;
    Ok(events.into_iter().map(info).collect())
}

fn one(shim: &Shim, account: &Address, uid: &str) -> Result<EventInfo, Problem> {
    match shim.mirror().event(account, uid).map_err(mirror_problem)? {
        Some(event) => Ok(info(event)),
        None => Err(unknown(account, uid)),
    }
}

fn unknown(account: &Address, uid: &str) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-such-event",
        format!(
            "nothing is kept of an event `{uid}` of `{account}`; `teams-mirror events list --account {account}` shows what is"
        ),
    )
}

fn state(name: &str) -> Result<State, Problem> {
    State::from_name(name).ok_or_else(|| {
        let hint = nearest(name, super::types::STATES.into_iter());
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "state-unknown", format!("there is no state `{name}`{hint}"))
    })
}

fn info(event: EventStatus) -> EventInfo {
    EventInfo {
        account: event.account,
        uid: event.uid,
        state: event.state.name().into(),
        reason: event.reason,
        message: event.message,
        join_url: event.join_url,
        web_link: event.web_link,
        notices: event.notices,
        next_attempt_at: event.next_attempt_at,
        attempts: event.attempts,
        unconfirmed: event.unconfirmed,
        objects: event.objects,
        updated_at: event.updated_at,
    }
}
