//! What is printed: aligned text that is readable without colour, or JSON.

use std::io::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::Failure;

/// How wide running text may be.
const WIDTH: usize = 96;

/// What a command says, in both forms.
pub(super) struct Output {
    text: String,
    json: Value,
    bad_news: bool,
}

impl Output {
    /// An answer, and the text for people.
    pub(super) fn new(answer: &impl Serialize, text: impl Into<String>) -> Result<Self, Failure> {
        Ok(Self { text: text.into(), json: serde_json::to_value(answer)?, bad_news: false })
    }

    /// Nothing to say.
    pub(super) fn silent() -> Self {
        Self { text: String::new(), json: Value::Null, bad_news: false }
    }

    /// The same, as an answer that is no success.
    pub(super) fn bad_news_if(mut self, bad: bool) -> Self {
        self.bad_news = bad;
        self
    }

    /// Whether what was asked for was found not to be so.
    pub(super) fn is_bad_news(&self) -> bool {
        self.bad_news
    }

    /// Prints it.
    pub(super) fn print(&self, json: bool) -> std::io::Result<()> {
        let text = self.rendered(json)?;
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// As it is printed.
    pub(super) fn rendered(&self, json: bool) -> std::io::Result<String> {
        if !json {
            return Ok(lines(&harmless(&self.text)));
        }
        if self.json.is_null() {
            return Ok(String::new());
        }
        Ok(lines(&serde_json::to_string_pretty(&self.json)?))
    }
}

/// With exactly one line end at its end, unless there is nothing.
fn lines(text: &str) -> String {
    match text.trim_end() {
        "" => String::new(),
        text => format!("{text}\n"),
    }
}

/// Without characters that steer a terminal or turn the direction of writing: names and sentences come from events and from
/// Microsoft.
pub(super) fn harmless(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// A table; columns are as wide as they have to be, the last one is not padded.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let mut widths = vec![0; head.len()];
    for row in std::iter::once(&head).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Names and values under each other; long values are wrapped beside their name.
pub(super) fn fields(pairs: &[(&str, String)]) -> String {
    let widest = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let indent = widest + 4;
    let mut text = String::new();
    for (name, value) in pairs {
        let mut label = format!("  {name}");
        for line in wrap(value, WIDTH.saturating_sub(indent)) {
            text.push_str(format!("{label:indent$}{line}").trim_end());
            text.push('\n');
            label.clear();
        }
    }
    text
}

/// Running text, indented.
pub(super) fn paragraph(indent: usize, text: &str) -> String {
    wrap(text, WIDTH.saturating_sub(indent)).iter().map(|line| format!("{:indent$}{line}\n", "")).collect()
}

/// Numbered sentences.
pub(super) fn numbered(items: &[String]) -> String {
    let mut text = String::new();
    for (number, item) in (1..).zip(items) {
        let mut label = format!("{number:>3}. ");
        for line in wrap(item, WIDTH - 5) {
            text.push_str(&format!("{label:5}{line}\n"));
            label.clear();
        }
    }
    text
}

/// Breaks at spaces, but not inside a value between backticks: a command or an address is there to be copied.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in words(text) {
        let long = word.chars().count();
        if length > 0 && length + 1 + long > width {
            lines.push(String::new());
            length = 0;
        }
        if let Some(line) = lines.last_mut() {
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            line.push_str(&word);
            length += long;
        }
    }
    lines
}

/// Words; what stands between two backticks is part of one word.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for part in text.split_whitespace() {
        match words.last_mut() {
            Some(word) if open => {
                word.push(' ');
                word.push_str(part);
            }
            _ => words.push(part.to_owned()),
        }
        open ^= part.matches('`').count() % 2 == 1;
    }
    words
}

/// Unix milliseconds as people read them.
pub(super) fn instant(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .map_or_else(|| "at an unknown time".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A remark beside the answer, which others may read by a program.
pub(super) fn aside(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", harmless(text));
}

/// `yes` or `no`.
pub(super) fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["ä".to_owned(), "1".to_owned()], vec!["long one".to_owned(), String::new()]];
        assert_eq!(table(&["NAME", "NUMBER"], &rows), "NAME      NUMBER\nä         1\nlong one\n");
    }

    #[test]
    fn long_values_are_wrapped_beside_their_name() {
        let text = fields(&[("a", "word ".repeat(40)), ("longer", "x".into())]);
        assert!(text.starts_with("  a       word word"));
        assert!(text.contains("\n          word"), "{text}");
        assert!(text.ends_with("\n  longer  x\n"));
        assert!(text.lines().all(|line| line.len() <= WIDTH));
        assert_eq!(fields(&[("a", String::new())]), "  a\n");
    }

    #[test]
    fn a_command_is_not_broken() {
        let text = paragraph(2, &format!("{}`teams-mirror status a`; b", "word ".repeat(17)));
        assert!(text.ends_with("word\n  `teams-mirror status a`; b\n"), "{text}");
        // A backtick too many breaks nothing.
        assert_eq!(words("a `b c"), ["a", "`b c"]);
    }

    #[test]
    fn a_terminal_is_not_steered() {
        assert_eq!(harmless("a\u{1b}[31mb\u{202e}c\nd\r"), "a\u{fffd}[31mb\u{fffd}c\nd\u{fffd}");
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(Output::silent().rendered(true).unwrap(), "");
        assert_eq!(Output::silent().rendered(false).unwrap(), "");
    }
}
