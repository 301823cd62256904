//! Hook secrets: which servers may call the hook API, for which domains.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use secrecy::ExposeSecret as _;

use super::extract::{Body, Named};
use super::types::{Done, FreshSecret, NewSecret, SecretInfo};
use super::{Answer, Problem, accounts_problem, domain, off_the_loop};
use crate::serve::Shim;

/// `GET /secrets`.
pub(super) async fn list(State(shim): State<Arc<Shim>>) -> Answer<Vec<SecretInfo>> {
    off_the_loop(move || all(&shim)).await
}

/// `POST /secrets`. The only answer that holds a secret, and the only time it is told.
pub(super) async fn add(State(shim): State<Arc<Shim>>, Body(new): Body<NewSecret>) -> Answer<FreshSecret> {
    off_the_loop(move || {
        let domains = new.domains.iter().map(|name| domain(name)).collect::<Result<Vec<_>, _>>()?;
        let secret = shim.accounts().add_secret(&new.name, &domains).map_err(accounts_problem)?;
        Ok(FreshSecret { name: new.name, domains, secret: secret.expose_secret().to_owned() })
    })
    .await
}

/// `DELETE /secrets/{name}`.
pub(super) async fn remove(State(shim): State<Arc<Shim>>, Named(name): Named<String>) -> Answer<Done> {
    off_the_loop(move || {
        if !shim.accounts().remove_secret(&name).map_err(accounts_problem)? {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "no-such-secret",
                format!("there is no hook secret `{name}`; `teams-mirror secret list` shows them all"),
            ));
        }
        Ok(Done { name })
    })
    .await
}

/// The secrets by name.
pub(super) fn all(shim: &Shim) -> Result<Vec<SecretInfo>, Problem> {
    let mut rows = shim.accounts().secrets().map_err(accounts_problem)?;
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows
        .into_iter()
        .map(|row| SecretInfo { name: row.name, domains: row.domains, created_at: row.created_at })
        .collect())
}
