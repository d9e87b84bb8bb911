//! One process at a time: a file beside the cache that is locked as long as the cache is open, and says by whom.
//!
//! The lock is the operating system's, so it ends with the process however that ends; the file itself may stay.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{NO_CACHE, diagnostic};
use promptgate_core::model::Diagnostic;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes of the file that are read for its message.
const MAX: u64 = 200;

/// Held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a cache, waiting so long for another process.
    ///
    /// # Errors
    /// It is still taken, by whom; or the file cannot be made.
    pub(super) fn take(cache: &Path, patience: Duration) -> Result<Self, Diagnostic> {
        let path = beside(cache);
        let wrong = |what: &str, error: &dyn std::fmt::Display| {
            diagnostic(cache, format!("the cache cannot be {what}: {error}")).help(NO_CACHE)
        };
        // A link could come with a repository, and lead to a file that is somebody's.
        if let Some(link) = [cache, &path].into_iter().find(|file| file.is_symlink()) {
            return Err(
                diagnostic(link, "this is a link, and not a cache's file".to_owned()).help("remove it")
            );
        }
        if path.exists() && !is_ours(&path) {
            return Err(diagnostic(&path, "this is not the lock of a cache".to_owned()).help("move it away"));
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| wrong("opened", &error))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(wrong("locked", &error)),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= patience => {
                    return Err(taken(cache, &mut file, patience));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            }
        }
        // The name is for people alone: one that cannot be written does no harm.
        let _ = file.set_len(0);
        let _ = file.write_all(format!("{SAYS}{}\n", std::process::id()).as_bytes());
        Ok(Self { _file: file })
    }
}

/// How the lock's text begins.
const SAYS: &str = "process ";

/// Whether a file is empty or one that [`Lock::take`] wrote.
fn is_ours(path: &Path) -> bool {
    let is_file = std::fs::metadata(path).is_ok_and(|facts| facts.is_file());
    let mut start = Vec::new();
    let mut read = || File::open(path)?.take(SAYS.len() as u64).read_to_end(&mut start);
    is_file && read().is_ok() && (start.is_empty() || start == SAYS.as_bytes())
}

/// `cache.redb.lock`.
fn beside(cache: &Path) -> PathBuf {
    let mut name = cache.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn taken(cache: &Path, file: &mut File, patience: Duration) -> Diagnostic {
    let mut text = String::new();
    let said = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(MAX).read_to_string(&mut text));
    let holder: String = text.chars().filter(|character| !character.is_control()).collect();
    let holder = if said.is_ok() && !holder.is_empty() { holder } else { "another process".to_owned() };
    diagnostic(
        cache,
        format!("{holder} has held the cache for the {} s that were waited", patience.as_secs()),
    )
    .help("wait for it to end, or run with --no-cache")
}
