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
use crate::graph::fields::{ATTENDEES, TIME};
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
                // Whoever removes the event that has the meeting means all of it.
                let notices = std::mem::take(&mut sum.notices);
                session.pieces.remove(0);
                take_away(session)?;
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
    let mut done = one(session, 0, &desired)?;
    sum.take(&mut done);
    sum.reason = done.reason;
    if done.removed {
        return Ok(Round::Removed);
    }
    if follow_up(session, 0, target, first, None, &mut done, sum)? {
        return Ok(Round::Again);
    }

    let link = session.pieces.first().and_then(|owner| owner.join_url.clone()).unwrap_or_default();
    let mut taken = vec![0_usize];
    let (repeated, single): (Vec<&Piece>, Vec<&Piece>) = rest.iter().partition(|piece| piece.repeats.is_some());
    for piece in in_order(session, target, &repeated, &taken) {
        let (at, piece) = piece;
        let at = at.unwrap_or(session.pieces.len());
        taken.push(at);
        if further(session, at, target, piece, &link, sum)? {
            return Ok(Round::Again);
        }
    }
    let restored = restored(session, target);
    let single: Vec<&Piece> = single.into_iter().chain(&restored).collect();
    for (at, piece) in in_order(session, target, &single, &taken) {
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
    let mut done = one(session, at, &desired)?;
    sum.take(&mut done);
    if done.removed {
        let groups = desired.fields.fingerprints();
        session.at = at;
        session.put(Record { groups, series: desired.repeats.is_some(), ..done.record });
        return Ok(false);
    }
    follow_up(session, at, target, piece, link, &mut done, sum)
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
/// month, the exceptions, and the guests at the end. Answers whether everything has to be looked at again.
fn follow_up(
    session: &mut Session<'_>,
    at: usize,
    target: &Target,
    piece: &Piece,
    link: Option<&str>,
    done: &mut Done,
    sum: &mut Sum,
) -> Result<bool, HookError> {
    let Some(repeats) = &piece.repeats else { return Ok(false) };
    if let Some(day) = done.split.take() {
        if let Some(owner) = session.pieces.first_mut() {
            owner.split = Some(day);
        }
        take_in_the_past(session)?;
        return Ok(true);
    }
    let clamps = session.pieces.first().and_then(|owner| owner.clamps);
    if let (Some(day), None) = (repeats.clamped, clamps) {
        let id = session.pieces.get(at).and_then(|record| record.remote_id.clone()).unwrap_or_default();
        let there = instances::is_there(session, &id, repeats, day)?;
        if let Some(owner) = session.pieces.first_mut() {
            owner.clamps = Some(there);
        }
        if !there {
            session.log(Level::Warn, "the last day of a month is not understood; saying it another way");
            return Ok(true);
        }
    }
    session.at = at;
    let mut notices = instances::bring_about(session, target, piece, link, done.created)?;
    sum.notices.append(&mut notices);
    let desired = session.desired(target, piece, link);
    if let Some(record) = session.record().cloned().filter(|record| !record.groups.contains_key(ATTENDEES))
        && desired.fields.changed(&record.groups).contains(&ATTENDEES)
    {
        sum.take(&mut update(session, record, &desired)?);
    }
    Ok(false)
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
            session.pieces.push(Record { unread: true, meeting_asked: false, ..past });
        }
    }
    Ok(())
}

/// Which record each piece goes on with: one that stands at the same time already, else one of the same kind, else none.
fn in_order<'p>(
    session: &Session<'_>,
    target: &Target,
    pieces: &[&'p Piece],
    taken: &[usize],
) -> Vec<(Option<usize>, &'p Piece)> {
    let mut free: Vec<usize> = (0..session.pieces.len()).filter(|at| !taken.contains(at)).collect();
    let mut chosen: Vec<Option<usize>> = vec![None; pieces.len()];
    let mut choose = |fits: &dyn Fn(&Record, &Piece) -> bool| {
        for (place, piece) in chosen.iter_mut().zip(pieces).filter(|(place, _)| place.is_none()) {
            let found = free.iter().position(|&at| session.pieces.get(at).is_some_and(|record| fits(record, piece)));
            *place = found.map(|found| free.remove(found));
        }
    };
    choose(&|record, piece| {
        let time = session.desired(target, piece, None).fields.fingerprints().get(TIME).cloned();
        record.groups.get(TIME).cloned() == time
    });
    choose(&|record, piece| record.series == piece.repeats.is_some() && !record.removed);
    chosen.into_iter().zip(pieces.iter().copied()).collect()
}

/// Occurrences that should take place and were taken out of their series, which Microsoft cannot undo: as single events.
fn restored(session: &Session<'_>, target: &Target) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for piece in &target.pieces {
        let Some(repeats) = &piece.repeats else { continue };
        let time = session.desired(target, piece, None).fields.fingerprints().get(TIME).cloned();
        let Some(record) = session.pieces.iter().find(|record| record.groups.get(TIME).cloned() == time) else {
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

/// After a restore: goes on with what is there already. The event that has the meeting is taken on; others are made anew,
/// for nothing is known of their exceptions and nothing depends on them.
pub(super) fn adopt(session: &mut Session<'_>) -> Result<(), HookError> {
    loop {
        let tag = session.object.tag.clone();
        let mut found = session.find_all(&requests::mirror_object_property(), &tag)?;
        if found.is_empty() {
            return Ok(());
        }
        let owner = found.iter().position(|event| event.join_url.is_some()).unwrap_or(0);
        let owner = found.remove(owner);
        // A list holds five at most, of which the owner was taken out above.
        let last_page = found.len() < 4;
        let record = create::adopted(session, owner);
        session.pieces = vec![Record { unread: record.series, ..record }];
        session.at = 0;
        for other in found {
            let record = create::adopted(session, other);
            session.at = session.pieces.len();
            session.put(record.clone());
            remove(session, session.at)?;
        }
        session.at = 0;
        if last_page {
            return Ok(());
        }
    }
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
