//! The block in a description: between two lines of exactly 80 underscores (GNOME Calendar looks for those), the link alone
//! on its line (Thunderbird, MeetingBar), then a short line with the event's tag.

use std::borrow::Cow;

use super::lines::{Document, parameter, split_value};
use crate::words::{Phrase, Words};

/// The line above and below.
pub(super) const RULE: &str = "________________________________________________________________________________";

/// How a property was before, by one letter in the tag line.
pub(super) mod flag {
    /// There was no DESCRIPTION.
    pub(crate) const DESCRIPTION_ABSENT: char = 'd';
    /// The DESCRIPTION was empty.
    pub(crate) const DESCRIPTION_EMPTY: char = 'b';
    /// There was no LOCATION.
    pub(crate) const LOCATION_ABSENT: char = 'l';
    /// The LOCATION was empty.
    pub(crate) const LOCATION_EMPTY: char = 'e';
    /// There was no URL.
    pub(crate) const URL_ABSENT: char = 'u';
    /// The URL was empty.
    pub(crate) const URL_EMPTY: char = 'v';
}

/// A block that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The tag in it.
    pub(crate) tag: String,
    /// Its flags.
    pub(super) flags: String,
    /// The link in it.
    pub(crate) url: Option<String>,
    /// Its first octet in the unfolded text it was found in.
    pub(super) start: usize,
    /// The octet after its last.
    pub(super) end: usize,
}

/// The block as a value of type TEXT (RFC 5545 §3.3.11).
pub(super) fn plain(tag: &str, flags: &str, url: &str, words: Words) -> String {
    let lines = [
        RULE,
        words.say(Phrase::BlockTitle),
        words.say(Phrase::BlockJoin),
        &escape(url),
        &format!("[tm:{tag}:{flags}]"),
        RULE,
    ];
    lines.join("\\n")
}

/// The same as HTML, escaped as TEXT. A comment on each side marks it: what stands in an HTML description is edited by
/// programs only, and they keep comments where they keep the rest.
pub(super) fn html(tag: &str, url: &str, words: Words) -> String {
    let link = url.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    escape(&format!(
        "{HTML_START}{tag}-->{}<br>{}<br><a href=\"{link}\">{link}</a>{HTML_END}",
        words.say(Phrase::BlockTitle),
        words.say(Phrase::BlockJoin),
    ))
}

const HTML_START: &str = "<!--tm:";
const HTML_END: &str = "<!--/tm-->";

/// Every block in an unfolded line.
pub(super) fn in_plain(unfolded: &str) -> Vec<Found> {
    let Some((head, value)) = split_value(unfolded) else { return Vec::new() };
    let offset = head.len() + 1;
    let lines = text_lines(value);
    let mut found: Vec<Found> = Vec::new();
    for (number, &(_, _, line)) in lines.iter().enumerate() {
        let Some((tag, flags)) = tag_line(line) else { continue };
        // Mail programs and editors add or drop a line here and there; a block is still short.
        let above = lines.iter().take(number).enumerate().rev().take(12).find(|(_, (_, _, line))| is_rule(line));
        let below = lines.iter().skip(number + 1).take(4).find(|(_, _, line)| is_rule(line));
        let (Some((first, &(start, _, _))), Some(&(_, end, _))) = (above, below) else { continue };
        if found.last().is_some_and(|last| last.end > offset + start) {
            continue;
        }
        let url = lines
            .iter()
            .take(number)
            .skip(first + 1)
            .map(|(_, _, line)| unescape(line.trim()))
            .find(|line| line.starts_with("https://") || line.starts_with("http://"));
        found.push(Found { tag, flags, url, start: offset + start, end: offset + end });
    }
    found
}

