//! The watcher: what was written past the gateway reaches Teams all the same.
//!
//! A web interface that saves by other means, a restored backup, a call that was lost: nothing of that passes through the gateway.
//! So the calendars of connected accounts are looked at from time to time, with the server's service credential, and what differs
//! from what the hook was told last is told. It shares the hook's client, the reading of the server's answers and the write-back
//! with the gateway, and no state: what the gateway told is known by its text.
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`schedule`] | which account is looked at when |
//! | [`people`] | where an account's calendars are |
//! | [`account`] | one look at one account |
//! | [`calendar`] | one calendar of it: what changed (RFC 6578), and what of that is to be told |
//! | [`object`] | one object: told, if it differs from what was told last |
//! | [`memory`] | what is remembered until the next look |

mod account;
mod calendar;
mod memory;
mod object;
mod people;
mod schedule;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::calendar::hook::Hook;
use super::calendar::server::{Server, Trouble, Who};
use super::calendar::shared::Shared;
use super::check::Finding;
use super::config::GatewayConfig;
use super::upstream::Upstream;
use crate::doors::hook::WatchedAccountView;
use account::{Halt, Look};
use memory::Memory;
use schedule::{SHORTEST, Schedule, pause};

/// Accounts looked at at the same time: enough that one slow calendar holds up nobody, and few for the server.
const AT_ONCE: usize = 4;
/// How often it is asked whose calendars are to be looked at, for each thousand of them: who has just turned Teams on does not wait
/// long, and the hook is not kept busy by many.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// What is said where nothing is watched.
pub(crate) const OFF: &str = "nothing is watched: without `[service]` the gateway cannot read calendars in its own name, so what \
    is written past it does not reach Teams";

/// The watcher.
pub(crate) struct Watcher {
    shared: Arc<Shared>,
    memory: Memory,
}

/// How a look ended.
struct Ended {
    account: String,
    outcome: Result<(), Halt>,
}

impl Watcher {
    /// With the memory in the folder of the notes; `None` where there is no service credential, or nothing can be remembered, which
    /// is logged.
    pub(crate) fn open(shared: &Arc<Shared>) -> Option<Self> {
        if shared.config.service.is_none() {
            tracing::warn!("{OFF}");
            return None;
        }
        match Memory::open(&shared.config.spool) {
            Ok(memory) => Some(Self { shared: Arc::clone(shared), memory }),
            Err(error) => {
                tracing::error!(
                    "nothing is watched: {error}; give its folder to the gateway's user, or move the file away"
                );
                None
            }
        }
    }

