//! What the component is given during one hook: HTTP with the account's credential, and checkpoints of the event's record.

use std::sync::Arc;
use std::time::Instant;

use super::Mirror;
use super::schedule::Gate;
use super::schedule::RunKey;
use crate::accounts::tokens::CredentialError;
use crate::component::Services;
use crate::component::types::{HttpError, Method, Request, Response};
use crate::egress::{EgressError, Incoming, Outgoing, retry_after_ms, scrub, scrub_headers, service_url};
use crate::store::{ConnectorRow, transact};

/// Nobody's clock is exact to the millisecond, and early is worse than late.
const MARGIN_MS: i64 = 20;

/// One hook's way out. Bound to one event of one account before the component runs.
pub(super) struct HookServices {
    mirror: Arc<Mirror>,
    key: RunKey,
    result: super::converge::RunResult,
}

impl HookServices {
    pub(super) fn new(mirror: Arc<Mirror>, account: &str, uid: &str) -> Self {
        let key = RunKey { account: account.into(), uid: uid.into() };
        Self { mirror, key, result: super::converge::RunResult::default() }
    }

    pub(super) fn result(&self) -> super::converge::RunResult {
        self.result
    }

    /// No request of this hook was answered, because nobody is there.
    pub(super) fn unreachable(&self) -> bool {
        self.result.unreachable
    }

    /// How long the way out is closed, at least `floor` milliseconds.
    pub(super) fn pause_or(&self, floor: i64) -> i64 {
        let pause = self.result.pause_ms.map_or(0, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let unreachable = if self.result.unreachable { super::schedule::PROBE_MS } else { 0 };
        floor.max(pause).max(unreachable)
    }

    /// A number in 0..=1000 that spreads tries.
    pub(super) fn jitter(&self) -> u16 {
        let mut bytes = [0u8; 2];
        match getrandom::fill(&mut bytes) {
            Ok(()) => u16::from_le_bytes(bytes) % 1001,
            Err(_) => 500,
        }
    }

    fn attempt(
        &mut self,
        connector: &ConnectorRow,
        request: &Request,
        bearer: &str,
        deadline: Instant,
    ) -> Result<Incoming, HttpError> {
        let base = connector
            .services
            .iter()
            .find(|(name, _)| *name == request.service)
            .map(|(_, base)| base.as_str())
            .ok_or_else(|| {
                HttpError::AdminNeeded(format!(
                    "the connector `{}` has no address for the service `{}`",
                    connector.name, request.service
                ))
            })?;
        let url = service_url(base, &request.path).map_err(HttpError::Refused)?;
        let mut headers: Vec<(String, String)> =
            request.headers.iter().map(|h| (h.name.clone(), h.value.clone())).collect();
        headers.push(("authorization".into(), format!("Bearer {bearer}")));
        let outgoing =
            Outgoing { method: method_name(request.method), url, headers, body: request.body.clone(), deadline };
        let mut incoming = match self.mirror.egress.send(connector, outgoing) {
            Ok(incoming) => incoming,
            Err(error) => return Err(self.no_answer(connector, error)),
        };
        self.result.reached = true;
        let now = self.mirror.now();
        let asks_for_a_pause = incoming.header("retry-after").is_some();
        if incoming.status >= 500 && !asks_for_a_pause {
            self.result.unreachable = self.mirror.pulse.gate().failing(&connector.id, now);
        } else {
            self.result.unreachable = false;
            if self.mirror.pulse.gate().reached(&connector.id, now) {
                tracing::info!(connector = %connector.name, "the service answers again");
            }
        }
        // Whatever the service repeats of what it was sent, the credential does not go on to the component.
        scrub(&mut incoming.body, &[bearer]);
        scrub_headers(&mut incoming.headers, &[bearer]);
        Ok(incoming)
    }

    fn no_answer(&mut self, connector: &ConnectorRow, error: EgressError) -> HttpError {
        match error {
            EgressError::NotSent(why) => {
                if !self.result.reached {
                    self.result.unreachable = true;
                }
                if self.mirror.pulse.gate().unreachable(&connector.id, self.mirror.now()) {
                    tracing::warn!(connector = %connector.name, %why, "the service cannot be reached; events wait and follow");
                }
                HttpError::NotSent(why)
            }
            EgressError::Unanswered(why) => {
                self.result.unreachable = self.mirror.pulse.gate().failing(&connector.id, self.mirror.now());
                HttpError::Unanswered(why)
            }
            EgressError::TooLarge(why) => HttpError::Other(why),
            EgressError::Refused(why) => HttpError::Refused(why),
        }
    }
}

impl Services for HookServices {
    fn send(&mut self, request: Request, deadline: Instant) -> Result<Response, HttpError> {
        let mirror = Arc::clone(&self.mirror);
        let (bearer, connector) = mirror.accounts.bearer(&self.key.account, deadline).map_err(credential)?;
        let now = mirror.now();
        if let Gate::ClosedUntil(until) = mirror.pulse.gate().of_mailbox(&self.key.account, now) {
            return Err(HttpError::Wait(u64::try_from(until - now).unwrap_or(0)));
        }
        use secrecy::ExposeSecret as _;
        let mut incoming = self.attempt(&connector, &request, bearer.expose_secret(), deadline)?;
        if incoming.status == 401 {
            let (fresh, connector) =
                mirror.accounts.refresh_after_401(&self.key.account, &bearer, deadline).map_err(credential)?;
            incoming = self.attempt(&connector, &request, fresh.expose_secret(), deadline)?;
            if incoming.status == 401 {
                return Err(HttpError::SignInNeeded(
                    "Microsoft refuses the connection's access although it was renewed; please sign in again".into(),
                ));
            }
        }
        // The service counts from its answer, not from our question.
        let now = mirror.now();
        let response = response(incoming, now);
        if matches!(response.status, 429 | 503)
            && let Some(pause) = response.retry_after_ms
        {
            self.result.pause_ms = Some(self.result.pause_ms.unwrap_or(0).max(pause));
            let until = now.saturating_add(i64::try_from(pause).unwrap_or(i64::MAX)).saturating_add(MARGIN_MS);
            mirror.pulse.gate().pause(&self.key.account, until);
        }
        Ok(response)
    }

