//! `--server`, `--domain`, `--class` and `--account`: where a rule or a setting applies.

use crate::store::Scope;

/// Exactly one of the four.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct ScopeArgs {
    /// Everybody on this server
    #[arg(long)]
    server: bool,

    /// The users of one domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,

    /// The users of one account class, as the server tells it with the account; the case of its name does not matter
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,

    /// One user
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
}

impl ScopeArgs {
    pub(super) fn scope(self) -> Scope {
        match (self.domain, self.class, self.account) {
            (Some(domain), ..) => Scope::Domain(domain),
            (_, Some(class), _) => Scope::Class(class),
            (.., Some(account)) => Scope::Account(account),
            _ => Scope::Server,
        }
    }
}

/// A scope in a sentence: "for …".
pub(super) fn named(scope: &Scope) -> String {
    match scope {
        Scope::Server => "the whole server".into(),
        Scope::Domain(name) => format!("the domain `{name}`"),
        Scope::Class(name) => format!("the class `{name}`"),
        Scope::Account(name) => format!("the account `{name}`"),
        Scope::Own(name) => format!("the user `{name}`"),
    }
}

/// A scope as it is written on a command line.
pub(super) fn option(scope: &Scope) -> String {
    match scope {
        Scope::Server => "--server".into(),
        Scope::Domain(name) => format!("--domain {name}"),
        Scope::Class(name) if name.contains(char::is_whitespace) => format!("--class '{name}'"),
        Scope::Class(name) => format!("--class {name}"),
        Scope::Account(name) => format!("--account {name}"),
        Scope::Own(_) => "by the user, on the settings page".into(),
    }
}
