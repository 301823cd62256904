//! The gateway, from outside: what clients are answered, what stands on the server, in Teams and in the guests' mail afterwards.
//!
//! What concerns the way of octets (`transport_*`) runs against a server that is written here line by line, so that a test can say
//! what it sends, what it waits for, and when it dies. Everything else runs before the calendar servers people run. These come
//! from package registries: Python's index, and Debian's packages, which are unpacked and not installed. Where one cannot be had,
//! each test that needs it says so and is skipped; with `TEAMS_MIRROR_REQUIRE_ALL=1` it fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, where it stands"
)]

#[path = "../end-to-end-radicale/python.rs"]
#[allow(dead_code, reason = "the other suite uses more of it")]
mod python;
#[path = "../end-to-end-radicale/radicale.rs"]
#[allow(dead_code, reason = "the other suite uses more of it")]
mod radicale;
#[path = "../end-to-end/world.rs"]
#[allow(dead_code, reason = "the other suite uses more of it")]
mod world;

mod in_process;
mod wire;

mod transport;
mod transport_check;
mod transport_failures;
mod transport_headers;
mod transport_streams;
mod transport_tls;

mod client;
mod gateway;
mod servers;

mod matrix;
mod watch;
