//! A request's body on its way to the server.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use crate::doors::gateway::{Body, BoxError, full};

/// A body as long as this can be kept until it is answered, so that it can be sent again.
pub(super) const MOST_KEPT: u64 = 64 * 1024;
/// A body nobody wants any more is read for so long, so that the client sees the answer before its connection ends
/// (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(10);

/// A request's body, held by the exchange and by the connection it leaves on.
#[derive(Clone)]
pub(super) struct Upload(Arc<Mutex<State>>);

struct State {
    body: Body,
    /// Whether the client may send.
    gate: Gate,
    /// Whoever waits for the gate.
    waker: Option<Waker>,
    /// What has left, where it may have to leave again.
    kept: Option<Vec<Bytes>>,
    /// What is to leave again, before the rest.
    again: VecDeque<Bytes>,
    /// Whether a part of the body was asked for.
    begun: bool,
    ended: bool,
    failed: bool,
    moved: Instant,
}

#[derive(PartialEq, Eq)]
enum Gate {
    /// Until the server says `100 Continue`.
    Held,
    Open,
    /// The server has answered and does not want the rest.
    Stopped,
}

impl Upload {
    pub(super) fn new(body: Body, keep: bool, held: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            body,
            gate: if held { Gate::Held } else { Gate::Open },
            waker: None,
            kept: keep.then(Vec::new),
            again: VecDeque::new(),
            begun: false,
            ended: false,
            failed: false,
            moved: Instant::now(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the connection it is to leave on.
    pub(super) fn begin(&self) -> Outgoing {
        Outgoing::Upload(self.clone())
    }

    /// Makes it leave from its first octet again. Whether that can be.
    pub(super) fn rewind(&self) -> bool {
        let mut state = self.state();
        if !state.begun {
            return true;
        }
        if state.failed {
            return false;
        }
        let Some(kept) = &state.kept else { return false };
        state.again = kept.iter().cloned().collect();
        true
    }

    /// Lets the body go.
    pub(super) fn open(&self) {
        let mut state = self.state();
        if state.gate == Gate::Held {
            state.gate = Gate::Open;
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }

    /// Nothing more of it is to leave.
    pub(super) fn stop(&self) {
        self.state().gate = Gate::Stopped;
    }

    /// Whether it waits for `100 Continue`.
    pub(super) fn is_held(&self) -> bool {
        self.state().gate == Gate::Held
    }

    /// Whether the client was never asked for it.
    pub(super) fn never_began(&self) -> bool {
        !self.state().begun
    }

    /// Whether the client broke it off.
    pub(super) fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// How long nothing of it has moved.
    pub(super) fn since_moved(&self) -> Duration {
        self.state().moved.elapsed()
    }
}

impl State {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.gate != Gate::Open {
            self.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        self.begun = true;
        if let Some(octets) = self.again.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(octets))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let polled = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        self.moved = Instant::now();
        match &polled {
            None => self.ended = true,
            Some(Err(_)) => self.failed = true,
            Some(Ok(frame)) => {
                if let (Some(kept), Some(octets)) = (&mut self.kept, frame.data_ref()) {
                    kept.push(octets.clone());
                }
            }
        }
        Poll::Ready(polled)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // A body the client holds back must not be asked for now.
        if !self.begun || self.ended || self.failed || self.body.is_end_stream() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let mut body = std::mem::replace(&mut self.body, full(Bytes::new()));
            runtime.spawn(async move {
                let rest = async { while let Some(Ok(_)) = body.frame().await {} };
                let _ = tokio::time::timeout(LINGER, rest).await;
            });
        }
    }
}

/// What a connection is given to send.
pub(super) enum Outgoing {
    /// No body.
    Empty,
    /// A client's body.
    Upload(Upload),
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &*self {
            Self::Empty => Poll::Ready(None),
            Self::Upload(upload) => upload.state().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Upload(upload) => {
                let state = upload.state();
                state.again.is_empty() && (state.ended || state.body.is_end_stream())
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            // The head says it; nothing here may contradict it when the body leaves a second time.
            Self::Upload(_) => SizeHint::default(),
        }
    }
}
