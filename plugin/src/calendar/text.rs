//! An event's text as the HTML Microsoft is given.

use super::event::{Event, Guest};
use super::html::sanitised;
use crate::words::{Phrase, Words};

/// Octets of the user's part of the body.
pub(crate) const MAX_BODY: usize = 100 * 1024;

/// The user's part of the body as HTML, and whether it had to be cut.
pub(crate) fn body(event: &Event, guests: Option<&[Guest]>, words: Words) -> (String, bool) {
    let mut tail = String::new();
    if let Some(url) = &event.url
        && !event.description.contains(url.as_str())
        && !event.html.as_ref().is_some_and(|html| html.contains(url.as_str()))
    {
        let url = escape(url);
        tail.push_str(&format!("<p><a href=\"{url}\">{url}</a></p>"));
    }
    if let Some(guests) = guests.filter(|guests| !guests.is_empty()) {
        tail.push_str(&format!("<p>{}", escape(words.say(Phrase::GuestsHeading))));
        for guest in guests {
            let address = escape(&guest.address);
            let line =
                if guest.name.is_empty() { address } else { format!("{} &lt;{address}&gt;", escape(&guest.name)) };
            tail.push_str(&format!("<br>{line}"));
        }
        tail.push_str("</p>");
    }
    let room = MAX_BODY.saturating_sub(tail.len());
    let (mut html, cut) = match event.html.as_deref().filter(|html| !html.trim().is_empty()) {
        Some(html) => styled(html, room),
        None => plain(&event.description, room),
    };
    let mut cut = cut;
    if tail.len() <= MAX_BODY {
        html.push_str(&tail);
    } else {
        cut = true;
    }
    (html, cut)
}

fn styled(html: &str, room: usize) -> (String, bool) {
    let clean = sanitised(html).trim().to_owned();
    if clean.len() <= room {
        return (clean, false);
    }
    // Cleaning again closes the elements that the cut left open, which may need some room of its own.
    let mut keep = room.saturating_sub(1024);
    loop {
        let cut = sanitised(truncated(&clean, keep));
        if cut.len() <= room || keep == 0 {
            return (cut, true);
        }
        keep /= 2;
    }
}

fn plain(text: &str, room: usize) -> (String, bool) {
    let text = text.trim_end();
    let mut html = String::with_capacity(text.len() + text.len() / 16);
    for character in text.chars() {
        let before = html.len();
        match character {
            '\n' => html.push_str("<br>\n"),
            '\r' => {}
            other => escape_into(other, &mut html),
        }
        if html.len() > room {
            html.truncate(before);
            return (html, true);
        }
    }
    (html, false)
}

/// The longest beginning of `text` of at most `octets` octets that ends with a whole character.
fn truncated(text: &str, octets: usize) -> &str {
    let mut end = octets.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
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
        other => html.push(other),
    }
}