/// Every block in an unfolded HTML line.
pub(super) fn in_html(unfolded: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = unfolded.get(from..).and_then(|rest| rest.find(HTML_START)) {
        let start = from + at;
        let rest = unfolded.get(start..).unwrap_or_default();
        let Some(length) = rest.find(HTML_END).map(|at| at + HTML_END.len()) else { break };
        let inside = rest.get(HTML_START.len()..length).unwrap_or_default();
        let tag = inside.split("--").next().unwrap_or_default().to_owned();
        let url = inside
            .split_once("href=\"")
            .and_then(|(_, rest)| rest.split('"').next())
            .map(|link| unescape(link).replace("&amp;", "&"));
        from = start + length;
        if is_tag(&tag) {
            found.push(Found { tag, flags: String::new(), url, start, end: from });
        }
    }
    found
}

/// Blocks that lost their tag line to somebody who took it for rubbish: one of these links, alone on its line, between two
/// rules.
pub(super) fn remains_in_plain(unfolded: &str, urls: &[String]) -> Vec<Found> {
    let Some((head, value)) = split_value(unfolded) else { return Vec::new() };
    let offset = head.len() + 1;
    let lines = text_lines(value);
    let mut found: Vec<Found> = Vec::new();
    for (number, &(_, _, line)) in lines.iter().enumerate() {
        let url = unescape(line.trim());
        if !urls.contains(&url) {
            continue;
        }
        let above = lines.iter().take(number).enumerate().rev().take(6).find(|(_, (_, _, line))| is_rule(line));
        let below = lines.iter().enumerate().skip(number + 1).take(4).find(|(_, (_, _, line))| is_rule(line));
        let (Some((first, &(start, _, _))), Some((last, &(_, end, _)))) = (above, below) else { continue };
        let tagged = lines.iter().take(last).skip(first).any(|(_, _, line)| tag_line(line).is_some());
        if !tagged && found.last().is_none_or(|found| found.end <= offset + start) {
            let url = Some(url);
            found.push(Found {
                tag: String::new(),
                flags: String::new(),
                url,
                start: offset + start,
                end: offset + end,
            });
        }
    }
    found
}

/// Blocks that lost their comments, which editors and mail programs drop: our words in any language, and one of these links.
pub(super) fn remains_in_html(unfolded: &str, urls: &[String]) -> Vec<Found> {
    let marked = in_html(unfolded);
    let mut found: Vec<Found> = Vec::new();
    for url in urls {
        for shown in [escape(&url.replace('&', "&amp;")), escape(url)] {
            for (at, _) in unfolded.match_indices(&format!("{shown}</a>")) {
                let end = at + shown.len() + "</a>".len();
                let Some(start) = unfolded.get(..at).and_then(start_of_words) else { continue };
                let known = marked.iter().chain(&found).any(|known| start < known.end && known.start < end);
                if !known {
                    found.push(Found { tag: String::new(), flags: String::new(), url: Some(url.clone()), start, end });
                }
            }
        }
    }
    found.sort_by_key(|found| found.start);
    found
}

/// Where our words begin that end with the opening of a link.
fn start_of_words(before: &str) -> Option<usize> {
    let before = without_tag(before, "<a")?;
    Words::all().find_map(|words| {
        let join = without_tag(before, "<br")?.trim_end().strip_suffix(words.say(Phrase::BlockJoin))?;
        let title = without_tag(join, "<br")?.trim_end().strip_suffix(words.say(Phrase::BlockTitle))?;
        Some(title.len())
    })
}

/// What stands before a tag that ends the text, if it is this one.
fn without_tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let text = text.trim_end();
    let at = text.strip_suffix('>')?.rfind('<')?;
    let (before, tag) = text.split_at(at);
    tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)).then_some(before)
}

/// Every block in the descriptions of every VEVENT.
pub(crate) fn find_blocks(document: &Document<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for event in &document.events {
        for line in event.properties.iter().filter_map(|&at| document.lines.get(at)) {
            if line.is("DESCRIPTION") {
                found.extend(in_plain(&line.unfolded()));
            } else if is_html_property(line.name()) {
                found.extend(in_html(&line.unfolded()));
            }
        }
    }
    found
}

