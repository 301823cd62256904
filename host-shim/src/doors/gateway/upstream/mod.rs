//! The server behind: connections that are kept, requests on their way there, answers on their way back.
//!
//! A connection is driven by the request that uses it, in the same task, and by nobody while it is kept. So a client that goes
//! away takes its request to the server with it, a body moves only as fast as the other side takes it, and nothing is handed
//! from thread to thread on the way.
//!
//! The server may close a kept connection in the very moment in which a request leaves on it. RFC 9110 §9.2.2 says when a
//! proxy may send it again:
//!
//! | the request | what is done |
//! | --- | --- |
//! | its method is safe, and its body as short as can be kept | leaves on a kept connection; sent again on a new one |
//! | all others | never sent again; so they leave on a new connection, and a save never fails because a connection was kept |

mod answer;
mod connect;
mod link;
mod unreachable;
mod upload;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};

use super::config::Origin;
use super::{Body, full, lanes};
use answer::Answer;
use connect::Connector;
use link::{Failed, Link};
pub(crate) use unreachable::Unreachable;
use upload::{Outgoing, Upload};

/// The most connections that a lane keeps for later.
const MOST_KEPT: usize = 64;
/// How long `100 Continue` is waited for before the body goes all the same: many servers never send it (RFC 9110 §10.1.1).
const CONTINUE_PATIENCE: Duration = Duration::from_secs(1);

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connecting, TLS included.
    pub(crate) connect: Duration,
    /// Until the next octet, in either direction.
    pub(crate) silence: Duration,
    /// A connection that is not used.
    pub(crate) keep_alive: Duration,
}

/// The server behind; cheap to clone.
#[derive(Clone)]
pub(crate) struct Upstream(Arc<Shared>);

struct Shared {
    origin: Origin,
    authority: HeaderValue,
    connector: Connector,
    limits: Limits,
    /// For each lane its own; the last one used is the last one there.
    kept: Vec<Mutex<Vec<Link>>>,
    outage: unreachable::Outage,
}

impl Upstream {
    /// Without a connection yet. `ca_file` holds the authorities trusted instead of the system's.
    ///
    /// # Errors
    /// With what is wrong about the authorities and what to do.
    pub(crate) fn new(origin: &Origin, ca_file: Option<&Path>, limits: &Limits) -> Result<Self, String> {
        let authority = origin.authority();
        Ok(Self(Arc::new(Shared {
            origin: origin.clone(),
            authority: HeaderValue::try_from(&authority).map_err(|_| format!("`{authority}` is no host"))?,
            connector: Connector::new(origin, ca_file)?,
            limits: *limits,
            kept: (0..=lanes::count()).map(|_| Mutex::default()).collect(),
            outage: unreachable::Outage::default(),
        })))
    }

    /// Passes a client's request on as it is and gives the answer as it comes; neither body is held in memory. What belongs to
    /// one connection alone (`Connection`, `Transfer-Encoding`, …) has been taken out of the request; here it is taken out of
    /// the answer. Where the answer is `101 Switching Protocols` its `hyper::upgrade::OnUpgrade` waits in its extensions.
    ///
    /// # Errors
    /// Where there is no answer.
    pub(crate) async fn pass(&self, request: Request<Body>) -> Result<Response<Body>, Unreachable> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let passed = self.0.pass(request).await;
        self.0.outage.note(&self.0.origin, &method, uri.path(), passed.as_ref().err());
        passed
    }

    /// A small request of the gateway's own, with the whole answer (up to `limit` octets), within `patience`.
    ///
    /// # Errors
    /// Where there is no whole answer in that time and of that size.
    pub(crate) async fn ask(
        &self,
        request: Request<Bytes>,
        limit: usize,
        patience: Duration,
    ) -> Result<Response<Bytes>, Unreachable> {
        let asked = async {
            // Whoever asks says himself what it means that there is no answer.
            let (head, mut body) = self.0.pass(request.map(full)).await?.into_parts();
            let mut whole = BytesMut::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| Unreachable::broken(format!("the answer broke off: {error}")))?;
                let Ok(data) = frame.into_data() else { continue };
                if whole.len().saturating_add(data.len()) > limit {
                    return Err(Unreachable::broken(format!("the answer is longer than {limit} octets")));
                }
                whole.extend_from_slice(&data);
            }
            Ok(Response::from_parts(head, whole.freeze()))
        };
        tokio::time::timeout(patience, asked).await.unwrap_or_else(|_| Err(Unreachable::silent(patience)))
    }
}

impl Shared {
    async fn pass(self: &Arc<Self>, request: Request<Body>) -> Result<Response<Body>, Unreachable> {
        let (mut head, body) = request.into_parts();
        let repeatable =
            is_safe(&head.method) && body.size_hint().exact().is_some_and(|length| length <= upload::MOST_KEPT);
        let expects =
            head.headers.get(header::EXPECT).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        self.prepare(&mut head, &body);
        let upload = if body.is_end_stream() { None } else { Some(Upload::new(body, repeatable, expects)) };
        let mut may_be_kept = repeatable;
        loop {
            let kept = if may_be_kept { self.take() } else { None };
            let mut link = match kept {
                Some(link) => link,
                None => self.connect().await?,
            };
            link.spare = !repeatable;
            let again = link.reused.then(|| copy(&head));
            let outgoing = upload.as_ref().map_or(Outgoing::Empty, Upload::begin);
            let mut request = Request::from_parts(head, outgoing);
            if let Some(upload) = &upload
                && expects
            {
                let gate = upload.clone();
                hyper::ext::on_informational(&mut request, move |answer| {
                    if answer.status() == StatusCode::CONTINUE {
                        gate.open();
                    }
                });
            }
            match link.exchange(request, upload.as_ref(), self.limits.silence).await {
                Ok(answer) => return Ok(self.answered(answer, link, upload)),
                Err(failed) => {
                    // What left on a kept connection can be repeated.
                    let rewound = !matches!(failed, Failed::Silent) && upload.as_ref().is_none_or(Upload::rewind);
                    match again {
                        Some(again) if rewound => head = again,
                        _ => return Err(Unreachable::of(failed, upload.as_ref(), self.limits.silence)),
                    }
                    // Those that are kept may all have been closed by the same restart.
                    may_be_kept = false;
                }
            }
        }
    }

