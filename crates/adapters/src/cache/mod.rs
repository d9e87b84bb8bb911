//! The cache: answers and judgements in one crash-safe file, so that none is paid for twice and none is lost.
//!
//! An entry's key is the digest of what was asked (`key`), its value carries a checksum of its own (`record`). One
//! thread writes, many entries a commit, within about a tenth of a second of their arrival (`writer`); what waits for
//! its commit is found already. One process has a cache at a time (`lock`). [`Cached`] is the layer of a chat model
//! that asks the cache first. What is worth keeping is said by who asks: an answer that came whole, a judgement that
//! could be read.

mod cached;
mod guard;
mod key;
mod lock;
mod record;
#[cfg(test)]
mod tests;
mod upkeep;
mod writer;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::{Database, ReadOnlyTable, ReadableDatabase, StorageError, TableDefinition, TableError};
use tokio::sync::Notify;

use guard::{Held, guarded};
use key::Key;
use lock::Lock;
use promptgate_core::model::{Diagnostic, Fault, FaultKind, Place};
use record::Record;
use writer::Writer;

pub use cached::{Cached, Use};
pub use key::scope;
pub use upkeep::{Shelved, Statistics};

/// The version of the keys and values; a cache of another one is not read.
const FORMAT: u64 = 1;
/// Bytes of pages that are kept in memory at most.
const CACHE_BYTES: usize = 8 << 20;

type Entries = TableDefinition<'static, &'static [u8; 32], &'static [u8]>;
const ANSWERS: Entries = TableDefinition::new("answers");
const VERDICTS: Entries = TableDefinition::new("verdicts");
const ABOUT: TableDefinition<'static, &'static str, u64> = TableDefinition::new("about");

/// What kind of entry: each has a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Shelf {
    /// Completions of variants.
    Answers,
    /// What judges replied.
    Verdicts,
}

impl Shelf {
    const ALL: [Self; 2] = [Self::Answers, Self::Verdicts];

    fn table(self) -> Entries {
        match self {
            Self::Answers => ANSWERS,
            Self::Verdicts => VERDICTS,
        }
    }
}

/// A cache, held by this process until dropped.
pub struct Cache {
    path: PathBuf,
    database: Arc<Held>,
    shared: Arc<Shared>,
    writer: Mutex<Option<Writer>>,
    _lock: Lock,
}

/// What the cache and its writing thread both know.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// The tables as the last commit left them.
    tables: Mutex<Option<Arc<Tables>>>,
}

/// Both tables for reading: opening them costs more than a look into them.
struct Tables {
    answers: Committed,
    verdicts: Committed,
}

type Committed = ReadOnlyTable<&'static [u8; 32], &'static [u8]>;

#[derive(Default)]
struct State {
    /// Entries on their way to a commit.
    pending: HashMap<(Shelf, Key), Arc<[u8]>>,
    /// What is being asked right now, with those that wait for it.
    asked: HashMap<(Shelf, Key), Arc<Notify>>,
    /// Keys that this process kept although they were there: what a run that asks anew may find.
    renewed: HashSet<(Shelf, Key)>,
    /// Why nothing can be written any more.
    broken: Option<String>,
}

/// Which entries will do.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted {
    /// Those of this time and later, in seconds since 1970.
    since: u64,
    /// Only those that this process kept.
    renewed: bool,
}

/// What a look into the cache brought.
enum Found {
    /// An entry.
    Record(Record),
    /// None, and it is this caller's to ask.
    Nobody(Claim),
}

/// The right to ask for an entry that is not there; others wait until it is dropped.
struct Claim {
    shared: Arc<Shared>,
    place: (Shelf, Key),
}

impl Drop for Claim {
    fn drop(&mut self) {
        let waiting = lock(&self.shared.state).asked.remove(&self.place);
        if let Some(waiting) = waiting {
            waiting.notify_waiters();
        }
    }
}

