//! Ledgers that came with the repository.

use std::path::PathBuf;

use super::identity::{Host, identity};
use super::open::Opened;
use crate::app::{Environment, Failure};
use crate::config::LedgerSettings;
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Diagnostic, Place};

/// Refuses, in a job, a ledger folder that is committed, in a repository inside this one, or behind a link of this one:
/// whoever commits its events could move labels with the credentials of the job.
///
/// # Errors
/// Such a folder, and a repository that cannot be read.
pub(super) fn refuse_committed_ledger(opened: &Opened, environment: &Environment) -> Result<(), Failure> {
    let LedgerSettings::Folder(written) = &opened.settings.ledger else { return Ok(()) };
    if identity(environment, &opened.folder)?.host == Host::Local {
        return Ok(());
    }
    let refuse = |what: &str| {
        let message = format!(
            "the ledger {written} {what}, so whoever commits could move labels with the keys of this job"
        );
        Err(Diagnostic::new(message)
            .at(Place::file(&opened.shown))
            .help("use `ledger: git`, or a folder that only the job writes: `git rm -r --cached` takes it out of the repository")
            .into())
    };
    let Some(repository) = Repository::find(&opened.folder).map_err(Diagnostic::from)? else { return Ok(()) };
    let path = opened.folder.join(written);
    let real = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let top = real(&repository.top().to_owned());
    let mut part = PathBuf::new();
    for component in path.components() {
        let folder = part.clone();
        part.push(component);
        if part.is_symlink() && real(&folder).starts_with(&top) {
            return refuse("is behind a symbolic link of the repository");
        }
    }
    if !path.is_dir() {
        return Ok(());
    }
    let Some(inner) = Repository::find(&path).map_err(Diagnostic::from)? else { return Ok(()) };
    if inner.top() != repository.top() && inner.top().starts_with(repository.top()) {
        return refuse("is in a repository inside this one");
    }
    if inner.tracks(".")? { refuse("is part of the repository") } else { Ok(()) }
}
