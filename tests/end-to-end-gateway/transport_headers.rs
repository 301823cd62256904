//! What is one connection's own, who asked, and what could be understood in two ways.

use crate::in_process::start;
use crate::wire::{Head, Server, Wire};

/// What the server saw of a request.
fn seen(gateway: &crate::in_process::Started, request: &str) -> Head {
    let (head, seen) = Wire::to(gateway.address()).ask(request);
    assert_eq!(head.status(), 200, "{request}");
    Head(String::from_utf8(seen).unwrap())
}

#[test]
fn what_is_one_connections_own_stays_there() {
    let server = Server::start(|_, mut wire| {
        let head = wire.head().unwrap();
        for name in [
            "connection",
            "keep-alive",
            "proxy-connection",
            "te",
            "upgrade",
            "x-mine",
            "proxy-authorization",
            "transfer-encoding",
        ] {
            assert_eq!(head.value(name), None, "{name}");
        }
        assert_eq!(head.value("host"), Some("h"), "who names what a request needs is not obeyed");
        assert_eq!(head.value("authorization"), Some("Basic eA=="));
        wire.send(
            "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nX-Hop: 1\r\nX-Stays: 2\r\n\
             Content-Length: 0\r\n\r\n",
        );
    });
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    for _ in 0..2 {
        let (head, _) = client.ask(
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Mine, host, authorization\r\nKeep-Alive: 300\r\nX-Mine: 1\r\n\
             Proxy-Connection: keep-alive\r\nTE: deflate\r\nProxy-Authorization: Basic eA==\r\nAuthorization: Basic eA==\r\n\r\n",
        );
        for name in ["connection", "keep-alive", "proxy-connection", "x-hop"] {
            assert_eq!(head.value(name), None, "{name}");
        }
        assert_eq!(head.value("x-stays"), Some("2"));
    }
    assert_eq!(server.connections(), 2, "the server closes its connection; the client keeps its own");
    server.finished();
}

#[test]
fn who_asked_is_said_and_a_trusted_proxy_is_believed() {
    let server = Server::echo();
    let claims = "GET / HTTP/1.1\r\nHost: calendar.example.org\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\
                  X-Forwarded-Host: public.example.org\r\nX-Forwarded-Prefix: /x\r\nForwarded: for=192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\n\r\n";
    let trusting = start(&server.url(), "");
    let seen_plain = seen(&trusting, "GET / HTTP/1.1\r\nHost: calendar.example.org\r\n\r\n");
    assert_eq!(seen_plain.value("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen_plain.value("x-forwarded-proto"), Some("http"));
    assert_eq!(seen_plain.value("x-forwarded-host"), Some("calendar.example.org"));
    let seen_claims = seen(&trusting, claims);
    assert_eq!(seen_claims.value("x-forwarded-for"), Some("192.0.2.7, 127.0.0.1"));
    assert_eq!(seen_claims.value("x-forwarded-proto"), Some("https"));
    assert_eq!(seen_claims.value("x-forwarded-host"), Some("public.example.org"));
    assert_eq!(seen_claims.value("x-real-ip"), Some("192.0.2.7"));
    assert_eq!(seen_claims.value("forwarded"), Some("for=192.0.2.7"));
    let wary = start(&server.url(), "trusted_proxies = [\"10.0.0.0/8\", \"2001:db8::1\"]");
    let seen_wary = seen(&wary, claims);
    assert_eq!(seen_wary.value("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen_wary.value("x-forwarded-proto"), Some("http"));
    assert_eq!(seen_wary.value("x-forwarded-host"), Some("calendar.example.org"));
    for name in ["x-real-ip", "forwarded", "x-forwarded-prefix"] {
        assert_eq!(seen_wary.value(name), None, "{name}");
    }
}

#[test]
fn nobody_says_who_he_is_but_to_a_trusted_proxy() {
    let server = Server::echo();
    let forged = "GET / HTTP/1.1\r\nHost: h\r\nX-Remote-User: alice\r\nX_Remote_User: bob\r\nX-Remote_User: carol\r\nX-Sso: dora\r\nX-Other: 1\r\n\r\n";
    let lines = "credential_headers = [\"X-Sso\"]\n";
    let service = "[service]\nremote_user_header = \"X-Remote-User\"";
    let wary = start(&server.url(), &format!("trusted_proxies = []\n{lines}{service}"));
    let saw = seen(&wary, forged);
    assert!(["alice", "bob", "carol", "dora"].iter().all(|name| !saw.0.contains(name)), "{}", saw.0);
    assert_eq!(saw.value("x-other"), Some("1"));
    let trusting = start(&server.url(), &format!("{lines}{service}"));
    let saw = seen(&trusting, forged);
    assert_eq!((saw.value("x-remote-user"), saw.value("x-sso")), (Some("alice"), Some("dora")));
    assert!(!saw.0.contains("bob") && !saw.0.contains("carol"), "what WSGI would take for the same header: {}", saw.0);
    let without = start(&server.url(), "trusted_proxies = []");
    assert_eq!(
        seen(&without, forged).value("x-remote-user"),
        Some("alice"),
        "a header nobody believes is nobody's business"
    );
}

#[test]
fn an_absolute_target_names_the_host() {
    let server = Server::echo();
    let gateway = start(&server.url(), "");
    let saw = seen(&gateway, "GET http://real.example.org/a?b HTTP/1.1\r\nHost: other.example.org\r\n\r\n");
    assert_eq!(saw.first(), "GET /a?b HTTP/1.1");
    assert_eq!(saw.value("host"), Some("real.example.org"));
}

/// Each is refused, the connection ends, and nothing that follows is taken for a request.
#[test]
fn what_two_parties_could_understand_in_two_ways_is_refused() {
    let server = Server::echo();
    let gateway = start(&server.url(), "");
    let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    for head in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5 5",
        "Content-Length: ",
        "Content-Length: 99999999999999999999999",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding : chunked",
        "Content-Length : 5",
        "Transfer-Encoding:\u{b}chunked",
        " Content-Length: 5",
        "X: y\r\n Transfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "X: \0",
        "X Y: 1",
        ": 1",
        "Host: other",
    ] {
        let mut client = Wire::to(gateway.address());
        client.send(format!("POST / HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n{smuggled}"));
        let answer = String::from_utf8(client.rest()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:?}: {answer}");
    }
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1 x\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "CONNECT elsewhere.example.org:443 HTTP/1.1\r\nHost: elsewhere.example.org:443\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
    ] {
        let mut client = Wire::to(gateway.address());
        client.send(request);
        let answer = String::from_utf8(client.rest()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?}: {answer}");
    }
    assert_eq!(server.connections(), 0, "the server heard nothing of it");
}

/// RFC 9112 §6.1: the encoding counts, the length goes, and the connection ends.
#[test]
fn of_length_and_encoding_the_encoding_alone_counts() {
    let server = Server::echo();
    let gateway = start(&server.url(), "");
    for head in ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5"] {
        let mut client = Wire::to(gateway.address());
        client.send(format!(
            "POST /first HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
        ));
        let answers = String::from_utf8(client.rest()).unwrap();
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1, "{answers}");
        assert!(answers.contains("POST /first") && answers.ends_with("ab"), "{answers}");
        let seen = answers.split_once("\r\n\r\n").unwrap().1;
        assert!(seen.contains("transfer-encoding: chunked") && !seen.contains("content-length"), "{seen}");
    }
}

