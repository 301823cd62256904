//! The user's yes: who signed in at Microsoft is connected only after the user said so, in the same browser.
//!
//! Microsoft's page names the account it signs in, not the calendar it is for, and a Microsoft session that lives shows no
//! page at all. So a first link, or another identity than the connected one, is asked for here. What Microsoft granted waits
//! meanwhile, sealed, for ten minutes, under the digest of a secret that only this browser's cookie holds.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::session::{form_token, once, same};
use super::sign_in::{ANSWERED, Finished, SIGN_IN_MS, SignInProblem, may};
use super::{Accounts, AccountsError, digest, people, random_text};
use crate::address::Address;
use crate::store::{ConnectionRow, Digest, OnceRow, StoreError, Transaction};

pub(super) const CONFIRM: &str = "sign-in-confirm";
pub(super) const DONE: &str = "sign-in-done";

/// What Microsoft's answer came to.
pub struct Answered {
    /// The value of the cookie that binds what follows to this browser.
    pub cookie: String,
    /// Whose sign-in it is.
    pub account: Address,
    /// Whether it is connected already: the same Microsoft account as before signed in again.
    pub connected: bool,
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answered").field("account", &self.account).finish_non_exhaustive()
    }
}

/// What the user is asked.
pub struct Question {
    /// The calendar's account.
    pub account: Address,
    /// The Microsoft account that signed in.
    pub remote_address: String,
    /// The Microsoft account that is connected now, where it is another one.
    pub instead_of: Option<String>,
    /// How many events to come stand in the calendar of another Microsoft account.
    pub elsewhere: usize,
    /// What the answer's form carries.
    pub form_token: String,
    /// Begins a sign-in with another Microsoft account instead, where the user may.
    pub ticket: Option<String>,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("account", &self.account).finish_non_exhaustive()
    }
}

/// How far a sign-in is, for the browser that holds its cookie.
#[derive(Debug)]
pub enum Progress {
    /// The user is to be asked.
    Asked(Box<Question>),
    /// It went well.
    Done(Address),
}

/// What came of a no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declined {
    /// Nothing is kept of the sign-in.
    Forgotten,
    /// The user had said yes before; that stands.
    TooLate,
}

/// What the store keeps of it, sealed.
#[derive(Serialize, Deserialize)]
struct Waiting {
    connector: String,
    tenant: String,
    object: String,
    remote_address: String,
    tokens: Vec<u8>,
}

/// Changes events in the transaction that connects: account, and the `tenant/object` of its new mailbox.
pub type AlsoDo<'a> = &'a mut dyn FnMut(&mut dyn Transaction, &str, &str) -> Result<(), StoreError>;

impl Accounts {
    /// Microsoft granted a connection: makes it where the same identity is connected already, else keeps it for the user's
    /// yes. `answered`: the key of the sign-in's row, which is gone where the account was renamed, removed or disconnected
    /// while Microsoft was asked.
    pub(super) fn granted(
        &self,
        account: &Address,
        new: ConnectionRow,
        answered: &Digest,
    ) -> Result<Answered, SignInProblem> {
        let name = account.as_str();
        let (old, others) =
            self.read(|tx| Ok((tx.connection(name)?, tx.accounts_of_mailbox(&new.tenant, &new.object)?)))?;
        if others.iter().any(|other| other != name) {
            return Err(SignInProblem::Taken(new.remote_address));
        }
        let cookie = random_text()?;
        let ends = self.clock.now().saturating_add(SIGN_IN_MS);
        if old.is_some_and(|old| old.tenant == new.tenant && old.object == new.object) {
            let connected = self.connect(account, new, &mut |tx, name, _| {
                still_open(tx, answered)?;
                tx.put_once(&once(DONE, &cookie, name, ends))
            });
            connected.map_err(ended)?;
            return Ok(Answered { cookie: cookie.to_string(), account: account.clone(), connected: true });
        }
        let waiting = Waiting {
            connector: new.connector,
            tenant: new.tenant,
            object: new.object,
            remote_address: new.remote_address,
            tokens: new.tokens,
        };
        let plain = serde_json::to_vec(&waiting)
            .map(Zeroizing::new)
            .map_err(|e| AccountsError::Invalid(format!("the sign-in cannot be written: {e}")))?;
        let row = OnceRow { value: self.vault.seal(&[CONFIRM, name], &plain), ..once(CONFIRM, &cookie, name, ends) };
        let kept = self.transact(|tx| {
            still_open(tx, answered)?;
            tx.put_once(&row)
        });
        kept.map_err(|error| ended(error.into()))?;
        Ok(Answered { cookie: cookie.to_string(), account: account.clone(), connected: false })
    }

