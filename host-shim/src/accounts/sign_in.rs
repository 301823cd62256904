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

use super::connectors::is_usable;
use super::entra::{Claims, Denied, Grant, Granted, lost_right, plain, stops_registration_at_sign_in};
use super::tokens::Tokens;
use super::{Accounts, AccountsError, digest, people, random_text};
use crate::address::Address;
use crate::store::{ConnectionRow, ConnectorRow, OnceRow, StoreError};

const TICKET_MS: i64 = 60_000;
const SIGN_IN_MS: i64 = 600_000;
const EXCHANGE: Duration = Duration::from_secs(15);

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
    /// Tenant id.
    pub tenant: String,
    /// Object id.
    pub object: String,
    /// Whether the account was connected to another mailbox before.
    pub other_mailbox: bool,
}

/// Why a sign-in went no further. What is shown is for the page: a sentence, a next step, a status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInProblem {
    /// The link or the answer is unknown, used or too old.
    #[error("This sign-in is no longer open: it was used already, or took too long.")]
    Stale,
    /// It was begun in another browser.
    #[error("This sign-in was begun in another browser.")]
    OtherBrowser,
    /// The account may not use the extension (any more), or there is nothing to sign in by.
    #[error("{0}")]
    NotAllowed(String),
    /// The user or a rule of their organisation said no.
    #[error("Microsoft ended the sign-in without connecting anything.")]
    Declined {
        /// What the link said about it: plain text, at most 200 characters, of unknown origin.
        detail: String,
    },
    /// Microsoft does not grant it; the sentence says what the user can do.
    #[error("{0}")]
    Refused(String),
    /// The answer is not from whom it should be, or for somebody else.
    #[error("The answer did not fit the sign-in that was begun ({0}).")]
    Mismatch(&'static str),
    /// The mailbox belongs to another account here.
    #[error("The Microsoft account {0} is connected with another account of this server already.")]
    Taken(String),
    /// The registration is at fault.
    #[error("The administrator has to mend the connection with Microsoft: {0}")]
    Admin(String),
    /// It may go better later.
    #[error("{0}")]
    Later(String),
    /// The store or the vault failed.
    #[error("The sign-in could not be kept.")]
    Failed(#[source] AccountsError),
}

impl SignInProblem {
    /// What the user can do.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Stale | Self::OtherBrowser | Self::Mismatch(_) => "Go back to your settings and begin again.",
            Self::NotAllowed(_) | Self::Admin(_) => "Ask your administrator.",
            Self::Declined { .. } | Self::Refused(_) => "Go back to your settings to try again.",
            Self::Taken(_) => "Sign in with another Microsoft account, or disconnect it there first.",
            Self::Later(_) | Self::Failed(_) => "Try again in a few minutes.",
        }
    }

    /// The page's HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Stale | Self::OtherBrowser | Self::Mismatch(_) => 400,
            Self::NotAllowed(_) => 403,
            Self::Taken(_) => 409,
            // The page is fine; it tells of a decision.
            Self::Declined { .. } | Self::Refused(_) => 200,
            Self::Admin(_) => 502,
            Self::Later(_) | Self::Failed(_) => 503,
        }
    }

    /// Text of unknown origin to show, escaped, beneath the sentence.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Declined { detail } if !detail.is_empty() => Some(detail),
            _ => None,
        }
    }
}

