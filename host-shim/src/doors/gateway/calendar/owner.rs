//! Whose a calendar is, and what may be done there: asked of the server, with the client's own credential, and never taken from a
//! path.

use std::sync::Arc;
use std::time::Duration;

use super::dav::Resource;
use super::path::{collection, last_name};
use super::people::People;
use super::remembered::Remembered;
use super::server::{Server, Trouble, Who};
use super::xml::{CALDAV, DAV};
use crate::address::Address;
use crate::doors::gateway::config::GatewayConfig;

/// How long what the server said of a collection is believed: a client saves in bursts. A calendar that got another name, by which
/// it is left out perhaps, or other rights, is seen so soon.
const BELIEVED: Duration = Duration::from_secs(10);
/// The same of a person.
const PERSON_BELIEVED: Duration = Duration::from_secs(60);
/// How long a refusal is: long enough that a client's retries are not doubled, so that no account is locked by them.
const REFUSED: Duration = Duration::from_secs(5);

const OF_COLLECTION: &str = "<D:resourcetype/><D:displayname/><D:owner/><D:current-user-principal/>\
    <D:current-user-privilege-set/><D:add-member/><C:supported-calendar-component-set/>";
const OF_PRINCIPAL: &str = "<D:displayname/><C:calendar-home-set/><C:calendar-user-address-set/>";

/// A calendar that may hold events of somebody with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Calendar {
    /// Its path, with a `/` at the end.
    pub(crate) path: String,
    /// The path its owner has it under, where a delegate has it under another: by this one it is told.
    pub(crate) told: String,
    /// What its user calls it.
    pub(crate) name: Option<String>,
    /// Whose it is.
    pub(crate) owner: Arc<Person>,
    /// Whether whoever asked may write there, as far as the server says.
    pub(crate) may_write: bool,
}

impl Calendar {
    /// The path by which one of its objects is told.
    pub(crate) fn told_object(&self, object: &str) -> String {
        match object.strip_prefix(&self.path) {
            Some(rest) => format!("{}{rest}", self.told),
            None => object.to_owned(),
        }
    }
}

/// Somebody with calendars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The address the hook knows.
    pub(crate) account: String,
    /// The principal's path.
    pub(crate) principal: String,
    /// The name at the server: the principal's last segment.
    pub(crate) user: String,
    /// All mail addresses the server has for the person; empty where it does not say.
    pub(crate) addresses: Vec<String>,
    /// What the person is called.
    pub(crate) name: Option<String>,
    /// Where the person's calendars are.
    pub(crate) homes: Vec<String>,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A calendar.
    Calendar(Arc<Calendar>),
    /// Another collection.
    Collection,
    /// Nothing that matters here: no collection, a calendar of nobody with an address, or one that takes no events.
    Other,
}

/// Asks, and remembers for a moment.
pub(crate) struct Places {
    server: Server,
    config: Arc<GatewayConfig>,
    learned: Arc<People>,
    remembered: Remembered<Place>,
    people: Remembered<Option<Arc<Person>>>,
}

impl Places {
    /// Of a server.
    pub(crate) fn new(server: Server, config: Arc<GatewayConfig>, learned: Arc<People>) -> Self {
        Self { server, config, learned, remembered: Remembered::default(), people: Remembered::default() }
    }

    /// What a collection is to whoever asks.
    pub(crate) async fn place(&self, who: &Who, path: &str) -> Place {
        let key = (who.key, collection(path));
        if let Some(known) = self.remembered.recall(&key) {
            return known;
        }
        let (place, long) = match self.look(who, &key.1).await {
            Ok(place) => (place, BELIEVED),
            // It may be made in the next moment.
            Err(Trouble::Refused(status)) if status == hyper::StatusCode::NOT_FOUND => (Place::Other, Duration::ZERO),
            Err(trouble) => {
                tracing::debug!(path, %trouble, "the gateway does not know what this is, and lets requests to it through");
                (Place::Other, if trouble.may_pass() { Duration::ZERO } else { REFUSED })
            }
        };
        self.remembered.remember(key, place.clone(), long);
        place
    }

