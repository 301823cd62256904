//! What goes over the admin socket. The routes write it and the command line reads it; `--json` shows it as it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::component::types::UserChoice;
pub use crate::mirror::TimedNotice;
pub use crate::store::Scope;

/// The states of an event, as the hook API names them.
pub const STATES: [&str; 7] =
    ["mirrored", "pending", "sign-in-needed", "admin-needed", "rejected", "not-mirrored", "removed"];

/// The whole at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusInfo {
    /// Version of this program.
    pub version: String,
    /// The extension in use.
    pub extension: ExtensionInfo,
    /// Where the hook API listens.
    pub hook: String,
    /// Where the public door listens.
    pub public: String,
    /// Under which address browsers reach the public door.
    pub public_url: String,
    /// The connectors.
    pub connectors: Vec<ConnectorInfo>,
    /// Who may use the extension.
    pub policy: Vec<RuleInfo>,
    /// Which servers may call the hook API.
    pub secrets: Vec<SecretInfo>,
    /// Events per state.
    pub events: BTreeMap<String, u64>,
    /// What is left to do before users can use it, in order.
    pub to_do: Vec<String>,
}

/// The extension in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionInfo {
    /// Short name.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component.
    pub digest: String,
}

/// A connector. Never its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorInfo {
    /// Its name.
    pub name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// `common`, `organizations`, `consumers` or a tenant, where the endpoints have Microsoft's form.
    pub account_type: Option<String>,
    /// Authorization endpoint.
    pub authorize_url: String,
    /// Token endpoint.
    pub token_url: String,
    /// Service name → base address.
    pub services: BTreeMap<String, String>,
    /// The redirect address to register with Microsoft.
    pub redirect_url: String,
    /// Scopes, space-separated.
    pub scopes: String,
    /// Application (client) id.
    pub client_id: Option<String>,
    /// Whether a client secret is set.
    pub has_secret: bool,
    /// Explicit proxy.
    pub proxy: Option<String>,
    /// Explicit trust anchors.
    pub ca_file: Option<String>,
    /// What killed it.
    pub dead: Option<String>,
    /// The same in a sentence.
    pub dead_message: Option<String>,
    /// What is missing or wrong, in sentences with what to do. Empty: it works, as far as can be seen from here.
    pub missing: Vec<String>,
    /// It leads to a test endpoint on this machine and not to Microsoft.
    pub test_endpoint: bool,
}

/// Changes of a connector, as the route reads them. What is absent stays; `null` clears.
#[derive(Default, Serialize)]
pub struct ConnectorChange {
    /// Application (client) id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Client secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// `common`, `organizations`, `consumers` or a tenant: writes both endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_type: Option<String>,
    /// Authorization endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorize_url: Option<String>,
    /// Token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// Service name → base address; those not named stay.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, String>,
    /// Redirect address; empty: made from the public address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// Scopes, space-separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<String>,
    /// Explicit proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Option<String>>,
    /// Explicit trust anchors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<Option<String>>,
}

impl std::fmt::Debug for ConnectorChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorChange").field("secret", &self.secret.is_some()).finish_non_exhaustive()
    }
}

/// A rule: who may use the extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleInfo {
    /// Where it applies.
    pub scope: Scope,
    /// Whether it allows or denies.
    pub allow: bool,
}

/// Sets a rule, or removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleChange {
    /// Where it applies.
    pub scope: Scope,
    /// `null` removes it.
    pub allow: Option<bool>,
}

/// What came of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleChanged {
    /// The scope in the form in which it is kept.
    pub scope: Scope,
    /// What it is now; `None`: there is none.
    pub allow: Option<bool>,
    /// Whether it differs from what was.
    pub changed: bool,
}

/// A setting the extension declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingInfo {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The allowed values; empty: any text.
    pub values: Vec<String>,
    /// The value where nobody chose one.
    pub default: String,
    /// What users may choose for themselves: `nothing`, `narrow` (no value further left than the administrators' choice) or
    /// `anything`.
    pub user_may: UserChoice,
    /// What was chosen where.
    pub chosen: Vec<ChosenInfo>,
    /// What counts: for the account that was asked for, else for the server.
    pub value: String,
    /// Whose choice that is; `None`: nobody's, it is the default. Of a list to which users add, the administrators' part.
    pub decided_by: Option<Scope>,
}

/// A choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenInfo {
    /// Where.
    pub scope: Scope,
    /// What.
    pub value: String,
}

/// Chooses a setting, or takes a choice back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingChange {
    /// Where.
    pub scope: Scope,
    /// Which.
    pub name: String,
    /// `null` takes it back.
    pub value: Option<String>,
    /// The calendar server mails no invitations of its own.
    #[serde(default)]
    pub server_invites_nobody: bool,
}

/// What came of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingChanged {
    /// The scope in the form in which it is kept.
    pub scope: Scope,
    /// Which.
    pub name: String,
    /// What it is there now; `None`: nothing is chosen there.
    pub value: Option<String>,
    /// What the account's user had chosen, which is taken back with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
}

/// Which account's settings are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsQuery {
    /// All domains' and the server's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// A server's right to call the hook API. Not its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretInfo {
    /// Its name.
    pub name: String,
    /// The domains it may speak for; empty: all.
    pub domains: Vec<String>,
    /// When it was made, Unix milliseconds.
    pub created_at: i64,
}

/// Asks for a hook secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSecret {
    /// Its name.
    pub name: String,
    /// The domains it may speak for; empty: all.
    #[serde(default)]
    pub domains: Vec<String>,
}

/// A fresh hook secret: told this once.
#[derive(Serialize, Deserialize)]
pub struct FreshSecret {
    /// Its name.
    pub name: String,
    /// The domains it may speak for; empty: all.
    pub domains: Vec<String>,
    /// The secret.
    pub secret: String,
}

