//! What concerns a calendar: told to the hook API, with the join link on its way back.
//!
//! | part | what it does |
//! | --- | --- |
//! | `put`, `save` | a save of one event: announced before the server stores it, reported after |
//! | `post` | a new member whose path the server chooses |
//! | `removal`, `moving`, `import` | what changes more than one object, told after it happened |
//! | `later`, `look` | what can only be told afterwards, and what became of a request without an answer |
//! | `conditions` | whether the server is going to refuse |
//! | `owner`, `introduce`, `people` | whose a calendar is, and what the hook knows of people |
//! | `server`, `dav`, `xml`, `path` | the gateway's own questions to the server |
//! | `hook` | the client of the hook API |
//! | `notes`, `telling`, `worker` | what still has to be told, on disk |
//! | `write_back`, `turns` | links that come late, written while nobody saves |
//! | `settings_page` | the user's way to the settings |
//! | `peek`, `body` | what a text is about, read ahead |
//! | `check` | what an administrator should know |
//!
//! Whatever goes wrong here costs the mirror, never the save.

mod body;
pub(super) mod check;
mod conditions;
mod dav;
mod hook;
mod import;
mod introduce;
mod later;
mod look;
mod moving;
mod notes;
mod owner;
mod path;
mod peek;
mod people;
mod post;
mod put;
mod remembered;
mod removal;
mod save;
mod server;
mod settings_page;
mod shared;
mod telling;
mod turns;
mod worker;
mod write_back;
mod xml;

use std::sync::Arc;

use hyper::{Method, Request, Response};
use tokio::sync::watch;

use super::Body;
use super::config::GatewayConfig;
use super::upstream::Upstream;
use shared::Shared;

/// What is told to the hook API.
pub(crate) struct Calendars {
    shared: Arc<Shared>,
}

impl Calendars {
    /// With the notes and the secret the configuration names.
    ///
    /// # Errors
    /// With what is wrong and what to do.
    pub(crate) fn open(config: &Arc<GatewayConfig>, upstream: Upstream) -> Result<Self, String> {
        Ok(Self { shared: Arc::new(Shared::open(config, upstream)?) })
    }

    /// The work beside the requests, until `stop` turns true.
    pub(crate) async fn run(self: Arc<Self>, stop: watch::Receiver<bool>) {
        check::at_start(&self.shared).await;
        worker::run(Arc::clone(&self.shared), stop).await;
    }

    /// Answers what the proxy hands over: `PUT`, `POST`, `DELETE`, `MOVE` and `COPY`, and what is asked under the settings path.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let shared = Arc::clone(&self.shared);
        if shared.config.settings_path.rest(request.uri().path()).is_some() {
            let (head, _) = request.into_parts();
            let rest = shared.config.settings_path.rest(head.uri.path()).unwrap_or_default();
            return settings_page::answer(&shared, &head, rest).await;
        }
        if is_digest(&request) {
            shared.loudly("digest", || {
                "users log in by Digest, whose credential is good for one request alone, so the gateway cannot ask the server in \
                 their name, and nothing is mirrored; let the server offer Basic over TLS"
                    .into()
            });
            return shared.pass(request).await;
        }
        match request.method().as_str() {
            "PUT" => put::answer(shared, request).await,
            "POST" => post::answer(shared, request).await,
            "DELETE" => removal::answer(shared, request).await,
            "MOVE" => moving::answer(shared, request, false).await,
            "COPY" => moving::answer(shared, request, true).await,
            _ => shared.pass(request).await,
        }
    }

    /// Whether the hook API answers; the error is a sentence.
    pub(crate) async fn ready(&self) -> Result<(), String> {
        match self.shared.hook.account(&check::account(&self.shared.config)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Whether the credential is good for one request alone (RFC 7616).
fn is_digest(request: &Request<Body>) -> bool {
    let changes = matches!(*request.method(), Method::PUT | Method::DELETE);
    let scheme = request.headers().get(hyper::header::AUTHORIZATION).and_then(|value| value.as_bytes().get(..7));
    changes && scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"digest "))
}