    /// The calendar under a path, where it is one of somebody's with an address.
    pub(crate) async fn calendar(&self, who: &Who, path: &str) -> Option<Arc<Calendar>> {
        match self.place(who, path).await {
            Place::Calendar(calendar) => Some(calendar),
            _ => None,
        }
    }

    /// What was remembered of a collection counts no more: it was made, removed or renamed.
    pub(crate) fn forget(&self, path: &str) {
        let path = collection(path);
        self.remembered.forget(|known| known.starts_with(&path));
    }

    async fn look(&self, who: &Who, path: &str) -> Result<Place, Trouble> {
        let found = self.server.propfind_here(who, path, OF_COLLECTION).await?;
        let resources = &found.resources;
        let same = resources.iter().find(|resource| collection(&resource.path) == path);
        let Some(here) = same.or_else(|| resources.first().filter(|_| resources.len() == 1)) else {
            return Ok(Place::Other);
        };
        if !here.is_event_calendar() {
            return Ok(if here.is_collection() { Place::Collection } else { Place::Other });
        }
        let Some(owner) = self.owner(who, path, here).await? else { return Ok(Place::Other) };
        let Some(told) = self.owners_path(who, path, here, &owner).await? else {
            tracing::info!(
                path,
                owner = owner.account,
                "what is saved in a shared calendar is not mirrored: it is not known where its owner has it"
            );
            return Ok(Place::Other);
        };
        Ok(Place::Calendar(Arc::new(Calendar {
            path: path.to_owned(),
            told,
            name: here.text(DAV, "displayname").map(str::to_owned),
            owner,
            may_write: here.may_write(),
        })))
    }

    async fn owner(&self, who: &Who, path: &str, here: &Resource) -> Result<Option<Arc<Person>>, Trouble> {
        if let Some(owner) = here.paths(DAV, "owner").into_iter().next() {
            return self.person(who, &owner).await;
        }
        // Without an owner it is whoever asks, where it is among his or her own.
        let Some(principal) = here.paths(DAV, "current-user-principal").into_iter().next() else { return Ok(None) };
        let person = self.person(who, &principal).await?;
        Ok(person.filter(|person| person.homes.iter().any(|home| path.starts_with(&collection(home)))))
    }

    /// The path under which its owner has a calendar that whoever asks has among his or her own, as with Cyrus. A guess, which
    /// holds where the server itself sends from there to here. `None`: it does not.
    async fn owners_path(
        &self,
        who: &Who,
        path: &str,
        here: &Resource,
        owner: &Person,
    ) -> Result<Option<String>, Trouble> {
        let Some(asks) = here.paths(DAV, "current-user-principal").into_iter().next() else {
            return Ok(Some(path.to_owned()));
        };
        if asks == owner.principal {
            // Some servers name whoever it is shared to as the owner.
            return Ok((!here.is_shared_to_me()).then(|| path.to_owned()));
        }
        let homes = match self.server.propfind(who, &asks, 0, "<C:calendar-home-set/>").await {
            Ok(found) => found.resources.first().map(|me| me.paths(CALDAV, "calendar-home-set")).unwrap_or_default(),
            Err(trouble) if trouble.may_pass() => return Err(trouble),
            Err(_) => Vec::new(),
        };
        let inside = homes.iter().map(|home| collection(home)).find_map(|home| {
            let rest = path.strip_prefix(&home)?.to_owned();
            Some((home, rest))
        });
        let Some((home, rest)) = inside else { return Ok(Some(path.to_owned())) };
        let user = last_name(&asks).unwrap_or_default();
        let swapped = home.strip_suffix(&format!("{user}/")).map(|before| format!("{before}{}/", owner.user));
        let bare = rest.strip_prefix(&format!("{}.", owner.user)).map(str::to_owned);
        for home in owner.homes.iter().map(|home| collection(home)).chain(swapped) {
            for rest in bare.iter().chain([&rest]) {
                let guess = format!("{home}{rest}");
                if self
                    .server
                    .leads_to(who, &guess)
                    .await
                    .ok()
                    .flatten()
                    .is_some_and(|place| collection(&place) == path)
                {
                    return Ok(Some(guess));
                }
            }
        }
        Ok(None)
    }

