//! A CalDAV server with teams-mirror inside: `cargo run -p host-shim --example in_process -- teams-mirror.toml` serves
//! `/calendars/{user}/` to `{user}@example.org` on port 5232, from memory. A real one asks for a login, and writes late links back.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dav_server::{DavHandler, caldav::extract_calendar_uid, fakels::FakeLs, memfs::MemFs};
use host_shim::embed::{Announced, Config, Embedded, Event, Shim};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = std::env::args_os().nth(1).ok_or("name the configuration that `teams-mirror init` wrote")?;
    let mirror = Embedded::start(Shim::open(Config::read(config.as_ref())?)?)?;
    Ok(axum::serve(tokio::net::TcpListener::bind("127.0.0.1:5232").await?, server(mirror)).await?)
}

pub(crate) fn server(mirror: Embedded) -> axum::Router {
    let dav = DavHandler::builder().filesystem(MemFs::new()).locksystem(FakeLs::new()).build_handler();
    axum::Router::new().nest_service("/teams", mirror.pages()).fallback(handle).with_state((dav, mirror))
}

async fn handle(State((dav, mirror)): State<(DavHandler, Embedded)>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let Ok(mut body) = to_bytes(body, 8 << 20).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    // What is there now, asked for under the request's own conditions: a save that fails them is to make no meeting.
    let method = std::mem::replace(&mut parts.method, Method::GET);
    let now = dav.handle(Request::from_parts(parts.clone(), Body::empty())).await.into_response();
    let holds = matches!((now.status().as_u16(), parts.headers.get(header::IF_MATCH)), (200, _) | (404, None));
    let before = event_of_owner(&path, &to_bytes(now.into_body(), 8 << 20).await.unwrap_or_default());
    let mut announced = None;
    if let Some(event) = event_of_owner(&path, &body).filter(|_| method == Method::PUT && holds) {
        let save = mirror.before_store(&event, &String::from_utf8_lossy(&body)).await;
        body = save.text().to_owned().into();
        announced = Some(save);
    }
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    parts.method = method.clone();
    let mut answer = dav.handle(Request::from_parts(parts, Body::from(body))).await.into_response();
    if announced.as_ref().is_some_and(Announced::is_amended) {
        answer.headers_mut().remove(header::ETAG);
        answer.headers_mut().remove(header::LAST_MODIFIED);
    }
    let told = match (announced, before, answer.status().is_success()) {
        (Some(save), _, true) => save.stored().await,
        (Some(save), _, false) => save.refused().await,
        (None, Some(event), true) if method == Method::DELETE => mirror.deleted(&event).await,
        _ => Ok(()),
    };
    told.unwrap_or_else(|error| eprintln!("{path} is to be told again: {error}"));
    answer
}

fn event_of_owner(path: &str, text: &[u8]) -> Option<Event> {
    let user = path.strip_prefix("/calendars/")?.split('/').next()?;
    let uid = extract_calendar_uid(std::str::from_utf8(text).ok()?)?;
    Event::new(&format!("{user}@example.org"), &uid, path).ok()
}
