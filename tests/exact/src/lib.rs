//! The judge of exactness: for 3 years, what the simulated Teams calendar shows must be what an independent reading of the
//! iCalendar says, or the event must have been refused although nobody could have expressed it.
//!
//! | room | what happens there |
//! | --- | --- |
//! | [`case`] | an event as data, and its iCalendar text |
//! | [`dice`] | randomness that a seed repeats |
//! | [`generate`] | random events and random edits of them |
//! | [`oracle`] | the occurrences of an event, by python-dateutil and by the crate rrule; neither is the product's library |
//! | [`classify`] | whether Microsoft can say it: with one series, with a set of at most 30 pieces, or not so |
//! | [`runner`] | the product's logic, natively, against a simulator: saves, faults, retries as a host makes them |
//! | [`compare`] | what the simulator shows against what the oracle says |
//! | [`exactness`], [`sequence`] | the two properties |
//! | [`corpus`] | other people's files |
//! | [`python`] | the Python environment of the oracles |
//! | [`floors`] | how many requests each change costs |
//!
//! `cargo run -p exact -- --help` runs each by hand; `cargo test -p exact` runs them bounded, and holds the
//! judge itself to account.

pub mod case;
pub mod classify;
pub mod compare;
pub mod corpus;
pub mod dice;
pub mod exactness;
pub mod floors;
pub mod generate;
pub mod oracle;
pub mod python;
pub mod runner;
pub mod sequence;
