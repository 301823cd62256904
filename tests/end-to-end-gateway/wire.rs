//! HTTP/1.1 as octets: a client and a server that do what the test says and nothing else.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// So long something may take that must happen. Nothing is proven by waiting that long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One side of a connection.
pub struct Wire<S = TcpStream> {
    pub stream: S,
    /// Read and not yet asked for.
    ahead: Vec<u8>,
}

impl Wire<TcpStream> {
    /// Connects.
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    /// Says that nothing more comes.
    pub fn end(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Ends in the way of a process that is killed: the other side hears `RST`.
    pub fn reset(self) {
        rustix::net::sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO)).unwrap();
    }

    /// Writes until the other side takes no more, at most so many octets; how many it took.
    pub fn write_until_blocked(&mut self, most: usize) -> usize {
        self.stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        let chunk = vec![b'x'; 64 * 1024];
        let mut written = 0;
        while written < most {
            match self.stream.write(&chunk) {
                Ok(n) => written += n,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(e) => panic!("writing ended: {e}"),
            }
        }
        self.stream.set_write_timeout(Some(PATIENCE)).unwrap();
        written
    }
}

impl<S: Read + Write> Wire<S> {
    pub fn over(stream: S) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    pub fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.stream.write_all(octets.as_ref()).unwrap();
        self.stream.flush().unwrap();
    }

    /// Reads a head, up to and with its empty line. `None` at the end of the connection.
    pub fn head(&mut self) -> Option<Head> {
        loop {
            if let Some(end) = self.ahead.windows(4).position(|four| four == b"\r\n\r\n") {
                let octets: Vec<u8> = self.ahead.drain(..end + 4).collect();
                return Some(Head(octets.iter().map(|&octet| char::from(octet)).collect()));
            }
            if self.more() == 0 {
                assert!(self.ahead.is_empty(), "ended in the middle of a head");
                return None;
            }
        }
    }

    fn more(&mut self) -> usize {
        let mut buffer = [0; 64 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(n) => {
                self.ahead.extend_from_slice(&buffer[..n]);
                n
            }
            // However it ends, it ends.
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe
                ) =>
            {
                0
            }
            Err(e) => panic!("reading: {e}; so far: {:?}", String::from_utf8_lossy(&self.ahead)),
        }
    }

    /// Reads exactly so many octets.
    pub fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.ahead.len() < length {
            assert!(self.more() > 0, "ended after {} of {length} octets", self.ahead.len());
        }
        self.ahead.drain(..length).collect()
    }

    /// Reads one chunk (RFC 9112 §7.1); empty at the last one, after which trailers come.
    pub fn chunk(&mut self) -> Vec<u8> {
        let size = usize::from_str_radix(self.line().split(';').next().unwrap().trim(), 16).unwrap();
        let data = self.exactly(size);
        if size > 0 {
            assert_eq!(self.line(), "");
        }
        data
    }

    /// Reads a line, without its end.
    pub fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.ahead.drain(..end + 2).take(end).collect();
                return String::from_utf8(line).unwrap();
            }
            assert!(self.more() > 0, "ended in the middle of a line");
        }
    }

    /// Reads to the end of the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.more() > 0 {}
        std::mem::take(&mut self.ahead)
    }

    /// Reads a whole message: head, and the body its head announces.
    pub fn message(&mut self) -> (Head, Vec<u8>) {
        let head = self.head().expect("a message");
        let body = if head.has("transfer-encoding", "chunked") {
            let mut body = Vec::new();
            loop {
                let chunk = self.chunk();
                if chunk.is_empty() {
                    while !self.line().is_empty() {}
                    break body;
                }
                body.extend(chunk);
            }
        } else {
            let length = head.value("content-length").map_or(0, |length| length.parse().unwrap());
            self.exactly(length)
        };
        (head, body)
    }

    /// Sends a request and reads its answer.
    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> (Head, Vec<u8>) {
        self.send(request);
        self.message()
    }
}

/// The head of a message; octets beyond ASCII as the characters of the same number.
pub struct Head(pub String);

impl Head {
    /// The first line.
    pub fn first(&self) -> &str {
        self.0.lines().next().unwrap()
    }

    pub fn status(&self) -> u16 {
        self.first().split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// All values of a header.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let pairs = self.0.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        pairs.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_matches([' ', '\t'])).collect()
    }

    /// The one value of a header; `None` where there is none.
    pub fn value(&self, name: &str) -> Option<&str> {
        let values = self.values(name);
        assert!(values.len() < 2, "`{name}` more than once: {}", self.0);
        values.first().copied()
    }

    pub fn has(&self, name: &str, value: &str) -> bool {
        self.values(name).iter().any(|v| v.eq_ignore_ascii_case(value))
    }
}

/// A server: each connection is given to the script, on a thread of its own, with its number from 0 on.
pub struct Server {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    failures: mpsc::Receiver<JoinHandle<()>>,
}

impl Server {
    pub fn start(script: impl Fn(usize, Wire) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let (sender, failures) = mpsc::channel();
        let script = Arc::new(script);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_write_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let script = Arc::clone(&script);
                let thread = std::thread::spawn(move || script(number, Wire::over(stream)));
                if sender.send(thread).is_err() {
                    return;
                }
            }
        });
        Self { address, connections, failures }
    }

    /// One that answers every request with `200` and what it got: the head as a header-less text, then the body.
    pub fn echo() -> Self {
        Self::start(|_, mut wire| {
            while let Some(head) = wire.head() {
                let mut body: Vec<u8> = head.0.chars().map(|c| u8::try_from(c).unwrap()).collect();
                if head.has("transfer-encoding", "chunked") {
                    loop {
                        let chunk = wire.chunk();
                        if chunk.is_empty() {
                            while !wire.line().is_empty() {}
                            break;
                        }
                        body.extend(chunk);
                    }
                } else if let Some(length) = head.value("content-length") {
                    body.extend(wire.exactly(length.parse().unwrap()));
                }
                wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()));
                wire.send(body);
            }
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Waits until all scripts have ended, and fails where one of them did.
    pub fn finished(self) {
        while let Ok(thread) = self.failures.try_recv() {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}
