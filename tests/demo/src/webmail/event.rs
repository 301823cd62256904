//! An event as a person sees it in a form, and as it stands in iCalendar.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;

use super::icalendar::{Object, escape, value_of};

/// The zone of this webmail's users.
const ZONE: chrono_tz::Tz = chrono_tz::Europe::Vienna;

/// What stands in the fields of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    pub(crate) subject: String,
    /// As `datetime-local` writes it: `2030-01-14T10:00`.
    pub(crate) start: String,
    pub(crate) end: String,
    /// Addresses, apart by commas, semicolons or spaces.
    pub(crate) guests: String,
    pub(crate) description: String,
}

/// What a form cannot be saved for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mistake {
    Start,
    End,
    EndBeforeStart,
    Guest(String),
}

/// The fields, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    subject: String,
    pub(crate) start: NaiveDateTime,
    pub(crate) end: NaiveDateTime,
    guests: Vec<String>,
    description: String,
}

impl Fields {
    /// An event of an hour tomorrow at ten.
    pub(crate) fn suggested(now: DateTime<Utc>) -> Self {
        let tomorrow = now.with_timezone(&ZONE).date_naive().succ_opt().unwrap_or_default();
        let at = |hour| tomorrow.and_hms_opt(hour, 0, 0).unwrap_or_default();
        Self { start: local(at(10)), end: local(at(11)), ..Self::default() }
    }

    /// The fields of a stored event.
    pub(crate) fn of(object: &Object) -> Self {
        let time = |name| moment(object, name).map(local).unwrap_or_default();
        Self {
            subject: object.text("SUMMARY"),
            start: time("DTSTART"),
            end: time("DTEND"),
            guests: guests(object).join(", "),
            description: object.text("DESCRIPTION"),
        }
    }

    /// Understands them, or says what has to be mended.
    pub(crate) fn check(&self) -> Result<Entry, Mistake> {
        let start = from_local(&self.start).ok_or(Mistake::Start)?;
        let end = from_local(&self.end).ok_or(Mistake::End)?;
        if end < start {
            return Err(Mistake::EndBeforeStart);
        }
        let mut guests: Vec<String> = Vec::new();
        for guest in self.guests.split([',', ';', ' ', '\n', '\r', '\t']).filter(|guest| !guest.is_empty()) {
            if !is_address(guest) {
                return Err(Mistake::Guest(guest.chars().take(80).collect()));
            }
            if !guests.iter().any(|known| known.eq_ignore_ascii_case(guest)) {
                guests.push(guest.to_owned());
            }
        }
        Ok(Entry {
            subject: self.subject.trim().to_owned(),
            start,
            end,
            guests,
            // Browsers send the lines of a text apart by CR LF.
            description: self.description.replace("\r\n", "\n"),
        })
    }
}

impl Entry {
    /// Writes them into an event. Lines that say the same already stay as they are, and so does all else.
    pub(crate) fn write_into(&self, object: &mut Object, organizer: &str, now: DateTime<Utc>) {
        let before = object.clone();
        object.set_text("SUMMARY", &self.subject);
        object.set_text("DESCRIPTION", &self.description);
        for (name, at) in [("DTSTART", self.start), ("DTEND", self.end)] {
            if moment(object, name) != Some(at) {
                object.replace(name, &[format!("{name};TZID={ZONE}:{}", at.format("%Y%m%dT%H%M%S"))]);
            }
        }
        if guests(object) != self.guests {
            let attendees: Vec<String> = self.guests.iter().map(|guest| attendee(object, guest)).collect();
            object.replace("ATTENDEE", &attendees);
            let organizer = format!("ORGANIZER:mailto:{organizer}");
            object.replace("ORGANIZER", if attendees.is_empty() { &[] } else { std::slice::from_ref(&organizer) });
        }
        if *object != before {
            touch(object, now);
        }
    }
}

/// Counts a change (RFC 5545 §3.8.7).
fn touch(object: &mut Object, now: DateTime<Utc>) {
    let at = now.format("%Y%m%dT%H%M%SZ");
    let sequence = object.value("SEQUENCE").and_then(|value| value.parse::<u32>().ok()).map_or(0, |n| n + 1);
    object.replace("DTSTAMP", &[format!("DTSTAMP:{at}")]);
    object.replace("SEQUENCE", &[format!("SEQUENCE:{sequence}")]);
}

/// Cancels an event, or takes the cancellation back.
pub(crate) fn set_cancelled(object: &mut Object, cancelled: bool, now: DateTime<Utc>) {
    let status = if cancelled { "CANCELLED" } else { "CONFIRMED" };
    object.replace("STATUS", &[format!("STATUS:{status}")]);
    touch(object, now);
}

