//! The hook API: what a calendar server's adapter calls, in two beats around its own store.
//!
//! The whole of it is described at `/v1/openapi.json`, which is made from the code below.

mod accounts;
mod auth;
mod changes;
mod events;
mod reasons;
mod types;
mod watching;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Problem;
use crate::accounts::Accounts;
use crate::mirror::Mirror;

pub use types::{AccountView, ChangeView, ChangesView, EventView, ReportBody, ReportResult, Saved};
pub use watching::{ToldEventView, ToldView, WatchedAccountView, WatchedView};

/// The largest body taken, in octets: inline attachments included, with room for the component's own limit to speak.
pub const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// What the handlers share.
#[derive(Clone)]
pub struct Hook {
    pub(super) mirror: Arc<Mirror>,
    pub(super) accounts: Arc<Accounts>,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "teams-mirror hook API",
        description = include_str!("description.md"),
        license(name = "MIT OR Apache-2.0")
    ),
    security(("hook-secret" = [])),
    modifiers(&BearerSecret),
    tags(
        (name = "events", description = "The two beats of a save, deletes, and how an event stands."),
        (name = "accounts", description = "What the server tells about its users, and how they stand."),
        (name = "changes", description = "Texts to write back."),
        (name = "watching", description = "For whoever compares the server's calendars with what was told.")
    )
)]
struct Api;

struct BearerSecret;

impl utoipa::Modify for BearerSecret {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The server's hook secret, as `teams-mirror secret add` printed it."))
            .build();
        openapi.components.get_or_insert_default().add_security_scheme("hook-secret", SecurityScheme::Http(scheme));
    }
}

/// The API's routes and its description.
fn api() -> OpenApiRouter<Hook> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(events::put_event, events::delete_event, events::get_event))
        .routes(routes!(events::report_save))
        .routes(routes!(accounts::get_account, accounts::put_account, accounts::delete_account))
        .routes(routes!(accounts::rename_account))
        .routes(routes!(accounts::settings_link))
        .routes(routes!(changes::list_changes))
        .routes(routes!(watching::list_accounts))
        .routes(routes!(watching::list_events))
        .routes(routes!(watching::put_older))
}

/// The API's description, OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api().into_openapi()
}

/// Answers hold one-time links and people's calendars.
async fn not_to_be_kept(mut response: axum::response::Response) -> axum::response::Response {
    let value = axum::http::HeaderValue::from_static("no-store");
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, value);
    response
}

/// The routes of the hook listener.
pub fn router(mirror: Arc<Mirror>, accounts: Arc<Accounts>) -> Router {
    let hook = Hook { mirror, accounts };
    let (router, description) = api().split_for_parts();
    router
        .layer(axum::middleware::from_fn_with_state(hook.clone(), auth::require_secret))
        .route("/v1/openapi.json", get(move || std::future::ready(Json(description))))
        .route("/healthz", get(|| async { "ok\n" }))
        .fallback(|| async {
            Problem::new(StatusCode::NOT_FOUND, "no-such-route", "there is nothing here; see /v1/openapi.json")
        })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "no-such-method",
                "this address does not take that method; see /v1/openapi.json",
            )
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::map_response(not_to_be_kept))
        .with_state(hook)
}
