//! The judge of exactness, for as long as wanted.

use std::time::{Duration, Instant};

use exact::exactness::Failure;
use exact::oracle::dateutil::Dateutil;

/// The share of cases on which the two oracles may disagree, in percent; they are listed and not counted.
const DISPUTED: u64 = 1;
/// The share of cases that have to be expressible, in percent.
const EXPRESSIBLE: u64 = 70;

pub(crate) fn exact(time: Duration, seed: u64) -> Result<String, String> {
    let end = Instant::now() + time;
    let sim = exact::runner::simulator(seed)?;
    let mut python = Dateutil::start()?;
    // The first failure is enough: it has been made as small as it gets.
    let tally = exact::exactness::run(seed, &sim, Some(&mut python), |tally| {
        tally.failures.is_empty() && (tally.cases == 0 || Instant::now() < end)
    });
    first(&tally.failures)?;
    let disputed = tally.disputed.len() as u64;
    if disputed * 100 > DISPUTED * (tally.cases + disputed) {
        return Err(format!("the oracles disagree on {disputed} of {}: {:?}", tally.cases, tally.disputed.first()));
    }
    if tally.cases > 200 && tally.expressible() < EXPRESSIBLE {
        return Err(format!("only {} % of the cases are expressible", tally.expressible()));
    }
    Ok(tally.table())
}

pub(crate) fn sequence(time: Duration, seed: u64) -> Result<String, String> {
    let end = Instant::now() + time;
    let sim = exact::runner::simulator(seed)?;
    let tally = exact::sequence::run(seed, &sim, |tally| {
        tally.failures.is_empty() && (tally.sequences == 0 || Instant::now() < end)
    });
    first(&tally.failures)?;
    Ok(tally.line())
}

fn first(failures: &[Failure]) -> Result<(), String> {
    match failures.first() {
        None => Ok(()),
        Some(failure) => Err(format!("{}\n{}\n{}", failure.how, failure.what, failure.text)),
    }
}
