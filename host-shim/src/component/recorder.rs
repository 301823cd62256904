//! A record of every value that crosses into the extension, for audits and tests.

use std::sync::Arc;

use serde::Serialize;

/// Is given every value that crosses into the extension: where it crosses, and the value.
///
/// Structured values come as JSON text; bytes inside them as text, so that what is searched for is found as it stands. Bytes of
/// their own (records, random bytes) come as they are. Called on the thread of the call, before the extension sees the value.
pub type Recorder = Arc<dyn Fn(&str, &[u8]) + Send + Sync>;

/// A recorder, or none.
#[derive(Clone, Default)]
pub(super) struct Recording(pub(super) Option<Recorder>);

impl Recording {
    pub(super) fn bytes(&self, item: &str, value: &[u8]) {
        if let Some(recorder) = &self.0 {
            recorder(item, value);
        }
    }

    pub(super) fn value(&self, item: &str, value: &impl Serialize) {
        if let Some(recorder) = &self.0 {
            // What cannot be written as JSON must not go unseen.
            let text = serde_json::to_vec(value).unwrap_or_else(|error| format!("unwritable: {error}").into_bytes());
            recorder(item, &text);
        }
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Recording(on)" } else { "Recording(off)" })
    }
}
