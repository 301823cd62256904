//! Creating, changing, deleting and cancelling events.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use crate::clock::plain_instant;
use crate::directory::User;
use crate::graph::draft::{self, Body, Draft};
use crate::graph::error::{Result, conflict, invalid, item_not_found};
use crate::graph::mailbox::{self, Event, Transaction};
use crate::graph::meeting::Meeting;
use crate::graph::occurrences;
use crate::html;
use crate::records::Mail;
use crate::switches::{AfterDelete, OtherBody, TransactionMemory, UpdateMail};
use crate::world::World;

impl World {
    /// POST: answers the event, which is an old one where its `transactionId` is remembered.
    pub(crate) fn create_event(&mut self, owner: &User, object: &Map<String, Value>) -> Result<Event> {
        let draft = Draft::read(object, &self.switches)?;
        if let Some(event) = self.remembered(owner, &draft, object)? {
            return Ok(event);
        }
        let (Some(start), Some(end)) = (draft.start.clone(), draft.end.clone()) else {
            return Err(draft::property_failed());
        };
        let is_all_day = draft.is_all_day.unwrap_or(false);
        draft::check_times(&start, &end, is_all_day)?;
        let now = self.now();
        let mut event = Event {
            id: mailbox::default_id(&mut self.rng),
            immutable_id: mailbox::immutable_id(&mut self.rng),
            change_key: mailbox::change_key(&mut self.rng),
            created: now,
            modified: now,
            moves_at: self.switches.change_key_moves_after_seconds.map(|s| now + TimeDelta::seconds(s)),
            transaction_id: draft.transaction_id.clone(),
            ical_uid: mailbox::ical_uid(&mut self.rng),
            body: document(draft.body.as_ref()),
            start,
            end,
            is_all_day,
            meeting: None,
            lost: None,
            is_organizer: true,
            is_cancelled: false,
            organizer: (owner.display_name.clone(), owner.address.clone()),
            extended: draft.extended.unwrap_or_default(),
            extensions: draft.extensions.unwrap_or_default(),
            plain: defaults(),
            series: None,
            place: None,
        };
        event.plain.extend(draft.plain);
        if let Some(Some(recurrence)) = draft.recurrence {
            self.set_recurrence(&mut event, recurrence)?;
        }
        if draft.online == Some(true) {
            self.add_meeting(&mut event, owner, draft.provider.as_deref());
        }
        let invited = event.attendees();
        self.mail("invitation", owner, &event, &invited, None);
        self.deliver(owner, &event, &invited);
        let mailbox = self.mailboxes.entry(owner.address.clone()).or_default();
        if let Some(id) = &event.transaction_id {
            let body = Value::Object(object.clone());
            mailbox.transactions.insert(id.clone(), Transaction { event: event.id.clone(), at: now, body, dead: None });
        }
        mailbox.insert(event.clone());
        Ok(event)
    }

    fn remembered(&mut self, owner: &User, draft: &Draft, object: &Map<String, Value>) -> Result<Option<Event>> {
        let now = self.now();
        let Some(id) = &draft.transaction_id else { return Ok(None) };
        let Some(mailbox) = self.mailboxes.get(&owner.address) else { return Ok(None) };
        let Some(transaction) = mailbox.transactions.get(id) else { return Ok(None) };
        let kept = match self.switches.transaction_memory {
            TransactionMemory::Forever => true,
            TransactionMemory::OneHour => now - transaction.at < TimeDelta::hours(1),
            TransactionMemory::None => false,
        };
        if !kept {
            return Ok(None);
        }
        if self.switches.transaction_other_body == OtherBody::Refuse
            && transaction.body != Value::Object(object.clone())
        {
            return Err(invalid("ErrorInvalidRequest", "The transactionId was used with another request."));
        }
        match (mailbox.events.get(&transaction.event), &transaction.dead, self.switches.transaction_after_delete) {
            (Some(event), _, _) => Ok(Some(event.clone())),
            (None, Some(dead), AfterDelete::DeadId) => Ok(Some(dead.as_ref().clone())),
            _ => Ok(None),
        }
    }

    /// The silent failure: where the calendar does not allow the provider, the event simply stays without a meeting.
    fn add_meeting(&mut self, event: &mut Event, owner: &User, provider: Option<&str>) {
        let Some(provider) = owner.kind.meeting_provider(provider) else { return };
        let meeting = Meeting::new(provider, self.switches.join_url_format, owner, &mut self.rng);
        event.body = html::frame(format!("{}\r\n{}", html::inner(&event.body), meeting.block).trim_start());
        event.meeting = Some(meeting);
    }

