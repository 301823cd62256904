//! Sign-in: from a one-time ticket, over Microsoft's page, to a connection.
//!
//! Authorization code with PKCE S256. The state can be used once, for ten minutes, by the browser that holds the cookie, for
//! the account it was begun for; so neither a stolen nor a planted callback connects anything.

use std::time::{Duration, Instant};

use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier, Scope};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use url::Url;
use zeroize::Zeroizing;

use super::confirm::{Answered, CONFIRM};
use super::connectors::is_usable;
use super::entra::{Claims, Denied, Grant, Granted, lost_right, plain, stops_registration_at_sign_in};
use super::policy::Standing;
use super::session::once;
use super::tokens::Tokens;
use super::{Accounts, AccountsError, digest, people, random_text};
use crate::address::Address;
use crate::store::{ConnectionRow, ConnectorRow, OnceRow, StoreError, Transaction};
use crate::words::Phrase;

pub use super::sign_in_problem::SignInProblem;

/// How long a one-time link lives.
pub(super) const TICKET_MS: i64 = 60_000;
/// How long a sign-in may take, and how long the user may take to confirm it.
pub(super) const SIGN_IN_MS: i64 = 600_000;
const EXCHANGE: Duration = Duration::from_secs(15);

pub(super) const TICKET: &str = "sign-in-ticket";
/// A sign-in that is at Microsoft.
pub(super) const BEGUN: &str = "sign-in";

/// A sign-in that Microsoft has answered and whose code is being exchanged: whatever ends it meanwhile takes this row away.
pub(super) const ANSWERED: &str = "sign-in-answered";

/// All that could still come to a connection.
pub(super) const ON_ITS_WAY: [&str; 4] = [TICKET, BEGUN, ANSWERED, CONFIRM];

/// A link that begins one sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Where the browser goes.
    pub url: String,
    /// Until when.
    pub expires_at: i64,
}

/// What the browser is told when a sign-in begins.
pub struct Begin {
    /// Where it goes: Microsoft's page.
    pub redirect: String,
    /// The value of the cookie that binds the sign-in to this browser.
    pub cookie: String,
    /// Whose sign-in it is.
    pub account: Address,
}

impl std::fmt::Debug for Begin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begin").field("account", &self.account).finish_non_exhaustive()
    }
}

/// What Microsoft sends the browser back with.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CallbackQuery {
    /// Our state.
    pub state: Option<String>,
    /// The authorization code.
    pub code: Option<String>,
    /// Why there is none.
    pub error: Option<String>,
    /// The same as text, by whoever made the link.
    pub error_description: Option<String>,
    /// Who answered (RFC 9207).
    pub iss: Option<String>,
}

impl std::fmt::Debug for CallbackQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallbackQuery").field("error", &self.error).finish_non_exhaustive()
    }
}

/// A sign-in that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Whose.
    pub account: Address,
    /// The Microsoft address.
    pub remote_address: String,
    /// It had been told before: the same answer came twice.
    pub again: bool,
}

/// What the store keeps of a sign-in on its way, sealed.
#[derive(Serialize, Deserialize)]
struct OnItsWay {
    verifier: String,
    cookie: [u8; 32],
    connector: String,
    nonce: String,
}

/// What the component found out about a mailbox.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// For the component, opaque.
    pub facts: &'a [u8],
    /// The component's code.
    pub code: &'a str,
    /// The same in a sentence.
    pub message: &'a str,
    /// Whether it can hold events.
    pub events: bool,
    /// Whether they can have meetings.
    pub meetings: bool,
}

/// The connection as pages and the hook API tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionView {
    /// Whether it is alive.
    pub connected: bool,
    /// What ended it.
    pub dead: Option<String>,
    /// The same in a sentence with what to do.
    pub dead_message: Option<String>,
    /// The Microsoft address.
    pub remote_address: String,
    /// The connector's id.
    pub connector: String,
    /// What the mailbox can do, as a code.
    pub facts_code: Option<String>,
    /// The same in a sentence.
    pub facts_message: Option<String>,
    /// Since when it is alive or dead.
    pub since: i64,
}

impl Accounts {
    /// A one-time link that begins a sign-in, good for a minute.
    pub fn ticket(&self, account: &Address) -> Result<Ticket, AccountsError> {
        self.ticket_for(account, TICKET_MS)
    }

