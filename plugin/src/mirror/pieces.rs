//! All events at Microsoft that one event of the calendar becomes: one for nearly every event, several for a series that
//! one pattern cannot say.
//!
//! The piece that ends last owns the meeting, and the record that owns it stays with that role whatever the piece looks
//! like: it is changed into the new one and never removed while another lives, so the link stays. The others are plain
//! events that name the link.

use super::create::{self, create};
use super::instances;
use super::session::{Desired, Goal, Session, Target};
use super::update::update;
use super::{Done, absent, mirrored, removed};
use crate::domain::{HookError, Intent, Outcome};
use crate::graph::fields::{ATTENDEES, TIME, time_print};
use crate::graph::requests;
use crate::host::Level;
use crate::record::{Deleted, Record};
use crate::series::plan::{Change, Piece};
use crate::standing::reason;
use crate::words::Phrase;

/// What Microsoft does to a series (splitting it, not clamping) can make for another plan so often; more is a circle.
const ROUNDS: usize = 4;

/// Makes all that is there what is desired.
pub(super) fn bring_about(session: &mut Session<'_>, intent: Intent, target: Target) -> Result<Outcome, HookError> {
    let result = in_rounds(session, intent, target);
    if result.is_err() {
        session.keep_progress();
    }
    result
}

/// What the whole came to, gathered while its parts are brought about.
#[derive(Default)]
struct Sum {
    reason: Option<&'static str>,
    notices: Vec<crate::domain::Notice>,
    facts_stale: bool,
}

impl Sum {
    fn take(&mut self, done: &mut Done) {
        for notice in done.notices.drain(..) {
            if !self.notices.contains(&notice) {
                self.notices.push(notice);
            }
        }
        self.facts_stale |= done.facts_stale;
    }
}

fn in_rounds(session: &mut Session<'_>, intent: Intent, mut target: Target) -> Result<Outcome, HookError> {
    settle(session)?;
    take_in_the_past(session)?;
    let mut sum = Sum::default();
    for _ in 0..ROUNDS {
        match once(session, &target, &mut sum)? {
            Round::Done => {
                let outcome = mirrored(session);
                let reason = sum.reason.map(str::to_owned);
                return Ok(Outcome { reason, notices: sum.notices, facts_stale: sum.facts_stale, ..outcome });
            }
            Round::Removed => {
                // Whoever removes the event that has the meeting means all of it. Its record goes last: it is what the next
                // call sees that by if this one ends early.
                let notices = std::mem::take(&mut sum.notices);
                for at in (1..session.pieces.len()).rev() {
                    remove(session, at)?;
                }
                return Ok(removed(notices));
            }
            Round::Again => {}
        }
        target = match session.goal(intent)? {
            Goal::Present(target) => target,
            Goal::Absent(_) | Goal::Past => return leave(session),
        };
    }
    Err(HookError::Other(session.words.problem(Phrase::Conflict)))
}

/// How one round ended.
enum Round {
    Done,
    Again,
    Removed,
}

fn once(session: &mut Session<'_>, target: &Target, sum: &mut Sum) -> Result<Round, HookError> {
    let Some((first, rest)) = target.pieces.split_first() else { return Ok(Round::Done) };
    let desired = session.desired(target, first, None);
    let Some(mut done) = one_as_understood(session, 0, &desired)? else { return Ok(Round::Again) };
    sum.take(&mut done);
    sum.reason = done.reason;
    if done.removed {
        return Ok(Round::Removed);
    }
    match follow_up(session, 0, target, first, None, &mut done, sum)? {
        Round::Done => {}
        other => return Ok(other),
    }

    let link = session.pieces.first().and_then(|owner| owner.join_url.clone()).unwrap_or_default();
    let mut taken = vec![0_usize];
    let (repeated, single): (Vec<&Piece>, Vec<&Piece>) = rest.iter().partition(|piece| piece.repeats.is_some());
    for (at, piece) in in_order(session, &repeated, &taken) {
        let at = at.unwrap_or(session.pieces.len());
        taken.push(at);
        if further(session, at, target, piece, &link, sum)? {
            return Ok(Round::Again);
        }
    }
    let restored = restored(session, target);
    let single: Vec<&Piece> = single.into_iter().chain(&restored).collect();
    for (at, piece) in in_order(session, &single, &taken) {
        let at = at.unwrap_or(session.pieces.len());
        taken.push(at);
        further(session, at, target, piece, &link, sum)?;
    }
    for at in (0..session.pieces.len()).rev().filter(|at| !taken.contains(at)) {
        remove(session, at)?;
    }
    Ok(Round::Done)
}

