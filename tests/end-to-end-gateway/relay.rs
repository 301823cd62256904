//! Between the gateway and its server: passes everything on, unless a test says otherwise for the next requests of a method.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is done with a request.
pub enum Deed {
    /// The server does not see it; this is the answer's first line and its body.
    Refuse(&'static str),
    /// The server does not see it; this is the answer's status and its body.
    Say(&'static str, String),
    /// The server does it, and this is answered.
    DoAndAnswer(&'static str),
    /// The server does it, and the connection ends without an answer.
    DoAndDie,
    /// The connection ends, and the server does not see it.
    Die,
    /// The sender is told that it is here, and it waits until there is a word; then it goes on as ever.
    Hold(Sender<()>, Receiver<()>),
}

/// Whether a deed is for a request: its head as text, and its body.
pub type Which = fn(&str, &str) -> bool;

type Deeds = Arc<Mutex<Vec<(Which, Deed)>>>;

pub struct Relay {
    pub port: u16,
    deeds: Deeds,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Relay {
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self { port: listener.local_addr().unwrap().port(), deeds: Deeds::default(), seen: Arc::default() };
        let (deeds, seen) = (Arc::clone(&relay.deeds), Arc::clone(&relay.seen));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (deeds, seen) = (Arc::clone(&deeds), Arc::clone(&seen));
                std::thread::spawn(move || passes(client, server, &deeds, &seen));
            }
        });
        relay
    }

    /// The next request that fits has this done to it.
    pub fn next(&self, which: Which, deed: Deed) {
        self.deeds.lock().unwrap().push((which, deed));
    }

    /// Holds the next request that fits: waits for it to arrive, then lets go of it.
    pub fn hold(&self, which: Which) -> (Receiver<()>, Sender<()>) {
        let (arrived, arrives) = channel();
        let (go, goes) = channel();
        self.next(which, Deed::Hold(arrived, goes));
        (arrives, go)
    }

    /// The requests of a method so far: path and body.
    pub fn seen(&self, method: &str) -> Vec<(String, String)> {
        let seen = self.seen.lock().unwrap();
        let of = |(line, _): &&(String, String)| line.starts_with(&format!("{method} "));
        seen.iter().filter(of).map(|(line, body)| (line.split(' ').nth(1).unwrap().to_owned(), body.clone())).collect()
    }
}

fn passes(mut client: TcpStream, server: u16, deeds: &Deeds, seen: &Mutex<Vec<(String, String)>>) {
    client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    while let Some((head, body)) = request(&mut client) {
        let text = String::from_utf8_lossy(&body).into_owned();
        seen.lock().unwrap().push((head.lines().next().unwrap_or_default().to_owned(), text.clone()));
        let deed = {
            let mut deeds = deeds.lock().unwrap();
            deeds.iter().position(|(which, _)| which(&head, &text)).map(|at| deeds.remove(at).1)
        };
        let answer = match deed {
            None => exchange(server, &head, &body),
            Some(Deed::Refuse(answer)) => shaped(answer, ""),
            Some(Deed::Say(answer, body)) => shaped(answer, &body),
            Some(Deed::DoAndAnswer(answer)) => {
                exchange(server, &head, &body);
                shaped(answer, "")
            }
            Some(Deed::DoAndDie) => {
                exchange(server, &head, &body);
                return;
            }
            Some(Deed::Die) => return,
            Some(Deed::Hold(arrived, goes)) => {
                arrived.send(()).unwrap();
                // Nobody who lets go of it any more: the test has ended.
                if goes.recv().is_err() {
                    return;
                }
                exchange(server, &head, &body)
            }
        };
        if answer.is_empty() || client.write_all(&answer).is_err() {
            return;
        }
    }
}

/// A whole answer of the given status.
fn shaped(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Sends a request on a connection of its own, and reads the answer to its end.
fn exchange(server: u16, head: &str, body: &[u8]) -> Vec<u8> {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)) else { return Vec::new() };
    let head = head.trim_end().to_owned() + "\r\nConnection: close\r\n\r\n";
    if server.write_all(head.as_bytes()).and_then(|()| server.write_all(body)).is_err() {
        return Vec::new();
    }
    let mut answer = Vec::new();
    let _ = server.read_to_end(&mut answer);
    // Its length is known now, and the connection to the gateway stays.
    let Some(ends) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Vec::new() };
    let fields = String::from_utf8_lossy(&answer[..ends]).into_owned();
    let body = answer[ends + 4..].to_vec();
    let kept: Vec<&str> = fields
        .lines()
        .filter(|line| {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            !matches!(name.as_str(), "connection" | "content-length")
        })
        .collect();
    let mut whole = format!("{}\r\nContent-Length: {}\r\n\r\n", kept.join("\r\n"), body.len()).into_bytes();
    whole.extend(body);
    whole
}

/// Head and body of the next request; `None`: there is none.
fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut octet).ok()? == 0 {
            return None;
        }
        head.push(octet[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    let mut body = vec![0; length.unwrap_or_default()];
    client.read_exact(&mut body).ok()?;
    Some((head, body))
}
