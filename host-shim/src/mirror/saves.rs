//! The first beat: a server is about to store an event (or, where it can call only once, has just stored it).
//!
//! Answers the text to store. Only where a meeting is wanted and none exists is one made, and waited for; nothing that
//! exists is changed or deleted before the second beat says that the save went through.

use std::time::Duration;

use super::schedule::Gate;
use super::sealing::KeptText;
use super::status::{EventStatus, State};
use super::{Mirror, MirrorError, SaveResult, Told, digest, fresh_id, row};
use crate::accounts::calendars::{self, Calendars, Named};
use crate::accounts::policy::Standing;
use crate::address::Address;
use crate::component::PrepareCall;
use crate::component::types::{CalendarObject, Copy, History, Notice, Prepared, Wish};
use crate::store::{CalendarRow, Desired, EventRow, ProposalRow, transact};
use crate::words;

/// One announced save.
#[derive(Debug, Clone)]
pub struct Save {
    /// Whose event.
    pub account: Address,
    /// Its UID, as named by the call.
    pub uid: String,
    /// The server's path for it.
    pub object: Option<String>,
    /// The server's path for the calendar it is in.
    pub calendar: Option<String>,
    /// What its user calls that calendar.
    pub calendar_name: Option<String>,
    /// What the call said about a meeting.
    pub wish: Wish,
    /// The event is only being written; it is not about to be stored.
    pub draft: bool,
    /// The UID of the draft whose meeting this save takes over.
    pub draft_of: Option<String>,
    /// The change id, where the adapter chose it.
    pub change: Option<String>,
    /// The server has stored it already: both beats in one.
    pub stored: bool,
    /// One of many, from an import.
    pub import: bool,
    /// Taken only where this is still what was last told of the event.
    pub told: Option<Told>,
    /// How long to wait for a new link; zero: not at all.
    pub patience: Option<Duration>,
    /// The iCalendar text.
    pub text: String,
}

impl Save {
    fn named_calendar(&self) -> Option<Named<'_>> {
        Named::of_event(self.calendar.as_deref(), self.calendar_name.as_deref(), self.object.as_deref())
    }
}

/// The answer to a save.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Nothing of this account's is ours. A reason code.
    NotOurs {
        /// `not-enabled`, `denied`, `unknown-account`, `not-turned-on`, `connector-off`.
        reason: String,
    },
    /// Understood.
    Understood {
        /// To be reported in the second beat.
        change: String,
        /// Whether this is final for the save; otherwise a link is wanted and not there yet.
        complete: bool,
        /// How the event stands.
        status: Box<EventStatus>,
        /// The text to store.
        icalendar: String,
    },
}

/// The change id of saves that leave no trace, such as an attendee's copy; its second beat changes nothing.
pub(super) const UNRECORDED: &str = "unrecorded";

/// What the first, durable half of a save came to.
enum Begun {
    Done(Box<Answer>),
    /// A link is wanted and may come: wait for it, then finish.
    Wait(Box<Waiting>),
}

struct Waiting {
    change: String,
    save: Save,
    patience: Duration,
    arrived: tokio::sync::oneshot::Receiver<()>,
    original: String,
}

impl Mirror {
    /// Takes a save. What is accepted is on disk before this returns, except for saves that are none of ours.
    ///
    /// # Errors
    /// [`MirrorError::Refused`] for a text that cannot be kept as this event (nothing was changed), otherwise where the
    /// store or the component failed.
    pub async fn save(self: &std::sync::Arc<Self>, save: Save) -> Result<Answer, MirrorError> {
        let me = std::sync::Arc::clone(self);
        let begun = blocking(move || me.begin_save(save)).await?;
        let waiting = match begun {
            Begun::Done(answer) => return Ok(*answer),
            Begun::Wait(waiting) => *waiting,
        };
        let Waiting { change, save, patience, arrived, original } = waiting;
        // Patience only ends the wait; the work goes on.
        let _ = tokio::time::timeout(patience, arrived).await;
        let me = std::sync::Arc::clone(self);
        blocking(move || me.finish_save(&save, change, original)).await
    }

