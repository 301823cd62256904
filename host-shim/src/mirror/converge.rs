//! One run for one event: what is to be done, the hook that does it, and what came of it.
//!
//! The run reads the row, lets the component talk to the remote service without holding any lock, and then writes what came
//! of it into the row as it is *then*: whatever changed meanwhile is the next run's work. [`super::schedule`] sees to it that
//! no two runs for one event overlap.

use std::sync::Arc;
use std::time::Duration;

use super::sealing::{KeptText, View};
use super::services::HookServices;
use super::status::State;
use super::{Mirror, MirrorError, reports, row};
use crate::accounts::dead_phrase;
use crate::accounts::policy::Standing;
use crate::accounts::sign_in::Facts;
use crate::address::Address;
use crate::component::types::{
    Account, CalendarObject, Context, HookError, Intent, Notice, Outcome, Problem, RemoteState, Retry, Setting,
};
use crate::store::{ConnectionRow, Desired, EventRow, OfferRow, ProposalRow, StoreError, transact};
use crate::words::{self, Words};

/// For so long after a sign-in a mailbox that is not there may be one that is still being set up.
const FRESH_MS: i64 = 30 * 60 * 1000;

/// How often it is looked for then.
const FRESH_RETRY_MS: i64 = 5 * 60 * 1000;

/// How long an event waits for its next try where it is not its own failure and nobody said how long.
const WAIT_MS: i64 = 2_000;

/// What a run is to bring about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
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
    fn kind(&self) -> &'static str {
        match self {
            Self::Text { draft: true, .. } => "draft",
            Self::Text { change: Some(_), .. } => "proposal",
            Self::Text { .. } => "stored",
            Self::Gone => "gone",
        }
    }
}

/// A run's plan: the row as read, and the target.
struct Plan {
    row: EventRow,
    target: Target,
}

/// What the schedule learns from a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RunResult {
    /// The service did not answer at all.
    pub(super) unreachable: bool,
    /// The service answered.
    pub(super) reached: bool,
    /// It asked for a pause of so many milliseconds.
    pub(super) pause_ms: Option<u64>,
}

impl Mirror {
    /// Makes one event right, as far as that is possible now.
    pub(super) fn converge(self: &Arc<Self>, account: &str, uid: &str) -> Result<RunResult, MirrorError> {
        let Some(plan) = self.plan(account, uid)? else { return Ok(RunResult::default()) };
        let address = Address::parse(account)
            .map_err(|e| StoreError::Failed(format!("a row is kept under an address that is none: {e}")))?;
        let standing = self.accounts.standing(&address).map_err(super::saves::accounts_failed)?;
        let connection = match self.connection_for(&standing, &plan.row) {
            Ok(connection) => connection.clone(),
            Err(parked) => {
                self.park(&plan.row, parked)?;
                return Ok(RunResult::default());
            }
        };
        let component_account = self.component_account(&address, &standing)?;
        let mut services = HookServices::new(Arc::clone(self), account, uid);
        let facts = match self.facts(&component_account, &address, &connection, &mut services) {
            Ok(facts) => facts,
            Err(error) => {
                self.failed(&plan, error, &services)?;
                return Ok(services.result());
            }
        };
        tracing::debug!(account, uid, generation = plan.row.generation, target = ?plan.target.kind(), "a hook begins");
        let outcome = self.run_hook(&plan, component_account, facts, &mut services)?;
        tracing::debug!(account, uid, ok = outcome.is_ok(), "a hook ended");
        match outcome {
            Ok(outcome) => self.succeeded(&plan, &address, &connection, outcome)?,
            Err(error) => self.failed(&plan, error, &services)?,
        }
        if connection.leaving_since.is_some() {
            self.end_leaving(account)?;
        }
        Ok(services.result())
    }

