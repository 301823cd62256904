//! Who may use the extension: rules of server, domains and accounts, the most specific of which decides.

use serde::Serialize;

use super::connectors::is_usable;
use super::{Accounts, AccountsError};
use crate::address::Address;
use crate::store::{AccountRow, ConnectionRow, ConnectorRow, PolicyRow, Scope};

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
    /// A sentence for people.
    pub message: String,
}

impl Standing {
    /// Whether the user may sign in: allowed, and there is a connector to sign in by.
    pub fn may_sign_in(&self) -> bool {
        self.button != Button::Hidden
    }
}

impl Accounts {
    /// Sets (`Some`) or removes (`None`) the rule of a scope. What waited for a rule is tried again.
    pub fn set_policy(&self, scope: &Scope, allow: Option<bool>) -> Result<(), AccountsError> {
        let scope = normal(scope)?;
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
        let (row, connection) =
            self.read(|tx| Ok((tx.account(account.as_str())?, tx.connection(account.as_str())?)))?;
        let rule = [Scope::Account(account.as_str().into()), Scope::Domain(account.domain().into()), Scope::Server]
            .into_iter()
            .find_map(|scope| rules.policy.iter().find(|r| r.scope == scope));
        let connector = match &connection {
            Some(connection) => rules.connectors.iter().find(|c| c.id == connection.connector).cloned(),
            None => self.default_connector()?,
        };
        let connector_on = connector.as_ref().is_some_and(is_usable);
        let alive = connection.as_ref().is_some_and(|c| c.dead.is_none());
        let (reason, message) = match (rule.map(|r| r.allow), &row) {
            (None, _) => ("not-enabled", "Microsoft Teams is not enabled for this account.".into()),
            (Some(false), _) => {
                ("denied", "The administrator has not allowed Microsoft Teams for this account.".into())
            }
            (_, None) => ("unknown-account", "This account has not used Microsoft Teams yet.".into()),
            (_, Some(row)) if !row.on => ("not-turned-on", "Microsoft Teams is not turned on for this account.".into()),
            _ if !connector_on => ("connector-off", "Microsoft Teams is switched off by the administrator.".into()),
            _ => ("ok", in_use(connection.as_ref(), connector.as_ref())),
        };
        let allowed = rule.is_some_and(|r| r.allow);
        let button = match &row {
            _ if !allowed || !connector_on => Button::Hidden,
            Some(row) if alive && row.on => Button::Ready,
            Some(_) if alive => Button::Off,
            _ => Button::SignIn,
        };
        let decided_by = rule.map(|r| r.scope.clone());
        Ok(Standing {
            usable: reason == "ok",
            reason,
            decided_by,
            connector,
            account: row,
            connection,
            button,
            message,
        })
    }
}

fn in_use(connection: Option<&ConnectionRow>, connector: Option<&ConnectorRow>) -> String {
    match (connection, connector.and_then(|c| c.dead_message.as_ref())) {
        (_, Some(why)) => why.clone(),
        (None, _) => "Sign in to Microsoft to connect this account.".into(),
        (Some(c), _) => match (&c.dead, &c.dead_message) {
            (None, _) => format!("Connected with {}.", c.remote_address),
            (Some(_), Some(why)) => why.clone(),
            (Some(_), None) => "Sign in to Microsoft again.".into(),
        },
    }
}

/// A scope with its name in the one form that rows have.
pub(super) fn normal(scope: &Scope) -> Result<Scope, AccountsError> {
    let invalid = |e: crate::address::AddressError| AccountsError::Invalid(e.to_string());
    Ok(match scope {
        Scope::Server => Scope::Server,
        Scope::Domain(name) => Scope::Domain(Address::parse_domain(name).map_err(invalid)?),
        Scope::Account(name) => Scope::Account(Address::parse(name).map_err(invalid)?.as_str().into()),
    })
}
