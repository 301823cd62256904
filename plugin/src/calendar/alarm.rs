//! The first display VALARM (RFC 5545 §3.6.6) as minutes before the start.
//!
//! Microsoft has one reminder for an event, and the same for every occurrence of a series.

use calcard::icalendar::{
    ICalendar, ICalendarAction, ICalendarComponent, ICalendarParameterName, ICalendarParameterValue, ICalendarProperty,
    ICalendarRelated, ICalendarValue,
};

use super::times::{Clock, Span};

/// Minutes before the start at which the first display alarm rings of those that Microsoft can express; `None` where there
/// is none. It cannot express one that rings later, nor one that rings once for a whole series.
pub(crate) fn minutes_before(
    calendar: &ICalendar,
    event: &ICalendarComponent,
    clock: Clock<'_>,
    span: &Span,
) -> Option<i64> {
    let repeats = [ICalendarProperty::Rrule, ICalendarProperty::Rdate].iter().any(|name| event.has_property(name));
    event
        .component_ids
        .iter()
        .filter_map(|&id| calendar.component_by_id(id))
        .filter(|component| component.component_type.is_alarm())
        .filter(|alarm| {
            let action = alarm.property(&ICalendarProperty::Action).and_then(|entry| entry.values.first());
            matches!(action, Some(ICalendarValue::Action(ICalendarAction::Display)))
        })
        .find_map(|alarm| rings(alarm, clock, span, repeats))
}

fn rings(alarm: &ICalendarComponent, clock: Clock<'_>, span: &Span, repeats: bool) -> Option<i64> {
    let trigger = alarm.property(&ICalendarProperty::Trigger)?;
    let at_ms = match trigger.values.first()? {
        ICalendarValue::Duration(duration) => {
            let related = trigger.parameter(&ICalendarParameterName::Related);
            let to_end = matches!(related, Some(ICalendarParameterValue::Related(ICalendarRelated::End)));
            let base = if to_end { span.end } else { span.start };
            base.utc_ms.checked_add(duration.as_seconds().checked_mul(1000)?)?
        }
        _ if repeats => return None,
        _ => clock.instant(trigger)?,
    };
    let minutes = span.start.utc_ms.checked_sub(at_ms)?.div_euclid(60_000);
    (0..=i64::from(i32::MAX)).contains(&minutes).then_some(minutes)
}