    /// The same, good for so many milliseconds: for an administrator who has to pass it on.
    pub fn ticket_for(&self, account: &Address, life_ms: i64) -> Result<Ticket, AccountsError> {
        let standing = self.standing(account)?;
        if !standing.may_sign_in() {
            return Err(AccountsError::Conflict(standing.message));
        }
        let secret = random_text()?;
        let now = self.clock.now();
        let expires_at = now.saturating_add(life_ms);
        let row = once(TICKET, &secret, account.as_str(), expires_at);
        self.transact(|tx| {
            tx.expire_once(now)?;
            tx.put_once(&row)
        })?;
        Ok(Ticket { url: format!("{}/signin?ticket={}", self.public_url, *secret), expires_at })
    }

    /// The language of whoever signs in with this ticket or state; `None` where that is not known.
    pub fn sign_in_language(&self, secret: &str) -> Option<String> {
        let key = digest(secret);
        let found = self.read(|tx| {
            let mut whose = self.account_of_page(tx, secret)?;
            for kind in [TICKET, BEGUN] {
                whose = whose.or(tx.once(kind, &key)?.map(|row| row.account));
            }
            let Some(whose) = whose else { return Ok(None) };
            Ok(tx.account(&whose)?.and_then(|account| account.language))
        });
        found.unwrap_or_else(|error| {
            tracing::error!(%error, "the language of a sign-in could not be looked up");
            None
        })
    }

