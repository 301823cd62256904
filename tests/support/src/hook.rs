//! The hook API, as an adapter calls it.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// A client of the hook API.
#[derive(Debug, Clone)]
pub struct Hook {
    base: String,
    secret: String,
    longest_call: Duration,
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Name (lower case) and value of each header field.
    pub headers: Vec<(String, String)>,
    /// The body; `null` where it is no JSON.
    pub json: Value,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A text in the JSON body; empty where it is not there.
    pub fn str(&self, name: &str) -> &str {
        self.json.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The text to store.
    pub fn icalendar(&self) -> &str {
        self.str("icalendar")
    }

    /// The codes of the notices.
    pub fn notice_codes(&self) -> Vec<String> {
        let notices = self.json.get("notices").and_then(Value::as_array).cloned().unwrap_or_default();
        notices.iter().filter_map(|n| n.get("code").and_then(Value::as_str).map(str::to_owned)).collect()
    }

    /// The link of the notice with that code.
    pub fn notice_link(&self, code: &str) -> Option<String> {
        let notices = self.json.get("notices")?.as_array()?;
        let notice = notices.iter().find(|n| n.get("code").and_then(Value::as_str) == Some(code))?;
        notice.get("link")?.as_str().map(str::to_owned)
    }
}

/// The parameters of a PUT beside the text.
#[derive(Debug, Clone, Default)]
pub struct Put {
    /// `object=`.
    pub object: Option<String>,
    /// `calendar=`.
    pub calendar: Option<String>,
    /// `calendar_name=`.
    pub calendar_name: Option<String>,
    /// `meeting=`.
    pub meeting: Option<&'static str>,
    /// `draft=true`.
    pub draft: bool,
    /// `draft_of=`.
    pub draft_of: Option<String>,
    /// `change=`.
    pub change: Option<String>,
    /// `stored=true`.
    pub stored: bool,
    /// `import=true`.
    pub import: bool,
    /// `told=`.
    pub told: Option<String>,
    /// `Prefer`.
    pub prefer: Option<String>,
}

impl Put {
    /// A meeting is wanted.
    pub fn wanted() -> Self {
        Self { meeting: Some("wanted"), ..Self::default() }
    }

    /// No meeting is wanted.
    pub fn unwanted() -> Self {
        Self { meeting: Some("none"), ..Self::default() }
    }

    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let mut add = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        };
        add("object", self.object.as_deref());
        add("calendar", self.calendar.as_deref());
        add("calendar_name", self.calendar_name.as_deref());
        add("meeting", self.meeting);
        add("draft", self.draft.then_some("true"));
        add("draft_of", self.draft_of.as_deref());
        add("change", self.change.as_deref());
        add("stored", self.stored.then_some("true"));
        add("import", self.import.then_some("true"));
        add("told", self.told.as_deref());
        query.finish()
    }
}

impl Hook {
    /// A client that calls `base` (`http://127.0.0.1:PORT`) with a hook secret.
    pub fn new(base: &str, secret: &str) -> Self {
        Self {
            base: base.trim_end_matches('/').into(),
            secret: secret.trim().into(),
            longest_call: crate::LONGEST_CALL,
        }
    }

    /// The same, but a call that takes longer fails.
    pub fn within(self, longest_call: Duration) -> Self {
        Self { longest_call, ..self }
    }

    /// The address it calls.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The same address with another secret.
    pub fn with_secret(&self, secret: &str) -> Self {
        Self { longest_call: self.longest_call, ..Self::new(&self.base, secret) }
    }

