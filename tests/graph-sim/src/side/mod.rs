//! The side channel under `/sim/`: what a test arranges and asks, in JSON.

pub(crate) mod apps;
pub(crate) mod control;
pub(crate) mod mailboxes;
pub(crate) mod users;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, patch, post};
use serde_json::{Value, json};

use crate::calendar_page;
use crate::front::{self, Shared};

/// Everything the simulator serves.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/", get(calendar_page::index))
        .route("/calendar/{address}", get(calendar_page::show))
        .route("/sim", get(index))
        .route("/sim/", get(index))
        .route("/sim/state", get(control::state))
        .route("/sim/reset", post(control::reset))
        .route("/sim/switches", get(control::switches).patch(control::change_switches))
        .route("/sim/faults", get(control::faults).post(control::add_faults).delete(control::clear_faults))
        .route("/sim/clock", get(control::clock).post(control::advance))
        .route("/sim/requests", get(control::requests).delete(control::clear_requests))
        .route("/sim/violations", get(control::violations))
        .route("/sim/mails", get(control::mails).delete(control::clear_mails))
        .route("/sim/pages", get(control::pages))
        .route("/sim/tenants", get(users::tenants).post(users::add_tenant))
        .route("/sim/tenants/{id}", patch(users::change_tenant))
        .route("/sim/apps", get(apps::list).post(apps::add))
        .route("/sim/apps/{client_id}", patch(apps::change))
        .route("/sim/users", get(users::list).post(users::add))
        .route("/sim/users/{address}", patch(users::change).delete(users::remove))
        .route("/sim/users/{address}/revoke", post(users::revoke_all))
        .route("/sim/users/{address}/expire-access-tokens", post(users::expire_all))
        .route("/sim/users/{address}/consents", get(users::consents).delete(users::withdraw_consents))
        .route("/sim/users/{address}/tokens", post(users::issue))
        .route("/sim/mailboxes/{address}/events", get(mailboxes::list).post(mailboxes::add))
        .route(
            "/sim/mailboxes/{address}/events/{id}",
            get(mailboxes::show).patch(mailboxes::change).delete(mailboxes::remove),
        )
        .route("/sim/mailboxes/{address}/calendar", get(mailboxes::calendar))
        .fallback(front::answer)
        .with_state(shared)
}

/// A JSON answer.
pub(crate) fn reply(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(format!("{value:#}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

pub(crate) fn ok(value: &Value) -> Response {
    reply(StatusCode::OK, value)
}

pub(crate) fn bad(message: impl Into<String>) -> Response {
    reply(StatusCode::BAD_REQUEST, &json!({"error": message.into()}))
}

pub(crate) fn unknown(what: &str, name: &str) -> Response {
    reply(StatusCode::NOT_FOUND, &json!({"error": format!("no {what} `{name}`")}))
}

/// Changes a record by a JSON object; an unknown member is refused by name.
pub(crate) fn changed<T>(record: &T, changes: &Value) -> Result<T, String>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut all = serde_json::to_value(record).map_err(|e| e.to_string())?;
    let (Some(members), Some(changes)) = (all.as_object_mut(), changes.as_object()) else {
        return Err("a JSON object is expected".to_owned());
    };
    for (name, value) in changes {
        if !members.contains_key(name) {
            let known: Vec<&str> = members.keys().map(String::as_str).collect();
            return Err(format!("no member `{name}`; there are: {}", known.join(", ")));
        }
        members.insert(name.clone(), value.clone());
    }
    serde_json::from_value(all).map_err(|e| e.to_string())
}

async fn index(State(shared): State<Shared>) -> Response {
    let tokens = "any OAuth client: /{tenant}/oauth2/v2.0/authorize and /{tenant}/oauth2/v2.0/token";
    let seed = shared.lock().seed;
    ok(&json!({
        "what": "A stand-in for Entra ID v2 and Microsoft Graph v1.0",
        "graph": "any Graph client: /v1.0",
        "oauth": tokens,
        "seed": seed,
        "side_channel": {
            "GET /sim/state": "counts, in-flight maxima, pages shown, tokens",
            "POST /sim/reset": "everything as at the start",
            "GET|PATCH /sim/switches": "what is not settled about Microsoft",
            "GET|POST|DELETE /sim/faults": "a queue of faults; POST takes one or an array",
            "GET|POST /sim/clock": "POST {advance_seconds}",
            "GET|DELETE /sim/requests": "?service=graph|token|authorize &method= &path_contains= &after=ORDER",
            "GET /sim/violations": "calls inside Retry-After, too many at once, too many",
            "GET|DELETE /sim/mails": "what Microsoft would have mailed",
            "GET /sim/pages": "pages people were shown",
            "GET|POST /sim/tenants": "PATCH /sim/tenants/{id} {user_consent}",
            "GET|POST /sim/apps": "PATCH /sim/apps/{client_id}",
            "GET|POST /sim/users": "PATCH|DELETE /sim/users/{address}",
            "POST /sim/users/{address}/revoke": "refresh tokens answer 50173",
            "POST /sim/users/{address}/expire-access-tokens": "Graph answers 401",
            "GET|DELETE /sim/users/{address}/consents": "",
            "POST /sim/users/{address}/tokens": "{scopes, client_id?}: tokens without a sign-in",
            "GET|POST /sim/mailboxes/{address}/events": "events as kept; POST puts one there as if it came from elsewhere",
            "GET|PATCH|DELETE /sim/mailboxes/{address}/events/{id}": "what the user does in Outlook",
            "GET /sim/mailboxes/{address}/calendar?from=&to=": "in order of time, series as their occurrences",
        },
        "pages": {"GET /": "all calendars", "GET /calendar/{address}": "one calendar"},
    }))
}
