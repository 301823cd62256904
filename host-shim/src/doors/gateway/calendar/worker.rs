//! What goes on beside the requests: notes are worked off, and it is seen whether the hook answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::hook::Unanswered;
use super::notes::Note;
use super::shared::Shared;
use super::telling::{self, Failed};
use super::{check, write_back};

/// How often a hook that does not answer is asked, and notes are looked at that wait.
const TICK: Duration = Duration::from_millis(500);
/// Notes told at the same time; they are about different events.
const AT_ONCE: usize = 8;

/// Works until it is time to stop.
pub(super) async fn run(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let links = tokio::spawn(write_back::run(Arc::clone(&shared), stop.clone()));
    let stopped = stop.wait_for(|stop| *stop);
    tokio::select! {
        _ = stopped => {}
        () = notes(&shared) => {}
    }
    let _ = links.await;
}

async fn notes(shared: &Arc<Shared>) {
    loop {
        let mut changed = std::pin::pin!(shared.notes.changed());
        changed.as_mut().enable();
        if !shared.is_up() {
            match shared.hook.probe(&check::account(&shared.config)).await {
                Ok(_) => shared.answers_again(),
                Err(error) if error.down => {
                    tokio::time::sleep(TICK).await;
                    continue;
                }
                // It answers, if not well.
                Err(_) => shared.answers_again(),
            }
        }
        work_off(shared).await;
        tokio::select! {
            () = changed => {}
            () = shared.doubt.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Tells all that can be told now, until the hook stops answering.
async fn work_off(shared: &Arc<Shared>) {
    let mut going = JoinSet::new();
    for name in shared.notes.due() {
        if !shared.is_up() {
            break;
        }
        while going.len() >= AT_ONCE {
            let _ = going.join_next().await;
        }
        let shared = Arc::clone(shared);
        going.spawn(async move {
            let taken = tokio::task::spawn_blocking({
                let notes = shared.notes.clone();
                move || notes.take(&name)
            });
            if let Ok(Some(note)) = taken.await {
                settle(&shared, note).await;
            }
        });
    }
    while going.join_next().await.is_some() {}
}

async fn settle(shared: &Shared, note: Note) {
    match telling::tell(shared, note.record()).await {
        Ok(()) => note.done(),
        Err(Failed::Hook(error)) => later(shared, note, &error),
        Err(Failed::Server(trouble)) => {
            shared.loudly("look", || {
                format!("notes wait, because the server does not say what is there: {trouble}; they are told later")
            });
            note.wait_longer();
        }
    }
}

fn later(shared: &Shared, note: Note, error: &Unanswered) {
    shared.unanswered(error);
    if error.down {
        // All wait for the same.
        drop(note);
    } else {
        note.wait_longer();
    }
}