    /// The same with another address, for example that of something in between.
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.trim_end_matches('/').into(), ..self.clone() }
    }

    /// First beat.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn put(&self, account: &str, uid: &str, text: &str, put: &Put) -> Result<Answer, String> {
        let url = format!("{}?{}", self.event_url(account, uid), put.query());
        let mut request = self.authorized(self.agent().put(&url)).content_type("text/calendar; charset=utf-8");
        if let Some(prefer) = &put.prefer {
            request = request.header("prefer", prefer);
        }
        read(request.send(text))
    }

    /// First beat with any body and content type.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn put_raw(&self, account: &str, uid: &str, kind: &str, body: &[u8]) -> Result<Answer, String> {
        let url = self.event_url(account, uid);
        read(self.authorized(self.agent().put(&url)).content_type(kind).send(body))
    }

    /// Second beat.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn report(&self, account: &str, uid: &str, change: &str, result: &str) -> Result<Answer, String> {
        let url = format!("{}/stored", self.event_url(account, uid));
        let body = serde_json::json!({ "change": change, "result": result });
        read(self.authorized(self.agent().post(&url)).send_json(body))
    }

    /// An object, or all that carry the UID, is gone.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn delete(&self, account: &str, uid: &str, object: Option<&str>) -> Result<Answer, String> {
        let mut url = self.event_url(account, uid);
        if let Some(object) = object {
            url = format!("{url}?object={}", utf8_percent_encode(object, NON_ALPHANUMERIC));
        }
        read(self.agent().delete(&url).header("authorization", format!("Bearer {}", self.secret)).call())
    }

    /// The same, where `told` is still the SHA-256 of what was told last.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn delete_told(&self, account: &str, uid: &str, object: &str, told: &str) -> Result<Answer, String> {
        let object = utf8_percent_encode(object, NON_ALPHANUMERIC);
        let url = format!("{}?object={object}&told={told}", self.event_url(account, uid));
        read(self.agent().delete(&url).header("authorization", format!("Bearer {}", self.secret)).call())
    }

    /// A page of what was told of an account's events.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn told(&self, account: &str, query: &str) -> Result<Answer, String> {
        self.get(&format!("/v1/accounts/{}/events?{query}", segment(account)))
    }

    /// What a watcher left out.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn older(&self, account: &str, body: Value) -> Result<Answer, String> {
        let url = format!("{}/v1/accounts/{}/older", self.base, segment(account));
        read(self.authorized(self.agent().put(&url)).send_json(body))
    }

    /// Discards a draft.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn discard(&self, account: &str, uid: &str) -> Result<Answer, String> {
        let url = format!("{}?draft=true", self.event_url(account, uid));
        read(self.agent().delete(&url).header("authorization", format!("Bearer {}", self.secret)).call())
    }

    /// How an event stands.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn event(&self, account: &str, uid: &str) -> Result<Answer, String> {
        self.get(&format!("/v1/accounts/{}/events/{}", segment(account), segment(uid)))
    }

    /// How an account stands.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn account(&self, account: &str) -> Result<Answer, String> {
        self.get(&format!("/v1/accounts/{}", segment(account)))
    }

    /// Tells of an account.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn put_account(&self, account: &str, body: Value) -> Result<Answer, String> {
        let url = format!("{}/v1/accounts/{}", self.base, segment(account));
        read(self.authorized(self.agent().put(&url)).send_json(body))
    }

    /// An account's new address.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn rename(&self, account: &str, to: &str) -> Result<Answer, String> {
        let url = format!("{}/v1/accounts/{}/rename", self.base, segment(account));
        read(self.authorized(self.agent().post(&url)).send_json(serde_json::json!({ "to": to })))
    }

    /// An account is gone.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn remove_account(&self, account: &str) -> Result<Answer, String> {
        let url = format!("{}/v1/accounts/{}", self.base, segment(account));
        read(self.agent().delete(&url).header("authorization", format!("Bearer {}", self.secret)).call())
    }

    /// First beat, answered with the text alone.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn put_for_text(&self, account: &str, uid: &str, text: &str, query: &str) -> Result<Answer, String> {
        let url = format!("{}?{query}", self.event_url(account, uid));
        let request = self.authorized(self.agent().put(&url)).content_type("text/calendar");
        read(request.header("accept", "text/calendar").send(text))
    }

    /// A one-time link for the user.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn settings_link(&self, account: &str) -> Result<Answer, String> {
        let url = format!("{}/v1/accounts/{}/settings-link", self.base, segment(account));
        read(self.authorized(self.agent().post(&url)).send_empty())
    }

    /// Texts to write back.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn changes(&self, after: &str, wait: u64) -> Result<Answer, String> {
        self.get(&format!("/v1/changes?after={after}&wait={wait}"))
    }

    /// Any address of the API.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn get(&self, path: &str) -> Result<Answer, String> {
        let url = format!("{}{path}", self.base);
        read(self.agent().get(&url).header("authorization", format!("Bearer {}", self.secret)).call())
    }

    fn agent(&self) -> ureq::Agent {
        crate::agent_within(self.longest_call)
    }

    fn event_url(&self, account: &str, uid: &str) -> String {
        format!("{}/v1/accounts/{}/events/{}", self.base, segment(account), segment(uid))
    }

    fn authorized(
        &self,
        request: ureq::RequestBuilder<ureq::typestate::WithBody>,
    ) -> ureq::RequestBuilder<ureq::typestate::WithBody> {
        request.header("authorization", format!("Bearer {}", self.secret))
    }
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, String> {
    let mut answer = answer.map_err(|e| e.to_string())?;
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let text = answer.body_mut().read_to_string().map_err(|e| e.to_string())?;
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer { status: answer.status().as_u16(), headers, json, text })
}