    /// Whose a collection is, a calendar or not.
    pub(crate) async fn owner_at(&self, who: &Who, path: &str) -> Result<Option<Arc<Person>>, Trouble> {
        let found = self.server.propfind(who, path, 0, "<D:owner/><D:current-user-principal/>").await?;
        match found.resources.first() {
            Some(here) => self.owner(who, path, here).await,
            None => Ok(None),
        }
    }

    /// Somebody; `None` where there is no address.
    pub(crate) async fn person(&self, who: &Who, principal: &str) -> Result<Option<Arc<Person>>, Trouble> {
        let key = (who.key, principal.to_owned());
        if let Some(known) = self.people.recall(&key) {
            // Who was nobody when last asked for may have come through the gateway since.
            return Ok(known.or_else(|| self.learned.by_principal(principal).map(Arc::new)));
        }
        let user = last_name(principal).unwrap_or_default();
        let found = match self.server.propfind(who, principal, 0, OF_PRINCIPAL).await {
            Ok(found) => Some(found),
            Err(trouble) if trouble.may_pass() => return Err(trouble),
            // A delegate need not see the owner's principal. The service does, perhaps.
            Err(_) => match Who::service(self.config.service.as_ref(), &user) {
                Some(service) => self.server.propfind(&service, principal, 0, OF_PRINCIPAL).await.ok(),
                None => None,
            },
        };
        if found.is_none()
            && let Some(person) = self.learned.by_principal(principal)
        {
            let person = Some(Arc::new(person));
            self.people.remember(key, person.clone(), PERSON_BELIEVED);
            return Ok(person);
        }
        let here = found.as_ref().and_then(|found| found.resources.first());
        let addresses = here.map(Resource::addresses).unwrap_or_default();
        let person = account(self.config.address.as_deref(), &user, &addresses).map(|account| {
            Arc::new(Person {
                account,
                principal: principal.to_owned(),
                user,
                addresses,
                name: here.and_then(|here| here.text(DAV, "displayname")).map(str::to_owned),
                homes: here.map(|here| here.paths(CALDAV, "calendar-home-set")).unwrap_or_default(),
            })
        });
        if person.is_none() {
            tracing::debug!(principal, "a user without an address, as far as the server says and `address` makes one");
        }
        self.people.remember(key, person.clone(), PERSON_BELIEVED);
        Ok(person)
    }
}

/// The address of one of the server's users: by the template, else the first the server names.
fn account(template: Option<&str>, user: &str, addresses: &[String]) -> Option<String> {
    let written = match template {
        // To some servers `alice` and `Alice` are two people, an address knows no case: two people never share one.
        Some(template) if user.to_lowercase() == user && !user.is_empty() => template.replace("{user}", user),
        Some(_) => return None,
        None => addresses.first()?.clone(),
    };
    Address::parse(&written).ok().map(|address| address.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_from_the_template_or_the_server() {
        let listed = ["Alice@Test.TLD".to_owned(), "a@test.tld".to_owned()];
        assert_eq!(account(None, "alice", &listed).as_deref(), Some("alice@test.tld"));
        assert_eq!(account(None, "alice", &[]), None);
        assert_eq!(account(Some("{user}@x.example"), "alice", &listed).as_deref(), Some("alice@x.example"));
        assert_eq!(account(Some("{user}"), "alice@x.example", &[]).as_deref(), Some("alice@x.example"));
        assert_eq!(account(Some("{user}@x.example"), "Alice", &[]), None, "another person than alice, perhaps");
        assert_eq!(account(Some("{user}@x.example"), "alice@y.example", &[]), None);
        assert_eq!(account(Some("{user}@x.example"), "", &[]), None);
    }
}