    /// How far the sign-in of a cookie is.
    ///
    /// # Errors
    /// [`SignInProblem::Stale`] where there is none.
    pub fn progress(&self, cookie: &str) -> Result<Progress, SignInProblem> {
        let (now, key) = (self.clock.now(), digest(cookie));
        let (asked, done) = self.read(|tx| Ok((tx.once(CONFIRM, &key)?, tx.once(DONE, &key)?)))?;
        if let Some(row) = done.filter(|row| row.expires_at > now) {
            return Address::parse(&row.account).map(Progress::Done).map_err(|_| SignInProblem::Stale);
        }
        let (account, waiting) = self.waiting(asked, now)?;
        let mailbox = format!("{}/{}", waiting.tenant, waiting.object);
        let standing = self.standing(&account)?;
        let old = standing.connection.as_ref();
        let ahead = self.read(|tx| tx.mirrored_ahead(account.as_str(), now))?;
        let elsewhere = ahead.iter().filter(|(_, at)| at.as_ref().is_some_and(|at| *at != mailbox)).count();
        Ok(Progress::Asked(Box::new(Question {
            ticket: standing.may_sign_in().then(|| self.ticket_on(&key, account.as_str(), old)),
            account,
            remote_address: waiting.remote_address,
            instead_of: old.map(|old| old.remote_address.clone()),
            elsewhere,
            form_token: form_token(cookie),
        })))
    }

    /// The user said yes. The same answer again (a double click) is answered like the first.
    ///
    /// # Errors
    /// [`SignInProblem::OtherBrowser`] where the form is not this browser's; otherwise as for a sign-in.
    pub fn confirm(&self, cookie: &str, token: &str, also: AlsoDo<'_>) -> Result<Finished, SignInProblem> {
        let (now, key) = (self.clock.now(), digest(cookie));
        if !same(&form_token(cookie), token) {
            return Err(SignInProblem::OtherBrowser);
        }
        let (row, done) = self.read(|tx| Ok((tx.once(CONFIRM, &key)?, tx.once(DONE, &key)?)))?;
        if let Some(done) = done.filter(|done| done.expires_at > now) {
            return self.finished(&done.account);
        }
        let (account, waiting) = self.waiting(row, now)?;
        may(&self.standing(&account)?)?;
        let new = ConnectionRow {
            account: account.as_str().into(),
            connector: waiting.connector,
            tenant: waiting.tenant,
            object: waiting.object,
            remote_address: waiting.remote_address,
            tokens: waiting.tokens,
            ..people::unconnected(now)
        };
        let ends = now.saturating_add(SIGN_IN_MS);
        let connected = self.connect(&account, new, &mut |tx, name, mailbox| {
            if tx.take_once(CONFIRM, &key)?.is_none() {
                return Err(StoreError::Undone("answered meanwhile".into()));
            }
            tx.put_once(&once(DONE, cookie, name, ends))?;
            also(tx, name, mailbox)
        });
        match connected {
            // The same answer came twice at once, or the other one was no.
            Err(SignInProblem::Failed(AccountsError::Store(StoreError::Undone(_)))) => {
                let done = self.read(|tx| tx.once(DONE, &key))?.ok_or(SignInProblem::Stale)?;
                self.finished(&done.account)
            }
            outcome => outcome,
        }
    }

