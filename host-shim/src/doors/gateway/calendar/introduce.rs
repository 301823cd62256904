//! What the hook is told of people: under which addresses they organise events, and what nobody has told it yet.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::hook::{Answer, Unanswered};
use super::owner::Person;
use super::shared::Shared;
use crate::address::Address;

/// How long a person need not be told of again.
const ENOUGH: Duration = Duration::from_secs(600);
/// The most people remembered.
const REMEMBERED: usize = 100_000;
/// What the hook keeps of an account beside the addresses. What is absent from a call is forgotten, so all of it is told each time.
const KEPT: [&str; 4] = ["display_name", "time_zone", "language", "class"];

/// Whom the hook was told of, and when.
#[derive(Default)]
pub(super) struct Introduced(Mutex<HashMap<String, Instant>>);

impl Introduced {
    /// Whether it is time to tell of this account (again).
    fn is_due(&self, account: &str) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(account).is_some_and(|at| at.elapsed() < ENOUGH) {
            return false;
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert(account.to_owned(), Instant::now());
        true
    }

    fn forget(&self, account: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}

/// Tells of the owner of a calendar, now and then, where the hook has to do with this account at all.
pub(super) async fn now_and_then(shared: &Shared, person: &Person) -> Result<(), Unanswered> {
    if !shared.introduced.is_due(&person.account) {
        return Ok(());
    }
    let known = match shared.hook.account(&person.account).await {
        Ok(known) => known,
        Err(error) => {
            shared.introduced.forget(&person.account);
            return Err(error);
        }
    };
    // The hook makes an account known by being told of it, and most users of a server never turn this on.
    if known.is_taken() && known.body().get("connected").and_then(Value::as_bool) == Some(true) {
        shared.people.learn(person);
        tell(shared, person, &known, None).await?;
    }
    Ok(())
}

/// Tells of somebody who opens the settings. `language`: the browser's.
pub(super) async fn at_the_door(shared: &Shared, person: &Person, language: Option<&str>) -> Result<(), Unanswered> {
    let known = shared.hook.account(&person.account).await?;
    if known.is_taken() { tell(shared, person, &known, language).await } else { Ok(()) }
}

async fn tell(shared: &Shared, person: &Person, known: &Answer, language: Option<&str>) -> Result<(), Unanswered> {
    let config = &shared.config;
    let fresh = [
        ("display_name", person.name.as_deref()),
        ("time_zone", config.time_zone.as_deref()),
        ("language", language.or(config.language.as_deref())),
    ];
    let Some(mut told) = description(known.body(), &addresses(person), &fresh) else { return Ok(()) };
    let mut answer = shared.hook.describe(&person.account, told.clone()).await?;
    if answer.status == StatusCode::FORBIDDEN {
        // The secret is for some domains, and the server has addresses of others.
        let domain = person.account.rsplit_once('@').map_or("", |(_, domain)| domain);
        let mine = |address: &Value| {
            address
                .as_str()
                .and_then(|text| Address::parse(text).ok())
                .is_some_and(|address| address.domain() == domain)
        };
        if let Some(addresses) = told.get_mut("addresses").and_then(Value::as_array_mut) {
            addresses.retain(mine);
        }
        answer = shared.hook.describe(&person.account, told).await?;
    }
    if !answer.is_taken() {
        tracing::warn!(account = person.account, "the hook could not be told of a user: {}", answer.sentence());
    }
    Ok(())
}

/// The further addresses of a person; `None` where the server does not say.
fn addresses(person: &Person) -> Option<Vec<String>> {
    if person.addresses.is_empty() {
        return None;
    }
    let parsed = person.addresses.iter().filter_map(|text| Address::parse(text).ok());
    let mut further: Vec<String> =
        parsed.map(|address| address.as_str().to_owned()).filter(|address| *address != person.account).collect();
    further.sort();
    further.dedup();
    Some(further)
}

/// What to tell, where anything is new: the server's addresses where it has some, and of the rest what the hook does not know.
fn description(known: &Value, addresses: &Option<Vec<String>>, fresh: &[(&str, Option<&str>)]) -> Option<Value> {
    let mut there: Vec<String> =
        known.get("addresses").and_then(|list| serde_json::from_value(list.clone()).ok()).unwrap_or_default();
    there.sort();
    let addresses = addresses.clone().unwrap_or_else(|| there.clone());
    let mut told = Map::new();
    let mut new = addresses != there;
    for name in KEPT {
        let value = known.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        let mine = fresh.iter().find(|(of, _)| *of == name).and_then(|(_, value)| *value);
        if let Some(value) = value.or(mine) {
            told.insert(name.into(), value.into());
        }
        new |= value.is_none() && mine.is_some();
    }
    told.insert("addresses".into(), json!(addresses));
    new.then_some(Value::Object(told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_told_stays() {
        let known = json!({
            "addresses": ["b@x.example", "a@x.example"], "display_name": "Alice", "class": "staff", "language": null,
        });
        let same = Some(vec!["a@x.example".to_owned(), "b@x.example".to_owned()]);
        let zone = [("display_name", Some("alice")), ("time_zone", None), ("language", None)];
        assert_eq!(description(&known, &same, &zone), None, "nothing is new");
        assert_eq!(description(&known, &None, &zone), None, "the server does not say");
        let fresh = [("display_name", Some("alice")), ("time_zone", Some("Europe/Vienna")), ("language", Some("de"))];
        let told = description(&known, &Some(vec!["c@x.example".into()]), &fresh).unwrap();
        let wanted = json!({
            "addresses": ["c@x.example"], "display_name": "Alice", "class": "staff", "time_zone": "Europe/Vienna",
            "language": "de",
        });
        assert_eq!(told, wanted);
    }

    #[test]
    fn the_server_names_a_persons_addresses() {
        let person = Person {
            account: "alice@x.example".into(),
            principal: "/p/".into(),
            user: "alice".into(),
            addresses: vec!["Alice@x.example".into(), "no address".into(), "al@X.example".into()],
            name: None,
            homes: Vec::new(),
        };
        assert_eq!(addresses(&person), Some(vec!["al@x.example".to_owned()]));
        assert_eq!(addresses(&Person { addresses: Vec::new(), ..person }), None);
    }

    #[test]
    fn once_is_enough_for_a_while() {
        let introduced = Introduced::default();
        assert!(introduced.is_due("a") && !introduced.is_due("a") && introduced.is_due("b"));
    }
}
