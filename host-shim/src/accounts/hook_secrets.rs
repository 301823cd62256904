//! Hook secrets: which servers may call, and for which domains they may speak.

use secrecy::SecretString;
use subtle::ConstantTimeEq;

use super::{Accounts, AccountsError, digest, random_text};
use crate::address::Address;
use crate::store::HookSecretRow;

/// Begins every hook secret, so that one is recognised where it was left lying about.
const PREFIX: &str = "tmh_";

impl Accounts {
    /// Makes a secret for a server and shows it, once. No domains: it may speak for all.
    pub fn add_secret(&self, name: &str, domains: &[String]) -> Result<SecretString, AccountsError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            let why = "A hook secret's name is of letters, digits, `-`, `_` and `.`, 64 at most";
            return Err(AccountsError::Invalid(why.into()));
        }
        let domains: Vec<String> = domains
            .iter()
            .map(|d| Address::parse_domain(d).map_err(|e| AccountsError::Invalid(e.to_string())))
            .collect::<Result<_, _>>()?;
        let secret = format!("{PREFIX}{}", *random_text()?);
        let row = HookSecretRow { name: name.into(), digest: digest(&secret), domains, created_at: self.clock.now() };
        let fresh = self.transact(|tx| {
            let fresh = !tx.hook_secrets()?.iter().any(|s| s.name == name);
            if fresh {
                tx.put_hook_secret(&row)?;
            }
            Ok(fresh)
        })?;
        if !fresh {
            let why = format!(
                "There is a hook secret `{name}` already, and it cannot be shown again; `teams-mirror secret remove {name}` removes it, another name adds one beside it"
            );
            return Err(AccountsError::Conflict(why));
        }
        self.forget_rules();
        Ok(SecretString::from(secret))
    }

    /// All hook secrets: names, domains and digests.
    pub fn secrets(&self) -> Result<Vec<HookSecretRow>, AccountsError> {
        Ok(self.rules()?.hook_secrets.clone())
    }

    /// Removes one, which ends the right at once; whether it was there.
    pub fn remove_secret(&self, name: &str) -> Result<bool, AccountsError> {
        let removed = self.transact(|tx| tx.remove_hook_secret(name))?;
        self.forget_rules();
        Ok(removed)
    }

    /// Whose secret was presented. Takes the same time wherever in the list it is, and for a wrong one.
    pub fn check_secret(&self, presented: &str) -> Result<Option<HookSecretRow>, AccountsError> {
        let rules = self.rules()?;
        let presented = digest(presented);
        let mut found = None;
        for row in &rules.hook_secrets {
            if bool::from(row.digest.ct_eq(&presented)) {
                found = Some(row);
            }
        }
        Ok(found.cloned())
    }
}

/// Whether the server of this secret may speak for an account.
pub fn may_speak_for(row: &HookSecretRow, account: &Address) -> bool {
    row.domains.is_empty() || row.domains.iter().any(|d| d == account.domain())
}
