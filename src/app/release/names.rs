//! Names of prompts in a repository of several.

use std::path::{Path, PathBuf};

use super::open::Opened;
use crate::app::Failure;
use crate::app::sources::{Released, configurations, configured_release};
use crate::config::LedgerSettings;
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::Name;

/// Refuses a prompt whose name another configuration of the repository releases as well: both would write the same versions
/// and move the same labels.
///
/// # Errors
/// Such a name. A configuration without `release:`, or with errors, is not this function's to report.
pub(crate) fn refuse_shared_name(config: Option<&Path>) -> Result<(), Failure> {
    let Ok(Some((shown, folder, settings))) = configured_release(config) else { return Ok(()) };
    let Ok(repository) = Repository::discover(&folder) else { return Ok(()) };
    refuse_another(&shown, &folder, &settings.name, &releases(repository.top()))
}

/// Refuses an open release whose name another one has as well.
///
/// # Errors
/// Such a name.
pub(super) fn refuse_shared(opened: &Opened, releases: &[Released]) -> Result<(), Failure> {
    refuse_another(&opened.shown, &opened.folder, opened.name(), releases)
}

/// The releases of the configurations in a folder and below it. One that is broken is an error of its own check.
pub(super) fn releases(root: &Path) -> Vec<Released> {
    let release = |path: PathBuf| configured_release(Some(&path)).ok().flatten();
    configurations(root).into_iter().filter_map(release).collect()
}

/// Where a release keeps its ledger: equal for the same ledger.
pub(super) fn ledger_of((_, folder, settings): &Released) -> (PathBuf, LedgerSettings) {
    let real = |path: PathBuf| std::fs::canonicalize(&path).unwrap_or(path);
    match &settings.ledger {
        LedgerSettings::Folder(path) => (real(folder.join(path)), LedgerSettings::Folder(String::new())),
        ledger @ LedgerSettings::Git { .. } => {
            let top = Repository::discover(folder).map(|repository| repository.top().to_owned());
            (top.unwrap_or_else(|_| real(folder.clone())), ledger.clone())
        }
    }
}

fn refuse_another(shown: &str, folder: &Path, name: &Name, releases: &[Released]) -> Result<(), Failure> {
    let own = file(shown, folder);
    let is_other =
        |(shown, folder, settings): &&Released| settings.name == *name && file(shown, folder) != own;
    let Some((other, ..)) = releases.iter().find(is_other) else { return Ok(()) };
    Err(Diagnostic::new(format!("{other} releases the name {name} as well"))
        .at(Place::file(shown))
        .help("give each prompt a name of its own: `name: team/prompt` under `release:`")
        .into())
}

/// The file of a configuration, however its path is written.
fn file(shown: &str, folder: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(folder.join(Path::new(shown).file_name()?)).ok()
}
