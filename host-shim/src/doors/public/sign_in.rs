//! From a one-time ticket to Microsoft's sign-in, and back with a connection.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Public;
use super::pages::page;
use crate::accounts::sign_in::{CallbackQuery, SignInProblem};

/// Cookies are named after the sign-in they belong to, so that two tabs do not overwrite each other's.
const COOKIE: &str = "__Host-teams-mirror-";

#[derive(Deserialize)]
pub(super) struct TicketQuery {
    #[serde(default)]
    ticket: String,
}

/// `GET /signin?ticket=…`: spends the ticket, ties the sign-in to this browser, and sends it to Microsoft.
pub(super) async fn begin(State(public): State<Public>, Query(query): Query<TicketQuery>) -> Response {
    let accounts = public.accounts.clone();
    let begun = tokio::task::spawn_blocking(move || accounts.begin(&query.ticket)).await;
    let begin = match begun {
        Ok(Ok(begin)) => begin,
        Ok(Err(problem)) => return problem_page(&public, &problem),
        Err(_) => return broken(&public),
    };
    let Some(name) = state_in(&begin.redirect).map(|state| cookie_name(&state)) else { return broken(&public) };
    let cookie = format!("{name}={}; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax", begin.cookie);
    let (Ok(cookie), Ok(location)) = (HeaderValue::from_str(&cookie), HeaderValue::from_str(&begin.redirect)) else {
        return broken(&public);
    };
    // 303: whatever brought the browser here, it goes on with a plain GET (RFC 9700 §4.12).
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// `GET /api/v1/oauth/access`: Microsoft's answer.
pub(super) async fn finish(
    State(public): State<Public>,
    headers: HeaderMap,
    Query(query): Query<CallbackQuery>,
) -> Response {
    let name = cookie_name(query.state.as_deref().unwrap_or_default());
    let cookie = cookie(&headers, &name);
    let accounts = public.accounts.clone();
    let finished = tokio::task::spawn_blocking(move || accounts.finish(query, cookie.as_deref())).await;
    let mut response = match finished {
        Ok(Ok(finished)) => {
            let mirror = public.mirror.clone();
            let account = finished.account.clone();
            let mailbox = tokio::task::spawn_blocking(move || mirror.after_sign_in(&account)).await;
            let mut paragraphs = vec![format!(
                "The calendar of {} is now connected with the Microsoft account {}.",
                finished.account, finished.remote_address
            )];
            if let Ok(Some(sentence)) = mailbox {
                paragraphs.push(sentence);
            }
            page(StatusCode::OK, &public.base, "Teams is connected", &paragraphs, "You can close this window.")
        }
        Ok(Err(problem)) => problem_page(&public, &problem),
        Err(_) => broken(&public),
    };
    if let Ok(gone) = HeaderValue::from_str(&format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")) {
        response.headers_mut().insert(header::SET_COOKIE, gone);
    }
    response
}

fn problem_page(public: &Public, problem: &SignInProblem) -> Response {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut paragraphs = vec![problem.to_string()];
    paragraphs.extend(problem.detail().map(|detail| format!("Microsoft said: “{detail}”")));
    page(status, &public.base, "Teams is not connected", &paragraphs, problem.next_step())
}

fn broken(public: &Public) -> Response {
    page(
        StatusCode::INTERNAL_SERVER_ERROR,
        &public.base,
        "Something broke here",
        &["The sign-in could not be carried on. Nothing was connected.".into()],
        "Go back to your webmail's settings and try again; if it happens again, tell your administrator.",
    )
}

fn cookie_name(state: &str) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(state.as_bytes());
    let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{COOKIE}{short}")
}

fn state_in(redirect: &str) -> Option<String> {
    url::Url::parse(redirect).ok()?.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned())
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
}
