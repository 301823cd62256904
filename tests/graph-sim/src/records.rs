//! What the simulator has seen, for tests to ask about.

use serde::Serialize;
use serde_json::Value;

use crate::faults::Service;

/// A request to one of the simulated services.
#[derive(Debug, Clone, Serialize)]
pub struct RequestRecord {
    /// Counts up from 1; requests are numbered as they arrive.
    pub order: u64,
    /// Which service.
    pub service: Service,
    /// The HTTP method.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// The query as sent.
    pub query: String,
    /// Name (lower case) and value of every header.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
    /// The status answered; `None` while it is in flight or where the connection was cut.
    pub status: Option<u16>,
    /// Whose token or code it carried.
    pub user: Option<String>,
    /// Which application's.
    pub app: Option<String>,
    /// When it arrived, by the simulator's clock.
    pub started: String,
    /// When it was answered.
    pub ended: Option<String>,
    /// Its place among starts and ends of all requests, when it arrived.
    pub start_tick: u64,
    /// The same when it was answered.
    pub end_tick: Option<u64>,
    /// How many requests of that application were in flight for that mailbox, itself included.
    pub in_flight: u32,
    /// The kind of the fault that hit it.
    pub fault: Option<String>,
}

impl RequestRecord {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// A mail Microsoft would have sent to one attendee.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// Counts up from 1.
    pub order: u64,
    /// When.
    pub at: String,
    /// The organizer's mailbox.
    pub mailbox: String,
    /// `invitation`, `update` or `cancellation`.
    pub kind: &'static str,
    /// The attendee.
    pub to: String,
    /// The event's id (the default kind) in the organizer's mailbox.
    pub event_id: String,
    /// The subject it has.
    pub subject: String,
    /// The join link it contains.
    pub join_url: Option<String>,
    /// The comment of a cancellation.
    pub comment: Option<String>,
}

/// Something a well-behaved client does not do.
#[derive(Debug, Clone, Serialize)]
pub struct Violation {
    /// The request that did it.
    pub order: u64,
    /// When.
    pub at: String,
    /// `retry_after`, `concurrency`, `rate`.
    pub rule: &'static str,
    /// What it did, in words.
    pub detail: String,
    /// The mailbox, or `token`.
    pub mailbox: String,
    /// The application.
    pub app: String,
}

/// A page that was shown to a person.
#[derive(Debug, Clone, Serialize)]
pub struct PageShown {
    /// When.
    pub at: String,
    /// `sign_in`, `pick_account`, `consent`, `admin_consent`, `error`.
    pub page: &'static str,
    /// Whose it is, or the AADSTS number of an error page.
    pub about: String,
}
