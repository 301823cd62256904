//! Where an account's calendars are on the server.
//!
//! The hook knows accounts by their addresses, the server its users by their principals. Who comes through the gateway, to the
//! settings page at the latest, is remembered by it. For others the server is asked with the service's credential, and what is found counts
//! only if the server names that very address for it.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::account::Halt;
use crate::doors::gateway::calendar::owner::Person;
use crate::doors::gateway::calendar::path::{canonical, collection, parent};
use crate::doors::gateway::calendar::server::Who;
use crate::doors::gateway::calendar::shared::Shared;
use crate::doors::hook::ToldEventView;

/// The person of an account.
///
/// # Errors
/// [`Halt::Nowhere`] where the server does not say, otherwise where it does not answer.
pub(super) async fn find(shared: &Shared, account: &str) -> Result<Arc<Person>, Halt> {
    if let Some(known) = shared.people.known(account) {
        let homes = match ask(shared, &known.user, &known.principal).await? {
            Some(person) if person.account != account => Vec::new(),
            Some(person) if !person.homes.is_empty() => person.homes.clone(),
            // The service need not be told whose they are, or where; their owner was.
            _ => known.homes,
        };
        if !homes.is_empty() {
            return Ok(Arc::new(Person {
                account: account.to_owned(),
                principal: known.principal,
                user: known.user,
                addresses: Vec::new(),
                name: None,
                homes,
            }));
        }
    }
    for user in names(shared.config.address.as_deref(), account) {
        let Some(who) = Who::service(shared.config.service.as_ref(), &user) else { continue };
        // With a service of its own: its principal's neighbour. Where the proxy says who asks: that user's own principal.
        let Ok(Some(myself)) = shared.server.myself(&who).await else { continue };
        let neighbour = format!("{}{}/", parent(&myself), utf8_percent_encode(&user, NON_ALPHANUMERIC));
        for principal in [Some(myself), canonical(&neighbour)].into_iter().flatten() {
            let found = ask(shared, &user, &principal).await?;
            if let Some(person) = found.filter(|person| person.account == account && !person.homes.is_empty()) {
                return Ok(learned(shared, person));
            }
        }
    }
    // The owner of a calendar in which the hook knows one of its events.
    for event in shared.hook.told(account, false).await? {
        if let Some(person) = owner_of(shared, &event, account).await {
            return Ok(learned(shared, person));
        }
    }
    Err(Halt::Nowhere)
}

fn learned(shared: &Shared, person: Arc<Person>) -> Arc<Person> {
    shared.people.learn(&person);
    person
}

/// Asks the server for a principal, as the service; `None` where it does not say whose it is.
async fn ask(shared: &Shared, user: &str, principal: &str) -> Result<Option<Arc<Person>>, Halt> {
    let Some(who) = Who::service(shared.config.service.as_ref(), user) else { return Ok(None) };
    match shared.places.person(&who, principal).await {
        Ok(person) => Ok(person),
        Err(trouble) if trouble.may_pass() => Err(trouble.into()),
        Err(_) => Ok(None),
    }
}

async fn owner_of(shared: &Shared, event: &ToldEventView, account: &str) -> Option<Arc<Person>> {
    let user = account.split_once('@')?.0;
    let who = Who::service(shared.config.service.as_ref(), user)?;
    let calendar = collection(parent(event.objects.first()?));
    let owner = Arc::clone(&shared.places.calendar(&who, &calendar).await?.owner);
    (owner.account == account && !owner.homes.is_empty()).then_some(owner)
}

/// What an account's user may be called at the server: as the template says, else by the address or the part before its `@`.
fn names(template: Option<&str>, account: &str) -> Vec<String> {
    match template.and_then(|template| template.split_once("{user}")) {
        Some((before, after)) => {
            let name = account.strip_prefix(before).and_then(|rest| rest.strip_suffix(&after.to_lowercase()));
            name.filter(|name| !name.is_empty()).map(str::to_owned).into_iter().collect()
        }
        None => {
            let local = account.split_once('@').map(|(local, _)| local.to_owned());
            std::iter::once(account.to_owned()).chain(local).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_from_the_template_or_the_address() {
        assert_eq!(names(Some("{user}@X.example"), "alice@x.example"), ["alice"]);
        assert_eq!(names(Some("{user}"), "alice@x.example"), ["alice@x.example"]);
        assert!(names(Some("{user}@x.example"), "alice@y.example").is_empty());
        assert!(names(Some("{user}@x.example"), "@x.example").is_empty());
        assert_eq!(names(None, "alice@x.example"), ["alice@x.example", "alice"]);
    }
}
