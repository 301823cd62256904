//! The simulator's clock: the machine's, plus what a test has advanced it by.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// Time as the simulated services see it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    advanced: TimeDelta,
}

impl Clock {
    /// The moment it is for the simulated services.
    #[allow(clippy::disallowed_methods, reason = "the one reading of the machine's clock; all else asks this type")]
    pub(crate) fn now(self) -> DateTime<Utc> {
        Utc::now() + self.advanced
    }

    /// Moves the clock on (or back) for good.
    pub(crate) fn advance(&mut self, by: TimeDelta) {
        self.advanced = self.advanced.checked_add(&by).unwrap_or(self.advanced);
    }

    /// By how many seconds the clock is ahead of the machine's.
    pub(crate) fn advanced_seconds(self) -> i64 {
        self.advanced.num_seconds()
    }
}

/// `2026-11-22T10:00:00.1234567Z`: Graph's seven decimals.
pub(crate) fn graph_instant(at: DateTime<Utc>) -> String {
    format!("{}0Z", at.format("%Y-%m-%dT%H:%M:%S%.6f"))
}

/// `2026-11-22T10:00:00.123Z`, as the side channel writes moments.
pub(crate) fn plain_instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
