//! Reading and checking the JSON of a POST or PATCH on an event.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Map, Value, json};

use crate::graph::error::{Result, invalid, no_such_property, not_modelled, time_zone_not_supported};
use crate::graph::mailbox::Moment;
use crate::graph::recurrence::Recurrence;
use crate::switches::Switches;
use crate::zones;

/// What a body asks for; absent means untouched.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub plain: Map<String, Value>,
    pub body: Option<Body>,
    pub start: Option<Moment>,
    pub end: Option<Moment>,
    pub is_all_day: Option<bool>,
    pub online: Option<bool>,
    pub provider: Option<String>,
    pub transaction_id: Option<String>,
    pub extended: Option<Vec<(String, String)>>,
    pub extensions: Option<Vec<Value>>,
    /// `Some(None)` takes it away.
    pub recurrence: Option<Option<Recurrence>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Body {
    pub html: bool,
    pub content: String,
}

/// The properties of v1.0's event which a client may send and which nobody but the service writes.
const READ_ONLY: &[&str] = &[
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "originalStartTimeZone",
    "originalEndTimeZone",
    "responseStatus",
    "iCalUId",
    "hasAttachments",
    "bodyPreview",
    "originalStart",
    "isCancelled",
    "isOrganizer",
    "isDraft",
    "seriesMasterId",
    "type",
    "organizer",
    "webLink",
    "onlineMeetingUrl",
    "onlineMeeting",
];

/// The other properties a `$select` may name.
const WRITABLE: &[&str] = &[
    "subject",
    "body",
    "start",
    "end",
    "location",
    "locations",
    "attendees",
    "isAllDay",
    "importance",
    "sensitivity",
    "showAs",
    "isReminderOn",
    "reminderMinutesBeforeStart",
    "categories",
    "responseRequested",
    "allowNewTimeProposals",
    "hideAttendees",
    "isOnlineMeeting",
    "onlineMeetingProvider",
    "transactionId",
    "recurrence",
    "singleValueExtendedProperties",
    "multiValueExtendedProperties",
    "extensions",
    "attachments",
    "cancelledOccurrences",
    "exceptionOccurrences",
    "instances",
    "calendar",
];

/// Whether v1.0's event has a property of that name. There is no `uid` and no `occurrenceId`.
pub(crate) fn is_property(name: &str) -> bool {
    READ_ONLY.contains(&name) || WRITABLE.contains(&name)
}

impl Draft {
    /// Reads a request's object.
    pub(crate) fn read(object: &Map<String, Value>, switches: &Switches) -> Result<Self> {
        let mut draft = Self::default();
        for (name, value) in object {
            draft.take(name, value, switches)?;
        }
        // `location` replaces `locations`; where only the list is sent its first entry is the location.
        if let Some(location) = draft.plain.get("location").cloned() {
            if !object.contains_key("locations") {
                let named = location.get("displayName").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
                draft.plain.insert("locations".into(), if named { json!([location]) } else { json!([]) });
            }
        } else if let Some(list) = draft.plain.get("locations").and_then(Value::as_array) {
            let first = list.first().cloned().unwrap_or_else(no_location);
            draft.plain.insert("location".into(), first);
        }
        Ok(draft)
    }

