//! Decides which version a rollback returns to.

use std::fmt;

use crate::{Label, State, Version};

/// Why a rollback has no target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackRefusal {
    /// The label follows the newest version by itself.
    Automatic,
    /// The label points at no version.
    NotSet,
    /// No earlier version held the label and was not rolled back itself.
    NoTarget,
    /// The version never held the label.
    NeverServed(Version),
    /// The version was rolled back from the label itself.
    RolledBack(Version),
    /// The label points at this version already.
    Current(Version),
}

/// Returns the version that `label` returns to: `wanted`, or the last version that held the label before the current one
/// and was not rolled back from it.
///
/// # Errors
/// Why there is none.
pub fn target(state: &State, label: &Label, wanted: Option<Version>) -> Result<Version, RollbackRefusal> {
    if *label == Label::Latest {
        return Err(RollbackRefusal::Automatic);
    }
    let current = *state.labels.get(label).ok_or(RollbackRefusal::NotSet)?;
    let was_rolled_back = |version: &Version| {
        state.versions.get(version).is_some_and(|state| state.rolled_back.contains(label))
    };
    // Staging may go back to what production serves, which need not have been there.
    let is_served =
        |version: Version| *label == Label::Staging && state.labels.get(&Label::Production) == Some(&version);
    if let Some(wanted) = wanted {
        return if wanted == current {
            Err(RollbackRefusal::Current(wanted))
        } else if !state.has_held(wanted, label) && !is_served(wanted) {
            Err(RollbackRefusal::NeverServed(wanted))
        } else if was_rolled_back(&wanted) && !is_served(wanted) {
            Err(RollbackRefusal::RolledBack(wanted))
        } else {
            Ok(wanted)
        };
    }
    let held = state.moves.iter().rev().filter(|moved| moved.label == *label).map(|moved| moved.to);
    held.into_iter()
        .find(|version| *version != current && !was_rolled_back(version))
        .ok_or(RollbackRefusal::NoTarget)
}

impl fmt::Display for RollbackRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Automatic => write!(f, "the label always points at the newest version"),
            Self::NotSet => write!(f, "the label points at no version"),
            Self::NoTarget => {
                write!(f, "no earlier version is left that held the label without being rolled back")
            }
            Self::NeverServed(version) => write!(f, "version {version} never held the label"),
            Self::RolledBack(version) => write!(f, "version {version} was itself rolled back"),
            Self::Current(version) => write!(f, "the label already points at version {version}"),
        }
    }
}
