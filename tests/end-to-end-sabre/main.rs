//! sabre/dav as Debian packages it, with the plugin, the real `teams-mirror` and the simulator: what users' clients do, and what
//! stands in Teams and in sabre's database afterwards.
//!
//! Every test runs twice: with sabre/dav 1.8 as it is, and with a thin layer over it that behaves towards a plugin as sabre/dav 4
//! does (`php/ModernServer.php`), because no package brings that one.
//!
//! The suite needs PHP and sabre/dav (Debian: `apt install php-cli php-curl php-sqlite3 php-sabre-dav`). Where they are missing,
//! each test says so and is skipped; with `TEAMS_MIRROR_REQUIRE_ALL=1` it fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, where it stands"
)]

mod sabre;
#[path = "../end-to-end/world.rs"]
#[allow(dead_code, reason = "the other suite uses more of it")]
mod world;

mod calendars;
mod mishaps;
mod pages;
mod saves;
