//! One call of one hook: what it was given, read once, and the way to Microsoft.

use crate::calendar::{self, EventFault, limits};
use crate::domain::{CalendarObject, Context, Copy, HookError, Intent};
use crate::graph::fields::{Fields, Showing};
use crate::graph::{RemoteEvent, errors, requests};
use crate::host::{Host, HttpError, Level, Request, Response};
use crate::mailbox::Facts;
use crate::prepare::fault_phrase;
use crate::record::Record;
use crate::settings::Settings;
use crate::standing;
use crate::words::{Phrase, Words};

/// What should be at Microsoft.
#[derive(Debug, Clone)]
pub(super) struct Desired {
    /// The event's fields.
    pub(super) fields: Fields,
    /// Whether it should have a meeting.
    pub(super) meeting: bool,
}

/// What is to be brought about.
#[derive(Debug, Clone)]
pub(super) enum Goal {
    /// Nothing should be there, with the reason.
    Absent(&'static str),
    /// It is over; what is there stays, what is not is not made.
    Past,
    /// It should be there.
    Present(Box<Desired>),
}

/// One call of one hook.
pub(super) struct Session<'a> {
    host: &'a mut dyn Host,
    /// What the host said.
    pub(super) context: &'a Context,
    /// The event.
    pub(super) object: &'a CalendarObject,
    /// The account's language.
    pub(super) words: Words,
    settings: Settings,
    facts: Option<Facts>,
}

impl<'a> Session<'a> {
    pub(super) fn new(host: &'a mut dyn Host, context: &'a Context, object: &'a CalendarObject) -> Self {
        Self {
            host,
            context,
            object,
            words: Words::for_language(&context.account.language),
            settings: Settings::of(&context.account),
            facts: context.mailbox.as_deref().and_then(Facts::read),
        }
    }

    /// What is meant to be, with what the text says of it.
    pub(super) fn goal(&self, intent: Intent) -> Result<Goal, HookError> {
        if !intent.mirror {
            return Ok(Goal::Absent(self.why_absent()));
        }
        let rejected = |phrase| HookError::Rejected(self.words.problem(phrase));
        let (text, account) = (self.object.icalendar.as_str(), &self.context.account);
        if !limits::within(text) {
            return Err(rejected(Phrase::TooLarge));
        }
        let reading = calendar::read(text, account).map_err(|_| rejected(Phrase::NotICalendar))?;
        let meeting = intent.meeting && reading.copy == Copy::Own;
        if reading.series.is_some() {
            return Err(rejected(Phrase::Recurring));
        }
        let event = match reading.event {
            Ok(event) if standing::is_past(Some(event.span.end.utc_ms), self.context.now_ms) => return Ok(Goal::Past),
            Ok(event) => event,
            Err(EventFault::NoStart) if self.context.draft => {
                calendar::read::with_placeholder(text, account, self.context.now_ms)
                    .ok_or_else(|| rejected(Phrase::NoStart))?
            }
            Err(fault) => return Err(rejected(fault_phrase(fault))),
        };
        let fields = Fields::of(
            &event,
            Showing {
                settings: &self.settings,
                copy: reading.copy,
                meeting,
                draft: self.context.draft,
                words: self.words,
            },
        );
        Ok(Goal::Present(Box::new(Desired { fields, meeting })))
    }

