//! An event's body as Microsoft is given it: its text, its URL, its files, and its guests where they are to be listed.

use super::event::{Event, Guest, Role};
use super::html::{is_blank, sanitised};
use super::text::{escape, link, plain, styled};
use crate::join_link::without_blocks;
use crate::words::{Phrase, Words};

/// Guests that are listed.
const MAX_LISTED: usize = 500;

/// What of an event is shown in its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    /// Its guests.
    pub(crate) guests: bool,
    /// Links to its files.
    pub(crate) attachments: bool,
    /// It has a meeting, so Microsoft writes how to join.
    pub(crate) meeting: bool,
    /// Octets of all of it.
    pub(crate) limit: usize,
}

/// The user's part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    /// HTML, every element closed.
    pub(crate) html: String,
    /// Whether something had to be left out because of the limit; the last line says so.
    pub(crate) cut: bool,
}

impl Body {
    /// The body of an event.
    pub(crate) fn of(event: &Event, shown: Shown, words: Words) -> Self {
        let text = Text::of(event, shown.meeting);
        let lists = Lists::of(event, shown, &text, words);
        let (whole, cut) = text.html(shown.limit);
        let listed = lists.html(shown.limit);
        if let (false, Some(listed)) = (cut, listed)
            && whole.len() + listed.len() <= shown.limit
        {
            return Self { html: whole + &listed, cut: false };
        }
        let kilobytes = (shown.limit / 1024).to_string();
        let last = format!("<p>{}</p>", escape(&words.say(Phrase::CutHere).replace("{}", &kilobytes)));
        let room = shown.limit.saturating_sub(last.len());
        // What is listed gets what the text leaves, and half of all where the text would leave less.
        let listed = lists.cut((room / 2).max(room.saturating_sub(whole.len())));
        let (text, _) = text.html(room.saturating_sub(listed.len()));
        Self { html: text + &listed + &last, cut: true }
    }
}

/// What the user wrote.
enum Text<'a> {
    Plain(std::borrow::Cow<'a, str>),
    Styled(String),
}

impl<'a> Text<'a> {
    fn of(event: &'a Event, meeting: bool) -> Self {
        // How to join stands in Microsoft's own part of the body. Elsewhere a block is the only thing that tells it.
        if let Some(html) = &event.html {
            let html = if meeting { without_blocks(html, true) } else { html.into() };
            let clean = sanitised(&html);
            if !is_blank(&clean) {
                return Self::Styled(clean);
            }
        }
        let text = event.description.as_str();
        Self::Plain(if meeting { without_blocks(text, false) } else { text.into() })
    }

    fn html(&self, room: usize) -> (String, bool) {
        match self {
            Self::Plain(text) => plain(text, room),
            Self::Styled(clean) => styled(clean, room),
        }
    }

    fn names(&self, url: &str) -> bool {
        match self {
            Self::Plain(text) => text.contains(url),
            Self::Styled(clean) => clean.contains(url) || clean.contains(&escape(url)),
        }
    }
}

/// What stands below the text.
struct Lists {
    url: Option<String>,
    attachments: List,
    guests: List,
}

impl Lists {
    fn of(event: &Event, shown: Shown, text: &Text<'_>, words: Words) -> Self {
        let url = event.url.as_deref().filter(|url| !text.names(url));
        let mut attachments = List::new(words, [Phrase::FileNotListed, Phrase::FilesNotListed], usize::MAX);
        if shown.attachments && !event.attachments.is_empty() {
            let lines = event.attachments.iter().map(|file| link(&file.url, &file.name)).collect();
            attachments.groups.push((words.say(Phrase::FilesHeading), lines));
        }
        let mut guests = List::new(words, [Phrase::GuestNotListed, Phrase::GuestsNotListed], MAX_LISTED);
        if shown.guests {
            let known = |role| move |guest: &&Guest| guest.address.is_some() && guest.role == role;
            let mut group = |heading, of: Vec<&Guest>| {
                if !of.is_empty() {
                    guests.groups.push((words.say(heading), of.into_iter().map(line).collect()));
                }
            };
            for (heading, role) in [
                (Phrase::GuestsRequired, Role::Required),
                (Phrase::GuestsOptional, Role::Optional),
                (Phrase::GuestsInformational, Role::Informational),
            ] {
                group(heading, event.guests.iter().filter(known(role)).collect());
            }
            group(Phrase::GuestsWithoutAddress, event.guests.iter().filter(|guest| guest.address.is_none()).collect());
        }
        Self { url: url.map(|url| format!("<p>{}</p>", link(url, url))), attachments, guests }
    }

