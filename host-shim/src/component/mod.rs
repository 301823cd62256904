//! Loads a calendar extension, a WASI component, and calls it within limits.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`types`] | what crosses the border, in plain Rust |
//! | `v0_1` | the same in version 0.1 of the contract: bindings and conversions |
//! | `engine`, `gate` | the machine, its ticker, how many calls run at a time |
//! | [`limits`](Limits), `call` | how much a call may use, and the account kept of it |
//! | `imports`, `random` | what a component may import |
//! | `http_client`, `mirror_record`, `log` | one file per interface it is given |
//! | `cache` | compiled components, kept between starts |
//!
//! Every call gets an instance of its own, so nothing one call leaves behind is there for the next, which may be for another
//! account. Whatever a component does in a call, it costs that one call.

mod cache;
mod call;
mod engine;
mod gate;
mod http_client;
mod imports;
mod limits;
mod log;
mod mirror_record;
mod random;
mod recorder;
#[cfg(test)]
mod test_guest;
#[cfg(test)]
mod tests;
pub mod types;
mod v0_1;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, Store};

use call::{About, Call};
use gate::{Gate, Purpose};
pub use http_client::{ANSWER_HEADERS, MAX_ANSWER_BODY, MAX_REQUEST_BODY, check_path};
pub use limits::Limits;
pub use recorder::Recorder;
use recorder::Recording;
use types::{
    Account, CalendarObject, Context, Description, History, HookError, HttpError, Intent, Outcome, Prepared, Problem,
    Report, Request, Response, Wish,
};

/// The extension this program carries in itself.
static EMBEDDED: &[u8] = include_bytes!(env!("TEAMS_MIRROR_EMBEDDED"));

/// Facts about a mailbox are a few words.
const MOST_FACTS: usize = 64 << 10;

/// Where a component comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The one this program carries in itself.
    Embedded,
    /// A file.
    File(&'a Path),
    /// A component in memory.
    Bytes(&'a [u8]),
}

/// Why a component cannot be used. Each text says what was found and what would do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read the extension `{path}`: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's reason.
        why: String,
    },
    /// It is no component, or a broken one.
    #[error("the extension is no WebAssembly component this host can compile: {0}")]
    NotAComponent(String),
    /// It imports what no extension is given.
    #[error(
        "the extension imports `{}`, which this host gives to none; it may import `calendar-mirror:extension` 0.1.0 and, because \
         standard libraries do, `wasi:cli`, `wasi:io` and `wasi:random` 0.2", .0.join("`, `")
    )]
    ForeignImports(Vec<String>),
    /// Its imports or exports are not those of the contract.
    #[error("the extension is not one for `calendar-mirror:extension` 0.1.0: {0}")]
    WrongWorld(String),
    /// It cannot say what it is.
    #[error("the extension failed when asked what it is: {0}")]
    Mute(CallError),
    /// What it says of itself cannot be.
    #[error("the extension's description of itself is wrong: {0}")]
    BadDescription(String),
    /// This machine cannot run extensions.
    #[error("cannot run extensions here: {0}")]
    Engine(String),
}

/// Why a call came to no answer. It cost that one call; the next finds everything as new.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The extension failed: a panic, an exhausted stack, an import it has not been given.
    #[error("the extension failed: {0}")]
    Trap(String),
    /// It ran for longer than it may.
    #[error("the extension was stopped: it ran for more than {} ms of its own time", .0.as_millis())]
    OutOfTime(Duration),
    /// It wanted more memory than it may have.
    #[error("the extension was stopped: it wanted more than {} MiB of memory", .0 >> 20)]
    OutOfMemory(usize),
    /// It went on although the hook's time was over.
    #[error("the extension was stopped: it went on after the time of the hook was over")]
    HookDeadline,
    /// It did not keep to the contract.
    #[error("the extension does not keep to its contract: {0}")]
    Broken(String),
    /// It was not called: it does not read the record of this event.
    #[error(
        "the extension reads no records of this event's format ({found}); it reads {reads:?}. Another version of it wrote them"
    )]
    UnreadableRecord {
        /// The format, or what is wrong with the record.
        found: String,
        /// The formats the extension declares.
        reads: Vec<u16>,
    },
}

/// What the embedder supplies for one call. It has bound account and event before the call begins.
pub trait Services: Send {
    /// Sends a request, with the account's credential attached, and waits for the answer, until `deadline` at the latest.
    ///
    /// The request has been checked but for one thing: an absolute URL in its path must be held against the service's base.
    fn send(&mut self, request: Request, deadline: Instant) -> Result<Response, HttpError>;

    /// Replaces the record of the event; returns when that is on disk.
    fn save(&mut self, mirrored: Option<Vec<u8>>) -> Result<(), String>;
}