    fn begin_save(&self, save: Save) -> Result<Begun, MirrorError> {
        check_uid(&save.uid)?;
        let standing = self.accounts.standing(&save.account).map_err(accounts_failed)?;
        let account = save.account.as_str().to_owned();
        let (known, lender) = self.load_for_save(&save)?;
        if !Told::is_still(save.told, known.as_ref()) {
            return Err(MirrorError::ToldMeanwhile);
        }
        if !standing.usable && known.is_none() {
            return Ok(Begun::Done(Box::new(Answer::NotOurs { reason: standing.reason.to_owned() })));
        }
        let record_of = match &known {
            Some(row) if row.record.is_some() && row::is_somebodys(row) => Some(row),
            Some(row) if row.record.is_some() => None,
            _ => lender.as_ref(),
        };
        let record = record_of.map(|row| self.row_record(row)).transpose()?.flatten();
        let prepared = self.prepare(&save, &standing, known.as_ref(), record.as_deref())?;
        if prepared.uid != save.uid {
            return Err(MirrorError::refused(
                "uid-differs",
                format!(
                    "the text is about the event `{}`, the address names `{}`; send each event under its own UID",
                    prepared.uid, save.uid
                ),
            ));
        }
        // An event in a calendar that is left out leaves no trace, so that it is a new one when it is moved to another.
        let left_out = prepared.reason.as_deref() == Some(calendars::REASON) && lender.is_none();
        if (left_out || (prepared.copy != Copy::Own && !prepared.mirror)) && known.is_none() {
            let reason = prepared.reason.clone().unwrap_or_else(|| "attendee-copy".into());
            let status = EventStatus::untouched(&save.account, &save.uid, &reason, prepared.notices);
            return Ok(Begun::Done(Box::new(Answer::Understood {
                change: UNRECORDED.into(),
                complete: true,
                status: Box::new(status),
                icalendar: prepared.icalendar,
            })));
        }

        let now = self.now();
        let change = self.change_id(&save)?;
        let link = record_of.map(|row| self.row_view(row)).transpose()?.and_then(|view| view.join_url);
        let mut proposal = self.proposal_of(&save, &standing, &prepared, &change, link.as_deref(), now);
        if cannot_have_a_link(&standing, known.as_ref()) {
            proposal.link_needed = false;
        }
        let paused = self.pulse.gate().of_mailbox(&account, now) != Gate::Open;
        let wait = worth_waiting(&standing, &proposal) && !paused;
        let stored_at_once = save.stored && !save.draft;
        let calendar = save.named_calendar().map(|calendar| CalendarRow {
            account: account.clone(),
            path: calendar.path.to_owned(),
            name: calendar.name.map(str::to_owned),
        });
        let row = transact(&*self.store, |tx| {
            let mut row = tx.event(&account, &save.uid)?.unwrap_or_else(|| EventRow::new(&account, &save.uid, now));
            if proposal.draft {
                for old in tx.proposals(&account, &save.uid)?.into_iter().filter(|old| old.draft) {
                    if row.made_for.as_deref() == Some(&old.change) {
                        row.made_for = Some(proposal.change.clone());
                    }
                    tx.remove_proposal(&old.change)?;
                }
            }
            tx.put_proposal(&proposal)?;
            if let Some(calendar) = &calendar {
                tx.put_calendar(calendar)?;
            }
            if row.desired == Desired::Unstored {
                row.first_start = proposal.first_start;
            }
            if proposal.rejected.is_none() && proposal.link_needed && row.desired != Desired::Stored {
                row.state = "pending".into();
                row.reason = paused.then(|| "throttled".to_owned());
                row.message = None;
            }
            if proposal.rejected.is_some() && row.desired != Desired::Stored && row.record.is_none() {
                row.state = "rejected".into();
                row.reason.clone_from(&proposal.reason);
                row.message.clone_from(&proposal.rejected);
            }
            let ends_at = now + self.proposal_life(&proposal);
            let at = if proposal.link_needed { now } else { ends_at };
            row.due_at = Some(row.due_at.map_or(at, |due| due.min(at)));
            if proposal.link_needed && row.parked.as_deref() != Some("policy") {
                row.parked = None;
            }
            row.updated_at = now;
            tx.put_event(&row)?;
            Ok(row)
        })?;
        if stored_at_once {
            let object = save.object.as_deref();
            self.confirm_if(&account, &change, object, false, SaveResult::StoredOriginal, save.told)?;
        }
        if wait {
            // Now that the work can be seen: a run that was ending meanwhile has nothing to say about it.
            let arrived = self.pulse.urgent(&account, &save.uid);
            let patience = save.patience.unwrap_or(self.timing.patience);
            let original = prepared.icalendar;
            return Ok(Begun::Wait(Box::new(Waiting { change, save, patience, arrived, original })));
        }
        self.pulse.wake();
        let row = if stored_at_once { self.row(&account, &save.uid)?.unwrap_or(row) } else { row };
        let mut status = self.status_of(&row)?;
        if let Some(draft) = lender.as_ref().filter(|_| row.record.is_none()) {
            status.borrow_meeting(self.status_of(draft)?);
        }
        status.overlay(&proposal, &standing, &prepared.notices);
        if standing.is_leaving() {
            status.promise_nothing(&standing);
        }
        self.offer_sign_in(&save.account, &standing, &mut status);
        if save.wish == Wish::Wanted && status.state == State::NotMirrored && status.notices.is_empty() {
            // Somebody ticked the box, and nothing comes of it.
            status.explain(words::of(standing.language()));
        }
        let complete = !(proposal.link_needed && proposal.rejected.is_none());
        Ok(Begun::Done(Box::new(Answer::Understood {
            change,
            complete,
            status: Box::new(status),
            icalendar: prepared.icalendar,
        })))
    }

