//! A rule and its DTSTART → patterns with a range, and single occurrences where that is shorter or the only way.

use chrono::{DateTime, Days as Span, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::cover::{Reliance, cover};
use super::days::Days;
use super::pattern::{Pattern, Range};
use super::rule::{End, Freq, Rule};
use super::zone::Zone;
use super::{MAX_PIECES, Refusal};

/// A part of a series, in the series' own zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// It takes place once.
    Once(NaiveDateTime),
    /// It takes place from a day on, at most once a day, always at the same time.
    Repeated { pattern: Pattern, first: NaiveDate, time: NaiveTime, range: Range },
}

/// Occurrences that are looked at one by one; a rule with more is taken by its number alone.
const MAX_COUNTED: usize = 20_000;

/// Steps of a rule that repeats within a day.
const MAX_STEPS: usize = 100_000;

/// A rule with what it takes from DTSTART.
#[derive(Debug, Clone)]
pub(crate) struct Occurrences {
    kind: Kind,
    wkst: chrono::Weekday,
    /// DTSTART, which takes place whatever the rule says.
    start: NaiveDateTime,
    /// Nothing takes place after it; `None`: no end, or one that is not looked at.
    last: Option<NaiveDateTime>,
    /// COUNT, where its last occurrence is too far away to be looked at.
    number: Option<u32>,
}

#[derive(Debug, Clone)]
enum Kind {
    OnDays {
        days: Box<Days>,
        times: Vec<NaiveTime>,
    },
    /// All there are, few.
    Listed(Vec<NaiveDateTime>),
}

