//! What is written, and that taking out restores every byte.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::words::Words;

const TAG: &str = "0123456789abcdef0123456789abcdef";
const URL: &str = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_YQ%40thread.v2/0?context=%7b%22Tid%22%3a%22a%22%2c%22Oid%22%3a%22b%22%7d";
const SHORT_URL: &str = "https://teams.microsoft.com/meet/2345678901?p=AbC,d;e";

fn put(text: &str, url: &str) -> String {
    insert(&Document::parse(text), TAG, url, Words::for_language("en"))
}

fn take(text: &str) -> String {
    remove(&Document::parse(text), Ours { tags: Some(&[TAG]), urls: &[] })
}

fn event(properties: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n{properties}BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nDESCRIPTION:alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

#[test]
fn the_whole_write_set_stands_before_the_alarm() {
    let text = put(&event("SUMMARY:x\r\n"), URL);
    let unfolded = text.replace("\r\n ", "");
    let alarm = unfolded.find("BEGIN:VALARM").unwrap();
    for part in [
        "DESCRIPTION:____",
        "LOCATION:Microsoft Teams Meeting\r\n",
        &format!("URL:{URL}\r\n"),
        &format!("CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Microsoft Teams:{URL}\r\n"),
        &format!("X-MICROSOFT-SKYPETEAMSMEETINGURL:{URL}\r\n"),
        &format!("\\n{URL}\\n[tm:{TAG}:lud]\\n"),
    ] {
        let at = unfolded.find(part).unwrap_or_else(|| panic!("{part} in {unfolded}"));
        assert!(at < alarm);
    }
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    let rule = "_".repeat(80);
    assert_eq!(unfolded.matches(&rule).count(), 2);
    assert!(!unfolded.contains(&"_".repeat(81)));
}

#[test]
fn what_the_user_wrote_stays_and_the_block_follows_after_a_blank_line() {
    let text =
        put(&event("DESCRIPTION;LANGUAGE=de:Hallo\\, Welt\r\nLOCATION:Raum 1\r\nURL:https://example.org\r\n"), URL);
    let unfolded = text.replace("\r\n ", "");
    assert!(unfolded.contains("DESCRIPTION;LANGUAGE=de:Hallo\\, Welt\\n\\n____"));
    assert!(unfolded.contains("LOCATION:Raum 1\r\n") && unfolded.contains("URL:https://example.org\r\n"));
    assert_eq!(unfolded.matches("\r\nLOCATION").count(), 1);
    assert_eq!(unfolded.matches("\r\nURL").count(), 1);
}

#[test]
fn a_block_that_lost_its_marks_goes_too_where_the_link_is_known_to_be_ours() {
    let plain = event("DESCRIPTION:Agenda\r\nX-ALT-DESC;FMTTYPE=text/html:<p>Agenda</p>\r\n");
    for language in ["en", "de"] {
        for url in [URL, SHORT_URL] {
            let with = insert(&Document::parse(&plain), TAG, url, Words::for_language(language));
            let unmarked = with
                .replace("\r\n ", "")
                .replace(&format!("\\n[tm:{TAG}:lu]"), "")
                .replace(&format!("<!--tm:{TAG}-->"), "")
                .replace("<!--/tm-->", "")
                .replace("<br>", "<br />")
                .replace("<a href", "<a target=\"_blank\" href");
            assert!(!unmarked.contains("tm:") && unmarked.matches("____").count() > 1);
            let ours = Ours { tags: Some(&[TAG]), urls: &[url] };
            assert_eq!(remove(&Document::parse(&unmarked), ours), plain, "{language}");
            // Of a link nobody knows to be ours nothing is taken away.
            let theirs = Ours { tags: Some(&[TAG]), urls: &["https://teams.microsoft.com/meet/other"] };
            assert_eq!(remove(&Document::parse(&unmarked), theirs), unmarked);
        }
    }
    // What the user wrote with the link stays, and so does a block with a tag that is none of ours.
    let rule = "_".repeat(80);
    let tag = "f".repeat(32);
    for description in [
        format!("Join: {URL}"),
        format!("{rule}\\nnotes\\n{rule}\\n{URL}\\nmore"),
        format!("{rule}\\n{URL}\\n[tm:{tag}:]\\n{rule}"),
    ] {
        let text = event(&format!("DESCRIPTION:{description}\r\nX-ALT-DESC:<a href=\"x\">{URL}</a>\r\n"));
        let ours = Ours { tags: Some(&[TAG]), urls: &[URL] };
        assert_eq!(remove(&Document::parse(&text), ours), text);
    }
}

#[test]
fn taking_out_restores_every_way_a_property_can_have_been() {
    for properties in [
        "",
        "DESCRIPTION:\r\n",
        "DESCRIPTION:text\r\n",
        "DESCRIPTION:text\\n\\n\r\n",
        "DESCRIPTION:\\n\r\n",
        "DESCRIPTION:folded te\r\n xt that goes\r\n\t on\r\n",
        "DESCRIPTION:ends with a fold\r\n \r\n",
        "DESCRIPTION:ends with a backslash\\\r\n",
        "DESCRIPTION;ALTREP=\"cid:a:b;c\":text\r\n",
        "DESCRIPTION;ENCODING=QUOTED-PRINTABLE:a=20b\r\n",
        "LOCATION:\r\nURL:\r\n",
        "LOCATION;LANGUAGE=en:\r\n",
        "LOCATION:Microsoft Teams Meeting\r\n",
        "URL:https://example.org/\r\nCONFERENCE;VALUE=URI:tel:+1-412-555-0123,,,654321\r\n",
        "X-ALT-DESC;FMTTYPE=text/html:<html><body>Hi\\, you</body></html>\r\n",
        "X-ALT-DESC;FMTTYPE=text/html:<html><body>Hi\\, you\r\n </body></html>\r\n",
        "STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<p>Hi</p>\r\n",
        "STYLED-DESCRIPTION;VALUE=URI:https://example.org/styled\r\n",
    ] {
        for url in [URL, SHORT_URL] {
            let crlf = event(properties);
            for text in [
                crlf.clone(),
                crlf.replace("\r\n", "\n"),
                crlf.replace("BEGIN:VALARM", "BEGIN:X-OTHER").replace("END:VALARM", "END:X-OTHER"),
            ] {
                let with = put(&text, url);
                assert_ne!(with, text);
                assert_eq!(
                    remove(&Document::parse(&with), Ours { tags: Some(&[TAG]), urls: &[url] }),
                    text,
                    "{properties:?}"
                );
                let found = find_blocks(&Document::parse(&with));
                assert!(found.iter().all(|block| block.tag == TAG && block.url.as_deref() == Some(url)), "{found:?}");
            }
        }
    }
}

#[test]
fn text_the_user_adds_around_the_block_stays() {
    let with = put(&event("DESCRIPTION:before\r\n"), URL).replace("\r\n ", "");
    let edited = with.replace("____\r\n", "____\\nafter\r\n").replace("before", "much before");
    assert_eq!(take(&edited), event("DESCRIPTION:much before\\nafter\r\n"));
    let made = put(&event(""), URL).replace("\r\n ", "").replace("____\r\n", "____\\nmine\r\n");
    assert_eq!(take(&made), event("DESCRIPTION:\\nmine\r\n"));
}

#[test]
fn a_block_of_another_event_is_left_unless_all_are_to_go() {
    let with = put(&event("DESCRIPTION:x\r\n"), URL);
    let other = remove(&Document::parse(&with), Ours { tags: Some(&["ffffffffffffffffffffffffffffffff"]), urls: &[] });
    assert_eq!(other, with);
    assert_eq!(remove(&Document::parse(&with), Ours { tags: None, urls: &[] }), event("DESCRIPTION:x\r\n"));
}

#[test]
fn lines_of_ours_without_their_block_are_known_by_the_link() {
    let with = put(&event("SUMMARY:x\r\n"), URL).replace("\r\n ", "");
    let without_block: String =
        with.split_inclusive("\r\n").filter(|line| !line.starts_with("DESCRIPTION:____")).collect();
    assert_eq!(take(&without_block), without_block, "nothing says that it is ours");
    assert_eq!(
        remove(&Document::parse(&without_block), Ours { tags: Some(&[TAG]), urls: &[URL] }),
        event("SUMMARY:x\r\n")
    );
}

#[test]
fn links_of_both_formats_are_seen_and_ours_are_excepted() {
    for url in [URL, SHORT_URL, "https://teams.live.com/meet/9312", "https://TEAMS.cloud.microsoft/meet/1?p=2"] {
        let text = event(&format!("DESCRIPTION:Join\\n{url}\r\n"));
        assert!(contains_teams_link(&Document::parse(&text), &[]), "{url}");
        assert!(!contains_teams_link(&Document::parse(&text), &[url]), "{url}");
    }
    assert!(!contains_teams_link(&Document::parse(&event("DESCRIPTION:teams are fine\r\n")), &[]));
    let alarm_only = event("").replace("DESCRIPTION:alarm", "DESCRIPTION:https://teams.microsoft.com/meet/1");
    assert!(!contains_teams_link(&Document::parse(&alarm_only), &[]));
}

#[test]
fn every_file_of_the_public_collection_survives() {
    let Some(folder) = samples() else { return };
    let mut events = 0;
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ics") {
            continue;
        }
        let Ok(text) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        for text in [text.clone(), text.replace("\r\n", "\n")] {
            let document = Document::parse(&text);
            assert_eq!(document.render(), text);
            if !document.well_formed {
                continue;
            }
            files += 1;
            events += document.events.len();
            // In a description of an encoding there is no block; there the link is known from the record.
            let ours = Ours { tags: Some(&[TAG]), urls: &[URL] };
            assert_eq!(remove(&Document::parse(&put(&text, URL)), ours), text, "{}", path.display());
        }
    }
    println!("{files} texts with {events} events");
    assert!(files > 500);
}

