//! One call of one hook: what it was given, read once, and the way to Microsoft.

use crate::calendar::recurring::SeriesFault;
use crate::calendar::{self, Event, EventFault, limits};
use crate::domain::{CalendarObject, Context, Copy, HookError, Intent};
use crate::graph::fields::{Fields, Showing};
use crate::graph::{RemoteEvent, RemoteInstance, errors, requests};
use crate::host::{Host, HttpError, Level, Request, Response};
use crate::mailbox::Facts;
use crate::prepare::{fault_phrase, refusal_phrase};
use crate::record::Record;
use crate::series::Refusal;
use crate::series::cover::Reliance;
use crate::series::plan::{self, Piece, Repeats};
use crate::settings::Settings;
use crate::standing;
use crate::words::{Phrase, Words};

/// What one event at Microsoft should be.
#[derive(Debug, Clone)]
pub(super) struct Desired {
    /// The event's fields.
    pub(super) fields: Fields,
    /// Whether it should have a meeting of its own.
    pub(super) meeting: bool,
    /// How it repeats.
    pub(super) repeats: Option<Repeats>,
}

/// Everything that should be at Microsoft.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Never empty. The first owns the meeting.
    pub(super) pieces: Vec<Piece>,
    /// Whether there should be a meeting.
    pub(super) meeting: bool,
    copy: Copy,
}

