//! The first property: what Teams shows is what the calendar says, or the event was refused and nobody could have said it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use graph_sim::Simulator;
use teams_mirror_plugin::domain::Wish;

use crate::case::Case;
use crate::classify::{Fit, classify};
use crate::compare;
use crate::dice::Dice;
use crate::generate;
use crate::oracle::by_crate::ByCrate;
use crate::oracle::dateutil::Dateutil;
use crate::oracle::{self, Expand, Occurrence, Unknown};
use crate::runner::{Ended, MAILBOX, Mirror, fresh};

/// What was counted.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Events looked at.
    pub cases: u64,
    /// Occurrences compared.
    pub occurrences: u64,
    /// Requests at Graph.
    pub requests: u64,
    /// By classification: how many, and how many of them were mirrored exactly.
    pub fits: BTreeMap<&'static str, (u64, u64)>,
    /// Refusals by the product's reason.
    pub refusals: BTreeMap<String, u64>,
    /// Why nothing could be expected of an event, by the classifier's reason.
    pub beyond: BTreeMap<&'static str, u64>,
    /// By frequency.
    pub freqs: BTreeMap<&'static str, u64>,
    /// Cases on which the oracles disagree, with what they say; not counted.
    pub disputed: Vec<String>,
    /// What is wrong, each with the smallest event that shows it.
    pub failures: Vec<Failure>,
}

/// Something wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What.
    pub what: String,
    /// The iCalendar text.
    pub text: String,
    /// The command that shows it again, and the settings it needs.
    pub how: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}\n{}", self.how, self.what, self.text)
    }
}

/// The share of events on which the two oracles may disagree, in percent; they are listed and not counted.
const DISPUTED: u64 = 1;

/// The share of events that the classifier has to call expressible, in percent: a judge that excuses the rest proves nothing.
const EXPRESSIBLE: u64 = 70;

/// Events from which on a share of them says anything.
const ENOUGH: u64 = 200;

impl Tally {
    /// Whether what was counted proves anything.
    ///
    /// # Errors
    /// Where the oracles disagree too often, or too little was expressible.
    pub fn holds(&self) -> Result<(), String> {
        let disputed = self.disputed.len() as u64;
        if disputed * 100 > DISPUTED * (self.cases + disputed) {
            return Err(format!("the oracles disagree on {disputed} of {}: {:?}", self.cases, self.disputed.first()));
        }
        if self.cases >= ENOUGH && self.expressible() < EXPRESSIBLE {
            return Err(format!("only {} % of the events are expressible", self.expressible()));
        }
        Ok(())
    }

    /// The share of events which the classifier calls expressible, in percent.
    #[must_use]
    pub fn expressible(&self) -> u64 {
        let of = |fit: Fit| self.fits.get(fit.name()).map_or(0, |(all, _)| *all);
        100 * (of(Fit::Series) + of(Fit::Set(0))) / self.cases.max(1)
    }

    /// The counts as a table.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{} events, {} occurrences, {} requests; oracles disagree on {}\n",
            self.cases,
            self.occurrences,
            self.requests,
            self.disputed.len()
        );
        for (name, (all, exact)) in &self.fits {
            let _ = writeln!(text, "  {name:<12} {all:>6}, mirrored exactly {exact:>6}");
        }
        for (name, number) in &self.refusals {
            let _ = writeln!(text, "  refused {name:<28} {number:>6}");
        }
        for (name, number) in &self.beyond {
            let _ = writeln!(text, "  beyond: {name:<60} {number:>6}");
        }
        for (name, number) in &self.freqs {
            let _ = writeln!(text, "  {name:<10} {number:>6}");
        }
        text
    }
}

/// Looks at one event after the other until `go_on` says no. What is wrong is in the tally.
pub fn run(
    seed: u64,
    sim: &Simulator,
    mut second: Option<&mut Dateutil>,
    mut go_on: impl FnMut(&Tally) -> bool,
) -> Tally {
    let mut dice = Dice::new(seed);
    let mut tally = Tally::default();
    while go_on(&tally) {
        one(dice.draw(), sim, second.as_mut().map(|second| &mut **second as &mut dyn Expand), &mut tally);
    }
    tally
}

/// Looks at one event, by its own seed.
pub fn one(seed: u64, sim: &Simulator, second: Option<&mut dyn Expand>, tally: &mut Tally) {
    let mut dice = Dice::new(seed);
    let case = generate::case(&mut dice, tally.cases, &mut ByCrate);
    let clamps = dice.percent(50);
    let Some(known) = expected(&case, second, tally) else { return };
    tally.cases += 1;
    for rule in &case.rules {
        *tally.freqs.entry(rule.freq.name()).or_default() += 1;
    }
    if let Err(what) = judge(&case, clamps, known.as_deref(), sim, tally) {
        let (case, what) = shrink(case, what, clamps, sim);
        let how = format!("`cargo run -p exact -- case {seed}`, clamp {}", if clamps { "on" } else { "off" });
        tally.failures.push(Failure { what, text: case.text(), how });
    }
}

/// What both oracles say; `Some(None)`: too many to look at; `None`: they disagree, or know nothing.
fn expected(case: &Case, second: Option<&mut dyn Expand>, tally: &mut Tally) -> Option<Option<Vec<Occurrence>>> {
    let first = oracle::occurrences(case, &mut ByCrate);
    let other = second.map(|second| oracle::occurrences(case, second));
    match (&first, &other) {
        (_, Some(other)) if *other != first => {
            let shown = |of: &Result<Vec<Occurrence>, Unknown>| match of {
                Ok(list) => format!("{} occurrences", list.len()),
                Err(why) => format!("{why:?}"),
            };
            tally.disputed.push(format!("{} | {}\n{}", shown(&first), shown(other), case.text()));
            None
        }
        (Err(Unknown::Refused(why)), _) => {
            tally.disputed.push(format!("not read: {why}\n{}", case.text()));
            None
        }
        _ => Some(first.ok()),
    }
}

