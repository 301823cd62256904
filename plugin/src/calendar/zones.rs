//! Names of zones: whatever a TZID says → an IANA zone → the Windows name that Microsoft expects.
//!
//! The table is CLDR's (supplemental data `windowsZones`, Unicode Licence V3), one line per Windows zone with the IANA
//! zone that stands for it first; older names of the same zones are added from the IANA database's links.

use std::str::FromStr;

use chrono::{Duration, FixedOffset, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

const WINDOWS_ZONES: &str = include_str!("windows_zones.txt");

/// IANA zones no Windows zone behaves like; events in them go as UTC.
#[cfg(test)]
const UNMAPPED: &[&str] = &["Antarctica/Troll"];

/// The Windows name of an IANA zone.
pub(crate) fn windows_name(zone: Tz) -> Option<&'static str> {
    let name = zone.name();
    rows().find(|(_, zones)| zones.split(' ').any(|zone| zone == name)).map(|(windows, _)| windows)
}

/// What a zone's name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// A zone with its history and its daylight saving.
    Iana(Tz),
    /// An offset from UTC and nothing else.
    Fixed(FixedOffset),
}

/// Recognises a zone by its name: IANA, with or without a registry's prefix or with other separators; Windows; the display names of Outlook and
/// Exchange; an offset such as `GMT +0530`.
pub(crate) fn by_name(name: &str) -> Option<Zone> {
    let name = name.trim().trim_matches('"');
    if let Some(zone) = iana(name) {
        return Some(Zone::Iana(zone));
    }
    if name.contains('/') {
        // `/mozilla.org/20070129_1/Europe/Berlin`, `/freeassociation.sourceforge.net/Tzfile/Europe/Berlin`
        let segments: Vec<&str> = name.split('/').filter(|segment| !segment.is_empty()).collect();
        for length in [3, 2, 1] {
            let from = segments.len().saturating_sub(length);
            if let Some(zone) = segments.get(from..).map(|tail| tail.join("/")).as_deref().and_then(iana) {
                return Some(Zone::Iana(zone));
            }
        }
    } else if let Some(zone) = other_separators(name) {
        return Some(Zone::Iana(zone));
    }
    if let Some((_, zones)) = rows().find(|(windows, _)| windows.eq_ignore_ascii_case(name)) {
        return zones.split(' ').next().and_then(iana).map(Zone::Iana);
    }
    // `(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna`: the places tell more than the offset.
    let (offset, places) = match name.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((offset, places)) => (offset.trim(), places.trim()),
        None => (name, name),
    };
    if !places.is_empty()
        && let Ok(calcard::common::timezone::Tz::Tz(zone)) = calcard::common::timezone::Tz::from_str(places)
    {
        return Some(Zone::Iana(zone));
    }
    fixed_offset(offset).map(Zone::Fixed)
}

/// A zone of Microsoft's that is always this far from UTC.
pub(crate) fn by_offset(zone: Zone) -> Option<Tz> {
    match zone {
        Zone::Iana(zone) => Some(zone),
        Zone::Fixed(offset) => candidates().find(|&zone| keeps_now(zone, |_| Some(offset))),
    }
}

/// Whether a name is an offset and nothing else: `GMT -0500 (Standard) / GMT -0400 (Daylight)` says more than it seems to.
pub(crate) fn is_bare(name: &str) -> bool {
    !name.trim().trim_start_matches('(').trim_end_matches(')').chars().skip(3).any(char::is_alphabetic)
}

/// The zone of Microsoft's that is as far from UTC as `offset` says at local times, whenever it was looked.
pub(crate) fn by_offsets(offset: impl Fn(NaiveDateTime) -> Option<FixedOffset>) -> Option<Tz> {
    candidates().find(|&zone| keeps_now(zone, &offset))
}

/// The zone that stands for each Windows zone.
fn candidates() -> impl Iterator<Item = Tz> {
    rows().filter_map(|(_, zones)| zones.split(' ').next().and_then(iana))
}

/// Whether a zone keeps the same time nowadays.
fn keeps_now(zone: Tz, offset: impl Fn(NaiveDateTime) -> Option<FixedOffset>) -> bool {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).and_then(|day| day.and_hms_opt(12, 0, 0));
    first.is_some_and(|first| keeps(zone, first, 5 * 365, offset))
}

/// Whether a zone keeps the same time, by the local clock, from then on for so many days.
pub(crate) fn keeps(
    zone: Tz,
    from: NaiveDateTime,
    days: i64,
    offset: impl Fn(NaiveDateTime) -> Option<FixedOffset>,
) -> bool {
    // Zones that differ do so for a week at the least, whenever they change their clocks. In the hours of a change itself
    // nothing can be told apart.
    (0..=days / 4).filter_map(|number| from.checked_add_signed(Duration::days(4 * number))).all(|local| {
        let own = zone.offset_from_local_datetime(&local).single().map(|offset| offset.fix());
        own.is_none_or(|own| Some(own) == offset(local))
    })
}

