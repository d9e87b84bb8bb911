//! Turns panics of the database into errors: it validates most of what it reads, and panics on some damaged pages.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use redb::{Database, StorageError};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// A database whose closing, which writes to the file, is guarded too.
pub(super) struct GuardedDatabase(Option<Database>);

impl GuardedDatabase {
    pub(super) fn new(database: Database) -> Self {
        Self(Some(database))
    }
}

impl Drop for GuardedDatabase {
    fn drop(&mut self) {
        // All entries are committed by now; closing only speeds up the next opening.
        let _ = guarded(|| {
            drop(self.0.take());
            Ok(())
        });
    }
}

impl Deref for GuardedDatabase {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.0.as_ref().expect("present until dropped")
    }
}

impl DerefMut for GuardedDatabase {
    fn deref_mut(&mut self) -> &mut Database {
        self.0.as_mut().expect("present until dropped")
    }
}

/// Runs an operation on the file; a panic in it becomes [`StorageError::Corrupted`] and prints nothing.
pub(super) fn guarded<T>(operation: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                previous(info);
            }
        }));
    });
    GUARDED.set(true);
    // Unwind-safe because every caller stops using the cache after an error.
    let result = panic::catch_unwind(AssertUnwindSafe(operation));
    GUARDED.set(false);
    result.unwrap_or_else(|_| Err(StorageError::Corrupted("the file is incomplete".to_owned()).into()))
}
