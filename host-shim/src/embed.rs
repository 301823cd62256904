//! The mirror inside a calendar server that is written in Rust: both beats of a save are calls, with no HTTP between.
//!
//! An installation is what `teams-mirror init` makes, and [`Shim::open`] opens it; one process at a time has it open, so
//! `teams-mirror serve` does not run beside it. [`Embedded::start`] starts the loop that talks to Microsoft, and listens to the other
//! commands of `teams-mirror`, but to nothing else. The server then
//!
//! 1. asks [`Embedded::before_store`] for the text to store in place of the client's, once rights and preconditions are checked,
//!    so that a save it refuses makes no meeting;
//! 2. stores that text, and says by [`Announced::stored`] or [`Announced::refused`] what became of it;
//! 3. tells by [`Embedded::deleted`] what is gone, after it is;
//! 4. writes back what [`Embedded::late_links`] offers, unless the object changed meanwhile;
//! 5. shows [`Embedded::pages`] to browsers under the configuration's `public_url`, where users sign in.
//!
//! A move is [`Embedded::stored`] of the new object and [`Embedded::deleted`] of the old one. The whole of it, in under 60 lines:
//! `examples/in_process.rs`. For what is rarer (drafts, imports, "Add Teams" buttons) there is [`Mirror`] itself.
//!
//! Everything here needs a Tokio runtime, and delays none of its threads.

use std::sync::Arc;
use std::time::Duration;

use crate::address::{Address, AddressError};
use crate::component::types::Wish;
use crate::doors;
use crate::listen::Listener;
use crate::mirror::{Answer, Changes, Delete, Loop, Mirror, MirrorError, Report, Save, SaveResult};
use crate::serve::StartError;
use crate::store::HookSecretRow;

pub use crate::config::Config;
pub use crate::serve::Shim;

/// How long a stop waits for hooks on their way.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// One calendar object: an event, and where the server keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The calendar's owner, also where a delegate saves.
    pub account: Address,
    /// The event's UID: its value, unfolded and with its escapes undone, 1 to 1,024 octets.
    pub uid: String,
    /// The server's path for it; opaque, always in one spelling.
    pub object: String,
    /// The server's path for the calendar; absent: `object` up to its last `/`.
    pub calendar: Option<String>,
    /// What its user calls that calendar; settings may leave it out by that name.
    pub calendar_name: Option<String>,
}

impl Event {
    /// An event of `account`, an address, under the path `object`.
    ///
    /// # Errors
    /// Where `account` is no address.
    pub fn new(account: &str, uid: &str, object: &str) -> Result<Self, AddressError> {
        let account = Address::parse(account)?;
        Ok(Self { account, uid: uid.into(), object: object.into(), calendar: None, calendar_name: None })
    }

    fn save(&self, text: &str, stored: bool) -> Save {
        Save {
            account: self.account.clone(),
            uid: self.uid.clone(),
            object: Some(self.object.clone()),
            calendar: self.calendar.clone(),
            calendar_name: self.calendar_name.clone(),
            wish: Wish::Keep,
            draft: false,
            draft_of: None,
            change: None,
            stored,
            import: false,
            patience: None,
            told: None,
            text: text.to_owned(),
        }
    }
}

/// A running mirror; a clone is the same one. Stops when the last one is dropped, which may wait ten seconds for requests at
/// Microsoft; work that is left is taken up at the next start.
#[derive(Clone)]
pub struct Embedded {
    shim: Arc<Shim>,
    // Held for its end.
    _work: Arc<Work>,
}

