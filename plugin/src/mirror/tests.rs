//! The requests that leave, in which order with which checkpoints, and what each answer comes to.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::*;
use crate::domain::{Account, Setting};
use crate::host::{HttpError, Level, Request, Response};
use crate::record::Record;

mod content;
mod create;
mod series;
mod update;

const TAG: &str = "0123456789abcdef0123456789abcdef";
const URL: &str = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%7d";
/// The first id the script gives.
const FIRST_ID: &str = "00000000000000000000000000000001";
const MEETING: Intent = Intent { mirror: true, meeting: true };
const PLAIN: Intent = Intent { mirror: true, meeting: false };
const NOTHING: Intent = Intent { mirror: false, meeting: false };
const NEW_URL: &str = "https://teams.microsoft.com/meet/123?p=new";
/// 2026-11-22T10:00:00Z.
const NOW: i64 = 1_795_341_600_000;
const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20261122T090000Z\r\n\
    DTSTART;TZID=Europe/Berlin:20261201T100000\r\nDTEND;TZID=Europe/Berlin:20261201T110000\r\nSUMMARY:Planning\r\n\
    DESCRIPTION:Agenda\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// A host that plays a script and notes what it was asked.
#[derive(Default)]
struct Script {
    answers: VecDeque<Result<Response, HttpError>>,
    requests: Vec<Request>,
    /// `send` with the method, or `save` with whether there was a record, in their order.
    steps: Vec<String>,
    saved: Option<Option<Vec<u8>>>,
    save_fails: bool,
    ids: u128,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<Response, HttpError>>) -> Self {
        Self { answers: answers.into_iter().collect(), ..Self::default() }
    }

    fn body(&self, at: usize) -> Value {
        serde_json::from_slice(self.requests[at].body.as_deref().unwrap()).unwrap()
    }

    fn saved(&self) -> Record {
        Record::read(self.saved.as_ref().unwrap().as_deref().unwrap()).unwrap()
    }

    #[track_caller]
    fn assert_steps(&self, steps: &[&str]) {
        assert_eq!(self.steps, steps);
        assert!(self.answers.is_empty(), "answers left over");
    }
}

impl Host for Script {
    fn send(&mut self, request: Request) -> Result<Response, HttpError> {
        let prefer = request.headers.iter().find(|(name, _)| name == "Prefer");
        assert_eq!(prefer.map(|(_, value)| value.as_str()), Some("IdType=\"ImmutableId\""));
        self.steps.push(format!("{:?}", request.method));
        self.requests.push(request);
        self.answers.pop_front().expect("a request the script does not know")
    }

    fn save(&mut self, record: Option<Vec<u8>>) -> Result<(), String> {
        self.steps.push(if record.is_some() { "save" } else { "clear" }.to_owned());
        self.saved = Some(record);
        if self.save_fails { Err("disk full".into()) } else { Ok(()) }
    }

    fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("{:032x}", self.ids)
    }

    fn log(&mut self, _: Level, _: &str) {}
}

fn answer(status: u16, body: Value) -> Result<Response, HttpError> {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    Ok(Response { status, headers: Vec::new(), retry_after_ms: None, body })
}

fn refusal(status: u16, code: &str) -> Result<Response, HttpError> {
    answer(status, json!({ "error": { "code": code, "message": "…" } }))
}

fn block(url: &str) -> String {
    let row = "_".repeat(80);
    format!(
        "<div><span>{row}</span></div><div class=\"me-email-text\"><a href=\"{url}\">Join</a></div><div>{row}</div>"
    )
}

fn remote(url: Option<&str>, etag: &str) -> Value {
    json!({
        "@odata.etag": etag,
        "id": "AAk=",
        "webLink": "https://outlook.office365.com/owa/?itemid=1",
        "isOnlineMeeting": url.is_some(),
        "onlineMeeting": url.map(|url| json!({ "joinUrl": url })),
        "body": { "contentType": "html", "content": format!("<html><body>Agenda{}</body></html>", url.map(block).unwrap_or_default()) },
    })
}

fn context(settings: &[(&str, &str)]) -> Context {
    Context {
        account: Account {
            address: "alice@example.org".into(),
            language: "en".into(),
            settings: settings
                .iter()
                .map(|&(name, value)| Setting { name: name.into(), value: value.into() })
                .collect(),
            ..Account::default()
        },
        mailbox: None,
        now_ms: NOW,
        may_exist: false,
        draft: false,
    }
}

fn object(text: &str) -> CalendarObject {
    CalendarObject { uid: "u1".into(), tag: TAG.into(), icalendar: text.into() }
}

fn created(context: &Context, text: &str) -> Vec<u8> {
    let mut host = Script::new([answer(201, remote(Some(URL), "W/\"1\""))]);
    on_create(&mut host, context, &object(text), MEETING).unwrap().mirrored.unwrap()
}

fn codes(outcome: &Outcome) -> Vec<&str> {
    outcome.notices.iter().map(|notice| notice.code.as_str()).collect()
}
