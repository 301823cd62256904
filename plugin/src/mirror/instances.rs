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
use crate::graph::fields::{BODY, Fields, TIME, graph_span_ms, time_print};
use crate::graph::{RemoteEvent, RemoteInstance, errors, meeting_block, requests};
use crate::host::Level;
use crate::record::{Deleted, Instance, Record};
use crate::series::plan::{Change, Piece, Repeats};
use crate::words::Phrase;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Occurrences that one list may hold for the sake of two that are looked for.
const WORTH_LISTING: usize = 200;

/// Occurrences of one list: a few pages, so that a call gets on however many lists there are.
const LONGEST_LIST: usize = 2_000;

/// Attempts at one PATCH while the occurrence keeps changing at Microsoft.
const ROUNDS: usize = 3;

/// A fingerprint nothing has: what is shown is not known.
const UNKNOWN: &str = "?";

/// Makes the exceptions of the series in hand what they should be; `None`: the series itself is gone. `created`: it was made
/// just now, by us.
pub(super) fn bring_about(
    session: &mut Session<'_>,
    target: &Target,
    piece: &Piece,
    link: Option<&str>,
    created: bool,
) -> Result<Option<Vec<Notice>>, HookError> {
    let Some(repeats) = &piece.repeats else { return Ok(Some(Vec::new())) };
    let Some(record) = session.record().cloned() else { return Ok(Some(Vec::new())) };
    let base = session.fields(target, &piece.event, link);
    let wanted = |change: &Change| match change {
        Change::Removed => None,
        Change::Edited(event) => Some(Wanted::of(session.fields(target, event, link))),
    };
    let mut work = Work {
        prints: base.fingerprints(),
        base,
        wanted: repeats.changes.iter().map(|(&day, change)| (day, wanted(change))).collect(),
        repeats,
        id: record.remote_id.clone().unwrap_or_default(),
        created,
        exceptions: None,
        notices: Vec::new(),
    };
    if record.unread {
        if created {
            edit(session, Record::all_read);
        } else if !work.read_again(session)? {
            return Ok(None);
        }
    }
    work.forget(session);
    // Both at once, so that one list serves for both.
    let going = work.going(session);
    let days = going.iter().chain(&work.changing(session)).copied().collect();
    if !work.know(session, &days)? {
        return Ok(None);
    }
    work.delete(session, going)?;
    work.change(session)?;
    Ok(Some(work.notices))
}

/// Whether a series has an occurrence on a day; `None`: there is no series.
pub(super) fn is_there(
    session: &mut Session<'_>,
    id: &str,
    repeats: &Repeats,
    day: NaiveDate,
) -> Result<Option<bool>, HookError> {
    let span = repeats.span(day);
    let found = session.instances(id, span.start.utc_ms - DAY_MS, span.end.utc_ms + DAY_MS)?;
    let is_it = |instance: &RemoteInstance| repeats.zone.local(instance.original_ms).date() == day;
    Ok(found.map(|found| found.iter().any(is_it)))
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

/// What an occurrence should say.
struct Wanted {
    fields: Fields,
    prints: BTreeMap<String, String>,
}

impl Wanted {
    fn of(fields: Fields) -> Self {
        Self { prints: fields.fingerprints(), fields }
    }
}

/// Occurrences by the days the pattern gives them.
type Seen = BTreeMap<NaiveDate, RemoteInstance>;

/// Days that one list serves for, and what it is asked for.
struct Window {
    days: BTreeSet<NaiveDate>,
    from_ms: i64,
    to_ms: i64,
    /// Occurrences in it, about.
    size: usize,
}

struct Work<'w> {
    repeats: &'w Repeats,
    /// What the series says, once.
    base: Fields,
    /// The fingerprints of that: a body is long, and there may be many days.
    prints: BTreeMap<String, String>,
    /// What is otherwise on certain days; `None`: it does not take place.
    wanted: BTreeMap<NaiveDate, Option<Wanted>>,
    id: String,
    created: bool,
    /// All exceptions Microsoft has, where they were asked for.
    exceptions: Option<Seen>,
    notices: Vec<Notice>,
}

