//! State shared by the cache and its writer thread.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::key::Key;
use super::table::{Readers, Table};

/// The identity of an entry.
pub(super) type EntryId = (Table, Key);

#[derive(Default)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// The tables as of the last commit.
    pub(super) readers: Mutex<Option<Arc<Readers>>>,
}

#[derive(Default)]
pub(super) struct State {
    /// Entries that wait for their commit.
    pub(super) pending: HashMap<EntryId, Arc<[u8]>>,
    /// Entries being computed, and the signal for callers that wait for them.
    in_progress: HashMap<EntryId, Arc<Notify>>,
    /// Entries that this process has refreshed: the only ones that a refreshing run may reuse.
    pub(super) refreshed: HashSet<EntryId>,
    /// The error of the writer thread; nothing is written after it.
    pub(super) write_error: Option<String>,
}

impl State {
    /// Marks an entry as in progress; `Err` with the signal where another caller computes it already.
    pub(super) fn start(&mut self, entry: EntryId) -> Result<(), Arc<Notify>> {
        match self.in_progress.get(&entry) {
            Some(other) => Err(Arc::clone(other)),
            None => {
                self.in_progress.insert(entry, Arc::default());
                Ok(())
            }
        }
    }

    pub(super) fn is_in_progress(&self, entry: &EntryId, signal: &Arc<Notify>) -> bool {
        self.in_progress.get(entry).is_some_and(|current| Arc::ptr_eq(current, signal))
    }
}

/// The exclusive right to compute a missing entry; other callers wait until it is dropped.
pub(super) struct Claim {
    pub(super) shared: Arc<Shared>,
    pub(super) entry: EntryId,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let waiting = lock(&self.shared.state).in_progress.remove(&self.entry);
        if let Some(waiting) = waiting {
            waiting.notify_waiters();
        }
    }
}

/// Ignores poisoning: every change of the state is a single step, so a panic elsewhere leaves it consistent.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
