//! A valid access token whenever one is needed.
//!
//! One refresh per account at a time, whoever waits for it. The new refresh token is stored, by version compare, before the
//! new access token is used; so a crash in between costs nothing, and neither does a sign-in or a disconnect meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::connectors::is_usable;
use super::entra::{Denied, Grant, Granted, LATER_MS, lost_right, stops_registration_at_refresh};
use super::{Accounts, AccountsError};
use crate::store::{ConnectionRow, ConnectorRow, StoreError};
use crate::words::Phrase;

/// A token is renewed this long before its end, or at half of a shorter life.
const MARGIN_MS: i64 = 5 * 60 * 1_000;

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The user has to sign in.
    #[error("sign-in needed ({code}): {message}")]
    SignIn {
        /// For example `AADSTS700082`, or `not-connected`.
        code: String,
        /// A sentence with what to do.
        message: String,
    },
    /// The administrator has to act.
    #[error("the administrator must act ({code}): {message}")]
    Admin {
        /// For example `AADSTS7000222`, or `connector-off`.
        code: String,
        /// A sentence with what to do.
        message: String,
    },
    /// It may go better later.
    #[error("later, in {after_ms} ms: {message}")]
    Later {
        /// When to try again.
        after_ms: u64,
        /// A sentence.
        message: String,
    },
    /// The store or the vault failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AccountsError> for CredentialError {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Store(error) => Self::Store(error),
            other => Self::Admin { code: "vault".into(), message: other.to_string() },
        }
    }
}

/// An account's tokens, opened.
pub(super) struct Tokens {
    pub(super) access: SecretString,
    pub(super) refresh: SecretString,
    pub(super) obtained_at: i64,
    pub(super) expires_at: i64,
    pub(super) scopes: String,
}

impl Tokens {
    /// Good for a request that begins now and for what follows it.
    fn is_fresh(&self, now: i64) -> bool {
        let life = self.expires_at.saturating_sub(self.obtained_at).max(0);
        self.expires_at.saturating_sub(now) > MARGIN_MS.min(life / 2)
    }

    fn is_valid(&self, now: i64) -> bool {
        self.expires_at > now
    }
}

#[derive(Serialize)]
struct Writing<'a> {
    access: &'a str,
    refresh: &'a str,
    obtained_at: i64,
    expires_at: i64,
    scopes: &'a str,
}

#[derive(Deserialize)]
struct Reading {
    access: String,
    refresh: String,
    obtained_at: i64,
    expires_at: i64,
    scopes: String,
}

/// Which accounts are being refreshed, and which are not to be asked for yet.
#[derive(Default)]
pub(super) struct Refreshes {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    running: HashSet<String>,
    snoozed: HashMap<String, Snooze>,
}

/// An account whose refresh is not to be tried for a while.
struct Snooze {
    /// By the clock.
    until: i64,
    /// How long it was, to make the next one longer.
    length_ms: u64,
    message: String,
}

/// The longest pause that we choose ourselves.
const LONGEST_SNOOZE_MS: u64 = 60_000;

impl Refreshes {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its turn; `None` if that does not come before the deadline.
    fn begin(&self, account: &str, deadline: Instant) -> Option<Running<'_>> {
        let mut state = self.lock();
        while state.running.contains(account) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.running.insert(account.to_owned());
        Some(Running { of: self, account: account.to_owned() })
    }

    /// Gives how long: what Microsoft asked for, else twice as long as the last time, so that a short outage is over soon
    /// and a long one costs little.
    fn snooze(&self, account: &str, now: i64, after_ms: u64, message: &str) -> u64 {
        let mut state = self.lock();
        let last = state.snoozed.get(account).map_or(0, |snooze| snooze.length_ms);
        let length_ms =
            if after_ms == LATER_MS { last.saturating_mul(2).clamp(LATER_MS, LONGEST_SNOOZE_MS) } else { after_ms };
        let until = now.saturating_add(i64::try_from(length_ms).unwrap_or(i64::MAX));
        state.snoozed.insert(account.to_owned(), Snooze { until, length_ms, message: message.to_owned() });
        length_ms
    }

    fn snoozed(&self, account: &str, now: i64) -> Option<(u64, String)> {
        let state = self.lock();
        let Snooze { until, message, .. } = state.snoozed.get(account)?;
        let left = until.saturating_sub(now);
        // A clock that was set back must not make it longer than it can have been.
        (1..=86_400_000).contains(&left).then(|| (left.unsigned_abs(), message.clone()))
    }

    pub(super) fn forget(&self, account: &str) {
        self.lock().snoozed.remove(account);
    }

    pub(super) fn forget_all(&self) {
        self.lock().snoozed.clear();
    }
}

/// An account's turn; ends when dropped.
struct Running<'a> {
    of: &'a Refreshes,
    account: String,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.of.lock().running.remove(&self.account);
        self.of.ended.notify_all();
    }
}

/// What came of writing refreshed tokens.
enum Written {
    Ours,
    /// Somebody else changed the connection meanwhile; theirs counts.
    Theirs,
}