    /// The user said no: what was granted is forgotten. A no that comes after the yes (from a second tab, or from the page
    /// before) takes nothing back.
    ///
    /// # Errors
    /// As [`Accounts::confirm`]; [`SignInProblem::Stale`] where nothing is open any more.
    pub fn decline(&self, cookie: &str, token: &str) -> Result<Declined, SignInProblem> {
        if !same(&form_token(cookie), token) {
            return Err(SignInProblem::OtherBrowser);
        }
        let (now, key) = (self.clock.now(), digest(cookie));
        let (asked, done) = self.transact(|tx| Ok((tx.take_once(CONFIRM, &key)?, tx.once(DONE, &key)?)))?;
        let open = |row: Option<OnceRow>| row.is_some_and(|row| row.expires_at > now);
        match (open(done), open(asked)) {
            (true, _) => Ok(Declined::TooLate),
            (false, true) => Ok(Declined::Forgotten),
            (false, false) => Err(SignInProblem::Stale),
        }
    }

    fn waiting(&self, row: Option<OnceRow>, now: i64) -> Result<(Address, Waiting), SignInProblem> {
        let row = row.filter(|row| row.expires_at > now).ok_or(SignInProblem::Stale)?;
        // Bound to the account it was made for: after a rename it does not open.
        let opened = self.vault.open_sealed(&[CONFIRM, &row.account], &row.value).map_err(|_| SignInProblem::Stale)?;
        let waiting = serde_json::from_slice(&opened).map_err(|_| SignInProblem::Stale)?;
        let account = Address::parse(&row.account).map_err(|_| SignInProblem::Stale)?;
        Ok((account, waiting))
    }

    fn finished(&self, account: &str) -> Result<Finished, SignInProblem> {
        let row = self.read(|tx| tx.connection(account))?.ok_or(SignInProblem::Stale)?;
        let account = Address::parse(account).map_err(|_| SignInProblem::Stale)?;
        Ok(Finished { account, remote_address: row.remote_address, again: true })
    }

    pub(super) fn connect(
        &self,
        account: &Address,
        connection: ConnectionRow,
        also: AlsoDo<'_>,
    ) -> Result<Finished, SignInProblem> {
        let name = account.as_str();
        let now = self.clock.now();
        let mailbox = connection.mailbox();
        let connected = self.transact(|tx| {
            let of_mailbox = tx.accounts_of_mailbox(&connection.tenant, &connection.object)?;
            if of_mailbox.iter().any(|other| other != name) {
                return Ok(false);
            }
            let mut new = connection.clone();
            new.version = tx.connection(name)?.map_or(0, |old| old.version).saturating_add(1);
            tx.put_connection(&new)?;
            let mut row = tx.account(name)?.unwrap_or_else(|| people::empty(account, now));
            people::switch(&mut row, true, now);
            row.last_remote = Some(connection.remote_address.clone());
            tx.put_account(&row)?;
            also(tx, name, &mailbox)?;
            for why in ["connection", "off"] {
                tx.unpark(Some(name), why, now)?;
            }
            Ok(true)
        })?;
        self.refreshes.forget(name);
        if !connected {
            return Err(SignInProblem::Taken(connection.remote_address));
        }
        let rules = self.rules()?;
        let connector = rules.connectors.iter().find(|c| c.id == connection.connector).map(|c| c.name.as_str());
        tracing::info!(%account, connector, "connected with Microsoft");
        Ok(Finished { account: account.clone(), remote_address: connection.remote_address, again: false })
    }
}

/// Undoes the transaction of a sign-in that was ended while Microsoft was asked.
fn still_open(tx: &mut dyn Transaction, answered: &Digest) -> Result<(), StoreError> {
    tx.take_once(ANSWERED, answered)?.map(drop).ok_or_else(|| StoreError::Undone("the sign-in was ended".into()))
}

/// What was undone for that reason.
fn ended(problem: SignInProblem) -> SignInProblem {
    match problem {
        SignInProblem::Failed(AccountsError::Store(StoreError::Undone(_))) => SignInProblem::Stale,
        other => other,
    }
}
