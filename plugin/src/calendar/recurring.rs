//! Reading an event that repeats: the component that repeats, and those that stand for one occurrence of it.

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarPeriod, ICalendarProperty, ICalendarStatus, ICalendarValue,
};
use chrono::{Duration, NaiveDateTime};

use super::event::{Attendance, EventFault};
use super::read::Reader;
use super::times::{Home, Stamp, is_possible};
use crate::domain::Copy;
use crate::join_link::{parameter, split_value};
use crate::series::parts::Occurrences;
use crate::series::rule::Rule;
use crate::series::{Base, MAX_PIECES, Override, Refusal, Series, Then, Turn};

/// Why there is no series although there are components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeriesFault {
    /// A component is none.
    Event(EventFault),
    /// See there.
    Refused(Refusal),
}

impl From<Refusal> for SeriesFault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<EventFault> for SeriesFault {
    fn from(fault: EventFault) -> Self {
        Self::Event(fault)
    }
}

/// Reads all components of a UID.
pub(super) fn series(components: &[Reader<'_>], copy: Copy) -> Result<Series, SeriesFault> {
    let mut masters = components.iter().filter(|reader| recurrence_id(reader.component).is_none());
    let master = masters.next();
    if masters.next().is_some() {
        // Which of them counts, nobody can know.
        return Err(Refusal::Unreadable.into());
    }
    // Who declined a series may still come to single occurrences.
    let declined = master.is_some_and(|master| is_declined(master, copy));
    let Some(master) = master.filter(|_| !declined) else {
        let mut overrides = Vec::new();
        for reader in attended(components, copy) {
            if declined && is_this_and_future(reader)? {
                return Err(Refusal::NotExpressible.into());
            }
            let span = reader.clock.span(reader.component)?;
            let of = span.start.local;
            overrides.push(Override { of, event: reader.event(span, copy, reader.attendance()) });
        }
        return Ok(Series { base: None, overrides });
    };
    let (mut base, home) = base(master, copy)?;
    let mut overrides: Vec<Override> = Vec::new();
    let mut cancelled = std::collections::BTreeSet::new();
    // Of several for one occurrence the newest counts, which is the one with the highest SEQUENCE.
    let mut newest_last: Vec<&Reader<'_>> = components.iter().collect();
    newest_last.sort_by_key(|reader| sequence(reader.component));
    for reader in newest_last {
        let Some(entry) = recurrence_id(reader.component) else { continue };
        let value = entry.values.first().and_then(ICalendarValue::as_partial_date_time).ok_or(Refusal::Unreadable)?;
        let of = match reader.clock.stamp(entry, value, &home.zone).ok_or(Refusal::Unreadable)? {
            Stamp::Time(local) => local,
            // A date alone means the occurrence of that day.
            Stamp::Day(day) => day.and_time(home.start.time()),
        };
        let event = if takes_place(reader, copy) {
            Some(reader.event(reader.clock.span(reader.component)?, copy, reader.attendance()))
        } else {
            None
        };
        if is_this_and_future(reader)? {
            if base.turns.len() == MAX_PIECES {
                return Err(Refusal::TooManyPieces.into());
            }
            base.turns.retain(|turn| turn.from != of);
            base.turns.push(Turn { from: of, then: event.map(|event| then(reader, event, of, &home)).transpose()? });
            continue;
        }
        match event {
            Some(event) => {
                overrides.retain(|other| other.of != of);
                cancelled.remove(&of);
                overrides.push(Override { of, event });
            }
            None => {
                overrides.retain(|other| other.of != of);
                cancelled.insert(of);
            }
        }
    }
    base.removed.extend(cancelled);
    base.turns.sort_by_key(|turn| turn.from);
    Ok(Series { base: Some(base), overrides })
}

fn base(reader: &Reader<'_>, copy: Copy) -> Result<(Base, Home), SeriesFault> {
    let component = reader.component;
    let span = reader.clock.span(component)?;
    let home = reader.clock.home(component)?.ok_or(Refusal::ZoneUnknown)?;
    let mut base = Base {
        event: reader.event(span, copy, reader.attendance()),
        zone: home.zone,
        start: home.start,
        length: home.length,
        rules: Vec::new(),
        extra: std::collections::BTreeMap::new(),
        removed: std::collections::BTreeSet::new(),
        removed_days: std::collections::BTreeSet::new(),
        turns: Vec::new(),
        split: None,
    };
    for line in reader.lines.properties.iter().filter_map(|&at| reader.document.lines.get(at)) {
        if line.is("EXRULE") {
            return Err(Refusal::NotExpressible.into());
        }
        if !line.is("RRULE") {
            continue;
        }
        let content = line.unfolded();
        let (_, value) = split_value(&content).ok_or(Refusal::Unreadable)?;
        if base.rules.len() == MAX_PIECES {
            return Err(Refusal::TooManyPieces.into());
        }
        base.rules.push(Occurrences::of(&Rule::read(value)?, home.start, &home.zone)?);
    }
    for entry in component.properties(&ICalendarProperty::Exdate) {
        for value in &entry.values {
            let value = value.as_partial_date_time().ok_or(Refusal::Unreadable)?;
            match reader.clock.stamp(entry, value, &home.zone).ok_or(Refusal::Unreadable)? {
                Stamp::Time(local) => {
                    base.removed.insert(local);
                }
                Stamp::Day(day) => {
                    base.removed_days.insert(day);
                }
            }
        }
    }
    for entry in component.properties(&ICalendarProperty::Rdate) {
        for value in &entry.values {
            let (start, length) = extra(reader, entry, value, &home).ok_or(Refusal::Unreadable)?;
            base.extra.insert(start, length);
        }
    }
    Ok((base, home))
}

/// One value of an RDATE: a start, and a length where it is a period.
fn extra(
    reader: &Reader<'_>,
    entry: &ICalendarEntry,
    value: &ICalendarValue,
    home: &Home,
) -> Option<(NaiveDateTime, Option<Duration>)> {
    let local = |value| match reader.clock.stamp(entry, value, &home.zone)? {
        Stamp::Time(local) => Some(local),
        Stamp::Day(day) => Some(day.and_time(home.start.time())),
    };
    match value {
        ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
            let (start, end) = (local(start)?, local(end)?);
            is_possible(end - start).then_some((start, Some(end - start)))
        }
        ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
            let length = Duration::seconds(duration.as_seconds());
            is_possible(length).then_some((local(start)?, Some(length)))
        }
        other => Some((local(other.as_partial_date_time()?)?, None)),
    }
}

