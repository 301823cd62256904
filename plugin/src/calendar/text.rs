//! Text as HTML: harmless, in every script, and cut between characters where it is too long.

use unicode_segmentation::GraphemeCursor;

use super::html::sanitised;

/// Octets that closing every element that may be open takes at most.
const CLOSING: usize = 1024;

/// Characters are made of at most so many octets, unless somebody is playing.
const LONGEST_CHARACTER: usize = 256;

/// Octets of an address that is made a link: one without end would be cut off as a whole.
const LONGEST_LINK: usize = 4096;

/// Plain text as HTML of at most `room` octets, with its line breaks, its indentation and its links, and whether it had to
/// be cut.
pub(super) fn plain(text: &str, room: usize) -> (String, bool) {
    let text = text.trim_end();
    match rendered(text, room) {
        Ok(html) => (html, false),
        Err(full) => (rendered(up_to(text, full), room).unwrap_or_default(), true),
    }
}

/// HTML that [`sanitised`] made, in at most `room` octets, and whether it had to be cut; every element is closed.
pub(super) fn styled(clean: &str, room: usize) -> (String, bool) {
    let clean = clean.trim();
    if clean.len() <= room {
        return (clean.to_owned(), false);
    }
    let kept = up_to(clean, room.saturating_sub(CLOSING));
    // Half a character reference would be shown as it stands.
    let kept = match kept.rfind('&') {
        Some(at) if !kept.get(at..).unwrap_or_default().contains(';') => kept.get(..at).unwrap_or_default(),
        _ => kept,
    };
    // Cleaning again closes what the cut left open.
    (sanitised(kept), true)
}

/// The longest beginning of `text` of at most `octets` octets that ends between two characters as people see them: no accent
/// and no part of an emoji is cut off.
pub(crate) fn up_to(text: &str, octets: usize) -> &str {
    let mut end = octets.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut cursor = GraphemeCursor::new(end, text.len(), true);
    let whole = match cursor.is_boundary(text, 0) {
        Ok(false) => cursor.prev_boundary(text, 0).ok().flatten().filter(|start| end - start <= LONGEST_CHARACTER),
        _ => None,
    };
    text.get(..whole.unwrap_or(end)).unwrap_or_default()
}

/// Whether it is an address that a browser may follow: http or https, and more than that.
pub(crate) fn is_web_address(text: &str) -> bool {
    after_scheme(text).is_some_and(|rest| !rest.is_empty())
}

fn after_scheme(text: &str) -> Option<&str> {
    ["https://", "http://"].iter().find_map(|scheme| {
        let start = text.get(..scheme.len())?;
        if start.eq_ignore_ascii_case(scheme) { text.get(scheme.len()..) } else { None }
    })
}

/// A link that shows a name.
pub(crate) fn link(url: &str, name: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escape(url), escape(name))
}

/// Plain text as HTML; or the octet of it up to which there is room.
fn rendered(text: &str, room: usize) -> Result<String, usize> {
    let mut html = String::with_capacity(text.len() + text.len() / 16);
    let mut at = 0;
    // Browsers show one space where there are several.
    let mut after_space = true;
    let mut after_word = false;
    let mut no_link_before = 0;
    while let Some(rest) = text.get(at..)
        && let Some(character) = rest.chars().next()
    {
        let mut found = None;
        if !after_word && at >= no_link_before && is_web_address(rest) {
            let run = run_at(rest);
            if run.len() > LONGEST_LINK {
                no_link_before = at + run.len();
            } else {
                found = link_in(run);
            }
        }
        match (found, character) {
            (Some(url), _) => html.push_str(&link(url, url)),
            (None, '\n') => html.push_str("<br>\n"),
            (None, '\t') => html.push_str("&nbsp;&nbsp;&nbsp; "),
            (None, ' ') if after_space => html.push_str("&nbsp;"),
            (None, other) => escape_into(other, &mut html),
        }
        if html.len() > room {
            return Err(at);
        }
        after_space = matches!(character, ' ' | '\n' | '\t');
        after_word = found.is_some() || character.is_alphanumeric();
        at += found.map_or(character.len_utf8(), str::len);
    }
    Ok(html)
}

/// What stands at the beginning of a text without a gap.
fn run_at(text: &str) -> &str {
    let gap = |c: char| c.is_whitespace() || c.is_control() || "<>\"`".contains(c);
    text.split(gap).next().unwrap_or_default()
}

/// The web address of which a run consists, without the punctuation of the sentence it stands in.
fn link_in(run: &str) -> Option<&str> {
    const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];
    let mut url = run;
    let count = |wanted: char| url.chars().filter(|&c| c == wanted).count();
    // Brackets that are opened in the address belong to it.
    let mut surplus = BRACKETS.map(|(open, close)| count(close).saturating_sub(count(open)));
    while let Some(last) = url.chars().next_back() {
        let closing = BRACKETS.iter().position(|&(_, close)| close == last).and_then(|at| surplus.get_mut(at));
        match closing {
            Some(0) => break,
            Some(left) => *left -= 1,
            None if ".,;:!?'*…。、，．！？；：）」』】》".contains(last) => {}
            None => break,
        }
        url = url.get(..url.len() - last.len_utf8())?;
    }
    is_web_address(url).then_some(url)
}

