//! All pieces of an event that repeats.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value;

use super::cover::Reliance;
use super::days::Days;
use super::parts::{Occurrences, Part, last_up_to};
use super::pattern::{Pattern, Range};
use super::zone::Zone;
use super::{Base, MAX_PIECES, Override, Refusal, Series};
use crate::calendar::Event;
use crate::calendar::times::{Moment, Span};

/// One event at Microsoft.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// What it says, at its first occurrence.
    pub(crate) event: Event,
    /// How it repeats; `None`: it does not.
    pub(crate) repeats: Option<Repeats>,
    /// When its last occurrence ends: Unix time in milliseconds; `None`: never.
    pub(crate) last_end_ms: Option<i64>,
}

/// How a piece repeats.
#[derive(Debug, Clone)]
pub(crate) struct Repeats {
    /// `patternedRecurrence`.
    pub(crate) recurrence: Value,
    /// What differs on certain days.
    pub(crate) changes: BTreeMap<NaiveDate, Change>,
    /// The first day that is only there if Microsoft takes a day the month has not for its last.
    pub(crate) clamped: Option<NaiveDate>,
    /// Where its days and times belong.
    pub(crate) zone: Zone,
    days: Days,
    last: Option<NaiveDate>,
    time: NaiveTime,
    length: Duration,
}

/// What differs on a day of a series.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// It does not take place.
    Removed,
    /// It is otherwise.
    Edited(Box<Event>),
}

impl Piece {
    /// An event that takes place once.
    pub(crate) fn single(event: Event) -> Self {
        let last_end_ms = Some(event.span.end.utc_ms);
        Self { event, repeats: None, last_end_ms }
    }
}

impl Repeats {
    /// Whether the series has an occurrence on that day, whatever becomes of it.
    pub(crate) fn has(&self, day: NaiveDate) -> bool {
        self.last.is_none_or(|last| day <= last) && self.days.has(day)
    }

    /// The day it begins with.
    pub(crate) fn first_day(&self) -> NaiveDate {
        self.days.first
    }

    /// When the occurrence of a day is, if nothing is said against it.
    pub(crate) fn span(&self, day: NaiveDate) -> Span {
        span(&self.zone, day.and_time(self.time), self.length)
    }

    /// Its days from one to another, both included.
    pub(crate) fn days_within(&self, from: NaiveDate, to: NaiveDate) -> impl Iterator<Item = NaiveDate> + '_ {
        let last = self.last.map_or(to, |last| last.min(to));
        self.days.from(from).take_while(move |day| *day <= last)
    }
}

/// Everything an event becomes at Microsoft; never empty. The first is the one that ends last, which owns the meeting.
///
/// # Errors
/// See [`Refusal`].
pub(crate) fn plan(series: &Series, on: Reliance) -> Result<Vec<Piece>, Refusal> {
    let mut pieces = match &series.base {
        Some(base) => of_base(base, &series.overrides, on)?,
        None => series.overrides.iter().map(|one| Piece::single(one.event.clone())).collect(),
    };
    if pieces.is_empty() {
        return Err(Refusal::NoOccurrences);
    }
    if pieces.len() > MAX_PIECES {
        return Err(Refusal::TooManyPieces);
    }
    pieces.sort_by_key(|piece| {
        let end = piece.last_end_ms.unwrap_or(i64::MAX);
        std::cmp::Reverse((end, piece.repeats.is_some()))
    });
    Ok(pieces)
}

/// When the last occurrence ends; `None`: never.
pub(crate) fn last_end_ms(pieces: &[Piece]) -> Option<i64> {
    pieces.iter().map(|piece| piece.last_end_ms).try_fold(i64::MIN, |last, end| end.map(|end| last.max(end)))
}

/// A stretch of the series in which the same is said.
#[derive(Clone)]
struct Stretch<'a> {
    from: Option<NaiveDateTime>,
    to: Option<NaiveDateTime>,
    event: &'a Event,
    later: Duration,
    length: Duration,
}

