//! A save of one event: the two beats around the server's store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};

use super::body::{self, Read};
use super::dav::Multistatus;
use super::hook::{Answer, Event};
use super::notes::{Note, Outcome, Record, Sent, Step};
use super::owner::Calendar;
use super::server::Who;
use super::shared::Shared;
use super::{introduce, later, look, peek};
use crate::doors::gateway::{Body, full};

/// Less than this is too little for a report; the worker makes it then.
const SHORTEST: Duration = Duration::from_millis(200);
/// How long something older about the same event may take to be told.
const OLDER: Duration = Duration::from_secs(2);

/// The longest answer about the one object of a POST, in octets.
const MOST_OF_MANY: usize = 16 * 1024 * 1024;

/// What validates the text a client sent, and not the one that was stored (RFC 4791 §5.3.4).
const VALIDATORS: [HeaderName; 3] = [header::ETAG, header::LAST_MODIFIED, HeaderName::from_static("oc-etag")];
/// What is true of the client's text alone.
const DIGESTS: [&str; 8] = [
    "content-md5",
    "digest",
    "content-digest",
    "repr-digest",
    "oc-checksum",
    "oc-total-length",
    "x-expected-entity-length",
    "content-encoding",
];

/// A save that can have two beats.
pub(super) struct Save {
    pub(super) who: Who,
    pub(super) head: Parts,
    pub(super) body: Bytes,
    pub(super) text: String,
    pub(super) uid: String,
    /// The path it is stored under; `None`: the server chooses one.
    pub(super) object: Option<String>,
    /// What was stored there before.
    pub(super) before: Option<String>,
    pub(super) calendar: Arc<Calendar>,
}

/// A save on its way.
struct Going {
    shared: Arc<Shared>,
    who: Who,
    calendar: Arc<Calendar>,
    event: Step,
    before: Option<String>,
    /// Whether the client named the path; else the server's answer does.
    placed: bool,
    change: String,
    note: Option<Note>,
    announced: bool,
    /// Until when the client may be made to wait for the hook.
    ends: Instant,
}

impl Save {
    /// Asks the hook, has the server store what the hook answers, and tells the hook what became of it.
    pub(super) async fn go(self, shared: Arc<Shared>) -> Response<Body> {
        let Self { who, head, body, text, uid, object, before, calendar } = self;
        let step = step(&calendar, &uid, object.as_deref().unwrap_or_default(), Some(text));
        let change = uuid();
        let ends = Instant::now() + shared.config.patience;
        let first = async {
            if !shared.is_up() || !shared.notes.told(&[step.event()], OLDER.min(shared.config.patience)).await {
                return Err(());
            }
            let record = Record { change: Some(change.clone()), ..Record::of_steps(vec![step.clone()]) };
            shared.note(record, true).await
        };
        let Ok(note) = first.await else {
            return later::told_after(shared, who, Request::from_parts(head, full(body)), step, None).await;
        };
        let placed = object.is_some();
        let mut going =
            Going { shared, who, calendar, event: step, before, placed, change, note, announced: false, ends };
        let amended = going.announce(body.clone()).await;
        going.store(head, body, amended).await
    }
}

