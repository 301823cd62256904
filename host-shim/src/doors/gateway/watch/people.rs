//! Where an account's calendars are on the server.
//!
//! The hook knows accounts by their addresses, the server its users by their principals. Who comes through the gateway, to the
//! settings page at the latest, is asked for both by it, and remembered here. Of others the server is asked with the service's
//! credential. Whatever was found or remembered counts only if the server names that very address for it.

use std::sync::Arc;

use super::account::Halt;
use super::memory::Memory;
use crate::doors::gateway::calendar::owner::Person;
use crate::doors::gateway::calendar::path::{collection, parent, segment};
use crate::doors::gateway::calendar::shared::Shared;
use crate::doors::hook::ToldEventView;

/// Remembers who came through the gateway since the last time.
pub(super) async fn remember_visitors(shared: &Shared, memory: &Memory) -> Result<(), Halt> {
    let seen = shared.places.take_seen();
    if !seen.is_empty() {
        let rows = seen.iter().map(|p| (p.account.clone(), p.principal.clone(), p.user.clone())).collect();
        memory.remember_people(rows).await?;
    }
    Ok(())
}

/// The person of an account.
///
/// # Errors
/// [`Halt::Nowhere`] where the server does not say, otherwise where it does not answer.
pub(super) async fn find(shared: &Shared, memory: &Memory, account: &str) -> Result<Arc<Person>, Halt> {
    if let Some((principal, user)) = memory.person(account).await?
        && let Some(person) = ask(shared, &user, &principal, account).await?
    {
        return Ok(person);
    }
    for user in names(shared.config.address.as_deref(), account) {
        let Some(who) = shared.service(&user) else { continue };
        // With a service of its own: its principal's neighbour. Where the proxy says who asks: that user's own principal.
        let Ok(Some(myself)) = shared.server.principal(&who, "/").await else { continue };
        let neighbour = format!("{}{}/", parent(&myself), segment(&user));
        for principal in [myself, neighbour] {
            if let Some(person) = ask(shared, &user, &principal, account).await? {
                return remembered(memory, person).await;
            }
        }
    }
    // The owner of a calendar in which the hook knows one of its events.
    for event in shared.hook.told(account, false).await? {
        if let Some(person) = owner_of(shared, &event, account).await {
            return remembered(memory, person).await;
        }
    }
    Err(Halt::Nowhere)
}

async fn remembered(memory: &Memory, person: Arc<Person>) -> Result<Arc<Person>, Halt> {
    memory.remember_people(vec![(person.account.clone(), person.principal.clone(), person.user.clone())]).await?;
    Ok(person)
}

/// Asks the server for a principal, as the service; `None` where it is not this account's or has no calendars.
async fn ask(shared: &Shared, user: &str, principal: &str, account: &str) -> Result<Option<Arc<Person>>, Halt> {
    let Some(who) = shared.service(user) else { return Ok(None) };
    match shared.places.person(&who, principal).await {
        Ok(person) => Ok(person.filter(|person| person.account == account && !person.homes.is_empty())),
        Err(trouble) if trouble.may_pass() => Err(trouble.into()),
        Err(_) => Ok(None),
    }
}

async fn owner_of(shared: &Shared, event: &ToldEventView, account: &str) -> Option<Arc<Person>> {
    let user = account.split_once('@')?.0;
    let who = shared.service(user)?;
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
