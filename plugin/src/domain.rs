//! The extension's own vocabulary: what a host hands in and what it is given back, free of generated bindings.
//!
//! The meanings are those of `wit/types.wit` and `wit/calendar-hooks.wit`; a further version of the contract becomes a
//! further set of conversions in `contract/` and leaves this file alone. All instants are Unix time in milliseconds, UTC.

use chrono_tz::Tz;

/// One value of a setting declared in [`crate::extension::describe`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The declared name.
    pub name: String,
    /// One of the declared values.
    pub value: String,
}

/// The server's user whose event is in hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Lower case, NFC, domain as A-label.
    pub address: String,
    /// Further addresses of the same user, in the same form.
    pub further_addresses: Vec<String>,
    /// The user's name as people read it.
    pub display_name: Option<String>,
    /// IANA name of the zone in which floating times are meant (RFC 5545 §3.3.5, form 1); `None`: UTC.
    pub time_zone: Option<String>,
    /// BCP 47 tag.
    pub language: String,
    /// Every declared setting.
    pub settings: Vec<Setting>,
}

impl Account {
    /// Whether `address` (without `mailto:`) is one of this account's, regardless of case.
    #[must_use]
    pub fn is_own_address(&self, address: &str) -> bool {
        let address = address.trim().to_lowercase();
        !address.is_empty() && (self.address == address || self.further_addresses.contains(&address))
    }

    /// The zone in which floating times are meant; `None` where none or an unknown one is configured.
    #[must_use]
    pub fn zone(&self) -> Option<Tz> {
        self.time_zone.as_deref().and_then(|name| name.parse().ok())
    }
}

/// One calendar object resource (RFC 4791 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarObject {
    /// The UID by which the host keeps the event; exact octets.
    pub uid: String,
    /// Names (account, uid): 32 lower-case hexadecimal digits, equal for the same event as long as the account keeps its
    /// address and the event its UID.
    pub tag: String,
    /// The iCalendar stream.
    pub icalendar: String,
}

/// What a call said about an online meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The user asked for one.
    Wanted,
    /// The user asked that there be none.
    None,
    /// Nothing was said: what is, stays.
    Keep,
    /// Nothing was said, and a meeting asked for at an earlier save is still to come.
    KeepWanted,
}

/// What the host knows of earlier saves of this UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// Never seen: the account's default applies.
    Unseen,
    /// Seen, never with a guest: a default of `with-guests` still applies at the first save that has one.
    SeenAlone,
    /// Seen with guests: no default applies.
    SeenWithGuests,
    /// Part of an import: no default applies.
    Imported,
}

/// Something a person should know, although the work went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Stable code, lower case with hyphens.
    pub code: String,
    /// One or two sentences in the account's language.
    pub message: String,
}

/// Why something did not go as asked, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable code, lower case with hyphens.
    pub code: String,
    /// What happened and what to do, in the account's language.
    pub message: String,
}

/// When to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// What was in the way.
    pub problem: Problem,
    /// Not before so many milliseconds from now; `None`: the host chooses.
    pub after_ms: Option<u64>,
    /// Whether this was a failed try of the event's own, or only a wait.
    pub counts: bool,
}

/// Why a hook could not finish. What was checkpointed stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookError {
    /// The account's connection no longer works; the user must sign in again.
    SignInNeeded(Problem),
    /// It may work later, without anybody doing anything.
    TryAgain(Retry),
    /// An administrator, here or at Microsoft, must act.
    AdminNeeded(Problem),
    /// There is no mailbox, or none that holds events. Nothing is wrong with the event.
    MailboxNeeded(Problem),
    /// This event, as it is, cannot be mirrored.
    Rejected(Problem),
    /// Anything else.
    Other(Problem),
}

impl HookError {
    /// The problem inside, whatever the kind.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        match self {
            Self::SignInNeeded(problem)
            | Self::AdminNeeded(problem)
            | Self::MailboxNeeded(problem)
            | Self::Rejected(problem)
            | Self::Other(problem) => problem,
            Self::TryAgain(retry) => &retry.problem,
        }
    }
}

/// How the event stands at Microsoft after a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteState {
    /// It is there and says what the calendar says.
    Mirrored,
    /// It is not there, because it is not meant to be.
    Absent,
    /// It was there, and somebody removed it there. It stays removed.
    RemovedRemotely,
}

/// What a create or update came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The record in its serialised form; `None`: nothing needs remembering.
    pub mirrored: Option<Vec<u8>>,
    /// How the event stands.
    pub state: RemoteState,
    /// A code when the state alone does not say it all.
    pub reason: Option<String>,
    /// Where people join; opaque.
    pub join_url: Option<String>,
    /// Where the event can be looked at in Outlook on the web.
    pub web_link: Option<String>,
    /// What the user should know.
    pub notices: Vec<Notice>,
    /// The mailbox behaved otherwise than the facts said.
    pub facts_stale: bool,
}

/// What every hook that talks to Microsoft is given.
#[derive(Debug, Clone)]
pub struct Context {
    /// Whose event.
    pub account: Account,
    /// What the mailbox can do, as last inspected, serialised by [`crate::mailbox`].
    pub mailbox: Option<Vec<u8>>,
    /// The time now.
    pub now_ms: i64,
    /// The host's memory may be older than Microsoft's: look for the event by its tag before a first create.
    pub may_exist: bool,
    /// The event is not saved yet: nobody may be invited, and it may lack a start.
    pub draft: bool,
}

/// What is meant to stand at Microsoft, as [`crate::prepare::prepare`] said of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// Whether an event should stand there; where not, what is there is to go.
    pub mirror: bool,
    /// Whether it should have an online meeting.
    pub meeting: bool,
}

/// Whose copy of the event a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copy {
    /// The account organises it, or nobody does.
    Own,
    /// Somebody else organises it.
    Attendee,
    /// It is no event at all.
    NotAnEvent,
}

/// What [`crate::prepare::prepare`] found; the fields are those of `wit/calendar-hooks.wit`.
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
    /// Whether the account invites anybody but itself.
    pub has_guests: bool,
    /// Whether an event for it should stand at Microsoft.
    pub mirror: bool,
    /// Whether it should have an online meeting.
    pub meeting: bool,
    /// `meeting`, and the record holds none.
    pub link_needed: bool,
    /// Why it cannot be mirrored although it should.
    pub rejected: Option<Problem>,
    /// A code where nothing is to be mirrored.
    pub reason: Option<String>,
    /// The text the server should store.
    pub icalendar: String,
    /// The text to keep and to hand to the hooks.
    pub kept: String,
    /// Whether the text to store can be made from `kept` again.
    pub kept_is_whole: bool,
    /// What the user should know about this save.
    pub notices: Vec<Notice>,
}
