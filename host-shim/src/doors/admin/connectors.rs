//! Connectors: the registrations with Microsoft.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::extract::{Body, Named};
use super::types::ConnectorInfo;
use super::{Answer, Problem, accounts_problem, nearest, off_the_loop, store_problem};
use crate::accounts::connectors::{ConnectorPatch, ConnectorView};
use crate::serve::Shim;

/// `GET /connectors`.
pub(super) async fn list(State(shim): State<Arc<Shim>>) -> Answer<Vec<ConnectorInfo>> {
    off_the_loop(move || all(&shim)).await
}

/// `GET /connectors/{name}`.
pub(super) async fn show(State(shim): State<Arc<Shim>>, Named(name): Named<String>) -> Answer<ConnectorInfo> {
    off_the_loop(move || one(&shim, &name)).await
}

/// `PATCH /connectors/{name}`.
pub(super) async fn change(
    State(shim): State<Arc<Shim>>,
    Named(name): Named<String>,
    Body(patch): Body<ConnectorPatch>,
) -> Answer<ConnectorInfo> {
    off_the_loop(move || {
        one(&shim, &name)?;
        shim.accounts().change_connector(&name, patch).map_err(accounts_problem)?;
        changed(&shim, &name)
    })
    .await
}

/// `POST /connectors/{name}/enable`.
pub(super) async fn enable(State(shim): State<Arc<Shim>>, Named(name): Named<String>) -> Answer<ConnectorInfo> {
    off_the_loop(move || switch(&shim, &name, true)).await
}

/// `POST /connectors/{name}/disable`.
pub(super) async fn disable(State(shim): State<Arc<Shim>>, Named(name): Named<String>) -> Answer<ConnectorInfo> {
    off_the_loop(move || switch(&shim, &name, false)).await
}

fn switch(shim: &Shim, name: &str, on: bool) -> Result<ConnectorInfo, Problem> {
    let known = one(shim, name)?;
    // Said here, where the commands that mend it can be named.
    if on && !known.missing.is_empty() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "connector-incomplete",
            format!(
                "the connector `{name}` cannot be switched on yet: {} `teams-mirror connector set {name} --help` tells how",
                known.missing.join(" ")
            ),
        ));
    }
    shim.accounts().enable_connector(name, on).map_err(accounts_problem)?;
    changed(shim, name)
}

/// The connector after a change; what waited for it goes on.
fn changed(shim: &Shim, name: &str) -> Result<ConnectorInfo, Problem> {
    let connector = one(shim, name)?;
    if connector.enabled {
        shim.mirror().unpark(None, "connector").map_err(|e| store_problem(&e))?;
    }
    Ok(connector)
}

/// All connectors.
pub(super) fn all(shim: &Shim) -> Result<Vec<ConnectorInfo>, Problem> {
    Ok(shim.accounts().connectors().map_err(accounts_problem)?.into_iter().map(info).collect())
}

fn one(shim: &Shim, name: &str) -> Result<ConnectorInfo, Problem> {
    let known = all(shim)?;
    if let Some(found) = known.iter().find(|connector| connector.name == name) {
        return Ok(found.clone());
    }
    let hint = nearest(name, known.iter().map(|connector| connector.name.as_str()));
    Err(Problem::new(StatusCode::NOT_FOUND, "no-such-connector", format!("there is no connector `{name}`{hint}")))
}

fn info(view: ConnectorView) -> ConnectorInfo {
    ConnectorInfo {
        name: view.name,
        enabled: view.enabled,
        account_type: view.account_type,
        authorize_url: view.authorize_url,
        token_url: view.token_url,
        services: view.services,
        redirect_url: view.redirect_url,
        scopes: view.scopes,
        client_id: view.client_id,
        has_secret: view.has_secret,
        proxy: view.proxy,
        ca_file: view.ca_file,
        dead: view.dead,
        dead_message: view.dead_message,
        missing: view.problems,
        test_endpoint: view.test_endpoint,
    }
}
