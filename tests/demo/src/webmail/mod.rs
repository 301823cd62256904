//! A sample webmail: small, rendered on the server, of use without JavaScript.
//!
//! It shows what a webmail does to offer Microsoft Teams: a button on the event, the settings under *Extensions*, and an adapter
//! behind both that talks to teams-mirror by the hook API alone. It has one user, knows no password, listens on this machine
//! only, and keeps its calendar in memory.

mod adapter;
mod event;
mod event_pages;
mod guard;
mod icalendar;
mod pages;
mod settings_pages;
mod words;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use axum::Router;
use axum::routing::{get, post};
use support::Hook;

use adapter::Calendar;

/// What the webmail is wired to.
#[derive(Debug, Clone)]
pub struct Options {
    /// The hook API, with a secret that is good for the user's domain.
    pub hook: Hook,
    /// The user's address.
    pub account: String,
    /// The simulator's address, to show its calendar page beside the webmail.
    pub beside: Option<String>,
}

/// A running webmail. It stops when it is dropped.
pub struct Webmail {
    address: SocketAddr,
    calendar: Arc<Calendar>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the pages share.
#[derive(Clone)]
struct App {
    calendar: Arc<Calendar>,
    beside: Option<Arc<str>>,
}

impl Webmail {
    /// Starts on a thread of its own, behind a listener on this machine; bound before, so that teams-mirror can be told whose
    /// pages may frame its own.
    ///
    /// # Errors
    /// Where the listener cannot be used or the thread not started.
    pub fn start(listener: TcpListener, options: Options) -> io::Result<Self> {
        let calendar = Calendar::open(options.hook, &options.account);
        let app = App { calendar: Arc::clone(&calendar), beside: options.beside.map(Into::into) };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let listener = runtime.block_on(async { tokio::net::TcpListener::from_std(listener) })?;
        let router = router(app, address.port());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (ready, started) = sync_channel(1);
        let thread = std::thread::Builder::new().name("webmail".to_owned()).spawn(move || {
            let _ = ready.send(());
            runtime.block_on(async move {
                tokio::select! {
                    ended = axum::serve(listener, router) => drop(ended),
                    _ = stopped => {}
                }
            });
            // Pages that wait for teams-mirror must not hold up whoever stops the webmail.
            runtime.shutdown_background();
        })?;
        started.recv().map_err(io::Error::other)?;
        Ok(Self { address, calendar, stop: Some(stop), thread: Some(thread) })
    }

    /// Where browsers reach it: `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Webmail {
    fn drop(&mut self) {
        self.calendar.close();
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn router(app: App, port: u16) -> Router {
    Router::new()
        .route("/", get(pages::calendar))
        .route("/events/new", get(event_pages::new))
        .route("/events/{id}", get(event_pages::show).post(event_pages::act))
        .route("/teams/button", get(event_pages::button))
        .route("/teams/sign-in", get(settings_pages::sign_in))
        .route("/settings", get(settings_pages::settings))
        .route("/settings/language", post(settings_pages::language))
        .route("/settings/teams", get(settings_pages::teams))
        .route("/settings/teams/open", get(settings_pages::open))
        .route("/style.css", get(pages::style))
        .route("/webmail.js", get(pages::script))
        .fallback(pages::nothing)
        .layer(axum::middleware::from_fn(move |request, next| guard::guard(port, request, next)))
        .with_state(app)
}

/// 128 random bits, hexadecimal.
fn random() -> String {
    let mut bytes = [0_u8; 16];
    // Without random numbers the machine cannot run this at all; equal ids would only show the same event twice.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The time.
#[allow(clippy::disallowed_methods, reason = "a sample beside the product, with its own clock")]
fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}
