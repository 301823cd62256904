//! Changing and deleting one occurrence of a series, and what a new pattern does to the old occurrences.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime};

use crate::directory::User;
use crate::graph::draft::{self, Draft};
use crate::graph::error::{Result, invalid, item_not_found};
use crate::graph::mailbox::{self, Event};
use crate::graph::recurrence::{End, Recurrence};
use crate::graph::series::{Change, Place, Series};
use crate::switches::RecurrencePatch;
use crate::world::World;

impl World {
    /// A new master's pattern, or a changed one's, checked against its start.
    pub(crate) fn set_recurrence(&mut self, event: &mut Event, recurrence: Recurrence) -> Result<()> {
        recurrence.check_start(&event.start)?;
        let clamp = self.switches.recurrence_clamps;
        let series = match event.series.take() {
            Some(series) => Series { recurrence, clamp, ..series.as_ref().clone() },
            None => Series::new(recurrence, clamp),
        };
        if series.days().next().is_none() {
            // Exchange's code for it, known from memory only.
            return Err(invalid("ErrorRecurrenceHasNoOccurrence", "The recurrence has no occurrence."));
        }
        event.series = Some(Arc::new(series));
        Ok(())
    }

    /// What a PATCH does to a master's pattern. Answers the series that was split off, where one was.
    pub(crate) fn change_pattern(&mut self, old: &Event, event: &mut Event, draft: &Draft) -> Result<Option<Event>> {
        let Some(before) = old.series.clone() else {
            if let Some(Some(recurrence)) = draft.recurrence.clone() {
                self.set_recurrence(event, recurrence)?;
            }
            return Ok(None);
        };
        let recurrence = match draft.recurrence.clone() {
            Some(None) => {
                event.series = None;
                return Ok(None);
            }
            Some(Some(recurrence)) => recurrence,
            None if draft.start.is_some() || draft.is_all_day.is_some() => before.recurrence.clone(),
            None => return Ok(None),
        };
        self.set_recurrence(event, recurrence)?;
        let split = self.switches.recurrence_patch == RecurrencePatch::Split;
        if split && let Some(past) = self.split(old, event) {
            return Ok(Some(past));
        }
        if let Some(series) = event.series.as_mut().map(Arc::make_mut) {
            if self.switches.recurrence_patch == RecurrencePatch::Drop {
                series.changes.clear();
                series.deleted.clear();
            }
            series.prune();
        }
        Ok(None)
    }

    /// Splits the series at now: the id that was PATCHed becomes the part still to come, what has begun stays as it was in
    /// a series of its own (OfficeDev/ews-managed-api#168). `None` where nothing has begun yet, or nothing is to come.
    fn split(&mut self, old: &Event, event: &mut Event) -> Option<Event> {
        let now = self.now();
        let begun = |event: &Event, day: NaiveDate| event.start.moved(day - event.start.local.date()).utc < now;
        let before = old.series.as_deref()?;
        let last_begun = before.days().take_while(|day| begun(old, *day)).last()?;
        let after = event.series.as_deref()?;
        let gone = after.days().take_while(|day| begun(event, *day)).count();
        let first = after.days().nth(gone)?;

        let mut past = before.clone();
        past.recurrence.range.end = End::On(last_begun);
        past.prune();
        let past = Event {
            id: mailbox::default_id(&mut self.rng),
            immutable_id: mailbox::immutable_id(&mut self.rng),
            change_key: mailbox::change_key(&mut self.rng),
            ical_uid: mailbox::ical_uid(&mut self.rng),
            modified: now,
            transaction_id: None,
            series: Some(Arc::new(past)),
            ..old.clone()
        };

        let mut coming = Series::new(after.recurrence.clone(), after.clamp);
        coming.recurrence.range.start = first;
        if let End::After(number) = &mut coming.recurrence.range.end {
            *number = number.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
        }
        let later = first - event.start.local.date();
        (event.start, event.end) = (event.start.moved(later), event.end.moved(later));
        event.series = Some(Arc::new(coming));
        Some(past)
    }

