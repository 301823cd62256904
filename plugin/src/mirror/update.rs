//! Changing an event: what differs and nothing else, and never its link by accident.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::Done;
use super::create::create;
use super::session::{Desired, Session};
use crate::domain::{HookError, Notice};
use crate::graph::fields::{BODY, TIME};
use crate::graph::{RemoteEvent, errors, meeting_block, requests};
use crate::host::{Level, Response};
use crate::mailbox::TEAMS;
use crate::record::Record;
use crate::words::Phrase;

/// Attempts at one PATCH while the event keeps changing at Microsoft.
const ROUNDS: usize = 3;

/// Brings the event of a record to what is desired: no request where nothing differs, otherwise one PATCH where Microsoft
/// lets it be one.
pub(super) fn update(session: &mut Session<'_>, mut record: Record, desired: &Desired) -> Result<Done, HookError> {
    if record.has_meeting() && !desired.meeting {
        // Microsoft freezes `isOnlineMeeting`: the only way without a meeting is another event.
        if let Some(id) = record.remote_id.clone() {
            session.delete(&record, &id)?;
        }
        return create(session, desired);
    }
    record.meeting_asked = desired.meeting;
    if record.deleting {
        // Whether it is still there has to be seen, even where nothing differs.
        let id = record.remote_id.clone().unwrap_or_default();
        match session.get(&id)? {
            Some(current) => take(&mut record, &current),
            None => return create(session, desired),
        }
        record.deleting = false;
    }
    let mut change = Change {
        groups: desired.fields.changed(&record.groups),
        meeting: desired.meeting && !record.has_meeting() && session.teams(),
        tag: record.tag != session.object.tag,
        first_day: None,
    };
    let old_url = record.join_url.clone();
    let timed = change.groups.contains(&TIME);
    if timed && (record.series || desired.repeats.is_some()) {
        // What becomes of exceptions is seen afterwards, by this call or by the next.
        record.read_again();
        session.put(record.clone());
    }
    if timed && record.series && !record.parted {
        // Without the answer nobody would know of the past that Microsoft may split off.
        record.parted = true;
        session.save(Some(&record))?;
    }
    let mut notices = Vec::new();
    if change.is_any() && send(session, &mut record, desired, &mut change, &mut notices)? == Standing::Gone {
        return Ok(Done::removed(vec![session.words.notice(Phrase::DeletedAtMicrosoft)]));
    }
    if old_url.is_some() && !record.has_meeting() && !change.meeting && session.teams() {
        // The answer says that the meeting is gone. Noted first, so that a failure of what follows forgets nothing.
        session.log(Level::Warn, "the meeting is gone from the event; asking for another");
        session.save(Some(&record))?;
        change = Change { groups: Vec::new(), meeting: true, ..change };
        change.tag = false;
        if send(session, &mut record, desired, &mut change, &mut notices)? == Standing::Gone {
            return Ok(Done::removed(vec![session.words.notice(Phrase::DeletedAtMicrosoft)]));
        }
    }

    let lost = old_url.is_some() && !record.has_meeting();
    let changed = old_url.is_some() && record.join_url != old_url;
    let split =
        change.first_day.filter(|&day| desired.repeats.as_ref().is_some_and(|repeats| day > repeats.first_day()));
    if timed {
        record.parted = split.is_some();
    }
    session.put(record.clone());
    let mut done = Done { split, ..Done::of(&record, session, desired, change.meeting && !lost) };
    if lost {
        notices.push(session.words.notice(Phrase::MeetingLost));
        done.facts_stale = true;
    } else if changed {
        notices.push(session.words.notice(Phrase::LinkChanged));
    }
    done.notices.splice(..0, notices);
    Ok(done)
}

/// What one PATCH is to carry.
struct Change {
    groups: Vec<&'static str>,
    /// Ask for a meeting.
    meeting: bool,
    /// Write the object's tag.
    tag: bool,
    /// The day the series begins with, by the answer to a change of its pattern.
    first_day: Option<NaiveDate>,
}

impl Change {
    fn is_any(&self) -> bool {
        !self.groups.is_empty() || self.meeting || self.tag
    }

