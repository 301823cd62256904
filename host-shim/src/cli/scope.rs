//! `--server`, `--domain` and `--account`: where a rule or a setting applies.

use crate::store::Scope;

/// Exactly one of the three.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct ScopeArgs {
    /// Everybody on this server
    #[arg(long)]
    server: bool,

    /// The users of one domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,

    /// One user
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
}

impl ScopeArgs {
    pub(super) fn scope(self) -> Scope {
        match (self.domain, self.account) {
            (Some(domain), _) => Scope::Domain(domain),
            (_, Some(account)) => Scope::Account(account),
            _ => Scope::Server,
        }
    }
}

/// A scope in a sentence: "for …".
pub(super) fn named(scope: &Scope) -> String {
    match scope {
        Scope::Server => "the whole server".into(),
        Scope::Domain(name) => format!("the domain `{name}`"),
        Scope::Account(name) => format!("the account `{name}`"),
    }
}

/// A scope as it is written on a command line.
pub(super) fn option(scope: &Scope) -> String {
    match scope {
        Scope::Server => "--server".into(),
        Scope::Domain(name) => format!("--domain {name}"),
        Scope::Account(name) => format!("--account {name}"),
    }
}