/// Escapes text for HTML, attribute values included.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 8);
    text.chars().for_each(|character| escape_into(character, &mut html));
    html
}

fn escape_into(character: char, html: &mut String) {
    match character {
        '&' => html.push_str("&amp;"),
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '"' => html.push_str("&quot;"),
        '\n' | '\t' => html.push(character),
        // Nothing to see, and no XML may hold them.
        other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => {}
        other => html.push(other),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a browser shows of HTML that holds nothing but text, links and line breaks.
    pub(in crate::calendar) fn shown(html: &str) -> String {
        let mut text = String::new();
        let mut rest = html;
        while let Some((before, tag)) = rest.split_once('<') {
            text.push_str(before);
            rest = tag.split_once('>').unwrap().1;
        }
        text.push_str(rest);
        let plain = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        plain.replace("&amp;", "&")
    }

    #[test]
    fn links_in_plain_text_can_be_followed() {
        let linked = |url: &str| link(url, url);
        for (text, html) in [
            ("https://x.example/?a=1&b=2", linked("https://x.example/?a=1&b=2")),
            ("See (https://x/a_(b)).", format!("See ({}).", linked("https://x/a_(b)"))),
            ("<https://x/y>, http://z!", format!("&lt;{}&gt;, {}!", linked("https://x/y"), linked("http://z"))),
            ("Ort：HTTPS://例え.jp/会議。", format!("Ort：{}。", linked("HTTPS://例え.jp/会議"))),
            ("xhttps://x https:// http://... javascript://x", "xhttps://x https:// http://... javascript://x".into()),
            ("https://x/[1]] https://y/)))", format!("{}] {})))", linked("https://x/[1]"), linked("https://y/"))),
        ] {
            assert_eq!(plain(text, 10_000), (html, false), "{text}");
        }
        // One that never ends is text, and cut like text.
        let endless = format!("http://x/{}", "http://".repeat(1000));
        assert_eq!(plain(&endless, 5000), (endless[..5000].to_owned(), true));
    }

    #[test]
    fn lines_and_their_indentation_stay() {
        assert_eq!(
            plain("a\r\n  - b  c\n\n\td \n ", 1000).0,
            "a<br>\n&nbsp;&nbsp;- b &nbsp;c<br>\n<br>\n&nbsp;&nbsp;&nbsp; d"
        );
        assert_eq!(plain("a\u{0}\u{7}b\u{85}\u{ffff}c", 1000).0, "abc");
    }

    #[test]
    fn a_cut_is_between_characters_as_people_see_them() {
        for character in ["👩‍👩‍👧‍👦", "🇦🇹", "e\u{301}", "กำ", "각", "👍🏽", "नि"] {
            let text = character.repeat(3);
            let two = character.repeat(2);
            for octets in two.len()..text.len() {
                assert_eq!(up_to(&text, octets), two, "{octets} of {character}");
            }
            assert_eq!(up_to(&text, text.len()), text);
            assert_eq!(plain(&text, text.len() - 1), (two, true));
        }
        // An accent without end is cut all the same.
        let endless = format!("a{}", "\u{301}".repeat(10_000));
        assert_eq!(up_to(&endless, 5001).len(), 5001);
    }

    #[test]
    fn html_is_cut_before_a_character_reference_and_closed() {
        let clean = sanitised(&format!("<ul><li><b>{}", "&auml;".repeat(1000)));
        for room in 2000..2020 {
            let (html, cut) = styled(&clean, room);
            assert!(cut && html.len() <= room && html.ends_with("&auml;</b></li></ul>"), "{html}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// What is shown is what was written, in every script, up to where it had to end.
        #[test]
        fn plain_text_is_shown_as_it_is(text in "(\\PC|[ -~]| |\n|https?://[!-~]{0,9}|<br>|&amp;|👩‍👧|e\u{301}){0,80}", room in 0_usize..800) {
            let whole = plain(&text, usize::MAX);
            prop_assert_eq!(shown(&whole.0), text.trim_end());
            prop_assert_eq!(sanitised(&whole.0), whole.0.clone(), "nothing in it that could do harm");
            let (html, cut) = plain(&text, room);
            prop_assert!(html.len() <= room || !cut && html.is_empty());
            prop_assert_eq!(cut, whole.0.len() > room);
            prop_assert!(text.starts_with(&shown(&html)));
        }

        #[test]
        fn cut_html_is_whole(html in "([ -~]|<b>|<p>|</p>|<ul><li>|<a href=\"https://x/\">|</a>|&auml;|👩‍👧|ä|<br>){0,400}", room in 1100_usize..1600) {
            let clean = sanitised(&html);
            let (kept, cut) = styled(&clean, room);
            prop_assert_eq!(cut, clean.trim().len() > room);
            prop_assert!(kept.len() <= room);
            prop_assert_eq!(sanitised(&kept), kept);
        }
    }
}
