//! The rows. Plain data; fields that say "sealed" hold `accounts::vault` boxes.

use serde::{Deserialize, Serialize};

/// SHA-256.
pub type Digest = [u8; 32];

/// What the server last said the event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Desired {
    /// Nothing yet: only proposals (or a draft) exist.
    Unstored,
    /// Stored, with the text in [`EventRow::text`].
    Stored,
    /// Gone from the calendar.
    Gone,
}

/// One event: one (account, uid).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// The account's address.
    pub account: String,
    /// The UID, exact.
    pub uid: String,
    /// Counts up with every change of what is desired.
    pub generation: u64,
    /// The generation that Microsoft last confirmed. Work to do = the two differ.
    pub mirrored_generation: u64,
    /// What is desired.
    pub desired: Desired,
    /// Sealed: the `kept` text of what is desired, of a draft while that is all there is.
    pub text: Option<Vec<u8>>,
    /// SHA-256 of the kept text.
    pub text_sha: Option<Digest>,
    /// SHA-256 of the text the server said it stored, octet for octet.
    pub stored_sha: Option<Digest>,
    /// SHA-256 of the join link that the stored text carries.
    pub stored_link: Option<Digest>,
    /// Whether a remote event is wanted for the text.
    pub mirror: bool,
    /// Whether a meeting is wanted for the text.
    pub meeting: bool,
    /// Sealed: the component's record of what Microsoft confirmed.
    pub record: Option<Vec<u8>>,
    /// SHA-256 of the kept text that the record reflects.
    pub record_sha: Option<Digest>,
    /// Whether the record holds a meeting.
    pub record_meeting: bool,
    /// Whether a meeting was asked for when the record was made; a mailbox that can have none leaves the two different.
    pub record_asked: bool,
    /// `tenant/object` of the mailbox that holds the remote event.
    pub mailbox: Option<String>,
    /// The change id of the proposal the remote event was made for, until that is stored or refused.
    pub made_for: Option<String>,
    /// When the save that is stored now was announced, or the last delete told; what was announced before it and never
    /// reported is overtaken.
    pub stored_from: Option<i64>,
    /// The server's paths that carry the UID.
    pub objects: Vec<String>,
    /// `unseen`, `seen-alone`, `seen-with-guests` or `imported`.
    pub history: String,
    /// When the last object disappeared; the remote event goes some time later.
    pub gone_at: Option<i64>,
    /// One of the hook API's states.
    pub state: String,
    /// A reason code.
    pub reason: Option<String>,
    /// The reason in a sentence.
    pub message: Option<String>,
    /// Sealed: join link, web link and notices, as JSON.
    pub view: Option<Vec<u8>>,
    /// Failed tries of the event's own since it last went well.
    pub attempts: u32,
    /// When there is something to do; `None`: nothing, or parked.
    pub due_at: Option<i64>,
    /// Why it waits for somebody: `connection`, `connector`, `policy`, `hopeless`.
    pub parked: Option<String>,
    /// First start, where known.
    pub first_start: Option<i64>,
    /// Last end, where known.
    pub last_end: Option<i64>,
    /// The server's path for the calendar it was last stored in, where told.
    pub calendar: Option<String>,
    /// A save was never reported as stored or refused, and was taken as stored.
    pub unconfirmed: bool,
    /// Last change of this row.
    pub updated_at: i64,
}

impl EventRow {
    /// A row for an event nobody has stored yet.
    pub fn new(account: &str, uid: &str, now: i64) -> Self {
        Self {
            account: account.into(),
            uid: uid.into(),
            generation: 0,
            mirrored_generation: 0,
            desired: Desired::Unstored,
            text: None,
            text_sha: None,
            stored_sha: None,
            stored_link: None,
            mirror: false,
            meeting: false,
            record: None,
            record_sha: None,
            record_meeting: false,
            record_asked: false,
            mailbox: None,
            made_for: None,
            stored_from: None,
            objects: Vec::new(),
            history: "unseen".into(),
            gone_at: None,
            state: "not-mirrored".into(),
            reason: None,
            message: None,
            view: None,
            attempts: 0,
            due_at: None,
            parked: None,
            first_start: None,
            last_end: None,
            calendar: None,
            unconfirmed: false,
            updated_at: now,
        }
    }
}

