//! The immutable record of a published version.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Content, Digest, Level, Name, ReleasePolicy, Version};

/// Everything that is known of a version when it is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Always `promptgate.version/v1`.
    pub schema: String,
    /// The prompt.
    pub name: Name,
    /// The version.
    pub version: Version,
    /// The position among the versions of this prompt, from 1.
    pub number: u64,
    /// The digest of the content.
    pub digest: Digest,
    /// The content.
    pub content: Content,
    /// The level that the version claims: that of its number, raised by the prompt's `level:`.
    pub level: Level,
    /// The least level that the change allows; `None` for a first version.
    pub least_level: Option<Level>,
    /// Why that level, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub level_reasons: Vec<String>,
    /// The version that production served when this one was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<Version>,
    /// Why the prompt was changed, by its author.
    pub reason: String,
    /// Where the change is from.
    pub change: Change,
    /// When the record was made.
    pub published_at: Timestamp,
    /// The controls that hold for this version: those before the push that brought its commit, so that no change relaxes its
    /// own.
    pub policy: ReleasePolicy,
}

/// The value of `schema` in every record.
pub const RECORD_SCHEMA: &str = "promptgate.version/v1";

/// The commit and the pull request that a version is from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The full hash of the commit; `None` outside a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The committer's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<Timestamp>,
    /// Logins, and names with addresses, of the authors of all commits of the change; none of them may approve it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// The number of the pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<u64>,
    /// The path of the prompt in its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}
