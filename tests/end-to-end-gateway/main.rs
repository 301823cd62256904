//! The CalDAV gateway, from outside.
//!
//! What concerns the way of octets (`transport_*`) runs against a server that is written here line by line, so that a test can say
//! what it sends, what it waits for, and when it dies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, where it stands"
)]

mod in_process;
mod wire;

mod transport;
mod transport_check;
mod transport_failures;
mod transport_headers;
mod transport_streams;
mod transport_tls;
