//! What all requests share: the server, the hook, the notes, and whether the hook answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::{Request, Response};
use tokio::sync::{Notify, Semaphore};

use super::hook::{Answer, Hook, Unanswered};
use super::introduce::Introduced;
use super::notes::{Note, NoteError, Notes, Record};
use super::owner::Places;
use super::people::People;
use super::server::Server;
use super::turns::Turns;
use crate::clock::{Clock as _, SystemClock};
use crate::doors::gateway::Body;
use crate::doors::gateway::config::GatewayConfig;
use crate::doors::gateway::upstream::{Unreachable, Upstream};

/// The same sentence is not logged more often.
const LOUD_EVERY: Duration = Duration::from_secs(600);

/// How long it is believed that the hook has nothing to do with an account: who turns it on saves an event soon.
const STRANGE_FOR: Duration = Duration::from_secs(1);
/// How long that question may take.
const STRANGE_WITHIN: Duration = Duration::from_secs(1);
/// The most accounts of which it is remembered.
const STRANGERS: usize = 10_000;

/// One for the gateway.
pub(super) struct Shared {
    pub(super) config: Arc<GatewayConfig>,
    pub(super) upstream: Upstream,
    pub(super) server: Server,
    pub(super) places: Places,
    pub(super) hook: Hook,
    pub(super) notes: Notes,
    pub(super) people: Arc<People>,
    /// What the hook was told of people.
    pub(super) introduced: Introduced,
    /// Saves that may wait for a link at the same time.
    pub(super) waiting: Semaphore,
    /// Who writes where.
    pub(super) turns: Turns,
    /// Told when the hook may have stopped answering.
    pub(super) doubt: Notify,
    up: AtomicBool,
    said: Mutex<HashMap<&'static str, Instant>>,
    strange: Mutex<HashMap<String, (Instant, bool)>>,
}

impl Shared {
    /// With the notes that an earlier process left. What keeps notes from being written is logged, and no reason to stop.
    pub(super) fn open(config: &Arc<GatewayConfig>, upstream: Upstream) -> Result<Self, String> {
        let (notes, why) = Notes::open(&config.spool, config.spool_limit);
        if let Some(why) = why {
            tracing::error!(
                "{why}. Until then what is saved while teams-mirror does not answer is lost when the gateway stops"
            );
        }
        let server = Server::new(upstream.clone());
        let people = Arc::new(People::open(&config.spool, config.address.as_deref()));
        Ok(Self {
            config: Arc::clone(config),
            places: Places::new(server.clone(), Arc::clone(config), Arc::clone(&people)),
            hook: Hook::new(config)?,
            notes,
            people,
            introduced: Introduced::default(),
            waiting: Semaphore::new(config.max_waiting.min(Semaphore::MAX_PERMITS)),
            turns: Turns::default(),
            doubt: Notify::new(),
            up: AtomicBool::new(true),
            said: Mutex::default(),
            strange: Mutex::default(),
            server,
            upstream,
        })
    }

    /// Passes a request on that changes a calendar: not while a link is written into it.
    pub(super) async fn write(&self, request: Request<Body>) -> Result<Response<Body>, Unreachable> {
        let _turn = self.turns.save(request.uri().path()).await;
        self.upstream.pass(request).await
    }

    /// Passes a request on, as if there were no gateway.
    pub(super) async fn pass(&self, request: Request<Body>) -> Response<Body> {
        match self.upstream.pass(request).await {
            Ok(answer) => answer,
            Err(unreachable) => unreachable.answer(),
        }
    }

    /// Whether the hook answers, as far as is known. Where it does not, saves do not wait to find out.
    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// The hook did not answer; the worker goes on asking.
    pub(super) fn unanswered(&self, error: &Unanswered) {
        if !error.down {
            self.loudly("answer", || format!("{error}; it is told again"));
            return;
        }
        if self.up.swap(false, Ordering::Relaxed) {
            tracing::error!(
                "{error}. Saves go on without waiting for it, and are noted in `{}`",
                self.notes.folder().display()
            );
        }
        self.doubt.notify_one();
    }

