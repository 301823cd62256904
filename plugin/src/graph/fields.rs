//! An event as groups of Graph fields. A group travels whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::calendar::body::{Body, Shown};
use crate::calendar::event::{Importance, Sensitivity};
use crate::calendar::times::{Moment, Span};
use crate::calendar::{Event, Guest, Role, ShowAs, text};
use crate::domain::Copy;
use crate::record::fingerprint;
use crate::settings::{Private, Settings};
use crate::standing::is_private;
use crate::words::{Phrase, Words};

/// Attendees of one event (Graph, resource `event`).
pub(crate) const MAX_GUESTS: usize = 500;

/// Exchange keeps 255 characters of a subject.
const MAX_SUBJECT: usize = 255;

/// The group that holds the body, which needs care where there is a meeting.
pub(crate) const BODY: &str = "body";
/// The group that holds the guests, where Microsoft invites them.
pub(crate) const ATTENDEES: &str = "attendees";
/// The group that says when, and how it repeats.
pub(crate) const TIME: &str = "time";

/// Field groups by name: fields of the event resource.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields {
    groups: BTreeMap<&'static str, Map<String, Value>>,
    /// When it starts and ends: Unix time in milliseconds; for whole days, midnights of UTC, as Graph tells them.
    span_ms: (i64, i64),
    /// The user's part of the body, HTML.
    pub(crate) html: String,
}

/// How an event is to be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Showing<'a> {
    /// The account's settings.
    pub(crate) settings: &'a Settings,
    /// Whose copy.
    pub(crate) copy: Copy,
    /// Whether it has, or is to have, a meeting.
    pub(crate) meeting: bool,
    /// Whether it is not saved yet: nobody is told of it.
    pub(crate) draft: bool,
    /// The account's language.
    pub(crate) words: Words,
}

impl Showing<'_> {
    /// Whether no more is shown of an event than that the time is taken.
    fn hides(&self, event: &Event) -> bool {
        is_private(event) && !self.meeting && self.settings.private != Private::Full
    }

    fn shown(&self) -> Shown {
        Shown {
            guests: self.settings.guest_list && self.copy == Copy::Own,
            attachments: self.settings.attachments,
            meeting: self.meeting,
            limit: self.settings.body_limit,
        }
    }
}

/// What of an event does not reach Microsoft.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The end of its subject.
    pub(crate) subject: bool,
    /// Something of its body.
    pub(crate) body: bool,
    /// Every attendee, because there are too many.
    pub(crate) attendees: bool,
    /// So many guests to whom no mail can be sent.
    pub(crate) unreachable: usize,
    /// Whether nothing of what it is about is meant to.
    pub(crate) hidden: bool,
}

impl Missing {
    /// Of an event that is shown so.
    pub(crate) fn of(event: &Event, showing: Showing<'_>) -> Self {
        if showing.hides(event) {
            return Self { hidden: true, ..Self::default() };
        }
        let invited = showing.settings.microsoft_invites && showing.copy == Copy::Own;
        let reachable = event.guests.iter().filter(|guest| guest.address.is_some()).count();
        Self {
            subject: subject(&event.subject).1,
            body: Body::of(event, showing.shown(), showing.words).cut,
            attendees: invited && reachable > MAX_GUESTS,
            unreachable: if invited { event.guests.len() - reachable } else { 0 },
            hidden: false,
        }
    }
}

