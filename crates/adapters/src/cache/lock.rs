//! One process at a time: a lock file beside the cache, which also holds the id of its process.
//!
//! The operating system releases the lock when the process ends, however it ends; the file itself may remain.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::diagnostics::diagnostic;
use super::handle::OpenError;
use promptgate_core::model::Diagnostic;

pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// Bytes of the lock file that are read for the error message.
const MAX_OWNER_BYTES: u64 = 200;
/// Prefix of the lock file's text.
const OWNER_PREFIX: &str = "process ";

/// Held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Locks a cache, waiting up to `timeout` for another process, which `on_wait` is called with first.
    ///
    /// # Errors
    /// The lock is still taken, or the lock file cannot be created.
    pub(super) fn acquire(
        cache: &Path,
        timeout: Duration,
        on_wait: impl Fn(&str),
    ) -> Result<Self, OpenError> {
        let path = lock_path(cache);
        let failed = |what: &str, error: &std::io::Error| {
            OpenError::io(|message| diagnostic(cache, message), &format!("the cache cannot be {what}"), error)
        };
        // A link could come with a repository and point at any of the user's files.
        if let Some(link) = [cache, &path].into_iter().find(|file| file.is_symlink()) {
            let diagnostic = diagnostic(link, "this is a link, expected a cache file".to_owned());
            return Err(diagnostic.help("remove it").into());
        }
        if path.exists() && !is_lock_file(&path) {
            let diagnostic = diagnostic(&path, "this is not the lock of a cache".to_owned());
            return Err(diagnostic.help("move it away").into());
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| failed("opened", &error))?;
        let started = Instant::now();
        let mut is_reported = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed("locked", &error)),
                Err(TryLockError::WouldBlock) if started.elapsed() >= timeout => {
                    return Err(taken(cache, &owner(&mut file), timeout).into());
                }
                Err(TryLockError::WouldBlock) => {
                    if !is_reported {
                        on_wait(&owner(&mut file));
                        is_reported = true;
                    }
                    std::thread::sleep(RETRY_INTERVAL);
                }
            }
        }
        // The process id is only for error messages, so a failed write does no harm.
        let _ = file.set_len(0);
        let _ = file.write_all(format!("{OWNER_PREFIX}{}\n", std::process::id()).as_bytes());
        Ok(Self { _file: file })
    }
}

/// Whether the file is empty or was written by [`Lock::acquire`].
fn is_lock_file(path: &Path) -> bool {
    let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut start = Vec::new();
    let mut read = || File::open(path)?.take(OWNER_PREFIX.len() as u64).read_to_end(&mut start);
    is_file && read().is_ok() && (start.is_empty() || start == OWNER_PREFIX.as_bytes())
}

/// Returns `cache.redb.lock` for `cache.redb`.
fn lock_path(cache: &Path) -> PathBuf {
    let mut name = cache.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Returns the process that holds the lock.
fn owner(file: &mut File) -> String {
    let mut text = String::new();
    let read =
        file.seek(SeekFrom::Start(0)).and_then(|_| file.take(MAX_OWNER_BYTES).read_to_string(&mut text));
    let owner: String = text.chars().filter(|character| !character.is_control()).collect();
    if read.is_ok() && !owner.is_empty() { owner } else { "another process".to_owned() }
}

pub(super) fn taken(cache: &Path, owner: &str, timeout: Duration) -> Diagnostic {
    diagnostic(cache, format!("{owner} has held the cache for the {} s that were waited", timeout.as_secs()))
        .help("wait for it to end, or run with --no-cache")
}
