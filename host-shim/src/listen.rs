//! Listening: TCP or Unix socket, HTTP/1.1, with the patience a slow client gets.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::config::Endpoint;

/// How long a client may take to send its header.
const HEADER_PATIENCE: Duration = Duration::from_secs(10);

/// A bound address.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Listener {
    /// Binds.
    ///
    /// # Errors
    /// With the address and what is wrong, in a sentence.
    pub async fn bind(endpoint: &Endpoint) -> Result<Self, String> {
        match endpoint {
            Endpoint::Tcp(address) => {
                let listener = TcpListener::bind(address).await.map_err(|e| {
                    let why = match e.kind() {
                        std::io::ErrorKind::AddrInUse => "; does another `teams-mirror` run, or another server?",
                        std::io::ErrorKind::AddrNotAvailable => "; name an address of this machine",
                        _ => "",
                    };
                    format!("cannot listen on `{address}`: {e}{why}")
                })?;
                Ok(Self { socket: Socket::Tcp(listener) })
            }
            Endpoint::Unix(path) => Self::bind_unix(path, 0o660),
        }
    }

    /// Binds a Unix socket that only our own user may open.
    ///
    /// # Errors
    /// As [`Listener::bind`].
    pub fn bind_private(path: &Path) -> Result<Self, String> {
        Self::bind_unix(path, 0o600)
    }

    fn bind_unix(path: &Path, mode: u32) -> Result<Self, String> {
        let err = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => format!(
                "cannot listen on `{}`: its folder does not exist; make it, or have systemd make it (`RuntimeDirectory=`)",
                path.display()
            ),
            _ => format!("cannot listen on `{}`: {e}", path.display()),
        };
        // A socket left behind by a killed process is in the way; anything else there is not ours to remove.
        if let Ok(known) = std::fs::symlink_metadata(path) {
            if !known.file_type().is_socket() {
                return Err(format!("cannot listen on `{}`: there is something that is no socket", path.display()));
            }
            std::fs::remove_file(path).map_err(err)?;
        }
        let listener = UnixListener::bind(path).map_err(err)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(err)?;
        Ok(Self { socket: Socket::Unix(listener, path.into()) })
    }

    /// The TCP address, where it is one.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().ok(),
            Socket::Unix(..) => None,
        }
    }

    /// Serves until `stop` turns true, then lets requests on their way finish for at most `patience`.
    pub async fn serve(self, router: Router, stop: watch::Receiver<bool>, patience: Duration) {
        let each = |arrived, _| connection(arrived, router.clone(), stop.clone());
        self.serve_each(each, || None, Semaphore::MAX_PERMITS, stop.clone(), patience).await;
    }

    /// The same with whatever is to be done with each connection and wherever, `most` of them at a time: more wait where the
    /// system keeps them. `each` ends by itself when `stop` turns true, as soon as it can.
    pub(crate) async fn serve_each<F: Future<Output = ()> + Send + 'static>(
        self,
        each: impl Fn(Arrived, Peer) -> F,
        choose: impl Fn() -> Option<Place>,
        most: usize,
        mut stop: watch::Receiver<bool>,
        patience: Duration,
    ) {
        let room = Arc::new(Semaphore::new(most));
        let mut connections = JoinSet::new();
        loop {
            let accepted = async {
                // The room is never closed.
                let place = Arc::clone(&room).acquire_owned().await.ok();
                (self.accept().await, place)
            };
            tokio::select! {
                () = told(&mut stop) => break,
                (accepted, place) = accepted => match accepted {
                    Ok((arrived, peer)) => {
                        let served = each(arrived, peer);
                        let (runtime, load) = choose().map_or((Handle::current(), None), |at| (at.runtime, Some(at.load)));
                        let served = async move {
                            let _held = (place, load);
                            served.await;
                        };
                        connections.spawn_on(served, &runtime);
                    }
                    Err(error) => {
                        // Out of file descriptors, most likely: others have to finish first.
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
        // Who comes now is refused at once, and not kept until the last of the others is done; the address is free for whoever
        // is to follow.
        if let Socket::Unix(_, path) = &self.socket {
            let _ = std::fs::remove_file(path);
        }
        drop(self);
        let finished = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, finished).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
    }

    async fn accept(&self) -> std::io::Result<(Arrived, Peer)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Arrived::Tcp(stream.into_std()?), Peer::Tcp(address.ip())))
            }
            Socket::Unix(listener, _) => Ok((Arrived::Unix(listener.accept().await?.0.into_std()?), Peer::Unix)),
        }
    }
}

/// A connection that belongs to no runtime yet.
pub(crate) enum Arrived {
    /// By TCP.
    Tcp(std::net::TcpStream),
    /// By a Unix socket.
    Unix(std::os::unix::net::UnixStream),
}

impl Arrived {
    /// Makes it one of the runtime's that this is called on.
    ///
    /// # Errors
    /// Where the system has no room for it.
    pub(crate) fn here(self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(stream) => Box::new(TcpStream::from_std(stream)?),
            Self::Unix(stream) => Box::new(UnixStream::from_std(stream)?),
        })
    }
}

/// Where a connection is served.
pub(crate) struct Place {
    /// The runtime.
    pub(crate) runtime: Handle,
    /// Held as long as the connection lasts.
    pub(crate) load: Arc<()>,
}

/// A connection of whatever kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Somebody at this address.
    Tcp(IpAddr),
    /// Somebody of this machine who may open the socket.
    Unix,
}

/// SIGINT and SIGTERM, which no longer end the process by themselves once this is made.
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens for them. Within a runtime.
    ///
    /// # Errors
    /// Where signals cannot be waited for.
    pub(crate) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of them.
    pub(crate) async fn come(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Resolves when it is time to stop.
pub(crate) async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could tell is gone, which tells the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(arrived: Arrived, router: Router, mut stop: watch::Receiver<bool>) {
    let Ok(stream) = arrived.here() else { return };
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_PATIENCE);
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut served = std::pin::pin!(served);
    tokio::select! {
        // A client that went away is its own business.
        _ = served.as_mut() => return,
        () = told(&mut stop) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}
