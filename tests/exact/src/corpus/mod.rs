//! Other people's files: each event in them is mirrored exactly, or refused with a reason that is true.
//!
//! | file | what happens there |
//! | --- | --- |
//! | [`files`] | where the files are |
//! | `lines` | iCalendar's lines, and the objects of a file |
//! | `answer` | what recurring-ical-events, which reads with icalendar and python-dateutil, says of an object |
//! | `shown` | what Teams shows, against that |
//! | `reasons` | whether a refusal's reason is true |
//! | `meaningless` | texts to which RFC 5545 gives no meaning |

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use graph_sim::Simulator;
use serde_json::{Value, json};
use teams_mirror_plugin::domain::Wish;

use crate::case::{ACCOUNT_ZONE, midnight};
use crate::classify::Fit;
use crate::oracle::DENSE;
use crate::python::Python;
use crate::runner::{ACCOUNT, Ended, MAILBOX, Mirror, fresh, simulator};

mod answer;
pub mod files;
mod lines;
mod meaningless;
mod reasons;
mod shown;

/// What reads the files for the oracle.
pub const SCRIPT: &str = include_str!("../../python/corpus.py");

/// One object of one file.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The file's name, and the object's number in it.
    pub file: String,
    /// How it ended, in a word or a reason's code.
    pub ended: String,
    /// What the classifier says of one that repeats.
    pub fit: Option<Fit>,
    /// Whether anybody could be wrong about it: RFC 5545 gives it a meaning, and the oracle reads it.
    pub judged: bool,
    /// What is wrong.
    pub wrong: Option<String>,
    /// The object.
    pub text: String,
}

/// Files that are looked at side by side.
const WORKERS: usize = 2;

/// Looks at every object of every file.
///
/// # Errors
/// Where a corpus or an oracle is not there, or the machinery fails.
pub fn judge_all() -> Result<Vec<(&'static str, Vec<Verdict>)>, String> {
    let corpora = files::corpora()?;
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
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Ok(text) = String::from_utf8(bytes) else {
        // The hook API takes UTF-8 and nothing else. Counted, so that nobody thinks these were judged.
        let ended = "not UTF-8".to_owned();
        return Ok(vec![Verdict { file: name, ended, fit: None, judged: false, wrong: None, text: String::new() }]);
    };
    let mut verdicts = Vec::new();
    for (nth, object) in lines::objects(&text).into_iter().enumerate() {
        let known = ask(python, &object)?;
        let file = format!("{name}#{nth}");
        let mut verdict = Verdict { file, ended: String::new(), fit: None, judged: true, wrong: None, text: object };
        judge(sim, &known, &mut verdict);
        // A zone everybody knows by its name is what the name says, even where the VTIMEZONE beside it is out of date.
        if verdict.wrong.is_some() && verdict.ended == "mirrored" {
            let bare = lines::zones_by_name(&verdict.text);
            let by_name = ask(python, &bare)?;
            if by_name.get("error").is_none() && shown::wrong(sim, &by_name).is_none() {
                verdict.wrong = None;
                verdict.ended = "mirrored, its zone by name".to_owned();
            }
        }
        settle(&known, &mut verdict);
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// What the oracle says of an object.
fn ask(python: &mut Python, object: &str) -> Result<Value, String> {
    python.ask(&json!({"text": object, "floating": ACCOUNT_ZONE.name(), "most": DENSE}))
}

fn judge(sim: &Simulator, known: &Value, verdict: &mut Verdict) {
    verdict.fit = reasons::fit(known);
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
        Ended::Mirrored(_) => shown::wrong(sim, known),
        Ended::Absent(why) | Ended::Refused(why, _) => reasons::untrue(&why, known, verdict),
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
    let why = match meaningless::why(&verdict.text) {
        Some(why) => format!("no meaning: {why}"),
        None if orphans > 0 => "no meaning: a RECURRENCE-ID of no occurrence".to_owned(),
        None if unread => "not read by the oracle".to_owned(),
        None => return,
    };
    verdict.wrong = None;
    verdict.judged = false;
    verdict.ended = why;
}

/// Saves the object at a time shortly before it begins, by whoever organises it. Where it carries a link of somebody else's,
/// it is mirrored without a meeting of its own.
fn save(sim: &Simulator, known: &Value, text: &str) -> Result<Ended, String> {
    fresh(sim);
    // Where the oracle cannot read it, the digits of DTSTART are near enough.
    let digits = value_of(text, "DTSTART").and_then(|value| {
        let date = NaiveDate::parse_from_str(value.get(..8)?, "%Y%m%d").ok()?;
        Some(midnight(date).and_utc())
    });
    let first = answer::text_of(known, "instant").parse::<DateTime<Utc>>().ok().or(digits);
    if let Some(first) = first.filter(|at| at.year() > 1_800) {
        sim.advance(first - TimeDelta::days(30) - sim.now());
    }
    let organizer = value_of(text, "ORGANIZER").map(|value| value.to_lowercase().replace("mailto:", ""));
    let own = organizer.filter(|address| address.contains('@')).unwrap_or_else(|| ACCOUNT.to_owned());
    let uid = value_of(text, "UID").unwrap_or_default();
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

/// The value of the first such property in an object's events.
fn value_of(object: &str, name: &str) -> Option<String> {
    lines::first(lines::events(object), name).map(|property| property.value)
}

/// The link is put into the text and taken out again, to the byte.
fn in_and_out(mirror: &Mirror<'_>, text: &str, link: &str) -> Result<(), String> {
    let with = mirror.stored(text, Wish::Keep)?;
    if !lines::unfolded(&with).contains(link) {
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
                *series.entry((fit.name(), ended)).or_default() += 1;
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
