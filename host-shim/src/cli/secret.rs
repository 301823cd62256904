//! `teams-mirror secret …`: which servers may call the hook API.

use axum::http::Method;

use super::client::segment;
use super::output::{self, Output, instant};
use super::{Context, Failure};
use crate::doors::admin::types::{Done, FreshSecret, NewSecret, SecretInfo};

/// Give servers the right to call the hook API, and take it away
///
/// A calendar server's adapter calls the hook API with a secret of its own, which is limited to domains. Only a digest of
/// it is kept, so it is shown once. To replace one without a gap, add a second under another name, give it to the adapter,
/// and remove the first.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_long_help = "\
Examples:
  teams-mirror secret add radicale --domain example.org
  teams-mirror secret list
  teams-mirror secret remove radicale"
)]
pub(super) struct Secret {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a secret, and show it this once
    ///
    /// Makes a secret for a server and prints it, this once: the secret alone on standard output, so that it can be sent into
    /// a file.
    #[command(after_long_help = "\
Examples:
  teams-mirror secret add radicale --domain example.org
  teams-mirror secret add cyrus --domain a.example --domain b.example >secret.new &&
      install -m 640 -g cyrus secret.new /etc/cyrus/teams-mirror-secret && rm secret.new")]
    Add {
        /// A name for it, usually the server's
        #[arg(value_name = "NAME")]
        name: String,
        /// A domain the server may speak for; can be given several times; all domains where absent
        #[arg(long = "domain", value_name = "DOMAIN")]
        domains: Vec<String>,
    },
    /// List the secrets' names and domains
    ///
    /// Lists the names and domains of the secrets; a secret itself cannot be shown again.
    #[command(after_long_help = "Examples:\n  teams-mirror secret list\n  teams-mirror --json secret list")]
    List,
    /// Remove a secret, which ends that server's right at once
    ///
    /// Removes a secret. A server that uses it is refused from now on; its adapter keeps its saves and sends them later.
    #[command(after_long_help = "Example:\n  teams-mirror secret remove radicale")]
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

impl Secret {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let client = context.client()?;
        match self.command {
            Command::Add { name, domains } => {
                let fresh: FreshSecret = client.call(Method::POST, "/secrets", &NewSecret { name, domains })?;
                // The sentence goes elsewhere, so that the secret alone can be sent into a file.
                output::aside(&format!(
                    "The hook secret `{}` for {}; it is shown this once:",
                    fresh.name,
                    whom(&fresh.domains)
                ));
                Output::new(&fresh, format!("{}\n", fresh.secret))
            }
            Command::List => {
                let secrets: Vec<SecretInfo> = client.get("/secrets")?;
                let rows: Vec<Vec<String>> =
                    secrets.iter().map(|s| vec![s.name.clone(), instant(s.created_at), whom(&s.domains)]).collect();
                let text = if secrets.is_empty() {
                    "No server may call the hook API; `teams-mirror secret add NAME --domain DOMAIN` makes a secret for one.\n"
                        .to_owned()
                } else {
                    output::table(&["NAME", "MADE", "MAY SPEAK FOR"], &rows)
                };
                Output::new(&secrets, text)
            }
            Command::Remove { name } => {
                let done: Done = client.call(Method::DELETE, &format!("/secrets/{}", segment(&name)), &())?;
                Output::new(&done, format!("The hook secret `{}` is removed; whoever uses it is refused.\n", done.name))
            }
        }
    }
}

/// For whom it speaks.
pub(super) fn whom(domains: &[String]) -> String {
    if domains.is_empty() { "all domains".into() } else { format!("`{}`", domains.join("`, `")) }
}
