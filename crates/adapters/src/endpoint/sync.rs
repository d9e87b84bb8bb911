//! Shared state of the layers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use promptgate_core::model::{Fault, FaultKind};

/// Ignores poisoning: counters remain usable after a panic elsewhere.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the fault of a call that was not made because the run was asked to stop.
pub(super) fn interrupted() -> Fault {
    Fault::new(FaultKind::Interrupted, "interrupted before the call was made")
}
