//! What of an event does not reach Teams, and that it is said; and what is left alone.

use super::*;

/// Codes and sentences of a save with Teams, in a language.
fn told(icalendar: &str, language: &str, settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut save = with(save(icalendar), settings);
    save.wish = Wish::Wanted;
    save.account.language = language.into();
    prepare(&save).unwrap().notices.into_iter().map(|notice| (notice.code, notice.message)).collect()
}

fn codes_of(icalendar: &str, settings: &[(&str, &str)]) -> Vec<String> {
    told(icalendar, "en", settings).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn what_has_to_be_cut_is_said() {
    let long = text(&format!("DESCRIPTION:{}\r\n", "é".repeat(110_000)))
        .replace("SUMMARY:x", &format!("SUMMARY:{}", "é".repeat(256)));
    assert_eq!(codes_of(&long, &[]), ["subject-cut", "body-cut"]);
    assert_eq!(codes_of(&long, &[("body-limit", "500")]), ["subject-cut"]);
    let (_, english) = told(&long, "en", &[("body-limit", "25")]).pop().unwrap();
    let (_, german) = told(&long, "de", &[("body-limit", "25")]).pop().unwrap();
    assert!(english.starts_with("Teams shows 25 KB") && german.starts_with("Teams zeigt 25 KB"), "{english} {german}");

    let guests: String = (0..501).map(|number| format!("ATTENDEE:mailto:g{number}@example.org\r\n")).collect();
    assert_eq!(codes_of(&text(&guests), &[("invitations", "microsoft")]), ["too-many-guests"]);
    assert_eq!(codes_of(&text(&guests), &[("guest-list", "on")]), Vec::<String>::new(), "the list says it");
    let named = guests.replace("ATTENDEE", "ATTENDEE;CN=Somebody");
    assert_eq!(codes_of(&text(&named), &[("guest-list", "on"), ("body-limit", "10")]), ["body-cut"]);
    let nameless = text("ATTENDEE;CN=A:urn:uuid:1\r\nATTENDEE;CN=B:mailto:b@example.org\r\n");
    let [(code, message)] = told(&nameless, "de", &[("invitations", "microsoft")]).try_into().unwrap();
    assert!(code == "guests-not-invited" && message.starts_with("Ein Gast hat keine"), "{message}");
    assert_eq!(codes_of(&nameless, &[]), Vec::<String>::new());
}

#[test]
fn what_is_cut_of_an_occurrence_is_said_too() {
    let changed = |lines: &str| {
        text(&format!(
            "RRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTART:20261208T120000Z\r\n{lines}"
        ))
    };
    let long = format!("SUMMARY:{}\r\nDESCRIPTION:{}\r\n", "x".repeat(256), "x".repeat(110_000));
    for id in ["RECURRENCE-ID", "RECURRENCE-ID;RANGE=THISANDFUTURE"] {
        assert_eq!(codes_of(&changed(&format!("{id}:20261208T100000Z\r\n{long}")), &[]), ["subject-cut", "body-cut"]);
    }
    let cancelled = format!("RECURRENCE-ID:20261208T100000Z\r\nSTATUS:CANCELLED\r\n{long}");
    assert_eq!(codes_of(&changed(&cancelled), &[]), Vec::<String>::new(), "what does not take place is not shown");
}

#[test]
fn files_that_stay_in_the_calendar_are_counted() {
    let inline = "ATTACH;ENCODING=BASE64;VALUE=BINARY:QUJD\r\n";
    let on_the_web = "ATTACH:https://x/a\r\n";
    for (lines, settings, english, german) in [
        (inline.to_owned(), &[][..], "One attachment was not mirrored", "Ein Anhang wurde nicht"),
        (format!("{inline}ATTACH:CID:1\r\n{on_the_web}"), &[], "2 attachments were not", "2 Anhänge wurden nicht"),
        (
            format!("{inline}{on_the_web}"),
            &[("attachments", "off")],
            "2 attachments were not",
            "2 Anhänge wurden nicht",
        ),
    ] {
        for (language, sentence) in [("en", english), ("de", german)] {
            let [(code, message)] = told(&text(&lines), language, settings).try_into().unwrap();
            assert!(code == "attachments-not-mirrored" && message.starts_with(sentence), "{message}");
        }
    }
    assert_eq!(codes_of(&text(on_the_web), &[]), Vec::<String>::new());
    // Each occurrence that is changed carries the files of the series once more.
    let again =
        "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:u1\r\nRECURRENCE-ID:20261208T100000Z\r\nDTSTART:20261208T120000Z\r\n";
    let series = text(&format!("RRULE:FREQ=WEEKLY\r\n{inline}{again}{inline}"));
    assert!(told(&series, "en", &[])[0].1.starts_with("One attachment"));
    // Of a private event nothing is shown at all, which is meant.
    let mut private = with(save(&text(&format!("CLASS:PRIVATE\r\n{inline}"))), &[("mirror", "all-events")]);
    assert_eq!(prepare(&private).unwrap().notices, Vec::new());
    private.wish = Wish::Wanted;
    assert_eq!(prepare(&private).unwrap().notices.len(), 1);
}

#[test]
fn join_blocks_of_others_stay_to_the_byte() {
    for block in [
        "Join Zoom Meeting\\nhttps://us02web.zoom.us/j/8123?pwd=abc.1\\n\\nMeeting ID: 812 3",
        "-::~:~::~:~\\nJoin with Google Meet: https://meet.google.com/abc-defg-hij\\n-::~:~::~:~",
        "________________________________________________________________________________\\nJoin Webex: https://x.webex.com/1",
    ] {
        let lines = format!(
            "DESCRIPTION:Agenda\\n\\n{block}\r\nX-ALT-DESC;FMTTYPE=text/html:<p>{block}</p><!-- theirs -->\r\n\
             LOCATION:https://us02web.zoom.us/j/8123\r\nX-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij\r\n"
        );
        let mut save = save(&text(&lines));
        save.wish = Wish::Wanted;
        save.mirrored = record(Some(URL), TAG);
        let prepared = prepare(&save).unwrap();
        assert_eq!((prepared.rejected, prepared.kept.as_str()), (None, text(&lines).as_str()));
        let stored = prepared.icalendar.replace("\r\n ", "");
        assert!(stored.contains(&format!("DESCRIPTION:Agenda\\n\\n{block}\\n\\n____")), "{stored}");
        assert!(stored.contains(&format!("<p>{block}</p><!-- theirs --><!--tm:")), "{stored}");
        save.wish = Wish::None;
        save.object.icalendar = prepared.icalendar;
        assert_eq!(prepare(&save).unwrap().icalendar, text(&lines));
    }
}

#[test]
fn a_block_that_lost_its_marks_is_neither_doubled_nor_kept() {
    let lines = "DESCRIPTION:Agenda\r\nX-ALT-DESC;FMTTYPE=text/html:<p>Agenda</p>\r\n";
    let mut brought = save(&linked(lines, TAG, URL));
    brought.mirrored = record(Some(URL), TAG);
    let unmarked = brought.object.icalendar.replace("\r\n ", "").replace(&format!("\\n[tm:{TAG}:lu]"), "");
    brought.object.icalendar = unmarked.replace(&format!("<!--tm:{TAG}-->"), "").replace("<!--/tm-->", "");
    let prepared = prepare(&brought).unwrap();
    assert_eq!(prepared.kept, text(lines));
    assert_eq!(prepared.icalendar, linked(lines, TAG, URL));
}
