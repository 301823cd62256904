//! A simulator that runs inside the calling process.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::directory::{App, User};
use crate::faults::{Fault, Service};
use crate::front::Shared;
use crate::listener::{self, Command, Port};
use crate::records::{Mail, PageShown, RequestRecord, Violation};
use crate::side;
use crate::switches::Switches;
use crate::world::World;

/// A running simulator. It stops when it is dropped.
///
/// ```
/// let sim = graph_sim::Simulator::start(([127, 0, 0, 1], 0).into())?;
/// println!("Graph is at {}/v1.0", sim.base_url());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Simulator {
    shared: Shared,
    address: SocketAddr,
    commands: UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Simulator {
    /// Starts on a thread of its own with a seed of chance; port 0 takes a free one. May be called inside and outside
    /// of async code.
    ///
    /// # Errors
    /// Where the address cannot be bound or the thread not started.
    pub fn start(listen: SocketAddr) -> io::Result<Self> {
        let seed = getrandom::u64().map_err(io::Error::other)?;
        Self::start_seeded(listen, seed)
    }

    /// Starts with a seed: equal requests in equal order then get equal ids, tokens and lifetimes.
    ///
    /// # Errors
    /// Where the address cannot be bound or the thread not started.
    pub fn start_seeded(listen: SocketAddr, seed: u64) -> io::Result<Self> {
        let shared = Shared::new(World::new(seed));
        let router = side::router(shared.clone());
        let (commands, inbox) = unbounded_channel();
        let (ready, started) = sync_channel(1);
        let thread = std::thread::Builder::new().name("graph-sim".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            runtime.block_on(async move {
                match Port::open(listen) {
                    Ok(port) => {
                        let _ = ready.send(Ok(port.address()));
                        listener::run(port, router, inbox).await;
                    }
                    Err(error) => {
                        let _ = ready.send(Err(error));
                    }
                }
            });
            // Requests that wait out a delay must not hold up whoever stops the simulator.
            runtime.shutdown_background();
        })?;
        let address = started.recv().map_err(io::Error::other)??;
        Ok(Self { shared, address, commands, thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Microsoft goes down: every connection is cut and new ones are refused, until [`Simulator::resume`]. What it
    /// holds is kept, and so is the port.
    ///
    /// # Errors
    /// Where the simulator has stopped.
    pub fn pause(&self) -> io::Result<()> {
        self.command(Command::Pause)
    }

    /// Listens again on the same port.
    ///
    /// # Errors
    /// Where it cannot.
    pub fn resume(&self) -> io::Result<()> {
        self.command(Command::Resume)
    }

    fn command(&self, command: impl FnOnce(std::sync::mpsc::SyncSender<io::Result<()>>) -> Command) -> io::Result<()> {
        let (done, answer) = sync_channel(1);
        self.commands.send(command(done)).map_err(|_| io::Error::other("the simulator has stopped"))?;
        answer.recv().map_err(io::Error::other)?
    }

    /// Stops for good, as dropping it does.
    pub fn stop(self) {}

    /// Everything as at the start.
    pub fn reset(&self) {
        self.shared.lock().reset();
    }

    /// Every request that reached a simulated service, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.lock().requests.iter().cloned().collect()
    }

    /// Those that reached one of them.
    #[must_use]
    pub fn requests_to(&self, service: Service) -> Vec<RequestRecord> {
        self.shared.lock().requests.iter().filter(|r| r.service == service).cloned().collect()
    }

    /// Forgets the requests seen so far.
    pub fn clear_requests(&self) {
        self.shared.lock().requests.clear();
    }

    /// What a well-behaved client would not have done.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.lock().violations.clone()
    }

    /// The mails Microsoft would have sent.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.lock().mails.clone()
    }

    /// The pages people have been shown.
    #[must_use]
    pub fn pages(&self) -> Vec<PageShown> {
        self.shared.lock().pages.clone()
    }

    /// A mailbox's events as they are kept, extended properties included; see `GET /sim/mailboxes/{address}/events`.
    #[must_use]
    pub fn events(&self, address: &str) -> Vec<Value> {
        side::mailboxes::raw_events(&self.shared.lock(), address)
    }

    /// What a mailbox's calendar shows in a window, in order of time, series as their occurrences; see
    /// `GET /sim/mailboxes/{address}/calendar`.
    #[must_use]
    pub fn calendar(&self, address: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Value> {
        side::mailboxes::expanded(&self.shared.lock(), address, from, to)
    }

    /// Adds to the queue of faults.
    pub fn fault(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    /// Empties the queue of faults.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// How many faults are still to come.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.shared.lock().faults.len()
    }

    /// The switches as they are.
    #[must_use]
    pub fn current_switches(&self) -> Switches {
        self.shared.lock().switches.clone()
    }

    /// Changes switches.
    pub fn switches(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.shared.lock().switches);
    }

    /// What time it is there.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.lock().now()
    }

    /// Moves the simulator's clock on.
    pub fn advance(&self, by: TimeDelta) {
        self.shared.lock().clock.advance(by);
    }

    /// Adds a redirect address to the application that is there from the start.
    pub fn add_redirect_uri(&self, uri: &str) {
        self.edit_app(crate::directory::CLIENT_ID, |app| app.redirect_uris.push(uri.to_owned()));
    }

    /// Changes an application; nothing where there is none of that client id.
    pub fn edit_app(&self, client_id: &str, change: impl FnOnce(&mut App)) {
        if let Some(app) = self.shared.lock().apps.get_mut(client_id) {
            change(app);
        }
    }

    /// Changes a user; nothing where there is none of that address.
    pub fn edit_user(&self, address: &str, change: impl FnOnce(&mut User)) {
        if let Some(user) = self.shared.lock().users.get_mut(&address.to_lowercase()) {
            change(user);
        }
    }

    /// Adds a user with an empty mailbox.
    pub fn add_user(&self, user: User) {
        self.shared.lock().add_user(user);
    }

    /// Revokes every token of a user (AADSTS50173).
    pub fn revoke(&self, address: &str) {
        side::users::revoke(&mut self.shared.lock(), address);
    }

    /// Lets a user's access tokens expire.
    pub fn expire_access_tokens(&self, address: &str) {
        side::users::expire_access_tokens(&mut self.shared.lock(), address);
    }

    /// The user changes an event in Outlook: a PATCH, by the event's default or immutable id. Answers the event.
    ///
    /// # Errors
    /// Graph's error code and message.
    pub fn edit_in_outlook(&self, address: &str, id: &str, change: &Map<String, Value>) -> Result<Value, String> {
        side::mailboxes::edit(&mut self.shared.lock(), address, id, change)
            .map_err(|error| format!("{}: {}", error.code, error.message))
    }

    /// The user deletes an event in Outlook.
    ///
    /// # Errors
    /// Graph's error code and message.
    pub fn delete_in_outlook(&self, address: &str, id: &str) -> Result<(), String> {
        side::mailboxes::delete(&mut self.shared.lock(), address, id)
            .map_err(|error| format!("{}: {}", error.code, error.message))
    }

    /// Issues tokens without a sign-in, with the given scopes consented to: `{"access_token": …, "refresh_token": …}`.
    /// `null` where there is no such user.
    #[must_use]
    pub fn tokens(&self, address: &str, scopes: &str) -> Value {
        let base = self.base_url();
        side::users::tokens(&mut self.shared.lock(), address, crate::directory::CLIENT_ID, scopes, &base)
            .unwrap_or(json!(null))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
