//! What users' browsers see: the settings page, and the way to Microsoft's sign-in and back.
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`sign_in`] | from a one-time ticket to Microsoft, and its answer |
//! | [`confirm`] | the user's yes to what Microsoft answered |
//! | [`settings`] | the settings page, its session and its forms |
//! | [`extract`] | queries and forms, and a page for what cannot be read |
//! | [`guard`] | cookies, where a request comes from, what a page may be framed by |
//! | [`pages`] | pages that only say something |
//!
//! Nothing here trusts a cookie alone or a query alone: a sign-in is begun with a one-time ticket, and finished only by the
//! browser that began it (RFC 9700 §4.7); a form counts only with the token of the session it was made for.

mod confirm;
mod extract;
mod guard;
mod pages;
mod settings;
mod sign_in;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::map_response;
use axum::routing::{get, post};

use crate::accounts::Accounts;
use crate::mirror::Mirror;

/// More than any form here holds: a UID has up to 1,024 octets, escaped three times as many.
const FORM_LIMIT: usize = 16 * 1024;

/// What the handlers share.
#[derive(Clone)]
pub(super) struct Public {
    mirror: Arc<Mirror>,
    accounts: Arc<Accounts>,
    /// Path under which browsers reach this door, without a slash at its end.
    base: Arc<str>,
    /// The origin under which they do.
    origin: Arc<str>,
    /// The content security policy of the settings page.
    framed: Arc<str>,
}

/// The routes of the public listener. `public_url` is the address under which browsers reach it, `webmail_origins` are the origins
/// that may frame the settings page beside it.
pub fn router(mirror: Arc<Mirror>, accounts: Arc<Accounts>, public_url: &str, webmail_origins: &[String]) -> Router {
    let url = url::Url::parse(public_url).ok();
    let base = url.as_ref().map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    let origin = url.map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let framed = guard::framed_policy(webmail_origins);
    let public = Public { mirror, accounts, base: base.into(), origin: origin.into(), framed: framed.into() };
    let settings = Router::new()
        .route("/settings", get(settings::open).head(nothing))
        .route("/settings/state", get(settings::state))
        .route("/settings/turn", post(settings::actions::turn))
        .route("/settings/meetings", post(settings::actions::meetings))
        .route("/settings/which", post(settings::actions::which))
        .route("/settings/calendar", post(settings::actions::calendar))
        .route("/settings/older", post(settings::actions::older))
        .route("/settings/retry", post(settings::actions::retry))
        .route("/settings/disconnect", post(settings::actions::disconnect))
        .route("/settings/test", post(settings::actions::test).get(settings::actions::back))
        .layer(axum::middleware::map_response_with_state(public.clone(), framed_by_webmail));
    Router::new()
        // A link that is only looked at (HEAD, by mail scanners) is not used up.
        .route("/signin", get(sign_in::begin).head(nothing))
        .route("/signin/confirm", get(confirm::ask).post(confirm::answer))
        .route("/signin/done", get(confirm::done))
        .route("/api/v1/oauth/access", get(sign_in::finish).head(nothing))
        .route("/style.css", get(pages::style))
        .route("/settings.js", get(pages::script))
        .route("/healthz", get(|| async { "ok\n" }))
        .merge(settings)
        .fallback(pages::not_found)
        .method_not_allowed_fallback(extract::wrong_method)
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(map_response(guard::harden))
        .with_state(public)
}

async fn nothing() {}

async fn framed_by_webmail(
    State(public): State<Public>,
    response: axum::response::Response,
) -> axum::response::Response {
    guard::may_be_framed(response, &public.framed)
}