/// `US-Eastern`, `America-Argentina-Buenos_Aires`, `Europe_Berlin`: an IANA name by a program that may write no `/` in a TZID.
fn other_separators(name: &str) -> Option<Tz> {
    let first = name.split_once(['-', '_']).map(|(area, place)| format!("{area}/{place}"));
    first.as_deref().and_then(iana).or_else(|| iana(&name.replace('-', "/")))
}

fn iana(name: &str) -> Option<Tz> {
    Tz::from_str(name).ok()
}

/// `GMT+0100`, `UTC -05:30`, `GMT-5`: with whatever follows after a space.
fn fixed_offset(name: &str) -> Option<FixedOffset> {
    let prefix = name.get(..3)?;
    if !prefix.eq_ignore_ascii_case("GMT") && !prefix.eq_ignore_ascii_case("UTC") {
        return None;
    }
    let rest = name.get(3..)?.trim_start();
    let (sign, rest) = match rest.chars().next()? {
        '+' => (1, rest.get(1..)?),
        '-' => (-1, rest.get(1..)?),
        _ => return None,
    };
    let written = rest.split_whitespace().next().unwrap_or_default();
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    if written.chars().any(|character| !character.is_ascii_digit() && character != ':') {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.as_str(), "0"),
        3 | 4 => digits.split_at_checked(digits.len() - 2)?,
        _ => return None,
    };
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    FixedOffset::east_opt(sign * seconds)
}

/// Windows name and IANA names.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    WINDOWS_ZONES.lines().filter_map(|line| line.split_once(" = "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_maps_or_is_known_not_to() {
        for zone in chrono_tz::TZ_VARIANTS {
            let unmapped = UNMAPPED.contains(&zone.name());
            assert_eq!(windows_name(zone).is_none(), unmapped, "{zone}");
        }
    }

    #[test]
    fn every_name_in_the_table_is_a_zone_and_stands_there_once() {
        let mut seen = std::collections::HashSet::new();
        for (windows, zones) in rows() {
            for zone in zones.split(' ') {
                assert!(iana(zone).is_some(), "{windows}: {zone}");
                assert!(seen.insert(zone), "{zone} twice");
            }
        }
    }

    #[test]
    fn zones_of_one_windows_name_keep_the_same_time() {
        let mut different = Vec::new();
        let instant = |month| chrono::Utc.with_ymd_and_hms(2025, month, 15, 12, 0, 0).unwrap().naive_utc();
        for (windows, zones) in rows() {
            let reference = zones.split(' ').next().and_then(iana).unwrap();
            for zone in zones.split(' ').filter_map(iana) {
                for month in [1, 7] {
                    let [a, b] = [reference, zone].map(|zone| zone.offset_from_utc_datetime(&instant(month)).fix());
                    if a != b {
                        different.push(format!("{windows}: {reference} {a}, {zone} {b} in month {month}"));
                    }
                }
            }
        }
        assert!(different.is_empty(), "{}", different.join("\n"));
    }

    #[test]
    fn names_seen_in_the_wild_are_recognised() {
        for (name, zone) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
            (
                "/freeassociation.sourceforge.net/Tzfile/America/Argentina/Buenos_Aires",
                "America/Argentina/Buenos_Aires",
            ),
            ("/mozilla.org/20070129_1/Europe/Madrid", "Europe/Madrid"),
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("w. europe standard time", "Europe/Berlin"),
            ("Eastern Standard Time", "America/New_York"),
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"),
            ("Canberra, Melbourne, Sydney", "Australia/Sydney"),
            ("UTC", "UTC"),
            ("US/Pacific", "US/Pacific"),
            ("US-Eastern", "America/New_York"),
            ("Europe_Berlin", "Europe/Berlin"),
            ("America-Argentina-Buenos_Aires", "America/Argentina/Buenos_Aires"),
            ("America-Port-au-Prince", "America/Port-au-Prince"),
        ] {
            let Some(Zone::Iana(found)) = by_name(name) else { panic!("{name}: {:?}", by_name(name)) };
            let expected: Tz = zone.parse().unwrap();
            assert_eq!(windows_name(found), windows_name(expected), "{name} became {found}");
        }
        for (name, minutes) in [
            ("GMT+0530", 330),
            ("GMT -0500 (Standard) / GMT -0400 (Daylight)", -300),
            ("UTC-5", -300),
            ("GMT-5", -300),
            ("(GMT+01:00)", 60),
        ] {
            let Some(Zone::Fixed(offset)) = by_name(name) else { panic!("{name}: {:?}", by_name(name)) };
            assert_eq!(offset.local_minus_utc(), minutes * 60, "{name}");
        }
        for name in ["Customized Time Zone", "", "Nowhere/At_All", "Nowhere-At_All", "GMTx", "Büro"] {
            assert_eq!(by_name(name), None, "{name}");
        }
    }
}