/// A chunk that is not one breaks the request off; what the server has heard by then is no whole request.
#[test]
fn broken_chunks_never_become_a_whole_request() {
    for chunks in [
        "5\r\nab",
        "5;\n\r\nabcde\r\n0\r\n\r\n",
        "zz\r\n",
        "-1\r\n",
        "5\r\nabcdeX",
        "fffffffffffffffff\r\n",
        "0x5\r\nabcde\r\n0\r\n\r\n",
    ] {
        let server = Server::start(|_, mut wire| {
            let Some(head) = wire.head() else { return };
            assert!(head.has("transfer-encoding", "chunked"));
            let body = String::from_utf8(wire.rest()).unwrap();
            assert!(!body.contains("0\r\n\r\n"), "{body:?}");
        });
        let gateway = start(&server.url(), "");
        let mut client = Wire::to(gateway.address());
        client.send(format!("PROPPATCH / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"));
        client.end();
        let answer = String::from_utf8(client.rest()).unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{chunks:?}: {answer}");
        gateway.stop();
        server.finished();
    }
}

#[test]
fn a_head_without_end_is_refused() {
    let server = Server::echo();
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    client.send(format!("GET / HTTP/1.1\r\nHost: h\r\nX-Long: {}\r\n\r\n", "x".repeat(60 * 1024)));
    assert_eq!(client.message().0.status(), 200, "tickets of single sign-on are long");
    let mut client = Wire::to(gateway.address());
    client.send(format!("GET / HTTP/1.1\r\nHost: h\r\nX-Long: {}", "x".repeat(80 * 1024)));
    assert_eq!(client.head().unwrap().status(), 431);
}

/// An answer whose end is not clear is none.
#[test]
fn an_answer_that_could_be_understood_in_two_ways_is_none() {
    for (answer, status, body) in [
        ("Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 502, None),
        ("Content-Length: x\r\n\r\nabcdef", 502, None),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", 200, Some("abcde")),
    ] {
        let server = Server::start(move |_, mut wire| {
            wire.head().unwrap();
            wire.send(format!("HTTP/1.1 200 OK\r\n{answer}"));
            wire.rest();
        });
        let gateway = start(&server.url(), "");
        let (head, seen) = Wire::to(gateway.address()).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(head.status(), status, "{answer}");
        if let Some(body) = body {
            assert_eq!(seen, body.as_bytes());
            assert_eq!(head.value("content-length"), None);
        }
    }
}
