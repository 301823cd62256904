//! A client that costs as little as it can: requests are octets made once, of answers only the length is looked at.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    address: SocketAddr,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(|e| format!("{address}: {e}"))?;
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        Ok(Self { stream, address, buffer: Vec::with_capacity(128 * 1024) })
    }

    /// Sends a request and reads its whole answer, which must be a success. Connects again where the server ended the
    /// connection with its last answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Duration, String> {
        let began = Instant::now();
        self.stream.write_all(request).await.map_err(|e| e.to_string())?;
        self.buffer.clear();
        let head = loop {
            self.more().await?;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end.saturating_add(4);
            }
        };
        let (length, chunked, close) = {
            let text = String::from_utf8_lossy(self.buffer.get(..head).unwrap_or_default()).to_ascii_lowercase();
            if text.split(' ').nth(1).is_none_or(|status| !status.starts_with('2')) {
                return Err(format!("an answer that is no success: {text}"));
            }
            let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(|v| v.trim().to_owned());
            let chunked = value("transfer-encoding:").is_some();
            let close = text.starts_with("http/1.0") || value("connection:").is_some_and(|v| v == "close");
            (value("content-length:").and_then(|v| v.parse::<usize>().ok()), chunked, close)
        };
        loop {
            let whole = match length {
                Some(length) => self.buffer.len() >= head.saturating_add(length),
                None if chunked => self.buffer.ends_with(b"0\r\n\r\n"),
                None => false,
            };
            if whole || self.more().await.is_err() {
                break;
            }
        }
        let took = began.elapsed();
        if close {
            *self = Self::connect(self.address).await?;
        }
        Ok(took)
    }

    async fn more(&mut self) -> Result<(), String> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Err("the connection ended".into()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn find(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets.windows(wanted.len()).position(|window| window == wanted)
}

/// How many requests a second `connections` clients get answered, for `span`.
pub(crate) async fn rate(
    address: SocketAddr,
    request: &'static [u8],
    connections: usize,
    span: Duration,
) -> Result<f64, String> {
    let mut clients = tokio::task::JoinSet::new();
    let began = Instant::now();
    for _ in 0..connections {
        clients.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut count = 0_u32;
            while began.elapsed() < span {
                client.ask(request).await?;
                count = count.saturating_add(1);
            }
            Ok::<_, String>(count)
        });
    }
    let mut sum = 0.0;
    while let Some(count) = clients.join_next().await {
        sum += f64::from(count.map_err(|e| e.to_string())??);
    }
    Ok(sum / began.elapsed().as_secs_f64())
}
