//! The store of answers that a command uses: where it is, and whether it may be trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::args::StoreFlags;
use super::error::Failure;
use super::files::make_ignored;
use super::output;
use crate::config::Settings;
use promptgate_adapters::load::{NoRepository, Repository, Tree};
use promptgate_adapters::store::{Store, Use};
use promptgate_core::model::{Mistake, Place};

/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open store, and how it is used.
#[derive(Clone)]
pub(super) struct Answers {
    /// The store.
    pub(super) store: Arc<Store>,
    /// How.
    pub(super) how: Use,
}

/// The path of the store of these settings.
pub(super) fn path(settings: &Settings, tree: &Tree) -> PathBuf {
    tree.folder().join(&settings.store.path.value)
}

/// Opens the store that the flags leave; `None` under `--no-store`.
pub(super) fn open(settings: &Settings, tree: &Tree, flags: StoreFlags) -> Result<Option<Answers>, Failure> {
    if flags.no_store {
        return Ok(None);
    }
    let path = path(settings, tree);
    refuse_link(&path)?;
    refuse_tracked(
        &path,
        "the store of answers",
        "take it out with `git rm --cached` and list it in .gitignore, or run with --no-store",
    )?;
    if let Some(folder) = path.parent().filter(|folder| folder.ends_with(".promptgate") && !folder.exists()) {
        // One that cannot be made is found when the store is.
        let _ = make_ignored(folder);
    }
    let how = Use { refresh: flags.refresh, only: flags.stored_only, max_age: settings.store.max_age };
    Ok(Some(Answers { store: Arc::new(Store::open(&path, PATIENCE)?), how }))
}

/// Writes what is still on its way to the store. What cannot be kept is a loss for the next run, not for this one.
pub(super) fn close(store: Option<&Store>) {
    let lost = store.and_then(|store| store.close().err());
    output::warn(&lost.map(|mistake| mistake.to_string()).into_iter().collect::<Vec<_>>());
}

/// A link in the place of the store's own folder could come with the repository, and lead anywhere.
fn refuse_link(path: &Path) -> Result<(), Mistake> {
    let own = path.parent().filter(|folder| folder.ends_with(".promptgate"));
    match own.filter(|folder| folder.is_symlink()) {
        Some(folder) => Err(Mistake::new("the folder of the store is a link")
            .at(Place::file(folder.display().to_string()))
            .help("remove it, or name the file that it leads to in `store.path`")),
        None => Ok(()),
    }
}

/// Whoever can write `what`, a store or a shard, can write the answers and verdicts of a run: one that comes with the
/// repository, as in a pull request, is none of this machine's. `help` is the next step.
///
/// # Errors
/// The file is tracked, or it cannot be seen whether it is.
pub(super) fn refuse_tracked(path: &Path, what: &str, help: &str) -> Result<(), Mistake> {
    let Ok(path) = path.canonicalize() else { return Ok(()) };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(());
    };
    let refuse = |message: String| {
        Mistake::new(message).at(Place::file(path.display().to_string())).help(help.to_owned())
    };
    let repository = match Repository::discover(folder) {
        Ok(repository) => repository,
        // Without the program nobody can tell; where there is no repository, there is nothing to tell.
        Err(NoRepository::Absent(mistake)) if folder.ancestors().any(|above| above.join(".git").exists()) => {
            return Err(refuse(format!(
                "whether {what} is part of the repository cannot be seen: {}",
                mistake.message
            )));
        }
        Err(NoRepository::Absent(_)) => return Ok(()),
        Err(NoRepository::Unreadable(mistake)) => return Err(mistake),
    };
    if repository.tracks(name)? {
        return Err(refuse(format!(
            "{what} is part of the repository, so whoever commits can write its answers"
        )));
    }
    Ok(())
}
