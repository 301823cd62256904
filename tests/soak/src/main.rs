//! Runs a soak: `cargo run -p soak -- NAME --seconds N --seed S`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use soak::SOAKS;

/// Random work under random faults, for as long as wanted.
#[derive(Debug, Parser)]
struct Options {
    /// Which one.
    name: Option<String>,
    /// Name them all, one a line, and stop.
    #[arg(long)]
    list: bool,
    /// For about so long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Log to standard error, for example `host_shim=debug`.
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// From this seed; without it a fresh one, which is printed.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.list {
        for soak in SOAKS {
            println!("{}", soak.name);
        }
        return ExitCode::SUCCESS;
    }
    let Some(soak) = SOAKS.iter().find(|soak| Some(soak.name) == options.name.as_deref()) else {
        eprintln!("error: name one of:");
        for soak in SOAKS {
            eprintln!("  {}  {}", soak.name, soak.about);
        }
        return ExitCode::from(2);
    };
    if let Some(filter) = &options.log {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
    let seed = options.seed.or_else(|| getrandom::u64().ok()).unwrap_or(1);
    println!("soak {}, {} s, seed {seed}", soak.name, options.seconds);
    match (soak.run)(Duration::from_secs(options.seconds), seed) {
        Ok(counted) => {
            println!("{counted}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}
