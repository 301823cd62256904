//! Whether the gateway lives, and whether those it needs answer. Both stand under the settings path, so that they hide nothing of
//! the server.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};

use super::calendar::Calendars;
use super::upstream::Upstream;
use super::{Body, sentence};

/// How long each of the two may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// As much of an answer is read.
const MOST: usize = 64 * 1024;

/// Answers `healthz` and `readyz` under the settings path. `None` for everything else.
pub(super) async fn answer(
    head: &Parts,
    own: Option<&str>,
    upstream: &Upstream,
    calendars: &Calendars,
) -> Option<Response<Body>> {
    let own = own?;
    if !matches!(own, "healthz" | "readyz") || !matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    if own == "healthz" {
        return Some(sentence(StatusCode::OK, "ok"));
    }
    let (server, hook) = tokio::join!(asked(upstream), calendars.ready());
    let server = server.map(drop);
    let line = |name: &str, found: &Result<(), String>| match found {
        Ok(()) => format!("{name}: answers"),
        Err(why) => format!("{name}: {why}"),
    };
    // Without the hook saves go through and are noted; without the server nothing does.
    let status = if server.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Some(sentence(status, &format!("{}\n{}", line("server", &server), line("hook", &hook))))
}

/// Whether the server answers at all; whatever it says counts.
pub(super) async fn asked(upstream: &Upstream) -> Result<Response<Bytes>, String> {
    let request = Request::builder().method(Method::OPTIONS).uri("/").body(Bytes::new()).map_err(|e| e.to_string())?;
    upstream.ask(request, MOST, PATIENCE).await.map_err(|error| error.to_string())
}
