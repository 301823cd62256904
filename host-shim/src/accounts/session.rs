//! The settings page's way in: from a one-time ticket to a session.
//!
//! The store keeps digests only. A session ends with its hour, with its account, or when the user leaves; it follows a renamed
//! account, because it is a row of that account.

use subtle::ConstantTimeEq as _;

use super::sign_in::{TICKET_MS, Ticket};
use super::{Accounts, AccountsError, digest, random_text};
use crate::address::Address;
use crate::store::{Digest, OnceRow};

/// How long a session of the settings page lives.
const SESSION_MS: i64 = 3_600_000;

/// How long a ticket lives that stands on a page, for the user to go on in a window of its own.
const ON_A_PAGE_MS: i64 = 600_000;

pub(super) const TICKET: &str = "settings-ticket";
pub(super) const SESSION: &str = "settings-session";

/// A session just begun.
pub struct Opened {
    /// The cookie's value; never to be shown anywhere else.
    pub cookie: String,
    /// A fresh ticket, for a browser that turns out to keep no cookie here.
    pub again: String,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

/// Who is at the page.
pub struct Session {
    /// Whose settings these are.
    pub account: Address,
    /// What every form of this session carries. Made from the cookie's secret, which cannot be made from it.
    pub form_token: String,
    /// When it ends, Unix milliseconds; of two sessions the one that ends later is the newer.
    pub ends_at: i64,
    /// Of its row.
    pub(super) key: Digest,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("account", &self.account).finish_non_exhaustive()
    }
}

impl Session {
    /// Whether a form was made for this session.
    pub fn owns(&self, token: &str) -> bool {
        same(&self.form_token, token)
    }
}

impl Accounts {
    /// A one-time link to an account's settings page, good for a minute.
    ///
    /// # Errors
    /// [`AccountsError::Conflict`] where the account may not use the extension and has nothing to leave behind either.
    pub fn settings_link(&self, account: &Address) -> Result<Ticket, AccountsError> {
        self.settings_link_for(account, TICKET_MS)
    }

    /// The same, good for so many milliseconds: for an administrator who has to pass it on.
    ///
    /// # Errors
    /// As [`Accounts::settings_link`].
    pub fn settings_link_for(&self, account: &Address, life_ms: i64) -> Result<Ticket, AccountsError> {
        let standing = self.standing(account)?;
        if !standing.has_settings() {
            return Err(AccountsError::Conflict(standing.message));
        }
        let (ticket, expires_at) = self.put_ticket(account.as_str(), life_ms)?;
        Ok(Ticket { url: format!("{}/settings?ticket={ticket}", self.public_url), expires_at })
    }

    fn put_ticket(&self, account: &str, life_ms: i64) -> Result<(String, i64), AccountsError> {
        let secret = random_text()?;
        let now = self.clock.now();
        let expires_at = now.saturating_add(life_ms);
        let row = once(TICKET, &secret, account, expires_at);
        self.transact(|tx| {
            tx.expire_once(now)?;
            tx.put_once(&row)
        })?;
        Ok((secret.to_string(), expires_at))
    }

    /// Spends a ticket and begins a session; `None` where it is unknown, spent or too old.
    ///
    /// `held`: the session cookies that the browser sent with it. Their sessions end: a frame and a window of one site send
    /// each other's cookies, and the ticket just spent decides whose settings are shown.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn open_settings(&self, ticket: &str, held: &[String]) -> Result<Option<Opened>, AccountsError> {
        let now = self.clock.now();
        let key = digest(ticket);
        let cookie = random_text()?;
        let account = self.transact(|tx| {
            let Some(row) = tx.take_once(TICKET, &key)?.filter(|row| row.expires_at > now) else { return Ok(None) };
            for cookie in held {
                tx.take_once(SESSION, &digest(cookie))?;
            }
            tx.put_once(&once(SESSION, &cookie, &row.account, now.saturating_add(SESSION_MS)))?;
            Ok(Some(row.account))
        })?;
        let Some(account) = account else { return Ok(None) };
        let (again, _) = self.put_ticket(&account, ON_A_PAGE_MS)?;
        Ok(Some(Opened { cookie: cookie.to_string(), again }))
    }

    /// The session of a cookie; `None` where there is none (any more).
    ///
    /// # Errors
    /// Where the store fails.
    pub fn settings_session(&self, cookie: &str) -> Result<Option<Session>, AccountsError> {
        let key = digest(cookie);
        let now = self.clock.now();
        let row = self.read(|tx| tx.once(SESSION, &key))?.filter(|row| row.expires_at > now);
        let Some((row, account)) = row.and_then(|row| Address::parse(&row.account).ok().map(|account| (row, account)))
        else {
            return Ok(None);
        };
        Ok(Some(Session { account, form_token: form_token(cookie), ends_at: row.expires_at, key }))
    }

    /// Whose a ticket is that was not spent yet; `None` where it is unknown.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn settings_ticket_of(&self, ticket: &str) -> Result<Option<Address>, AccountsError> {
        let key = digest(ticket);
        let row = self.read(|tx| tx.once(TICKET, &key))?;
        Ok(row.and_then(|row| Address::parse(&row.account).ok()))
    }

    /// A ticket that is not needed any more.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn drop_settings_ticket(&self, ticket: &str) -> Result<(), AccountsError> {
        let key = digest(ticket);
        Ok(self.transact(|tx| tx.take_once(TICKET, &key).map(drop))?)
    }
}

/// A row without contents: that it is there is all it says.
pub(super) fn once(kind: &str, secret: &str, account: &str, expires_at: i64) -> OnceRow {
    OnceRow { kind: kind.into(), key: digest(secret), account: account.into(), value: Vec::new(), expires_at }
}

/// What a form carries so that no other site can send it, made from the secret of a cookie.
pub(super) fn form_token(secret: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(digest(&format!("form token\0{secret}")))
}

/// Compares without telling where the difference is.
pub(super) fn same(a: &str, b: &str) -> bool {
    bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}
