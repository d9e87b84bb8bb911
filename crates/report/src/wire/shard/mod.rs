//! One shard of a run on several machines (`promptgate.shard/v1`), and joining all shards to one run.
//!
//! A shard is a header and a report without its decision: criteria, metrics and the verdict belong to the whole run.
//! [`read`] refuses a file that contradicts itself, [`join`] files that do not make one run.

mod assignment;
mod build;
mod join;
mod plan;
mod read;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use assignment::{InvalidShard, MAX_SHARDS, Shard};
pub use build::ShardContext;
pub use join::{Joined, join};
pub use plan::{CaseInPlan, PlanDigest, digest_of, digest_of_cases};
pub use read::read;

use super::v1::Report;
use promptgate_core::model::RepeatCounts;

/// The value of `schema` in every shard of this version.
pub const SCHEMA: &str = "promptgate.shard/v1";

/// One shard of a run: its header, and the report of its cases without a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate shard v1")]
pub struct ShardFile {
    /// Always `promptgate.shard/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Index and number of shards.
    pub shard: Shard,
    /// The plan that all shards of a run have in common.
    pub plan: PlanDigest,
    /// Whether the configuration lets an inconclusive verdict pass.
    pub inconclusive_passes: bool,
    /// Logins of the people who may override the verdict of a pull request; absent for nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub override_by: Vec<String>,
    /// Planned and missing trials.
    pub counts: Counts,
    /// The place in the dataset of each case, from 0.
    pub places: Vec<usize>,
    /// Repeats of a reused baseline; null where the baseline is part of this run.
    pub reused_baseline: Option<RepeatCounts>,
    /// The cases of this shard with their trials. `dataset.cases` counts the cases of all shards, and `policy`, with one
    /// look at `repeats`, decides on the whole run.
    pub report: Report,
}

/// Planned and missing trials of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Number of cases.
    pub cases: usize,
    /// Planned trials of the variants that are part of this run: cases x repeats x variants.
    pub trials: usize,
    /// Planned trials without a completion.
    pub missing: usize,
}

/// The JSON Schema of [`ShardFile`], draft 2020-12.
pub fn schema() -> Value {
    super::schema_of::<ShardFile>("shard")
}
