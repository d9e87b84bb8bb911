//! The checkouts of a run, each commit once: baseline and scorers may be those of the same commit, whose lock a run gets once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::app::Failure;
use crate::app::files::make_ignored;
use crate::config::Settings;
use promptgate_adapters::git::{Checkout, Repository, short};
use promptgate_core::port::{Event, EventSink};

/// The checkouts of a run. They are kept from other processes until it ends.
pub(in crate::app) struct Checkouts {
    /// The folder, beside the cache.
    folder: PathBuf,
    taken: Mutex<BTreeMap<String, Arc<Checkout>>>,
}

impl Checkouts {
    /// Checkouts beside the cache of a suite, whose configuration is in `folder`.
    pub(in crate::app) fn new(folder: &Path, settings: &Settings) -> Self {
        let folder = folder.join(&settings.cache.path).with_file_name("checkouts");
        Self { folder, taken: Mutex::default() }
    }

    /// Checks out a commit, unless this run has it. `purpose` says for what.
    ///
    /// # Errors
    /// The commit cannot be checked out; the run is then incomplete.
    pub(in crate::app) async fn take(
        &self,
        repository: &Repository,
        (commit, reference): (&str, &str),
        purpose: &str,
        sink: &dyn EventSink,
    ) -> Result<Arc<Checkout>, Failure> {
        let mut taken = self.taken.lock().await;
        if let Some(checkout) = taken.get(commit) {
            return Ok(Arc::clone(checkout));
        }
        let message = format!("checking out {} ({reference}) for {purpose}", short(commit));
        sink.emit(Event::Note { message });
        let (repository, own_commit, folder) = (repository.clone(), commit.to_owned(), self.folder.clone());
        let checkout = tokio::task::spawn_blocking(move || {
            // Git must not take the checkouts for files of the work tree.
            if let Some(parent) = folder.parent().filter(|it| it.ends_with(".promptgate") && !it.exists()) {
                let _ = make_ignored(parent);
            }
            repository.check_out(&own_commit, &folder)
        });
        let checkout = checkout.await.map_err(|error| Failure::Internal(error.to_string()))?;
        let checkout = Arc::new(checkout.map_err(|diagnostic| Failure::Incomplete(diagnostic.into()))?);
        taken.insert(commit.to_owned(), Arc::clone(&checkout));
        Ok(checkout)
    }
}
