//! The second beat: what became of a save, and what is gone.

use super::status::EventStatus;
use super::{Mirror, MirrorError, Told, millis, row};
use crate::address::Address;
use crate::store::{ClosedRow, Desired, EventRow, ProposalRow, StoreError, Transaction, transact};

/// What became of an announced save.
#[derive(Debug, Clone)]
pub struct Report {
    /// Whose event.
    pub account: Address,
    /// Its UID.
    pub uid: String,
    /// The change id of the first beat.
    pub change: String,
    /// What became of it.
    pub result: SaveResult,
    /// The server's path, where it was not known before.
    pub object: Option<String>,
}

/// What became of a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveResult {
    /// The server stored the text it was answered.
    Stored,
    /// The server stored the text as the client sent it.
    StoredOriginal,
    /// The server refused the save.
    Refused,
}

impl SaveResult {
    fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::StoredOriginal => "stored-original",
            Self::Refused => "refused",
        }
    }
}

/// An event is gone.
#[derive(Debug, Clone)]
pub struct Delete {
    /// Whose event.
    pub account: Address,
    /// Its UID.
    pub uid: String,
    /// The object that is gone; `None`: all that carry the UID.
    pub object: Option<String>,
    /// Only the draft is discarded; what is stored under the UID stays.
    pub draft: bool,
    /// Taken only where this is still what was last told of the event.
    pub told: Option<Told>,
}

impl Mirror {
    /// Takes the second beat. `None`: the save was none of ours.
    ///
    /// # Errors
    /// [`MirrorError::NoSuchChange`] where the change is not open (a repeated report of the same change is answered like the
    /// first as long as the event is known), otherwise where the store failed.
    pub fn report(&self, report: &Report) -> Result<Option<EventStatus>, MirrorError> {
        if report.change == super::saves::UNRECORDED {
            return self.event(&report.account, &report.uid);
        }
        let account = report.account.as_str();
        let (proposal, closed) =
            crate::store::read(&*self.store, |tx| Ok((tx.proposal(&report.change)?, tx.closed(&report.change)?)))?;
        let ours = |of: (&str, &str)| of == (account, report.uid.as_str());
        match (proposal, closed) {
            (Some(proposal), _) if ours((&proposal.account, &proposal.uid)) => match report.result {
                SaveResult::Refused => self.refuse(account, &report.change)?,
                result => self.confirm(account, &report.change, report.object.as_deref(), false, result)?,
            },
            // Adapters repeat what they got no answer for.
            (None, Some(closed)) if ours((&closed.account, &closed.uid)) && closed.result == report.result.name() => {}
            (None, Some(closed)) if ours((&closed.account, &closed.uid)) => {
                return Err(MirrorError::ChangeClosed(closed.result));
            }
            _ => return Err(MirrorError::NoSuchChange(report.change.clone())),
        }
        self.pulse.wake();
        self.event(&report.account, &report.uid)
    }

    /// An object, or a draft, is gone. `None`: none of ours.
    ///
    /// # Errors
    /// [`MirrorError::ToldMeanwhile`] where something else was told than the caller expects, otherwise where the store failed.
    pub fn delete(&self, delete: &Delete) -> Result<Option<EventStatus>, MirrorError> {
        let now = self.now();
        let account = delete.account.as_str();
        let grace = millis(self.timing.delete_grace);
        let row = transact(&*self.store, |tx| {
            let Some(mut row) = tx.event(account, &delete.uid)? else { return Ok(Some(None)) };
            if !Told::is_still(delete.told, Some(&row)) {
                return Ok(None);
            }
            let unstored = row.desired == Desired::Unstored;
            if !delete.draft && !unstored {
                row::deleted(&mut row, delete.object.as_deref(), grace, now);
                tx.remove_offer(account, &delete.uid)?;
            }
            // What is gone ends the saves of it that nobody reported: they must not bring it back.
            let gone = !delete.draft && (unstored || row.objects.is_empty());
            for open in tx.proposals(account, &delete.uid)? {
                let of_this = delete.object.is_none() || open.object.is_none() || open.object == delete.object;
                let ended = if open.draft { delete.draft || gone } else { gone && of_this };
                if ended {
                    close(tx, &open, SaveResult::Refused, now)?;
                    refuse_in(tx, &mut row, &open.change, now)?;
                }
            }
            if forgettable(tx, &row)? {
                tx.remove_event(account, &delete.uid)?;
            } else {
                tx.put_event(&row)?;
            }
            Ok(Some(Some(row)))
        })?;
        let row = row.ok_or(MirrorError::ToldMeanwhile)?;
        self.pulse.wake();
        row.as_ref().map(|row| self.status_of(row)).transpose()
    }

