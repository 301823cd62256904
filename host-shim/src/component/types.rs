//! What crosses the border between host and extension, in plain Rust.
//!
//! These mirror the contract in `wit/`, where every item is explained at length; they belong to no version of it. The
//! conversions live in one file per version (`v0_1.rs`), so that a second version is a second file and no rewrite.

use serde::{Deserialize, Serialize, Serializer};

/// One value of a setting the extension declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The declared name.
    pub name: String,
    /// One of the declared values.
    pub value: String,
}

/// The server's user whose event it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The address that names the account: lower case, NFC, domain as A-label.
    pub address: String,
    /// Further addresses under which the user appears in events, in the same form.
    pub further_addresses: Vec<String>,
    /// The user's name as people read it.
    pub display_name: Option<String>,
    /// IANA name of the zone of floating times; `None`: UTC.
    pub time_zone: Option<String>,
    /// BCP 47 tag of the language in which the user reads.
    pub language: String,
    /// Every setting the extension declared, each once.
    pub settings: Vec<Setting>,
}

/// One calendar object resource: all components that share a UID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalendarObject {
    /// The UID by which the host keeps the event; exact octets.
    pub uid: String,
    /// 32 lower-case hexadecimal digits of an HMAC of (account, UID).
    pub tag: String,
    /// The iCalendar stream.
    pub icalendar: String,
}

/// What a call said about an online meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// The user asked for one.
    Wanted,
    /// The user asked that there be none.
    None,
    /// Nothing was said: what is, stays.
    Keep,
    /// Nothing was said, and a meeting asked for earlier is still to come.
    KeepWanted,
}

/// What the host knows of earlier saves of a UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum History {
    /// Never seen.
    Unseen,
    /// Seen, never with a guest.
    SeenAlone,
    /// Seen with guests.
    SeenWithGuests,
    /// Part of an import.
    Imported,
}

/// Something a person should know, although the work went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Stable code, lower case with hyphens.
    pub code: String,
    /// One or two sentences in the account's language.
    pub message: String,
}

/// Why something did not go as asked, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} ({code})")]
pub struct Problem {
    /// Stable code, lower case with hyphens.
    pub code: String,
    /// What happened and what to do, in the account's language.
    pub message: String,
}

/// When to come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// What was in the way.
    pub problem: Problem,
    /// Not before so many milliseconds from now; `None`: the host chooses.
    pub after_ms: Option<u64>,
    /// Whether this was a failed try of the event's own, or only a wait.
    pub counts: bool,
}

/// Why a hook could not finish. What was checkpointed stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HookError {
    /// The user must sign in again.
    SignInNeeded(Problem),
    /// It may work later, without anybody doing anything.
    TryAgain(Retry),
    /// An administrator must act.
    AdminNeeded(Problem),
    /// There is no mailbox, or none that holds events. Nothing is wrong with the event.
    MailboxNeeded(Problem),
    /// This event, as it is, cannot be mirrored.
    Rejected(Problem),
    /// Anything else: a failure of the extension.
    Other(Problem),
}

impl HookError {
    /// What was in the way, whatever kind it is.
    pub fn problem(&self) -> &Problem {
        match self {
            Self::TryAgain(retry) => &retry.problem,
            Self::SignInNeeded(problem)
            | Self::AdminNeeded(problem)
            | Self::MailboxNeeded(problem)
            | Self::Rejected(problem)
            | Self::Other(problem) => problem,
        }
    }
}

/// How the event stands at the remote service after a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemoteState {
    /// It is there and says what the calendar says.
    Mirrored,
    /// It is not there, because it is not meant to be.
    Absent,
    /// Somebody removed it there; it stays removed.
    RemovedRemotely,
}

/// What a create or update came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What to hand in at the next call; `None`: nothing is there and nothing needs remembering.
    pub mirrored: Option<Vec<u8>>,
    /// How the event stands.
    pub state: RemoteState,
    /// A code when the state alone does not say it all.
    pub reason: Option<String>,
    /// Where people join.
    pub join_url: Option<String>,
    /// Where the event can be looked at in the remote calendar.
    pub web_link: Option<String>,
    /// What the user should know.
    pub notices: Vec<Notice>,
    /// The host should ask `inspect` again.
    pub facts_stale: bool,
}

/// Whose copy of the event a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Copy {
    /// The account organises it, or nobody does.
    Own,
    /// Somebody else organises it.
    Attendee,
    /// It is no event at all.
    NotAnEvent,
}

