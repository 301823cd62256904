//! The client of the hook API, whose description is served at `/v1/openapi.json`.
//!
//! Every call may be repeated: saves carry a change id of our own, reports and deletes are answered like the first time. So a
//! connection that died while it was idle costs a second try and nothing else.

mod watching;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::notes::Outcome;
use super::owner::Calendar;
use crate::doors::gateway::config::GatewayConfig;
use crate::doors::gateway::upstream::Upstream;
use crate::doors::hook::BODY_LIMIT;

/// The largest text the API takes, in octets.
pub(crate) const LARGEST: usize = BODY_LIMIT;

/// How long an answer may take for which nobody waits at Microsoft.
pub(crate) const PROMPT: Duration = Duration::from_secs(5);
/// Of the time that a save may wait, what is not asked for: the answer needs some to arrive.
const MARGIN: Duration = Duration::from_secs(1);
/// The largest answer: a page of changes, each with a text and its escapes.
const LARGEST_ANSWER: usize = 128 * 1024 * 1024;

/// What stays as it is in a segment of a path, and in a query.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The hook gave no answer that counts: nothing was told, and it has to be told later. The sentence says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub(crate) struct Unanswered {
    sentence: String,
    /// Whether the next call would fare no better: nobody listens, or nobody lets us in.
    pub(crate) down: bool,
}

impl Unanswered {
    fn down(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), down: true }
    }

    fn once(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), down: false }
    }
}

/// An answer that counts.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    body: Value,
}

impl Answer {
    /// A text in the JSON body.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// Whether it is no refusal.
    pub(crate) fn is_taken(&self) -> bool {
        self.status.is_success()
    }

    /// A refusal's code.
    pub(crate) fn code(&self) -> &str {
        self.text("code").unwrap_or_default()
    }

    /// The text to store; `None` where the event is none of ours.
    pub(crate) fn icalendar(&self) -> Option<&str> {
        matches!(self.status, StatusCode::OK | StatusCode::ACCEPTED).then(|| self.text("icalendar")).flatten()
    }

    /// Whether the hook keeps the announced save, so that it has to be reported.
    pub(crate) fn is_recorded(&self) -> bool {
        self.icalendar().is_some() && self.text("change") != Some("unrecorded")
    }

    /// A refusal's reason, for a log.
    pub(crate) fn sentence(&self) -> String {
        let why = self.text("detail").or_else(|| self.text("title")).or_else(|| self.status.canonical_reason());
        format!("{} {}", self.status.as_u16(), why.unwrap_or("refused"))
    }

    /// Its body as the type it is of.
    pub(crate) fn read<T: for<'de> Deserialize<'de>>(&self) -> Option<T> {
        T::deserialize(&self.body).ok()
    }

    /// Its body.
    pub(crate) fn body(&self) -> &Value {
        &self.body
    }
}

/// An event, as the hook names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    /// The owner's address.
    pub(crate) account: &'a str,
    /// The UID.
    pub(crate) uid: &'a str,
    /// The object's path; `None` where it is not known yet.
    pub(crate) object: Option<&'a str>,
}

/// The hook API under one address with one secret.
pub(crate) struct Hook {
    upstream: Upstream,
    /// Its address, for sentences.
    address: String,
    secret_file: PathBuf,
}

impl Hook {
    /// Under the address that the configuration names.
    ///
    /// # Errors
    /// Where its authorities cannot be read, in a sentence.
    pub(crate) fn new(config: &GatewayConfig) -> Result<Self, String> {
        let upstream = Upstream::new(&config.hook, config.hook_ca_file.as_deref(), &config.limits())
            .map_err(|why| format!("`hook_ca_file`: {why}"))?;
        Ok(Self { upstream, address: config.hook.to_string(), secret_file: config.secret_file.clone() })
    }

    /// First beat. `patience`: how long until there is an answer, or none; `waits`: whether a new link is waited for.
    pub(crate) async fn announce(
        &self,
        event: Event<'_>,
        text: Bytes,
        calendar: &Calendar,
        change: &str,
        patience: Duration,
        waits: bool,
    ) -> Result<Answer, Unanswered> {
        let mut query = Query::default();
        query.add("object", event.object);
        query.calendar(&calendar.told, calendar.name.as_deref());
        query.add("change", Some(change));
        let wait = patience.saturating_sub(MARGIN).as_secs();
        let prefer = if waits && wait > 0 { format!("wait={wait}") } else { "respond-async".to_owned() };
        let call =
            Call { body: Sent::Calendar(text), prefer: Some(prefer), ..Call::new(Method::PUT, event.path(), query) };
        self.call(call, patience).await
    }

