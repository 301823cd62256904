//! One look at one account: what is different in its calendars is told.
//!
//! What is new or changed is told first and what is gone last, over all calendars, so that a move is a move. Where the next look
//! begins is remembered only when everything before it was told; so a look that broke off is simply done again, and what it had
//! told by then is known by its ETag.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, NaiveTime, Utc};
use hyper::StatusCode;
use tokio::sync::OnceCell;

use super::memory::{AccountRow, CalendarRow, Memory, MemoryError, ObjectRow, Standing};
use crate::clock::{Clock as _, SystemClock};
use crate::doors::gateway::calendar::dav::Resource;
use crate::doors::gateway::calendar::hook::Unanswered;
use crate::doors::gateway::calendar::owner::Person;
use crate::doors::gateway::calendar::path::{collection, parent};
use crate::doors::gateway::calendar::server::{Trouble, Who};
use crate::doors::gateway::calendar::shared::Shared;
use crate::doors::gateway::calendar::xml::{CALENDARSERVER, DAV};
use crate::doors::hook::{ToldEventView, WatchedAccountView};

/// How long until everything is looked at even where nothing seems to have changed: time brings events into the window.
const WHOLE_EVERY: Duration = Duration::from_secs(24 * 3600);
/// How long something must stay gone before that much of it is believed.
const DOUBT: Duration = Duration::from_secs(3600);
/// So many events may go at once without a doubt.
const FEW: usize = 10;

const OF_CALENDARS: &str = "<D:resourcetype/><D:displayname/><D:owner/><D:sync-token/><S:getctag/>\
    <C:supported-calendar-component-set/>";

/// Why a look broke off. It is done again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Halt {
    /// The server does not say.
    #[error(transparent)]
    Server(#[from] Trouble),
    /// The hook does not answer.
    #[error(transparent)]
    Hook(#[from] Unanswered),
    /// The watcher cannot remember.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The server did not say where the account's calendars are.
    #[error(
        "the server does not say where its calendars are; it is watched once its user has come through the gateway"
    )]
    Nowhere,
    /// The service may not look there.
    #[error(
        "the service of `[service]` does not see them ({0}); the server has to let it list and read everybody's calendars"
    )]
    Hidden(StatusCode),
}

/// A calendar, as the server lists it.
pub(super) struct Listed {
    pub(super) path: String,
    pub(super) name: Option<String>,
    ctag: String,
    token: String,
}

/// Something that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) calendar: String,
    pub(super) path: String,
    pub(super) uid: String,
}

/// What the hook knew of the account's events when the look began.
pub(super) struct Known {
    pub(super) by_uid: HashMap<String, ToldEventView>,
    uid_of: HashMap<String, String>,
}

impl Known {
    fn new(events: Vec<ToldEventView>) -> Self {
        let of = |event: &ToldEventView| {
            event.objects.iter().map(|path| (path.clone(), event.uid.clone())).collect::<Vec<_>>()
        };
        let uid_of = events.iter().flat_map(of).collect();
        Self { uid_of, by_uid: events.into_iter().map(|event| (event.uid.clone(), event)).collect() }
    }

    /// The objects in a calendar, with their events, as far as these are not over for good.
    pub(super) fn in_calendar(&self, calendar: &str, now: DateTime<Utc>) -> Vec<(&String, &String)> {
        let is_over = |uid: &String| {
            let end = self.by_uid.get(uid).and_then(|event| event.last_end.as_deref());
            end.and_then(|end| DateTime::parse_from_rfc3339(end).ok()).is_some_and(|end| end < now)
        };
        self.uid_of.iter().filter(|(path, uid)| parent(path) == calendar && !is_over(uid)).collect()
    }

    /// Whether the hook keeps of an object what it was told of it.
    pub(super) fn agrees_with(&self, object: &ObjectRow) -> bool {
        let (Some(uid), Some(told)) = (&object.uid, &object.told) else { return true };
        self.by_uid
            .get(uid)
            .is_some_and(|event| event.told_sha256.as_ref() == Some(told) && event.objects.contains(&object.path))
    }

    /// The event that an object carried.
    pub(super) fn uid_of(&self, path: &str) -> Option<&String> {
        self.uid_of.get(path)
    }
}

/// One look.
pub(super) struct Look<'a> {
    pub(super) shared: &'a Shared,
    pub(super) memory: &'a Memory,
    pub(super) watched: &'a WatchedAccountView,
    pub(super) person: &'a Person,
    /// The service, for this person's calendars.
    pub(super) who: Who,
    pub(super) now: DateTime<Utc>,
    known: OnceCell<Known>,
}

