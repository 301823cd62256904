//! What happens to events when something happens to their account.

use std::sync::Arc;

use super::services::HookServices;
use super::{Mirror, MirrorError};
use crate::accounts::AccountsError;
use crate::address::Address;
use crate::component::types::HookError;
use crate::store::StoreError;

/// What a mailbox can do, as just found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxReport {
    /// A code: `ready`, `no-teams`, … or the code of what was in the way.
    pub code: String,
    /// The same in a sentence, with what to do.
    pub message: String,
}

/// What one real round trip to the mailbox found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// There is no connection to try.
    NotConnected,
    /// The mailbox was looked at; the code of what it can do.
    Looked {
        /// `ready`, `no-teams`, `personal`, `other-provider`, `no-mailbox`, `not-ready-yet` or one that came later.
        code: String,
        /// The same in a sentence, in the account's language.
        message: String,
        /// Whether it can hold events.
        events: bool,
        /// Whether they can have meetings.
        meetings: bool,
    },
    /// The sign-in is no good any more.
    SignInNeeded(String),
    /// It did not get as far as the mailbox; a sentence with what to do.
    Failed(String),
}

impl Mirror {
    /// Tries an account's connection with one real request.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn check(self: &Arc<Self>, account: &Address) -> Result<Check, MirrorError> {
        let standing = self.accounts.standing(account).map_err(super::saves::accounts_failed)?;
        if standing.connection.is_none() {
            return Ok(Check::NotConnected);
        }
        let component_account = self.component_account(account, &standing);
        let mut services = HookServices::new(Arc::clone(self), account.as_str(), "");
        if let Err(error) = self.inspect(&component_account, account, &mut services) {
            let message = error.problem().message.clone();
            return Ok(match error {
                HookError::SignInNeeded(_) => Check::SignInNeeded(message),
                _ => Check::Failed(message),
            });
        }
        let connection = self.accounts.standing(account).map_err(super::saves::accounts_failed)?.connection;
        Ok(match connection {
            None => Check::NotConnected,
            Some(row) => Check::Looked {
                code: row.facts_code.unwrap_or_default(),
                message: row.facts_message.unwrap_or_default(),
                events: row.facts_events == Some(true),
                meetings: row.facts_meetings == Some(true),
            },
        })
    }

    /// Asks what the account's mailbox can do and remembers it.
    ///
    /// # Errors
    /// Where the account is not connected or the store fails. That the mailbox cannot be asked is no error but a report.
    pub fn inspect_mailbox(self: &Arc<Self>, account: &Address) -> Result<MailboxReport, MirrorError> {
        let standing = self.accounts.standing(account).map_err(super::saves::accounts_failed)?;
        let component_account = self.component_account(account, &standing);
        let mut services = HookServices::new(Arc::clone(self), account.as_str(), "");
        if let Err(error) = self.inspect(&component_account, account, &mut services) {
            let problem = error.problem().clone();
            return Ok(MailboxReport { code: problem.code, message: problem.message });
        }
        let standing = self.accounts.standing(account).map_err(super::saves::accounts_failed)?;
        let connection = standing.connection;
        Ok(MailboxReport {
            code: connection.as_ref().and_then(|c| c.facts_code.clone()).unwrap_or_default(),
            message: connection.and_then(|c| c.facts_message).unwrap_or_default(),
        })
    }

    /// A user has just signed in: looks what the mailbox can do, lets waiting events go on, and gives the sentence to show.
    pub fn after_sign_in(self: &Arc<Self>, account: &Address) -> Option<String> {
        let report = self.inspect_mailbox(account);
        for why in ["connection", "mailbox"] {
            if let Err(error) = self.unpark(Some(account.as_str()), why) {
                tracing::error!(%account, %error, "waiting events could not be released after a sign-in");
            }
        }
        match report {
            Ok(report) => Some(report.message).filter(|message| !message.is_empty()),
            Err(error) => {
                tracing::warn!(%account, %error, "the mailbox could not be looked at after a sign-in");
                None
            }
        }
    }

    /// Gives an account another address, with its connection and its events.
    ///
    /// # Errors
    /// Where the old one is unknown, the new one taken, or the store fails; nothing was changed then.
    pub fn rename_account(&self, from: &Address, to: &Address) -> Result<(), AccountsError> {
        // Whatever is sealed is bound to the address, so it is opened under the old one and sealed anew under the new.
        let failed = |e: MirrorError| StoreError::Failed(e.to_string());
        if self.accounts.account(from)?.is_none() {
            return Err(AccountsError::NotFound(format!("there is no account `{from}`")));
        }
        self.accounts.rename_account(from, to, &mut |tx, _, from, to| {
            for mut row in tx.list_events(Some(to), None, u32::MAX)? {
                let mut old = row.clone();
                old.account = from.into();
                let rebound = self.rebind_record(&old, to, &old.uid).map_err(failed)?;
                row.record = rebound.record;
                row.view = rebound.view;
                let text = self.row_text(&old).map_err(failed)?;
                row.text = text.map(|text| self.seal_text(to, &old.uid, &text));
                for mut proposal in tx.proposals(to, &old.uid)? {
                    let text = self.open_text(from, &old.uid, &proposal.text).map_err(failed)?;
                    proposal.text = self.seal_text(to, &old.uid, &text);
                    tx.put_proposal(&proposal)?;
                }
                tx.put_event(&row)?;
                // Made anew from the row when the event is next looked at.
                tx.remove_offer(to, &old.uid)?;
            }
            Ok(())
        })
    }
}
