//! The two properties and the floors, bounded: fixed seeds and one fresh.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use std::time::{Duration, Instant};

use exact::exactness::{self, Failure};
use exact::oracle::dateutil::Dateutil;
use exact::{floors, python, runner, sequence};

fn fresh_seed() -> u64 {
    let seed = getrandom::u64().unwrap();
    println!("fresh seed {seed}");
    seed
}

#[track_caller]
fn none(failures: &[Failure]) {
    if let Some(first) = failures.first() {
        panic!("{} failures, the first:\n{first}", failures.len());
    }
}

#[test]
fn teams_shows_what_the_calendar_says() {
    let mut second = match Dateutil::start() {
        Ok(second) => Some(second),
        Err(why) => {
            python::skip("the second oracle, python-dateutil", &why);
            None
        }
    };
    for (seed, seconds) in [(1, 3), (2, 3), (fresh_seed(), 3)] {
        let end = Instant::now() + Duration::from_secs(seconds);
        let sim = runner::simulator(seed).unwrap();
        let go_on = |tally: &exactness::Tally| tally.failures.is_empty() && Instant::now() < end;
        let tally = exactness::run(seed, &sim, second.as_mut(), go_on);
        println!("{}", tally.table());
        none(&tally.failures);
        tally.holds().unwrap();
    }
}

#[test]
fn edits_under_faults_come_to_what_a_fresh_create_shows() {
    for (seed, seconds) in [(1, 3), (2, 3), (fresh_seed(), 3)] {
        let end = Instant::now() + Duration::from_secs(seconds);
        let sim = runner::simulator(seed).unwrap();
        let go_on = |tally: &sequence::Tally| tally.failures.is_empty() && Instant::now() < end;
        let tally = sequence::run(seed, &sim, go_on);
        println!("{}", tally.line());
        none(&tally.failures);
    }
}

/// Sequences that once went wrong.
const KEPT: &[u64] = &[11_994_646_278_618_243_519, 13_539_068_912_636_452_494, 14_217_414_956_535_462_290];

/// Events that once did.
const KEPT_CASES: &[u64] = &[
    12_874_328_807_774_218_267,
    4_500_504_861_689_308_726,
    4_290_821_317_984_261_510,
    4_397_182_648_501_553_769,
    17_499_716_509_128_627_759,
];

#[test]
fn what_once_went_wrong_stays_right() {
    let sim = runner::simulator(1).unwrap();
    for &seed in KEPT {
        if let Err(failure) = sequence::sequence(seed, &sim, &mut sequence::Tally::default()) {
            none(&[failure]);
        }
    }
    for &seed in KEPT_CASES {
        let mut tally = exactness::Tally::default();
        exactness::one(seed, &sim, None, &mut tally);
        none(&tally.failures);
        assert_eq!(tally.cases, 1);
    }
}

#[test]
fn changes_cost_no_more_requests_than_they_must() {
    let sim = runner::simulator(1).unwrap();
    let costs = floors::measure(&sim).unwrap();
    let table = floors::table(&costs);
    println!("{table}");
    assert!(costs.iter().all(floors::Cost::holds), "\n{table}");
}
