//! What a watcher reads and tells: whose calendars to look at, and what was last told of them.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accounts::{named, problem};
use super::auth::Caller;
use super::events::{bad_json, bad_query, off_the_loop};
use super::types::instant;
use super::{Hook, Problem};
use crate::accounts::watching::{Since, Watched};
use crate::mirror::{TOLD_PAGE, hex};
use crate::store::ToldRow;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountsQuery {
    /// `next` of the last answer; absent: from the beginning.
    #[serde(default)]
    after: String,
}

/// Accounts whose calendars are to be watched.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WatchedView {
    /// By address; a page may be empty and not the last.
    pub accounts: Vec<WatchedAccountView>,
    /// To be handed in as `after` for the next page; opaque. Absent: this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An account whose calendars are to be watched.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WatchedAccountView {
    /// The account's address.
    pub account: String,
    /// Whether new events may be brought to Teams. Otherwise tell only changes and deletes of events that are known here.
    pub usable: bool,
    /// When its user turned Teams on (RFC 3339, UTC); another one is another beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turned_on: Option<String>,
    /// From one look to the next, in seconds; 0: as often as possible.
    pub interval_seconds: u64,
    /// How far back the window reaches, in seconds.
    pub back_seconds: u64,
    /// How far ahead the window reaches, in seconds.
    pub ahead_seconds: u64,
    /// What is to be told of events that were saved before `turned_on`: nothing where this is absent, `all`, or what ends on
    /// this date or after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The user asked for the coming events from before `turned_on`. Tell them, then say `included` (see `older`).
    pub include_older: bool,
    /// How many events have a save that nobody reported; the listing names them with `unconfirmed=true`.
    pub unconfirmed: u64,
}

impl From<Watched> for WatchedAccountView {
    fn from(watched: Watched) -> Self {
        let watching = watched.watching;
        Self {
            account: watched.account,
            usable: watched.usable,
            turned_on: watched.turned_on_at.and_then(instant),
            interval_seconds: watching.interval.as_secs(),
            back_seconds: watching.back.as_secs(),
            ahead_seconds: watching.ahead.as_secs(),
            since: match watching.since {
                Since::TurnedOn => None,
                Since::All => Some("all".into()),
                Since::Date(date) => Some(date.to_string()),
            },
            include_older: watched.older_wanted,
            unconfirmed: watched.unconfirmed,
        }
    }
}

/// Lists the accounts whose calendars a watcher is to look at: those of this secret's domains that are connected with a
/// Microsoft account and allowed to use the extension, each with how it is to be watched.
#[utoipa::path(
    get,
    path = "/v1/accounts",
    tag = "watching",
    params(AccountsQuery),
    responses(
        (status = 200, description = "A page of them.", body = WatchedView),
        (status = 400, description = "The request makes no sense.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 503, description = "The store does not answer.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn list_accounts(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<AccountsQuery>, QueryRejection>,
) -> Result<Json<WatchedView>, Problem> {
    let Query(query) = query.map_err(bad_query)?;
    off_the_loop(move || {
        let page = hook.accounts.to_watch(&caller.0, &query.after).map_err(problem)?;
        let accounts = page.accounts.into_iter().map(WatchedAccountView::from).collect();
        Ok(Json(WatchedView { accounts, next: page.next }))
    })
    .await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// `next` of the last answer; absent: from the beginning.
    #[serde(default)]
    after: String,
    /// `true`: only events with a save that nobody reported and that was taken as stored.
    #[serde(default)]
    unconfirmed: bool,
}

/// What was told of an account's events.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ToldView {
    /// By UID, at most 500.
    pub events: Vec<ToldEventView>,
    /// To be handed in as `after` for the next page; opaque. Absent: this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What was told of one event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ToldEventView {
    /// The UID.
    pub uid: String,
    /// The server's paths that carry it, as told.
    pub objects: Vec<String>,
    /// SHA-256, lower-case hexadecimal, of the text that was last told as stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_sha256: Option<String>,
    /// When it is over for good (RFC 3339, UTC), where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_end: Option<String>,
    /// A save of it was never reported, and was taken as stored.
    pub unconfirmed: bool,
}

impl From<ToldRow> for ToldEventView {
    fn from(row: ToldRow) -> Self {
        Self {
            uid: row.uid,
            objects: row.objects.into_iter().filter(|object| !object.is_empty()).collect(),
            told_sha256: row.stored_sha.map(|sha| hex(&sha)),
            last_end: row.last_end.and_then(instant),
            unconfirmed: row.unconfirmed,
        }
    }
}

/// Lists an account's events as they were last told, for whoever compares them with what the server holds. Events that are gone
/// are not in it, nor those that leave no trace here, such as other people's.
#[utoipa::path(
    get,
    path = "/v1/accounts/{account}/events",
    tag = "watching",
    params(("account" = String, Path, description = "The account's address, percent-encoded."), EventsQuery),
    responses(
        (status = 200, description = "A page of them.", body = ToldView),
        (status = 400, description = "The request makes no sense.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn list_events(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Json<ToldView>, Problem> {
    let account = caller.account(&named(path)?)?;
    let Query(query) = query.map_err(bad_query)?;
    off_the_loop(move || {
        let rows = hook.mirror.told(&account, &query.after, query.unconfirmed)?;
        let next = rows.last().filter(|_| rows.len() >= TOLD_PAGE as usize).map(|row| row.uid.clone());
        Ok(Json(ToldView { events: rows.into_iter().map(ToldEventView::from).collect(), next }))
    })
    .await
}

/// What a watcher left out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OlderBody {
    /// How many coming events of the window were saved before Teams was turned on and are therefore not told.
    count: u32,
    /// `true`: those that `include_older` asked for have been told; it asks no more.
    #[serde(default)]
    included: bool,
}

/// Tells how many coming events a watcher left alone because they are older than the turning on; the settings page offers their
/// user to include them, once.
#[utoipa::path(
    put,
    path = "/v1/accounts/{account}/older",
    tag = "watching",
    params(("account" = String, Path, description = "The account's address, percent-encoded.")),
    request_body = OlderBody,
    responses(
        (status = 204, description = "Taken, where the account is known."),
        (status = 400, description = "The request makes no sense.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Over 8 MiB.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It could not be written down.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn put_older(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    body: Result<Json<OlderBody>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let account = caller.account(&named(path)?)?;
    let Json(body) = body.map_err(bad_json)?;
    off_the_loop(move || {
        hook.accounts.set_older(&account, body.count, body.included).map_err(problem)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
