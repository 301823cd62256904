//! Bodies that are read ahead, as far as that makes sense.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, SizeHint};

use crate::doors::gateway::{Body, BoxError};

/// A body after it was read ahead.
pub(super) enum Read {
    /// All of it.
    Whole(Bytes),
    /// It is longer than that; to be passed on as it comes.
    Longer(Body),
    /// It broke off.
    Broken(BoxError),
}

/// Reads a body of at most so many octets.
pub(super) async fn read(mut body: Body, limit: usize) -> Read {
    if body.size_hint().lower() > limit as u64 {
        return Read::Longer(body);
    }
    let mut parts = VecDeque::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return Read::Broken(error),
        };
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        parts.push_back(data);
        if length > limit {
            return Read::Longer(Chained { parts, rest: body }.boxed_unsync());
        }
    }
    if parts.len() == 1 {
        return Read::Whole(parts.pop_front().unwrap_or_default());
    }
    let mut whole = BytesMut::with_capacity(length);
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    Read::Whole(whole.freeze())
}

/// What was read ahead, and the rest.
struct Chained {
    parts: VecDeque<Bytes>,
    rest: Body,
}

impl hyper::body::Body for Chained {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.parts.pop_front() {
            Some(part) => Poll::Ready(Some(Ok(Frame::data(part)))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let ahead: u64 = self.parts.iter().map(|part| part.len() as u64).sum();
        let rest = self.rest.size_hint();
        let mut both = SizeHint::new();
        both.set_lower(rest.lower().saturating_add(ahead));
        if let Some(upper) = rest.upper() {
            both.set_upper(upper.saturating_add(ahead));
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doors::gateway::full;

    async fn collected(body: Body) -> Bytes {
        body.collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn a_body_is_whole_or_passes_as_it_came() {
        assert!(matches!(read(full("12345"), 5).await, Read::Whole(whole) if whole == "12345"));
        assert!(matches!(read(full(""), 0).await, Read::Whole(whole) if whole.is_empty()));
        let Read::Longer(longer) = read(full("12345"), 4).await else { panic!("it is longer") };
        assert_eq!(collected(longer).await, "12345");
        // Of a length that nobody announced.
        let parts: VecDeque<Bytes> = ["12", "34", "56"].map(Bytes::from).into();
        let Read::Longer(longer) = read(Chained { parts, rest: full("789") }.boxed_unsync(), 4).await else {
            panic!("it is longer")
        };
        assert_eq!(collected(longer).await, "123456789");
    }
}
