//! What the specification of a baseline, or of a policy, stands for.

use std::path::Path;

use super::SuiteOptions;
use crate::app::Environment;
use promptgate_adapters::load::{self, Baseline, BaselineSpec, Tree};
use promptgate_core::model::Diagnostic;

/// Finds it; the merge base is the commit that the event of a CI system says, if it does. With `trusted` a merge base
/// that HEAD alone speaks for is refused.
///
/// # Errors
/// As [`load::baseline`] and [`load::trusted_baseline`].
pub(super) fn find(
    spec: Option<&BaselineSpec>,
    options: &SuiteOptions,
    environment: &Environment,
    folder: &Path,
    trusted: bool,
) -> Result<Baseline, Diagnostic> {
    let variable = |name: &str| environment.variable(name);
    let path = match spec {
        None => Some(None),
        Some(BaselineSpec::MergeBase { path }) => Some(path.clone()),
        Some(_) => None,
    };
    let (Some(known), Some(path)) = (&options.merge_base, path) else {
        return match trusted {
            true => load::trusted_baseline(spec, folder, &variable),
            false => load::baseline(spec, folder, &variable),
        };
    };
    let Some(commit) = &known.commit else {
        return Ok(Baseline::None { note: Some(format!("no baseline: {}", known.how)) });
    };
    let named = BaselineSpec::Git { reference: commit.clone(), path };
    Ok(match load::baseline(Some(&named), folder, &variable)? {
        Baseline::Commit { tree: Tree::Commit { repository, commit, .. }, path, .. } => Baseline::Commit {
            tree: Tree::Commit { repository, commit, reference: "merge-base".to_owned() },
            path,
            how: known.how.clone(),
        },
        other => other,
    })
}
