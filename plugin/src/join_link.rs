//! Puts the join link into iCalendar, finds it again, takes it out: by editing lines, never by re-serialising.
//!
//! What is written, in every VEVENT before its first nested component:
//!
//! | property | when |
//! | --- | --- |
//! | `DESCRIPTION` | always: a [`block`] at its end, made where there is none |
//! | `X-ALT-DESC`, `STYLED-DESCRIPTION` | where present as HTML: a paragraph between two comments |
//! | `CONFERENCE` (RFC 7986 §5.11), `X-MICROSOFT-SKYPETEAMSMEETINGURL` | always |
//! | `LOCATION`, `URL` | only where absent or empty |
//!
//! The block's last line carries the event's tag, by which it is recognised, and one letter for each property that was
//! absent or empty before, so that taking out restores the text to the byte: `insert` then `remove` is the identity, and
//! everything that is not ours survives byte for byte, folding and line ends included.

mod block;
mod fold;
mod insert;
mod lines;
mod remove;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::samples;

pub(crate) use block::{Found, contains_teams_link, find_blocks, unescape, without_blocks};
pub(crate) use insert::{carries, insert};
pub(crate) use lines::{Document, EventLines, Line, parameter, split_lines, split_value};
pub(crate) use remove::{Ours, remove};
