//! `teams-mirror disconnect ADDRESS`: ends an account's connection with Microsoft.

use super::client::segment;
use super::output::Output;
use super::{Context, Failure};
use crate::doors::admin::types::Disconnected;

/// End an account's connection with Microsoft
///
/// Ends an account's connection with Microsoft: its tokens are wiped at once. What stands in its Teams calendar stays there,
/// and its links stay in the server's events. Saves are recorded; when the user signs in again they go through.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  teams-mirror disconnect alice@example.org")]
pub(super) struct Disconnect {
    /// The account
    #[arg(value_name = "ADDRESS")]
    address: String,
}

impl Disconnect {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let done: Disconnected = context.client()?.post(&format!("/accounts/{}/disconnect", segment(&self.address)))?;
        let text = match &done.microsoft_account {
            Some(microsoft) => {
                format!("`{}` is no longer connected with `{microsoft}`; its tokens are wiped.\n", done.account)
            }
            None => format!("`{}` was not connected with Microsoft.\n", done.account),
        };
        Output::new(&done, text)
    }
}
