//! The answer of `python/corpus.py`, whose members are what it says there.

use chrono::NaiveDateTime;
use serde_json::Value;

/// A text; "" where there is none.
pub(super) fn text_of<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A list; empty where there is none.
pub(super) fn list_of<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A time by the clock of the event's start.
pub(super) fn local(value: &Value) -> Option<NaiveDateTime> {
    value.as_str()?.get(..19)?.parse().ok()
}