    /// Reads the row, lets run out what has run out, and chooses what is to be brought about.
    fn plan(&self, account: &str, uid: &str) -> Result<Option<Plan>, MirrorError> {
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
            Ok(choice.map(|choice| (row, choice)))
        })?;
        let Some((row, choice)) = chosen else { return Ok(None) };
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
        Ok(Some(Plan { row, target }))
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
    fn rest(&self, row: &mut EventRow, now: i64) {
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
        if row.desired == Desired::Gone && row.record.is_none() {
            row.mirrored_generation = row.generation;
        }
        row.updated_at = now;
    }

    /// The connection over which the row may be brought about, or why it has to wait.
    fn connection_for<'a>(&self, standing: &'a Standing, row: &EventRow) -> Result<&'a ConnectionRow, Parked> {
        let message = || standing.phrase().said(words::of(standing.language()));
        if matches!(standing.reason, "not-enabled" | "denied" | "unknown-account") {
            return Err(Parked::new("policy", State::AdminNeeded, standing.reason, &message()));
        }
        if standing.reason == "connector-off" {
            return Err(Parked::new("connector", State::AdminNeeded, standing.reason, &message()));
        }
        let words = words::of(standing.language());
        let told = standing.phrase().said(words);
        let Some(connection) = &standing.connection else {
            // Whoever turned it off and disconnected is not asked to sign in.
            let (state, reason) = match standing.is_on() {
                true => (State::SignInNeeded, "not-connected"),
                false => (State::NotMirrored, "not-turned-on"),
            };
            return Err(Parked::new("connection", state, reason, &told));
        };
        if !standing.is_on() && row.record.is_none() {
            return Err(Parked::new("off", State::NotMirrored, "not-turned-on", &told));
        }
        if let Some(code) = &connection.dead {
            let message = dead_phrase(code).said(words);
            return Err(Parked::new("connection", State::SignInNeeded, "connection-dead", &message));
        }
        let mailbox = mailbox_of(connection);
        if row.record.is_some() && row.mailbox.as_ref().is_some_and(|known| *known != mailbox) {
            return Err(Parked::new(
                "mailbox",
                State::NotMirrored,
                "other-mailbox",
                &words.say("event-reason-other-mailbox"),
            ));
        }
        Ok(connection)
    }

    fn park(&self, row: &EventRow, parked: Parked) -> Result<(), MirrorError> {
        let (account, uid) = (row.account.clone(), row.uid.clone());
        let now = self.now();
        transact(&*self.store, |tx| {
            let Some(mut row) = tx.event(&account, &uid)? else { return Ok(()) };
            row.parked = Some(parked.why.into());
            row.state = parked.state.name().into();
            row.reason = Some(parked.reason.clone());
            row.message = Some(parked.message.clone()).filter(|message| !message.is_empty());
            row.due_at = row.gone_at.map(|at| at + super::millis(self.timing.delete_grace));
            row.updated_at = now;
            self.wake_for_proposals(tx, &mut row)?;
            tx.put_event(&row)?;
            Ok(())
        })?;
        Ok(())
    }

    /// What the mailbox can do: as remembered, or asked again where that is too old.
    fn facts(
        &self,
        account: &Account,
        address: &Address,
        connection: &ConnectionRow,
        services: &mut HookServices,
    ) -> Result<Option<Vec<u8>>, HookError> {
        let now = self.now();
        // A mailbox that was not there is looked for again each time: it may have come.
        if connection.facts_events != Some(false)
            && connection.facts.is_some()
            && connection.facts_until.is_some_and(|until| until > now)
        {
            return Ok(connection.facts.clone());
        }
        self.inspect(account, address, services)
    }

    /// Asks the remote service what the mailbox can do and remembers the answer.
    pub(super) fn inspect(
        &self,
        account: &Account,
        address: &Address,
        services: &mut HookServices,
    ) -> Result<Option<Vec<u8>>, HookError> {
        let now = self.now();
        let report = self
            .extension
            .inspect(account, now, services)
            .map_err(|e| broken(&e, words::of(Some(&account.language))))??;
        let lifetime = report
            .again_after_ms
            .map_or_else(|| super::millis(self.timing.facts_lifetime), |ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let until = now.saturating_add(lifetime);
        let facts = Facts {
            facts: &report.facts,
            code: &report.code,
            message: &report.message,
            events: report.events,
            meetings: report.meetings,
        };
        if let Err(e) = self.accounts.store_facts(address.as_str(), facts, now, until) {
            tracing::warn!(account = %address, error = %e, "what the mailbox can do could not be remembered");
        }
        if report.events
            && let Err(e) = self.unpark(Some(address.as_str()), "mailbox")
        {
            tracing::warn!(account = %address, error = %e, "events that waited for the mailbox could not be released");
        }
        Ok(Some(report.facts))
    }

    fn run_hook(
        &self,
        plan: &Plan,
        account: Account,
        mailbox: Option<Vec<u8>>,
        services: &mut HookServices,
    ) -> Result<Result<Outcome, HookError>, MirrorError> {
        let row = &plan.row;
        let record = self.row_record(row)?;
        let context = Context {
            account,
            mailbox,
            now_ms: self.now(),
            may_exist: self.restored && record.is_none(),
            draft: matches!(plan.target, Target::Text { draft: true, .. }),
        };
        let mut object = CalendarObject {
            uid: row.uid.clone(),
            tag: self.vault.tag(&row.account, &row.uid),
            icalendar: String::new(),
        };
        let gone = Outcome {
            mirrored: None,
            state: RemoteState::Absent,
            reason: None,
            join_url: None,
            web_link: None,
            notices: Vec::new(),
            facts_stale: false,
        };
        let called = match (&plan.target, record) {
            (Target::Gone, None) => Ok(Ok(gone)),
            (Target::Gone, Some(record)) => {
                self.extension.on_delete(&context, &object, &record, services).map(|done| done.map(|()| gone))
            }
            (Target::Text { kept, mirror, meeting, .. }, record) => {
                let intent = Intent { mirror: *mirror, meeting: *meeting };
                object.icalendar.clone_from(&kept.text);
                match record {
                    None => self.extension.on_create(&context, &object, intent, services),
                    Some(record) => self.extension.on_update(&context, &object, intent, &record, services),
                }
            }
        };
        let words = words::of(Some(&context.account.language));
        Ok(called.unwrap_or_else(|failure| Err(broken(&failure, words))))
    }

    /// Writes what came of a hook into the row as it is now.
    fn succeeded(
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
            apply(&mut row, plan, &outcome, sealed_record.clone(), sealed_view.clone(), mailbox_of(connection));
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
        let message = self.words_of(&plan.row.account).say("event-moved");
        (old != new).then(|| Notice { code: "link-changed".into(), message })
    }

    /// The language of an account.
    fn words_of(&self, account: &str) -> &'static Words {
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
    fn failed(&self, plan: &Plan, error: HookError, services: &HookServices) -> Result<(), MirrorError> {
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
        let connected_at = crate::store::read(&*self.store, |tx| tx.connection(account))?.map(|c| c.since);
        transact(&*self.store, |tx| {
            let Some(mut row) = tx.event(account, uid)? else { return Ok(()) };
            let verdict = verdict(&error, row.attempts, services.unreachable(), random, words);
            row.updated_at = now;
            row.state = verdict.state.name().into();
            row.reason = Some(verdict.reason.clone());
            row.message = Some(verdict.message.clone());
            row.attempts = verdict.attempts;
            row.parked = verdict.parked.map(str::to_owned);
            row.due_at = verdict.after_ms.map(|after| now.saturating_add(after));
            let proposal = match &plan.target {
                Target::Text { change: Some(change), .. } => tx.proposal(change)?,
                _ => None,
            };
            if matches!(error, HookError::MailboxNeeded(_)) {
                // Nothing is wrong with the event. A mailbox that is new may still come.
                row.due_at = connected_at.filter(|since| now - since < FRESH_MS).map(|_| now + FRESH_RETRY_MS);
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
            if row.generation != plan.row.generation {
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

    /// Offers the text with the link to the adapter, where what the server stored lacks it.
    pub(super) fn renew_offer(&self, row: &EventRow) -> Result<(), MirrorError> {
        let (account, uid) = (row.account.as_str(), row.uid.as_str());
        let link = self.row_view(row)?.join_url.map(|url| super::digest(url.as_bytes()));
        let offer = match (row.desired, &row.stored_sha, row.record_meeting && row.meeting) {
            // What is compared is the link and not the text: servers fold and order lines as they like.
            (Desired::Stored, Some(stored_sha), true) if row.gone_at.is_none() && link != row.stored_link => {
                self.amended(row)?.map(|amended| OfferRow {
                    number: 0,
                    account: account.into(),
                    uid: uid.into(),
                    // An empty text says: ask again with the whole one.
                    text: self.seal_offer(account, uid, if amended.whole { &amended.text } else { "" }),
                    base_sha: *stored_sha,
                    created_at: row.updated_at,
                })
            }
            _ => None,
        };
        let standing = crate::store::read(&*self.store, |tx| tx.offer(account, uid))?;
        match (offer, standing) {
            (Some(offer), _) => {
                let number = transact(&*self.store, |tx| tx.put_offer(&offer))?;
                self.pulse.offered(number);
            }
            (None, Some(_)) => transact(&*self.store, |tx| tx.remove_offer(account, uid))?,
            (None, None) => {}
        }
        Ok(())
    }

    /// The stored text with the link in it.
    fn amended(&self, row: &EventRow) -> Result<Option<KeptText>, MirrorError> {
        let (Some(kept), Some(record)) = (self.row_text(row)?, self.row_record(row)?) else { return Ok(None) };
        let address = Address::parse(&row.account)
            .map_err(|e| StoreError::Failed(format!("a row is kept under an address that is none: {e}")))?;
        let standing = self.accounts.standing(&address).map_err(super::saves::accounts_failed)?;
        let save = super::Save {
            account: address,
            uid: row.uid.clone(),
            object: None,
            wish: crate::component::types::Wish::Keep,
            draft: false,
            draft_of: None,
            change: None,
            stored: true,
            import: false,
            patience: Some(Duration::ZERO),
            text: kept.text,
        };
        let prepared = self.prepare(&save, &standing, Some(row), Some(&record))?;
        Ok(Some(KeptText { text: prepared.icalendar, whole: kept.whole }))
    }

    /// The account as the component sees it.
    pub(super) fn component_account(&self, address: &Address, standing: &Standing) -> Result<Account, MirrorError> {
        let settings = self.accounts.settings_for(address, &self.declared).map_err(super::saves::accounts_failed)?;
        let known = standing.account.as_ref();
        Ok(Account {
            address: address.as_str().into(),
            further_addresses: known.map(|a| a.further_addresses.clone()).unwrap_or_default(),
            display_name: known.and_then(|a| a.display_name.clone()),
            time_zone: known.and_then(|a| a.time_zone.clone()),
            language: known.and_then(|a| a.language.clone()).unwrap_or_else(|| "en".into()),
            settings: settings.into_iter().map(|(name, value)| Setting { name, value }).collect(),
        })
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

/// Why a row has to wait for somebody.
struct Parked {
    why: &'static str,
    state: State,
    reason: String,
    message: String,
}

impl Parked {
    fn new(why: &'static str, state: State, reason: &str, message: &str) -> Self {
        Self { why, state, reason: reason.into(), message: message.into() }
    }
}

fn mailbox_of(connection: &ConnectionRow) -> String {
    format!("{}/{}", connection.tenant, connection.object)
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

fn broken(failure: &crate::component::CallError, words: &Words) -> HookError {
    let message = words.with("event-failed", &[("why", &failure.to_string())]);
    HookError::Other(Problem { code: "extension-failed".into(), message })
}