    fn take(&mut self, name: &str, value: &Value, switches: &Switches) -> Result<()> {
        match name {
            "subject" => {
                let subject = text(name, value)?;
                if switches.subject_limit.is_some_and(|limit| subject.chars().count() > limit) {
                    return Err(property_failed());
                }
                self.plain.insert(name.into(), json!(subject));
            }
            "body" => self.body = Some(read_body(value)?),
            "start" => self.start = Some(moment(name, value, switches)?),
            "end" => self.end = Some(moment(name, value, switches)?),
            "isAllDay" => self.is_all_day = Some(boolean(name, value)?),
            "isOnlineMeeting" => self.online = Some(boolean(name, value)?),
            "onlineMeetingProvider" => {
                let known = ["unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness"];
                self.provider = Some(one_of(name, value, &known)?);
            }
            "importance" => self.keep(name, one_of(name, value, &["low", "normal", "high"])?),
            "sensitivity" => {
                self.keep(name, one_of(name, value, &["normal", "personal", "private", "confidential"])?);
            }
            "showAs" => {
                let known = ["free", "tentative", "busy", "oof", "workingElsewhere", "unknown"];
                self.keep(name, one_of(name, value, &known)?);
            }
            "isReminderOn" | "responseRequested" | "allowNewTimeProposals" | "hideAttendees" => {
                self.plain.insert(name.into(), json!(boolean(name, value)?));
            }
            "reminderMinutesBeforeStart" => {
                let minutes = value.as_i64().and_then(|n| i32::try_from(n).ok()).ok_or_else(|| wrong_type(name))?;
                self.plain.insert(name.into(), json!(minutes));
            }
            "categories" => {
                let list = array(name, value)?;
                if !list.iter().all(Value::is_string) {
                    return Err(wrong_type(name));
                }
                self.plain.insert(name.into(), value.clone());
            }
            "location" => {
                self.plain.insert(name.into(), location(value)?);
            }
            "locations" => {
                let list = array(name, value)?.iter().map(location).collect::<Result<Vec<_>>>()?;
                self.plain.insert(name.into(), Value::Array(list));
            }
            "attendees" => {
                let list = array(name, value)?;
                if list.len() > 500 {
                    return Err(invalid("ErrorInvalidRequest", "An event takes 500 attendees at most."));
                }
                let list = list.iter().map(attendee).collect::<Result<Vec<_>>>()?;
                self.plain.insert(name.into(), Value::Array(list));
            }
            "transactionId" => {
                if !value.is_null() {
                    self.transaction_id = Some(text(name, value)?);
                }
            }
            "singleValueExtendedProperties" => {
                self.extended = Some(array(name, value)?.iter().map(extended).collect::<Result<Vec<_>>>()?);
            }
            "extensions" => self.extensions = Some(extensions(array(name, value)?)?),
            "recurrence" => {
                let read = if value.is_null() { None } else { Some(Recurrence::read(value, switches)?) };
                self.recurrence = Some(read);
            }
            "multiValueExtendedProperties" | "attachments" => return Err(not_modelled(name)),
            _ if name.starts_with('@') => {}
            _ if READ_ONLY.contains(&name) => {}
            _ => return Err(no_such_property(name)),
        }
        Ok(())
    }

    fn keep(&mut self, name: &str, value: String) {
        self.plain.insert(name.into(), Value::String(value));
    }

    /// Whether attendees are all it changes.
    pub(crate) fn attendees_only(&self) -> bool {
        self.plain.len() == 1
            && self.plain.contains_key("attendees")
            && self.body.is_none()
            && self.start.is_none()
            && self.end.is_none()
            && self.is_all_day.is_none()
            && self.online.is_none()
            && self.recurrence.is_none()
    }

    /// Whether it says anew when the event is.
    pub(crate) fn is_timed(&self) -> bool {
        self.start.is_some() || self.end.is_some() || self.is_all_day.is_some()
    }
}

/// The parts of an event that hang together in time.
pub(crate) fn check_times(start: &Moment, end: &Moment, all_day: bool) -> Result<()> {
    if all_day {
        if start.local.time() != NaiveTime::MIN {
            return Err(invalid(
                "ErrorInvalidRequest",
                "The Event.Start property for an all-day event needs to be set to midnight.",
            ));
        }
        if end.local.time() != NaiveTime::MIN {
            return Err(invalid(
                "ErrorInvalidRequest",
                "The Event.End property for an all-day event needs to be set to midnight.",
            ));
        }
        if start.zone != end.zone {
            return Err(invalid(
                "ErrorInvalidRequest",
                "The Event.Start and Event.End of an all-day event need to be in one time zone.",
            ));
        }
        if end.local <= start.local {
            return Err(invalid("ErrorInvalidRequest", "The duration of an all-day event is at least one day."));
        }
    } else if end.utc < start.utc {
        return Err(property_failed());
    }
    Ok(())
}

pub(crate) fn no_location() -> Value {
    json!({"displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {}, "coordinates": {}})
}

/// `ErrorPropertyValidationFailure`, whose message does not name the property.
pub(crate) fn property_failed() -> super::error::GraphError {
    invalid("ErrorPropertyValidationFailure", "At least one property failed validation.")
}

pub(crate) fn wrong_type(name: &str) -> super::error::GraphError {
    invalid("RequestBodyRead", format!("Cannot convert the value of the property '{name}' to the expected type."))
}

fn text(name: &str, value: &Value) -> Result<String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        _ => Err(wrong_type(name)),
    }
}

fn boolean(name: &str, value: &Value) -> Result<bool> {
    value.as_bool().ok_or_else(|| wrong_type(name))
}

pub(crate) fn array<'a>(name: &str, value: &'a Value) -> Result<&'a Vec<Value>> {
    value.as_array().ok_or_else(|| wrong_type(name))
}

/// Enumerations are matched without case and kept as Graph spells them.
pub(crate) fn one_of(name: &str, value: &Value, known: &[&str]) -> Result<String> {
    let asked = value.as_str().ok_or_else(|| wrong_type(name))?;
    known.iter().find(|k| k.eq_ignore_ascii_case(asked)).map(|k| (*k).to_owned()).ok_or_else(|| {
        invalid("RequestBodyRead", format!("Requested value '{asked}' of the property '{name}' was not found."))
    })
}

