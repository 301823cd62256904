//! Every sentence the host says to a user: one catalogue per language, `words/<tag>.ftl` ([Fluent](https://projectfluent.org)).
//!
//! A language is one file; the build finds it, and a test sees to it that it has every message and every variable that the
//! English one has. What events are told by the extension comes from the extension, in the account's language.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

// `FILES`: tag and text of each catalogue.
include!(concat!(env!("OUT_DIR"), "/words.rs"));

/// The language of whoever speaks none of the others.
const FALLBACK: &str = "en";

static LANGUAGES: LazyLock<Vec<Words>> =
    LazyLock::new(|| FILES.iter().map(|(tag, text)| Words::read(tag, text)).collect());

/// One language's catalogue.
pub struct Words {
    tag: &'static str,
    bundle: FluentBundle<FluentResource>,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Words").field(&self.tag).finish()
    }
}

/// A message and what stands in it, in no language yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    id: String,
    args: Vec<(&'static str, String)>,
}

impl Phrase {
    /// A message without variables.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), args: Vec::new() }
    }

    /// The same with a variable in it.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.args.push((name, value.into()));
        self
    }

    /// The message's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The sentence in a language.
    pub fn said(&self, words: &Words) -> String {
        let args: Vec<(&str, &str)> = self.args.iter().map(|(name, value)| (*name, value.as_str())).collect();
        words.with(&self.id, &args)
    }
}

/// In English, for logs and administrators.
impl std::fmt::Display for Phrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.said(english()))
    }
}

impl Words {
    fn read(tag: &'static str, text: &str) -> Self {
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(readable, problems)| {
            tracing::error!(tag, ?problems, "a catalogue cannot be read in full");
            readable
        });
        let mut bundle = FluentBundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
        // Marks of direction around what is put in: addresses and numbers need none, and people copy what they read.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { tag, bundle }
    }

    /// The language's tag, for `lang` attributes.
    pub fn tag(&self) -> &'static str {
        self.tag
    }

    /// Whether there is such a message, in this language or in English.
    pub fn has(&self, id: &str) -> bool {
        self.bundle.has_message(id) || english().bundle.has_message(id)
    }

    /// A message without variables.
    pub fn say(&self, id: &str) -> String {
        self.format(id, None)
    }

    /// A message with texts in it.
    pub fn with(&self, id: &str, args: &[(&str, &str)]) -> String {
        let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, FluentValue::from(*value))).collect();
        self.format(id, Some(&args))
    }

    /// A message with the number `count` in it.
    pub fn count(&self, id: &str, count: usize) -> String {
        let args: FluentArgs<'_> = [("count", FluentValue::from(count))].into_iter().collect();
        self.format(id, Some(&args))
    }

    fn format(&self, id: &str, args: Option<&FluentArgs<'_>>) -> String {
        let found = |words: &'_ Self| {
            let pattern = words.bundle.get_message(id)?.value()?;
            let mut problems = Vec::new();
            let text = words.bundle.format_pattern(pattern, args, &mut problems).into_owned();
            if !problems.is_empty() {
                tracing::error!(id, tag = words.tag, ?problems, "a message was said incompletely");
            }
            Some(text)
        };
        found(self).or_else(|| found(english())).unwrap_or_else(|| {
            tracing::error!(id, "there is no such message");
            id.to_owned()
        })
    }
}

/// English: the language every other is measured by, and that of administrators.
pub fn english() -> &'static Words {
    find(FALLBACK).unwrap_or(&EMPTY)
}

static EMPTY: LazyLock<Words> = LazyLock::new(|| Words::read(FALLBACK, ""));

/// The language of an account, as the server told it; English where it told none or one we do not speak.
pub fn of(language: Option<&str>) -> &'static Words {
    language.and_then(find).unwrap_or_else(english)
}

/// The language for a page: the account's, else the first of the browser's (RFC 9110 §12.5.4) that we speak.
pub fn choose(account: Option<&str>, accept_language: Option<&str>) -> &'static Words {
    if let Some(words) = account.and_then(find) {
        return words;
    }
    let mut wanted: Vec<(f32, &str)> = accept_language
        .unwrap_or_default()
        .split(',')
        .filter_map(|part| {
            let mut pieces = part.split(';').map(str::trim);
            let tag = pieces.next().filter(|tag| !tag.is_empty())?;
            let quality = pieces.find_map(|piece| piece.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok())?;
            (quality > 0.0).then_some((quality, tag))
        })
        .collect();
    // Stable: what stands first wins among equals.
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
    wanted.into_iter().find_map(|(_, tag)| find(tag)).unwrap_or_else(english)
}

/// The language of a tag: that very one, else the one it is a variety of (`de-AT` is German).
fn find(tag: &str) -> Option<&'static Words> {
    let exact = LANGUAGES.iter().find(|words| words.tag.eq_ignore_ascii_case(tag));
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    exact.or_else(|| LANGUAGES.iter().find(|words| words.tag.eq_ignore_ascii_case(primary)))
}

#[cfg(test)]
mod tests;
