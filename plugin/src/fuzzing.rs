//! What has to hold whatever comes in: called by the fuzz targets in `plugin/fuzz`, and by a test that replays the inputs
//! kept in `plugin/fuzz/corpus`.
//!
//! Each function takes the bytes of one iCalendar text, as a server would hand it over, and panics where something does not
//! hold.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken promise is told to the fuzzer by panicking"
)]

use crate::domain::{Account, CalendarObject, Context, History, Intent, Setting, Wish};
use crate::host::{Host, HttpError, Level, Method, Request, Response};
use crate::join_link::{Document, Ours, insert, remove};
use crate::mirror;
use crate::prepare::{Save, prepare};
use crate::words::Words;

const TAG: &str = "0123456789abcdef0123456789abcdef";
const URL: &str = "https://teams.microsoft.com/meet/2345678901?p=AbC";
const NOW: i64 = 1_795_341_600_000;

/// A text is answered or refused; what is answered is answered the same again; what is not ours stays as it was.
pub fn parse(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for (wish, settings) in [(Wish::Wanted, &[][..]), (Wish::Keep, &[("mirror", "all-events"), ("guest-list", "on")])] {
        let save = save(text, wish, settings);
        let Ok(first) = prepare(&save) else { continue };
        assert_eq!(prepare(&save).as_ref(), Ok(&first), "pure");
        if !first.mirror && first.reason.as_deref() == Some("not-an-event") {
            assert_eq!(first.icalendar, text, "what is no event stays as it is");
        }
        let again =
            Save { object: CalendarObject { icalendar: first.icalendar.clone(), ..save.object.clone() }, ..save };
        let second = prepare(&again).expect("what was answered is understood");
        assert_eq!(second.icalendar, first.icalendar, "what was answered is answered the same");
        assert_eq!(second.kept, first.kept, "and means the same");
    }
}

/// Putting the link in and taking it out again restores every byte.
pub fn edit(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let document = Document::parse(text);
    let rendered: String = document.lines.iter().map(|line| line.raw.as_ref()).collect();
    assert_eq!(rendered, text, "lines are kept as they are");
    // What already carries marks of ours loses them, which is meant.
    if !document.well_formed || text.contains("tm:") || unfolded(text).contains(URL) {
        return;
    }
    let ours = Ours { tags: Some(&[TAG]), urls: &[URL] };
    for words in Words::all() {
        let with = insert(&document, TAG, URL, words);
        let with = Document::parse(&with);
        assert!(with.well_formed, "the text stays one");
        assert_eq!(remove(&with, ours), text, "insert and remove is the identity");
    }
}

/// What is to be mirrored becomes requests that Microsoft can read, and a second run finds nothing left to do.
pub fn map(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let settings = [("mirror", "all-events"), ("guest-list", "on"), ("private", "full")];
    let save = save(text, Wish::Wanted, &settings);
    let Ok(prepared) = prepare(&save) else { return };
    if !prepared.mirror || prepared.rejected.is_some() {
        return;
    }
    let context = Context { account: save.account.clone(), mailbox: None, now_ms: NOW, may_exist: false, draft: false };
    let object = CalendarObject { icalendar: prepared.kept.clone(), ..save.object.clone() };
    let intent = Intent { mirror: true, meeting: prepared.meeting };
    let mut host = Obliging::default();
    let Ok(outcome) = mirror::on_create(&mut host, &context, &object, intent) else { return };
    let Some(record) = outcome.mirrored else { return };
    if host.series {
        // Occurrences would have to be played as well, which is the simulator's business.
        return;
    }
    host.changes = 0;
    let _ = mirror::on_update(&mut host, &context, &object, intent, &record);
    assert_eq!(host.changes, 0, "the same text changes nothing");
}

fn save(text: &str, wish: Wish, settings: &[(&str, &str)]) -> Save {
    let settings = settings.iter().map(|&(name, value)| Setting { name: name.into(), value: value.into() }).collect();
    Save {
        account: Account {
            address: "alice@example.org".into(),
            time_zone: Some("Europe/Berlin".into()),
            language: "de".into(),
            settings,
            ..Account::default()
        },
        object: CalendarObject { uid: "u1".into(), tag: TAG.into(), icalendar: text.into() },
        mirrored: None,
        wish,
        history: History::Unseen,
        draft: false,
        now_ms: NOW,
    }
}

fn unfolded(text: &str) -> String {
    text.replace("\r\n ", "").replace("\n ", "").replace("\r\n\t", "").replace("\n\t", "")
}

/// A host that accepts everything which is JSON.
#[derive(Default)]
struct Obliging {
    ids: u64,
    /// Requests that change something.
    changes: usize,
    /// Whether a series was made.
    series: bool,
}

impl Host for Obliging {
    fn send(&mut self, request: Request) -> Result<Response, HttpError> {
        assert!(request.path.is_ascii() && request.path.starts_with('/'), "{}", request.path);
        let (status, body) = match request.method {
            Method::Get => (200, serde_json::json!({ "id": "AAk=", "value": [] })),
            Method::Delete => (204, serde_json::Value::Null),
            Method::Post | Method::Patch => {
                self.changes += 1;
                let sent: serde_json::Value =
                    serde_json::from_slice(request.body.as_deref().unwrap_or_default()).expect("JSON is sent");
                self.series |= sent.get("recurrence").is_some();
                self.ids += 1;
                let meeting = sent.get("isOnlineMeeting").is_some().then(|| serde_json::json!({ "joinUrl": URL }));
                let answer = serde_json::json!({
                    "id": format!("AAk{}=", self.ids), "@odata.etag": "W/\"1\"",
                    "isOnlineMeeting": meeting.is_some(), "onlineMeeting": meeting,
                });
                (201, answer)
            }
        };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        Ok(Response { status, headers: Vec::new(), retry_after_ms: None, body })
    }

    fn save(&mut self, _: Option<Vec<u8>>) -> Result<(), String> {
        Ok(())
    }

    fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("{:032x}", self.ids)
    }

    fn log(&mut self, _: Level, _: &str) {}
}

#[cfg(test)]
mod tests {
    type Target = fn(&[u8]);

    /// Replays the seeds and every finding; `README.md` there says what each is for.
    #[test]
    fn every_kept_input_holds_and_has_a_reason() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        let reasons = std::fs::read_to_string(corpus.join("README.md")).unwrap();
        let targets: [(&str, Target); 3] = [("parse", super::parse), ("edit", super::edit), ("map", super::map)];
        for (name, target) in targets {
            let folder = corpus.join(name);
            let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            assert!(files.len() >= 10, "{}: {} inputs", folder.display(), files.len());
            for file in files {
                println!("{}", file.display());
                let input = file.file_name().unwrap().to_string_lossy();
                let has_reason =
                    reasons.contains(&format!("`{input}`")) || reasons.contains(&format!("`{name}/{input}`"));
                assert!(has_reason, "say in fuzz/corpus/README.md what {name}/{input} is there for");
                target(&std::fs::read(&file).unwrap());
            }
        }
    }
}
