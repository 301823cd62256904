//! The two beats, deletes, and how an event stands.

use std::time::Duration;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Body};
use serde::Deserialize;
use utoipa::IntoParams;

use super::auth::Caller;
use super::types::{EventView, ReportBody, ReportResult, Saved};
use super::{Hook, Problem};
use crate::component::types::Wish;
use crate::mirror::{Answer, Delete, Report, Save, SaveResult, Told};

/// Reasons travel in this header where there is no body for them.
pub(super) static MIRROR_REASON: HeaderName = HeaderName::from_static("mirror-reason");
static MIRROR_CHANGE: HeaderName = HeaderName::from_static("mirror-change");
static MIRROR_STATE: HeaderName = HeaderName::from_static("mirror-state");

/// The longest a save may wait.
const LONGEST_WAIT: u64 = 30;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SaveQuery {
    /// The server's path for the event.
    object: Option<String>,
    /// The server's path for the calendar it is in; administrators and users leave calendars out by it.
    /// Absent: `object` up to its last `/`. Where there is neither, the event is in none of the calendars that a setting names.
    calendar: Option<String>,
    /// What its user calls that calendar, at most 200 characters; settings may name it so, and the settings page shows it.
    calendar_name: Option<String>,
    /// What the user chose: a meeting (`wanted`), or none (`none`). Absent: what is, stays.
    #[param(inline)]
    meeting: Option<Meeting>,
    /// `true`: the event is only being written ("Add Teams" before saving); it is a draft until it is saved.
    #[serde(default)]
    draft: bool,
    /// The UID of a draft whose meeting this save takes over.
    draft_of: Option<String>,
    /// A change id of the adapter's own choice, 1 to 64 of `A-Z a-z 0-9 - _`, so that a save whose answer was lost can still
    /// be reported. The same id again replaces the announced save.
    change: Option<String>,
    /// `true`: the server has stored the text already and cannot call twice.
    #[serde(default)]
    stored: bool,
    /// `true`: one of many, from an import; no default makes a meeting for it.
    #[serde(default)]
    import: bool,
    /// For watchers, with `stored=true`: SHA-256 in hexadecimal of the text last told of the event when the watcher began to look
    /// at it, or `none`. Where something else was told meanwhile, nothing is taken (409 `told-meanwhile`).
    told: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Meeting {
    Wanted,
    None,
}

/// Announces a save (first beat), or tells one that happened (`stored=true`).
///
/// Of every event whose save was understood the answer holds the text to store, byte-identical where nothing is to be done.
#[utoipa::path(
    put,
    path = "/v1/accounts/{account}/events/{uid}",
    tag = "events",
    params(
        ("account" = String, Path, description = "The account's address, percent-encoded."),
        ("uid" = String, Path, description = "The event's UID, percent-encoded."),
        SaveQuery,
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds (1 to 30, default 5) for a new link; `respond-async`: do not wait (RFC 7240)."),
        ("Accept" = Option<String>, Header, description = "`text/calendar`: answer the text alone; the rest stands in `Mirror-Change`, `Mirror-State` and `Mirror-Reason`.")
    ),
    request_body(content = String, content_type = "text/calendar", description = "The iCalendar text (RFC 5545) about to be stored."),
    responses(
        (status = 200, description = "Final for this save.", content((Saved = "application/json"), (String = "text/calendar")), headers(("Mirror-Change" = String, description = "As `change`."), ("Mirror-State" = String, description = "As `state`."), ("Mirror-Reason" = Option<String>, description = "As `reason`."))),
        (status = 202, description = "A link is wanted and not there yet; `changes` will offer the text with it.", content((Saved = "application/json"), (String = "text/calendar")), headers(("Mirror-Change" = String, description = "As `change`."), ("Mirror-State" = String, description = "As `state`."), ("Mirror-Reason" = Option<String>, description = "As `reason`."))),
        (status = 204, description = "Nothing of this account's is ours; `Mirror-Reason` says why: `not-enabled`, `denied`, `unknown-account`, `not-turned-on`, `connector-off`.", headers(("Mirror-Reason" = String, description = "Why."))),
        (status = 400, description = "The address of the request makes no sense.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`change-closed`: the adapter's own change id was reported already. `told-meanwhile`: something else than `told` was told last.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Over 8 MiB.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not `text/calendar`.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The text is no event that could be kept under this UID: `not-icalendar`, `uid-missing`, `several-uids`, `uid-differs`, `uid-length`, `uid-characters`, `change-invalid`.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It could not be written down; nothing was changed.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn put_event(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String)>, PathRejection>,
    query: Result<Query<SaveQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Path((account, uid)) = path.map_err(bad_path)?;
    let Query(query) = query.map_err(bad_query)?;
    let account = caller.account(&account)?;
    let body = whole(body).await?;
    require_calendar(&headers)?;
    let text = String::from_utf8(body).map_err(|_| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not-icalendar", "the text is not UTF-8 (RFC 5545 §3.1.4)")
    })?;
    if query.draft && query.stored {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "query-invalid",
            "a draft is not stored: `draft` and `stored` exclude each other",
        ));
    }
    if query.told.is_some() && !query.stored {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "query-invalid",
            "`told` is for what is stored already: it goes with `stored=true`",
        ));
    }
    let save = Save {
        told: told(query.told.as_deref())?,
        account,
        uid,
        object: query.object,
        calendar: query.calendar,
        calendar_name: query.calendar_name.map(|name| name.chars().filter(|c| !c.is_control()).take(200).collect()),
        wish: match query.meeting {
            Some(Meeting::Wanted) => Wish::Wanted,
            Some(Meeting::None) => Wish::None,
            None => Wish::Keep,
        },
        draft: query.draft,
        draft_of: query.draft_of,
        change: query.change,
        stored: query.stored,
        import: query.import,
        patience: patience(&headers),
        text,
    };
    Ok(answer(hook.mirror.save(save).await?, &headers))
}

