//! The oracle in Rust: the crate rrule.

use chrono::{DateTime, NaiveDateTime};
use rrule::{RRule, Tz, Unvalidated};

use super::{Expand, LONG, Unknown};

/// Expands with the crate rrule.
#[derive(Debug, Default)]
pub struct ByCrate;

impl Expand for ByCrate {
    fn expand(
        &mut self,
        rule: &str,
        start: NaiveDateTime,
        to: NaiveDateTime,
        most: Option<usize>,
    ) -> Result<Vec<NaiveDateTime>, Unknown> {
        // Its clock without zones is UTC.
        let zoned = |at: NaiveDateTime| -> DateTime<Tz> { at.and_utc().with_timezone(&Tz::UTC) };
        let read: RRule<Unvalidated> = rule.parse().map_err(|e| Unknown::Refused(format!("{e}")))?;
        let set = read.build(zoned(start)).map_err(|e| Unknown::Refused(format!("{e}")))?;
        let mut dates = Vec::new();
        for at in &set {
            let at = at.naive_utc();
            if at >= to || most.is_some_and(|most| dates.len() >= most) {
                break;
            }
            if dates.len() > LONG {
                return Err(Unknown::Dense);
            }
            dates.push(at);
        }
        Ok(dates)
    }
}
