//! Links that came after their save was answered are written into the stored event, as the service and with If-Match.
//!
//! A server that sends invitations mails an event with guests a second time for it: the first mail left without the link. Whether
//! that is wanted is `write_back`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::notes::Step;
use super::path::parent;
use super::peek::{event_uid, has_guests};
use super::server::{Trouble, Who};
use super::shared::Shared;
use super::telling::{Failed, service, tell_stored};
use crate::doors::gateway::config::{GatewayConfig, WriteBack};
use crate::doors::hook::{ChangeView, ChangesView};

/// How long one request for changes waits.
const POLL: Duration = Duration::from_secs(25);
/// After this the changes are asked for from the beginning.
const ANEW: Duration = Duration::from_secs(24 * 3600);
/// How long to wait after something that should not happen.
const PAUSE: Duration = Duration::from_secs(5);
/// How long to wait for a hook that does not answer.
const TICK: Duration = Duration::from_millis(500);
/// Objects that are remembered because their links do not hold.
const REMEMBERED: usize = 1000;

/// Objects whose links the server does not keep, with the ETag they had then.
type Stuck = HashMap<String, String>;

/// Writes links back until it is time to stop.
pub(super) async fn run(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    if shared.config.service.is_none() || shared.config.write_back == WriteBack::None {
        return;
    }
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = follow(&shared) => {}
    }
}

async fn follow(shared: &Shared) {
    let (mut after, mut begun, mut stuck) = (None::<String>, Instant::now(), Stuck::new());
    loop {
        if !shared.is_up() {
            tokio::time::sleep(TICK).await;
            continue;
        }
        if begun.elapsed() > ANEW {
            (after, begun) = (None, Instant::now());
        }
        let answer = match shared.hook.changes(after.as_deref(), POLL).await {
            Ok(answer) => answer,
            Err(error) => {
                shared.unanswered(&error);
                tokio::time::sleep(TICK).await;
                continue;
            }
        };
        let Some(page) = answer.is_taken().then(|| answer.read::<ChangesView>()).flatten() else {
            // The cursor is of another store.
            after = None;
            tokio::time::sleep(if answer.status == StatusCode::GONE { TICK } else { PAUSE }).await;
            continue;
        };
        for change in &page.changes {
            if !of_event(shared, change, &mut stuck).await {
                break;
            }
        }
        if shared.is_up() {
            after = Some(page.cursor);
        }
    }
}

/// Whether to go on with the next one: not where the hook has stopped answering.
async fn of_event(shared: &Shared, change: &ChangeView, stuck: &mut Stuck) -> bool {
    let Some(who) = service(shared, &change.account) else {
        tracing::warn!(
            account = change.account,
            "a link is not written back: which of the server's users this is becomes known with the next save"
        );
        return true;
    };
    for object in &change.objects {
        match of_object(shared, &who, change, object, stuck).await {
            Ok(()) => {}
            Err(Failed::Hook(error)) => {
                shared.unanswered(&error);
                if error.down {
                    return false;
                }
            }
            // It is offered again tomorrow, and at the next start; others need not wait for it.
            Err(Failed::Server(trouble)) => tracing::error!(object, "a link could not be written back: {trouble}"),
        }
    }
    true
}

async fn of_object(
    shared: &Shared,
    who: &Who,
    change: &ChangeView,
    object: &str,
    stuck: &mut Stuck,
) -> Result<(), Failed> {
    let Some(there) = shared.server.get(who, object).await? else { return Ok(()) };
    if event_uid(&there.text).as_deref() != Some(&change.uid) {
        return Ok(());
    }
    let calendar = shared.places.calendar(who, parent(object)).await;
    let Some(calendar) = calendar.filter(|calendar| calendar.owner.account == change.account) else {
        tracing::warn!(
            object,
            account = change.account,
            "a link is not written back: this is not in the account's calendars"
        );
        return Ok(());
    };
    if shared.config.write_back == WriteBack::WithoutGuests && has_guests(&there.text) {
        tracing::info!(object, "a link came late and is not written back, because the event has guests (`write_back`)");
        return Ok(());
    }
    let Some(etag) = there.etag.clone() else { return Ok(()) };
    if stuck.get(object) == Some(&etag) {
        return Ok(());
    }
    let step = Step {
        account: change.account.clone(),
        uid: change.uid.clone(),
        object: object.to_owned(),
        calendar: calendar.told.clone(),
        calendar_name: calendar.name.clone(),
        ..Step::default()
    };
    let offered = change.icalendar.clone().filter(|_| hex(&Sha256::digest(&there.text)) == change.replaces_sha256);
    let (there, amended) = match offered {
        Some(offered) => (there, Some(offered)),
        // The server keeps texts in a form of its own: what would this one have to be?
        None => match tell_stored(shared, who, &step).await? {
            Some(told) => told,
            None => return Ok(()),
        },
    };
    let (Some(amended), Some(etag)) = (amended.filter(|amended| *amended != there.text), there.etag) else {
        return Ok(());
    };
    let status = {
        let _turn = shared.turns.link(object).await;
        shared.server.put_back(who, object, &amended, &etag).await?
    };
    if status == StatusCode::PRECONDITION_FAILED {
        // Somebody saved meanwhile, and that save has put the link in.
        return Ok(());
    }
    if !status.is_success() {
        return Err(Trouble::Refused(status).into());
    }
    if let Some((now, Some(wanted))) = tell_stored(shared, who, &step).await?
        && wanted != now.text
    {
        tracing::error!(object, "the server did not keep the link of an event as it was written");
        // The hook goes on offering it; trying again would give the same.
        if stuck.len() >= REMEMBERED {
            stuck.clear();
        }
        stuck.insert(object.to_owned(), now.etag.unwrap_or_default());
    }
    Ok(())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What an administrator should know of it.
pub(super) fn remark(config: &GatewayConfig) -> &'static str {
    match (&config.service, config.write_back) {
        (None, _) => "links that come late are put in at the next save: no `[service]` could write them back",
        (Some(_), WriteBack::All) => "links that come late are written back",
        (Some(_), WriteBack::WithoutGuests) => "links that come late are written back into events without guests",
        (Some(_), WriteBack::None) => "links that come late are put in at the next save (`write_back = \"none\"`)",
    }
}
