//! Whether a request's own conditions hold (RFC 9110 §13, RFC 6638 §3.2.10), so that a save the server will refuse makes nothing at
//! Microsoft. The server decides; this only foresees it.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::server::Object;

/// What a client that heeds RFC 6638 sends in place of `If-Match`.
const SCHEDULE_TAG: HeaderName = HeaderName::from_static("if-schedule-tag-match");

/// Whether a Schedule-Tag decides.
pub(super) fn need_schedule_tag(headers: &HeaderMap) -> bool {
    headers.contains_key(SCHEDULE_TAG)
}

/// Whether the server is likely to refuse, with what is stored there now.
pub(super) fn fail(headers: &HeaderMap, there: Option<&Object>) -> bool {
    let etag = there.and_then(|object| object.etag.as_deref());
    let stale = |name: &HeaderName| match (there, values(headers, name)) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(_), Some(wanted)) => {
            !wanted.contains(&"*") && etag.is_some_and(|etag| !wanted.iter().any(|w| same(w, etag)))
        }
    };
    let taken = |name: &HeaderName| match (there, values(headers, name)) {
        (None, _) | (_, None) => false,
        (Some(_), Some(known)) => known.contains(&"*") || etag.is_some_and(|etag| known.iter().any(|k| same(k, etag))),
    };
    stale(&header::IF_MATCH) || taken(&header::IF_NONE_MATCH) || rescheduled(headers, there) || changed(headers, there)
}

/// The members of a list of ETags; `None`: there is none.
fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Vec<&'a str>> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        let mut rest = value.to_str().ok()?.trim();
        while !rest.is_empty() {
            // A comma may stand inside an ETag's quotes.
            let opaque = rest.find('"').and_then(|at| Some(at + 1 + rest.get(at + 1..)?.find('"')? + 1));
            let comma = rest.find(',').unwrap_or(rest.len());
            let ends = match opaque {
                Some(ends) if rest.find('"').is_some_and(|quote| quote < comma) => ends,
                _ => comma,
            };
            let (member, more) = rest.split_at_checked(ends)?;
            all.push(member.trim());
            rest = more.trim_start().trim_start_matches(',').trim_start();
        }
    }
    (!all.is_empty()).then_some(all)
}

/// Whether two ETags name the same, however strongly: servers differ in what they make of weak ones.
fn same(one: &str, other: &str) -> bool {
    fn bare(tag: &str) -> &str {
        tag.trim().trim_start_matches("W/")
    }
    bare(one) == bare(other)
}

fn rescheduled(headers: &HeaderMap, there: Option<&Object>) -> bool {
    let Some(wanted) = headers.get(SCHEDULE_TAG).and_then(|value| value.to_str().ok()) else { return false };
    match there {
        None => true,
        // Some servers take a tag for stale where they have none.
        Some(object) => object.schedule_tag.as_deref().is_none_or(|tag| !same(tag, wanted)),
    }
}

fn changed(headers: &HeaderMap, there: Option<&Object>) -> bool {
    let date = |value: &str| httpdate::parse_http_date(value).ok();
    let since = headers.get(header::IF_UNMODIFIED_SINCE).map(HeaderValue::to_str).and_then(Result::ok).and_then(date);
    let last = there.and_then(|object| object.last_modified.as_deref()).and_then(date);
    matches!((since, last), (Some(since), Some(last)) if last > since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(name: &str, value: &str, there: bool) -> bool {
        let object = Object {
            text: String::new(),
            etag: Some("\"a,b\"".into()),
            schedule_tag: Some("\"s\"".into()),
            last_modified: Some("Wed, 21 Oct 2026 07:28:00 GMT".into()),
        };
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        fail(&headers, there.then_some(&object))
    }

    #[test]
    fn conditions_are_foreseen() {
        for (name, value, on_nothing, on_something) in [
            ("if-match", "\"a,b\"", true, false),
            ("if-match", "W/\"a,b\"", true, false),
            ("if-match", "\"x\", \"a,b\"", true, false),
            ("if-match", "\"x\"", true, true),
            ("if-match", "\"a\",\"b\"", true, true),
            ("if-match", "*", true, false),
            ("if-match", "unquoted", true, true),
            ("if-none-match", "*", false, true),
            ("if-none-match", "\"x\"", false, false),
            ("if-none-match", "\"x\", \"a,b\"", false, true),
            ("if-schedule-tag-match", "\"s\"", true, false),
            ("if-schedule-tag-match", "\"t\"", true, true),
            ("if-unmodified-since", "Wed, 21 Oct 2026 07:27:59 GMT", false, true),
            ("if-unmodified-since", "Wed, 21 Oct 2026 07:28:00 GMT", false, false),
            ("x-other", "\"x\"", false, false),
        ] {
            assert_eq!(
                (fails(name, value, false), fails(name, value, true)),
                (on_nothing, on_something),
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn what_the_server_does_not_say_is_left_to_it() {
        let object = Object { text: String::new(), etag: None, schedule_tag: None, last_modified: None };
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static("\"x\""));
        assert!(!fail(&headers, Some(&object)));
        headers.insert(SCHEDULE_TAG, HeaderValue::from_static("\"x\""));
        assert!(fail(&headers, Some(&object)), "there is no tag");
    }

    proptest::proptest! {
        #[test]
        fn nothing_breaks_the_list(value in "[\",Wa/ *é]{0,20}") {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(header::IF_MATCH, value);
                let _ = values(&headers, &header::IF_MATCH);
            }
        }
    }
}
