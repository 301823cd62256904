//! What an event is about, as it stands in Teams, and what is said where it does not.

use support::{Put, event};

use crate::world::{ALICE, World};

fn body(world: &World) -> String {
    world.in_teams()[0]["body"]["content"].as_str().unwrap().to_owned()
}

/// The sentence of a notice.
fn sentence(answer: &support::Answer, code: &str) -> String {
    let notices = answer.json["notices"].as_array().unwrap();
    let notice = notices.iter().find(|notice| notice["code"] == code).unwrap_or_else(|| panic!("{}", answer.text));
    notice["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_text_in_any_script_arrives_harmless_with_its_links_and_files() {
    let world = World::signed_in();
    let mut server = world.server();
    let text = event::meeting(
        "e1",
        "Besprechung 👩‍👩‍👧‍👦 会議 اجتماع",
        &[
            "DESCRIPTION:Agenda:\\n  1. Budget\\nhttps://wiki.example.org/?a=1&b=2",
            "X-ALT-DESC;FMTTYPE=text/html:<p onclick=\"x()\">Agenda<!-- secret --><img src=\"https://t.example/p.gif\">\
             <script>alert(1)</script> <a href=\"https://wiki.example.org/\">Wiki</a></p>",
            "ATTACH;FILENAME=\"Plan 1.pdf\":https://files.example.org/1",
            "ATTACH;ENCODING=BASE64;VALUE=BINARY:QUJD",
            "URL:https://url.example.org/",
        ],
    );
    let answer = server.save("e1", &text, &Put::wanted()).unwrap();
    assert_eq!(answer.notice_codes(), ["attachments-not-mirrored"]);
    assert!(sentence(&answer, "attachments-not-mirrored").starts_with("One attachment was not mirrored"));
    let link = world.settled("e1").str("join_url").to_owned();
    assert_eq!(world.in_teams()[0]["subject"], "Besprechung 👩‍👩‍👧‍👦 会議 اجتماع");
    let sent = world.graph()[0].json()["body"]["content"].as_str().unwrap().to_owned();
    for gone in ["secret", "img", "gif", "script", "alert", "onclick", "QUJD"] {
        assert!(!sent.contains(gone), "{gone}: {sent}");
    }
    for there in [
        "<a href=\"https://wiki.example.org/\">Wiki</a>",
        "<a href=\"https://files.example.org/1\">Plan 1.pdf</a>",
        "<a href=\"https://url.example.org/\">",
    ] {
        assert!(sent.contains(there), "{there}: {sent}");
    }

    // The plain text alone, and one more file: the meeting stays, and our own block is not told beside Microsoft's.
    let stored = server.stored("e1").replace("\r\n ", "");
    let plain: String = stored.split_inclusive("\r\n").filter(|line| !line.starts_with("X-ALT-DESC")).collect();
    let more = plain.replace("ATTACH;FILENAME", "ATTACH:https://files.example.org/2\r\nATTACH;FILENAME");
    server.save("e1", &more, &Put::default()).unwrap();
    assert_eq!(world.settled("e1").str("join_url"), link);
    let sent = world.graph().last().unwrap().json()["body"]["content"].as_str().unwrap().to_owned();
    assert!(
        sent.starts_with("Agenda:<br>\n&nbsp;&nbsp;1. Budget<br>\n<a href=\"https://wiki.example.org/?a=1&amp;b=2\">")
    );
    assert!(sent.contains("https://files.example.org/2") && !sent.contains("[tm:"), "{sent}");
    assert_eq!(world.in_teams()[0]["onlineMeeting"]["joinUrl"], link);
}

#[test]
fn a_body_is_cut_where_the_administrator_says_and_says_so() {
    let world = World::signed_in();
    let (ok, said) = world.try_run(&["set", "body-limit=7", "--server"]);
    assert!(!ok && said.contains("`body-limit` cannot be `7`") && said.contains("`10`, `25`"), "{said}");
    world.run(&["set", "body-limit=10", "--server"]);
    world.run(&["set", "guest-list=on", "--server"]);
    let mut server = world.server();
    let long = format!("DESCRIPTION:{}", "All of it. ".repeat(2000));
    let guests: Vec<String> =
        (0..400).map(|number| format!("ATTENDEE;ROLE=OPT-PARTICIPANT;CN=Guest:mailto:g{number}@test.tld")).collect();
    let mut lines = vec!["ORGANIZER:mailto:alice@test.tld", long.as_str()];
    lines.extend(guests.iter().map(String::as_str));
    let answer = server.save("e1", &event::meeting("e1", "Planning", &lines), &Put::wanted()).unwrap();
    assert!(sentence(&answer, "body-cut").starts_with("Teams shows 10 KB"), "{}", answer.text);
    let link = world.settled("e1").str("join_url").to_owned();
    let sent = world.graph()[0].json()["body"]["content"].as_str().unwrap().to_owned();
    assert!(sent.len() <= 10 * 1024, "{}", sent.len());
    let listed = sent.matches("@test.tld&gt;").count();
    assert!(sent.contains(&format!("<p>{} more guests are not shown here.</p>", 400 - listed)), "{listed}: {sent}");

    // In the account's language, and with the meeting's block whole.
    world.hook.put_account(ALICE, serde_json::json!({ "language": "de-AT" })).unwrap();
    let changed = server.stored("e1").replace("All of it. All", "Changed. All");
    let answer = server.save("e1", &changed, &Put::default()).unwrap();
    assert!(sentence(&answer, "body-cut").starts_with("Teams zeigt 10 KB"), "{}", answer.text);
    assert_eq!(world.settled("e1").str("join_url"), link);
    let shown = body(&world);
    assert!(shown.contains("Gäste (optional):") && shown.contains("Im Kalender steht er ganz.]"), "{shown}");
    assert!(shown.contains("me-email-text") && shown.contains(&link.replace('&', "&amp;")), "{shown}");
    assert_eq!(world.in_teams()[0]["onlineMeeting"]["joinUrl"], link);
}