impl Occurrences {
    /// Works a rule out.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub(crate) fn of(rule: &Rule, start: NaiveDateTime, zone: &Zone) -> Result<Self, Refusal> {
        let until = match rule.end {
            End::UntilDay(day) => day.and_hms_opt(23, 59, 59),
            End::UntilLocal(local) => Some(local),
            End::UntilUtc(instant) => Some(zone.local(instant.and_utc().timestamp_millis())),
            End::Never | End::Count(_) => None,
        };
        if rule.freq < Freq::Daily && zone.all_day {
            // A day does not take place several times a day.
            return Err(Refusal::Unreadable);
        }
        if rule.freq < Freq::Daily {
            let listed = within_a_day(rule, start, until)?;
            if listed.iter().any(|&local| zone.offset_at(local) != zone.offset_at(start)) {
                // An hour later by the clock and an hour later are not the same here.
                return Err(Refusal::NotExpressible);
            }
            let last = listed.last().copied();
            let kind = Kind::Listed(listed);
            return Ok(Self { kind, wkst: rule.wkst, start, last, number: None });
        }
        let days = Days::of(rule, start.date())?;
        // On whole days BYHOUR and finer mean nothing (RFC 5545 §3.3.10).
        let times = if zone.all_day { vec![start.time()] } else { rule.times(start.time()) };
        let kind = Kind::OnDays { days: Box::new(days), times };
        let mut all = Self { kind, wkst: rule.wkst, start, last: until, number: None };
        if let End::Count(count) = rule.end {
            // DTSTART is the first occurrence, whether the rule has it or not.
            let wanted = usize::try_from(count).unwrap_or(usize::MAX);
            let wanted = if all.on_rule(start) { wanted } else { wanted - 1 };
            if wanted > MAX_COUNTED {
                all.number = Some(count);
            } else if let Some(last) = all.from(start).take(wanted).last() {
                all.last = Some(last);
            } else {
                all.last = Some(start);
            }
        }
        Ok(all)
    }

    /// Whether the rule itself has it, whatever its end.
    fn on_rule(&self, local: NaiveDateTime) -> bool {
        match &self.kind {
            Kind::OnDays { days, times } => days.has(local.date()) && times.contains(&local.time()),
            Kind::Listed(listed) => listed.contains(&local),
        }
    }

    /// Whether it takes place then.
    pub(crate) fn has(&self, local: NaiveDateTime) -> bool {
        local == self.start || local > self.start && self.last.is_none_or(|last| local <= last) && self.on_rule(local)
    }

    /// The rule's occurrences from a time on, whatever its end.
    fn from(&self, from: NaiveDateTime) -> Box<dyn Iterator<Item = NaiveDateTime> + '_> {
        let from = from.max(self.start);
        match &self.kind {
            Kind::OnDays { days, times } => Box::new(
                days.from(from.date())
                    .flat_map(|day| times.iter().map(move |&time| day.and_time(time)))
                    .skip_while(move |&local| local < from),
            ),
            Kind::Listed(listed) => Box::new(listed.iter().copied().skip_while(move |&local| local < from)),
        }
    }

    /// Whether DTSTART, or another time, is an occurrence by the rule itself.
    pub(crate) fn is_on_rule(&self, local: NaiveDateTime) -> bool {
        self.on_rule(local) && self.last.is_none_or(|last| local <= last)
    }

    /// Whether two rules have an occurrence in common by their own words; `None` where it would take more than `steps`,
    /// which are used up, to find out.
    pub(crate) fn meets(&self, other: &Self, steps: &mut usize) -> Option<bool> {
        if let (Kind::OnDays { days, times }, Kind::OnDays { days: other_days, times: other_times }) =
            (&self.kind, &other.kind)
            && (!days.grid.meets(&other_days.grid) || !times.iter().any(|time| other_times.contains(time)))
        {
            return Some(false);
        }
        let last = self.last;
        let own = self.from(self.start.max(other.start));
        for local in own.take_while(|&local| last.is_none_or(|last| local <= last)) {
            *steps = steps.checked_sub(1)?;
            if other.is_on_rule(local) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// The parts of what takes place from `from` on and before `to`; `None`: from DTSTART on, to the rule's end.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub(crate) fn parts(
        &self,
        from: Option<NaiveDateTime>,
        to: Option<NaiveDateTime>,
        on: Reliance,
    ) -> Result<Vec<Part>, Refusal> {
        let from = from.unwrap_or(self.start).max(self.start);
        let last = match (self.last, to.and_then(|to| to.checked_sub_signed(Duration::seconds(1)))) {
            (Some(own), Some(to)) => Some(own.min(to)),
            (own, to) => own.or(to),
        };
        if last.is_some_and(|last| last < from) {
            // UNTIL before DTSTART leaves DTSTART.
            let alone = from == self.start && to.is_none_or(|to| self.start < to);
            return Ok(if alone { vec![Part::Once(self.start)] } else { Vec::new() });
        }
        let mut parts = Vec::new();
        if from == self.start && !self.on_rule(self.start) {
            parts.push(Part::Once(self.start));
        }
        let few = || -> Option<Vec<Part>> {
            let last = last?;
            let some: Vec<_> = self.from(from).take_while(|&local| local <= last).take(MAX_PIECES + 1).collect();
            (some.len() <= MAX_PIECES).then(|| some.into_iter().map(Part::Once).collect())
        };
        let Kind::OnDays { days, times } = &self.kind else {
            parts.extend(few().ok_or(Refusal::TooManyPieces)?);
            return Ok(parts);
        };
        if times.len() > MAX_PIECES {
            parts.extend(few().ok_or(Refusal::TooManyPieces)?);
            return Ok(parts);
        }
        let repeated = cover(days, self.wkst, from.date(), on).map(|covered| {
            covered
                .into_iter()
                .flat_map(|covered| times.iter().map(move |&time| (covered.clone(), time)))
                .filter_map(|(covered, time)| {
                    repeated(covered.pattern, covered.first, covered.before, time, from, last)
                })
                .collect::<Vec<_>>()
        });
        let repeated = match (repeated, self.number) {
            // So many that they are not counted one by one: Microsoft counts, where there is nothing else to count.
            (Ok(mut only), Some(number)) if to.is_none() => match only.as_mut_slice() {
                [Part::Repeated { range, .. }] => {
                    let gone = self.from(self.start).take_while(|&local| local < from).take(MAX_COUNTED).count();
                    let extra = usize::from(!self.on_rule(self.start));
                    let left = number.saturating_sub(u32::try_from(gone + extra).unwrap_or(u32::MAX));
                    *range = Range::After(left.max(1));
                    only
                }
                _ => return Err(Refusal::NotExpressible),
            },
            (Ok(repeated), _) => match few() {
                Some(few) if few.len() <= repeated.len() => few,
                _ => repeated,
            },
            (Err(why), _) => few().ok_or(why)?,
        };
        parts.extend(repeated);
        if parts.len() > MAX_PIECES { Err(Refusal::TooManyPieces) } else { Ok(parts) }
    }
}