impl Going {
    fn event(&self) -> Event<'_> {
        let object = Some(self.event.object.as_str()).filter(|object| !object.is_empty());
        Event { account: &self.event.account, uid: &self.event.uid, object }
    }

    fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// First beat. Gives the text to store in place of the client's.
    async fn announce(&mut self, body: Bytes) -> Option<String> {
        let asked = async {
            introduce::now_and_then(&self.shared, &self.calendar.owner).await?;
            let waits = self.shared.waiting.try_acquire();
            self.shared
                .hook
                .announce(self.event(), body, &self.calendar, &self.change, self.left(), waits.is_ok())
                .await
        };
        let answer: Answer = match asked.await {
            Ok(answer) => answer,
            Err(error) => {
                // Perhaps the hook has it all the same; whoever tells what became of it closes that.
                self.shared.unanswered(&error);
                return None;
            }
        };
        if !answer.is_taken() {
            self.shared.refused(&self.event.object, &answer);
        }
        self.announced = answer.is_recorded();
        if !self.announced
            && let Some(note) = self.note.take()
        {
            note.done();
        }
        let ours = self.event.text.as_deref();
        answer.icalendar().filter(|answered| Some(*answered) != ours).map(str::to_owned)
    }

    /// Has the server store it: the answered text, or the client's own, should the server not like the answered one.
    async fn store(mut self, head: Parts, own: Bytes, amended: Option<String>) -> Response<Body> {
        let (announced, text) = (self.announced, amended.clone());
        self.note = self.shared.written(self.note.take(), move |note| note.sent(Sent { text, announced })).await;
        let request = match &amended {
            Some(amended) => with_text(&head, amended),
            None => again(&head, own.clone()),
        };
        let mut answer = match self.shared.write(request).await {
            Ok(answer) => answer,
            Err(unreachable) => {
                if unreachable.may_have_arrived() {
                    self.unknown();
                } else {
                    self.finished(Outcome::Refused).await;
                }
                return unreachable.answer();
            }
        };
        if answer.status() == StatusCode::MULTI_STATUS && !self.placed {
            let (answer, stored) = self.of_many(answer).await;
            if let Some(amended) = amended {
                self.event.text = Some(amended);
            }
            self.finished(if stored { Outcome::Stored } else { Outcome::Refused }).await;
            return answer;
        }
        if answer.status().is_success() {
            self.placed_by(&answer);
            if let Some(amended) = amended {
                self.event.text = Some(amended);
                validators_out(answer.headers_mut());
            }
            self.finished(Outcome::Stored).await;
            return answer;
        }
        if let Some(amended) = amended
            && (is_about_the_text(answer.status()) || self.broke_on(&amended, answer.status()).await)
        {
            return self.store_own(head, own, amended.len()).await;
        }
        self.not_stored(answer.status()).await;
        answer
    }

    /// Whether the server failed, and what was there before still is: perhaps it cannot deal with the link.
    async fn broke_on(&self, amended: &str, status: StatusCode) -> bool {
        if status != StatusCode::INTERNAL_SERVER_ERROR || !self.placed || self.before.as_deref() == Some(amended) {
            return false;
        }
        let there = self.shared.server.get(&self.who, &self.event.object).await;
        there.is_ok_and(|there| there.map(|there| there.text) == self.before)
    }

    /// The client's own text, once.
    async fn store_own(mut self, head: Parts, own: Bytes, amended: usize) -> Response<Body> {
        let length = own.len();
        let answer = match self.shared.write(again(&head, own)).await {
            Ok(answer) => answer,
            Err(unreachable) => {
                self.unknown();
                return unreachable.answer();
            }
        };
        if !answer.status().is_success() {
            self.not_stored(answer.status()).await;
            return answer;
        }
        self.placed_by(&answer);
        tracing::error!(
            object = self.event.object,
            "the server stores an event as it was sent, but not with the {} octets of the join link",
            amended.saturating_sub(length)
        );
        self.finished(Outcome::StoredOriginal).await;
        answer
    }

    async fn not_stored(mut self, status: StatusCode) {
        if status.is_server_error() {
            self.unknown();
        } else {
            self.finished(Outcome::Refused).await;
        }
    }

    /// Some servers take a POST for many objects, which are one here, and answer with the status of each (calendarserver's bulk
    /// requests, as in Cyrus). Whether it is stored.
    async fn of_many(&mut self, answer: Response<Body>) -> (Response<Body>, bool) {
        let (head, body) = answer.into_parts();
        let body = match body::read(body, MOST_OF_MANY).await {
            Read::Whole(body) => body,
            Read::Longer(body) => return (Response::from_parts(head, body), false),
            Read::Broken(_) => return (Response::from_parts(head, full("")), false),
        };
        let found = std::str::from_utf8(&body).ok().and_then(|text| Multistatus::parse(text).ok()).unwrap_or_default();
        let stored =
            found.resources.into_iter().find(|one| one.status.is_none_or(|status| (200..300).contains(&status)));
        if let Some(one) = &stored {
            self.event.object = self.calendar.told_object(&one.path);
        }
        (Response::from_parts(head, full(body)), stored.is_some())
    }

    /// Where the server chose the path, it names it (RFC 5995 §3.1).
    fn placed_by(&mut self, answer: &Response<Body>) {
        if !self.placed {
            self.event.object =
                later::placed_by(answer).map(|path| self.calendar.told_object(&path)).unwrap_or_default();
        }
    }

    /// Nobody knows what became of it; whoever looks will see.
    fn unknown(&mut self) {
        if self.event.object.is_empty() {
            // Nobody knows where to look; the hook takes it as stored after a while.
            if let Some(note) = self.note.take() {
                note.done();
            }
            return;
        }
        look::begin(&self.shared, self.who.clone(), self.note.take());
    }

    /// Second beat.
    async fn finished(&mut self, outcome: Outcome) {
        let Some(note) = self.note.take() else {
            // Nothing could be noted, so this is the only chance.
            if self.announced {
                self.report(outcome).await;
            }
            return;
        };
        let stored = outcome != Outcome::Refused;
        let left = self.left();
        if self.announced && left >= SHORTEST && self.shared.is_up() && self.report(outcome).await {
            if stored && !self.event.object.is_empty() {
                self.check(note);
            } else {
                note.done();
            }
            return;
        }
        let step = self.event.clone();
        let placed = self.placed;
        let noted = self.shared.written(Some(note), move |note| {
            if !placed && stored {
                note.steps(vec![step]);
            }
            note.outcome(outcome);
        });
        drop(noted.await);
    }

    /// Whether the hook took it.
    async fn report(&self, outcome: Outcome) -> bool {
        let patience = self.left().max(SHORTEST);
        match self.shared.hook.report(self.event(), &self.change, outcome, patience).await {
            Ok(answer) => answer.is_taken(),
            Err(error) => {
                self.shared.unanswered(&error);
                false
            }
        }
    }

    /// Sees whether what was reported is what is stored: another save may have come between, and a server may have read the text
    /// in its own way. Nobody waits for it.
    fn check(&self, note: Note) {
        let (shared, who, given) = (Arc::clone(&self.shared), self.who.clone(), self.event.clone());
        tokio::spawn(async move {
            match look::at(&shared, &who, &given).await {
                Ok(now)
                    if !now.gone
                        && peek::same_events(
                            now.text.as_deref().unwrap_or_default(),
                            given.text.as_deref().unwrap_or_default(),
                        ) =>
                {
                    note.done();
                }
                Ok(now) => look::seen(&shared, note, vec![now]).await,
                // It was stored, which was reported; that is all there is to know.
                Err(_) => note.done(),
            }
        });
    }
}

