//! What came of a hook, written into the row as it is by then.

use super::plan::{Plan, Target};
use super::sealing::View;
use super::services::HookServices;
use super::status::State;
use super::{Mirror, MirrorError, reports, row};
use crate::address::Address;
use crate::component::types::{HookError, Notice, Outcome, Problem, RemoteState, Retry};
use crate::store::{ConnectionRow, Desired, EventRow, transact};
use crate::words::{self, Words};

/// For so long after a sign-in a mailbox that is not there may be one that is still being set up.
const FRESH_MS: i64 = 30 * 60 * 1000;

/// How often it is looked for then.
const FRESH_RETRY_MS: i64 = 5 * 60 * 1000;

/// How long an event waits for its next try where it is not its own failure and nobody said how long.
const WAIT_MS: i64 = 2_000;

impl Mirror {
    /// Writes what came of a hook into the row as it is now.
    pub(super) fn succeeded(
        &self,
        plan: &Plan,
        address: &Address,
        connection: &ConnectionRow,
        outcome: Outcome,
    ) -> Result<(), MirrorError> {
        let now = self.now();
        let (account, uid) = (plan.row.account.as_str(), plan.row.uid.as_str());
        if outcome.facts_stale
            && let Err(e) = self.accounts.forget_facts(address.as_str())
        {
            tracing::warn!(%account, error = %e, "stale facts about a mailbox could not be dropped");
        }
        let mut notices = outcome.notices.clone();
        notices.extend(self.told_anew(plan, &outcome));
        let view = View { join_url: outcome.join_url.clone(), web_link: outcome.web_link.clone(), notices };
        let sealed_view = self.seal_view(account, uid, &view);
        let sealed_record = outcome.mirrored.as_deref().map(|record| self.seal_record(account, uid, record));
        let row = transact(&*self.store, |tx| {
            let Some(mut row) = tx.event(account, uid)? else { return Ok(None) };
            apply(&mut row, plan, &outcome, sealed_record.clone(), sealed_view.clone(), connection.mailbox());
            row.updated_at = now;
            if let Target::Text { change: Some(change), .. } = &plan.target {
                match tx.proposal(change)? {
                    Some(mut proposal) => {
                        proposal.link_needed = false;
                        tx.put_proposal(&proposal)?;
                    }
                    // Refused, discarded or stored while the hook ran.
                    None if row.desired != Desired::Stored || !row.mirror => {
                        reports::refuse_in(tx, &mut row, change, now)?;
                    }
                    None => row.made_for = None,
                }
            }
            self.settle_due(&mut row, now);
            self.wake_for_proposals(tx, &mut row)?;
            if row.generation == row.mirrored_generation && reports::forgettable(tx, &row)? {
                tx.remove_event(account, uid)?;
                return Ok(None);
            }
            tx.put_event(&row)?;
            Ok(Some(row))
        })?;
        match row {
            Some(row) => self.renew_offer(&row),
            None => Ok(()),
        }
    }

    /// The server's text carries the link of an earlier meeting, and the one just made has another: guests hold the old one.
    fn told_anew(&self, plan: &Plan, outcome: &Outcome) -> Option<Notice> {
        let old = plan.row.stored_link.filter(|_| plan.row.record.is_none())?;
        let new = super::digest(outcome.join_url.as_deref()?.as_bytes());
        (old != new).then(|| Notice {
            code: "link-changed".into(),
            message: self.words_of(&plan.row.account).say("event-moved"),
        })
    }

