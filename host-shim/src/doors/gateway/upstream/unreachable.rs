//! When there is no answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::{Method, Response, StatusCode};

use super::link::Failed;
use super::upload::Upload;
use crate::doors::gateway::config::Origin;
use crate::doors::gateway::{Body, sentence};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Unreachable {
    kind: Kind,
    why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// No connection; nothing has left.
    NotConnected,
    /// No connection in time; nothing has left.
    NotConnectedInTime,
    /// The connection ended before an answer.
    Broken,
    /// No answer in time.
    Silent,
    /// The client broke its own request off.
    Client,
}

impl Unreachable {
    pub(super) fn not_connected(why: String) -> Self {
        Self { kind: Kind::NotConnected, why }
    }

    pub(super) fn not_connected_in(limit: Duration) -> Self {
        let why = format!("no connection within {}", humantime::format_duration(limit));
        Self { kind: Kind::NotConnectedInTime, why }
    }

    pub(super) fn broken(why: String) -> Self {
        Self { kind: Kind::Broken, why }
    }

    pub(super) fn silent(limit: Duration) -> Self {
        Self { kind: Kind::Silent, why: format!("no answer within {}", humantime::format_duration(limit)) }
    }

    pub(super) fn of(failed: Failed, upload: Option<&Upload>, silence: Duration) -> Self {
        if upload.is_some_and(Upload::has_failed) {
            return Self { kind: Kind::Client, why: "the client broke its request off".into() };
        }
        match failed {
            Failed::NotSent(why) => Self::not_connected(why),
            Failed::Broken(why) => Self::broken(why),
            Failed::Silent => Self::silent(silence),
        }
    }

    /// Whether the request may have reached the server, and may have been done.
    pub(crate) fn may_have_arrived(&self) -> bool {
        !matches!(self.kind, Kind::NotConnected | Kind::NotConnectedInTime)
    }

    /// What the client is told.
    pub(crate) fn answer(&self) -> Response<Body> {
        let (status, text) = match self.kind {
            Kind::NotConnected => (
                StatusCode::BAD_GATEWAY,
                "The calendar server cannot be reached at the moment. Nothing was changed; please try again in a minute. \
                 (For administrators: the log of the gateway says why.)",
            ),
            Kind::NotConnectedInTime => (
                StatusCode::GATEWAY_TIMEOUT,
                "The calendar server does not accept connections at the moment. Nothing was changed; please try again in a \
                 minute. (For administrators: the log of the gateway says more.)",
            ),
            Kind::Broken => (
                StatusCode::BAD_GATEWAY,
                "The calendar server ended the connection before it answered. It may have done what was asked; please look \
                 before you try again. (For administrators: the log of the gateway says more.)",
            ),
            Kind::Silent => (
                StatusCode::GATEWAY_TIMEOUT,
                "The calendar server did not answer in time. It may have done what was asked; please look before you try \
                 again. (For administrators: the log of the gateway says more.)",
            ),
            Kind::Client => {
                (StatusCode::BAD_REQUEST, "The request broke off before its end, so nothing was done with it.")
            }
        };
        sentence(status, text)
    }
}

/// Whether the server could be reached last time: said once when that changes, not with every request.
#[derive(Default)]
pub(super) struct Outage(AtomicBool);

impl Outage {
    pub(super) fn note(&self, origin: &Origin, method: &Method, path: &str, error: Option<&Unreachable>) {
        match error {
            None => {
                if self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed) {
                    tracing::info!("`{origin}` answers again");
                }
            }
            Some(error) if !error.may_have_arrived() => {
                if !self.0.swap(true, Ordering::Relaxed) {
                    tracing::warn!("`{origin}` cannot be reached: {error}; it is tried again with every request");
                }
            }
            Some(Unreachable { kind: Kind::Client, .. }) => {}
            Some(error) => tracing::warn!("`{origin}` gave no answer to {method} {path}: {error}"),
        }
    }
}