    /// Keeps what a PATCH made of an occurrence in its master; answers the exception it became.
    pub(crate) fn keep_change(&mut self, owner: &User, place: &Place, event: &Event, draft: &Draft) -> Result<Event> {
        if draft.recurrence.as_ref().is_some_and(Option::is_some) {
            return Err(invalid("ErrorInvalidRequest", "An occurrence of a series cannot recur by itself."));
        }
        let mut master = self.master(owner, place)?;
        if draft.is_timed() {
            self.check_neighbours(&master, place.day, event)?;
        }
        let now = self.now();
        let change_key = mailbox::change_key(&mut self.rng);
        let Some(series) = master.series.as_mut().map(Arc::make_mut) else { return Err(item_not_found()) };
        let change = series.changes.entry(place.day).or_insert_with(Change::default);
        for name in draft.plain.keys() {
            if let Some(value) = event.plain.get(name) {
                change.plain.insert(name.clone(), value.clone());
            }
        }
        if draft.is_timed() {
            change.times = Some((event.start.clone(), event.end.clone(), event.is_all_day));
        }
        if draft.body.is_some() || draft.online.is_some() {
            change.body = Some((event.body.clone(), event.meeting.clone(), event.lost.clone()));
        }
        for (id, value) in draft.extended.iter().flatten() {
            change.extended.retain(|(own, _)| !super::filter::same_extended(own, id));
            change.extended.push((id.clone(), value.clone()));
        }
        if draft.extensions.is_some() {
            change.extensions.clone_from(&draft.extensions);
        }
        (change.change_key, change.modified) = (change_key, now);
        self.store_master(owner, master.clone());
        master.occurrence_on(place.day).ok_or_else(item_not_found)
    }

    /// Takes an occurrence out of its series.
    pub(crate) fn delete_occurrence(&mut self, owner: &User, place: &Place) -> Result<Event> {
        let mut master = self.master(owner, place)?;
        let event = master.occurrence_on(place.day).ok_or_else(item_not_found)?;
        if let Some(series) = master.series.as_mut().map(Arc::make_mut) {
            series.changes.remove(&place.day);
            series.deleted.insert(place.day);
        }
        self.store_master(owner, master);
        Ok(event)
    }

    fn master(&self, owner: &User, place: &Place) -> Result<Event> {
        let mailbox = self.mailboxes.get(&owner.address);
        mailbox.and_then(|mailbox| mailbox.events.get(&place.master)).cloned().ok_or_else(item_not_found)
    }

    /// Exceptions are part of the master's item.
    fn store_master(&mut self, owner: &User, mut master: Event) {
        if self.switches.occurrence_change_moves_master {
            master.touch(self.now(), &mut self.rng);
        }
        if master.is_organizer {
            self.deliver(owner, &master, &master.attendees());
        }
        self.mailboxes.entry(owner.address.clone()).or_default().events.insert(master.id.clone(), master);
    }

    /// "An occurrence cannot be moved to or before the day of the previous occurrence, and cannot be moved to or after the
    /// day of the following occurrence" (Microsoft's page event-update), nor overlap them.
    fn check_neighbours(&self, master: &Event, day: NaiveDate, moved: &Event) -> Result<()> {
        let Some(series) = master.series.as_deref() else { return Ok(()) };
        let deleted_count = self.switches.deleted_occurrences_bound_moves;
        let neighbour = |day: &NaiveDate| deleted_count || !series.deleted.contains(day);
        let previous = series.days().take_while(|d| *d < day).filter(neighbour).last();
        let next = series.days().skip_while(|d| *d <= day).find(neighbour);
        let zone = &master.start.zone;
        let times = |day: NaiveDate| -> (NaiveDateTime, NaiveDateTime) {
            let event = master.occurrence_on(day);
            event.map_or_else(
                || (day.and_time(master.start.local.time()), day.and_time(master.start.local.time())),
                |event| in_zone(&event, zone),
            )
        };
        let (start, end) = in_zone(moved, zone);
        let crosses = previous.map(times).is_some_and(|(from, to)| start.date() <= from.date() || start < to)
            || next.map(times).is_some_and(|(from, _)| start.date() >= from.date() || end > from);
        if crosses { Err(crossing_boundary()) } else { Ok(()) }
    }
}

/// Start and end by the series' clock.
fn in_zone(event: &Event, zone: &str) -> (NaiveDateTime, NaiveDateTime) {
    if event.is_all_day {
        return (event.start.local, event.end.local);
    }
    let local = |moment: &mailbox::Moment| {
        crate::zones::find(zone, true).map_or(moment.local, |zone| moment.utc.with_timezone(&zone).naive_local())
    };
    (local(&event.start), local(&event.end))
}

fn crossing_boundary() -> super::error::GraphError {
    invalid("ErrorOccurrenceCrossingBoundary", "Modified occurrence is crossing or overlapping adjacent occurrence.")
}

/// An event's own times may only be checked once all that a PATCH says of them is in place.
pub(crate) fn take_times(event: &mut Event, draft: &Draft) -> Result<()> {
    if let Some(start) = &draft.start {
        event.start = start.clone();
    }
    if let Some(end) = &draft.end {
        event.end = end.clone();
    }
    event.is_all_day = draft.is_all_day.unwrap_or(event.is_all_day);
    draft::check_times(&event.start, &event.end, event.is_all_day)
}
