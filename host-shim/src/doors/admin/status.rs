//! The whole at a glance, and what is left to do.

use std::sync::Arc;

use axum::extract::State;

use super::types::{ConnectorInfo, ExtensionInfo, RuleInfo, SecretInfo, StatusInfo};
use super::{Answer, connectors, mirror_problem, off_the_loop, policy, secrets};
use crate::serve::Shim;
use crate::store::Scope;

/// `GET /status`.
pub(super) async fn status(State(shim): State<Arc<Shim>>) -> Answer<StatusInfo> {
    off_the_loop(move || {
        let connectors = connectors::all(&shim)?;
        let policy = policy::all(&shim)?;
        let secrets = secrets::all(&shim)?;
        let to_do = to_do(&connectors, &policy, &secrets);
        let extension = shim.mirror().extension();
        let described = extension.description();
        let config = shim.config();
        Ok(StatusInfo {
            version: env!("CARGO_PKG_VERSION").into(),
            extension: ExtensionInfo {
                name: described.name.clone(),
                title: described.title.clone(),
                version: described.version.clone(),
                digest: extension.digest().to_owned(),
            },
            hook: config.listen.hook.clone().into(),
            public: config.listen.public.clone().into(),
            public_url: config.public_url.clone(),
            connectors,
            policy,
            secrets,
            events: shim.mirror().counts().map_err(mirror_problem)?.into_iter().collect(),
            to_do,
        })
    })
    .await
}

/// What stands between this installation and its first user, in the order in which it is usually done.
fn to_do(connectors: &[ConnectorInfo], policy: &[RuleInfo], secrets: &[SecretInfo]) -> Vec<String> {
    let mut to_do = Vec::new();
    let works = |c: &&ConnectorInfo| c.enabled && c.missing.is_empty() && c.dead.is_none();
    if connectors.iter().find(works).is_none() {
        for connector in connectors {
            to_do.extend(of_connector(connector));
        }
    }
    if secrets.is_empty() {
        to_do.push(
            "no server may call the hook API; `teams-mirror secret add NAME --domain DOMAIN` makes a secret for one"
                .into(),
        );
    }
    if !policy.iter().any(|rule| rule.allow) {
        to_do.push(
            "nobody may use it; `teams-mirror enable --server`, `--domain DOMAIN`, `--class CLASS` or `--account ADDRESS` allows it"
                .into(),
        );
    }
    let spoken_for =
        |domain: &str| secrets.iter().any(|s| s.domains.is_empty() || s.domains.iter().any(|d| d == domain));
    for rule in policy.iter().filter(|rule| rule.allow && !secrets.is_empty()) {
        if let Scope::Domain(domain) = &rule.scope
            && !spoken_for(domain)
        {
            to_do.push(format!(
                "`{domain}` may use it, but no server may speak for that domain; is it spelt as meant? `teams-mirror secret add NAME --domain {domain}` makes a secret for its server"
            ));
        }
    }
    to_do
}

fn of_connector(connector: &ConnectorInfo) -> Vec<String> {
    let name = &connector.name;
    let mut to_do = Vec::new();
    if connector.client_id.is_none() {
        to_do.push(format!(
            "the connector `{name}` has no client id; `teams-mirror connector set {name} --client-id ID`"
        ));
    }
    if !connector.has_secret {
        to_do.push(format!(
            "the connector `{name}` has no client secret; `teams-mirror connector set {name} --secret-prompt` asks for it"
        ));
    }
    if connector.client_id.is_some() && connector.has_secret {
        to_do
            .extend(connector.missing.iter().map(|missing| format!("the connector `{name}` is incomplete: {missing}")));
    }
    if let Some(code) = &connector.dead {
        let why = connector.dead_message.as_ref().map_or_else(String::new, |message| format!("{message} "));
        to_do.push(format!("the connector `{name}` is refused by Microsoft: {why}({code})"));
    }
    if !connector.enabled {
        to_do.push(format!("the connector `{name}` is switched off; `teams-mirror connector enable {name}`"));
    }
    to_do
}
