//! One calendar: what changed in it since the last look, and which of that is to be told.

use std::collections::{HashMap, HashSet};

use hyper::StatusCode;

use super::account::{Halt, Listed, Look, Missing};
use super::memory::{CalendarRow, ObjectRow, Standing};
use crate::doors::gateway::calendar::server::Trouble;
use crate::doors::gateway::calendar::server::listing::{Delta, Entry};

/// Texts read at once: as many as are told before it is remembered that they were.
const CHUNK: usize = 20;

impl Look<'_> {
    /// Looks at a calendar. `before`: where the last look ended; `whole`: also at what is not known to have changed; `first`:
    /// the account was never looked at to the end, so what there is may be older than the turning on. What is gone is left to the
    /// caller; gives where the next look begins, if it is anywhere else.
    pub(super) async fn calendar(
        &self,
        calendar: &Listed,
        before: Option<&CalendarRow>,
        whole: bool,
        first: bool,
        gone: &mut Vec<Missing>,
    ) -> Result<Option<CalendarRow>, Halt> {
        let unchanged = before.is_some_and(|before| calendar.is_as(before));
        let objects = self.memory.objects(self.account(), &calendar.path).await?;
        let mut look: Vec<Entry> = objects.values().filter(|row| row.standing == Standing::Again).map(entry).collect();
        if unchanged && look.is_empty() && !whole {
            return Ok(None);
        }
        let found = if unchanged { None } else { Some(self.delta(calendar, before, &objects).await?) };
        let (delta, is_listing) = found.map_or((None, false), |(delta, is_listing)| (Some(delta), is_listing));
        let (mut leave, mut unsure, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for changed in delta.iter().flat_map(|delta| &delta.changed) {
            match objects.get(&changed.path) {
                Some(row) if row.etag == changed.etag && !changed.etag.is_empty() => {}
                Some(row) if matches!(row.standing, Standing::Told | Standing::Again) => {
                    look.retain(|again| again.path != changed.path);
                    look.push(changed.clone());
                }
                None if first && before.is_none() => {
                    if self.known().await?.uid_of(&changed.path).is_some() {
                        look.push(changed.clone());
                    } else if self.is_newer(changed.modified) {
                        unsure.push(changed.clone());
                    } else {
                        leave.push(left(changed, Standing::Older));
                    }
                }
                _ => unsure.push(changed.clone()),
            }
        }
        if whole {
            // What is left now, too, of an earlier look that broke off.
            let stays = |path: &str| !unsure.iter().any(|entry: &Entry| entry.path == path);
            let later = objects.values().filter(|row| row.standing == Standing::Later && stays(&row.path));
            waiting.extend(later.map(entry));
            // What the hook lost, with its store perhaps, or was told otherwise.
            let known = self.known().await?;
            let differs = objects.values().filter(|row| row.standing == Standing::Told && !known.agrees_with(row));
            let differs: Vec<Entry> =
                differs.map(entry).filter(|entry| !look.iter().any(|l| l.path == entry.path)).collect();
            look.extend(differs);
        }
        if !(unsure.is_empty() && waiting.is_empty()) {
            let window = self.within(calendar, self.now - self.back()).await?;
            let is_in = |path: &str| window.as_ref().is_none_or(|window| window.contains(path));
            look.extend(waiting.into_iter().filter(|entry| is_in(&entry.path)));
            for entry in unsure {
                if is_in(&entry.path) || self.known().await?.uid_of(&entry.path).is_some() {
                    look.push(entry);
                } else {
                    leave.push(left(&entry, Standing::Later));
                }
            }
        }
        self.memory.put_objects(self.account(), &calendar.path, leave).await?;
        if whole {
            self.add_older(calendar, &mut look).await?;
        }
        self.look_at(calendar, look, &objects).await?;
        let Some(delta) = delta else { return Ok(None) };
        self.collect_gone(calendar, &delta, &objects, gone).await?;
        if is_listing {
            let there: HashSet<&str> = delta.changed.iter().map(|entry| entry.path.as_str()).collect();
            let is_seen = |path: &str| there.contains(path) || objects.contains_key(path);
            self.add_unseen(calendar, is_seen, gone).await?;
        }
        Ok(Some(calendar.remembered(delta.token)))
    }

    /// What is different since the last look, and whether that comes from a list of all there is.
    async fn delta(
        &self,
        calendar: &Listed,
        before: Option<&CalendarRow>,
        objects: &HashMap<String, ObjectRow>,
    ) -> Result<(Delta, bool), Halt> {
        let server = &self.shared.server;
        if let Some(token) = before.map(|before| before.token.as_str()).filter(|token| !token.is_empty()) {
            match server.changes(&self.who, &calendar.path, token).await {
                Ok(delta) => return Ok((delta, false)),
                Err(trouble) if cannot_say(&trouble) => {
                    tracing::debug!(
                        calendar = calendar.path,
                        %trouble,
                        "the server does not know any more what it said last; the whole calendar is compared"
                    );
                }
                Err(trouble) => return Err(trouble.into()),
            }
        }
        let listed = if calendar.can_sync() { Some(server.changes(&self.who, &calendar.path, "").await) } else { None };
        let mut delta = match listed {
            Some(Ok(delta)) => Delta { gone: Vec::new(), ..delta },
            Some(Err(trouble)) if !cannot_say(&trouble) => return Err(trouble.into()),
            // The next question begins nowhere: then, too, everything is listed.
            _ => Delta { changed: server.members(&self.who, &calendar.path).await?, ..Delta::default() },
        };
        let there: HashSet<&str> = delta.changed.iter().map(|entry| entry.path.as_str()).collect();
        delta.gone = objects.keys().filter(|path| !there.contains(path.as_str())).cloned().collect();
        Ok((delta, true))
    }

    /// Adds what is older than the turning on, as far as that is wanted.
    async fn add_older(&self, calendar: &Listed, look: &mut Vec<Entry>) -> Result<(), Halt> {
        let Some(from) = self.older_from() else { return Ok(()) };
        let objects = self.memory.objects(self.account(), &calendar.path).await?;
        let mut older: Vec<_> = objects.values().filter(|row| row.standing == Standing::Older).collect();
        if older.is_empty() {
            return Ok(());
        }
        if let Some(wanted) = self.within(calendar, from).await? {
            older.retain(|row| wanted.contains(&row.path));
        }
        look.extend(older.into_iter().map(entry));
        Ok(())
    }

    /// Reads the texts and tells what differs.
    async fn look_at(
        &self,
        calendar: &Listed,
        look: Vec<Entry>,
        before: &HashMap<String, ObjectRow>,
    ) -> Result<(), Halt> {
        for chunk in look.chunks(CHUNK) {
            let paths: Vec<String> = chunk.iter().map(|entry| entry.path.clone()).collect();
            let mut texts: HashMap<String, String> =
                match self.shared.server.texts(&self.who, &calendar.path, &paths).await {
                    Ok(held) => held.into_iter().filter_map(|held| Some((held.path, held.text?))).collect(),
                    // Too much at once, perhaps; one by one it shows.
                    Err(_) => HashMap::new(),
                };
            let mut rows = Vec::new();
            let mut told = Ok(());
            for entry in chunk {
                let row = before.get(&entry.path);
                match self.entry(calendar, entry, texts.remove(&entry.path), row).await {
                    Ok(row) => rows.extend(row),
                    Err(halt) => {
                        told = Err(halt);
                        break;
                    }
                }
            }
            self.memory.put_objects(self.account(), &calendar.path, rows).await?;
            told?;
        }
        Ok(())
    }

    async fn entry(
        &self,
        calendar: &Listed,
        entry: &Entry,
        text: Option<String>,
        before: Option<&ObjectRow>,
    ) -> Result<Option<ObjectRow>, Halt> {
        let text = match text {
            Some(text) => text,
            None => match self.read(&entry.path).await? {
                Some(Some(object)) => object.text,
                // Gone meanwhile: the next look is told so, if it is remembered.
                Some(None) => {
                    let uid = before.and_then(|before| before.uid.clone());
                    return Ok(Some(ObjectRow { uid, ..left(entry, Standing::Again) }));
                }
                None => return Ok(Some(left(entry, Standing::Told))),
            },
        };
        self.object(calendar, &entry.path, &entry.etag, text, before).await.map(Some)
    }

    /// What the hook has to be told is gone; what it never heard of is forgotten.
    async fn collect_gone(
        &self,
        calendar: &Listed,
        delta: &Delta,
        objects: &HashMap<String, ObjectRow>,
        gone: &mut Vec<Missing>,
    ) -> Result<(), Halt> {
        let mut forget = Vec::new();
        for path in &delta.gone {
            let uid = match objects.get(path) {
                Some(row) => self.uid_of(row).await?,
                None => self.known().await?.uid_of(path).cloned(),
            };
            match uid {
                Some(uid) => gone.push(Missing { calendar: calendar.path.clone(), path: path.clone(), uid }),
                None => forget.push(path.clone()),
            }
        }
        self.memory.forget_objects(self.account(), forget).await?;
        Ok(())
    }
}

/// Whether the server cannot say what changed, now or never, while it answers other questions.
fn cannot_say(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Refused(status) => {
            status.is_client_error() && !matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS)
                || *status == StatusCode::NOT_IMPLEMENTED
                || *status == StatusCode::INSUFFICIENT_STORAGE
        }
        Trouble::Strange(_) => true,
        Trouble::Unreachable(_) => false,
    }
}

fn entry(row: &ObjectRow) -> Entry {
    Entry { path: row.path.clone(), etag: row.etag.clone(), modified: None }
}

fn left(entry: &Entry, standing: Standing) -> ObjectRow {
    ObjectRow { path: entry.path.clone(), etag: entry.etag.clone(), uid: None, told: None, standing }
}