fn answer(answer: Answer, headers: &HeaderMap) -> Response {
    let (change, complete, status, icalendar) = match answer {
        Answer::NotOurs { reason } => return not_ours(&reason),
        Answer::Understood { change, complete, status, icalendar } => (change, complete, status, icalendar),
    };
    let code = if complete { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut response = if wants_calendar(headers) {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"))];
        (code, kind, icalendar).into_response()
    } else {
        let saved = Saved {
            change: change.clone(),
            state: status.state,
            reason: status.reason.clone(),
            message: status.message,
            join_url: status.join_url,
            web_link: status.web_link,
            notices: status.notices,
            icalendar,
        };
        (code, Json(saved)).into_response()
    };
    let out = response.headers_mut();
    let mut set = |name: &HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(name.clone(), value);
        }
    };
    set(&MIRROR_CHANGE, &change);
    set(&MIRROR_STATE, status.state.name());
    if let Some(reason) = &status.reason {
        set(&MIRROR_REASON, reason);
    }
    response
}

/// Reports what became of an announced save (second beat).
#[utoipa::path(
    post,
    path = "/v1/accounts/{account}/events/{uid}/stored",
    tag = "events",
    params(
        ("account" = String, Path, description = "The account's address, percent-encoded."),
        ("uid" = String, Path, description = "The event's UID, percent-encoded.")
    ),
    request_body = ReportBody,
    responses(
        (status = 200, description = "Taken; how the event stands now.", body = EventView),
        (status = 204, description = "Nothing is kept of that event.", headers(("Mirror-Reason" = String, description = "Why, as a `Reason`."))),
        (status = 400, description = "The request makes no sense.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no-such-change`: no such change was announced for this event.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`change-closed`: it was reported, or taken as stored, with another result.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Over 8 MiB.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It could not be written down; nothing was changed.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn report_save(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String)>, PathRejection>,
    body: Result<Json<ReportBody>, JsonRejection>,
) -> Result<Response, Problem> {
    let Path((account, uid)) = path.map_err(bad_path)?;
    let account = caller.account(&account)?;
    let Json(body) = body.map_err(bad_json)?;
    let result = match body.result {
        ReportResult::Stored => SaveResult::Stored,
        ReportResult::StoredOriginal => SaveResult::StoredOriginal,
        ReportResult::Refused => SaveResult::Refused,
    };
    let report = Report { account, uid, change: body.change, result, object: body.object };
    let mirror = hook.mirror;
    let status = off_the_loop(move || Ok(mirror.report(&report)?)).await?;
    Ok(event_or_nothing(status.map(EventView::from)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteQuery {
    /// The server's path that is gone. Absent: all that carry the UID.
    object: Option<String>,
    /// `true`: only the draft under this UID is discarded.
    #[serde(default)]
    draft: bool,
    /// For watchers: SHA-256 in hexadecimal of the text last told of the event when the watcher began to look at it. Where
    /// something else was told meanwhile, nothing is taken (409 `told-meanwhile`).
    told: Option<String>,
}

/// Tells that an event, or one of its objects, or a draft, is gone; after the server's own success.
#[utoipa::path(
    delete,
    path = "/v1/accounts/{account}/events/{uid}",
    tag = "events",
    params(
        ("account" = String, Path, description = "The account's address, percent-encoded."),
        ("uid" = String, Path, description = "The event's UID, percent-encoded."),
        DeleteQuery
    ),
    responses(
        (status = 200, description = "Taken; how the event stands now.", body = EventView),
        (status = 204, description = "Nothing is kept of that event.", headers(("Mirror-Reason" = String, description = "Why, as a `Reason`."))),
        (status = 400, description = "The request makes no sense.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`told-meanwhile`: something else than `told` was told last.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It could not be written down; nothing was changed.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn delete_event(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String)>, PathRejection>,
    query: Result<Query<DeleteQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Path((account, uid)) = path.map_err(bad_path)?;
    let Query(query) = query.map_err(bad_query)?;
    let account = caller.account(&account)?;
    let told = told(query.told.as_deref())?;
    let delete = Delete { account, uid, object: query.object, draft: query.draft, told };
    let mirror = hook.mirror;
    let status = off_the_loop(move || Ok(mirror.delete(&delete)?)).await?;
    Ok(event_or_nothing(status.map(EventView::from)))
}

fn told(text: Option<&str>) -> Result<Option<Told>, Problem> {
    let wrong = || {
        let why = "`told` is the SHA-256 of a text, 64 hexadecimal digits, or `none`";
        Problem::new(StatusCode::BAD_REQUEST, "query-invalid", why)
    };
    text.map(|text| Told::read(text).ok_or_else(wrong)).transpose()
}

/// Tells how an event stands.
#[utoipa::path(
    get,
    path = "/v1/accounts/{account}/events/{uid}",
    tag = "events",
    params(
        ("account" = String, Path, description = "The account's address, percent-encoded."),
        ("uid" = String, Path, description = "The event's UID, percent-encoded.")
    ),
    responses(
        (status = 200, description = "How it stands.", body = EventView),
        (status = 204, description = "Nothing is kept of that event.", headers(("Mirror-Reason" = String, description = "Why, as a `Reason`."))),
        (status = 400, description = "The request makes no sense.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn get_event(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Problem> {
    let Path((account, uid)) = path.map_err(bad_path)?;
    let account = caller.account(&account)?;
    let mirror = hook.mirror;
    let status = off_the_loop(move || Ok(mirror.event(&account, &uid)?)).await?;
    Ok(event_or_nothing(status.map(EventView::from)))
}

fn event_or_nothing(view: Option<EventView>) -> Response {
    match view {
        Some(view) => Json(view).into_response(),
        None => not_ours("unknown-event"),
    }
}

/// `204` with the reason.
pub(super) fn not_ours(reason: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(reason) {
        response.headers_mut().insert(MIRROR_REASON.clone(), value);
    }
    response
}

fn require_calendar(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("text/calendar") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-text-calendar",
        format!("the body must be `text/calendar`, this is: `{}`", kind.chars().take(80).collect::<String>()),
    ))
}

fn wants_calendar(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| {
        accept.split(',').any(|kind| kind.trim().to_ascii_lowercase().starts_with("text/calendar"))
    })
}

/// Reads `Prefer` (RFC 7240): `wait=N`, `respond-async`. Other preferences are somebody else's.
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let mut patience = None;
    for value in headers.get_all("prefer") {
        for preference in value.to_str().unwrap_or_default().split([',', ';']) {
            let preference = preference.trim();
            if preference.eq_ignore_ascii_case("respond-async") {
                return Some(Duration::ZERO);
            }
            if let Some((name, seconds)) = preference.split_once('=')
                && name.trim().eq_ignore_ascii_case("wait")
            {
                // A preference that makes no sense is ignored (RFC 7240 §2).
                if let Ok(seconds) = seconds.trim().trim_matches('"').parse::<u64>() {
                    patience = Some(Duration::from_secs(seconds.clamp(1, LONGEST_WAIT)));
                }
            }
        }
    }
    patience
}

fn bad_path(rejection: PathRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "path-invalid", rejection.body_text())
}

pub(super) fn bad_query(rejection: QueryRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "query-invalid", rejection.body_text())
}