    /// The language of an account.
    pub(super) fn words_of(&self, account: &str) -> &'static Words {
        let row = Address::parse(account).ok().and_then(|account| self.accounts.account(&account).ok().flatten());
        words::of(row.and_then(|row| row.language).as_deref())
    }

    fn settle_due(&self, row: &mut EventRow, now: i64) {
        if row.generation == row.mirrored_generation {
            self.rest(row, now);
        } else {
            row.due_at = Some(now);
        }
    }

    /// Writes down why it did not work, and when it is tried again.
    pub(super) fn failed(&self, plan: &Plan, error: HookError, services: &HookServices) -> Result<(), MirrorError> {
        let now = self.now();
        let (account, uid) = (plan.row.account.as_str(), plan.row.uid.as_str());
        tracing::info!(%account, error = ?error.problem().code, "an event is not mirrored yet");
        if matches!(error, HookError::MailboxNeeded(_))
            && let Err(e) = self.accounts.forget_facts(account)
        {
            tracing::warn!(%account, error = %e, "stale facts about a mailbox could not be dropped");
        }
        let random = services.jitter();
        let words = self.words_of(account);
        transact(&*self.store, |tx| {
            let Some(mut row) = tx.event(account, uid)? else { return Ok(()) };
            // The account left while the hook ran: how the row stands was decided with that.
            let Some(connection) = tx.connection(account)? else { return Ok(()) };
            let verdict = verdict(&error, row.attempts, services.unreachable(), random, words);
            row.updated_at = now;
            row.state = verdict.state.name().into();
            row.reason = Some(verdict.reason.clone());
            row.message = Some(verdict.message.clone());
            row.attempts = verdict.attempts;
            row.parked = verdict.parked.map(str::to_owned);
            row.due_at = verdict.after_ms.map(|after| now.saturating_add(after));
            if let Some(why) = verdict.parked
                && plan.is_mended(tx, why)?
            {
                (row.parked, row.due_at) = (None, Some(now));
            }
            let proposal = match &plan.target {
                // What was taken back while the hook ran is not rejected any more.
                Target::Text { change: Some(change), .. } => tx.proposal(change)?.filter(|proposal| proposal.mirror),
                _ => None,
            };
            if matches!(error, HookError::MailboxNeeded(_)) {
                // Nothing is wrong with the event. A mailbox that is new may still come.
                row.due_at = (now - connection.since < FRESH_MS).then(|| now + FRESH_RETRY_MS);
                if let Some(mut proposal) = proposal {
                    proposal.link_needed = false;
                    tx.put_proposal(&proposal)?;
                }
            } else if verdict.state == State::Rejected {
                if let Some(mut proposal) = proposal {
                    proposal.link_needed = false;
                    proposal.reason = Some(verdict.reason.clone());
                    proposal.rejected = Some(verdict.message.clone());
                    tx.put_proposal(&proposal)?;
                } else if row.generation == plan.row.generation {
                    row.mirrored_generation = row.generation;
                }
            }
            let waited_for = tx.proposals(account, uid)?.iter().any(|proposal| proposal.link_needed);
            if row.generation != row.mirrored_generation && !waited_for && row::nothing_left(&mut row) {
                // Taken back while the hook ran, and nothing came of the hook.
                self.rest(&mut row, now);
            } else if row.generation != plan.row.generation {
                // Something newer waits; it gets its own try at once unless the way there is closed.
                row.due_at = row.due_at.map(|due| due.min(now.saturating_add(services.pause_or(0))));
            }
            if let Some(at) = row.gone_at {
                let at = at + super::millis(self.timing.delete_grace);
                row.due_at = Some(row.due_at.map_or(at, |due| due.min(at)));
            }
            self.wake_for_proposals(tx, &mut row)?;
            tx.put_event(&row)?;
            Ok(())
        })?;
        Ok(())
    }
}

