//! The accounts: the server's users, as the server tells of them.

use serde::Deserialize;

use super::confirm::DONE;
use super::page_ticket::SPENT;
use super::session;
use super::sign_in::ON_ITS_WAY;
use super::vault::Vault;
use super::{Accounts, AccountsError};
use crate::address::Address;
use crate::store::{AccountRow, ConnectionRow, StoreError, Transaction};

/// What a server says about one of its users; replaces what it said before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PutAccount {
    /// Further addresses.
    pub addresses: Vec<String>,
    /// Name for people.
    pub display_name: Option<String>,
    /// IANA zone, for floating times.
    pub time_zone: Option<String>,
    /// BCP 47 language tag.
    pub language: Option<String>,
    /// The server's account class.
    pub class: Option<String>,
}

/// What ends with an account's address, beside the sign-ins on their way. A session of the settings page goes on.
const ENDED_WITH_THE_ADDRESS: [&str; 3] = [session::TICKET, DONE, SPENT];

/// Re-seals further rows of a renamed account, inside the renaming transaction; they already carry the new address.
pub type Reseal<'a> = &'a mut dyn FnMut(&mut dyn Transaction, &Vault, &str, &str) -> Result<(), StoreError>;

impl Accounts {
    /// One account.
    pub fn account(&self, account: &Address) -> Result<Option<AccountRow>, AccountsError> {
        Ok(self.read(|tx| tx.account(account.as_str()))?)
    }

    /// Makes or changes an account. Whether it is turned on stays as it is.
    pub fn put_account(&self, account: &Address, put: PutAccount) -> Result<AccountRow, AccountsError> {
        let row = checked(account, put, self.clock.now())?;
        Ok(self.transact(|tx| {
            let mut row = row.clone();
            if let Some(old) = tx.account(account.as_str())? {
                if old.class != row.class {
                    // Another rule may count for it now. What still may not is parked again.
                    tx.unpark(Some(account.as_str()), "policy", row.created_at)?;
                }
                row = AccountRow {
                    further_addresses: row.further_addresses,
                    display_name: row.display_name,
                    time_zone: row.time_zone,
                    language: row.language,
                    class: row.class,
                    ..old
                };
            }
            tx.put_account(&row)?;
            Ok(row)
        })?)
    }

    /// Turns the extension on or off for an account, as its user wants it. While it is being disconnected it stays off.
    pub fn set_on(&self, account: &Address, on: bool) -> Result<AccountRow, AccountsError> {
        let now = self.clock.now();
        Ok(self.transact(|tx| {
            let mut row = tx.account(account.as_str())?.unwrap_or_else(|| empty(account, now));
            let leaving = tx.connection(account.as_str())?.is_some_and(|row| row.leaving_since.is_some());
            switch(&mut row, on && !leaving, now);
            tx.put_account(&row)?;
            if row.on {
                tx.unpark(Some(account.as_str()), "policy", now)?;
                tx.unpark(Some(account.as_str()), "off", now)?;
            }
            Ok(row)
        })?)
    }

    /// Forgets an account with all that belongs to it; its tokens go at once.
    pub fn remove_account(&self, account: &Address) -> Result<(), AccountsError> {
        self.transact(|tx| tx.remove_account(account.as_str()))?;
        self.refreshes.forget(account.as_str());
        self.forget_rules();
        Ok(())
    }

