//! Everything that is known of a version: `promptgate.show/v1`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bundle::PromptContent;
use super::{Actor, ResolvedVersion};

/// The value of `schema` in every document of this version.
pub const SCHEMA: &str = "promptgate.show/v1";

/// Everything known about a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate show v1")]
pub struct Show {
    /// Always `promptgate.show/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Where the ledger is.
    pub ledger: String,
    /// The version.
    #[serde(flatten)]
    pub resolved: ResolvedVersion,
    /// Its position among the versions of the prompt, from 1.
    pub number: u64,
    /// Its level.
    pub level: String,
    /// The least level that the change allowed; null for a first version.
    pub least_level: Option<String>,
    /// Why that level, one sentence each.
    pub level_reasons: Vec<String>,
    /// The version that production served when this one was published.
    pub compared_with: Option<String>,
    /// Why the prompt was changed, by its author.
    pub reason: String,
    /// The commit and the pull request that it is from.
    pub change: ChangeOrigin,
    /// When it was published.
    pub published_at: String,
    /// Who published it.
    pub published_by: Option<Actor>,
    /// Whether it served before promptgate did, so that it has no evidence.
    pub adopted: bool,
    /// The digest of the controls that hold for it.
    pub policy_digest: String,
    /// The requirements of its level before production.
    pub controls: Controls,
    /// The content, with placeholders.
    pub content: PromptContent,
    /// All evaluations, in order; the last one counts.
    pub evaluations: Vec<Evaluation>,
    /// All approvals, in order.
    pub approvals: Vec<ApprovalStatus>,
    /// Periods in which it held a label, in order.
    pub labels: Vec<HeldLabel>,
    /// Labels that it was rolled back from, and has not held since.
    pub rolled_back: Vec<String>,
    /// The share of units that rollouts gave it, over time.
    pub exposures: Vec<Exposure>,
    /// Its identifier in each registry.
    pub registered: BTreeMap<String, String>,
}

/// The share of units that get a version, from a moment on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exposure {
    /// From when.
    pub at: String,
    /// The number of the rollout.
    pub rollout: u64,
    /// Treated units, in percent; 100 once production has the version.
    pub percent: f64,
}

/// The commit and the pull request that a version is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeOrigin {
    /// The full hash of the commit; null outside a repository.
    pub commit: Option<String>,
    /// The committer's time.
    pub committed_at: Option<String>,
    /// Logins, and names with addresses, of the authors of all commits of the change.
    pub authors: Vec<String>,
    /// The number of the pull request.
    pub pull_request: Option<u64>,
    /// The path of the prompt in its repository.
    pub path: Option<String>,
}

/// The requirements of a level before production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Controls {
    /// The scope of the gate that is required: `checks` or `full`.
    pub gate: String,
    /// Approvals by different people.
    pub approvals: u32,
    /// How long a version stays on staging, in seconds.
    pub staging_hold_seconds: u64,
}

/// An evaluation by the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// When it was recorded.
    pub recorded_at: String,
    /// Who recorded it.
    pub recorded_by: Actor,
    /// End of the evaluation.
    pub ended_at: String,
    /// SHA-256 of the bytes of the report.
    pub report: String,
    /// `pass`, `fail`, `inconclusive` or `incomplete`.
    pub verdict: String,
    /// The scope of the gate: `checks` or `full`.
    pub scope: String,
    /// The version that it compared with; null without a baseline, or where it was no published one.
    pub baseline_version: Option<String>,
    /// The digest of the baseline; null without one.
    pub baseline_digest: Option<String>,
    /// Whether the verdict passes only because the policy lets undecided runs pass, or because somebody overrode it.
    pub waived: bool,
    /// Whether the endpoint was the simulated one.
    pub simulated: bool,
    /// Where it ran: `default_branch`, `dispatch`, `schedule`, `other_branch` or `local`.
    pub source: String,
    /// The commit whose files were evaluated.
    pub commit: Option<String>,
    /// The digest of the dataset.
    pub dataset: String,
    /// The number of cases.
    pub cases: u64,
    /// Fingerprint of the judge; null without judged metrics.
    pub judge: Option<String>,
    /// The criteria.
    pub criteria: Vec<CriterionResult>,
    /// 95th percentile of the latency, in milliseconds.
    pub latency_p95_ms: Option<f64>,
    /// Mean cost of a case, in US dollars.
    pub cost_per_case_usd: Option<f64>,
}

/// A criterion of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CriterionResult {
    /// Its name.
    pub name: String,
    /// Its verdict.
    pub verdict: String,
    /// The estimate; null if it was not measured.
    pub estimate: Option<f64>,
    /// The interval of the estimate or of the difference; null if it was not measured.
    pub interval: Option<[f64; 2]>,
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalStatus {
    /// The login.
    pub login: String,
    /// Teams of the approvers that the login was a member of.
    pub teams: Vec<String>,
    /// Where it was given: `review`, `environment`, `dispatch` or `unverified`.
    pub source: String,
    /// When it was recorded.
    pub at: String,
    /// Whether it counts.
    pub counts: bool,
    /// Why it does not count; null if it does.
    pub problem: Option<String>,
}

/// A period in which a version held a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldLabel {
    /// The label.
    pub label: String,
    /// When the label was moved here.
    pub from: String,
    /// When it was moved on; null while the version holds it.
    pub until: Option<String>,
    /// How it was moved here: `promotion`, `rollback` or `adoption`.
    pub cause: String,
    /// The reason that was given.
    pub reason: Option<String>,
    /// Who moved it here.
    pub actor: Actor,
    /// The version that replaced it; null while the version holds the label.
    pub replaced_by: Option<String>,
    /// How it was moved on; null while the version holds the label.
    pub replaced_how: Option<String>,
}

/// The JSON Schema of [`Show`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Show>("show")
}
