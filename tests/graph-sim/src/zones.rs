//! Time zone names Graph accepts, and what they mean.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

static WINDOWS: LazyLock<HashMap<&'static str, Tz>> =
    LazyLock::new(|| table(include_str!("../data/windows-zones.txt")));
static IANA: LazyLock<HashMap<&'static str, Tz>> = LazyLock::new(|| table(include_str!("../data/iana-zones.txt")));

fn table(text: &'static str) -> HashMap<&'static str, Tz> {
    rows(text).filter_map(|(name, zone)| zone.parse().ok().map(|zone| (name, zone))).collect()
}

fn rows(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

/// The zone a name stands for: every Windows name, and the IANA names Microsoft's page lists. With `any_iana` every
/// IANA name is taken, since whether the service takes the unlisted ones is not settled.
pub(crate) fn find(name: &str, any_iana: bool) -> Option<Tz> {
    match name {
        "tzone://Microsoft/Utc" => Some(Tz::UTC),
        _ => WINDOWS
            .get(name)
            .or_else(|| IANA.get(name))
            .copied()
            .or_else(|| if any_iana { name.parse().ok() } else { None }),
    }
}

/// All Windows names, sorted.
pub(crate) fn windows_names() -> Vec<&'static str> {
    let mut names: Vec<_> = WINDOWS.keys().copied().collect();
    names.sort_unstable();
    names
}

/// All IANA names of Microsoft's page, sorted.
pub(crate) fn iana_names() -> Vec<&'static str> {
    let mut names: Vec<_> = IANA.keys().copied().collect();
    names.sort_unstable();
    names
}

/// A wall-clock time as an instant. A time that occurs twice is the second one (standard time), one that is skipped
/// moves on by the gap, as .NET's conversion does.
pub(crate) fn to_utc(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(_, at) => at.with_timezone(&Utc),
        LocalResult::None => zone
            .from_local_datetime(&(local + Duration::hours(1)))
            .latest()
            .map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_a_zone_that_exists() {
        assert_eq!(rows(include_str!("../data/windows-zones.txt")).count(), WINDOWS.len());
        assert_eq!(rows(include_str!("../data/iana-zones.txt")).count(), IANA.len());
        assert!(WINDOWS.len() >= 139);
    }

    // graph-facts A4: Europe/Madrid, Europe/Rome and America/Toronto are not in Microsoft's list.
    #[test]
    fn unlisted_iana_names_are_unknown_unless_allowed() {
        assert!(find("Europe/Madrid", false).is_none());
        assert!(find("Europe/Madrid", true).is_some());
        assert!(find("Europe/Berlin", false).is_some());
        assert!(find("W. Europe Standard Time", false).is_some());
    }
}
