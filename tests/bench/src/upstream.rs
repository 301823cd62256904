//! A server that answers at once: what there is to measure beside it is the way to it.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

/// As long as what servers answer of one event, of one calendar's properties, of some weeks with their texts.
fn length(method: &str) -> usize {
    match method {
        "GET" => 2_000,
        "PROPFIND" => 8_000,
        _ => 100_000,
    }
}

/// Prints its address and serves until it is killed.
pub(crate) fn run() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|e| e.to_string())?;
        println!("{}", listener.local_addr().map_err(|e| e.to_string())?);
        let answers = Bytes::from(vec![b'x'; 100_000]);
        loop {
            let (stream, _) = listener.accept().await.map_err(|e| e.to_string())?;
            stream.set_nodelay(true).map_err(|e| e.to_string())?;
            let answers = answers.clone();
            tokio::spawn(async move {
                let answer = |request: Request<Incoming>| {
                    let answers = answers.clone();
                    async move {
                        let length = length(request.method().as_str());
                        let mut body = request.into_body();
                        while let Some(Ok(_)) = body.frame().await {}
                        Ok::<_, Infallible>(Response::new(Full::new(answers.slice(..length.min(answers.len())))))
                    }
                };
                let mut builder = hyper::server::conn::http1::Builder::new();
                let _ =
                    builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service_fn(answer)).await;
            });
        }
    })
}
