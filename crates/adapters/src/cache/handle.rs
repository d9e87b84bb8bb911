//! An open cache: lookups, insertions and the wait for entries that another caller is computing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redb::{ReadableDatabase as _, StorageError};

use super::diagnostics::{BYPASS_HELP, DAMAGED_HELP, FULL_HELP, WRONG_CHECKSUM, damaged, diagnostic};
use super::guard::{GuardedDatabase, guarded};
use super::key::Key;
use super::lock::{self, Lock, RETRY_INTERVAL};
use super::record::{Record, now};
use super::state::{Claim, EntryId, Shared, lock as locked};
use super::table::{self, FORMAT, Readers, Table};
use super::writer::Writer;
use promptgate_core::model::{CallReason, Diagnostic, Fault};
use promptgate_core::text::{is_out_of_space, write_error};

/// An open cache, locked by this process until dropped.
pub struct Cache {
    pub(super) path: PathBuf,
    pub(super) database: Arc<GuardedDatabase>,
    pub(super) shared: Arc<Shared>,
    writer: Mutex<Option<Writer>>,
    _lock: Lock,
}

/// Restricts the entries that a lookup may return.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lookup {
    /// Maximum age; `None` for any.
    pub(super) max_age: Option<Duration>,
    /// Only entries that this process has refreshed.
    pub(super) refreshed_only: bool,
}

pub(super) enum LookupResult {
    Hit(Record),
    /// The caller holds the claim and computes the entry.
    Miss(Claim, CallReason),
}

/// A cache that cannot be opened.
#[derive(Debug)]
pub struct OpenError {
    /// The error; it names the file.
    pub diagnostic: Diagnostic,
    /// Whether the disk is full. That is not a mistake of the user.
    pub is_out_of_space: bool,
}

impl OpenError {
    pub(super) fn io(error: impl Fn(String) -> Diagnostic, what: &str, why: &io::Error) -> Self {
        let is_out_of_space = is_out_of_space(why);
        let help = if is_out_of_space { FULL_HELP } else { BYPASS_HELP };
        Self { diagnostic: error(format!("{what}: {}", write_error(why))).help(help), is_out_of_space }
    }

    pub(super) fn database(error: impl Fn(String) -> Diagnostic, what: &str, why: &redb::Error) -> Self {
        match why {
            redb::Error::Io(why) => Self::io(error, what, why),
            why => error(format!("{what}: {why}")).help(BYPASS_HELP).into(),
        }
    }
}

impl From<Diagnostic> for OpenError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, is_out_of_space: false }
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.diagnostic.fmt(f)
    }
}

/// Opens the database and reads its version. Another program may hold the file itself, such as one that reaches it
/// through another path, with a lock file of its own; it is waited for until the deadline.
fn open_database(
    path: &Path,
    deadline: Instant,
    lock_timeout: Duration,
    on_wait: &impl Fn(&str),
) -> Result<(GuardedDatabase, Option<u64>), OpenError> {
    const OTHER: &str = "another program";
    let mut is_reported = false;
    loop {
        let opened = guarded(|| {
            let database = GuardedDatabase::new(table::open(path)?);
            let version = table::read_format(&database)?;
            Ok((database, version))
        });
        match opened {
            Ok(opened) => return Ok(opened),
            Err(redb::Error::DatabaseAlreadyOpen) if Instant::now() < deadline => {
                if !is_reported {
                    on_wait(OTHER);
                    is_reported = true;
                }
                std::thread::sleep(RETRY_INTERVAL);
            }
            Err(redb::Error::DatabaseAlreadyOpen) => {
                return Err(lock::taken(path, OTHER, lock_timeout).into());
            }
            Err(why) => {
                let message = format!("the cache cannot be read: {why}");
                return Err(diagnostic(path, message).help(DAMAGED_HELP).into());
            }
        }
    }
}

impl Cache {
    /// Opens a cache, or creates it with its parent directories. Waits up to `lock_timeout` for another process.
    ///
    /// # Errors
    /// As [`Cache::open_waiting`].
    pub fn open(path: &Path, lock_timeout: Duration) -> Result<Self, OpenError> {
        Self::open_waiting(path, lock_timeout, |_| {})
    }

