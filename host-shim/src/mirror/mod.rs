//! What each event should be at the remote service, and the loop that makes it so.
//!
//! Level-triggered: a save sets what an event *should* be (its row's `generation` counts up); it enqueues no message. Work
//! to do is a row whose `generation` differs from its `mirrored_generation`, and converging again is harmless. So ten saves
//! during an outage become one request, and a crash at any instruction loses nothing.
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`row`] | how a row changes with each call and each answer: pure, no store, no network |
//! | [`saves`] | the first beat: the text to store, and the wait for a link |
//! | [`reports`] | the second beat: stored, refused, deleted, discarded |
//! | [`converge`] | one run for one event |
//! | [`plan`], [`parking`], [`outcome`] | what the run is to bring about; why it has to wait for somebody; what came of it |
//! | [`schedule`] | which event runs when: workers, limits per mailbox, pauses, the breaker |
//! | [`services`] | what the component is given during a hook: HTTP with a credential, checkpoints |
//! | [`status`] | how an event stands, for those who ask |
//! | [`told`] | what was last told, for those who compare it with what the server holds |
//! | [`changes`] | texts that an adapter should write back |
//! | [`leaving`] | off, disconnected, another Microsoft account |
//! | [`people`] | what happens to events when something happens to their account |

mod changes;
mod converge;
mod leaving;
mod outcome;
mod parking;
mod people;
mod plan;
mod reports;
mod row;
mod saves;
mod schedule;
mod sealing;
mod services;
mod status;
mod told;

use std::sync::Arc;
use std::time::Duration;

pub use changes::{Change, Changes};
pub use leaving::{Elsewhere, Leave, Left};
pub use people::{Check, MailboxReport};
pub use reports::{Delete, Report, SaveResult};
pub use saves::{Answer, Save};
pub use schedule::{Loop, Pulse};
pub use status::{EventStatus, State, TimedNotice};
pub use told::Told;
pub(crate) use told::{PAGE as TOLD_PAGE, hex};

use crate::accounts::Accounts;
use crate::accounts::settings::{self, Declared};
use crate::accounts::vault::Vault;
use crate::clock::Clock;
use crate::component::Extension;
use crate::component::types::SettingDeclaration;
use crate::egress::Egress;
use crate::store::{Store, StoreError};

/// How long things take; all adjustable by the configuration.
#[derive(Debug, Clone)]
pub struct Timing {
    /// After the last object of an event is gone, how long until its remote event goes: a move is PUT + DELETE.
    pub delete_grace: Duration,
    /// A save that nobody reported as stored or refused is taken as stored after this.
    pub unconfirmed_after: Duration,
    /// A draft lives so long after its last PUT.
    pub draft_lifetime: Duration,
    /// How old the facts about a mailbox may be.
    pub facts_lifetime: Duration,
    /// How long a waiting save waits where the call does not say.
    pub patience: Duration,
    /// How long the texts of an event are kept after its last end.
    pub keep_texts: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            delete_grace: Duration::from_secs(30),
            unconfirmed_after: Duration::from_secs(60),
            draft_lifetime: Duration::from_secs(24 * 3600),
            facts_lifetime: Duration::from_secs(24 * 3600),
            patience: Duration::from_secs(5),
            keep_texts: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

/// Why the mirror could not take a call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The request makes no sense; nothing was changed. A code and a sentence.
    #[error("{message}")]
    Refused {
        /// Code, for example `uid-differs`.
        code: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// There is no such change (any more): it was reported before, or never announced.
    #[error("there is no open change `{0}`; it was reported already, or its time was over")]
    NoSuchChange(String),
    /// The change was reported before, or its time was over, with another result.
    #[error(
        "the save was already taken as `{0}`; send the object's current text with `stored=true`, or tell that it is gone"
    )]
    ChangeClosed(String),
    /// Somebody told something else of the event since the caller looked; nothing was changed.
    #[error(
        "something else was told of this event meanwhile; look at the server's copy again, and tell that if it still differs"
    )]
    ToldMeanwhile,
    /// This machine failed in the middle of it; nothing was changed.
    #[error("the work for this call broke off: {0}")]
    BrokeOff(String),
    /// It could not be made durable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The component failed on this input.
    #[error("the extension failed on this event: {0}")]
    Component(String),
}

