//! `teams-mirror set | unset | settings`: how the extension behaves, for whom.

use axum::http::Method;

use super::client::with_query;
use super::output::{self, Output};
use super::scope::{ScopeArgs, named, option};
use super::{Context, Failure};
use crate::accounts::watching;
use crate::doors::admin::types::{SettingChange, SettingChanged, SettingInfo, UserChoice};
use crate::store::Scope;

/// Choose a setting
///
/// Chooses a setting for everybody, a domain, an account class or one account. The narrowest choice counts: the account's, else
/// its class's, else its domain's, else the server's. It counts at once for whatever is saved from then on; an event that is
/// in Teams already, or should be, follows at its next save. `teams-mirror settings` explains them all.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror set meetings=with-guests --domain example.org
  teams-mirror set guest-list=on --server
  teams-mirror set mirror=all-events --class staff
  teams-mirror set exclude-categories=Private,Holiday --domain example.org
  teams-mirror set calendars=work --account alice@example.org
  teams-mirror set watch-interval=2min --domain example.org
  teams-mirror set invitations=microsoft --server-invites-nobody --domain example.org")]
pub(super) struct Set {
    /// The setting and its value
    #[arg(value_name = "NAME=VALUE", value_parser = assignment)]
    assignment: Assignment,

    /// The calendar server mails no invitations of its own; `invitations=microsoft` needs this, or guests would be invited
    /// twice
    #[arg(long)]
    server_invites_nobody: bool,

    #[command(flatten)]
    scope: ScopeArgs,
}

/// Take a choice back, so that the next wider one counts
///
/// Takes back what was chosen for a scope; for one account also what its user chose. The next wider choice then counts, in
/// the end the setting's default.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror unset meetings --domain example.org
  teams-mirror unset guest-list --server")]
pub(super) struct Unset {
    /// The setting
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    scope: ScopeArgs,
}

/// Explain the settings, and what was chosen
///
/// Explains each setting: what it does, the values it takes, what was chosen where; with `--account`, also what counts for that
/// account and whose choice that is.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror settings
  teams-mirror settings --account alice@example.org
  teams-mirror --json settings")]
pub(super) struct Settings {
    /// What counts for this account
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Assignment {
    name: String,
    value: String,
}

fn assignment(text: &str) -> Result<Assignment, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok(Assignment { name: name.into(), value: value.into() }),
        _ => Err("write the setting's name, `=` and the value, for example `guest-list=on`".into()),
    }
}

impl Set {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let Assignment { name, value } = self.assignment;
        change(context, self.scope.scope(), name, Some(value), self.server_invites_nobody)
    }
}

impl Unset {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        change(context, self.scope.scope(), self.name, None, false)
    }
}

fn change(
    context: &Context,
    scope: Scope,
    name: String,
    value: Option<String>,
    server_invites_nobody: bool,
) -> Result<Output, Failure> {
    let client = context.client()?;
    let changed: SettingChanged =
        client.call(Method::PUT, "/settings", &SettingChange { scope, name, value, server_invites_nobody })?;
    let (name, whom) = (&changed.name, named(&changed.scope));
    let then = if watching::is_ours(name) {
        "as soon as the watcher asks the next time"
    } else {
        "from the next save of an event on"
    };
    let mut text = match &changed.value {
        Some(value) if watching::is_ours(name) => format!("`{name}` is {} for {whom}, {then}.\n", quoted(value)),
        Some(value) => format!(
            "`{name}` is {} for {whom}, {then}. What is in Teams already stays as it is until then.\n",
            quoted(value)
        ),
        None => {
            let next = if changed.scope == Scope::Server { "its default" } else { "the next wider choice" };
            format!("Nothing is chosen for `{name}` for {whom}; {next} counts, {then}.\n")
        }
    };
    if let Some(own) = &changed.replaced {
        text.push_str(&format!("Its user had chosen `{own}`; that is taken back.\n"));
    }
    Output::new(&changed, text)
}

impl Settings {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let path = with_query("/settings", &[("account", self.account.clone())]);
        let settings: Vec<SettingInfo> = context.client()?.get(&path)?;
        let mut text = String::new();
        for setting in &settings {
            text.push_str(&explained(setting, self.account.as_deref()));
            text.push('\n');
        }
        if settings.is_empty() {
            text.push_str("There are no settings.\n");
        }
        Output::new(&settings, text)
    }
}

fn explained(setting: &SettingInfo, account: Option<&str>) -> String {
    let mut text = format!("{}\n{}\n", setting.name, output::paragraph(2, &setting.description));
    let values = if setting.values.is_empty() { "text".to_owned() } else { setting.values.join(" | ") };
    let user_may = match setting.user_may {
        UserChoice::Nothing => "no",
        UserChoice::Narrow if setting.values.is_empty() => "entries to add",
        UserChoice::Narrow => "a value further right",
        UserChoice::Anything => "yes",
    };
    let mut pairs =
        vec![("values", values), ("default", shown(&setting.default)), ("user may choose", user_may.into())];
    pairs.extend(
        setting.chosen.iter().map(|chosen| ("chosen", format!("{} ({})", shown(&chosen.value), option(&chosen.scope)))),
    );
    if let Some(account) = account {
        let why = decided(setting.decided_by.as_ref());
        pairs.push(("counts", format!("{} for `{account}` ({why})", shown(&setting.value))));
    }
    text.push_str(&output::fields(&pairs));
    text
}

fn quoted(value: &str) -> String {
    if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") }
}

/// A value that may be empty.
pub(super) fn shown(value: &str) -> String {
    if value.is_empty() { "nothing".into() } else { value.into() }
}

/// Whose choice counts.
pub(super) fn decided(by: Option<&Scope>) -> String {
    by.map_or_else(|| "default".into(), option)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_name_and_a_value() {
        assert_eq!(assignment("a=b=c").unwrap(), Assignment { name: "a".into(), value: "b=c".into() });
        assert_eq!(assignment("a=").unwrap(), Assignment { name: "a".into(), value: String::new() });
        assert!(assignment("a").is_err() && assignment("=b").is_err());
    }
}