impl Fields {
    /// Every group of an event.
    pub(crate) fn of(event: &Event, showing: Showing<'_>) -> Self {
        let Showing { settings, copy, draft, words, .. } = showing;
        let hidden = showing.hides(event);
        let mut groups: BTreeMap<&'static str, Map<String, Value>> = BTreeMap::new();
        let mut put = |group: &'static str, fields: Value| {
            if let Value::Object(fields) = fields {
                groups.insert(group, fields);
            }
        };
        put(TIME, times(&event.span));
        put("showAs", json!({ "showAs": show_as(event.show_as) }));
        put("sensitivity", json!({ "sensitivity": sensitivity(event.sensitivity) }));
        put("importance", json!({ "importance": importance(event.importance) }));
        put(
            "reminder",
            match event.reminder {
                Some(minutes) => json!({ "isReminderOn": true, "reminderMinutesBeforeStart": minutes }),
                None => json!({ "isReminderOn": false }),
            },
        );
        let html = if hidden {
            put("subject", json!({ "subject": words.say(Phrase::PrivateSubject) }));
            put("location", location("", None));
            put("categories", json!({ "categories": [] }));
            String::new()
        } else {
            put("subject", json!({ "subject": subject(&event.subject).0 }));
            put("location", location(&event.location, event.position));
            put("categories", json!({ "categories": event.categories }));
            Body::of(event, showing.shown(), words).html
        };
        put(BODY, json!({ "body": { "contentType": "html", "content": html } }));
        if settings.microsoft_invites && copy == Copy::Own && !draft && !hidden {
            let guests: Vec<Value> = event.guests.iter().filter_map(attendee).collect();
            let guests = if guests.len() > MAX_GUESTS { Vec::new() } else { guests };
            put(ATTENDEES, json!({ "attendees": guests }));
        }
        Self { groups, span_ms: graph_span_ms(&event.span), html }
    }

    /// The same, repeated (Graph, `patternedRecurrence`).
    pub(crate) fn repeated(mut self, recurrence: &Value) -> Self {
        if let Some(time) = self.groups.get_mut(TIME) {
            time.insert("recurrence".to_owned(), recurrence.clone());
        }
        self
    }

    /// The same at another time, once.
    pub(crate) fn at(mut self, span: &Span) -> Self {
        if let Value::Object(time) = times(span) {
            self.groups.insert(TIME, time);
        }
        self.span_ms = graph_span_ms(span);
        self
    }

    /// The same with the link of a meeting that another event owns.
    pub(crate) fn linked(mut self, url: &str) -> Self {
        let name = self.groups.get_mut("location").and_then(|group| group.get_mut("location")?.get_mut("displayName"));
        if let Some(name) = name {
            let joined = match name.as_str() {
                Some(place) if !place.is_empty() => format!("{place}; {url}"),
                _ => url.to_owned(),
            };
            *name = json!(joined);
        }
        self.html.push_str(&format!("<p>{}</p>", text::link(url, url)));
        let body = json!({ "contentType": "html", "content": self.html });
        self.groups.insert(BODY, Map::from_iter([("body".to_owned(), body)]));
        self
    }

    /// When it starts and ends: Unix time in milliseconds, as Graph tells it.
    pub(crate) fn span_ms(&self) -> (i64, i64) {
        self.span_ms
    }

    /// Without the attendees, who are told at the end.
    pub(crate) fn without_attendees(mut self) -> Self {
        self.groups.remove(ATTENDEES);
        self
    }

    /// Those of its groups that are named.
    pub(crate) fn groups_among(&self, names: &BTreeSet<String>) -> Vec<&'static str> {
        self.groups.keys().filter(|group| names.contains(**group)).copied().collect()
    }

    /// The fingerprint of each group.
    pub(crate) fn fingerprints(&self) -> BTreeMap<String, String> {
        self.groups.iter().map(|(&group, fields)| (group.to_owned(), fingerprint(&json!(fields).to_string()))).collect()
    }

    /// The groups that differ from what Microsoft last confirmed, by group.
    pub(crate) fn changed(&self, confirmed: &BTreeMap<String, String>) -> Vec<&'static str> {
        let nobody = fingerprint(&json!({ "attendees": [] }).to_string());
        self.fingerprints()
            .iter()
            .filter(|(group, print)| match confirmed.get(*group) {
                Some(known) => known != *print,
                // Who was never told of guests knows of none.
                None => *group != ATTENDEES || **print != nobody,
            })
            .filter_map(|(group, _)| self.groups.keys().find(|key| *key == group).copied())
            .collect()
    }

    /// The fields of some groups, for a PATCH. What is empty is sent: it has to be cleared.
    pub(crate) fn some(&self, groups: &[&'static str]) -> Map<String, Value> {
        groups
            .iter()
            .filter_map(|group| self.groups.get(group))
            .flatten()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// All fields, for a POST; what is empty there is left to Microsoft's defaults, which are the same.
    pub(crate) fn all(&self) -> Map<String, Value> {
        let mut all: Map<String, Value> =
            self.groups.values().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
        for name in ["attendees", "categories"] {
            if all.get(name).and_then(Value::as_array).is_some_and(Vec::is_empty) {
                all.remove(name);
            }
        }
        if all.get("location") == location("", None).get("location") {
            all.remove("location");
        }
        all
    }
}

/// A subject of at most 255 UTF-16 units, cut between characters as people see them, and whether it had to be cut.
pub(crate) fn subject(whole: &str) -> (String, bool) {
    let mut units = 0;
    let full = whole.char_indices().find_map(|(at, character)| {
        units += character.len_utf16();
        (units > MAX_SUBJECT).then_some(at)
    });
    let kept = full.map_or(whole, |at| text::up_to(whole, at));
    // A subject is one line.
    let line = kept.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    (line, full.is_some())
}

/// The fingerprint of the group that says when, without making the others.
pub(crate) fn time_print(span: &Span, recurrence: Option<&Value>) -> String {
    let mut time = times(span);
    if let (Some(recurrence), Value::Object(time)) = (recurrence, &mut time) {
        time.insert("recurrence".to_owned(), recurrence.clone());
    }
    fingerprint(&time.to_string())
}

/// When something starts and ends: Unix time in milliseconds, as Graph tells it.
pub(crate) fn graph_span_ms(span: &Span) -> (i64, i64) {
    let ms = |moment: &Moment| {
        if span.all_day { moment.local.and_utc().timestamp_millis() } else { moment.utc_ms }
    };
    (ms(&span.start), ms(&span.end))
}

fn times(span: &Span) -> Value {
    json!({ "start": time(&span.start), "end": time(&span.end), "isAllDay": span.all_day })
}

fn time(moment: &Moment) -> Value {
    json!({ "dateTime": moment.local.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": moment.zone })
}

fn location(name: &str, position: Option<(f64, f64)>) -> Value {
    match position {
        Some((latitude, longitude)) => json!({
            "location": { "displayName": name, "coordinates": { "latitude": latitude, "longitude": longitude } }
        }),
        None => json!({ "location": { "displayName": name } }),
    }
}

/// A guest as an attendee; `None`: no mail can be sent there, which Microsoft insists on. Microsoft knows nobody who is
/// merely informed, and does not wait for those who are optional either.
fn attendee(guest: &Guest) -> Option<Value> {
    let address = guest.address.as_ref()?;
    let kind = match guest.role {
        _ if guest.is_resource => "resource",
        Role::Required => "required",
        Role::Optional | Role::Informational => "optional",
    };
    let name = if guest.name.is_empty() { address } else { &guest.name };
    Some(json!({ "type": kind, "emailAddress": { "address": address, "name": name } }))
}

fn show_as(show_as: ShowAs) -> &'static str {
    match show_as {
        ShowAs::Free => "free",
        ShowAs::Tentative => "tentative",
        ShowAs::Busy => "busy",
    }
}

fn sensitivity(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Normal => "normal",
        Sensitivity::Private => "private",
        Sensitivity::Confidential => "confidential",
    }
}

fn importance(importance: Importance) -> &'static str {
    match importance {
        Importance::Low => "low",
        Importance::Normal => "normal",
        Importance::High => "high",
    }
}

#[cfg(test)]
mod tests;