/// Writes an outcome into a row that may have moved on since the plan was made.
fn apply(row: &mut EventRow, plan: &Plan, outcome: &Outcome, record: Option<Vec<u8>>, view: Vec<u8>, mailbox: String) {
    let had_meeting = plan.row.record_meeting;
    let for_stored = !matches!(plan.target, Target::Text { change: Some(_), .. });
    row.record_meeting = record.is_some() && outcome.join_url.is_some();
    row.record_asked = record.is_some() && matches!(plan.target, Target::Text { meeting: true, .. });
    row.mailbox = record.is_some().then_some(mailbox);
    row.record = record;
    row.view = Some(view);
    row.attempts = 0;
    row.parked = None;
    // A text that was rejected while the hook ran stays rejected; what the hook did is right all the same.
    let rejected_meanwhile =
        (plan.row.state != "rejected" && row.state == "rejected").then(|| (row.reason.clone(), row.message.clone()));
    row.reason.clone_from(&outcome.reason);
    row.message = None;
    row.state = match outcome.state {
        RemoteState::Mirrored => State::Mirrored,
        RemoteState::Absent => State::NotMirrored,
        RemoteState::RemovedRemotely => State::Removed,
    }
    .name()
    .into();
    match &plan.target {
        Target::Gone => {
            row.record_sha = None;
            if row.generation == plan.row.generation {
                row.mirrored_generation = row.generation;
            }
        }
        Target::Text { sha, change, draft, .. } => {
            // What was made for a draft lacks what drafts never carry: the save looks again.
            row.record_sha = (!draft).then_some(*sha);
            match change {
                Some(change)
                    if row.record.is_some() && (plan.row.record.is_none() || (!had_meeting && row.record_meeting)) =>
                {
                    row.made_for = Some(change.clone());
                }
                Some(_) => {}
                None if row.generation == plan.row.generation => row.mirrored_generation = row.generation,
                None => {}
            }
            let reflects_stored = row.desired == Desired::Stored && row.text_sha == Some(*sha) && row.mirror && !draft;
            if reflects_stored && change.is_some() {
                row.mirrored_generation = row.generation;
                row.made_for = None;
            }
        }
    }
    if for_stored && row.generation != plan.row.generation && row.generation == row.mirrored_generation {
        // While the hook ran, something newer was found to be there already. It is not any more.
        row.generation += 1;
    }
    if row.generation != row.mirrored_generation {
        row.state = State::Pending.name().into();
    } else if let Some((reason, message)) = rejected_meanwhile {
        row.state = State::Rejected.name().into();
        (row.reason, row.message) = (reason, message);
    }
}

/// What an error means for the row.
struct Verdict {
    state: State,
    reason: String,
    message: String,
    attempts: u32,
    parked: Option<&'static str>,
    after_ms: Option<i64>,
}

fn verdict(error: &HookError, attempts: u32, unreachable: bool, random: u16, words: &Words) -> Verdict {
    let again = |problem: &Problem, after_ms: Option<u64>, counts: bool| {
        let attempts = if counts && !unreachable { attempts.saturating_add(1) } else { attempts };
        let own = if counts && !unreachable { row::back_off_ms(attempts, random) } else { Some(WAIT_MS) };
        let asked = after_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let (state, parked, after_ms, message) = match own {
            Some(own) => (State::Pending, None, Some(asked.unwrap_or(own)), problem.message.clone()),
            None => {
                (State::AdminNeeded, Some("hopeless"), None, words.with("event-given-up", &[("why", &problem.message)]))
            }
        };
        Verdict { state, reason: problem.code.clone(), message, attempts, parked, after_ms }
    };
    let stop = |state, problem: &Problem, parked, after_ms| Verdict {
        state,
        reason: problem.code.clone(),
        message: problem.message.clone(),
        attempts,
        parked,
        after_ms,
    };
    match error {
        HookError::SignInNeeded(problem) => stop(State::SignInNeeded, problem, Some("connection"), None),
        HookError::AdminNeeded(problem) => stop(State::AdminNeeded, problem, Some("connector"), Some(3_600_000)),
        HookError::MailboxNeeded(problem) => stop(State::Rejected, problem, Some("mailbox"), None),
        HookError::Rejected(problem) => stop(State::Rejected, problem, None, None),
        HookError::TryAgain(Retry { problem, after_ms, counts }) => again(problem, *after_ms, *counts),
        HookError::Other(problem) => again(problem, None, true),
    }
}