    /// All of it; `None`: it takes more room than there is.
    fn html(&self, room: usize) -> Option<String> {
        let html = self.url.clone().unwrap_or_default() + &self.attachments.html(room)? + &self.guests.html(room)?;
        (html.len() <= room).then_some(html)
    }

    /// As much of it as there is room for.
    fn cut(&self, room: usize) -> String {
        let least = self.attachments.least() + self.guests.least();
        let mut html = self.url.clone().filter(|url| url.len() + least <= room).unwrap_or_default();
        let attachments = self.attachments.cut(room.saturating_sub(html.len() + self.guests.least()));
        html.push_str(&attachments);
        let guests = self.guests.cut(room.saturating_sub(html.len()));
        html + &guests
    }
}

/// Lines under headings, and how many of them are left out.
struct List {
    groups: Vec<(&'static str, Vec<String>)>,
    words: Words,
    /// That one, or `{}`, is not listed.
    rest: [Phrase; 2],
    /// Lines of all groups.
    most: usize,
}

impl List {
    fn new(words: Words, rest: [Phrase; 2], most: usize) -> Self {
        Self { groups: Vec::new(), words, rest, most }
    }

    fn len(&self) -> usize {
        self.groups.iter().map(|(_, lines)| lines.len()).sum()
    }

    fn rest(&self, number: usize) -> String {
        match number {
            0 => String::new(),
            number => format!("<p>{}</p>", escape(&self.words.some(self.rest, number))),
        }
    }

    /// Octets it takes to say that there is more.
    fn least(&self) -> usize {
        self.rest(self.len()).len()
    }

    /// Every line, as far as its number allows; `None`: there is not so much room.
    fn html(&self, room: usize) -> Option<String> {
        let all = self.lines(self.most.min(self.len()), room);
        let said = all.html + &self.rest(self.len() - all.number);
        (all.whole && said.len() <= room).then_some(said)
    }

    /// As many lines as there is room for, and how many there are besides.
    fn cut(&self, room: usize) -> String {
        if let Some(whole) = self.html(room) {
            return whole;
        }
        let some = self.lines(self.most.min(self.len()), room.saturating_sub(self.least()));
        let said = some.html + &self.rest(self.len() - some.number);
        if said.len() <= room { said } else { String::new() }
    }

    fn lines(&self, most: usize, room: usize) -> Lines {
        let mut html = String::new();
        let mut number = 0;
        for (heading, lines) in &self.groups {
            let mut group = format!("<p>{}", escape(heading));
            let before = number;
            for line in lines {
                let size = html.len() + group.len() + "<br>".len() + line.len() + "</p>".len();
                if number == most || size > room {
                    break;
                }
                group.push_str("<br>");
                group.push_str(line);
                number += 1;
            }
            if number > before {
                html.push_str(&group);
                html.push_str("</p>");
            }
            if number - before < lines.len() {
                break;
            }
        }
        Lines { html, number, whole: number == most }
    }
}

struct Lines {
    html: String,
    number: usize,
    whole: bool,
}

/// A guest in one line: name and address, never an answer.
fn line(guest: &Guest) -> String {
    match (&guest.address, guest.name.as_str()) {
        (Some(address), "") => escape(address),
        (Some(address), name) => format!("{} &lt;{}&gt;", escape(name), escape(address)),
        (None, name) => escape(name),
    }
}

#[cfg(test)]
mod tests;
