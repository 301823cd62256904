//! Who may use the extension: rules of server, domains, classes and accounts, the most specific of which decides.

use serde::Serialize;

use super::connectors::is_usable;
use super::entra::dead_phrase;
use super::settings::{Chosen, scopes};
use super::{Accounts, AccountsError};
use crate::address::Address;
use crate::store::{AccountRow, ConnectionRow, ConnectorRow, PolicyRow, Scope};
use crate::words::Phrase;

/// What a server's page shows a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Button {
    /// Nothing: this user cannot use the extension.
    Hidden,
    /// "Sign in": never done, or it has to be done again.
    SignIn,
    /// "Add Teams".
    Ready,
    /// The user turned it off; a connection is there.
    Off,
}

/// How an account stands towards the extension.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Allowed, known, turned on, and its connector is on and complete. Says nothing about the connection's life.
    pub usable: bool,
    /// `not-enabled`, `denied`, `unknown-account`, `not-turned-on`, `connector-off` or `ok`: the first that applies.
    pub reason: &'static str,
    /// The rule that decided.
    pub decided_by: Option<Scope>,
    /// The connector of its connection, else the one a new connection would be made by. May be off.
    pub connector: Option<ConnectorRow>,
    /// Its row.
    pub account: Option<AccountRow>,
    /// Its connection.
    pub connection: Option<ConnectionRow>,
    /// What its page shows.
    pub button: Button,
    /// The settings that were chosen for it.
    pub chosen: Chosen,
    /// A sentence in English, for administrators; its user is told [`Standing::phrase`].
    pub message: String,
}

impl Standing {
    /// Whether the user may sign in: allowed, there is a connector to sign in by, and the account is not being disconnected.
    pub fn may_sign_in(&self) -> bool {
        self.button != Button::Hidden && !self.is_leaving()
    }

    /// Whether a rule allows the extension to this account.
    pub fn is_allowed(&self) -> bool {
        !matches!(self.reason, "not-enabled" | "denied")
    }

    /// Whether there is a settings page for this user: they may use it, or there is something of theirs to take away.
    pub fn has_settings(&self) -> bool {
        self.is_allowed() || self.connection.is_some()
    }

    /// Whether the connector is on and complete.
    pub fn connector_is_on(&self) -> bool {
        self.connector.as_ref().is_some_and(is_usable)
    }

    /// Whether the user turned it on.
    pub fn is_on(&self) -> bool {
        self.account.as_ref().is_some_and(|row| row.on)
    }

    /// Whether the connection ends as soon as the mirrored events are taken away.
    pub fn is_leaving(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.leaving_since.is_some())
    }

    /// The language of what its user is told, as the server told it.
    pub fn language(&self) -> Option<&str> {
        self.account.as_ref().and_then(|row| row.language.as_deref())
    }

    /// How it stands, for its user.
    pub fn phrase(&self) -> Phrase {
        match self.reason {
            "not-enabled" => Phrase::new("standing-not-enabled"),
            "denied" => Phrase::new("standing-denied"),
            _ if !self.connector_is_on() => Phrase::new("standing-connector-off"),
            "unknown-account" => Phrase::new("standing-unknown"),
            "not-turned-on" if self.is_leaving() => Phrase::new("standing-leaving"),
            "not-turned-on" => Phrase::new("standing-off"),
            _ => match (&self.connector, &self.connection) {
                (Some(connector), _) if connector.dead.is_some() => Phrase::new("standing-connector-dead"),
                (_, None) => Phrase::new("standing-not-connected"),
                (_, Some(connection)) => match &connection.dead {
                    Some(code) => dead_phrase(code),
                    None => Phrase::new("standing-connected").with("microsoft", &connection.remote_address),
                },
            },
        }
    }
}

