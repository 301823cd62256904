//! Microsoft's own part of an event's body. Whoever sends a body without it disables the meeting (Graph, "Update event").
//!
//! Nothing in it is stable but its place behind the user's part, a row of underscores above it, and the link in it.

/// The block in a body as Graph shows it, from the separator to the end of the document's content.
pub(crate) fn find<'b>(body: &'b str, join_url: &str) -> Option<&'b str> {
    // The last one, because the user's part may hold the link, too.
    let link = [join_url.to_owned(), join_url.replace('&', "&amp;")].iter().filter_map(|url| body.rfind(url)).max();
    let link = link.or_else(|| body.rfind("me-email-text"))?;
    let before = body.get(..link)?;
    let start = match last_rule(before) {
        // The element that holds the row, and whatever holds only that element, belongs to the block.
        Some(rule) => enclosing_start(body, rule),
        None => enclosing_start(body, before.rfind("me-email-text")?),
    };
    let end = body.to_ascii_lowercase().rfind("</body").filter(|&end| end > link).unwrap_or(body.len());
    body.get(start..end)
}

/// A body of the user's part and the block.
pub(crate) fn join(html: &str, block: &str) -> String {
    format!("{html}{block}")
}

/// The last row of at least 20 underscores.
fn last_rule(text: &str) -> Option<usize> {
    const ROW: &str = "____________________";
    let last = text.rfind(ROW)?;
    let row = text.get(..last)?;
    Some(row.trim_end_matches('_').len())
}

/// The start of the `<div>` around a place: of the nearest one that is still open there.
fn enclosing_start(body: &str, place: usize) -> usize {
    let before = body.get(..place).unwrap_or_default().to_ascii_lowercase();
    let mut open = 0_i32;
    let mut at = before.len();
    while let Some(tag) = before.get(..at).and_then(|text| text.rfind('<')) {
        let rest = before.get(tag..).unwrap_or_default();
        if rest.starts_with("</div") {
            open += 1;
        } else if rest.starts_with("<div") {
            if open == 0 {
                return tag;
            }
            open -= 1;
        } else if open == 0 && (rest.starts_with("<body") || rest.starts_with("<br")) {
            break;
        }
        at = tag;
    }
    // No element holds it: the row itself is where the block begins.
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%7d&anon=true";

    fn block() -> String {
        format!(
            "<div style=\"width:100%; height:20px\"><span style=\"white-space:nowrap\">{}</span></div>\
             <div class=\"me-email-text\"><a class=\"me-email-headline\" href=\"{}\">Join Microsoft Teams Meeting</a>\
             <div>Learn more</div></div><div style=\"width:100%; height:20px\"><span>{}</span></div>",
            "_".repeat(80),
            URL.replace('&', "&amp;"),
            "_".repeat(80)
        )
    }

    #[test]
    fn the_block_is_found_behind_whatever_the_user_wrote() {
        for user in [
            "",
            "<p>Agenda</p>",
            "<div>one</div><div>two",
            &format!("<p>{}</p><div>x</div>", "_".repeat(80)),
            "text only<br>\r\n",
            &format!("<p>Join {URL}</p>"),
        ] {
            let closed = if user.ends_with("two") { "</div>" } else { "" };
            let body = format!("<html><head></head>\r\n<body>\r\n{user}{closed}{}\r\n</body>\r\n</html>\r\n", block());
            let found = find(&body, URL).unwrap();
            assert_eq!(found.trim_end(), block(), "{user}");
        }
    }

    #[test]
    fn a_body_without_a_meeting_has_no_block() {
        assert_eq!(find("<html><body>hello</body></html>", URL), None);
        assert_eq!(find("", URL), None);
    }

    #[test]
    fn a_block_without_a_row_of_underscores_is_found_by_its_class() {
        let body = format!("<body><p>x</p><div class=\"me-email-text\"><a href=\"{URL}\">Join</a></div></body>");
        assert_eq!(
            find(&body, URL),
            Some(format!("<div class=\"me-email-text\"><a href=\"{URL}\">Join</a></div>").as_str())
        );
    }
}
