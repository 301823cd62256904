//! A save: what a text means, whether it is mirrored, and which text to store. Pure.

use crate::calendar::attachments::Attached;
use crate::calendar::recurring::SeriesFault;
use crate::calendar::{self, Event, EventFault, Fault, Reading, limits};
use crate::domain::{Account, CalendarObject, Copy, History, Notice, Prepared, Problem, Wish};
use crate::graph::fields::{Missing, Showing};
use crate::join_link::{self, Document, Found, Ours};
use crate::record::Record;
use crate::series::Refusal;
use crate::series::cover::Reliance;
use crate::series::plan::{self, Piece};
use crate::settings::{Meetings, Settings};
use crate::standing::{self, reason};
use crate::words::{Phrase, Words};

/// What a save brings.
#[derive(Debug, Clone)]
pub struct Save {
    /// Whose event.
    pub account: Account,
    /// The text, as the server is about to store it or has stored it.
    pub object: CalendarObject,
    /// The record, where there is one.
    pub mirrored: Option<Vec<u8>>,
    /// What the call said.
    pub wish: Wish,
    /// What is known of earlier saves.
    pub history: History,
    /// The event is not saved yet and may lack DTSTART.
    pub draft: bool,
    /// The time now: Unix time in milliseconds.
    pub now_ms: i64,
}

/// Reads a text, decides what it means and gives back the text to store. Calls nothing outside.
///
/// # Errors
/// Where the text cannot be kept as one event: `not-icalendar`, `uid-missing`, `several-uids`.
pub fn prepare(save: &Save) -> Result<Prepared, Problem> {
    let words = Words::for_language(&save.account.language);
    let settings = Settings::of(&save.account);
    // A record nobody can read holds no link; the hooks say so, a save is not refused for it.
    let record = save.mirrored.as_deref().and_then(|bytes| Record::read(bytes).ok());
    let input = save.object.icalendar.as_str();
    if !limits::within(input) {
        return Ok(too_large(save, words));
    }

    let document = Document::parse(input);
    let blocks = join_link::find_blocks(&document);
    let own_tags = own_tags(save, record.as_ref());
    let own_tags: Vec<&str> = own_tags.iter().map(String::as_str).collect();
    let own_urls: Vec<&str> = record.iter().filter_map(|record| record.join_url.as_deref()).collect();
    // In an import a block of another tag is somebody else's link, not a sign that one was duplicated here.
    let tags = (save.history == History::Imported).then_some(own_tags.as_slice());
    let stripped = join_link::remove(&document, Ours { tags, urls: &own_urls });
    let reading = calendar::read(&stripped, &save.account).map_err(|fault| {
        words.problem(match fault {
            Fault::NotICalendar => Phrase::NotICalendar,
            Fault::UidMissing => Phrase::UidMissing,
            Fault::SeveralUids => Phrase::SeveralUids,
        })
    })?;

    let without_link = if reading.copy == Copy::Own { stripped.as_str() } else { input };
    let kept = limits::without_inline_attachments(without_link);
    let kept_is_whole = kept.len() == without_link.len();
    let mut prepared = Prepared {
        uid: reading.uid.clone(),
        first_start_ms: None,
        last_end_ms: None,
        copy: reading.copy,
        has_guests: reading.has_guests,
        mirror: false,
        meeting: false,
        link_needed: false,
        rejected: None,
        reason: None,
        icalendar: input.to_owned(),
        kept,
        kept_is_whole,
        notices: Vec::new(),
    };
    if reading.copy == Copy::NotAnEvent {
        prepared.reason = Some(reason::NOT_AN_EVENT.to_owned());
        return Ok(prepared);
    }
    let event = event(save, &reading, &stripped);
    if let Ok(event) = &event {
        if reading.event.is_ok() {
            prepared.first_start_ms = Some(event.span.start.utc_ms);
        }
        if reading.event.is_ok() && reading.series.is_none() {
            prepared.last_end_ms = Some(event.span.end.utc_ms);
        }
    }
    let repeated = repeated(&reading);
    if let Some(Ok(pieces)) = &repeated {
        prepared.first_start_ms = pieces.iter().map(|piece| piece.event.span.start.utc_ms).min();
        prepared.last_end_ms = plan::last_end_ms(pieces);
    }
    if reading.copy == Copy::Attendee && save.wish == Wish::Wanted {
        prepared.notices.push(words.notice(Phrase::NotTheOrganizer));
    }

    let foreign_link = || {
        let mut ours = own_urls.clone();
        ours.extend(
            blocks
                .iter()
                .filter(|block| own_tags.contains(&block.tag.as_str()))
                .filter_map(|block| block.url.as_deref()),
        );
        join_link::contains_teams_link(&Document::parse(&stripped), &ours)
    };
    let by = wanted_by(save, &reading, record.as_ref(), &settings, &blocks, &own_tags);
    let mut meeting = by.is_some();
    let has_meeting = record.as_ref().is_some_and(Record::has_meeting);
    let mut refused = None;
    if meeting && !has_meeting && foreign_link() {
        match by {
            Some(Wanted::Default) => {
                meeting = false;
                prepared.reason = Some(reason::HAS_A_LINK.to_owned());
            }
            // What is there already goes on as it is.
            Some(Wanted::Kept) => {}
            _ => refused = Some(Phrase::HasALink),
        }
    }

    let removed = record.as_ref().is_some_and(|record| record.removed) && save.wish != Wish::Wanted;
    let past = match &repeated {
        Some(Ok(pieces)) => standing::is_past(plan::last_end_ms(pieces), save.now_ms),
        Some(Err(_)) => false,
        None => event.as_ref().is_ok_and(|event| standing::is_past(Some(event.span.end.utc_ms), save.now_ms)),
    };
    let nowhere = matches!(repeated, Some(Err(SeriesFault::Refused(Refusal::NoOccurrences))));
    let standing = if removed {
        Err(reason::DELETED_AT_MICROSOFT)
    } else if nowhere {
        standing::wanted(&reading, &settings, meeting).and(Err(reason::NO_OCCURRENCES))
    } else if past && record.as_ref().is_none_or(|record| record.remote_id.is_none()) {
        standing::wanted(&reading, &settings, meeting).and(Err(reason::PAST))
    } else {
        standing::wanted(&reading, &settings, meeting)
    };
    if let Err(why) = standing {
        let asked = save.wish == Wish::Wanted || reading.meeting_by_text == Some(true);
        if why == reason::EXCLUDED && asked && reading.copy == Copy::Own {
            prepared.notices.push(words.notice(Phrase::Excluded));
        }
        prepared.reason.get_or_insert_with(|| why.to_owned());
        // Lines of ours stay in what is cancelled (no second mail), over, or brought in from elsewhere.
        let imported = save.history == History::Imported && record.is_none();
        if reading.cancelled || why == reason::PAST || imported {
            // How they stood cannot be told from the kept text.
            prepared.kept_is_whole &= stripped == input;
        } else if reading.copy == Copy::Own {
            prepared.icalendar = stripped;
        }
        return Ok(prepared);
    }
    prepared.reason = None;
    prepared.mirror = true;
    prepared.meeting = meeting;
    let refused = refused.or_else(|| event.as_ref().err().map(|fault| fault_phrase(*fault))).or(match repeated {
        Some(Err(SeriesFault::Event(fault))) if event.is_err() || !save.draft => Some(fault_phrase(fault)),
        Some(Err(SeriesFault::Refused(refusal))) => Some(refusal_phrase(refusal)),
        _ => None,
    });
    prepared.rejected = refused.map(|phrase| words.problem(phrase));
    prepared.link_needed = meeting && !has_meeting && refused.is_none() && !past;
    if reading.copy == Copy::Own {
        prepared.icalendar =
            text_to_store(input, &document, &stripped, &save.object.tag, record.as_ref(), meeting, words);
    }
    if let (Ok(event), None) = (&event, refused) {
        let showing = Showing { settings: &settings, copy: reading.copy, meeting, draft: save.draft, words };
        prepared.notices.extend(shortfalls(event, &reading, showing));
    }
    Ok(prepared)
}

