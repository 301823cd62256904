//! `teams-mirror status [ADDRESS]`: how it goes.

use serde_json::json;

use super::client::{Client, segment};
use super::output::{self, Output, instant, yes};
use super::scope::option;
use super::settings::{decided, shown};
use super::{Context, Failure, connector, events, policy, secret};
use crate::doors::admin::types::{AccountInfo, ConnectionInfo, MailboxInfo, StatusInfo};

/// Tell how it goes: as a whole, or for one account
///
/// Without an address: whether `serve` is running, the extension, the connector, who may use it, how many events stand how,
/// and what is left to do. With an address: whether that account may use it and by which rule, whether it is turned on and
/// connected, what its mailbox can do, which settings count and whose choice that is, its calendars, and its last events with
/// the reasons for how they stand.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror status
  teams-mirror status alice@example.org
  teams-mirror status alice@example.org --check
  teams-mirror --json status")]
pub(super) struct Status {
    /// The account
    #[arg(value_name = "ADDRESS")]
    address: Option<String>,

    /// Take one real look at the account's mailbox at Microsoft
    #[arg(long, requires = "address")]
    check: bool,
}

impl Status {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let client = context.client()?;
        match &self.address {
            Some(address) => account(&client, address, self.check),
            None => whole(&client),
        }
    }
}

fn whole(client: &Client) -> Result<Output, Failure> {
    let status: StatusInfo = client.get("/status")?;
    let mut answer = serde_json::to_value(&status)?;
    if let Some(object) = answer.as_object_mut() {
        object.insert("running".into(), client.is_running().into());
    }
    Output::new(&answer, described(&status, client.is_running()))
}

fn described(status: &StatusInfo, running: bool) -> String {
    let mut text = if running {
        format!("`serve` is running (teams-mirror {}).\n\n", status.version)
    } else {
        "`serve` is not running, so nothing is mirrored; `teams-mirror serve` starts it.\n\n".to_owned()
    };
    let extension = &status.extension;
    let digest: String = extension.digest.chars().take(16).collect();
    let mut pairs = vec![
        ("extension", format!("{} {} (`{}`, SHA-256 {digest}…)", extension.title, extension.version, extension.name)),
        ("hook API", status.hook.clone()),
        ("browsers", format!("{} (listens on {})", status.public_url, status.public)),
    ];
    pairs.extend(status.connectors.iter().map(|c| ("connector", format!("`{}`: {}", c.name, connector::state(c)))));
    let servers: Vec<String> =
        status.secrets.iter().map(|s| format!("`{}` for {}", s.name, secret::whom(&s.domains))).collect();
    let counts: Vec<String> = status.events.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let or_none =
        |list: Vec<String>, separator: &str| if list.is_empty() { "none".into() } else { list.join(separator) };
    pairs.extend([
        ("servers", or_none(servers, "; ")),
        ("may use it", policy::summary(&status.policy)),
        ("events", or_none(counts, ", ")),
    ]);
    text.push_str(&output::fields(&pairs));
    if !status.to_do.is_empty() {
        text.push_str("\nLeft to do before users can use it:\n");
        text.push_str(&output::numbered(&status.to_do));
    }
    text
}

fn account(client: &Client, address: &str, check: bool) -> Result<Output, Failure> {
    let path = format!("/accounts/{}", segment(address));
    let found: Option<MailboxInfo> = if check { Some(client.post(&format!("{path}/check"))?) } else { None };
    // After the look, so that what it found is in it.
    let info: AccountInfo = client.get(&path)?;
    let mut text = described_account(&info);
    if let Some(found) = &found {
        text.push_str(&format!(
            "\nThe look at the mailbox found `{}`:\n{}",
            found.code,
            output::paragraph(2, &found.message)
        ));
    }
    match found {
        Some(found) => Output::new(&json!({ "account": info, "check": found }), text),
        None => Output::new(&info, text),
    }
}

fn described_account(info: &AccountInfo) -> String {
    let allowed = match &info.rule {
        Some(rule) => format!("{}, by the rule `{}`", yes(rule.allow), option(&rule.scope)),
        None => "no, no rule allows it".into(),
    };
    let on = if info.on {
        "yes"
    } else if info.known {
        "no"
    } else {
        "no, its user never signed in"
    };
    let mut pairs = vec![
        ("allowed", allowed),
        ("turned on", on.into()),
        ("connector", info.connector.as_ref().map_or_else(|| "none that works".into(), |name| format!("`{name}`"))),
        ("connection", info.connection.as_ref().map_or_else(|| "none".into(), connection)),
    ];
    if let Some(connection) = &info.connection {
        pairs.push(("mailbox", mailbox(connection)));
    }
    if let Some(class) = &info.class {
        pairs.push(("class", format!("`{class}`")));
    }
    pairs.push(("button", info.button.clone()));
    let alive = info.connection.as_ref().is_some_and(|connection| connection.dead.is_none());
    let meetings = info.connection.as_ref().is_none_or(|connection| connection.meetings != Some(false));
    let verb = if info.usable && alive && meetings && info.to_do.is_empty() { "can" } else { "cannot" };
    let mut text =
        format!("`{}` {verb} make Teams meetings now: {}\n\n{}", info.account, info.message, output::fields(&pairs));
    text.push_str("\nSettings:\n\n");
    let rows: Vec<Vec<String>> =
        info.settings.iter().map(|s| vec![s.name.clone(), shown(&s.value), decided(s.decided_by.as_ref())]).collect();
    text.push_str(&output::table(&["SETTING", "COUNTS", "CHOSEN"], &rows));
    if !info.calendars.is_empty() {
        text.push_str("\nCalendars in which events were saved:\n\n");
        let rows: Vec<Vec<String>> =
            info.calendars.iter().map(|c| vec![c.name.clone(), c.path.clone(), yes(c.mirrored).to_owned()]).collect();
        text.push_str(&output::table(&["NAME", "PATH", "MIRRORED"], &rows));
    }
    if !info.to_do.is_empty() {
        text.push_str("\nWhat to do:\n");
        text.push_str(&output::numbered(&info.to_do));
    }
    if info.events.is_empty() {
        text.push_str("\nNothing is kept of any event of this account.\n");
    } else {
        text.push_str("\nLast events:\n\n");
        text.push_str(&events::list(&info.events, false));
    }
    text
}

fn connection(connection: &ConnectionInfo) -> String {
    let who = format!("`{}` (tenant {})", connection.microsoft_account, connection.tenant);
    match &connection.dead {
        None => format!("{who}, since {}", instant(connection.since)),
        Some(code) => format!(
            "{who}, dead since {}: {} ({code})",
            instant(connection.since),
            connection.dead_message.as_deref().unwrap_or("its user must sign in again")
        ),
    }
}

fn mailbox(connection: &ConnectionInfo) -> String {
    match (&connection.mailbox, connection.mailbox_checked_at) {
        (Some(code), at) => format!(
            "{} ({code}{})",
            connection.mailbox_message.as_deref().unwrap_or_default(),
            at.map(|at| format!(", looked at {}", instant(at))).unwrap_or_default()
        ),
        (None, _) => "not looked at yet; `--check` does".into(),
    }
}
