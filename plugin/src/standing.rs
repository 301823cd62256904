//! Whether an event for a text should stand at Microsoft at all.

use crate::calendar::event::Sensitivity;
use crate::calendar::{Attendance, Event, Reading};
use crate::domain::Copy;
use crate::settings::{Private, Settings};

/// An event that ended longer ago than this is neither created nor changed.
const PAST_MS: i64 = 24 * 60 * 60 * 1000;

/// Reason codes for what is not mirrored.
pub(crate) mod reason {
    pub(crate) const NOT_AN_EVENT: &str = "not-an-event";
    pub(crate) const CANCELLED: &str = "cancelled";
    pub(crate) const ATTENDEE_COPY: &str = "attendee-copy";
    pub(crate) const DECLINED: &str = "declined";
    pub(crate) const EXCLUDED: &str = "excluded";
    pub(crate) const PRIVATE: &str = "private";
    pub(crate) const NO_MEETING_WANTED: &str = "no-meeting-wanted";
    pub(crate) const NO_OCCURRENCES: &str = "no-occurrences";
    pub(crate) const PAST: &str = "past";
    pub(crate) const DELETED_AT_MICROSOFT: &str = "deleted-at-microsoft";
    pub(crate) const HAS_A_LINK: &str = "has-a-link";
    pub(crate) const NO_TEAMS: &str = "no-teams";
}

/// `Ok` where an event should stand, otherwise the reason why not.
pub(crate) fn wanted(reading: &Reading, settings: &Settings, meeting: bool) -> Result<(), &'static str> {
    match reading.copy {
        Copy::NotAnEvent => Err(reason::NOT_AN_EVENT),
        _ if reading.cancelled => Err(reason::CANCELLED),
        Copy::Attendee if !settings.all_events => Err(reason::ATTENDEE_COPY),
        Copy::Attendee if reading.attendance == Attendance::Declined => Err(reason::DECLINED),
        _ if settings.exclusion.excludes(&reading.marks) => Err(reason::EXCLUDED),
        _ if meeting => Ok(()),
        _ if !settings.all_events => Err(reason::NO_MEETING_WANTED),
        _ if settings.private == Private::Skip && reading.event.as_ref().is_ok_and(is_private) => Err(reason::PRIVATE),
        _ => Ok(()),
    }
}

/// Whether the event is kept from others.
pub(crate) fn is_private(event: &Event) -> bool {
    event.sensitivity != Sensitivity::Normal
}

/// Whether what last ends then (`None`: never) has been over for too long.
pub(crate) fn is_past(last_end_ms: Option<i64>, now_ms: i64) -> bool {
    last_end_ms.is_some_and(|end| end.saturating_add(PAST_MS) < now_ms)
}