impl From<AccountsError> for SignInProblem {
    fn from(error: AccountsError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for SignInProblem {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
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
        let row = OnceRow {
            kind: "sign-in-ticket".into(),
            key: digest(&secret),
            account: account.as_str().into(),
            value: Vec::new(),
            expires_at,
        };
        self.transact(|tx| {
            tx.expire_once(now)?;
            tx.put_once(&row)
        })?;
        Ok(Ticket { url: format!("{}/signin?ticket={}", self.public_url, *secret), expires_at })
    }

    /// Takes a ticket and sends the browser to Microsoft.
    pub fn begin(&self, ticket: &str) -> Result<Begin, SignInProblem> {
        let now = self.clock.now();
        let key = digest(ticket);
        let row = self.transact(|tx| tx.take_once("sign-in-ticket", &key))?;
        let row = row.filter(|r| r.expires_at > now).ok_or(SignInProblem::Stale)?;
        let account = Address::parse(&row.account).map_err(|_| SignInProblem::Stale)?;
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
            kind: "sign-in".into(),
            key: digest(&state),
            account: account.as_str().into(),
            value: self.vault.seal(&["sign-in", account.as_str()], &value),
            expires_at: now.saturating_add(SIGN_IN_MS),
        };
        self.transact(|tx| tx.put_once(&row))?;
        let hint = standing.connection.map_or_else(|| account.as_str().to_owned(), |c| c.remote_address);
        let client = self.client(&connector)?;
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(state.to_string()))
            .add_scopes(connector.scopes.split_whitespace().map(|s| Scope::new(s.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param("response_mode", "query")
            .add_extra_param("nonce", nonce.as_str())
            .add_extra_param("login_hint", hint)
            .url();
        Ok(Begin { redirect: url.into(), cookie: cookie.to_string(), account })
    }

    /// Takes Microsoft's answer, and connects the account.
    pub fn finish(&self, query: CallbackQuery, cookie: Option<&str>) -> Result<Finished, SignInProblem> {
        let now = self.clock.now();
        let key = digest(query.state.as_deref().ok_or(SignInProblem::Stale)?);
        let row = self.transact(|tx| tx.take_once("sign-in", &key))?;
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
        if !standing.may_sign_in() {
            return Err(SignInProblem::NotAllowed(standing.message));
        }
        let rules = self.rules()?;
        let connector = rules.connectors.iter().find(|c| c.id == begun.connector && is_usable(c));
        let connector = connector.ok_or_else(|| SignInProblem::NotAllowed(standing.message.clone()))?;
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
        let granted = match self.ask(connector, &grant, deadline)? {
            Ok(granted) => granted,
            Err(Denied::User { message, .. }) => return Err(SignInProblem::Refused(message)),
            Err(Denied::Later { message, .. }) => return Err(SignInProblem::Later(message)),
            Err(Denied::Admin { code, message }) => {
                if stops_registration_at_sign_in(&code) {
                    self.kill_connector(connector, &code, &message)?;
                }
                return Err(SignInProblem::Admin(message));
            }
        };
        let claims = check_claims(&granted, connector, &begun.nonce, query.iss.as_deref())?;
        let (connection, remote_address) = self.connection_of(&account, connector, granted, &claims)?;
        self.connect(&account, connection, remote_address)
    }

    fn sign_in_connector(&self, standing: &super::policy::Standing) -> Result<ConnectorRow, SignInProblem> {
        let usable = standing.connector.as_ref().filter(|c| standing.may_sign_in() && is_usable(c));
        usable.cloned().ok_or_else(|| SignInProblem::NotAllowed(standing.message.clone()))
    }

    fn connection_of(
        &self,
        account: &Address,
        connector: &ConnectorRow,
        granted: Granted,
        claims: &Claims,
    ) -> Result<(ConnectionRow, String), SignInProblem> {
        let now = self.clock.now();
        let refresh = granted.refresh.ok_or_else(|| {
            SignInProblem::Admin("Microsoft gave no refresh token; the scopes lack `offline_access`.".into())
        })?;
        let scopes = granted.scopes.unwrap_or_else(|| connector.scopes.clone());
        if let Some(lost) = lost_right(&connector.scopes, &scopes) {
            let lost =
                format!("Microsoft did not give the permission `{lost}`, without which nothing can be mirrored.");
            return Err(SignInProblem::Refused(lost));
        }
        let tokens = Tokens {
            access: granted.access,
            refresh,
            obtained_at: now,
            expires_at: now.saturating_add(granted.lifetime_ms),
            scopes,
        };
        let address = if claims.preferred_username.is_empty() { &claims.email } else { &claims.preferred_username };
        let remote_address = plain(address, 320);
        let connection = ConnectionRow {
            account: account.as_str().into(),
            connector: connector.id.clone(),
            tenant: claims.tid.clone(),
            object: claims.oid.clone(),
            remote_address: remote_address.clone(),
            tokens: self.seal_tokens(account.as_str(), &connector.id, &tokens)?,
            version: 1,
            dead: None,
            dead_message: None,
            since: now,
            facts: None,
            facts_code: None,
            facts_message: None,
            facts_at: None,
            facts_until: None,
            facts_events: None,
            facts_meetings: None,
        };
        Ok((connection, remote_address))
    }

    fn connect(
        &self,
        account: &Address,
        connection: ConnectionRow,
        remote_address: String,
    ) -> Result<Finished, SignInProblem> {
        let name = account.as_str();
        let now = self.clock.now();
        let outcome = self.transact(|tx| {
            let of_mailbox = tx.accounts_of_mailbox(&connection.tenant, &connection.object)?;
            if of_mailbox.iter().any(|a| a != name) {
                return Ok(None);
            }
            let mut new = connection.clone();
            let old = tx.connection(name)?;
            new.version = old.as_ref().map_or(0, |o| o.version).saturating_add(1);
            let other_mailbox = old.is_some_and(|o| (o.tenant, o.object) != (new.tenant.clone(), new.object.clone()));
            tx.put_connection(&new)?;
            let mut row = tx.account(name)?.unwrap_or_else(|| people::empty(account, now));
            row.on = true;
            tx.put_account(&row)?;
            tx.unpark(Some(name), "connection", now)?;
            Ok(Some(other_mailbox))
        })?;
        self.refreshes.forget(name);
        let other_mailbox = outcome.ok_or_else(|| SignInProblem::Taken(remote_address.clone()))?;
        Ok(Finished {
            account: account.clone(),
            remote_address,
            tenant: connection.tenant,
            object: connection.object,
            other_mailbox,
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

    /// Drops an account's tokens, at once; a refresh on its way writes nothing any more.
    pub fn disconnect(&self, account: &Address) -> Result<(), AccountsError> {
        self.transact(|tx| tx.remove_connection(account.as_str()))?;
        self.refreshes.forget(account.as_str());
        Ok(())
    }
}

/// The oauth2 crate's own generator panics where the system gives no random numbers; ours says so.
fn pkce() -> Result<(PkceCodeChallenge, PkceCodeVerifier), AccountsError> {
    let verifier = PkceCodeVerifier::new(random_text()?.to_string());
    Ok((PkceCodeChallenge::from_code_verifier_sha256(&verifier), verifier))
}

fn declined(error: &str, description: Option<&str>) -> SignInProblem {
    match error {
        "temporarily_unavailable" | "server_error" => {
            SignInProblem::Later("Microsoft's sign-in service is busy or down.".into())
        }
        "unauthorized_client" | "invalid_scope" | "unsupported_response_type" => {
            let detail = description.map_or_else(|| plain(error, 60), |d| plain(d, 200));
            SignInProblem::Admin(format!("Microsoft said: {detail}"))
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
