//! Reading one calendar object resource.

use std::cell::RefCell;
use std::collections::BTreeSet;

use calcard::icalendar::{
    ICalendar, ICalendarClassification, ICalendarComponent, ICalendarComponentType, ICalendarEntry,
    ICalendarParameterName, ICalendarParameterValue, ICalendarParticipationStatus, ICalendarProperty, ICalendarStatus,
    ICalendarTransparency, ICalendarValue,
};
use calcard::{Entry, Parser};
use chrono_tz::Tz;

use super::attachments::Attached;
use super::event::{Attendance, Event, EventFault, Importance, Sensitivity, ShowAs};
use super::recurring::{self, SeriesFault};
use super::text::is_web_address;
use super::times::{Clock, Span};
use super::{address, alarm, attachments, guests};
use crate::domain::{Account, Copy};
use crate::exclusion::Marks;
use crate::join_link::{Document, EventLines, parameter, split_value, unescape};
use crate::series::Series;

/// Why a text cannot be kept as one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not one VCALENDAR with whole components in it.
    NotICalendar,
    /// No component carries a UID.
    UidMissing,
    /// Components carry different UIDs.
    SeveralUids,
}

/// What a text says.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// The UID.
    pub(crate) uid: String,
    /// Whose copy.
    pub(crate) copy: Copy,
    /// Whether anybody but the account is an ATTENDEE.
    pub(crate) has_guests: bool,
    /// STATUS:CANCELLED of the whole event; of single occurrences, of every one.
    pub(crate) cancelled: bool,
    /// Where it is a series, or part of one: all of it.
    pub(crate) series: Option<Result<Series, SeriesFault>>,
    /// X-TEAMS-MEETING: whether the text itself wants a meeting.
    pub(crate) meeting_by_text: Option<bool>,
    /// What the account answered, where somebody else invited it; declined only where it comes to no occurrence either.
    pub(crate) attendance: Attendance,
    /// How many files are attached, to whichever component.
    pub(crate) attached: Attached,
    /// What may exclude it.
    pub(crate) marks: Marks,
    /// The event; of a series, its first component.
    pub(crate) event: Result<Event, EventFault>,
}

impl Reading {
    /// Everything the text says an event is: of a series, its component that repeats and every one that changes something
    /// of it.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        let series = self.series.as_ref().and_then(|series| series.as_ref().ok());
        let alone = if series.is_none() { self.event.as_ref().ok() } else { None };
        let base = series.and_then(|series| series.base.as_ref());
        let turns = base.into_iter().flat_map(|base| &base.turns).filter_map(|turn| turn.then.as_ref());
        let overrides = series.into_iter().flat_map(|series| &series.overrides);
        let changed = turns.map(|then| &then.event).chain(overrides.map(|one| &one.event));
        alone.into_iter().chain(base.map(|base| &base.event)).chain(changed)
    }
}

/// Reads a text for an account.
///
/// # Errors
/// See [`Fault`].
pub(crate) fn read(text: &str, account: &Account) -> Result<Reading, Fault> {
    let document = Document::parse(text);
    if !document.well_formed {
        return Err(Fault::NotICalendar);
    }
    let calendar = match Parser::new(text).entry() {
        Entry::ICalendar(calendar) => calendar,
        _ => return Err(Fault::NotICalendar),
    };
    let root = calendar.components.first().ok_or(Fault::NotICalendar)?;
    if root.component_type != ICalendarComponentType::VCalendar {
        return Err(Fault::NotICalendar);
    }
    let children: Vec<&ICalendarComponent> =
        root.component_ids.iter().filter_map(|&id| calendar.component_by_id(id)).collect();
    let uid = uid(&document, &children)?;
    let events: Vec<&ICalendarComponent> =
        children.into_iter().filter(|child| child.component_type.is_event()).collect();
    // The whole event is the component without RECURRENCE-ID; an attendee's copy may hold single instances only.
    let master = events
        .iter()
        .position(|event| !event.has_property(&ICalendarProperty::RecurrenceId))
        .or(if events.is_empty() { None } else { Some(0) });
    let Some(component) = master.and_then(|at| events.get(at)) else { return Ok(no_event(uid)) };
    if root.has_property(&ICalendarProperty::Method) {
        return Ok(no_event(uid));
    }

    let organizer = events.iter().find_map(|event| event.property(&ICalendarProperty::Organizer));
    let copy = match organizer {
        None => Copy::Own,
        Some(entry) if address::of(entry).is_some_and(|address| account.is_own_address(&address)) => Copy::Own,
        Some(_) => Copy::Attendee,
    };
    let attendees = || events.iter().flat_map(|event| event.properties(&ICalendarProperty::Attendee));
    let is_account =
        |entry: &ICalendarEntry| address::of(entry).is_some_and(|address| account.is_own_address(&address));
    let recurring = events.len() > 1
        || [
            ICalendarProperty::Rrule,
            ICalendarProperty::Rdate,
            ICalendarProperty::Exrule,
            ICalendarProperty::RecurrenceId,
        ]
        .iter()
        .any(|name| component.has_property(name));
    let known = RefCell::default();
    let clock = Clock { calendar: &calendar, floating: account.zone().unwrap_or(Tz::UTC), known: &known };
    let readers: Vec<Reader<'_>> = events
        .iter()
        .zip(&document.events)
        .map(|(component, lines)| Reader { calendar: &calendar, component, document: &document, lines, account, clock })
        .collect();
    let Some(reader) = master.and_then(|at| readers.get(at)) else { return Ok(no_event(uid)) };
    // Single occurrences are each cancelled and declined by themselves.
    let alone = component.has_property(&ICalendarProperty::RecurrenceId);
    let is_cancelled = |event: &ICalendarComponent| event.status() == Some(&ICalendarStatus::Cancelled);
    let cancelled = if alone { events.iter().all(|event| is_cancelled(event)) } else { is_cancelled(component) };
    let attendance = match reader.attendance() {
        Attendance::Declined => {
            recurring::attended(&readers, copy).next().map_or(Attendance::Declined, Reader::attendance)
        }
        answer => answer,
    };
    Ok(Reading {
        uid,
        copy,
        has_guests: attendees().any(|entry| !is_account(entry)),
        cancelled,
        series: recurring.then(|| recurring::series(&readers, copy)),
        meeting_by_text: reader.meeting_by_text(),
        attendance,
        attached: Attached::of(&document),
        marks: reader.marks(),
        event: clock.span(component).map(|span| reader.event(span, copy, reader.attendance())),
    })
}

