//! The administrator's door: JSON over a Unix socket that only our own user may open.
//!
//! | file | routes under `/admin/v1` |
//! | --- | --- |
//! | `status` | `GET /status` |
//! | `connectors` | `GET /connectors`, `GET` and `PATCH /connectors/{name}`, `POST /connectors/{name}/enable` and `/disable` |
//! | `policy` | `GET` and `PUT /policy`, `GET` and `PUT /settings` |
//! | `secrets` | `GET` and `POST /secrets`, `DELETE /secrets/{name}` |
//! | `accounts` | `GET /accounts/{account}`, `POST /accounts/{account}/check`, `/settings-link`, `/sign-in-link`, `/disconnect` |
//! | `events` | `GET /events`, `GET /accounts/{account}/events/{uid}`, `POST …/retry`, `POST /events/retry-parked` |
//!
//! Every change holds at once, and what waited for it goes on. Nothing here gives a secret away, but for a fresh hook
//! secret, once, to the one who asked for it.
//!
//! The command line uses the same routes when no `serve` is running: it then calls them in its own process.

mod accounts;
mod connectors;
mod events;
mod extract;
mod policy;
mod secrets;
mod status;
pub mod types;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};

use super::Problem;
use crate::accounts::AccountsError;
use crate::address::Address;
use crate::serve::Shim;
use crate::store::{Scope, StoreError};

/// What a handler gives back.
type Answer<T> = Result<Json<T>, Problem>;

/// The routes of the admin socket.
pub fn router(shim: Arc<Shim>) -> Router {
    let routes = Router::new()
        .route("/status", get(status::status))
        .route("/connectors", get(connectors::list))
        .route("/connectors/{name}", get(connectors::show).patch(connectors::change))
        .route("/connectors/{name}/enable", post(connectors::enable))
        .route("/connectors/{name}/disable", post(connectors::disable))
        .route("/policy", get(policy::rules).put(policy::set_rule))
        .route("/settings", get(policy::settings).put(policy::set_setting))
        .route("/secrets", get(secrets::list).post(secrets::add))
        .route("/secrets/{name}", delete(secrets::remove))
        .route("/accounts/{account}", get(accounts::show))
        .route("/accounts/{account}/check", post(accounts::check))
        .route("/accounts/{account}/settings-link", post(accounts::settings_link))
        .route("/accounts/{account}/sign-in-link", post(accounts::sign_in_link))
        .route("/accounts/{account}/disconnect", post(accounts::disconnect))
        .route("/accounts/{account}/events/{uid}", get(events::show))
        .route("/accounts/{account}/events/{uid}/retry", post(events::retry))
        .route("/events", get(events::list))
        .route("/events/retry-parked", post(events::retry_parked));
    Router::new()
        .nest("/admin/v1", routes)
        .fallback(|| async {
            Problem::new(
                StatusCode::NOT_FOUND,
                "no-such-route",
                "the running `teams-mirror serve` does not know this command; it may be another version: restart it",
            )
        })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no-such-method", "this address does not take that method")
        })
        .with_state(shim)
}

/// Runs what blocks (the store, a request to Microsoft) where it delays no other request.
async fn off_the_loop<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Answer<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map(Json),
        Err(failure) => {
            tracing::error!(%failure, "the work for an admin request broke off");
            Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "broke-off",
                "the work for this command broke off; the log of `teams-mirror serve` says more",
            ))
        }
    }
}

/// Reads an address as an administrator writes it.
fn address(text: &str) -> Result<Address, Problem> {
    Address::parse(text).map_err(|e| {
        Problem::new(StatusCode::BAD_REQUEST, "account-invalid", format!("{e}; write `alice@example.org`"))
    })
}

/// Reads a domain as an administrator writes it.
fn domain(text: &str) -> Result<String, Problem> {
    Address::parse_domain(text)
        .map_err(|e| Problem::new(StatusCode::BAD_REQUEST, "domain-invalid", format!("{e}; write `example.org`")))
}

/// Brings a scope's name into the one form in which it is kept.
fn scope(scope: Scope) -> Result<Scope, Problem> {
    Ok(match scope {
        Scope::Server => Scope::Server,
        Scope::Domain(name) => Scope::Domain(domain(&name)?),
        Scope::Class(name) => Scope::Class(name),
        Scope::Account(name) => Scope::Account(address(&name)?.as_str().to_owned()),
        Scope::Own(_) => {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "scope-invalid",
                "what users choose is theirs; a choice for the account replaces it",
            ));
        }
    })
}

/// An error of the accounts, as an administrator should read it.
fn accounts_problem(error: AccountsError) -> Problem {
    match error {
        AccountsError::Store(store) => store_problem(&store),
        AccountsError::NotFound(message) => Problem::new(StatusCode::NOT_FOUND, "not-found", message),
        AccountsError::Conflict(message) => Problem::new(StatusCode::CONFLICT, "conflict", message),
        AccountsError::Invalid(message) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "value-invalid", message),
        other => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "accounts-failed", other.to_string()),
    }
}

/// The hook API speaks of events here; an administrator needs the store's own words.
fn store_problem(error: &StoreError) -> Problem {
    tracing::error!(%error, "the store failed");
    let code = if matches!(error, StoreError::Full(_)) { "store-full" } else { "store-failed" };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, error.to_string())
}

/// An error of the mirror, as an administrator should read it.
fn mirror_problem(error: crate::mirror::MirrorError) -> Problem {
    match error {
        crate::mirror::MirrorError::Store(store) => store_problem(&store),
        other => other.into(),
    }
}

/// "; did you mean …?", where a known name looks like the unknown one; else all the known ones, where there are any.
fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let likeness = |name: &str| strsim::jaro_winkler(name, unknown);
    match known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(near) if likeness(near) > 0.7 => format!("; did you mean `{near}`?"),
        Some(_) => format!("; there is `{}`", known.join("`, `")),
        None => String::new(),
    }
}