/// Brings about one event that has no meeting of its own. Answers whether everything has to be looked at again.
fn further(
    session: &mut Session<'_>,
    at: usize,
    target: &Target,
    piece: &Piece,
    link: &str,
    sum: &mut Sum,
) -> Result<bool, HookError> {
    let record = session.pieces.get(at);
    if record.is_some_and(|record| record.removed) {
        // Somebody removed it at Microsoft, and it alone.
        return Ok(false);
    }
    // The part of a split series that is over may have kept the meeting.
    let link = if record.is_some_and(Record::has_meeting) { None } else { Some(link) };
    let desired = session.desired(target, piece, link);
    let Some(mut done) = one_as_understood(session, at, &desired)? else { return Ok(true) };
    sum.take(&mut done);
    let removed = done.removed || {
        match follow_up(session, at, target, piece, link, &mut done, sum)? {
            Round::Done => false,
            Round::Again => return Ok(true),
            Round::Removed => true,
        }
    };
    if removed {
        let groups = desired.fields.fingerprints();
        session.at = at;
        session.put(Record { removed, groups, series: desired.repeats.is_some(), ..Record::default() });
    }
    Ok(false)
}

/// Creates or changes the event of one record; `None`: all has to be said another way, because a series that leans on the last
/// day of a month is refused. Where Microsoft does not understand that, it may have no occurrence at all.
fn one_as_understood(session: &mut Session<'_>, at: usize, desired: &Desired) -> Result<Option<Done>, HookError> {
    let clamps = session.pieces.first().and_then(|owner| owner.clamps);
    let leans = clamps.is_none() && desired.repeats.as_ref().is_some_and(|repeats| repeats.clamped.is_some());
    match one(session, at, desired) {
        Err(HookError::Rejected(_)) if leans && session.recurrence_refused => {
            session.log(Level::Warn, "a series on the last day of a month is refused; saying it another way");
            if session.pieces.is_empty() {
                session.pieces.push(Record::default());
            }
            if let Some(owner) = session.pieces.first_mut() {
                owner.clamps = Some(false);
            }
            Ok(None)
        }
        done => done.map(Some),
    }
}

/// Creates or changes the event of one record. Guests of a series are told once, when its exceptions stand, too.
fn one(session: &mut Session<'_>, at: usize, desired: &Desired) -> Result<Done, HookError> {
    session.at = at;
    match session.record().cloned() {
        Some(record) if record.remote_id.is_some() => {
            let exceptions = desired.repeats.as_ref().is_some_and(|repeats| !repeats.changes.is_empty());
            if exceptions && !record.groups.contains_key(ATTENDEES) {
                let fields = desired.fields.clone().without_attendees();
                return update(session, record, &Desired { fields, ..desired.clone() });
            }
            update(session, record, desired)
        }
        _ => create(session, desired),
    }
}

/// What follows a create or change of a series: whether Microsoft split it, whether it understands the last day of the
/// month, the exceptions, and the guests at the end.
fn follow_up(
    session: &mut Session<'_>,
    at: usize,
    target: &Target,
    piece: &Piece,
    link: Option<&str>,
    done: &mut Done,
    sum: &mut Sum,
) -> Result<Round, HookError> {
    let Some(repeats) = &piece.repeats else { return Ok(Round::Done) };
    let gone = |session: &Session<'_>, sum: &mut Sum| {
        let notice = session.words.notice(Phrase::DeletedAtMicrosoft);
        if !sum.notices.contains(&notice) {
            sum.notices.push(notice);
        }
        Ok(Round::Removed)
    };
    if let Some(day) = done.split.take() {
        if let Some(owner) = session.pieces.first_mut() {
            owner.split = Some(day);
        }
        take_in_the_past(session)?;
        return Ok(Round::Again);
    }
    let clamps = session.pieces.first().and_then(|owner| owner.clamps);
    if let (Some(day), None) = (repeats.clamped, clamps) {
        let id = session.pieces.get(at).and_then(|record| record.remote_id.clone()).unwrap_or_default();
        let Some(there) = instances::is_there(session, &id, repeats, day)? else { return gone(session, sum) };
        if let Some(owner) = session.pieces.first_mut() {
            owner.clamps = Some(there);
        }
        if !there {
            session.log(Level::Warn, "the last day of a month is not understood; saying it another way");
            return Ok(Round::Again);
        }
    }
    session.at = at;
    let Some(mut notices) = instances::bring_about(session, target, piece, link, done.created)? else {
        return gone(session, sum);
    };
    sum.notices.append(&mut notices);
    let desired = session.desired(target, piece, link);
    if let Some(record) = session.record().cloned().filter(|record| !record.groups.contains_key(ATTENDEES))
        && desired.fields.changed(&record.groups).contains(&ATTENDEES)
    {
        sum.take(&mut update(session, record, &desired)?);
    }
    Ok(Round::Done)
}

/// Notes the events Microsoft split off series, which are found by the name the series was made with.
fn take_in_the_past(session: &mut Session<'_>) -> Result<(), HookError> {
    while let Some(at) = session.pieces.iter().position(|record| record.parted) {
        take_in_the_past_of(session, at)?;
        if let Some(record) = session.pieces.get_mut(at) {
            record.parted = false;
        }
    }
    Ok(())
}

fn take_in_the_past_of(session: &mut Session<'_>, at: usize) -> Result<(), HookError> {
    let Some(record) = session.pieces.get(at).cloned() else { return Ok(()) };
    let known: Vec<String> = session.pieces.iter().filter_map(|piece| piece.remote_id.clone()).collect();
    for found in session.find_all(&requests::mirror_id_property(), &record.mirror_id)? {
        if !known.contains(&found.id) {
            let past = create::adopted(session, found);
            session.pieces.push(Record { unread: true, adopted: false, meeting_asked: false, ..past });
        }
    }
    Ok(())
}

