//! The domain's event: what of a VEVENT can be mirrored, with everything resolved.

use super::times::Span;

/// A one-off event.
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
    /// Without `mailto:`, lower case.
    pub(crate) address: String,
    /// CN.
    pub(crate) name: String,
    /// How.
    pub(crate) kind: GuestKind,
}

/// ROLE and CUTYPE in Microsoft's three kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GuestKind {
    Required,
    Optional,
    Resource,
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
