//! Finds out what a calendar text is about: no more than whether it is one event, under which UID, and whether it has guests.
//!
//! Reading iCalendar is the extension's work. The gateway needs the UID alone, because the hook API names events by it.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// What may stand directly in a VCALENDAR and is a calendar object (RFC 5545 §3.6).
const COMPONENTS: [&str; 4] = ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"];

/// The longest UID, in octets, as the hook API takes it.
const LONGEST_UID: usize = 1024;

/// The UID of the one event (with all its exceptions) that the text holds.
///
/// `None` where it holds none, tasks, journals or several events beside it, or a scheduling message (METHOD). The UID is the
/// value: unfolded, its escapes undone (RFC 5545 §3.3.11).
pub(crate) fn event_uid(text: &str) -> Option<String> {
    let mut uids = BTreeSet::new();
    let mut without = false;
    let mut depth: Vec<String> = Vec::new();
    let mut calendars = 0;
    for line in lines(text) {
        let Some((name, value)) = property(&line) else { continue };
        if name.eq_ignore_ascii_case("BEGIN") {
            let component = value.trim().to_ascii_uppercase();
            match depth.len() {
                0 => {
                    calendars += 1;
                    if component != "VCALENDAR" || calendars > 1 {
                        return None;
                    }
                }
                1 if COMPONENTS.contains(&component.as_str()) => {
                    if component != "VEVENT" {
                        return None;
                    }
                    without = true;
                }
                _ => {}
            }
            depth.push(component);
        } else if name.eq_ignore_ascii_case("END") {
            if !depth.pop()?.eq_ignore_ascii_case(value.trim()) {
                return None;
            }
            if depth.len() == 1 && without {
                // An event without a UID.
                return None;
            }
        } else if name.eq_ignore_ascii_case("METHOD") && depth.len() == 1 {
            return None;
        } else if name.eq_ignore_ascii_case("UID") && is_in_event(&depth) {
            without = false;
            uids.insert(unescaped(value));
        }
    }
    let uid = uids.pop_first()?;
    let whole = depth.is_empty() && uids.is_empty();
    let fits = !uid.is_empty() && uid.len() <= LONGEST_UID && !uid.chars().any(char::is_control);
    (whole && fits).then_some(uid)
}

/// Whether an event of the text has guests, whom the server might write to when it changes.
pub(crate) fn has_guests(text: &str) -> bool {
    let mut depth: Vec<String> = Vec::new();
    for line in lines(text) {
        let Some((name, value)) = property(&line) else { continue };
        if name.eq_ignore_ascii_case("BEGIN") {
            depth.push(value.trim().to_ascii_uppercase());
        } else if name.eq_ignore_ascii_case("END") {
            depth.pop();
        } else if name.eq_ignore_ascii_case("ATTENDEE") && is_in_event(&depth) {
            return true;
        }
    }
    false
}

/// Whether the text may ask for a meeting, by `X-TEAMS-MEETING` or by the lines of another event's link.
pub(crate) fn mentions_teams(text: &str) -> bool {
    text.as_bytes().windows(5).any(|five| five.eq_ignore_ascii_case(b"teams"))
}

/// Whether two texts hold the same events: how a server folds and orders their lines, and ends them, makes no difference.
pub(crate) fn same_events(one: &str, other: &str) -> bool {
    one == other || event_lines(one) == event_lines(other)
}

/// The lines of the events, joined and sorted.
fn event_lines(text: &str) -> Vec<Cow<'_, str>> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in lines(text) {
        let bare = line.trim_end();
        inside |= bare.eq_ignore_ascii_case("BEGIN:VEVENT");
        let ends = bare.eq_ignore_ascii_case("END:VEVENT");
        if inside && !line.is_empty() {
            found.push(line);
        }
        inside &= !ends;
    }
    found.sort();
    found
}

fn is_in_event(depth: &[String]) -> bool {
    matches!(depth, [calendar, event] if calendar == "VCALENDAR" && event == "VEVENT")
}

/// The content lines, joined where they are folded (RFC 5545 §3.1); line ends may lack the CR.
fn lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let mut line = Cow::Borrowed(next(&mut rest)?);
        while let Some(more) = rest.and_then(|rest| rest.strip_prefix([' ', '\t'])) {
            rest = Some(more);
            line.to_mut().push_str(next(&mut rest)?);
        }
        Some(line)
    })
}

/// Takes a line as it stands off the rest.
fn next<'text>(rest: &mut Option<&'text str>) -> Option<&'text str> {
    let all = (*rest)?;
    match all.split_once('\n') {
        Some((line, more)) => {
            *rest = Some(more);
            Some(line.strip_suffix('\r').unwrap_or(line))
        }
        None => {
            *rest = None;
            Some(all)
        }
    }
}

/// Name and value of a content line: the value follows the first colon outside quotes.
fn property(line: &str) -> Option<(&str, &str)> {
    let ends = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '-')?;
    let (name, rest) = line.split_at_checked(ends)?;
    let mut quoted = false;
    let colon = rest.find(|c| {
        quoted ^= c == '"';
        c == ':' && !quoted
    })?;
    (!name.is_empty()).then_some((name, rest.get(colon + 1..)?))
}

