//! The judge of exactness, for as long as wanted.

use std::time::{Duration, Instant};

use exact::exactness::Failure;
use exact::oracle::dateutil::Dateutil;

pub(crate) fn exact(time: Duration, seed: u64) -> Result<String, String> {
    let end = Instant::now() + time;
    let sim = exact::runner::simulator(seed)?;
    let mut python = Dateutil::start()?;
    // The first failure is enough: it has been made as small as it gets.
    let tally = exact::exactness::run(seed, &sim, Some(&mut python), |tally| {
        tally.failures.is_empty() && (tally.cases == 0 || Instant::now() < end)
    });
    first(&tally.failures)?;
    tally.holds()?;
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
        Some(failure) => Err(failure.to_string()),
    }
}
