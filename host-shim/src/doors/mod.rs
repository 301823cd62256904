//! Where servers, administrators and users come in.
//!
//! | door | listener | who |
//! | --- | --- | --- |
//! | [`hook`] | Unix socket or loopback, bearer secret per server | the calendar server's adapter |
//! | [`public`] | behind the server's reverse proxy | users' browsers: settings page, sign-in |
//! | [`admin`] | Unix socket of the state folder | the command line |
//! | [`gateway`] | before a CalDAV server, in a process of its own | that server's clients |
//!
//! No route stands on two listeners.

pub mod admin;
pub mod gateway;
pub mod hook;
mod problem;
pub mod public;

pub use problem::Problem;
