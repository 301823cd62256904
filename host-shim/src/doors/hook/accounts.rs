//! What the server tells about its users, and how they stand.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::auth::Caller;
use super::events::{bad_json, off_the_loop};
use super::types::{AccountBody, AccountView, ButtonView, LinkView, NoticeView, RenameBody, instant};
use super::{Hook, Problem};
use crate::accounts::policy::{Button, Standing};
use crate::accounts::{AccountsError, PutAccount, dead_phrase};
use crate::address::Address;
use crate::words;

/// Tells how an account stands: may it use the extension, is it connected, what should the button be.
#[utoipa::path(
    get,
    path = "/v1/accounts/{account}",
    tag = "accounts",
    params(("account" = String, Path, description = "The account's address, percent-encoded.")),
    responses(
        (status = 200, description = "How it stands.", body = AccountView),
        (status = 400, description = "Not an address.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn get_account(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<AccountView>, Problem> {
    let account = caller.account(&named(path)?)?;
    off_the_loop(move || {
        let standing = hook.accounts.standing(&account).map_err(problem)?;
        Ok(Json(view(&hook, &account, standing)))
    })
    .await
}

fn view(hook: &Hook, account: &Address, standing: Standing) -> AccountView {
    let mut notices = Vec::new();
    let mut connection_problem = None;
    let words = words::of(standing.language());
    let sentence = standing.phrase().said(words);
    if let Some(connection) = &standing.connection
        && let Some(code) = &connection.dead
    {
        let message = dead_phrase(code).said(words);
        connection_problem = Some(NoticeView { code: code.clone(), message: message.clone(), link: None });
        let link = hook.accounts.ticket(account).ok().map(|ticket| ticket.url);
        notices.push(NoticeView { code: "sign-in-needed".into(), message, link });
    }
    let connection = standing.connection.as_ref();
    let known = standing.account.as_ref();
    AccountView {
        account: account.as_str().into(),
        button: match standing.button {
            Button::Hidden => ButtonView::Hidden,
            Button::SignIn => ButtonView::SignIn,
            Button::Ready => ButtonView::Ready,
            Button::Off => ButtonView::Off,
        },
        usable: standing.usable,
        reason: standing.reason.into(),
        connected: connection.is_some(),
        microsoft_account: connection.map(|c| c.remote_address.clone()),
        connection_problem,
        mailbox: connection.and_then(|c| c.facts_code.clone()),
        mailbox_message: connection.and_then(|c| c.facts_message.clone()),
        message: sentence,
        addresses: known.map(|a| a.further_addresses.clone()).unwrap_or_default(),
        display_name: known.and_then(|a| a.display_name.clone()),
        time_zone: known.and_then(|a| a.time_zone.clone()),
        language: known.and_then(|a| a.language.clone()),
        class: known.and_then(|a| a.class.clone()),
        notices,
    }
}

/// Tells of an account: further addresses, name, zone, language, class. Makes it known where it was not.
#[utoipa::path(
    put,
    path = "/v1/accounts/{account}",
    tag = "accounts",
    params(("account" = String, Path, description = "The account's address, percent-encoded.")),
    request_body = AccountBody,
    responses(
        (status = 200, description = "Taken; how it stands.", body = AccountView),
        (status = 400, description = "The request makes no sense.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Over 8 MiB.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not what it should be.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It could not be written down.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn put_account(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    body: Result<Json<AccountBody>, JsonRejection>,
) -> Result<Json<AccountView>, Problem> {
    let account = caller.account(&named(path)?)?;
    let Json(body) = body.map_err(bad_json)?;
    for address in &body.addresses {
        // An organiser's address counts as the user's own, so a server may name only those it may speak for.
        caller.account(address)?;
    }
    off_the_loop(move || {
        let put = PutAccount {
            addresses: body.addresses,
            display_name: body.display_name,
            time_zone: body.time_zone,
            language: body.language,
            class: body.class,
        };
        hook.accounts.put_account(&account, put).map_err(problem)?;
        hook.mirror.wake();
        let standing = hook.accounts.standing(&account).map_err(problem)?;
        Ok(Json(view(&hook, &account, standing)))
    })
    .await
}

/// Tells that an account is gone: its tokens and all that is kept of its events go at once; what stands in its Teams
/// calendar stays there.
#[utoipa::path(
    delete,
    path = "/v1/accounts/{account}",
    tag = "accounts",
    params(("account" = String, Path, description = "The account's address, percent-encoded.")),
    responses(
        (status = 204, description = "Nothing is kept of it."),
        (status = 400, description = "Not an address.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It could not be written down.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn delete_account(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let account = caller.account(&named(path)?)?;
    off_the_loop(move || {
        hook.accounts.remove_account(&account).map_err(problem)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// Tells an account's new address; its connection and its events go with it.
#[utoipa::path(
    post,
    path = "/v1/accounts/{account}/rename",
    tag = "accounts",
    params(("account" = String, Path, description = "The account's old address, percent-encoded.")),
    request_body = RenameBody,
    responses(
        (status = 200, description = "Taken; how it stands.", body = AccountView),
        (status = 400, description = "The request makes no sense.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such account.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The new address is taken.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Over 8 MiB.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It could not be written down.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn rename_account(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    body: Result<Json<RenameBody>, JsonRejection>,
) -> Result<Json<AccountView>, Problem> {
    let from = caller.account(&named(path)?)?;
    let Json(body) = body.map_err(bad_json)?;
    let to = caller.account(&body.to)?;
    off_the_loop(move || {
        hook.mirror.rename_account(&from, &to).map_err(problem)?;
        let standing = hook.accounts.standing(&to).map_err(problem)?;
        Ok(Json(view(&hook, &to, standing)))
    })
    .await
}

/// Makes a one-time link to this user's settings page: to connect a Microsoft account, see how it stands, choose, test, mend and
/// disconnect. It ends after 60 seconds, so fetch it when the user clicks, and show it to nobody but the account's own user. Open
/// it in a window of its own, or in a frame where the administrator allows the webmail's origin (`webmail_origins`).
#[utoipa::path(
    post,
    path = "/v1/accounts/{account}/settings-link",
    tag = "accounts",
    params(("account" = String, Path, description = "The account's address, percent-encoded.")),
    responses(
        (status = 200, description = "The link.", body = LinkView),
        (status = 400, description = "Not an address.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No hook secret, or a wrong one.", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "`Bearer`."))),
        (status = 403, description = "The hook secret is for other domains.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The account may not use the extension, and has nothing to disconnect.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It could not be written down.", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds.")))
    )
)]
pub(super) async fn settings_link(
    State(hook): State<Hook>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<LinkView>, Problem> {
    let account = caller.account(&named(path)?)?;
    off_the_loop(move || {
        let ticket = hook.accounts.settings_link(&account).map_err(problem)?;
        let expires = instant(ticket.expires_at).unwrap_or_default();
        Ok(Json(LinkView { url: ticket.url, expires }))
    })
    .await
}

pub(super) fn named(path: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    path.map(|Path(account)| account).map_err(|e| Problem::new(StatusCode::BAD_REQUEST, "path-invalid", e.body_text()))
}

/// An error of the accounts as this API tells it.
pub(crate) fn problem(error: AccountsError) -> Problem {
    match error {
        AccountsError::Store(store) => store.into(),
        AccountsError::NotFound(message) => Problem::new(StatusCode::NOT_FOUND, "not-found", message),
        AccountsError::Conflict(message) => Problem::new(StatusCode::CONFLICT, "conflict", message),
        AccountsError::Invalid(message) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "value-invalid", message),
        other => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "accounts-failed", other.to_string()),
    }
}
