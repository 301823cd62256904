//! PUT: of one event, of something else, or of a whole calendar.

use std::sync::Arc;

use hyper::header::{self, HeaderMap};
use hyper::{Request, Response, StatusCode};

use super::body::{self, Read};
use super::hook::LARGEST;
use super::notes::{Note, Outcome, Record, Step};
use super::owner::{Calendar, Place};
use super::path::{canonical, parent};
use super::peek::{event_uid, mentions_teams};
use super::save::{Save, step};
use super::server::{Trouble, Who};
use super::shared::Shared;
use super::{conditions, import, later, look};
use crate::doors::gateway::{Body, full, sentence};

/// Answers a PUT.
pub(super) async fn answer(shared: Arc<Shared>, request: Request<Body>) -> Response<Body> {
    let Some(object) = canonical(request.uri().path()).filter(|_| may_be_calendar(request.headers())) else {
        return shared.pass(request).await;
    };
    let who = Who::sent(request.headers(), &shared.config);
    match shared.places.place(&who, parent(&object)).await {
        Place::Calendar(calendar)
            if calendar.may_write && !object.ends_with('/') && !shared.is_strange(&calendar.owner.account).await =>
        {
            of_object(shared, who, request, calendar, object).await
        }
        Place::Calendar(_) => shared.pass(request).await,
        Place::Collection | Place::Other => import::answer(shared, who, request, object).await,
    }
}

/// Whether the body may be iCalendar: it says so, or does not say what it is.
fn may_be_calendar(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        kind.as_str(),
        "" | "text/calendar" | "text/plain" | "application/octet-stream" | "application/x-www-form-urlencoded"
    )
}

/// Whether the body is what it will be stored as: neither packed nor a part.
fn is_plain(headers: &HeaderMap) -> bool {
    let packed = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    !packed && !headers.contains_key(header::CONTENT_RANGE)
}

async fn of_object(
    shared: Arc<Shared>,
    who: Who,
    request: Request<Body>,
    calendar: Arc<Calendar>,
    object: String,
) -> Response<Body> {
    let before = shared.server.get(&who, &object).await;
    let before_uid = before.as_ref().ok().and_then(Option::as_ref).and_then(|there| event_uid(&there.text));
    let (head, body) = request.into_parts();
    let body = if is_plain(&head.headers) { body::read(body, LARGEST).await } else { Read::Longer(body) };
    let body = match body {
        Read::Whole(body) => body,
        // Too large for the hook, or in a form that only the server understands.
        Read::Longer(body) => {
            return later::seen_after(shared, who, Request::from_parts(head, body), calendar, object, before_uid).await;
        }
        Read::Broken(error) => {
            tracing::debug!(%error, object, "a client broke its save off");
            return sentence(
                StatusCode::BAD_REQUEST,
                "The request broke off before its end, so nothing was done with it.",
            );
        }
    };
    let Some((text, uid)) = text_of(&body) else {
        // A task, an invitation on its way, something in another charset: perhaps in the place of an event.
        let request = Request::from_parts(head, full(body.clone()));
        return if before_uid.is_some() || std::str::from_utf8(&body).is_err() {
            later::seen_after(shared, who, request, calendar, object, before_uid).await
        } else {
            shared.pass(request).await
        };
    };
    let there = match before {
        Ok(Some(mut there)) => {
            if there.schedule_tag.is_none() && conditions::need_schedule_tag(&head.headers) {
                there.schedule_tag = shared.server.schedule_tag(&who, &object).await.ok().flatten();
            }
            Some(there)
        }
        Ok(None) => None,
        // Nobody who may not read it, or a server in trouble: what becomes of it is told when it is known.
        Err(Trouble::Refused(status)) if status == StatusCode::UNAUTHORIZED => {
            return shared.pass(Request::from_parts(head, full(body))).await;
        }
        Err(trouble) => {
            tracing::debug!(%trouble, object, "a save is told after it happened: the server does not say what is there");
            let holds = step(&calendar, &uid, &object, Some(text));
            return later::told_after(shared, who, Request::from_parts(head, full(body)), holds, None).await;
        }
    };
    let replaced = before_uid
        .filter(|before| *before != uid)
        .map(|before| Step { gone: true, ..step(&calendar, &before, &object, None) });
    // The server looks through the whole calendar for this, and so does it for us, but only where a meeting is asked for. A
    // meeting that a default gives to a save which is then refused goes with its report.
    let doubtful = conditions::fail(&head.headers, there.as_ref())
        || (there.is_none() && mentions_teams(&text) && is_elsewhere(&shared, &who, &calendar, &uid, &object).await);
    if doubtful {
        // The server will refuse it, most likely. Nothing is made for it beforehand.
        let holds = step(&calendar, &uid, &object, Some(text));
        return later::told_after(shared, who, Request::from_parts(head, full(body)), holds, replaced).await;
    }
    let before = there.map(|there| there.text);
    let save = Save { who: who.clone(), head, body, text, uid, object: Some(object), before, calendar };
    let Some(replaced) = replaced else { return in_a_task(save.go(shared)).await };
    in_a_task(replacing(shared, who, save, replaced)).await
}

/// A save of an event in the place of another one.
async fn replacing(shared: Arc<Shared>, who: Who, save: Save, replaced: Step) -> Response<Body> {
    let note = shared.note(Record::of_steps(vec![replaced]), false).await.unwrap_or_default();
    let answer = save.go(Arc::clone(&shared)).await;
    if answer.status().is_success() {
        drop(shared.written(note, |note| note.outcome(Outcome::Stored)).await);
    } else if answer.status().is_server_error() {
        look::begin(&shared, who, note);
    } else {
        Note::take_back(note);
    }
    answer
}

/// Whether the calendar has the UID under another path; a server refuses such a save.
async fn is_elsewhere(shared: &Shared, who: &Who, calendar: &Calendar, uid: &str, object: &str) -> bool {
    match shared.server.with_uid(who, &calendar.path, uid).await {
        Ok(paths) => paths.iter().any(|path| path != object),
        Err(trouble) => {
            tracing::debug!(%trouble, object, "the server does not say whether it has this UID already");
            false
        }
    }
}

/// The text of a body and the UID of the one event in it.
pub(super) fn text_of(body: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(body).ok()?;
    let uid = event_uid(text)?;
    Some((text.to_owned(), uid))
}

/// Goes on to the end, even where the client has gone away meanwhile: the server has what it was sent.
pub(super) async fn in_a_task(work: impl Future<Output = Response<Body>> + Send + 'static) -> Response<Body> {
    match tokio::spawn(work).await {
        Ok(answer) => answer,
        Err(failure) => {
            tracing::error!(%failure, "the work for a save broke off");
            sentence(StatusCode::INTERNAL_SERVER_ERROR, "The gateway failed. Please look whether the event was saved.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_that_may_be_calendars_are_looked_at() {
        let headers = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            headers
        };
        assert!(may_be_calendar(&HeaderMap::new()));
        assert!(may_be_calendar(&headers("Text/Calendar; charset=utf-8")));
        for other in ["text/vcard", "image/png", "application/calendar+json", "text/xml"] {
            assert!(!may_be_calendar(&headers(other)), "{other}");
        }
        let mut packed = HeaderMap::new();
        packed.insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        assert!(!is_plain(&packed) && is_plain(&HeaderMap::new()));
    }
}
