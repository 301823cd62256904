//! What the server said, to whom, believed for a moment.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most answers remembered.
const MOST: usize = 8192;

/// Who asked, and about which path.
pub(super) type Key = ([u8; 32], String);

/// Answers, each until a moment.
pub(super) struct Remembered<T>(Mutex<HashMap<Key, (Instant, T)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Remembered<T> {
    /// What is still believed.
    pub(super) fn recall(&self, key: &Key) -> Option<T> {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, known) = remembered.get(key)?;
        (*until > Instant::now()).then(|| known.clone())
    }

    /// Believes it so long.
    pub(super) fn remember(&self, key: Key, value: T, long: Duration) {
        if long.is_zero() {
            return;
        }
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if remembered.len() >= MOST {
            remembered.retain(|_, (until, _)| *until > now);
        }
        if remembered.len() >= MOST {
            remembered.clear();
        }
        remembered.insert(key, (now + long, value));
    }

    /// Believes nothing more about such paths.
    pub(super) fn forget(&self, which: impl Fn(&str) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(_, path), _| !which(path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_of_one_person_and_ends() {
        let remembered = Remembered::default();
        let key = |who: u8, path: &str| ([who; 32], path.to_owned());
        remembered.remember(key(1, "/a/"), 1, Duration::from_secs(60));
        remembered.remember(key(1, "/b/"), 2, Duration::ZERO);
        assert_eq!(remembered.recall(&key(1, "/a/")), Some(1));
        assert_eq!(remembered.recall(&key(2, "/a/")), None);
        assert_eq!(remembered.recall(&key(1, "/b/")), None);
        remembered.forget(|path| path == "/a/");
        assert_eq!(remembered.recall(&key(1, "/a/")), None);
    }
}
