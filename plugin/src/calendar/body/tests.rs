use proptest::prelude::*;

use super::*;
use crate::calendar::tests::event;
use crate::calendar::text::tests::shown as seen;

const BASE: &str = "DTSTART:20261201T100000Z\r\n";
const LIMIT: usize = 100 * 1024;
const SHOWN: Shown = Shown { guests: true, attachments: true, meeting: false, limit: LIMIT };

fn english() -> Words {
    Words::for_language("en")
}

#[track_caller]
fn whole(lines: &str) -> String {
    let body = Body::of(&event(&format!("{BASE}{lines}")), SHOWN, english());
    assert!(!body.cut);
    body.html
}

#[test]
fn html_is_preferred_where_it_shows_anything() {
    let plain = "DESCRIPTION:a <b>\\nc\r\n";
    assert_eq!(whole(plain), "a &lt;b&gt;<br>\nc");
    let html =
        "X-ALT-DESC;FMTTYPE=text/html:<html><body><p onclick=x>Hi\\, you</p><script>x</script></body></html>\r\n";
    assert_eq!(whole(&format!("{plain}{html}")), "<p>Hi, you</p>");
    let styled = "STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<b>S</b>\r\n";
    assert_eq!(whole(&format!("{plain}{html}{styled}")), "<b>S</b>");
    // RFC 9073 §6.5: it may stand there several times.
    let others = "STYLED-DESCRIPTION;VALUE=URI;FMTTYPE=text/html:https://x/y.html\r\n\
        STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/rtf:{\\\\rtf1}\r\n";
    assert_eq!(whole(&format!("{plain}{others}{styled}")), "<b>S</b>");
    assert_eq!(whole(&format!("{plain}{others}")), "a &lt;b&gt;<br>\nc");
    for nothing in ["", "<p>&nbsp;</p>", "<img src=\"https://x/pixel.gif\">", "<style>b{}</style><!-- hidden -->"] {
        let html = format!("X-ALT-DESC;FMTTYPE=text/html:{nothing}\r\n");
        assert_eq!(whole(&format!("{plain}{html}")), "a &lt;b&gt;<br>\nc", "{nothing}");
    }
}

#[test]
fn a_url_stands_below_the_text_unless_the_text_names_it() {
    let url = "URL:https://example.org/?a&b\r\n";
    let link = "<a href=\"https://example.org/?a&amp;b\">https://example.org/?a&amp;b</a>";
    assert_eq!(whole(&format!("DESCRIPTION:x\r\n{url}")), format!("x<p>{link}</p>"));
    assert_eq!(whole(&format!("DESCRIPTION:at https://example.org/?a&b\r\n{url}")), format!("at {link}"));
    for html in ["<a href=\"https://example.org/?a&amp;b\">x</a>", "<a href=\"https://example.org/?a&b\">x</a>"] {
        let lines = format!("X-ALT-DESC;FMTTYPE=text/html:{html}\r\n{url}");
        assert_eq!(whole(&lines), "<a href=\"https://example.org/?a&amp;b\">x</a>");
    }
    assert_eq!(whole("URL:HTTPS://example.org\r\n"), "<p><a href=\"HTTPS://example.org\">HTTPS://example.org</a></p>");
    for other in ["javascript:alert(1)", "data:text/html,x", "cid:1", "https://", "//x"] {
        assert_eq!(whole(&format!("URL:{other}\r\n")), "", "{other}");
    }
}

#[test]
fn files_on_the_web_are_a_list_of_links_under_the_text() {
    let files = "ATTACH;FILENAME=\"R&D <1>.pdf\":https://x/1?a=\"b\r\nATTACH:https://x/2\r\nATTACH;VALUE=BINARY:QUJD\r\n\
        ATTACH:file:///etc/passwd\r\n";
    assert_eq!(
        whole(&format!("DESCRIPTION:x\r\n{files}")),
        "x<p>Attachments:<br><a href=\"https://x/1?a=&quot;b\">R&amp;D &lt;1&gt;.pdf</a>\
         <br><a href=\"https://x/2\">https://x/2</a></p>"
    );
    let event = event(&format!("{BASE}{files}"));
    let german = Words::for_language("de");
    assert!(Body::of(&event, SHOWN, german).html.starts_with("<p>Anhänge:<br>"));
    assert_eq!(Body::of(&event, Shown { attachments: false, ..SHOWN }, german).html, "");
}

