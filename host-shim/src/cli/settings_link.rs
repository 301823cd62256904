//! `teams-mirror settings-link ADDRESS`: a one-time link to a user's settings page.

use super::client::segment;
use super::output::{self, Output, instant};
use super::{Context, Failure};
use crate::doors::admin::types::LinkInfo;

/// Print a one-time link to a user's settings page
///
/// Prints a link to the settings page of an account: there its user connects a Microsoft account, sees how it stands, tests,
/// mends and disconnects. It works once and ends after 15 minutes. Usually users find the page in their webmail's settings; this
/// is for trying, and for servers whose webmail does not link to it. Whoever opens it acts for the account, so give it to its
/// user only.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror settings-link alice@example.org
  teams-mirror --json settings-link alice@example.org")]
pub(super) struct SettingsLink {
    /// The account
    #[arg(value_name = "ADDRESS")]
    address: String,
}

impl SettingsLink {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        print(context, &self.address, "settings-link")
    }
}

/// Fetches and prints a one-time link of that kind.
pub(super) fn print(context: &Context, address: &str, kind: &str) -> Result<Output, Failure> {
    let client = context.client()?;
    let link: LinkInfo = client.post(&format!("/accounts/{}/{kind}", segment(address)))?;
    if !client.is_running() {
        output::aside("`serve` is not running; start it before the link is opened.");
    }
    output::aside(&format!("For the user of `{}`, once, until {}:", link.account, instant(link.expires_at)));
    Output::new(&link, format!("{}\n", link.url))
}
