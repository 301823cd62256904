//! `teams-mirror disconnect ADDRESS`: ends an account's connection with Microsoft.

use super::client::segment;
use super::output::Output;
use super::{Context, Failure};
use crate::doors::admin::types::Disconnected;

/// End an account's connection with Microsoft
///
/// Ends an account's connection with Microsoft: its tokens are wiped at once. What stands in its Teams calendar stays there,
/// and its links stay in the server's events. Saves are recorded; when the user signs in again they go through.
///
/// With `--remove-events` the events that are still to come are taken out of the Teams calendar first, and the tokens are wiped
/// when that is done, after a day at the latest. Over a connection that is dead already nothing can be taken out.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror disconnect alice@example.org
  teams-mirror disconnect alice@example.org --remove-events")]
pub(super) struct Disconnect {
    /// The account
    #[arg(value_name = "ADDRESS")]
    address: String,

    /// Take events to come out of the Teams calendar first
    #[arg(long)]
    remove_events: bool,
}

impl Disconnect {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let client = context.client()?;
        if self.remove_events && !client.is_running() {
            return Err(Failure(
                "`serve` is not running, so no event can be taken out of Teams; start it first".into(),
            ));
        }
        let events = if self.remove_events { "?events=remove" } else { "" };
        let done: Disconnected = client.post(&format!("/accounts/{}/disconnect{events}", segment(&self.address)))?;
        let text = match &done.microsoft_account {
            Some(microsoft) if done.leaving => format!(
                "Events of `{}` are being taken out of the calendar of `{microsoft}`; then its tokens are wiped.\n",
                done.account
            ),
            Some(microsoft) => {
                format!("`{}` is no longer connected with `{microsoft}`; its tokens are wiped.\n", done.account)
            }
            None => format!("`{}` was not connected with Microsoft.\n", done.account),
        };
        Output::new(&done, text)
    }
}