    /// Gives an account another address. What is sealed under the old one is sealed anew: the tokens here, the rest by
    /// `reseal`. Tickets and sign-ins on their way end; an open settings page follows.
    pub fn rename_account(&self, from: &Address, to: &Address, reseal: Reseal<'_>) -> Result<(), AccountsError> {
        let (from, to) = (from.as_str(), to.as_str());
        if from == to {
            return Ok(());
        }
        self.transact(|tx| {
            if tx.account(from)?.is_none() {
                return Err(StoreError::Undone(format!("there is no account `{from}`")));
            }
            for kinds in [&ON_ITS_WAY[..], &ENDED_WITH_THE_ADDRESS] {
                tx.end_once(from, kinds)?;
            }
            tx.rename_account(from, to)?;
            if let Some(mut connection) = tx.connection(to)? {
                let id = connection.connector.clone();
                let tokens = self
                    .vault
                    .open_sealed(&["tokens", from, &id], &connection.tokens)
                    .map_err(|e| StoreError::Failed(e.to_string()))?;
                connection.tokens = self.vault.seal(&["tokens", to, &id], &tokens);
                connection.version = connection.version.saturating_add(1);
                tx.put_connection(&connection)?;
            }
            reseal(tx, &self.vault, from, to)
        })
        .map_err(|e| match e {
            StoreError::Undone(why) => AccountsError::Conflict(why),
            other => other.into(),
        })?;
        self.refreshes.forget(from);
        self.forget_rules();
        Ok(())
    }
}

/// Turns the user's own switch. What is in the calendar from before it was turned on is a matter of that moment alone.
pub(super) fn switch(row: &mut AccountRow, on: bool, now: i64) {
    if on && !row.on {
        (row.turned_on_at, row.older_events, row.older_wanted) = (Some(now), None, false);
    }
    row.on = on;
}

pub(super) fn empty(account: &Address, now: i64) -> AccountRow {
    AccountRow {
        address: account.as_str().into(),
        further_addresses: Vec::new(),
        display_name: None,
        time_zone: None,
        language: None,
        class: None,
        on: false,
        created_at: now,
        turned_on_at: None,
        older_events: None,
        older_wanted: false,
        last_remote: None,
    }
}

/// A living connection to nothing yet, begun at `now`.
pub(super) fn unconnected(now: i64) -> ConnectionRow {
    ConnectionRow {
        account: String::new(),
        connector: String::new(),
        tenant: String::new(),
        object: String::new(),
        remote_address: String::new(),
        tokens: Vec::new(),
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
        leaving_since: None,
    }
}

fn checked(account: &Address, put: PutAccount, now: i64) -> Result<AccountRow, AccountsError> {
    let invalid = |field: &str, why: &str| AccountsError::Invalid(format!("`{field}` {why}"));
    if put.addresses.len() > 100 {
        return Err(invalid("addresses", "holds more than 100 addresses"));
    }
    let mut further_addresses = Vec::new();
    for text in &put.addresses {
        let address = Address::parse(text).map_err(|e| AccountsError::Invalid(e.to_string()))?;
        if address != *account && !further_addresses.iter().any(|a| a == address.as_str()) {
            further_addresses.push(address.as_str().to_owned());
        }
    }
    let words = |text: &str| text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if !put.display_name.as_deref().is_none_or(words) {
        return Err(invalid("display_name", "is longer than 200 characters or holds a control character"));
    }
    if !put.class.as_deref().is_none_or(words) {
        return Err(invalid("class", "is longer than 200 characters or holds a control character"));
    }
    // The form of a name of the zone database; whether there is such a zone is known to those who use it.
    let zone = |text: &str| {
        let part = |p: &str| {
            p.bytes().all(|c| c.is_ascii_alphanumeric() || b"_+-".contains(&c))
                && p.starts_with(|c: char| c.is_ascii_alphabetic())
        };
        text.len() <= 64 && text.split('/').all(part)
    };
    if !put.time_zone.as_deref().is_none_or(zone) {
        return Err(invalid("time_zone", "is not the name of a zone, as `Europe/Berlin` is"));
    }
    let tag = |text: &str| {
        let part = |p: &str| (1..=8).contains(&p.len()) && p.bytes().all(|c| c.is_ascii_alphanumeric());
        text.len() <= 35 && text.split('-').all(part)
    };
    if !put.language.as_deref().is_none_or(tag) {
        return Err(invalid("language", "is not a language tag, as `de` and `pt-BR` are"));
    }
    Ok(AccountRow {
        further_addresses,
        display_name: put.display_name,
        time_zone: put.time_zone,
        language: put.language,
        class: put.class,
        ..empty(account, now)
    })
}
