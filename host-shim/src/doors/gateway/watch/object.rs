//! One object: what it holds is compared with what was last told, and told where it differs.
//!
//! The gateway tells what passes through it at the same time. So nothing is told from a text that was read before it was known what
//! was told last, and the hook takes it only if that is still so; see `told` of the hook API.

use sha2::{Digest as _, Sha256};

use super::account::{Halt, Listed, Look, Missing};
use super::memory::{ObjectRow, Standing};
use crate::doors::gateway::calendar::hook::Event;
use crate::doors::gateway::calendar::peek;
use crate::doors::gateway::calendar::server::{Object, Trouble};
use crate::doors::hook::EventView;

/// How often a text is read again because something else was told meanwhile; somebody is editing it, and the next look will do.
const TRIES: usize = 3;

/// What somebody else tells of a text at the same time.
const TOLD_MEANWHILE: &str = "told-meanwhile";

impl Look<'_> {
    /// Looks at an object that was just read; gives how it stands now. Nothing is changed in Teams where it is as it was told.
    pub(super) async fn object(
        &self,
        calendar: &Listed,
        path: &str,
        etag: &str,
        text: String,
        before: Option<&ObjectRow>,
    ) -> Result<ObjectRow, Halt> {
        let uid = peek::event_uid(&text);
        let (standing, told) = match &uid {
            Some(uid) => self.event(calendar, path, uid, text).await?,
            None => (Standing::Told, None),
        };
        if let Some(old) = before.and_then(|before| before.uid.as_ref()).filter(|old| uid.as_ref() != Some(*old)) {
            self.overwritten(path, old).await?;
        }
        Ok(ObjectRow { path: path.into(), etag: etag.into(), uid, told, standing })
    }

    /// How an event stands after it was looked at, and the SHA-256 of the text that the hook keeps of it.
    async fn event(
        &self,
        calendar: &Listed,
        path: &str,
        uid: &str,
        mut text: String,
    ) -> Result<(Standing, Option<String>), Halt> {
        let told = sha256(&text);
        let known = self.known_already().and_then(|known| known.by_uid.get(uid));
        if known.is_some_and(|known| !known.unconfirmed && carries(&known.told_sha256, &known.objects, &told, path)) {
            return Ok((Standing::Told, Some(told)));
        }
        let event = Event { account: self.account(), uid, object: Some(path) };
        for _ in 0..TRIES {
            let stands = self.shared.hook.event(event).await?;
            if is_told(stands.as_ref(), &sha256(&text), path) {
                return Ok((Standing::Told, Some(sha256(&text))));
            }
            if !self.watched.usable && stands.is_none() {
                return Ok((Standing::Later, None));
            }
            // Read after it was known what was told last.
            match self.read(path).await? {
                Some(Some(object)) if peek::event_uid(&object.text).as_deref() == Some(uid) => text = object.text,
                _ => return Ok((Standing::Again, None)),
            }
            let told = sha256(&text);
            if is_told(stands.as_ref(), &told, path) {
                return Ok((Standing::Told, Some(told)));
            }
            let before = stands.as_ref().and_then(|stands| stands.told_sha256.as_deref());
            let names = (calendar.path.as_str(), calendar.name.as_deref());
            let answer = self.shared.hook.tell_if(event, text.clone().into(), names, before).await?;
            match answer.status.as_u16() {
                409 if answer.code() == TOLD_MEANWHILE => {}
                // Turned off, or not allowed any more, since the accounts were asked for.
                204 => return Ok((Standing::Later, None)),
                _ if answer.is_taken() => {
                    tracing::debug!(account = self.account(), object = path, "told what was written past the gateway");
                    return Ok((Standing::Told, answer.is_recorded().then_some(told)));
                }
                _ => {
                    self.shared.refused(path, &answer);
                    return Ok((Standing::Told, None));
                }
            }
        }
        Ok((Standing::Again, None))
    }

    /// An object holds something else than this event now.
    async fn overwritten(&self, path: &str, old: &str) -> Result<(), Halt> {
        let event = Event { account: self.account(), uid: old, object: Some(path) };
        let Some(told) = self.told_there(event).await? else { return Ok(()) };
        // Whoever put the event back under this path in this moment has told so.
        self.shared.hook.gone_if(event, &told).await?;
        Ok(())
    }

    /// Tells that an object is gone, if it is.
    pub(super) async fn gone(&self, missing: &Missing) -> Result<(), Halt> {
        let event = Event { account: self.account(), uid: &missing.uid, object: Some(&missing.path) };
        let again = || ObjectRow {
            path: missing.path.clone(),
            etag: String::new(),
            uid: Some(missing.uid.clone()),
            told: None,
            standing: Standing::Again,
        };
        if let Some(told) = self.told_there(event).await? {
            // Looked at after it was known what was told last.
            let is_gone = self.shared.server.is_gone(&self.who, &missing.path).await?;
            let answer = if is_gone { Some(self.shared.hook.gone_if(event, &told).await?) } else { None };
            match answer {
                Some(answer) if answer.code() != TOLD_MEANWHILE => {
                    if answer.is_taken() {
                        tracing::debug!(
                            account = self.account(),
                            object = missing.path,
                            "told what was deleted past the gateway"
                        );
                    } else {
                        self.shared.refused(&missing.path, &answer);
                    }
                }
                // It is there, or somebody says so.
                _ => {
                    self.memory.put_objects(self.account(), &missing.calendar, vec![again()]).await?;
                    return Ok(());
                }
            }
        }
        self.memory.forget_objects(self.account(), vec![missing.path.clone()]).await?;
        Ok(())
    }

    /// What was last told of an event, where this object carries it as far as the hook knows.
    async fn told_there(&self, event: Event<'_>) -> Result<Option<String>, Halt> {
        let stands = self.shared.hook.event(event).await?;
        let there = stands.filter(|stands| stands.objects.iter().any(|object| Some(object.as_str()) == event.object));
        Ok(there.and_then(|stands| stands.told_sha256))
    }

    /// Reads an object: `Some(None)`: there is none; `None`: it may not, or cannot, be read.
    pub(super) async fn read(&self, path: &str) -> Result<Option<Option<Object>>, Halt> {
        match self.shared.server.get(&self.who, path).await {
            Ok(object) => Ok(Some(object)),
            Err(Trouble::Refused(status)) if status.is_client_error() => Ok(None),
            Err(Trouble::Strange(why)) => {
                tracing::debug!(object = path, why, "an object is not read");
                Ok(None)
            }
            Err(trouble) => {
                // Larger than anything the hook takes, perhaps; a server that answers about it is not down.
                if self.shared.server.is_gone(&self.who, path).await? {
                    return Ok(Some(None));
                }
                tracing::warn!(object = path, "an event cannot be read and is not told: {trouble}");
                Ok(None)
            }
        }
    }
}

fn is_told(stands: Option<&EventView>, told: &str, path: &str) -> bool {
    stands.is_some_and(|stands| !stands.unconfirmed && carries(&stands.told_sha256, &stands.objects, told, path))
}

/// Whether an event was told with this text, and under this path.
fn carries(told_sha256: &Option<String>, objects: &[String], told: &str, path: &str) -> bool {
    told_sha256.as_deref() == Some(told) && objects.iter().any(|object| object == path)
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|octet| format!("{octet:02x}")).collect()
}
