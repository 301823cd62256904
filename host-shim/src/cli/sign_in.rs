//! `teams-mirror sign-in ADDRESS`: a one-time link straight to Microsoft's sign-in.

use super::output::Output;
use super::{Context, Failure, settings_link};

/// Print a one-time link straight to a user's sign-in at Microsoft
///
/// Prints a link with which the user of an account signs in at Microsoft, once, in their own browser, without seeing the settings
/// page first; it ends after 15 minutes. `settings-link` prints one to that page. Whoever opens it can connect *their* Microsoft
/// account with this calendar, so give it to its user only.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror sign-in alice@example.org
  teams-mirror --json sign-in alice@example.org")]
pub(super) struct SignIn {
    /// The account
    #[arg(value_name = "ADDRESS")]
    address: String,
}

impl SignIn {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        settings_link::print(context, &self.address, "sign-in-link")
    }
}
