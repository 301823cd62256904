//! The tickets behind the buttons of a page that is open. Pages are looked at again and again, so such a ticket leaves no trace
//! before it is spent.
//!
//! It names the row of the page's cookie (a session, or a question after a sign-in) and is sealed for the account as the page
//! shows it. So it ends with that row, and when the account gets another address, another connection, or none.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::Accounts;
use super::confirm::CONFIRM;
use super::session::{SESSION, Session};
use crate::store::{ConnectionRow, Digest, OnceRow, StoreError, Transaction};

/// The rows that pages with such buttons stand on.
const PAGES: [&str; 2] = [SESSION, CONFIRM];

/// A ticket that was spent, for as long as its page may be open.
pub(super) const SPENT: &str = "sign-in-spent";

/// A ticket as it came.
struct Presented {
    /// Of the page's row.
    key: Digest,
    sealed: Vec<u8>,
    /// Of the whole of it.
    digest: Digest,
}

impl Accounts {
    /// A ticket that begins one sign-in, for a button of the settings page. It is in no address before the button is pressed,
    /// and spent by that. `connection`: as the page shows it.
    pub fn page_ticket(&self, session: &Session, connection: Option<&ConnectionRow>) -> String {
        self.ticket_on(&session.key, session.account.as_str(), connection)
    }

    /// The same for any page that stands on a row.
    pub(super) fn ticket_on(&self, key: &Digest, account: &str, connection: Option<&ConnectionRow>) -> String {
        let sealed = self.vault.seal(&bound_to(account, &BASE64_URL_SAFE_NO_PAD.encode(key)), &shown(connection));
        BASE64_URL_SAFE_NO_PAD.encode([key.as_slice(), &sealed].concat())
    }

    /// Spends such a ticket; gives whose it is. `None` where it is none, was spent, or its page is over.
    pub(super) fn spend_page_ticket(
        &self,
        tx: &mut dyn Transaction,
        ticket: &str,
        now: i64,
    ) -> Result<Option<String>, StoreError> {
        let Some(ticket) = presented(ticket) else { return Ok(None) };
        let Some(page) = page_of(tx, &ticket)?.filter(|page| page.expires_at > now) else { return Ok(None) };
        let key = BASE64_URL_SAFE_NO_PAD.encode(ticket.key);
        let Ok(seen) = self.vault.open_sealed(&bound_to(&page.account, &key), &ticket.sealed) else { return Ok(None) };
        let connection = tx.connection(&page.account)?;
        if *seen != shown(connection.as_ref()) || tx.once(SPENT, &ticket.digest)?.is_some() {
            return Ok(None);
        }
        let account = page.account.clone();
        tx.put_once(&OnceRow { kind: SPENT.into(), key: ticket.digest, value: Vec::new(), ..page })?;
        Ok(Some(account))
    }

    /// Whose such a ticket is, spent or not; `None` where its page is gone.
    pub(super) fn account_of_page(&self, tx: &mut dyn Transaction, ticket: &str) -> Result<Option<String>, StoreError> {
        let Some(ticket) = presented(ticket) else { return Ok(None) };
        Ok(page_of(tx, &ticket)?.map(|page| page.account))
    }
}

fn bound_to<'a>(account: &'a str, key: &'a str) -> [&'a str; 3] {
    ["page-ticket", account, key]
}

/// What a page shows of a connection: since when it is alive or dead.
fn shown(connection: Option<&ConnectionRow>) -> Vec<u8> {
    connection.map(|row| row.since.to_be_bytes().to_vec()).unwrap_or_default()
}

fn presented(ticket: &str) -> Option<Presented> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(ticket).ok()?;
    let (key, sealed) = bytes.split_first_chunk::<32>()?;
    Some(Presented { key: *key, sealed: sealed.to_vec(), digest: Sha256::digest(&bytes).into() })
}

fn page_of(tx: &mut dyn Transaction, ticket: &Presented) -> Result<Option<OnceRow>, StoreError> {
    for kind in PAGES {
        if let Some(row) = tx.once(kind, &ticket.key)? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}
