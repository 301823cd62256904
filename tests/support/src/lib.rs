//! What the demo, the soak and the end-to-end suites share.
//!
//! - [`Browser`]: a person at the settings page and at Microsoft's, without JavaScript.
//! - [`Hook`]: the hook API, as an adapter calls it.
//! - [`Server`]: a calendar server in miniature, with an adapter that does what the API's description asks for.
//! - [`shim`]: the shim inside this process, wired to a simulator.
//! - [`event`]: iCalendar texts as clients write them.

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

/// An agent that shows every status and follows nothing.
pub(crate) fn agent(longest_call: std::time::Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(longest_call))
        .build()
        .into()
}