fn of_base(base: &Base, overrides: &[Override], on: Reliance) -> Result<Vec<Piece>, Refusal> {
    are_apart(&base.rules)?;
    let mut pieces = Vec::new();
    let mut used: Vec<bool> = vec![false; overrides.len()];
    let mut over = |local: NaiveDateTime| {
        let at = overrides.iter().position(|one| one.of == local)?;
        if let Some(used) = used.get_mut(at) {
            *used = true;
        }
        overrides.get(at).map(|one| &one.event)
    };
    for stretch in stretches(base) {
        let mut once: BTreeMap<NaiveDateTime, Duration> = BTreeMap::new();
        if base.rules.is_empty() && stretch.from.is_none() {
            let period = base.extra.get(&base.start).copied().flatten();
            once.insert(base.start, period.unwrap_or(stretch.length));
        }
        for rule in &base.rules {
            for part in rule.parts(stretch.from, stretch.to, on)? {
                match part {
                    // Another rule may have DTSTART as its own.
                    Part::Once(local) if local == base.start && is_regular(base, rule) => {}
                    Part::Once(local) => {
                        once.insert(local, stretch.length);
                    }
                    Part::Repeated { pattern, first, time, range } => {
                        let moved = first.and_time(time) + stretch.later;
                        let days_later = moved.date() - first;
                        let pattern = pattern.shifted(days_later.num_days()).ok_or(Refusal::NotExpressible)?;
                        let (mut first, mut range) = (moved.date(), range.shifted(days_later));
                        if base.zone.skips(moved) {
                            // At an hour that the clocks skip nothing can begin at Microsoft: the first stands alone.
                            once.insert(moved - stretch.later, stretch.length);
                            let Some(rest) = after_first(&pattern, first, range) else { continue };
                            (first, range) = rest;
                        }
                        let mut repeats = repeats(base, &stretch, &pattern, first, moved.time(), range);
                        let originals = overrides.iter().map(|one| one.of).chain(base.removed.iter().copied());
                        let days = base.removed_days.iter().map(|day| day.and_time(time));
                        for local in originals.chain(days).filter(|local| local.time() == time) {
                            let day = local.date() + days_later;
                            if !repeats.has(day) {
                                continue;
                            }
                            let changed = over(local);
                            let change = match changed {
                                _ if base.is_removed(local) => Change::Removed,
                                Some(event) => Change::Edited(Box::new(event.clone())),
                                None => continue,
                            };
                            repeats.changes.insert(day, change);
                        }
                        pieces.extend(piece(&stretch, first, repeats));
                    }
                }
            }
        }
        for (&local, &length) in &base.extra {
            let within = stretch.from.is_none_or(|from| local >= from) && stretch.to.is_none_or(|to| local < to);
            if within && local != base.start && !base.rules.iter().any(|rule| rule.has(local)) {
                once.insert(local, length.unwrap_or(stretch.length));
            }
        }
        for (local, length) in once {
            let changed = over(local);
            if base.is_removed(local) {
                continue;
            }
            pieces.push(Piece::single(changed.cloned().unwrap_or_else(|| {
                let mut span = span(&base.zone, local + stretch.later, length);
                if base.zone.skips(span.start.local) {
                    let [start, end] = [span.start.utc_ms, span.end.utc_ms].map(DateTime::from_timestamp_millis);
                    span.start = start.map_or(span.start, Moment::utc);
                    span.end = end.map_or(span.end, Moment::utc);
                }
                Event { span, ..stretch.event.clone() }
            })));
        }
        if pieces.len() > MAX_PIECES {
            return Err(Refusal::TooManyPieces);
        }
    }
    // What stands for no occurrence of the rule takes place all the same.
    let rest = overrides.iter().zip(used).filter(|(one, used)| !used && !base.is_removed(one.of));
    pieces.extend(rest.map(|(one, _)| Piece::single(one.event.clone())));
    Ok(pieces)
}

/// Whether DTSTART is an occurrence of another rule than this one, or was already of an earlier one.
fn is_regular(base: &Base, rule: &Occurrences) -> bool {
    let others = base.rules.iter().filter(|other| !std::ptr::eq(*other, rule));
    others.clone().any(|other| other.is_on_rule(base.start))
}

fn stretches(base: &Base) -> Vec<Stretch<'_>> {
    let whole = Stretch { from: None, to: None, event: &base.event, later: Duration::zero(), length: base.length };
    let mut stretches = vec![whole];
    for turn in &base.turns {
        if let Some(last) = stretches.last_mut()
            && last.to.is_none()
        {
            last.to = Some(turn.from);
        }
        if let Some(then) = &turn.then {
            stretches.push(Stretch {
                from: Some(turn.from),
                to: None,
                event: &then.event,
                later: then.later,
                length: then.length,
            });
        }
    }
    let Some(split) = base.split.map(|day| day.and_time(NaiveTime::MIN)) else { return stretches };
    // A stretch has its limits as the rule has its times; Microsoft split what is moved.
    let split_of = |stretch: &Stretch<'_>| split.checked_sub_signed(stretch.later).unwrap_or(split);
    stretches.into_iter().flat_map(|stretch| split_at(split_of(&stretch), stretch)).collect()
}

