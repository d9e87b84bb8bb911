//! Error messages that name the cache file, and their next steps.

use std::path::Path;

use promptgate_core::model::{Diagnostic, Fault, FaultKind, Place};
use promptgate_core::text::write_error;

pub(super) const DAMAGED_HELP: &str =
    "move the file away to start a new one, or run with --no-cache; the file was not changed";
pub(super) const BYPASS_HELP: &str = "set another file in `cache.path`, or run with --no-cache";
pub(super) const FULL_HELP: &str =
    "free disk space, set a file on another disk in `cache.path`, or run with --no-cache";
pub(super) const WRONG_CHECKSUM: &str = "an entry's checksum is wrong";

pub(super) fn diagnostic(path: &Path, message: String) -> Diagnostic {
    Diagnostic::new(message).at(Place::file(path.display().to_string()))
}

/// Returns why the database could not be written.
pub(super) fn database_error(error: &redb::Error) -> String {
    match error {
        redb::Error::Io(error) => write_error(error),
        error => error.to_string(),
    }
}

/// Returns the fault of a call whose cache entry cannot be read.
pub(super) fn damaged(path: &Path, reason: &str) -> Fault {
    Fault::new(FaultKind::CacheDamaged, format!("the cache {} cannot be read: {reason}", path.display()))
        .help(DAMAGED_HELP)
}