    /// The wait is over, with or without a link.
    fn finish_save(&self, save: &Save, change: String, original: String) -> Result<Answer, MirrorError> {
        let standing = self.accounts.standing(&save.account).map_err(accounts_failed)?;
        let Some(row) = self.row(save.account.as_str(), &save.uid)? else {
            // The account was removed meanwhile.
            return Ok(Answer::NotOurs { reason: "unknown-account".into() });
        };
        let mut status = self.status_of(&row)?;
        let mut icalendar = original;
        let mut complete = matches!(status.state, State::Rejected | State::Removed)
            || (status.state == State::Mirrored && row.record.is_some());
        if row.record_meeting {
            let record = self.row_record(&row)?;
            let prepared = self.prepare(save, &standing, Some(&row), record.as_deref())?;
            complete = true;
            icalendar = prepared.icalendar;
            status.add_notices(prepared.notices);
            let answered_sha = digest(icalendar.as_bytes());
            let answered_link = status.join_url.as_deref().map(|link| digest(link.as_bytes()));
            let still_open = transact(&*self.store, |tx| {
                let Some(mut proposal) = tx.proposal(&change)? else { return Ok(false) };
                proposal.answered_sha = answered_sha;
                proposal.answered_link = answered_link;
                tx.put_proposal(&proposal)?;
                Ok(true)
            })?;
            if !still_open && !save.stored {
                // Reported by somebody else while we waited; what they stored is on record.
                tracing::debug!(account = %save.account, "a save was reported before it was answered");
            }
            if status.state == State::Pending && !save.stored {
                status.state = State::Mirrored;
            }
        }
        let left = standing.connection.is_none() && !standing.is_on() && row.record.is_none();
        if standing.is_leaving() || left {
            status.promise_nothing(&standing);
            complete = true;
        }
        self.offer_sign_in(&save.account, &standing, &mut status);
        Ok(Answer::Understood { change, complete, status: Box::new(status), icalendar })
    }

    fn load_for_save(&self, save: &Save) -> Result<(Option<EventRow>, Option<EventRow>), MirrorError> {
        let account = save.account.as_str();
        let loaded = crate::store::read(&*self.store, |tx| {
            let row = tx.event(account, &save.uid)?;
            let lender = match &save.draft_of {
                // Only a draft lends its meeting, never a stored event.
                Some(draft) if *draft != save.uid => {
                    tx.event(account, draft)?.filter(|row| row.desired == Desired::Unstored)
                }
                _ => None,
            };
            Ok((row, lender))
        })?;
        Ok(loaded)
    }

    /// What a save comes to.
    fn prepare(
        &self,
        save: &Save,
        standing: &Standing,
        known: Option<&EventRow>,
        record: Option<&[u8]>,
    ) -> Result<Prepared, MirrorError> {
        if !Calendars::of(standing).exclude(save.named_calendar()) {
            return self.prepare_text(save, standing, known, record);
        }
        let unwanted = Save { wish: Wish::None, ..save.clone() };
        let mut prepared = self.prepare_text(&unwanted, standing, known, record)?;
        if prepared.copy == Copy::NotAnEvent {
            return Ok(prepared);
        }
        if save.wish == Wish::Wanted && prepared.copy == Copy::Own {
            let message = words::of(standing.language()).say("event-calendar-excluded");
            prepared.notices.push(Notice { code: calendars::REASON.into(), message });
        }
        let reason = Some(calendars::REASON.to_owned());
        Ok(Prepared { mirror: false, meeting: false, link_needed: false, rejected: None, reason, ..prepared })
    }