impl Accounts {
    /// Sets (`Some`) or removes (`None`) the rule of a scope. What waited for a rule is tried again.
    pub fn set_policy(&self, scope: &Scope, allow: Option<bool>) -> Result<(), AccountsError> {
        let scope = normal(scope)?;
        if matches!(scope, Scope::Own(_)) {
            return Err(AccountsError::Invalid("Users make no rules; name the account instead".into()));
        }
        let now = self.clock.now();
        self.transact(|tx| {
            tx.put_policy(&scope, allow)?;
            let account = if let Scope::Account(name) = &scope { Some(name.as_str()) } else { None };
            tx.unpark(account, "policy", now).map(drop)
        })?;
        self.forget_rules();
        Ok(())
    }

    /// All rules.
    pub fn policy(&self) -> Result<Vec<PolicyRow>, AccountsError> {
        Ok(self.rules()?.policy.clone())
    }

    /// How an account stands.
    pub fn standing(&self, account: &Address) -> Result<Standing, AccountsError> {
        let rules = self.rules()?;
        let name = account.as_str();
        let (row, connection, settings) =
            self.read(|tx| Ok((tx.account(name)?, tx.connection(name)?, tx.settings(Some(name))?)))?;
        let rule =
            scopes(account, row.as_ref()).into_iter().find_map(|scope| rules.policy.iter().find(|r| r.scope == scope));
        let chosen = Chosen::new(account, row.as_ref(), settings);
        let connector = match &connection {
            Some(connection) => rules.connectors.iter().find(|c| c.id == connection.connector).cloned(),
            None => self.default_connector()?,
        };
        let connector_on = connector.as_ref().is_some_and(is_usable);
        let alive = connection.as_ref().is_some_and(|c| c.dead.is_none());
        let reason = match (rule.map(|r| r.allow), &row) {
            (None, _) => "not-enabled",
            (Some(false), _) => "denied",
            (_, None) => "unknown-account",
            (_, Some(row)) if !row.on => "not-turned-on",
            _ if !connector_on => "connector-off",
            _ => "ok",
        };
        let allowed = rule.is_some_and(|r| r.allow);
        let button = match &row {
            _ if !allowed || !connector_on => Button::Hidden,
            Some(row) if alive && row.on => Button::Ready,
            Some(_) if alive => Button::Off,
            _ => Button::SignIn,
        };
        let decided_by = rule.map(|r| r.scope.clone());
        let mut standing = Standing {
            usable: reason == "ok",
            reason,
            decided_by,
            connector,
            account: row,
            connection,
            button,
            chosen,
            message: String::new(),
        };
        standing.message = standing.in_english();
        Ok(standing)
    }
}

impl Standing {
    /// The sentence for administrators, who read of a dead connector why.
    fn in_english(&self) -> String {
        let why = self.connector.as_ref().and_then(ConnectorRow::death);
        why.filter(|_| self.usable).unwrap_or_else(|| self.phrase().to_string())
    }
}

/// A scope with its name in the one form that rows have.
pub(crate) fn normal(scope: &Scope) -> Result<Scope, AccountsError> {
    let invalid = |e: crate::address::AddressError| AccountsError::Invalid(e.to_string());
    Ok(match scope {
        Scope::Server => Scope::Server,
        Scope::Domain(name) => Scope::Domain(Address::parse_domain(name).map_err(|e| {
            AccountsError::Invalid(format!("`{name}` is not a domain ({}); write it as in `example.org`", e.why))
        })?),
        Scope::Class(name) => Scope::Class(class(name)?),
        Scope::Account(name) => Scope::Account(Address::parse(name).map_err(invalid)?.as_str().into()),
        Scope::Own(name) => Scope::Own(Address::parse(name).map_err(invalid)?.as_str().into()),
    })
}

/// A class as rules and settings are kept for it. Servers and administrators may write its name in other cases.
fn class(name: &str) -> Result<String, AccountsError> {
    let class = name.trim().to_lowercase();
    if class.is_empty() || class.chars().count() > 200 || class.chars().any(char::is_control) {
        return Err(AccountsError::Invalid(format!(
            "`{}` is not a class; write its name as the server tells it with the account, 1 to 200 characters",
            name.escape_debug()
        )));
    }
    Ok(class)
}
