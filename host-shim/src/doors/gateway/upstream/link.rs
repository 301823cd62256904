//! One connection to the server.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::Sleep;

use super::CONTINUE_PATIENCE;
use super::upload::{Outgoing, Upload};
use crate::doors::gateway::lanes;
use crate::listen::Stream;

/// The most octets of an answer's head.
const MOST_HEAD: usize = 256 * 1024;

/// One connection, moved forward by whoever holds it.
pub(super) struct Link {
    sender: http1::SendRequest<Outgoing>,
    /// `None`: it is closed.
    connection: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
    /// The lane it was made on, whose runtime hears of it.
    pub(super) lane: usize,
    /// Since when nobody has used it.
    pub(super) since: Instant,
    /// Whether an exchange went before.
    pub(super) reused: bool,
    /// Whether it was made for a request that could not leave on a kept one.
    pub(super) spare: bool,
}

/// Why an exchange came to nothing.
pub(super) enum Failed {
    /// Nothing of the request has left.
    NotSent(String),
    /// It may have arrived.
    Broken(String),
    /// It may have arrived; nothing was heard for too long.
    Silent,
}

impl Link {
    /// Over a stream that is connected.
    pub(super) async fn new(stream: Box<dyn Stream>) -> Result<Self, String> {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MOST_HEAD);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        Ok(Self {
            sender,
            connection: Some(Box::pin(connection.with_upgrades())),
            lane: lanes::current(),
            since: Instant::now(),
            reused: false,
            spare: false,
        })
    }

    /// How long nobody has used it.
    pub(super) fn idle(&self) -> Duration {
        self.since.elapsed()
    }

    /// Whether it is open and can take a request, as far as can be seen from here.
    pub(super) fn is_free(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop())) && self.sender.is_ready()
    }

    /// Moves it forward as far as it goes. Whether it is open still.
    pub(super) fn drive(&mut self, context: &mut Context<'_>) -> bool {
        if let Some(connection) = &mut self.connection
            && connection.as_mut().poll(context).is_ready()
        {
            self.connection = None;
        }
        self.connection.is_some()
    }

    /// Sends a request and waits for the head of its answer, no longer than `silence` without a sign of life.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Outgoing>,
        upload: Option<&Upload>,
        silence: Duration,
    ) -> Result<Response<Incoming>, Failed> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let mut patience = pin!(tokio::time::sleep(silence));
        let mut gate: Option<Pin<Box<Sleep>>> =
            upload.filter(|upload| upload.is_held()).map(|_| Box::pin(tokio::time::sleep(CONTINUE_PATIENCE)));
        poll_fn(|context| {
            loop {
                let open = self.drive(context);
                if let Poll::Ready(outcome) = answer.as_mut().poll(context) {
                    return Poll::Ready(outcome.map_err(|mut failed| {
                        let sent = failed.take_message().is_none();
                        let why = root(failed.error());
                        if sent { Failed::Broken(why) } else { Failed::NotSent(why) }
                    }));
                }
                if !open {
                    return Poll::Ready(Err(Failed::Broken("the connection was closed".into())));
                }
                if let (Some(upload), Some(waiting)) = (upload, &mut gate)
                    && waiting.as_mut().poll(context).is_ready()
                {
                    gate = None;
                    upload.open();
                    continue;
                }
                if patience.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                let moved = upload.map_or(Duration::MAX, Upload::since_moved);
                match silence.checked_sub(moved) {
                    Some(left) if !left.is_zero() => {
                        patience.as_mut().reset(tokio::time::Instant::now() + left);
                    }
                    _ => return Poll::Ready(Err(Failed::Silent)),
                }
            }
        })
        .await
    }

    /// Lets the connection go to whoever waits for the protocol it was switched to.
    pub(super) fn run_until_upgraded(mut self) {
        if let Some(connection) = self.connection.take() {
            let sender = self.sender;
            tokio::spawn(async move {
                let _ = connection.await;
                drop(sender);
            });
        }
    }
}

/// The innermost reason, which is the one that says something.
pub(super) fn root(error: &hyper::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
