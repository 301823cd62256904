//! iCalendar text → the domain's event.
//!
//! | file | what happens there |
//! | --- | --- |
//! | [`limits`] | what is refused before anything is parsed |
//! | [`read`] | one calendar object: which event it is, whose, and what its fields say |
//! | [`event`] | the vocabulary of that |
//! | [`recurring`] | the same of an event that repeats |
//! | [`times`] | DTSTART, DTEND, DURATION → start and end |
//! | [`zones`], [`vtimezone`] | TZID → IANA zone → Windows zone; what a VTIMEZONE says by itself |
//! | [`alarm`], [`address`], `guests`, [`attachments`] | VALARM, mail addresses, ATTENDEE, ATTACH |
//! | [`body`], [`text`], [`html`] | what Microsoft shows of the text: put together, escaped and cut, sanitised |
//!
//! Reading is done with calcard (values, dates, alarms, zones) on a text whose lines [`crate::join_link`] has already
//! understood; nothing here writes iCalendar. What an event that repeats becomes at Microsoft is worked out in
//! [`crate::series`].

pub(crate) mod address;
pub(crate) mod alarm;
pub(crate) mod attachments;
pub(crate) mod body;
pub(crate) mod event;
mod guests;
pub(crate) mod html;
pub(crate) mod limits;
pub(crate) mod read;
pub(crate) mod recurring;
pub(crate) mod text;
pub(crate) mod times;
pub(crate) mod vtimezone;
pub(crate) mod zones;

#[cfg(test)]
mod tests;

pub(crate) use event::{Attendance, Event, EventFault, Guest, Role, ShowAs};
pub(crate) use read::{Fault, Reading, read};