/// One pattern at one time of day, from the first occurrence on that is not before `from` to the last that is not after
/// `last`; nothing where there is none.
fn repeated(
    pattern: Pattern,
    first: NaiveDate,
    before: Option<NaiveDate>,
    time: NaiveTime,
    from: NaiveDateTime,
    last: Option<NaiveDateTime>,
) -> Option<Part> {
    let days = pattern.days(first);
    // On the very day `from` lies in its time may be over.
    let first = days.from(first).find(|day| day.and_time(time) >= from)?;
    if before.is_some_and(|before| first >= before) {
        return None;
    }
    let limit = match (last, before) {
        (Some(last), before) => {
            let day = if last.time() >= time { last.date() } else { last.date().pred_opt()? };
            before.and_then(|before| before.pred_opt()).map_or(Some(day), |before| Some(day.min(before)))
        }
        (None, Some(before)) => before.pred_opt(),
        (None, None) => None,
    };
    let Some(limit) = limit else { return Some(Part::Repeated { pattern, first, time, range: Range::Never }) };
    let found = last_up_to(&days, first, limit)?;
    if found == first {
        return Some(Part::Once(first.and_time(time)));
    }
    Some(Part::Repeated { pattern, first, time, range: Range::On(found) })
}

/// The last of the days that is not after a limit, looked for from the limit back.
pub(crate) fn last_up_to(days: &Days, first: NaiveDate, limit: NaiveDate) -> Option<NaiveDate> {
    let mut day = limit;
    while day >= first {
        if days.has(day) {
            return Some(day);
        }
        day = day.checked_sub_days(Span::new(1))?;
    }
    None
}

/// A rule that repeats every so many hours, minutes or seconds: all its occurrences.
fn within_a_day(
    rule: &Rule,
    start: NaiveDateTime,
    until: Option<NaiveDateTime>,
) -> Result<Vec<NaiveDateTime>, Refusal> {
    let most = match rule.end {
        End::Never => return Err(Refusal::NotExpressible),
        End::Count(count) => usize::try_from(count).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let step = match rule.freq {
        Freq::Hourly => Duration::hours(i64::from(rule.interval)),
        Freq::Minutely => Duration::minutes(i64::from(rule.interval)),
        _ => Duration::seconds(i64::from(rule.interval)),
    };
    let days = Days::of(&Rule { freq: Freq::Daily, interval: 1, ..rule.clone() }, start.date())?;
    let wanted = |list: &[u32], own: u32| list.is_empty() || list.contains(&own);
    let mut found = Vec::new();
    let mut at = start;
    for _ in 0..MAX_STEPS {
        // What is finer than the step is expanded, what is coarser limits.
        let minutes: Vec<u32> = match rule.freq {
            Freq::Hourly if !rule.minutes.is_empty() => rule.minutes.clone(),
            _ => vec![at.minute()],
        };
        let seconds: Vec<u32> = match rule.freq {
            Freq::Hourly | Freq::Minutely if !rule.seconds.is_empty() => rule.seconds.clone(),
            _ => vec![at.second()],
        };
        let times = minutes.iter().flat_map(|&minute| seconds.iter().map(move |&second| (minute, second)));
        for (minute, second) in times {
            let Some(local) = at.date().and_hms_opt(at.hour(), minute, second) else { continue };
            if until.is_some_and(|until| local > until) || found.len() >= most {
                return Ok(found);
            }
            let fits = days.has(local.date())
                && wanted(&rule.hours, local.hour())
                && wanted(&rule.minutes, local.minute())
                && wanted(&rule.seconds, local.second());
            if fits && local >= start {
                found.push(local);
            }
        }
        if found.len() > MAX_PIECES {
            return Err(Refusal::TooManyPieces);
        }
        at = at
            .checked_add_signed(step)
            .filter(|at| *at < DateTime::<chrono::Utc>::MAX_UTC.naive_utc())
            .ok_or(Refusal::NotExpressible)?;
    }
    Err(Refusal::NotExpressible)
}
