//! The socket: connections that can all be cut at once, and a port that is kept while nobody listens.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::SyncSender;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::front::CutConnection;

/// What the owner of a running simulator asks for.
pub(crate) enum Command {
    /// Close the listener and every connection; new ones are refused.
    Pause(SyncSender<io::Result<()>>),
    /// Listen again on the same port.
    Resume(SyncSender<io::Result<()>>),
    /// Close everything for good.
    Stop,
}

/// A port, and whoever listens there.
pub(crate) struct Port {
    address: SocketAddr,
    /// Bound and never listening, for as long as the simulator lives: while nobody listens connections are refused, and nobody
    /// else gets the port.
    _kept: TcpSocket,
    listener: Option<TcpListener>,
}

impl Port {
    /// Binds and listens; port 0 takes a free one.
    pub(crate) fn open(at: SocketAddr) -> io::Result<Self> {
        let kept = bind(at)?;
        let address = kept.local_addr()?;
        let listener = Some(bind(address)?.listen(1_024)?);
        Ok(Self { address, _kept: kept, listener })
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Binds without listening. Sockets that allow it share a port as long as one of them listens at most.
fn bind(at: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    Ok(socket)
}

/// Serves until it is told to stop.
pub(crate) async fn run(mut port: Port, router: Router, mut commands: UnboundedReceiver<Command>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept(port.listener.as_ref()) => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, router.clone()));
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            command = commands.recv() => match command {
                Some(Command::Pause(done)) => {
                    port.listener = None;
                    connections.shutdown().await;
                    let _ = done.send(Ok(()));
                }
                Some(Command::Resume(done)) => {
                    let opened = match port.listener.take() {
                        Some(listening) => Ok(listening),
                        None => bind(port.address).and_then(|socket| socket.listen(1_024)),
                    };
                    let _ = done.send(opened.map(|opened| port.listener = Some(opened)));
                }
                Some(Command::Stop) | None => {
                    connections.shutdown().await;
                    return;
                }
            },
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

async fn serve(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let response = match router.oneshot(request.map(Body::new)).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            // An error from the service makes hyper close the connection without a word.
            if response.extensions().get::<CutConnection>().is_some() {
                return Err(io::Error::other("the connection is cut by a fault"));
            }
            Ok(response)
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
