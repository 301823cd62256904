//! The settings page: how a user's calendar stands towards Microsoft Teams, and all they can do about it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`page`] | what the page shows, state by state |
//! | [`events`] | the last events on it |
//! | [`which`] | which events are mirrored |
//! | [`actions`] | its forms |
//!
//! The way in is a one-time ticket; it becomes a session of an hour, in a cookie. The page may stand in a webmail's frame; the
//! sign-in never does, it opens a window of its own.

pub(super) mod actions;
mod events;
mod page;
mod which;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::extract::Asked;
use super::pages::{Link, Message, broken, said, see_other};
use super::{Public, guard};
use crate::accounts::AccountsError;
use crate::accounts::session::Session;
use crate::address::Address;
use crate::store::ConnectionRow;
use crate::words::{self, Words};

const COOKIE: &str = "__Host-teams-mirror-settings";

/// As long as a session lives.
const SECONDS: u32 = 3_600;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SettingsQuery {
    /// The one-time ticket with which a session begins.
    ticket: String,
    /// A further ticket, should the browser have kept no cookie.
    again: String,
    /// The sign-in was opened in another window.
    waiting: String,
    /// What was just done.
    done: String,
}

/// `GET /settings`.
pub(super) async fn open(
    State(public): State<Public>,
    Asked(query): Asked<SettingsQuery>,
    headers: HeaderMap,
) -> Response {
    if !query.ticket.is_empty() {
        return begin(&public, query.ticket, &headers).await;
    }
    if !query.again.is_empty() {
        return arrived(&public, query.again, &headers).await;
    }
    let session = match session(&public, &headers).await {
        Ok(session) => session,
        Err(()) => return broken(&public, &headers),
    };
    match session {
        Some(session) => {
            let at = page::At {
                framed: guard::is_framed(&headers),
                waiting: !query.waiting.is_empty(),
                done: query.done,
                tested: None,
            };
            show(&public, &headers, session, at).await
        }
        None => over(&public, &headers),
    }
}

/// Spends the ticket. The session's cookie comes with a redirect, so that the page itself can see whether it was kept.
async fn begin(public: &Public, ticket: String, headers: &HeaderMap) -> Response {
    let accounts = public.accounts.clone();
    let held = cookies(headers);
    match tokio::task::spawn_blocking(move || accounts.open_settings(&ticket, &held)).await {
        Ok(Ok(Some(opened))) => {
            let mut response = see_other(&format!("{}/settings?again={}", public.base, opened.again));
            let framed = guard::is_framed(headers) != Some(false);
            guard::set_cookie(&mut response, COOKIE, &opened.cookie, SECONDS, framed);
            response
        }
        Ok(Ok(None)) => over(public, headers),
        Ok(Err(error)) => {
            tracing::error!(%error, "a session of the settings page could not be begun");
            broken(public, headers)
        }
        Err(_) => broken(public, headers),
    }
}

/// After the redirect: was the cookie kept? A session of another account, of a window beside the frame, is no answer to that.
async fn arrived(public: &Public, again: String, headers: &HeaderMap) -> Response {
    let Ok(open) = sessions(public, headers).await else { return broken(public, headers) };
    let (accounts, ticket) = (public.accounts.clone(), again.clone());
    let found = tokio::task::spawn_blocking(move || {
        let whose = accounts.settings_ticket_of(&ticket)?;
        let kept = whose.as_ref().map(|account| open.iter().any(|session| session.account == *account));
        if kept == Some(true) {
            accounts.drop_settings_ticket(&ticket)?;
        }
        Ok::<_, AccountsError>(kept.unwrap_or(!open.is_empty()))
    })
    .await;
    match found {
        Ok(Ok(true)) => see_other(&format!("{}/settings", public.base)),
        Ok(Ok(false)) => no_cookie(public, &again, headers),
        Ok(Err(error)) => {
            tracing::error!(%error, "a session of the settings page could not be looked up");
            broken(public, headers)
        }
        Err(_) => broken(public, headers),
    }
}

async fn show(public: &Public, headers: &HeaderMap, session: Session, at: page::At) -> Response {
    let (mirror, accounts) = (public.mirror.clone(), public.accounts.clone());
    let accept = guard::accept_language(headers).map(str::to_owned);
    let base = public.base.clone();
    let made =
        tokio::task::spawn_blocking(move || page::make(&mirror, &accounts, &base, &session, accept.as_deref(), at))
            .await;
    match made {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::error!(%error, "the settings page could not be made");
            broken(public, headers)
        }
        Err(_) => broken(public, headers),
    }
}

/// `GET /settings/state`: changes when the page would show something else.
pub(super) async fn state(State(public): State<Public>, headers: HeaderMap) -> Response {
    let Ok(Some(session)) = session(&public, &headers).await else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let (mirror, accounts) = (public.mirror.clone(), public.accounts.clone());
    match tokio::task::spawn_blocking(move || page::version_of(&mirror, &accounts, &session.account)).await {
        Ok(Ok(version)) => version.into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The session of this browser: the newest of those that its cookies still have.
async fn session(public: &Public, headers: &HeaderMap) -> Result<Option<Session>, ()> {
    Ok(sessions(public, headers).await?.into_iter().next())
}

/// All of them, the newest first: in a frame and outside it there may be two, of two accounts.
async fn sessions(public: &Public, headers: &HeaderMap) -> Result<Vec<Session>, ()> {
    let cookies = cookies(headers);
    let accounts = public.accounts.clone();
    let found = tokio::task::spawn_blocking(move || {
        let open = cookies.iter().filter_map(|cookie| accounts.settings_session(cookie).transpose());
        open.collect::<Result<Vec<_>, _>>()
    })
    .await;
    match found {
        Ok(Ok(mut sessions)) => {
            sessions.sort_by_key(|session| std::cmp::Reverse(session.ends_at));
            Ok(sessions)
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "a session of the settings page could not be looked up");
            Err(())
        }
        Err(_) => Err(()),
    }
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    guard::cookies(headers, COOKIE).take(4).map(str::to_owned).collect()
}

/// Whether the settings of this account are open in this browser.
pub(super) async fn has_session(public: &Public, headers: &HeaderMap, account: &Address) -> bool {
    sessions(public, headers).await.is_ok_and(|open| open.iter().any(|session| session.account == *account))
}

/// What a mailbox can do, in a sentence.
pub(super) fn mailbox_sentence(w: &'static Words, connection: &ConnectionRow) -> Option<String> {
    let code = connection.facts_code.as_deref()?;
    let known = format!("mailbox-{code}");
    // What a newer version of the extension finds, it says itself.
    if w.has(&known) { Some(w.say(&known)) } else { connection.facts_message.clone() }
}

fn over(public: &Public, headers: &HeaderMap) -> Response {
    let w = words::choose(None, guard::accept_language(headers));
    said(public, w, "session-over", StatusCode::FORBIDDEN)
}

fn no_cookie(public: &Public, again: &str, headers: &HeaderMap) -> Response {
    let w = words::choose(None, guard::accept_language(headers));
    // It goes into an address: whatever else came in is left out.
    let ticket: String = again.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    Message {
        w,
        base: &public.base,
        code: "no-cookie",
        title: w.say("no-cookie-title"),
        paragraphs: vec![w.say("no-cookie")],
        next_step: w.say("no-cookie-next"),
        link: Some(Link {
            href: format!("{}/settings?ticket={ticket}", public.base),
            text: w.say("no-cookie-open"),
            new_window: true,
        }),
    }
    .page(StatusCode::OK)
}