/// Why a meeting is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Wish,
    Text,
    Kept,
    Block,
    Default,
}

/// The first that applies: the call's wish, the text's own word, a meeting that is there, a block in the text, the
/// account's default.
fn wanted_by(
    save: &Save,
    reading: &Reading,
    record: Option<&Record>,
    settings: &Settings,
    blocks: &[Found],
    own_tags: &[&str],
) -> Option<Wanted> {
    if reading.copy != Copy::Own || reading.cancelled {
        return None;
    }
    match save.wish {
        Wish::Wanted => return Some(Wanted::Wish),
        Wish::None => return None,
        Wish::Keep | Wish::KeepWanted => {}
    }
    match reading.meeting_by_text {
        Some(true) => return Some(Wanted::Text),
        Some(false) => return None,
        None => {}
    }
    if save.wish == Wish::KeepWanted || record.is_some_and(|record| record.meeting_asked) {
        return Some(Wanted::Kept);
    }
    // A block without a record: the event was cancelled and is on again, or it is a duplicate of another one. With a record
    // a block of its own is only an old text come back, and says nothing against whoever took the meeting away.
    let counts = |block: &Found| record.is_none() || !own_tags.contains(&block.tag.as_str());
    if save.history != History::Imported && blocks.iter().any(counts) {
        return Some(Wanted::Block);
    }
    let default = match (settings.meetings, save.history) {
        (Meetings::Never, _) | (_, History::SeenWithGuests | History::Imported) => false,
        (Meetings::Always, history) => history == History::Unseen,
        (Meetings::WithGuests, _) => reading.has_guests,
    };
    default.then_some(Wanted::Default)
}