impl std::fmt::Debug for FreshSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FreshSecret").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Something was done by that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// To what.
    pub name: String,
}

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountInfo {
    /// Its address, as it is kept.
    pub account: String,
    /// Whether it can make meetings now.
    pub usable: bool,
    /// Why, as a code.
    pub reason: String,
    /// Why, in a sentence with what to do.
    pub message: String,
    /// The rule that allows or denies it; `None`: no rule says anything.
    pub rule: Option<RuleInfo>,
    /// Whether the server told of it.
    pub known: bool,
    /// Its class, as the server told it.
    pub class: Option<String>,
    /// The user's own switch.
    pub on: bool,
    /// The connector it goes through.
    pub connector: Option<String>,
    /// What the server's button should be: `hidden`, `sign-in`, `ready` or `off`.
    pub button: String,
    /// Its connection with Microsoft.
    pub connection: Option<ConnectionInfo>,
    /// What counts for it of each setting, and who decided.
    pub settings: Vec<SettingCounts>,
    /// Its calendars, as far as events were saved in them.
    pub calendars: Vec<CalendarInfo>,
    /// What stands between it and its first meeting, in sentences with what to do.
    pub to_do: Vec<String>,
    /// Its last events, newest change first.
    pub events: Vec<EventInfo>,
}

/// What counts of a setting for an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingCounts {
    /// Its name.
    pub name: String,
    /// What counts.
    pub value: String,
    /// Whose choice that is; `None`: nobody's, it is the default.
    pub decided_by: Option<Scope>,
}

/// A calendar of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarInfo {
    /// The server's path for it.
    pub path: String,
    /// What its user calls it, else the last part of its path.
    pub name: String,
    /// Whether it is mirrored.
    pub mirrored: bool,
}

/// An account's connection with Microsoft. Never its tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionInfo {
    /// The Microsoft account, for people.
    pub microsoft_account: String,
    /// Microsoft's tenant id.
    pub tenant: String,
    /// Since when it is alive or dead, Unix milliseconds.
    pub since: i64,
    /// What killed it; `None`: alive.
    pub dead: Option<String>,
    /// The same in a sentence.
    pub dead_message: Option<String>,
    /// What the mailbox can do, as a code.
    pub mailbox: Option<String>,
    /// The same in a sentence.
    pub mailbox_message: Option<String>,
    /// When that was found, Unix milliseconds.
    pub mailbox_checked_at: Option<i64>,
    /// Whether it can have meetings; `None`: not known.
    pub meetings: Option<bool>,
}

/// What a look at the mailbox found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxInfo {
    /// A code.
    pub code: String,
    /// The same in a sentence.
    pub message: String,
}

/// A one-time link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkInfo {
    /// For whom.
    pub account: String,
    /// The link.
    pub url: String,
    /// When it ends, Unix milliseconds.
    pub expires_at: i64,
}

impl std::fmt::Debug for LinkInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Whoever reads the link from a log could sign in with it.
        f.debug_struct("LinkInfo").field("account", &self.account).finish_non_exhaustive()
    }
}

/// What came of a disconnect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnected {
    /// Whose connection.
    pub account: String,
    /// The Microsoft account it was connected with; `None`: it was not connected.
    pub microsoft_account: Option<String>,
    /// Events are being taken away first; the tokens are wiped when that is done.
    #[serde(default)]
    pub leaving: bool,
}

/// How a connection is to be ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DisconnectQuery {
    /// What becomes of events to come that stand in the remote calendar.
    pub events: EventsLeft,
}

/// What becomes of mirrored events at a disconnect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventsLeft {
    /// They stay.
    #[default]
    Keep,
    /// They are taken away first.
    Remove,
}

/// Which events are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Of one account only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// In one state only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// How an event stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventInfo {
    /// Whose.
    pub account: String,
    /// Its UID.
    pub uid: String,
    /// One of the states of the hook API.
    pub state: String,
    /// A code.
    pub reason: Option<String>,
    /// The reason in a sentence.
    pub message: Option<String>,
    /// Where people join.
    pub join_url: Option<String>,
    /// Where it can be looked at in the Teams calendar.
    pub web_link: Option<String>,
    /// What its user should know.
    pub notices: Vec<TimedNotice>,
    /// When it is tried again, Unix milliseconds.
    pub next_attempt_at: Option<i64>,
    /// Failed tries since it last went well.
    pub attempts: u32,
    /// A save of it was never reported as stored or refused.
    pub unconfirmed: bool,
    /// The server's paths that carry it.
    pub objects: Vec<String>,
    /// Its last change, Unix milliseconds.
    pub updated_at: i64,
}

/// Events that are tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// How many.
    pub released: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_what_the_route_reads() {
        let change = ConnectorChange {
            secret: Some("s".into()),
            services: [("graph".to_owned(), "https://x.example".to_owned())].into(),
            proxy: Some(None),
            ..ConnectorChange::default()
        };
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(text, r#"{"secret":"s","services":{"graph":"https://x.example"},"proxy":null}"#);
        let read: crate::accounts::connectors::ConnectorPatch = serde_json::from_str(&text).unwrap();
        assert_eq!((read.proxy, read.ca_file, read.services), (Some(None), None, change.services));
    }

    #[test]
    fn nothing_secret_is_debugged() {
        let change = ConnectorChange { secret: Some("canary".into()), ..ConnectorChange::default() };
        let fresh = FreshSecret { name: "a".into(), domains: Vec::new(), secret: "canary".into() };
        let link = LinkInfo { account: "a".into(), url: "canary".into(), expires_at: 0 };
        assert!(!format!("{change:?}{fresh:?}{link:?}").contains("canary"));
    }
}