/// Mirrors an event into an empty mailbox and compares. `expected` is `None` where there are too many occurrences.
///
/// # Errors
/// With what is wrong.
pub fn judge(
    case: &Case,
    clamps: bool,
    expected: Option<&[Occurrence]>,
    sim: &Simulator,
    tally: &mut Tally,
) -> Result<(), String> {
    fresh(sim);
    sim.switches(|switches| switches.recurrence_clamps = clamps);
    let fit = classify(case, clamps, &mut ByCrate).unwrap_or(Fit::Neither("too many occurrences"));
    let name = fit.name();
    if let Fit::Neither(why) = &fit {
        *tally.beyond.entry(why).or_default() += 1;
    }
    tally.fits.entry(name).or_default().0 += 1;
    let mut mirror = Mirror::new(sim, MAILBOX, &case.uid, &[])?;
    let ended = mirror.save(&case.text(), Wish::Wanted);
    tally.requests += mirror.requests() as u64;
    match (ended?, expected) {
        (Ended::Mirrored(link), Some(expected)) => {
            let rows = compare::rows(sim, MAILBOX, case);
            compare::compare(case, expected, &rows, chrono::DateTime::UNIX_EPOCH)?;
            compare::one_link(sim, MAILBOX, link.as_deref().ok_or("no join link")?)?;
            if !sim.mails().is_empty() {
                return Err(format!("mails were sent: {:?}", sim.mails()));
            }
            tally.occurrences += expected.len() as u64;
            tally.fits.entry(name).or_default().1 += 1;
            Ok(())
        }
        (Ended::Mirrored(_), None) => Err("mirrored, though nobody can tell what it should look like".to_owned()),
        (Ended::Refused(code, sentence), _) => {
            if !sim.events(MAILBOX).is_empty() {
                return Err(format!("refused as `{code}`, yet something of it stands at Microsoft"));
            }
            *tally.refusals.entry(code.clone()).or_default() += 1;
            if code == "refused-by-microsoft" {
                return Err(format!("what cannot be said was sent all the same: {sentence}"));
            }
            match fit {
                Fit::Neither(_) => Ok(()),
                Fit::Series | Fit::Set(_) => {
                    Err(format!("refused as `{code}` ({sentence}), though {name} can say it ({fit:?})"))
                }
            }
        }
        (Ended::Absent(why), Some([])) => {
            *tally.refusals.entry(format!("absent: {why}")).or_default() += 1;
            Ok(())
        }
        (Ended::Absent(why), _) => Err(format!("not mirrored, for `{why}`")),
    }
}

/// The smallest event that still is wrong, and what is wrong with it.
fn shrink(mut case: Case, mut what: String, clamps: bool, sim: &Simulator) -> (Case, String) {
    let still = |case: &Case| -> Option<String> {
        // A change of an occurrence that is no longer there would be another case, not a smaller one.
        let (_, to) = oracle::window(case);
        let dates = oracle::dates(case, to, &mut ByCrate).unwrap_or_default();
        if case.overrides.iter().any(|change| !dates.contains(&change.original)) {
            return None;
        }
        let known = match oracle::occurrences(case, &mut ByCrate) {
            Ok(list) => Some(list),
            Err(Unknown::Dense) => None,
            Err(Unknown::Refused(_)) => return None,
        };
        judge(case, clamps, known.as_deref(), sim, &mut Tally::default()).err()
    };
    'again: loop {
        for smaller in smaller(&case) {
            if let Some(why) = still(&smaller) {
                (case, what) = (smaller, why);
                continue 'again;
            }
        }
        return (case, what);
    }
}

/// The event with one thing less, each.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Case)| {
        let mut less = case.clone();
        change(&mut less);
        if less != *case {
            all.push(less);
        }
    };
    for at in 0..case.overrides.len() {
        add(&|c| {
            c.overrides.remove(at);
        });
    }
    for at in 0..case.exdates.len() {
        add(&|c| {
            c.exdates.remove(at);
        });
    }
    for at in 0..case.rdates.len() {
        add(&|c| {
            c.rdates.remove(at);
        });
    }
    for at in 1..case.rules.len() {
        add(&|c| {
            c.rules.remove(at);
        });
    }
    add(&|c| c.zone = crate::case::Zone::Utc);
    add(&|c| c.subject = "Planning".to_owned());
    add(&|c| {
        if !c.all_day {
            c.length = crate::case::Length::End(chrono::TimeDelta::hours(1));
        }
    });
    add(&|c| c.rules.iter_mut().for_each(|rule| rule.end = crate::case::End::Never));
    add(&|c| c.rules.iter_mut().for_each(|rule| rule.interval = 1));
    add(&|c| c.rules.iter_mut().for_each(|rule| rule.week_start = chrono::Weekday::Mon));
    for at in 0..case.rules.first().map_or(0, |rule| rule.by_day.len()) {
        add(&|c| {
            if let Some(rule) = c.rules.first_mut().filter(|rule| rule.by_day.len() > 1) {
                rule.by_day.remove(at);
            }
        });
    }
    all
}
