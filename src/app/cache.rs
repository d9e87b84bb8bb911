//! The cache of answers: its path, whether it may be used, and its maintenance.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Failure;
use super::files::make_ignored;
use super::sources;
use crate::config::Settings;
use promptgate_adapters::cache::{Cache, CacheOptions, OpenError, Statistics};
use promptgate_adapters::git::Repository;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::port::{Event, EventSink};

/// Wait for another process that has the cache open.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a command uses the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CacheMode {
    /// Cached answers are used, new ones are added.
    #[default]
    Use,
    /// Cached answers are ignored and replaced.
    Refresh,
    /// The cache is neither read nor written.
    Bypass,
    /// Only cached answers are used; nothing is called.
    CachedOnly,
}

/// Opens the cache of the settings, and says how it is used; `None` where it is bypassed. `folder` is that of the configuration.
pub(super) fn open(
    settings: &Settings,
    folder: &Path,
    mode: CacheMode,
    sink: &dyn EventSink,
) -> Result<Option<(Arc<Cache>, CacheOptions)>, Failure> {
    if mode == CacheMode::Bypass {
        return Ok(None);
    }
    let path = folder.join(&settings.cache.path);
    refuse_link(&path)?;
    refuse_tracked(
        &path,
        "the cache of answers",
        "take it out with `git rm --cached` and list it in .gitignore, or run with --no-cache",
    )?;
    if let Some(folder) = path.parent().filter(|folder| folder.ends_with(".promptgate") && !folder.exists()) {
        // A failure shows when the cache is opened.
        let _ = make_ignored(folder);
    }
    let options = CacheOptions {
        refresh: mode == CacheMode::Refresh,
        cached_only: mode == CacheMode::CachedOnly,
        max_age: settings.cache.max_age,
    };
    let waiting = |holder: &str| {
        let message = format!(
            "waiting up to {} s for {holder}, which holds the cache {}; --no-cache runs without it",
            PATIENCE.as_secs(),
            path.display()
        );
        sink.emit(Event::Note { message });
    };
    Ok(Some((Arc::new(Cache::open_waiting(&path, PATIENCE, waiting)?), options)))
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let OpenError { diagnostic, is_out_of_space } = error;
        if is_out_of_space { Self::Unwritten(diagnostic) } else { diagnostic.into() }
    }
}

/// Closes the cache; returns a failure if answers could not be cached, which the next run has to pay for again.
pub(super) fn close(cache: Option<&Cache>) -> Option<Failure> {
    cache.and_then(|cache| cache.close().err()).map(Failure::Unwritten)
}

/// The cache of a configuration, opened for maintenance.
pub(crate) struct Maintenance {
    /// Its path.
    pub(crate) path: String,
    max_age: Option<Duration>,
    cache: Cache,
}

impl Maintenance {
    /// Opens the cache of the configuration that is named, else of the nearest one. A cache in use is not waited for.
    ///
    /// # Errors
    /// No configuration, no cache, or a cache that is in use.
    pub(crate) fn open(config: Option<&Path>) -> Result<Self, Failure> {
        let configured = sources::configured(config)?;
        let path = configured.location.folder.join(&configured.settings.cache.path);
        let shown = path.display().to_string();
        if !path.is_file() {
            return Err(Diagnostic::new("there is no cache yet")
                .at(Place::file(shown))
                .help("`promptgate run` creates it at `cache.path`")
                .into());
        }
        let cache = Cache::open(&path, Duration::ZERO)?;
        Ok(Self { path: shown, max_age: configured.settings.cache.max_age, cache })
    }

    /// Entries by model, with their age and size.
    pub(crate) fn statistics(&self) -> Result<Statistics, Failure> {
        Ok(self.cache.statistics()?)
    }

    /// Removes entries older than `age`, else than `cache.max_age`; returns how many.
    pub(crate) fn prune(self, age: Option<Duration>) -> Result<u64, Failure> {
        let age = age.or(self.max_age).ok_or_else(|| {
            Diagnostic::new("no age was given")
                .at(Place::file(self.path.clone()))
                .help("give `--older-than 30d`, or set `cache.max_age`")
        })?;
        Ok(self.cache.prune(age)?)
    }

    /// Removes all entries; returns how many.
    pub(crate) fn clear(self) -> Result<u64, Failure> {
        Ok(self.cache.clear()?)
    }
}

/// Refuses a link in place of the cache's own folder: it could come with the repository and lead anywhere.
fn refuse_link(path: &Path) -> Result<(), Diagnostic> {
    let own = path.parent().filter(|folder| folder.ends_with(".promptgate"));
    match own.filter(|folder| folder.is_symlink()) {
        Some(folder) => Err(Diagnostic::new("the folder of the cache is a link")
            .at(Place::file(folder.display().to_string()))
            .help("remove it, or name the file that it leads to in `cache.path`")),
        None => Ok(()),
    }
}

/// Refuses a cache or a shard that is part of the repository: a pull request could bring its own answers and grades.
/// `what` names it in the message, `help` is the next step.
///
/// # Errors
/// The file is tracked by git, or git cannot tell.
pub(super) fn refuse_tracked(path: &Path, what: &str, help: &str) -> Result<(), Diagnostic> {
    let Ok(path) = path.canonicalize() else { return Ok(()) };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(());
    };
    let refuse = |message: String| {
        Diagnostic::new(message).at(Place::file(path.display().to_string())).help(help.to_owned())
    };
    let repository = match Repository::find(folder) {
        Ok(Some(repository)) => repository,
        Ok(None) => return Ok(()),
        // Without the git program, or in a damaged repository, it cannot be decided.
        Err(error) => {
            let why = Diagnostic::from(error).message;
            return Err(refuse(format!("cannot tell whether {what} is part of the repository: {why}")));
        }
    };
    if repository.tracks(name)? {
        return Err(refuse(format!(
            "{what} is part of the repository, so whoever commits can write its answers"
        )));
    }
    Ok(())
}
