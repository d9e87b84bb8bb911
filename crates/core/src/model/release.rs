//! The release that a change would become: its version, its level, and the controls before production.
//!
//! Gate and reports share these types. Their JSON names are those of report v1 and are frozen: fields may be added, never
//! renamed or removed.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named;

named! {
    /// The level of a semantic version.
    pub enum ReleaseLevel {
        /// Wording: spelling, punctuation, white space.
        Patch = "patch",
        /// Behavior, and every doubtful change.
        Minor = "minor",
        /// The contract with applications: variables, answer schema, tools, roles, model. Also a first version.
        Major = "major",
    }
}

named! {
    /// The extent of a gate.
    pub enum ReleaseGate {
        /// Deterministic checks alone, without a baseline.
        Checks = "checks",
        /// All criteria, against what production serves.
        Full = "full",
    }
}

/// A published version of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedVersion {
    /// The name in the ledger.
    pub name: String,
    /// The version.
    pub version: String,
    /// Its level.
    pub level: ReleaseLevel,
}

/// A difference from what production serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelReason {
    /// The level that it requires at least.
    pub level: ReleaseLevel,
    /// One sentence, with the place.
    pub message: String,
}

/// The controls of a version before production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseControls {
    /// The extent of the gate.
    pub gate: ReleaseGate,
    /// Approvals by different people.
    pub approvals: u32,
}

/// The release that a candidate would become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Release")]
pub struct ReleaseFacts {
    /// The name in the ledger.
    pub name: String,
    /// The version that production serves; null before the first.
    pub production: Option<String>,
    /// The version of the candidate: the published one, else the one that publishing assigns; null where the prompt claims
    /// a version or a level that it cannot have.
    pub version: Option<String>,
    /// Whether this content is published already.
    pub published: bool,
    /// The level of the candidate: the least one, raised by what the prompt claims; null where it is what production serves.
    pub level: Option<ReleaseLevel>,
    /// The least level that the differences from production allow; null for a first version, and where nothing differs.
    pub least_level: Option<ReleaseLevel>,
    /// The differences, the highest level first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<LevelReason>,
    /// The controls of the level; null where nothing differs from it.
    pub requires: Option<ReleaseControls>,
    /// The extent of this run; null where flags left out cases or changed minimums, so that it does not count as evidence.
    pub examined: Option<ReleaseGate>,
    /// Whether the policy lets an inconclusive run pass, which then needs an approval.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inconclusive_passes: bool,
    /// The commit whose files were evaluated; null outside a repository, and where the prompt was not committed.
    pub commit: Option<String>,
}

impl fmt::Display for ReleaseControls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.gate {
            ReleaseGate::Checks => "checks alone",
            ReleaseGate::Full => "full gate",
        })?;
        match self.approvals {
            0 => f.write_str(", no approval"),
            1 => f.write_str(", 1 approval"),
            more => write!(f, ", {more} approvals"),
        }
    }
}

/// `support/reply 2.3.1 → 2.4.0, minor: full gate, no approval`.
impl fmt::Display for ReleaseFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(production) = &self.production {
            write!(f, " {production}")?;
        }
        let (Some(level), Some(requires)) = (self.level, self.requires) else {
            return f.write_str(": what production serves, nothing to publish");
        };
        let version = self.version.as_deref().unwrap_or("no valid version");
        let level = if self.production.is_some() { level.as_str() } else { "first version" };
        write!(f, " → {version}, {level}: {requires}")?;
        f.write_str(if self.published { "; published already" } else { "" })
    }
}
