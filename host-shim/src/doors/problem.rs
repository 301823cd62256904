//! Errors as `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::mirror::MirrorError;
use crate::store::StoreError;

/// A problem, as the API tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// `urn:teams-mirror:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code: `path-invalid`, `query-invalid`, `body-invalid`, `account-invalid`, `cursor-invalid`, `cursor-expired`,
    /// `secret-wrong`, `other-domain`, `body-too-large`, `not-text-calendar`, `not-icalendar`, `uid-missing`, `several-uids`,
    /// `uid-differs`, `uid-length`, `uid-characters`, `change-invalid`, `change-closed`, `no-such-change`, `told-meanwhile`, `value-invalid`,
    /// `not-found`, `conflict`, `store-full`, `store-failed`, `accounts-failed`, `broke-off`, `no-such-route`,
    /// `no-such-method`. Codes may be added; treat an unknown one by its status.
    pub code: String,
    /// The status's own words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
}

impl Problem {
    /// A problem with a status, a code and a sentence.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:teams-mirror:problem:{code}"),
            code: code.into(),
            title: status.canonical_reason().unwrap_or("Problem").into(),
            status: status.as_u16(),
            detail: detail.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"teams-mirror\""));
        }
        response
    }
}

impl From<MirrorError> for Problem {
    fn from(error: MirrorError) -> Self {
        match &error {
            MirrorError::Refused { code, message } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message),
            MirrorError::NoSuchChange(_) => Self::new(StatusCode::NOT_FOUND, "no-such-change", error.to_string()),
            MirrorError::ChangeClosed(_) => Self::new(StatusCode::CONFLICT, "change-closed", error.to_string()),
            MirrorError::ToldMeanwhile => Self::new(StatusCode::CONFLICT, "told-meanwhile", error.to_string()),
            MirrorError::BrokeOff(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "broke-off",
                "the work for this request broke off; keep it in your spool and send it again later",
            ),
            MirrorError::Store(store) => Self::from_store(store),
            // The text is what the component cannot deal with; the server keeps it as it is.
            MirrorError::Component(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "extension-failed", error.to_string())
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from_store(&error)
    }
}

impl Problem {
    fn from_store(error: &StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        let code = if matches!(error, StoreError::Full(_)) { "store-full" } else { "store-failed" };
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            code,
            "the event could not be written down; keep it in your spool and send it again later",
        )
    }
}
