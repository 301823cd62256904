//! From a one-time ticket to Microsoft's sign-in, and its answer.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::extract::Asked;
use super::pages::{Message, broken, see_other};
use super::{Public, confirm, guard};
use crate::accounts::sign_in::{CallbackQuery, SignInProblem};
use crate::words::{self, Words};

/// Cookies are named after the sign-in they belong to, so that two tabs do not overwrite each other's.
const COOKIE: &str = "__Host-teams-mirror-";

/// As long as a sign-in may take.
const SECONDS: u32 = 600;

#[derive(Deserialize)]
pub(super) struct TicketQuery {
    #[serde(default)]
    ticket: String,
    /// `other`: with another Microsoft account than Microsoft would take by itself.
    #[serde(default)]
    account: String,
}

/// `GET /signin?ticket=…`: spends the ticket, ties the sign-in to this browser, and sends it to Microsoft.
pub(super) async fn begin(
    State(public): State<Public>,
    Asked(query): Asked<TicketQuery>,
    headers: HeaderMap,
) -> Response {
    let accounts = public.accounts.clone();
    let begun = tokio::task::spawn_blocking(move || {
        let language = accounts.sign_in_language(&query.ticket);
        accounts.begin(&query.ticket, query.account == "other").map_err(|problem| (problem, language))
    })
    .await;
    let begin = match begun {
        Ok(Ok(begin)) => begin,
        Ok(Err((problem, language))) => return problem_page(&public, words_for(language, &headers), &problem),
        Err(_) => return broken(&public, &headers),
    };
    let Some(state) = state_in(&begin.redirect) else { return broken(&public, &headers) };
    let mut response = see_other(&begin.redirect);
    guard::set_cookie(&mut response, &cookie_name(&state), &begin.cookie, SECONDS, false);
    response
}

/// `GET /api/v1/oauth/access`: Microsoft's answer.
pub(super) async fn finish(
    State(public): State<Public>,
    headers: HeaderMap,
    Asked(query): Asked<CallbackQuery>,
) -> Response {
    let name = cookie_name(query.state.as_deref().unwrap_or_default());
    let cookie = guard::cookies(&headers, &name).next().map(str::to_owned);
    let accounts = public.accounts.clone();
    let finished = tokio::task::spawn_blocking(move || {
        let language = query.state.as_deref().and_then(|state| accounts.sign_in_language(state));
        accounts.finish(query, cookie.as_deref()).map_err(|problem| (problem, language))
    })
    .await;
    let mut response = match finished {
        // On an address without the code, which the browser may load again and keep in its history.
        Ok(Ok(answered)) => {
            if answered.connected {
                let (mirror, account) = (public.mirror.clone(), answered.account.clone());
                let _ = tokio::task::spawn_blocking(move || mirror.after_sign_in(&account)).await;
            }
            confirm::go_on(&public, &answered)
        }
        Ok(Err((problem, language))) => problem_page(&public, words_for(language, &headers), &problem),
        Err(_) => broken(&public, &headers),
    };
    guard::set_cookie(&mut response, &name, "", 0, false);
    response
}

/// The account's language, where the sign-in is known; else the browser's.
fn words_for(language: Option<String>, headers: &HeaderMap) -> &'static Words {
    words::choose(language.as_deref(), guard::accept_language(headers))
}

pub(super) fn problem_page(public: &Public, w: &'static Words, problem: &SignInProblem) -> Response {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::BAD_REQUEST);
    if let SignInProblem::Failed(error) = problem {
        tracing::error!(%error, "a sign-in could not be kept");
    }
    let mut paragraphs = vec![problem.sentence().said(w)];
    paragraphs.extend(problem.for_admin().map(|phrase| phrase.said(w)));
    paragraphs.extend(problem.detail().map(|detail| w.with("microsoft-said", &[("detail", detail)])));
    Message {
        w,
        base: &public.base,
        code: problem.code(),
        title: w.say("sign-in-problem-title"),
        paragraphs,
        next_step: problem.next_step().said(w),
        link: None,
    }
    .page(status)
}

fn cookie_name(state: &str) -> String {
    format!("{COOKIE}{}", guard::short(state))
}

fn state_in(redirect: &str) -> Option<String> {
    url::Url::parse(redirect).ok()?.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned())
}
