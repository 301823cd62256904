//! Texts from outside that say where and when: a path relative to a service, a `Retry-After`, an echoed credential.

use percent_encoding::percent_decode_str;
use url::Url;

/// The most that a `Retry-After` is obeyed.
const LONGEST_SNOOZE_MS: u64 = 24 * 60 * 60 * 1_000;

/// The address of `path` at the service with base address `base`, or why it is none.
///
/// `path` begins with one `/` and may carry a query. The one absolute form taken is a URL whose scheme, host, port and base
/// path are the base's own (next-links). What would leave the base is refused, however it is written.
pub fn service_url(base: &str, path: &str) -> Result<String, String> {
    let base = base.trim_end_matches('/');
    let parsed_base = Url::parse(base).map_err(|e| format!("the service's base address is not a URL: {e}"))?;
    if path.bytes().any(|c| !c.is_ascii_graphic()) {
        return Err("the path holds a space, a control character or one that is not ASCII; percent-encode it".into());
    }
    if path.contains(['\\', '#']) {
        return Err("the path holds a backslash or a fragment".into());
    }
    let relative = match absolute(path) {
        Some((authority, rest)) => {
            let of_path = Url::parse(authority).map_err(|e| format!("not a URL: {e}"))?;
            if of_path.origin() != parsed_base.origin() || authority.contains('@') {
                return Err("the URL leads to another host than the service's".into());
            }
            let base_path = parsed_base.path().trim_end_matches('/');
            rest.strip_prefix(base_path)
                .filter(|r| r.is_empty() || r.starts_with(['/', '?']))
                .ok_or("the URL leads out of the service's base path")?
        }
        None if path.starts_with('/') => path,
        None => return Err("the path does not begin with `/`".into()),
    };
    let (segments, _query) = relative.split_once('?').unwrap_or((relative, ""));
    if segments.contains("//") {
        return Err("the path holds an empty segment".into());
    }
    check_escapes(relative)?;
    check_segments(segments)?;
    let whole = format!("{base}{relative}");
    let parsed = Url::parse(&whole).map_err(|e| format!("not a URL: {e}"))?;
    let base_path = parsed_base.path().trim_end_matches('/');
    let inside = parsed.path().strip_prefix(base_path).is_some_and(|r| r.is_empty() || r.starts_with('/'));
    if parsed.origin() != parsed_base.origin() || !inside {
        return Err("the path leads out of the service".into());
    }
    Ok(whole)
}

/// (scheme and authority, the rest) of an absolute URL.
fn absolute(text: &str) -> Option<(&str, &str)> {
    let (scheme, after) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let end = after.find(['/', '?']).unwrap_or(after.len());
    text.split_at_checked(scheme.len().saturating_add(3).saturating_add(end))
}

fn check_escapes(text: &str) -> Result<(), String> {
    for after in text.split('%').skip(1) {
        if !after.as_bytes().first_chunk::<2>().is_some_and(|c| c.iter().all(u8::is_ascii_hexdigit)) {
            return Err("the path holds a `%` that encodes nothing".into());
        }
    }
    Ok(())
}

/// Servers decode, and some decode twice: what could become a dot segment in any number of rounds is refused.
fn check_segments(path: &str) -> Result<(), String> {
    let mut text = path.to_owned();
    loop {
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err("the path holds an encoded control character or backslash".into());
        }
        if text.split(['/', ';']).any(|segment| segment == "." || segment == "..") {
            return Err("the path holds a dot segment".into());
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return Ok(());
        }
        text = decoded;
    }
}

/// How long a `Retry-After` asks to wait: whole or fractional seconds, or a date; at most a day. What asks for no waiting or
/// for nothing that can be understood is `None`.
pub fn retry_after_ms(value: &str, now_ms: i64) -> Option<u64> {
    let value = value.trim();
    let ms = match value.split_once('.') {
        _ if value.is_empty() || value.len() > 64 => return None,
        _ if value.bytes().all(|c| c.is_ascii_digit()) => seconds(value).saturating_mul(1_000),
        Some((whole, part)) if (format!("{whole}{part}")).bytes().all(|c| c.is_ascii_digit()) && !part.is_empty() => {
            // Rounded up: a millisecond too early is too early.
            let digits: String = part.chars().chain("000".chars()).take(3).collect();
            let more = part.get(3..).is_some_and(|rest| rest.bytes().any(|c| c != b'0'));
            let part = digits.parse::<u64>().unwrap_or(0).saturating_add(u64::from(more));
            seconds(whole).saturating_mul(1_000).saturating_add(part)
        }
        _ => {
            let date = httpdate::parse_http_date(value).ok()?;
            let at = date.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis();
            u64::try_from(i128::try_from(at).ok()?.saturating_sub(i128::from(now_ms))).ok()?
        }
    };
    (ms > 0).then_some(ms.min(LONGEST_SNOOZE_MS))
}

