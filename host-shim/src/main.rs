//! The command `teams-mirror`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    host_shim::cli::run()
}
