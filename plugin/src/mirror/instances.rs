//! Occurrences of a series that are not as the series says.
//!
//! An occurrence is known by the day its pattern gives it, in the series' own zone. What Microsoft shows of it is what it
//! has of its own over what the series has, so that a change of the series reaches it by itself where it has nothing of its
//! own. What was deleted cannot come back; [`super::pieces`] makes a single event of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde_json::json;

use super::session::{Session, Target};
use crate::domain::{HookError, Notice};
use crate::graph::fields::{BODY, Fields, TIME};
use crate::graph::{RemoteEvent, RemoteInstance, errors, meeting_block, requests};
use crate::host::Level;
use crate::record::{Deleted, Instance, Record};
use crate::series::plan::{Change, Piece, Repeats};
use crate::words::Phrase;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Occurrences that one list may hold for the sake of two that are looked for.
const WORTH_LISTING: usize = 200;

/// Attempts at one PATCH while the occurrence keeps changing at Microsoft.
const ROUNDS: usize = 3;

/// A fingerprint nothing has: what is shown is not known.
const UNKNOWN: &str = "?";

/// Makes the exceptions of the series in hand what they should be. `created`: it was made just now, by us.
pub(super) fn bring_about(
    session: &mut Session<'_>,
    target: &Target,
    piece: &Piece,
    link: Option<&str>,
    created: bool,
) -> Result<Vec<Notice>, HookError> {
    let Some(repeats) = &piece.repeats else { return Ok(Vec::new()) };
    let Some(record) = session.record().cloned() else { return Ok(Vec::new()) };
    let mut work = Work {
        base: session.fields(target, &piece.event, link),
        wanted: repeats
            .changes
            .iter()
            .map(|(&day, change)| {
                let fields = match change {
                    Change::Removed => None,
                    Change::Edited(event) => Some(session.fields(target, event, link)),
                };
                (day, fields)
            })
            .collect(),
        repeats,
        id: record.remote_id.clone().unwrap_or_default(),
        created,
        notices: Vec::new(),
    };
    if record.unread {
        if created {
            edit(session, |record| record.unread = false);
        } else {
            work.read_again(session)?;
        }
    }
    work.forget(session);
    // Both at once, so that one list serves for both.
    let going = work.going(session);
    let days = going.iter().chain(&work.changing(session)).copied().collect();
    work.know(session, &days)?;
    work.delete(session, going)?;
    work.change(session)?;
    Ok(work.notices)
}

/// Whether a series has an occurrence on a day.
pub(super) fn is_there(
    session: &mut Session<'_>,
    id: &str,
    repeats: &Repeats,
    day: NaiveDate,
) -> Result<bool, HookError> {
    let span = repeats.span(day);
    let found = session.instances(id, span.start.utc_ms - DAY_MS, span.end.utc_ms + DAY_MS)?;
    Ok(found.iter().any(|instance| repeats.zone.local(instance.original_ms).date() == day))
}

/// Changes the record of the series in hand.
fn edit(session: &mut Session<'_>, change: impl FnOnce(&mut Record)) {
    let at = session.at;
    if let Some(record) = session.pieces.get_mut(at) {
        change(record);
    }
}

fn instance(session: &Session<'_>, day: NaiveDate) -> Option<Instance> {
    session.record().and_then(|record| record.instances.get(&day).cloned())
}

struct Work<'w> {
    repeats: &'w Repeats,
    /// What the series says, once.
    base: Fields,
    /// What is otherwise on certain days; `None`: it does not take place.
    wanted: BTreeMap<NaiveDate, Option<Fields>>,
    id: String,
    created: bool,
    notices: Vec<Notice>,
}

