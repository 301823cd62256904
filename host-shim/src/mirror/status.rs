//! How an event stands, for those who ask.

use serde::{Deserialize, Serialize};

use super::{Mirror, MirrorError, Told};
use crate::accounts::policy::Standing;
use crate::address::Address;
use crate::component::types::Notice;
use crate::store::{CalendarRow, Desired, EventRow, ProposalRow, transact};
use crate::words::{self, Words};

/// The states of the hook API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It stands in the Teams calendar as it stands in the server's.
    Mirrored,
    /// It will, without anybody doing anything.
    Pending,
    /// The user must sign in at Microsoft (again).
    SignInNeeded,
    /// An administrator, of the server or of the Microsoft organisation, must act.
    AdminNeeded,
    /// This event, as it is, cannot be mirrored; `reason` says why. What was mirrored before stays.
    Rejected,
    /// It is not in the Teams calendar, and is not meant to be.
    NotMirrored,
    /// It was in the Teams calendar and was removed there, by a person.
    Removed,
}

impl State {
    /// The name in the API and in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mirrored => "mirrored",
            Self::Pending => "pending",
            Self::SignInNeeded => "sign-in-needed",
            Self::AdminNeeded => "admin-needed",
            Self::Rejected => "rejected",
            Self::NotMirrored => "not-mirrored",
            Self::Removed => "removed",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Mirrored,
            Self::Pending,
            Self::SignInNeeded,
            Self::AdminNeeded,
            Self::Rejected,
            Self::NotMirrored,
            Self::Removed,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }
}

/// Something the user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TimedNotice {
    /// Stable code: `sign-in-needed`, `no-teams`, `link-changed`, `meeting-lost`, `deleted-at-microsoft`, `body-not-updated`,
    /// `subject-cut`, `body-cut`, `attachments-not-mirrored`, `too-many-guests`, `guests-not-invited`, `excluded`,
    /// `calendar-excluded`, `not-the-organizer`. Codes may be added at any time.
    pub code: String,
    /// One or two sentences in the account's language.
    pub message: String,
    /// A one-time link that mends it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<String>,
}

/// How one event stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventStatus {
    /// Whose.
    pub account: String,
    /// Its UID.
    pub uid: String,
    /// How it stands.
    pub state: State,
    /// A code where the state alone does not say it.
    pub reason: Option<String>,
    /// The reason in a sentence, with what to do.
    pub message: Option<String>,
    /// Where people join.
    pub join_url: Option<String>,
    /// Where it can be looked at in the Teams calendar.
    pub web_link: Option<String>,
    /// What the user should know.
    pub notices: Vec<TimedNotice>,
    /// When it is tried again, Unix milliseconds.
    pub next_attempt_at: Option<i64>,
    /// Failed tries since it last went well.
    pub attempts: u32,
    /// A save of it was never reported as stored or refused.
    pub unconfirmed: bool,
    /// The server's paths that carry it.
    pub objects: Vec<String>,
    /// What was last told of it.
    pub told: Told,
    /// Its first start, where known, Unix milliseconds.
    pub first_start: Option<i64>,
    /// Its last change here, Unix milliseconds.
    pub updated_at: i64,
}

impl EventStatus {
    /// An event we keep nothing of.
    pub(super) fn untouched(account: &Address, uid: &str, reason: &str, notices: Vec<Notice>) -> Self {
        Self {
            account: account.as_str().into(),
            uid: uid.into(),
            state: State::NotMirrored,
            reason: Some(reason.into()),
            message: None,
            join_url: None,
            web_link: None,
            notices: super::saves::notices(notices),
            next_attempt_at: None,
            attempts: 0,
            unconfirmed: false,
            objects: Vec::new(),
            told: Told::Nothing,
            first_start: None,
            updated_at: 0,
        }
    }

    /// Says why, where the extension did not and somebody may wonder: of what nobody asked for, or of what its user called
    /// off, there is nothing to say.
    pub(super) fn explain(&mut self, words: &'static Words) {
        const PLAIN: [&str; 3] = ["no-meeting-wanted", "cancelled", "declined"];
        let Some(reason) = self.reason.as_deref().filter(|reason| !PLAIN.contains(reason)) else { return };
        let id = format!("event-reason-{reason}");
        if self.message.is_none() && words.has(&id) {
            self.message = Some(words.say(&id));
        }
    }

    pub(super) fn add_notices(&mut self, notices: Vec<Notice>) {
        for notice in super::saves::notices(notices) {
            if !self.notices.iter().any(|known| known.code == notice.code) {
                self.notices.push(notice);
            }
        }
    }

    /// The save takes over a draft's meeting; until it is stored, that is the draft's.
    pub(super) fn borrow_meeting(&mut self, draft: Self) {
        self.state = draft.state;
        self.reason = draft.reason;
        self.join_url = draft.join_url;
        self.web_link = draft.web_link;
    }

    /// The account is leaving, or has left while the save waited: a link that is there by now is being taken away.
    pub(super) fn promise_nothing(&mut self, standing: &Standing) {
        (self.state, self.reason) = (State::NotMirrored, Some("not-turned-on".into()));
        self.message = Some(standing.phrase().said(words::of(standing.language())));
        (self.join_url, self.web_link) = (None, None);
    }

