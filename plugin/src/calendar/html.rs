//! HTML that can do no harm where it is shown.
//!
//! Only what is named here gets through: elements of text, and of their attributes links to the web, to mail and to
//! telephones. Everything is written anew, elements are closed, text is escaped, so that no other program can read the
//! result differently. Scripts, styles, frames, forms, pictures and comments are left out. (The usual library measures its
//! time and so imports a clock, which the component may not.)

use super::text::escape;

const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "address",
    "b",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];

/// Elements without content.
const VOID: &[&str] = &["br", "hr"];

/// Elements whose content is not text that anybody reads.
const UNREAD: &[&str] =
    &["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "template"];

/// Elements open at once; deeper ones lose their tags, not their text.
const MAX_DEPTH: usize = 64;

/// Writes the harmless part of `html` anew, with every element closed.
pub(crate) fn sanitised(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut open: Vec<&'static str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        push_text(text, &mut out);
        rest = match Tag::parse(tag) {
            Parsed::Text => {
                out.push_str("&lt;");
                tag.get(1..).unwrap_or_default()
            }
            Parsed::Nothing(after) => after,
            Parsed::Tag(tag, after) => {
                if !tag.closes && UNREAD.contains(&tag.name.as_str()) {
                    after_element(&tag.name, after)
                } else {
                    write(&tag, &mut open, &mut out);
                    after
                }
            }
        };
    }
    push_text(rest, &mut out);
    for name in open.iter().rev() {
        close(name, &mut out);
    }
    out
}

/// Whether nothing can be seen of HTML that [`sanitised`] made.
pub(super) fn is_blank(clean: &str) -> bool {
    clean.split('<').enumerate().all(|(number, part)| {
        let text = if number == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) };
        text.replace("&nbsp;", "").replace("&#160;", "").trim().is_empty()
    })
}

struct Tag<'t> {
    name: String,
    closes: bool,
    attributes: Vec<(String, &'t str)>,
}

enum Parsed<'t> {
    /// A `<` that begins nothing.
    Text,
    /// A comment, a declaration or an unfinished tag, and what follows.
    Nothing(&'t str),
    Tag(Tag<'t>, &'t str),
}

impl<'t> Tag<'t> {
    /// Reads what begins with `<`.
    fn parse(text: &'t str) -> Parsed<'t> {
        let inside = text.get(1..).unwrap_or_default();
        if let Some(comment) = inside.strip_prefix("!--") {
            return Parsed::Nothing(comment.split_once("-->").map_or("", |(_, after)| after));
        }
        if inside.starts_with(['!', '?']) {
            return Parsed::Nothing(inside.split_once('>').map_or("", |(_, after)| after));
        }
        let closes = inside.starts_with('/');
        let inside = inside.strip_prefix('/').unwrap_or(inside);
        if !inside.starts_with(|character: char| character.is_ascii_alphabetic()) {
            return Parsed::Text;
        }
        let end = inside.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>').unwrap_or(inside.len());
        let (name, mut rest) = inside.split_at(end);
        let mut tag = Tag { name: name.to_ascii_lowercase(), closes, attributes: Vec::new() };
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if let Some(after) = rest.strip_prefix('>') {
                return Parsed::Tag(tag, after);
            }
            if rest.is_empty() {
                return Parsed::Nothing("");
            }
            // An attribute's first character may be anything, even `=`.
            let first = rest.chars().next().map_or(1, char::len_utf8);
            let end = rest
                .get(first..)
                .and_then(|tail| tail.find(|c: char| c.is_ascii_whitespace() || "/>=".contains(c)))
                .map_or(rest.len(), |at| at + first);
            let (name, after) = rest.split_at(end);
            let after = after.trim_start();
            let Some(value) = after.strip_prefix('=').map(str::trim_start) else {
                rest = after;
                continue;
            };
            let (value, after) = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let Some(pair) = value.get(1..).and_then(|value| value.split_once(quote)) else {
                        return Parsed::Nothing("");
                    };
                    pair
                }
                _ => {
                    let end = value.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(value.len());
                    value.split_at(end)
                }
            };
            tag.attributes.push((name.to_ascii_lowercase(), value));
            rest = after;
        }
    }
}

fn write(tag: &Tag<'_>, open: &mut Vec<&'static str>, out: &mut String) {
    let Some(&name) = ELEMENTS.iter().find(|&&name| name == tag.name) else { return };
    if tag.closes {
        if let Some(depth) = open.iter().rposition(|&element| element == name) {
            for name in open.drain(depth..).rev() {
                close(name, out);
            }
        }
        return;
    }
    let is_void = VOID.contains(&name);
    if !is_void && open.len() >= MAX_DEPTH {
        return;
    }
    out.push('<');
    out.push_str(name);
    for (attribute, value) in &tag.attributes {
        if is_harmless(name, attribute, value) {
            out.push(' ');
            out.push_str(attribute);
            out.push_str("=\"");
            push_text(value, out);
            out.push('"');
        }
    }
    out.push('>');
    if !is_void {
        open.push(name);
    }
}

fn is_harmless(element: &str, attribute: &str, value: &str) -> bool {
    match (element, attribute) {
        // The scheme is compared as written: one hidden behind a character reference does not get through.
        ("a", "href") => ["https://", "http://", "mailto:", "tel:"]
            .iter()
            .any(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))),
        ("td" | "th", "colspan" | "rowspan") | ("ol", "start") => {
            !value.is_empty() && value.len() <= 4 && value.bytes().all(|byte| byte.is_ascii_digit())
        }
        (_, "dir") => ["ltr", "rtl", "auto"].contains(&value),
        _ => false,
    }
}