/// Whether an event is cancelled.
pub(crate) fn is_cancelled(object: &Object) -> bool {
    object.value("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED"))
}

/// A time of an event as the wall clock of the webmail's users shows it; a date is its midnight.
pub(crate) fn moment(object: &Object, name: &str) -> Option<NaiveDateTime> {
    let value = object.value(name)?;
    if let Some(utc) = value.strip_suffix('Z') {
        let at = NaiveDateTime::parse_from_str(utc, "%Y%m%dT%H%M%S").ok()?;
        return Some(at.and_utc().with_timezone(&ZONE).naive_local());
    }
    NaiveDateTime::parse_from_str(value, "%Y%m%dT%H%M%S")
        .ok()
        .or_else(|| chrono::NaiveDate::parse_from_str(value, "%Y%m%d").ok()?.and_hms_opt(0, 0, 0))
}

/// The guests' addresses.
pub(crate) fn guests(object: &Object) -> Vec<String> {
    object.lines("ATTENDEE").filter_map(address_of).map(str::to_owned).collect()
}

/// Today, where the webmail's users are.
pub(crate) fn today(now: DateTime<Utc>) -> chrono::NaiveDate {
    now.with_timezone(&ZONE).date_naive()
}

/// A guest who stays keeps their line, with the answer they gave.
fn attendee(object: &Object, guest: &str) -> String {
    let known = object.lines("ATTENDEE").find(|line| address_of(line).is_some_and(|a| a.eq_ignore_ascii_case(guest)));
    known.map_or_else(|| format!("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{}", escape(guest)), str::to_owned)
}

fn address_of(line: &str) -> Option<&str> {
    let value = value_of(line);
    value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).and_then(|_| value.get(7..))
}

fn is_address(text: &str) -> bool {
    let fine = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_control() || "\"<>()[]:\\".contains(c));
    text.split_once('@').is_some_and(|(name, domain)| fine(name) && fine(domain) && !domain.contains('@'))
}

fn local(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M").to_string()
}

fn from_local(text: &str) -> Option<NaiveDateTime> {
    // Browsers leave out seconds that are none.
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"].iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "fay@mail.example";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_893_456_000, 0).unwrap()
    }

    fn fields() -> Fields {
        Fields {
            subject: "Planning".into(),
            start: "2030-01-14T10:00".into(),
            end: "2030-01-14T11:00".into(),
            guests: "carol@partner.example; dave@partner.example".into(),
            description: "Agenda:\r\nbudget, staff".into(),
        }
    }

    #[test]
    fn fields_survive_the_way_through_icalendar() {
        let mut object = Object::event("1@mail.example");
        fields().check().unwrap().write_into(&mut object, ME, now());
        let read = Object::read(&object.write());
        assert_eq!(read.value("ORGANIZER"), Some("mailto:fay@mail.example"));
        assert_eq!(read.lines("DTSTART").next(), Some("DTSTART;TZID=Europe/Vienna:20300114T100000"));
        let again = Fields::of(&read);
        assert_eq!(again.guests, "carol@partner.example, dave@partner.example");
        assert_eq!(again.check(), fields().check());
        let mut unchanged = read.clone();
        again.check().unwrap().write_into(&mut unchanged, ME, now());
        assert_eq!(unchanged, read, "a save that changes nothing changes no line");
    }

    #[test]
    fn a_guest_who_stays_keeps_the_answer() {
        let mut object = Object::event("1@mail.example");
        fields().check().unwrap().write_into(&mut object, ME, now());
        let accepted = "ATTENDEE;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:Dave@partner.example";
        let mut lines: Vec<String> = object.lines("ATTENDEE").map(str::to_owned).collect();
        lines[1] = accepted.into();
        object.replace("ATTENDEE", &lines);
        let fewer = Fields { guests: "dave@partner.example erin@partner.example".into(), ..fields() };
        fewer.check().unwrap().write_into(&mut object, ME, now());
        let lines: Vec<&str> = object.lines("ATTENDEE").collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], accepted);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let with = |change: fn(&mut Fields)| {
            let mut fields = fields();
            change(&mut fields);
            fields.check().unwrap_err()
        };
        assert_eq!(with(|f| f.start.clear()), Mistake::Start);
        assert_eq!(with(|f| f.end = "soon".into()), Mistake::End);
        assert_eq!(with(|f| f.end = "2030-01-14T09:59".into()), Mistake::EndBeforeStart);
        assert_eq!(with(|f| f.guests = "carol".into()), Mistake::Guest("carol".into()));
    }
}
