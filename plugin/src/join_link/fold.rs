//! Folding (RFC 5545 §3.1): lines of at most 75 octets, never cut within a character; and the way from a place in the
//! unfolded line back to its bytes.

use super::lines::trim_line_end;

const LIMIT: usize = 75;

/// Folds a whole line and ends it.
pub(crate) fn folded_line(content: &str, line_end: &str) -> String {
    let mut out = folded(content, 0, line_end);
    out.push_str(line_end);
    out
}

/// Folds `content`, which begins at column `column` of a physical line.
pub(crate) fn folded(content: &str, column: usize, line_end: &str) -> String {
    let mut out = String::with_capacity(content.len() + content.len() / 24);
    let mut used = column;
    for character in content.chars() {
        if used + character.len_utf8() > LIMIT {
            out.push_str(line_end);
            out.push(' ');
            used = 1;
        }
        out.push(character);
        used += character.len_utf8();
    }
    out
}

/// The offset in `raw` of the byte that is at `unfolded` in the unfolded line; at its end, where the content ends.
pub(crate) fn raw_offset(raw: &str, unfolded: usize) -> usize {
    let content = trim_line_end(raw);
    let mut seen = 0;
    let mut at = 0;
    for (number, part) in content.split('\n').enumerate() {
        let indent = usize::from(number > 0).min(part.len());
        let is_last = at + part.len() == content.len();
        let ends_in_cr = !is_last && part.ends_with('\r') && part.len() > indent;
        let length = part.len() - indent - usize::from(ends_in_cr);
        // A place between two physical lines belongs to the later one, which is where its byte stands.
        if unfolded < seen + length || is_last {
            return at + indent + (unfolded - seen).min(length);
        }
        seen += length;
        at += part.len() + 1;
    }
    content.len()
}

/// The length of the one fold that ends directly before `at` in `raw`, or 0.
pub(crate) fn fold_before(raw: &str, at: usize) -> usize {
    let before = raw.get(..at).unwrap_or_default();
    ["\r\n ", "\n ", "\r\n\t", "\n\t"].iter().find(|fold| before.ends_with(**fold)).map_or(0, |fold| fold.len())
}

/// The length of the one fold that begins at `at` in `raw`, or 0.
pub(crate) fn fold_at(raw: &str, at: usize) -> usize {
    let after = raw.get(at..).unwrap_or_default();
    ["\r\n ", "\n ", "\r\n\t", "\n\t"].iter().find(|fold| after.starts_with(**fold)).map_or(0, |fold| fold.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::join_link::Line;

    #[test]
    fn lines_are_at_most_75_octets_and_characters_stay_whole() {
        let content = "DESCRIPTION:".to_owned() + &"äöü€𝄞".repeat(40);
        let raw = folded_line(&content, "\r\n");
        for line in raw.trim_end().split("\r\n") {
            assert!(line.len() <= 75, "{}", line.len());
        }
        assert_eq!(Line::new(raw).unfolded(), content);
    }

    #[test]
    fn the_way_back_finds_each_byte() {
        for raw in ["A:bc\r\n d\r\n  e\r\n", "A:bc\n d\n  e\n", "A:b", "A:x\r\n \r\n y\r\n"] {
            let line = Line::new(raw.to_owned());
            let unfolded = line.unfolded().into_owned();
            for (at, byte) in unfolded.bytes().enumerate() {
                assert_eq!(raw.as_bytes()[raw_offset(raw, at)], byte, "{raw:?} {at}");
            }
            assert_eq!(raw_offset(raw, unfolded.len()), trim_line_end(raw).len(), "{raw:?}");
        }
    }
}
