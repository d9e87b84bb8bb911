//! Who did something, and how that is known.

use serde::{Deserialize, Serialize};

/// Who appended an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// A login of the forge, else the name of the local user.
    pub login: String,
    /// How the login is known.
    pub source: ActorSource,
    /// The address of the CI job, for readers of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// How a login is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorSource {
    /// A job that a push to the default branch started.
    DefaultBranch,
    /// A job that somebody dispatched on the default branch.
    Dispatch,
    /// A job that a schedule started on the default branch.
    Schedule,
    /// A job of a pull request, or of another branch.
    OtherBranch,
    /// A process outside CI: the login is a claim.
    Local,
}

impl ActorSource {
    /// Whether the workflow that ran is the one of the default branch, so that no pull request could have changed it.
    pub fn is_trusted(self) -> bool {
        matches!(self, Self::DefaultBranch | Self::Dispatch | Self::Schedule)
    }
}