impl Cache {
    /// Opens a cache, or makes one with the folders above it; waits so long for another process to let go of it.
    ///
    /// # Errors
    /// A [`Diagnostic`] that names the file: another process holds it, it is damaged, of another version or no cache, or
    /// it cannot be written. A damaged cache is never replaced by an empty one.
    pub fn open(path: &Path, patience: Duration) -> Result<Self, Diagnostic> {
        let wrong = |message: String| diagnostic(path, message);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|error| wrong(format!("the cache's folder cannot be made: {error}")))?;
        }
        let lock = Lock::take(path, patience)?;
        if !path.exists() {
            make(path)
                .map_err(|error| wrong(format!("the cache cannot be written: {error}")).help(NO_CACHE))?;
        }
        let open = || {
            let database = Held::new(Database::builder().set_cache_size(CACHE_BYTES).open(path)?);
            let version = about(&database)?;
            Ok((database, version))
        };
        let (database, version) = guarded(open)
            .map_err(|error| wrong(format!("the cache cannot be read: {error}")).help(DAMAGED))?;
        if version != Some(FORMAT) {
            let version =
                version.map_or_else(|| "no version".to_owned(), |version| format!("version {version}"));
            return Err(wrong(format!("the cache is of {version}, this program knows version {FORMAT}"))
                .help("move it away, or name another file in `cache.path`"));
        }
        let database = Arc::new(database);
        let shared = Arc::new(Shared::default());
        let writer = Writer::start(Arc::clone(&database), Arc::clone(&shared))
            .map_err(|error| wrong(format!("the cache's thread cannot be started: {error}")))?;
        Ok(Self { path: path.to_owned(), database, shared, writer: Mutex::new(Some(writer)), _lock: lock })
    }

    /// Looks an entry up; where there is none, waits while another asks for it, then leaves it to the caller to ask.
    async fn look(&self, shelf: Shelf, key: Key, wanted: Wanted) -> Result<Found, Fault> {
        let place = (shelf, key);
        loop {
            let other = {
                let mut state = lock(&self.shared.state);
                let pending = state.pending.get(&place).cloned();
                if let Some(bytes) = pending.filter(|_| !wanted.renewed || state.renewed.contains(&place)) {
                    return self.read(&bytes).map(Found::Record);
                }
                match state.asked.get(&place) {
                    None => {
                        state.asked.insert(place, Arc::default());
                        None
                    }
                    Some(other) => Some(Arc::clone(other)),
                }
            };
            let Some(other) = other else {
                let claim = Claim { shared: Arc::clone(&self.shared), place };
                return Ok(match self.committed(place, wanted)? {
                    Some(record) => Found::Record(record),
                    None => Found::Nobody(claim),
                });
            };
            let waiting = other.notified();
            tokio::pin!(waiting);
            waiting.as_mut().enable();
            // It may have been let go of between the look and the listening.
            let gone =
                !lock(&self.shared.state).asked.get(&place).is_some_and(|now| Arc::ptr_eq(now, &other));
            if !gone {
                waiting.await;
            }
        }
    }

    /// An entry from the file, if it will do.
    fn committed(&self, place: (Shelf, Key), wanted: Wanted) -> Result<Option<Record>, Fault> {
        if wanted.renewed && !lock(&self.shared.state).renewed.contains(&place) {
            return Ok(None);
        }
        let read = || -> Result<Option<Record>, redb::Error> {
            let tables = self.tables()?;
            let table = match place.0 {
                Shelf::Answers => &tables.answers,
                Shelf::Verdicts => &tables.verdicts,
            };
            let Some(value) = table.get(&place.1)? else { return Ok(None) };
            let damaged =
                || redb::Error::from(StorageError::Corrupted("an entry's checksum is wrong".to_owned()));
            Record::read(value.value()).map(Some).ok_or_else(damaged)
        };
        let record = guarded(read).map_err(|error| self.damaged(&error.to_string()))?;
        Ok(record.filter(|record| record.at >= wanted.since))
    }

    /// The tables as they are now. Opened under the lock that the writer takes after each commit to let go of them, so
    /// that none older than the last commit is kept.
    fn tables(&self) -> Result<Arc<Tables>, redb::Error> {
        let mut open = lock(&self.shared.tables);
        if let Some(tables) = &*open {
            return Ok(Arc::clone(tables));
        }
        let reading = self.database.begin_read()?;
        let tables = Arc::new(Tables {
            answers: reading.open_table(ANSWERS)?,
            verdicts: reading.open_table(VERDICTS)?,
        });
        *open = Some(Arc::clone(&tables));
        Ok(tables)
    }

    fn read(&self, bytes: &[u8]) -> Result<Record, Fault> {
        Record::read(bytes).ok_or_else(|| self.damaged("an entry's checksum is wrong"))
    }

    fn damaged(&self, why: &str) -> Fault {
        Fault::new(
            FaultKind::CacheDamaged,
            format!("the cache {} cannot be read: {why}", self.path.display()),
        )
        .help(DAMAGED)
    }

    /// Keeps an entry; it is found at once and committed soon.
    fn keep(&self, shelf: Shelf, key: Key, record: &Record, renewed: bool) {
        let place = (shelf, key);
        let bytes: Arc<[u8]> = record.write().into();
        {
            let mut state = lock(&self.shared.state);
            if state.broken.is_some() {
                return;
            }
            if renewed {
                state.renewed.insert(place);
            }
            state.pending.insert(place, bytes);
        }
        if let Some(writer) = &*lock(&self.writer) {
            writer.wake();
        }
    }

    /// Waits until everything kept is in the file.
    ///
    /// # Errors
    /// Why something could not be written; what was committed before stays.
    pub fn close(&self) -> Result<(), Diagnostic> {
        if let Some(writer) = lock(&self.writer).take() {
            writer.finish();
        }
        match lock(&self.shared.state).broken.clone() {
            None => Ok(()),
            Some(why) => Err(diagnostic(&self.path, format!("answers could not be cached: {why}"))
                .help("make room on the disk; what was cached before is kept")),
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // An error was for `close` to tell.
        let _ = self.close();
    }
}

const DAMAGED: &str =
    "move the file away to begin a new one, or run with --no-cache; nothing was changed in it";
const NO_CACHE: &str = "name another file in `cache.path`, or run with --no-cache";

/// A mistake about the file of a cache.
fn diagnostic(path: &Path, message: String) -> Diagnostic {
    Diagnostic::new(message).at(Place::file(path.display().to_string()))
}

/// The version that the file says it has; `None` in a new one.
fn about(database: &Database) -> Result<Option<u64>, redb::Error> {
    let reading = database.begin_read()?;
    match reading.open_table(ABOUT) {
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(table) => Ok(table.get("format")?.map(|version| version.value())),
    }
}

/// Makes an empty cache: under another name until it is whole, so that no half of one is ever found.
fn make(path: &Path) -> Result<(), redb::Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    // What a process left that was killed here.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    guarded(|| {
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(&new)?;
        found(&database)
    })?;
    Ok(std::fs::rename(&new, path)?)
}

/// Writes the tables of a new cache.
fn found(database: &Database) -> Result<(), redb::Error> {
    let writing = database.begin_write()?;
    writing.open_table(ABOUT)?.insert("format", FORMAT)?;
    for shelf in Shelf::ALL {
        writing.open_table(shelf.table())?;
    }
    writing.commit()?;
    Ok(())
}

/// Now, in seconds since 1970 (UTC).
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Locks; what a panic elsewhere left is still whole: every change of the state is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
