//! What is refused before anything is parsed, and what is never kept: attachments that stand in the text itself.

use crate::join_link::{Line, parameter, split_lines, split_value};

/// Octets of a text without its inline attachments.
pub(crate) const MAX_OCTETS: usize = 512 * 1024;

/// Content lines of a text: a megabyte of tiny lines costs a parser a hundred times its size in memory.
pub(crate) const MAX_LINES: usize = 10_000;

/// Whether a text is within the limits. Costs one pass and no memory.
pub(crate) fn within(text: &str) -> bool {
    let mut octets = 0_usize;
    let mut lines = 0_usize;
    for raw in split_lines(text) {
        lines += 1;
        if !is_inline_attachment(raw) {
            octets += raw.len();
        }
        if octets > MAX_OCTETS || lines > MAX_LINES {
            return false;
        }
    }
    true
}

/// The text without the ATTACH lines whose content stands in them.
pub(crate) fn without_inline_attachments(text: &str) -> String {
    split_lines(text).filter(|raw| !is_inline_attachment(raw)).collect()
}

/// Whether a raw line is an attachment that stands in the text itself.
pub(super) fn is_inline_attachment(raw: &str) -> bool {
    if !raw.get(..6).is_some_and(|name| name.eq_ignore_ascii_case("ATTACH")) {
        return false;
    }
    // Parameters stand at the beginning; the content after them may be megabytes and is not unfolded.
    let mut limit = raw.len().min(2_000);
    while !raw.is_char_boundary(limit) {
        limit -= 1;
    }
    let line = Line::new(raw.get(..limit).unwrap_or_default().to_owned());
    let unfolded = line.unfolded();
    line.is("ATTACH")
        && split_value(&unfolded).is_some_and(|(head, value)| {
            parameter(head, "ENCODING").is_some_and(|encoding| encoding.eq_ignore_ascii_case("BASE64"))
                || parameter(head, "VALUE").is_some_and(|kind| kind.eq_ignore_ascii_case("BINARY"))
                || value.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_attachments_do_not_count_and_are_not_kept() {
        let big = "QUJD".repeat(200_000);
        let text =
            format!("A:1\r\nATTACH;ENCODING=BASE64;VALUE=BINARY:{big}\r\n {big}\r\nATTACH:https://x/y\r\nB:2\r\n");
        assert!(within(&text));
        assert_eq!(without_inline_attachments(&text), "A:1\r\nATTACH:https://x/y\r\nB:2\r\n");
        assert_eq!(without_inline_attachments("attach:data:text/plain,hello\nA:1\n"), "A:1\n");
    }

    #[test]
    fn the_limits_hold_to_the_line_and_the_octet() {
        assert!(within(&"A:1\n".repeat(MAX_LINES)));
        assert!(!within(&"A:1\n".repeat(MAX_LINES + 1)));
        assert!(within(&"A".repeat(MAX_OCTETS)));
        assert!(!within(&"A".repeat(MAX_OCTETS + 1)));
    }
}
