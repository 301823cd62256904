//! Who writes into a calendar: people whenever they like, a link that comes late when nobody else does. Some servers refuse a write
//! while another one is on its way in the same calendar (Xandikos: 423), and nobody's save is to be refused because of a link.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::path::{canonical, parent};

/// The longest a save waits for a link that is being written; then it goes on, and the server decides.
const SAVE_WAITS: Duration = Duration::from_secs(1);
/// The longest a link waits for a calendar in which people save all the time.
const LINK_WAITS: Duration = Duration::from_secs(5);
/// How soon it tries again.
const AGAIN: Duration = Duration::from_millis(20);

/// The calendars that somebody writes into.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<String, Weak<RwLock<()>>>>);

impl Turns {
    /// For a request of a client's: held until the server has answered.
    pub(super) async fn save(&self, path: &str) -> Option<OwnedRwLockReadGuard<()>> {
        tokio::time::timeout(SAVE_WAITS, self.of(path).read_owned()).await.ok()
    }

    /// For a link. It does not queue: a save never waits for a link that waits.
    pub(super) async fn link(&self, path: &str) -> Option<OwnedRwLockWriteGuard<()>> {
        let (turn, ends) = (self.of(path), Instant::now() + LINK_WAITS);
        loop {
            match Arc::clone(&turn).try_write_owned() {
                Ok(mine) => return Some(mine),
                Err(_) if Instant::now() >= ends => return None,
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    fn of(&self, path: &str) -> Arc<RwLock<()>> {
        let path = canonical(path).unwrap_or_else(|| path.to_owned());
        let calendar = if path.ends_with('/') { path.as_str() } else { parent(&path) };
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(calendar).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(calendar.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn saves_do_not_wait_for_one_another_nor_for_a_link_that_waits() {
        let turns = Turns::default();
        let first = turns.save("/alice/work/e1.ics").await;
        let link = turns.link("/alice/work/e2.ics");
        tokio::pin!(link);
        assert!(tokio::time::timeout(Duration::from_millis(100), &mut link).await.is_err(), "somebody saves");
        let second = turns.save("/alice/work/e3.ics").await;
        let elsewhere = turns.link("/alice/home/e4.ics").await;
        assert!(first.is_some() && second.is_some() && elsewhere.is_some());
        drop((first, second));
        assert!(link.await.is_some());
    }

    #[tokio::test]
    async fn a_save_waits_for_a_link_on_its_way_but_not_for_long() {
        let turns = Turns::default();
        let link = turns.link("/alice/work/").await;
        assert!(link.is_some());
        assert!(turns.save("/alice/work/e1.ics").await.is_none());
        drop(link);
        assert!(turns.save("/alice/work/e1.ics").await.is_some());
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
