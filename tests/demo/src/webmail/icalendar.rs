//! The little of iCalendar (RFC 5545) a webmail needs: reading and replacing single lines of one event.
//!
//! Events are changed line by line and never written anew, so that everything the webmail does not know survives: another
//! client's properties, and the join link.

/// One calendar object, as its content lines without folding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    lines: Vec<String>,
}

impl Object {
    /// Reads an object; folded lines are joined (RFC 5545 §3.1).
    pub(crate) fn read(text: &str) -> Self {
        let mut lines: Vec<String> = Vec::new();
        for line in text.split('\n').map(|line| line.trim_end_matches('\r')) {
            match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
                (Some(rest), Some(last)) => last.push_str(rest),
                _ if line.is_empty() => {}
                _ => lines.push(line.to_owned()),
            }
        }
        Self { lines }
    }

    /// An event without anything but its UID.
    pub(crate) fn event(uid: &str) -> Self {
        let mut lines = vec![
            "BEGIN:VCALENDAR".to_owned(),
            "VERSION:2.0".to_owned(),
            "PRODID:-//teams-mirror//Sample webmail//EN".to_owned(),
        ];
        lines.extend(VIENNA.lines().map(str::to_owned));
        lines.extend([
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}", escape(uid)),
            "END:VEVENT".to_owned(),
            "END:VCALENDAR".to_owned(),
        ]);
        Self { lines }
    }

    /// The text, folded at 75 octets.
    pub(crate) fn write(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let mut length = 0;
            for c in line.chars() {
                if length + c.len_utf8() > 75 {
                    text.push_str("\r\n ");
                    length = 1;
                }
                text.push(c);
                length += c.len_utf8();
            }
            text.push_str("\r\n");
        }
        text
    }

    /// The event's own lines: those between BEGIN:VEVENT and its end that are in no component inside it.
    fn own<'a>(&'a self) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        let mut depth = 0_usize;
        self.lines.iter().enumerate().filter_map(move |(at, line)| {
            let upper = line.to_ascii_uppercase();
            if upper == "BEGIN:VEVENT" || depth > 0 && upper.starts_with("BEGIN:") {
                depth += 1;
            } else if depth > 0 && upper.starts_with("END:") {
                depth -= 1;
            } else if depth == 1 {
                return Some((at, line.as_str()));
            }
            None
        })
    }

    /// The event's lines of a name.
    pub(crate) fn lines<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let name = name.to_owned();
        self.own().map(|(_, line)| line).filter(move |line| has_name(line, &name))
    }

    /// The value of the first line of a name, as it stands.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.lines(name).next().map(value_of)
    }

    /// The value of a text property, escapes undone; empty where there is none.
    pub(crate) fn text(&self, name: &str) -> String {
        self.value(name).map(unescape).unwrap_or_default()
    }

    /// Puts these lines in the place of all lines of a name.
    pub(crate) fn replace(&mut self, name: &str, lines: &[String]) {
        let old: Vec<usize> = self.own().filter(|(_, line)| has_name(line, name)).map(|(at, _)| at).collect();
        let place = old.first().copied().unwrap_or_else(|| self.end_of_own());
        for at in old.iter().rev() {
            self.lines.remove(*at);
        }
        self.lines.splice(place..place, lines.iter().cloned());
    }

    /// Sets a text property; an empty text takes it away. A text that says the same keeps its line.
    pub(crate) fn set_text(&mut self, name: &str, text: &str) {
        if self.text(name) != text {
            let line = (!text.is_empty()).then(|| format!("{name}:{}", escape(text)));
            self.replace(name, line.as_slice());
        }
    }

    /// Behind the event's last own line, before the components inside it.
    fn end_of_own(&self) -> usize {
        let begin = self.lines.iter().position(|line| line.eq_ignore_ascii_case("BEGIN:VEVENT"));
        let after = begin.map_or(self.lines.len(), |at| at + 1);
        let inside = self.lines.iter().skip(after).position(|line| {
            let upper = line.to_ascii_uppercase();
            upper.starts_with("BEGIN:") || upper.starts_with("END:")
        });
        after + inside.unwrap_or(0)
    }
}

fn has_name(line: &str, name: &str) -> bool {
    line.split([':', ';']).next().is_some_and(|own| own.eq_ignore_ascii_case(name))
}

/// What stands behind the first colon that is not inside a quoted parameter.
pub(crate) fn value_of(line: &str) -> &str {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ':' if !quoted => return line.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

/// RFC 5545 §3.3.11.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ',' | ';' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            // The control characters a text may not hold (§3.1); a carriage return belongs to the line feed beside it.
            c if c.is_control() && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// The zone of this webmail's users (RFC 5545 §3.6.5).
const VIENNA: &str = "BEGIN:VTIMEZONE
TZID:Europe/Vienna
BEGIN:DAYLIGHT
DTSTART:19810329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_as_it_went() {
        let mut object = Object::event("a@b.example");
        let text = "Agenda: budget, staff; and more\n\\o/ ".repeat(9) + "Überraschung 🎉";
        object.set_text("DESCRIPTION", &text);
        let written = object.write();
        assert!(written.lines().all(|line| line.len() <= 75), "{written}");
        assert!(written.ends_with("END:VCALENDAR\r\n"));
        let read = Object::read(&written);
        assert_eq!(read, object);
        assert_eq!(read.text("DESCRIPTION"), text);
        assert_eq!(read.text("UID"), "a@b.example");
    }

    #[test]
    fn no_text_can_begin_a_line_of_its_own() {
        let mut object = Object::event("a@b.example");
        object.set_text("SUMMARY", "x\r\nATTENDEE:mailto:mallory@example.net\rY\u{0}Z");
        assert_eq!(object.lines("ATTENDEE").count(), 0);
        assert_eq!(Object::read(&object.write()).text("SUMMARY"), "x\nATTENDEE:mailto:mallory@example.netYZ");
    }

    #[test]
    fn what_is_not_known_stays() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY;X-A=\"b:c\":Old\r\nX-OTHER;Y=1:z\r\n\
                    BEGIN:VALARM\r\nDESCRIPTION:Ring\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let mut object = Object::read(text);
        assert_eq!(object.text("SUMMARY"), "Old");
        assert_eq!(object.text("DESCRIPTION"), "", "an alarm's is not the event's");
        object.set_text("SUMMARY", "Old");
        assert_eq!(object.write(), text, "what says the same keeps its line");
        object.set_text("SUMMARY", "New");
        object.set_text("DESCRIPTION", "Words");
        let expected = text
            .replace("SUMMARY;X-A=\"b:c\":Old", "SUMMARY:New")
            .replace("BEGIN:VALARM", "DESCRIPTION:Words\r\nBEGIN:VALARM");
        assert_eq!(object.write(), expected);
    }
}
