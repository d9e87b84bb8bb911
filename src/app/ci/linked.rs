//! Real paths: a folder that a change turns into a link must not lead a suite to another policy.

use std::path::Path;

use crate::app::Environment;
use crate::app::sources::{current_folder, shown_path};
use crate::config::NAMES;
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Diagnostic, Place};

const HELP: &str = "a link could lead the suite to the policy of another place: keep the folder itself";

/// Rejects a change that puts a symbolic link in place of a configuration of the base, or of a folder above one: a
/// step that works in that folder would be judged by the policy of another place.
///
/// # Errors
/// Such a link, and if git fails.
pub(super) fn refuse(repository: &Repository, base: &str, head: &str) -> Result<(), Diagnostic> {
    let links = repository.links(head)?;
    if links.is_empty() {
        return Ok(());
    }
    for path in repository.files_named(base, &NAMES)? {
        let is_above = |link: &&String| {
            path.strip_prefix(link.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Some(link) = links.iter().find(is_above) {
            return Err(Diagnostic::new(format!(
                "`{}` is a symbolic link, where the base has {}",
                shown_path(link),
                shown_path(&path)
            ))
            .at(Place::file("HEAD"))
            .help(HELP));
        }
    }
    Ok(())
}

/// Rejects a working directory that the shell entered through a symbolic link in a repository.
///
/// # Errors
/// Such a link, and a working directory that cannot be read.
pub(super) fn refuse_working_directory(environment: &Environment) -> Result<(), Diagnostic> {
    let Some(logical) = environment.variable("PWD").filter(|path| Path::new(path).is_absolute()) else {
        return Ok(());
    };
    let (logical, real) = (Path::new(&logical), current_folder()?);
    // A shell may have left the variable behind for another folder.
    if logical == real || logical.canonicalize().ok() != real.canonicalize().ok() {
        return Ok(());
    }
    for part in logical.ancestors() {
        let link = part.symlink_metadata().is_ok_and(|facts| facts.is_symlink());
        // Links of the machine, such as that of a temporary folder, are outside of repositories.
        if link && part.parent().is_some_and(|above| Repository::discover(above).is_ok()) {
            let part = shown_path(&part.display().to_string());
            return Err(Diagnostic::new(format!(
                "the working directory goes through the symbolic link `{part}`"
            ))
            .at(Place::file("PWD"))
            .help(HELP));
        }
    }
    Ok(())
}
