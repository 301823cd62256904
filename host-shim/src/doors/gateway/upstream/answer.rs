//! An answer's body on its way to the client.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

use super::Shared;
use super::link::Link;
use super::upload::Upload;
use crate::doors::gateway::{Body, BoxError};

/// An answer's body; moves its connection forward whenever it is asked for more, and gives it back at its end.
pub(super) struct Answer {
    body: Incoming,
    link: Option<Link>,
    shared: Arc<Shared>,
    /// The request's body may be on its way yet.
    upload: Option<Upload>,
    /// Runs while nothing comes.
    silence: Option<Pin<Box<Sleep>>>,
}

impl Answer {
    pub(super) fn new(body: Incoming, link: Link, shared: Arc<Shared>, upload: Option<Upload>) -> Self {
        let mut answer = Self { body, link: Some(link), shared, upload, silence: None };
        if answer.body.is_end_stream() {
            answer.finish();
        }
        answer
    }

    pub(super) fn into_body(self) -> Body {
        self.boxed_unsync()
    }

    /// The whole answer is here: its connection is free for the next request, unless the request's body is not all gone.
    fn finish(&mut self) {
        if let Some(mut link) = self.link.take()
            && link.is_free()
        {
            self.shared.keep(link);
        }
        self.upload = None;
    }

    fn drive(&mut self, context: &mut Context<'_>) {
        if let Some(link) = &mut self.link
            && !link.drive(context)
        {
            // What was read before it closed is in the body.
            self.link = None;
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // Asking for a frame is what lets the connection read one: so a second round where the first gave none.
        for _ in 0..2 {
            self.drive(context);
            if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
                self.silence = None;
                match &frame {
                    None => self.finish(),
                    Some(Ok(_)) if self.body.is_end_stream() => self.finish(),
                    Some(Ok(_)) => {}
                    Some(Err(_)) => self.link = None,
                }
                return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
            }
        }
        let limit = self.shared.limits.silence;
        let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if silence.as_mut().poll(context).is_ready() {
            self.link = None;
            return Poll::Ready(Some(Err("the server stopped in the middle of its answer".into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
