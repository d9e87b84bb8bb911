//! Names of prompts in a repository of several.

use std::path::Path;

use crate::app::Failure;
use crate::app::sources::{configurations, configured_release};
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Diagnostic, Place};

/// Refuses a prompt whose name another configuration of the repository releases as well: both would write the same versions
/// and move the same labels.
///
/// # Errors
/// Such a name. A configuration without `release:`, or with errors, is not this function's to report.
pub(crate) fn refuse_shared_name(config: Option<&Path>) -> Result<(), Failure> {
    let Ok(Some((shown, folder, settings))) = configured_release(config) else { return Ok(()) };
    let Ok(repository) = Repository::discover(&folder) else { return Ok(()) };
    let own = std::fs::canonicalize(&folder);
    for path in configurations(repository.top()) {
        let is_own = path.parent().is_some_and(
            |folder| matches!((std::fs::canonicalize(folder), &own), (Ok(folder), Ok(own)) if folder == *own),
        );
        if is_own {
            continue;
        }
        // A broken configuration elsewhere is an error of its own check.
        let Ok(Some((other, _, theirs))) = configured_release(Some(&path)) else { continue };
        if theirs.name == settings.name {
            let message = format!("{other} releases the name {} as well", settings.name);
            let help = "give each prompt a name of its own: `name: team/prompt` under `release:`";
            return Err(Diagnostic::new(message).at(Place::file(shown)).help(help).into());
        }
    }
    Ok(())
}
