//! Accounts: how they stand, their links, their connections.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;

use super::extract::Named;
use super::types::{
    AccountInfo, CalendarInfo, ConnectionInfo, DisconnectQuery, Disconnected, EventsLeft, LinkInfo, MailboxInfo,
    RuleInfo, SettingCounts,
};
use super::{Answer, Problem, accounts_problem, address, events, mirror_problem, off_the_loop};
use crate::accounts::calendars;
use crate::accounts::policy::{Button, Standing};
use crate::accounts::settings::{Counting, Declared};
use crate::address::Address;
use crate::mirror::{Leave, Left};
use crate::serve::Shim;
use crate::store::{ConnectionRow, ConnectorRow};

/// How many of its last events are told with an account.
const LAST_EVENTS: u32 = 10;

/// `GET /accounts/{account}`.
pub(super) async fn show(State(shim): State<Arc<Shim>>, Named(name): Named<String>) -> Answer<AccountInfo> {
    off_the_loop(move || info(&shim, &address(&name)?)).await
}

/// `POST /accounts/{account}/check`: one real look at the mailbox.
pub(super) async fn check(State(shim): State<Arc<Shim>>, Named(name): Named<String>) -> Answer<MailboxInfo> {
    off_the_loop(move || {
        let account = address(&name)?;
        let standing = shim.accounts().standing(&account).map_err(accounts_problem)?;
        if standing.connection.is_none() {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "not-connected",
                format!(
                    "`{account}` is not connected with Microsoft, so there is no mailbox to look at; \
                     `teams-mirror settings-link {account}` prints a link for its user"
                ),
            ));
        }
        let report = shim.mirror().inspect_mailbox(&account).map_err(mirror_problem)?;
        Ok(MailboxInfo { code: report.code, message: report.message })
    })
    .await
}

/// How long a link lives that an administrator has to pass on.
const PASSED_ON_MS: i64 = 15 * 60 * 1000;

/// `POST /accounts/{account}/settings-link`.
pub(super) async fn settings_link(State(shim): State<Arc<Shim>>, Named(name): Named<String>) -> Answer<LinkInfo> {
    off_the_loop(move || {
        let account = address(&name)?;
        let standing = shim.accounts().standing(&account).map_err(accounts_problem)?;
        if !standing.has_settings() {
            let why = hindrances(&account, &standing).join("; ");
            let sentence = format!("`{account}` has no settings page yet: {why}");
            return Err(Problem::new(StatusCode::CONFLICT, "no-settings", sentence));
        }
        let link = shim.accounts().settings_link_for(&account, PASSED_ON_MS).map_err(accounts_problem)?;
        Ok(LinkInfo { account: account.as_str().into(), url: link.url, expires_at: link.expires_at })
    })
    .await
}

/// `POST /accounts/{account}/sign-in-link`.
pub(super) async fn sign_in_link(State(shim): State<Arc<Shim>>, Named(name): Named<String>) -> Answer<LinkInfo> {
    off_the_loop(move || {
        let account = address(&name)?;
        let standing = shim.accounts().standing(&account).map_err(accounts_problem)?;
        // Said here, where the commands that mend it can be named.
        if !standing.may_sign_in() {
            let mut why = hindrances(&account, &standing);
            if standing.is_leaving() {
                why.push(format!(
                    "it is being disconnected, and events are still being taken out of Teams; \
                     `teams-mirror disconnect {account}` ends that at once and leaves the rest there"
                ));
            }
            let why = why.join("; ");
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "may-not-sign-in",
                format!("`{account}` cannot sign in yet: {why}"),
            ));
        }
        let ticket = shim.accounts().ticket_for(&account, PASSED_ON_MS).map_err(accounts_problem)?;
        Ok(LinkInfo { account: account.as_str().into(), url: ticket.url, expires_at: ticket.expires_at })
    })
    .await
}

/// `POST /accounts/{account}/disconnect`.
pub(super) async fn disconnect(
    State(shim): State<Arc<Shim>>,
    Named(name): Named<String>,
    query: Result<Query<DisconnectQuery>, QueryRejection>,
) -> Answer<Disconnected> {
    let Query(query) = query.map_err(|e| Problem::new(StatusCode::BAD_REQUEST, "query-invalid", e.body_text()))?;
    off_the_loop(move || {
        let account = address(&name)?;
        let standing = shim.accounts().standing(&account).map_err(accounts_problem)?;
        let microsoft_account = standing.connection.map(|connection| connection.remote_address);
        let mut leaving = false;
        match (&microsoft_account, query.events) {
            (None, _) => {}
            (Some(_), EventsLeft::Keep) => shim.mirror().end_connection(&account).map_err(mirror_problem)?,
            (Some(_), EventsLeft::Remove) => {
                let left = shim.mirror().disconnect(&account, Leave::Remove).map_err(mirror_problem)?;
                leaving = left == Left::Leaving;
            }
        }
        Ok(Disconnected { account: account.as_str().into(), microsoft_account, leaving })
    })
    .await
}

