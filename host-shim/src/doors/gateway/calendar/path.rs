//! Paths of a server, in one spelling.
//!
//! The hook API compares objects octet by octet, while a client and its server may spell one path in several ways: `%40` or `@`,
//! `//` or `/`, with the server's address before it or without.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in a segment (RFC 3986 §3.3): unreserved, sub-delims, `:` and `@`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// The longest path looked at, in octets.
const LONGEST: usize = 4096;

/// The one spelling of a path, or of the path of an address; query and fragment are left out.
///
/// `None` where it is none: relative, too long, or leading above the root.
pub(crate) fn canonical(href: &str) -> Option<String> {
    let href = href.trim();
    if href.len() > LONGEST {
        return None;
    }
    let path = match href.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |at| rest.get(at..).unwrap_or("/")),
        _ => href,
    };
    let path = path.split(['?', '#']).next()?;
    let inner = path.strip_prefix('/')?;
    let mut segments: Vec<String> = Vec::new();
    for segment in inner.split('/') {
        let decoded: Vec<u8> = percent_decode_str(segment).collect();
        match decoded.as_slice() {
            b"" | b"." => {}
            b".." => {
                segments.pop()?;
            }
            octets => segments.push(match std::str::from_utf8(octets) {
                Ok(text) => utf8_percent_encode(text, SEGMENT).to_string(),
                Err(_) => percent_encoding::percent_encode(octets, SEGMENT).to_string(),
            }),
        }
    }
    let mut whole = format!("/{}", segments.join("/"));
    if !segments.is_empty() && (inner.ends_with('/') || inner.ends_with("/.") || inner.ends_with("/..")) {
        whole.push('/');
    }
    Some(whole)
}

/// The collection a path is in, with its `/`; of the root, the root.
pub(crate) fn parent(path: &str) -> &str {
    let bare = path.strip_suffix('/').unwrap_or(path);
    match bare.rfind('/') {
        Some(at) => bare.get(..=at).unwrap_or("/"),
        None => "/",
    }
}

/// A collection's path, with its `/`.
pub(crate) fn collection(path: &str) -> String {
    if path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}

/// The last segment, decoded; of a principal, the user's name.
pub(crate) fn last_name(path: &str) -> Option<String> {
    let last = path.trim_end_matches('/').rsplit('/').next().filter(|last| !last.is_empty())?;
    percent_decode_str(last).decode_utf8().ok().map(|name| name.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_become_one() {
        for spelling in [
            "/alice/a%40b%20c.ics",
            "/alice/a@b%20c.ics",
            "//alice/./a%40b c.ics?x=/y#z",
            "http://host.example:81/alice/a@b%20c.ics",
            " /alice/x/../a@b%20c.ics ",
            "/%61lice/a@b%20c.ics",
        ] {
            assert_eq!(canonical(spelling).as_deref(), Some("/alice/a@b%20c.ics"), "{spelling}");
        }
        assert_eq!(canonical("/a%2Fb/c/").as_deref(), Some("/a%2Fb/c/"));
        assert_eq!(canonical("https://host.example").as_deref(), Some("/"));
        assert_eq!(canonical("/a/b/..").as_deref(), Some("/a/"));
        assert_eq!(canonical("/%ff/").as_deref(), Some("/%FF/"));
        for none in ["", "a/b", "/..", "/a/../../b", "*", &format!("/{}", "x".repeat(5000))] {
            assert_eq!(canonical(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_around_a_path() {
        assert_eq!((parent("/a/b.ics"), parent("/a/b/"), parent("/a"), parent("/")), ("/a/", "/a/", "/", "/"));
        assert_eq!((collection("/a"), collection("/a/")), ("/a/".to_owned(), "/a/".to_owned()));
        assert_eq!(last_name("/principals/al%C3%AFce%40x/").as_deref(), Some("alïce@x"));
        assert_eq!(last_name("/"), None);
    }

    proptest! {
        #[test]
        fn a_canonical_path_stays_as_it_is(path in "/(%[0-9a-f]{2}|[ -~é]|/|\\.\\./|\\./){0,40}") {
            if let Some(once) = canonical(&path) {
                prop_assert!(once.starts_with('/') && !once.contains("//") && once.is_ascii());
                prop_assert_eq!(canonical(&once), Some(once));
            }
        }
    }
}
