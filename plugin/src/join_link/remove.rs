//! Taking the link out.

use super::block::{self, Found, flag};
use super::fold::{fold_at, fold_before, raw_offset};
use super::lines::{Document, EventLines, Line, split_value, trim_line_end};
use crate::words::{Phrase, Words};

/// More rounds than anybody's editing makes of one description.
const ROUNDS: usize = 8;

/// Whose lines go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ours<'a> {
    /// The tags under which this event's blocks were written; `None`: blocks of any tag.
    pub(crate) tags: Option<&'a [&'a str]>,
    /// Links that are ours even where no block says so any more.
    pub(crate) urls: &'a [&'a str],
}

impl Ours<'_> {
    fn has(&self, found: &Found) -> bool {
        self.tags.is_none_or(|tags| tags.contains(&found.tag.as_str()))
    }
}

/// The text without our lines, and with what they displaced put back as it was.
pub(crate) fn remove(document: &Document<'_>, ours: Ours<'_>) -> String {
    let mut edited = document.clone();
    let mut gone: Vec<usize> = Vec::new();
    for event in &document.events {
        remove_from(&mut edited, event, ours, &mut gone);
    }
    gone.sort_unstable();
    edited
        .lines
        .iter()
        .enumerate()
        .filter(|(at, _)| gone.binary_search(at).is_err())
        .map(|(_, line)| line.raw.as_ref())
        .collect()
}

fn remove_from(document: &mut Document<'_>, event: &EventLines, ours: Ours<'_>, gone: &mut Vec<usize>) {
    let mut urls: Vec<String> = ours.urls.iter().map(|&url| url.to_owned()).collect();
    let mut flags = String::new();
    let mut had_block = false;
    for &at in &event.properties {
        let Some(line) = document.lines.get_mut(at) else { continue };
        let is_description = line.is("DESCRIPTION");
        if !is_description && !block::is_html_property(line.name()) {
            continue;
        }
        // Where copies of a block were mixed up, what stood around one that is gone may make another.
        for _ in 0..ROUNDS {
            let unfolded = line.unfolded().into_owned();
            let mut found = if is_description { block::in_plain(&unfolded) } else { block::in_html(&unfolded) };
            found.retain(|found| ours.has(found));
            let marked = !found.is_empty();
            if !marked {
                let remains = if is_description { block::remains_in_plain } else { block::remains_in_html };
                found = remains(&unfolded, &urls);
            }
            // From the last to the first, so that the places of the others stay right.
            for found in found.iter().rev() {
                urls.extend(found.url.clone());
                if is_description {
                    // Without its tag line nothing tells how LOCATION and URL were.
                    had_block |= marked;
                    flags.push_str(&found.flags);
                    let started = [flag::DESCRIPTION_ABSENT, flag::DESCRIPTION_EMPTY];
                    let gap = if found.flags.contains(started) { 0 } else { gap_before(&unfolded, found.start) };
                    cut(line, found.start - gap, found.end);
                } else {
                    cut(line, found.start, found.end);
                }
                let now_empty = split_value(&line.unfolded()).is_some_and(|(_, value)| value.is_empty());
                if is_description && found.flags.contains(flag::DESCRIPTION_ABSENT) && now_empty {
                    gone.push(at);
                }
            }
            if found.is_empty() {
                break;
            }
        }
    }
    if urls.is_empty() {
        return;
    }
    let mut had_line = had_block;
    let mut location = None;
    for &at in &event.properties {
        let Some(line) = document.lines.get_mut(at) else { continue };
        let name = line.name().to_ascii_uppercase();
        let content = line.unfolded().into_owned();
        let Some((head, value)) = split_value(&content) else { continue };
        let is_ours = || urls.iter().any(|url| url == value || *url == block::unescape(value));
        match name.as_str() {
            "CONFERENCE" | "X-MICROSOFT-SKYPETEAMSMEETINGURL" if is_ours() => {
                had_line = true;
                gone.push(at);
            }
            "URL" if is_ours() => {
                if flags.contains(flag::URL_EMPTY) {
                    cut(line, head.len() + 1, content.len());
                } else if !had_block || flags.contains(flag::URL_ABSENT) {
                    gone.push(at);
                }
            }
            "LOCATION" if Words::all().any(|words| value == block::escape(words.say(Phrase::Location))) => {
                // The first one, which is the one that insertion fills.
                location = location.or(Some((at, head.len() + 1, content.len())));
            }
            _ => {}
        }
    }
    if let Some((at, start, end)) = location {
        if flags.contains(flag::LOCATION_EMPTY) {
            if let Some(line) = document.lines.get_mut(at) {
                cut(line, start, end);
            }
        } else if flags.contains(flag::LOCATION_ABSENT) || (!had_block && had_line) {
            gone.push(at);
        }
    }
}

/// The octets of the blank line that `insert` puts before a block, as far as it is still there.
fn gap_before(unfolded: &str, start: usize) -> usize {
    let before = unfolded.get(..start).unwrap_or_default();
    let (_, value) = split_value(before).unwrap_or_default();
    let one = |text: &str| text.ends_with("\\n") || text.ends_with("\\N");
    match (one(value), value.get(..value.len().saturating_sub(2)).is_some_and(one)) {
        (true, true) => 4,
        (true, false) => 2,
        _ => 0,
    }
}

/// Takes a piece, named by its place in the unfolded line, out of a line, and the fold before it; and the one behind it
/// where something follows.
fn cut(line: &mut Line<'_>, start: usize, end: usize) {
    let raw = line.raw.as_ref();
    let from = raw_offset(raw, start);
    let from = from - fold_before(raw, from);
    let to = if end == line.unfolded().len() {
        trim_line_end(raw).len()
    } else {
        // The place of the next octet lies behind a fold, if there is one; step back over it to see whether there is.
        raw_offset(raw, end)
    };
    let (Some(before), Some(after)) = (raw.get(..from), raw.get(to..)) else { return };
    debug_assert_eq!(fold_at(after, 0), 0, "a place never points at a fold");
    *line = Line::new(format!("{before}{after}"));
}
