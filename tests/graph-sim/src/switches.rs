//! What is not settled about Microsoft's behaviour, and what a test wants to vary, each as a switch.

use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }
    };
}

choice!(
    /// How long a mailbox remembers a `transactionId`.
    TransactionMemory {
        /// For ever.
        #[default]
        Forever,
        /// One hour.
        OneHour,
        /// Not at all: every POST makes an event.
        None,
    }
);
choice!(
    /// What a remembered `transactionId` answers once its event was deleted.
    AfterDelete {
        /// A new event.
        #[default]
        NewEvent,
        /// `201` with the event that is gone.
        DeadId,
    }
);
choice!(
    /// What a remembered `transactionId` answers when the body differs.
    OtherBody {
        /// `201` with the old event, unchanged.
        #[default]
        OldEvent,
        /// `400`.
        Refuse,
    }
);
choice!(
    /// The form of a Teams join link.
    JoinUrlFormat {
        /// `https://teams.microsoft.com/l/meetup-join/19%3ameeting_…`
        #[default]
        MeetupJoin,
        /// `https://teams.microsoft.com/meet/<id>?p=<hash>`
        Meet,
    }
);
choice!(
    /// What a body must still contain for the meeting to survive a PATCH.
    BlobCheck {
        /// The join link, anywhere.
        JoinUrl,
        /// The join link and the block's `me-email-text` element.
        #[default]
        Block,
        /// The whole block as Graph gave it, white space apart.
        Verbatim,
    }
);
choice!(
    /// Which id a request may use.
    IdResolution {
        /// An immutable id is known only to requests that carry `Prefer: IdType="ImmutableId"`.
        #[default]
        Strict,
        /// Either id always resolves.
        Either,
    }
);
choice!(
    /// Which updates of an event with attendees mail them.
    UpdateMail {
        /// Every PATCH.
        #[default]
        EveryPatch,
        /// A PATCH that changes what attendees see.
        Significant,
    }
);
choice!(
    /// What a PATCH of a series' recurrence or start does to its exceptions and deleted occurrences.
    RecurrencePatch {
        /// They stay, on the days the new pattern still has.
        #[default]
        Keep,
        /// They are gone: the series is as if it were new.
        Drop,
        /// The series is split at now: the PATCHed id is the part still to come, without any; what has begun stays as it
        /// was, in a series of its own.
        Split,
    }
);
choice!(
    /// What redeeming a refresh token does to it.
    RefreshReuse {
        /// The old token stays good, as Entra's documentation says.
        #[default]
        Allowed,
        /// Redeeming a token twice is refused, and revokes what came of it, as strict servers do.
        Revokes,
    }
);
choice!(
    /// How `GET /me/mailboxSettings/timeZone` is shaped.
    TimeZoneAnswer {
        /// `{"value": "…"}`
        #[default]
        Object,
        /// A JSON string.
        Plain,
    }
);
choice!(
    /// How the token answer spells Graph's scopes.
    ScopeEcho {
        /// `Calendars.ReadWrite`
        #[default]
        Short,
        /// `https://graph.microsoft.com/Calendars.ReadWrite`
        Uri,
    }
);