/// A description, unescaped, without any block of ours, whosever it is.
pub(crate) fn without_blocks(text: &str, is_html: bool) -> Cow<'_, str> {
    if !text.contains(if is_html { HTML_START } else { "[tm:" }) {
        return Cow::Borrowed(text);
    }
    let content = format!("X:{}", escape(text));
    let found = if is_html { in_html(&content) } else { in_plain(&content) };
    let mut rest = String::with_capacity(content.len());
    let mut from = "X:".len();
    for found in &found {
        rest.push_str(content.get(from..found.start).unwrap_or_default());
        from = found.end;
    }
    rest.push_str(content.get(from..).unwrap_or_default());
    Cow::Owned(unescape(&rest))
}

/// Whether a VEVENT holds a Teams link other than those named.
pub(crate) fn contains_teams_link(document: &Document<'_>, except: &[&str]) -> bool {
    const PLACES: &[&str] = &[
        "teams.microsoft.com/l/meetup-join",
        "teams.microsoft.com/meet/",
        "teams.cloud.microsoft/l/meetup-join",
        "teams.cloud.microsoft/meet/",
        "teams.live.com/meet/",
        "teams.microsoft.us/l/meetup-join",
        "teams.microsoft.us/meet/",
    ];
    document.events.iter().flat_map(|event| &event.properties).filter_map(|&at| document.lines.get(at)).any(|line| {
        let mut text = line.unfolded().into_owned();
        for url in except.iter().filter(|url| !url.is_empty()) {
            text = text.replace(*url, "").replace(&escape(url), "").replace(&url.replace('&', "&amp;"), "");
            text = text.replace(&escape(&url.replace('&', "&amp;")), "");
        }
        text.make_ascii_lowercase();
        PLACES.iter().any(|place| text.contains(place))
    })
}

/// Whether a property's HTML gets the block: present, not encoded, and HTML by its own word.
pub(super) fn takes_html(unfolded: &str) -> bool {
    let Some((head, value)) = split_value(unfolded) else { return false };
    !value.is_empty()
        && is_text(head)
        && parameter(head, "FMTTYPE")
            .map_or(value.trim_start().starts_with('<'), |kind| kind.eq_ignore_ascii_case("text/html"))
}

/// Whether a property of this name may hold the description as HTML.
pub(super) fn is_html_property(name: &str) -> bool {
    name.eq_ignore_ascii_case("X-ALT-DESC") || name.eq_ignore_ascii_case("STYLED-DESCRIPTION")
}

/// Whether a value is plain TEXT: not in an encoding of vCalendar 1.0, not a reference.
pub(super) fn is_text(head: &str) -> bool {
    parameter(head, "ENCODING").is_none()
        && parameter(head, "VALUE").is_none_or(|kind| kind.eq_ignore_ascii_case("TEXT"))
}

/// Whether an empty value may be filled in.
pub(super) fn is_text_or_uri(head: &str) -> bool {
    parameter(head, "ENCODING").is_none()
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 20 && line.bytes().all(|byte| byte == b'_')
}

fn is_tag(tag: &str) -> bool {
    tag.len() == 32 && tag.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
}

fn tag_line(line: &str) -> Option<(String, String)> {
    let (tag, flags) = line.trim().strip_prefix("[tm:")?.strip_suffix(']')?.split_once(':')?;
    (is_tag(tag) && flags.len() <= 8 && flags.bytes().all(|byte| byte.is_ascii_lowercase()))
        .then(|| (tag.to_owned(), flags.to_owned()))
}

/// The lines of a TEXT value: first octet, octet after the last, and the line, still escaped.
fn text_lines(value: &str) -> Vec<(usize, usize, &str)> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut bytes = value.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\'
            && let Some((_, b'n' | b'N')) = bytes.next()
        {
            lines.push((start, at, value.get(start..at).unwrap_or_default()));
            start = at + 2;
        }
    }
    lines.push((start, value.len(), value.get(start..).unwrap_or_default()));
    lines
}

/// Escapes a value of type TEXT.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out
}

/// Undoes [`escape`].
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}