struct Work {
    shim: Arc<Shim>,
    running: Option<Loop>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Embedded {
    /// Starts the loop, within a Tokio runtime.
    ///
    /// # Errors
    /// Where there is no runtime, the machine gives no threads, or the socket for commands cannot be made in the state folder.
    pub fn start(shim: Shim) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| StartError::Machine("an embedded mirror starts within a Tokio runtime".into()))?;
        let commands = Listener::bind_private(&shim.config().admin_socket()).map_err(StartError::Machine)?;
        let running = shim
            .mirror()
            .start(shim.config().mirror.workers)
            .map_err(|e| StartError::Machine(format!("the machine gives no threads: {e}")))?;
        let shim = Arc::new(shim);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        runtime.spawn(commands.serve(doors::admin::router(Arc::clone(&shim)), stopped, STOP_PATIENCE));
        Ok(Self { shim: Arc::clone(&shim), _work: Arc::new(Work { shim, running: Some(running), stop }) })
    }

    /// What runs: its accounts, connectors and rules, and how its events stand.
    pub fn shim(&self) -> &Arc<Shim> {
        &self.shim
    }

    /// The pages for browsers: settings and sign-in. The server serves them under the path of `public_url`, for example with
    /// `Router::nest_service`. [`settings_link`](crate::accounts::Accounts::settings_link) leads a user there.
    pub fn pages(&self) -> axum::Router {
        let config = self.shim.config();
        let (mirror, accounts) = (Arc::clone(self.shim.mirror()), Arc::clone(self.shim.accounts()));
        doors::public::router(mirror, accounts, &config.public_url, &config.webmail_origins)
    }

    /// First beat: the server is about to store `text`. Where a meeting is wanted and none exists, one is made, and waited for
    /// as long as `mirror.patience` allows; nothing that exists is changed.
    ///
    /// It never fails, because a save must not: where something is wrong, the text to store is the client's, and
    /// [`Announced::problem`] says why.
    pub async fn before_store(&self, event: &Event, text: &str) -> Announced {
        let mirror = Arc::clone(self.shim.mirror());
        let mut announced = Announced {
            mirror: Arc::clone(&mirror),
            event: event.clone(),
            beat: Beat::Nothing,
            text: text.to_owned(),
            link: None,
            amended: false,
            problem: None,
        };
        match mirror.save(event.save(text, false)).await {
            Ok(Answer::NotOurs { .. }) => {}
            Ok(Answer::Understood { change, status, icalendar, .. }) => {
                announced.beat = Beat::Report(change);
                announced.amended = icalendar != text;
                announced.text = icalendar;
                announced.link = status.join_url;
            }
            Err(problem) => {
                tracing::error!(object = %event.object, "an event is stored without Teams: {problem}");
                // A text that is no event will be none later; whatever else was wrong may be over by then.
                announced.beat = match problem {
                    MirrorError::Refused { .. } => Beat::Nothing,
                    _ => Beat::Tell,
                };
                announced.problem = Some(problem);
            }
        }
        announced
    }

    /// Both beats in one, for what is stored already: the new place of a moved event, a text that was written back. Gives the
    /// text that should be stored; where it differs from `text`, store it.
    ///
    /// # Errors
    /// Where the text is none that could be kept as this event, or the store failed; nothing was changed then.
    pub async fn stored(&self, event: &Event, text: &str) -> Result<String, MirrorError> {
        tell(self.shim.mirror(), event, text).await
    }

    /// An object is gone from the server. Its event goes from Teams when no object carries its UID any more, and stayed so for
    /// `mirror.delete_grace`.
    ///
    /// # Errors
    /// Where the store failed; nothing was changed then, so tell it again.
    pub async fn deleted(&self, event: &Event) -> Result<(), MirrorError> {
        let mirror = Arc::clone(self.shim.mirror());
        let object = Some(event.object.clone());
        let gone = Delete { account: event.account.clone(), uid: event.uid.clone(), object, draft: false, told: None };
        off_the_loop(move || mirror.delete(&gone).map(drop)).await
    }

    /// Events whose stored text should have another link than it has, after the cursor `after` (0: all); waits up to `wait` for
    /// the first. Store the offered text only over the one whose SHA-256 it names, then tell it by [`Embedded::stored`].
    ///
    /// # Errors
    /// Where the store failed.
    pub async fn late_links(&self, after: u64, wait: Duration) -> Result<Changes, MirrorError> {
        let everybodys = HookSecretRow { name: String::new(), digest: [0; 32], domains: Vec::new(), created_at: 0 };
        self.shim.mirror().changes(&everybodys, after, wait).await
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.shim.mirror().end_polls();
        if let Some(running) = self.running.take()
            && !running.stop(STOP_PATIENCE)
        {
            tracing::warn!("some hooks did not finish in time; their events are taken up at the next start");
        }
    }
}

/// What is due once the server has stored the text.
enum Beat {
    /// The save is none of ours.
    Nothing,
    /// A report of this change.
    Report(String),
    /// The whole text, because it could not be announced.
    Tell,
}

/// A save that was announced, and waits to be reported. Where nobody does, it is taken as stored after
/// `mirror.unconfirmed_after`.
#[must_use = "say by `stored` or `refused` what became of the save"]
pub struct Announced {
    mirror: Arc<Mirror>,
    event: Event,
    beat: Beat,
    text: String,
    link: Option<String>,
    amended: bool,
    problem: Option<MirrorError>,
}

impl Announced {
    /// The text to store.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether that is not the client's; then no ETag and no Last-Modified may be returned for it (RFC 4791 §5.3.4).
    pub fn is_amended(&self) -> bool {
        self.amended
    }

    /// Where people join, if there is a meeting by now.
    pub fn link(&self) -> Option<&str> {
        self.link.as_deref()
    }

    /// Why it could not be announced.
    pub fn problem(&self) -> Option<&MirrorError> {
        self.problem.as_ref()
    }

    /// Second beat: the server stored [`Announced::text`], and Teams is to show it.
    ///
    /// # Errors
    /// Where the store failed. Then tell the text by [`Embedded::stored`] when it works again.
    pub async fn stored(self) -> Result<(), MirrorError> {
        match self.beat {
            Beat::Tell => tell(&self.mirror, &self.event, &self.text).await.map(drop),
            _ => self.report(SaveResult::Stored).await,
        }
    }

    /// Second beat: the server did not store it; a meeting that was made for it goes.
    ///
    /// # Errors
    /// Where the store failed. Then tell what is stored by [`Embedded::stored`], or that nothing is by [`Embedded::deleted`].
    pub async fn refused(self) -> Result<(), MirrorError> {
        self.report(SaveResult::Refused).await
    }

    async fn report(self, result: SaveResult) -> Result<(), MirrorError> {
        let Beat::Report(change) = self.beat else { return Ok(()) };
        let (account, uid) = (self.event.account, self.event.uid);
        let report = Report { account, uid, change, result, object: None };
        off_the_loop(move || self.mirror.report(&report).map(drop)).await
    }
}

async fn tell(mirror: &Arc<Mirror>, event: &Event, text: &str) -> Result<String, MirrorError> {
    match mirror.save(Save { patience: Some(Duration::ZERO), ..event.save(text, true) }).await? {
        Answer::NotOurs { .. } => Ok(text.to_owned()),
        Answer::Understood { icalendar, .. } => Ok(icalendar),
    }
}

/// Runs what waits for the disk where it delays nobody else.
async fn off_the_loop<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MirrorError> + Send + 'static,
) -> Result<T, MirrorError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|failure| Err(MirrorError::BrokeOff(failure.to_string())))
}
