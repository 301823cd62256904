//! The way to the admin door: through the socket of a running `serve`, else in this process.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tower::ServiceExt as _;

use super::Failure;
use crate::config::Config;
use crate::doors::Problem;
use crate::doors::admin;
use crate::serve::{Shim, StartError};
use crate::store::StoreError;

/// Longer than the longest thing asked for, a look at a mailbox.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often, and how far apart, it is looked for the door of a `serve` that holds the store.
const OPENING: u32 = 15;
const OPENING_STEP: Duration = Duration::from_millis(200);

/// What stays as it is in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// The admin door.
pub(super) struct Client {
    runtime: tokio::runtime::Runtime,
    config: Config,
    /// The door in this process, where no `serve` is running.
    here: Option<Router>,
}

impl Client {
    /// Finds a running `serve`, or opens the store in its place.
    pub(super) fn open(config: Config) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let socket = config.admin_socket();
        // A `serve` that is just starting holds the store before it opens its door.
        let mut patience = OPENING;
        let here = loop {
            match runtime.block_on(UnixStream::connect(&socket)) {
                Ok(_) => break None,
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {}
                Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                    return Err(Failure(format!(
                        "this user may not open `{}`; run the command as the user who runs `serve`, or as root",
                        socket.display()
                    )));
                }
                Err(e) => return Err(Failure(format!("cannot reach `serve` at `{}`: {e}", socket.display()))),
            }
            match open(&config) {
                Ok(router) => break Some(router),
                Err(NotOpened::InUse(_)) if patience > 0 => std::thread::sleep(OPENING_STEP),
                Err(NotOpened::InUse(path)) => {
                    return Err(Failure(format!(
                        "`{path}` is in use, but no `serve` answers at `{}`; if one is starting or stopping, try again in \
                         some seconds",
                        socket.display()
                    )));
                }
                Err(NotOpened::Failed(failure)) => return Err(failure),
            }
            patience -= 1;
        };
        Ok(Self { runtime, config, here })
    }

    /// Whether a `serve` is running.
    pub(super) fn is_running(&self) -> bool {
        self.here.is_none()
    }

    /// Asks.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::GET, path, &())
    }

    /// Asks for something to be done.
    pub(super) fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::POST, path, &())
    }

    /// Asks, with a body.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/admin/v1{path}"))
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(serde_json::to_vec(body)?))?;
        let (status, body) = self.runtime.block_on(async {
            match tokio::time::timeout(PATIENCE, self.exchange(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(Failure(
                    "`serve` does not answer; its log says more, and a restart of it loses nothing".to_owned(),
                )),
            }
        })?;
        if status.is_success() {
            return Ok(serde_json::from_slice(&body).map_err(|e| {
                format!("the answer of `serve` is not understood ({e}); it may be another version of this program: restart it")
            })?);
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(Failure(problem.detail)),
            Err(_) => Err(Failure(format!("`serve` answered {status}; its log says more"))),
        }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<(StatusCode, Vec<u8>), Failure> {
        let Some(router) = &self.here else { return self.over_socket(request).await };
        let response = match router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes().to_vec()))
    }

    async fn over_socket(&self, request: Request<Body>) -> Result<(StatusCode, Vec<u8>), Failure> {
        let stream = UnixStream::connect(self.config.admin_socket()).await.map_err(gone)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(gone)?;
        // Ends when the sender is dropped; what goes wrong with it is told by the request.
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(gone)?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(gone)?.to_bytes().to_vec();
        drop(sender);
        let _ = connection.await;
        Ok((status, body))
    }
}

fn gone(error: impl std::fmt::Display) -> Failure {
    Failure(format!("`serve` broke the connection off ({error}); run the command again"))
}

/// Why the store could not be opened here.
enum NotOpened {
    /// Somebody else has it.
    InUse(String),
    /// Anything else.
    Failed(Failure),
}

impl<T: Into<Failure>> From<T> for NotOpened {
    fn from(failure: T) -> Self {
        Self::Failed(failure.into())
    }
}

/// Sees whether the state folder is there and this user's own. A file left by root in the folder of another user would keep
/// that user's `serve` from starting.
pub(super) fn own_state(config: &Config) -> Result<(), Failure> {
    let state = config.state_dir.display();
    let about = std::fs::metadata(&config.state_dir).map_err(|e| {
        if e.kind() == ErrorKind::NotFound {
            format!(
                "the state folder `{state}` does not exist. Where it was moved, mend `state_dir` in the configuration; where it was lost, restore it from its backup, or remove the configuration and begin with `teams-mirror init`"
            )
        } else {
            format!("the state folder `{state}` cannot be opened: {e}")
        }
    })?;
    if about.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(Failure(format!(
        "the state folder `{state}` belongs to another user, who alone may open it: `sudo -u '#{}' teams-mirror …`",
        about.uid()
    )))
}

/// Opens the store in place of a `serve`.
fn open(config: &Config) -> Result<Router, NotOpened> {
    own_state(config).map_err(|failure| format!("no `serve` is running that could be asked, and {}", failure.0))?;
    match Shim::open(config.clone()) {
        Ok(shim) => Ok(admin::router(Arc::new(shim))),
        Err(StartError::Store(StoreError::InUse { path })) => Err(NotOpened::InUse(path)),
        Err(other) => Err(other.into()),
    }
}

/// A name as one segment of a path.
pub(super) fn segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// A path with a query.
pub(super) fn with_query(path: &str, pairs: &[(&str, Option<String>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        empty if empty.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment() {
        assert_eq!(segment("a@x.example"), "a@x.example");
        assert_eq!(segment("../a/b?c#d e%ü"), "..%2Fa%2Fb%3Fc%23d%20e%25%C3%BC");
    }

    #[test]
    fn a_query_holds_what_was_said() {
        assert_eq!(with_query("/events", &[("state", None)]), "/events");
        let pairs = [("account", Some("a+b@x.example".to_owned())), ("limit", Some("5".to_owned()))];
        assert_eq!(with_query("/events", &pairs), "/events?account=a%2Bb%40x.example&limit=5");
    }
}
