//! The cache of answers that a command uses: where it is, and whether it may be trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::args::CacheFlags;
use super::error::Failure;
use super::files::make_ignored;
use super::output;
use crate::config::Settings;
use promptgate_adapters::cache::{Cache, CacheOptions};
use promptgate_adapters::load::{NoRepository, Repository, Tree};
use promptgate_core::model::{Diagnostic, Place};

/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open cache and its options.
#[derive(Clone)]
pub(super) struct Answers {
    /// The cache.
    pub(super) cache: Arc<Cache>,
    /// Its options.
    pub(super) options: CacheOptions,
}

/// The path of the cache of these settings.
pub(super) fn path(settings: &Settings, tree: &Tree) -> PathBuf {
    tree.folder().join(&settings.cache.path.value)
}

/// Opens the cache that the flags leave; `None` under `--no-cache`.
pub(super) fn open(settings: &Settings, tree: &Tree, flags: CacheFlags) -> Result<Option<Answers>, Failure> {
    if flags.no_cache {
        return Ok(None);
    }
    let path = path(settings, tree);
    refuse_link(&path)?;
    refuse_tracked(
        &path,
        "the cache of answers",
        "take it out with `git rm --cached` and list it in .gitignore, or run with --no-cache",
    )?;
    if let Some(folder) = path.parent().filter(|folder| folder.ends_with(".promptgate") && !folder.exists()) {
        // One that cannot be made is found when the cache is.
        let _ = make_ignored(folder);
    }
    let options = CacheOptions {
        refresh: flags.refresh,
        cached_only: flags.cached_only,
        max_age: settings.cache.max_age,
    };
    Ok(Some(Answers { cache: Arc::new(Cache::open(&path, PATIENCE)?), options }))
}

/// Writes what is still on its way to the cache. What cannot be kept is a loss for the next run, not for this one.
pub(super) fn close(cache: Option<&Cache>) {
    let lost = cache.and_then(|cache| cache.close().err());
    output::warn(&lost.map(|diagnostic| diagnostic.to_string()).into_iter().collect::<Vec<_>>());
}

/// A link in the place of the cache's own folder could come with the repository, and lead anywhere.
fn refuse_link(path: &Path) -> Result<(), Diagnostic> {
    let own = path.parent().filter(|folder| folder.ends_with(".promptgate"));
    match own.filter(|folder| folder.is_symlink()) {
        Some(folder) => Err(Diagnostic::new("the folder of the cache is a link")
            .at(Place::file(folder.display().to_string()))
            .help("remove it, or name the file that it leads to in `cache.path`")),
        None => Ok(()),
    }
}

/// Whoever can write `what`, a cache or a shard, can write the answers and verdicts of a run: one that comes with the
/// repository, as in a pull request, is none of this machine's. `help` is the next step.
///
/// # Errors
/// The file is tracked, or it cannot be seen whether it is.
pub(super) fn refuse_tracked(path: &Path, what: &str, help: &str) -> Result<(), Diagnostic> {
    let Ok(path) = path.canonicalize() else { return Ok(()) };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(());
    };
    let refuse = |message: String| {
        Diagnostic::new(message).at(Place::file(path.display().to_string())).help(help.to_owned())
    };
    let repository = match Repository::discover(folder) {
        Ok(repository) => repository,
        // Without the program nobody can tell; where there is no repository, there is nothing to tell.
        Err(NoRepository::Absent(diagnostic))
            if folder.ancestors().any(|above| above.join(".git").exists()) =>
        {
            return Err(refuse(format!(
                "whether {what} is part of the repository cannot be seen: {}",
                diagnostic.message
            )));
        }
        Err(NoRepository::Absent(_)) => return Ok(()),
        Err(NoRepository::Unreadable(diagnostic)) => return Err(diagnostic),
    };
    if repository.tracks(name)? {
        return Err(refuse(format!(
            "{what} is part of the repository, so whoever commits can write its answers"
        )));
    }
    Ok(())
}
