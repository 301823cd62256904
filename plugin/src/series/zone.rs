//! The zone a series keeps its times in, so that ten o'clock stays ten o'clock.

use chrono::{DateTime, Duration, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// Where a series' local times belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Zone {
    /// The zone; for whole days, the one the account's days begin in.
    pub(crate) tz: Tz,
    /// Its name for Microsoft.
    pub(crate) windows: &'static str,
    /// Whole days: dates without a zone, which Microsoft counts as midnights of UTC.
    pub(crate) all_day: bool,
}

impl Zone {
    /// The instant of a local time: Unix time in milliseconds. Of a time that comes twice the first, and one that never
    /// comes by the offset before it (RFC 5545 §3.3.5).
    pub(crate) fn utc_ms(&self, local: NaiveDateTime) -> i64 {
        instant(self.tz, local)
    }

    /// The local time of an instant; for whole days, of the midnight Microsoft means by it.
    pub(crate) fn local(&self, utc_ms: i64) -> NaiveDateTime {
        let instant = DateTime::from_timestamp_millis(utc_ms).unwrap_or_default();
        if self.all_day { instant.naive_utc() } else { instant.with_timezone(&self.tz).naive_local() }
    }

    /// Whether the clocks skip a local time.
    pub(crate) fn skips(&self, local: NaiveDateTime) -> bool {
        !self.all_day && self.tz.from_local_datetime(&local).earliest().is_none()
    }

    /// Seconds the zone is ahead of UTC at a local time.
    pub(crate) fn offset_at(&self, local: NaiveDateTime) -> i32 {
        if self.all_day {
            return 0;
        }
        let instant = DateTime::from_timestamp_millis(self.utc_ms(local)).unwrap_or_default();
        self.tz.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()
    }
}

/// See [`Zone::utc_ms`].
pub(crate) fn instant(tz: Tz, local: NaiveDateTime) -> i64 {
    if let Some(time) = tz.from_local_datetime(&local).earliest() {
        return time.timestamp_millis();
    }
    let before = local - Duration::hours(3);
    let time = tz.from_local_datetime(&before).earliest().map(|time| time.to_utc() + Duration::hours(3));
    time.unwrap_or_else(|| local.and_utc()).timestamp_millis()
}