/// Digits only; more than fit are for ever.
fn seconds(digits: &str) -> u64 {
    if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) }
}

/// Takes every occurrence of a credential out of an answer's body, in the forms in which servers echo it.
pub fn scrub(body: &mut Vec<u8>, secrets: &[&str]) {
    for form in secrets.iter().flat_map(|s| forms(s)) {
        if let Some(clean) = without(body, form.as_bytes()) {
            *body = clean;
        }
    }
}

/// The same for an answer's headers.
pub fn scrub_headers(headers: &mut [(String, String)], secrets: &[&str]) {
    for form in secrets.iter().flat_map(|s| forms(s)) {
        for (_, value) in headers.iter_mut().filter(|(_, value)| value.contains(&form)) {
            *value = value.replace(&form, "[removed]");
        }
    }
}

/// The secret itself, and as JSON (plain, with `\/`, and with the escapes of .NET) and percent-encoding write it.
fn forms(secret: &str) -> Vec<String> {
    // Shorter ones are no secrets, and taking them out would only spoil the answer.
    if secret.len() < 6 {
        return Vec::new();
    }
    let escape = |upper: bool| {
        secret.chars().map(move |c| match c {
            c if c.is_ascii_alphanumeric() || "-_.~!*()$,:;=@/ ".contains(c) => c.to_string(),
            c if upper => format!("\\u{:04X}", u32::from(c)),
            c => format!("\\u{:04x}", u32::from(c)),
        })
    };
    let mut forms = vec![
        secret.to_owned(),
        serde_json::to_string(secret).unwrap_or_default().trim_matches('"').to_owned(),
        secret.replace('/', "\\/"),
        escape(true).collect(),
        escape(false).collect(),
        percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
    ];
    forms.retain(|form| form.len() >= 6);
    forms.sort();
    forms.dedup();
    forms
}