    /// Second beat. `object`: where the first one did not name it.
    pub(crate) async fn report(
        &self,
        event: Event<'_>,
        change: &str,
        outcome: Outcome,
        patience: Duration,
    ) -> Result<Answer, Unanswered> {
        let mut body = json!({"change": change, "result": outcome});
        if let (Some(object), Some(body)) = (event.object, body.as_object_mut()) {
            body.insert("object".into(), object.into());
        }
        let path = format!("{}/stored", event.path());
        self.call(Call { body: Sent::Json(body), ..Call::new(Method::POST, path, Query::default()) }, patience).await
    }

    /// Both beats in one, after the store.
    pub(crate) async fn tell(
        &self,
        event: Event<'_>,
        text: Bytes,
        calendar: &str,
        calendar_name: Option<&str>,
        import: bool,
    ) -> Result<Answer, Unanswered> {
        let mut query = Query::default();
        query.add("object", event.object);
        query.calendar(calendar, calendar_name);
        query.add("stored", Some("true"));
        query.add("import", import.then_some("true"));
        let prefer = Some("respond-async".to_owned());
        self.call(Call { body: Sent::Calendar(text), prefer, ..Call::new(Method::PUT, event.path(), query) }, PROMPT)
            .await
    }

    /// An object is gone.
    pub(crate) async fn gone(&self, event: Event<'_>) -> Result<Answer, Unanswered> {
        let mut query = Query::default();
        query.add("object", event.object);
        self.call(Call::new(Method::DELETE, event.path(), query), PROMPT).await
    }

    /// How an account stands.
    pub(crate) async fn account(&self, account: &str) -> Result<Answer, Unanswered> {
        self.call(Call::new(Method::GET, account_path(account), Query::default()), PROMPT).await
    }

    /// Tells of an account. What is absent is forgotten there.
    pub(crate) async fn describe(&self, account: &str, known: Value) -> Result<Answer, Unanswered> {
        let call = Call { body: Sent::Json(known), ..Call::new(Method::PUT, account_path(account), Query::default()) };
        self.call(call, PROMPT).await
    }

    /// A one-time link to the user's settings.
    pub(crate) async fn settings_link(&self, account: &str) -> Result<Answer, Unanswered> {
        let path = format!("{}/settings-link", account_path(account));
        self.call(Call { body: Sent::Nothing, ..Call::new(Method::POST, path, Query::default()) }, PROMPT).await
    }

    /// Texts to write back; waits for the first.
    pub(crate) async fn changes(&self, after: Option<&str>, wait: Duration) -> Result<Answer, Unanswered> {
        let mut query = Query::default();
        query.add("wait", Some(&wait.as_secs().to_string()));
        query.add("after", after);
        self.call(Call::new(Method::GET, "/v1/changes".into(), query), wait + 2 * PROMPT).await
    }

    async fn call(&self, call: Call, patience: Duration) -> Result<Answer, Unanswered> {
        let secret = self.secret()?;
        let ends = Instant::now() + patience;
        let mut again = true;
        loop {
            let left = ends.saturating_duration_since(Instant::now());
            match self.upstream.ask(call.request(&secret)?, LARGEST_ANSWER, left).await {
                Ok(answer) => return counted(answer.status(), answer.headers(), answer.body()),
                // A kept connection that had died, or a restart between two octets.
                Err(error)
                    if again
                        && error.may_have_arrived()
                        && !ends.saturating_duration_since(Instant::now()).is_zero() =>
                {
                    again = false;
                }
                Err(error) => {
                    return Err(Unanswered::down(format!(
                        "`{}` does not answer: {error}; see whether teams-mirror runs and `hook` is its address",
                        self.address
                    )));
                }
            }
        }
    }

