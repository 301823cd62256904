//! Radicale as it is installed from PyPI, the adapter, the real `teams-mirror` and the simulator: what users' clients do, and
//! what stands in Teams and in Radicale afterwards.
//!
//! The suite makes virtual environments under the target directory, which needs Python with `venv` and its package index. Where
//! that cannot be, each test says so and is skipped; with `TEAMS_MIRROR_REQUIRE_ALL=1` it fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, where it stands"
)]

mod python;
mod radicale;
#[path = "../end-to-end/world.rs"]
#[allow(dead_code, reason = "the other suite uses more of it")]
mod world;

mod calendars;
mod clients;
mod conformance;
mod crowds;
mod mishaps;
mod saves;
mod starts;
mod unit;
mod versions;
