//! HTML as Exchange keeps it: any body becomes a whole document without active content.

/// A body of content type HTML, as it is kept.
pub(crate) fn document(content: &str) -> String {
    frame(&clean(inner(content)))
}

/// A body of content type text, as it is kept.
pub(crate) fn from_text(content: &str) -> String {
    let lines = escape(content).replace("\r\n", "\n").replace('\n', "<br>\r\n");
    frame(&format!(
        "<font size=\"2\"><span style=\"font-size:11pt\">\r\n<div class=\"PlainText\">{lines}</div>\r\n</span></font>"
    ))
}

/// The document around a body's inside.
pub(crate) fn frame(inside: &str) -> String {
    format!(
        "<html>\r\n<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n</head>\r\n\
         <body>\r\n{inside}\r\n</body>\r\n</html>\r\n"
    )
}

/// What stands inside `<body>`; the whole where there is none.
pub(crate) fn inner(content: &str) -> &str {
    let lower = content.to_ascii_lowercase();
    let start = lower
        .find("<body")
        .and_then(|at| lower.get(at..).and_then(|rest| rest.find('>')).map(|end| at + end + 1))
        .unwrap_or(0);
    let end = lower.rfind("</body").filter(|end| *end >= start).unwrap_or(content.len());
    content.get(start..end).unwrap_or(content).trim()
}

/// Takes out scripts, styles, frames, forms' elements, event attributes and `javascript:` addresses.
fn clean(content: &str) -> String {
    const WITH_CONTENT: &[&str] = &["script", "style", "iframe", "object", "title"];
    const TAG_ONLY: &[&str] =
        &["html", "head", "body", "meta", "link", "base", "embed", "form", "input", "button", "!doctype", "applet"];
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('<') {
        let (text, tail) = rest.split_at(at);
        out.push_str(text);
        if let Some(comment) = tail.strip_prefix("<!--") {
            rest = comment.find("-->").and_then(|end| comment.get(end + 3..)).unwrap_or("");
            continue;
        }
        let Some(end) = tag_end(tail) else {
            out.push_str("&lt;");
            rest = tail.get(1..).unwrap_or("");
            continue;
        };
        let (tag, after) = tail.split_at(end);
        let name: String = tag
            .trim_start_matches(['<', '/'])
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '!' | ':'))
            .collect::<String>()
            .to_ascii_lowercase();
        rest = after;
        if name.is_empty() {
            out.push_str(&escape(tag));
        } else if WITH_CONTENT.contains(&name.as_str()) {
            if !tag.starts_with("</") {
                let lower = after.to_ascii_lowercase();
                rest = lower
                    .find(&format!("</{name}"))
                    .and_then(|close| after.get(close..))
                    .and_then(|close| close.find('>').and_then(|end| close.get(end + 1..)))
                    .unwrap_or("");
            }
        } else if !TAG_ONLY.contains(&name.as_str()) {
            out.push_str(&without_active_attributes(tag));
        }
    }
    out.push_str(rest);
    out
}

/// Where a tag ends, quoted attribute values respected.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => {}
        }
    }
    None
}

fn without_active_attributes(tag: &str) -> String {
    let lower = tag.to_ascii_lowercase();
    if !lower.contains(" on") && !lower.contains("javascript:") && !lower.contains("vbscript:") {
        return tag.to_owned();
    }
    // Rare, so it may cost: the tag keeps its name and such attributes as are plainly harmless.
    let mut out = String::new();
    let mut rest = tag;
    while let Some(at) = rest.find(char::is_whitespace) {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let attribute = tail.trim_start();
        let name: String =
            attribute.chars().take_while(|c| !matches!(c, '=' | '>' | '/') && !c.is_whitespace()).collect();
        let length = attribute_length(attribute);
        let (whole, after) = attribute.split_at(length);
        let lower = whole.to_ascii_lowercase();
        if !name.to_ascii_lowercase().starts_with("on")
            && !lower.contains("javascript:")
            && !lower.contains("vbscript:")
        {
            out.push(' ');
            out.push_str(whole);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn attribute_length(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, c) if c.is_whitespace() => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => {}
        }
    }
    text.len()
}

/// The text of a document, as `bodyPreview` and a text body show it.
pub(crate) fn to_text(document: &str) -> String {
    let mut out = String::new();
    let mut rest = inner(document);
    loop {
        let (text, tail) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        for word in text.split_inclusive(char::is_whitespace) {
            let trimmed = word.trim_end();
            out.push_str(&unescape(trimmed));
            if trimmed.len() < word.len() && !out.ends_with([' ', '\n']) && !out.is_empty() {
                out.push(' ');
            }
        }
        let Some(end) = tag_end(tail) else { break };
        let (tag, after) = tail.split_at(end);
        let name = tag.trim_start_matches(['<', '/']).to_ascii_lowercase();
        let is = |names: &[&str]| {
            names.iter().any(|n| name.strip_prefix(n).is_some_and(|r| !r.starts_with(|c: char| c.is_alphanumeric())))
        };
        if is(&["br", "p", "div", "tr", "li", "h1", "h2", "h3", "hr", "ul", "ol", "table"]) {
            while out.ends_with(' ') {
                out.pop();
            }
            if !out.is_empty() && (!out.ends_with('\n') || is(&["br"])) {
                out.push_str("\r\n");
            }
        }
        rest = after;
    }
    out.trim().to_owned()
}

/// Escapes text for an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Undoes the entities that occur in bodies.
pub(crate) fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&nbsp;", " ")
        .replace("&#43;", "+")
        .replace("&#39;", "'")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_kept_once_is_kept_again_unchanged() {
        let kept = document("<p onclick='x()' class=\"a\">Hello <b>you</b></p><script>alert(1)</script>");
        assert!(kept.contains("<p class=\"a\">Hello <b>you</b></p>"), "{kept}");
        assert!(!kept.contains("alert"));
        assert_eq!(document(&kept), kept);
    }

    #[test]
    fn text_survives_the_way_there_and_back() {
        assert_eq!(to_text(&from_text("a < b\nsecond & last")), "a < b\r\nsecond & last");
    }
}
