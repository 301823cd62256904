//! Settings that the extension declares: chosen per server, domain or account, the most specific of which counts.

use super::policy::normal;
use super::{Accounts, AccountsError};
use crate::address::Address;
use crate::component::types::{SettingDeclaration, UserChoice};
use crate::store::{Scope, SettingRow};

/// A setting the extension understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// The values it takes, widest first where users may narrow; none: any short text.
    pub values: Vec<String>,
    /// What it is where nobody chose.
    pub default: String,
    /// What users may choose for themselves.
    pub user_may: UserChoice,
}

/// What a user may choose of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// What counts now.
    pub counts: String,
    /// What may be chosen; empty where administrators choose.
    pub open: Vec<String>,
}

impl From<&SettingDeclaration> for Declared {
    fn from(setting: &SettingDeclaration) -> Self {
        Self {
            name: setting.name.clone(),
            values: setting.values.clone(),
            default: setting.default.clone(),
            user_may: setting.user_may,
        }
    }
}

impl Declared {
    fn takes(&self, value: &str) -> bool {
        if self.values.is_empty() {
            return value.len() <= 1000 && !value.chars().any(char::is_control);
        }
        self.values.iter().any(|v| v == value)
    }

    /// Whether `value` stands no further left than `than`.
    fn is_as_narrow(&self, value: &str, than: &str) -> bool {
        let place = |value: &str| self.values.iter().position(|v| v == value);
        place(value).zip(place(than)).is_some_and(|(place, than)| place >= than)
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
    ///
    /// Where users may only narrow, they move only to the right of what counts for them now: what is chosen for the account
    /// may be an administrator's choice, and is not to be told from their own.
    pub fn set_own_setting(
        &self,
        account: &Address,
        name: &str,
        value: Option<&str>,
        declared: &[Declared],
    ) -> Result<(), AccountsError> {
        let setting = declared.iter().find(|d| d.name == name);
        match setting.map(|setting| (setting, setting.user_may)) {
            Some((_, UserChoice::Nothing)) => {
                return Err(AccountsError::Conflict(format!("Setting `{name}` is chosen by the administrator")));
            }
            Some((setting, UserChoice::Narrow)) => {
                let chosen = self.read(|tx| tx.settings(Some(account.as_str())))?;
                let counts = counting(setting, &chosen, &scopes(account));
                let [_, wider @ ..] = scopes(account);
                let next = value.map_or_else(|| counting(setting, &chosen, &wider), str::to_owned);
                if setting.takes(&next) && !setting.is_as_narrow(&next, &counts) {
                    return Err(AccountsError::Conflict(format!(
                        "Setting `{name}` is `{counts}`; only an administrator can make it `{next}`"
                    )));
                }
            }
            Some((_, UserChoice::Anything)) | None => {}
        }
        self.set_setting(&Scope::Account(account.as_str().into()), name, value, declared)
    }

    /// What an account may choose of a setting for itself, and what counts now; `None` where there is no such setting.
    pub fn own_choices(
        &self,
        account: &Address,
        name: &str,
        declared: &[Declared],
    ) -> Result<Option<Choices>, AccountsError> {
        let Some(setting) = declared.iter().find(|d| d.name == name) else { return Ok(None) };
        let chosen = self.read(|tx| tx.settings(Some(account.as_str())))?;
        let counts = counting(setting, &chosen, &scopes(account));
        let mine = |value: &&String| match setting.user_may {
            UserChoice::Nothing => false,
            UserChoice::Narrow => setting.is_as_narrow(value, &counts),
            UserChoice::Anything => true,
        };
        let open = setting.values.iter().filter(mine).cloned().collect();
        Ok(Some(Choices { counts, open }))
    }

    /// Name and value of every declared setting, as they count for an account.
    pub fn settings_for(
        &self,
        account: &Address,
        declared: &[Declared],
    ) -> Result<Vec<(String, String)>, AccountsError> {
        let chosen = self.read(|tx| tx.settings(Some(account.as_str())))?;
        let scopes = scopes(account);
        let value = |setting: &Declared| (setting.name.clone(), counting(setting, &chosen, &scopes));
        Ok(declared.iter().map(value).collect())
    }
}

/// Where a choice for an account may stand, the narrowest first.
fn scopes(account: &Address) -> [Scope; 3] {
    [Scope::Account(account.as_str().into()), Scope::Domain(account.domain().into()), Scope::Server]
}

/// What counts of the choices at `scopes`, the narrowest first.
fn counting(setting: &Declared, chosen: &[SettingRow], scopes: &[Scope]) -> String {
    scopes
        .iter()
        .filter_map(|scope| chosen.iter().find(|c| c.scope == *scope && c.name == setting.name))
        // A value that a newer version of the extension no longer takes counts as not chosen.
        .find(|c| setting.takes(&c.value))
        .map_or_else(|| setting.default.clone(), |c| c.value.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::accounts::vault::Vault;
    use crate::clock::SystemClock;
    use crate::egress::Egress;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn users_choose_what_the_extension_leaves_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("store")).unwrap());
        let vault = Arc::new(Vault::create(&folder.path().join("keys")).unwrap());
        let (egress, clock) = (Arc::new(Egress::new()), Arc::new(SystemClock));
        let accounts = Accounts::new(store, vault, egress, clock, "https://mirror.example".into()).unwrap();
        let declared = |user_may| {
            let values = ["all", "some", "none"].map(str::to_owned).to_vec();
            [Declared { name: "x".into(), values, default: "some".into(), user_may }]
        };
        let alice = Address::parse("alice@test.tld").unwrap();
        let own = |user_may, value| accounts.set_own_setting(&alice, "x", value, &declared(user_may));
        let counts = || accounts.settings_for(&alice, &declared(UserChoice::Narrow)).unwrap()[0].1.clone();
        let refused = |outcome| assert!(matches!(outcome, Err(AccountsError::Conflict(_))), "{outcome:?}");

        refused(own(UserChoice::Nothing, Some("none")));
        own(UserChoice::Anything, Some("all")).unwrap();
        assert_eq!(counts(), "all");
        own(UserChoice::Anything, None).unwrap();

        refused(own(UserChoice::Narrow, Some("all")));
        assert!(matches!(own(UserChoice::Narrow, Some("other")), Err(AccountsError::Invalid(_))));
        own(UserChoice::Narrow, None).unwrap();
        let domain = Scope::Domain("test.tld".into());
        accounts.set_setting(&domain, "x", Some("all"), &declared(UserChoice::Narrow)).unwrap();
        for value in ["all", "some", "none"] {
            own(UserChoice::Narrow, Some(value)).unwrap();
            assert_eq!(counts(), value);
        }
        // It may be an administrator who chose this for the account.
        refused(own(UserChoice::Narrow, Some("some")));
        refused(own(UserChoice::Narrow, None));
        assert_eq!(counts(), "none");
    }
}
