//! Other people's files: each event in them is mirrored exactly, or refused with a reason that is true.
//!
//! What they should look like says recurring-ical-events, which reads them with icalendar and python-dateutil.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use graph_sim::Simulator;
use serde_json::{Value, json};
use teams_mirror_plugin::domain::Wish;

use crate::case::{Case, End, Override, Rule, Zone};
use crate::classify::{Fit, classify};
use crate::oracle::DENSE;
use crate::oracle::by_crate::ByCrate;
use crate::python::{self, Python};
use crate::runner::{ACCOUNT, Ended, MAILBOX, Mirror, fresh, simulator};

/// What reads the files for the oracle.
pub const SCRIPT: &str = include_str!("../python/corpus.py");

/// A set of files.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// Whose.
    pub name: &'static str,
    /// The files, sorted.
    pub files: Vec<PathBuf>,
}

/// One object of one file.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The file's name, and the object's number in it.
    pub file: String,
    /// How it ended, in a word or a reason's code.
    pub ended: String,
    /// What the classifier says of one that repeats.
    pub fit: Option<Fit>,
    /// What is wrong.
    pub wrong: Option<String>,
    /// The object.
    pub text: String,
}

/// The three corpora that come with packages: the crate calcard's, and those of the Python packages.
///
/// # Errors
/// Where one of them is not there.
pub fn corpora() -> Result<Vec<Corpus>, String> {
    let python = python::environment()?;
    let calcard = calcard().ok_or("the crate calcard's files are not in cargo's store of sources")?;
    let mut icalendar = Vec::new();
    let mut recurring = Vec::new();
    for file in below(&python) {
        match file.to_string_lossy() {
            path if path.contains("recurring_ical_events") => recurring.push(file.clone()),
            path if path.contains("/icalendar/") => icalendar.push(file.clone()),
            _ => {}
        }
    }
    let sets = [("calcard", below(&calcard)), ("icalendar", icalendar), ("recurring-ical-events", recurring)];
    sets.into_iter()
        .map(|(name, mut files)| {
            files.sort();
            if files.is_empty() { Err(format!("no files of {name}")) } else { Ok(Corpus { name, files }) }
        })
        .collect()
}

fn calcard() -> Option<PathBuf> {
    let home = option_env!("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))?;
    folders(&home.join("registry/src"))
        .iter()
        .flat_map(|registry| folders(registry))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("calcard-0.3.")))
        .map(|path| path.join("resources/ical"))
        .find(|path| path.is_dir())
}

fn folders(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// All `.ics` files below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for path in folders(&folder) {
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            } else if path.extension().is_some_and(|kind| kind.eq_ignore_ascii_case("ics")) {
                found.push(path);
            }
        }
    }
    found
}

/// The calendar objects of a file: for each UID its events, and with them all time zones. METHOD is left out: what was sent
/// by mail is looked at as if it stood in a calendar.
#[must_use]
pub fn objects(text: &str) -> Vec<String> {
    let mut zones = String::new();
    let mut events: Vec<(String, bool, String)> = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut part = String::new();
    for line in text.split_inclusive('\n') {
        let name = line.trim().to_ascii_uppercase();
        if let Some(begun) = name.strip_prefix("BEGIN:") {
            open.push(begun.to_owned());
        }
        let inside = open.iter().any(|name| name == "VEVENT" || name == "VTIMEZONE");
        if inside {
            part.push_str(line);
            if !line.ends_with('\n') {
                part.push_str("\r\n");
            }
        }
        if name.starts_with("END:") {
            let closed = open.pop().unwrap_or_default();
            if inside && !open.iter().any(|name| name == "VEVENT" || name == "VTIMEZONE") {
                let whole = std::mem::take(&mut part);
                if closed == "VTIMEZONE" {
                    zones.push_str(&whole);
                } else {
                    let uid = value(&whole, "UID").unwrap_or_else(|| format!("none-{}", events.len()));
                    events.push((uid, value(&whole, "RECURRENCE-ID").is_some(), whole));
                }
            }
        }
    }
    let mut groups: Vec<(String, bool, String)> = Vec::new();
    for (uid, is_change, event) in events {
        // A second master of the same UID is an object of its own.
        match groups.iter_mut().find(|(own, has_master, _)| *own == uid && (is_change || !*has_master)) {
            Some((_, has_master, group)) => {
                *has_master |= !is_change;
                group.push_str(&event);
            }
            None => groups.push((uid, !is_change, event)),
        }
    }
    let frame = |(_, _, group): (String, bool, String)| {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//exact//EN\r\n{zones}{group}END:VCALENDAR\r\n")
    };
    groups.into_iter().map(frame).collect()
}

