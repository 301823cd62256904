//! Putting the link in.

use super::block::{self, flag};
use super::fold::{folded, folded_line, raw_offset};
use super::lines::{Document, EventLines, Line, split_value, trim_line_end};
use crate::words::{Phrase, Words};

/// Writes the link into every VEVENT. The text must hold none of ours yet: see [`super::remove()`].
pub(crate) fn insert(document: &Document<'_>, tag: &str, url: &str, words: Words) -> String {
    let mut edited = document.clone();
    let added: Vec<(usize, String)> = document
        .events
        .iter()
        .map(|event| (event.first_nested, insert_into(&mut edited, event, tag, url, words)))
        .collect();
    let mut added = added.into_iter().peekable();
    let mut text = String::new();
    for (at, line) in edited.lines.iter().enumerate() {
        if let Some((_, lines)) = added.next_if(|(place, _)| *place == at) {
            text.push_str(&lines);
        }
        text.push_str(&line.raw);
    }
    text
}

/// Whether every VEVENT carries this very link under this tag already, in each of the places where it is always written.
pub(crate) fn carries(document: &Document<'_>, tag: &str, url: &str) -> bool {
    let is_link = |name: &str, event: &EventLines| {
        event.properties.iter().filter_map(|&at| document.lines.get(at)).filter(|line| line.is(name)).any(|line| {
            let content = line.unfolded();
            split_value(&content).is_some_and(|(_, value)| value == url || block::unescape(value) == url)
        })
    };
    let has_block = |event: &EventLines| {
        document.property(event, "DESCRIPTION").is_some_and(|(_, line)| {
            let blocks = block::in_plain(&line.unfolded());
            matches!(blocks.as_slice(), [only] if only.tag == tag && only.url.as_deref() == Some(url))
        })
    };
    !document.events.is_empty()
        && document.events.iter().all(|event| {
            has_block(event) && is_link("CONFERENCE", event) && is_link("X-MICROSOFT-SKYPETEAMSMEETINGURL", event)
        })
}

/// Edits an event's lines and gives back those that are new.
fn insert_into(document: &mut Document<'_>, event: &EventLines, tag: &str, url: &str, words: Words) -> String {
    let line_end = document.line_end();
    let mut new_lines: Vec<String> = Vec::new();
    let mut flags = String::new();
    let description = document.property(event, "DESCRIPTION").map(|(at, line)| (at, line.unfolded().into_owned()));
    let can_be_marked = description
        .as_ref()
        .is_none_or(|(_, content)| split_value(content).is_some_and(|(head, _)| block::is_text(head)));

    // Without the tag line nothing would remember how LOCATION and URL were, so they are left alone then.
    if can_be_marked {
        fill(
            document,
            event,
            "LOCATION",
            &block::escape(words.say(Phrase::Location)),
            &mut flags,
            &mut new_lines,
            [flag::LOCATION_ABSENT, flag::LOCATION_EMPTY],
        );
        fill(document, event, "URL", url, &mut flags, &mut new_lines, [flag::URL_ABSENT, flag::URL_EMPTY]);
        match description {
            None => {
                flags.push(flag::DESCRIPTION_ABSENT);
                new_lines.insert(0, format!("DESCRIPTION:{}", block::plain(tag, &flags, url, words)));
            }
            Some((at, content)) => {
                let is_empty = split_value(&content).is_some_and(|(_, value)| value.is_empty());
                let gap = if is_empty { "" } else { "\\n\\n" };
                if is_empty {
                    flags.push(flag::DESCRIPTION_EMPTY);
                }
                let text = format!("{gap}{}", block::plain(tag, &flags, url, words));
                append(document, at, content.len(), &text);
            }
        }
    }
    for &at in &event.properties {
        let Some(line) = document.lines.get(at) else { continue };
        if !block::is_html_property(line.name()) {
            continue;
        }
        let content = line.unfolded().into_owned();
        if block::takes_html(&content) {
            let place = content.to_ascii_lowercase().rfind("</body").unwrap_or(content.len());
            append(document, at, place, &block::html(tag, url, words));
        }
    }
    let label = words.say(Phrase::ConferenceLabel);
    new_lines.push(format!("CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL={label}:{url}"));
    new_lines.push(format!("X-MICROSOFT-SKYPETEAMSMEETINGURL:{}", block::escape(url)));
    new_lines.iter().map(|line| folded_line(line, line_end)).collect()
}

/// Gives a property a value where it has none, and notes how it was.
fn fill(
    document: &mut Document<'_>,
    event: &EventLines,
    name: &str,
    value: &str,
    flags: &mut String,
    new_lines: &mut Vec<String>,
    [absent, empty]: [char; 2],
) {
    match document.property(event, name).map(|(at, line)| (at, line.unfolded().into_owned())) {
        None => {
            flags.push(absent);
            new_lines.push(format!("{name}:{value}"));
        }
        Some((at, content))
            if split_value(&content).is_some_and(|(head, rest)| rest.is_empty() && block::is_text_or_uri(head)) =>
        {
            flags.push(empty);
            append(document, at, content.len(), value);
        }
        Some(_) => {}
    }
}

/// Puts text into a line at a place of its unfolded form, behind a fold of its own, so that no byte of the rest moves to
/// another line; another fold behind it where something follows.
fn append(document: &mut Document<'_>, at: usize, place: usize, text: &str) {
    let line_end = document.line_end();
    let Some(line) = document.lines.get_mut(at) else { return };
    let raw = line.raw.as_ref();
    let offset = if place == line.unfolded().len() { trim_line_end(raw).len() } else { raw_offset(raw, place) };
    let (Some(before), Some(after)) = (raw.get(..offset), raw.get(offset..)) else { return };
    let mut edited = String::with_capacity(raw.len() + text.len() * 2);
    edited.push_str(before);
    // A stray CR at the end of the content must not become part of the fold's line end.
    edited.push_str(if before.ends_with('\r') { "\r\n" } else { line_end });
    edited.push(' ');
    edited.push_str(&folded(text, 1, line_end));
    if !trim_line_end(after).is_empty() {
        edited.push_str(line_end);
        edited.push(' ');
    }
    edited.push_str(after);
    *line = Line::new(edited);
}