    /// PATCH, by the API or by the user in Outlook.
    pub(crate) fn patch_event(
        &mut self,
        owner: &User,
        id: &str,
        object: &Map<String, Value>,
        if_match: Option<&str>,
    ) -> Result<Event> {
        let draft = Draft::read(object, &self.switches)?;
        let old = self.fetch_event(owner, id)?;
        self.check_etag(&old, if_match)?;
        let mut event = old.clone();
        let new_link = self.apply(owner, &mut event, &draft)?;
        if let Some(place) = &old.place {
            let event = self.keep_change(owner, place, &event, &draft)?;
            if event.is_organizer {
                self.mail_changes(owner, &old, &event, &draft, new_link);
            }
            return Ok(event);
        }
        let split_off = self.change_pattern(&old, &mut event, &draft)?;
        event.touch(self.now(), &mut self.rng);
        if event.is_organizer {
            self.mail_changes(owner, &old, &event, &draft, new_link);
            self.deliver(owner, &event, &event.attendees());
        }
        let mailbox = self.mailboxes.entry(owner.address.clone()).or_default();
        mailbox.events.insert(event.id.clone(), event.clone());
        if let Some(past) = split_off {
            mailbox.insert(past);
        }
        Ok(event)
    }

    /// What a PATCH says of an event's own fields. Answers whether its join link is new.
    fn apply(&mut self, owner: &User, event: &mut Event, draft: &Draft) -> Result<bool> {
        occurrences::take_times(event, draft)?;
        let mut new_link = false;
        if let Some(body) = &draft.body {
            event.body = document(Some(body));
            new_link = self.body_changed(event, owner, body);
        }
        let timed = draft.start.is_some() || draft.end.is_some();
        match (draft.online, event.meeting.is_some()) {
            (Some(_), true) if timed && self.switches.resent_online_flag_loses_link => event.meeting = None,
            // Added later. Once there is a meeting, its flag, provider and data are frozen.
            (Some(true), false) => self.add_meeting(event, owner, draft.provider.as_deref()),
            _ => {}
        }
        if let Some(Value::Array(list)) = draft.plain.get("attendees") {
            let merged = keep_status(list, event.plain.get("attendees"));
            event.plain.extend(draft.plain.clone());
            event.plain.insert("attendees".into(), merged);
        } else {
            event.plain.extend(draft.plain.clone());
        }
        for (id, value) in draft.extended.iter().flatten() {
            event.set_extended(id, value);
        }
        if let Some(extensions) = &draft.extensions {
            event.extensions.clone_from(extensions);
        }
        Ok(new_link)
    }

    /// The blob rule: a body without the meeting's block takes the meeting away. Answers whether the link is new.
    fn body_changed(&mut self, event: &mut Event, owner: &User, body: &Body) -> bool {
        let Some(meeting) = event.meeting.clone() else {
            if self.switches.lost_meeting_alternates {
                event.meeting = event.lost.take();
            }
            return false;
        };
        if !body.html || !meeting.is_in(&event.body, self.switches.blob_check) {
            event.lost = event.meeting.take();
            return false;
        }
        if !self.switches.body_patch_mints_new_link {
            return false;
        }
        let minted = Meeting::new(meeting.provider, self.switches.join_url_format, owner, &mut self.rng);
        let old_link = html::escape(&meeting.join_url);
        event.body = event
            .body
            .replace(&old_link, &html::escape(&minted.join_url))
            .replace(&meeting.join_url, &html::escape(&minted.join_url));
        let block = meeting.block.replace(&old_link, &html::escape(&minted.join_url));
        event.meeting = Some(Meeting { join_url: minted.join_url, block, ..meeting });
        true
    }

    /// DELETE: an organizer's attendees are told.
    pub(crate) fn delete_event(&mut self, owner: &User, id: &str, comment: Option<String>) -> Result<()> {
        let place = self.fetch_event(owner, id)?.place;
        let event = match &place {
            Some(place) => self.delete_occurrence(owner, place)?,
            None => self.mailboxes.get_mut(&owner.address).and_then(|m| m.remove(id)).ok_or_else(item_not_found)?,
        };
        if event.is_organizer {
            let told = event.attendees();
            self.mail("cancellation", owner, &event, &told, comment);
            self.withdraw(&event, &told);
        }
        Ok(())
    }

    /// POST …/cancel: the organizer's only.
    pub(crate) fn cancel_event(&mut self, owner: &User, id: &str, comment: Option<String>) -> Result<()> {
        if !self.fetch_event(owner, id)?.is_organizer {
            return Err(invalid(
                "ErrorInvalidRequest",
                "Your request can't be completed. You need to be an organizer to cancel a meeting.",
            ));
        }
        self.delete_event(owner, id, comment)
    }

    /// The event as it is now; its change key has moved if its time has come.
    pub(crate) fn fetch_event(&mut self, owner: &User, id: &str) -> Result<Event> {
        let now = self.now();
        let mailbox = self.mailboxes.get_mut(&owner.address).ok_or_else(item_not_found)?;
        if let Some(event) = mailbox.events.get_mut(id) {
            event.settle(now, &mut self.rng);
        }
        mailbox.find(id).ok_or_else(item_not_found)
    }

