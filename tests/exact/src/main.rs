//! Runs the judge by hand: `cargo run -p exact -- cases --number 1000`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use exact::exactness;
use exact::oracle::dateutil::{self, Dateutil};

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
            let seed = seed.or_else(|| getrandom::u64().ok()).unwrap_or(1);
            println!("seed {seed}");
            let sim = exact::runner::simulator(seed)?;
            let mut python = match Dateutil::start(&dateutil::folder()) {
                Ok(python) => Some(python),
                Err(why) => {
                    eprintln!("warning: without the second oracle, python-dateutil: {why}");
                    None
                }
            };
            let tally = exactness::run(seed, &sim, python.as_mut(), |tally| tally.cases < number)?;
            print!("{}", tally.table());
            for failure in tally.failures.iter().take(show) {
                println!("\n{}\n{}\n{}", failure.how, failure.what, failure.text);
            }
            println!("{} failures", tally.failures.len());
            Ok(tally.failures.is_empty())
        }
    }
}
