//! The whole way, with the real binary, the real component and the real store against the simulator.
//!
//! Each test has a world of its own: a simulator, a state folder, a `teams-mirror serve` that was installed by the commands
//! an administrator would use, and a user who signed in through Microsoft's (simulated) pages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, where it stands"
)]

mod world;

mod accounts;
mod beats;
mod calendars;
mod canaries;
mod content;
mod drafts;
mod guests;
mod input;
mod leaving;
mod links;
mod mailboxes;
mod outages;
mod restarts;
mod saves;
mod series;
mod settings;
mod sign_in;
mod tokens;
mod watching;
mod which;