    pub(crate) fn check_etag(&self, event: &Event, if_match: Option<&str>) -> Result<()> {
        let Some(tags) = if_match.filter(|_| !self.switches.if_match_ignored) else { return Ok(()) };
        let matches = tags
            .split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == event.change_key);
        if matches { Ok(()) } else { Err(conflict()) }
    }

    fn mail_changes(&mut self, owner: &User, old: &Event, event: &Event, draft: &Draft, new_link: bool) {
        let (before, after) = (old.attendees(), event.attendees());
        let added: Vec<String> = after.iter().filter(|a| !before.contains(a)).cloned().collect();
        let removed: Vec<String> = before.iter().filter(|a| !after.contains(a)).cloned().collect();
        self.mail("invitation", owner, event, &added, None);
        self.mail("cancellation", owner, event, &removed, None);
        self.withdraw(old, &removed);
        let significant = new_link
            || draft.body.is_some()
            || draft.start.is_some()
            || draft.end.is_some()
            || draft.is_all_day.is_some()
            || draft.online.is_some()
            || draft.recurrence.is_some()
            || ["subject", "location", "locations"].iter().any(|name| draft.plain.contains_key(*name));
        // A change of the attendees alone is told to those who came or went.
        let told = match self.switches.update_mail {
            UpdateMail::EveryPatch => !draft.attendees_only(),
            UpdateMail::Significant => significant,
        };
        if told {
            let stayed: Vec<String> = after.into_iter().filter(|a| before.contains(a)).collect();
            self.mail("update", owner, event, &stayed, None);
            // One mail for the series, and one for each of its exceptions.
            for exception in event.exceptions() {
                self.mail("update", owner, &exception, &exception.attendees(), None);
            }
        }
    }

    fn mail(&mut self, kind: &'static str, owner: &User, event: &Event, to: &[String], comment: Option<String>) {
        let at = plain_instant(self.now());
        for address in to.iter().filter(|address| **address != owner.address) {
            self.mails.push(Mail {
                order: self.mails.len() as u64 + 1,
                at: at.clone(),
                mailbox: owner.address.clone(),
                kind,
                to: address.clone(),
                event_id: event.id.clone(),
                subject: event.subject().to_owned(),
                join_url: event.meeting.as_ref().map(|meeting| meeting.join_url.clone()),
                comment: comment.clone(),
            });
        }
    }

    /// Attendees with a mailbox here hold a copy, which is told apart by `isOrganizer`.
    pub(crate) fn deliver(&mut self, owner: &User, event: &Event, to: &[String]) {
        if !self.switches.deliver_to_attendees {
            return;
        }
        for address in to.iter().filter(|address| **address != owner.address) {
            let Some(mailbox) = self.mailboxes.get_mut(address) else { continue };
            let known = mailbox.events.values().find(|copy| copy.ical_uid == event.ical_uid);
            let (id, immutable_id) = known.map_or_else(
                || (mailbox::default_id(&mut self.rng), mailbox::immutable_id(&mut self.rng)),
                |copy| (copy.id.clone(), copy.immutable_id.clone()),
            );
            mailbox.insert(Event {
                id,
                immutable_id,
                change_key: mailbox::change_key(&mut self.rng),
                is_organizer: false,
                transaction_id: None,
                moves_at: None,
                extended: Vec::new(),
                extensions: Vec::new(),
                ..event.clone()
            });
        }
    }

    fn withdraw(&mut self, event: &Event, from: &[String]) {
        for address in from {
            let Some(mailbox) = self.mailboxes.get_mut(address) else { continue };
            for copy in mailbox.events.values_mut().filter(|e| e.ical_uid == event.ical_uid && !e.is_organizer) {
                copy.is_cancelled = true;
                let subject = format!("Canceled: {}", copy.subject());
                copy.plain.insert("subject".into(), json!(subject));
            }
        }
    }
}

fn document(body: Option<&Body>) -> String {
    match body {
        None => html::frame(""),
        Some(Body { html: true, content }) => html::document(content),
        Some(Body { html: false, content }) if content.is_empty() => html::frame(""),
        Some(Body { html: false, content }) => html::from_text(content),
    }
}

/// Attendees who stay keep their answer.
fn keep_status(list: &[Value], before: Option<&Value>) -> Value {
    let before = before.and_then(Value::as_array).cloned().unwrap_or_default();
    let address = |a: &Value| a.pointer("/emailAddress/address").and_then(Value::as_str).map(str::to_lowercase);
    let merged = list.iter().map(|attendee| {
        let mut attendee = attendee.clone();
        if let Some(status) = before.iter().find(|b| address(b) == address(&attendee)).and_then(|b| b.get("status"))
            && let Some(members) = attendee.as_object_mut()
        {
            members.insert("status".into(), status.clone());
        }
        attendee
    });
    Value::Array(merged.collect())
}

fn defaults() -> Map<String, Value> {
    let mut plain = Map::new();
    let mut set = |name: &str, value: Value| plain.insert(name.to_owned(), value);
    set("subject", json!(""));
    set("categories", json!([]));
    set("reminderMinutesBeforeStart", json!(15));
    set("isReminderOn", json!(true));
    set("hideAttendees", json!(false));
    set("importance", json!("normal"));
    set("sensitivity", json!("normal"));
    set("responseRequested", json!(true));
    set("showAs", json!("busy"));
    set("allowNewTimeProposals", json!(true));
    set("location", draft::no_location());
    set("locations", json!([]));
    set("attendees", json!([]));
    plain
}
