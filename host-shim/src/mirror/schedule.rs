//! Which event runs when.
//!
//! One dispatcher thread asks the store for rows that are due and hands them to worker threads, within limits: no two runs
//! for one event, at most three at once for one account plus one more for a save that somebody waits for (Microsoft takes
//! four per mailbox), none while the service asked for a pause, and one probe at a time while it cannot be reached.
//!
//! All of this is memory: on a restart the rows say what is to be done.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::{Mirror, MirrorError};

/// Runs of one account that the loop may have in flight; Microsoft's limit is four, one stays free for a waiting save.
const PER_ACCOUNT: usize = 3;

/// While nobody answers, one run tries so often, in milliseconds.
pub(super) const PROBE_MS: i64 = 2_000;

/// The longest sleep of the dispatcher; it is woken for everything it knows of, this is for clocks that are moved.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// How often what is over is forgotten.
const TIDY_MS: i64 = 10 * 60 * 1000;

/// How long the result of a reported change is remembered.
const CLOSED_MS: i64 = 24 * 3600 * 1000;

/// How many due rows are looked at in one go.
const PAGE: u32 = 512;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct RunKey {
    pub(super) account: String,
    pub(super) uid: String,
}

/// Whether requests may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// Unix milliseconds.
    ClosedUntil(i64),
}

/// Pauses asked for by the service, per account, and what is known to be unreachable, per connector.
#[derive(Debug, Default)]
pub(super) struct Gates {
    paused: Mutex<HashMap<String, i64>>,
    down: Mutex<HashMap<String, Down>>,
    answered: Mutex<HashMap<String, i64>>,
}

#[derive(Debug, Clone, Copy)]
struct Down {
    since: i64,
    next_probe: i64,
}

/// For so long an outage is taken for one of the service; what still fails then is taken for the event's own failure, too.
const OUTAGE_MS: i64 = 30 * 60 * 1000;

/// A service that answered well so recently is not down.
const RECENTLY_MS: i64 = 3_000;

impl Gates {
    /// The service asked the mailbox of this account to stay away until then.
    pub(super) fn pause(&self, account: &str, until: i64) {
        let mut paused = lock(&self.paused);
        let entry = paused.entry(account.to_owned()).or_insert(until);
        *entry = (*entry).max(until);
    }

    pub(super) fn of_mailbox(&self, account: &str, now: i64) -> Gate {
        let mut paused = lock(&self.paused);
        match paused.get(account) {
            Some(until) if *until > now => Gate::ClosedUntil(*until),
            Some(_) => {
                paused.remove(account);
                Gate::Open
            }
            None => Gate::Open,
        }
    }

    /// Nobody answered at this connector's addresses. Whether that is news.
    pub(super) fn unreachable(&self, connector: &str, now: i64) -> bool {
        let mut down = lock(&self.down);
        let since = down.get(connector).map(|down| down.since);
        down.insert(connector.to_owned(), Down { since: since.unwrap_or(now), next_probe: now + PROBE_MS });
        since.is_none()
    }

    /// The service failed, or did not answer in time: whether that is an outage of the service rather than a failure of the
    /// one request. It is where nothing else went well just now.
    pub(super) fn failing(&self, connector: &str, now: i64) -> bool {
        if lock(&self.answered).get(connector).is_some_and(|at| now - at < RECENTLY_MS) {
            return false;
        }
        self.unreachable(connector, now);
        lock(&self.down).get(connector).is_some_and(|down| now - down.since < OUTAGE_MS)
    }

    /// The service answered as it should. Whether it had been down.
    pub(super) fn reached(&self, connector: &str, now: i64) -> bool {
        lock(&self.answered).insert(connector.to_owned(), now);
        lock(&self.down).remove(connector).is_some()
    }

    /// Whether a run over this connector may start; while it is down, one every [`PROBE_MS`].
    fn may_start(&self, now: i64) -> Gate {
        let mut down = lock(&self.down);
        let Some(worst) = down.values_mut().min_by_key(|down| down.next_probe) else { return Gate::Open };
        if worst.next_probe <= now {
            worst.next_probe = now + PROBE_MS;
            return Gate::Open;
        }
        Gate::ClosedUntil(worst.next_probe)
    }
}

/// Who waits for what, and what wakes the dispatcher.
#[derive(Debug)]
pub struct Pulse {
    state: Mutex<PulseState>,
    changed: Condvar,
    offered: watch::Sender<u64>,
    /// Whether nobody may wait for offers any more.
    closing: AtomicBool,
    gates: Gates,
}

