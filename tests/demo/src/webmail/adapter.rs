//! The user's calendar, and the adapter that tells teams-mirror of it: what any webmail needs, and nothing beyond the hook API.
//!
//! The rules are those of the API's description. A save is announced, stored, and reported. Where the API does not answer, the
//! event is stored as it is, and what is owed is told later; only that a sample keeps both in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::Digest as _;
use support::{Answer, Hook, Put};

use super::event::Fields;
use super::icalendar::Object;
use super::words::{Language, Said};

/// The longest a page waits for the hook API: a save may wait 5 seconds for a link, and that is not all of a save.
const LONGEST_CALL: Duration = Duration::from_secs(10);
/// How long a request for changes stays open. A server would take 30 seconds; but what is open holds up teams-mirror's stop, and
/// a demo is stopped often.
const POLL_SECONDS: u64 = 3;
/// How long the page after a save looks whether the event has arrived.
const A_MOMENT: Duration = Duration::from_secs(1);
/// From one try of what is owed to the next.
const AGAIN: Duration = Duration::from_millis(500);

/// An event's name in this webmail's addresses.
pub(crate) type Id = String;

/// An event that is being written and was not saved.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) object: Object,
    /// As typed; not everything that can be typed can be an event.
    pub(crate) fields: Fields,
    /// A meeting is wanted.
    pub(crate) wanted: bool,
    /// teams-mirror knows the draft.
    told: bool,
}

impl Draft {
    pub(crate) fn new(object: Object, fields: Fields) -> Self {
        Self { object, fields, wanted: false, told: false }
    }
}

#[derive(Debug, Default)]
struct Shelf {
    /// The calendar: one iCalendar text for each event.
    stored: BTreeMap<Id, String>,
    drafts: BTreeMap<Id, Draft>,
    /// What teams-mirror has to be told: the event, and the wish of the save that could not be told.
    owed: BTreeMap<Id, Option<&'static str>>,
    /// What the last answers about an event said beside its state; they say it once.
    notices: BTreeMap<Id, Vec<Value>>,
    language: Option<Language>,
    language_told: Option<Language>,
    stopping: bool,
}

/// What became of a save.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) said: Said,
    /// Why it was not taken, as teams-mirror says it.
    pub(crate) detail: Option<String>,
}

impl From<Said> for Outcome {
    fn from(said: Said) -> Self {
        Self { said, detail: None }
    }
}

/// One user's calendar, wired to the hook API.
pub(crate) struct Calendar {
    account: String,
    domain: String,
    hook: Hook,
    shelf: Mutex<Shelf>,
    /// Rung when something is owed, and at the end.
    bell: Condvar,
    /// Held while an event's calls are under way, so that they arrive in the order of the user's clicks.
    turn: Mutex<()>,
}

impl Calendar {
    /// An empty calendar; two threads watch for links that come late and tell what is owed.
    pub(crate) fn open(hook: Hook, account: &str) -> Arc<Self> {
        let domain = account.rsplit('@').next().unwrap_or_default().to_owned();
        let calendar = Arc::new(Self {
            account: account.to_owned(),
            domain,
            hook: hook.within(LONGEST_CALL),
            shelf: Mutex::default(),
            bell: Condvar::new(),
            turn: Mutex::default(),
        });
        let (watching, telling) = (Arc::clone(&calendar), Arc::clone(&calendar));
        std::thread::spawn(move || watching.watch());
        std::thread::spawn(move || telling.tell_what_is_owed());
        calendar
    }

    /// Ends its threads, as soon as the calls they are in end.
    pub(crate) fn close(&self) {
        self.shelf().stopping = true;
        self.bell.notify_all();
    }

    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    /// The language the user chose.
    pub(crate) fn language(&self) -> Option<Language> {
        self.shelf().language
    }

    pub(crate) fn choose_language(&self, language: Language) {
        self.shelf().language = Some(language);
    }

