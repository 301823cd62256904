//! Random work under random faults, for as long as wanted; each soak prints its seed and what it counted.
//!
//! `cargo run -p soak -- --list` names them, `cargo run -p soak -- NAME --seconds N --seed S` runs one. The same code runs,
//! bounded to 20 seconds, in `cargo test`.

mod converge;
mod exactness;

use std::time::Duration;

/// A soak: what it is called, what it does, and the doing.
pub struct Soak {
    /// The name on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Runs it for about so long from a seed; gives what it counted, or what went wrong.
    pub run: fn(Duration, u64) -> Result<String, String>,
}

/// All of them.
pub const SOAKS: &[Soak] = &[
    Soak {
        name: "converge",
        about: "random saves, refusals, drafts and deletes while Microsoft fails in every way; then everything must be right, once",
        run: converge::run,
    },
    Soak {
        name: "exact",
        about: "random events that repeat: for three years Teams shows what two independent oracles say, or says why not",
        run: exactness::exact,
    },
    Soak {
        name: "sequence",
        about: "random edits of an event that repeats while Microsoft fails: in the end it looks like made afresh, with its one link",
        run: exactness::sequence,
    },
];