fn unescaped(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.clone().next() {
            Some(escaped @ ('\\' | ';' | ',')) => plain.push(escaped),
            Some('n' | 'N') => plain.push('\n'),
            _ => {
                plain.push(character);
                continue;
            }
        }
        characters.next();
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(lines: &[&str]) -> String {
        let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n");
        for line in lines {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text + "END:VEVENT\r\nEND:VCALENDAR\r\n"
    }

    #[test]
    fn an_event_has_its_uid() {
        assert_eq!(event_uid(&event(&["UID:e1"])).as_deref(), Some("e1"));
        assert_eq!(event_uid(&event(&["UID:e1"]).replace('\r', "")).as_deref(), Some("e1"));
        assert_eq!(event_uid(&event(&["uid;X-A=\"a:b\":e 1\\, 2"])).as_deref(), Some("e 1, 2"));
        assert_eq!(event_uid(&event(&["UI", "\tD:e", " 1"])).as_deref(), Some("e1"));
        let exceptions = event(&["UID:e1", "END:VEVENT", "BEGIN:VEVENT", "UID:e1", "RECURRENCE-ID:20300114T100000Z"]);
        assert_eq!(event_uid(&exceptions).as_deref(), Some("e1"));
        let alarm = event(&["UID:e1", "BEGIN:VALARM", "UID:another", "END:VALARM"]);
        assert_eq!(event_uid(&alarm).as_deref(), Some("e1"));
    }

    #[test]
    fn what_is_not_one_event_has_none() {
        let good = event(&["UID:e1"]);
        for text in [
            "",
            "BEGIN:VCARD\r\nUID:x\r\nEND:VCARD\r\n",
            &event(&["SUMMARY:no UID"]),
            &event(&["UID:"]),
            &event(&["UID:a\\nb"]),
            &event(&[&format!("UID:{}", "x".repeat(1025))]),
            &event(&["UID:e1", "END:VEVENT", "BEGIN:VEVENT", "UID:e2"]),
            &event(&["UID:e1", "END:VEVENT", "BEGIN:VEVENT", "SUMMARY:x"]),
            &event(&["UID:e1", "END:VEVENT", "BEGIN:VTODO", "UID:e1", "END:VTODO", "BEGIN:VEVENT", "UID:e1"]),
            &good.replace("VEVENT", "VTODO"),
            &good.replace("VERSION:2.0", "METHOD:REQUEST"),
            &good.replace("END:VCALENDAR\r\n", ""),
            &good.repeat(2),
            good.trim_start_matches("BEGIN:VCALENDAR\r\n"),
        ] {
            assert_eq!(event_uid(text), None, "{text}");
        }
    }

    #[test]
    fn guests_are_seen_in_events_alone() {
        assert!(has_guests(&event(&["UID:e1", "ATTENDEE;CN=\"A: B\":mailto:bob@test.tld"])));
        assert!(!has_guests(&event(&["UID:e1", "DESCRIPTION:x\\nATTENDEE:bob"])));
        assert!(!has_guests(&event(&["BEGIN:VALARM", "ATTENDEE:mailto:bob@test.tld", "END:VALARM"])));
    }

    #[test]
    fn teams_is_found_in_any_case() {
        assert!(mentions_teams("X-TEAMS-MEETING:TRUE") && mentions_teams("https://teams.microsoft.com"));
        assert!(!mentions_teams("X-TEAM") && !mentions_teams(""));
    }

    #[test]
    fn order_and_folding_make_no_difference() {
        let one = event(&["UID:e1", "SUMMARY:A long one"]);
        let other =
            event(&["SUMMARY:A lo", " ng one", "UID:e1"]).replace('\r', "").replace("VERSION", "X-OTHER:1\nVERSION");
        assert!(same_events(&one, &other));
        assert!(!same_events(&one, &event(&["UID:e1", "SUMMARY:Another"])));
    }

    proptest! {
        /// Wherever a text is folded, the same stands in it.
        #[test]
        fn folding_changes_nothing(uid in "[ -~äß€]{1,80}", at in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
            let text = event(&[&format!("UID:{}", uid.replace('\\', "\\\\")), "ATTENDEE:mailto:x@y.example"]);
            let mut folded = text.clone();
            for index in at {
                let place = index.index(folded.len());
                // Not within a character, nor within or right after a line's end.
                let inside = folded.is_char_boundary(place) && place > 0 && !folded[..place].ends_with(['\r', '\n']);
                if inside && !folded[place..].starts_with('\n') {
                    folded.insert_str(place, "\r\n ");
                }
            }
            prop_assert_eq!(event_uid(&folded), event_uid(&text));
            prop_assert_eq!(event_uid(&text), Some(uid));
            prop_assert!(has_guests(&folded));
            prop_assert!(same_events(&folded, &text));
        }

        #[test]
        fn nothing_breaks_it(text in "(BEGIN:|END:|VCALENDAR|VEVENT|UID|:|;|\"|\\\\|\r|\n| |x|é){0,60}") {
            let _ = (event_uid(&text), has_guests(&text), same_events(&text, "x"));
        }
    }
}
