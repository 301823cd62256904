//! Who calls: the bearer secret names a server, which may speak for its domains only.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Hook, Problem};
use crate::accounts::hook_secrets::may_speak_for;
use crate::address::Address;
use crate::store::HookSecretRow;

/// The server that calls, put into the request by [`require_secret`].
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) HookSecretRow);

impl Caller {
    /// Reads the path's account and sees whether this server may speak for it.
    pub(super) fn account(&self, text: &str) -> Result<Address, Problem> {
        let account = Address::parse(text)
            .map_err(|e| Problem::new(StatusCode::BAD_REQUEST, "account-invalid", e.to_string()))?;
        if may_speak_for(&self.0, &account) {
            return Ok(account);
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "other-domain",
            format!(
                "the hook secret `{}` may not speak for the domain `{}`; a secret that may is made by `teams-mirror secret add NAME --domain {}`",
                self.0.name,
                account.domain(),
                account.domain()
            ),
        ))
    }
}

/// Lets nobody in without a secret we gave.
pub(super) async fn require_secret(State(hook): State<Hook>, mut request: Request, next: Next) -> Response {
    let presented = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim());
    let known = match presented.map(|secret| hook.accounts.check_secret(secret)).transpose() {
        Ok(known) => known.flatten(),
        Err(error) => return super::accounts::problem(error).into_response(),
    };
    match known {
        Some(row) => {
            request.extensions_mut().insert(Caller(row));
            next.run(request).await
        }
        None => {
            tracing::warn!(
                given = presented.is_some(),
                "a call of the hook API was refused: no secret, or a wrong one"
            );
            Problem::new(
                StatusCode::UNAUTHORIZED,
                "secret-wrong",
                "send the server's hook secret as `Authorization: Bearer …`; `teams-mirror secret add NAME` makes one",
            )
            .into_response()
        }
    }
}
