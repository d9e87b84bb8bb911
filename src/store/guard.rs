//! Damage as an error: the database checks most of what it reads, and panics on some of what it does not.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use redb::StorageError;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Carries out an operation on the file; a panic in it is [`StorageError::Corrupted`], and prints nothing.
pub(super) fn guarded<T>(operation: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |facts| {
            if !GUARDED.get() {
                usual(facts);
            }
        }));
    });
    GUARDED.set(true);
    // What a half-done operation leaves is looked at no more: every caller gives the store up on an error.
    let result = panic::catch_unwind(AssertUnwindSafe(operation));
    GUARDED.set(false);
    result.unwrap_or_else(|_| Err(StorageError::Corrupted("the file is not whole".to_owned()).into()))
}