/// A stretch as two, where the time lies within it.
fn split_at(at: NaiveDateTime, stretch: Stretch<'_>) -> Vec<Stretch<'_>> {
    if stretch.from.is_some_and(|from| at <= from) || stretch.to.is_some_and(|to| at >= to) {
        return vec![stretch];
    }
    let before = Stretch { to: Some(at), ..stretch.clone() };
    vec![before, Stretch { from: Some(at), ..stretch }]
}

/// The second day of a series, and the range from there on; `None`: there is no second.
fn after_first(pattern: &Pattern, first: NaiveDate, range: Range) -> Option<(NaiveDate, Range)> {
    let second = pattern.days(first).from(first).nth(1)?;
    let range = match range {
        Range::On(last) if last < second => return None,
        Range::After(number) => Range::After(number.checked_sub(1).filter(|left| *left > 0)?),
        Range::On(_) | Range::Never => range,
    };
    Some((second, range))
}

fn repeats(
    base: &Base,
    stretch: &Stretch<'_>,
    pattern: &Pattern,
    first: NaiveDate,
    time: NaiveTime,
    range: Range,
) -> Repeats {
    let last = match range {
        Range::On(last) => Some(last),
        Range::Never | Range::After(_) => None,
    };
    let days = pattern.days(first);
    let clamped = days
        .from(first)
        .take(CLAMPED_WITHIN)
        .take_while(|day| last.is_none_or(|last| *day <= last))
        .find(|&day| pattern.is_clamped(day));
    Repeats {
        recurrence: pattern.json(first, range, base.zone.windows),
        changes: BTreeMap::new(),
        clamped,
        zone: base.zone,
        days,
        last,
        time,
        length: stretch.length,
    }
}

/// A short month is met within so many occurrences, or never.
const CLAMPED_WITHIN: usize = 400;

/// The piece, unless nothing of it takes place.
fn piece(stretch: &Stretch<'_>, first: NaiveDate, repeats: Repeats) -> Option<Piece> {
    let removed = |day: NaiveDate| matches!(repeats.changes.get(&day), Some(Change::Removed));
    let last_end_ms = match repeats.last {
        None => None,
        Some(last) => {
            if repeats.days.from(first).take_while(|day| *day <= last).all(removed) {
                return None;
            }
            let mut last_kept = last;
            while removed(last_kept) {
                last_kept = last_up_to(&repeats.days, first, last_kept.pred_opt()?)?;
            }
            let edited = repeats.changes.values().filter_map(|change| match change {
                Change::Edited(event) => Some(event.span.end.utc_ms),
                Change::Removed => None,
            });
            edited.chain([repeats.span(last_kept).end.utc_ms]).max()
        }
    };
    let event = Event { span: repeats.span(first), ..stretch.event.clone() };
    Some(Piece { event, repeats: Some(repeats), last_end_ms })
}

/// Two rules must not name the same occurrence, which would stand at Microsoft twice.
fn are_apart(rules: &[Occurrences]) -> Result<(), Refusal> {
    let mut steps = MAX_STEPS;
    for (number, one) in rules.iter().enumerate() {
        for other in rules.iter().skip(number + 1) {
            if one.meets(other, &mut steps) != Some(false) {
                return Err(Refusal::NotExpressible);
            }
        }
    }
    Ok(())
}

/// Occurrences that are looked at to see that rules do not meet.
const MAX_STEPS: usize = 500_000;

fn span(zone: &Zone, start: NaiveDateTime, length: Duration) -> Span {
    let moment = |local: NaiveDateTime| Moment { local, zone: zone.windows, utc_ms: zone.utc_ms(local) };
    let (start, mut end) = (moment(start), moment(start + length));
    if end.utc_ms < start.utc_ms {
        // It begins in an hour that the clocks skip and so moves behind its end; it lasts as long as it says.
        end = moment(zone.local(start.utc_ms + length.num_milliseconds()));
    }
    Span { start, end, all_day: zone.all_day }
}