/// RANGE=THISANDFUTURE: the same change for every later occurrence, by the clock.
fn then(reader: &Reader<'_>, event: super::Event, of: NaiveDateTime, home: &Home) -> Result<Then, SeriesFault> {
    let own = reader.clock.home(reader.component)?.ok_or(Refusal::ZoneUnknown)?;
    if own.zone != home.zone {
        return Err(Refusal::NotExpressible.into());
    }
    Ok(Then { event, later: own.start - of, length: own.length })
}

fn recurrence_id(component: &ICalendarComponent) -> Option<&ICalendarEntry> {
    component.property(&ICalendarProperty::RecurrenceId)
}

/// SEQUENCE; 0 where there is none.
fn sequence(component: &ICalendarComponent) -> i64 {
    let value = component.property(&ICalendarProperty::Sequence).and_then(|entry| entry.values.first());
    value.and_then(ICalendarValue::as_integer).unwrap_or_default()
}

/// RANGE=THISANDFUTURE; THISANDPRIOR went out of use with RFC 5545.
fn is_this_and_future(reader: &Reader<'_>) -> Result<bool, Refusal> {
    let Some((_, line)) = reader.document.property(reader.lines, "RECURRENCE-ID") else { return Ok(false) };
    let content = line.unfolded();
    match split_value(&content).and_then(|(head, _)| parameter(head, "RANGE")) {
        None => Ok(false),
        Some(range) if range.eq_ignore_ascii_case("THISANDFUTURE") => Ok(true),
        Some(_) => Err(Refusal::NotExpressible),
    }
}

/// An occurrence that is cancelled, or that the account declined, does not.
fn takes_place(reader: &Reader<'_>, copy: Copy) -> bool {
    reader.component.status() != Some(&ICalendarStatus::Cancelled) && !is_declined(reader, copy)
}

fn is_declined(reader: &Reader<'_>, copy: Copy) -> bool {
    copy == Copy::Attendee && reader.attendance() == Attendance::Declined
}

/// The single occurrences that take place where the series itself does not, or is not there. Of a series that the account
/// declined they are those it is invited to by name.
pub(super) fn attended<'a, 'r>(components: &'a [Reader<'r>], copy: Copy) -> impl Iterator<Item = &'a Reader<'r>> {
    let alone = components.iter().all(|reader| recurrence_id(reader.component).is_some());
    components.iter().filter(move |reader| {
        recurrence_id(reader.component).is_some() && takes_place(reader, copy) && (alone || reader.is_invited())
    })
}
