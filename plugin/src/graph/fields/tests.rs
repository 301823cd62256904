use proptest::prelude::*;

use super::*;
use crate::calendar;
use crate::domain::{Account, Setting};

fn event(lines: &str) -> Event {
    let text = format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261201T100000Z\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    calendar::read(&text, &Account::default()).unwrap().event.unwrap()
}

fn settings(settings: &[(&str, &str)]) -> Settings {
    let settings = settings.iter().map(|&(name, value)| Setting { name: name.into(), value: value.into() }).collect();
    Settings::of(&Account { settings, ..Account::default() })
}

fn showing(settings: &Settings) -> Showing<'_> {
    Showing { settings, copy: Copy::Own, meeting: true, draft: false, words: Words::for_language("en") }
}

#[test]
fn a_subject_is_cut_between_characters_as_people_see_them() {
    for (whole, kept) in [
        ("é".repeat(255), "é".repeat(255)),
        ("é".repeat(256), "é".repeat(255)),
        // Each of two UTF-16 units: an odd number of units cannot be filled.
        ("😀".repeat(200), "😀".repeat(127)),
        // Of eleven units each.
        ("👩‍👩‍👧‍👦".repeat(40), "👩‍👩‍👧‍👦".repeat(23)),
        ("🇦🇹".repeat(100), "🇦🇹".repeat(63)),
        (format!("{}e\u{301}", "x".repeat(254)), "x".repeat(254)),
        (format!("{}کلمه", "ש".repeat(253)), format!("{}کل", "ש".repeat(253))),
    ] {
        let (cut, was_cut) = subject(&whole);
        assert_eq!((cut.as_str(), was_cut), (kept.as_str(), whole != kept));
    }
    assert_eq!(subject("a\nb\tc\u{7}"), ("a b c ".to_owned(), false));
}

#[test]
fn role_and_kind_are_kept_where_graph_can() {
    let guests = event(
        "ATTENDEE;ROLE=CHAIR;CN=A:mailto:a@x.example\r\nATTENDEE;ROLE=OPT-PARTICIPANT:mailto:b@x.example\r\n\
         ATTENDEE;ROLE=NON-PARTICIPANT:mailto:c@x.example\r\nATTENDEE;CUTYPE=ROOM:mailto:d@x.example\r\n\
         ATTENDEE;CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT:mailto:e@x.example\r\n\
         ATTENDEE;CUTYPE=GROUP;ROLE=OPT-PARTICIPANT:mailto:f@x.example\r\nATTENDEE;CUTYPE=GROUP:mailto:g@x.example\r\n\
         ATTENDEE;CUTYPE=UNKNOWN:mailto:h@x.example\r\nATTENDEE;CN=Nobody:urn:uuid:1\r\n",
    );
    let settings = settings(&[("invitations", "microsoft")]);
    let fields = Fields::of(&guests, showing(&settings)).all();
    let kinds: Vec<(&str, &str)> = fields["attendees"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["emailAddress"]["address"].as_str().unwrap()[..1], one["type"].as_str().unwrap()))
        .collect();
    let expected = [
        ("a", "required"),
        ("b", "optional"),
        ("c", "optional"),
        ("d", "resource"),
        ("e", "resource"),
        ("f", "optional"),
        ("g", "required"),
        ("h", "required"),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(fields["attendees"][0]["emailAddress"]["name"], "A");
    assert_eq!(fields["attendees"][1]["emailAddress"]["name"], "b@x.example");
    assert_eq!(Missing::of(&guests, showing(&settings)), Missing { unreachable: 1, ..Missing::default() });
}

#[test]
fn five_hundred_are_invited_and_one_more_is_none() {
    let settings = settings(&[("invitations", "microsoft")]);
    for (number, invited) in [(500, 500), (501, 0)] {
        let lines: String = (0..number).map(|number| format!("ATTENDEE:mailto:g{number}@x.example\r\n")).collect();
        // Who has no address is nobody Microsoft could invite.
        let event = event(&format!("{lines}ATTENDEE;CN=Nobody:urn:uuid:1\r\n"));
        let fields = Fields::of(&event, showing(&settings));
        assert_eq!(fields.some(&[ATTENDEES])["attendees"].as_array().unwrap().len(), invited);
        assert_eq!(Missing::of(&event, showing(&settings)).attendees, invited == 0);
    }
}

