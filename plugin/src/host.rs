//! What the logic needs from outside, as one trait: HTTP, the checkpoint, names for what is created, the log.
//!
//! The component implements it with its imports (`contract/`), the tests with a script.

/// The request's method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Create, or act.
    Post,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

/// A request to a declared service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query relative to the service's base, percent-encoded.
    pub path: String,
    /// Header fields, name and value.
    pub headers: Vec<(String, String)>,
    /// The body, where there is one.
    pub body: Option<Vec<u8>>,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code, 200 to 599.
    pub status: u16,
    /// The header fields the host lets through, names in lower case.
    pub headers: Vec<(String, String)>,
    /// `Retry-After` in milliseconds from now.
    pub retry_after_ms: Option<u64>,
    /// The body, at most 1 MiB.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of the header field `name` (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer; meanings as in `wit/http-client.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// It did not leave.
    NotSent(String),
    /// It may have arrived and taken effect.
    Unanswered(String),
    /// The host holds it back for so many milliseconds. It did not leave.
    Wait(u64),
    /// The account has no usable credential.
    SignInNeeded(String),
    /// The registration with Microsoft does not work.
    AdminNeeded(String),
    /// The host does not let such a request leave.
    Refused(String),
    /// This call has used up its requests or its time. It did not leave.
    BudgetSpent(String),
    /// Anything else; it may have arrived.
    Other(String),
}

impl HttpError {
    /// Whether the request may have taken effect although no answer came.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::Unanswered(_) | Self::Other(_))
    }
}

/// How much a line in the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For whoever follows one event closely.
    Debug,
    /// Worth a line in normal operation.
    Info,
    /// Unexpected, handled.
    Warn,
    /// The extension itself is at fault.
    Error,
}

/// The host, as the logic sees it.
pub trait Host {
    /// Sends one request and waits for the answer.
    ///
    /// # Errors
    /// Where there is no answer; see [`HttpError`].
    fn send(&mut self, request: Request) -> Result<Response, HttpError>;

    /// Replaces what is remembered of the event in hand; returns when that is on disk.
    ///
    /// # Errors
    /// With a sentence, where it cannot be kept. The request that was to follow must then not be sent.
    fn save(&mut self, record: Option<Vec<u8>>) -> Result<(), String>;

    /// A fresh random id, 32 lower-case hexadecimal digits, never given twice.
    fn new_id(&mut self) -> String;

    /// Writes one line: ids, codes and counts, no contents and no secrets.
    fn log(&mut self, level: Level, message: &str);
}
