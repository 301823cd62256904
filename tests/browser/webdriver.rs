//! The few commands of WebDriver (W3C) the tests need.
//!
//! Crates exist for this (thirtyfour, fantoccini, headless_chrome, chromiumoxide). Each of them switches on features of crates the
//! product is made of, such as the order in serde_json's maps or compression in ureq, in every build of the tests; then what is
//! tested is not what is shipped. The protocol is JSON over HTTP, and both are here already.

use std::time::Duration;

use serde_json::{Value, json};

/// What the protocol calls an element (WebDriver §12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// An error the driver answered, or why it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The protocol's name of it, for example `stale element reference`.
    pub code: String,
    pub message: String,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message.lines().next().unwrap_or_default())
    }
}

type Done = Result<Value, Failed>;

/// An element of the page.
#[derive(Debug, Clone)]
pub struct Element(String);

/// A browser's session.
pub struct Session {
    agent: ureq::Agent,
    base: String,
}

impl Session {
    /// Opens a browser at the driver on this port.
    pub fn open(port: u16, capabilities: &Value) -> Result<Self, Failed> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(20)));
        let mut session = Self { agent: config.build().into(), base: format!("http://127.0.0.1:{port}/session") };
        let opened = session.post("", &json!({ "capabilities": { "alwaysMatch": capabilities } }))?;
        session.base = format!("{}/{}", session.base, opened["sessionId"].as_str().unwrap_or_default());
        Ok(session)
    }

    /// Closes the browser.
    pub fn quit(&self) -> Done {
        read(self.agent.delete(&self.base).call())
    }

    pub fn get(&self, command: &str) -> Done {
        read(self.agent.get(format!("{}{command}", self.base)).call())
    }

    pub fn delete(&self, command: &str) -> Done {
        read(self.agent.delete(format!("{}{command}", self.base)).call())
    }

    pub fn post(&self, command: &str, body: &Value) -> Done {
        read(self.agent.post(format!("{}{command}", self.base)).send_json(body))
    }

    /// The elements a CSS selector finds.
    pub fn find(&self, css: &str) -> Result<Vec<Element>, Failed> {
        let found = self.post("/elements", &json!({ "using": "css selector", "value": css }))?;
        let ids = found.as_array().into_iter().flatten().filter_map(|element| element[ELEMENT].as_str());
        Ok(ids.map(|id| Element(id.to_owned())).collect())
    }

    /// A question about an element, or with a body something done to it.
    pub fn of(&self, element: &Element, command: &str) -> Done {
        self.get(&format!("/element/{}{command}", element.0))
    }

    pub fn on(&self, element: &Element, command: &str, body: &Value) -> Done {
        self.post(&format!("/element/{}{command}", element.0), body)
    }

    /// Runs a script; `later`: one that calls its last argument when it is done.
    pub fn script(&self, script: &str, later: bool, arguments: &[Value]) -> Done {
        let kind = if later { "async" } else { "sync" };
        self.post(&format!("/execute/{kind}"), &json!({ "script": script, "args": arguments }))
    }
}

impl Element {
    /// The element as a command names it.
    pub fn reference(&self) -> Value {
        json!({ ELEMENT: self.0 })
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Done {
    let unanswered = |error: ureq::Error| Failed { code: "no answer".into(), message: error.to_string() };
    let mut answer = answer.map_err(unanswered)?;
    let mut body: Value = answer.body_mut().with_config().limit(64 << 20).read_json().map_err(unanswered)?;
    let value = body["value"].take();
    if answer.status().is_success() {
        return Ok(value);
    }
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Err(Failed { code: text("error"), message: text("message") })
}
