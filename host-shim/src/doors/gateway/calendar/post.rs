//! POST: a new member of a calendar, whose path the server chooses (RFC 5995). All else is passed on: scheduling messages to an
//! outbox, forms, web interfaces.

use std::sync::Arc;

use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};

use super::body::{self, Read};
use super::hook::LARGEST;
use super::owner::Place;
use super::path::canonical;
use super::put::{in_a_task, text_of};
use super::save::Save;
use super::server::Who;
use super::shared::Shared;
use crate::doors::gateway::{Body, full, sentence};

/// Answers a POST.
pub(super) async fn answer(shared: Arc<Shared>, request: Request<Body>) -> Response<Body> {
    let kind = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_calendar = kind.get(..13).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/calendar"));
    let packed = request.headers().contains_key(header::CONTENT_ENCODING);
    let Some(path) = canonical(request.uri().path()).filter(|_| is_calendar && !packed) else {
        return shared.pass(request).await;
    };
    let who = Who::sent(request.headers(), &shared.config);
    let calendar = match shared.places.place(&who, &path).await {
        Place::Calendar(calendar) if calendar.may_write && !shared.is_strange(&calendar.owner.account).await => {
            calendar
        }
        _ => return shared.pass(request).await,
    };
    let (head, body) = request.into_parts();
    let body = match body::read(body, LARGEST).await {
        Read::Whole(body) => body,
        Read::Longer(body) => return shared.pass(Request::from_parts(head, body)).await,
        Read::Broken(_) => {
            return sentence(
                StatusCode::BAD_REQUEST,
                "The request broke off before its end, so nothing was done with it.",
            );
        }
    };
    match text_of(&body) {
        Some((text, uid)) => {
            in_a_task(Save { who, head, body, text, uid, object: None, before: None, calendar }.go(shared)).await
        }
        None => shared.pass(Request::from_parts(head, full(body))).await,
    }
}
