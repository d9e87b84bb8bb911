//! The source of the policy, and what the change under test would have altered in it and in the dataset.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PolicyChange, Report};
use promptgate_core::model;

/// The source of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicySource {
    /// The value of `--policy-from`: `git:merge-base`, `git:main`, `file:PATH`.
    pub spec: String,
    /// The full hash of the commit; null for a file.
    pub commit: Option<String>,
    /// Whether the source has no policy, so that the candidate's own configuration decided.
    pub new: bool,
    /// Differences of the candidate's configuration, or of a file that the policy names. None of them took effect.
    pub changed: Vec<PolicyChange>,
    /// Number of differences that are not listed.
    #[serde(default)]
    pub more_changes: usize,
}

impl From<&model::PolicySource> for PolicySource {
    fn from(source: &model::PolicySource) -> Self {
        Self {
            spec: source.spec.clone(),
            commit: source.commit.clone(),
            new: source.new,
            changed: source.changed.clone(),
            more_changes: source.more,
        }
    }
}

/// The policy source of a report, with the changes of the dataset.
pub(crate) fn policy_source(report: &Report) -> Option<model::PolicySource> {
    let source = report.policy_source.as_ref()?;
    Some(model::PolicySource {
        spec: source.spec.clone(),
        commit: source.commit.clone(),
        new: source.new,
        changed: source.changed.clone(),
        more: source.more_changes,
        dataset: report.dataset_changes.clone(),
    })
}
