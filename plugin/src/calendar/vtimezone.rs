//! A VTIMEZONE (RFC 5545 §3.6.5) whose name tells nothing: its offset at one local time, from its own rules.

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarValue, ICalendarWeekday,
};
use chrono::{Datelike, Duration, FixedOffset, NaiveDate, NaiveDateTime, Weekday};
use chrono_tz::Tz;

use super::zones::{Zone, by_name, by_offsets};

/// The VTIMEZONE of this TZID.
pub(crate) fn find<'c>(calendar: &'c ICalendar, tzid: &str) -> Option<&'c ICalendarComponent> {
    calendar.timezones().find(|zone| text(zone, &ICalendarProperty::Tzid).is_some_and(|id| id.trim() == tzid.trim()))
}

/// The zone a VTIMEZONE names in another place than its TZID.
pub(crate) fn named(zone: &ICalendarComponent) -> Option<Zone> {
    zone.entries
        .iter()
        .filter(|entry| match &entry.name {
            ICalendarProperty::Other(name) => {
                name.eq_ignore_ascii_case("X-LIC-LOCATION") || name.eq_ignore_ascii_case("X-TZINFO")
            }
            ICalendarProperty::TzidAliasOf => true,
            _ => false,
        })
        .filter_map(|entry| entry.values.first()?.as_text())
        .find_map(by_name)
        .or_else(|| match zone.timezone() {
            Some((_, calcard::common::timezone::Tz::Tz(zone))) => Some(Zone::Iana(zone)),
            _ => None,
        })
}

/// The zone whose clocks change as a VTIMEZONE says, by the rules that hold now.
pub(crate) fn by_rules(calendar: &ICalendar, zone: &ICalendarComponent) -> Option<Tz> {
    by_offsets(|local| offset_at(calendar, zone, local))
}

/// The offset in force at a local time; before the first onset, the offset that onset came from.
pub(crate) fn offset_at(calendar: &ICalendar, zone: &ICalendarComponent, local: NaiveDateTime) -> Option<FixedOffset> {
    let mut latest: Option<(NaiveDateTime, FixedOffset)> = None;
    let mut earliest: Option<(NaiveDateTime, FixedOffset)> = None;
    for observance in zone.component_ids.iter().filter_map(|&id| calendar.component_by_id(id)) {
        if !matches!(observance.component_type, ICalendarComponentType::Standard | ICalendarComponentType::Daylight) {
            continue;
        }
        let (Some(to), Some(start)) = (
            offset(observance, &ICalendarProperty::Tzoffsetto),
            date(observance.property(&ICalendarProperty::Dtstart)),
        ) else {
            continue;
        };
        if earliest.is_none_or(|(onset, _)| start < onset) {
            let from = offset(observance, &ICalendarProperty::Tzoffsetfrom).unwrap_or(to);
            earliest = Some((start, from));
        }
        for onset in onsets(observance, start, local.year()) {
            if onset <= local && latest.is_none_or(|(last, _)| onset > last) {
                latest = Some((onset, to));
            }
        }
    }
    latest.or(earliest).map(|(_, offset)| offset)
}

/// The onsets of an observance that can matter for a year: its start, its RDATEs, and its rule in that year and the one
/// before. Rules are yearly everywhere; one of another kind counts as its start alone.
fn onsets(observance: &ICalendarComponent, start: NaiveDateTime, year: i32) -> Vec<NaiveDateTime> {
    let mut onsets = vec![start];
    for entry in observance.properties(&ICalendarProperty::Rdate) {
        onsets.extend(entry.values.iter().filter_map(|value| value.as_partial_date_time()).filter_map(naive));
    }
    let rule = observance.property(&ICalendarProperty::Rrule).and_then(|entry| entry.values.first());
    if let Some(ICalendarValue::RecurrenceRule(rule)) = rule {
        let until = rule.until.as_ref().and_then(naive);
        let month = rule.bymonth.first().map_or(start.month(), |month| u32::from(month.month()));
        for year in [year - 1, year] {
            let day = match (rule.byday.first(), rule.bymonthday.as_slice()) {
                (Some(day), []) => nth_weekday(year, month, weekday(day.weekday), day.ordwk.unwrap_or(1)),
                (Some(day), days) => days
                    .iter()
                    .filter_map(|&number| NaiveDate::from_ymd_opt(year, month, u32::try_from(number).ok()?))
                    .find(|date| date.weekday() == weekday(day.weekday)),
                (None, days) => {
                    let number = days.first().and_then(|&number| u32::try_from(number).ok()).unwrap_or(start.day());
                    NaiveDate::from_ymd_opt(year, month, number)
                }
            };
            let onset = day.map(|day| day.and_time(start.time()));
            onsets.extend(onset.filter(|&onset| onset >= start && until.is_none_or(|until| onset <= until)));
        }
    }
    onsets
}

fn nth_weekday(year: i32, month: u32, weekday: Weekday, ordinal: i16) -> Option<NaiveDate> {
    if ordinal > 0 {
        return NaiveDate::from_weekday_of_month_opt(year, month, weekday, u8::try_from(ordinal).ok()?);
    }
    let next_month = if month == 12 {
        NaiveDate::from_ymd_opt(year + 1, 1, 1)
    } else {
        NaiveDate::from_ymd_opt(year, month + 1, 1)
    }?;
    let last = next_month.pred_opt()?;
    let back = last.weekday().days_since(weekday);
    last.checked_sub_signed(Duration::days(i64::from(back) + 7 * (i64::from(-ordinal) - 1)))
}

fn weekday(day: ICalendarWeekday) -> Weekday {
    match day {
        ICalendarWeekday::Monday => Weekday::Mon,
        ICalendarWeekday::Tuesday => Weekday::Tue,
        ICalendarWeekday::Wednesday => Weekday::Wed,
        ICalendarWeekday::Thursday => Weekday::Thu,
        ICalendarWeekday::Friday => Weekday::Fri,
        ICalendarWeekday::Saturday => Weekday::Sat,
        ICalendarWeekday::Sunday => Weekday::Sun,
    }
}

fn text<'c>(component: &'c ICalendarComponent, name: &ICalendarProperty) -> Option<&'c str> {
    component.property(name)?.values.first()?.as_text()
}

fn date(entry: Option<&calcard::icalendar::ICalendarEntry>) -> Option<NaiveDateTime> {
    naive(entry?.values.first()?.as_partial_date_time()?)
}

/// The date and time as written, without any zone.
pub(crate) fn naive(date: &PartialDateTime) -> Option<NaiveDateTime> {
    NaiveDate::from_ymd_opt(i32::from(date.year?), u32::from(date.month?), u32::from(date.day?))?.and_hms_opt(
        u32::from(date.hour.unwrap_or(0)),
        u32::from(date.minute.unwrap_or(0)),
        // A leap second (RFC 5545 §3.3.12) counts as the second before it.
        u32::from(date.second.unwrap_or(0).min(59)),
    )
}

fn offset(component: &ICalendarComponent, name: &ICalendarProperty) -> Option<FixedOffset> {
    let value = component.property(name)?.values.first()?.as_partial_date_time()?;
    let seconds = i32::from(value.tz_hour?) * 3600 + i32::from(value.tz_minute.unwrap_or(0)) * 60;
    FixedOffset::east_opt(if value.tz_minus { -seconds } else { seconds })
}