/// What is to be brought about.
#[derive(Debug, Clone)]
pub(super) enum Goal {
    /// Nothing should be there, with the reason.
    Absent(&'static str),
    /// It is over; what is there stays, what is not is not made.
    Past,
    /// It should be there.
    Present(Target),
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
    /// The records of all events that the calendar's event has become, the one that owns the meeting first.
    pub(super) pieces: Vec<Record>,
    /// Which of them is in hand; the number of them where it is a new one.
    pub(super) at: usize,
    settings: Settings,
    facts: Option<Facts>,
    /// The last answer refused how an event repeats.
    pub(super) recurrence_refused: bool,
    /// What the host remembers.
    kept: Option<Vec<u8>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(host: &'a mut dyn Host, context: &'a Context, object: &'a CalendarObject) -> Self {
        Self {
            host,
            context,
            object,
            words: Words::for_language(&context.account.language),
            pieces: Vec::new(),
            at: 0,
            settings: Settings::of(&context.account),
            facts: context.mailbox.as_deref().and_then(Facts::read),
            recurrence_refused: false,
            kept: None,
        }
    }

    /// Takes in the record the host handed in, and gives back the one of the event that owns the meeting.
    pub(super) fn open(&mut self, mirrored: &[u8]) -> Result<Record, HookError> {
        let mut record =
            Record::read(mirrored).map_err(|_| HookError::Other(self.words.problem(Phrase::RecordUnreadable)))?;
        let others = std::mem::take(&mut record.others);
        self.pieces = vec![record.clone()];
        self.pieces.extend(others);
        self.kept = self.to_bytes();
        Ok(record)
    }

    /// All records as one; `None` where there are none.
    pub(super) fn to_bytes(&self) -> Option<Vec<u8>> {
        let (owner, others) = self.pieces.split_first()?;
        Some(Record { others: others.to_vec(), ..owner.clone() }.to_bytes())
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
        // Only the organiser's event can hold a meeting.
        let meeting = intent.meeting && reading.copy == Copy::Own;
        let pieces = match (reading.event, reading.series) {
            (Err(EventFault::NoStart), _) if self.context.draft => {
                calendar::read::with_placeholder(text, account, self.context.now_ms)
                    .map(|event| vec![Piece::single(event)])
                    .ok_or_else(|| rejected(Phrase::NoStart))?
            }
            (Err(fault), _) | (_, Some(Err(SeriesFault::Event(fault)))) => return Err(rejected(fault_phrase(fault))),
            (Ok(event), None) => vec![Piece::single(event)],
            (_, Some(Err(SeriesFault::Refused(refusal)))) => return Err(rejected(refusal_phrase(refusal))),
            (_, Some(Ok(mut series))) => {
                let owner = self.pieces.first();
                if let Some(base) = &mut series.base {
                    base.split = owner.and_then(|owner| owner.split);
                }
                let clamp = owner.and_then(|owner| owner.clamps).unwrap_or(true);
                match plan::plan(&series, Reliance { clamp }) {
                    Ok(pieces) => pieces,
                    Err(Refusal::NoOccurrences) => return Ok(Goal::Absent(standing::reason::NO_OCCURRENCES)),
                    Err(refusal) => return Err(rejected(refusal_phrase(refusal))),
                }
            }
        };
        if standing::is_past(plan::last_end_ms(&pieces), self.context.now_ms) {
            return Ok(Goal::Past);
        }
        Ok(Goal::Present(Target { pieces, meeting, copy: reading.copy }))
    }

    /// What one of the events of a target should be. `link`: of the meeting, where another event owns it.
    pub(super) fn desired(&self, target: &Target, piece: &Piece, link: Option<&str>) -> Desired {
        let fields = self.fields(target, &piece.event, link);
        let fields = match &piece.repeats {
            Some(repeats) => fields.repeated(&repeats.recurrence),
            None => fields,
        };
        Desired { fields, meeting: target.meeting && link.is_none(), repeats: piece.repeats.clone() }
    }

    /// The fields of an event that says this, once.
    pub(super) fn fields(&self, target: &Target, event: &Event, link: Option<&str>) -> Fields {
        let showing = Showing {
            settings: &self.settings,
            copy: target.copy,
            meeting: target.meeting,
            draft: self.context.draft,
            words: self.words,
        };
        let fields = Fields::of(event, showing);
        match link.filter(|link| !link.is_empty()) {
            Some(link) => fields.linked(link),
            None => fields,
        }
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

    /// Has the host remember this of the event in hand before anything else is sent; `None`: there is no such event.
    pub(super) fn save(&mut self, record: Option<&Record>) -> Result<(), HookError> {
        match record {
            Some(record) => self.put(record.clone()),
            None if self.at < self.pieces.len() => {
                self.pieces.remove(self.at);
            }
            None => {}
        }
        self.checkpoint()
    }

    /// Notes this of the event in hand.
    pub(super) fn put(&mut self, record: Record) {
        match self.pieces.get_mut(self.at) {
            Some(place) => *place = record,
            None => self.pieces.push(record),
        }
    }

    /// The record of the event in hand.
    pub(super) fn record(&self) -> Option<&Record> {
        self.pieces.get(self.at)
    }

    /// Has the host remember all that is noted.
    pub(super) fn checkpoint(&mut self) -> Result<(), HookError> {
        let bytes = self.to_bytes();
        self.kept.clone_from(&bytes);
        self.host.save(bytes).map_err(|why| HookError::Other(self.words.problem_about(Phrase::NotSaved, &why)))
    }

    /// The same where the hook ends early, so that the next call goes on from here; what is lost then is only work.
    pub(super) fn keep_progress(&mut self) {
        if self.to_bytes() != self.kept {
            let _ = self.checkpoint();
        }
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
        self.recurrence_refused = answer.as_ref().is_ok_and(errors::is_recurrence);
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

    /// The occurrences of a series between two instants (Unix time in milliseconds); `None`: the series is gone.
    pub(super) fn instances(&mut self, id: &str, from: i64, to: i64) -> Result<Option<Vec<RemoteInstance>>, HookError> {
        self.pages(requests::instances(id, from, to), RemoteInstance::read_page)
    }

    /// The occurrences of a series that were changed, wherever they were moved; `None`: the series is gone.
    pub(super) fn exceptions(&mut self, id: &str) -> Result<Option<Vec<RemoteInstance>>, HookError> {
        self.pages(requests::exceptions(id), RemoteInstance::read_exceptions)
    }

    /// All pages of an answer; `None` where what it is about is gone.
    fn pages<T>(
        &mut self,
        mut request: Request,
        read: impl Fn(&Response) -> Option<(Vec<T>, Option<String>)>,
    ) -> Result<Option<Vec<T>>, HookError> {
        let mut found = Vec::new();
        loop {
            let response = self.send(request)?;
            if errors::is_gone(&response) {
                return Ok(None);
            }
            if !(200..300).contains(&response.status) {
                return Err(errors::of_response(&response, self.words));
            }
            let (page, next) = read(&response).ok_or_else(|| errors::unexpected(&response, self.words))?;
            found.extend(page);
            match next {
                Some(link) => request = requests::next_page(&link),
                None => return Ok(Some(found)),
            }
        }
    }

    /// The event whose extended property has this value.
    pub(super) fn find(&mut self, property: &str, value: &str) -> Result<Option<RemoteEvent>, HookError> {
        let found = self.find_all(property, value)?;
        if found.len() > 1 {
            self.log(Level::Warn, &format!("{} events carry one tag; the first is used", found.len()));
        }
        Ok(found.into_iter().next())
    }

    /// All events whose extended property has this value.
    pub(super) fn find_all(&mut self, property: &str, value: &str) -> Result<Vec<RemoteEvent>, HookError> {
        let mut found = Vec::new();
        let mut request = requests::find(property, value);
        loop {
            // A mailbox that is not ready answers 404, too; there is no event that could be gone.
            let response = self.send(request)?;
            if !(200..300).contains(&response.status) {
                return Err(errors::of_response(&response, self.words));
            }
            let page = RemoteEvent::read_page(&response);
            let (events, next) = page.ok_or_else(|| errors::unexpected(&response, self.words))?;
            found.extend(events);
            match next {
                Some(link) => request = requests::next_page(&link),
                None => return Ok(found),
            }
        }
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
