//! Files of metrics that are part of a repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use promptgate_core::model::Diagnostic;
use promptgate_release::PortError;

use crate::git::Repository;

/// Refuses files that git tracks: telemetry is what applications wrote, and whoever commits could decide a rollout with it.
/// A link is refused where it or its target is tracked.
///
/// # Errors
/// [`PortError::Refused`] with the first such file as `shown` writes it; [`PortError::Unavailable`] if git fails.
pub(super) fn refuse_tracked<'a>(
    paths: impl IntoIterator<Item = &'a PathBuf>,
    shown: impl Fn(&Path) -> String,
) -> Result<(), PortError> {
    let mut folders: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for path in paths {
        // One that is not there is an error of whoever reads it.
        let Ok(real) = std::fs::canonicalize(path) else { continue };
        for file in [path, &real] {
            let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { continue };
            let tracked = match folders.get(folder) {
                Some(known) => known,
                None => folders.entry(folder.to_owned()).or_insert(tracked_in(folder)?),
            };
            if tracked.contains(name.to_string_lossy().as_ref()) {
                let file = shown(path);
                return Err(PortError::Refused(format!(
                    "{file} is part of the repository: telemetry is what applications wrote"
                )));
            }
        }
    }
    Ok(())
}

/// The names of the tracked files of a folder; none outside a repository.
fn tracked_in(folder: &Path) -> Result<BTreeSet<String>, PortError> {
    let unavailable = |error: Diagnostic| PortError::Unavailable(error.message);
    match Repository::find(folder).map_err(|error| unavailable(error.into()))? {
        Some(repository) => Ok(repository.tracked().map_err(unavailable)?.into_iter().collect()),
        None => Ok(BTreeSet::new()),
    }
}
