//! ATTENDEE (RFC 5545 §3.8.4.1): who is invited, and how.

use std::collections::BTreeSet;

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue, ICalendarParticipationRole,
    ICalendarProperty, ICalendarUserTypes,
};

use super::address;
use super::event::{Guest, Role};
use crate::domain::Account;

/// Every attendee but the account itself, each once, in the order of the text.
pub(super) fn of(component: &ICalendarComponent, account: &Account) -> Vec<Guest> {
    let mut guests: Vec<Guest> = Vec::new();
    let mut known = BTreeSet::new();
    for entry in component.properties(&ICalendarProperty::Attendee) {
        let address = address::of(entry);
        if address.as_deref().is_some_and(|address| account.is_own_address(address)) {
            continue;
        }
        let written = || entry.values.first().and_then(|value| value.as_text()).unwrap_or_default().trim();
        let mut name = name(entry);
        if name.is_empty() && address.is_none() {
            written().clone_into(&mut name);
        }
        let nobody = address.is_none() && name.is_empty();
        let who = address.clone().unwrap_or_else(|| format!("{name}\n{}", written()));
        if nobody || !known.insert(who) {
            continue;
        }
        guests.push(Guest { address, name, role: role(entry), is_resource: is_resource(entry) });
    }
    guests
}

fn name(entry: &ICalendarEntry) -> String {
    let name = entry.parameter(&ICalendarParameterName::Cn).and_then(|value| value.as_text()).unwrap_or_default();
    // A name is one line.
    name.split(char::is_control).collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn role(entry: &ICalendarEntry) -> Role {
    match entry.parameter(&ICalendarParameterName::Role) {
        Some(ICalendarParameterValue::Role(ICalendarParticipationRole::OptParticipant)) => Role::Optional,
        Some(ICalendarParameterValue::Role(ICalendarParticipationRole::NonParticipant)) => Role::Informational,
        // A role nobody knows is to be treated as REQ-PARTICIPANT (RFC 5545 §3.2.16).
        _ => Role::Required,
    }
}

fn is_resource(entry: &ICalendarEntry) -> bool {
    matches!(
        entry.parameter(&ICalendarParameterName::Cutype),
        Some(ICalendarParameterValue::Cutype(ICalendarUserTypes::Resource | ICalendarUserTypes::Room))
    )
}
