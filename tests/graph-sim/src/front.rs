//! The door of the simulated services: one request in, its faults applied, one answer out.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Bytes, Frame};
use serde_json::json;

use crate::answer::{Answer, Call};
use crate::entra;
use crate::faults::{Fault, FaultBody, FaultKind, Service};
use crate::graph;
use crate::traffic::{Arrival, with_retry_after};
use crate::world::World;

/// The world, and the lock on it.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// Never held across a wait. A panic elsewhere does not make what was recorded worthless.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// On a response: cut the connection instead of sending it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CutConnection;

/// Above this a body is not read any further.
const READ_LIMIT: usize = graph::LARGEST_BODY + 1;

/// Answers a request to a simulated service. The work goes on when the client leaves, as it would at Microsoft.
pub(crate) async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    tokio::spawn(work(shared, request)).await.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

async fn work(shared: Shared, request: Request) -> Response {
    let Some(service) = entra::service(request.uri().path()) else { return status(StatusCode::NOT_FOUND) };
    let call = read(service, request).await;
    let (arrival, latency) = {
        let mut world = shared.lock();
        let latency = match service {
            Service::Graph => world.switches.graph_latency_ms,
            Service::Token => world.switches.token_latency_ms,
            Service::Authorize => 0,
        };
        (world.arrive(&call), latency)
    };
    let fault = arrival.fault.clone();
    let delay = latency + fault.as_ref().map_or(0, |fault| if fault.after_commit { 0 } else { fault.delay_ms });
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let answer = perform(&mut shared.lock(), &call, &arrival);
    let after =
        fault.as_ref().map_or(0, |fault| fault.delay_after_ms + if fault.after_commit { fault.delay_ms } else { 0 });
    if after > 0 {
        tokio::time::sleep(Duration::from_millis(after)).await;
    }
    let sent = match answer {
        Some(answer) => {
            let mut world = shared.lock();
            let answer = world.mark(&call, answer);
            world.depart(&arrival, Some(answer.status), answer.header("retry-after"));
            Some(answer)
        }
        None => {
            shared.lock().depart(&arrival, None, None);
            None
        }
    };
    match sent {
        Some(answer) => respond(answer, fault.as_ref()),
        None => {
            let mut response = status(StatusCode::BAD_GATEWAY);
            response.extensions_mut().insert(CutConnection);
            response
        }
    }
}

/// The answer, or none where the connection is to be cut.
fn perform(world: &mut World, call: &Call, arrival: &Arrival) -> Option<Answer> {
    if let Some(throttled) = &arrival.throttled {
        return Some(throttled.clone());
    }
    let Some(fault) = &arrival.fault else { return Some(world.serve(call, None)) };
    // Kinds that give the real answer commit by giving it; doing it twice would be a fault of ours.
    if fault.after_commit && !fault.kind.is_answered_for_real() {
        world.serve(call, None);
    }
    match &fault.kind {
        FaultKind::DropBefore => None,
        FaultKind::DropAfter => {
            if !fault.after_commit {
                world.serve(call, None);
            }
            None
        }
        FaultKind::Status { status, body, code, message, retry_after } => {
            let answer = failed(world, call.service, *status, *body, code.as_deref(), message.as_deref());
            Some(with_retry_after(answer, retry_after.as_deref()))
        }
        FaultKind::Redirect { location, status } => Some(Answer::empty(*status).with("Location", location)),
        FaultKind::HugeBody { .. } => Some(Answer::text(200, "application/json", String::new())),
        FaultKind::EchoAuthorization => {
            let header = call.header("authorization").unwrap_or_default();
            let message = format!("The header 'Authorization: {header}' is not valid. Body: {}", body_text(call));
            Some(failed(world, call.service, 400, FaultBody::Json, None, Some(&message)))
        }
        FaultKind::ErrorInOk => {
            let answer = failed(world, call.service, 500, FaultBody::Json, None, None);
            Some(Answer { status: 200, ..answer })
        }
        FaultKind::Garbage => Some(Answer::json(200, &graph::error::garbage())),
        FaultKind::Conflict => Some(world.graph_error(&graph::error::conflict())),
        FaultKind::ClaimsChallenge => Some(world.graph_error(&graph::claims_challenge(&call.base))),
        FaultKind::Delay
        | FaultKind::SlowBody { .. }
        | FaultKind::FalseGzip
        | FaultKind::Aadsts { .. }
        | FaultKind::OmitRefreshToken
        | FaultKind::FewerScopes { .. }
        | FaultKind::AnotherIdentity { .. } => Some(world.serve(call, Some(fault))),
    }
}

