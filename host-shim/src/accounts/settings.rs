//! Settings that the extension and the shim declare: chosen per server, domain, class or account, the most specific of which
//! counts, and by users for themselves as far as each setting leaves it to them.

use super::policy::{Standing, normal};
use super::{Accounts, AccountsError, calendars, watching};
use crate::address::Address;
use crate::component::types::{SettingDeclaration, UserChoice};
use crate::store::{AccountRow, Scope, SettingRow};

/// The longest text a setting takes, in bytes.
const LONGEST: usize = 1000;

/// A setting the extension or the shim understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// The values it takes, widest first where users may narrow. Empty: any text of one line and at most 1,000 bytes, which
    /// is a list separated by commas where users may narrow; they then add to what administrators chose.
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
    /// What the user chose; of a list, what they added.
    pub own: Option<String>,
}

/// What counts of a setting for an account, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counting {
    /// What counts.
    pub value: String,
    /// Whose choice that is; `None`: nobody's, it is the default. Of a list, the administrators' part of it.
    pub decided_by: Option<Scope>,
}

/// Everything that was chosen for one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Where an administrator's choice may stand, the narrowest first.
    scopes: Vec<Scope>,
    rows: Vec<SettingRow>,
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
            let is_a_line = value.len() <= LONGEST && !value.chars().any(char::is_control);
            return is_a_line && watching::refusal(&self.name, value).is_none();
        }
        self.values.iter().any(|v| v == value)
    }

    /// Whether `value` is as narrow as `than` or narrower; what is added to a list always narrows.
    fn is_as_narrow(&self, value: &str, than: &str) -> bool {
        let place = |value: &str| self.values.iter().position(|v| v == value);
        self.values.is_empty() || place(value).zip(place(than)).is_some_and(|(place, than)| place >= than)
    }
}

/// The shim's own settings. An extension that declares one of their names does not get to see it.
pub fn of_the_shim() -> Vec<SettingDeclaration> {
    calendars::declarations().into_iter().chain(watching::declarations()).collect()
}

/// Whether a setting is the shim's own.
pub fn is_the_shims(name: &str) -> bool {
    calendars::is_ours(name) || watching::is_ours(name)
}

/// The entries of a list: separated by commas, spaces around them do not count.
pub fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// Where an administrator's choice or rule for an account may stand, the narrowest first.
pub(super) fn scopes(account: &Address, row: Option<&AccountRow>) -> Vec<Scope> {
    let class = row.and_then(|row| row.class.as_deref()).and_then(|class| normal(&Scope::Class(class.into())).ok());
    let account = [Scope::Account(account.as_str().into()), Scope::Domain(account.domain().into()), Scope::Server];
    let [own, domain, server] = account;
    [Some(own), class, Some(domain), Some(server)].into_iter().flatten().collect()
}

impl Chosen {
    pub(super) fn new(account: &Address, row: Option<&AccountRow>, rows: Vec<SettingRow>) -> Self {
        let mut scopes = scopes(account, row);
        scopes.push(Scope::Own(account.as_str().into()));
        // What was chosen for other domains and classes says nothing about this account.
        let rows = rows.into_iter().filter(|row| scopes.contains(&row.scope)).collect();
        scopes.pop();
        Self { scopes, rows }
    }

    /// All choices that may count for the account.
    pub fn rows(&self) -> &[SettingRow] {
        &self.rows
    }

    /// What counts of a setting.
    pub fn counting(&self, setting: &Declared) -> Counting {
        let by_admin = self.by_admin(setting);
        let Some(own) = self.own(setting) else { return by_admin };
        match setting.user_may {
            UserChoice::Nothing => by_admin,
            UserChoice::Narrow if setting.values.is_empty() => {
                let mut list: Vec<&str> = entries(&by_admin.value).collect();
                for entry in entries(&own.value) {
                    if !list.contains(&entry) {
                        list.push(entry);
                    }
                }
                Counting { value: list.join(", "), ..by_admin }
            }
            UserChoice::Narrow if own.value == by_admin.value || !setting.is_as_narrow(&own.value, &by_admin.value) => {
                by_admin
            }
            UserChoice::Narrow | UserChoice::Anything => {
                Counting { value: own.value.clone(), decided_by: Some(own.scope.clone()) }
            }
        }
    }

    /// What counts of a setting before its user's own choice.
    pub(super) fn by_admin(&self, setting: &Declared) -> Counting {
        let chosen = self.scopes.iter().find_map(|scope| self.at(scope, setting));
        match chosen {
            Some(row) => Counting { value: row.value.clone(), decided_by: Some(row.scope.clone()) },
            None => Counting { value: setting.default.clone(), decided_by: None },
        }
    }

