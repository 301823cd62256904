//! The whole way as a person sees it: a real Chromium, the sample webmail, teams-mirror's pages, and Microsoft's (simulated)
//! sign-in. Each test has a world and a browser profile of its own, and waits for what a page shows, never for time to pass.
//!
//! Needs Chromium and its WebDriver (Debian: `chromium chromium-driver`), and axe-core from npm for what concerns accessibility.
//! Where they are missing the tests say so by name, and fail under `TEAMS_MIRROR_REQUIRE_ALL=1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, where it stands"
)]

mod axe;
mod chromium;
mod relay;
mod webdriver;
mod world;

mod flows;
mod gallery;
mod outages;
mod settings;
mod sign_in;
