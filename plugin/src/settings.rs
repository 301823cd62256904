//! The declared settings, with types.

use crate::domain::Account;
use crate::exclusion::Exclusion;
use crate::extension::BODY_LIMITS;

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
    /// Attachments that lie on the web are listed in the body.
    pub(crate) attachments: bool,
    /// Octets of the user's part of the body.
    pub(crate) body_limit: usize,
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
            attachments: value("attachments") != "off",
            body_limit: 1024 * kilobytes(value("body-limit")),
            private: match value("private") {
                "full" => Private::Full,
                "skip" => Private::Skip,
                _ => Private::Busy,
            },
            exclusion: Exclusion::of(account),
        }
    }
}

/// One of the declared sizes; any other counts as the default.
fn kilobytes(value: &str) -> usize {
    let declared = BODY_LIMITS.contains(&value);
    value.parse().ok().filter(|_| declared).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Setting;
    use crate::extension;

    fn of(name: &str, value: &str) -> Settings {
        let settings = vec![Setting { name: name.into(), value: value.into() }];
        Settings::of(&Account { settings, ..Account::default() })
    }

    #[test]
    fn the_declared_defaults_are_those_that_count_where_nobody_chose() {
        let unset = Settings::of(&Account::default());
        for setting in extension::describe().settings {
            assert_eq!(of(setting.name, setting.default), unset, "{}", setting.name);
            // A setting without listed values takes any text.
            let unknown = of(setting.name, "what a later version knows");
            assert_eq!(unknown == unset, !setting.values.is_empty(), "{}", setting.name);
            for value in setting.values.iter().filter(|value| **value != setting.default) {
                assert_ne!(of(setting.name, value), unset, "{} = {value} does nothing", setting.name);
            }
        }
    }

    #[test]
    fn a_body_limit_is_in_kilobytes() {
        assert_eq!(of("body-limit", "10").body_limit, 10 * 1024);
        assert_eq!(of("body-limit", "500").body_limit, 500 * 1024);
        for wrong in ["", "0", "7", "1000000", "-1"] {
            assert_eq!(of("body-limit", wrong).body_limit, 100 * 1024, "{wrong}");
        }
    }
}
