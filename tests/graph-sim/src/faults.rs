//! Faults: what goes wrong with the next matching requests.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which of the simulated services a request went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Microsoft Graph, `/v1.0/…`.
    Graph,
    /// Entra's token endpoint.
    Token,
    /// Entra's authorize endpoint, its pages, admin consent and metadata.
    Authorize,
}

/// The body an answer of kind [`FaultKind::Status`] carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// The service's own error envelope.
    #[default]
    Json,
    /// A gateway's HTML page.
    Html,
    /// Nothing.
    Empty,
    /// The error envelope, cut off in the middle.
    Truncated,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// This status instead of the real answer.
    Status {
        /// The HTTP status.
        status: u16,
        /// What the body looks like.
        #[serde(default)]
        body: FaultBody,
        /// The error code in the body; without it the usual one of that status.
        #[serde(default)]
        code: Option<String>,
        /// The error message in the body.
        #[serde(default)]
        message: Option<String>,
        /// `Retry-After`, verbatim.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// Nothing but the delays.
    Delay,
    /// The connection is cut; nothing was done.
    DropBefore,
    /// The request is done, then the connection is cut without an answer.
    DropAfter,
    /// A redirect elsewhere.
    Redirect {
        /// The `Location`.
        location: String,
        /// 301, 302, 307 or 308.
        #[serde(default = "found")]
        status: u16,
    },
    /// The real answer, one byte at a time.
    SlowBody {
        /// The pause between two bytes.
        #[serde(default = "one_second")]
        byte_interval_ms: u64,
    },
    /// A `200` with so many bytes.
    HugeBody {
        /// How many.
        #[serde(default = "hundred_megabytes")]
        bytes: u64,
    },
    /// The real answer, labelled `Content-Encoding: gzip` without being so.
    FalseGzip,
    /// A `400` whose message repeats the request's `Authorization` header.
    EchoAuthorization,
    /// A `200` that carries an error envelope.
    ErrorInOk,
    /// A `200` that is not what it should be.
    Garbage,
    /// Graph's transient `412 ErrorIrresolvableConflict`.
    Conflict,
    /// Graph's continuous-access challenge.
    ClaimsChallenge,
    /// An error of Entra, by its AADSTS number.
    Aadsts {
        /// The number.
        aadsts: u32,
        /// The `claims` member, for a conditional-access error.
        #[serde(default)]
        claims: Option<String>,
    },
    /// The token answer lacks its refresh token.
    OmitRefreshToken,
    /// The token answer grants only these scopes.
    FewerScopes {
        /// Separated by spaces.
        scopes: String,
    },
    /// The token answer is somebody else's.
    AnotherIdentity {
        /// Whose: the address of a simulated user.
        identity: String,
    },
}

impl FaultKind {
    /// Whether the service itself answers, however late or oddly wrapped.
    pub(crate) fn is_answered_for_real(&self) -> bool {
        matches!(
            self,
            Self::Delay
                | Self::SlowBody { .. }
                | Self::FalseGzip
                | Self::Aadsts { .. }
                | Self::OmitRefreshToken
                | Self::FewerScopes { .. }
                | Self::AnotherIdentity { .. }
        )
    }
}

fn found() -> u16 {
    302
}
fn one_second() -> u64 {
    1_000
}
fn hundred_megabytes() -> u64 {
    100_000_000
}

/// One entry of the fault queue. The first entry that matches a request is used up by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Only this service; `None` is any.
    #[serde(default)]
    pub service: Option<Service>,
    /// Only this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only where the path (without the query) contains this.
    #[serde(default)]
    pub path_contains: Option<String>,
    /// Only for this user's tokens.
    #[serde(default)]
    pub user: Option<String>,
    /// Only for this application (client id).
    #[serde(default)]
    pub app: Option<String>,
    /// How many matching requests pass untouched first.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it hits; `None` is all until the queue is cleared.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// Wait so long before anything is done.
    #[serde(default)]
    pub delay_ms: u64,
    /// Wait so long after it is done, before the answer.
    #[serde(default)]
    pub delay_after_ms: u64,
    /// A kind that replaces the answer: do the request first all the same.
    #[serde(default)]
    pub after_commit: bool,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

#[allow(clippy::unnecessary_wraps, reason = "a serde default has its field's type")]
fn once() -> Option<u32> {
    Some(1)
}

