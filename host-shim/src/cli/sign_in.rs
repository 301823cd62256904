//! `teams-mirror sign-in ADDRESS`: a one-time link for a user.

use super::client::segment;
use super::output::{self, Output, instant};
use super::{Context, Failure};
use crate::doors::admin::types::LinkInfo;

/// Print a one-time link with which a user signs in at Microsoft
///
/// Prints a link with which the user of an account signs in at Microsoft, once, in their own browser; it ends after 15 minutes. Usually
/// users find it in their webmail's settings; this is for trying, and for servers without such a page. Whoever opens it
/// connects *their* Microsoft account with this calendar, so give it to its user only.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "settings-link",
    after_long_help = "\
Examples:
  teams-mirror sign-in alice@example.org
  teams-mirror --json sign-in alice@example.org"
)]
pub(super) struct SignIn {
    /// The account
    #[arg(value_name = "ADDRESS")]
    address: String,
}

impl SignIn {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let client = context.client()?;
        let link: LinkInfo = client.post(&format!("/accounts/{}/sign-in-link", segment(&self.address)))?;
        if !client.is_running() {
            output::aside("`serve` is not running; start it before the link is opened.");
        }
        output::aside(&format!("For the user of `{}`, once, until {}:", link.account, instant(link.expires_at)));
        Output::new(&link, format!("{}\n", link.url))
    }
}