impl Work<'_> {
    /// What an occurrence should say; `None`: it should not take place.
    fn fields(&self, day: NaiveDate) -> Option<Fields> {
        match self.wanted.get(&day) {
            Some(fields) => fields.clone(),
            None => Some(self.base.clone().at(&self.repeats.span(day))),
        }
    }

    /// The groups an occurrence does not show as it should.
    fn differing(&self, fields: &Fields, day: NaiveDate, known: &Instance) -> Vec<&'static str> {
        let plain = self.base.clone().at(&self.repeats.span(day)).fingerprints();
        fields.differing(|group| known.groups.get(group).or_else(|| plain.get(group)).cloned())
    }

    /// Days that are, or were, not as the series says, and still are days of it.
    fn days(&self, session: &Session<'_>) -> BTreeSet<NaiveDate> {
        let known = session.record().into_iter().flat_map(|record| record.instances.keys().copied());
        known.chain(self.wanted.keys().copied()).collect()
    }

    /// Drops what is known of days the series has no more.
    fn forget(&self, session: &mut Session<'_>) {
        edit(session, |record| record.instances.retain(|day, _| self.repeats.has(*day)));
    }

    /// The occurrences of certain days, by lists as few as can be.
    fn look(
        &self,
        session: &mut Session<'_>,
        days: &BTreeSet<NaiveDate>,
    ) -> Result<BTreeMap<NaiveDate, RemoteInstance>, HookError> {
        let mut found = BTreeMap::new();
        let mut windows: Vec<(NaiveDate, i64, i64)> = Vec::new();
        for &day in days {
            let span = self.repeats.span(day);
            let mut ends = vec![span.start.utc_ms, span.end.utc_ms];
            // An exception is listed where it was moved to.
            ends.extend(instance(session, day).and_then(|instance| instance.start_ms));
            let (from, to) = (ends.iter().min(), ends.iter().max());
            let from = from.map_or(span.start.utc_ms, |from| from.saturating_sub(DAY_MS));
            let to = to.map_or(span.end.utc_ms, |to| to.saturating_add(DAY_MS));
            match windows.last_mut() {
                Some((last, before, after))
                    if self.repeats.days_within(*last, day).take(WORTH_LISTING).count() < WORTH_LISTING =>
                {
                    (*last, *before, *after) = (day, from.min(*before), to.max(*after));
                }
                _ => windows.push((day, from, to)),
            }
        }
        for (_, from, to) in windows {
            for instance in session.instances(&self.id, from, to)? {
                found.insert(self.repeats.zone.local(instance.original_ms).date(), instance);
            }
        }
        Ok(found)
    }

    /// After the pattern was changed: Microsoft may have kept the exceptions, dropped them, or anything between.
    fn read_again(&self, session: &mut Session<'_>) -> Result<(), HookError> {
        let days = self.days(session);
        if !days.is_empty() {
            let seen = self.look(session, &days)?;
            let listed: BTreeSet<NaiveDate> = seen.keys().copied().chain(days).collect();
            for day in listed {
                let known = instance(session, day);
                let now = self.seen(day, known, seen.get(&day));
                edit(session, |record| {
                    match now {
                        Some(instance) => record.instances.insert(day, instance),
                        None => record.instances.remove(&day),
                    };
                });
            }
            self.remove_strays(session, &seen)?;
        }
        edit(session, |record| record.unread = false);
        Ok(())
    }

    /// What is to be known of a day after looking.
    fn seen(&self, day: NaiveDate, known: Option<Instance>, seen: Option<&RemoteInstance>) -> Option<Instance> {
        let Some(seen) = seen else {
            if !self.repeats.has(day) {
                return None;
            }
            return match known {
                Some(instance) if instance.deleted == Some(Deleted::Elsewhere) => Some(instance),
                _ => Some(Instance { deleted: Some(Deleted::Gone), ..Instance::default() }),
            };
        };
        let id = Some(seen.id.clone());
        let etag = seen.etag.clone();
        if !seen.exception {
            let worth_knowing = known.is_some() || self.wanted.contains_key(&day);
            return worth_knowing.then(|| Instance { id, etag, ..Instance::default() });
        }
        let mut groups = match known {
            Some(instance) if instance.deleted.is_none() => instance.groups,
            // Somebody changed it, or it is a change nobody remembers.
            _ => self.base.fingerprints().into_keys().map(|group| (group, UNKNOWN.to_owned())).collect(),
        };
        let plain = self.base.clone().at(&self.repeats.span(day)).span_ms();
        let at = |fields: &Fields| fields.fingerprints().get(TIME).cloned();
        let wanted = self.fields(day);
        if self.wanted.contains_key(&day) && wanted.as_ref().map(Fields::span_ms) == Some(seen.span_ms) {
            groups.extend(wanted.as_ref().and_then(at).map(|print| (TIME.to_owned(), print)));
        } else if seen.span_ms == plain {
            groups.remove(TIME);
        } else {
            groups.insert(TIME.to_owned(), UNKNOWN.to_owned());
        }
        Some(Instance { id, etag, start_ms: Some(seen.span_ms.0), groups, deleted: None })
    }

    /// Exceptions on days the pattern has no more.
    fn remove_strays(
        &self,
        session: &mut Session<'_>,
        seen: &BTreeMap<NaiveDate, RemoteInstance>,
    ) -> Result<(), HookError> {
        for (_, stray) in seen.iter().filter(|(day, seen)| seen.exception && !self.repeats.has(**day)) {
            self.send_delete(session, &stray.id)?;
        }
        Ok(())
    }

    /// Days on which nothing should take place and something may, and those whose deletion was begun: whether it arrived is
    /// not known, and what takes place there is an event of its own by now.
    fn going(&self, session: &Session<'_>) -> BTreeSet<NaiveDate> {
        self.days(session)
            .into_iter()
            .filter(|&day| match instance(session, day).and_then(|known| known.deleted) {
                Some(Deleted::Going) => true,
                Some(Deleted::Gone | Deleted::Elsewhere) => false,
                None => self.fields(day).is_none(),
            })
            .collect()
    }

    /// Days that should be otherwise than they are shown.
    fn changing(&self, session: &Session<'_>) -> BTreeSet<NaiveDate> {
        self.days(session)
            .into_iter()
            .filter(|&day| {
                let known = instance(session, day).unwrap_or_default();
                let differs = |fields: Fields| !self.differing(&fields, day, &known).is_empty();
                known.deleted.is_none() && self.fields(day).is_some_and(differs)
            })
            .collect()
    }

    /// Takes out what should not take place.
    fn delete(&self, session: &mut Session<'_>, mut going: BTreeSet<NaiveDate>) -> Result<(), HookError> {
        // What is gone already, and not by us, stays with that.
        going.retain(|&day| instance(session, day).is_none_or(|known| known.deleted != Some(Deleted::Elsewhere)));
        if going.is_empty() {
            return Ok(());
        }
        // Noted before: what is found gone next time was us.
        edit(session, |record| {
            for day in &going {
                record.instances.entry(*day).or_default().deleted.get_or_insert(Deleted::Going);
            }
        });
        session.checkpoint()?;
        for day in going {
            if let Some(id) = instance(session, day).and_then(|known| known.id) {
                self.send_delete(session, &id)?;
            }
            edit(session, |record| {
                record.instances.insert(day, Instance { deleted: Some(Deleted::Gone), ..Instance::default() });
            });
        }
        Ok(())
    }

    fn send_delete(&self, session: &mut Session<'_>, id: &str) -> Result<(), HookError> {
        let response = session.send(requests::delete(id))?;
        match response.status {
            202 | 204 => Ok(()),
            200..300 => Err(errors::unexpected(&response, session.words)),
            _ if errors::is_gone(&response) => Ok(()),
            _ => Err(errors::of_response(&response, session.words)),
        }
    }

    /// Looks up the ids of certain days where they are not known. A day that is not there was deleted at Microsoft.
    fn know(&self, session: &mut Session<'_>, days: &BTreeSet<NaiveDate>) -> Result<(), HookError> {
        let unknown = |session: &Session<'_>, day: &NaiveDate| instance(session, *day).is_none_or(|i| i.id.is_none());
        let missing: BTreeSet<NaiveDate> = days.iter().filter(|day| unknown(session, day)).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = self.look(session, &missing)?;
        for day in missing {
            let seen = found.get(&day).cloned();
            edit(session, |record| {
                let known = record.instances.entry(day).or_default();
                match seen {
                    Some(seen) => (known.id, known.etag) = (Some(seen.id), seen.etag),
                    None if known.deleted.is_some() => {}
                    // Nobody else can have been at a series that was made a moment ago.
                    None if self.created => known.deleted = Some(Deleted::Gone),
                    None => known.deleted = Some(Deleted::Elsewhere),
                }
            });
        }
        Ok(())
    }

    /// Changes what should be otherwise than it is shown.
    fn change(&mut self, session: &mut Session<'_>) -> Result<(), HookError> {
        let changing = self.changing(session);
        for day in changing {
            self.change_one(session, day)?;
        }
        Ok(())
    }

    fn change_one(&mut self, session: &mut Session<'_>, day: NaiveDate) -> Result<(), HookError> {
        let Some(fields) = self.fields(day) else { return Ok(()) };
        for _ in 0..ROUNDS {
            let Some(known) = instance(session, day).filter(|known| known.deleted.is_none()) else { return Ok(()) };
            let Some(id) = known.id.clone() else { return Ok(()) };
            let mut groups = self.differing(&fields, day, &known);
            let meeting = session.record().is_some_and(Record::has_meeting);
            let mut body = None;
            let mut etag = None;
            if groups.contains(&BODY) && meeting {
                let mut block = session.record().and_then(|record| record.block.clone());
                etag.clone_from(&known.etag);
                if block.is_none() || etag.is_none() {
                    let Some(current) = session.get(&id)? else {
                        self.lose(session, day);
                        return Ok(());
                    };
                    etag.clone_from(&current.etag);
                    block = own_block(&current);
                }
                match block {
                    Some(block) => {
                        let content = meeting_block::join(&fields.html, &block);
                        body = Some(json!({ "contentType": "html", "content": content }));
                    }
                    None => {
                        groups.retain(|&group| group != BODY);
                        let notice = session.words.notice(Phrase::BodyNotUpdated);
                        if !self.notices.contains(&notice) {
                            self.notices.push(notice);
                        }
                    }
                }
            }
            if groups.is_empty() {
                return Ok(());
            }
            let mut members = fields.some(&groups);
            members.extend(body.map(|body| ("body".to_owned(), body)));
            let response = session.send(requests::update(&id, &members, etag.as_deref()))?;
            match response.status {
                200..300 => {
                    let Some(current) = RemoteEvent::read(&response) else {
                        return Err(errors::unexpected(&response, session.words));
                    };
                    let prints = fields.fingerprints();
                    let (start_ms, _) = fields.span_ms();
                    edit(session, |record| {
                        let known = record.instances.entry(day).or_default();
                        (known.id, known.etag) = (Some(current.id), current.etag);
                        if groups.contains(&TIME) {
                            known.start_ms = Some(start_ms);
                        }
                        for &group in &groups {
                            known.groups.extend(prints.get(group).map(|print| (group.to_owned(), print.clone())));
                        }
                    });
                    return Ok(());
                }
                409 | 412 => edit(session, |record| record.instances.entry(day).or_default().etag = None),
                _ if errors::is_crossing(&response) => return self.set_apart(session, day, &id),
                _ if errors::is_gone(&response) => {
                    self.lose(session, day);
                    return Ok(());
                }
                _ => return Err(errors::of_response(&response, session.words)),
            }
        }
        Err(HookError::Other(session.words.problem(Phrase::Conflict)))
    }

    /// Somebody at Microsoft took it out.
    fn lose(&self, session: &mut Session<'_>, day: NaiveDate) {
        session.log(Level::Info, "an occurrence was removed at Microsoft; it stays away");
        edit(session, |record| {
            record.instances.insert(day, Instance { deleted: Some(Deleted::Elsewhere), ..Instance::default() });
        });
    }

    /// An occurrence that cannot be on or beyond its neighbour leaves the series, to be an event of its own.
    fn set_apart(&self, session: &mut Session<'_>, day: NaiveDate, id: &str) -> Result<(), HookError> {
        edit(session, |record| record.instances.entry(day).or_default().deleted = Some(Deleted::Going));
        session.checkpoint()?;
        self.send_delete(session, id)?;
        edit(session, |record| {
            record.instances.insert(day, Instance { deleted: Some(Deleted::Gone), ..Instance::default() });
        });
        Ok(())
    }
}

/// Microsoft's part of an occurrence's body.
fn own_block(current: &RemoteEvent) -> Option<String> {
    let (url, body) = (current.join_url.as_deref()?, current.body.as_deref()?);
    meeting_block::find(body, url).map(str::to_owned)
}
