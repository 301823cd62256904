//! When the server dies, is silent, refuses early, or closes what was kept.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::in_process::start;
use crate::wire::{PATIENCE, Server, Wire};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_server_that_is_not_there_is_said_in_a_sentence() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = start(&format!("http://{free}"), "");
    for method in ["GET", "PUT", "PROPFIND"] {
        let (head, body) =
            Wire::to(gateway.address()).ask(format!("{method} /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!((head.status(), head.value("content-type")), (502, Some("text/plain; charset=utf-8")), "{method}");
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains("cannot be reached") && body.contains("try again"), "{body}");
        assert!(!body.contains(&free.to_string()), "where the server is is nobody's business");
    }
    let (head, body) = Wire::to(gateway.address()).ask("GET /.teams/readyz HTTP/1.1\r\nHost: h\r\n\r\n");
    let body = String::from_utf8(body).unwrap();
    assert!(head.status() == 503 && body.starts_with("server: "), "{body}");
    // A client that is still sending hears it as well.
    let mut client = Wire::to(gateway.address());
    client.send("PROPPATCH / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
    assert_eq!(client.head().unwrap().status(), 502);
}

#[test]
fn a_server_that_is_silent_is_said_in_a_sentence() {
    let server = Server::start(|_, mut wire| drop(wire.rest()));
    let gateway = start(&server.url(), "silence_timeout = \"200ms\"");
    for method in ["GET", "PROPPATCH"] {
        let (head, body) =
            Wire::to(gateway.address()).ask(format!("{method} /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
        let body = String::from_utf8(body).unwrap();
        assert!(head.status() == 504 && body.contains("may have done what was asked"), "{method}: {body}");
    }
    assert_eq!(server.connections(), 2, "nothing is sent twice");
}

/// A body that moves is no silence, however long it takes in all.
#[test]
fn what_moves_may_take_its_time() {
    let server = Server::start(|_, mut wire| {
        let head = wire.head().unwrap();
        wire.exactly(head.value("content-length").unwrap().parse().unwrap());
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
        for _ in 0..12 {
            std::thread::sleep(std::time::Duration::from_millis(100));
            wire.send("x");
        }
    });
    let gateway = start(&server.url(), "silence_timeout = \"1s\"");
    let mut client = Wire::to(gateway.address());
    client.send("PROPPATCH / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n");
    for _ in 0..12 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        client.send("x");
    }
    assert_eq!(client.message().1.len(), 12);
}

/// Otherwise whoever likes could hold as many of the server's answers as he likes.
#[test]
fn a_client_that_takes_nothing_loses_its_connection() {
    const MUCH: usize = 64 << 20;
    let (told, heard) = mpsc::channel();
    let server = Server::start(move |_, mut wire| {
        wire.head().unwrap();
        wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {MUCH}\r\n\r\n"));
        let octets = vec![b'x'; 64 * 1024];
        let mut written = 0;
        while wire.stream.write_all(&octets).is_ok() {
            written += octets.len();
        }
        told.send(written).unwrap();
    });
    let gateway = start(&server.url(), "silence_timeout = \"500ms\"");
    let mut client = Wire::to(gateway.address());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(heard.recv_timeout(PATIENCE).unwrap() < MUCH, "the server is rid of it");
    assert!(client.rest().len() < MUCH);
}

#[test]
fn a_server_that_dies_in_the_middle_never_looks_done() {
    for (start_of_answer, name) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "length"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "chunked"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n5\r\nabc", "in a chunk"),
        ("HTTP/1.1 200 OK\r\n\r\nab", "reset"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "silent"),
    ] {
        let (go, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let server = Server::start(move |_, mut wire| {
            wire.head().unwrap();
            wire.send(start_of_answer);
            wait.lock().unwrap().recv().unwrap();
            match name {
                "reset" => wire.reset(),
                "silent" => drop(wire.rest()),
                _ => {}
            }
        });
        let gateway = start(&server.url(), if name == "silent" { "silence_timeout = \"200ms\"" } else { "" });
        let mut client = Wire::to(gateway.address());
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        let head = client.head().unwrap();
        assert_eq!(head.status(), 200);
        go.send(()).unwrap();
        let rest = String::from_utf8(client.rest()).unwrap();
        match head.value("content-length") {
            Some(length) => assert!(rest.len() < length.parse().unwrap(), "{name}: {rest:?}"),
            None => {
                assert!(head.has("transfer-encoding", "chunked") && !rest.contains("\r\n0\r\n"), "{name}: {rest:?}")
            }
        }
    }
}

#[test]
fn a_server_that_dies_before_it_answers_is_asked_once() {
    for method in ["GET", "PROPFIND", "PROPPATCH", "MKCALENDAR", "LOCK"] {
        let server = Server::start(|_, mut wire| {
            wire.head().unwrap();
        });
        let gateway = start(&server.url(), "");
        let (head, body) =
            Wire::to(gateway.address()).ask(format!("{method} /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
        let body = String::from_utf8(body).unwrap();
        assert!(head.status() == 502 && body.contains("may have done what was asked"), "{method}: {body}");
        // On a new connection that is no accident of keeping connections.
        assert_eq!(server.connections(), 1, "{method}");
    }
}

/// The server closes a kept connection in the moment in which a request leaves on it.
#[test]
fn what_may_be_sent_again_is_sent_again_and_nothing_else() {
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let long = format!("Content-Length: 100000\r\n\r\n{}", "x".repeat(100_000));
    // How often the server hears it, and what the client hears.
    for (method, body, times, status) in [
        ("GET", "\r\n", 2, 200),
        ("HEAD", "\r\n", 2, 200),
        ("OPTIONS", "\r\n", 2, 200),
        ("PROPFIND", "Content-Length: 3\r\n\r\nabc", 2, 200),
        ("REPORT", "Content-Length: 3\r\n\r\nabc", 2, 200),
        // These leave on a new connection in the first place: what is longer than what is kept, or may be, and what changes something.
        ("REPORT", &long, 1, 200),
        ("REPORT", chunked, 1, 200),
        ("LOCK", "Content-Length: 3\r\n\r\nabc", 1, 200),
        ("PATCH", chunked, 1, 200),
        ("UNLOCK", "\r\n", 1, 200),
        ("PROPPATCH", chunked, 1, 200),
        ("ACL", "\r\n", 1, 200),
        ("MKCALENDAR", "\r\n", 1, 200),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let server = Server::start(move |number, mut wire| {
            while let Some(head) = wire.head() {
                if head.first() != "GET /warm HTTP/1.1" {
                    counted.fetch_add(1, Ordering::SeqCst);
                    if head.has("transfer-encoding", "chunked") {
                        assert_eq!(wire.chunk(), b"abc");
                        assert_eq!(wire.chunk(), b"");
                        wire.line();
                    } else if let Some(length) = head.value("content-length") {
                        let body = wire.exactly(length.parse().unwrap());
                        assert!(body == b"abc" || body.len() == 100_000);
                    }
                    if number == 0 {
                        return;
                    }
                }
                wire.send(if head.first().starts_with("HEAD") { OK.trim_end_matches("ok") } else { OK });
            }
        });
        let gateway = start(&server.url(), "");
        let mut client = Wire::to(gateway.address());
        assert_eq!(client.ask("GET /warm HTTP/1.1\r\nHost: h\r\n\r\n").0.status(), 200);
        client.send(format!("{method} /x HTTP/1.1\r\nHost: h\r\n{body}"));
        let head = client.head().unwrap();
        assert_eq!((head.status(), asked.load(Ordering::SeqCst)), (status, times), "{method}");
        drop(client);
        gateway.stop();
        server.finished();
    }
}

/// Servers close connections after each answer without a word, at once or a moment later; that costs no request.
#[test]
fn a_server_that_closes_without_a_word_costs_no_request() {
    let server = Server::start(|number, mut wire| {
        if let Some(head) = wire.head() {
            let length = head.value("content-length").map_or(0, |length| length.parse().unwrap());
            wire.exactly(length);
            wire.send(OK);
            if number % 3 == 0 {
                std::thread::yield_now();
            }
        }
    });
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    for number in 0..500 {
        let method = ["PUT", "PROPFIND"][number % 2];
        let (head, _) = client.ask(format!("{method} /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"));
        assert_eq!(head.status(), 200, "{method}");
    }
}

#[test]
fn a_refusal_in_the_middle_of_an_upload_arrives() {
    const LONG: usize = 64 << 20;
    for reads_on in [true, false] {
        let server = Server::start(move |_, mut wire| {
            wire.head().unwrap();
            wire.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large");
            if reads_on {
                // As RFC 9112 §9.6 wants it: ends its own side, and reads what is on the way.
                wire.end();
                wire.rest();
            } else {
                // Or reads nothing, until the other side has gone.
                wire.stream.set_read_timeout(Some(PATIENCE)).unwrap();
                wire.exactly(1);
                wire.rest();
            }
        });
        let gateway = start(&server.url(), "");
        let mut client = Wire::to(gateway.address());
        client.send(format!("PROPPATCH /x HTTP/1.1\r\nHost: h\r\nContent-Length: {LONG}\r\n\r\n"));
        // A client that sends all before it looks at the answer, as many do.
        client.send(vec![b'x'; LONG]);
        let (head, body) = client.message();
        assert_eq!((head.status(), body.as_slice()), (413, b"too large".as_slice()));
    }
}

#[test]
fn a_client_that_asks_before_it_sends_gets_the_servers_word() {
    // Refused.
    let server = Server::start(|_, mut wire| {
        assert!(wire.head().unwrap().has("expect", "100-continue"));
        wire.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(wire.rest(), b"", "not one octet of the body");
    });
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    let expecting = "PROPPATCH /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    client.send(expecting);
    let head = client.head().unwrap();
    assert_eq!(head.status(), 413, "and no `100 Continue` before");
    assert!(head.has("connection", "close"), "whether the body follows is not known, so the connection ends");
    assert_eq!(client.rest(), b"");
    server.finished();
    // Welcome, and a server that does not know the question.
    for knows in [true, false] {
        let server = Server::start(move |_, mut wire| {
            wire.head().unwrap();
            if knows {
                wire.send("HTTP/1.1 100 Continue\r\n\r\n");
            }
            assert_eq!(wire.exactly(3), b"abc");
            wire.send(OK);
        });
        let gateway = start(&server.url(), "");
        let mut client = Wire::to(gateway.address());
        client.send(expecting);
        assert_eq!(client.head().unwrap().first(), "HTTP/1.1 100 Continue");
        client.send("abc");
        assert_eq!(client.message().0.status(), 200);
        server.finished();
    }
}

#[test]
fn a_client_that_never_finishes_its_head_loses_its_connection() {
    let server = Server::echo();
    let gateway = start(&server.url(), "client_timeout = \"300ms\"");
    for begun in ["", "GET / HTTP/1.1\r\nHost: h\r\nX-Slow: "] {
        let mut client = Wire::to(gateway.address());
        client.send(begun);
        assert_eq!(client.rest(), b"", "{begun:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn more_clients_than_wanted_wait_for_their_turn() {
    let server = Server::echo();
    let gateway = start(&server.url(), "max_connections = 2");
    let mut first = Wire::to(gateway.address());
    let mut second = Wire::to(gateway.address());
    for client in [&mut first, &mut second] {
        assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").0.status(), 200);
    }
    let mut third = Wire::to(gateway.address());
    third.send("GET /third HTTP/1.1\r\nHost: h\r\n\r\n");
    // The two go on undisturbed, and the third has its turn when one has gone.
    assert_eq!(second.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").0.status(), 200);
    drop(first);
    let (head, seen) = third.message();
    assert!(head.status() == 200 && String::from_utf8(seen).unwrap().starts_with("GET /third "));
}