/// What follows the end of an element whose content is not read.
fn after_element<'t>(name: &str, text: &'t str) -> &'t str {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("</")) {
        let rest = text.get(from + at + 2..).unwrap_or_default();
        if rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return rest.split_once('>').map_or("", |(_, after)| after);
        }
        from += at + 2;
    }
    ""
}

/// Escapes text, and leaves the character references in it.
fn push_text(text: &str, out: &mut String) {
    for (number, part) in text.split('&').enumerate() {
        if number > 0 {
            out.push_str(if is_reference(part) { "&" } else { "&amp;" });
        }
        out.push_str(&escape(part));
    }
}

/// Whether what follows an `&` makes it a character reference.
fn is_reference(text: &str) -> bool {
    let end = text.bytes().take(32).position(|byte| byte == b';');
    let Some(name) = end.and_then(|end| text.get(..end)) else { return false };
    match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => !hex.is_empty() && hex.len() <= 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
            None => !number.is_empty() && number.len() <= 7 && number.bytes().all(|byte| byte.is_ascii_digit()),
        },
        None => !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
    }
}

fn close(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_and_its_elements_stay() {
        for html in [
            "<p>Hi <b>you</b> &amp; me, 1 &lt; 2&nbsp;&#8364;</p>",
            "<a href=\"https://example.org/?a=1&amp;b=2\">x</a>",
            "<table><tbody><tr><td colspan=\"2\">x</td></tr></tbody></table>",
            "a<br>b<hr>c",
            // Where the 32 octets in which a reference must end fall into a character.
            "&lt;0123456789👩‍👧👩‍👧👩‍👧",
        ] {
            assert_eq!(sanitised(html), html);
        }
    }

    #[test]
    fn what_could_do_harm_goes() {
        for (html, left) in [
            (
                "<html><head><style>p{}</style><title>t</title></head><body onload=x><p style=\"x\">a</p></body></html>",
                "<p>a</p>",
            ),
            ("<script>alert(1)</script>b", "b"),
            ("<SCRIPT >x</Script\n>b", "b"),
            ("<script>never ends", ""),
            ("<a href=\"javascript:x\">a</a>", "<a>a</a>"),
            ("<a href=\" javascript:x\">a</a>", "<a>a</a>"),
            ("<a href=\"&#106;avascript:x\">a</a>", "<a>a</a>"),
            ("<img src=x onerror=alert(1)>a", "a"),
            ("<!-- <p> -->a<!doctype x>b<?xml?>c", "abc"),
            ("<a title='\"><script>' href='https://x/\"'>a</a>", "<a href=\"https://x/&quot;\">a</a>"),
            ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
            ("<p>open <b>both", "<p>open <b>both</b></p>"),
            ("<b><i>x</b>y</i>z", "<b><i>x</i></b>yz"),
            ("<p", ""),
            ("a<svg><p>x</svg>", "a<p>x</p>"),
            (
                "<img src=\"https://x/p.gif\" alt=p><table background=\"https://x/y\"><tr><td>a",
                "<table><tr><td>a</td></tr></table>",
            ),
            ("<picture><source srcset=x></picture><video poster=x src=y></video><input type=image src=x>a", "a"),
            ("<p style=\"position:fixed;background:url(https://x)\" class=c id=i>a</p>", "<p>a</p>"),
            ("<font size=0 color=white>hidden</font>", "hidden"),
            ("<link rel=stylesheet href=x><base href=x><meta http-equiv=refresh content=0>a", "a"),
            (
                "<iframe src=x>b</iframe><object data=x><embed src=x></object><form action=x><button>c</button></form>",
                "c",
            ),
            ("<!--[if mso]><p>a</p><![endif]--><![if !mso]>b<![endif]>c<!-->d-->e<!--never ends", "bce"),
            ("<a href=\"data:text/html,x\" target=_self ping=x>a</a><a href=\"//x\">b</a>", "<a>a</a><a>b</a>"),
            (
                "<math><mtext><style>x</style></mtext></math><noscript><p title=\"</noscript><img>\"></noscript>y",
                "&quot;&gt;y",
            ),
        ] {
            assert_eq!(sanitised(html), left, "{html}");
        }
    }

    #[test]
    fn what_shows_nothing_is_blank() {
        for html in ["", "<p>&nbsp;</p>", "<div><br></div> \n", "&#160;<hr>"] {
            assert!(is_blank(html), "{html}");
        }
        for html in ["x", "<p>x</p>", "<b></b>x", "&lt;"] {
            assert!(!is_blank(html), "{html}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn the_result_is_harmless_and_stays_as_it_is(html in "([ -~]|<|>|</|&|\"|'|<p|<a href=|script|ä|<!--|-->|\n){0,60}") {
            let once = sanitised(&html);
            prop_assert_eq!(sanitised(&once), once.clone());
            for tag in once.split('<').skip(1) {
                let name = tag.trim_start_matches('/').split(['>', ' ']).next().unwrap_or_default().to_owned();
                prop_assert!(ELEMENTS.contains(&name.as_str()), "{}", tag);
            }
        }
    }
}