    /// What the save at hand says beside what the row says.
    pub(super) fn overlay(&mut self, proposal: &ProposalRow, standing: &Standing, notices: &[Notice]) {
        self.add_notices(notices.to_vec());
        if let Some(sentence) = &proposal.rejected {
            self.state = State::Rejected;
            self.reason.clone_from(&proposal.reason);
            self.message = Some(sentence.clone());
            return;
        }
        if self.state == State::Rejected && proposal.reason.is_none() {
            // What was stored before was rejected; this text is not.
            self.state = match (&self.join_url, proposal.mirror) {
                (Some(_), _) => State::Mirrored,
                (None, true) => State::Pending,
                (None, false) => State::NotMirrored,
            };
            self.reason = None;
            self.message = None;
        }
        let connection_dead = standing.connection.as_ref().is_none_or(|connection| connection.dead.is_some());
        if (proposal.mirror || self.state == State::Pending) && connection_dead && self.state != State::Removed {
            self.message = Some(standing.phrase().said(words::of(standing.language())));
            (self.state, self.reason) = match &standing.connection {
                Some(_) => (State::SignInNeeded, Some("connection-dead".into())),
                None if standing.is_on() => (State::SignInNeeded, Some("not-connected".into())),
                None => (State::NotMirrored, Some("not-turned-on".into())),
            };
        }
        if !proposal.mirror && self.join_url.is_none() && self.state == State::NotMirrored {
            self.reason.clone_from(&proposal.reason);
        }
    }
}

impl Mirror {
    /// How a row stands. Opens what is sealed.
    pub(super) fn status_of(&self, row: &EventRow) -> Result<EventStatus, MirrorError> {
        let view = self.row_view(row)?;
        if row.gone_at.is_some() {
            // Gone from the calendar; its mirror goes when it has stayed so for a while.
            return Ok(EventStatus {
                state: State::Pending,
                reason: Some("deleted".into()),
                message: None,
                next_attempt_at: row.due_at,
                told: Told::Nothing,
                ..self.status_of(&EventRow { gone_at: None, ..row.clone() })?
            });
        }
        Ok(EventStatus {
            account: row.account.clone(),
            uid: row.uid.clone(),
            state: State::from_name(&row.state).unwrap_or(State::Pending),
            reason: row.reason.clone(),
            message: row.message.clone(),
            join_url: view.join_url,
            web_link: view.web_link,
            notices: super::saves::notices(view.notices),
            next_attempt_at: row.due_at.filter(|_| row.state == "pending"),
            attempts: row.attempts,
            unconfirmed: row.unconfirmed,
            objects: row.objects.iter().filter(|object| !object.is_empty()).cloned().collect(),
            told: Told::of(Some(row)),
            first_start: row.first_start,
            updated_at: row.updated_at,
        })
    }

    /// How an event stands; `None` where we keep nothing of it.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn event(&self, account: &Address, uid: &str) -> Result<Option<EventStatus>, MirrorError> {
        match self.row(account.as_str(), uid)? {
            Some(row) => {
                let mut status = self.status_of(&row)?;
                status.explain(self.words_of(&row.account));
                Ok(Some(status))
            }
            None => Ok(None),
        }
    }

    /// The last events, newest change first; of one account or of all, in one state or in any.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn events(
        &self,
        account: Option<&Address>,
        state: Option<State>,
        limit: u32,
    ) -> Result<Vec<EventStatus>, MirrorError> {
        let rows = crate::store::read(&*self.store, |tx| {
            tx.list_events(account.map(Address::as_str), state.map(State::name), limit)
        })?;
        rows.iter().map(|row| self.status_of(row)).collect()
    }

    /// The calendars that an account's events were last stored in.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn calendars(&self, account: &Address) -> Result<Vec<CalendarRow>, MirrorError> {
        const MOST: u32 = 50;
        Ok(crate::store::read(&*self.store, |tx| tx.calendars(account.as_str(), MOST))?)
    }

    /// How many events stand in which state.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn counts(&self) -> Result<Vec<(String, u64)>, MirrorError> {
        Ok(crate::store::read(&*self.store, |tx| tx.count_events())?)
    }

    /// Tries an event again now, whatever it was waiting for; `false` where we keep nothing of it.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn retry(&self, account: &Address, uid: &str) -> Result<bool, MirrorError> {
        let now = self.now();
        let found = transact(&*self.store, |tx| {
            let Some(mut row) = tx.event(account.as_str(), uid)? else { return Ok(false) };
            if row.desired == Desired::Stored && row.state == "rejected" && row.mirror {
                row.generation += 1;
                super::row::begin(&mut row, now);
            }
            hurry(&mut row, now);
            tx.put_event(&row)?;
            Ok(true)
        })?;
        self.pulse.wake();
        Ok(found)
    }
}

/// Due now, with a clean slate.
fn hurry(row: &mut EventRow, now: i64) {
    row.attempts = 0;
    row.parked = None;
    row.due_at = Some(now);
}
