//! An open cache: lookups, insertions and the wait for entries that another caller is computing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redb::{ReadableDatabase as _, StorageError};

use super::diagnostics::{BYPASS_HELP, DAMAGED_HELP, WRONG_CHECKSUM, damaged, diagnostic};
use super::guard::{GuardedDatabase, guarded};
use super::key::Key;
use super::lock::Lock;
use super::record::Record;
use super::state::{Claim, EntryId, Shared, lock};
use super::table::{self, FORMAT, Readers, Table};
use super::writer::Writer;
use promptgate_core::model::{Diagnostic, Fault};

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
    /// Minimum timestamp, in seconds since 1970.
    pub(super) since: u64,
    /// Only entries that this process has refreshed.
    pub(super) refreshed_only: bool,
}

pub(super) enum LookupResult {
    Hit(Record),
    /// The caller holds the claim and computes the entry.
    Miss(Claim),
}

impl Cache {
    /// Opens a cache, or creates it with its parent directories. Waits up to `lock_timeout` for another process.
    ///
    /// # Errors
    /// A [`Diagnostic`] that names the file: it is locked by another process, damaged, of another version, not a cache
    /// or not writable. A damaged cache is never replaced by an empty one.
    pub fn open(path: &Path, lock_timeout: Duration) -> Result<Self, Diagnostic> {
        let error = |message: String| diagnostic(path, message);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|why| error(format!("the cache's folder cannot be created: {why}")))?;
        }
        let lock = Lock::acquire(path, lock_timeout)?;
        if !path.exists() {
            table::create(path)
                .map_err(|why| error(format!("the cache cannot be written: {why}")).help(BYPASS_HELP))?;
        }
        let open = || {
            let database = GuardedDatabase::new(table::open(path)?);
            let version = table::read_format(&database)?;
            Ok((database, version))
        };
        let (database, version) = guarded(open)
            .map_err(|why| error(format!("the cache cannot be read: {why}")).help(DAMAGED_HELP))?;
        if version != Some(FORMAT) {
            let version =
                version.map_or_else(|| "without a version".to_owned(), |it| format!("version {it}"));
            return Err(error(format!(
                "unsupported cache format: expected version {FORMAT}, found {version}"
            ))
            .help("move the file away, or set another file in `cache.path`"));
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
                let mut state = lock(&self.shared.state);
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
                    Some(record) => LookupResult::Hit(record),
                    None => LookupResult::Miss(claim),
                });
            };
            let notified = signal.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            // The claim may have been dropped before this caller started listening.
            let is_in_progress = lock(&self.shared.state).is_in_progress(&entry, &signal);
            if is_in_progress {
                notified.await;
            }
        }
    }

    /// Returns an entry from the file, if it satisfies the lookup.
    pub(super) fn get_committed(&self, entry: EntryId, lookup: Lookup) -> Result<Option<Record>, Fault> {
        if lookup.refreshed_only && !lock(&self.shared.state).refreshed.contains(&entry) {
            return Ok(None);
        }
        let read = || -> Result<Option<Record>, redb::Error> {
            let readers = self.readers()?;
            let Some(value) = readers.get(entry.0).get(&entry.1)? else { return Ok(None) };
            let corrupted = || redb::Error::from(StorageError::Corrupted(WRONG_CHECKSUM.to_owned()));
            Record::read(value.value()).map(Some).ok_or_else(corrupted)
        };
        let record = guarded(read).map_err(|error| damaged(&self.path, &error.to_string()))?;
        Ok(record.filter(|record| record.at >= lookup.since))
    }

    /// Returns the tables of the last commit. They are opened under the lock that the writer takes after each commit to
    /// discard them, so that older ones are never reused.
    fn readers(&self) -> Result<Arc<Readers>, redb::Error> {
        let mut current = lock(&self.shared.readers);
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
            let mut state = lock(&self.shared.state);
            if state.write_error.is_some() {
                return;
            }
            if is_refresh {
                state.refreshed.insert(entry);
            }
            state.pending.insert(entry, bytes);
        }
        if let Some(writer) = &*lock(&self.writer) {
            writer.wake();
        }
    }

    /// Waits until all entries are committed.
    ///
    /// # Errors
    /// Some entries could not be written; those committed earlier remain.
    pub fn close(&self) -> Result<(), Diagnostic> {
        if let Some(writer) = lock(&self.writer).take() {
            writer.finish();
        }
        match lock(&self.shared.state).write_error.clone() {
            None => Ok(()),
            Some(error) => Err(diagnostic(&self.path, format!("answers could not be cached: {error}"))
                .help("free disk space; entries cached earlier remain")),
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // Callers that need the error call `close` themselves.
        let _ = self.close();
    }
}
