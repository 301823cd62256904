//! What every request and every page is held to.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::pages;
use super::words::Language;

/// Lets through what is addressed to this webmail, and changes only where a page of its own asked for them.
pub(super) async fn guard(port: u16, request: Request, next: Next) -> Response {
    let headers = request.headers();
    // Another name would be another site's, pointed here (DNS rebinding).
    if !is_own_host(text(headers, &header::HOST), port) {
        return (StatusCode::MISDIRECTED_REQUEST, "This webmail has another address.\n").into_response();
    }
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = if reading || is_same_origin(headers) {
        next.run(request).await
    } else {
        let language = Language::accepted(text(headers, &header::ACCEPT_LANGUAGE)).unwrap_or(Language::English);
        pages::refused(language.words())
    };
    let headers = response.headers_mut();
    let mut set = |name, value| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set(header::CACHE_CONTROL, "no-store");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, pages::POLICY);
    response
}

fn is_own_host(host: &str, port: u16) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|own| host == format!("{own}:{port}"))
}

/// Browsers tell where a form was sent from: by `Sec-Fetch-Site`, and older ones by `Origin` alone.
fn is_same_origin(headers: &HeaderMap) -> bool {
    match (text(headers, &header::HeaderName::from_static("sec-fetch-site")), text(headers, &header::ORIGIN)) {
        ("", "") => false,
        ("", origin) => origin == format!("http://{}", text(headers, &header::HOST)),
        (site, _) => site == "same-origin",
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        is_same_origin(&headers)
    }

    #[test]
    fn only_its_own_pages_change_anything() {
        let host = ("host", "127.0.0.1:8080");
        assert!(asked(&[host, ("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")]));
        assert!(asked(&[host, ("origin", "http://127.0.0.1:8080")]));
        for other in [
            vec![host],
            vec![host, ("origin", "null")],
            vec![host, ("origin", "http://127.0.0.1:8081")],
            vec![host, ("origin", "http://127.0.0.1:8081"), ("sec-fetch-site", "same-site")],
            vec![host, ("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "cross-site")],
        ] {
            assert!(!asked(&other), "{other:?}");
        }
    }

    #[test]
    fn only_its_own_names_are_answered() {
        assert!(is_own_host("localhost:8080", 8080));
        assert!(!is_own_host("localhost:8081", 8080));
        assert!(!is_own_host("webmail.example:8080", 8080));
        assert!(!is_own_host("", 8080));
    }
}
