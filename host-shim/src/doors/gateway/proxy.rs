//! One request on its way through.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::calendar::Calendars;
use super::config::GatewayConfig;
use super::lanes::Lanes;
use super::stalled::Stalled;
use super::upstream::Upstream;
use super::{Body, forwarded, health, sentence, tls};
use crate::listen::{Arrived, Listener, Peer, Stream, told};

/// How long TLS may take to be agreed on.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// The most octets of a request's head.
const MOST_HEAD: usize = 64 * 1024;

/// What every request needs.
pub(super) struct Proxy {
    config: Arc<GatewayConfig>,
    upstream: Upstream,
    calendars: Arc<Calendars>,
    acceptor: Option<TlsAcceptor>,
}

impl Proxy {
    /// # Errors
    /// Where the certificate cannot be used, in a sentence.
    pub(super) fn new(
        config: Arc<GatewayConfig>,
        upstream: Upstream,
        calendars: Arc<Calendars>,
    ) -> Result<Self, String> {
        let acceptor = config.tls.as_ref().map(tls::server).transpose()?.map(TlsAcceptor::from);
        Ok(Self { config, upstream, calendars, acceptor })
    }

    /// Serves until `stop` turns true, then lets requests on their way finish for at most `patience`.
    pub(super) async fn serve(
        self: Arc<Self>,
        listener: Listener,
        lanes: Arc<Lanes>,
        stop: watch::Receiver<bool>,
        patience: Duration,
    ) {
        let most = self.config.max_connections.min(tokio::sync::Semaphore::MAX_PERMITS);
        let each = |arrived, peer| Arc::clone(&self).connection(arrived, peer, stop.clone());
        listener.serve_each(each, || lanes.place(), most, stop.clone(), patience).await;
    }

    async fn connection(self: Arc<Self>, arrived: Arrived, peer: Peer, stop: watch::Receiver<bool>) {
        let Ok(stream) = arrived.here() else { return };
        let Some(acceptor) = &self.acceptor else { return self.http(stream, peer, stop).await };
        let mut stopped = stop.clone();
        let agreed = tokio::select! {
            agreed = tokio::time::timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream)) => agreed,
            () = told(&mut stopped) => return,
        };
        match agreed {
            Ok(Ok(stream)) => self.http(Box::new(stream), peer, stop).await,
            // Scanners, and clients that do not know the authority: every day's noise.
            Ok(Err(error)) => tracing::debug!(?peer, %error, "no TLS was agreed on"),
            Err(_) => tracing::debug!(?peer, "no TLS was agreed on in time"),
        }
    }

    async fn http(self: Arc<Self>, stream: Box<dyn Stream>, peer: Peer, mut stop: watch::Receiver<bool>) {
        let service = service_fn(|request| {
            let proxy = Arc::clone(&self);
            async move { Ok::<_, Infallible>(proxy.answer(request, peer).await) }
        });
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.config.client_timeout)
            .max_header_size(MOST_HEAD)
            .serve_connection(TokioIo::new(Stalled::new(stream, self.config.silence_timeout)), service)
            .with_upgrades();
        let mut served = std::pin::pin!(served);
        tokio::select! {
            // A client that went away is its own business.
            _ = served.as_mut() => return,
            () = told(&mut stop) => {}
        }
        served.as_mut().graceful_shutdown();
        let _ = served.await;
    }

    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        if let Err(refusal) = check(&mut head) {
            let mut refusal = sentence(StatusCode::BAD_REQUEST, refusal);
            // Where such a request ends is not known for sure, so nothing after it is believed.
            refusal.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return refusal;
        }
        let switch = forwarded::prepare(&mut head, peer, self.acceptor.is_some(), &self.config);
        let client = head.extensions.remove::<OnUpgrade>().filter(|_| switch);
        let own = self.config.settings_path.rest(head.uri.path());
        // What is rare, and large while it is on its way, is put aside: hyper keeps room for the largest in every connection.
        if health::concerns(&head, own) {
            return Box::pin(health::answer(own, &self.upstream, &self.calendars)).await;
        }
        let body = if hyper::body::Body::is_end_stream(&body) {
            super::full("")
        } else {
            body.map_err(Into::into).boxed_unsync()
        };
        if own.is_some() || is_write(&head.method) {
            return Box::pin(self.calendars.answer(Request::from_parts(head, body))).await;
        }
        let mut answer = match self.upstream.pass(Request::from_parts(head, body)).await {
            Ok(answer) => answer,
            Err(unreachable) => return unreachable.answer(),
        };
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            match (client, answer.extensions_mut().remove::<OnUpgrade>()) {
                (Some(client), Some(server)) => drop(tokio::spawn(tunnel(client, server))),
                _ => {
                    return sentence(
                        StatusCode::BAD_GATEWAY,
                        "The calendar server switched to another protocol without being asked.",
                    );
                }
            }
        }
        answer
    }
}

/// What can change a calendar.
fn is_write(method: &Method) -> bool {
    matches!(method.as_str(), "PUT" | "POST" | "DELETE" | "MOVE" | "COPY")
}

/// Refuses what two parties could understand in two ways and hyper lets through (RFC 9112 §3.2, §6.1), and `CONNECT`, which is
/// for other proxies. Lengths that contradict each other never come so far, and beside a `Transfer-Encoding` hyper takes the
/// length away and ends the connection after the answer.
fn check(head: &mut Parts) -> Result<(), &'static str> {
    if head.method == Method::CONNECT {
        return Err("This is a calendar server and no proxy to elsewhere, so it does not know `CONNECT`.");
    }
    let encodings = head.headers.get_all(header::TRANSFER_ENCODING).iter().count();
    if encodings > 0 {
        let chunked =
            head.headers.get(header::TRANSFER_ENCODING).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"chunked"));
        if encodings > 1 || !chunked || head.version == Version::HTTP_10 {
            return Err("The request has a `Transfer-Encoding` other than `chunked`, which is not understood here.");
        }
    }
    match (head.headers.get_all(header::HOST).iter().count(), head.version) {
        (1, _) | (0, Version::HTTP_10) => {}
        (0, _) => return Err("The request has no `Host`."),
        _ => return Err("The request has more than one `Host`."),
    }
    // What an absolute-form target says counts (RFC 9112 §3.2.2).
    if let Some(authority) = head.uri.authority() {
        let host = HeaderValue::try_from(authority.as_str()).map_err(|_| "The request's target is no address.")?;
        head.headers.insert(header::HOST, host);
    }
    Ok(())
}

/// Carries octets both ways until both sides have ended.
async fn tunnel(client: OnUpgrade, server: OnUpgrade) {
    let (Ok(client), Ok(server)) = tokio::join!(client, server) else { return };
    let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}
