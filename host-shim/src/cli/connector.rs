//! `teams-mirror connector …`: the registration with Microsoft.

use std::path::PathBuf;

use axum::http::Method;

use super::client::segment;
use super::output::{self, Output, yes};
use super::{Context, Failure, prompt};
use crate::accounts::connectors::PREDEFINED;
use crate::doors::admin::types::{ConnectorChange, ConnectorInfo};

const EXAMPLES: &str = "\
Examples:
  teams-mirror connector show
  teams-mirror connector set --client-id 00000000-0000-0000-0000-000000000000 \\
      --account-type organizations --secret-prompt
  teams-mirror connector enable";

/// Look at and change the registration with Microsoft
///
/// A connector holds what one registration of an application at Microsoft is made of: endpoints, client id, client secret,
/// scopes. `init` made one, `teams`, switched off and filled in but for id and secret; where a command names none, it means
/// that one. Registration and connector can be made in either order: `connector show` tells the redirect address that
/// Microsoft asks for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) struct Connector {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the connectors
    ///
    /// Lists the connectors, and whether each works as far as can be seen from here.
    #[command(after_long_help = "Examples:\n  teams-mirror connector list\n  teams-mirror --json connector list")]
    List,
    /// Show a connector, and what is missing
    ///
    /// Shows a connector, what it lacks, and the redirect address to register with Microsoft. The client secret is never
    /// shown, only whether there is one.
    #[command(after_long_help = "Examples:\n  teams-mirror connector show\n  teams-mirror connector show teams")]
    Show(Name),
    Set(Box<Set>),
    /// Switch a connector on
    ///
    /// Switches a connector on, where nothing is missing. From then on users who may can sign in; events that had waited go
    /// on.
    #[command(after_long_help = "Examples:\n  teams-mirror connector enable\n  teams-mirror connector enable teams")]
    Enable(Name),
    /// Switch a connector off
    ///
    /// Switches a connector off. Nothing is sent through it any more, and the button of its users disappears. Their
    /// connections stay; saves of mirrored events are recorded and go through when it is switched on again.
    #[command(after_long_help = "Examples:\n  teams-mirror connector disable\n  teams-mirror connector disable teams")]
    Disable(Name),
}

#[derive(Debug, clap::Args)]
struct Name {
    /// The connector's name
    #[arg(value_name = "NAME", default_value = PREDEFINED)]
    name: String,
}

const SET_EXAMPLES: &str = "\
Examples:
  teams-mirror connector set --client-id 00000000-0000-0000-0000-000000000000 --secret-prompt
  teams-mirror connector set --account-type organizations
  teams-mirror connector set --secret-file /run/credentials/teams-secret
  pass show teams | teams-mirror connector set --secret-stdin
  teams-mirror connector set --proxy http://proxy.example.org:3128
  teams-mirror connector set --authorize-url http://127.0.0.1:7500/common/oauth2/v2.0/authorize \\
      --token-url http://127.0.0.1:7500/common/oauth2/v2.0/token \\
      --graph-url http://127.0.0.1:7500/v1.0
                                     leads it to a simulator on this machine

Account types, as the registration's page at Microsoft calls them:
  organizations    accounts in any organizational directory
  TENANT           accounts in this organizational directory only: its tenant id or domain
  common           any organizational directory, and personal Microsoft accounts
  consumers        personal Microsoft accounts only";

/// Change a connector: id, secret, endpoints, scopes, way out
///
/// Changes a connector; what is not named stays. A changed credential or endpoint is tried at once by events that had waited
/// for it. The client secret is given by a file, a pipe or typed unseen, never on the command line, which every user of the
/// machine can read; it can be replaced and is never shown again. Take the secret's *Value* from Microsoft's page and not its
/// *Secret ID*.
#[derive(Debug, clap::Args)]
#[command(after_long_help = SET_EXAMPLES)]
struct Set {
    #[command(flatten)]
    name: Name,

