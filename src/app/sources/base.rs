//! Resolves the specification of a baseline or of a policy.

use std::path::Path;

use super::prompts::MERGE_BASE;
use crate::app::Environment;
use crate::app::suite::SuiteOptions;
use promptgate_adapters::files::{self, Baseline, BaselineSpec, Tree};
use promptgate_core::model::Diagnostic;

/// Resolves a specification; the merge base is the commit from the event of a CI system, if there is one. With `trusted`
/// a merge base that only HEAD supports is refused.
///
/// # Errors
/// As [`files::baseline`] and [`files::trusted_baseline`].
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
            true => files::trusted_baseline(spec, folder, &variable),
            false => files::baseline(spec, folder, &variable),
        };
    };
    let Some(commit) = &known.commit else {
        let note = if known.how.starts_with("new: ") {
            known.how.clone()
        } else {
            format!("no baseline: {}", known.how)
        };
        return Ok(Baseline::None { note: Some(note), if_needed: known.if_needed.clone() });
    };
    let named = BaselineSpec::Git { reference: commit.clone(), path };
    Ok(match files::baseline(Some(&named), folder, &variable)? {
        Baseline::Commit { tree: Tree::Commit { repository, commit, .. }, path, .. } => Baseline::Commit {
            tree: Tree::Commit { repository, commit, reference: MERGE_BASE.to_owned() },
            path,
            how: known.how.clone(),
        },
        other => other,
    })
}
