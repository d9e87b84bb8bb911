//! Where the policy is from, and what the change under test would have altered of it and of the dataset.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use promptgate_core::model;

/// Where the policy is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicySource {
    /// As it was asked for: `git:merge-base`, `git:main`, `file:PATH`.
    pub spec: String,
    /// The commit, in full; null for a file.
    pub commit: Option<String>,
    /// Whether there was no policy, so that the candidate's own decided: the change set its own bar.
    pub new: bool,
    /// What the candidate's configuration, or a file that the policy names, has otherwise. None of it counted.
    pub changed: Vec<PolicyChange>,
    /// Changes that are not listed.
    #[serde(default)]
    pub more_changes: usize,
}

/// One difference between the policy that decided and that of the candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyChange {
    /// A dotted path in the configuration, or `file PATH`.
    pub path: String,
    /// What decided, shortened; null where there was nothing.
    pub old: Option<String>,
    /// What the candidate has in its place, shortened; null where it has nothing.
    pub new: Option<String>,
}

/// How the dataset differs from the one beside the policy, by case id; `--filter` and `--tag` do not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetChanges {
    /// Cases that are gone.
    pub removed: NamedCases,
    /// Cases with another content.
    pub changed: NamedCases,
    /// Cases that are new.
    pub added: NamedCases,
}

/// Some cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedCases {
    /// How many.
    pub count: usize,
    /// The ids of the first of them.
    pub first: Vec<String>,
}

impl From<&model::PolicySource> for PolicySource {
    fn from(source: &model::PolicySource) -> Self {
        let changed = source.changed.iter().map(|change| PolicyChange {
            path: change.path.clone(),
            old: change.old.clone(),
            new: change.new.clone(),
        });
        Self {
            spec: source.spec.clone(),
            commit: source.commit.clone(),
            new: source.new,
            changed: changed.collect(),
            more_changes: source.more,
        }
    }
}

impl From<&model::DatasetChanges> for DatasetChanges {
    fn from(changes: &model::DatasetChanges) -> Self {
        let named = |cases: &model::NamedCases| NamedCases { count: cases.count, first: cases.first.clone() };
        Self {
            removed: named(&changes.removed),
            changed: named(&changes.changed),
            added: named(&changes.added),
        }
    }
}

/// Where the policy of a report is from, as the program knows it.
pub(crate) fn policy_source(report: &Report) -> Option<model::PolicySource> {
    restored(report.policy_source.as_ref(), report.dataset_changes.as_ref())
}

/// The inverse of both.
fn restored(source: Option<&PolicySource>, dataset: Option<&DatasetChanges>) -> Option<model::PolicySource> {
    let source = source?;
    let named = |cases: &NamedCases| model::NamedCases { count: cases.count, first: cases.first.clone() };
    let changed = source.changed.iter().map(|change| model::PolicyChange {
        path: change.path.clone(),
        old: change.old.clone(),
        new: change.new.clone(),
    });
    Some(model::PolicySource {
        spec: source.spec.clone(),
        commit: source.commit.clone(),
        new: source.new,
        changed: changed.collect(),
        more: source.more_changes,
        dataset: dataset.map(|changes| model::DatasetChanges {
            removed: named(&changes.removed),
            changed: named(&changes.changed),
            added: named(&changes.added),
        }),
    })
}
