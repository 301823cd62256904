//! Graph's error envelope and the errors used in more than one place.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::World;

/// An answer that is an error.
#[derive(Debug, Clone)]
pub(crate) struct GraphError {
    pub status: u16,
    pub code: String,
    pub message: String,
    /// A header that goes with it.
    pub header: Option<(&'static str, String)>,
}

pub(crate) type Result<T> = std::result::Result<T, GraphError>;

impl GraphError {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), header: None }
    }
}

impl World {
    /// The envelope of graph-facts A6.
    pub(crate) fn graph_error(&mut self, error: &GraphError) -> Answer {
        let (date, id) = (self.now().format("%Y-%m-%dT%H:%M:%S").to_string(), self.rng.guid());
        let body = if error.code == "TooManyRequests" {
            json!({"error": {
                "code": error.code,
                "innerError": {"code": "429", "date": date, "message": "Please retry after", "request-id": id, "status": "429"},
                "message": error.message,
            }})
        } else {
            json!({"error": {
                "code": error.code,
                "message": error.message,
                "innerError": {"date": date, "request-id": id, "client-request-id": id},
            }})
        };
        let answer = Answer::json(error.status, &body);
        match &error.header {
            Some((name, value)) => answer.with(name, value),
            None => answer,
        }
    }
}

pub(crate) fn too_many_requests() -> GraphError {
    GraphError::new(429, "TooManyRequests", "Please retry again later.")
}

pub(crate) fn application_throttled(message: &str) -> GraphError {
    GraphError::new(429, "ApplicationThrottled", message)
}

pub(crate) fn item_not_found() -> GraphError {
    GraphError::new(404, "ErrorItemNotFound", "The specified object was not found in the store.")
}

pub(crate) fn access_denied() -> GraphError {
    GraphError::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
}

pub(crate) fn conflict() -> GraphError {
    GraphError::new(
        412,
        "ErrorIrresolvableConflict",
        "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.",
    )
}

pub(crate) fn invalid(code: &str, message: impl Into<String>) -> GraphError {
    GraphError::new(400, code, message)
}

/// What Graph has and this simulator does not; the code says that it is no answer of Microsoft's.
pub(crate) fn not_modelled(what: &str) -> GraphError {
    GraphError::new(501, "SimNotModelled", format!("The simulator does not model {what}"))
}

/// The usual code and message of a status, for faults.
pub(crate) fn usual(status: u16) -> GraphError {
    let (code, message) = match status {
        400 => ("ErrorInvalidRequest", "The request is invalid."),
        401 => ("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
        403 => return access_denied(),
        404 => return item_not_found(),
        409 => ("ErrorConflict", "The request conflicts with the current state."),
        412 => return conflict(),
        413 => ("RequestEntityTooLarge", "The request is too large."),
        415 => ("UnsupportedMediaType", "The content type is not supported."),
        429 => return too_many_requests(),
        500 => ("ErrorInternalServerError", "An internal server error occurred. The operation failed."),
        // The code strings of the following are not traced in any source.
        502 => ("BadGateway", "Bad gateway."),
        503 => ("ServiceUnavailable", "The service is temporarily unavailable."),
        504 => ("GatewayTimeout", "The server did not answer in time."),
        507 => ("InsufficientStorage", "The quota is exceeded."),
        509 => ("BandwidthLimitExceeded", "The bandwidth limit is exceeded."),
        _ => ("UnknownError", "An error occurred."),
    };
    GraphError::new(status, code, message)
}

/// A message about a property that is not the type's.
pub(crate) fn no_such_property(name: &str) -> GraphError {
    // Known from memory only, as graph-facts A6 says of this code.
    invalid(
        "RequestBodyRead",
        format!(
            "The property '{name}' does not exist on type 'microsoft.graph.event'. Make sure to only use property names that are defined by the type or mark the type as open type."
        ),
    )
}

pub(crate) fn time_zone_not_supported(name: &str) -> GraphError {
    invalid(
        "TimeZoneNotSupportedException",
        format!("A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."),
    )
}

/// JSON that is neither an answer nor an error, for [`crate::faults::FaultKind::Garbage`].
pub(crate) fn garbage() -> Value {
    json!({"value": "not what was asked for"})
}
