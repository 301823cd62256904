//! The second property: random edits in random order under faults come to what a fresh create of the last state shows.
//!
//! Each setting of what is not settled about Microsoft takes part: the clamp, what a new pattern does to exceptions, whether
//! the etag of a series moves with its occurrences, how long a transactionId is remembered.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use graph_sim::{AfterDelete, Fault, FaultKind, OtherBody, RecurrencePatch, Simulator, TransactionMemory};
use teams_mirror_plugin::domain::Wish;

use crate::case::Case;
use crate::classify::{Fit, classify};
use crate::compare::{self, Row};
use crate::dice::Dice;
use crate::exactness::Failure;
use crate::generate;
use crate::oracle::by_crate::ByCrate;
use crate::oracle::{self, Occurrence};
use crate::runner::{Ended, MAILBOX, Mirror, fresh};

/// Where the last state is created afresh.
const OTHER: &str = "bob@contoso.example";

/// What was counted.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Sequences.
    pub sequences: u64,
    /// Edits in them.
    pub edits: u64,
    /// Faults injected.
    pub faults: u64,
    /// Requests at Graph.
    pub requests: u64,
    /// What is wrong.
    pub failures: Vec<Failure>,
}

impl Tally {
    /// The counts in a line.
    #[must_use]
    pub fn line(&self) -> String {
        format!(
            "{} sequences, {} edits, {} faults, {} requests, {} failures",
            self.sequences,
            self.edits,
            self.faults,
            self.requests,
            self.failures.len()
        )
    }
}

/// What a step was, for whoever reads a failure.
type Story = Vec<String>;

/// Runs one sequence after the other until `go_on` says no. What is wrong is in the tally.
pub fn run(seed: u64, sim: &Simulator, mut go_on: impl FnMut(&Tally) -> bool) -> Tally {
    let mut dice = Dice::new(seed);
    let mut tally = Tally::default();
    while go_on(&tally) {
        let own = dice.draw();
        tally.sequences += 1;
        if let Err(failure) = sequence(own, sim, &mut tally) {
            tally.failures.push(failure);
        }
    }
    tally
}

/// One sequence from its own seed.
///
/// # Errors
/// With what is wrong and the story that led there.
pub fn sequence(seed: u64, sim: &Simulator, tally: &mut Tally) -> Result<(), Failure> {
    let mut dice = Dice::new(seed);
    let mut story = Story::new();
    fresh(sim);
    let settings = unsettled(&mut dice, sim);
    let mut case = beginning(&mut dice);
    let outcome = steps(&mut dice, sim, &mut case, &mut story, tally);
    tally.requests += sim.requests().len() as u64;
    outcome.map_err(|what| Failure {
        what: format!("{what}\nsteps:\n  {}\nlast requests:\n  {}", story.join("\n  "), seen(sim).join("\n  ")),
        text: case.text(),
        how: format!("`cargo run -p exact -- sequence {seed}`, {settings}"),
    })
}

/// An event that one series or a small set can say, with guests nobody at Microsoft may mail.
fn beginning(dice: &mut Dice) -> Case {
    loop {
        let mut case = generate::case(dice, 0, &mut ByCrate);
        case.more =
            "ORGANIZER:mailto:alice@test.tld\nATTENDEE:mailto:alice@test.tld\nATTENDEE:mailto:guest@else.example\n"
                .into();
        if settled(&case) {
            return case;
        }
    }
}

/// Whether both settings of the clamp can say the event, and somebody knows what it looks like.
fn settled(case: &Case) -> bool {
    let sayable = |clamps| !matches!(classify(case, clamps, &mut ByCrate), Ok(Fit::Neither(_)) | Err(_));
    sayable(true) && sayable(false) && oracle::occurrences(case, &mut ByCrate).is_ok_and(|list| !list.is_empty())
}

/// The last requests and what was answered.
fn seen(sim: &Simulator) -> Vec<String> {
    let all = sim.requests_to(graph_sim::Service::Graph);
    let last = all.iter().skip(all.len().saturating_sub(SHOWN));
    let line = |r: &graph_sim::RequestRecord| {
        let id: String = r.path.chars().rev().take(24).collect::<Vec<_>>().into_iter().rev().collect();
        let body: String = r.body.chars().take(600).collect();
        format!("{} …{id}?{} {body} -> {:?}", r.method, r.query, r.status)
    };
    last.map(line).collect()
}

/// Requests that a failure shows.
const SHOWN: usize = 12;

fn unsettled(dice: &mut Dice, sim: &Simulator) -> String {
    let pattern = dice.one(&[RecurrencePatch::Keep, RecurrencePatch::Drop, RecurrencePatch::Split]);
    let memory = dice.one(&[TransactionMemory::Forever, TransactionMemory::OneHour, TransactionMemory::None]);
    let after = dice.one(&[AfterDelete::NewEvent, AfterDelete::DeadId]);
    let other = dice.one(&[OtherBody::OldEvent, OtherBody::Refuse]);
    let (clamps, moves, bound, ignored) = (dice.percent(50), dice.percent(50), dice.percent(50), dice.percent(25));
    sim.switches(|switches| {
        switches.recurrence_patch = pattern;
        switches.transaction_memory = memory;
        switches.transaction_after_delete = after;
        switches.transaction_other_body = other;
        switches.recurrence_clamps = clamps;
        switches.occurrence_change_moves_master = moves;
        switches.deleted_occurrences_bound_moves = bound;
        switches.if_match_ignored = ignored;
    });
    format!(
        "recurrence_patch {pattern:?}, clamp {clamps}, transaction memory {memory:?}, after delete {after:?}, other body {other:?}, \
         etag moves {moves}, deleted bound {bound}, If-Match ignored {ignored}"
    )
}