/// Which record each piece goes on with: one that stands at the same time already, else one of the same kind, else none.
fn in_order<'p>(session: &Session<'_>, pieces: &[&'p Piece], taken: &[usize]) -> Vec<(Option<usize>, &'p Piece)> {
    let mut free: Vec<usize> = (0..session.pieces.len()).filter(|at| !taken.contains(at)).collect();
    let mut chosen: Vec<Option<usize>> = vec![None; pieces.len()];
    let mut choose = |fits: &dyn Fn(&Record, &Piece) -> bool| {
        for (place, piece) in chosen.iter_mut().zip(pieces).filter(|(place, _)| place.is_none()) {
            let found = free.iter().position(|&at| session.pieces.get(at).is_some_and(|record| fits(record, piece)));
            *place = found.map(|found| free.remove(found));
        }
    };
    choose(&|record, piece| record.groups.get(TIME) == Some(&time_of(piece)));
    choose(&|record, piece| record.series == piece.repeats.is_some() && !record.removed);
    chosen.into_iter().zip(pieces.iter().copied()).collect()
}

/// The fingerprint of when a piece is.
fn time_of(piece: &Piece) -> String {
    time_print(&piece.event.span, piece.repeats.as_ref().map(|repeats| &repeats.recurrence))
}

/// Occurrences that should take place and were taken out of their series, which Microsoft cannot undo: as single events.
fn restored(session: &Session<'_>, target: &Target) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for piece in &target.pieces {
        let Some(repeats) = &piece.repeats else { continue };
        let time = time_of(piece);
        let Some(record) = session.pieces.iter().find(|record| record.groups.get(TIME) == Some(&time)) else {
            continue;
        };
        let gone = record.instances.iter().filter(|(_, instance)| instance.deleted == Some(Deleted::Gone));
        for (&day, _) in gone.filter(|(day, _)| repeats.has(**day)) {
            match repeats.changes.get(&day) {
                Some(Change::Removed) => {}
                Some(Change::Edited(event)) => pieces.push(Piece::single((**event).clone())),
                None => {
                    let span = repeats.span(day);
                    pieces.push(Piece::single(crate::calendar::Event { span, ..piece.event.clone() }));
                }
            }
        }
    }
    pieces
}

/// Finds out what became of every create whose fate is unknown.
fn settle(session: &mut Session<'_>) -> Result<(), HookError> {
    let mut at = 0;
    while let Some(record) = session.pieces.get(at).cloned() {
        session.at = at;
        match create::settle(session, record)? {
            Some(_) => at += 1,
            None => {
                session.pieces.remove(at);
            }
        }
    }
    Ok(())
}

/// After a restore: goes on with what is there already. The event that has the meeting is taken on; the others are noted
/// first, all of them, and made anew, for nothing depends on them.
pub(super) fn adopt(session: &mut Session<'_>) -> Result<(), HookError> {
    let tag = session.object.tag.clone();
    let mut found = session.find_all(&requests::mirror_object_property(), &tag)?;
    if found.is_empty() {
        return Ok(());
    }
    let owner = found.iter().position(|event| event.join_url.is_some()).unwrap_or(0);
    let owner = found.remove(owner);
    let pieces = std::iter::once(owner).chain(found).map(|event| create::adopted(session, event)).collect();
    session.pieces = pieces;
    if session.pieces.len() > 1 {
        session.checkpoint()?;
    }
    for at in (1..session.pieces.len()).rev() {
        remove(session, at)?;
    }
    session.at = 0;
    Ok(())
}

/// Removes everything, what owns the meeting last.
pub(super) fn take_away(session: &mut Session<'_>) -> Result<(), HookError> {
    take_in_the_past(session)?;
    for at in (0..session.pieces.len()).rev() {
        if let Err(error) = remove(session, at) {
            session.keep_progress();
            return Err(error);
        }
    }
    Ok(())
}

/// Removes the event of one record, whatever became of its create.
fn remove(session: &mut Session<'_>, at: usize) -> Result<(), HookError> {
    session.at = at;
    let Some(record) = session.record().cloned() else { return Ok(()) };
    if let Some(id) = &record.remote_id {
        session.delete(&record, id)?;
    }
    if record.pending.is_some() {
        create::unmake(session, &record)?;
    }
    session.pieces.remove(at);
    Ok(())
}

/// It is over: what is there stays as it is.
pub(super) fn leave(session: &mut Session<'_>) -> Result<Outcome, HookError> {
    let mut kept = Vec::new();
    for (at, record) in session.pieces.clone().into_iter().enumerate() {
        session.at = at;
        kept.extend(create::look(session, record)?);
    }
    session.pieces = kept;
    if session.pieces.first().is_none_or(|owner| owner.remote_id.is_none()) {
        return Ok(absent(reason::PAST));
    }
    Ok(Outcome { reason: Some(reason::PAST.to_owned()), ..mirrored(session) })
}