impl<'a> Look<'a> {
    /// At an account, whose calendars are this person's.
    pub(super) fn new(
        shared: &'a Shared,
        memory: &'a Memory,
        watched: &'a WatchedAccountView,
        person: &'a Person,
    ) -> Result<Self, Halt> {
        let who = Who::service(shared.config.service.as_ref(), &person.user).ok_or(Halt::Nowhere)?;
        let now = DateTime::from_timestamp_millis(SystemClock.now()).unwrap_or_default();
        Ok(Self { shared, memory, watched, person, who, now, known: OnceCell::new() })
    }

    pub(super) fn account(&self) -> &'a str {
        &self.watched.account
    }

    /// What the hook knew when it was first asked in this look.
    pub(super) async fn known(&self) -> Result<&Known, Halt> {
        let ask = || async { Ok::<_, Halt>(Known::new(self.shared.hook.told(self.account(), false).await?)) };
        self.known.get_or_try_init(ask).await
    }

    /// The same, where it was asked already.
    pub(super) fn known_already(&self) -> Option<&Known> {
        self.known.get()
    }

    /// Looks.
    pub(super) async fn look(&self) -> Result<(), Halt> {
        let mut row = self.begin().await?;
        let terms = terms(self.watched);
        let now = self.now.timestamp_millis();
        let is_old = now.saturating_sub(row.whole_at) >= millis(WHOLE_EVERY) || row.whole_at > now;
        let whole = is_old || row.terms != terms || self.watched.include_older;
        let first = row.whole_at == 0;
        if whole {
            // Before the server is asked: what the gateway tells while this goes on is then known to be newer.
            self.known().await?;
        }
        let calendars = self.calendars().await?;
        let remembered = self.memory.calendars(self.account()).await?;
        let (mut gone, mut looked_at) = (Vec::new(), Vec::new());
        for calendar in &calendars {
            let before = remembered.get(&calendar.path);
            if let Some(row) = self.calendar(calendar, before, whole, first, &mut gone).await? {
                looked_at.push(row);
            }
        }
        let removed = self.removed_calendars(&calendars, &remembered, &mut gone).await?;
        if whole {
            self.never_seen(&calendars, &mut gone).await?;
        }
        if self.watched.unconfirmed > 0 {
            self.unconfirmed(&calendars, &mut gone).await?;
        }
        let nothing_left = calendars.is_empty() && !remembered.is_empty();
        let believed = self.believe(&mut row, &mut gone, nothing_left).await?;
        if believed {
            for missing in &gone {
                self.gone(missing).await?;
            }
            for calendar in &removed {
                self.memory.forget_calendar(self.account(), calendar).await?;
            }
        } else {
            looked_at.retain(|row| !gone.iter().any(|missing| missing.calendar == row.path));
        }
        for row in looked_at {
            self.memory.put_calendar(self.account(), row).await?;
        }
        if whole && believed {
            self.count_older(&calendars).await?;
            (row.terms, row.whole_at) = (terms, now);
        }
        self.memory.put_account(self.account(), row).await?;
        Ok(())
    }

    /// How it was looked at so far. Another moment of turning on is another beginning.
    async fn begin(&self) -> Result<AccountRow, Halt> {
        let turned_on = self.watched.turned_on.clone().unwrap_or_default();
        match self.memory.account(self.account()).await? {
            Some(row) if row.turned_on == turned_on => Ok(row),
            _ => {
                self.memory.forget(self.account()).await?;
                let row = AccountRow { turned_on, ..AccountRow::default() };
                self.memory.put_account(self.account(), row.clone()).await?;
                Ok(row)
            }
        }
    }

    /// The person's own calendars that may hold events.
    async fn calendars(&self) -> Result<Vec<Listed>, Halt> {
        let mut found: Vec<Listed> = Vec::new();
        for home in &self.person.homes {
            let listed = match self.shared.server.propfind(&self.who, home, 1, OF_CALENDARS).await {
                Ok(listed) => listed,
                Err(Trouble::Refused(status)) if status.is_client_error() => return Err(Halt::Hidden(status)),
                Err(trouble) => return Err(trouble.into()),
            };
            for resource in listed.resources.iter().filter(|resource| self.is_own(resource)) {
                let path = collection(&resource.path);
                if !found.iter().any(|known| known.path == path) {
                    found.push(Listed::of(resource, path));
                }
            }
        }
        Ok(found)
    }

    fn is_own(&self, resource: &Resource) -> bool {
        let owners = resource.paths(DAV, "owner");
        let principal = collection(&self.person.principal);
        let is_the_persons = owners.is_empty() || owners.iter().any(|owner| collection(owner) == principal);
        resource.is_event_calendar() && !resource.is_shared_to_me() && is_the_persons
    }

    /// What was in calendars that are not listed any more; gives those that are really gone. Only who asks in their owner's name
    /// can tell that from what is hidden; a service of its own may have lost its right to see them.
    async fn removed_calendars(
        &self,
        calendars: &[Listed],
        remembered: &HashMap<String, CalendarRow>,
        gone: &mut Vec<Missing>,
    ) -> Result<Vec<String>, Halt> {
        let listed: HashSet<&str> = calendars.iter().map(|calendar| calendar.path.as_str()).collect();
        let in_their_name = self.shared.config.service.as_ref().is_some_and(|s| s.remote_user_header.is_some());
        let mut removed = Vec::new();
        for (path, row) in remembered.iter().filter(|(path, _)| !listed.contains(path.as_str())) {
            if in_their_name && self.shared.server.is_gone(&self.who, path).await? {
                for object in self.memory.objects(self.account(), path).await?.into_values() {
                    let uid = self.uid_of(&object).await?;
                    gone.extend(uid.map(|uid| Missing { calendar: path.clone(), path: object.path, uid }));
                }
                removed.push(path.clone());
            } else if !row.ctag.is_empty() {
                // What was in it stays remembered, should it come back.
                tracing::warn!(
                    account = self.account(),
                    calendar = path,
                    "a calendar is not shown to the service of `[service]` any more; its events in Teams stay as they are"
                );
                let hidden = CalendarRow { ctag: String::new(), ..row.clone() };
                self.memory.put_calendar(self.account(), hidden).await?;
            }
        }
        Ok(removed)
    }

    /// The event that an object carried, as far as the hook may know it.
    pub(super) async fn uid_of(&self, object: &ObjectRow) -> Result<Option<String>, Halt> {
        match (object.standing, &object.uid) {
            (Standing::Told | Standing::Again, Some(uid)) => Ok(Some(uid.clone())),
            // Left alone here, and told by the gateway perhaps.
            _ => Ok(self.known().await?.uid_of(&object.path).cloned()),
        }
    }

    /// What the hook knows to be in a calendar and is not there: it was there and went between two looks, or before the first one.
    /// Of other calendars than those listed nothing is known: the service need not see them.
    async fn never_seen(&self, calendars: &[Listed], gone: &mut Vec<Missing>) -> Result<(), Halt> {
        for calendar in calendars {
            let seen = self.memory.objects(self.account(), &calendar.path).await?;
            self.add_unseen(calendar, |path| seen.contains_key(path), gone).await?;
        }
        Ok(())
    }

    /// The same of one calendar.
    pub(super) async fn add_unseen(
        &self,
        calendar: &Listed,
        is_seen: impl Fn(&str) -> bool,
        gone: &mut Vec<Missing>,
    ) -> Result<(), Halt> {
        let known = self.known().await?.in_calendar(&calendar.path, self.now - self.back());
        gone.extend(known.into_iter().filter(|(path, _)| !is_seen(path)).map(|(path, uid)| Missing {
            calendar: calendar.path.clone(),
            path: path.clone(),
            uid: uid.clone(),
        }));
        Ok(())
    }

    /// What nobody reported is looked at: the server knows whether it was stored.
    async fn unconfirmed(&self, calendars: &[Listed], gone: &mut Vec<Missing>) -> Result<(), Halt> {
        for event in self.shared.hook.told(self.account(), true).await? {
            for path in event.objects {
                let home = parent(&path).to_owned();
                let Some(calendar) = calendars.iter().find(|calendar| calendar.path == home) else { continue };
                match self.read(&path).await? {
                    Some(Some(object)) => {
                        let row = self.object(calendar, &path, "", object.text, None).await?;
                        self.memory.put_objects(self.account(), &home, vec![row]).await?;
                    }
                    Some(None) => gone.push(Missing { calendar: home, path, uid: event.uid.clone() }),
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// Whether what is gone is believed to be. A folder that is not mounted, a rights file that was lost: much of a calendar, or all
    /// calendars, seem to be gone then, and every meeting would be cancelled. So much must stay gone for a while.
    async fn believe(&self, row: &mut AccountRow, gone: &mut Vec<Missing>, nothing_left: bool) -> Result<bool, Halt> {
        let mut paths = HashSet::new();
        gone.retain(|missing| paths.insert(missing.path.clone()));
        let told = self.memory.number(self.account(), Standing::Told).await?;
        let much = gone.len() > FEW && gone.len().saturating_mul(2) > told;
        if gone.is_empty() || !(much || nothing_left) {
            row.doubted_at = None;
            return Ok(true);
        }
        let now = self.now.timestamp_millis();
        match row.doubted_at {
            Some(at) if now.saturating_sub(at) >= millis(DOUBT) => {
                row.doubted_at = None;
                Ok(true)
            }
            Some(_) => Ok(false),
            None => {
                tracing::warn!(
                    account = self.account(),
                    "{} events are gone from the server at once; they leave Teams if they stay away for an hour",
                    gone.len()
                );
                row.doubted_at = Some(now);
                Ok(false)
            }
        }
    }

    /// Tells how many coming events were left alone because they are older than the turning on.
    async fn count_older(&self, calendars: &[Listed]) -> Result<(), Halt> {
        let mut count: usize = 0;
        for calendar in calendars {
            let objects = self.memory.objects(self.account(), &calendar.path).await?;
            let older: Vec<_> = objects.values().filter(|object| object.standing == Standing::Older).collect();
            if older.is_empty() {
                continue;
            }
            let coming = self.within(calendar, self.now).await?;
            let is_coming = |object: &&&ObjectRow| coming.as_ref().is_none_or(|coming| coming.contains(&object.path));
            count = count.saturating_add(older.iter().filter(is_coming).count());
        }
        let told = self.shared.hook.older(self.account(), count, self.watched.include_older).await?;
        if !told.is_taken() {
            tracing::warn!(account = self.account(), "the hook was not told of older events: {}", told.sentence());
        }
        Ok(())
    }

    /// The paths of a calendar's events from an instant to the end of the window; `None`: the server cannot say.
    pub(super) async fn within(&self, calendar: &Listed, from: DateTime<Utc>) -> Result<Option<HashSet<String>>, Halt> {
        let until = self.now + self.ahead();
        if until <= from {
            return Ok(Some(HashSet::new()));
        }
        match self.shared.server.within(&self.who, &calendar.path, from, until).await {
            Ok(paths) => Ok(Some(paths)),
            Err(Trouble::Refused(status)) if status.is_client_error() || status == 501 => {
                tracing::debug!(calendar = calendar.path, %status, "the server does not say what is when; all counts");
                Ok(None)
            }
            Err(trouble) => Err(trouble.into()),
        }
    }

    pub(super) fn back(&self) -> Duration {
        Duration::from_secs(self.watched.back_seconds)
    }

    fn ahead(&self) -> Duration {
        Duration::from_secs(self.watched.ahead_seconds)
    }

    /// From when on events count that are older than the turning on; `None`: they do not.
    pub(super) fn older_from(&self) -> Option<DateTime<Utc>> {
        let window = self.now - self.back();
        let by_setting = self.watched.since.as_deref().and_then(|since| match since.parse::<chrono::NaiveDate>() {
            Ok(date) => Some(window.max(date.and_time(NaiveTime::MIN).and_utc())),
            Err(_) => (since == "all").then_some(window),
        });
        let by_user = self.watched.include_older.then_some(self.now);
        match (by_setting, by_user) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Whether something was last modified after the turning on; a server that tells no date says nothing.
    pub(super) fn is_newer(&self, modified: Option<i64>) -> bool {
        let turned_on = self.watched.turned_on.as_deref().and_then(|at| DateTime::parse_from_rfc3339(at).ok());
        // HTTP dates are whole seconds: what is of that very second may be older, and is left alone.
        modified.zip(turned_on).is_some_and(|(modified, at)| modified >= at.timestamp_millis())
    }
}

impl Listed {
    fn of(resource: &Resource, path: String) -> Self {
        let text = |namespace, name| resource.text(namespace, name).unwrap_or_default().to_owned();
        Self {
            path,
            name: resource.text(DAV, "displayname").map(str::to_owned),
            ctag: text(CALENDARSERVER, "getctag"),
            token: text(DAV, "sync-token"),
        }
    }

    /// Whether the server can say what changed (RFC 6578 §4: such a collection has a token).
    pub(super) fn can_sync(&self) -> bool {
        !self.token.is_empty()
    }

    /// Whether nothing changed since.
    pub(super) fn is_as(&self, before: &CalendarRow) -> bool {
        let same = |now: &str, then: &str| !now.is_empty() && now == then;
        same(&self.ctag, &before.ctag) || same(&self.token, &before.token)
    }

    /// To be remembered, with where the next question begins.
    pub(super) fn remembered(&self, token: String) -> CalendarRow {
        CalendarRow { path: self.path.clone(), ctag: self.ctag.clone(), token }
    }
}

/// The settings by which it is decided what is told; others make another look necessary.
fn terms(watched: &WatchedAccountView) -> String {
    format!("{} {} {:?} {}", watched.back_seconds, watched.ahead_seconds, watched.since, watched.usable)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
