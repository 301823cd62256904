//! No more calls at a time than there is memory for.
//!
//! A hook can hold its place for a minute while the remote service thinks; a save waits for `prepare`. So some places are
//! kept free of hooks.

use std::sync::{Condvar, Mutex, PoisonError};

/// What a place is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Short: runs for its guest time at most.
    Pure,
    /// Long: may wait for the remote service.
    Hook,
}

#[derive(Debug)]
pub(super) struct Gate {
    places: u32,
    taken: Mutex<u32>,
    freed: Condvar,
}

/// A place, until dropped.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a Gate);

impl Gate {
    pub(super) fn new(places: u32) -> Self {
        Self { places: places.max(1), taken: Mutex::new(0), freed: Condvar::new() }
    }

    /// Waits for a place.
    pub(super) fn enter(&self, purpose: Purpose) -> Place<'_> {
        let open = match purpose {
            Purpose::Pure => self.places,
            Purpose::Hook => (self.places - self.places / 8).max(1),
        };
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.freed.wait_while(taken, |taken| *taken >= open).unwrap_or_else(PoisonError::into_inner);
        *taken += 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        // All, because a hook that is woken may have to go on waiting where a `prepare` need not.
        self.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn hooks_leave_places_for_saves() {
        let gate = Arc::new(Gate::new(8));
        let hooks: Vec<_> = (0..7).map(|_| gate.enter(Purpose::Hook)).collect();
        let eighth = Arc::new(AtomicBool::new(false));
        let waiting = std::thread::spawn({
            let (gate, eighth) = (Arc::clone(&gate), Arc::clone(&eighth));
            move || {
                let _place = gate.enter(Purpose::Hook);
                eighth.store(true, Ordering::SeqCst);
            }
        });
        drop(gate.enter(Purpose::Pure));
        std::thread::sleep(Duration::from_millis(30));
        assert!(!eighth.load(Ordering::SeqCst), "the last place is not for hooks");
        drop(hooks);
        waiting.join().unwrap();
        assert!(eighth.load(Ordering::SeqCst));
    }
}
