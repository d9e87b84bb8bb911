//! The controls before the change that a commit brings: those of the commit before the push.
//!
//! The first parent is not enough: a rebase merge, or a push by hand, brings several commits at once, of which the first
//! may relax the controls of the last. What was pushed is known to the job of the push alone.

use crate::app::{Environment, Failure};
use crate::config::ReleaseSettings;
use promptgate_adapters::files::{self, Tree};
use promptgate_adapters::git::{self, Repository};
use promptgate_adapters::github::EventKind;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::{Record, ReleasePolicy};

/// The release of a configuration before the change.
#[derive(Debug, Clone, Default)]
pub(super) struct Before {
    /// Its settings; `None` if nothing was released.
    release: Option<ReleaseSettings>,
    /// Whether it is that of the commit before the push; else of the first parent.
    is_of_push: bool,
}

impl Before {
    /// Reads the configuration `name` before the change that `commit` brings.
    ///
    /// # Errors
    /// A parent that is not in the clone, an invalid event, and an invalid `release:`.
    pub(super) fn read(
        repository: &Repository,
        commit: &str,
        name: &str,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let pushed = match pushed_onto(environment, commit)? {
            Some(before) if repository.is_ancestor(&before, commit)? => Some(before),
            _ => None,
        };
        let is_of_push = pushed.is_some();
        let before = match pushed {
            Some(before) => Some(before),
            None => repository.first_parent(commit)?,
        };
        let Some(before) = before else { return Ok(Self::default()) };
        let repository = repository.clone();
        let tree = Tree::Commit { repository, reference: git::short(&before).to_owned(), commit: before };
        let release = match tree.find(name, files::FILE_LIMIT)? {
            Some(bytes) => crate::app::sources::release_of(&tree, name, &bytes)?,
            None => None,
        };
        Ok(Self { release, is_of_push })
    }

    /// The controls that hold for `own`. Where this configuration did not release that prompt before, they are those of
    /// the newest published version, so that neither taking `release:` out and putting it back nor taking another
    /// prompt's name relaxes anything. A first version is held to its configuration before, else to its own.
    pub(super) fn policy<'a>(
        &'a self,
        own: &'a ReleaseSettings,
        latest: Option<&'a Record>,
    ) -> &'a ReleasePolicy {
        match (&self.release, latest) {
            (Some(before), _) if before.name == own.name => &before.policy,
            (_, Some(latest)) => &latest.policy,
            (Some(before), None) => &before.policy,
            (None, None) => &own.policy,
        }
    }

    /// Refuses to guess: without the push, a change of the controls since the newest version may be part of it.
    ///
    /// # Errors
    /// Controls that differ from those of `latest`, outside the job of the push.
    pub(super) fn require_known(
        &self,
        own: &ReleaseSettings,
        latest: Option<&Record>,
        shown: &str,
    ) -> Result<(), Diagnostic> {
        let Some(latest) = latest.filter(|_| !self.is_of_push) else { return Ok(()) };
        if latest.policy == *self.policy(own, Some(latest)) {
            return Ok(());
        }
        Err(Diagnostic::new(format!(
            "the controls were changed since {}, and only the job of a push knows whether the same push did it",
            latest.version
        ))
        .at(Place::file(shown))
        .help("run the job of the push again, in a clone with all history (`fetch-depth: 0`), or push another commit"))
    }
}

/// The tip of the branch before the push that brought `commit`; `None` in any other job, and for a new branch.
fn pushed_onto(environment: &Environment, commit: &str) -> Result<Option<String>, Diagnostic> {
    if environment.is_github() {
        let event = environment.event()?.filter(|event| event.kind == EventKind::Push);
        return Ok(event.filter(|event| event.head.as_deref() == Some(commit)).and_then(|event| event.base));
    }
    let is = |name: &str, value: &str| environment.variable(name).is_some_and(|found| found == value);
    if is("GITLAB_CI", "true") && is("CI_PIPELINE_SOURCE", "push") && is("CI_COMMIT_SHA", commit) {
        // Zeros for a new branch, which are no ancestor.
        return Ok(environment.variable("CI_COMMIT_BEFORE_SHA"));
    }
    Ok(None)
}