/// What is kept of an event that the server stored, for whoever compares it with what the server holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldRow {
    /// The UID.
    pub uid: String,
    /// The server's paths that carry it.
    pub objects: Vec<String>,
    /// SHA-256 of the text the server said it stored.
    pub stored_sha: Option<Digest>,
    /// Last end, where known.
    pub last_end: Option<i64>,
    /// A save of it was never reported.
    pub unconfirmed: bool,
}

/// A calendar that a save named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarRow {
    /// The account's address.
    pub account: String,
    /// The server's path for it.
    pub path: String,
    /// What its user calls it, where told.
    pub name: Option<String>,
}

/// A save that was announced (first beat) and not yet reported as stored or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRow {
    /// The change id handed to the server.
    pub change: String,
    /// The account's address.
    pub account: String,
    /// The UID.
    pub uid: String,
    /// The server's path, where told.
    pub object: Option<String>,
    /// The server's path for the calendar, where told.
    pub calendar: Option<String>,
    /// Sealed: the kept text.
    pub text: Vec<u8>,
    /// SHA-256 of the kept text.
    pub text_sha: Digest,
    /// SHA-256 of the text as it came.
    pub original_sha: Digest,
    /// SHA-256 of the text as it was answered.
    pub answered_sha: Digest,
    /// SHA-256 of the join link that the answered text carries.
    pub answered_link: Option<Digest>,
    /// SHA-256 of the join link that the text as it came carries in full.
    pub original_link: Option<Digest>,
    /// Whether a remote event is wanted for it.
    pub mirror: bool,
    /// Whether a meeting is wanted for it.
    pub meeting: bool,
    /// Whether making the meeting still has to be tried for this proposal.
    pub link_needed: bool,
    /// Whether it has guests.
    pub has_guests: bool,
    /// Whether it is part of an import.
    pub import: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// The UID of the draft whose meeting it takes over.
    pub draft_of: Option<String>,
    /// A reason code where it is not mirrored or rejected.
    pub reason: Option<String>,
    /// Whether it is rejected, with the sentence.
    pub rejected: Option<String>,
    /// First start, where known.
    pub first_start: Option<i64>,
    /// Last end, where known.
    pub last_end: Option<i64>,
    /// When it was announced.
    pub created_at: i64,
}

/// A change that was reported, or whose time was over; remembered so that a repeated report is answered like the first, and a
/// contradicting one refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedRow {
    /// The change id.
    pub change: String,
    /// The account's address.
    pub account: String,
    /// The UID.
    pub uid: String,
    /// `stored`, `stored-original` or `refused`.
    pub result: String,
    /// When.
    pub closed_at: i64,
}

/// A text that an adapter should write back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferRow {
    /// Increasing number; given by the store.
    pub number: u64,
    /// The account's address.
    pub account: String,
    /// The UID.
    pub uid: String,
    /// Sealed: the amended text.
    pub text: Vec<u8>,
    /// SHA-256 of the stored text that the amended one replaces.
    pub base_sha: Digest,
    /// When it was offered.
    pub created_at: i64,
}

/// One user of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The normalised address.
    pub address: String,
    /// Further addresses, normalised.
    pub further_addresses: Vec<String>,
    /// Name for people.
    pub display_name: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// BCP 47 language tag.
    pub language: Option<String>,
    /// The server's account class.
    pub class: Option<String>,
    /// The user's own switch: on after the first sign-in, off when the user turned it off.
    pub on: bool,
    /// When it became known.
    pub created_at: i64,
    /// Since when `on` is so; `None` where it never was.
    pub turned_on_at: Option<i64>,
    /// How many coming events a watcher left alone because they are older than that; `None`: none has counted yet.
    pub older_events: Option<u32>,
    /// The user wants those, too.
    pub older_wanted: bool,
    /// The Microsoft address last connected, to suggest it at the next sign-in.
    pub last_remote: Option<String>,
}

