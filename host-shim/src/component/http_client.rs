//! The import `http-client`: what may leave, and what may come back.
//!
//! | of a request | rule |
//! | --- | --- |
//! | service | one of those in the extension's description |
//! | path | [`check_path`]; whether an absolute URL is within the service's base, only the sender can tell |
//! | header fields | at most 64; names are tokens; values visible ASCII, spaces, tabs; none of those the host sets |
//! | body | at most 4 MiB |
//! | number, time | the call's budget |
//!
//! Of an answer come back: the status, the six header fields the contract names, `Retry-After` as a number, 1 MiB of body. All
//! else stops here, whatever the sender hands over.

use super::call::Call;
use super::types::{Header, HttpError, Request, Response};

/// The largest body that leaves.
pub const MAX_REQUEST_BODY: usize = 4 << 20;
/// The largest body that comes back; a sender need not read on beyond it.
pub const MAX_ANSWER_BODY: usize = 1 << 20;
/// A service cannot send us away for longer.
const MAX_RETRY_AFTER_MS: u64 = 24 * 60 * 60 * 1000;
const MAX_PATH: usize = 16 << 10;
const MAX_HEADERS: usize = 64;
const MAX_HEADER_VALUE: usize = 8 << 10;

/// Header fields of an answer that the extension sees.
pub const ANSWER_HEADERS: [&str; 6] =
    ["content-type", "etag", "location", "preference-applied", "request-id", "client-request-id"];

/// Header fields of a request that the host sets itself, or that concern the connection.
const HOST_HEADERS: [&str; 17] = [
    "authorization",
    "host",
    "content-length",
    "user-agent",
    "accept-encoding",
    "connection",
    "cookie",
    "expect",
    "forwarded",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Sends one request and waits for the answer.
pub(super) fn send(call: &mut Call, request: Request) -> wasmtime::Result<Result<Response, HttpError>> {
    call.enter("http-client.send")?;
    let answer = match permit(call, &request) {
        Ok(deadline) => call.outside(|services| services.send(request, deadline)).and_then(accept),
        Err(error) => Err(error),
    };
    match &answer {
        Ok(response) => {
            call.recording.value("http-client.send: result", response);
            call.recording.bytes("http-client.send: result body", &response.body);
        }
        Err(error) => call.recording.value("http-client.send: result", error),
    }
    Ok(answer)
}

/// Whether a request may leave, and when it has to be over.
fn permit(call: &mut Call, request: &Request) -> Result<std::time::Instant, HttpError> {
    check(call, request).map_err(HttpError::Refused)?;
    let most = call.about.limits.requests;
    if call.requests >= most {
        return Err(HttpError::BudgetSpent(format!("this call has sent its {most} requests")));
    }
    let deadline = call.clocks.request_deadline();
    let deadline = deadline.ok_or_else(|| HttpError::BudgetSpent("this call's time is over".into()))?;
    call.requests += 1;
    Ok(deadline)
}

fn check(call: &Call, request: &Request) -> Result<(), String> {
    let declared = call.about.description.as_ref().map_or(&[][..], |own| &own.services);
    if !declared.iter().any(|service| service.name == request.service) {
        return Err(format!("the extension declares no service `{}`", shown(&request.service)));
    }
    check_path(&request.path)?;
    if request.headers.len() > MAX_HEADERS {
        return Err(format!("a request may have {MAX_HEADERS} header fields, this one has {}", request.headers.len()));
    }
    request.headers.iter().try_for_each(check_header)?;
    match &request.body {
        Some(body) if body.len() > MAX_REQUEST_BODY => {
            Err(format!("a body may have {MAX_REQUEST_BODY} bytes, this one has {}", body.len()))
        }
        _ => Ok(()),
    }
}

fn check_header(header: &Header) -> Result<(), String> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if header.name.is_empty() || header.name.len() > 100 || !header.name.bytes().all(token) {
        return Err(format!("`{}` is no name of a header field", shown(&header.name)));
    }
    let name = header.name.to_ascii_lowercase();
    if HOST_HEADERS.contains(&name.as_str()) {
        return Err(format!("the header field `{name}` is set by the host"));
    }
    if header.value.len() > MAX_HEADER_VALUE || !header.value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
    {
        return Err(format!(
            "the value of the header field `{name}` is longer than {MAX_HEADER_VALUE} bytes, or holds more than visible ASCII, \
             spaces and tabs"
        ));
    }
    Ok(())
}

/// Whether a path cannot leave the base it is appended to, however a server reads it.
///
/// Takes the relative form, `/…?…`, and the absolute one, `https://…`, of which the sender must still compare scheme, host,
/// port and base path with the service's own.
///
/// ```
/// # use host_shim::component::check_path;
/// assert!(check_path("/me/events?$top=10").is_ok());
/// assert!(check_path("/me/%2e%2e/other").is_err());
/// ```
pub fn check_path(path: &str) -> Result<(), String> {
    if path.len() > MAX_PATH {
        return Err(format!("a path may have {MAX_PATH} bytes, this one has {}", path.len()));
    }
    if let Some(bad) = path.chars().find(|&c| !('!'..='~').contains(&c) || "\\#\"<>^`{|}".contains(c)) {
        return Err(format!("a path may not hold {bad:?}; percent-encode it (a fragment is never sent)"));
    }
    let rest = match path.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") => {
            let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            if authority.is_empty() || authority.contains(['@', '%']) {
                return Err("an absolute URL names a host, and no user".into());
            }
            rest
        }
        _ if path.starts_with('/') => path,
        _ => return Err("a path begins with `/`".into()),
    };
    let (segments, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !well_encoded(query) || !well_encoded(segments) {
        return Err("a `%` in a path is followed by two hexadecimal digits".into());
    }
    check_segments(segments)
}

