//! The requests there are. Each asks for immutable ids, because an id of the other kind would not be the same one later.

use chrono::DateTime;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::host::{Method, Request};

/// The set of names our extended properties live in (a random GUID of this project).
const PROPERTY_SET: &str = "6f0d3a52-8c1b-4e77-9b1e-2d5a7c90e4f3";

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Characters that may stand in a query as they are (RFC 3986 §3.4), without those that separate its parts.
const QUERY: &AsciiSet = &UNRESERVED.remove(b'(').remove(b')').remove(b'/').remove(b':').remove(b'\'').remove(b',');

/// Id of the property that holds the mirror id.
pub(crate) fn mirror_id_property() -> String {
    format!("String {{{PROPERTY_SET}}} Name mirror-id")
}

/// Id of the property that holds the object's tag.
pub(crate) fn mirror_object_property() -> String {
    format!("String {{{PROPERTY_SET}}} Name mirror-object")
}

/// Both properties, as a create carries them.
pub(crate) fn properties(mirror_id: &str, tag: &str) -> Value {
    json!([
        { "id": mirror_id_property(), "value": mirror_id },
        { "id": mirror_object_property(), "value": tag },
    ])
}

/// `POST /me/events` with a body that is already written.
pub(crate) fn create(body: &str) -> Request {
    with_body(Method::Post, "/me/events".to_owned(), body.as_bytes().to_vec(), None)
}

/// `PATCH /me/events/{id}`, only if the event is still as `etag` says where one is given.
pub(crate) fn update(id: &str, fields: &Map<String, Value>, etag: Option<&str>) -> Request {
    let body = json!(fields).to_string().into_bytes();
    with_body(Method::Patch, event_path(id), body, etag)
}

/// `GET /me/events/{id}`.
pub(crate) fn read(id: &str) -> Request {
    without_body(Method::Get, event_path(id))
}

/// `DELETE /me/events/{id}`.
pub(crate) fn delete(id: &str) -> Request {
    without_body(Method::Delete, event_path(id))
}

/// `GET /me/events?$filter=…`: the events whose extended property has this value.
pub(crate) fn find(property: &str, value: &str) -> Request {
    let filter = format!("singleValueExtendedProperties/Any(ep: ep/id eq '{property}' and ep/value eq '{value}')");
    let expand = format!("singleValueExtendedProperties($filter=id eq '{}')", mirror_id_property());
    let path = format!(
        "/me/events?$filter={}&$expand={}&$top=5",
        utf8_percent_encode(&filter, QUERY),
        utf8_percent_encode(&expand, QUERY)
    );
    without_body(Method::Get, path)
}

/// `GET /me/events/{id}/instances`: the occurrences of a series that lie between two instants (Unix time in milliseconds).
pub(crate) fn instances(id: &str, from_ms: i64, to_ms: i64) -> Request {
    let path = format!(
        "{}/instances?startDateTime={}&endDateTime={}&$select=id,type,originalStart,start,end&$top={PAGE}",
        event_path(id),
        instant(from_ms),
        instant(to_ms)
    );
    without_body(Method::Get, path)
}

/// `GET /me/events/{id}?$expand=exceptionOccurrences(…)`: the occurrences of a series that were changed, which Graph tells of
/// only where they are selected, too.
pub(crate) fn exceptions(id: &str) -> Request {
    let path = format!(
        "{}?$select=id,exceptionOccurrences&$expand=exceptionOccurrences($select=id,type,originalStart,start,end)",
        event_path(id)
    );
    without_body(Method::Get, path)
}

/// Occurrences in one answer; with what is asked of each they are far below what an answer may hold.
const PAGE: usize = 250;

/// The next page of an answer, by the address it gave.
pub(crate) fn next_page(link: &str) -> Request {
    without_body(Method::Get, link.to_owned())
}

fn instant(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `GET /me/calendar`: which meetings the default calendar can make.
pub(crate) fn calendar() -> Request {
    without_body(
        Method::Get,
        "/me/calendar?$select=allowedOnlineMeetingProviders,defaultOnlineMeetingProvider".to_owned(),
    )
}

fn event_path(id: &str) -> String {
    format!("/me/events/{}", utf8_percent_encode(id, UNRESERVED))
}

fn without_body(method: Method, path: String) -> Request {
    Request { method, path, headers: headers(), body: None }
}

fn with_body(method: Method, path: String, body: Vec<u8>, etag: Option<&str>) -> Request {
    let mut headers = headers();
    headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    headers.extend(etag.map(|etag| ("If-Match".to_owned(), etag.to_owned())));
    Request { method, path, headers, body: Some(body) }
}

fn headers() -> Vec<(String, String)> {
    vec![
        ("Prefer".to_owned(), "IdType=\"ImmutableId\"".to_owned()),
        ("Accept".to_owned(), "application/json".to_owned()),
    ]
}