/// An account's connection to a Microsoft mailbox.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionRow {
    /// The account's address.
    pub account: String,
    /// The connector's immutable id.
    pub connector: String,
    /// Microsoft's tenant id (`tid`).
    pub tenant: String,
    /// Microsoft's object id of the user (`oid`).
    pub object: String,
    /// The Microsoft address, for people.
    pub remote_address: String,
    /// Sealed: the tokens.
    pub tokens: Vec<u8>,
    /// Counts up with every change of the tokens; a writer that read an older one loses.
    pub version: u64,
    /// `None`: alive. Otherwise the code of what killed it, for example `invalid_grant`.
    pub dead: Option<String>,
    /// The same in a sentence with what to do.
    pub dead_message: Option<String>,
    /// Since when it is alive or dead.
    pub since: i64,
    /// The component's facts about the mailbox.
    pub facts: Option<Vec<u8>>,
    /// The facts' code, for example `ready`.
    pub facts_code: Option<String>,
    /// The facts in a sentence.
    pub facts_message: Option<String>,
    /// When the facts were read.
    pub facts_at: Option<i64>,
    /// When they have to be read again.
    pub facts_until: Option<i64>,
    /// Whether the mailbox can hold events; `None`: not known.
    pub facts_events: Option<bool>,
    /// Whether they can have meetings; `None`: not known.
    pub facts_meetings: Option<bool>,
    /// Since when it is on its way out: mirrored events are taken away first, then the tokens go.
    pub leaving_since: Option<i64>,
}

impl ConnectionRow {
    /// `tenant/object`: the mailbox, as [`EventRow::mailbox`] names it.
    pub fn mailbox(&self) -> String {
        format!("{}/{}", self.tenant, self.object)
    }
}

impl std::fmt::Debug for ConnectionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionRow")
            .field("account", &self.account)
            .field("connector", &self.connector)
            .field("version", &self.version)
            .field("dead", &self.dead)
            .finish_non_exhaustive()
    }
}

/// An OAuth client registration at Microsoft, and where its services are.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectorRow {
    /// Immutable random id; what is sealed for the connector is bound to it.
    pub id: String,
    /// Name for people and for the redirect address.
    pub name: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// Authorization endpoint.
    pub authorize_url: String,
    /// Token endpoint.
    pub token_url: String,
    /// Service name → base address, for example `graph` → `https://graph.microsoft.com/v1.0`.
    pub services: Vec<(String, String)>,
    /// The redirect address registered with Microsoft; empty: made from the public address.
    pub redirect_url: String,
    /// Scopes, space-separated.
    pub scopes: String,
    /// Application (client) id.
    pub client_id: Option<String>,
    /// Sealed: the client secret.
    pub secret: Option<Vec<u8>>,
    /// Explicit proxy, `http://host:port`.
    pub proxy: Option<String>,
    /// Explicit trust anchors in place of the built-in ones, a PEM file.
    pub ca_file: Option<String>,
    /// What killed it, for example `AADSTS7000222`; cleared by a change of the credential.
    pub dead: Option<String>,
    /// The same in a sentence with what to do.
    pub dead_message: Option<String>,
}

impl ConnectorRow {
    /// Why it is dead, in a sentence with the code, for administrators; `None` while it is alive.
    pub fn death(&self) -> Option<String> {
        let code = self.dead.as_ref()?;
        Some(self.dead_message.as_ref().map_or_else(|| code.clone(), |message| format!("{message} ({code})")))
    }
}

impl std::fmt::Debug for ConnectorRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorRow")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

/// Where a rule or a setting applies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "level", content = "name")]
pub enum Scope {
    /// Everything.
    Server,
    /// One domain (A-label).
    Domain(String),
    /// One class of accounts, as the server tells of them; lower case.
    Class(String),
    /// One account.
    Account(String),
    /// What a user chose for their own account; of settings alone, and never beyond what the other scopes leave to them.
    Own(String),
}

/// Who may use the extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    /// Where.
    pub scope: Scope,
    /// Allowed or denied.
    pub allow: bool,
}

/// A chosen setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    /// Where.
    pub scope: Scope,
    /// Declared name.
    pub name: String,
    /// Declared value.
    pub value: String,
}

/// A server's right to call the hook API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookSecretRow {
    /// Name for people.
    pub name: String,
    /// SHA-256 of the secret (256 random bits, so a plain digest is enough).
    pub digest: Digest,
    /// Domains it may speak for; empty: all.
    pub domains: Vec<String>,
    /// When it was made.
    pub created_at: i64,
}

/// Something a browser holds the secret half of: a one-time ticket, a sign-in on its way, a session of the settings page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnceRow {
    /// `settings-ticket`, `settings-session`, `sign-in-ticket`, `sign-in`, `sign-in-answered`, `sign-in-confirm`, `sign-in-done`, or `sign-in-spent`
    /// for a ticket of a page.
    pub kind: String,
    /// SHA-256 of the secret half that the browser holds.
    pub key: Digest,
    /// Whose.
    pub account: String,
    /// Sealed: what goes with it.
    pub value: Vec<u8>,
    /// When it ends.
    pub expires_at: i64,
}
