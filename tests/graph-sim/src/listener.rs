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

/// Binds and listens.
pub(crate) fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    reserve(at)?.listen(1_024)
}

/// Binds without listening: connections are refused, and nobody else gets the port.
fn reserve(at: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    Ok(socket)
}

/// Serves until it is told to stop.
pub(crate) async fn run(listener: TcpListener, router: Router, mut commands: UnboundedReceiver<Command>) {
    let Ok(address) = listener.local_addr() else { return };
    let mut listener = Some(listener);
    let mut reserved: Option<TcpSocket> = None;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept(listener.as_ref()) => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, router.clone()));
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            command = commands.recv() => match command {
                Some(Command::Pause(done)) => {
                    listener = None;
                    connections.shutdown().await;
                    let kept = if reserved.is_some() { Ok(()) } else { reserve(address).map(|socket| reserved = Some(socket)) };
                    let _ = done.send(kept);
                }
                Some(Command::Resume(done)) => {
                    let opened = match reserved.take() {
                        Some(socket) => socket.listen(1_024),
                        None if listener.is_some() => { let _ = done.send(Ok(())); continue }
                        None => listen(address),
                    };
                    let _ = done.send(opened.map(|opened| listener = Some(opened)));
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
