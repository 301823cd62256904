//! Texts to which RFC 5545 gives no meaning, so that nobody can be wrong about them.

use super::lines::{Property, all, events, first};

/// Of what kind a date or time is (RFC 5545 §3.3.4, §3.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Date,
    Utc,
    Zoned,
    Floating,
}

impl Kind {
    fn of(property: &Property) -> Self {
        match (property.value.contains('T'), property.value.ends_with('Z')) {
            (false, _) => Self::Date,
            (true, true) => Self::Utc,
            (true, false) if property.parameters.contains("TZID=") => Self::Zoned,
            (true, false) => Self::Floating,
        }
    }

    /// Whether it says an instant, and not a date or time that depends on where one is.
    fn is_instant(self) -> bool {
        matches!(self, Self::Utc | Self::Zoned)
    }
}

/// Why RFC 5545 does not say when the event of an object is.
pub(super) fn why(object: &str) -> Option<&'static str> {
    let event = events(object);
    let starts = event.lines().filter(|line| line.to_ascii_uppercase().starts_with("DTSTART")).count();
    let masters = object.matches("BEGIN:VEVENT").count();
    if starts > 1 && masters == 1 {
        return Some("two DTSTART");
    }
    let start = first(event, "DTSTART")?;
    let end = first(event, "DTEND");
    let kind = Kind::of(&start);
    let both = [Some(&start), end.as_ref()];
    if both.into_iter().flatten().any(|time| time.parameters.contains("TZID=") && time.value.ends_with('Z')) {
        return Some("a TZID on a time in UTC");
    }
    // RFC 5545 §3.8.2.2: both are dates, both local, or both in UTC or zoned.
    let differs = |other: Kind| other != kind && !(other.is_instant() && kind.is_instant());
    if end.as_ref().is_some_and(|end| differs(Kind::of(end))) {
        return Some("DTSTART and DTEND of different kinds");
    }
    if !has_digits(&start) || end.as_ref().is_some_and(|end| !has_digits(end)) {
        return Some("no date where one should be");
    }
    let zone = start.parameters.split(';').find_map(|part| part.strip_prefix("TZID=")).unwrap_or_default();
    let zone = zone.trim_matches('"').trim();
    let known = zone.parse::<chrono_tz::Tz>().is_ok() || object.contains(&format!("TZID:{zone}"));
    if start.parameters.contains("TZID=") && !known {
        return Some("a TZID without its VTIMEZONE");
    }
    // RFC 5545 §3.8.4.4, §3.8.5.1: of the same kind as DTSTART.
    for (property, why) in [
        ("RECURRENCE-ID", "a RECURRENCE-ID of another kind than DTSTART"),
        ("EXDATE", "an EXDATE of another kind than DTSTART"),
    ] {
        if all(event, property).iter().any(|other| Kind::of(other).is_instant() != kind.is_instant()) {
            return Some(why);
        }
    }
    let periods = all(event, "RDATE").into_iter().filter(|date| date.parameters.contains("PERIOD"));
    if periods.into_iter().any(|period| !period.value.contains('T')) {
        return Some("a PERIOD of dates");
    }
    // RFC 5545 §3.3.10: in UTC where DTSTART is in UTC or has a zone, and a date where it is one.
    let rule = first(event, "RRULE");
    let until = rule.as_ref().and_then(|rule| rule.value.split(';').find_map(|part| part.strip_prefix("UNTIL=")));
    if until.is_some_and(|until| (until.ends_with('Z'), until.contains('T')) != (kind.is_instant(), kind != Kind::Date))
    {
        return Some("an UNTIL of another kind than DTSTART");
    }
    // RFC 5545 §3.8.2.5: the duration of a date is in days or weeks.
    let timed = first(event, "DURATION").is_some_and(|length| length.value.contains('T'));
    (timed && kind == Kind::Date).then_some("a DURATION in hours of a date")
}

/// Whether a value has the digits of a date, or of a date and a time.
fn has_digits(property: &Property) -> bool {
    let digits = property.value.trim_end_matches('Z').split('T').map(str::len).collect::<Vec<_>>();
    digits == [8] && !property.value.ends_with('Z') || digits == [8, 6]
}
