//! Bodies move as fast as both sides take them, and are held nowhere.

use std::sync::{Mutex, mpsc};

use crate::in_process::start;
use crate::wire::{Server, Wire};

/// More than all buffers on the way hold together.
const MUCH: usize = 96 << 20;
/// As much may be in sockets and in the gateway while nobody reads.
const ON_THE_WAY: usize = 48 << 20;

/// A server that does a step whenever the test says so.
fn stepwise() -> (mpsc::Sender<()>, impl Fn() + Send + Sync) {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    (go, move || wait.lock().unwrap().recv().unwrap())
}

#[test]
fn an_answer_arrives_piece_by_piece() {
    for framing in ["Content-Length: 6", "Transfer-Encoding: chunked"] {
        let (go, step) = stepwise();
        let server = Server::start(move |_, mut wire| {
            wire.head().unwrap();
            wire.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"));
            for piece in ["ab", "cd", "ef"] {
                step();
                wire.send(if framing.starts_with('C') { piece.into() } else { format!("2\r\n{piece}\r\n") });
            }
            step();
            wire.send(if framing.starts_with('C') { "" } else { "0\r\n\r\n" });
        });
        let gateway = start(&server.url(), "");
        let mut client = Wire::to(gateway.address());
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        // Each piece leaves the server only when the one before it has arrived here.
        assert_eq!(client.head().unwrap().status(), 200);
        for piece in ["ab", "cd", "ef"] {
            go.send(()).unwrap();
            let arrived = if framing.starts_with('C') { client.exactly(2) } else { client.chunk() };
            assert_eq!(arrived, piece.as_bytes(), "{framing}");
        }
        go.send(()).unwrap();
        if framing.starts_with('T') {
            assert_eq!(client.chunk(), b"");
        }
    }
}

#[test]
fn a_request_leaves_piece_by_piece() {
    for framing in ["Content-Length: 6", "Transfer-Encoding: chunked"] {
        let (seen, heard) = mpsc::channel::<Vec<u8>>();
        let server = Server::start(move |_, mut wire| {
            assert!(wire.head().unwrap().has(framing.split_once(": ").unwrap().0, framing.split_once(": ").unwrap().1));
            for _ in 0..3 {
                seen.send(if framing.starts_with('C') { wire.exactly(2) } else { wire.chunk() }).unwrap();
            }
            if framing.starts_with('T') {
                assert_eq!(wire.chunk(), b"");
            }
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
        let gateway = start(&server.url(), "");
        let mut client = Wire::to(gateway.address());
        client.send(format!("PROPPATCH / HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n"));
        for piece in ["ab", "cd", "ef"] {
            client.send(if framing.starts_with('C') { piece.into() } else { format!("2\r\n{piece}\r\n") });
            // The next piece is not written before this one is there.
            assert_eq!(heard.recv_timeout(crate::wire::PATIENCE).unwrap(), piece.as_bytes(), "{framing}");
        }
        client.send(if framing.starts_with('C') { "" } else { "0\r\n\r\n" });
        assert_eq!(client.message().0.status(), 200);
        server.finished();
    }
}

#[test]
fn a_server_that_does_not_read_stops_the_client() {
    let (go, step) = stepwise();
    let (sum, total) = mpsc::channel();
    let server = Server::start(move |_, mut wire| {
        wire.head().unwrap();
        step();
        sum.send(wire.exactly(MUCH).len()).unwrap();
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    client.send(format!("PROPPATCH / HTTP/1.1\r\nHost: h\r\nContent-Length: {MUCH}\r\n\r\n"));
    let written = client.write_until_blocked(MUCH);
    assert!(written < ON_THE_WAY, "{written} octets were taken, and nobody had read one");
    go.send(()).unwrap();
    client.send(vec![b'x'; MUCH - written]);
    assert_eq!(client.message().0.status(), 200);
    assert_eq!(total.recv().unwrap(), MUCH);
}

#[test]
fn a_client_that_does_not_read_stops_the_server() {
    let (told, heard) = mpsc::channel();
    let server = Server::start(move |_, mut wire| {
        wire.head().unwrap();
        wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {MUCH}\r\n\r\n"));
        let written = wire.write_until_blocked(MUCH);
        told.send(written).unwrap();
        wire.send(vec![b'x'; MUCH - written]);
    });
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let written = heard.recv_timeout(crate::wire::PATIENCE).unwrap();
    assert!(written < ON_THE_WAY, "{written} octets were taken, and nobody had read one");
    assert_eq!(client.message().1.len(), MUCH);
}

#[test]
fn a_client_that_goes_away_takes_its_request_with_it() {
    // While the server thinks, in the middle of the answer, in the middle of the request.
    for (request, answer) in [
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", ""),
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"),
        ("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab", ""),
    ] {
        let (told, heard) = mpsc::channel();
        let server = Server::start(move |_, mut wire| {
            let head = wire.head().unwrap();
            if head.value("content-length").is_some() {
                wire.exactly(2);
            }
            wire.send(answer);
            told.send("has it").unwrap();
            assert_eq!(wire.rest(), b"");
            told.send("was left").unwrap();
        });
        let gateway = start(&server.url(), "");
        let mut client = Wire::to(gateway.address());
        client.send(request);
        assert_eq!(heard.recv_timeout(crate::wire::PATIENCE), Ok("has it"));
        if !answer.is_empty() {
            client.head().unwrap();
            client.exactly(2);
        }
        drop(client);
        assert_eq!(heard.recv_timeout(crate::wire::PATIENCE), Ok("was left"), "{request} {answer}");
        server.finished();
    }
}

#[test]
fn another_protocol_is_tunnelled_both_ways() {
    let server = Server::start(|_, mut wire| {
        let head = wire.head().unwrap();
        assert!(head.has("upgrade", "websocket") && head.has("connection", "upgrade"));
        assert_eq!(head.value("sec-websocket-key"), Some("x3JJHMbDL1EzLkh9GBhXDw=="));
        // The first octets of the new protocol come with the answer.
        wire.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello");
        assert_eq!(wire.exactly(4), b"ping");
        wire.send("pong");
        assert_eq!(wire.rest(), b"bye", "the client's end arrives");
        wire.send("farewell");
    });
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    client.send(
        "GET /push HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n",
    );
    let head = client.head().unwrap();
    assert_eq!(head.status(), 101);
    assert!(head.has("upgrade", "websocket") && head.has("connection", "upgrade"));
    assert_eq!(client.exactly(5), b"hello");
    client.send("ping");
    assert_eq!(client.exactly(4), b"pong");
    client.send("bye");
    client.end();
    assert_eq!(client.rest(), b"farewell", "the server may still speak");
    server.finished();
}

#[test]
fn a_switch_that_would_hide_requests_is_not_passed_on() {
    let server = Server::echo();
    let gateway = start(&server.url(), "");
    for (method, protocol) in
        [("GET", "h2c"), ("GET", "websocket, h2c"), ("GET", "HTTP/2.0"), ("GET", "TLS/1.0"), ("POST", "websocket")]
    {
        let mut client = Wire::to(gateway.address());
        let (head, seen) = client.ask(format!(
            "{method} / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: {protocol}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        ));
        let seen = String::from_utf8(seen).unwrap().to_ascii_lowercase();
        assert_eq!(head.status(), 200);
        assert!(!seen.contains("upgrade") && !seen.contains("http2-settings"), "{protocol}: {seen}");
    }
}
