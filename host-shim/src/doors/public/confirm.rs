//! The user's yes to what Microsoft answered: which Microsoft account for which calendar, and what becomes of earlier events.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::extract::{Asked, Form};
use super::pages::{Link, Message, broken, render, see_other};
use super::sign_in::problem_page;
use super::{Public, guard};
use crate::accounts::confirm::{Answered, Declined, Progress, Question};
use crate::accounts::sign_in::SignInProblem;
use crate::address::Address;
use crate::mirror::Elsewhere;
use crate::words::{self, Words};

const COOKIE: &str = "__Host-teams-mirror-confirm-";

/// As long as the user may take.
const SECONDS: u32 = 600;

/// Which of this browser's sign-ins is meant; the secret is in the cookie.
#[derive(Deserialize)]
pub(super) struct WhichQuery {
    #[serde(default)]
    s: String,
}

/// The answer's form.
#[derive(Deserialize)]
pub(super) struct AnswerForm {
    #[serde(default)]
    token: String,
    /// `yes` or `no`.
    #[serde(default)]
    connect: String,
    /// `keep` or `move`.
    #[serde(default)]
    events: String,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    w: &'static Words,
    base: &'a str,
    which: &'a str,
    question: &'a Question,
    /// "Connect the calendar of … with …?", and what that means.
    sentence: String,
    effect: String,
    instead: Option<String>,
    events: String,
    move_label: String,
    /// Begins a sign-in with another Microsoft account.
    other: Option<String>,
}

/// From Microsoft's answer to the question, or to the page that says it is done.
pub(super) fn go_on(public: &Public, answered: &Answered) -> Response {
    let which = guard::short(&answered.cookie);
    let page = if answered.connected { "done" } else { "confirm" };
    let mut response = see_other(&format!("{}/signin/{page}?s={which}", public.base));
    guard::set_cookie(&mut response, &format!("{COOKIE}{which}"), &answered.cookie, SECONDS, false);
    response
}

/// `GET /signin/confirm?s=…`.
pub(super) async fn ask(State(public): State<Public>, Asked(query): Asked<WhichQuery>, headers: HeaderMap) -> Response {
    let (w, progress) = match progress(&public, &query.s, &headers).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    match progress {
        Progress::Done(_) => see_other(&format!("{}/signin/done?s={}", public.base, query.s)),
        Progress::Asked(question) => render(&page(&public, w, &query.s, &question), StatusCode::OK),
    }
}

fn page<'a>(public: &'a Public, w: &'static Words, which: &'a str, question: &'a Question) -> ConfirmPage<'a> {
    let microsoft = [("microsoft", question.remote_address.as_str())];
    let both = [("account", question.account.as_str()), microsoft[0]];
    ConfirmPage {
        w,
        base: &public.base,
        which,
        question,
        sentence: w.with("confirm-question", &both),
        effect: w.with("confirm-effect", &both),
        instead: question.instead_of.as_ref().map(|old| w.with("confirm-instead", &[("microsoft", old)])),
        events: w.count("confirm-events", question.elsewhere),
        move_label: w.with("confirm-move", &microsoft),
        other: question.ticket.as_ref().map(|ticket| format!("{}/signin?ticket={ticket}&account=other", public.base)),
    }
}

/// `POST /signin/confirm?s=…`.
pub(super) async fn answer(
    State(public): State<Public>,
    Asked(query): Asked<WhichQuery>,
    headers: HeaderMap,
    Form(form): Form<AnswerForm>,
) -> Response {
    let w = words::choose(None, guard::accept_language(&headers));
    let Some(cookie) = cookie(&headers, &query.s) else {
        return problem_page(&public, w, &SignInProblem::OtherBrowser);
    };
    // For its language; whether the answer counts is seen when it is taken.
    let w = progress(&public, &query.s, &headers).await.map_or(w, |(w, _)| w);
    if !guard::is_from_here(&headers, &public.origin) {
        return problem_page(&public, w, &SignInProblem::OtherBrowser);
    }
    let (mirror, accounts) = (public.mirror.clone(), public.accounts.clone());
    let outcome = tokio::task::spawn_blocking(move || {
        let elsewhere = if form.events == "move" { Elsewhere::Move } else { Elsewhere::Keep };
        match form.connect.as_str() {
            "yes" => mirror.confirm_link(&cookie, &form.token, elsewhere).map(drop),
            _ => match accounts.decline(&cookie, &form.token)? {
                Declined::Forgotten => Err(SignInProblem::NotConfirmed),
                Declined::TooLate => Ok(()),
            },
        }
    })
    .await;
    match outcome {
        Ok(Ok(())) => see_other(&format!("{}/signin/done?s={}", public.base, query.s)),
        Ok(Err(problem)) => problem_page(&public, w, &problem),
        Err(_) => broken(&public, &headers),
    }
}

/// `GET /signin/done?s=…`.
pub(super) async fn done(
    State(public): State<Public>,
    Asked(query): Asked<WhichQuery>,
    headers: HeaderMap,
) -> Response {
    let (w, progress) = match progress(&public, &query.s, &headers).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let Progress::Done(account) = progress else {
        return see_other(&format!("{}/signin/confirm?s={}", public.base, query.s));
    };
    let accounts = public.accounts.clone();
    let of = account.clone();
    let Ok(Ok(standing)) = tokio::task::spawn_blocking(move || accounts.standing(&of)).await else {
        return broken(&public, &headers);
    };
    let Some(connection) = standing.connection else {
        return problem_page(&public, w, &SignInProblem::Stale);
    };
    let both = [("account", account.as_str()), ("microsoft", connection.remote_address.as_str())];
    let mut paragraphs = vec![w.with("sign-in-connected", &both)];
    paragraphs.extend(super::settings::mailbox_sentence(w, &connection));
    Message {
        w,
        base: &public.base,
        code: "connected",
        title: w.say("sign-in-connected-title"),
        paragraphs,
        next_step: w.say("next-close"),
        // Where the settings were left in this very window, the way back to them is open.
        link: super::settings::has_session(&public, &headers, &account).await.then(|| Link {
            href: format!("{}/settings", public.base),
            text: w.say("next-settings"),
            new_window: false,
        }),
    }
    .page(StatusCode::OK)
}

fn cookie(headers: &HeaderMap, which: &str) -> Option<String> {
    guard::cookies(headers, &format!("{COOKIE}{which}")).next().map(str::to_owned)
}

/// How far the sign-in is that this browser holds the cookie of, and the language to say it in.
async fn progress(public: &Public, which: &str, headers: &HeaderMap) -> Result<(&'static Words, Progress), Response> {
    let accept = guard::accept_language(headers);
    let w = words::choose(None, accept);
    let cookie = cookie(headers, which).ok_or_else(|| problem_page(public, w, &SignInProblem::Stale))?;
    let accounts = public.accounts.clone();
    let found = tokio::task::spawn_blocking(move || {
        let progress = accounts.progress(&cookie)?;
        let account: &Address = match &progress {
            Progress::Asked(question) => &question.account,
            Progress::Done(account) => account,
        };
        let language = accounts.account(account)?.and_then(|row| row.language);
        Ok::<_, SignInProblem>((language, progress))
    })
    .await;
    match found {
        Ok(Ok((language, progress))) => Ok((words::choose(language.as_deref(), accept), progress)),
        Ok(Err(problem)) => Err(problem_page(public, w, &problem)),
        Err(_) => Err(broken(public, headers)),
    }
}