/// The value of a property in a component's text, unfolded; not of the components in it.
fn value(component: &str, property: &str) -> Option<String> {
    let unfolded = component.replace("\r\n ", "").replace("\r\n\t", "").replace("\n ", "").replace("\n\t", "");
    let mut depth = 0;
    for line in unfolded.lines() {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("BEGIN:") {
            depth += 1;
        } else if upper.starts_with("END:") {
            depth -= 1;
        } else if depth == 1 && upper.starts_with(property) {
            let rest = line.get(property.len()..).unwrap_or_default();
            if rest.starts_with([':', ';']) {
                return rest.split_once(':').map(|(_, value)| value.trim().to_owned());
            }
        }
    }
    None
}

/// Files that are looked at side by side.
const WORKERS: usize = 2;

/// Looks at every object of every file.
///
/// # Errors
/// Where a corpus or an oracle is not there, or the machinery fails.
pub fn judge_all() -> Result<Vec<(&'static str, Vec<Verdict>)>, String> {
    let corpora = corpora()?;
    let files: Vec<(usize, &PathBuf)> =
        corpora.iter().enumerate().flat_map(|(of, set)| set.files.iter().map(move |file| (of, file))).collect();
    let work = |worker: usize| -> Result<Vec<(usize, Vec<Verdict>)>, String> {
        let sim = simulator(1)?;
        let mut python = Python::start(SCRIPT)?;
        let own = files.iter().enumerate().filter(|(number, _)| number % WORKERS == worker);
        own.map(|(number, (_, file))| Ok((number, judge_file(&sim, &mut python, file)?))).collect()
    };
    let mut found = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || work(worker))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
            .collect::<Result<Vec<_>, _>>()
    })?
    .concat();
    found.sort_by_key(|(number, _)| *number);
    let mut all: Vec<_> = corpora.iter().map(|set| (set.name, Vec::new())).collect();
    for (number, verdicts) in found {
        let place = files.get(number).and_then(|(of, _)| all.get_mut(*of));
        place.into_iter().for_each(|(_, all)| all.extend(verdicts.iter().cloned()));
    }
    Ok(all)
}

