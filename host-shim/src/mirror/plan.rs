//! What one run for an event is to bring about.

use super::sealing::KeptText;
use super::{Mirror, MirrorError, reports, row};
use crate::store::{Desired, EventRow, ProposalRow, StoreError, Transaction, transact};

/// What a run is to bring about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The remote event says what this text says.
    Text {
        kept: KeptText,
        sha: crate::store::Digest,
        meeting: bool,
        mirror: bool,
        draft: bool,
        /// The open proposal it is for; `None`: what the server stored.
        change: Option<String>,
    },
    /// No remote event.
    Gone,
}

impl Target {
    /// For the log: no texts.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text { draft: true, .. } => "draft",
            Self::Text { change: Some(_), .. } => "proposal",
            Self::Text { .. } => "stored",
            Self::Gone => "gone",
        }
    }
}

/// A run's plan: the row as read, and the target.
pub(super) struct Plan {
    pub(super) row: EventRow,
    pub(super) target: Target,
    /// How often rows that wait for somebody had been released when the run began, by what they wait for.
    released: Vec<u64>,
}

/// What rows wait for that somebody mends in an instant: it may happen while a run ends because of it.
const MENDED: [&str; 4] = ["connection", "connector", "off", "policy"];

impl Plan {
    /// Whether what a row is about to wait for was mended since the run began: nobody would release it any more.
    pub(super) fn is_mended(&self, tx: &mut dyn Transaction, why: &str) -> Result<bool, StoreError> {
        match MENDED.iter().zip(&self.released).find(|(name, _)| **name == why) {
            Some((_, before)) => Ok(tx.releases(why)? != *before),
            None => Ok(false),
        }
    }
}

impl Mirror {
    /// Reads the row, lets run out what has run out, and chooses what is to be brought about.
    pub(super) fn plan(&self, account: &str, uid: &str) -> Result<Option<Plan>, MirrorError> {
        let now = self.now();
        self.expire_proposals(account, uid, now)?;
        let grace = super::millis(self.timing.delete_grace);
        let chosen = transact(&*self.store, |tx| {
            let Some(mut row) = tx.event(account, uid)? else { return Ok(None) };
            if row.gone_at.is_some_and(|at| at + grace <= now) {
                row::gone(&mut row, now);
            }
            let proposals = tx.proposals(account, uid)?;
            let choice = choose(&row, &proposals);
            if choice.is_none() {
                self.rest(&mut row, now);
                self.wake_for_proposals(tx, &mut row)?;
                if reports::forgettable(tx, &row)? {
                    tx.remove_event(account, uid)?;
                    return Ok(None);
                }
            }
            tx.put_event(&row)?;
            // Before anybody looks whether the way is open.
            let released = MENDED.iter().map(|why| tx.releases(why)).collect::<Result<_, _>>()?;
            Ok(choice.map(|choice| (row, choice, released)))
        })?;
        let Some((row, choice, released)) = chosen else { return Ok(None) };
        let target = match choice {
            Choice::Gone => Target::Gone,
            Choice::Proposal(proposal) => Target::Text {
                kept: self.proposal_text(&proposal)?,
                sha: proposal.text_sha,
                meeting: proposal.meeting,
                mirror: proposal.mirror,
                draft: proposal.draft,
                change: Some(proposal.change),
            },
            Choice::Stored => match self.row_text(&row)? {
                Some(kept) => Target::Text {
                    kept,
                    sha: row.text_sha.unwrap_or_default(),
                    meeting: row.meeting,
                    mirror: row.mirror,
                    draft: false,
                    change: None,
                },
                // The text was not kept because nothing was wanted; then nothing may be there either.
                None if !row.mirror => Target::Gone,
                // Long over, and its text forgotten: there is nothing to compare with any more.
                None => {
                    self.forget_work(account, uid)?;
                    return Ok(None);
                }
            },
        };
        Ok(Some(Plan { row, target, released }))
    }

    /// Takes the row as it is for right.
    fn forget_work(&self, account: &str, uid: &str) -> Result<(), MirrorError> {
        let now = self.now();
        Ok(transact(&*self.store, |tx| {
            let Some(mut row) = tx.event(account, uid)? else { return Ok(()) };
            row.mirrored_generation = row.generation;
            self.rest(&mut row, now);
            tx.put_event(&row)
        })?)
    }

    fn expire_proposals(&self, account: &str, uid: &str, now: i64) -> Result<(), MirrorError> {
        let open = crate::store::read(&*self.store, |tx| tx.proposals(account, uid))?;
        for proposal in open {
            if proposal.created_at + self.proposal_life(&proposal) > now {
                continue;
            }
            if proposal.draft {
                self.refuse(account, &proposal.change)?;
            } else {
                self.confirm_unreported(account, &proposal)?;
            }
        }
        Ok(())
    }

    /// The row has no work: when is it to be looked at again?
    pub(super) fn rest(&self, row: &mut EventRow, now: i64) {
        row.due_at = row.gone_at.map(|at| at + super::millis(self.timing.delete_grace));
        if row.desired == Desired::Stored && row.mirror && row.due_at.is_none() && row.text.is_some() {
            // Texts are not kept for ever.
            if let Some(end) = row.last_end {
                let at = end.saturating_add(super::millis(self.timing.keep_texts));
                if at <= now {
                    row.text = None;
                } else {
                    row.due_at = Some(at);
                }
            }
        }
        row::nothing_left(row);
    }
}

/// What is to be done for a row, before its texts are opened.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    Proposal(Box<ProposalRow>),
    Stored,
    Gone,
}

/// The newest open save that waits for a link comes first: somebody is waiting. But where what the server stored wants a
/// meeting too, that is the one to make: an open save changes nothing that exists.
fn choose(row: &EventRow, proposals: &[ProposalRow]) -> Option<Choice> {
    let stored_first =
        row.desired == Desired::Stored && row.mirror && row.meeting && row.generation != row.mirrored_generation;
    if !row.record_meeting
        && !stored_first
        && let Some(proposal) = proposals.iter().rev().find(|proposal| proposal.link_needed)
    {
        return Some(Choice::Proposal(Box::new(proposal.clone())));
    }
    if row.generation == row.mirrored_generation {
        return None;
    }
    match row.desired {
        Desired::Gone if row::held_for(proposals) => None,
        Desired::Gone => row.record.is_some().then_some(Choice::Gone),
        // A remote event made for a save that is still open is not taken away before that save is decided.
        Desired::Stored if row.made_for.is_some() && !row.mirror => None,
        Desired::Stored => (row.mirror || row.record.is_some()).then_some(Choice::Stored),
        Desired::Unstored => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn what_was_mended_meanwhile_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("store.sqlite")).unwrap();
        let plan =
            |released: Vec<u64>| Plan { row: EventRow::new("a@x.example", "1", 0), target: Target::Gone, released };
        transact(&store, |tx| {
            let begun = plan(MENDED.iter().map(|why| tx.releases(why)).collect::<Result<_, _>>()?);
            assert!(!begun.is_mended(tx, "connector")?);
            tx.unpark(None, "connector", 5)?;
            assert!(begun.is_mended(tx, "connector")? && !begun.is_mended(tx, "connection")?);
            // A mailbox is looked at by the run itself.
            tx.unpark(None, "mailbox", 5)?;
            assert!(!begun.is_mended(tx, "mailbox")?);
            Ok(())
        })
        .unwrap();
    }
}
