//! Runs the judge by hand: `cargo run -p exact -- cases --number 1000`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use exact::exactness::{self, Failure};
use exact::oracle::dateutil::Dateutil;
use exact::{corpus, floors, sequence};
use graph_sim::Simulator;

/// Is what Teams shows what the calendar says?
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One random event, by its own seed.
    Case {
        /// As a failure shows it.
        seed: u64,
    },
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
    /// Other people's files, with a table of counts by reason.
    Corpora {
        /// At most so many failures are shown.
        #[arg(long, default_value_t = 10)]
        show: usize,
        /// Also name each series that was refused.
        #[arg(long)]
        refused: bool,
    },
    /// The table of what each change costs in requests.
    Floors,
    /// One sequence of random edits, by its own seed.
    Sequence {
        /// As a failure shows it.
        seed: u64,
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
        What::Case { seed } => {
            let sim = exact::runner::simulator(seed)?;
            let mut tally = exactness::Tally::default();
            exactness::one(seed, &sim, None, &mut tally);
            print!("{}", tally.table());
            Ok(shown(&tally.failures, 1))
        }
        What::Cases { number, seed, show } => {
            let (seed, sim) = begin(seed)?;
            let mut python = match Dateutil::start() {
                Ok(python) => Some(python),
                Err(why) => {
                    eprintln!("warning: without the second oracle, python-dateutil: {why}");
                    None
                }
            };
            let tally = exactness::run(seed, &sim, python.as_mut(), |tally| tally.cases < number);
            print!("{}", tally.table());
            println!("{} failures", tally.failures.len());
            Ok(shown(&tally.failures, show))
        }
        What::Corpora { show, refused } => {
            let all = corpus::judge_all()?;
            print!("{}", corpus::table(&all));
            let verdicts =
                || all.iter().flat_map(|(name, verdicts)| verdicts.iter().map(move |verdict| (name, verdict)));
            for (name, verdict) in verdicts().filter(|(_, verdict)| refused && verdict.fit.is_some()) {
                if verdict.ended != "mirrored" {
                    println!("{name} {}: {} ({:?})", verdict.file, verdict.ended, verdict.fit);
                }
            }
            let wrong: Vec<_> = verdicts().filter(|(_, verdict)| verdict.wrong.is_some()).collect();
            for (name, verdict) in wrong.iter().take(show) {
                println!(
                    "\n{name} {}: {}\n{}",
                    verdict.file,
                    verdict.wrong.as_deref().unwrap_or_default(),
                    verdict.text
                );
            }
            println!("{} failures", wrong.len());
            Ok(wrong.is_empty())
        }
        What::Floors => {
            let costs = floors::measure(&exact::runner::simulator(1)?)?;
            print!("{}", floors::table(&costs));
            Ok(costs.iter().all(floors::Cost::holds))
        }
        What::Sequence { seed } => {
            let sim = exact::runner::simulator(seed)?;
            let failure = sequence::sequence(seed, &sim, &mut sequence::Tally::default()).err();
            Ok(shown(failure.as_slice(), 1))
        }
        What::Sequences { number, seed, show } => {
            let (seed, sim) = begin(seed)?;
            let tally = sequence::run(seed, &sim, |tally| tally.sequences < number);
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
        println!("\n{failure}");
    }
    failures.is_empty()
}