impl Accounts {
    /// A valid access token of an account, and the connector it is for.
    pub fn bearer(&self, account: &str, deadline: Instant) -> Result<(SecretString, ConnectorRow), CredentialError> {
        let (connection, connector) = self.alive(account)?;
        let tokens = self.open_tokens(&connection)?;
        if tokens.is_fresh(self.clock.now()) {
            return Ok((tokens.access, connector));
        }
        self.renew(account, None, deadline)
    }

    /// The same after Microsoft refused `used` with 401: one refresh even if the stored token looks valid, unless it is
    /// another one by now.
    pub fn refresh_after_401(
        &self,
        account: &str,
        used: &SecretString,
        deadline: Instant,
    ) -> Result<(SecretString, ConnectorRow), CredentialError> {
        self.renew(account, Some(used), deadline)
    }

    /// `refused`: the access token that is known to be no good.
    fn renew(
        &self,
        account: &str,
        refused: Option<&SecretString>,
        deadline: Instant,
    ) -> Result<(SecretString, ConnectorRow), CredentialError> {
        let busy = || CredentialError::Later { after_ms: 1_000, message: "The token is being renewed.".into() };
        let _turn = self.refreshes.begin(account, deadline).ok_or_else(busy)?;
        // Twice at most: a connection that somebody else changed meanwhile is read again, and is then as new as can be.
        for _ in 0..2 {
            let (connection, connector) = self.alive(account)?;
            let tokens = self.open_tokens(&connection)?;
            let now = self.clock.now();
            let is_refused = refused.is_some_and(|r| r.expose_secret() == tokens.access.expose_secret());
            if !is_refused && tokens.is_fresh(now) {
                return Ok((tokens.access, connector));
            }
            let still_valid = !is_refused && tokens.is_valid(now);
            if let Some((code, message)) = connector.dead.clone().zip(connector.dead_message.clone()) {
                return if still_valid {
                    Ok((tokens.access, connector))
                } else {
                    Err(CredentialError::Admin { code, message })
                };
            }
            if let Some((after_ms, message)) = self.refreshes.snoozed(account, now) {
                return if still_valid {
                    Ok((tokens.access, connector))
                } else {
                    Err(CredentialError::Later { after_ms, message })
                };
            }
            let mut answer = self.ask(&connector, &Grant::Refresh(&tokens.refresh), deadline)?;
            // Microsoft has been seen to say "bad refresh token" once about a good one.
            if matches!(&answer, Err(Denied::User { codes, .. }) if codes.contains(&70000)) {
                answer = self.ask(&connector, &Grant::Refresh(&tokens.refresh), deadline)?;
            }
            let written = match answer {
                Ok(granted) => match self.acceptable(&connection, &connector, &tokens, &granted) {
                    Ok(()) => self.keep(&connection, &tokens, granted)?,
                    Err((code, phrase)) => self.kill_connection(&connection, code, &phrase)?,
                },
                Err(Denied::User { code, phrase, .. }) => self.kill_connection(&connection, &code, &phrase)?,
                Err(Denied::Admin { code, phrase }) if !stops_registration_at_refresh(&code, &connector) => {
                    self.kill_connection(&connection, &code, &phrase)?
                }
                Err(Denied::Admin { code, phrase }) => {
                    let message = phrase.to_string();
                    self.kill_connector(&connector, &code, &message)?;
                    return Err(CredentialError::Admin { code, message });
                }
                Err(Denied::Later { after_ms, phrase, .. }) => {
                    let message = phrase.to_string();
                    let after_ms = self.refreshes.snooze(account, self.clock.now(), after_ms, &message);
                    if still_valid && tokens.is_valid(self.clock.now()) {
                        return Ok((tokens.access, connector));
                    }
                    return Err(CredentialError::Later { after_ms, message });
                }
            };
            if let Written::Ours = written {
                self.refreshes.forget(account);
                // Read back what was stored: the token that is used is the one that would survive a crash.
                let (connection, connector) = self.alive(account)?;
                return Ok((self.open_tokens(&connection)?.access, connector));
            }
        }
        Err(busy())
    }

    /// The connection and its connector, if both can be used.
    fn alive(&self, account: &str) -> Result<(ConnectionRow, ConnectorRow), CredentialError> {
        let connection = self.read(|tx| tx.connection(account))?.ok_or_else(|| CredentialError::SignIn {
            code: "not-connected".into(),
            message: Phrase::new("standing-not-connected").to_string(),
        })?;
        if let Some(code) = &connection.dead {
            let message = super::entra::dead_phrase(code).to_string();
            return Err(CredentialError::SignIn { code: code.clone(), message });
        }
        let rules = self.rules()?;
        let connector = rules.connectors.iter().find(|c| c.id == connection.connector && is_usable(c)).cloned();
        let connector = connector.ok_or_else(|| CredentialError::Admin {
            code: "connector-off".into(),
            message: Phrase::new("standing-connector-off").to_string(),
        })?;
        Ok((connection, connector))
    }