fn info(shim: &Shim, account: &Address) -> Result<AccountInfo, Problem> {
    let standing = shim.accounts().standing(account).map_err(accounts_problem)?;
    let to_do = to_do(account, &standing);
    let counts = |setting: &Declared| {
        let Counting { value, decided_by } = standing.chosen.counting(setting);
        SettingCounts { name: setting.name.clone(), value, decided_by }
    };
    let settings = shim.mirror().declared_settings().iter().map(counts).collect();
    let seen = shim.mirror().calendars(account).map_err(mirror_problem)?;
    let calendars = calendars::of_account(&standing.chosen, seen)
        .into_iter()
        .map(|calendar| CalendarInfo { path: calendar.path, name: calendar.name, mirrored: calendar.mirrored })
        .collect();
    Ok(AccountInfo {
        account: account.as_str().into(),
        usable: standing.usable,
        reason: standing.reason.into(),
        message: standing.message,
        rule: standing.decided_by.map(|scope| RuleInfo { scope, allow: standing.reason != "denied" }),
        known: standing.account.is_some(),
        class: standing.account.as_ref().and_then(|row| row.class.clone()),
        settings,
        calendars,
        on: standing.account.is_some_and(|row| row.on),
        connector: standing.connector.map(|row| row.name),
        button: match standing.button {
            Button::Hidden => "hidden",
            Button::SignIn => "sign-in",
            Button::Ready => "ready",
            Button::Off => "off",
        }
        .into(),
        connection: standing.connection.map(connection),
        to_do,
        events: events::last(shim, Some(account), None, LAST_EVENTS)?,
    })
}

/// What keeps its user from signing in.
fn hindrances(account: &Address, standing: &Standing) -> Vec<String> {
    let mut hindrances = Vec::new();
    match standing.reason {
        "not-enabled" => hindrances.push(format!(
            "no rule allows it; `teams-mirror enable --account {account}` does, or `--domain {}`, or `--server`",
            account.domain()
        )),
        "denied" => {
            hindrances.push(format!("a rule denies it; `teams-mirror enable --account {account}` makes an exception"));
        }
        // It is allowed, so only the connector can be why there is no button.
        _ if standing.button == Button::Hidden => hindrances.push(
            "no connector that is switched on and complete; `teams-mirror status` tells what is missing".to_owned(),
        ),
        _ => {}
    }
    if let Some(dead) = standing.connector.as_ref().and_then(ConnectorRow::death) {
        hindrances.push(format!("Microsoft refuses the connector: {dead}"));
    }
    hindrances
}

/// What stands between an account and its first meeting, in the order in which it is usually done.
fn to_do(account: &Address, standing: &Standing) -> Vec<String> {
    let mut to_do = hindrances(account, standing);
    match &standing.connection {
        None => {
            to_do.push(format!("its user signs in once; `teams-mirror settings-link {account}` prints a link for that"))
        }
        Some(row) if row.dead.is_some() => {
            to_do.push(format!(
                "its user signs in again; `teams-mirror settings-link {account}` prints a link for that"
            ));
        }
        Some(row) if row.leaving_since.is_some() => {
            to_do.push("nothing: its user disconnects, and events are being taken out of Teams".to_owned());
        }
        Some(_) if standing.account.as_ref().is_some_and(|row| !row.on) => {
            to_do.push("its user turned it off, and can turn it on again".to_owned());
        }
        Some(_) => {}
    }
    to_do
}

fn connection(row: ConnectionRow) -> ConnectionInfo {
    ConnectionInfo {
        microsoft_account: row.remote_address,
        tenant: row.tenant,
        since: row.since,
        dead: row.dead,
        dead_message: row.dead_message,
        mailbox: row.facts_code,
        mailbox_message: row.facts_message,
        mailbox_checked_at: row.facts_at,
        meetings: row.facts_meetings,
    }
}