/// The event of a draft that has no start yet, with a stand-in for it after `now_ms` (Unix time in milliseconds); `None`
/// where there is no VEVENT, or one that cannot be read even so.
pub(crate) fn with_placeholder(text: &str, account: &Account, now_ms: i64) -> Option<Event> {
    // The stand-in is written as a line, so that everything else is read in the one way there is.
    let span = Clock::placeholder(now_ms)?;
    let document = Document::parse(text);
    let at = document.events.first()?.first_nested;
    let start = span.start.local.format("DTSTART:%Y%m%dT%H%M%SZ\r\n").to_string();
    let end = span.end.local.format("DTEND:%Y%m%dT%H%M%SZ\r\n").to_string();
    let lines = document.lines.iter().enumerate().flat_map(|(number, line)| {
        let extra = if number == at { [start.as_str(), end.as_str()] } else { ["", ""] };
        extra.into_iter().chain([line.raw.as_ref()])
    });
    // Without a start a DTEND or a DURATION means nothing.
    let text: String = lines.filter(|line| !is_stray_end(line) || *line == end).collect();
    read(&text, account).ok()?.event.ok()
}

fn is_stray_end(line: &str) -> bool {
    ["DTEND", "DURATION"].iter().any(|name| crate::join_link::Line::new(line.to_owned()).is(name))
}

fn no_event(uid: String) -> Reading {
    Reading {
        uid,
        copy: Copy::NotAnEvent,
        has_guests: false,
        cancelled: false,
        series: None,
        meeting_by_text: None,
        attendance: Attendance::Undecided,
        attached: Attached::default(),
        marks: Marks::default(),
        event: Err(EventFault::NoStart),
    }
}

/// The one UID of all components; read from the lines, because it is compared octet by octet.
fn uid(document: &Document<'_>, children: &[&ICalendarComponent]) -> Result<String, Fault> {
    let mut uids = BTreeSet::new();
    if document.events.is_empty() {
        uids.extend(children.iter().filter_map(|child| child.uid()).map(str::to_owned));
    }
    for event in &document.events {
        let line = document.property(event, "UID").map(|(_, line)| line.unfolded().into_owned());
        let uid = line.as_deref().and_then(split_value).map(|(_, value)| unescape(value)).unwrap_or_default();
        if uid.is_empty() {
            return Err(Fault::UidMissing);
        }
        uids.insert(uid);
    }
    let first = uids.pop_first().filter(|uid| !uid.is_empty()).ok_or(Fault::UidMissing)?;
    if uids.is_empty() { Ok(first) } else { Err(Fault::SeveralUids) }
}

/// One VEVENT, and what it takes to read it.
pub(super) struct Reader<'a> {
    calendar: &'a ICalendar,
    pub(super) component: &'a ICalendarComponent,
    pub(super) document: &'a Document<'a>,
    pub(super) lines: &'a EventLines,
    account: &'a Account,
    pub(super) clock: Clock<'a>,
}