    /// How the account stands; nothing where teams-mirror does not answer. Tells it who the user is, where it does not know.
    pub(crate) fn standing(&self, language: Language) -> Option<Answer> {
        if self.shelf().language_told != Some(language) {
            let who = serde_json::json!({
                "display_name": self.account.split('@').next(), "time_zone": "Europe/Vienna", "language": language.words().tag,
            });
            let told = self.hook.put_account(&self.account, who).ok().filter(|answer| answer.status == 200)?;
            self.shelf().language_told = Some(language);
            return Some(told);
        }
        self.hook.account(&self.account).ok().filter(|answer| answer.status == 200)
    }

    /// A one-time link to the user's settings page at teams-mirror.
    pub(crate) fn settings_link(&self) -> Result<String, Option<String>> {
        let answer = self.hook.settings_link(&self.account).map_err(|_| None)?;
        match answer.status {
            200 => Ok(answer.str("url").to_owned()),
            _ => Err(Some(answer.str("detail").to_owned()).filter(|detail| !detail.is_empty())),
        }
    }

    /// How an event stands; nothing where teams-mirror does not answer or keeps nothing of it.
    pub(crate) fn event_standing(&self, id: &str) -> Option<Answer> {
        self.hook.event(&self.account, &self.uid(id)).ok().filter(|answer| answer.status == 200)
    }

