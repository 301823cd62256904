//! Request headers on their way through: what is one connection's own, who asked and how, and whose word counts.

use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;

use super::config::GatewayConfig;
use super::upstream::connection_headers_out;
use crate::listen::Peer;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Makes the head of a client's request the head of ours. Whether the client may switch protocols with it.
///
/// What says who asked (`X-Forwarded-…`, `Forwarded`, `X-Real-IP`, the configured credential headers) is believed from a trusted
/// peer alone: the server behind believes whoever connects to it, and that is the gateway.
pub(super) fn prepare(head: &mut Parts, peer: Peer, tls: bool, config: &GatewayConfig) -> bool {
    let switch = may_switch(head);
    let trailers = head
        .headers
        .get_all(header::TE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"));
    connection_headers_out(&mut head.headers, switch);
    if trailers {
        head.headers.insert(header::TE, HeaderValue::from_static("trailers"));
        if !switch {
            head.headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
        }
    }
    let trusted = match peer {
        Peer::Unix => true,
        Peer::Tcp(ip) => config.trusted_proxies.iter().any(|network| network.holds(ip)),
    };
    let credential = |name: &str| {
        let service = config.service.as_ref().and_then(|service| service.remote_user_header.as_ref());
        config.credential_headers.iter().chain(service).any(|known| same(known.0.as_str(), name))
    };
    let doubtful: Vec<HeaderName> = head
        .headers
        .keys()
        .filter(|name| {
            let name = name.as_str();
            if credential(name) {
                // To a server behind WSGI or CGI `X_Remote_User` is the same header, and a proxy before us did not set that.
                return !trusted || name.contains('_');
            }
            !trusted && (name.starts_with("x-forwarded-") || matches!(name, "forwarded" | "x-real-ip"))
        })
        .cloned()
        .collect();
    for name in doubtful {
        head.headers.remove(name);
    }
    said_by_us(&mut head.headers, peer, tls);
    switch
}

/// Adds who asked, and says how where nobody before us said it.
fn said_by_us(headers: &mut HeaderMap, peer: Peer, tls: bool) {
    let before: Vec<&str> = headers.get_all(FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let asked = match peer {
        Peer::Tcp(ip) => Some(ip.to_canonical().to_string()),
        // Somebody of this machine; what he says himself is all there is to say.
        Peer::Unix => None,
    };
    let list: Vec<&str> = before.into_iter().chain(asked.as_deref()).collect();
    if let Ok(list) = HeaderValue::try_from(list.join(", "))
        && !list.is_empty()
    {
        headers.insert(FOR, list);
    }
    if !headers.contains_key(PROTO) {
        headers.insert(PROTO, HeaderValue::from_static(if tls { "https" } else { "http" }));
    }
    if !headers.contains_key(HOST)
        && let Some(host) = headers.get(header::HOST).cloned()
    {
        headers.insert(HOST, host);
    }
}

/// Whether two names are one to a server behind WSGI or CGI.
fn same(known: &str, name: &str) -> bool {
    known.len() == name.len()
        && known
            .bytes()
            .zip(name.bytes())
            .all(|(a, b)| a.eq_ignore_ascii_case(&b) || (matches!(a, b'-' | b'_') && matches!(b, b'-' | b'_')))
}

/// Whether the request asks to switch protocols, and to one that a proxy can let through without losing sight of requests: to a
/// later version of HTTP it cannot.
fn may_switch(head: &Parts) -> bool {
    let asked = head
        .headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|option| option.trim().eq_ignore_ascii_case("upgrade"));
    let mut protocols = head.headers.get_all(header::UPGRADE).iter().peekable();
    asked
        && head.method == hyper::Method::GET
        && protocols.peek().is_some()
        && protocols.all(|value| {
            let value = value.to_str().unwrap_or("h2c").to_ascii_lowercase();
            value.split(',').all(|protocol| {
                let protocol = protocol.trim();
                !(protocol.starts_with("h2") || protocol.starts_with("http") || protocol.starts_with("tls"))
            })
        })
}
