//! Damage as an error: the database checks most of what it reads, and panics on some of what it does not.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use redb::{Database, StorageError};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// A database whose closing, which writes to the file, is guarded as well.
pub(super) struct Held(Option<Database>);

impl Held {
    /// Holds a database.
    pub(super) fn new(database: Database) -> Self {
        Self(Some(database))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Everything kept is committed by now: what closing adds saves time at the next opening, and no more.
        let _ = guarded(|| {
            drop(self.0.take());
            Ok(())
        });
    }
}

impl Deref for Held {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Database {
        self.0.as_mut().expect("it is there until it is dropped")
    }
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
    // What a half-done operation leaves is looked at no more: every caller gives the cache up on an error.
    let result = panic::catch_unwind(AssertUnwindSafe(operation));
    GUARDED.set(false);
    result.unwrap_or_else(|_| Err(StorageError::Corrupted("the file is not whole".to_owned()).into()))
}
