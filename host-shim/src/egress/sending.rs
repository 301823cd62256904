//! Knowing whether a request left: the only certain sign is that its first octet was handed to the connection.

use std::cell::Cell;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport};

thread_local! {
    /// ureq works on the calling thread from beginning to end.
    static LEFT: Cell<bool> = const { Cell::new(false) };
}

/// Runs a request; gives its outcome and whether any of it was handed to a connection.
pub(super) fn watched<T>(run: impl FnOnce() -> T) -> (T, bool) {
    LEFT.set(false);
    let outcome = run();
    (outcome, LEFT.get())
}

/// The connector that watches: connecting, proxies and TLS handshakes happen beneath it and do not count.
pub(super) fn connector() -> impl Connector<(), Out = Watched> {
    DefaultConnector::new().chain(Watching)
}

#[derive(Debug)]
struct Watching;

impl Connector<Box<dyn Transport>> for Watching {
    type Out = Watched;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<Box<dyn Transport>>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(Watched))
    }
}

/// A connection that notes when something is sent on it.
#[derive(Debug)]
pub(super) struct Watched(Box<dyn Transport>);

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        LEFT.set(true);
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