    /// Nobody reported a save in time. It is taken as stored, unless something newer was stored or deleted meanwhile: then
    /// it is overtaken.
    pub(super) fn confirm_unreported(&self, account: &str, proposal: &ProposalRow) -> Result<(), MirrorError> {
        let from = self.row(account, &proposal.uid)?.and_then(|row| row.stored_from);
        if from.is_some_and(|from| from > proposal.created_at) {
            self.refuse(account, &proposal.change)?;
            tracing::warn!(account, change = %proposal.change, "no report about a save, and a newer one is stored: dropped");
            return Ok(());
        }
        self.confirm(account, &proposal.change, None, true, SaveResult::Stored)?;
        tracing::warn!(account, change = %proposal.change, "no report about a save: taken as stored");
        Ok(())
    }

    /// A proposal was stored.
    pub(super) fn confirm(
        &self,
        account: &str,
        change: &str,
        object: Option<&str>,
        unconfirmed: bool,
        result: SaveResult,
    ) -> Result<(), MirrorError> {
        self.confirm_if(account, change, object, unconfirmed, result, None)
    }

    /// The same, if what was last told of the event is still what is expected; otherwise the proposal is dropped.
    pub(super) fn confirm_if(
        &self,
        account: &str,
        change: &str,
        object: Option<&str>,
        unconfirmed: bool,
        result: SaveResult,
        told: Option<Told>,
    ) -> Result<(), MirrorError> {
        let now = self.now();
        let lender = self.lender(account, change)?;
        if lender.is_none() {
            self.end_unlent_draft(account, change)?;
        }
        let row = transact(&*self.store, |tx| {
            let Some(proposal) = tx.proposal(change)? else { return Ok(None) };
            let mut row =
                tx.event(account, &proposal.uid)?.unwrap_or_else(|| EventRow::new(account, &proposal.uid, now));
            if !Told::is_still(told, Some(&row)) {
                return Ok(Some(None));
            }
            if let Some(lender) = &lender {
                take_over(tx, &mut row, lender)?;
            }
            let save = row::Stored {
                proposal: &proposal,
                original: result == SaveResult::StoredOriginal,
                object,
                unconfirmed,
            };
            // The first save that is stored confirms the drafts of its event.
            for draft in tx.proposals(account, &proposal.uid)?.into_iter().filter(|other| other.draft) {
                if row.made_for.as_deref() == Some(&draft.change) {
                    row.made_for = None;
                }
                tx.remove_proposal(&draft.change)?;
            }
            row::stored(&mut row, &save, now);
            close(tx, &proposal, result, now)?;
            self.wake_for_proposals(tx, &mut row)?;
            tx.put_event(&row)?;
            Ok(Some(Some(row)))
        })?;
        match row {
            Some(Some(row)) => self.renew_offer(&row),
            Some(None) => {
                self.refuse(account, change)?;
                Err(MirrorError::ToldMeanwhile)
            }
            None => Ok(()),
        }
    }