    /// What the head must say on this connection.
    fn prepare(&self, head: &mut hyper::http::request::Parts, body: &Body) {
        head.version = Version::HTTP_11;
        // Origin-form (RFC 9112 §3.2.1); `*` stays what it is.
        if head.uri.authority().is_some() {
            let path = head.uri.path_and_query().cloned();
            head.uri = path.map_or_else(|| Uri::from_static("/"), Uri::from);
        }
        if !head.headers.contains_key(header::HOST) {
            head.headers.insert(header::HOST, self.authority.clone());
        }
        // The framing is this connection's own: one of the two, and it fits the body.
        head.headers.remove(header::TRANSFER_ENCODING);
        head.headers.remove(header::CONTENT_LENGTH);
        if let Some(length) = body.size_hint().exact() {
            if length > 0 || matches!(head.method, Method::PUT | Method::POST | Method::PATCH) {
                head.headers.insert(header::CONTENT_LENGTH, length.into());
            }
        } else {
            head.headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }

    fn answered(
        self: &Arc<Self>,
        mut answer: Response<hyper::body::Incoming>,
        link: Link,
        upload: Option<Upload>,
    ) -> Response<Body> {
        // Whatever the server speaks, the client is spoken to as it speaks itself.
        *answer.version_mut() = Version::HTTP_11;
        let switching = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        connection_headers_out(answer.headers_mut(), switching);
        if switching {
            link.run_until_upgraded();
            return answer.map(|_| full(Bytes::new()));
        }
        if let Some(upload) = &upload {
            if upload.never_began() {
                // The client holds its body back and will not send it now, so what follows on its connection is unknown.
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            if answer.status().is_client_error() || answer.status().is_server_error() {
                upload.stop();
            }
        }
        let shared = Arc::clone(self);
        answer.map(|body| Answer::new(body, link, shared, upload).into_body())
    }

    /// A kept connection that is open as far as can be seen.
    fn take(&self) -> Option<Link> {
        let mut kept = self.kept.get(lanes::current())?.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut link = kept.pop()?;
            if link.idle() > self.limits.keep_alive {
                // All others have waited longer yet.
                kept.clear();
                return None;
            }
            if link.is_free() {
                link.reused = true;
                return Some(link);
            }
        }
    }

    /// Keeps a connection for later. One that was made only because its request could not leave on a kept one is not kept
    /// beside others: to many a server a connection is a process.
    fn keep(self: &Arc<Self>, mut link: Link) {
        link.since = Instant::now();
        let Some(kept) = self.kept.get(link.lane) else { return };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_empty() {
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(sweep(Arc::downgrade(self), link.lane, self.limits.keep_alive));
            }
        } else if link.spare || kept.len() >= MOST_KEPT {
            return;
        }
        kept.push(link);
    }

    async fn connect(&self) -> Result<Link, Unreachable> {
        let connected = tokio::time::timeout(self.limits.connect, self.connector.connect());
        match connected.await {
            Ok(Ok(stream)) => Link::new(stream).await.map_err(Unreachable::not_connected),
            Ok(Err(error)) => Err(Unreachable::not_connected(error.to_string())),
            Err(_) => Err(Unreachable::not_connected_in(self.limits.connect)),
        }
    }
}

/// Closes what nobody uses and what the server has closed, until nothing is left.
async fn sweep(shared: std::sync::Weak<Shared>, lane: usize, keep_alive: Duration) {
    loop {
        tokio::time::sleep(keep_alive.clamp(Duration::from_millis(100), Duration::from_secs(5))).await;
        let Some(shared) = shared.upgrade() else { return };
        let Some(kept) = shared.kept.get(lane) else { return };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain_mut(|link| link.idle() <= keep_alive && link.is_free());
        if kept.is_empty() {
            return;
        }
    }
}

/// The head of a request once more; what hangs on the first one's connection stays there.
fn copy(head: &hyper::http::request::Parts) -> hyper::http::request::Parts {
    let mut request = Request::new(());
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = head.headers.clone();
    request.into_parts().0
}

/// Methods that change nothing (RFC 9110 §9.2.1, RFC 4918, RFC 3253 §3.6, RFC 5323).
fn is_safe(method: &Method) -> bool {
    matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "PROPFIND" | "REPORT" | "SEARCH")
}

/// Takes out what is meant for one connection alone (RFC 9110 §7.6.1), `Upgrade` only where it is not `kept`.
pub(super) fn connection_headers_out(headers: &mut HeaderMap, upgrade_kept: bool) {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !matches!(name.as_str(), "" | "close" | "keep-alive" | "upgrade"))
        .collect();
    let both = headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH);
    for name in named {
        // Somebody who names what a message cannot be understood without is not obeyed.
        if !matches!(name.as_str(), "host" | "content-length" | "authorization" | "cookie") {
            headers.remove(name);
        }
    }
    for name in
        ["keep-alive", "proxy-connection", "te", "transfer-encoding", "proxy-authenticate", "proxy-authorization"]
    {
        headers.remove(name);
    }
    if both {
        headers.remove(header::CONTENT_LENGTH);
    }
    headers.remove(header::CONNECTION);
    if upgrade_kept {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    } else {
        headers.remove(header::UPGRADE);
    }
}
