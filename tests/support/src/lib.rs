//! What the demo, the soak and the end-to-end suites share.
//!
//! - [`Browser`]: a person at the settings page and at Microsoft's, without JavaScript.
//! - [`Hook`]: the hook API, as an adapter calls it.
//! - [`Server`]: a calendar server in miniature, with an adapter that does what the API's description asks for.
//! - [`shim`]: the shim inside this process, wired to a simulator.
//! - [`event`]: iCalendar texts as clients write them.

use std::time::Duration;

mod browser;
pub mod event;
mod hook;
mod html;
mod raw;
mod server;
pub mod shim;

pub use browser::{Browser, Page};
pub use hook::{Answer, Hook, Put};
pub use raw::{first_cookie, head};
pub use server::Server;

/// Longer than any call the API's description allows for.
pub(crate) const LONGEST_CALL: Duration = Duration::from_secs(90);

/// An agent that shows every status and follows nothing.
pub(crate) fn agent() -> ureq::Agent {
    agent_within(LONGEST_CALL)
}

/// The same, but a call that takes longer fails.
pub(crate) fn agent_within(longest_call: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(longest_call))
        .build()
        .into()
}