    /// The registration's “Application (client) ID”
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Read the client secret from a file
    #[arg(long, value_name = "FILE", group = "secret")]
    secret_file: Option<PathBuf>,

    /// Read the client secret from standard input
    #[arg(long, group = "secret")]
    secret_stdin: bool,

    /// Ask for the client secret, unseen
    #[arg(long, group = "secret")]
    secret_prompt: bool,

    /// Who may sign in: common, organizations, consumers, or a tenant; writes both endpoints
    #[arg(long, value_name = "TYPE", conflicts_with_all = ["authorize_url", "token_url"])]
    account_type: Option<String>,

    /// The authorization endpoint
    #[arg(long, value_name = "URL")]
    authorize_url: Option<String>,

    /// The token endpoint
    #[arg(long, value_name = "URL")]
    token_url: Option<String>,

    /// The address of Microsoft Graph
    #[arg(long, value_name = "URL")]
    graph_url: Option<String>,

    /// The redirect address, where it is not the usual one under `public_url`; empty for the usual one
    #[arg(long, value_name = "URL")]
    redirect_url: Option<String>,

    /// The scopes, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    scopes: Option<String>,

    /// Reach Microsoft through this proxy, `http://host:port`
    #[arg(long, value_name = "URL", conflicts_with = "no_proxy")]
    proxy: Option<String>,

    /// Reach Microsoft directly
    #[arg(long)]
    no_proxy: bool,

    /// Trust these certificate authorities as well, a PEM file (for a proxy that looks into the traffic)
    #[arg(long, value_name = "FILE", conflicts_with = "no_ca_file")]
    ca_file: Option<PathBuf>,

    /// Trust the usual certificate authorities only
    #[arg(long)]
    no_ca_file: bool,
}

impl Connector {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        match self.command {
            Command::List => list(context),
            Command::Show(name) => {
                let connector: ConnectorInfo = context.client()?.get(&path(&name, ""))?;
                Output::new(&connector, shown(&connector))
            }
            Command::Set(set) => set.run(context),
            Command::Enable(name) => switch(context, &name, "/enable"),
            Command::Disable(name) => switch(context, &name, "/disable"),
        }
    }
}

fn path(name: &Name, what: &str) -> String {
    format!("/connectors/{}{what}", segment(&name.name))
}

fn list(context: &Context) -> Result<Output, Failure> {
    let connectors: Vec<ConnectorInfo> = context.client()?.get("/connectors")?;
    let rows: Vec<Vec<String>> = connectors
        .iter()
        .map(|c| vec![c.name.clone(), state(c), c.account_type.clone().unwrap_or_else(|| c.authorize_url.clone())])
        .collect();
    Output::new(&connectors, output::table(&["NAME", "STATE", "ACCOUNTS"], &rows))
}

fn switch(context: &Context, name: &Name, what: &str) -> Result<Output, Failure> {
    let connector: ConnectorInfo = context.client()?.post(&path(name, what))?;
    let text = if connector.enabled {
        format!("The connector `{}` is switched on.\n", connector.name)
    } else {
        format!(
            "The connector `{}` is switched off: nothing is sent through it, and its users' button is hidden.\n",
            connector.name
        )
    };
    Output::new(&connector, text)
}

