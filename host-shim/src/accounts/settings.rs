//! Settings that the extension declares: chosen per server, domain or account, the most specific of which counts.

use super::policy::normal;
use super::{Accounts, AccountsError};
use crate::address::Address;
use crate::component::types::SettingDeclaration;
use crate::store::Scope;

/// A setting the extension understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// The values it takes; none: any short text.
    pub values: Vec<String>,
    /// What it is where nobody chose.
    pub default: String,
    /// Whether users may choose for themselves.
    pub user_may_set: bool,
}

impl From<&SettingDeclaration> for Declared {
    fn from(setting: &SettingDeclaration) -> Self {
        Self {
            name: setting.name.clone(),
            values: setting.values.clone(),
            default: setting.default.clone(),
            user_may_set: setting.user_may_set,
        }
    }
}

impl Declared {
    fn takes(&self, value: &str) -> bool {
        if self.values.is_empty() {
            return value.len() <= 200 && !value.chars().any(char::is_control);
        }
        self.values.iter().any(|v| v == value)
    }
}

impl Accounts {
    /// Sets (`Some`) or removes (`None`) a setting of a scope.
    pub fn set_setting(
        &self,
        scope: &Scope,
        name: &str,
        value: Option<&str>,
        declared: &[Declared],
    ) -> Result<(), AccountsError> {
        let scope = normal(scope)?;
        match (declared.iter().find(|d| d.name == name), value) {
            // What an earlier version of the extension declared can still be taken away.
            (_, None) => {}
            (None, _) => {
                let near =
                    declared.iter().max_by(|a, b| strsim::jaro(&a.name, name).total_cmp(&strsim::jaro(&b.name, name)));
                let hint = near.map_or(String::new(), |d| format!("; did you mean `{}`?", d.name));
                return Err(AccountsError::Invalid(format!("There is no setting `{name}`{hint}")));
            }
            (Some(setting), Some(value)) if !setting.takes(value) => {
                let values: Vec<_> = setting.values.iter().map(|v| format!("`{v}`")).collect();
                return Err(AccountsError::Invalid(format!("Setting `{name}` is one of {}", values.join(", "))));
            }
            _ => {}
        }
        Ok(self.transact(|tx| tx.put_setting(&scope, name, value))?)
    }

    /// The same by a user for their own account; refused where only administrators choose.
    pub fn set_own_setting(
        &self,
        account: &Address,
        name: &str,
        value: Option<&str>,
        declared: &[Declared],
    ) -> Result<(), AccountsError> {
        if declared.iter().any(|d| d.name == name && !d.user_may_set) {
            return Err(AccountsError::Conflict(format!("Setting `{name}` is chosen by the administrator")));
        }
        self.set_setting(&Scope::Account(account.as_str().into()), name, value, declared)
    }

    /// Name and value of every declared setting, as they count for an account.
    pub fn settings_for(
        &self,
        account: &Address,
        declared: &[Declared],
    ) -> Result<Vec<(String, String)>, AccountsError> {
        let chosen = self.read(|tx| tx.settings(Some(account.as_str())))?;
        let scopes = [Scope::Account(account.as_str().into()), Scope::Domain(account.domain().into()), Scope::Server];
        let value = |setting: &Declared| {
            scopes
                .iter()
                .filter_map(|scope| chosen.iter().find(|c| c.scope == *scope && c.name == setting.name))
                // A value that a newer version of the extension no longer takes counts as not chosen.
                .find(|c| setting.takes(&c.value))
                .map_or_else(|| setting.default.clone(), |c| c.value.clone())
        };
        Ok(declared.iter().map(|setting| (setting.name.clone(), value(setting))).collect())
    }
}