    /// The same for a text that stands in a calendar that is mirrored.
    pub(super) fn prepare_text(
        &self,
        save: &Save,
        standing: &Standing,
        known: Option<&EventRow>,
        record: Option<&[u8]>,
    ) -> Result<Prepared, MirrorError> {
        let account = self.component_account(&save.account, standing);
        let object = CalendarObject {
            uid: save.uid.clone(),
            tag: self.vault.tag(save.account.as_str(), &save.uid),
            icalendar: save.text.clone(),
        };
        // Whoever is not allowed (any more) gets no new meetings; what is mirrored is still read.
        let is_there = known.is_some_and(|row| row.record.is_some());
        let has_meeting = known.is_some_and(|row| row.record_meeting);
        let still_to_come =
            known.is_some_and(|row| row.desired == Desired::Stored && row.meeting && row.record.is_none());
        let wish = match save.wish {
            _ if standing.is_leaving() || (!standing.usable && !is_there) => Wish::None,
            Wish::Wanted if !standing.usable && !has_meeting => Wish::Keep,
            Wish::Keep if still_to_come => Wish::KeepWanted,
            wish => wish,
        };
        let history = match known.map_or("unseen", |row| row.history.as_str()) {
            _ if save.import => History::Imported,
            "seen-alone" => History::SeenAlone,
            "seen-with-guests" => History::SeenWithGuests,
            "imported" => History::Imported,
            _ => History::Unseen,
        };
        let call = PrepareCall {
            account: &account,
            object: &object,
            mirrored: record,
            wish,
            history,
            draft: save.draft,
            now_ms: self.now(),
        };
        match self.extension.prepare(&call) {
            // Whatever the settings would mirror without a meeting: what is there is being taken away.
            Ok(Ok(prepared)) if standing.is_leaving() => {
                Ok(Prepared { mirror: false, meeting: false, link_needed: false, rejected: None, ..prepared })
            }
            Ok(Ok(prepared)) if save.wish == Wish::Wanted && wish == Wish::None && !prepared.mirror => {
                // Somebody did want a meeting.
                Ok(Prepared { reason: Some(standing.reason.to_owned()), ..prepared })
            }
            Ok(Ok(prepared)) => Ok(prepared),
            Ok(Err(problem)) => Err(MirrorError::refused(&problem.code, problem.message)),
            Err(failure) => {
                // The text is at fault, or the component is: the save goes on, and what is mirrored stays as it is.
                tracing::error!(account = %save.account, %failure, "the extension failed on a text");
                Ok(unreadable(save, known.is_some(), &failure.to_string()))
            }
        }
    }

    /// `link`: the join link that `prepared` was made with.
    fn proposal_of(
        &self,
        save: &Save,
        standing: &Standing,
        prepared: &Prepared,
        change: &str,
        link: Option<&str>,
        now: i64,
    ) -> ProposalRow {
        let carried = link.filter(|_| prepared.meeting).map(|link| digest(link.as_bytes()));
        let account = save.account.as_str();
        let kept = KeptText { text: prepared.kept.clone(), whole: prepared.kept_is_whole };
        ProposalRow {
            change: change.into(),
            account: account.into(),
            uid: save.uid.clone(),
            object: save.object.clone(),
            calendar: save.named_calendar().map(|calendar| calendar.path.to_owned()),
            text: self.seal_text(account, &save.uid, &kept),
            text_sha: self.fingerprint(save, standing, &prepared.kept),
            original_sha: digest(save.text.as_bytes()),
            answered_sha: digest(prepared.icalendar.as_bytes()),
            answered_link: carried,
            original_link: carried.filter(|_| prepared.icalendar == save.text),
            mirror: prepared.mirror,
            meeting: prepared.meeting,
            link_needed: prepared.link_needed && prepared.rejected.is_none(),
            has_guests: prepared.has_guests,
            import: save.import,
            draft: save.draft,
            draft_of: save.draft_of.clone().filter(|draft| *draft != save.uid),
            reason: prepared.rejected.as_ref().map(|p| p.code.clone()).or_else(|| prepared.reason.clone()),
            rejected: prepared.rejected.as_ref().map(|p| p.message.clone()),
            first_start: prepared.first_start_ms,
            last_end: prepared.last_end_ms,
            created_at: now,
        }
    }

    /// What Teams shows follows from the text and from what the extension is told of its account: the same text is to be
    /// looked at anew once a setting, the zone of floating times or the language is another.
    fn fingerprint(&self, save: &Save, standing: &Standing, text: &str) -> crate::store::Digest {
        let account = self.component_account(&save.account, standing);
        let mut of = vec![text.to_owned(), account.language, account.time_zone.unwrap_or_default()];
        of.extend(account.further_addresses);
        of.extend(account.settings.into_iter().map(|setting| format!("{}={}", setting.name, setting.value)));
        digest(of.join("\0").as_bytes())
    }

