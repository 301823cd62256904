//! What users' browsers see: the way to Microsoft's sign-in and back.
//!
//! Nothing here trusts a cookie alone or a query alone: a sign-in is begun with a one-time ticket, and finished only by the
//! browser that began it (RFC 9700 §4.7).

mod pages;
mod sign_in;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;

use crate::accounts::Accounts;
use crate::mirror::Mirror;

/// What the handlers share.
#[derive(Clone)]
pub(super) struct Public {
    mirror: Arc<Mirror>,
    accounts: Arc<Accounts>,
    /// Path under which browsers reach this door, without a slash at its end.
    base: Arc<str>,
}

/// The routes of the public listener. `public_url` is the address under which browsers reach it.
pub fn router(mirror: Arc<Mirror>, accounts: Arc<Accounts>, public_url: &str) -> Router {
    let base = url::Url::parse(public_url).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    let public = Public { mirror, accounts, base: base.into() };
    Router::new()
        // A link that is only looked at (HEAD, by mail scanners) is not used up.
        .route("/signin", get(sign_in::begin).head(|| async {}))
        .route("/api/v1/oauth/access", get(sign_in::finish))
        .route("/style.css", get(pages::style))
        .route("/healthz", get(|| async { "ok\n" }))
        .fallback(pages::not_found)
        .layer(axum::middleware::from_fn(harden))
        .with_state(public)
}

/// No page here may be cached, framed, sniffed, or tell another site where the user was.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name, value| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set(header::CACHE_CONTROL, "no-store");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    );
    response
}
