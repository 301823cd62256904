//! Runs the judge by hand: `cargo run -p exact -- cases --number 1000`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use exact::exactness::{self, Failure};
use exact::oracle::dateutil::{self, Dateutil};
use exact::sequence;
use graph_sim::Simulator;

/// Is what Teams shows what the calendar says?
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Random events into an empty mailbox.
    Cases {
        /// How many.
        #[arg(long, default_value_t = 1_000)]
        number: u64,
        /// From this seed; without it a fresh one.
        #[arg(long)]
        seed: Option<u64>,
        /// At most so many failures are shown.
        #[arg(long, default_value_t = 10)]
        show: usize,
    },
    /// Random edits under faults.
    Sequences {
        /// How many.
        #[arg(long, default_value_t = 200)]
        number: u64,
        /// From this seed; without it a fresh one.
        #[arg(long)]
        seed: Option<u64>,
        /// At most so many failures are shown.
        #[arg(long, default_value_t = 10)]
        show: usize,
    },
}

fn main() -> ExitCode {
    match run(Options::parse().what) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: What) -> Result<bool, String> {
    match what {
        What::Cases { number, seed, show } => {
            let (seed, sim) = begin(seed)?;
            let mut python = match Dateutil::start(&dateutil::folder()) {
                Ok(python) => Some(python),
                Err(why) => {
                    eprintln!("warning: without the second oracle, python-dateutil: {why}");
                    None
                }
            };
            let tally = exactness::run(seed, &sim, python.as_mut(), |tally| tally.cases < number)?;
            print!("{}", tally.table());
            println!("{} failures", tally.failures.len());
            Ok(shown(&tally.failures, show))
        }
        What::Sequences { number, seed, show } => {
            let (seed, sim) = begin(seed)?;
            let tally = sequence::run(seed, &sim, |tally| tally.sequences < number)?;
            println!("{}", tally.line());
            Ok(shown(&tally.failures, show))
        }
    }
}

fn begin(seed: Option<u64>) -> Result<(u64, Simulator), String> {
    let seed = seed.or_else(|| getrandom::u64().ok()).unwrap_or(1);
    println!("seed {seed}");
    Ok((seed, exact::runner::simulator(seed)?))
}

/// Shows failures; answers whether there are none.
fn shown(failures: &[Failure], most: usize) -> bool {
    for failure in failures.iter().take(most) {
        println!("\n{}\n{}\n{}", failure.how, failure.what, failure.text);
    }
    failures.is_empty()
}