pub(super) fn bad_json(rejection: JsonRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    Problem::new(StatusCode::BAD_REQUEST, "body-invalid", rejection.body_text())
}

/// Reads a body. What is too large is read to its end and dropped, within reason: a client that is still writing would not
/// see the answer otherwise.
async fn whole(body: Body) -> Result<Vec<u8>, Problem> {
    use http_body_util::BodyExt as _;
    let mut body = body;
    let mut read = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|e| Problem::new(StatusCode::BAD_REQUEST, "body-invalid", format!("the body broke off: {e}")))?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= super::BODY_LIMIT {
            read.extend_from_slice(&data);
        } else {
            read = Vec::new();
        }
        if length > DRAINED {
            break;
        }
    }
    if length > super::BODY_LIMIT { Err(too_large()) } else { Ok(read) }
}

/// How much of a body that is too large is read before the connection is given up.
const DRAINED: usize = 64 * 1024 * 1024;

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body-too-large",
        "the body is over 8 MiB; store the event as it is, it is not mirrored",
    )
}

/// Runs what blocks where it delays no other request.
pub(super) async fn off_the_loop<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|failure| {
        tracing::error!(%failure, "the work for a request broke off");
        Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "broke-off",
            "the work for this request broke off; send it again later",
        ))
    })
}
