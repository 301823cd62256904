//! What concerns a calendar.

use std::sync::Arc;

use hyper::{Request, Response};
use tokio::sync::watch;

use super::Body;
use super::config::GatewayConfig;
use super::upstream::Upstream;

/// What is told to the hook API.
pub(crate) struct Calendars {
    upstream: Upstream,
}

impl Calendars {
    /// With the notes and the secret the configuration names.
    ///
    /// # Errors
    /// With what is wrong and what to do.
    pub(crate) fn open(_config: &Arc<GatewayConfig>, upstream: Upstream) -> Result<Self, String> {
        Ok(Self { upstream })
    }

    /// The work beside the requests, until `stop` turns true.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Answers what the proxy hands over: `PUT`, `POST`, `DELETE`, `MOVE` and `COPY`, and what is asked under the settings path.
    /// Never fails: what goes wrong here costs the mirror, never the save.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        match self.upstream.pass(request).await {
            Ok(answer) => answer,
            Err(unreachable) => unreachable.answer(),
        }
    }

    /// Whether the hook API answers; the error is a sentence.
    pub(crate) async fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    /// What `--check` finds: what holds (`Ok`) and what does not, with what to do (`Err`).
    pub(crate) async fn check(&self) -> Vec<Result<String, String>> {
        Vec::new()
    }
}
