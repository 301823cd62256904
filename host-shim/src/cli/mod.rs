//! The commands of `teams-mirror`, one file each.
//!
//! Every command but `init`, `serve` and `gateway` is one or two requests to the admin door and a text made of the answers. The door
//! is reached through the admin socket of a running `serve`; only when none runs is it opened in this process, over the
//! same store and under the same lock ([`client`]).
//!
//! Answers go to standard output, as text for people or with `--json` as the door gave them; errors go to standard error.
//! Exit codes: 0 it was done, 1 it was not, 2 the command line was wrong.

mod client;
mod connector;
mod disconnect;
mod events;
mod gateway;
mod init;
mod notify;
mod output;
mod policy;
mod process;
mod prompt;
mod scope;
mod secret;
mod serve;
mod settings;
mod settings_link;
mod sign_in;
mod status;

#[cfg(test)]
pub(crate) mod tests;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use client::Client;
use output::Output;

use crate::config::{Config, DEFAULT_PATH};

const FIRST_INSTALLATION: &str = "\
The usual order of a first installation:

  teams-mirror init --public-url https://mail.example.org/teams --domain example.org
                                     makes state folder, configuration, keys, store
  teams-mirror serve                 runs it; best under a service manager
  teams-mirror connector show        tells the redirect address to register with Microsoft
  teams-mirror connector set --client-id ID --account-type organizations --secret-prompt
                                     enters the registration's id and secret
  teams-mirror connector enable      switches the connector on
  teams-mirror enable --domain example.org
                                     lets the users of a domain use it
  teams-mirror status                says what is still missing

Examples:
  teams-mirror status alice@example.org
  teams-mirror events list --state pending
  teams-mirror connector set --help";

/// Mirrors the events of a calendar server into its users' Microsoft Teams calendars.
#[derive(Debug, Parser)]
#[command(
    name = "teams-mirror",
    bin_name = "teams-mirror",
    version,
    about = "Mirrors a calendar server's events into its users' Microsoft Teams calendars",
    long_about = "Mirrors a calendar server's events into its users' Microsoft Teams calendars, and brings the join link back.\n\n\
                  `serve` runs it. All other commands speak to the running `serve`, and what they change holds at once; \
                  where none runs they work on the store themselves. Run them as the user who runs `serve`, or as root.",
    after_long_help = FIRST_INSTALLATION,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    /// The configuration file [default: /etc/teams-mirror/teams-mirror.toml; of `gateway`: /etc/teams-mirror/gateway.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print the answer as JSON, for programs
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Gateway(gateway::Gateway),
    Status(status::Status),
    Connector(connector::Connector),
    Enable(policy::Enable),
    Disable(policy::Disable),
    ForgetRule(policy::ForgetRule),
    Policy(policy::Policy),
    Set(settings::Set),
    Unset(settings::Unset),
    Settings(settings::Settings),
    Secret(secret::Secret),
    Events(events::Events),
    SettingsLink(settings_link::SettingsLink),
    SignIn(sign_in::SignIn),
    Disconnect(disconnect::Disconnect),
}

/// Why a command did nothing, in a sentence with what to do.
#[derive(Debug, PartialEq, Eq)]
struct Failure(String);

impl<T: std::fmt::Display> From<T> for Failure {
    fn from(error: T) -> Self {
        Self(error.to_string())
    }
}

/// What every command is given.
struct Context {
    /// The file that was named.
    config: Option<PathBuf>,
}

impl Context {
    fn config_file(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| DEFAULT_PATH.into())
    }

    fn config(&self) -> Result<Config, Failure> {
        let file = self.config_file();
        readable(&file, "serve")?;
        Ok(Config::read(&file)?)
    }

    /// The admin door, wherever it is.
    fn client(&self) -> Result<Client, Failure> {
        Client::open(self.config()?)
    }
}

/// Sees whether this user may read the configuration of what `command` runs.
fn readable(file: &Path, command: &str) -> Result<(), Failure> {
    match std::fs::File::open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(Failure(format!(
            "the configuration `{}` may not be read by this user; run the command as the user who runs `{command}`, or as root",
            file.display()
        ))),
        _ => Ok(()),
    }
}

/// Runs the command line this process was given.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help, version, or a usage error: clap knows where to and with which exit code.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    // Whatever is made here, by `serve` or by a command in its place, is its owner's alone; and no secret ends in a core.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    process::no_cores();
    match execute(cli.command, &Context { config: cli.config }) {
        Ok(output) => match output.print(cli.json) {
            Ok(()) if output.is_bad_news() => ExitCode::FAILURE,
            Ok(()) => ExitCode::SUCCESS,
            // Whoever read it has read enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => fail(&Failure(format!("the answer could not be written: {error}"))),
        },
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    // Nobody is left to tell where even this cannot be written.
    let _ = writeln!(std::io::stderr(), "error: {}", output::harmless(&failure.0));
    ExitCode::FAILURE
}

fn execute(command: Command, context: &Context) -> Result<Output, Failure> {
    match command {
        Command::Init(command) => command.run(context),
        Command::Serve(command) => command.run(context),
        Command::Gateway(command) => command.run(context),
        Command::Status(command) => command.run(context),
        Command::Connector(command) => command.run(context),
        Command::Enable(command) => command.run(context),
        Command::Disable(command) => command.run(context),
        Command::ForgetRule(command) => command.run(context),
        Command::Policy(command) => command.run(context),
        Command::Set(command) => command.run(context),
        Command::Unset(command) => command.run(context),
        Command::Settings(command) => command.run(context),
        Command::Secret(command) => command.run(context),
        Command::Events(command) => command.run(context),
        Command::SettingsLink(command) => command.run(context),
        Command::SignIn(command) => command.run(context),
        Command::Disconnect(command) => command.run(context),
    }
}
