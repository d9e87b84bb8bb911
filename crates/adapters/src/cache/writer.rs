//! The thread that writes: it gathers what has arrived and commits it as one, so that a disk that takes milliseconds
//! a commit keeps up with thousands of answers a second.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use redb::Database;

use super::guard::{Held, guarded};
use super::key::Key;
use super::{Shared, Shelf, lock};

/// How long entries gather before they are committed.
const GATHER: Duration = Duration::from_millis(80);

/// The thread.
pub(super) struct Writer {
    wake: SyncSender<()>,
    /// It knows that something waits: to wake it again would cost both sides a switch of threads for each entry.
    knows: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts it.
    pub(super) fn start(database: Arc<Held>, shared: Arc<Shared>) -> std::io::Result<Self> {
        let (wake, woken) = mpsc::sync_channel(1);
        let knows = Arc::new(AtomicBool::new(false));
        let thread = {
            let knows = Arc::clone(&knows);
            std::thread::Builder::new()
                .name("cache".to_owned())
                .spawn(move || write(&database, &shared, &woken, &knows))?
        };
        Ok(Self { wake, knows, thread })
    }

    /// Says that there is something to write.
    pub(super) fn wake(&self) {
        if !self.knows.swap(true, Ordering::AcqRel) {
            // Full: it is about to look anyway.
            let _ = self.wake.try_send(());
        }
    }

    /// Waits until everything is written.
    pub(super) fn finish(self) {
        drop(self.wake);
        // A panic in there has left its mark: what it did not write is still pending.
        let _ = self.thread.join();
    }
}

fn write(database: &Database, shared: &Shared, woken: &Receiver<()>, knows: &AtomicBool) {
    let mut open = true;
    while open {
        open = woken.recv().is_ok();
        // Others may arrive: they go along.
        let until = Instant::now() + GATHER;
        while open {
            match woken.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => open = false,
            }
        }
        // Before the look: what comes after it says so again.
        knows.store(false, Ordering::Release);
        let batch = lock(&shared.state).pending.clone();
        if batch.is_empty() {
            continue;
        }
        match guarded(|| commit(database, &batch)) {
            Ok(()) => {
                // Before the entries are no longer pending: they are found in the one or in the other.
                *lock(&shared.tables) = None;
                let mut state = lock(&shared.state);
                // An entry that was kept again meanwhile is another one.
                state
                    .pending
                    .retain(|place, now| batch.get(place).is_none_or(|written| !Arc::ptr_eq(written, now)));
            }
            Err(error) => {
                // What waits is still found by this run; nothing more is promised.
                lock(&shared.state).broken = Some(error.to_string());
                return;
            }
        }
    }
}

/// Writes entries in the order of their keys, as one commit that is on the disk when this returns.
fn commit(database: &Database, batch: &HashMap<(Shelf, Key), Arc<[u8]>>) -> Result<(), redb::Error> {
    let mut places: Vec<_> = batch.iter().collect();
    places.sort_unstable_by_key(|(place, _)| **place);
    let writing = database.begin_write()?;
    for shelf in Shelf::ALL {
        let mut table = writing.open_table(shelf.table())?;
        for ((_, key), bytes) in places.iter().filter(|((of, _), _)| *of == shelf) {
            table.insert(key, &***bytes)?;
        }
    }
    writing.commit()?;
    Ok(())
}