#[test]
fn guests_stand_one_per_line_in_groups_and_never_with_an_answer() {
    let event = event(&format!(
        "{BASE}ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED;CN=\"Öz <B>\":mailto:b@example.org\r\n\
         ATTENDEE;ROLE=CHAIR;CN=\"Chair, C.\":mailto:c@example.org\r\n\
         ATTENDEE;PARTSTAT=DECLINED:mailto:D@example.org\r\n\
         ATTENDEE;ROLE=NON-PARTICIPANT;CN=Eve:mailto:e@example.org\r\n\
         ATTENDEE;CUTYPE=ROOM;ROLE=NON-PARTICIPANT;CN=Room 4:mailto:room4@example.org\r\n\
         ATTENDEE;CUTYPE=GROUP;ROLE=X-OWN;CN=Team:mailto:team@example.org\r\n\
         ATTENDEE;ROLE=OPT-PARTICIPANT;CN=Fay 王:urn:uuid:5ac1\r\n\
         ATTENDEE;CN=Fay 王:urn:uuid:5ac1\r\n\
         ATTENDEE:invalid:nomail\r\n\
         ATTENDEE;EMAIL=g@example.org:urn:uuid:5ac2\r\n\
         ATTENDEE:mailto:alice@example.org\r\n\
         ATTENDEE:\r\n"
    ));
    let english = Body::of(&event, SHOWN, english()).html;
    assert_eq!(
        english,
        "<p>Guests (required):<br>Chair, C. &lt;c@example.org&gt;<br>d@example.org\
         <br>Team &lt;team@example.org&gt;<br>g@example.org</p>\
         <p>Guests (optional):<br>Öz &lt;B&gt; &lt;b@example.org&gt;</p>\
         <p>Guests (for information):<br>Eve &lt;e@example.org&gt;<br>Room 4 &lt;room4@example.org&gt;</p>\
         <p>Guests (without a usable address):<br>Fay 王<br>invalid:nomail</p>"
    );
    let german = Body::of(&event, SHOWN, Words::for_language("de-AT")).html;
    for heading in ["(erforderlich):", "(optional):", "(zur Information):", "(ohne brauchbare Adresse):"] {
        assert!(german.contains(&format!("<p>Gäste {heading}<br>")), "{german}");
    }
    assert_eq!(Body::of(&event, Shown { guests: false, ..SHOWN }, Words::for_language("de")).html, "");
}

fn guests(number: usize) -> String {
    (0..number).map(|number| format!("ATTENDEE;CN=Guest:mailto:g{number}@example.org\r\n")).collect()
}

#[test]
fn of_more_than_500_guests_the_list_says_how_many_are_not_shown() {
    for (number, language, last) in [
        (500, "en", None),
        (501, "en", Some("<p>One more guest is not shown here.</p>")),
        (512, "en", Some("<p>12 more guests are not shown here.</p>")),
        (501, "de", Some("<p>Ein weiterer Gast ist hier nicht aufgeführt.</p>")),
        (512, "de", Some("<p>12 weitere Gäste sind hier nicht aufgeführt.</p>")),
    ] {
        let body = Body::of(&event(&format!("{BASE}{}", guests(number))), SHOWN, Words::for_language(language));
        assert!(!body.cut, "all that is meant to be shown is");
        assert_eq!(body.html.matches("@example.org").count(), 500);
        assert!(body.html.ends_with(last.unwrap_or("&lt;g499@example.org&gt;</p>")), "{number}");
    }
    // They need not all be in the first group.
    let optional = guests(20).replace("CN=Guest:mailto:", "ROLE=OPT-PARTICIPANT:mailto:o");
    let event = event(&format!("{BASE}{optional}{}", guests(490)));
    let body = Body::of(&event, SHOWN, english());
    assert_eq!((body.html.matches("<br>og").count(), body.html.matches("<br>Guest").count()), (10, 490));
    assert!(body.html.ends_with("<p>10 more guests are not shown here.</p>"));
}

#[test]
fn what_is_cut_says_so_in_its_last_line() {
    let shown = Shown { limit: 10 * 1024, ..SHOWN };
    let long = "<ä>".repeat(5000);
    for (lines, language, last) in [
        (format!("DESCRIPTION:{long}\r\n"), "en", "Teams shows 10 KB of this event's text."),
        (format!("X-ALT-DESC;FMTTYPE=text/html:<b>{}\r\n", long.replace('<', "&lt\\;")), "de", "Teams zeigt 10 KB"),
        (guests(400), "en", "Teams shows 10 KB"),
        (format!("URL:https://x/{}\r\n", "y".repeat(12_000)), "de", "Teams zeigt 10 KB"),
    ] {
        let body = Body::of(&event(&format!("{BASE}{lines}")), shown, Words::for_language(language));
        assert!(body.cut && body.html.len() <= shown.limit);
        let line = body.html.rsplit("<p>").next().unwrap();
        assert!(line.contains(last) && line.ends_with("]</p>"), "{line}");
    }
    // What is short is whole, however long the rest is.
    let lines = format!("DESCRIPTION:Agenda\r\n{}", guests(400));
    let body = Body::of(&event(&format!("{BASE}{lines}")), shown, english());
    assert!(body.html.starts_with("Agenda<p>Guests (required):<br>") && body.html.len() > shown.limit - 200);
    let lines = format!("DESCRIPTION:{long}\r\n{}", guests(20));
    let body = Body::of(&event(&format!("{BASE}{lines}")), shown, english());
    assert_eq!(body.html.matches("@example.org").count(), 20);
    assert!(body.html.len() > shown.limit - 200);
}