    /// The same once nothing is on its way any more, or a moment is over: what was just saved is mostly there at once.
    pub(crate) fn event_settled(&self, id: &str) -> Option<Answer> {
        let end = Instant::now() + A_MOMENT;
        loop {
            let standing = self.event_standing(id);
            let on_its_way = standing.as_ref().is_some_and(|answer| answer.str("state") == "pending");
            if !on_its_way || Instant::now() >= end {
                return standing;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    pub(crate) fn stored(&self) -> Vec<(Id, Object)> {
        self.shelf().stored.iter().map(|(id, text)| (id.clone(), Object::read(text))).collect()
    }

    pub(crate) fn stored_event(&self, id: &str) -> Option<Object> {
        self.shelf().stored.get(id).map(|text| Object::read(text))
    }

    pub(crate) fn drafts(&self) -> Vec<(Id, Draft)> {
        self.shelf().drafts.iter().map(|(id, draft)| (id.clone(), draft.clone())).collect()
    }

    pub(crate) fn draft(&self, id: &str) -> Option<Draft> {
        self.shelf().drafts.get(id).cloned()
    }

    /// The UID of an event.
    pub(crate) fn uid(&self, id: &str) -> String {
        format!("{id}@{}", self.domain)
    }

    /// Keeps what was typed, and tells nobody.
    pub(crate) fn keep_draft(&self, id: &str, fields: Fields) {
        let mut shelf = self.shelf();
        let stored = shelf.stored.get(id).map(|text| Object::read(text));
        let fresh = || Draft::new(stored.unwrap_or_else(|| Object::event(&self.uid(id))), Fields::default());
        shelf.drafts.entry(id.to_owned()).or_insert_with(fresh).fields = fields;
    }

    /// "Add Teams" before saving: gets the link while the event is still being written.
    pub(crate) fn add_teams(&self, id: &str, object: Object, fields: Fields) -> Outcome {
        let _turn = self.turn();
        let mut draft = Draft { wanted: true, ..Draft::new(object, fields) };
        let put = Put { draft: true, calendar: Some(self.calendar()), ..Put::wanted() };
        let said = match self.hook.put(&self.account, &self.uid(id), &draft.object.write(), &put) {
            Ok(answer) if matches!(answer.status, 200 | 202) => {
                draft.told = true;
                self.note(id, &answer);
                draft.object = Object::read(answer.icalendar());
                draft.fields.description = draft.object.text("DESCRIPTION");
                if answer.str("join_url").is_empty() { Said::TeamsWaits } else { Said::TeamsAdded }
            }
            Ok(answer) if answer.status == 204 => Said::TeamsWaits,
            _ => Said::TeamsLate,
        };
        self.shelf().drafts.insert(id.to_owned(), draft);
        said.into()
    }

    /// Forgets what was typed, and the meeting that was made for it.
    pub(crate) fn discard(&self, id: &str) -> Outcome {
        let _turn = self.turn();
        let draft = self.shelf().drafts.remove(id);
        if draft.is_some_and(|draft| draft.told) {
            // Where this does not arrive, teams-mirror ends the draft by itself after a day.
            let _ = self.hook.discard(&self.account, &self.uid(id));
        }
        Said::Discarded.into()
    }

    /// Saves an event, whatever teams-mirror says: announces it, stores the answered text, reports that.
    pub(crate) fn save(&self, id: &str, object: &Object, meeting: Option<&'static str>) -> Outcome {
        let _turn = self.turn();
        let text = object.write();
        let meeting = meeting.or_else(|| self.shelf().owed.get(id).copied().flatten());
        // An id of our own choice, so that the save can be reported although its answer was lost.
        let change = super::random();
        let put = Put { meeting, change: Some(change.clone()), ..self.at(id) };
        let answer = self.hook.put(&self.account, &self.uid(id), &text, &put);
        let store = |text: &str| {
            let mut shelf = self.shelf();
            shelf.stored.insert(id.to_owned(), text.to_owned());
            shelf.drafts.remove(id);
            shelf.owed.remove(id);
        };
        match answer {
            Ok(answer) if matches!(answer.status, 200 | 202) => {
                store(answer.icalendar());
                self.note(id, &answer);
                match self.hook.report(&self.account, &self.uid(id), &change, "stored") {
                    Ok(report) if report.status < 500 => Said::Saved.into(),
                    _ => self.owe(id, meeting, Said::SavedLate),
                }
            }
            Ok(answer) if answer.status < 500 => {
                store(&text);
                match answer.str("detail") {
                    "" => Said::Saved.into(),
                    detail => Outcome { said: Said::SavedNotTaken, detail: Some(detail.to_owned()) },
                }
            }
            _ => {
                store(&text);
                self.owe(id, meeting, Said::SavedLate)
            }
        }
    }

    /// Deletes an event, and tells so.
    pub(crate) fn delete(&self, id: &str) -> Outcome {
        let _turn = self.turn();
        {
            let mut shelf = self.shelf();
            shelf.stored.remove(id);
            shelf.drafts.remove(id);
            shelf.owed.remove(id);
            shelf.notices.remove(id);
        }
        match self.hook.delete(&self.account, &self.uid(id), Some(&self.path(id))) {
            Ok(answer) if answer.status < 500 => Said::Deleted.into(),
            _ => self.owe(id, None, Said::DeletedLate),
        }
    }

    fn owe(&self, id: &str, meeting: Option<&'static str>, said: Said) -> Outcome {
        self.shelf().owed.insert(id.to_owned(), meeting);
        self.bell.notify_all();
        said.into()
    }

    /// What the last answers about an event had to say.
    pub(crate) fn notices(&self, id: &str) -> Vec<Value> {
        self.shelf().notices.get(id).cloned().unwrap_or_default()
    }

    fn note(&self, id: &str, answer: &Answer) {
        let said = answer.json.get("notices").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut shelf = self.shelf();
        if !answer.str("join_url").is_empty() {
            shelf.notices.remove(id);
        }
        if !said.is_empty() {
            shelf.notices.insert(id.to_owned(), said);
        }
    }

    /// Whether teams-mirror does not know the newest of an event yet.
    pub(crate) fn is_owed(&self, id: &str) -> bool {
        self.shelf().owed.contains_key(id)
    }

    fn tell_what_is_owed(&self) {
        loop {
            let ids: Vec<Id> = {
                let waited = self.bell.wait_while(self.shelf(), |shelf| shelf.owed.is_empty() && !shelf.stopping);
                let shelf = waited.unwrap_or_else(PoisonError::into_inner);
                if shelf.stopping {
                    return;
                }
                shelf.owed.keys().cloned().collect()
            };
            let left = ids.iter().filter(|id| !self.tell(id)).count();
            if left > 0 && self.pause() {
                return;
            }
        }
    }

    /// Tells how an event now stands here. Whether that is done with.
    fn tell(&self, id: &str) -> bool {
        let _turn = self.turn();
        let Some(meeting) = self.shelf().owed.get(id).copied() else { return true };
        let current = self.shelf().stored.get(id).cloned();
        let told = match &current {
            None => self.hook.delete(&self.account, &self.uid(id), Some(&self.path(id))),
            Some(text) => self.put_stored(id, text, meeting),
        };
        let Ok(answer) = told else { return false };
        if answer.status >= 500 {
            return false;
        }
        self.shelf().owed.remove(id);
        if let Some(text) = current
            && matches!(answer.status, 200 | 202)
        {
            self.write_back(id, &text, answer.icalendar());
        }
        true
    }

    fn put_stored(&self, id: &str, text: &str, meeting: Option<&'static str>) -> Result<Answer, String> {
        let put = Put { meeting, stored: true, ..self.at(id) };
        self.hook.put(&self.account, &self.uid(id), text, &put)
    }

    /// Stores an amended text where the event is still as it was, and tells so.
    fn write_back(&self, id: &str, from: &str, to: &str) {
        if from == to {
            return;
        }
        {
            let mut shelf = self.shelf();
            match shelf.stored.get_mut(id) {
                Some(stored) if stored == from => to.clone_into(stored),
                // Saved or deleted meanwhile: the next save puts the link in.
                _ => return,
            }
        }
        // Where this does not arrive the change is offered again.
        let _ = self.put_stored(id, to, None);
    }

    /// Waits for links that come late, and writes them into their events.
    fn watch(&self) {
        // Longer than the request stays open.
        let hook = self.hook.clone().within(Duration::from_secs(POLL_SECONDS) + LONGEST_CALL);
        let mut cursor = String::new();
        while !self.shelf().stopping {
            match hook.changes(&cursor, POLL_SECONDS) {
                Ok(answer) if answer.status == 200 => {
                    let changes = answer.json.get("changes").and_then(Value::as_array);
                    let mut seen = BTreeSet::new();
                    for change in changes.into_iter().flatten() {
                        let text = |name: &str| change.get(name).and_then(Value::as_str).unwrap_or_default();
                        if text("account") == self.account && seen.insert(text("uid").to_owned()) {
                            self.take_change(text("uid"), text("replaces_sha256"), text("icalendar"));
                        }
                    }
                    answer.str("cursor").clone_into(&mut cursor);
                }
                answer => {
                    // The cursor of a store that was replaced is of no use any more.
                    if answer.is_ok_and(|answer| answer.status == 410) {
                        cursor.clear();
                    }
                    if self.pause() {
                        return;
                    }
                }
            }
        }
    }

    fn take_change(&self, uid: &str, replaces: &str, amended: &str) {
        let _turn = self.turn();
        let Some(id) = uid.strip_suffix(&format!("@{}", self.domain)) else { return };
        let Some(current) = self.shelf().stored.get(id).cloned() else { return };
        let digest = sha2::Sha256::digest(current.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if !amended.is_empty() && digest == replaces {
            self.write_back(id, &current, amended);
        } else if let Ok(answer) = self.put_stored(id, &current, None)
            && matches!(answer.status, 200 | 202)
        {
            self.write_back(id, &current, answer.icalendar());
        }
    }

    /// Waits before the next try; whether the end came meanwhile.
    fn pause(&self) -> bool {
        let waited = self.bell.wait_timeout_while(self.shelf(), AGAIN, |shelf| !shelf.stopping);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }

    /// Where an event is, as every save names it.
    fn at(&self, id: &str) -> Put {
        Put { object: Some(self.path(id)), calendar: Some(self.calendar()), ..Put::default() }
    }

    fn path(&self, id: &str) -> String {
        format!("{}{id}.ics", self.calendar())
    }

    fn calendar(&self) -> String {
        format!("/{}/calendar/", self.account)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
