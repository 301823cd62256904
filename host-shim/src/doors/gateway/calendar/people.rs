//! Under which names the server knows people whom the hook knows by their addresses: learned from saves, kept beside the notes.
//!
//! Only those whose Microsoft account is connected are remembered; for them links are written back, and calendars are watched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::owner::Person;

/// What is remembered of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// The name at the server.
    pub(crate) user: String,
    /// The principal's path.
    pub(crate) principal: String,
    /// Where the person's calendars are.
    pub(crate) homes: Vec<String>,
}

/// The people.
pub(crate) struct People {
    file: PathBuf,
    template: Option<String>,
    known: Mutex<BTreeMap<String, Known>>,
}

impl People {
    /// Reads those that an earlier process learned. A file that cannot be read is begun anew: it fills by itself.
    pub(crate) fn open(folder: &Path, template: Option<&str>) -> Self {
        let file = folder.join("people.json");
        let known = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { file, template: template.map(str::to_owned), known: Mutex::new(known) }
    }

    /// Remembers somebody. It blocks for as long as the disk needs, where anything is new.
    pub(crate) fn learn(&self, person: &Person) {
        let learned =
            Known { user: person.user.clone(), principal: person.principal.clone(), homes: person.homes.clone() };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Who may not see the person's homes does not know better than who may.
        let better =
            known.get(&person.account).is_some_and(|known| learned.homes.is_empty() && known.user == learned.user);
        if better || known.get(&person.account) == Some(&learned) {
            return;
        }
        known.insert(person.account.clone(), learned);
        if let Err(error) = self.write(&known) {
            tracing::warn!(
                "`{}` cannot be written: {error}; it is filled anew after the next start",
                self.file.display()
            );
        }
    }

    fn write(&self, known: &BTreeMap<String, Known>) -> std::io::Result<()> {
        let begun = self.file.with_extension("json.begun");
        std::fs::write(&begun, serde_json::to_vec(known)?)?;
        std::fs::rename(begun, &self.file)
    }

    /// Somebody, by principal: what the person's own requests have told, for those who may not see it.
    pub(crate) fn by_principal(&self, principal: &str) -> Option<Person> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (account, known) = known.iter().find(|(_, known)| known.principal == principal)?;
        Some(Person {
            account: account.clone(),
            principal: known.principal.clone(),
            user: known.user.clone(),
            addresses: Vec::new(),
            name: None,
            homes: known.homes.clone(),
        })
    }

    /// The name at the server of whoever has an address: as learned, or as the template has it.
    pub(crate) fn user(&self, account: &str) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(account).map(|known| known.user.clone()).or_else(|| {
            let (before, after) = self.template.as_deref()?.split_once("{user}")?;
            let user = account.strip_prefix(&before.to_lowercase())?.strip_suffix(&after.to_lowercase())?;
            Some(user.to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_known_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let people = People::open(dir.path(), None);
        assert_eq!(people.user("alice@x.example"), None);
        people.learn(&Person {
            account: "alice@x.example".into(),
            principal: "/p/al/".into(),
            user: "al".into(),
            addresses: Vec::new(),
            name: None,
            homes: vec!["/c/al/".into()],
        });
        let people = People::open(dir.path(), None);
        assert_eq!(people.user("alice@x.example").as_deref(), Some("al"));
        assert_eq!(people.by_principal("/p/al/").unwrap().account, "alice@x.example");
        assert_eq!(people.by_principal("/p/"), None);
        assert_eq!(people.by_principal("/p/al/").unwrap().homes, ["/c/al/"]);
    }

    #[test]
    fn a_template_works_both_ways() {
        let dir = tempfile::tempdir().unwrap();
        let user = |template, account| People::open(dir.path(), Some(template)).user(account);
        assert_eq!(user("{user}@X.example", "alice@x.example").as_deref(), Some("alice"));
        assert_eq!(user("{user}", "alice@x.example").as_deref(), Some("alice@x.example"));
        assert_eq!(user("{user}@x.example", "alice@y.example"), None);
    }
}
