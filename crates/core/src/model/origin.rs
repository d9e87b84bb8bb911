//! The origin of a policy that is not part of the candidate's own configuration.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The source of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
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
    #[serde(rename = "more_changes", default)]
    pub more: usize,
    /// Differences of the dataset from the one beside the policy; `None` where that is not known.
    #[serde(skip)]
    pub dataset: Option<DatasetChanges>,
}

/// A difference between the policy that decided and that of the candidate. Contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyChange {
    /// A dotted path in the configuration, or `file PATH`.
    pub path: String,
    /// The value that decided, shortened; null where it was not set.
    pub old: Option<String>,
    /// The candidate's value, shortened; null where it is not set.
    pub new: Option<String>,
}

/// Differences of the dataset from the one beside the policy, by case id; `--filter` and `--tag` do not count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct DatasetChanges {
    /// Removed cases.
    pub removed: NamedCases,
    /// Cases with different content.
    pub changed: NamedCases,
    /// New cases.
    pub added: NamedCases,
}

/// A number of cases with the ids of the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct NamedCases {
    /// Number of cases.
    pub count: usize,
    /// The first ids, in dataset order.
    pub first: Vec<String>,
}

impl DatasetChanges {
    /// Whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.removed.count == 0 && self.changed.count == 0 && self.added.count == 0
    }
}

impl fmt::Display for PolicyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, " from {old} to {new}"),
            (Some(old), None) => write!(f, " removed, was {old}"),
            (None, Some(new)) => write!(f, " added: {new}"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for DatasetChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [(&self.removed, "removed"), (&self.changed, "changed"), (&self.added, "added")];
        let mut first = true;
        for (cases, word) in kinds.into_iter().filter(|(cases, _)| cases.count > 0) {
            let noun = if !first {
                ""
            } else if cases.count == 1 {
                " case"
            } else {
                " cases"
            };
            let more = if cases.count > cases.first.len() { ", …" } else { "" };
            let comma = if first { "" } else { ", " };
            write!(f, "{comma}{}{noun} {word} ({}{more})", cases.count, cases.first.join(", "))?;
            first = false;
        }
        if first { f.write_str("no cases differ") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_display_as_prose() {
        let change = |old: Option<&str>, new: Option<&str>| {
            PolicyChange { path: "a.b".to_owned(), old: old.map(str::to_owned), new: new.map(str::to_owned) }
                .to_string()
        };
        assert_eq!(change(Some("1"), Some("2")), "a.b from 1 to 2");
        assert_eq!(change(Some("1"), None), "a.b removed, was 1");
        assert_eq!(change(None, Some("2")), "a.b added: 2");
        let cases = |count, ids: &[&str]| NamedCases {
            count,
            first: ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        let mut changes = DatasetChanges { removed: cases(7, &["x", "y"]), ..DatasetChanges::default() };
        assert_eq!(changes.to_string(), "7 cases removed (x, y, …)");
        changes.added = cases(1, &["z"]);
        assert_eq!(changes.to_string(), "7 cases removed (x, y, …), 1 added (z)");
        assert_eq!(DatasetChanges::default().to_string(), "no cases differ");
    }
}