    pub(super) fn own(&self, setting: &Declared) -> Option<&SettingRow> {
        self.rows
            .iter()
            .find(|row| matches!(row.scope, Scope::Own(_)) && row.name == setting.name)
            .filter(|row| setting.takes(&row.value))
    }

    fn at(&self, scope: &Scope, setting: &Declared) -> Option<&SettingRow> {
        // A value that a newer version of the extension no longer takes counts as not chosen.
        self.rows.iter().find(|c| c.scope == *scope && c.name == setting.name && setting.takes(&c.value))
    }

    /// What its user may choose of a setting.
    fn choices(&self, setting: &Declared) -> Choices {
        let by_admin = self.by_admin(setting).value;
        let mine = |value: &&String| match setting.user_may {
            UserChoice::Nothing => false,
            UserChoice::Narrow => setting.is_as_narrow(value, &by_admin),
            UserChoice::Anything => true,
        };
        Choices {
            counts: self.counting(setting).value,
            open: setting.values.iter().filter(mine).cloned().collect(),
            own: self.own(setting).map(|row| row.value.clone()),
        }
    }
}

impl Standing {
    /// Name and value of every declared setting, as they count for the account.
    pub fn settings(&self, declared: &[Declared]) -> Vec<(String, String)> {
        declared.iter().map(|setting| (setting.name.clone(), self.chosen.counting(setting).value)).collect()
    }
}

