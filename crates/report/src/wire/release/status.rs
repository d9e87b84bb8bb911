//! The version of each label in a ledger: `promptgate.status/v1`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Actor;
use super::rollout::RolloutPosition;

/// The value of `schema` in every status of this version.
pub const SCHEMA: &str = "promptgate.status/v1";

/// The status of prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate status v1")]
pub struct Status {
    /// Always `promptgate.status/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Where the ledger is.
    pub ledger: String,
    /// Whether the ledger was fetched for this status; null for a folder. If not, it is the status as last fetched.
    #[serde(default)]
    pub fetched: Option<bool>,
    /// The time that `--at` names; null for now.
    pub at: Option<String>,
    /// The prompts, sorted by name.
    pub prompts: Vec<PromptStatus>,
}

/// The status of a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PromptStatus {
    /// The prompt.
    pub name: String,
    /// The number of events.
    pub events: usize,
    /// The number of published versions.
    pub versions: usize,
    /// The newest published version; null without one.
    pub latest: Option<LatestVersion>,
    /// The version of each label that points at one.
    pub labels: BTreeMap<String, LabelStatus>,
    /// The rollout that has not ended; null without one.
    pub rollout: Option<RolloutPosition>,
    /// Versions that could be promoted next, and what they lack.
    pub waiting: Vec<Waiting>,
    /// Moves that were started and not finished; the next command that moves the label finishes them.
    pub intents: Vec<OpenMove>,
    /// Whether the stored state is what the events add up to.
    pub state: StateCheck,
}

/// The newest published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LatestVersion {
    /// The version.
    pub version: String,
    /// Its position, from 1.
    pub number: u64,
    /// Its level.
    pub level: String,
    /// The digest of its content.
    pub digest: String,
    /// When it was published.
    pub published_at: String,
    /// Labels that it was rolled back from, and has not held since.
    pub rolled_back: Vec<String>,
}

/// The version of a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelStatus {
    /// The version.
    pub version: String,
    /// The digest of its content.
    pub digest: String,
    /// When the label was moved there.
    pub since: String,
    /// How it was moved there: `promotion`, `rollback` or `adoption`.
    pub cause: String,
    /// The version before; null for the first one.
    pub previous: Option<String>,
    /// The version's identifier in each registry.
    pub registered: BTreeMap<String, String>,
}

/// A version that could be promoted next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// The version.
    pub version: String,
    /// The label that it could be promoted to.
    pub label: String,
    /// Whether it could be promoted now.
    pub result: Readiness,
    /// Its obstacles.
    pub obstacles: Vec<ObstacleStatus>,
}

/// Whether a version could be promoted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// Yes.
    Ready,
    /// Evidence, approvals or time are missing.
    Waits,
    /// No, and waiting does not help.
    Refused,
}

/// Something that a promotion lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObstacleStatus {
    /// Its code.
    pub code: String,
    /// A sentence about it.
    pub text: String,
}

/// A move that was started and not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenMove {
    /// The label.
    pub label: String,
    /// Where to.
    pub version: String,
    /// `promotion`, `rollback` or `adoption`.
    pub cause: String,
    /// The reason that was given.
    pub reason: Option<String>,
    /// When it was started.
    pub at: String,
    /// Who began it.
    pub actor: Option<Actor>,
}

/// Whether the stored state is what the events add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateCheck {
    /// It is.
    Verified,
    /// It is not: the ledger is damaged. This status is that of the events.
    Differs,
    /// It was not compared: a state of the past is not stored.
    Past,
}

/// The JSON Schema of [`Status`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Status>("status")
}