    /// Takes a ticket and sends the browser to Microsoft, whose session of this browser, where there is one, is taken as it is.
    /// `other`: with another Microsoft account than Microsoft would take by itself.
    pub fn begin(&self, ticket: &str, other: bool) -> Result<Begin, SignInProblem> {
        let now = self.clock.now();
        let key = digest(ticket);
        let account = self.transact(|tx| match tx.take_once(TICKET, &key)? {
            Some(row) => Ok(Some(row).filter(|row| row.expires_at > now).map(|row| row.account)),
            None => self.spend_page_ticket(tx, ticket, now),
        })?;
        let account = Address::parse(&account.ok_or(SignInProblem::Stale)?).map_err(|_| SignInProblem::Stale)?;
        let standing = self.standing(&account)?;
        let connector = self.sign_in_connector(&standing)?;
        let (state, cookie, nonce) = (random_text()?, random_text()?, random_text()?);
        let (challenge, verifier) = pkce()?;
        let on_its_way = OnItsWay {
            verifier: verifier.secret().clone(),
            cookie: digest(&cookie),
            connector: connector.id.clone(),
            nonce: nonce.to_string(),
        };
        let value = serde_json::to_vec(&on_its_way)
            .map(Zeroizing::new)
            .map_err(|e| AccountsError::Invalid(format!("the sign-in cannot be written: {e}")))?;
        let row = OnceRow {
            kind: BEGUN.into(),
            key: digest(&state),
            account: account.as_str().into(),
            value: self.vault.seal(&["sign-in", account.as_str()], &value),
            expires_at: now.saturating_add(SIGN_IN_MS),
        };
        self.transact(|tx| tx.put_once(&row))?;
        let known = standing.connection.map(|c| c.remote_address);
        let last = standing.account.and_then(|row| row.last_remote);
        let client = self.client(&connector)?;
        let request = client
            .authorize_url(|| CsrfToken::new(state.to_string()))
            .add_scopes(connector.scopes.split_whitespace().map(|s| Scope::new(s.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param("response_mode", "query")
            .add_extra_param("nonce", nonce.as_str());
        let (url, _) = match other {
            true => request.add_extra_param("prompt", "select_account").url(),
            false => {
                let hint = known.or(last).unwrap_or_else(|| account.as_str().to_owned());
                request.add_extra_param("login_hint", hint).url()
            }
        };
        Ok(Begin { redirect: url.into(), cookie: cookie.to_string(), account })
    }

    /// Takes Microsoft's answer. Connects an account whose Microsoft account signed in again; whoever else signed in is
    /// connected when the user has confirmed it.
    pub fn finish(&self, query: CallbackQuery, cookie: Option<&str>) -> Result<Answered, SignInProblem> {
        let now = self.clock.now();
        let key = digest(query.state.as_deref().ok_or(SignInProblem::Stale)?);
        let row = self.transact(|tx| {
            let Some(row) = tx.take_once(BEGUN, &key)? else { return Ok(None) };
            tx.put_once(&OnceRow { kind: ANSWERED.into(), value: Vec::new(), ..row.clone() })?;
            Ok(Some(row))
        })?;
        let row = row.filter(|r| r.expires_at > now).ok_or(SignInProblem::Stale)?;
        let opened =
            self.vault.open_sealed(&["sign-in", &row.account], &row.value).map_err(|_| SignInProblem::Stale)?;
        let begun: OnItsWay = serde_json::from_slice(&opened).map_err(|_| SignInProblem::Stale)?;
        let same_browser = cookie.is_some_and(|c| bool::from(digest(c).ct_eq(&begun.cookie)));
        if !same_browser {
            return Err(SignInProblem::OtherBrowser);
        }
        let account = Address::parse(&row.account).map_err(|_| SignInProblem::Stale)?;
        let standing = self.standing(&account)?;
        may(&standing)?;
        let rules = self.rules()?;
        let connector = rules.connectors.iter().find(|c| c.id == begun.connector && is_usable(c));
        let connector = connector.ok_or_else(|| SignInProblem::NotAllowed(standing.phrase()))?;
        // Before the code goes anywhere (RFC 9207 §2.4).
        if query.iss.as_deref().is_some_and(|iss| !may_be_issuer(iss, connector)) {
            return Err(SignInProblem::Mismatch("issuer"));
        }
        if let Some(error) = &query.error {
            return Err(declined(error, query.error_description.as_deref()));
        }
        let code = query.code.as_deref().filter(|c| !c.is_empty()).ok_or(SignInProblem::Mismatch("code"))?;
        let deadline = Instant::now().checked_add(EXCHANGE).unwrap_or_else(Instant::now);
        let grant = Grant::Code { code, verifier: &begun.verifier };
        let answer = self.ask(connector, &grant, deadline)?;
        if let Err(denied) = &answer {
            let (connector, cause) = (&connector.name, denied.cause());
            tracing::warn!(%account, connector, cause, "a sign-in failed: Microsoft's token endpoint gave no tokens");
        }
        let granted = match answer {
            Ok(granted) => granted,
            Err(Denied::User { phrase, .. }) => return Err(SignInProblem::Refused(phrase)),
            Err(Denied::Later { phrase, .. }) => return Err(SignInProblem::Later(phrase)),
            Err(Denied::Admin { code, phrase }) => {
                if stops_registration_at_sign_in(&code) {
                    self.kill_connector(connector, &code, &phrase.to_string())?;
                }
                return Err(SignInProblem::Admin(phrase));
            }
        };
        let claims = check_claims(&granted, connector, &begun.nonce, query.iss.as_deref())?;
        let connection = self.connection_of(&account, connector, granted, &claims)?;
        self.granted(&account, connection, &key)
    }

    fn sign_in_connector(&self, standing: &Standing) -> Result<ConnectorRow, SignInProblem> {
        may(standing)?;
        let usable = standing.connector.as_ref().filter(|c| is_usable(c));
        usable.cloned().ok_or_else(|| SignInProblem::NotAllowed(standing.phrase()))
    }

    fn connection_of(
        &self,
        account: &Address,
        connector: &ConnectorRow,
        granted: Granted,
        claims: &Claims,
    ) -> Result<ConnectionRow, SignInProblem> {
        let now = self.clock.now();
        let refresh = granted.refresh.ok_or_else(|| SignInProblem::Admin(Phrase::new("admin-no-refresh-token")))?;
        let scopes = granted.scopes.unwrap_or_else(|| connector.scopes.clone());
        if let Some(lost) = lost_right(&connector.scopes, &scopes) {
            return Err(SignInProblem::Refused(Phrase::new("sign-in-permission").with("permission", lost)));
        }
        let tokens = Tokens {
            access: granted.access,
            refresh,
            obtained_at: now,
            expires_at: now.saturating_add(granted.lifetime_ms),
            scopes,
        };
        let address = if claims.preferred_username.is_empty() { &claims.email } else { &claims.preferred_username };
        Ok(ConnectionRow {
            account: account.as_str().into(),
            connector: connector.id.clone(),
            tenant: claims.tid.clone(),
            object: claims.oid.clone(),
            remote_address: plain(address, 320),
            tokens: self.seal_tokens(account.as_str(), &connector.id, &tokens)?,
            ..people::unconnected(now)
        })
    }

    /// The connection of an account, for people.
    pub fn connection_view(&self, account: &Address) -> Result<Option<ConnectionView>, AccountsError> {
        let row = self.read(|tx| tx.connection(account.as_str()))?;
        Ok(row.map(|row| ConnectionView {
            connected: row.dead.is_none(),
            dead: row.dead,
            dead_message: row.dead_message,
            remote_address: row.remote_address,
            connector: row.connector,
            facts_code: row.facts_code,
            facts_message: row.facts_message,
            since: row.since,
        }))
    }

    /// Keeps what the component found out about the mailbox; nothing where the account is not connected any more.
    pub fn store_facts(&self, account: &str, facts: Facts<'_>, now: i64, until: i64) -> Result<(), AccountsError> {
        Ok(self.transact(|tx| {
            let Some(mut row) = tx.connection(account)? else { return Ok(()) };
            row.facts = Some(facts.facts.to_vec());
            row.facts_code = Some(facts.code.to_owned());
            row.facts_message = Some(facts.message.to_owned());
            row.facts_events = Some(facts.events);
            row.facts_meetings = Some(facts.meetings);
            row.facts_at = Some(now);
            row.facts_until = Some(until);
            tx.put_connection(&row)
        })?)
    }

    /// What is remembered of the mailbox turned out to be wrong: it is asked again before the next event is made.
    pub fn forget_facts(&self, account: &str) -> Result<(), AccountsError> {
        Ok(self.transact(|tx| {
            let Some(mut row) = tx.connection(account)? else { return Ok(()) };
            row.facts_until = None;
            tx.put_connection(&row)
        })?)
    }

    /// The connection was changed: no pause that concerned the old one counts.
    pub fn forget_refreshes(&self, account: &Address) {
        self.refreshes.forget(account.as_str());
    }
}

/// Whether a sign-in may go on.
pub(super) fn may(standing: &Standing) -> Result<(), SignInProblem> {
    if standing.is_leaving() {
        return Err(SignInProblem::Leaving);
    }
    if standing.may_sign_in() { Ok(()) } else { Err(SignInProblem::NotAllowed(standing.phrase())) }
}

/// Ends what could still come to a connection: links, sign-ins at Microsoft, questions with the tokens behind them.
pub(crate) fn end_sign_ins(tx: &mut dyn Transaction, account: &str) -> Result<(), StoreError> {
    tx.end_once(account, &ON_ITS_WAY)
}

/// The oauth2 crate's own generator panics where the system gives no random numbers; ours says so.
fn pkce() -> Result<(PkceCodeChallenge, PkceCodeVerifier), AccountsError> {
    let verifier = PkceCodeVerifier::new(random_text()?.to_string());
    Ok((PkceCodeChallenge::from_code_verifier_sha256(&verifier), verifier))
}

fn declined(error: &str, description: Option<&str>) -> SignInProblem {
    match error {
        "temporarily_unavailable" | "server_error" => SignInProblem::Later(Phrase::new("later-busy")),
        "unauthorized_client" | "invalid_scope" | "unsupported_response_type" => {
            let detail = description.map_or_else(|| plain(error, 60), |d| plain(d, 200));
            SignInProblem::Admin(Phrase::new("microsoft-said").with("detail", detail))
        }
        _ => SignInProblem::Declined { detail: plain(description.unwrap_or(error), 200) },
    }
}

/// Whether an issuer can be the one of the connector's endpoints: their host, and their tenant where they name one.
fn may_be_issuer(iss: &str, connector: &ConnectorRow) -> bool {
    let (Ok(iss), Ok(endpoint)) = (Url::parse(iss), Url::parse(&connector.token_url)) else { return false };
    iss.origin() == endpoint.origin()
}

fn check_claims(
    granted: &Granted,
    connector: &ConnectorRow,
    nonce: &str,
    iss: Option<&str>,
) -> Result<Claims, SignInProblem> {
    let claims = granted.claims.clone().ok_or(SignInProblem::Mismatch("id token"))?;
    if !bool::from(claims.nonce.as_bytes().ct_eq(nonce.as_bytes())) {
        return Err(SignInProblem::Mismatch("nonce"));
    }
    if Some(&claims.aud) != connector.client_id.as_ref() {
        return Err(SignInProblem::Mismatch("audience"));
    }
    if iss.is_some_and(|iss| iss != claims.iss) {
        return Err(SignInProblem::Mismatch("issuer"));
    }
    let id = |text: &str| !text.is_empty() && text.len() <= 100 && text.bytes().all(|c| c.is_ascii_graphic());
    if !id(&claims.tid) || !id(&claims.oid) {
        return Err(SignInProblem::Mismatch("identity"));
    }
    Ok(claims)
}
