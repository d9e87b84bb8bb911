//! Where the policy of a run is from, when it is not that of the candidate's own configuration.

use std::fmt;

/// The policy's origin, and what the change under test would have altered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicySource {
    /// As it was asked for: `git:merge-base`, `git:main`, `file:PATH`.
    pub spec: String,
    /// The commit, in full; `None` for a file.
    pub commit: Option<String>,
    /// There was no policy: the candidate's own configuration decided.
    pub new: bool,
    /// What the candidate's configuration, or a file that the policy names, has otherwise: none of it counted.
    pub changed: Vec<PolicyChange>,
    /// Changes beyond those listed.
    pub more: usize,
    /// How the dataset differs from the one there; `None` where that is not known.
    pub dataset: Option<DatasetChanges>,
}

/// One difference between the policy that decided and that of the candidate; no secret, short, harmless to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChange {
    /// A dotted path in the configuration, or `file PATH`.
    pub path: String,
    /// What decided; `None` where there was nothing.
    pub old: Option<String>,
    /// What the candidate has in its place.
    pub new: Option<String>,
}

/// How the dataset differs from the one beside the policy, by case id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatasetChanges {
    /// Cases that are gone.
    pub removed: NamedCases,
    /// Cases with another content.
    pub changed: NamedCases,
    /// Cases that are new.
    pub added: NamedCases,
}

/// Some cases, of which the first few are named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedCases {
    /// How many.
    pub count: usize,
    /// The ids of the first of them, in dataset order.
    pub first: Vec<String>,
}

impl DatasetChanges {
    /// Whether it is the same.
    pub fn is_empty(&self) -> bool {
        self.removed.count == 0 && self.changed.count == 0 && self.added.count == 0
    }
}

impl fmt::Display for PolicyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, " from {old} to {new}"),
            (Some(old), None) => write!(f, " taken out, was {old}"),
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
        if first { f.write_str("no case differs") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_in_words() {
        let change = |old: Option<&str>, new: Option<&str>| {
            PolicyChange { path: "a.b".to_owned(), old: old.map(str::to_owned), new: new.map(str::to_owned) }
                .to_string()
        };
        assert_eq!(change(Some("1"), Some("2")), "a.b from 1 to 2");
        assert_eq!(change(Some("1"), None), "a.b taken out, was 1");
        assert_eq!(change(None, Some("2")), "a.b added: 2");
        let cases = |count, ids: &[&str]| NamedCases {
            count,
            first: ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        let mut changes = DatasetChanges { removed: cases(7, &["x", "y"]), ..DatasetChanges::default() };
        assert_eq!(changes.to_string(), "7 cases removed (x, y, …)");
        changes.added = cases(1, &["z"]);
        assert_eq!(changes.to_string(), "7 cases removed (x, y, …), 1 added (z)");
        assert_eq!(DatasetChanges::default().to_string(), "no case differs");
    }
}
