use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

use super::*;

/// Each message of a catalogue and the variables in it.
fn messages(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let resource = fluent_syntax::parser::parse(text).unwrap_or_else(|(_, problems)| panic!("{problems:?}"));
    let mut messages = BTreeMap::new();
    for entry in &resource.body {
        let Entry::Message(message) = entry else { continue };
        let mut variables = BTreeSet::new();
        collect(message.value.as_ref().expect("a message says something"), &mut variables);
        let before = messages.insert(message.id.name.to_owned(), variables);
        assert!(before.is_none(), "`{}` stands there twice", message.id.name);
    }
    messages
}

fn collect(pattern: &Pattern<&str>, into: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        let inline = match expression {
            Expression::Inline(inline) => inline,
            Expression::Select { selector, variants } => {
                variants.iter().for_each(|variant| collect(&variant.value, into));
                selector
            }
        };
        if let InlineExpression::VariableReference { id } = inline {
            into.insert(id.name.to_owned());
        }
    }
}

#[test]
fn every_language_says_everything() {
    let english = messages(FILES.iter().find(|(tag, _)| *tag == FALLBACK).expect("there is English").1);
    assert!(FILES.len() > 1 && english.len() > 100, "the catalogues were found");
    for (tag, text) in FILES {
        let theirs = messages(text);
        for (id, variables) in &english {
            assert_eq!(theirs.get(id), Some(variables), "`{id}` in `{tag}`");
        }
        for id in theirs.keys() {
            assert!(english.contains_key(id), "`{id}` in `{tag}` is no message of English");
        }
        assert!(tag.parse::<unic_langid::LanguageIdentifier>().is_ok(), "`{tag}` is no language's tag");
    }
}

/// Ids that are put together where they are said.
const PUT_TOGETHER: [&str; 12] = [
    "state-",
    "mailbox-",
    "event-state-",
    "event-reason-",
    "meetings-",
    "mirror-",
    "exclude-class-",
    "test-",
    "notice-",
    "weekday-",
    "month-",
    "standing-",
];

fn files(folder: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, into);
        } else if !path.ends_with("words/tests.rs") {
            into.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn what_is_said_is_in_the_catalogue_and_what_is_in_it_is_said() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in ["src", "templates"] {
        files(&home.join(folder), &mut sources);
    }
    let english = messages(FILES.iter().find(|(tag, _)| *tag == FALLBACK).unwrap().1);
    let mut said = BTreeSet::new();
    for source in &sources {
        for call in [".say(\"", "Phrase::new(\"", "w.with(\"", "words.with(\"", ".count(\""] {
            for (at, _) in source.match_indices(call) {
                let id = source[at + call.len()..].split('"').next().unwrap();
                assert!(english.contains_key(id), "`{id}` is said and stands in no catalogue");
                said.insert(id.to_owned());
            }
        }
        // Named elsewhere and said later; pages that only say something have a title and a next step beside their sentence.
        for id in english.keys() {
            let stem = ["-title", "-next"].iter().find_map(|end| id.strip_suffix(end)).unwrap_or(id);
            if source.contains(&format!("\"{id}\"")) || source.contains(&format!("\"{stem}\"")) {
                said.insert(id.clone());
            }
        }
    }
    assert!(said.len() > 100, "the sources were found");
    for id in english.keys() {
        let put_together = PUT_TOGETHER.iter().any(|prefix| id.starts_with(prefix));
        assert!(said.contains(id) || put_together, "`{id}` is never said");
    }
}

#[test]
fn the_accounts_language_decides_then_the_browsers() {
    let tag = |account, accept| choose(account, accept).tag();
    assert_eq!(tag(Some("de-AT"), Some("en")), "de");
    assert_eq!(tag(Some("xx"), Some("de-CH, en;q=0.5")), "de");
    assert_eq!(tag(None, Some("en;q=0.5, de")), "de");
    assert_eq!(tag(None, Some("de;q=0, en")), "en");
    assert_eq!(tag(None, Some("fr, ;q=x, de;q=0.1")), "de");
    assert_eq!(tag(None, Some("fr")), "en");
    assert_eq!(tag(None, None), "en");
    assert_eq!(of(Some("DE")).tag(), "de");
    assert_eq!(of(None).tag(), "en");
}

#[test]
fn numbers_and_names_stand_in_sentences() {
    assert!(of(Some("de")).count("confirm-events", 1).starts_with("Ein kommender Termin steht"));
    assert!(of(Some("de")).count("confirm-events", 3).starts_with("3 kommende Termine stehen"));
    let phrase = Phrase::new("standing-connected").with("microsoft", "x@contoso.example");
    assert_eq!(phrase.said(of(Some("de"))), "Verbunden mit x@contoso.example.");
    assert_eq!(phrase.to_string(), "Connected with x@contoso.example.");
    assert_eq!(english().say("no such message"), "no such message");
}