/// The tags under which this event's blocks may have been written: its own, and that of a draft it was made from.
fn own_tags(save: &Save, record: Option<&Record>) -> Vec<String> {
    let mut tags = vec![save.object.tag.clone()];
    tags.extend(record.map(|record| record.tag.clone()).filter(|tag| !tag.is_empty() && *tag != save.object.tag));
    tags
}

/// What an event that repeats becomes at Microsoft.
fn repeated(reading: &Reading) -> Option<Result<Vec<Piece>, SeriesFault>> {
    let series = reading.series.as_ref()?;
    Some(match series {
        Ok(series) => plan::plan(series, Reliance { clamp: true }).map_err(SeriesFault::Refused),
        Err(fault) => Err(*fault),
    })
}

fn event(save: &Save, reading: &Reading, text: &str) -> Result<Event, EventFault> {
    match &reading.event {
        Err(EventFault::NoStart) if save.draft => {
            calendar::read::with_placeholder(text, &save.account, save.now_ms).ok_or(EventFault::NoStart)
        }
        event => event.clone(),
    }
}

/// The text with the link where the record holds one and the event wants it; untouched where it carries it already.
fn text_to_store(
    input: &str,
    document: &Document<'_>,
    stripped: &str,
    tag: &str,
    record: Option<&Record>,
    meeting: bool,
    words: Words,
) -> String {
    let Some(url) = record.and_then(|record| record.join_url.as_deref()).filter(|_| meeting) else {
        return stripped.to_owned();
    };
    if join_link::carries(document, tag, url) {
        return input.to_owned();
    }
    join_link::insert(&Document::parse(stripped), tag, url, words)
}

/// What of an event, of any of its exceptions or of its attachments does not reach Microsoft.
fn shortfalls(event: &Event, reading: &Reading, showing: Showing<'_>) -> Vec<Notice> {
    let (words, settings) = (showing.words, showing.settings);
    let mut said: Vec<&Event> = reading.events().collect();
    if said.is_empty() {
        // Of a draft without a start.
        said.push(event);
    }
    let missing: Vec<Missing> = said.into_iter().map(|event| Missing::of(event, showing)).collect();
    let any = |of: fn(&Missing) -> bool| missing.iter().any(of);
    let mut notices = Vec::new();
    if any(|missing| missing.subject) {
        notices.push(words.notice(Phrase::SubjectCut));
    }
    if any(|missing| missing.body) {
        notices.push(words.notice_about(Phrase::BodyCut, settings.body_limit / 1024));
    }
    if any(|missing| missing.attendees) {
        notices.push(words.notice(Phrase::TooManyGuests));
    }
    let unreachable = missing.iter().map(|missing| missing.unreachable).max().unwrap_or_default();
    if unreachable > 0 {
        notices.push(words.notice_of_some([Phrase::GuestNotInvited, Phrase::GuestsNotInvited], unreachable));
    }
    let Attached { linked, other } = reading.attached;
    let left = if settings.attachments { other } else { linked + other };
    if left > 0 && any(|missing| !missing.hidden) {
        notices.push(words.notice_of_some([Phrase::AttachmentNotMirrored, Phrase::AttachmentsNotMirrored], left));
    }
    notices
}

pub(crate) fn fault_phrase(fault: EventFault) -> Phrase {
    match fault {
        EventFault::NoStart => Phrase::NoStart,
        EventFault::BadDate => Phrase::BadDate,
        EventFault::EndBeforeStart => Phrase::EndBeforeStart,
    }
}

/// Why an event that repeats is not mirrored; of [`Refusal::NoOccurrences`] nobody is told, there is nothing to mirror.
pub(crate) fn refusal_phrase(refusal: Refusal) -> Phrase {
    match refusal {
        Refusal::Unreadable | Refusal::NoOccurrences => Phrase::RuleUnreadable,
        Refusal::NotExpressible => Phrase::RuleNotExpressible,
        Refusal::TooManyPieces => Phrase::TooManyPieces,
        Refusal::ZoneUnknown => Phrase::SeriesZoneUnknown,
    }
}

/// The answer for a text that was not read.
fn too_large(save: &Save, words: Words) -> Prepared {
    Prepared {
        uid: save.object.uid.clone(),
        first_start_ms: None,
        last_end_ms: None,
        copy: Copy::Own,
        has_guests: false,
        mirror: save.mirrored.is_some() || save.wish == Wish::Wanted,
        meeting: false,
        link_needed: false,
        rejected: Some(words.problem(Phrase::TooLarge)),
        reason: None,
        icalendar: save.object.icalendar.clone(),
        kept: String::new(),
        kept_is_whole: false,
        notices: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
