//! The CalDAV gateway: `teams-mirror gateway`, a process of its own before any CalDAV server.
//!
//! | part | what it does |
//! | --- | --- |
//! | [`config`] | `gateway.toml` |
//! | `upstream` | the connections to the server behind: TCP, TLS or a Unix socket, kept alive |
//! | `lanes` | threads that carry a connection from its beginning to its end |
//! | `proxy` | one request: what may pass a proxy and what may not (RFC 9110 §7.6), streamed both ways |
//! | `calendar` | what concerns a calendar: told to the hook API, with the join link on its way back |
//! | `watch` | what was written past the gateway |
//!
//! It is a client of the hook API like any adapter and shares nothing with `serve`: when that is stopped, clients notice
//! nothing. Whatever goes wrong on our side, a client's request goes through as if there were no gateway.

pub(crate) mod calendar;
mod check;
pub mod config;
mod forwarded;
mod health;
mod lanes;
mod proxy;
mod stalled;
mod tls;
pub(crate) mod upstream;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Response, StatusCode, header};

use crate::listen::{Listener, Signals};
use calendar::Calendars;
pub use check::{Finding, check};
use config::GatewayConfig;
use lanes::Lanes;
use proxy::Proxy;
use upstream::Upstream;
use watch::Watcher;

/// Why a body ended before its end.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body on its way through, whichever way.
pub(crate) type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

/// How long a stop waits for requests on their way.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// A body that is there as a whole; an empty one for no octets.
pub(crate) fn full(octets: impl Into<Bytes>) -> Body {
    Full::new(octets.into()).map_err(|never| match never {}).boxed_unsync()
}

/// An answer of the gateway's own: a sentence for whoever reads it.
pub(crate) fn sentence(status: StatusCode, text: &str) -> Response<Body> {
    let mut answer = Response::new(full(format!("{text}\n")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// Why it does not start, in a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct GatewayError(String);

/// A gateway whose configuration holds. Nothing runs yet.
pub struct Gateway {
    config: Arc<GatewayConfig>,
    proxy: Arc<Proxy>,
    calendars: Arc<Calendars>,
}

impl Gateway {
    /// Reads what the configuration names: certificates, the secret, the notes.
    ///
    /// # Errors
    /// With what is wrong and what to do.
    pub fn open(config: GatewayConfig) -> Result<Self, GatewayError> {
        let config = Arc::new(config);
        let upstream = Upstream::new(&config.upstream, config.upstream_ca_file.as_deref(), &config.limits())
            .map_err(GatewayError)?;
        let calendars = Arc::new(Calendars::open(&config, upstream.clone()).map_err(GatewayError)?);
        let proxy = Proxy::new(Arc::clone(&config), upstream, Arc::clone(&calendars)).map_err(GatewayError)?;
        Ok(Self { config, proxy: Arc::new(proxy), calendars })
    }

    /// Listens and serves. Returns when it listens.
    ///
    /// # Errors
    /// Where the address cannot be listened on; the sentence names it.
    pub fn start(self) -> Result<Running, GatewayError> {
        let threads = |e: std::io::Error| GatewayError(format!("the machine gives no threads: {e}"));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("gateway")
            .enable_all()
            .build()
            .map_err(threads)?;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let listener = runtime.block_on(Listener::bind(&self.config.listen)).map_err(GatewayError)?;
        let address = listener.tcp();
        tracing::info!(listen = %String::from(self.config.listen.clone()), upstream = %self.config.upstream, "the gateway is running");
        let work = runtime.spawn(Arc::clone(&self.calendars).run(stopped.clone()));
        let lanes = Arc::new(Lanes::start().map_err(threads)?);
        let door = runtime.spawn(self.proxy.serve(listener, Arc::clone(&lanes), stopped.clone(), STOP_PATIENCE));
        if let Some(watcher) = Watcher::open(self.calendars.shared()) {
            runtime.spawn(watcher.run(stopped));
        }
        Ok(Running { runtime, lanes, door, work, stop, address })
    }
}

/// A running gateway; stops when told or dropped.
pub struct Running {
    runtime: tokio::runtime::Runtime,
    lanes: Arc<Lanes>,
    door: tokio::task::JoinHandle<()>,
    work: tokio::task::JoinHandle<()>,
    stop: tokio::sync::watch::Sender<bool>,
    address: Option<SocketAddr>,
}

impl Running {
    /// Where it listens, where that is TCP.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Listens for SIGINT and SIGTERM. Made before anybody is told that this runs, none of them is lost.
    ///
    /// # Errors
    /// Where signals cannot be waited for.
    pub fn signals(&self) -> std::io::Result<Signals> {
        let _within = self.runtime.enter();
        Signals::listen()
    }

    /// Waits for one of them.
    pub fn wait_for(&self, signals: Signals) {
        self.runtime.block_on(signals.come());
    }

    /// Lets requests on their way finish, for at most ten seconds, and stops. Notes that are left are told at the next start.
    pub fn stop(self) {
        self.stop.send_replace(true);
        self.runtime.block_on(async {
            let _ = self.door.await;
            let _ = tokio::time::timeout(STOP_PATIENCE, self.work).await;
        });
        if let Some(lanes) = Arc::into_inner(self.lanes) {
            lanes.stop();
        }
        self.runtime.shutdown_timeout(Duration::from_millis(100));
        tracing::info!("the gateway has stopped");
    }
}
