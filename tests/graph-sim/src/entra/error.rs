//! Entra's errors by number, and their bodies.

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::world::World;

/// An error of Entra.
#[derive(Debug, Clone)]
pub(crate) struct EntraError {
    pub number: u32,
    pub message: String,
    pub claims: Option<String>,
}

pub(crate) type Result<T> = std::result::Result<T, EntraError>;

impl EntraError {
    pub(crate) fn new(number: u32, message: impl Into<String>) -> Self {
        Self { number, message: message.into(), claims: None }
    }

    /// An error that was asked for by its number alone.
    pub(crate) fn injected(number: u32, claims: Option<&str>) -> Self {
        let message = match number {
            50076 => {
                "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'."
            }
            50173 => {
                "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password."
            }
            50057 => "The user account is disabled.",
            53003 => {
                "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."
            }
            65001 => {
                "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource."
            }
            70000 => "Provided grant is invalid or malformed.",
            90033 => "A transient error has occurred. Please try again.",
            90024 => "A transient error has occurred. Please try again in a few minutes.",
            7_000_222 => "The provided client secret keys for app are expired.",
            7_000_215 => "Invalid client secret provided.",
            _ => "An error was injected.",
        };
        let claims = claims.map(str::to_owned).or_else(|| {
            let needed = matches!(number, 50076 | 50079 | 50078 | 50072 | 50074 | 53000 | 53003 | 530_032);
            needed
                .then(|| "{\"access_token\":{\"capolids\":{\"essential\":true,\"values\":[\"c1a1-0000\"]}}}".to_owned())
        });
        Self { number, message: message.to_owned(), claims }
    }

    /// HTTP status, `error` and `suberror`.
    pub(crate) fn class(&self) -> (u16, &'static str, Option<&'static str>) {
        match self.number {
            7_000_215 | 7_000_222 | 7_000_218 | 700_027 | 700_025 | 500_112 => (401, "invalid_client", None),
            700_016 | 7_000_112 | 9_002_331 => (400, "unauthorized_client", None),
            70011 | 1_002_012 => (400, "invalid_scope", None),
            50076 | 50079 | 50078 | 50072 | 50074 => (400, "interaction_required", Some("basic_action")),
            53000 | 53003 | 530_032 => (400, "interaction_required", Some("message_only")),
            50058 => (400, "login_required", None),
            65001 => (400, "invalid_grant", Some("consent_required")),
            65004 => (400, "access_denied", None),
            90094 | 90095 => (400, "consent_required", None),
            50033 | 90006 | 90024 | 90033 | 90090 | 90055 | 50196 => (503, "temporarily_unavailable", None),
            70012 => (500, "server_error", None),
            70003 => (400, "unsupported_grant_type", None),
            70005 => (400, "unsupported_response_type", None),
            50011 | 50194 | 90002 | 9_001_023 | 9_002_313 | 900_144 | 900_561 | 90023 | 501_491 | 165_000 => {
                (400, "invalid_request", None)
            }
            _ => (400, "invalid_grant", None),
        }
    }
}

impl World {
    /// The JSON body of the token endpoint.
    pub(crate) fn entra_error(&mut self, error: &EntraError) -> Answer {
        let (status, name, suberror) = error.class();
        let mut body = Map::new();
        body.insert("error".into(), json!(name));
        let (description, trace, correlation) = self.describe(error);
        body.insert("error_description".into(), json!(description));
        body.insert("error_codes".into(), json!([error.number]));
        body.insert("timestamp".into(), json!(self.now().format("%Y-%m-%d %H:%M:%SZ").to_string()));
        body.insert("trace_id".into(), json!(trace));
        body.insert("correlation_id".into(), json!(correlation));
        let uri = format!("https://login.microsoftonline.com/error?code={}", error.number);
        body.insert("error_uri".into(), json!(uri));
        if let Some(suberror) = suberror {
            body.insert("suberror".into(), json!(suberror));
        }
        if let Some(claims) = &error.claims {
            body.insert("claims".into(), json!(claims));
        }
        Answer::json(status, &Value::Object(body)).with("Cache-Control", "no-store").with("Pragma", "no-cache")
    }

    /// `AADSTS…: … Trace ID: … Correlation ID: … Timestamp: …`, and the two ids.
    pub(crate) fn describe(&mut self, error: &EntraError) -> (String, String, String) {
        let (trace, correlation) = (self.rng.guid(), self.rng.guid());
        let text = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {}",
            error.number,
            error.message,
            self.now().format("%Y-%m-%d %H:%M:%SZ")
        );
        (text, trace, correlation)
    }
}
