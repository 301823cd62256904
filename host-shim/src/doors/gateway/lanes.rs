//! Threads that carry a connection from its beginning to its end.
//!
//! A request on its way through waits for two sockets in turn and does next to nothing in between. Where one thread hears of a
//! socket and another goes on, as in a pool of threads, waking that other costs as much as the work. So every connection belongs
//! to one thread, with the connections to the server that its requests use.

use std::cell::Cell;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::listen::Place;

thread_local! {
    /// 0: a thread that is no lane.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// The number of the lane this is called on, from 1 on; 0 elsewhere.
pub(super) fn current() -> usize {
    CURRENT.get()
}

/// How many lanes there are: as many as the machine has processors for this process.
pub(super) fn count() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// All lanes.
pub(super) struct Lanes(Vec<Lane>);

struct Lane {
    runtime: Handle,
    /// As many more as there are connections.
    load: Arc<()>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Lanes {
    /// Starts them.
    ///
    /// # Errors
    /// Where the machine gives no threads.
    pub(super) fn start() -> io::Result<Self> {
        (1..=count()).map(Lane::start).collect::<io::Result<_>>().map(Self)
    }

    /// The lane with the fewest connections.
    pub(super) fn place(&self) -> Option<Place> {
        let lane = self.0.iter().min_by_key(|lane| Arc::strong_count(&lane.load))?;
        Some(Place { runtime: lane.runtime.clone(), load: Arc::clone(&lane.load) })
    }

    /// Stops them; what is on them yet is given up.
    pub(super) fn stop(self) {
        for lane in self.0 {
            let _ = lane.stop.send(());
            let _ = lane.thread.join();
        }
    }
}

impl Lane {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name(format!("lane {number}")).spawn(move || {
            CURRENT.set(number);
            // An error means that whoever could tell is gone, which tells the same.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_timeout(std::time::Duration::from_millis(100));
        })?;
        Ok(Self { runtime: handle, load: Arc::default(), stop, thread })
    }
}