impl Accounts {
    /// Sets (`Some`) or removes (`None`) a setting of a scope. What is chosen for one account replaces what its user chose.
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
            (Some(setting), Some(value)) if !setting.takes(value) && setting.values.is_empty() => {
                let line = || format!("Setting `{name}` is a text of at most {LONGEST} bytes on one line");
                return Err(AccountsError::Invalid(watching::refusal(name, value).unwrap_or_else(line)));
            }
            (Some(setting), Some(value)) if !setting.takes(value) => {
                let values: Vec<_> = setting.values.iter().map(|v| format!("`{v}`")).collect();
                return Err(AccountsError::Invalid(format!("Setting `{name}` is one of {}", values.join(", "))));
            }
            _ => {}
        }
        Ok(self.transact(|tx| {
            if let Scope::Account(account) = &scope {
                tx.put_setting(&Scope::Own(account.clone()), name, None)?;
            }
            tx.put_setting(&scope, name, value)
        })?)
    }

    /// The same by a user for their own account; refused where only administrators choose, or where the user may only narrow
    /// and it would be wider than the administrators' choice.
    pub fn set_own_setting(
        &self,
        account: &Address,
        name: &str,
        value: Option<&str>,
        declared: &[Declared],
    ) -> Result<(), AccountsError> {
        let setting = declared.iter().find(|d| d.name == name);
        match (setting.map(|setting| (setting, setting.user_may)), value) {
            (Some((_, UserChoice::Nothing)), _) => {
                return Err(AccountsError::Conflict(format!("Setting `{name}` is chosen by the administrator")));
            }
            (Some((setting, UserChoice::Narrow)), Some(value)) => {
                let by_admin = self.chosen(account)?.by_admin(setting).value;
                if setting.takes(value) && !setting.is_as_narrow(value, &by_admin) {
                    return Err(AccountsError::Conflict(format!(
                        "Setting `{name}` is `{by_admin}`; only an administrator can make it `{value}`"
                    )));
                }
            }
            _ => {}
        }
        self.set_setting(&Scope::Own(account.as_str().into()), name, value, declared)
    }

    /// What an account may choose of a setting for itself, and what counts now; `None` where there is no such setting.
    pub fn own_choices(
        &self,
        account: &Address,
        name: &str,
        declared: &[Declared],
    ) -> Result<Option<Choices>, AccountsError> {
        let Some(setting) = declared.iter().find(|d| d.name == name) else { return Ok(None) };
        Ok(Some(self.chosen(account)?.choices(setting)))
    }

    /// What was chosen for an account.
    pub fn chosen(&self, account: &Address) -> Result<Chosen, AccountsError> {
        let (row, rows) = self.read(|tx| Ok((tx.account(account.as_str())?, tx.settings(Some(account.as_str()))?)))?;
        Ok(Chosen::new(account, row.as_ref(), rows))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::accounts::PutAccount;
    use crate::accounts::vault::Vault;
    use crate::clock::SystemClock;
    use crate::egress::Egress;
    use crate::store::sqlite::SqliteStore;

    struct House {
        accounts: Accounts,
        alice: Address,
        _folder: tempfile::TempDir,
    }

    fn house() -> House {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("store")).unwrap());
        let vault = Arc::new(Vault::create(&folder.path().join("keys")).unwrap());
        let (egress, clock) = (Arc::new(Egress::new()), Arc::new(SystemClock));
        let accounts = Accounts::new(store, vault, egress, clock, "https://mirror.example".into()).unwrap();
        House { accounts, alice: Address::parse("alice@test.tld").unwrap(), _folder: folder }
    }

    impl House {
        fn own(&self, user_may: UserChoice, value: Option<&str>) -> Result<(), AccountsError> {
            self.accounts.set_own_setting(&self.alice, "x", value, &[declared(user_may)])
        }

        fn admin(&self, scope: Scope, value: Option<&str>) {
            self.accounts.set_setting(&scope, "x", value, &[declared(UserChoice::Narrow)]).unwrap();
        }

        fn counting(&self, user_may: UserChoice) -> (String, Option<Scope>) {
            let counting = self.accounts.standing(&self.alice).unwrap().chosen.counting(&declared(user_may));
            (counting.value, counting.decided_by)
        }

        fn narrow(&self) -> String {
            self.counting(UserChoice::Narrow).0
        }
    }

    fn declared(user_may: UserChoice) -> Declared {
        let values = ["all", "some", "none"].map(str::to_owned).to_vec();
        Declared { name: "x".into(), values, default: "some".into(), user_may }
    }

    fn domain() -> Scope {
        Scope::Domain("test.tld".into())
    }

    fn refused(outcome: Result<(), AccountsError>) {
        assert!(matches!(outcome, Err(AccountsError::Conflict(_))), "{outcome:?}");
    }

    #[test]
    fn users_choose_what_the_extension_leaves_to_them() {
        let house = house();
        refused(house.own(UserChoice::Nothing, Some("none")));
        house.own(UserChoice::Anything, Some("all")).unwrap();
        assert_eq!(house.counting(UserChoice::Anything), ("all".into(), Some(Scope::Own("alice@test.tld".into()))));
        assert_eq!(house.counting(UserChoice::Nothing).0, "some", "chosen while users still might");
        house.own(UserChoice::Anything, None).unwrap();

        refused(house.own(UserChoice::Narrow, Some("all")));
        assert!(matches!(house.own(UserChoice::Narrow, Some("other")), Err(AccountsError::Invalid(_))));
        house.admin(domain(), Some("all"));
        for value in ["none", "all", "some"] {
            house.own(UserChoice::Narrow, Some(value)).unwrap();
            assert_eq!(house.narrow(), value, "back and forth, within what the domain has");
        }
    }

    #[test]
    fn what_a_user_narrowed_never_widens_what_administrators_narrow_later() {
        let house = house();
        house.admin(domain(), Some("all"));
        house.own(UserChoice::Narrow, Some("some")).unwrap();
        house.admin(domain(), Some("none"));
        assert_eq!(house.counting(UserChoice::Narrow), ("none".into(), Some(domain())));
        house.admin(domain(), Some("all"));
        assert_eq!(house.narrow(), "some", "the user's choice is still there");
        house.admin(Scope::Account("alice@test.tld".into()), Some("all"));
        assert_eq!(house.narrow(), "all", "what is chosen for the account replaces it");
    }

    #[test]
    fn the_narrowest_scope_decides() {
        let house = house();
        let put = PutAccount { class: Some(" Staff ".into()), ..PutAccount::default() };
        house.accounts.put_account(&house.alice, put).unwrap();
        assert_eq!(house.counting(UserChoice::Narrow), ("some".into(), None));
        for (scope, value) in [
            (Scope::Server, "all"),
            (domain(), "none"),
            (Scope::Class("staff".into()), "some"),
            (Scope::Account("alice@test.tld".into()), "all"),
        ] {
            house.admin(Scope::Class("others".into()), Some("none"));
            house.admin(scope.clone(), Some(value));
            assert_eq!(house.counting(UserChoice::Narrow), (value.into(), Some(scope)));
        }
        house.accounts.put_account(&house.alice, PutAccount::default()).unwrap();
        house.admin(Scope::Account("alice@test.tld".into()), None);
        assert_eq!(house.narrow(), "none", "she left the class, so her domain decides");
    }

    #[test]
    fn users_add_to_a_list() {
        let house = house();
        let list =
            Declared { name: "x".into(), values: Vec::new(), default: "a, b".into(), user_may: UserChoice::Narrow };
        let own = |value| house.accounts.set_own_setting(&house.alice, "x", value, std::slice::from_ref(&list));
        let counts = || house.accounts.standing(&house.alice).unwrap().chosen.counting(&list).value;
        own(Some("c,b , ")).unwrap();
        assert_eq!(counts(), "a, b, c");
        house.accounts.set_setting(&domain(), "x", Some("d"), std::slice::from_ref(&list)).unwrap();
        assert_eq!(counts(), "d, c, b");
        own(None).unwrap();
        assert_eq!(counts(), "d");
        assert!(matches!(own(Some("x\ny")), Err(AccountsError::Invalid(_))));
        assert!(matches!(own(Some(&"x".repeat(1001))), Err(AccountsError::Invalid(_))));
    }
}