#[test]
fn of_what_is_hidden_nothing_is_missing() {
    let private = event(&format!("CLASS:PRIVATE\r\nSUMMARY:{}\r\n", "x".repeat(300)));
    let settings = settings(&[("mirror", "all-events")]);
    let hidden = Missing { hidden: true, ..Missing::default() };
    assert_eq!(Missing::of(&private, Showing { meeting: false, ..showing(&settings) }), hidden);
    assert_eq!(Missing::of(&private, showing(&settings)), Missing { subject: true, ..Missing::default() });
}

/// Escapes a value of type TEXT (RFC 5545 §3.3.11).
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// What the calendar says in whatever script is what Graph is told, and it is told the same again.
    #[test]
    fn fields_say_what_the_calendar_says(
        subject in "(\\PC|[אبก你😀]|e\u{301}){0,40}",
        location in "\\PC{0,40}",
        categories in prop::collection::vec("[^\\pC\\pZ]{1,9}", 0..4),
        class in prop::sample::select(vec![("PUBLIC", "normal"), ("PRIVATE", "private"), ("CONFIDENTIAL", "confidential"), ("X-Y", "private")]),
        transp in prop::sample::select(vec![("OPAQUE", "CONFIRMED", "busy"), ("TRANSPARENT", "CONFIRMED", "free"), ("OPAQUE", "TENTATIVE", "tentative"), ("TRANSPARENT", "TENTATIVE", "free")]),
        priority in 0_u8..=9,
        minutes in prop::option::of(0_u32..100_000),
        position in prop::option::of((-90.0..=90.0_f64, -180.0..=180.0_f64)),
    ) {
        let mut lines = format!(
            "SUMMARY:{}\r\nLOCATION:{}\r\nCLASS:{}\r\nTRANSP:{}\r\nSTATUS:{}\r\nPRIORITY:{priority}\r\n",
            escaped(&subject), escaped(&location), class.0, transp.0, transp.1
        );
        lines.extend(categories.iter().map(|name| format!("CATEGORIES:{}\r\n", escaped(name))));
        let position = position.map(|(latitude, longitude)| ((latitude * 1e4).round() / 1e4, (longitude * 1e4).round() / 1e4));
        lines.extend(position.map(|(latitude, longitude)| format!("GEO:{latitude};{longitude}\r\n")));
        lines.extend(minutes.map(|minutes| format!("BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT{minutes}M\r\nEND:VALARM\r\n")));
        let settings = settings(&[]);
        let fields = Fields::of(&event(&lines), showing(&settings)).some(&[
            "subject", "location", "categories", "sensitivity", "showAs", "importance", "reminder",
        ]);
        prop_assert_eq!(&fields["subject"], &json!(subject));
        prop_assert_eq!(&fields["location"]["displayName"], &json!(location));
        let mut names: Vec<String> = Vec::new();
        for name in categories {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        prop_assert_eq!(&fields["categories"], &json!(names));
        prop_assert_eq!(&fields["sensitivity"], &json!(class.1));
        prop_assert_eq!(&fields["showAs"], &json!(transp.2));
        let importance = match priority { 1..=4 => "high", 6..=9 => "low", _ => "normal" };
        prop_assert_eq!(&fields["importance"], &json!(importance));
        prop_assert_eq!(&fields["isReminderOn"], &json!(minutes.is_some()));
        prop_assert_eq!(fields.get("reminderMinutesBeforeStart").and_then(Value::as_u64), minutes.map(u64::from));
        let told = fields["location"].get("coordinates").map(|at| (at["latitude"].as_f64().unwrap(), at["longitude"].as_f64().unwrap()));
        let close = match (told, position) {
            (Some(told), Some(meant)) => (told.0 - meant.0).abs() < 1e-4 && (told.1 - meant.1).abs() < 1e-4,
            (told, meant) => told.is_none() && meant.is_none(),
        };
        prop_assert!(close, "{told:?} is not {position:?}");
        let again = Fields::of(&event(&lines), showing(&settings));
        prop_assert_eq!(again.changed(&again.fingerprints()), Vec::<&str>::new());
    }
}
