//! Who may use the extension, by which registration at Microsoft, and with which tokens.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`vault`] | what is secret, closed |
//! | [`calendars`] | which of an account's calendars are mirrored |
//! | [`connectors`] | the OAuth registrations: endpoints, client id, secret, scopes |
//! | [`policy`] | who may use it, and what an account's standing therefore is |
//! | [`settings`] | what was chosen for servers, domains, classes and accounts, and by users |
//! | [`people`] | the accounts themselves |
//! | [`hook_secrets`] | which servers may call |
//! | [`sign_in`] | from a one-time ticket to Microsoft's answer |
//! | [`confirm`] | the user's yes, and the connection |
//! | [`session`] | from a one-time ticket to a session of the settings page |
//! | [`watching`] | how the server's calendars are watched for what was written past the hooks |
//! | `page_ticket` | the tickets behind the buttons of a page |
//! | [`tokens`] | a valid access token whenever one is needed |
//!
//! Everything goes through [`Accounts`], which keeps what few rows decide (policy, connectors, hook secrets) in memory and
//! forgets it with every change it makes.

pub mod calendars;
pub mod confirm;
pub mod connectors;
mod entra;
pub mod hook_secrets;
mod page_ticket;
pub mod people;
pub mod policy;
pub mod session;
pub mod settings;
pub mod sign_in;
mod sign_in_problem;
pub mod tokens;
pub mod vault;
pub mod watching;

pub use connectors::{ConnectorPatch, ConnectorView};
pub(crate) use entra::dead_phrase;
pub use people::PutAccount;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use url::Url;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::egress::{self, Egress};
use crate::store::{self, ConnectorRow, Digest, HookSecretRow, PolicyRow, Store, StoreError};
use vault::{Vault, VaultError};

/// Why something about accounts could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsError {
    /// What was asked for is wrong; the sentence says what and how to mend it.
    #[error("{0}")]
    Invalid(String),
    /// There is nothing of that name.
    #[error("{0}")]
    NotFound(String),
    /// It cannot be done as things stand.
    #[error("{0}")]
    Conflict(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// The rows that decide about every call: few, and rarely changed.
struct Rules {
    policy: Vec<PolicyRow>,
    connectors: Vec<ConnectorRow>,
    hook_secrets: Vec<HookSecretRow>,
}

/// Accounts, connectors, tokens and policy, over a store.
pub struct Accounts {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    egress: Arc<Egress>,
    clock: Arc<dyn Clock>,
    public_url: String,
    rules: RwLock<Option<Arc<Rules>>>,
    /// Counts the changes of the rules, so that what was read before a change is not kept after it.
    changes: AtomicU64,
    refreshes: tokens::Refreshes,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Over a store; `public_url` is where browsers reach the public listener.
    pub fn new(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        egress: Arc<Egress>,
        clock: Arc<dyn Clock>,
        public_url: String,
    ) -> Result<Self, AccountsError> {
        check_url("public_url", &public_url)?;
        Ok(Self {
            store,
            vault,
            egress,
            clock,
            public_url: public_url.trim_end_matches('/').to_owned(),
            rules: RwLock::new(None),
            changes: AtomicU64::new(0),
            refreshes: tokens::Refreshes::default(),
        })
    }

    /// The key ring, for what the caller seals itself.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Where browsers reach the public listener; without a `/` at its end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    fn rules(&self) -> Result<Arc<Rules>, StoreError> {
        if let Some(rules) = self.rules.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            return Ok(rules.clone());
        }
        let before = self.changes.load(Ordering::SeqCst);
        let rules = Arc::new(store::read(self.store.as_ref(), |tx| {
            Ok(Rules { policy: tx.policy()?, connectors: tx.connectors()?, hook_secrets: tx.hook_secrets()? })
        })?);
        let mut kept = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        if self.changes.load(Ordering::SeqCst) == before {
            *kept = Some(rules.clone());
        }
        Ok(rules)
    }

    /// To be called after every commit that changed policy, connectors or hook secrets.
    fn forget_rules(&self) {
        let mut kept = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        *kept = None;
    }

    fn transact<T>(
        &self,
        body: impl FnMut(&mut dyn store::Transaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        store::transact(self.store.as_ref(), body)
    }

    fn read<T>(&self, body: impl FnMut(&mut dyn store::Transaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        store::read(self.store.as_ref(), body)
    }
}

/// A URL that requests may be sent to or browsers come from; the sentence names the field.
fn check_url(field: &str, text: &str) -> Result<Url, AccountsError> {
    let url = Url::parse(text).map_err(|e| AccountsError::Invalid(format!("`{field}` is not a URL: {e}")))?;
    egress::check_address(&url).map_err(|e| AccountsError::Invalid(format!("`{field}` cannot be used: {e}")))?;
    if url.fragment().is_some() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(AccountsError::Invalid(format!("`{field}` holds a fragment, a space or a control character")));
    }
    Ok(url)
}

/// 256 random bits as 43 characters that need no escaping anywhere.
fn random_text() -> Result<Zeroizing<String>, AccountsError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|e| AccountsError::Random(e.to_string()))?;
    Ok(Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

fn digest(text: &str) -> Digest {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests;
