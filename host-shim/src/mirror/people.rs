//! What happens to events when something happens to their account.

use std::sync::Arc;

use super::services::HookServices;
use super::{Mirror, MirrorError};
use crate::accounts::AccountsError;
use crate::address::Address;
use crate::component::types::HookError;
use crate::store::{StoreError, transact};

/// What a mailbox can do, as just found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxReport {
    /// A code: `ready`, `no-teams`, … or the code of what was in the way.
    pub code: String,
    /// The same in a sentence, with what to do.
    pub message: String,
}

impl Mirror {
    /// Asks what the account's mailbox can do and remembers it.
    ///
    /// # Errors
    /// Where the account is not connected or the store fails. That the mailbox cannot be asked is no error but a report.
    pub fn inspect_mailbox(self: &Arc<Self>, account: &Address) -> Result<MailboxReport, MirrorError> {
        let standing = self.accounts.standing(account).map_err(super::saves::accounts_failed)?;
        let component_account = self.component_account(account, &standing)?;
        let mut services = HookServices::new(Arc::clone(self), account.as_str(), "");
        if let Err(error) = self.inspect(&component_account, account, &mut services) {
            let problem = match error {
                HookError::SignInNeeded(p)
                | HookError::AdminNeeded(p)
                | HookError::Rejected(p)
                | HookError::Other(p) => p,
                HookError::TryAgain(retry) => retry.problem,
            };
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
        // Whatever is sealed is bound to the address, so it is opened before and sealed anew after.
        let failed = |e: MirrorError| AccountsError::Store(StoreError::Failed(e.to_string()));
        let rows =
            crate::store::read(&*self.store, |tx| tx.list_events(Some(from.as_str()), None, u32::MAX))?;
        let mut renewed = Vec::with_capacity(rows.len());
        for row in rows {
            let rebound = self.rebind_record(&row, to.as_str(), &row.uid).map_err(failed)?;
            let text = self.row_text(&row).map_err(failed)?.map(|t| self.seal_text(to.as_str(), &row.uid, &t));
            let open = crate::store::read(&*self.store, |tx| tx.proposals(from.as_str(), &row.uid))?;
            let mut proposals = Vec::with_capacity(open.len());
            for mut proposal in open {
                let text = self.proposal_text(&proposal).map_err(failed)?;
                proposal.text = self.seal_text(to.as_str(), &row.uid, &text);
                proposal.account = to.as_str().into();
                proposals.push(proposal);
            }
            renewed.push((row, rebound, text, proposals));
        }
        self.accounts.rename_account(from, to)?;
        transact(&*self.store, |tx| {
            for (old, rebound, text, proposals) in &renewed {
                let Some(mut row) = tx.event(to.as_str(), &old.uid)? else { continue };
                row.record.clone_from(&rebound.record);
                row.view.clone_from(&rebound.view);
                row.text.clone_from(text);
                tx.put_event(&row)?;
                for proposal in proposals {
                    tx.put_proposal(proposal)?;
                }
                // Made anew from the row when the event is next looked at.
                tx.remove_offer(to.as_str(), &old.uid)?;
            }
            Ok(())
        })?;
        Ok(())
    }
}
