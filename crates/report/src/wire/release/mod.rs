//! JSON of the commands that read or write a ledger: one format for each command.
//!
//! Times are RFC 3339 in UTC; versions, labels, levels and digests are written as in the ledger.

pub mod approval;
pub mod assignment;
pub mod bundle;
pub mod compiled;
pub mod diff;
pub mod log;
pub mod promotion;
pub mod publication;
pub mod pull;
pub mod reconciliation;
pub mod releases;
pub mod rollback;
pub mod rollout;
pub mod rollout_plan;
pub mod show;
pub mod status;
pub mod verification;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who appended an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// A login of the forge, else the name of the local user.
    pub login: String,
    /// How the login is known: `default_branch`, `dispatch`, `schedule`, `other_branch` or `local`.
    pub source: String,
    /// The address of the CI job; null outside CI.
    pub run: Option<String>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The role of the author.
    pub role: String,
    /// The text.
    pub content: String,
}

/// A version that a reference was resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedVersion {
    /// The reference as it was written.
    pub reference: String,
    /// The prompt.
    pub name: String,
    /// The version.
    pub version: String,
    /// The digest of its content.
    pub digest: String,
}
