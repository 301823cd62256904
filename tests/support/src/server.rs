//! A calendar server in miniature, with an adapter that does what the API's description asks for.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::Digest as _;

use crate::hook::{Answer, Hook, Put};

/// One user's calendar, and the hook API it is wired to.
#[derive(Debug)]
pub struct Server {
    hook: Hook,
    account: String,
    /// Path → text, as stored.
    pub objects: BTreeMap<String, String>,
    cursor: String,
    /// What the server makes of a text it stores; most keep it as it is.
    pub keeps_as: fn(&str) -> String,
}

impl Server {
    /// An empty calendar of an account.
    pub fn new(hook: Hook, account: &str) -> Self {
        Self { hook, account: account.into(), objects: BTreeMap::new(), cursor: String::new(), keeps_as: str::to_owned }
    }

    /// The path an event is stored under.
    pub fn path(uid: &str) -> String {
        format!("/calendar/{uid}.ics")
    }

    /// A save, both beats: announces, stores what it was answered, reports.
    ///
    /// # Errors
    /// Where the API does not answer as described.
    pub fn save(&mut self, uid: &str, text: &str, put: &Put) -> Result<Answer, String> {
        let object = Self::path(uid);
        let put = Put { object: Some(object.clone()), ..put.clone() };
        let answer = self.hook.put(&self.account, uid, text, &put)?;
        match answer.status {
            200 | 202 => {
                self.objects.insert(object, (self.keeps_as)(answer.icalendar()));
                let report = self.hook.report(&self.account, uid, answer.str("change"), "stored")?;
                if !matches!(report.status, 200 | 204) {
                    return Err(format!("the report was answered {}: {}", report.status, report.text));
                }
            }
            _ => {
                self.objects.insert(object, text.to_owned());
            }
        }
        Ok(answer)
    }

    /// A save that the server refuses after the first beat.
    ///
    /// # Errors
    /// Where the API does not answer.
    pub fn refused_save(&mut self, uid: &str, text: &str, put: &Put) -> Result<Answer, String> {
        let put = Put { object: Some(Self::path(uid)), ..put.clone() };
        let answer = self.hook.put(&self.account, uid, text, &put)?;
        self.hook.report(&self.account, uid, answer.str("change"), "refused")?;
        Ok(answer)
    }

    /// A user deletes the event.
    ///
    /// # Errors
    /// Where the API does not answer.
    pub fn delete(&mut self, uid: &str) -> Result<Answer, String> {
        let object = Self::path(uid);
        self.objects.remove(&object);
        self.hook.delete(&self.account, uid, Some(&object))
    }

    /// What is stored of an event.
    pub fn stored(&self, uid: &str) -> String {
        self.objects.get(&Self::path(uid)).cloned().unwrap_or_default()
    }

    /// Fetches texts to write back, waits up to `wait` seconds for the first, and writes them back as an adapter should:
    /// the offered text only over the one it replaces, otherwise what its own text is answered with. Gives how many were written.
    ///
    /// # Errors
    /// Where the API does not answer as described.
    pub fn write_back(&mut self, wait: u64) -> Result<usize, String> {
        let answer = self.hook.changes(&self.cursor, wait)?;
        let changes = answer.json.get("changes").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |change: &Value, name: &str| change.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut written = 0;
        for change in changes {
            if text(&change, "account").as_deref() != Some(&self.account) {
                continue;
            }
            let uid = text(&change, "uid").unwrap_or_default();
            let object = Self::path(&uid);
            let Some(current) = self.objects.get(&object).cloned() else { continue };
            let current = &current;
            let digest: String =
                sha2::Sha256::digest(current.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            let put = Put { object: Some(object.clone()), stored: true, ..Put::default() };
            let amended = match text(&change, "icalendar") {
                Some(amended) if text(&change, "replaces_sha256").as_deref() == Some(&digest) => amended,
                _ => self.hook.put(&self.account, &uid, current, &put)?.icalendar().to_owned(),
            };
            if amended == *current {
                continue;
            }
            // A server that keeps texts in a form of its own.
            let kept = (self.keeps_as)(&amended);
            self.objects.insert(object, kept.clone());
            self.hook.put(&self.account, &uid, &kept, &put)?;
            written += 1;
        }
        self.cursor = answer.str("cursor").to_owned();
        Ok(written)
    }
}