/// What `prepare` is given.
#[derive(Debug, Clone, Copy)]
pub struct PrepareCall<'a> {
    /// Whose save.
    pub account: &'a Account,
    /// The text, as it came in.
    pub object: &'a CalendarObject,
    /// The record, where there is one.
    pub mirrored: Option<&'a [u8]>,
    /// What the call said about a meeting.
    pub wish: Wish,
    /// What is known of earlier saves.
    pub history: History,
    /// The event is not saved yet.
    pub draft: bool,
    /// The time now.
    pub now_ms: i64,
}

/// A loaded extension. Calls may be made from any number of threads; each needs about 2 MiB of stack.
pub struct Extension {
    engine: Engine,
    linked: v0_1::Linked,
    gate: Gate,
    about: Arc<About>,
    description: Description,
    digest: String,
    imports: Vec<String>,
    from_cache: bool,
    recording: Recording,
}

impl std::fmt::Debug for Extension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extension")
            .field("name", &self.description.name)
            .field("version", &self.description.version)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Extension {
    /// Loads a component: checks what it imports, compiles it or takes it compiled from `cache_dir`, asks it what it is.
    pub fn load(source: Source<'_>, cache_dir: Option<&Path>, limits: Limits) -> Result<Self, LoadError> {
        let read;
        let binary = match source {
            Source::Embedded => EMBEDDED,
            Source::Bytes(bytes) => bytes,
            Source::File(path) => {
                read = std::fs::read(path).map_err(|error| LoadError::Unreadable {
                    path: path.display().to_string(),
                    why: error.to_string(),
                })?;
                &read
            }
        };
        let digest = hexadecimal(&Sha256::digest(binary));
        let engine = engine::new(&limits)?;
        let (component, from_cache) = cache::load(&engine, binary, &digest, cache_dir)?;
        let imports = imports::names(&engine, &component);
        let linked = imports::link(&engine, &component)?
            .instantiate_pre(&component)
            .and_then(v0_1::Linked::new)
            .map_err(|error| LoadError::WrongWorld(format!("{error:#}")))?;
        let mut extension = Self {
            engine,
            linked,
            gate: Gate::new(limits.calls),
            description: Description::default(),
            about: Arc::new(About { limits: limits.clone(), description: None }),
            digest,
            imports,
            from_cache,
            recording: Recording::default(),
        };
        let description =
            extension.run("describe", None, |instance, store| instance.describe(store)).map_err(LoadError::Mute)?;
        check_description(&description).map_err(LoadError::BadDescription)?;
        extension.about = Arc::new(About { limits, description: Some(description.clone()) });
        extension.description = description;
        Ok(extension)
    }

    /// Gives a copy of everything that crosses into the extension to `recorder`.
    #[must_use]
    pub fn with_recorder(mut self, recorder: Recorder) -> Self {
        self.recording = Recording(Some(recorder));
        self
    }

    /// What the extension says of itself; asked once, when it was loaded.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// SHA-256 of the component, in hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What the component imports, by full name, sorted.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Whether it was taken compiled from the cache.
    pub fn is_from_cache(&self) -> bool {
        self.from_cache
    }

    /// Reads a text, decides what it means and gives back the text to store. The extension can reach nothing meanwhile.
    pub fn prepare(&self, call: &PrepareCall<'_>) -> Result<Result<Prepared, Problem>, CallError> {
        if let Some(record) = call.mirrored {
            self.check_readable(record)?;
            self.recording.bytes("prepare: mirrored", record);
        }
        self.recording.value("prepare: account", call.account);
        self.recording.value("prepare: object", call.object);
        self.recording.value("prepare: the rest", &(call.wish, call.history, call.draft, call.now_ms));
        self.run("prepare", None, |instance, store| instance.prepare(store, call))
    }

    /// Asks what the account's mailbox can do. Nothing is saved meanwhile, whatever the extension asks for.
    pub fn inspect(
        &self,
        account: &Account,
        now_ms: i64,
        services: &mut dyn Services,
    ) -> Result<Result<Report, HookError>, CallError> {
        self.recording.value("inspect: account", account);
        self.recording.value("inspect: now-ms", &now_ms);
        let mut services = mirror_record::NoEvent(services);
        let answer =
            self.run("inspect", Some(&mut services), |instance, store| instance.inspect(store, account, now_ms))?;
        match &answer {
            Ok(report) if report.facts.len() > MOST_FACTS => {
                Err(CallError::Broken(format!("facts about a mailbox may have {MOST_FACTS} bytes")))
            }
            _ => Ok(answer),
        }
    }

    /// The event stands in the calendar and there is no record of it.
    pub fn on_create(
        &self,
        context: &Context,
        object: &CalendarObject,
        intent: Intent,
        services: &mut dyn Services,
    ) -> Result<Result<Outcome, HookError>, CallError> {
        self.record_event("on-create", context, object, Some(intent), None);
        let answer = self
            .run("on-create", Some(services), |instance, store| instance.on_create(store, context, object, intent))?;
        self.check_outcome(answer)
    }

    /// The event stands in the calendar and there is a record, of an event or of one that was on its way.
    pub fn on_update(
        &self,
        context: &Context,
        object: &CalendarObject,
        intent: Intent,
        mirrored: &[u8],
        services: &mut dyn Services,
    ) -> Result<Result<Outcome, HookError>, CallError> {
        self.check_readable(mirrored)?;
        self.record_event("on-update", context, object, Some(intent), Some(mirrored));
        let answer = self.run("on-update", Some(services), |instance, store| {
            instance.on_update(store, context, object, intent, mirrored)
        })?;
        self.check_outcome(answer)
    }

    /// The event is gone from the calendar, and there is a record.
    pub fn on_delete(
        &self,
        context: &Context,
        object: &CalendarObject,
        mirrored: &[u8],
        services: &mut dyn Services,
    ) -> Result<Result<(), HookError>, CallError> {
        self.check_readable(mirrored)?;
        self.record_event("on-delete", context, object, None, Some(mirrored));
        self.run("on-delete", Some(services), |instance, store| instance.on_delete(store, context, object, mirrored))
    }

    /// One call, in an instance of its own.
    fn run<T>(
        &self,
        item: &'static str,
        services: Option<&mut dyn Services>,
        body: impl FnOnce(&v0_1::Instance, &mut Store<Call>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        let purpose = if services.is_some() { Purpose::Hook } else { Purpose::Pure };
        let place = self.gate.enter(purpose);
        let call = Call::new(item, purpose, Arc::clone(&self.about), self.recording.clone());
        let mut store = Store::new(&self.engine, call);
        store.limiter(|call| &mut call.memory);
        store.set_hostcall_fuel(self.about.limits.handed_over);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(Call::tick);
        let answer = Call::lend(services, || {
            let instance = self.linked.instantiate(&mut store)?;
            body(&instance, &mut store)
        });
        let answer = answer.map_err(|error| store.data_mut().explain(&error));
        // The place is the instance's memory, so it is given back first.
        drop(store);
        drop(place);
        answer
    }

    fn check_readable(&self, record: &[u8]) -> Result<(), CallError> {
        let found = match record_format(record) {
            Some(format) if self.about.reads(format) => return Ok(()),
            Some(format) => format.to_string(),
            None => "none at all".into(),
        };
        Err(CallError::UnreadableRecord { found, reads: self.description.record_formats.clone() })
    }

    /// A record that could not be handed in again is no record. What was saved during the call stands.
    fn check_outcome(&self, answer: Result<Outcome, HookError>) -> Result<Result<Outcome, HookError>, CallError> {
        if let Ok(Outcome { mirrored: Some(record), .. }) = &answer {
            mirror_record::writable(&self.about, record).map_err(CallError::Broken)?;
        }
        Ok(answer)
    }

    fn record_event(
        &self,
        item: &str,
        context: &Context,
        object: &CalendarObject,
        intent: Option<Intent>,
        mirrored: Option<&[u8]>,
    ) {
        if self.recording.0.is_none() {
            return;
        }
        self.recording.value(&format!("{item}: context"), context);
        if let Some(facts) = &context.mailbox {
            self.recording.bytes(&format!("{item}: context.mailbox"), facts);
        }
        self.recording.value(&format!("{item}: object"), object);
        self.recording.value(&format!("{item}: intent"), &intent);
        if let Some(record) = mirrored {
            self.recording.bytes(&format!("{item}: mirrored"), record);
        }
    }
}

/// The format of a record: its first two bytes, big-endian.
pub fn record_format(record: &[u8]) -> Option<u16> {
    record.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn check_description(own: &Description) -> Result<(), String> {
    check_names("its name", std::iter::once(own.name.as_str()))?;
    check_names("a service", own.services.iter().map(|service| service.name.as_str()))?;
    check_names("a setting", own.settings.iter().map(|setting| setting.name.as_str()))?;
    let line = |text: &str| !text.trim().is_empty() && text.len() <= 200 && !text.chars().any(char::is_control);
    if !line(&own.title) || !line(&own.version) {
        return Err("title and version are each one short line".into());
    }
    if let Some(scope) = own.scopes.iter().find(|scope| !line(scope) || scope.contains(char::is_whitespace)) {
        return Err(format!("`{}` is no OAuth scope", scope.escape_debug()));
    }
    if own.record_formats.is_empty() {
        return Err("it declares no format of records".into());
    }
    let wrong = own.settings.iter().find(|s| !s.values.is_empty() && !s.values.contains(&s.default));
    match wrong {
        Some(setting) => Err(format!("the default of the setting `{}` is none of its values", setting.name)),
        None => Ok(()),
    }
}

fn check_names<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !letters || name.len() > 64 || !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.ends_with('-') {
            return Err(format!("{what} is lower case with hyphens: `{}`", name.escape_debug()));
        }
        if !seen.insert(name) {
            return Err(format!("{what} is declared twice: `{name}`"));
        }
    }
    Ok(())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}