impl Reader<'_> {
    /// What the account itself answered.
    pub(super) fn attendance(&self) -> Attendance {
        self.own_entry().map_or(Attendance::Undecided, attendance)
    }

    /// Whether the account is among the attendees.
    pub(super) fn is_invited(&self) -> bool {
        self.own_entry().is_some()
    }

    fn own_entry(&self) -> Option<&ICalendarEntry> {
        let own =
            |entry: &&ICalendarEntry| address::of(entry).is_some_and(|address| self.account.is_own_address(&address));
        self.component.properties(&ICalendarProperty::Attendee).find(own)
    }

    /// Everything it says, at a time.
    pub(super) fn event(&self, span: Span, copy: Copy, attendance: Attendance) -> Event {
        let component = self.component;
        let transparent = component.transparency() == Some(&ICalendarTransparency::Transparent);
        let tentative = match copy {
            Copy::Attendee => attendance == Attendance::Undecided,
            _ => component.status() == Some(&ICalendarStatus::Tentative),
        };
        let position = component.property(&ICalendarProperty::Geo).and_then(|entry| {
            let [latitude, longitude] = entry.values.as_slice() else { return None };
            let (latitude, longitude) = (latitude.as_float()?, longitude.as_float()?);
            let possible = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
            possible.then_some((latitude, longitude))
        });
        let url = self.text(&ICalendarProperty::Url).trim().to_owned();
        Event {
            subject: self.text(&ICalendarProperty::Summary),
            description: self.text(&ICalendarProperty::Description),
            html: self.html(),
            span,
            location: self.text(&ICalendarProperty::Location),
            position,
            url: is_web_address(&url).then_some(url),
            show_as: match (transparent, tentative) {
                (true, _) => ShowAs::Free,
                (false, true) => ShowAs::Tentative,
                (false, false) => ShowAs::Busy,
            },
            sensitivity: self.sensitivity(),
            importance: match component
                .property(&ICalendarProperty::Priority)
                .and_then(|entry| entry.values.first()?.as_integer())
            {
                Some(1..=4) => Importance::High,
                Some(6..=9) => Importance::Low,
                _ => Importance::Normal,
            },
            categories: self.categories(),
            reminder: alarm::minutes_before(self.calendar, component, self.clock, &span),
            guests: guests::of(component, self.account),
            attachments: attachments::of(self.document, self.lines),
        }
    }

    fn sensitivity(&self) -> Sensitivity {
        match self.component.property(&ICalendarProperty::Class).and_then(|entry| entry.values.first()) {
            None | Some(ICalendarValue::Classification(ICalendarClassification::Public)) => Sensitivity::Normal,
            Some(ICalendarValue::Classification(ICalendarClassification::Confidential)) => Sensitivity::Confidential,
            // A class nobody knows is to be treated as private (RFC 5545 §3.8.1.3).
            Some(_) => Sensitivity::Private,
        }
    }

    fn categories(&self) -> Vec<String> {
        let mut categories: Vec<String> = Vec::new();
        let mut known = BTreeSet::new();
        for entry in self.component.properties(&ICalendarProperty::Categories) {
            for name in entry.values.iter().filter_map(|value| value.as_text()).map(str::trim) {
                if !name.is_empty() && known.insert(name) {
                    categories.push(name.to_owned());
                }
            }
        }
        categories
    }

    fn marks(&self) -> Marks {
        let lines = self.lines.properties.iter().filter_map(|&at| self.document.lines.get(at));
        let extensions = lines.filter(|line| line.name().get(..2).is_some_and(|x| x.eq_ignore_ascii_case("X-")));
        let properties = extensions.filter_map(|line| {
            let content = line.unfolded();
            let (_, value) = split_value(&content)?;
            Some((line.name().to_owned(), unescape(value)))
        });
        Marks { sensitivity: self.sensitivity(), categories: self.categories(), properties: properties.collect() }
    }

    fn text(&self, name: &ICalendarProperty) -> String {
        let value = self.component.property(name).and_then(|entry| entry.values.first());
        value.and_then(|value| value.as_text()).unwrap_or_default().to_owned()
    }

    /// STYLED-DESCRIPTION (RFC 9073 §6.5), which may stand there in several formats, before X-ALT-DESC.
    fn html(&self) -> Option<String> {
        let lines = |name| self.document.properties(self.lines, name);
        lines("STYLED-DESCRIPTION").chain(lines("X-ALT-DESC")).find_map(|line| {
            let content = line.unfolded();
            let (head, value) = split_value(&content)?;
            let by_reference = parameter(head, "VALUE").is_some_and(|kind| !kind.eq_ignore_ascii_case("TEXT"));
            let html = parameter(head, "FMTTYPE")
                .map_or(value.trim_start().starts_with('<'), |kind| kind.eq_ignore_ascii_case("text/html"));
            (html && !by_reference && !value.is_empty()).then(|| unescape(value))
        })
    }

    /// X-TEAMS-MEETING; `None` where it is not there, or neither TRUE nor FALSE.
    fn meeting_by_text(&self) -> Option<bool> {
        let (_, line) = self.document.property(self.lines, "X-TEAMS-MEETING")?;
        let content = line.unfolded();
        let (_, value) = split_value(&content)?;
        match value.trim() {
            value if value.eq_ignore_ascii_case("TRUE") => Some(true),
            value if value.eq_ignore_ascii_case("FALSE") => Some(false),
            _ => None,
        }
    }
}

fn attendance(entry: &ICalendarEntry) -> Attendance {
    match entry.parameter(&ICalendarParameterName::Partstat) {
        Some(ICalendarParameterValue::Partstat(ICalendarParticipationStatus::Accepted)) => Attendance::Accepted,
        Some(ICalendarParameterValue::Partstat(
            ICalendarParticipationStatus::Declined | ICalendarParticipationStatus::Delegated,
        )) => Attendance::Declined,
        _ => Attendance::Undecided,
    }
}