#[derive(Debug, Default)]
struct PulseState {
    dirty: bool,
    stopping: bool,
    urgent: VecDeque<RunKey>,
    queue: VecDeque<RunKey>,
    queued: HashSet<RunKey>,
    running: HashMap<RunKey, ()>,
    /// Rows that became urgent while they ran.
    again: HashSet<RunKey>,
    /// Whom the next run tells that starts after they asked. One state with the runs: a run that is just ending has not seen them.
    waiting: HashMap<RunKey, Vec<oneshot::Sender<()>>>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            offered: watch::Sender::new(0),
            closing: AtomicBool::new(false),
            gates: Gates::default(),
        }
    }
}

impl Pulse {
    /// Something may have become due.
    pub(super) fn wake(&self) {
        lock(&self.state).dirty = true;
        self.changed.notify_all();
    }

    /// Somebody waits for this event, whose work is in the store: it runs next. Resolves after a run that starts from now on.
    pub(super) fn urgent(&self, account: &str, uid: &str) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let key = RunKey { account: account.into(), uid: uid.into() };
        let mut state = lock(&self.state);
        state.waiting.entry(key.clone()).or_default().push(sender);
        if state.running.contains_key(&key) {
            state.again.insert(key);
        } else {
            state.urgent.push_back(key);
        }
        state.dirty = true;
        drop(state);
        self.changed.notify_all();
        receiver
    }

    pub(super) fn gate(&self) -> &Gates {
        &self.gates
    }

    pub(super) fn offers(&self) -> watch::Receiver<u64> {
        self.offered.subscribe()
    }

    pub(super) fn offered(&self, number: u64) {
        self.offered.send_replace(number);
    }

    pub(super) fn end_polls(&self) {
        self.closing.store(true, Ordering::Release);
        self.offered.send_modify(|_| {});
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn finished(&self, key: &RunKey) {
        let mut state = lock(&self.state);
        state.running.remove(key);
        let waiters = if state.again.remove(key) {
            state.urgent.push_back(key.clone());
            Vec::new()
        } else {
            state.waiting.remove(key).unwrap_or_default()
        };
        state.dirty = true;
        drop(state);
        for waiter in waiters {
            // A save that has lost patience is no error.
            let _ = waiter.send(());
        }
        self.changed.notify_all();
    }

    /// The next event to run; `None` when it is time to stop.
    fn next(&self, now: &dyn Fn() -> i64) -> Option<RunKey> {
        let mut state = lock(&self.state);
        loop {
            if state.stopping {
                return None;
            }
            if let Some(key) = take(&mut state, &self.gates, now()) {
                state.running.insert(key.clone(), ());
                return Some(key);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Takes what may run now: what somebody waits for first, then in the store's order.
fn take(state: &mut PulseState, gates: &Gates, now: i64) -> Option<RunKey> {
    if let Some(at) = state.urgent.iter().position(|key| may_run(state, gates, key, PER_ACCOUNT + 1, now)) {
        let key = state.urgent.remove(at)?;
        if state.queued.remove(&key) {
            state.queue.retain(|queued| *queued != key);
        }
        return Some(key);
    }
    let at = state.queue.iter().position(|key| may_run(state, gates, key, PER_ACCOUNT, now))?;
    if let Gate::ClosedUntil(_) = gates.may_start(now) {
        return None;
    }
    let key = state.queue.remove(at)?;
    state.queued.remove(&key);
    Some(key)
}

fn may_run(state: &PulseState, gates: &Gates, key: &RunKey, limit: usize, now: i64) -> bool {
    !state.running.contains_key(key)
        && state.running.keys().filter(|running| running.account == key.account).count() < limit
        && gates.of_mailbox(&key.account, now) == Gate::Open
}

/// The running loop; [`Loop::stop`] ends it.
pub struct Loop {
    pulse: Arc<Pulse>,
    threads: Vec<JoinHandle<()>>,
}

impl Mirror {
    /// Starts the loop with so many workers.
    ///
    /// # Errors
    /// Where the machine gives no threads.
    pub fn start(self: &Arc<Self>, workers: usize) -> std::io::Result<Loop> {
        let mut threads = Vec::with_capacity(workers + 1);
        let me = Arc::clone(self);
        threads.push(std::thread::Builder::new().name("dispatcher".into()).spawn(move || me.dispatch())?);
        for n in 0..workers.max(1) {
            let me = Arc::clone(self);
            threads.push(std::thread::Builder::new().name(format!("mirror-{n}")).spawn(move || me.work())?);
        }
        Ok(Loop { pulse: Arc::clone(&self.pulse), threads })
    }

    fn work(self: Arc<Self>) {
        let clock = Arc::clone(&self.clock);
        while let Some(key) = self.pulse.next(&|| clock.now()) {
            // A panic costs this run; the row is tried again like after any failure.
            let outcome =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.converge(&key.account, &key.uid)));
            match outcome {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => self.broke_off(&key, &error),
                Err(_) => self.broke_off(&key, &MirrorError::Component("the run panicked".into())),
            }
            self.pulse.finished(&key);
        }
    }

    /// A run ended without a verdict: the row must not be due at once for ever.
    fn broke_off(&self, key: &RunKey, error: &MirrorError) {
        tracing::error!(account = %key.account, %error, "a run broke off; it is tried again");
        let now = self.now();
        let put_off = crate::store::transact(&*self.store, |tx| {
            let Some(mut row) = tx.event(&key.account, &key.uid)? else { return Ok(()) };
            row.attempts = row.attempts.saturating_add(1);
            row.due_at = super::row::back_off_ms(row.attempts, 500).map(|after| now + after);
            if row.due_at.is_none() {
                row.parked = Some("hopeless".into());
                row.state = super::State::AdminNeeded.name().into();
                row.reason = Some("extension-failed".into());
                row.message = Some(error.to_string());
            }
            tx.put_event(&row)
        });
        if let Err(error) = put_off {
            tracing::error!(%error, "the store does not take a put-off; waiting a moment");
            self.pulse.gates.pause(&key.account, now + 5_000);
        }
    }

    fn dispatch(self: Arc<Self>) {
        let mut tidied_at = i64::MIN;
        loop {
            let now = self.now();
            if now.saturating_sub(tidied_at) >= TIDY_MS {
                tidied_at = now;
                self.tidy(now);
            }
            let sleep = match self.fill() {
                Ok(sleep) => sleep,
                Err(error) => {
                    tracing::error!(%error, "the store cannot be asked what is due");
                    Duration::from_secs(1)
                }
            };
            let mut state = lock(&self.pulse.state);
            let until = Instant::now() + sleep;
            while !state.dirty && !state.stopping {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                state = self.pulse.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            if state.stopping {
                return;
            }
            state.dirty = false;
            drop(state);
            // What was closed may be open by now.
            self.pulse.changed.notify_all();
        }
    }

    /// Forgets what nobody can ask for any more.
    fn tidy(&self, now: i64) {
        let tidied = crate::store::transact(&*self.store, |tx| {
            tx.expire_once(now)?;
            tx.expire_closed(now.saturating_sub(CLOSED_MS))
        });
        if let Err(error) = tidied {
            tracing::warn!(%error, "what is over could not be forgotten yet");
        }
        if let Err(error) = self.tidy_leaving() {
            tracing::warn!(%error, "a connection that is on its way out could not be ended yet");
        }
    }

    /// Hands due rows to the workers; gives how long nothing more will be due.
    fn fill(&self) -> Result<Duration, MirrorError> {
        let now = self.now();
        let (due, next) = crate::store::read(&*self.store, |tx| {
            Ok((tx.due_events(now, PAGE, PER_ACCOUNT as u32 + 1)?, tx.next_due()?))
        })?;
        let mut state = lock(&self.pulse.state);
        for (account, uid) in due {
            let key = RunKey { account, uid };
            if !state.running.contains_key(&key) && state.queued.insert(key.clone()) {
                state.queue.push_back(key);
            }
        }
        let blocked = !state.queue.is_empty() || !state.urgent.is_empty();
        drop(state);
        self.pulse.changed.notify_all();
        let until_due = match next {
            Some(at) if at > now => Duration::from_millis(u64::try_from(at - now).unwrap_or(0)),
            // Already handed out; the end of a run wakes us.
            Some(_) | None => LONGEST_SLEEP,
        };
        let until_open = if blocked { self.until_open(now) } else { LONGEST_SLEEP };
        Ok(until_due.min(until_open).min(LONGEST_SLEEP))
    }

    /// When the first closed gate opens.
    fn until_open(&self, now: i64) -> Duration {
        let paused = lock(&self.pulse.gates.paused).values().copied().filter(|until| *until > now).min();
        let down = lock(&self.pulse.gates.down).values().map(|down| down.next_probe).min();
        let at = [paused, down].into_iter().flatten().min();
        at.map_or(LONGEST_SLEEP, |at| Duration::from_millis(u64::try_from((at - now).max(10)).unwrap_or(10)))
    }
}

impl Loop {
    /// Lets running hooks finish and stops; gives `false` where some did not within `patience` (their rows are taken up
    /// at the next start).
    pub fn stop(self, patience: Duration) -> bool {
        lock(&self.pulse.state).stopping = true;
        self.pulse.changed.notify_all();
        let until = Instant::now() + patience;
        for thread in self.threads {
            while !thread.is_finished() {
                if Instant::now() >= until {
                    return false;
                }
                std::thread::park_timeout(Duration::from_millis(5));
            }
            // A worker's panic was reported when it happened.
            let _ = thread.join();
        }
        true
    }
}

/// A panic while a lock was held leaves plain data behind; there is nothing to protect from it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(account: &str, uid: &str) -> RunKey {
        RunKey { account: account.into(), uid: uid.into() }
    }

    fn state(queue: &[(&str, &str)], urgent: &[(&str, &str)]) -> PulseState {
        let mut state = PulseState::default();
        for (account, uid) in queue {
            state.queue.push_back(key(account, uid));
            state.queued.insert(key(account, uid));
        }
        state.urgent.extend(urgent.iter().map(|(account, uid)| key(account, uid)));
        state
    }

    fn run(state: &mut PulseState, gates: &Gates, now: i64) -> Option<RunKey> {
        let key = take(state, gates, now)?;
        state.running.insert(key.clone(), ());
        Some(key)
    }

    #[test]
    fn one_slot_of_four_stays_free_for_a_waiting_save() {
        let gates = Gates::default();
        let mut state = state(&[("a", "1"), ("a", "2"), ("a", "3"), ("a", "4"), ("b", "1")], &[]);
        let started: Vec<_> = std::iter::from_fn(|| run(&mut state, &gates, 0)).collect();
        assert_eq!(started, [key("a", "1"), key("a", "2"), key("a", "3"), key("b", "1")]);
        state.urgent.push_back(key("a", "5"));
        state.urgent.push_back(key("a", "6"));
        assert_eq!(run(&mut state, &gates, 0), Some(key("a", "5")));
        assert_eq!(run(&mut state, &gates, 0), None);
    }

    #[test]
    fn a_run_tells_those_who_asked_before_it_started() {
        let pulse = Pulse::default();
        let now = || 0;
        let mut first = pulse.urgent("a", "1");
        let run = pulse.next(&now).unwrap();
        let mut second = pulse.urgent("a", "1");
        pulse.finished(&run);
        assert!(first.try_recv().is_err() && second.try_recv().is_err(), "what that run did not see is to come");
        let run = pulse.next(&now).unwrap();
        pulse.finished(&run);
        assert!(first.try_recv().is_ok() && second.try_recv().is_ok());
    }

    #[test]
    fn never_two_runs_for_one_event() {
        let gates = Gates::default();
        let mut state = state(&[("a", "1")], &[("a", "1")]);
        assert_eq!(run(&mut state, &gates, 0), Some(key("a", "1")));
        assert_eq!(run(&mut state, &gates, 0), None);
        state.urgent.push_back(key("a", "1"));
        assert_eq!(run(&mut state, &gates, 0), None);
    }

    #[test]
    fn a_pause_holds_one_mailbox_only() {
        let gates = Gates::default();
        gates.pause("a", 100);
        let mut state = state(&[("a", "1"), ("b", "1")], &[("a", "2")]);
        assert_eq!(run(&mut state, &gates, 50), Some(key("b", "1")));
        assert_eq!(run(&mut state, &gates, 99), None);
        assert_eq!(run(&mut state, &gates, 100), Some(key("a", "2")));
    }

    #[test]
    fn a_failure_beside_successes_is_the_events_own() {
        let gates = Gates::default();
        assert!(gates.failing("c", 0), "nothing went well yet");
        gates.reached("c", 10);
        assert!(!gates.failing("c", 20));
        assert!(gates.failing("c", 10 + RECENTLY_MS));
        assert!(
            !gates.failing("c", 10 + RECENTLY_MS + OUTAGE_MS),
            "an outage that lasts does not hide a bad event for ever"
        );
    }

    #[test]
    fn while_nobody_answers_one_run_probes() {
        let gates = Gates::default();
        gates.unreachable("c", 0);
        let mut state = state(&[("a", "1"), ("b", "1")], &[]);
        assert_eq!(run(&mut state, &gates, 1), None);
        assert_eq!(run(&mut state, &gates, PROBE_MS), Some(key("a", "1")));
        assert_eq!(run(&mut state, &gates, PROBE_MS + 1), None);
        gates.reached("c", PROBE_MS);
        assert_eq!(run(&mut state, &gates, PROBE_MS + 1), Some(key("b", "1")));
    }
}