/// Looks at every object of a file.
///
/// # Errors
/// Where the machinery fails.
pub fn judge_file(sim: &Simulator, python: &mut Python, file: &Path) -> Result<Vec<Verdict>, String> {
    let bytes = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let Ok(text) = String::from_utf8(bytes) else { return Ok(Vec::new()) };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut verdicts = Vec::new();
    for (nth, object) in objects(&text).into_iter().enumerate() {
        let known =
            python.ask(&json!({"text": object, "floating": crate::case::ACCOUNT_ZONE.name(), "most": DENSE}))?;
        let mut verdict =
            Verdict { file: format!("{name}#{nth}"), ended: String::new(), fit: None, wrong: None, text: object };
        judge(sim, &known, &mut verdict);
        // A zone everybody knows by its name is what the name says, even where the VTIMEZONE beside it is out of date.
        if verdict.wrong.is_some() && verdict.ended == "mirrored" {
            let bare = without_zones(&verdict.text);
            let by_name =
                python.ask(&json!({"text": bare, "floating": crate::case::ACCOUNT_ZONE.name(), "most": DENSE}))?;
            if by_name.get("error").is_none() && shows(sim, &by_name).is_none() {
                verdict.wrong = None;
                verdict.ended = "mirrored, its zone by name".to_owned();
            }
        }
        settle(&known, &mut verdict);
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

fn judge(sim: &Simulator, known: &Value, verdict: &mut Verdict) {
    verdict.fit = fit(known);
    let ended = match save(sim, known, &verdict.text) {
        Ok(ended) => ended,
        Err(why) => {
            verdict.ended = "failed".to_owned();
            verdict.wrong = Some(why);
            return;
        }
    };
    verdict.ended = match &ended {
        Ended::Mirrored(_) => "mirrored".to_owned(),
        Ended::Absent(why) => format!("absent: {why}"),
        Ended::Refused(code, _) => code.clone(),
    };
    verdict.wrong = match ended {
        Ended::Mirrored(_) => shows(sim, known),
        Ended::Absent(why) | Ended::Refused(why, _) => untrue(&why, known, verdict),
    };
}

/// Where RFC 5545 gives a text no meaning, or the oracle cannot read it, there is nothing to be wrong about; such objects are
/// counted by themselves.
fn settle(known: &Value, verdict: &mut Verdict) {
    if verdict.wrong.is_none() || verdict.ended == "failed" {
        return;
    }
    let unread = known.get("error").is_some() || known.get("start").is_none();
    let orphans = known.get("orphans").and_then(Value::as_u64).unwrap_or_default();
    let why = match meaningless(&verdict.text) {
        Some(why) => format!("no meaning: {why}"),
        None if orphans > 0 => "no meaning: a RECURRENCE-ID of no occurrence".to_owned(),
        None if unread => "not read by the oracle".to_owned(),
        None => return,
    };
    verdict.wrong = None;
    verdict.ended = why;
}

/// An object without its time zones.
fn without_zones(text: &str) -> String {
    let mut inside = false;
    text.split_inclusive('\n')
        .filter(|line| {
            inside |= line.starts_with("BEGIN:VTIMEZONE");
            let kept = !inside;
            inside &= !line.starts_with("END:VTIMEZONE");
            kept
        })
        .collect()
}

/// Why RFC 5545 does not say when an event is.
fn meaningless(text: &str) -> Option<&'static str> {
    let event = event_of(text);
    let line = |property: &str| parameters_and_value(&event, property);
    let starts = event.lines().filter(|line| line.to_ascii_uppercase().starts_with("DTSTART")).count();
    let masters = text.matches("BEGIN:VEVENT").count();
    if starts > 1 && masters == 1 {
        return Some("two DTSTART");
    }
    let start = line("DTSTART")?;
    let kind = |(parameters, value): &(String, String)| match (value.contains('T'), value.ends_with('Z')) {
        (false, _) => 0,
        (true, true) => 1,
        (true, false) if parameters.contains("TZID=") => 2,
        (true, false) => 3,
    };
    let ends = [Some(&start), line("DTEND").as_ref()]
        .into_iter()
        .flatten()
        .any(|(parameters, value)| parameters.contains("TZID=") && value.ends_with('Z'));
    if ends {
        return Some("a TZID on a time in UTC");
    }
    // RFC 5545 §3.8.2.2: both are dates, both local, or both in UTC or zoned.
    if line("DTEND").is_some_and(|end| kind(&end) != kind(&start) && (kind(&end) % 3 == 0 || kind(&start) % 3 == 0)) {
        return Some("DTSTART and DTEND of different kinds");
    }
    let value_ok = |(_, value): &(String, String)| {
        let digits = value.trim_end_matches('Z').split('T').map(str::len).collect::<Vec<_>>();
        digits == [8] && !value.ends_with('Z') || digits == [8, 6]
    };
    if !value_ok(&start) || line("DTEND").is_some_and(|end| !value_ok(&end)) {
        return Some("no date where one should be");
    }
    let zone = start.0.split(';').find_map(|part| part.strip_prefix("TZID=")).unwrap_or_default();
    let zone = zone.trim_matches('"').trim();
    let known = zone.parse::<chrono_tz::Tz>().is_ok() || text.contains(&format!("TZID:{zone}"));
    if start.0.contains("TZID=") && !known {
        return Some("a TZID without its VTIMEZONE");
    }
    // RFC 5545 §3.8.4.4, §3.8.5.1, §3.8.5.2: of the same kind as DTSTART.
    for (property, why) in [
        ("RECURRENCE-ID", "a RECURRENCE-ID of another kind than DTSTART"),
        ("EXDATE", "an EXDATE of another kind than DTSTART"),
    ] {
        let mixed = all_of(&event, property).iter().any(|other| (kind(other) % 3 == 0) != (kind(&start) % 3 == 0));
        if mixed {
            return Some(why);
        }
    }
    let periods = all_of(&event, "RDATE").into_iter().filter(|(parameters, _)| parameters.contains("PERIOD"));
    if periods.into_iter().any(|(_, value)| !value.contains('T')) {
        return Some("a PERIOD of dates");
    }
    // RFC 5545 §3.3.10: in UTC where DTSTART is in UTC or has a zone, and a date where it is one.
    let until = line("RRULE")
        .and_then(|(_, rule)| rule.split(';').find_map(|part| part.strip_prefix("UNTIL=").map(str::to_owned)));
    if until
        .is_some_and(|until| (until.ends_with('Z'), until.contains('T')) != (kind(&start) % 3 != 0, kind(&start) != 0))
    {
        return Some("an UNTIL of another kind than DTSTART");
    }
    // RFC 5545 §3.8.2.5: the duration of a date is in days or weeks.
    let timed = line("DURATION").is_some_and(|(_, value)| value.contains('T'));
    (timed && kind(&start) == 0).then_some("a DURATION in hours of a date")
}

/// A property of a component, its parameters and its value apart.
fn parameters_and_value(component: &str, property: &str) -> Option<(String, String)> {
    let unfolded = component.replace("\r\n ", "").replace("\r\n\t", "").replace("\n ", "").replace("\n\t", "");
    let line =
        unfolded.lines().find(|line| line.strip_prefix(property).is_some_and(|rest| rest.starts_with([':', ';'])))?;
    let (parameters, value) = line.get(property.len()..)?.rsplit_once(':')?;
    Some((parameters.to_owned(), value.trim().to_owned()))
}

/// The same, as often as it stands in the object.
fn all_of(component: &str, property: &str) -> Vec<(String, String)> {
    let unfolded = component.replace("\r\n ", "").replace("\r\n\t", "").replace("\n ", "").replace("\n\t", "");
    unfolded.lines().filter_map(|line| parameters_and_value(line, property)).collect()
}

/// Saves the object at a time shortly before it begins, by whoever organises it. Where it carries a link of somebody else's,
/// it is mirrored without a meeting of its own.
fn save(sim: &Simulator, known: &Value, text: &str) -> Result<Ended, String> {
    fresh(sim);
    // Where the oracle cannot read it, the digits of DTSTART are near enough.
    let digits = parameters_and_value(&event_of(text), "DTSTART").and_then(|(_, value)| {
        let date = NaiveDate::parse_from_str(value.get(..8)?, "%Y%m%d").ok()?;
        Some(crate::case::midnight(date).and_utc())
    });
    let first = text_of(known, "instant").parse::<DateTime<Utc>>().ok().or(digits);
    if let Some(first) = first.filter(|at| at.year() > 1_800) {
        sim.advance(first - TimeDelta::days(30) - sim.now());
    }
    let uid = value(text.split_once("BEGIN:VEVENT").map_or("", |(_, rest)| rest), "UID");
    let organizer = value(&event_of(text), "ORGANIZER").map(|value| value.to_lowercase().replace("mailto:", ""));
    let own = organizer.filter(|address| address.contains('@')).unwrap_or_else(|| ACCOUNT.to_owned());
    let uid = uid.or_else(|| value(&event_of(text), "UID")).unwrap_or_default();
    let settings = [("mirror", "all-events"), ("private", "full")];
    let mut mirror = Mirror::new(sim, MAILBOX, &uid, &settings)?;
    mirror.also(&own);
    match mirror.save(text, Wish::Wanted)? {
        Ended::Mirrored(Some(link)) => {
            in_and_out(&mirror, text, &link)?;
            Ok(Ended::Mirrored(Some(link)))
        }
        Ended::Refused(code, _) if code == "has-a-link" => {
            let mut plain = Mirror::new(sim, MAILBOX, &uid, &settings)?;
            plain.also(&own);
            plain.save(text, Wish::None)
        }
        ended => Ok(ended),
    }
}

/// The link is put into the text and taken out again, to the byte.
fn in_and_out(mirror: &Mirror<'_>, text: &str, link: &str) -> Result<(), String> {
    let with = mirror.stored(text, Wish::Keep)?;
    let unfolded = with.replace("\r\n ", "").replace("\n ", "");
    if !unfolded.contains(link) {
        return Err("the text to store has not the link".to_owned());
    }
    if mirror.stored(&with, Wish::Keep)? != with {
        return Err("storing the text with the link again changes it".to_owned());
    }
    if mirror.stored(&with, Wish::None)? != text {
        return Err("the link's coming and going does not restore every byte".to_owned());
    }
    Ok(())
}

/// The first event of an object.
fn event_of(text: &str) -> String {
    text.find("BEGIN:VEVENT").and_then(|at| text.get(at..)).unwrap_or_default().to_owned()
}

fn text_of<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list_of<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn local(value: &Value) -> Option<NaiveDateTime> {
    value.as_str()?.get(..19)?.parse().ok()
}

/// What is wrong with what Teams shows.
fn shows(sim: &Simulator, known: &Value) -> Option<String> {
    if let Some(error) = known.get("error").and_then(Value::as_str) {
        return Some(format!("mirrored, though the oracle cannot read it: {error}"));
    }
    let Some(start) = local(known.get("start").unwrap_or(&Value::Null)) else {
        return Some("mirrored, though the oracle finds no start".to_owned());
    };
    if known.get("occurrences").is_none() {
        return Some("mirrored, though there are too many occurrences to look at".to_owned());
    }
    type Key = (String, String, bool, String);
    // Of a time that comes twice there are two instants.
    type Wanted = (Vec<String>, Vec<String>, bool, String);
    let wanted: Vec<Wanted> = list_of(known, "occurrences")
        .iter()
        .filter_map(|one| {
            let at = |n: usize| -> Option<Vec<String>> {
                let times = one.get(n)?.as_array()?.iter();
                Some(times.filter_map(|at| Some(at.as_str()?.parse::<DateTime<Utc>>().ok()?.to_string())).collect())
            };
            let all_day = one.get(2)?.as_bool()?;
            Some((at(0)?, at(1)?, all_day, subject(one.get(3)?.as_str()?)))
        })
        .collect();
    let is = |one: &Wanted, row: &Key| {
        one.0.contains(&row.0) && one.1.contains(&row.1) && (one.2, &one.3) == (row.2, &row.3)
    };
    let begin = known.get("begin").and_then(local).unwrap_or(start);
    let (from, to) = (begin - TimeDelta::days(2), start + TimeDelta::days(3 * 365 + 3));
    let mut shown: Vec<Key> = sim
        .calendar(MAILBOX, from.and_utc(), to.and_utc())
        .iter()
        .filter_map(|row| {
            let at = |name: &str| text_of(row, name).parse::<DateTime<Utc>>().ok();
            let all_day = row.get("isAllDay").and_then(Value::as_bool)?;
            Some((at("start")?.to_string(), at("end")?.to_string(), all_day, subject(text_of(row, "subject"))))
        })
        .collect();
    shown.sort();
    // The window of the oracle ends by the event's own clock, that of the simulator a little later.
    let last = (start + TimeDelta::days(3 * 365)).and_utc().to_string();
    let missing: Vec<&Wanted> = wanted.iter().filter(|one| !shown.iter().any(|row| is(one, row))).collect();
    let extra: Vec<&Key> = shown.iter().filter(|row| !wanted.iter().any(|one| is(one, row)) && row.0 < last).collect();
    if missing.is_empty() && extra.is_empty() {
        return None;
    }
    Some(format!(
        "of {} missing {}: {:?}; too much {}: {:?}",
        wanted.len(),
        missing.len(),
        missing.iter().take(2).collect::<Vec<_>>(),
        extra.len(),
        extra.iter().take(2).collect::<Vec<_>>()
    ))
}

/// A subject as far as it can be compared: what is left of any title in Teams, without control characters and the
/// backslashes of escapes that are none, white space once.
fn subject(text: &str) -> String {
    let clean: String =
        text.trim().chars().filter(|c| *c != '\\').take(240).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    words.join(" ")
}

/// What the classifier says, where the object repeats and its rules can be read.
fn fit(known: &Value) -> Option<Fit> {
    let rules = list_of(known, "rules");
    let repeats = !rules.is_empty() || !list_of(known, "rdates").is_empty();
    if !repeats || known.get("error").is_some() {
        return None;
    }
    if known.get("exrules").and_then(Value::as_u64) != Some(0) {
        return Some(Fit::Neither("EXRULE"));
    }
    let start = local(known.get("start")?)?;
    let mut case = Case::single("corpus", start, Zone::Floating);
    case.all_day = known.get("all_day").and_then(Value::as_bool)?;
    for rule in rules {
        let Some(mut read) = Rule::read(text_of(rule, "text")) else {
            return Some(Fit::Neither("a rule part beyond RFC 5545 or not of a calendar"));
        };
        if let Some(count) = rule.get("count").and_then(Value::as_u64) {
            read.end = End::Count(u32::try_from(count).unwrap_or(u32::MAX));
        } else if let Some(until) = rule.get("until").and_then(local) {
            read.end = End::Until(until);
        }
        case.rules.push(read);
    }
    case.rdates = list_of(known, "rdates").iter().filter_map(local).collect();
    let (moved, future) = (known.get("moved")?.as_u64()?, known.get("future")?.as_u64()?);
    for nth in 0..known.get("overrides")?.as_u64()? {
        case.overrides.push(Override {
            original: start,
            start: (nth < moved).then_some(start),
            length: None,
            subject: None,
            cancelled: false,
            and_future: nth < future,
        });
    }
    Some(classify(&case, true, &mut ByCrate).unwrap_or(Fit::Neither("too many occurrences")))
}

/// Whether a reason is false.
fn untrue(why: &str, known: &Value, verdict: &Verdict) -> Option<String> {
    let expressible = matches!(verdict.fit, Some(Fit::Series | Fit::Set(_)));
    let unread = known.get("error").and_then(Value::as_str);
    let upper = verdict.text.to_ascii_uppercase();
    let wrong = match why {
        "no-start" => known.get("nothing").is_none() && unread.is_none(),
        "bad-date" | "end-before-start" => unread.is_none() && !ends_before_start(known),
        "cancelled" => !upper.contains("STATUS:CANCELLED"),
        "uid-missing" => value(&event_of(&verdict.text), "UID").is_some_and(|uid| !uid.is_empty()),
        "too-large" => verdict.text.len() < 512 * 1024 && verdict.text.lines().count() < 10_000,
        "rule-unreadable" if !has_only_rule_parts(&verdict.text) => false,
        "rule-unreadable" | "rule-not-expressible" | "too-many-pieces" => expressible,
        "series-zone-unknown" => text_of(known, "zone").parse::<chrono_tz::Tz>().is_ok(),
        "not-icalendar" => unread.is_none() && !list_of(known, "occurrences").is_empty() && verdict.fit.is_none(),
        "absent" => false,
        // Nothing of the event shows, and nothing should.
        _ => !(known.get("occurrences").is_some() && list_of(known, "occurrences").is_empty()),
    };
    wrong.then(|| format!("the reason `{why}` is not true ({:?}, {unread:?})", verdict.fit))
}

/// Whether each part of the rules has the form of one; the oracle passes over what has not.
fn has_only_rule_parts(text: &str) -> bool {
    let rules = all_of(&event_of(text), "RRULE");
    rules.iter().all(|(prefix, rule)| prefix.is_empty() && rule.split(';').all(|part| part.contains('=')))
}

fn ends_before_start(known: &Value) -> bool {
    known.get("backward").and_then(Value::as_bool).unwrap_or_default()
}

/// The counts by corpus and reason, and how each kind of series ended.
#[must_use]
pub fn table(all: &[(&'static str, Vec<Verdict>)]) -> String {
    let mut text = String::new();
    for (name, verdicts) in all {
        let _ = writeln!(text, "{name}: {} objects", verdicts.len());
        let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
        let mut series: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for verdict in verdicts {
            let ended = if verdict.wrong.is_some() { "WRONG" } else { verdict.ended.as_str() };
            *ends.entry(ended).or_default() += 1;
            if let Some(fit) = &verdict.fit {
                let fit = match fit {
                    Fit::Series => "one series",
                    Fit::Set(_) => "a set",
                    Fit::Neither(_) => "neither",
                };
                *series.entry((fit, ended)).or_default() += 1;
            }
        }
        for (ended, number) in ends {
            let _ = writeln!(text, "  {ended:<28} {number:>6}");
        }
        for ((fit, ended), number) in series {
            let _ = writeln!(text, "  repeating, {fit:<10} {ended:<28} {number:>6}");
        }
    }
    text
}