/// What `prepare` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The UID in the text.
    pub uid: String,
    /// When it first starts; `None` where a draft has no start yet.
    pub first_start_ms: Option<i64>,
    /// When it last ends; `None`: never, or not known.
    pub last_end_ms: Option<i64>,
    /// Whose copy.
    pub copy: Copy,
    /// Whether the account invites anybody.
    pub has_guests: bool,
    /// Whether an event for it should stand at the remote service.
    pub mirror: bool,
    /// Whether it should have an online meeting.
    pub meeting: bool,
    /// Whether a meeting has to be made before the text can carry a link.
    pub link_needed: bool,
    /// Why it cannot be mirrored although it should.
    pub rejected: Option<Problem>,
    /// A code where nothing is to be mirrored.
    pub reason: Option<String>,
    /// The text the server should store.
    pub icalendar: String,
    /// The text to keep and to hand to the `on_…` hooks.
    pub kept: String,
    /// Nothing but link lines of the extension's own was left out of `kept`.
    pub kept_is_whole: bool,
    /// What the user should know about this save.
    pub notices: Vec<Notice>,
}

/// What every `on_…` hook is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Context {
    /// Whose event.
    pub account: Account,
    /// What the mailbox can do, as last inspected.
    #[serde(serialize_with = "optional_bytes_as_text")]
    pub mailbox: Option<Vec<u8>>,
    /// The time now.
    pub now_ms: i64,
    /// The host's memory may be older than the service's.
    pub may_exist: bool,
    /// The event is not saved yet.
    pub draft: bool,
}

/// What is meant to stand at the remote service, as `prepare` said of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// Whether an event should stand there; where not, what is there is to go.
    pub mirror: bool,
    /// Whether it should have an online meeting.
    pub meeting: bool,
}

/// What was found in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// To be handed to the hooks as [`Context::mailbox`].
    pub facts: Vec<u8>,
    /// Stable code of the extension's, for people.
    pub code: String,
    /// The same in a sentence or two, in the account's language.
    pub message: String,
    /// Whether events can be mirrored.
    pub events: bool,
    /// Whether they can have a meeting.
    pub meetings: bool,
    /// Ask again after so many milliseconds; `None`: at the usual interval.
    pub again_after_ms: Option<u64>,
}

/// A remote service the extension talks to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceDeclaration {
    /// Name used in requests.
    pub name: String,
    /// What it is, for the administrator.
    pub description: String,
}

/// What a user may choose of a setting for their own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserChoice {
    /// Nothing: administrators choose.
    Nothing,
    /// No value further left than the administrators' choice.
    Narrow,
    /// Any of the values.
    Anything,
}

/// A setting the extension understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingDeclaration {
    /// Its name, lower case with hyphens.
    pub name: String,
    /// What it does, for the administrator.
    pub description: String,
    /// The allowed values, widest first where users may narrow; empty: any text up to 1,000 bytes.
    pub values: Vec<String>,
    /// The value where nobody chose one.
    pub default: String,
    /// What a user may choose for their own account.
    pub user_may: UserChoice,
}

/// An extension's own description.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Short name, lower case with hyphens.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The services it talks to.
    pub services: Vec<ServiceDeclaration>,
    /// The OAuth scopes it needs, beyond those of sign-in itself.
    pub scopes: Vec<String>,
    /// Its settings.
    pub settings: Vec<SettingDeclaration>,
    /// The formats of records it reads, the one it writes first.
    pub record_formats: Vec<u16>,
}

/// A request's method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Read.
    Get,
    /// Create, or act.
    Post,
    /// Replace.
    Put,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// As it stands in the request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Header {
    /// Field name.
    pub name: String,
    /// Field value.
    pub value: String,
}

/// A request of the extension's, already checked: the service is a declared one, the fields may be sent as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// One of the declared services.
    pub service: String,
    /// The method.
    pub method: Method,
    /// Path and query relative to the service's base, or an absolute URL, which the sender must hold against that base.
    pub path: String,
    /// Header fields.
    pub headers: Vec<Header>,
    /// The body, at most 4 MiB.
    pub body: Option<Vec<u8>>,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields; those the contract does not name are dropped on the way in.
    pub headers: Vec<Header>,
    /// `Retry-After` in milliseconds from now.
    pub retry_after_ms: Option<u64>,
    /// The body, decoded, at most 1 MiB.
    #[serde(serialize_with = "bytes_as_text")]
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum HttpError {
    /// It did not leave; sending it again is safe.
    NotSent(String),
    /// It may have arrived and taken effect.
    Unanswered(String),
    /// Held back; come back in so many milliseconds. It did not leave.
    Wait(u64),
    /// The account has no usable credential.
    SignInNeeded(String),
    /// The registration with the service does not work.
    AdminNeeded(String),
    /// Such a request may not leave.
    Refused(String),
    /// This call has used up its requests or its time. It did not leave.
    BudgetSpent(String),
    /// Anything else; it may have arrived.
    Other(String),
}

/// Bytes as text, so that what is searched for in a recording is found as it stands.
fn bytes_as_text<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&String::from_utf8_lossy(bytes))
}

fn optional_bytes_as_text<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => bytes_as_text(bytes, to),
        None => to.serialize_none(),
    }
}
