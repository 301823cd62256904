//! The oracle in Python: python-dateutil.

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use super::{Expand, LONG, Unknown};
use crate::python::Python;

const FORMAT: &str = "%Y-%m-%dT%H:%M:%S";

/// Expands with python-dateutil.
#[derive(Debug)]
pub struct Dateutil(Python);

impl Dateutil {
    /// Starts it.
    ///
    /// # Errors
    /// With a sentence, where there is no python3, or no way to the package.
    pub fn start() -> Result<Self, String> {
        Python::start(include_str!("../../python/expand.py")).map(Self)
    }
}

impl Expand for Dateutil {
    fn expand(
        &mut self,
        rule: &str,
        start: NaiveDateTime,
        to: NaiveDateTime,
        most: Option<usize>,
    ) -> Result<Vec<NaiveDateTime>, Unknown> {
        let text = |at: NaiveDateTime| at.format(FORMAT).to_string();
        let question = json!({"rule": rule, "start": text(start), "to": text(to), "most": LONG, "enough": most});
        let answer = self.0.ask(&question).map_err(Unknown::Refused)?;
        if answer.get("dense").is_some() {
            return Err(Unknown::Dense);
        }
        if let Some(why) = answer.get("error").and_then(Value::as_str) {
            return Err(Unknown::Refused(why.to_owned()));
        }
        let dates = answer.get("dates").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(dates
            .iter()
            .filter_map(|at| NaiveDateTime::parse_from_str(at.as_str().unwrap_or_default(), FORMAT).ok())
            .collect())
    }
}