fn body_text(call: &Call) -> String {
    String::from_utf8_lossy(&call.body).into_owned()
}

fn failed(
    world: &mut World,
    service: Service,
    status: u16,
    body: FaultBody,
    code: Option<&str>,
    message: Option<&str>,
) -> Answer {
    let json = match service {
        Service::Graph => {
            let mut error = graph::error::usual(status);
            error.code = code.map_or(error.code, str::to_owned);
            error.message = message.map_or(error.message, str::to_owned);
            world.graph_error(&error)
        }
        Service::Token | Service::Authorize => {
            let mut value = entra::token::injected_status(status);
            if let Some(members) = value.as_object_mut() {
                if let Some(code) = code {
                    members.insert("error".into(), json!(code));
                }
                if let Some(message) = message {
                    members.insert("error_description".into(), json!(message));
                }
            }
            Answer::json(status, &value)
        }
    };
    match body {
        FaultBody::Json => json,
        FaultBody::Html => Answer::html(
            status,
            format!(
                "<html><head><title>{status}</title></head><body><h2>Our services aren't available right now</h2></body></html>"
            ),
        ),
        FaultBody::Empty => Answer::empty(status),
        FaultBody::Truncated => {
            let half = json.body.len() / 2;
            Answer { body: json.body.into_iter().take(half).collect(), ..json }
        }
    }
}

async fn read(service: Service, request: Request) -> Call {
    let (parts, body) = request.into_parts();
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let host = headers.iter().find(|(name, _)| name == "host").map_or("127.0.0.1", |(_, value)| value.as_str());
    let base = format!("http://{host}");
    let read = axum::body::to_bytes(body, READ_LIMIT).await;
    Call {
        service,
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        too_large: read.is_err(),
        body: read.map(|bytes| bytes.to_vec()).unwrap_or_default(),
        headers,
        base,
    }
}

fn respond(answer: Answer, fault: Option<&Fault>) -> Response {
    let kind = fault.map(|fault| &fault.kind);
    let body = match kind {
        Some(FaultKind::SlowBody { byte_interval_ms }) => {
            let interval = Duration::from_millis(*byte_interval_ms);
            Body::new(Drip { left: answer.body.into(), interval, pause: None })
        }
        Some(FaultKind::HugeBody { bytes }) => Body::new(Flood { left: *bytes }),
        _ => Body::from(answer.body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
            response.headers_mut().append(name, value);
        }
    }
    if kind == Some(&FaultKind::FalseGzip) {
        response.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    }
    response
}

/// A body that comes one byte at a time.
struct Drip {
    left: Bytes,
    interval: Duration,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl HttpBody for Drip {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let interval = self.interval;
        let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(interval)));
        if pause.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.pause = None;
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(1)))))
    }
}

/// A body without end in sight.
struct Flood {
    left: u64,
}

impl HttpBody for Flood {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        static BLOCK: [u8; 65_536] = [b' '; 65_536];
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = self.left.min(BLOCK.len() as u64);
        self.left -= length;
        let block = Bytes::from_static(&BLOCK).slice(..length as usize);
        Poll::Ready(Some(Ok(Frame::data(block))))
    }
}
