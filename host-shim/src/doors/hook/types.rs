//! The API's bodies.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reasons::Reason;
use crate::mirror::{Change, EventStatus, State};

pub(super) use crate::mirror::TimedNotice as NoticeView;

/// The answer to a save that was understood.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Saved {
    /// To be handed back in the second beat. `unrecorded`: nothing is kept of this save, a report changes nothing.
    pub change: String,
    /// How the event stands.
    pub state: State,
    /// A code where the state alone does not say it; see `Reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
    /// The reason in a sentence, with what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where people join; opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
    /// Where the event can be looked at in the Teams calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_link: Option<String>,
    /// What the user should know. What concerns this text (`subject-cut`, `body-cut`, `attachments-not-mirrored`,
    /// `too-many-guests`, `guests-not-invited`, `excluded`, `calendar-excluded`, `not-the-organizer`) is told here alone.
    pub notices: Vec<NoticeView>,
    /// The text to store.
    pub icalendar: String,
}

/// What became of an announced save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReportResult {
    /// The server stored the text it was answered.
    Stored,
    /// The server stored the text as the client sent it, because the answer came too late or could not be used.
    StoredOriginal,
    /// The server refused the save.
    Refused,
}

/// The second beat.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportBody {
    /// The change id of the first beat.
    pub change: String,
    /// What became of it.
    pub result: ReportResult,
    /// The server's path for the event, where the first beat did not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// How an event stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// The account's address.
    pub account: String,
    /// The UID.
    pub uid: String,
    /// How it stands.
    pub state: State,
    /// A code where the state alone does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
    /// The reason in a sentence, with what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where people join; opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
    /// Where the event can be looked at in the Teams calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_link: Option<String>,
    /// What the user should know.
    pub notices: Vec<NoticeView>,
    /// When it is tried again (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<String>,
    /// Failed tries since it last went well.
    pub attempts: u32,
    /// A save of it was never reported, and was taken as stored.
    pub unconfirmed: bool,
    /// The server's paths that carry it, as told.
    pub objects: Vec<String>,
    /// SHA-256, lower-case hexadecimal, of the text that was last told as stored; absent where none was, or it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_sha256: Option<String>,
    /// Its last change here (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
}

impl From<EventStatus> for EventView {
    fn from(status: EventStatus) -> Self {
        Self {
            account: status.account,
            uid: status.uid,
            state: status.state,
            reason: status.reason,
            message: status.message,
            join_url: status.join_url,
            web_link: status.web_link,
            notices: status.notices,
            next_attempt: status.next_attempt_at.and_then(instant),
            attempts: status.attempts,
            unconfirmed: status.unconfirmed,
            objects: status.objects,
            told_sha256: status.told.hex(),
            updated: Some(status.updated_at).filter(|at| *at > 0).and_then(instant),
        }
    }
}

/// Unix milliseconds as RFC 3339.
pub(super) fn instant(at: i64) -> Option<String> {
    chrono::DateTime::from_timestamp_millis(at).map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// How an account stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// The account's address.
    pub account: String,
    /// What a webmail's button should be.
    pub button: ButtonView,
    /// Whether policy, connector and the user's own switch let it be used.
    pub usable: bool,
    /// Why, as a code: `ok`, `not-enabled`, `denied`, `unknown-account`, `not-turned-on`, `connector-off`.
    pub reason: String,
    /// The same in a sentence.
    pub message: String,
    /// Whether a Microsoft account is connected, dead or alive.
    pub connected: bool,
    /// The Microsoft account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microsoft_account: Option<String>,
    /// Why the connection is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_problem: Option<NoticeView>,
    /// What the mailbox can do, as a code: `ready`, `no-teams`, `personal`, `other-provider`, `no-mailbox`, `not-ready-yet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox_message: Option<String>,
    /// Further addresses, as told.
    pub addresses: Vec<String>,
    /// The user's name, as told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The zone of floating times, as told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The language, as told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The class, as told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What the user should know; a dead connection comes with a one-time link.
    pub notices: Vec<NoticeView>,
}

/// What a webmail's button should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ButtonView {
    /// Show none.
    Hidden,
    /// "Sign in": the user has to connect, or reconnect, a Microsoft account.
    SignIn,
    /// "Add Teams", or "Join" on an event that has a meeting.
    Ready,
    /// None for new meetings, "Join" on an event that has one: the user turned it off.
    Off,
}

/// What the server tells of an account. What is absent is forgotten.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AccountBody {
    /// Further addresses under which the user organises events.
    pub addresses: Vec<String>,
    /// The user's name.
    pub display_name: Option<String>,
    /// IANA zone in which floating times are meant, for example `Europe/Vienna`.
    pub time_zone: Option<String>,
    /// BCP 47 tag of the language the user reads, for example `de`.
    pub language: Option<String>,
    /// The server's class of the account, at most 200 characters; rules and settings may be made for a class.
    pub class: Option<String>,
}

/// An account's new address.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameBody {
    /// The new address.
    pub to: String,
}

/// A one-time link.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct LinkView {
    /// To be opened by that user in a browser, once.
    pub url: String,
    /// When it ends (RFC 3339, UTC).
    pub expires: String,
}

/// One text to write back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangeView {
    /// The account's address.
    pub account: String,
    /// The UID.
    pub uid: String,
    /// The server's paths that carry it, as told.
    pub objects: Vec<String>,
    /// The text to store with `If-Match`, where the object's text has the SHA-256 of `replaces_sha256`. Otherwise, or where
    /// this is absent: send the object's current text with `PUT …?stored=true` and, if the answered text differs, store that
    /// with the `If-Match` of the same read. A 412 drops it: the next save puts the link in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icalendar: Option<String>,
    /// SHA-256, lower-case hexadecimal, of the stored text that `icalendar` replaces.
    pub replaces_sha256: String,
}

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        Self {
            account: change.account,
            uid: change.uid,
            objects: change.objects,
            icalendar: change.icalendar,
            replaces_sha256: change.replaces_sha256,
        }
    }
}

/// Texts to write back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangesView {
    /// To be handed in as `after` next time; opaque. It only says what was offered: what could not be written back is not
    /// offered again after it, so begin without `after` at start and once a day.
    pub cursor: String,
    /// In order, at most 100.
    pub changes: Vec<ChangeView>,
}
