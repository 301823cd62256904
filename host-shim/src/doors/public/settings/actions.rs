//! The settings page's forms. Each carries the token of the session it was made for; without it nothing is done.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::page::{At, MEETINGS, PageError};
use super::which::{WhichForm, choose_calendar};
use crate::accounts::AccountsError;
use crate::accounts::session::Session;
use crate::address::Address;
use crate::doors::public::extract::Form;
use crate::doors::public::pages::{broken, said, see_other};
use crate::doors::public::{Public, guard};
use crate::mirror::{Leave, Left};
use crate::words;

/// What any of the forms may hold.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::doors::public) struct SettingsForm {
    /// The session's.
    token: String,
    /// `on` or `off`.
    teams: String,
    /// Which new events get a meeting by themselves.
    meetings: String,
    /// The calendar to choose for, and whether it is mirrored: `yes` or `no`.
    calendar: String,
    mirrored: String,
    /// The event to try again.
    uid: String,
    /// What becomes of mirrored events: `keep` or `remove`.
    events: String,
}

/// `POST /settings/turn`: on or off.
pub(in crate::doors::public) async fn turn(
    State(public): State<Public>,
    headers: HeaderMap,
    Form(form): Form<SettingsForm>,
) -> Response {
    let on = form.teams == "on";
    let mirror = public.mirror.clone();
    did(&public, &headers, &form.token, move |account| {
        Ok(match (mirror.turn(account, on)?, on) {
            (true, _) => "on",
            (false, false) => "off",
            // A page that was open before the disconnect.
            (false, true) => "leaving",
        })
    })
    .await
}

/// `POST /settings/meetings`: the default for new events.
pub(in crate::doors::public) async fn meetings(
    State(public): State<Public>,
    headers: HeaderMap,
    Form(form): Form<SettingsForm>,
) -> Response {
    let (mirror, accounts, meetings) = (public.mirror.clone(), public.accounts.clone(), form.meetings);
    did(&public, &headers, &form.token, move |account| {
        let declared = mirror.declared_settings();
        match accounts.set_own_setting(account, MEETINGS, Some(&meetings), declared) {
            Err(AccountsError::Invalid(_)) => Ok("not-saved"),
            done => saved(done),
        }
    })
    .await
}

/// `POST /settings/which`: which events are mirrored.
pub(in crate::doors::public) async fn which(
    State(public): State<Public>,
    headers: HeaderMap,
    Form(form): Form<WhichForm>,
) -> Response {
    let (mirror, accounts) = (public.mirror.clone(), public.accounts.clone());
    let token = form.token.clone();
    did(&public, &headers, &token, move |account| saved(form.choose(&mirror, &accounts, account))).await
}

/// `POST /settings/calendar`: one calendar, mirrored or left out.
pub(in crate::doors::public) async fn calendar(
    State(public): State<Public>,
    headers: HeaderMap,
    Form(form): Form<SettingsForm>,
) -> Response {
    let (mirror, accounts) = (public.mirror.clone(), public.accounts.clone());
    let (path, mirrored) = (form.calendar, form.mirrored == "yes");
    did(&public, &headers, &form.token, move |account| {
        saved(choose_calendar(&mirror, &accounts, account, &path, mirrored))
    })
    .await
}

/// What the page says of a choice.
fn saved(chosen: Result<(), AccountsError>) -> Result<&'static str, PageError> {
    match chosen {
        Ok(()) => Ok("saved"),
        Err(AccountsError::Conflict(_)) => Ok("not-saved"),
        Err(AccountsError::Invalid(_)) => Ok("too-long"),
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/older`: the coming events from before Teams was turned on, too, once.
pub(in crate::doors::public) async fn older(
    State(public): State<Public>,
    headers: HeaderMap,
    Form(form): Form<SettingsForm>,
) -> Response {
    let accounts = public.accounts.clone();
    did(&public, &headers, &form.token, move |account| {
        accounts.want_older(account)?;
        Ok("older")
    })
    .await
}

/// `POST /settings/retry`: one event again, now.
pub(in crate::doors::public) async fn retry(
    State(public): State<Public>,
    headers: HeaderMap,
    Form(form): Form<SettingsForm>,
) -> Response {
    let (mirror, uid) = (public.mirror.clone(), form.uid);
    did(&public, &headers, &form.token, move |account| {
        mirror.retry(account, &uid)?;
        Ok("retried")
    })
    .await
}

/// `POST /settings/disconnect`.
pub(in crate::doors::public) async fn disconnect(
    State(public): State<Public>,
    headers: HeaderMap,
    Form(form): Form<SettingsForm>,
) -> Response {
    let mirror = public.mirror.clone();
    let leave = if form.events == "remove" { Leave::Remove } else { Leave::Keep };
    did(&public, &headers, &form.token, move |account| {
        Ok(match mirror.disconnect(account, leave)? {
            Left::Gone => "disconnected",
            Left::Leaving => "leaving",
        })
    })
    .await
}

/// `POST /settings/test`: one real round trip, answered with the page and its result.
pub(in crate::doors::public) async fn test(
    State(public): State<Public>,
    headers: HeaderMap,
    Form(form): Form<SettingsForm>,
) -> Response {
    let session = match owner(&public, &headers, &form.token).await {
        Ok(session) => session,
        Err(response) => return response,
    };
    let (mirror, account) = (public.mirror.clone(), session.account.clone());
    match tokio::task::spawn_blocking(move || mirror.check(&account)).await {
        Ok(Ok(check)) => {
            let framed = guard::is_framed(&headers);
            let at = At { framed, waiting: false, done: String::new(), tested: Some(check) };
            super::show(&public, &headers, session, at).await
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "a connection could not be tested");
            broken(&public, &headers)
        }
        Err(_) => broken(&public, &headers),
    }
}

/// `GET /settings/test`: a test's page was loaded again by its address.
pub(in crate::doors::public) async fn back(State(public): State<Public>) -> Response {
    see_other(&format!("{}/settings", public.base))
}

/// Does for the form's account what blocks, and goes back to the page, which says what was done.
async fn did(
    public: &Public,
    headers: &HeaderMap,
    token: &str,
    work: impl FnOnce(&Address) -> Result<&'static str, PageError> + Send + 'static,
) -> Response {
    let session = match owner(public, headers, token).await {
        Ok(session) => session,
        Err(response) => return response,
    };
    match tokio::task::spawn_blocking(move || work(&session.account)).await {
        Ok(Ok(done)) => see_other(&format!("{}/settings?done={done}", public.base)),
        Ok(Err(error)) => {
            tracing::error!(%error, "a form of the settings page could not be done");
            broken(public, headers)
        }
        Err(_) => broken(public, headers),
    }
}

/// The session that a form was made for, if this browser has it and the form comes from our page.
async fn owner(public: &Public, headers: &HeaderMap, token: &str) -> Result<Session, Response> {
    let sessions = super::sessions(public, headers).await.map_err(|()| broken(public, headers))?;
    if sessions.is_empty() {
        return Err(super::over(public, headers));
    }
    let owned = sessions.into_iter().find(|session| session.owns(token));
    owned.filter(|_| guard::is_from_here(headers, &public.origin)).ok_or_else(|| {
        let w = words::choose(None, guard::accept_language(headers));
        said(public, w, "form-foreign", StatusCode::FORBIDDEN)
    })
}
