//! What we cost, beside the same work without us, in one run. Run it in release: `cargo run --release -p bench`.
//!
//! Figures are printed and never asserted: they are the machine's as much as ours, and what else runs on it is printed with them.

mod client;
mod gateway;
mod mirrored;
mod nginx;
mod process;
mod upstream;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Prints what we cost, beside the same work without us.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    bench: Option<Bench>,
    #[command(flatten)]
    mirrored: mirrored::Mirrored,
}

#[derive(Debug, Subcommand)]
enum Bench {
    Gateway(gateway::Measured),
    /// The gateway's process, for `gateway`
    #[command(hide = true)]
    GatewayProcess(process::File),
    /// A server that answers at once, for `gateway`
    #[command(hide = true)]
    UpstreamProcess,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.bench {
        None => mirrored::run(&options.mirrored),
        Some(Bench::Gateway(options)) => gateway::run(options),
        Some(Bench::GatewayProcess(options)) => process::gateway(options),
        Some(Bench::UpstreamProcess) => upstream::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What else runs on this machine.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}
