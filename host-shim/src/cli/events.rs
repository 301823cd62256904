//! `teams-mirror events …`: how events stand, and trying them again.

use super::client::{segment, with_query};
use super::output::{self, Output, instant};
use super::{Context, Failure};
use crate::doors::admin::types::{EventInfo, Released, STATES};

/// Look at events, and try them again
///
/// Tells how events stand: in which state, why, and when they are tried again. `retry` tries at once what would be tried
/// later, or what waits for somebody.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_long_help = "\
Examples:
  teams-mirror events list --state rejected
  teams-mirror events show alice@example.org 0a1b2c3d@example.org
  teams-mirror events retry --all-parked

States:
  mirrored         it stands in the Teams calendar as it stands in the server's
  pending          it will, without anybody doing anything
  sign-in-needed   its user must sign in at Microsoft
  admin-needed     an administrator must act; the reason says what
  rejected         as it is, it cannot be mirrored; the reason says why
  not-mirrored     it is not in the Teams calendar, and is not meant to be
  removed          a person removed it from the Teams calendar"
)]
pub(super) struct Events {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List events, the newest change first
    ///
    /// Lists events with their state and reason, the newest change first.
    #[command(after_long_help = "\
Examples:
  teams-mirror events list
  teams-mirror events list --account alice@example.org
  teams-mirror events list --state pending --limit 500
  teams-mirror --json events list --state admin-needed")]
    List {
        /// Of this account only
        #[arg(long, value_name = "ADDRESS")]
        account: Option<String>,
        /// In this state only
        #[arg(long, value_name = "STATE", value_parser = STATES)]
        state: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Show all there is to say about one event
    ///
    /// Shows one event: its state and the reason in a sentence, its links, what its user was told, and when it is tried again.
    #[command(after_long_help = "Example:\n  teams-mirror events show alice@example.org 0a1b2c3d@example.org")]
    Show {
        /// Whose
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// Its UID
        #[arg(value_name = "UID")]
        uid: String,
    },
    /// Try an event again now, or all that wait for somebody
    ///
    /// Tries an event again now, whatever it is waiting for; with `--all-parked` all that wait for a sign-in, an administrator
    /// or had failed too often. What still cannot be done waits again.
    #[command(after_long_help = "\
Examples:
  teams-mirror events retry alice@example.org 0a1b2c3d@example.org
  teams-mirror events retry --all-parked")]
    Retry {
        /// Whose
        #[arg(value_name = "ACCOUNT", requires = "uid")]
        account: Option<String>,
        /// Its UID
        #[arg(value_name = "UID")]
        uid: Option<String>,
        /// All events that wait for somebody
        #[arg(long, conflicts_with_all = ["account", "uid"], required_unless_present = "account")]
        all_parked: bool,
    },
}

impl Events {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let client = context.client()?;
        match self.command {
            Command::List { account, state, limit } => {
                let pairs = [("account", account), ("state", state), ("limit", Some(limit.to_string()))];
                let found: Vec<EventInfo> = client.get(&with_query("/events", &pairs))?;
                let mut text = if found.is_empty() { "No events.\n".to_owned() } else { list(&found, true) };
                if u32::try_from(found.len()).is_ok_and(|count| count == limit) {
                    text.push_str(&format!(
                        "\nThere may be more; `--limit {}` shows more.\n",
                        limit.saturating_mul(10)
                    ));
                }
                Output::new(&found, text)
            }
            Command::Show { account, uid } => {
                let event: EventInfo = client.get(&path(&account, &uid))?;
                Output::new(&event, shown(&event))
            }
            Command::Retry { account: Some(account), uid: Some(uid), .. } => {
                let event: EventInfo = client.post(&format!("{}/retry", path(&account, &uid)))?;
                let text = if event.state == "pending" {
                    let when = if client.is_running() { "now" } else { "as soon as `serve` runs" };
                    format!("The event `{}` of `{}` is tried again {when}.\n", event.uid, event.account)
                } else {
                    format!("There is nothing to be tried for it.\n\n{}", shown(&event))
                };
                Output::new(&event, text)
            }
            Command::Retry { .. } => {
                let released: Released = client.post("/events/retry-parked")?;
                let text = match released.released {
                    0 => "No event waits for somebody.\n".into(),
                    1 => "1 event is tried again.\n".into(),
                    many => format!("{many} events are tried again.\n"),
                };
                Output::new(&released, text)
            }
        }
    }
}

fn path(account: &str, uid: &str) -> String {
    format!("/accounts/{}/events/{}", segment(account), segment(uid))
}

/// Events as a table; the UID last, because it may be long.
pub(super) fn list(events: &[EventInfo], accounts: bool) -> String {
    let rows: Vec<Vec<String>> = events
        .iter()
        .map(|event| {
            let mut row = vec![
                event.state.clone(),
                event.reason.clone().unwrap_or_else(|| "-".into()),
                instant(event.updated_at),
                event.uid.clone(),
            ];
            if accounts {
                row.insert(3, event.account.clone());
            }
            row
        })
        .collect();
    let head: &[&str] = if accounts {
        &["STATE", "REASON", "CHANGED", "ACCOUNT", "UID"]
    } else {
        &["STATE", "REASON", "CHANGED", "UID"]
    };
    output::table(head, &rows)
}

fn shown(event: &EventInfo) -> String {
    let mut pairs =
        vec![("account", event.account.clone()), ("uid", event.uid.clone()), ("state", event.state.clone())];
    let mut add = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    add("reason", event.reason.clone());
    add("why", event.message.clone());
    add("join link", event.join_url.clone());
    add("in Teams", event.web_link.clone());
    add("next try", event.next_attempt_at.map(instant));
    add("failed tries", (event.attempts > 0).then(|| event.attempts.to_string()));
    add(
        "unconfirmed",
        event.unconfirmed.then(|| "the server never reported whether it stored the last save; taken as stored".into()),
    );
    for object in &event.objects {
        add("stored as", Some(object.clone()));
    }
    for notice in &event.notices {
        add("notice", Some(format!("{} ({})", notice.message, notice.code)));
    }
    add("changed", Some(instant(event.updated_at)));
    output::fields(&pairs)
}