/// Looks at the path as it stands, and as it stands after each round of decoding somebody on the way might do.
fn check_segments(path: &str) -> Result<(), String> {
    let mut path = path.as_bytes().to_vec();
    for _ in 0..4 {
        if path.windows(2).any(|pair| pair == b"//") {
            return Err("a path may not hold `//`, however encoded".into());
        }
        if path.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| matches!(segment, b"." | b"..")) {
            return Err("a path may not hold a segment `.` or `..`, however encoded".into());
        }
        if path.iter().any(u8::is_ascii_control) {
            return Err("a path may not hold control characters, however encoded".into());
        }
        let decoded: Vec<u8> = percent_encoding::percent_decode(&path).collect();
        if decoded == path {
            return Ok(());
        }
        path = decoded;
    }
    Err("a path may not be percent-encoded over and over".into())
}

fn well_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        let mut hexadecimal = || digits.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        hexadecimal() && hexadecimal()
    })
}

/// What the extension sees of an answer.
fn accept(mut answer: Response) -> Result<Response, HttpError> {
    if !(200..=599).contains(&answer.status) {
        return Err(HttpError::Other(format!("the service answered with the status {}", answer.status)));
    }
    if answer.body.len() > MAX_ANSWER_BODY {
        return Err(HttpError::Other(format!(
            "the service answered with the status {} and more than {MAX_ANSWER_BODY} bytes",
            answer.status
        )));
    }
    answer.headers.retain_mut(|header| {
        header.name.make_ascii_lowercase();
        ANSWER_HEADERS.contains(&header.name.as_str()) && header.value.len() <= MAX_HEADER_VALUE
    });
    answer.retry_after_ms = answer.retry_after_ms.map(|after| after.min(MAX_RETRY_AFTER_MS));
    Ok(answer)
}

/// A text of the extension's, short enough to be quoted.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_their_base() {
        for path in [
            "/me",
            "/",
            "/me/events?$filter=start/dateTime%20ge%20'2024'&$next=https://x/../y%0A",
            "/me/events/AAMk=%2Fx",
            "/a/.../b..c/.d",
            "/users('a')/x;y=1,2",
            "https://graph.example/v1.0/me/events?$skip=10",
            "http://127.0.0.1:80/v1.0",
            "https://graph.example?x",
        ] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
        for path in [
            "",
            "me",
            "//evil.example/x",
            "/me//x",
            "/me/%2f/x",
            "/..",
            "/me/../x",
            "/me/./x",
            "/me/%2e%2E/x",
            "/me/.%2e",
            "/me/%252e%252e/x",
            "/me/x%2f..%2fy",
            "/me/..%5cx",
            "/me\\..\\x",
            "/me/%00",
            "/me/%250a",
            "/me\n",
            "/me x",
            "/me#x",
            "/mé",
            "/me/%zz",
            "/me/%4",
            "/me?x=%q",
            "/%25252525252e",
            "ftp://x/y",
            "https:///x",
            "https://a@b/x",
            "https://a%2fb/x",
            "https://graph.example/v1.0/../x",
        ] {
            assert!(check_path(path).is_err(), "{path}");
        }
        assert!(check_path(&format!("/{}", "a".repeat(MAX_PATH))).is_err());
    }

    #[test]
    fn header_fields_of_the_host_are_the_hosts() {
        let header = |name: &str, value: &str| check_header(&Header { name: name.into(), value: value.into() });
        assert_eq!(header("Prefer", "outlook.timezone=\"UTC\""), Ok(()));
        assert_eq!(header("If-Match", "W/\"x\"\t"), Ok(()));
        for name in
            ["Authorization", "HOST", "Content-Length", "User-Agent", "Connection", "Transfer-Encoding", "cookie"]
        {
            assert!(header(name, "x").is_err(), "{name}");
        }
        for (name, value) in [("", "x"), ("a b", "x"), ("a:", "x"), ("x", "a\r\nb"), ("x", "é"), ("x", "\u{0}")] {
            assert!(header(name, value).is_err(), "{name:?} {value:?}");
        }
    }

    #[test]
    fn of_an_answer_only_what_the_contract_names_comes_back() {
        let answer = |status, body: usize| Response {
            status,
            headers: ["ETag", "Set-Cookie", "authorization", "WWW-Authenticate", "Request-Id"]
                .map(|name| Header { name: name.into(), value: "x".into() })
                .to_vec(),
            retry_after_ms: Some(u64::MAX),
            body: vec![b'x'; body],
        };
        let seen = accept(answer(200, MAX_ANSWER_BODY)).unwrap();
        assert_eq!(seen.headers.iter().map(|h| h.name.as_str()).collect::<Vec<_>>(), ["etag", "request-id"]);
        assert_eq!(seen.retry_after_ms, Some(86_400_000));
        assert!(matches!(accept(answer(200, MAX_ANSWER_BODY + 1)), Err(HttpError::Other(_))));
        assert!(matches!(accept(answer(101, 0)), Err(HttpError::Other(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_path_that_passes_climbs(path in "/([a-z]|%2[eEfF]|%25|%5[cC]|\\.|/){0,12}") {
            if check_path(&path).is_ok() {
                let url = url::Url::parse(&format!("https://graph.example/v1.0{path}")).unwrap();
                proptest::prop_assert!(url.path().starts_with("/v1.0/"), "{} became {}", path, url);
                proptest::prop_assert_eq!(url.host_str(), Some("graph.example"));
            }
        }
    }
}