    /// A proposal was refused.
    pub(super) fn refuse(&self, account: &str, change: &str) -> Result<(), MirrorError> {
        let now = self.now();
        transact(&*self.store, |tx| {
            let Some(proposal) = tx.proposal(change)? else { return Ok(()) };
            let Some(mut row) = tx.event(account, &proposal.uid)? else { return Ok(()) };
            close(tx, &proposal, SaveResult::Refused, now)?;
            refuse_in(tx, &mut row, change, now)?;
            self.wake_for_proposals(tx, &mut row)?;
            if forgettable(tx, &row)? {
                tx.remove_event(account, &row.uid)?;
            } else {
                tx.put_event(&row)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// A row with open proposals has to be looked at when they end.
    pub(super) fn wake_for_proposals(&self, tx: &mut dyn Transaction, row: &mut EventRow) -> Result<(), StoreError> {
        for proposal in tx.proposals(&row.account, &row.uid)? {
            let at = proposal.created_at + self.proposal_life(&proposal);
            row.due_at = Some(row.due_at.map_or(at, |due| due.min(at)));
        }
        Ok(())
    }

    /// The draft that a save was to take over has no meeting to give yet: whatever comes of it goes, the save makes its own.
    fn end_unlent_draft(&self, account: &str, change: &str) -> Result<(), MirrorError> {
        let drafts = crate::store::read(&*self.store, |tx| {
            let Some(draft) = tx.proposal(change)?.and_then(|proposal| proposal.draft_of) else {
                return Ok(Vec::new());
            };
            Ok(tx.proposals(account, &draft)?.into_iter().filter(|open| open.draft).map(|open| open.change).collect())
        })?;
        drafts.iter().try_for_each(|draft| self.refuse(account, draft))
    }

    /// What a save takes over from a draft that had another UID.
    fn lender(&self, account: &str, change: &str) -> Result<Option<Lender>, MirrorError> {
        let found = crate::store::read(&*self.store, |tx| {
            let Some(proposal) = tx.proposal(change)? else { return Ok(None) };
            let Some(draft) = proposal.draft_of else { return Ok(None) };
            let has_own = tx.event(account, &proposal.uid)?.is_some_and(|row| row.record.is_some());
            Ok(tx.event(account, &draft)?.filter(|_| !has_own).map(|row| (row, proposal.uid)))
        })?;
        let Some((row, uid)) = found else { return Ok(None) };
        if row.record.is_none() || row.desired != Desired::Unstored {
            return Ok(None);
        }
        let rebound = self.rebind_record(&row, account, &uid)?;
        Ok(Some(Lender { row, rebound }))
    }
}

/// A draft's row, and its record sealed for the event that takes it over.
struct Lender {
    row: EventRow,
    rebound: super::sealing::Rebound,
}

/// The draft's remote event becomes the saved event's.
fn take_over(tx: &mut dyn Transaction, row: &mut EventRow, lender: &Lender) -> Result<(), StoreError> {
    if row.record.is_some() {
        return Ok(());
    }
    // The draft may have changed since it was read; its record must be the one that was sealed anew.
    let Some(current) = tx.event(&lender.row.account, &lender.row.uid)? else { return Ok(()) };
    if current.record != lender.row.record {
        return Err(StoreError::Undone("the draft changed while its meeting was taken over".into()));
    }
    row.record.clone_from(&lender.rebound.record);
    row.view.clone_from(&lender.rebound.view);
    // Another UID has another tag at the remote service, so the record reflects no text of this event yet.
    row.record_sha = None;
    row.record_meeting = lender.row.record_meeting;
    row.mailbox.clone_from(&lender.row.mailbox);
    tx.remove_event(&lender.row.account, &lender.row.uid)
}

/// Removes a proposal and remembers what became of it.
fn close(tx: &mut dyn Transaction, proposal: &ProposalRow, result: SaveResult, now: i64) -> Result<(), StoreError> {
    tx.remove_proposal(&proposal.change)?;
    tx.put_closed(&ClosedRow {
        change: proposal.change.clone(),
        account: proposal.account.clone(),
        uid: proposal.uid.clone(),
        result: result.name().into(),
        closed_at: now,
    })
}

/// Ends a proposal as refused and leaves the row to the caller.
pub(super) fn close_refused(tx: &mut dyn Transaction, proposal: &ProposalRow, now: i64) -> Result<(), StoreError> {
    close(tx, proposal, SaveResult::Refused, now)
}

/// Removes a proposal that was not stored, with what was made for it.
pub(super) fn refuse_in(
    tx: &mut dyn Transaction,
    row: &mut EventRow,
    change: &str,
    now: i64,
) -> Result<(), StoreError> {
    tx.remove_proposal(change)?;
    let others = tx.proposals(&row.account, &row.uid)?;
    row::refused(row, change, &others, now);
    Ok(())
}

/// Whether nothing of the row needs remembering.
pub(super) fn forgettable(tx: &mut dyn Transaction, row: &EventRow) -> Result<bool, StoreError> {
    Ok(row.desired != Desired::Stored && row.record.is_none() && tx.proposals(&row.account, &row.uid)?.is_empty())
}