impl Work<'_> {
    /// What an occurrence should say; `None`: it should not take place.
    fn fields(&self, day: NaiveDate) -> Option<Fields> {
        match self.wanted.get(&day) {
            Some(wanted) => wanted.as_ref().map(|wanted| wanted.fields.clone()),
            None => Some(self.base.clone().at(&self.repeats.span(day))),
        }
    }

    /// The fingerprint of each group an occurrence shows that has nothing of its own.
    fn plain(&self, day: NaiveDate) -> BTreeMap<String, String> {
        let mut prints = self.prints.clone();
        prints.insert(TIME.to_owned(), time_print(&self.repeats.span(day), None));
        prints
    }

    /// The fingerprint of each group as an occurrence should show it; `None`: it should not take place.
    fn meant(&self, day: NaiveDate) -> Option<BTreeMap<String, String>> {
        match self.wanted.get(&day) {
            Some(wanted) => wanted.as_ref().map(|wanted| wanted.prints.clone()),
            None => Some(self.plain(day)),
        }
    }

    /// The groups an occurrence does not show as it should.
    fn differing(&self, meant: &BTreeMap<String, String>, day: NaiveDate, known: &Instance) -> BTreeSet<String> {
        let plain = self.plain(day);
        let shown = |group: &String| known.groups.get(group).or_else(|| plain.get(group));
        meant.iter().filter(|(group, print)| shown(group) != Some(*print)).map(|(group, _)| group.clone()).collect()
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

    /// Lists in which the occurrences of certain days are found, as few as can be and none too long for one call.
    fn windows(&self, session: &Session<'_>, days: &BTreeSet<NaiveDate>) -> Vec<Window> {
        let mut windows: Vec<Window> = Vec::new();
        let mut before: Option<NaiveDate> = None;
        for &day in days {
            let span = self.repeats.span(day);
            let mut ends = vec![span.start.utc_ms, span.end.utc_ms];
            // An exception is listed where it was moved to.
            ends.extend(instance(session, day).and_then(|instance| instance.start_ms));
            let from_ms = ends.iter().min().map_or(span.start.utc_ms, |from| from.saturating_sub(DAY_MS));
            let to_ms = ends.iter().max().map_or(span.end.utc_ms, |to| to.saturating_add(DAY_MS));
            let between = before
                .map_or(WORTH_LISTING, |before| self.repeats.days_within(before, day).take(WORTH_LISTING).count());
            before = Some(day);
            match windows.last_mut() {
                Some(last) if between < WORTH_LISTING && last.size + between < LONGEST_LIST => {
                    last.days.insert(day);
                    (last.from_ms, last.to_ms) = (from_ms.min(last.from_ms), to_ms.max(last.to_ms));
                    last.size += between;
                }
                _ => windows.push(Window { days: BTreeSet::from([day]), from_ms, to_ms, size: 1 }),
            }
        }
        windows
    }

    /// What a window shows; `None`: the series is gone.
    fn look(&self, session: &mut Session<'_>, window: &Window) -> Result<Option<Seen>, HookError> {
        let found = session.instances(&self.id, window.from_ms, window.to_ms)?;
        Ok(found.map(|found| self.by_day(found)))
    }

    fn by_day(&self, found: Vec<RemoteInstance>) -> Seen {
        found.into_iter().map(|one| (self.repeats.zone.local(one.original_ms).date(), one)).collect()
    }

    /// All exceptions Microsoft has, asked for once: what is not where it should be may have been moved far away.
    fn exceptions(&mut self, session: &mut Session<'_>) -> Result<Option<&Seen>, HookError> {
        if self.exceptions.is_none() {
            let Some(found) = session.exceptions(&self.id)? else { return Ok(None) };
            self.exceptions = Some(self.by_day(found));
        }
        Ok(self.exceptions.as_ref())
    }

    /// After the pattern was changed, Microsoft may have kept the exceptions, dropped them, or anything between; of a series
    /// that was found and not made, all of them have to be looked at. Answers whether the series is still there.
    fn read_again(&mut self, session: &mut Session<'_>) -> Result<bool, HookError> {
        let (adopted, read_to) = session.record().map_or((false, None), |record| (record.adopted, record.read_to));
        let mut seen = Seen::new();
        if adopted {
            let Some(found) = self.exceptions(session)? else { return Ok(false) };
            seen.clone_from(found);
            self.note(session, &seen.keys().copied().collect(), &seen);
            self.remove_strays(session, &mut seen)?;
        }
        let unread = |day: &NaiveDate| !seen.contains_key(day) && read_to.is_none_or(|read_to| *day > read_to);
        let days: BTreeSet<NaiveDate> = self.days(session).into_iter().filter(unread).collect();
        for window in self.windows(session, &days) {
            let Some(found) = self.look(session, &window)? else { return Ok(false) };
            let listed: BTreeSet<NaiveDate> = found.keys().chain(&window.days).copied().collect();
            seen.extend(found);
            let lost = |day: &NaiveDate| {
                let known = instance(session, *day);
                !seen.contains_key(day) && self.repeats.has(*day) && known.is_none_or(|known| known.deleted.is_none())
            };
            if window.days.iter().any(lost) {
                let Some(found) = self.exceptions(session)? else { return Ok(false) };
                seen.extend(
                    found.iter().filter(|(day, _)| window.days.contains(day)).map(|(day, one)| (*day, one.clone())),
                );
            }
            self.note(session, &listed, &seen);
            self.remove_strays(session, &mut seen)?;
            // So far this is done, whatever ends the call.
            edit(session, |record| record.read_to = window.days.last().copied());
        }
        edit(session, Record::all_read);
        Ok(true)
    }

    /// Takes what was seen of certain days into the record.
    fn note(&self, session: &mut Session<'_>, days: &BTreeSet<NaiveDate>, seen: &Seen) {
        for &day in days {
            let now = self.seen(day, instance(session, day), seen.get(&day));
            edit(session, |record| {
                match now {
                    Some(instance) => record.instances.insert(day, instance),
                    None => record.instances.remove(&day),
                };
            });
        }
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
            _ => self.prints.keys().map(|group| (group.clone(), UNKNOWN.to_owned())).collect(),
        };
        let wanted = self.wanted.get(&day).and_then(Option::as_ref);
        let time = match wanted {
            Some(wanted) if wanted.fields.span_ms() == seen.span_ms => wanted.prints.get(TIME).cloned(),
            _ if seen.span_ms == graph_span_ms(&self.repeats.span(day)) => None,
            _ => Some(UNKNOWN.to_owned()),
        };
        match time {
            Some(time) => groups.insert(TIME.to_owned(), time),
            None => groups.remove(TIME),
        };
        Some(Instance { id, etag, start_ms: Some(seen.span_ms.0), groups, deleted: None })
    }

    /// Removes exceptions on days the pattern has no more, from what is seen, too.
    fn remove_strays(&self, session: &mut Session<'_>, seen: &mut Seen) -> Result<(), HookError> {
        let is_stray = |day: &NaiveDate, one: &RemoteInstance| one.exception && !self.repeats.has(*day);
        for (_, stray) in seen.iter().filter(|(day, one)| is_stray(day, one)) {
            self.send_delete(session, &stray.id)?;
        }
        seen.retain(|day, one| !is_stray(day, one));
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
                None => matches!(self.wanted.get(&day), Some(None)),
            })
            .collect()
    }

    /// Days that should be otherwise than they are shown.
    fn changing(&self, session: &Session<'_>) -> BTreeSet<NaiveDate> {
        self.days(session)
            .into_iter()
            .filter(|&day| {
                let known = instance(session, day).unwrap_or_default();
                let differs = |meant| !self.differing(&meant, day, &known).is_empty();
                known.deleted.is_none() && self.meant(day).is_some_and(differs)
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

    /// Looks up the ids of certain days where they are not known. A day that is not there was deleted at Microsoft. Answers
    /// whether the series is still there.
    fn know(&mut self, session: &mut Session<'_>, days: &BTreeSet<NaiveDate>) -> Result<bool, HookError> {
        let unknown = |session: &Session<'_>, day: &NaiveDate| instance(session, *day).is_none_or(|i| i.id.is_none());
        let missing: BTreeSet<NaiveDate> = days.iter().filter(|day| unknown(session, day)).copied().collect();
        for window in self.windows(session, &missing) {
            let Some(mut found) = self.look(session, &window)? else { return Ok(false) };
            let lost = |day: &NaiveDate| {
                !found.contains_key(day) && instance(session, *day).is_none_or(|known| known.deleted.is_none())
            };
            // Nobody else can have been at a series that was made a moment ago.
            if !self.created && window.days.iter().any(lost) {
                let Some(exceptions) = self.exceptions(session)? else { return Ok(false) };
                found.extend(exceptions.iter().map(|(day, one)| (*day, one.clone())));
            }
            for day in window.days {
                let seen = found.get(&day).cloned();
                let created = self.created;
                edit(session, |record| {
                    let known = record.instances.entry(day).or_default();
                    match seen {
                        Some(seen) => (known.id, known.etag) = (Some(seen.id), seen.etag),
                        None if known.deleted.is_some() => {}
                        None if created => known.deleted = Some(Deleted::Gone),
                        None => known.deleted = Some(Deleted::Elsewhere),
                    }
                });
            }
        }
        Ok(true)
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
            let Some(meant) = self.meant(day) else { return Ok(()) };
            let differing = self.differing(&meant, day, &known);
            let mut groups = fields.groups_among(&differing);
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
                    let (start_ms, _) = fields.span_ms();
                    edit(session, |record| {
                        let known = record.instances.entry(day).or_default();
                        (known.id, known.etag) = (Some(current.id), current.etag);
                        if groups.contains(&TIME) {
                            known.start_ms = Some(start_ms);
                        }
                        for &group in &groups {
                            known.groups.extend(meant.get(group).map(|print| (group.to_owned(), print.clone())));
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