const BLOCK: &str = "________________________________________________________________________________\\n\
    Microsoft Teams meeting\\nJoin on your computer or mobile app:\\nhttps://teams.microsoft.com/meet/1?p=2\\n\
    [tm:0123456789abcdef0123456789abcdef:]\\n\
    ________________________________________________________________________________";
const MARKED: &str = "<!--tm:0123456789abcdef0123456789abcdef-->Join <a href=\"https://teams.microsoft.com/meet/1?p=2\">\
    here</a><!--/tm-->";

#[test]
fn a_block_of_ours_never_stands_beside_microsofts() {
    let meeting = Shown { meeting: true, ..SHOWN };
    let plain = event(&format!("{BASE}DESCRIPTION:Agenda\\n\\n{BLOCK}\r\n"));
    assert_eq!(Body::of(&plain, meeting, english()).html, "Agenda");
    let styled = event(&format!("{BASE}X-ALT-DESC;FMTTYPE=text/html:<p>Hi\\, a\\nb</p>{MARKED}<p>c</p>\r\n"));
    assert_eq!(Body::of(&styled, meeting, english()).html, "<p>Hi, a\nb</p><p>c</p>");
    // Where Microsoft writes none it is all there is.
    assert!(Body::of(&plain, SHOWN, english()).html.contains("<a href=\"https://teams.microsoft.com/meet/1?p=2\">"));
    assert!(Body::of(&styled, SHOWN, english()).html.contains("<a href=\"https://teams.microsoft.com/meet/1?p=2\">"));
}

#[test]
fn blocks_of_others_stay_and_stand_there_once() {
    for block in [
        "Alice is inviting you to a scheduled Zoom meeting.\\n\\nJoin Zoom Meeting\\n\
         https://us02web.zoom.us/j/8123?pwd=abc.1\\n\\nMeeting ID: 812 3",
        "-::~:~::~:~\\nJoin with Google Meet: https://meet.google.com/abc-defg-hij\\n-::~:~::~:~",
        "________________________________________________________________________________\\nMicrosoft Teams Need help?\\n\
         Join the meeting now<https://teams.microsoft.com/l/meetup-join/19%3ameeting_b>\\nMeeting ID: 1 2\\n\
         ________________________________________________________________________________",
    ] {
        let event = event(&format!("{BASE}DESCRIPTION:Agenda\\n\\n{block}\r\n"));
        let html = Body::of(&event, Shown { meeting: true, ..SHOWN }, english()).html;
        assert_eq!(seen(&html), format!("Agenda\\n\\n{block}").replace("\\n", "\n"));
        assert_eq!(html.matches("<a href=").count(), 1, "{html}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever stands in it: within the limit, whole HTML, and nothing is left out without a word.
    #[test]
    fn every_body_keeps_its_limit_and_counts_what_it_leaves_out(
        description in "(\\PC|👩‍👧|<b>|&|https://x/y | |\\\\n){0,40}",
        times in 1_usize..200,
        styled: bool,
        files in 0_usize..200,
        people in 0_usize..700,
        limit in prop::sample::select(vec![10 * 1024, 25 * 1024, 100 * 1024]),
    ) {
        let text = description.repeat(times).replace('\\', "");
        let name = if styled { "X-ALT-DESC;FMTTYPE=text/html:<p>" } else { "DESCRIPTION:" };
        let escaped = text.replace(';', "\\;").replace(',', "\\,");
        let mut lines = format!("{BASE}{name}{escaped}\r\nURL:https://url.example/\r\n");
        lines.extend((0..files).map(|file| format!("ATTACH:https://files.example/{file}\r\n")));
        lines.push_str(&guests(people));
        let event = event(&lines);
        let shown = Shown { limit, ..SHOWN };
        let body = Body::of(&event, shown, english());
        prop_assert!(body.html.len() <= limit);
        prop_assert_eq!(crate::calendar::html::sanitised(&body.html), body.html.clone());
        let cut_line = body.html.ends_with("All of it stands in the calendar.]</p>");
        prop_assert_eq!(body.cut, cut_line);
        let left_out = |one: &str, several: &str| {
            if body.html.contains(one) {
                return 1;
            }
            let before = body.html.split(several).next().filter(|before| before.len() < body.html.len());
            before.map_or(0, |before| before.rsplit("<p>").next().unwrap().parse().unwrap())
        };
        let missing = left_out("<p>One more guest is", " more guests are not shown");
        prop_assert_eq!(body.html.matches("@example.org&gt;").count() + missing, people);
        let missing = left_out("<p>One more attachment is", " more attachments are not shown");
        prop_assert_eq!(body.html.matches("\"https://files.example/").count() + missing, files);
        let everything = Body::of(&event, Shown { limit: 100 * limit, ..shown }, english());
        prop_assert_eq!(body.cut, everything.html.len() > limit);
        prop_assert!(body.cut || body == everything);
    }
}