    /// Watches until `stop` turns true. A look that is on its way then is done again at the next start.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = self.watch() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn watch(&self) {
        let mut schedule = Schedule::default();
        let mut accounts: HashMap<String, Arc<WatchedAccountView>> = HashMap::new();
        let mut looks: JoinSet<Ended> = JoinSet::new();
        let (mut ask_at, mut unanswered, mut outages) = (Instant::now(), 0_u32, 0_u32);
        let mut resume_at = Instant::now();
        loop {
            let now = Instant::now();
            if ask_at <= now {
                match self.ask(&mut schedule, &mut accounts).await {
                    Ok(again) => {
                        if unanswered > 0 {
                            tracing::info!("the watcher is told again whose calendars to look at");
                        }
                        (unanswered, ask_at) = (0, now + again);
                    }
                    Err(halt) => {
                        if unanswered == 0 {
                            tracing::warn!(
                                "the watcher does not know whose calendars to look at: {halt}; it asks again"
                            );
                        }
                        ask_at = now + pause(unanswered).min(Duration::from_secs(300));
                        unanswered = unanswered.saturating_add(1);
                    }
                }
            }
            let now = Instant::now();
            while looks.len() < AT_ONCE
                && unanswered == 0
                && resume_at <= now
                && let Some(account) = schedule.next(now)
            {
                let Some(watched) = accounts.get(&account).cloned() else {
                    schedule.done(&account, ASK_EVERY, false, now);
                    continue;
                };
                let (shared, memory) = (Arc::clone(&self.shared), self.memory.clone());
                looks.spawn(async move {
                    let outcome = look(&shared, &memory, &watched).await;
                    Ended { account, outcome }
                });
            }
            let free = looks.len() < AT_ONCE && unanswered == 0;
            let due = schedule.next_due().filter(|_| free).map_or(ask_at, |due| due.max(resume_at).min(ask_at));
            let ended = tokio::select! {
                Some(ended) = looks.join_next() => ended.ok(),
                () = tokio::time::sleep_until(due.into()) => None,
            };
            let Some(Ended { account, outcome }) = ended else { continue };
            let interval = accounts.get(&account).map_or(ASK_EVERY, |watched| interval(watched));
            let failures = schedule.done(&account, interval, outcome.is_err(), Instant::now());
            match &outcome {
                // Said once, and not of each account.
                Err(halt) if halt.is_outage() => {
                    if outages == 0 {
                        tracing::warn!(account, "watching pauses: {halt}");
                    }
                    resume_at = Instant::now() + pause(outages).min(Duration::from_secs(300));
                    outages = outages.saturating_add(1);
                    continue;
                }
                Err(halt) if failures == 0 => tracing::warn!(account, "its calendars are not watched for now: {halt}"),
                Err(halt) => tracing::debug!(account, "its calendars cannot be watched yet: {halt}"),
                Ok(()) if failures > 0 => tracing::info!(account, "its calendars are watched again"),
                Ok(()) => {}
            }
            if outages > 0 {
                tracing::info!("watching goes on");
                outages = 0;
            }
        }
    }

    /// Asks whose calendars are to be looked at; gives how long that is good.
    async fn ask(
        &self,
        schedule: &mut Schedule,
        accounts: &mut HashMap<String, Arc<WatchedAccountView>>,
    ) -> Result<Duration, Halt> {
        let watched = self.shared.hook.watched().await?;
        let known = self.memory.accounts().await?;
        let now = Instant::now();
        let thousands = u32::try_from(watched.len() / 1000).unwrap_or(u32::MAX).saturating_add(1);
        let again = ASK_EVERY.saturating_mul(thousands);
        let soonest = watched.iter().map(interval).min().unwrap_or(ASK_EVERY);
        accounts.clear();
        schedule.begin();
        for account in watched {
            let is_new = !known.contains(&account.account);
            let is_visitor = self.shared.people.known(&account.account).is_some();
            schedule.take(&account.account, interval(&account), reason(&account, is_visitor), is_new, now);
            accounts.insert(account.account.clone(), Arc::new(account));
        }
        schedule.end();
        for account in known.iter().filter(|account| !accounts.contains_key(*account)) {
            self.memory.forget(account).await?;
        }
        Ok(again.min(soonest.max(SHORTEST) * thousands))
    }
}

impl Halt {
    /// Whether others fare no better.
    fn is_outage(&self) -> bool {
        match self {
            Self::Server(Trouble::Refused(StatusCode::UNAUTHORIZED)) => true,
            Self::Server(trouble) => trouble.may_pass(),
            Self::Hook(_) | Self::Memory(_) => true,
            Self::Nowhere | Self::Hidden(_) => false,
        }
    }
}

/// One look at one account.
async fn look(shared: &Shared, memory: &Memory, watched: &WatchedAccountView) -> Result<(), Halt> {
    let person = people::find(shared, &watched.account).await?;
    Look::new(shared, memory, watched, &person)?.look().await
}

fn interval(watched: &WatchedAccountView) -> Duration {
    Duration::from_secs(watched.interval_seconds)
}

/// What makes a look worth while before its time: other settings, what the user asked for, what nobody reported, and that it is
/// known now where the calendars are.
fn reason(watched: &WatchedAccountView, is_visitor: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    let of = (&watched.turned_on, &watched.since, watched.back_seconds, watched.ahead_seconds);
    (of, watched.usable, watched.include_older, watched.unconfirmed, is_visitor).hash(&mut hasher);
    hasher.finish()
}

/// What `--check` finds about the watching.
pub(crate) async fn check(config: &GatewayConfig, upstream: &Upstream) -> Finding {
    let Some(service) = &config.service else { return Finding::remark(OFF) };
    if service.remote_user_header.is_none() {
        let asked = match Who::service(Some(service), "") {
            Some(who) => Server::new(upstream.clone()).myself(&who).await.map_err(|trouble| trouble.to_string()),
            None => Err("its password cannot be read".into()),
        };
        match asked {
            Ok(Some(_)) => {}
            Ok(None) => {
                return Finding::problem(
                    "the server does not know the user of `[service]`; correct `user` and its password",
                );
            }
            Err(why) => return Finding::problem(format!("the user of `[service]` cannot read calendars: {why}")),
        }
    }
    let watched = match Hook::new(config) {
        Ok(hook) => hook.watched().await.map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    match watched {
        Ok(watched) => Finding::remark(format!("connected accounts whose calendars are watched: {}", watched.len())),
        Err(why) => Finding::problem(format!("it is not known whose calendars are to be watched: {why}")),
    }
}