fn steps(
    dice: &mut Dice,
    sim: &Simulator,
    case: &mut Case,
    story: &mut Story,
    tally: &mut Tally,
) -> Result<(), String> {
    let mut mirror = Mirror::new(sim, MAILBOX, &case.uid, &[])?;
    let mut link: Option<String> = None;
    let edits = dice.between(2, 8);
    for step in 0..=edits {
        if step > 0 {
            edit(dice, sim, case, story);
            tally.edits += 1;
        }
        // The last save meets no fault: then everything must be right.
        let faults = if step == edits { 0 } else { dice.below(3) };
        sim.clear_faults();
        for _ in 0..faults {
            let fault = fault(dice);
            let _ = write!(last(story), "; fault {:?} on {:?}", fault.kind, fault.method);
            sim.fault(fault);
            tally.faults += 1;
        }
        let dies = step < edits && dice.percent(30);
        let requests = dies.then(|| usize::try_from(dice.between(1, 6)).unwrap_or(1));
        if let Some(requests) = requests {
            let _ = write!(last(story), "; the host dies after {requests} requests");
        }
        mirror.dies_after(requests);
        let wish = if step == 0 { Wish::Wanted } else { Wish::Keep };
        match mirror.save(&case.text(), wish)? {
            Ended::Mirrored(Some(own)) => match &link {
                Some(first) if *first != own => return Err(format!("the join link changed from {first} to {own}")),
                _ => link = Some(own),
            },
            other => return Err(format!("after a save the event is {other:?}")),
        }
        let known = oracle::occurrences(case, &mut ByCrate).map_err(|e| format!("{e:?}"))?;
        let since = sim.now();
        compare::compare(case, &known, &compare::rows(sim, MAILBOX, case), since)
            .map_err(|what| format!("after the step above:\n{what}"))?;
        if !sim.mails().is_empty() {
            return Err(format!("guests were mailed: {:?}", sim.mails().first()));
        }
    }
    sim.clear_faults();
    let since = sim.now();
    afresh(sim, case, &compare::rows(sim, MAILBOX, case), since)?;
    mirror.delete(&case.text())?;
    let left: Vec<Row> = compare::rows(sim, MAILBOX, case).into_iter().filter(|row| row.start >= since).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("deleted, and yet there is {:?}", left.first())) }
}

fn last(story: &mut Story) -> &mut String {
    if story.is_empty() {
        story.push("created".to_owned());
    }
    let at = story.len() - 1;
    // There is one: it was pushed above.
    #[allow(clippy::indexing_slicing, reason = "not empty")]
    &mut story[at]
}

/// An edit after which the event can still be said. Now and then time goes by, so that a part of the series lies behind.
fn edit(dice: &mut Dice, sim: &Simulator, case: &mut Case, story: &mut Story) {
    if dice.percent(15) {
        let to = case.start.and_utc() + TimeDelta::days(dice.between(1, 60));
        if to > sim.now() && comes_after(case, to) {
            sim.advance(to - sim.now());
            story.push(format!("it is {to}"));
        }
    }
    for _ in 0..20 {
        let mut changed = case.clone();
        let what = generate::edit(dice, &mut changed, &mut ByCrate);
        if changed != *case && comes_after(&changed, sim.now()) && settled(&changed) {
            *case = changed;
            let text = case.text();
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| {
                    ["DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURR", "SUMMARY", "STATUS"]
                        .iter()
                        .any(|name| line.starts_with(name))
                })
                .filter(|line| !line.contains("1601"))
                .collect();
            story.push(format!("{what}: {}", lines.join(" ")));
            return;
        }
    }
    story.push("nothing".to_owned());
}

/// Whether something of the event is still to come.
fn comes_after(case: &Case, time: DateTime<Utc>) -> bool {
    let comes = |list: &[Occurrence]| list.iter().any(|one| one.starts.iter().all(|at| *at > time));
    oracle::occurrences(case, &mut ByCrate).is_ok_and(|list| comes(&list))
}

fn fault(dice: &mut Dice) -> Fault {
    let fault = match dice.below(9) {
        0..=2 => Fault::new(FaultKind::DropAfter),
        3 => Fault::new(FaultKind::DropBefore),
        4 => Fault::status(503),
        5 => Fault::throttled("0.2"),
        6 => Fault::status(429),
        7 => Fault::new(FaultKind::Conflict),
        _ => Fault::status(504).after_commit(),
    };
    fault.on_graph(dice.one(&["POST", "PATCH", "PATCH", "DELETE", "GET"]), "/events")
}

/// The last state, created in an empty mailbox, looks the same.
fn afresh(sim: &Simulator, case: &Case, rows: &[Row], since: DateTime<Utc>) -> Result<(), String> {
    let mut mirror = Mirror::new(sim, OTHER, &case.uid, &[])?;
    match mirror.save(&case.text(), Wish::Wanted)? {
        Ended::Mirrored(_) => {}
        other => return Err(format!("created afresh the event is {other:?}")),
    }
    let looks = |row: &Row| (row.start, row.end, row.subject.clone(), row.all_day, row.local.clone());
    let there: Vec<_> = rows.iter().filter(|row| row.start >= since).map(looks).collect();
    let here: Vec<_> = compare::rows(sim, OTHER, case).iter().filter(|row| row.start >= since).map(looks).collect();
    if there == here { Ok(()) } else { Err("a fresh create shows something else".to_owned()) }
}