    /// Why nothing should be there, where the text tells; a text that cannot be read is no reason to leave anything there.
    fn why_absent(&self) -> &'static str {
        let text = self.object.icalendar.as_str();
        let reading = limits::within(text).then(|| calendar::read(text, &self.context.account).ok()).flatten();
        let why = reading.and_then(|reading| standing::wanted(&reading, &self.settings, false).err());
        why.unwrap_or(standing::reason::NO_MEETING_WANTED)
    }

    /// Whether the mailbox is thought to make Teams meetings; so it is until somebody has looked.
    pub(super) fn teams(&self) -> bool {
        self.facts.as_ref().is_none_or(Facts::teams)
    }

    /// The record the host handed in.
    pub(super) fn read(&self, mirrored: &[u8]) -> Result<Record, HookError> {
        Record::read(mirrored).map_err(|_| HookError::Other(self.words.problem(Phrase::RecordUnreadable)))
    }

    /// Has the host remember this before anything else is sent.
    pub(super) fn save(&mut self, record: Option<&Record>) -> Result<(), HookError> {
        self.host
            .save(record.map(Record::to_bytes))
            .map_err(|why| HookError::Other(self.words.problem_about(Phrase::NotSaved, &why)))
    }

    /// A name for something that is about to be created.
    pub(super) fn new_id(&mut self) -> String {
        self.host.new_id()
    }

    /// Sends a request whose missing answer needs no care.
    pub(super) fn send(&mut self, request: Request) -> Result<Response, HookError> {
        let words = self.words;
        self.attempt(request).map_err(|error| errors::of_failure(&error, words))
    }

    /// Sends a request.
    pub(super) fn attempt(&mut self, request: Request) -> Result<Response, HttpError> {
        let method = request.method;
        let answer = self.host.send(request);
        match &answer {
            Ok(response) if response.status < 400 => {}
            Ok(response) => {
                let code = crate::graph::answers::error_code(response);
                let id = response.header("request-id").unwrap_or_default();
                self.log(Level::Warn, &format!("{method:?} refused: {} {code} {id}", response.status));
            }
            Err(error) => self.log(Level::Warn, &format!("{method:?} without an answer: {}", kind(error))),
        }
        answer
    }

    pub(super) fn log(&mut self, level: Level, message: &str) {
        self.host.log(level, message);
    }

    /// The event at Microsoft; `None` where it is gone.
    pub(super) fn get(&mut self, id: &str) -> Result<Option<RemoteEvent>, HookError> {
        let response = self.send(requests::read(id))?;
        match response.status {
            200..300 => match RemoteEvent::read(&response) {
                Some(event) => Ok(Some(event)),
                None => Err(errors::unexpected(&response, self.words)),
            },
            _ if errors::is_gone(&response) => Ok(None),
            _ => Err(errors::of_response(&response, self.words)),
        }
    }

    /// Removes the event; what is gone already counts as removed. That it is to go is noted first: where the answer is lost
    /// and the event comes back into the calendar, a missing event must not be taken for one the user removed.
    pub(super) fn delete(&mut self, record: &Record, id: &str) -> Result<(), HookError> {
        if !record.deleting {
            self.save(Some(&Record { deleting: true, ..record.clone() }))?;
        }
        let response = self.send(requests::delete(id))?;
        match response.status {
            // Graph says it with these two and no body; a `200` is some gateway's word, not Microsoft's.
            202 | 204 => Ok(()),
            200..300 => Err(errors::unexpected(&response, self.words)),
            _ if errors::is_gone(&response) => Ok(()),
            _ => Err(errors::of_response(&response, self.words)),
        }
    }

    /// The event whose extended property has this value.
    pub(super) fn find(&mut self, property: &str, value: &str) -> Result<Option<RemoteEvent>, HookError> {
        let response = self.send(requests::find(property, value))?;
        if !(200..300).contains(&response.status) {
            return Err(errors::of_response(&response, self.words));
        }
        let found = RemoteEvent::read_page(&response).ok_or_else(|| errors::unexpected(&response, self.words))?;
        if found.len() > 1 {
            self.log(Level::Warn, &format!("{} events carry one tag; the first is used", found.len()));
        }
        Ok(found.into_iter().next())
    }
}

fn kind(error: &HttpError) -> &'static str {
    match error {
        HttpError::NotSent(_) => "not sent",
        HttpError::Unanswered(_) => "unanswered",
        HttpError::Wait(_) => "held back",
        HttpError::SignInNeeded(_) => "sign-in needed",
        HttpError::AdminNeeded(_) => "administrator needed",
        HttpError::Refused(_) => "refused by the host",
        HttpError::BudgetSpent(_) => "budget spent",
        HttpError::Other(_) => "other",
    }
}
