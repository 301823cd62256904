//! The declared settings, with types.

use crate::domain::Account;
use crate::exclusion::Exclusion;

/// When a new event gets a meeting although nobody asked for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meetings {
    Never,
    WithGuests,
    Always,
}

/// What Microsoft learns of a private event without a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Private {
    Busy,
    Full,
    Skip,
}

/// An account's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Every event is mirrored, not only those with a meeting.
    pub(crate) all_events: bool,
    /// The default for new events.
    pub(crate) meetings: Meetings,
    /// Guests become attendees and Microsoft mails them.
    pub(crate) microsoft_invites: bool,
    /// Guests are listed in the body.
    pub(crate) guest_list: bool,
    /// Private events without a meeting.
    pub(crate) private: Private,
    /// What stays away whatever else is wanted.
    pub(crate) exclusion: Exclusion,
}

impl Settings {
    /// The settings of an account; a value this version does not know counts as the default.
    pub(crate) fn of(account: &Account) -> Self {
        let value = |name: &str| {
            account.settings.iter().find(|setting| setting.name == name).map_or("", |setting| setting.value.as_str())
        };
        Self {
            all_events: value("mirror") == "all-events",
            meetings: match value("meetings") {
                "with-guests" => Meetings::WithGuests,
                "always" => Meetings::Always,
                _ => Meetings::Never,
            },
            microsoft_invites: value("invitations") == "microsoft",
            guest_list: value("guest-list") == "on",
            private: match value("private") {
                "full" => Private::Full,
                "skip" => Private::Skip,
                _ => Private::Busy,
            },
            exclusion: Exclusion::of(account),
        }
    }
}