    /// The id of this change: the adapter's own, where it is free, or a fresh one.
    fn change_id(&self, save: &Save) -> Result<String, MirrorError> {
        let Some(change) = &save.change else { return fresh_id() };
        let fits = (1..=64).contains(&change.len())
            && change.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !fits || change == UNRECORDED {
            return Err(MirrorError::refused(
                "change-invalid",
                "a change id of your own has 1 to 64 letters, digits, `-` or `_`, and is not `unrecorded`",
            ));
        }
        let (open, closed) = crate::store::read(&*self.store, |tx| Ok((tx.proposal(change)?, tx.closed(change)?)))?;
        if let Some(closed) = closed {
            return Err(MirrorError::ChangeClosed(closed.result));
        }
        match open {
            Some(open) if open.account != save.account.as_str() || open.uid != save.uid => Err(MirrorError::refused(
                "change-invalid",
                "this change id is in use for another event; choose one that is unique",
            )),
            _ => Ok(change.clone()),
        }
    }

    pub(super) fn proposal_life(&self, proposal: &ProposalRow) -> i64 {
        super::millis(if proposal.draft { self.timing.draft_lifetime } else { self.timing.unconfirmed_after })
    }

    /// Adds what a user with a dead or missing connection needs: a sentence and a one-time link.
    fn offer_sign_in(&self, account: &Address, standing: &Standing, status: &mut EventStatus) {
        if status.state != State::SignInNeeded {
            return;
        }
        let message = status.message.clone().unwrap_or_else(|| standing.message.clone());
        let link = self.accounts.ticket(account).ok().map(|ticket| ticket.url);
        status.notices.insert(0, super::status::TimedNotice { code: "sign-in-needed".into(), message, link });
    }

    pub(super) fn row(&self, account: &str, uid: &str) -> Result<Option<EventRow>, MirrorError> {
        Ok(crate::store::read(&*self.store, |tx| tx.event(account, uid))?)
    }
}

/// A text on which the component failed: kept as it is and not mirrored.
fn unreadable(save: &Save, known: bool, failure: &str) -> Prepared {
    let message = format!("The extension failed on this event ({failure}), so it is not mirrored as it is now.");
    Prepared {
        uid: save.uid.clone(),
        first_start_ms: None,
        last_end_ms: None,
        copy: Copy::Own,
        has_guests: false,
        mirror: known,
        meeting: false,
        link_needed: false,
        rejected: Some(crate::component::types::Problem { code: "extension-failed".into(), message }),
        reason: None,
        icalendar: save.text.clone(),
        kept: save.text.clone(),
        kept_is_whole: true,
        notices: Vec::new(),
    }
}

/// Whether a link could come within somebody's patience.
fn worth_waiting(standing: &Standing, proposal: &ProposalRow) -> bool {
    let connected = standing.connection.as_ref().is_some_and(|connection| connection.dead.is_none());
    proposal.link_needed && standing.usable && connected
}

/// The mailbox can have no meetings, and the event is mirrored without one: each save asks for a link, none can be made.
fn cannot_have_a_link(standing: &Standing, known: Option<&EventRow>) -> bool {
    let meetings = standing.connection.as_ref().and_then(|connection| connection.facts_meetings);
    meetings == Some(false)
        && known.is_some_and(|row| row.record.is_some() && !row.record_meeting && row.state == State::Mirrored.name())
}

/// RFC 5545 sets no bound; ours keeps rows and log lines readable.
pub(super) fn check_uid(uid: &str) -> Result<(), MirrorError> {
    if uid.is_empty() || uid.len() > 1024 {
        return Err(MirrorError::refused("uid-length", "a UID has 1 to 1,024 octets"));
    }
    if uid.chars().any(char::is_control) {
        return Err(MirrorError::refused("uid-characters", "a UID holds no control characters"));
    }
    Ok(())
}

pub(super) fn accounts_failed(error: crate::accounts::AccountsError) -> MirrorError {
    crate::store::StoreError::Failed(error.to_string()).into()
}

/// Runs what blocks (the store, the component) where it delays no other request.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MirrorError> + Send + 'static,
) -> Result<T, MirrorError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failure) => Err(MirrorError::BrokeOff(failure.to_string())),
    }
}

/// Turns the component's notices into the shim's, which may carry a link.
pub(super) fn notices(from: Vec<Notice>) -> Vec<super::status::TimedNotice> {
    from.into_iter().map(|n| super::status::TimedNotice { code: n.code, message: n.message, link: None }).collect()
}
