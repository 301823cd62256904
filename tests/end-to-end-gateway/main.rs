//! The gateway, before a small upstream of the tests' own and before the calendar servers people run: what clients are answered,
//! what stands on the server, in Teams and in the guests' mail afterwards.
//!
//! The servers come from package registries: Python's index, and Debian's packages, which are unpacked and not installed. Where
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
mod matrix;
mod servers;
mod watch;