    fn save(&mut self, mirrored: Option<Vec<u8>>) -> Result<(), String> {
        let (account, uid) = (self.key.account.as_str(), self.key.uid.as_str());
        let sealed = mirrored.as_deref().map(|record| self.mirror.seal_record(account, uid, record));
        let now = self.mirror.now();
        let kept = transact(&*self.mirror.store, |tx| {
            let Some(mut row) = tx.event(account, uid)? else { return Ok(false) };
            row.record.clone_from(&sealed);
            // A checkpoint confirms nothing.
            row.record_sha = None;
            row.record_meeting = row.record_meeting && sealed.is_some();
            if row.mailbox.is_none() {
                row.mailbox = tx.connection(account)?.map(|c| c.mailbox());
            }
            row.updated_at = now;
            tx.put_event(&row)?;
            Ok(true)
        })
        .map_err(|e| e.to_string())?;
        if kept { Ok(()) } else { Err("the event is no longer this hook's to mirror".into()) }
    }
}

fn credential(error: CredentialError) -> HttpError {
    match error {
        CredentialError::SignIn { message, .. } => HttpError::SignInNeeded(message),
        CredentialError::Admin { message, .. } => HttpError::AdminNeeded(message),
        CredentialError::Later { after_ms, .. } => HttpError::Wait(after_ms),
        CredentialError::Store(error) => HttpError::NotSent(error.to_string()),
    }
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

/// Hands an answer on; which header fields cross is the component layer's business.
fn response(incoming: Incoming, now: i64) -> Response {
    let retry_after_ms = incoming
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))
        .and_then(|(_, value)| retry_after_ms(value, now));
    Response {
        status: incoming.status,
        headers: incoming
            .headers
            .into_iter()
            .map(|(name, value)| crate::component::types::Header { name: name.to_ascii_lowercase(), value })
            .collect(),
        retry_after_ms,
        body: incoming.body,
    }
}