fn without(body: &[u8], needle: &[u8]) -> Option<Vec<u8>> {
    let find = |text: &[u8]| text.windows(needle.len().max(1)).position(|w| w == needle);
    let mut rest = body;
    let mut clean = Vec::new();
    let mut at = find(rest)?;
    loop {
        clean.extend_from_slice(rest.get(..at).unwrap_or_default());
        clean.extend_from_slice(b"[removed]");
        rest = rest.get(at.saturating_add(needle.len())..).unwrap_or_default();
        match find(rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    clean.extend_from_slice(rest);
    Some(clean)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: &str = "https://graph.microsoft.com/v1.0";

    #[test]
    fn paths_of_the_service_pass() {
        for (path, whole) in [
            ("/me/events", "https://graph.microsoft.com/v1.0/me/events"),
            (
                "/me/events/AAMk%3D?$select=id&$filter=x%20eq%20'a//b'",
                "https://graph.microsoft.com/v1.0/me/events/AAMk%3D?$select=id&$filter=x%20eq%20'a//b'",
            ),
            ("https://graph.microsoft.com/v1.0/me?$skip=2", "https://graph.microsoft.com/v1.0/me?$skip=2"),
            ("HTTPS://Graph.Microsoft.com:443/v1.0/me", "https://graph.microsoft.com/v1.0/me"),
            ("/a...b/..c", "https://graph.microsoft.com/v1.0/a...b/..c"),
        ] {
            assert_eq!(service_url(BASE, path).as_deref(), Ok(whole), "{path}");
        }
        assert_eq!(service_url("http://127.0.0.1:9/v1.0/", "/me").as_deref(), Ok("http://127.0.0.1:9/v1.0/me"));
    }

    #[test]
    fn what_leaves_the_service_is_refused() {
        for path in [
            "",
            "me",
            "//evil.example/x",
            "/a//b",
            "/../beta",
            "/..",
            "/a/..",
            "/a/./b",
            "/%2e%2e/beta",
            "/%2E./x",
            "/%252e%252e/x",
            "/a%2f..%2fb",
            "/a\\b",
            "/a%5cb",
            "/a#b",
            "/a b",
            "/a\nb",
            "/a%0ab",
            "/a%00",
            "/ä",
            "/%zz",
            "/%",
            "/a?x=%2",
            "https://evil.example/v1.0/me",
            "https://graph.microsoft.com.evil.example/v1.0/me",
            "https://graph.microsoft.com@evil.example/v1.0/me",
            "https://x@graph.microsoft.com/v1.0/me",
            "https://graph.microsoft.com:8443/v1.0/me",
            "http://graph.microsoft.com/v1.0/me",
            "https://graph.microsoft.com/beta/me",
            "https://graph.microsoft.com/v1.0evil/me",
            "https://graph.microsoft.com",
            "https://graph.microsoft.com/v1.0/../beta",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "@evil.example/",
            ".evil.example/",
            ":8443/",
            "/a/..;/b",
            "https:///v1.0/me",
            "https://",
        ] {
            assert!(service_url(BASE, path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_retry_after_is_read_in_every_form() {
        let now = 1_700_000_000_000; // Tue, 14 Nov 2023 22:13:20 GMT
        for (value, ms) in [
            ("5", Some(5_000)),
            (" 120 ", Some(120_000)),
            ("2.128", Some(2_128)),
            ("2.1281", Some(2_129)),
            (".5", Some(500)),
            ("0.0", None),
            ("Tue, 14 Nov 2023 22:13:50 GMT", Some(30_000)),
            ("Tue, 14 Nov 2023 22:13:20 GMT", None),
            ("Tue, 14 Nov 2022 22:13:50 GMT", None),
            ("86400", Some(86_400_000)),
            ("86401", Some(86_400_000)),
            ("99999999999999999999999999", Some(86_400_000)),
            ("0", None),
            ("-1", None),
            ("", None),
            (".", None),
            ("1e3", None),
            ("inf", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after_ms(value, now), ms, "{value}");
        }
    }

    #[test]
    fn an_echoed_credential_is_taken_out() {
        let secret = "Ey+J0/abc=\"~x";
        for echo in [
            secret.to_string(),
            serde_json::to_string(secret).unwrap(),
            "Ey\\u002BJ0/abc=\\u0022~x".into(),
            "Ey%2BJ0%2Fabc%3D%22%7Ex".into(),
        ] {
            let mut body = format!("{{\"a\":\"Bearer {echo}\",\"b\":\"{echo}\"}}").into_bytes();
            scrub(&mut body, &["", "short", secret]);
            let text = String::from_utf8(body).unwrap();
            assert!(!text.contains("J0"), "{text}");
        }
        let mut body = br"Ey+J0\/abcdef, removed".to_vec();
        scrub(&mut body, &["Ey+J0/abcdef", "removed"]);
        assert_eq!(body, b"[[removed]], [removed]");
        let mut headers = vec![("x".to_string(), format!("Bearer {secret}"))];
        scrub_headers(&mut headers, &[secret]);
        assert_eq!(headers[0].1, "Bearer [removed]");
    }

    proptest! {
        #[test]
        fn no_path_leaves_the_base(path in "(/|https?://|//)?([a-z.%/\\\\?#:@;2eEfF50]|\\PC){0,30}") {
            if let Ok(whole) = service_url(BASE, &path) {
                let url = Url::parse(&whole).unwrap();
                prop_assert_eq!(url.origin(), Url::parse(BASE).unwrap().origin());
                prop_assert!(url.path() == "/v1.0" || url.path().starts_with("/v1.0/"), "{}", whole);
                prop_assert!(url.fragment().is_none() && url.username().is_empty());
            }
        }

        #[test]
        fn a_retry_after_is_never_absurd(value in "\\PC{0,20}|[0-9.,:-]{0,30}", now in any::<i64>()) {
            if let Some(ms) = retry_after_ms(&value, now) {
                prop_assert!((1..=LONGEST_SNOOZE_MS).contains(&ms));
            }
        }
    }
}
