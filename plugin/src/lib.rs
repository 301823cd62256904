//! Mirrors iCalendar events into a Microsoft Teams calendar by Microsoft Graph, as a WASI component.
//!
//! This file names the rooms and nothing else:
//!
//! | room | what happens there |
//! | --- | --- |
//! | [`domain`], [`host`] | the vocabulary, and the one trait through which the outside is reached |
//! | [`extension`] | what the extension is, which settings it understands |
//! | [`prepare`] | a save: what the text means, whether it is mirrored, which text to store |
//! | [`mirror`] | the decision: (desired, record) → requests → outcome |
//! | `settings`, `exclusion`, `standing` | what was chosen; which events stay out; how an event stands, and why |
//! | [`mailbox`] | what the Microsoft mailbox can do |
//! | `calendar` | iCalendar text → the domain's event |
//! | `series` | an event that repeats → the pieces Microsoft can hold of it |
//! | `graph` | the domain's event → Graph's JSON; Graph's answers → outcomes and errors |
//! | `join_link` | puts the join link into iCalendar, finds it again, takes it out |
//! | `record` | what is remembered of one event at Microsoft |
//! | `words` | every sentence a person reads, one file per language |
//! | `fuzzing` | what has to hold whatever comes in; only for tests and fuzzers |
//! | `contract` | bindings and exports; only in the component, because versioned export names do not link natively |

#[cfg(target_family = "wasm")]
mod contract;

mod calendar;
pub mod domain;
mod exclusion;
pub mod extension;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod graph;
pub mod host;
mod join_link;
pub mod mailbox;
pub mod mirror;
pub mod prepare;
mod record;
mod series;
mod settings;
mod standing;
mod words;