/// The folder of test files that the crate calcard brings along, in cargo's own store of sources. Where it is not there the
/// calling test is skipped, and says so; where every test is to run, that is a failure.
pub(crate) fn samples() -> Option<std::path::PathBuf> {
    let found = calcards_files();
    if found.is_none() {
        #[allow(clippy::disallowed_methods, reason = "how a test run is told that nothing may be skipped")]
        let required = std::env::var_os("TEAMS_MIRROR_REQUIRE_ALL").is_some();
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        assert!(
            !required,
            "{test} has to run and cannot: the files of the crate calcard are not in cargo's store of sources"
        );
        // Not by `eprintln!`, which a test that passes keeps to itself.
        let _ = writeln!(std::io::stderr(), "skipped: {test}: the files of the crate calcard are not in cargo's store");
    }
    found
}

fn calcards_files() -> Option<std::path::PathBuf> {
    let home = option_env!("CARGO_HOME").map(std::path::PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))?;
    let folders =
        |path: std::path::PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    folders(home.join("registry/src"))
        .flat_map(folders)
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("calcard-0.3.")))
        .map(|path| path.join("resources/ical"))
        .find(|path| path.is_dir())
}

/// Lines as people and programs write them: folded anywhere, with and without values, escapes and marks of ours.
fn property() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("DESCRIPTION"),
        Just("LOCATION"),
        Just("URL"),
        Just("X-ALT-DESC;FMTTYPE=text/html"),
        Just("STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=\"text/html\""),
        Just("SUMMARY"),
        Just("X-Q;P=\"a:b;c\""),
        Just("DESCRIPTION;LANGUAGE=de"),
    ];
    let piece = prop_oneof![
        "[ -~]{0,30}",
        Just("\\n".to_owned()),
        Just("\\".to_owned()),
        Just("_".repeat(80)),
        Just("ä€𝄞".to_owned()),
        Just("</body></html>".to_owned()),
        Just("<p>".to_owned()),
        Just("\r\n ".to_owned()),
        Just("\r\n\t".to_owned()),
        Just("Microsoft Teams Meeting".to_owned()),
    ];
    (name, prop::collection::vec(piece, 0..6)).prop_map(|(name, pieces)| format!("{name}:{}\r\n", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn insert_then_remove_is_the_identity(properties in prop::collection::vec(property(), 0..7), lf: bool, short: bool) {
        let mut text = event(&properties.concat());
        if lf {
            text = text.replace("\r\n", "\n");
        }
        let with = put(&text, if short { SHORT_URL } else { URL });
        prop_assert_eq!(take(&with), text);
        prop_assert!(Document::parse(&with).well_formed);
    }

    #[test]
    fn any_text_is_rendered_as_it_came(text in "([ -~]|\r\n|\n|\r|\t|ä|BEGIN:VEVENT\r\n|END:VEVENT\n){0,60}") {
        prop_assert_eq!(Document::parse(&text).render(), text);
    }
}
