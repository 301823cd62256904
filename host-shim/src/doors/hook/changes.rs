//! Texts to write back, by long poll.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::auth::Caller;
use super::events::bad_query;
use super::types::{ChangeView, ChangesView};
use super::{Hook, Problem};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesQuery {
    /// The cursor of the last answer; absent: from the beginning. Nothing is missed by beginning anew: an event is offered
    /// until its stored text is right.
    after: Option<String>,
    /// Wait so many seconds for the first change, 0 to 60.
    #[serde(default)]
    wait: u64,
}

/// Gives events whose text should differ from what was stored, because their link came after the save was answered.
#[utoipa::path(
    get,
    path = "/v1/changes",
    tag = "changes",
    params(ChangesQuery),
    responses(
        (status = 200, description = "Changes after the cursor, perhaps none.", body = ChangesView),
        (status = 400, description = "The request makes no sense.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "`cursor-expired`: the cursor is of a store that was restored or replaced; begin without `after`.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 503, description = "The store does not answer.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn list_changes(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ChangesQuery>, QueryRejection>,
) -> Result<Json<ChangesView>, Problem> {
    let Query(query) = query.map_err(bad_query)?;
    let epoch = hook.mirror.epoch().to_owned();
    let after = match query.after.as_deref() {
        None | Some("") => 0,
        Some(cursor) => number(cursor, &epoch)?,
    };
    let page = hook.mirror.changes(&caller.0, after, Duration::from_secs(query.wait.min(60))).await?;
    Ok(Json(ChangesView {
        cursor: format!("{epoch}.{}", page.cursor),
        changes: page.changes.into_iter().map(ChangeView::from).collect(),
    }))
}

/// Cursors hold the store's epoch, because numbers begin anew in a store that was restored.
fn number(cursor: &str, epoch: &str) -> Result<u64, Problem> {
    let invalid = || {
        Problem::new(StatusCode::BAD_REQUEST, "cursor-invalid", "`after` is the cursor of an earlier answer, or absent")
    };
    let (of, number) = cursor.split_once('.').ok_or_else(invalid)?;
    let number = number.parse().map_err(|_| invalid())?;
    if of == epoch {
        return Ok(number);
    }
    Err(Problem::new(
        StatusCode::GONE,
        "cursor-expired",
        "the cursor is of a store that was restored or replaced; begin without `after`",
    ))
}
