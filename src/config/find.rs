//! Finds the configuration.

use std::path::{Path, PathBuf};

/// Names of a configuration, the preferred one first.
pub const NAMES: [&str; 2] = ["promptgate.yaml", "promptgate.yml"];

/// The nearest `promptgate.yaml` or `promptgate.yml`, in the folder `start` or above it.
pub fn find(start: &Path) -> Option<PathBuf> {
    // A relative path has no ancestors above the current folder.
    let start = std::path::absolute(start).ok()?;
    start
        .ancestors()
        .find_map(|folder| NAMES.map(|name| folder.join(name)).into_iter().find(|path| path.is_file()))
}
