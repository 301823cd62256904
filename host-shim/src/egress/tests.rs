use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use super::*;

/// A server that answers each connection with fixed octets; gives its address and what it was sent.
fn server(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (SocketAddr, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut buffer = [0; 4_096];
            let read = stream.read(&mut buffer).unwrap_or(0);
            let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
            let _ = stream.write_all(&answer(&request));
            if sender.send(request).is_err() {
                return;
            }
        }
    });
    (address, receiver)
}

pub(crate) fn connector(base: &str) -> ConnectorRow {
    ConnectorRow {
        id: "id".into(),
        name: "teams".into(),
        enabled: true,
        authorize_url: format!("{base}/authorize"),
        token_url: format!("{base}/token"),
        services: vec![("graph".into(), format!("{base}/v1.0"))],
        redirect_url: String::new(),
        scopes: String::new(),
        client_id: None,
        secret: None,
        proxy: None,
        ca_file: None,
        dead: None,
        dead_message: None,
    }
}

fn get(url: String) -> Outgoing {
    let deadline = Instant::now() + Duration::from_secs(5);
    Outgoing { method: "GET", url, headers: vec![("Authorization".into(), "Bearer x".into())], body: None, deadline }
}

#[test]
fn an_answer_of_any_status_is_handed_back_and_redirects_are_not_followed() {
    let (address, requests) = server(|_| {
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/evil\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
            .to_vec()
    });
    let base = format!("http://{address}");
    let answer = Egress::new().send(&connector(&base), get(format!("{base}/v1.0/me"))).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (302, &b"hi"[..]));
    assert_eq!(answer.header("Location"), Some("http://127.0.0.1:1/evil"));
    let request = requests.recv().unwrap().to_ascii_lowercase();
    assert!(request.contains("user-agent: teams-mirror/"), "{request}");
    assert!(!request.contains("accept-encoding"), "{request}");
    assert!(requests.try_recv().is_err());
}

#[test]
fn a_connection_is_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4_096];
        while stream.read(&mut buffer).unwrap_or(0) > 0 {
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        }
    });
    let egress = Egress::new();
    for _ in 0..3 {
        assert_eq!(egress.send(&connector(&base), get(format!("{base}/v1.0/me"))).unwrap().status, 204);
    }
}

#[test]
fn what_did_not_leave_is_told_from_what_may_have() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let base = format!("http://{closed}");
    let outcome = Egress::new().send(&connector(&base), get(format!("{base}/v1.0/me")));
    assert!(matches!(outcome, Err(EgressError::NotSent(_))), "{outcome:?}");

    let (address, _requests) = server(|_| Vec::new());
    let base = format!("http://{address}");
    let outcome = Egress::new().send(&connector(&base), get(format!("{base}/v1.0/me")));
    assert!(matches!(outcome, Err(EgressError::Unanswered(_))), "{outcome:?}");

    let past = Outgoing { deadline: Instant::now(), ..get(format!("{base}/v1.0/me")) };
    assert!(matches!(Egress::new().send(&connector(&base), past), Err(EgressError::NotSent(_))));

    // A TLS handshake that fails has sent nothing of the request.
    let secure = format!("https://{address}");
    let outcome = Egress::new().send(&connector(&secure), get(format!("{secure}/v1.0/me")));
    assert!(matches!(outcome, Err(EgressError::NotSent(_))), "{outcome:?}");
}

#[test]
fn a_slow_or_huge_answer_is_cut_off() {
    let (address, _requests) = server(|request| {
        let length = if request.contains("/huge") { "\r\nContent-Length: 3000000" } else { "" };
        let mut answer = format!("HTTP/1.1 200 OK\r\nConnection: close{length}\r\n\r\n").into_bytes();
        answer.resize(answer.len() + 3_000_000, b'x');
        answer
    });
    let base = format!("http://{address}");
    for path in ["huge", "endless"] {
        let outcome = Egress::new().send(&connector(&base), get(format!("{base}/v1.0/{path}")));
        assert!(matches!(outcome, Err(EgressError::TooLarge(_))), "{outcome:?}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
        while stream.write_all(b"y").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let begun = Instant::now();
    let slow = Outgoing { deadline: begun + Duration::from_millis(300), ..get(format!("{base}/v1.0/me")) };
    let outcome = Egress::new().send(&connector(&base), slow);
    assert!(matches!(outcome, Err(EgressError::Unanswered(_))), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn a_request_goes_only_where_its_connector_leads() {
    let row = connector("https://graph.example");
    let egress = Egress::new();
    for url in [
        "https://evil.example/v1.0/me",
        "http://graph.example/v1.0/me",
        "https://graph.example:444/v1.0/me",
        "https://x:y@graph.example/v1.0/me",
        "file:///etc/passwd",
        "https://",
    ] {
        let outcome = egress.send(&row, get(url.into()));
        assert!(matches!(outcome, Err(EgressError::Refused(_))), "{url}: {outcome:?}");
    }
}

#[test]
fn a_name_that_leads_inside_is_refused() {
    let inside = |address: &'static str| Egress {
        names: resolver::Names::looked_up_by(Box::new(move |_, port| {
            Ok(vec![SocketAddr::new(address.parse().unwrap(), port)])
        })),
        agents: Mutex::default(),
    };
    for address in
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1"]
    {
        let outcome =
            inside(address).send(&connector("https://graph.example"), get("https://graph.example/v1.0/me".into()));
        assert!(matches!(outcome, Err(EgressError::Refused(_))), "{address}: {outcome:?}");
    }
    for base in ["https://10.0.0.1", "https://[fd00::1]", "https://localhost"] {
        let outcome = Egress::new().send(&connector(base), get(format!("{base}/v1.0/me")));
        assert!(matches!(outcome, Err(EgressError::Refused(_))), "{base}: {outcome:?}");
    }
}

#[test]
fn a_broken_ca_file_or_proxy_is_said() {
    let mut row = connector("https://graph.example");
    row.ca_file = Some("/nowhere/ca.pem".into());
    let outcome = Egress::new().send(&row, get("https://graph.example/v1.0/me".into()));
    assert!(matches!(&outcome, Err(EgressError::NotSent(why)) if why.contains("/nowhere/ca.pem")), "{outcome:?}");
}
