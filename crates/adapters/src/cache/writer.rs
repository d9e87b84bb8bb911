//! The writer thread: it collects entries and commits them in batches, so that a disk that takes milliseconds per
//! commit keeps up with thousands of completions a second.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use redb::Database;

use super::diagnostics::database_error;
use super::guard::{GuardedDatabase, guarded};
use super::state::{EntryId, Shared, lock};
use super::table::Table;

/// Least time between the starts of two commits, during which entries are collected. With the duration of a commit, it
/// bounds the time that an entry is at risk: a process that is killed loses at most the last 100 ms.
const BATCH_INTERVAL: Duration = Duration::from_millis(50);

pub(super) struct Writer {
    wake: SyncSender<()>,
    /// The thread is already awake: waking it for each entry would cost both sides a context switch.
    is_awake: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Writer {
    pub(super) fn start(database: Arc<GuardedDatabase>, shared: Arc<Shared>) -> std::io::Result<Self> {
        let (wake, woken) = mpsc::sync_channel(1);
        let is_awake = Arc::new(AtomicBool::new(false));
        let thread = {
            let is_awake = Arc::clone(&is_awake);
            std::thread::Builder::new()
                .name("cache".to_owned())
                .spawn(move || run(&database, &shared, &woken, &is_awake))?
        };
        Ok(Self { wake, is_awake, thread })
    }

    /// Notifies the thread of a pending entry.
    pub(super) fn wake(&self) {
        if !self.is_awake.swap(true, Ordering::AcqRel) {
            // A full channel means that the thread is about to look anyway.
            let _ = self.wake.try_send(());
        }
    }

    /// Waits until all entries are written.
    pub(super) fn finish(self) {
        drop(self.wake);
        // After a panic in the thread, the unwritten entries are still pending.
        let _ = self.thread.join();
    }
}

fn run(database: &Database, shared: &Shared, woken: &Receiver<()>, is_awake: &AtomicBool) {
    let mut open = true;
    // Counted from the start of the last commit, so that entries which arrive while it runs wait no longer than others.
    let mut until = Instant::now();
    while open {
        open = woken.recv().is_ok();
        while open {
            match woken.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => open = false,
            }
        }
        // Reset before reading the batch, so that any later entry wakes the thread again.
        is_awake.store(false, Ordering::Release);
        until = Instant::now() + BATCH_INTERVAL;
        let batch = lock(&shared.state).pending.clone();
        if batch.is_empty() {
            continue;
        }
        match guarded(|| commit(database, &batch)) {
            Ok(()) => {
                // Discarded before the entries leave `pending`, so that a lookup finds them in one or the other.
                *lock(&shared.readers) = None;
                let mut state = lock(&shared.state);
                // An entry inserted again in the meantime is not the one that was written.
                state
                    .pending
                    .retain(|entry, now| batch.get(entry).is_none_or(|written| !Arc::ptr_eq(written, now)));
            }
            Err(error) => {
                // Pending entries stay readable for the rest of this run.
                lock(&shared.state).write_error = Some(database_error(&error));
                return;
            }
        }
    }
}

/// Writes entries in the order of their keys as one durable commit.
fn commit(database: &Database, batch: &HashMap<EntryId, Arc<[u8]>>) -> Result<(), redb::Error> {
    let mut entries: Vec<_> = batch.iter().collect();
    entries.sort_unstable_by_key(|(entry, _)| **entry);
    let transaction = database.begin_write()?;
    for table in Table::ALL {
        let mut open = transaction.open_table(table.definition())?;
        for ((_, key), bytes) in entries.iter().filter(|((of, _), _)| *of == table) {
            open.insert(key, &***bytes)?;
        }
    }
    Ok(transaction.commit()?)
}