    /// As [`Cache::open`], and calls `on_wait` with the holder of the cache before it waits: `process 7`, or `another
    /// program`.
    ///
    /// # Errors
    /// An [`OpenError`] that names the file: it is held by another process, damaged, of another version, not a cache or
    /// not writable. A damaged cache is never replaced by an empty one.
    pub fn open_waiting(
        path: &Path,
        lock_timeout: Duration,
        on_wait: impl Fn(&str),
    ) -> Result<Self, OpenError> {
        let error = |message: String| diagnostic(path, message);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|why| OpenError::io(error, "the cache's folder cannot be created", &why))?;
        }
        let deadline = Instant::now() + lock_timeout;
        let lock = Lock::acquire(path, lock_timeout, &on_wait)?;
        if !path.exists() {
            table::create(path)
                .map_err(|why| OpenError::database(error, "the cache cannot be written", &why))?;
        }
        let (database, version) = open_database(path, deadline, lock_timeout, &on_wait)?;
        if version != Some(FORMAT) {
            let version =
                version.map_or_else(|| "without a version".to_owned(), |it| format!("version {it}"));
            return Err(error(format!(
                "unsupported cache format: expected version {FORMAT}, found {version}"
            ))
            .help("move the file away, or set another file in `cache.path`")
            .into());
        }
        let database = Arc::new(database);
        let shared = Arc::new(Shared::default());
        let writer = Writer::start(Arc::clone(&database), Arc::clone(&shared))
            .map_err(|why| error(format!("the cache's writer thread cannot be started: {why}")))?;
        Ok(Self { path: path.to_owned(), database, shared, writer: Mutex::new(Some(writer)), _lock: lock })
    }

    /// Looks up an entry. Where it is missing, waits while another caller computes it, then hands over the claim.
    pub(super) async fn get_or_claim(
        &self,
        table: Table,
        key: Key,
        lookup: Lookup,
    ) -> Result<LookupResult, Fault> {
        let entry = (table, key);
        loop {
            let started = {
                let mut state = locked(&self.shared.state);
                let pending = state.pending.get(&entry).cloned();
                if let Some(bytes) =
                    pending.filter(|_| !lookup.refreshed_only || state.refreshed.contains(&entry))
                {
                    let record = Record::read(&bytes).ok_or_else(|| damaged(&self.path, WRONG_CHECKSUM))?;
                    return Ok(LookupResult::Hit(record));
                }
                state.start(entry)
            };
            let Err(signal) = started else {
                let claim = Claim { shared: Arc::clone(&self.shared), entry };
                return Ok(match self.get_committed(entry, lookup)? {
                    Ok(record) => LookupResult::Hit(record),
                    Err(reason) => LookupResult::Miss(claim, reason),
                });
            };
            let notified = signal.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            // The claim may have been dropped before this caller started listening.
            let is_in_progress = locked(&self.shared.state).is_in_progress(&entry, &signal);
            if is_in_progress {
                notified.await;
            }
        }
    }

    /// Returns an entry from the file, or why none satisfies the lookup.
    pub(super) fn get_committed(
        &self,
        entry: EntryId,
        lookup: Lookup,
    ) -> Result<Result<Record, CallReason>, Fault> {
        if lookup.refreshed_only && !locked(&self.shared.state).refreshed.contains(&entry) {
            return Ok(Err(CallReason::Refresh));
        }
        let read = || -> Result<Option<Record>, redb::Error> {
            let readers = self.readers()?;
            let Some(value) = readers.get(entry.0).get(&entry.1)? else { return Ok(None) };
            let corrupted = || redb::Error::from(StorageError::Corrupted(WRONG_CHECKSUM.to_owned()));
            Record::read(value.value()).map(Some).ok_or_else(corrupted)
        };
        let record = guarded(read).map_err(|error| damaged(&self.path, &error.to_string()))?;
        Ok(match record {
            None => Err(CallReason::NotCached),
            Some(record) if lookup.max_age.is_some_and(|age| record.is_older_than(age, now())) => {
                Err(CallReason::TooOld)
            }
            Some(record) => Ok(record),
        })
    }

    /// Returns the tables of the last commit. They are opened under the lock that the writer takes after each commit to
    /// discard them, so that older ones are never reused.
    fn readers(&self) -> Result<Arc<Readers>, redb::Error> {
        let mut current = locked(&self.shared.readers);
        if let Some(readers) = &*current {
            return Ok(Arc::clone(readers));
        }
        let readers = Arc::new(Readers::open(&self.database.begin_read()?)?);
        *current = Some(Arc::clone(&readers));
        Ok(readers)
    }

    /// Inserts an entry: readable at once, committed soon.
    pub(super) fn insert(&self, table: Table, key: Key, record: &Record, is_refresh: bool) {
        let entry = (table, key);
        let bytes: Arc<[u8]> = record.write().into();
        {
            let mut state = locked(&self.shared.state);
            if state.write_error.is_some() {
                return;
            }
            if is_refresh {
                state.refreshed.insert(entry);
            }
            state.pending.insert(entry, bytes);
        }
        if let Some(writer) = &*locked(&self.writer) {
            writer.wake();
        }
    }

    /// Waits until all entries are committed.
    ///
    /// # Errors
    /// Some entries could not be written; those committed earlier remain.
    pub fn close(&self) -> Result<(), Diagnostic> {
        if let Some(writer) = locked(&self.writer).take() {
            writer.finish();
        }
        match locked(&self.shared.state).write_error.clone() {
            None => Ok(()),
            Some(error) => Err(diagnostic(&self.path, format!("answers could not be cached: {error}"))
                .help("free disk space and run again; what was cached earlier is not requested again")),
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // Callers that need the error call `close` themselves.
        let _ = self.close();
    }
}
