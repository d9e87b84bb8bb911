//! A suite without a policy at the base: the change would choose the host that gets the key. No key is used for it.

use super::base::Base;
use crate::app::cache::CacheMode;
use crate::app::evaluate::RunOptions;
use crate::app::sources::shown_path;
use crate::app::suite::Suite;
use crate::config::NAMES;
use promptgate_adapters::git::Repository;
use promptgate_core::model::Diagnostic;

/// The result of a suite that the base does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnNewSuite {
    /// Incomplete.
    Fail,
    /// Not evaluated, which passes.
    Skip,
}

/// A suite that the base does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewSuite {
    /// The consequence.
    pub(crate) result: OnNewSuite,
    /// Configurations of the base that the change removes.
    pub(crate) vanished: Vec<String>,
    /// Why its application has no baseline, where the base has no program for it.
    pub(crate) missing: Option<String>,
}

/// Whether the suite has no policy at the base, and a run would send keys; or no program at the base, so that its application
/// cannot be compared. By default it fails where the base holds any
/// configuration, since the change may have moved one.
///
/// # Errors
/// If git fails.
pub(super) fn find(
    suite: &Suite,
    run: &RunOptions,
    choice: Option<OnNewSuite>,
    repository: Option<&Repository>,
    base: &Base,
) -> Result<Option<NewSuite>, Diagnostic> {
    let source = suite.policy_source.as_ref().filter(|source| source.new && !run.calls.offline);
    let missing = suite.missing_program().map(|missing| missing.message.clone());
    if (source.is_none() && missing.is_none()) || run.calls.cache == CacheMode::CachedOnly {
        return Ok(None);
    }
    let missing = missing.filter(|_| source.is_none());
    let commit = source.and_then(|source| source.commit.as_ref()).or(base.known.commit.as_ref());
    let (Some(repository), Some(commit)) = (repository, commit) else {
        let result = choice.unwrap_or(OnNewSuite::Fail);
        return Ok(Some(NewSuite { result, vanished: Vec::new(), missing }));
    };
    let there = repository.files_named(commit, &NAMES)?;
    let here = match &base.head {
        Some(head) => repository.files_named(head, &NAMES)?,
        None => Vec::new(),
    };
    let default = if there.is_empty() { OnNewSuite::Skip } else { OnNewSuite::Fail };
    let vanished = there.into_iter().filter(|path| !here.contains(path)).map(|path| shown_path(&path));
    Ok(Some(NewSuite { result: choice.unwrap_or(default), vanished: vanished.collect(), missing }))
}
