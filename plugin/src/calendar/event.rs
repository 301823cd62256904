//! The domain's event: what of a VEVENT can be mirrored, with everything resolved.

use super::times::Span;

/// What one VEVENT says, at one time: an event that does not repeat, or one occurrence of a series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// SUMMARY, whole.
    pub(crate) subject: String,
    /// DESCRIPTION, plain.
    pub(crate) description: String,
    /// STYLED-DESCRIPTION or X-ALT-DESC, as it came: not sanitised.
    pub(crate) html: Option<String>,
    /// When.
    pub(crate) span: Span,
    /// LOCATION.
    pub(crate) location: String,
    /// GEO (RFC 5545 §3.8.1.6): latitude and longitude in degrees.
    pub(crate) position: Option<(f64, f64)>,
    /// URL, where it is http or https.
    pub(crate) url: Option<String>,
    /// How the time shows to others.
    pub(crate) show_as: ShowAs,
    /// CLASS.
    pub(crate) sensitivity: Sensitivity,
    /// PRIORITY (RFC 5545 §3.8.1.9): 1–4 high, 6–9 low.
    pub(crate) importance: Importance,
    /// CATEGORIES of all lines, each once.
    pub(crate) categories: Vec<String>,
    /// Minutes before the start, of the first display alarm that rings before it.
    pub(crate) reminder: Option<i64>,
    /// Every attendee but the account itself, each once.
    pub(crate) guests: Vec<Guest>,
    /// ATTACH, where it is an address on the web; each once.
    pub(crate) attachments: Vec<Attachment>,
}

/// How the time shows to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShowAs {
    Free,
    Tentative,
    Busy,
}

/// CLASS (RFC 5545 §3.8.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sensitivity {
    Normal,
    Private,
    Confidential,
}

/// PRIORITY in Microsoft's three steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Importance {
    Low,
    Normal,
    High,
}

/// Somebody invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guest {
    /// Without `mailto:`, lower case; `None`: there is none that mail could be sent to.
    pub(crate) address: Option<String>,
    /// CN. Of somebody who has neither, the calendar user address as it is written.
    pub(crate) name: String,
    /// ROLE.
    pub(crate) role: Role,
    /// CUTYPE:ROOM or RESOURCE.
    pub(crate) is_resource: bool,
}

/// ROLE (RFC 5545 §3.2.16), in the order in which guests are listed. Who chairs is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Required,
    Optional,
    /// NON-PARTICIPANT: told of the event, and not expected.
    Informational,
}

/// A file that lies on the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// Its address, http or https.
    pub(crate) url: String,
    /// Its name (RFC 8607 §4.2); the address where it has none.
    pub(crate) name: String,
}

/// What the account itself answered to somebody else's invitation (PARTSTAT).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attendance {
    Accepted,
    Undecided,
    Declined,
}

/// Why there is no event although there is a VEVENT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventFault {
    /// No DTSTART.
    NoStart,
    /// A date that is none.
    BadDate,
    /// DTEND before DTSTART.
    EndBeforeStart,
}