    fn has_body(&self) -> bool {
        self.groups.contains(&BODY)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    There,
    Gone,
}

/// Sends a change and takes its answer into the record.
fn send(
    session: &mut Session<'_>,
    record: &mut Record,
    desired: &Desired,
    change: &mut Change,
    notices: &mut Vec<Notice>,
) -> Result<Standing, HookError> {
    let Some(id) = record.remote_id.clone() else { return Ok(Standing::Gone) };
    let mut conflict: Option<Response> = None;
    for _ in 0..ROUNDS {
        if change.has_body() && record.has_meeting() && (record.etag.is_none() || record.block.is_none()) {
            let Some(current) = session.get(&id)? else { return Ok(Standing::Gone) };
            take(record, &current);
            if !record.has_meeting() {
                change.meeting = desired.meeting && session.teams();
            } else if record.block.is_none() {
                // A body without Microsoft's part would disable the meeting, and where that part begins is not to be seen.
                change.groups.retain(|&group| group != BODY);
                notices.push(session.words.notice(Phrase::BodyNotUpdated));
            }
        }
        if !change.is_any() {
            return Ok(Standing::There);
        }
        let guarded = change.has_body() && record.has_meeting();
        let fields = fields(session, record, desired, change);
        let etag = if guarded { record.etag.as_deref() } else { None };
        let response = session.send(requests::update(&id, &fields, etag))?;
        match response.status {
            200..300 => {
                // Graph answers a PATCH with the event. What does not is no word of Graph's, and sending it again is safe.
                let Some(current) = RemoteEvent::read(&response) else {
                    return Err(errors::unexpected(&response, session.words));
                };
                confirm(record, desired, change, &current, session);
                if change.groups.contains(&TIME) {
                    change.first_day = current.first_day;
                }
                if current.is_vague && desired.meeting && (change.meeting || !record.has_meeting()) {
                    let Some(current) = session.get(&id)? else { return Ok(Standing::Gone) };
                    take(record, &current);
                }
                return Ok(Standing::There);
            }
            // Microsoft's own processing moves the etag, too, and conflicts come without any condition of ours.
            409 | 412 => {
                record.etag = None;
                conflict = Some(response);
            }
            _ if errors::is_gone(&response) => return Ok(Standing::Gone),
            _ => return Err(errors::of_response(&response, session.words)),
        }
    }
    Err(conflict.map_or_else(
        || HookError::Other(session.words.problem(Phrase::Conflict)),
        |response| errors::of_response(&response, session.words),
    ))
}

fn fields(session: &Session<'_>, record: &Record, desired: &Desired, change: &Change) -> Map<String, Value> {
    let mut fields = desired.fields.some(&change.groups);
    if change.has_body()
        && let (true, Some(block)) = (record.has_meeting(), &record.block)
    {
        let content = meeting_block::join(&desired.fields.html, block);
        fields.insert("body".to_owned(), json!({ "contentType": "html", "content": content }));
    }
    if change.groups.contains(&TIME) && record.series && desired.repeats.is_none() {
        fields.insert("recurrence".to_owned(), Value::Null);
    }
    if change.meeting {
        fields.insert("isOnlineMeeting".to_owned(), Value::Bool(true));
        fields.insert("onlineMeetingProvider".to_owned(), json!(TEAMS));
    }
    if change.tag {
        let property = json!([{ "id": requests::mirror_object_property(), "value": session.object.tag }]);
        fields.insert("singleValueExtendedProperties".to_owned(), property);
    }
    fields
}

/// Takes a successful change into the record.
fn confirm(record: &mut Record, desired: &Desired, change: &Change, current: &RemoteEvent, session: &Session<'_>) {
    let prints = desired.fields.fingerprints();
    for &group in &change.groups {
        record.groups.extend(prints.get(group).map(|print| (group.to_owned(), print.clone())));
    }
    if change.tag {
        record.tag.clone_from(&session.object.tag);
    }
    if change.groups.contains(&TIME) {
        record.series = desired.repeats.is_some();
        if !record.series {
            record.instances.clear();
            record.all_read();
        }
    }
    take(record, current);
}

/// Takes what Microsoft shows of the event into the record.
fn take(record: &mut Record, current: &RemoteEvent) {
    record.etag.clone_from(&current.etag);
    if current.web_link.is_some() {
        record.web_link.clone_from(&current.web_link);
    }
    if current.tells_meeting {
        record.join_url.clone_from(&current.join_url);
    }
    if let Some(body) = &current.body {
        let url = record.join_url.as_deref();
        record.block = url.and_then(|url| meeting_block::find(body, url)).map(str::to_owned);
    }
}