const MEMBERS: &[&str] = &[
    "service",
    "method",
    "path_contains",
    "user",
    "app",
    "skip",
    "times",
    "delay_ms",
    "delay_after_ms",
    "after_commit",
    "kind",
    "status",
    "body",
    "code",
    "message",
    "retry_after",
    "location",
    "byte_interval_ms",
    "bytes",
    "aadsts",
    "claims",
    "scopes",
    "identity",
];

impl Fault {
    /// A fault of that kind which hits the next request of any service.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self {
            service: None,
            method: None,
            path_contains: None,
            user: None,
            app: None,
            skip: 0,
            times: Some(1),
            delay_ms: 0,
            delay_after_ms: 0,
            after_commit: false,
            kind,
        }
    }

    /// An answer with that status and the service's own error body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::new(FaultKind::Status { status, body: FaultBody::Json, code: None, message: None, retry_after: None })
    }

    /// `429` with that `Retry-After`, verbatim.
    #[must_use]
    pub fn throttled(after: &str) -> Self {
        Self::status(429).retry_after(after)
    }

    /// An error of Entra, by its AADSTS number, at the token endpoint.
    #[must_use]
    pub fn aadsts(number: u32) -> Self {
        Self { service: Some(Service::Token), ..Self::new(FaultKind::Aadsts { aadsts: number, claims: None }) }
    }

    /// Only Graph requests of this method whose path contains this.
    #[must_use]
    pub fn on_graph(self, method: &str, path_contains: &str) -> Self {
        Self {
            service: Some(Service::Graph),
            method: Some(method.to_owned()),
            path_contains: Some(path_contains.to_owned()),
            ..self
        }
    }

    /// Only token requests.
    #[must_use]
    pub fn on_token(self) -> Self {
        Self { service: Some(Service::Token), ..self }
    }

    /// Only for this user.
    #[must_use]
    pub fn for_user(self, address: &str) -> Self {
        Self { user: Some(address.to_lowercase()), ..self }
    }

    /// Hits so many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Hits every matching request until the queue is cleared.
    #[must_use]
    pub fn always(self) -> Self {
        Self { times: None, ..self }
    }

    /// Waits before anything is done.
    #[must_use]
    pub fn delay(self, milliseconds: u64) -> Self {
        Self { delay_ms: milliseconds, ..self }
    }

    /// Does the request before it answers wrongly.
    #[must_use]
    pub fn after_commit(self) -> Self {
        Self { after_commit: true, ..self }
    }

    /// Sets `Retry-After` of a [`FaultKind::Status`]; nothing for other kinds.
    #[must_use]
    pub fn retry_after(mut self, text: &str) -> Self {
        if let FaultKind::Status { retry_after, .. } = &mut self.kind {
            *retry_after = Some(text.to_owned());
        }
        self
    }

    /// Reads one from JSON; a misspelt member is refused by name rather than ignored.
    pub(crate) fn from_json(value: Value) -> Result<Self, String> {
        let members = value.as_object().ok_or("a fault is a JSON object")?;
        if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(format!("a fault has no member `{unknown}`; it may have: {}", MEMBERS.join(", ")));
        }
        let mut value = value.clone();
        // "any" is how a person writes no restriction.
        if let Some(members) = value.as_object_mut()
            && members.get("service").and_then(Value::as_str) == Some("any")
        {
            members.remove("service");
        }
        let mut fault: Self = serde_json::from_value(value).map_err(|e| e.to_string())?;
        fault.user = fault.user.map(|user| user.to_lowercase());
        Ok(fault)
    }

    pub(crate) fn matches(
        &self,
        service: Service,
        method: &str,
        path: &str,
        user: Option<&str>,
        app: Option<&str>,
    ) -> bool {
        self.service.is_none_or(|s| s == service)
            && self.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(method))
            && self.path_contains.as_deref().is_none_or(|p| path.contains(p))
            && self.user.as_deref().is_none_or(|u| Some(u) == user)
            && self.app.as_deref().is_none_or(|a| Some(a) == app)
    }
}

/// Takes the first matching fault out of the queue, or counts its `skip` and `times` down.
pub(crate) fn take(
    queue: &mut Vec<Fault>,
    service: Service,
    method: &str,
    path: &str,
    user: Option<&str>,
    app: Option<&str>,
) -> Option<Fault> {
    let at = queue.iter_mut().position(|fault| {
        if !fault.matches(service, method, path, user, app) {
            return false;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
            return false;
        }
        true
    })?;
    let fault = queue.get_mut(at)?;
    let taken = fault.clone();
    match &mut fault.times {
        None => {}
        Some(left) if *left > 1 => *left -= 1,
        Some(_) => drop(queue.remove(at)),
    }
    Some(taken)
}