impl MirrorError {
    pub(crate) fn refused(code: &str, message: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), message: message.into() }
    }
}

/// The mirror: one for the process.
pub struct Mirror {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    accounts: Arc<Accounts>,
    egress: Arc<Egress>,
    extension: Arc<Extension>,
    clock: Arc<dyn Clock>,
    timing: Timing,
    pulse: Arc<Pulse>,
    restored: bool,
    epoch: String,
    declared: Vec<Declared>,
}

/// What a [`Mirror`] is made of.
pub struct Parts {
    /// Where rows are kept.
    pub store: Arc<dyn Store>,
    /// Seals what is kept.
    pub vault: Arc<Vault>,
    /// Who may, and with which credential.
    pub accounts: Arc<Accounts>,
    /// The way out.
    pub egress: Arc<Egress>,
    /// The component.
    pub extension: Arc<Extension>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long things take.
    pub timing: Timing,
    /// The store was restored from a backup: first creates look at the remote service first.
    pub restored: bool,
    /// Names this store's numbers; see [`Mirror::epoch`].
    pub epoch: String,
}

impl Mirror {
    /// Puts the parts together; nothing runs until [`Mirror::start`].
    pub fn new(parts: Parts) -> Self {
        let declared = settings_of(&parts.extension).iter().map(Declared::from).collect();
        Self {
            store: parts.store,
            vault: parts.vault,
            accounts: parts.accounts,
            egress: parts.egress,
            extension: parts.extension,
            clock: parts.clock,
            timing: parts.timing,
            pulse: Arc::new(Pulse::default()),
            restored: parts.restored,
            epoch: parts.epoch,
            declared,
        }
    }

    /// Names this store's numbers: another after a restore.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The settings there are, the shim's own first, for those who choose.
    pub fn settings(&self) -> Vec<SettingDeclaration> {
        settings_of(&self.extension)
    }

    /// The same as the accounts check them.
    pub fn declared_settings(&self) -> &[Declared] {
        &self.declared
    }

    /// The extension in use.
    pub fn extension(&self) -> &Extension {
        &self.extension
    }

    /// Looks again what is due, now; for whoever moves the clock.
    pub fn wake(&self) {
        self.pulse.wake();
    }

    /// Answers everybody who waits for changes, now and from now on at once: the process is about to stop.
    pub fn end_polls(&self) {
        self.pulse.end_polls();
    }

    /// The time of day, Unix milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Something outside changed (a sign-in, a connector, a policy) that may let parked events go on: rows of `account` (all
    /// if `None`) parked for `why` become due.
    ///
    /// # Errors
    /// Where the store fails; the rows then stay parked.
    pub fn unpark(&self, account: Option<&str>, why: &str) -> Result<u64, StoreError> {
        let now = self.now();
        let freed = crate::store::transact(&*self.store, |tx| tx.unpark(account, why, now))?;
        self.pulse.wake();
        Ok(freed)
    }
}

fn settings_of(extension: &Extension) -> Vec<SettingDeclaration> {
    let its_own = extension.description().settings.iter().filter(|setting| !settings::is_the_shims(&setting.name));
    settings::of_the_shim().into_iter().chain(its_own.cloned()).collect()
}

/// Milliseconds of a duration, as the rows count them.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// SHA-256 of a text.
pub(crate) fn digest(text: &[u8]) -> crate::store::Digest {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).into()
}

/// A fresh random name of 128 bits, 32 lower-case hexadecimal digits.
pub(crate) fn fresh_id() -> Result<String, MirrorError> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|e| MirrorError::BrokeOff(format!("the machine gives no random numbers: {e}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