impl Set {
    fn run(self, context: &Context) -> Result<Output, Failure> {
        let name = Name { name: self.name.name.clone() };
        let told_secret = self.secret_file.is_some() || self.secret_stdin || self.secret_prompt;
        let ca_file = self.ca_file.as_deref().map(std::path::absolute).transpose()?;
        // Whoever is asked for a secret should not learn afterwards that nobody could have taken it.
        let client = context.client()?;
        let mut change = ConnectorChange {
            client_id: self.client_id,
            secret: None,
            account_type: self.account_type,
            authorize_url: self.authorize_url,
            token_url: self.token_url,
            services: self.graph_url.map(|url| ("graph".to_owned(), url)).into_iter().collect(),
            redirect_url: self.redirect_url,
            scopes: self.scopes,
            proxy: given(self.proxy, self.no_proxy),
            ca_file: given(ca_file.map(|path| path.display().to_string()), self.no_ca_file),
        };
        if !told_secret && serde_json::to_value(&change)? == serde_json::json!({}) {
            return Err(Failure(
                "there is nothing to change; name at least one option, `teams-mirror connector set --help` tells them"
                    .into(),
            ));
        }
        change.secret = match &self.secret_file {
            Some(file) => Some(prompt::from_file(file)?),
            None if self.secret_stdin => Some(prompt::from_stdin()?),
            None if self.secret_prompt => Some(prompt::ask(&format!("client secret of `{}`", name.name))?),
            None => None,
        };
        let connector: ConnectorInfo = client.call(Method::PATCH, &path(&name, ""), &change)?;
        Output::new(&connector, shown(&connector))
    }
}

/// Set, cleared, or left as it is.
fn given(value: Option<String>, clear: bool) -> Option<Option<String>> {
    if clear { Some(None) } else { value.map(Some) }
}

/// A connector's state in a few words.
pub(super) fn state(connector: &ConnectorInfo) -> String {
    let mut words = vec![if connector.enabled { "on" } else { "switched off" }.to_owned()];
    if !connector.missing.is_empty() {
        words.push("incomplete".to_owned());
    }
    if let Some(code) = &connector.dead {
        words.push(format!("refused by Microsoft ({code})"));
    }
    if connector.test_endpoint {
        words.push("test endpoint".to_owned());
    }
    words.join(", ")
}

fn shown(connector: &ConnectorInfo) -> String {
    let or = |value: &Option<String>, without: &str| value.clone().unwrap_or_else(|| without.to_owned());
    let mut pairs = vec![
        ("client id", or(&connector.client_id, "not set")),
        ("client secret", if connector.has_secret { "set; it is never shown" } else { "not set" }.into()),
        ("accounts", connector.account_type.as_deref().map_or_else(|| "as the endpoints say".into(), account_type)),
        ("authorization", connector.authorize_url.clone()),
        ("token", connector.token_url.clone()),
    ];
    pairs.extend(connector.services.iter().map(|(name, base)| (name.as_str(), base.clone())));
    pairs.extend([
        ("redirect address", format!("{} (register it with Microsoft, platform Web)", connector.redirect_url)),
        ("scopes", connector.scopes.clone()),
        ("proxy", or(&connector.proxy, "none")),
        ("own CA file", or(&connector.ca_file, "none")),
        ("test endpoint", yes(connector.test_endpoint).into()),
    ]);
    let mut text = format!("The connector `{}` is {}.\n\n{}", connector.name, state(connector), output::fields(&pairs));
    if !connector.missing.is_empty() {
        text.push_str("\nMissing:\n");
        text.push_str(&output::numbered(&connector.missing));
        let name = &connector.name;
        text.push_str(&format!(
            "\n`teams-mirror connector set {name} --client-id ID --secret-prompt` enters id and secret.\n"
        ));
    }
    if let Some(message) = connector.dead_message.as_ref().or(connector.dead.as_ref()) {
        text.push_str("\nMicrosoft refuses it:\n");
        text.push_str(&output::paragraph(2, message));
    }
    if !connector.enabled && connector.missing.is_empty() {
        text.push_str(&format!("\n`teams-mirror connector enable {}` switches it on.\n", connector.name));
    }
    text
}

fn account_type(name: &str) -> String {
    match name {
        "common" => "any organisation and personal accounts (`common`)".into(),
        "organizations" => "any organisation (`organizations`)".into(),
        "consumers" => "personal accounts only (`consumers`)".into(),
        tenant => format!("one organisation (`{tenant}`)"),
    }
}
