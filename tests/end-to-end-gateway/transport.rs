//! What passes, passes as it is.

use std::os::unix::net::{UnixListener, UnixStream};

use crate::in_process::start;
use crate::wire::{Server, Wire};

#[test]
fn a_request_arrives_as_it_was_sent() {
    let server = Server::echo();
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    let body = "<propfind xmlns=\"DAV:\"/>";
    let (head, seen) = client.ask(format!(
        "PROPFIND /alice/%7Bwork%7D/a%2Fb/..%2f/?x=%20&&y HTTP/1.1\r\nHost: calendar.example.org:8443\r\nDepth: 1\r\n\
         Authorization: Basic YWxpY2U6c2VjcmV0\r\nX-Odd: \u{1f4c5}\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(head.first(), "HTTP/1.1 200 OK");
    let seen: String = seen.into_iter().map(char::from).collect();
    let (seen, arrived) = seen.split_once("\r\n\r\n").unwrap();
    let seen = crate::wire::Head(format!("{seen}\r\n\r\n"));
    assert_eq!(seen.first(), "PROPFIND /alice/%7Bwork%7D/a%2Fb/..%2f/?x=%20&&y HTTP/1.1");
    assert_eq!(seen.value("host"), Some("calendar.example.org:8443"));
    assert_eq!(seen.value("depth"), Some("1"));
    assert_eq!(seen.value("authorization"), Some("Basic YWxpY2U6c2VjcmV0"));
    let odd: String = "\u{1f4c5}".bytes().map(char::from).collect();
    assert_eq!(seen.value("x-odd"), Some(odd.as_str()));
    assert_eq!(seen.values("x-twice"), ["a", "b"]);
    assert_eq!(seen.value("content-length"), Some(body.len().to_string().as_str()));
    assert_eq!(arrived, body);
}

#[test]
fn every_method_passes_also_those_nobody_knows() {
    let server = Server::echo();
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    for method in
        ["GET", "PUT", "POST", "DELETE", "MOVE", "COPY", "OPTIONS", "REPORT", "MKCALENDAR", "LOCK", "ACL", "BREW"]
    {
        let (head, seen) = client.ask(format!("{method} /x HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(head.status(), 200, "{method}");
        assert!(String::from_utf8(seen).unwrap().starts_with(&format!("{method} /x HTTP/1.1\r\n")), "{method}");
    }
    let (_, seen) = client.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(String::from_utf8(seen).unwrap().starts_with("OPTIONS * HTTP/1.1\r\n"));
}

#[test]
fn an_answer_arrives_as_it_was_given() {
    let server = Server::start(|_, mut wire| {
        while let Some(head) = wire.head() {
            wire.send(match head.first().split(' ').next().unwrap() {
                "HEAD" => "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nETag: \"1\"\r\n\r\n".to_owned(),
                "REPORT" => {
                    "HTTP/1.1 207 Multi-Status\r\nDAV: 1, calendar-access\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\
                     Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                        .to_owned()
                }
                "PUT" => {
                    "HTTP/1.1 204 No Content\r\nETag: W/\"2\"\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\n\r\n".to_owned()
                }
                _ => "HTTP/1.1 304 Not Modified\r\nETag: \"3\"\r\n\r\n".to_owned(),
            });
        }
    });
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    let head = client.head().unwrap();
    assert_eq!((head.status(), head.value("content-length"), head.value("etag")), (200, Some("12345"), Some("\"1\"")));
    let (head, body) = client.ask("REPORT / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!((head.status(), body.as_slice()), (207, b"abc".as_slice()));
    assert_eq!(head.value("dav"), Some("1, calendar-access"));
    assert_eq!(head.values("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(head.value("content-encoding"), Some("gzip"));
    client.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    let head = client.head().unwrap();
    assert_eq!((head.status(), head.value("content-length"), head.value("etag")), (204, None, Some("W/\"2\"")));
    assert_eq!(head.value("date"), Some("Tue, 01 Jan 2030 00:00:00 GMT"));
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(client.head().unwrap().status(), 304);
    assert_eq!(server.connections(), 2, "answers without a body free their connection, which the save could not use");
}

#[test]
fn connections_to_the_server_are_kept() {
    let server = Server::echo();
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    for _ in 0..3 {
        for method in ["GET", "OPTIONS", "PROPFIND", "REPORT"] {
            assert_eq!(client.ask(format!("{method} /x HTTP/1.1\r\nHost: h\r\n\r\n")).0.status(), 200);
        }
    }
    assert_eq!(server.connections(), 1, "one after the other, they all leave on one");
}

#[test]
fn trailers_pass_both_ways() {
    let server = Server::start(|_, mut wire| {
        let head = wire.head().unwrap();
        assert_eq!(head.value("te"), Some("trailers"));
        assert_eq!(head.value("trailer"), Some("x-sum"));
        assert_eq!(wire.chunk(), b"abc");
        assert_eq!(wire.chunk(), b"");
        assert_eq!(wire.line(), "x-sum: 6");
        assert_eq!(wire.line(), "");
        wire.send(
            "HTTP/1.1 200 OK\r\nTrailer: X-End\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-End: yes\r\n\r\n",
        );
        assert!(wire.head().is_none());
    });
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    client.send(
        "PROPPATCH / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0\r\nx-sum: 6\r\n\r\n",
    );
    assert_eq!(client.head().unwrap().status(), 200);
    assert_eq!(client.chunk(), b"ok");
    assert_eq!(client.chunk(), b"");
    assert_eq!(client.line(), "x-end: yes");
    drop(client);
    gateway.stop();
    server.finished();
}

#[test]
fn clients_and_servers_of_http_1_0_are_served() {
    let server = Server::start(|_, mut wire| {
        let head = wire.head().unwrap();
        assert_eq!(head.first(), "GET / HTTP/1.1");
        assert!(head.value("host").is_some(), "a server of today wants one");
        // No length: the end of the connection is the end of the answer.
        wire.send("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nall of it");
    });
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    client.send("GET / HTTP/1.0\r\n\r\n");
    let head = client.head().unwrap();
    assert_eq!((head.status(), head.value("transfer-encoding")), (200, None));
    assert_eq!(client.rest(), b"all of it");
    let mut client = Wire::to(gateway.address());
    let (head, body) = client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!((head.value("transfer-encoding"), body.as_slice()), (Some("chunked"), b"all of it".as_slice()));
}

#[test]
fn sockets_of_this_machine_do_on_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let (front, back) = (dir.path().join("front.sock"), dir.path().join("back.sock"));
    let listener = UnixListener::bind(&back).unwrap();
    let server = std::thread::spawn(move || {
        let mut wire = Wire::over(listener.accept().unwrap().0);
        let head = wire.head().unwrap();
        assert_eq!(head.value("host"), Some("calendar.example.org"));
        assert_eq!(
            head.value("x-forwarded-for"),
            Some("192.0.2.7"),
            "who may open the socket is believed, and has no address"
        );
        assert_eq!(head.value("x-forwarded-proto"), Some("https"));
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    });
    let gateway = start(&format!("unix:{}", back.display()), &format!("listen = \"unix:{}\"", front.display()));
    let mut client = Wire::over(UnixStream::connect(&front).unwrap());
    let (head, body) = client.ask(
        "GET / HTTP/1.1\r\nHost: calendar.example.org\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\r\n",
    );
    assert_eq!((head.status(), body.as_slice()), (200, b"hi".as_slice()));
    server.join().unwrap();
    gateway.stop();
    assert!(!front.exists(), "the socket goes when the gateway stops");
}

#[test]
fn a_stop_lets_an_answer_finish_and_takes_no_new_request() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let server = Server::start(move |_, mut wire| {
        wire.head().unwrap();
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
        wait.lock().unwrap().recv().unwrap();
        wire.send("cd");
    });
    let gateway = start(&server.url(), "");
    let address = gateway.address();
    let mut client = Wire::to(address);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let head = client.head().unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(client.exactly(2), b"ab");
    let mut idle = Wire::to(address);
    let stopping = std::thread::spawn(move || gateway.stop());
    // A connection nobody uses is closed at once; that is how the test knows that the stop has begun.
    assert_eq!(idle.rest(), b"");
    go.send(()).unwrap();
    assert_eq!(client.rest(), b"cd");
    stopping.join().unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn health_stands_under_the_settings_path_and_hides_nothing_else() {
    let server = Server::echo();
    let gateway = start(&server.url(), "");
    let mut client = Wire::to(gateway.address());
    let (head, body) = client.ask("GET /.teams/healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!((head.status(), body.as_slice()), (200, b"ok\n".as_slice()));
    assert_eq!(server.connections(), 0, "its own life is its own");
    let (head, body) = client.ask("GET /.teams/readyz HTTP/1.1\r\nHost: h\r\n\r\n");
    let body = String::from_utf8(body).unwrap();
    assert!(head.status() == 200 && body.starts_with("server: answers\n") && body.contains("\nhook: "), "{body}");
    for path in ["/healthz", "/readyz", "/.teamsx/healthz", "/x/.teams/healthz", "/%2Eteams/healthz"] {
        let (_, seen) = client.ask(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert!(String::from_utf8(seen).unwrap().starts_with(&format!("GET {path} ")), "{path} is the server's");
    }
    let gateway = start(&server.url(), "settings_path = \"\"");
    let (_, seen) = Wire::to(gateway.address()).ask("GET /.teams/healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(String::from_utf8(seen).unwrap().starts_with("GET /.teams/healthz "));
}
