//! ATTACH (RFC 5545 §3.8.1.1): files on the web become links, all others stay in the calendar.
//!
//! Read from the lines, because a parser would decode megabytes of file only to throw them away.

use std::collections::BTreeSet;

use super::event::Attachment;
use super::limits::is_inline_attachment;
use super::text::is_web_address;
use crate::join_link::{Document, EventLines, Line, parameter, split_value, unescape};

/// The files of one component that lie on the web, each once.
pub(super) fn of(document: &Document<'_>, lines: &EventLines) -> Vec<Attachment> {
    let mut found: Vec<Attachment> = Vec::new();
    let mut known = BTreeSet::new();
    for attachment in document.properties(lines, "ATTACH").filter_map(read) {
        if known.insert(attachment.url.clone()) {
            found.push(attachment);
        }
    }
    found
}

/// How many files are attached to an event, to whichever of its components; each counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Attached {
    /// Those that lie on the web.
    pub(crate) linked: usize,
    /// Those that stand in the text, or are named in a way that no browser may follow.
    pub(crate) other: usize,
}

impl Attached {
    pub(super) fn of(document: &Document<'_>) -> Self {
        let lines = || document.events.iter().flat_map(|event| document.properties(event, "ATTACH"));
        let linked: BTreeSet<String> = lines().filter_map(read).map(|attachment| attachment.url).collect();
        // The exceptions of a series carry its files once more, to the letter.
        let other: BTreeSet<&str> = lines().filter(|line| read(line).is_none()).map(|line| line.raw.as_ref()).collect();
        Self { linked: linked.len(), other: other.len() }
    }
}

fn read(line: &Line<'_>) -> Option<Attachment> {
    if is_inline_attachment(&line.raw) {
        return None;
    }
    let content = line.unfolded();
    let (head, value) = split_value(&content)?;
    let url = unescape(value).trim().to_owned();
    if !is_web_address(&url) || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let name = ["FILENAME", "X-FILENAME", "X-APPLE-FILENAME"].iter().find_map(|name| parameter(head, name));
    // A name that looks like an address could be taken for the one the link leads to.
    let name = name.map(decoded).filter(|name| !name.is_empty() && !name.contains("://"));
    Some(Attachment { name: name.unwrap_or_else(|| url.clone()), url })
}

/// A parameter's value (RFC 6868) as one line.
fn decoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        let decoded = match (character, characters.peek()) {
            ('^', Some('n')) => ' ',
            ('^', Some('\'')) => '"',
            ('^', Some('^')) => '^',
            (other, _) => {
                out.push(if other.is_control() { ' ' } else { other });
                continue;
            }
        };
        characters.next();
        out.push(decoded);
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &str) -> (Vec<Attachment>, Attached) {
        let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n");
        let document = Document::parse(&text);
        (of(&document, &document.events[0]), Attached::of(&document))
    }

    #[test]
    fn files_on_the_web_are_links_by_their_name() {
        for (line, url, name) in [
            (
                "ATTACH:https://files.example.org/a.pdf",
                "https://files.example.org/a.pdf",
                "https://files.example.org/a.pdf",
            ),
            ("attach;FMTTYPE=a/b;FILENAME=\"Plan: Q1;2.pdf\":HTTP://x/y?a,b;c", "HTTP://x/y?a,b;c", "Plan: Q1;2.pdf"),
            ("ATTACH;FILENAME=a^'b^^c^nd:https://x/y", "https://x/y", "a\"b^c d"),
            ("ATTACH;X-FILENAME=Übersicht 📎.ods:https://x/y", "https://x/y", "Übersicht 📎.ods"),
            ("ATTACH:https://x/a\\,b", "https://x/a,b", "https://x/a,b"),
            (
                "ATTACH;FILENAME=\"https://bank.example\":https://evil.example/",
                "https://evil.example/",
                "https://evil.example/",
            ),
            ("ATTACH;FILENAME=:https://x/y", "https://x/y", "https://x/y"),
        ] {
            let (found, attached) = all(&format!("{line}\r\n"));
            assert_eq!(found, [Attachment { url: url.into(), name: name.into() }], "{line}");
            assert_eq!(attached, Attached { linked: 1, other: 0 }, "{line}");
        }
    }

    #[test]
    fn what_no_browser_may_follow_is_only_counted() {
        for line in [
            "ATTACH;ENCODING=BASE64;VALUE=BINARY:QUJD",
            "ATTACH;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=text/plain;FILENAME=x:https",
            "ATTACH:data:text/plain,hello",
            "ATTACH:CID:part1@example.org",
            "ATTACH:file:///etc/passwd",
            "ATTACH:ftp://x/y",
            "ATTACH:javascript:alert(1)",
            "ATTACH: javascript:https://x",
            "ATTACH:https://",
            "ATTACH:https://x/y z",
            "ATTACH:",
        ] {
            assert_eq!(all(&format!("{line}\r\n")), (Vec::new(), Attached { linked: 0, other: 1 }), "{line}");
        }
    }

    #[test]
    fn each_file_counts_once_and_those_of_alarms_not_at_all() {
        let lines = "ATTACH:https://x/1\r\nATTACH:https://x/1\r\nATTACH:https://x/2\r\nATTACH;VALUE=BINARY:QQ==\r\n";
        let alarm = "BEGIN:VALARM\r\nATTACH:Basso\r\nEND:VALARM\r\n";
        let again = format!("END:VEVENT\r\nBEGIN:VEVENT\r\n{lines}ATTACH;VALUE=BINARY:Qg==\r\n");
        let (found, attached) = all(&format!("{lines}{alarm}{again}"));
        assert_eq!(found.len(), 2);
        assert_eq!(attached, Attached { linked: 2, other: 2 });
    }
}