fn read_body(value: &Value) -> Result<Body> {
    let members = value.as_object().ok_or_else(|| wrong_type("body"))?;
    let mut body = Body { html: false, content: String::new() };
    for (name, value) in members {
        match name.as_str() {
            "contentType" => body.html = one_of("contentType", value, &["text", "html"])? == "html",
            "content" => body.content = text(name, value)?,
            _ if name.starts_with('@') => {}
            _ => return Err(no_such_property(name)),
        }
    }
    Ok(body)
}

fn moment(name: &str, value: &Value, switches: &Switches) -> Result<Moment> {
    let (Some(date_time), Some(zone)) =
        (value.get("dateTime").and_then(Value::as_str), value.get("timeZone").and_then(Value::as_str))
    else {
        return Err(property_failed());
    };
    let known = zones::find(zone, switches.any_iana_zone).ok_or_else(|| time_zone_not_supported(zone))?;
    let (local, offset) = match parse_local(date_time) {
        Some(local) => (local, false),
        None => {
            let at = chrono::DateTime::parse_from_rfc3339(date_time)
                .ok()
                .filter(|_| switches.date_time_offset_accepted)
                .ok_or_else(|| {
                    invalid(
                        "ErrorInvalidParameter",
                        format!("The value '{date_time}' of the property '{name}' is no dateTime without an offset."),
                    )
                })?;
            (at.naive_utc(), true)
        }
    };
    if offset {
        return Ok(Moment { local, zone: "UTC".to_owned(), utc: local.and_utc() });
    }
    Ok(Moment { local, zone: zone.to_owned(), utc: zones::to_utc(local, known) })
}

pub(crate) fn parse_local(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
        .ok()
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|date| date.and_time(NaiveTime::MIN)))
}

fn location(value: &Value) -> Result<Value> {
    if value.is_null() {
        return Ok(no_location());
    }
    const KNOWN: &[&str] = &[
        "displayName",
        "locationType",
        "uniqueId",
        "uniqueIdType",
        "address",
        "coordinates",
        "locationUri",
        "locationEmailAddress",
    ];
    let members = value.as_object().ok_or_else(|| wrong_type("location"))?;
    if let Some(unknown) = members.keys().find(|name| !KNOWN.contains(&name.as_str()) && !name.starts_with('@')) {
        return Err(no_such_property(unknown));
    }
    let name = members.get("displayName").map(|name| text("displayName", name)).transpose()?.unwrap_or_default();
    let mut kept = members.clone();
    kept.insert("displayName".into(), json!(name));
    kept.entry("locationType").or_insert_with(|| json!("default"));
    if name.is_empty() {
        kept.entry("uniqueIdType").or_insert_with(|| json!("unknown"));
    } else {
        kept.entry("uniqueId").or_insert_with(|| json!(name));
        kept.entry("uniqueIdType").or_insert_with(|| json!("private"));
    }
    Ok(Value::Object(kept))
}

fn attendee(value: &Value) -> Result<Value> {
    let address = value
        .pointer("/emailAddress/address")
        .and_then(Value::as_str)
        .filter(|address| address.contains('@') && !address.contains(char::is_whitespace))
        .ok_or_else(|| invalid("ErrorInvalidRecipients", "At least one recipient is not valid."))?;
    let name = value.pointer("/emailAddress/name").and_then(Value::as_str).unwrap_or(address);
    let kind = match value.get("type") {
        None | Some(Value::Null) => "required".to_owned(),
        Some(kind) => one_of("type", kind, &["required", "optional", "resource"])?,
    };
    Ok(json!({
        "type": kind,
        "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
        "emailAddress": {"name": name, "address": address},
    }))
}

fn extended(value: &Value) -> Result<(String, String)> {
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
    let content = value.get("value").and_then(Value::as_str).ok_or_else(|| wrong_type("value"))?;
    if super::filter::extended_id(id).is_none() {
        return Err(invalid(
            "ErrorInvalidProperty",
            format!("The property id '{id}' is not a valid extended property id."),
        ));
    }
    Ok((id.to_owned(), content.to_owned()))
}

fn extensions(list: &[Value]) -> Result<Vec<Value>> {
    for extension in list {
        let members = extension.as_object().ok_or_else(|| wrong_type("extensions"))?;
        if !members.get("extensionName").is_some_and(Value::is_string) {
            return Err(invalid("ErrorInvalidRequest", "An open extension needs an extensionName."));
        }
        // Seen live: nested objects in an extension are an internal error, not a refusal.
        if members.values().any(Value::is_object) {
            return Err(super::error::usual(500));
        }
    }
    Ok(list.to_vec())
}
