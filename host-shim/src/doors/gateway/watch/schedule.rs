//! Which account is looked at when. Pure: no clock but the one handed in.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, Instant};

/// From one look at an account to the next, however often it is to be looked at.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);
/// After a first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest time until an account at which nothing can be looked is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// The accounts and when each is due.
#[derive(Debug, Default)]
pub(super) struct Schedule(HashMap<String, Entry>);

#[derive(Debug)]
struct Entry {
    due: Instant,
    busy: bool,
    failures: u32,
    /// What makes a look worth while before its time, when it is another than last time.
    reason: u64,
    kept: bool,
}

impl Schedule {
    /// Begins to take the accounts there are.
    pub(super) fn begin(&mut self) {
        self.0.values_mut().for_each(|entry| entry.kept = false);
    }

    /// An account is there. One that was never looked at is due now, another one at some moment of its interval: all of them
    /// must not be due at once after a start. `reason`: due now where that is another than before.
    pub(super) fn take(&mut self, account: &str, interval: Duration, reason: u64, is_new: bool, now: Instant) {
        match self.0.get_mut(account) {
            Some(entry) => {
                entry.kept = true;
                if entry.reason != reason {
                    entry.reason = reason;
                    entry.due = entry.due.min(now);
                }
                // A shorter interval counts at once.
                if entry.failures == 0 {
                    entry.due = entry.due.min(now + interval.max(SHORTEST));
                }
            }
            None => {
                let due = if is_new { now } else { now + interval.mul_f64(fraction(account)) };
                self.0.insert(account.to_owned(), Entry { due, busy: false, failures: 0, reason, kept: true });
            }
        }
    }

    /// All accounts were taken: gives those that are there no more.
    pub(super) fn end(&mut self) -> Vec<String> {
        let mut gone = Vec::new();
        self.0.retain(|account, entry| {
            let stays = entry.kept || entry.busy;
            if !stays {
                gone.push(account.clone());
            }
            stays
        });
        gone
    }

    /// The account that is due for the longest time, and is busy from now on.
    pub(super) fn next(&mut self, now: Instant) -> Option<String> {
        let due = self.0.iter_mut().filter(|(_, entry)| !entry.busy && entry.kept && entry.due <= now);
        let (account, entry) = due.min_by_key(|(_, entry)| entry.due)?;
        entry.busy = true;
        Some(account.clone())
    }

    /// When the next account is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.0.values().filter(|entry| !entry.busy && entry.kept).map(|entry| entry.due).min()
    }

    /// A look has ended; gives how many have failed in a row before it.
    pub(super) fn done(&mut self, account: &str, interval: Duration, failed: bool, now: Instant) -> u32 {
        let Some(entry) = self.0.get_mut(account) else { return 0 };
        let before = entry.failures;
        entry.busy = false;
        entry.failures = if failed { before.saturating_add(1) } else { 0 };
        entry.due = now + if failed { pause(before).max(interval) } else { interval.max(SHORTEST) };
        before
    }
}

/// How long after so many failures something is tried again.
pub(super) fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(LONGEST_PAUSE)
}

/// A number from 0 to 1 that is always the same for an account.
fn fraction(account: &str) -> f64 {
    let mut hasher = DefaultHasher::new();
    account.hash(&mut hasher);
    (hasher.finish() % 1000) as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(600);

    #[test]
    fn who_was_looked_at_before_is_due_at_some_moment_and_who_was_not_at_once() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        for n in 0..100 {
            schedule.take(&format!("{n}@x"), TEN, 0, false, now);
        }
        schedule.take("new@x", TEN, 0, true, now);
        assert_eq!(schedule.next(now).as_deref(), Some("new@x"));
        let due = |schedule: &mut Schedule, at| std::iter::from_fn(|| schedule.next(at)).count();
        let half = due(&mut schedule, now + TEN / 2);
        assert!((20..80).contains(&half), "{half}");
        assert_eq!(half + due(&mut schedule, now + TEN), 100);
        assert_eq!(schedule.next_due(), None, "all are busy");
    }

    #[test]
    fn after_a_look_the_interval_begins_and_failures_take_longer() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        schedule.take("a", Duration::ZERO, 0, true, now);
        let account = schedule.next(now).unwrap();
        assert_eq!(schedule.done(&account, Duration::ZERO, false, now), 0);
        assert_eq!(schedule.next_due(), Some(now + SHORTEST), "as often as possible is not without a breath");
        for (failures, pause) in [(0, 5), (1, 10), (2, 20)] {
            assert_eq!(schedule.done("a", Duration::ZERO, true, now), failures);
            assert_eq!(schedule.next_due(), Some(now + Duration::from_secs(pause)));
        }
        assert_eq!(pause(30), LONGEST_PAUSE);
        assert_eq!(schedule.done("a", TEN, false, now), 3);
    }

    #[test]
    fn another_reason_or_a_shorter_interval_counts_at_once() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        schedule.take("a", TEN, 1, true, now);
        schedule.next(now).unwrap();
        schedule.done("a", TEN, false, now);
        schedule.take("a", TEN, 1, false, now);
        assert_eq!(schedule.next(now), None);
        schedule.take("a", Duration::from_secs(60), 1, false, now);
        assert_eq!(schedule.next_due(), Some(now + Duration::from_secs(60)));
        schedule.take("a", TEN, 2, false, now);
        assert_eq!(schedule.next(now).as_deref(), Some("a"));
    }

    #[test]
    fn who_is_there_no_more_is_let_go_but_not_in_the_middle_of_a_look() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        schedule.take("a", TEN, 0, true, now);
        schedule.take("b", TEN, 0, true, now);
        let busy = schedule.next(now).unwrap();
        schedule.begin();
        let gone = schedule.end();
        assert_eq!(gone.len(), 1);
        assert!(!gone.contains(&busy));
        schedule.done(&busy, TEN, false, now);
        assert_eq!(schedule.end(), [busy]);
    }
}