    fn open_tokens(&self, connection: &ConnectionRow) -> Result<Tokens, CredentialError> {
        let failed = |why: &str| StoreError::Failed(format!("the tokens of `{}`: {why}", connection.account));
        let bound_to = ["tokens", connection.account.as_str(), connection.connector.as_str()];
        let plain = self.vault.open_sealed(&bound_to, &connection.tokens).map_err(|e| failed(&e.to_string()))?;
        // The parser's message would quote what it read.
        let read: Reading = serde_json::from_slice(&plain).map_err(|_| failed("they are not of the known form"))?;
        Ok(Tokens {
            access: read.access.into(),
            refresh: read.refresh.into(),
            obtained_at: read.obtained_at,
            expires_at: read.expires_at,
            scopes: read.scopes,
        })
    }

    pub(super) fn seal_tokens(&self, account: &str, connector: &str, tokens: &Tokens) -> Result<Vec<u8>, StoreError> {
        let writing = Writing {
            access: tokens.access.expose_secret(),
            refresh: tokens.refresh.expose_secret(),
            obtained_at: tokens.obtained_at,
            expires_at: tokens.expires_at,
            scopes: &tokens.scopes,
        };
        // Room for all of it at once, so that no half of it is left behind by a growing buffer.
        let room =
            writing.access.len().saturating_add(writing.refresh.len()).saturating_add(writing.scopes.len() + 256);
        let mut plain = Zeroizing::new(Vec::with_capacity(room));
        serde_json::to_writer(&mut *plain, &writing)
            .map_err(|_| StoreError::Failed("the tokens cannot be written as JSON".into()))?;
        Ok(self.vault.seal(&["tokens", account, connector], &plain))
    }

    /// Whether granted tokens are for the same person and the same rights; otherwise a code and what to say.
    fn acceptable(
        &self,
        connection: &ConnectionRow,
        connector: &ConnectorRow,
        old: &Tokens,
        granted: &Granted,
    ) -> Result<(), (&'static str, Phrase)> {
        if let Some(claims) = &granted.claims
            && (claims.tid != connection.tenant || claims.oid != connection.object)
        {
            return Err(("other-identity", Phrase::new("dead-other-identity")));
        }
        let Some(scopes) = &granted.scopes else { return Ok(()) };
        // A right the administrator added since is not held against those who signed in before.
        // Nor is one lost that the connector no longer asks for.
        let wanted = |lost: &&str| lost_right(lost, &connector.scopes).is_none();
        match lost_right(&old.scopes, scopes).filter(wanted) {
            None => Ok(()),
            Some(_) => Err(("scope-lost", Phrase::new("dead-scope"))),
        }
    }

    fn keep(&self, connection: &ConnectionRow, old: &Tokens, granted: Granted) -> Result<Written, StoreError> {
        let now = self.clock.now();
        let new = Tokens {
            access: granted.access,
            refresh: granted.refresh.unwrap_or_else(|| old.refresh.clone()),
            obtained_at: now,
            expires_at: now.saturating_add(granted.lifetime_ms),
            scopes: granted.scopes.unwrap_or_else(|| old.scopes.clone()),
        };
        let sealed = self.seal_tokens(&connection.account, &connection.connector, &new)?;
        self.compare_and_put(connection, |row| row.tokens.clone_from(&sealed))
    }

    fn kill_connection(&self, connection: &ConnectionRow, code: &str, phrase: &Phrase) -> Result<Written, StoreError> {
        let now = self.clock.now();
        self.compare_and_put(connection, |row| {
            row.dead = Some(code.to_owned());
            row.dead_message = Some(phrase.to_string());
            row.since = now;
        })
    }

    /// Writes only if the tokens are still those that were read; the facts may have changed and stay.
    fn compare_and_put(
        &self,
        read: &ConnectionRow,
        change: impl Fn(&mut ConnectionRow),
    ) -> Result<Written, StoreError> {
        self.transact(|tx| {
            let Some(mut row) = tx.connection(&read.account)? else { return Ok(Written::Theirs) };
            if row.version != read.version || row.connector != read.connector {
                return Ok(Written::Theirs);
            }
            row.version = row.version.saturating_add(1);
            change(&mut row);
            tx.put_connection(&row)?;
            Ok(Written::Ours)
        })
    }

    /// Marks the connector, unless its credential was changed meanwhile; connections are left alone.
    pub(super) fn kill_connector(&self, read: &ConnectorRow, code: &str, message: &str) -> Result<(), StoreError> {
        self.transact(|tx| {
            let Some(mut row) = tx.connectors()?.into_iter().find(|c| c.id == read.id) else { return Ok(()) };
            if row.secret == read.secret && row.client_id == read.client_id && row.token_url == read.token_url {
                row.dead = Some(code.to_owned());
                row.dead_message = Some(message.to_owned());
                tx.put_connector(&row)?;
            }
            Ok(())
        })?;
        self.forget_rules();
        Ok(())
    }
}
