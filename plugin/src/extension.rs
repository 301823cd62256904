//! What the extension is and which settings it understands (`wit/extension.wit`).

use crate::{exclusion, record};

/// The one service the extension talks to: Microsoft Graph, v1.0.
pub const SERVICE: &str = "graph";

/// What a user may choose of a setting for their own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserChoice {
    /// Nothing: administrators choose.
    Nothing,
    /// No value further left than the administrators' choice.
    Narrow,
    /// Any of the values.
    Anything,
}

/// A setting for the administrator, and perhaps for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingDeclaration {
    /// Its name.
    pub name: &'static str,
    /// What it does, for the administrator.
    pub description: &'static str,
    /// The allowed values, widest first where users may narrow; empty: any text, which is a list separated by commas where
    /// users may narrow.
    pub values: &'static [&'static str],
    /// The value where nobody chose one.
    pub default: &'static str,
    /// What a user may choose for their own account.
    pub user_may: UserChoice,
}

/// The extension's description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Short name.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Semver.
    pub version: &'static str,
    /// Name and purpose of each service.
    pub services: &'static [(&'static str, &'static str)],
    /// OAuth scopes beyond those of sign-in.
    pub scopes: &'static [&'static str],
    /// The settings.
    pub settings: &'static [SettingDeclaration],
    /// Formats of the record it reads, the one it writes first.
    pub record_formats: &'static [u16],
}

/// Sizes a body may be limited to, in KB. A whole object has at most 512.
pub(crate) const BODY_LIMITS: &[&str] = &["10", "25", "50", "100", "250", "500"];

/// Only what works is declared: a setting that does nothing yet would be a promise.
const SETTINGS: &[SettingDeclaration] = &[
    SettingDeclaration {
        name: "mirror",
        description: "Which events appear in the Microsoft calendar: all of them, or only those with a Teams meeting. \
                      With all-events, invitations from other people appear as well, as plain entries.",
        values: &["all-events", "teams-events"],
        default: "teams-events",
        user_may: UserChoice::Narrow,
    },
    SettingDeclaration {
        name: "meetings",
        description: "When a new event gets a Teams meeting although nobody asked for one: never, at the first save \
                      that has a guest, or always. Imports are left alone.",
        values: &["never", "with-guests", "always"],
        default: "never",
        user_may: UserChoice::Anything,
    },
    SettingDeclaration {
        name: "invitations",
        description: "Who mails the invitations: the calendar server, or Microsoft. With microsoft the guests become \
                      attendees of the Microsoft event and Microsoft mails them; choose it only for a server that \
                      sends no invitations of its own, or guests get two.",
        values: &["server", "microsoft"],
        default: "server",
        user_may: UserChoice::Nothing,
    },
    SettingDeclaration {
        name: "guest-list",
        description: "Whether the guests' names and addresses are listed in the text of the Microsoft event, up to 500 \
                      of them. Each change of the guests then costs a request, and Microsoft learns the addresses.",
        values: &["off", "on"],
        default: "off",
        user_may: UserChoice::Nothing,
    },
    SettingDeclaration {
        name: "attachments",
        description: "Whether attachments that lie on the web are listed as links under the text of the Microsoft event. \
                      Files that stand in the event itself never go to Microsoft; the user is told how many they are.",
        values: &["links", "off"],
        default: "links",
        user_may: UserChoice::Nothing,
    },
    SettingDeclaration {
        name: "body-limit",
        description: "How much of an event's text goes to Microsoft, in KB of HTML. What is longer is cut, which its last \
                      line and a notice say.",
        values: BODY_LIMITS,
        default: "100",
        user_may: UserChoice::Nothing,
    },
    SettingDeclaration {
        name: "private",
        description: "What Microsoft learns of a private or confidential event without a meeting, where all events are \
                      mirrored: that the time is taken (busy), everything (full), or nothing (skip).",
        values: &["busy", "full", "skip"],
        default: "busy",
        user_may: UserChoice::Nothing,
    },
    SettingDeclaration {
        name: exclusion::CLASS,
        description: "Events that stay out of Teams by their CLASS, with a meeting or without: none, the confidential \
                      ones, or all that are not public.",
        values: &["none", "confidential", "not-public"],
        default: "none",
        user_may: UserChoice::Narrow,
    },
    SettingDeclaration {
        name: exclusion::CATEGORIES,
        description: "Events that stay out of Teams because they are in one of these categories: names separated by \
                      commas, for example `Private, Holiday`; upper and lower case are the same.",
        values: &[],
        default: "",
        user_may: UserChoice::Narrow,
    },
    SettingDeclaration {
        name: exclusion::PROPERTIES,
        description: "Events that stay out of Teams because of an X- property: `NAME:VALUE`, or `NAME` for every \
                      value, separated by commas. A calendar program marks an event by writing that line into it.",
        values: &[],
        default: exclusion::PROPERTIES_DEFAULT,
        user_may: UserChoice::Nothing,
    },
];

/// The extension's description.
#[must_use]
pub fn describe() -> Description {
    Description {
        name: "teams",
        title: "Microsoft Teams",
        version: env!("CARGO_PKG_VERSION"),
        services: &[(SERVICE, "Microsoft Graph v1.0: the user's Microsoft calendar")],
        scopes: &["Calendars.ReadWrite"],
        settings: SETTINGS,
        record_formats: record::FORMATS,
    }
}
