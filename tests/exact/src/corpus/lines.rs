//! Lines of iCalendar: as much of RFC 5545 §3.1 as it takes to judge, and nothing of the product's own reading.

/// The text without its folds (RFC 5545 §3.1), whichever way its lines end.
pub(super) fn unfolded(text: &str) -> String {
    text.replace("\r\n ", "").replace("\r\n\t", "").replace("\n ", "").replace("\n\t", "")
}

/// A property, its parameters and its value apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    /// From the first `;` on, or "".
    pub(super) parameters: String,
    /// Without the spaces around it.
    pub(super) value: String,
}

/// The properties of this name in components, not of the components in them; names in upper or lower case.
pub(super) fn all(components: &str, name: &str) -> Vec<Property> {
    let mut depth = 0;
    let mut found = Vec::new();
    for line in unfolded(components).lines() {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("BEGIN:") {
            depth += 1;
        } else if upper.starts_with("END:") {
            depth -= 1;
        } else if depth == 1 && upper.starts_with(name) {
            found.extend(line.get(name.len()..).and_then(split));
        }
    }
    found
}

/// The first of them.
pub(super) fn first(components: &str, name: &str) -> Option<Property> {
    all(components, name).into_iter().next()
}

/// What follows a property's name, apart at the first colon that is not quoted (RFC 5545 §3.2).
fn split(rest: &str) -> Option<Property> {
    if !rest.starts_with([':', ';']) {
        return None;
    }
    let mut quoted = false;
    let colon = rest.find(|c| {
        quoted ^= c == '"';
        c == ':' && !quoted
    })?;
    let (parameters, value) = rest.split_at(colon);
    Some(Property { parameters: parameters.to_owned(), value: value.get(1..)?.trim().to_owned() })
}

/// The events of an object, from the first on.
pub(super) fn events(object: &str) -> &str {
    object.find("BEGIN:VEVENT").and_then(|at| object.get(at..)).unwrap_or_default()
}

/// An object without its time zones, and with IANA names where others stand for them: `US-Eastern`, `Europe_Berlin`.
pub(super) fn zones_by_name(object: &str) -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in unfolded(object).split_inclusive('\n') {
        inside |= line.starts_with("BEGIN:VTIMEZONE");
        if !inside {
            text.push_str(&with_iana_name(line));
        }
        inside &= !line.starts_with("END:VTIMEZONE");
    }
    text
}

fn with_iana_name(line: &str) -> String {
    let Some((before, rest)) = line.split_once(";TZID=") else { return line.to_owned() };
    let (name, after) = rest.split_at(rest.find([':', ';']).unwrap_or(rest.len()));
    match name.split_once(['-', '_']) {
        Some((area, place)) if !name.contains(['/', '"']) => format!("{before};TZID={area}/{place}{after}"),
        _ => line.to_owned(),
    }
}

/// The calendar objects of a file: for each UID its events, and with them all time zones. METHOD is left out: what was sent
/// by mail is looked at as if it stood in a calendar.
pub(super) fn objects(text: &str) -> Vec<String> {
    let mut zones = String::new();
    let mut events: Vec<(String, bool, String)> = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut part = String::new();
    for line in text.split_inclusive('\n') {
        let name = line.trim().to_ascii_uppercase();
        if let Some(begun) = name.strip_prefix("BEGIN:") {
            open.push(begun.to_owned());
        }
        let inside = open.iter().any(|name| name == "VEVENT" || name == "VTIMEZONE");
        if inside {
            part.push_str(line);
            if !line.ends_with('\n') {
                part.push_str("\r\n");
            }
        }
        if name.starts_with("END:") {
            let closed = open.pop().unwrap_or_default();
            if inside && !open.iter().any(|name| name == "VEVENT" || name == "VTIMEZONE") {
                let whole = std::mem::take(&mut part);
                if closed == "VTIMEZONE" {
                    zones.push_str(&whole);
                } else {
                    let uid = first(&whole, "UID").map_or_else(|| format!("none-{}", events.len()), |uid| uid.value);
                    events.push((uid, first(&whole, "RECURRENCE-ID").is_some(), whole));
                }
            }
        }
    }
    let mut groups: Vec<(String, bool, String)> = Vec::new();
    for (uid, is_change, event) in events {
        // A second master of the same UID is an object of its own.
        match groups.iter_mut().find(|(own, has_master, _)| *own == uid && (is_change || !*has_master)) {
            Some((_, has_master, group)) => {
                *has_master |= !is_change;
                group.push_str(&event);
            }
            None => groups.push((uid, !is_change, event)),
        }
    }
    let frame = |(_, _, group): (String, bool, String)| {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//exact//EN\r\n{zones}{group}END:VCALENDAR\r\n")
    };
    groups.into_iter().map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "BEGIN:VEVENT\r\nUID:1\r\ndtstart;TZID=\"a:b\":2027\r\n 0301\r\nBEGIN:VALARM\r\nDURATION:PT5M\r\n\
                         END:VALARM\r\nEXDATE:1\r\nEXDATE;X=Y:2\r\nEND:VEVENT\r\n";

    #[test]
    fn properties_are_those_of_the_event_alone() {
        let start = first(EVENT, "DTSTART").unwrap();
        assert_eq!((start.parameters.as_str(), start.value.as_str()), (";TZID=\"a:b\"", "20270301"));
        assert_eq!(first(EVENT, "DURATION"), None, "that is the alarm's");
        assert_eq!(first(EVENT, "DT"), None);
        assert_eq!(all(EVENT, "EXDATE").iter().map(|one| one.value.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn an_object_is_a_uid_with_its_changes_and_all_zones() {
        let zone = "BEGIN:VTIMEZONE\r\nTZID:Own\r\nEND:VTIMEZONE\r\n";
        let event = |uid: &str, more: &str| format!("BEGIN:VEVENT\r\nUID:{uid}\r\n{more}END:VEVENT\r\n");
        let (one, two, change) = (event("1", ""), event("2", ""), event("1", "RECURRENCE-ID:20270301T100000Z\r\n"));
        let found =
            objects(&format!("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n{one}{two}{zone}{change}{one}END:VCALENDAR\r\n"));
        let with = |events: &str| {
            format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//exact//EN\r\n{zone}{events}END:VCALENDAR\r\n")
        };
        assert_eq!(found, [with(&format!("{one}{change}")), with(&two), with(&one)]);
        assert_eq!(events(&found[1]), format!("{two}END:VCALENDAR\r\n"));
        assert!(!zones_by_name(&found[1]).contains("TZID"));
        let named = |name: &str| format!("DTSTART;TZID={name}:20270301T100000\r\n");
        assert_eq!(zones_by_name(&format!("{zone}{}", named("US-Eastern"))), named("US/Eastern"));
        assert_eq!(zones_by_name(&named("Europe/Isle_of_Man")), named("Europe/Isle_of_Man"));
    }
}
