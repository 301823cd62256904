//! The reason codes: those known now, and room for more.

use serde::Serialize;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Why an event stands as it does, where its state alone does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code, reason = "named in the API's description; rows hold the codes as text")]
pub(super) enum KnownReason {
    /// No rule enables the extension for the account.
    NotEnabled,
    /// A rule denies it to the account.
    Denied,
    /// The account has never used the extension.
    UnknownAccount,
    /// The user has not turned it on, or has turned it off.
    NotTurnedOn,
    /// The connector is switched off or incomplete.
    ConnectorOff,
    /// Nothing is kept of that event.
    UnknownEvent,
    /// A task, a journal, free-busy, or a scheduling message (METHOD).
    NotAnEvent,
    /// Somebody else organises the event; such copies are never changed.
    AttendeeCopy,
    /// The user declined the event.
    Declined,
    /// Nobody asked for a meeting.
    NoMeetingWanted,
    /// The event is private, and private events are not mirrored.
    Private,
    /// The event's class, one of its categories or a mark in it is excluded.
    Excluded,
    /// The event is in a calendar that is not mirrored.
    CalendarExcluded,
    /// The event is cancelled.
    Cancelled,
    /// The event ended more than a day ago.
    Past,
    /// The event is gone from the calendar; its mirror goes when it has stayed so for a while.
    Deleted,
    /// Somebody deleted the event in Teams or Outlook; it stays deleted until a meeting is asked for again.
    DeletedAtMicrosoft,
    /// The event stands in the calendar of another Microsoft account, connected before; it is left as it is.
    OtherMailbox,
    /// The event is mirrored, but the mailbox can have no Teams meetings.
    NoTeams,
    /// The event has a Teams link already that is not ours.
    HasALink,
    /// How the event repeats, or one of its dates, breaks RFC 5545.
    RuleUnreadable,
    /// Microsoft's calendar cannot show exactly how the event repeats.
    RuleNotExpressible,
    /// The event would become more than 30 entries in Microsoft's calendar.
    TooManyPieces,
    /// The event repeats in a time zone that Microsoft does not know.
    SeriesZoneUnknown,
    /// Every occurrence of the event is taken out again.
    NoOccurrences,
    /// Over 512 KB without inline attachments, or over 10,000 lines.
    TooLarge,
    /// The event has no start.
    NoStart,
    /// A date or time cannot be read.
    BadDate,
    /// The event ends before it starts.
    EndBeforeStart,
    /// Microsoft finds the event too large.
    TooLargeForMicrosoft,
    /// Microsoft refuses the event; the message names its code.
    RefusedByMicrosoft,
    /// The Microsoft account has no Exchange Online mailbox.
    NoMailbox,
    /// The Microsoft mailbox is still being set up.
    MailboxNotReady,
    /// No Microsoft account is connected.
    NotConnected,
    /// The connection to Microsoft has ended; the user must sign in again.
    ConnectionDead,
    /// Microsoft wants the user to sign in again.
    SignInNeeded,
    /// The connection lacks a permission; the user must sign in again and grant it.
    PermissionMissing,
    /// Microsoft refuses the registration, for example because its secret has expired.
    ConnectorDead,
    /// An administrator must act; the message says at what.
    AdminNeeded,
    /// The Microsoft organisation does not allow it.
    AccessRefused,
    /// Microsoft asked for a pause.
    Throttled,
    /// Requests are held back for a moment.
    Waiting,
    /// It is being found out whether an earlier request arrived.
    Settling,
    /// The event changed at Microsoft at the same time.
    Conflict,
    /// Microsoft did not answer in time.
    Unanswered,
    /// Microsoft cannot be reached.
    NotSent,
    /// Microsoft is down.
    MicrosoftUnavailable,
    /// Microsoft gave an answer that makes no sense.
    UnexpectedAnswer,
    /// One run was not enough; it goes on.
    BudgetSpent,
    /// The extension asked for something it may not do.
    RefusedByHost,
    /// Another version of the extension wrote what is remembered of the event.
    RecordUnreadable,
    /// It could not be written down; it is tried again.
    NotSaved,
    /// The extension failed on this event; it is tried again.
    ExtensionFailed,
}

/// A reason as the API's description shows it: a known one, or one that came later.
pub(super) struct Reason;

impl PartialSchema for Reason {
    fn schema() -> RefOr<Schema> {
        let description = "Codes may be added at any time; treat an unknown one by its `state`.";
        AnyOfBuilder::new()
            .item(Ref::from_schema_name("KnownReason"))
            .item(ObjectBuilder::new().schema_type(Type::String).build())
            .description(Some(description))
            .into()
    }
}

impl ToSchema for Reason {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("KnownReason".into(), KnownReason::schema()));
    }
}