/// Every switch; [`Switches::default`] is what the documentation says, and its harsher reading where it says nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// How long a `transactionId` is remembered.
    pub transaction_memory: TransactionMemory,
    /// What it answers after the event was deleted.
    pub transaction_after_delete: AfterDelete,
    /// What it answers for another body.
    pub transaction_other_body: OtherBody,
    /// The form of new join links.
    pub join_url_format: JoinUrlFormat,
    /// What counts as the meeting's block being kept in a body PATCH.
    pub blob_check: BlobCheck,
    /// A PATCH with `body` on an online meeting mints a new join link and mails every attendee.
    pub body_patch_mints_new_link: bool,
    /// A meeting lost by a body PATCH comes back with the next body PATCH without the block, goes again with the one
    /// after, and so on.
    pub lost_meeting_alternates: bool,
    /// A PATCH that sends `isOnlineMeeting` again along with `start` or `end` loses the meeting.
    pub resent_online_flag_loses_link: bool,
    /// `If-Match` is not looked at.
    pub if_match_ignored: bool,
    /// So many seconds after a create the event's `changeKey` moves by itself; `null` means never.
    pub change_key_moves_after_seconds: Option<i64>,
    /// Which ids resolve.
    pub id_resolution: IdResolution,
    /// Which updates mail attendees.
    pub update_mail: UpdateMail,
    /// A pattern's day that a month does not have is that month's last; otherwise the month is left out.
    pub recurrence_clamps: bool,
    /// What a PATCH of a series' recurrence or start does to its exceptions and deleted occurrences.
    pub recurrence_patch: RecurrencePatch,
    /// Changing or deleting one occurrence moves the change key of the series too.
    pub occurrence_change_moves_master: bool,
    /// An occurrence cannot be moved onto or over the day of a deleted neighbour either.
    pub deleted_occurrences_bound_moves: bool,
    /// Attendees who have a mailbox here get a copy of the event.
    pub deliver_to_attendees: bool,
    /// IANA names beyond Microsoft's list are taken.
    pub any_iana_zone: bool,
    /// A `dateTime` with `Z` or an offset is taken (and read as UTC) instead of refused.
    pub date_time_offset_accepted: bool,
    /// The longest subject taken, in characters; a longer one is `400`. `null` means no limit.
    pub subject_limit: Option<usize>,
    /// The error code of the `404` a mailbox answers while it is being made.
    pub fresh_mailbox_code: String,
    /// How the time zone alone is answered.
    pub time_zone_answer: TimeZoneAnswer,
    /// How many requests of one application may be in flight for one mailbox.
    pub concurrency_limit: u32,
    /// `Retry-After` of the answer to one more.
    pub concurrency_retry_after: Option<String>,
    /// How many requests of one application a mailbox takes in ten minutes.
    pub requests_per_ten_minutes: usize,
    /// A request inside a `Retry-After` window is throttled again, not only recorded as a violation.
    pub retry_after_enforced: bool,
    /// Of the requests of a batch for one mailbox, those beyond this many answer `429`; `null` means none do.
    pub batch_throttles_beyond: Option<usize>,
    /// Every Graph answer takes this long.
    pub graph_latency_ms: u64,
    /// Every token answer takes this long.
    pub token_latency_ms: u64,
    /// What redeeming a refresh token does to it.
    pub refresh_reuse: RefreshReuse,
    /// How scopes are spelt in token answers.
    pub scope_echo: ScopeEcho,
    /// Length of an access token.
    pub access_token_bytes: usize,
    /// Length of a refresh token.
    pub refresh_token_bytes: usize,
    /// How many requests are kept for `/sim/requests`.
    pub request_log_limit: usize,
    /// Whether their headers and bodies are kept as well, some four kilobytes each; long benches do without.
    pub request_log_contents: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            transaction_memory: TransactionMemory::default(),
            transaction_after_delete: AfterDelete::default(),
            transaction_other_body: OtherBody::default(),
            join_url_format: JoinUrlFormat::default(),
            blob_check: BlobCheck::default(),
            body_patch_mints_new_link: false,
            lost_meeting_alternates: false,
            resent_online_flag_loses_link: false,
            if_match_ignored: false,
            change_key_moves_after_seconds: None,
            id_resolution: IdResolution::default(),
            update_mail: UpdateMail::default(),
            recurrence_clamps: true,
            recurrence_patch: RecurrencePatch::default(),
            occurrence_change_moves_master: true,
            deleted_occurrences_bound_moves: true,
            deliver_to_attendees: true,
            any_iana_zone: false,
            date_time_offset_accepted: false,
            subject_limit: Some(255),
            fresh_mailbox_code: "MailboxNotEnabledForRESTAPI".to_owned(),
            time_zone_answer: TimeZoneAnswer::default(),
            concurrency_limit: 4,
            concurrency_retry_after: Some("1".to_owned()),
            requests_per_ten_minutes: 10_000,
            retry_after_enforced: true,
            batch_throttles_beyond: None,
            graph_latency_ms: 0,
            token_latency_ms: 0,
            refresh_reuse: RefreshReuse::default(),
            scope_echo: ScopeEcho::default(),
            access_token_bytes: 2_100,
            refresh_token_bytes: 1_500,
            request_log_limit: 200_000,
            request_log_contents: true,
        }
    }
}

impl Switches {
    /// These switches with the members of a JSON object changed; an unknown member or value is refused by name.
    pub(crate) fn patched(&self, changes: &Value) -> Result<Self, String> {
        let mut all = serde_json::to_value(self).map_err(|e| e.to_string())?;
        let changes = changes.as_object().ok_or("switches are a JSON object")?;
        if let Some(members) = all.as_object_mut() {
            members.extend(changes.clone());
        }
        serde_json::from_value(all).map_err(|e| e.to_string())
    }
}