    fn secret(&self) -> Result<HeaderValue, Unanswered> {
        let file = self.secret_file.display();
        let text = std::fs::read_to_string(&self.secret_file).map_err(|error| {
            Unanswered::down(format!(
                "the hook secret `{file}` cannot be read: {error}; it is a file that the gateway's user may read, with what \
                 `teams-mirror secret add` printed"
            ))
        })?;
        let secret = text.trim();
        let plain = !secret.is_empty() && secret.bytes().all(|octet| octet.is_ascii_graphic());
        let value = plain.then(|| HeaderValue::from_str(&format!("Bearer {secret}")).ok()).flatten();
        let mut value = value.ok_or_else(|| {
            Unanswered::down(format!("`{file}` holds no hook secret; `teams-mirror secret add NAME` prints one"))
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Event<'_> {
    fn path(&self) -> String {
        format!("{}/events/{}", account_path(self.account), utf8_percent_encode(self.uid, SEGMENT))
    }
}

fn account_path(account: &str) -> String {
    format!("/v1/accounts/{}", utf8_percent_encode(account, SEGMENT))
}

/// A call, which may be sent twice.
struct Call {
    method: Method,
    path: String,
    query: Query,
    body: Sent,
    prefer: Option<String>,
}

/// What goes along with a call.
enum Sent {
    Nothing,
    Calendar(Bytes),
    Json(Value),
}

#[derive(Default)]
struct Query(String);

impl Query {
    fn add(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, SEGMENT));
    }

    fn calendar(&mut self, path: &str, name: Option<&str>) {
        self.add("calendar", Some(path));
        let name = name.map(|name| name.chars().take(200).collect::<String>());
        self.add("calendar_name", name.as_deref());
    }
}

impl Call {
    fn new(method: Method, path: String, query: Query) -> Self {
        Self { method, path, query, body: Sent::Nothing, prefer: None }
    }

    fn request(&self, secret: &HeaderValue) -> Result<Request<Bytes>, Unanswered> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(format!("{}{}", self.path, self.query.0))
            .header(header::AUTHORIZATION, secret)
            .header(header::ACCEPT, "application/json");
        if let Some(prefer) = &self.prefer {
            request = request.header("prefer", prefer);
        }
        let (kind, body) = match &self.body {
            Sent::Nothing => (None, Bytes::new()),
            Sent::Calendar(text) => (Some("text/calendar; charset=utf-8"), text.clone()),
            Sent::Json(value) => (Some("application/json"), value.to_string().into()),
        };
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        // An UID or a path too long for an address, perhaps; the next one may fare better.
        request.body(body).map_err(|error| Unanswered::once(format!("the hook cannot be asked: {error}")))
    }
}

/// An answer, unless it says that nothing was taken and may be later.
fn counted(status: StatusCode, headers: &hyper::HeaderMap, body: &[u8]) -> Result<Answer, Unanswered> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_json = kind.split(';').next().is_some_and(|kind| kind.trim_end().ends_with("json"));
    let body = if is_json {
        serde_json::from_slice(body)
            .map_err(|_| Unanswered::once(format!("the hook's answer is no JSON ({status})")))?
    } else {
        Value::Null
    };
    let answer = Answer { status, body };
    if status == StatusCode::UNAUTHORIZED {
        return Err(Unanswered::down(
            "the hook secret is wrong (401); put what `teams-mirror secret add NAME --domain …` prints into the file named as \
             `secret_file`",
        ));
    }
    let later = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if status.is_server_error() || status.is_redirection() || status.is_informational() || later {
        return Err(Unanswered::once(format!("the hook answers {}", answer.sentence())));
    }
    if answer.code() == "no-such-route" || (status == StatusCode::NOT_FOUND && answer.body.is_null()) {
        return Err(Unanswered::down(
            "there is no hook API under this address (404); `hook` names the listener `listen.hook` of teams-mirror's \
             configuration",
        ));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, kind: &str, body: &str) -> Result<Answer, Unanswered> {
        let mut headers = hyper::HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        counted(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn refusals_count_and_outages_do_not() {
        let refused = answered(422, "application/problem+json", r#"{"code":"uid-missing","detail":"no UID"}"#).unwrap();
        assert_eq!(
            (refused.is_taken(), refused.code(), refused.sentence().as_str()),
            (false, "uid-missing", "422 no UID")
        );
        assert!(answered(204, "text/plain", "").unwrap().icalendar().is_none());
        for (status, body, down) in [
            (401, "{}", true),
            (503, "{}", false),
            (302, "{}", false),
            (429, "{}", false),
            (200, "{", false),
            (404, r#"{"code":"no-such-route"}"#, true),
        ] {
            let error = answered(status, "application/json; charset=utf-8", body).unwrap_err();
            assert_eq!(error.down, down, "{status}: {error}");
        }
        assert!(answered(404, "text/html", "<html>").unwrap_err().down, "another server listens there");
        assert!(answered(404, "application/json", r#"{"code":"no-such-change"}"#).is_ok());
    }

    #[test]
    fn names_are_encoded() {
        let event = Event { account: "alice@test.tld", uid: "a/b?c", object: Some("/x y&z") };
        assert_eq!(event.path(), "/v1/accounts/alice%40test.tld/events/a%2Fb%3Fc");
        let mut query = Query::default();
        query.add("object", event.object);
        query.calendar("/c/", Some("é+"));
        assert_eq!(query.0, "?object=%2Fx%20y%26z&calendar=%2Fc%2F&calendar_name=%C3%A9%2B");
    }
}