    /// The hook answers.
    pub(super) fn answers_again(&self) {
        if !self.up.swap(true, Ordering::Relaxed) {
            tracing::warn!("teams-mirror answers again; notes to tell: {}", self.notes.count());
        }
    }

    /// Whether the hook has nothing to do with an account: it never used this, or is of a domain that the secret is not for. Then
    /// nothing is looked at, noted or told. Most of a server's users may be such.
    pub(super) async fn is_strange(&self, account: &str) -> bool {
        if !self.is_up() {
            return false;
        }
        {
            let strange = self.strange.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, known)) = strange.get(account)
                && at.elapsed() < STRANGE_FOR
            {
                return *known;
            }
        }
        let known = match tokio::time::timeout(STRANGE_WITHIN, self.hook.account(account)).await {
            Ok(Ok(answer)) if answer.code() == "other-domain" => {
                self.refused("", &answer);
                true
            }
            Ok(Ok(answer)) => answer.text("reason") == Some("unknown-account"),
            Ok(Err(error)) => {
                self.unanswered(&error);
                return false;
            }
            Err(_) => return false,
        };
        let mut strange = self.strange.lock().unwrap_or_else(PoisonError::into_inner);
        if strange.len() >= STRANGERS {
            strange.clear();
        }
        strange.insert(account.to_owned(), (Instant::now(), known));
        known
    }

    /// The hook will not have an event, now or later.
    pub(super) fn refused(&self, object: &str, answer: &Answer) {
        if answer.code() == "other-domain" {
            self.loudly("domain", || answer.sentence());
        } else {
            tracing::warn!(object, "an event is not mirrored: {}", answer.sentence());
        }
    }

    /// Logs an error, but not with every save.
    pub(super) fn loudly(&self, about: &'static str, sentence: impl FnOnce() -> String) {
        {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.get(about).is_some_and(|at| at.elapsed() < LOUD_EVERY) {
                return;
            }
            said.insert(about, Instant::now());
        }
        tracing::error!("{}", sentence());
    }

    /// Begins a note. Without one the operation goes on all the same; only what happens to the hook or to this process is lost
    /// then. `Err`: something older about the event has to be told first, which is looked at only where the note is to be `first`.
    pub(super) async fn note(self: &Arc<Self>, record: Record, first: bool) -> Result<Option<Note>, ()> {
        let shared = Arc::clone(self);
        let begun = tokio::task::spawn_blocking(move || shared.notes.begin(record, SystemClock.now(), first)).await;
        match begun {
            Ok(Ok(note)) => {
                self.look_at(&note);
                Ok(Some(note))
            }
            Ok(Err(NoteError::Waits)) => Err(()),
            Ok(Err(error @ NoteError::ShareFull(..))) => {
                self.loudly("share", || {
                    format!(
                        "not everything is noted: {error}. What this user saves besides while teams-mirror does not answer will be \
                         missing in Teams until its next save; `spool_limit` can be raised"
                    )
                });
                Ok(None)
            }
            Ok(Err(error @ NoteError::Full(_))) => {
                self.loudly("spool", || {
                    format!(
                        "nothing more is noted: {error}. What is saved while teams-mirror does not answer will be missing in Teams \
                         until its next save"
                    )
                });
                Ok(None)
            }
            Err(_) => Ok(None),
        }
    }

    /// Writes more into a note.
    pub(super) async fn written(
        &self,
        note: Option<Note>,
        write: impl FnOnce(&mut Note) + Send + 'static,
    ) -> Option<Note> {
        let mut note = note?;
        let note = tokio::task::spawn_blocking(move || {
            write(&mut note);
            note
        });
        let note = note.await.ok()?;
        self.look_at(&note);
        Some(note)
    }

    fn look_at(&self, note: &Note) {
        if let Some(error) = note.trouble() {
            self.loudly("disk", || {
                format!(
                    "nothing can be noted in `{}` ({error}); what is saved while teams-mirror does not answer is lost when the \
                     gateway stops",
                    self.notes.folder().display()
                )
            });
        }
    }
}
