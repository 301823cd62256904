//! The gateway. What concerns the way of octets (`transport_*`) runs against a server that is written here line by line, so that a
//! test can say what it sends, what it waits for, and when it dies, with methods that the gateway asks nothing about. The rest runs
//! before the calendar servers people use: what clients are answered, and what stands on the server, in Teams and in the guests'
//! mail afterwards.
//!
//! These servers come from package registries: Python's index, and Debian's packages, which are unpacked and not installed. Where
//! one cannot be had, each test that needs it says so and is skipped; with `TEAMS_MIRROR_REQUIRE_ALL=1` it fails.

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

mod client;
mod gateway;
mod in_process;
mod random;
mod servers;
mod wire;

mod alone;
mod clients;
mod editing;
mod invitations;
mod late;
mod matrix;
mod mishaps;
mod page;
mod relay;
mod saves;
mod transport;
mod transport_check;
mod transport_failures;
mod transport_headers;
mod transport_streams;
mod transport_tls;