/// What is told of an object of a calendar.
pub(super) fn step(calendar: &Calendar, uid: &str, object: &str, text: Option<String>) -> Step {
    Step {
        account: calendar.owner.account.clone(),
        uid: uid.to_owned(),
        object: calendar.told_object(object),
        calendar: calendar.told.clone(),
        calendar_name: calendar.name.clone(),
        text,
        ..Step::default()
    }
}

/// The client's request once more.
fn again(head: &Parts, body: Bytes) -> Request<Body> {
    let mut request = Request::new(full(body));
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = head.headers.clone();
    // The body is here; nobody need be asked whether it may come.
    request.headers_mut().remove(header::EXPECT);
    request
}

/// The client's request with another text.
fn with_text(head: &Parts, text: &str) -> Request<Body> {
    let mut request = again(head, Bytes::copy_from_slice(text.as_bytes()));
    let headers = request.headers_mut();
    for name in DIGESTS {
        headers.remove(name);
    }
    let kind =
        headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let says_utf8 = kind.starts_with("text/calendar") && kind.contains("charset") && kind.contains("utf-8");
    if !says_utf8 {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"));
    }
    request
}

/// Takes out what would make the client believe that its own text is stored. An answer that holds the stored text keeps it
/// (`Prefer: return=representation`, RFC 8144).
fn validators_out(headers: &mut HeaderMap) {
    let applied = headers.get_all("preference-applied").iter().filter_map(|value| value.to_str().ok());
    if applied
        .into_iter()
        .any(|value| value.to_ascii_lowercase().replace([' ', '"'], "").contains("return=representation"))
    {
        return;
    }
    for name in VALIDATORS {
        headers.remove(name);
    }
}

/// Whether a refusal may be about the text: its form, its size, a precondition of CalDAV (RFC 4791 §5.3.2.1).
fn is_about_the_text(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 403 | 409 | 413 | 415 | 422 | 507)
}

/// An id of a change: 32 hexadecimal digits.
fn uuid() -> String {
    let mut octets = [0_u8; 16];
    // Without randomness two changes could have one id; then the hook says `change-closed`, and the save goes on without it.
    let _ = getrandom::fill(&mut octets);
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method("PUT").uri("/alice/work/e1.ics?x=1");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn another_text_has_its_own_headers() {
        let fields = [
            ("content-type", "text/calendar; charset=UTF-8; component=VEVENT"),
            ("content-md5", "x"),
            ("expect", "100-continue"),
            ("if-match", "\"1\""),
        ];
        let request = with_text(&head(&fields), "é");
        assert_eq!(request.uri(), "/alice/work/e1.ics?x=1");
        assert_eq!(request.headers()["content-type"], "text/calendar; charset=UTF-8; component=VEVENT");
        assert_eq!(request.headers()["if-match"], "\"1\"");
        assert!(!request.headers().contains_key("content-md5") && !request.headers().contains_key("expect"));
        for kind in ["text/calendar", "text/calendar; charset=us-ascii", "application/octet-stream"] {
            let request = with_text(&head(&[("content-type", kind)]), "é");
            assert_eq!(request.headers()["content-type"], "text/calendar; charset=utf-8", "{kind}");
        }
    }

    #[test]
    fn an_answer_with_the_stored_text_keeps_its_etag() {
        let mut headers = HeaderMap::new();
        headers.insert("etag", HeaderValue::from_static("\"1\""));
        headers.insert("last-modified", HeaderValue::from_static("x"));
        headers.insert("schedule-tag", HeaderValue::from_static("\"2\""));
        let mut shown = headers.clone();
        shown.insert("preference-applied", HeaderValue::from_static("return=representation"));
        validators_out(&mut shown);
        assert!(shown.contains_key("etag"));
        validators_out(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["schedule-tag"]);
    }

    #[test]
    fn changes_have_ids_of_their_own() {
        let (one, other) = (uuid(), uuid());
        assert!(one.len() == 32 && one != other);
    }
}
