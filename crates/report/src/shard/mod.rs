//! One shard of a run on several machines: `promptgate.shard/v1`, and the way from all of them back to one run.
//!
//! A shard holds trials in the types of report v1 and judges nothing: criteria, metrics and the verdict belong to the
//! whole. [`read`] refuses a file that contradicts itself, [`join`] files that do not make one run. Finding files,
//! carrying out a shard and deciding on the joined run are left to others.

mod build;
mod join;
mod place;
mod plan;
mod read;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use build::Whole;
pub use join::{Joined, join};
pub use place::{MAX_SHARDS, NoShard, Shard};
pub use plan::{CaseInPlan, PlanDigest, digest_of, digest_of_cases};
pub use read::read;

use super::v1;

/// The value of `schema` in every shard of this version.
pub const SCHEMA: &str = "promptgate.shard/v1";

/// One shard of a run: its trials, and what must be the same in all shards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate shard v1")]
pub struct ShardFile {
    /// Always `promptgate.shard/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Version of promptgate that wrote it.
    pub tool_version: String,
    /// Which shard it is.
    pub shard: Shard,
    /// What all shards of a run have in common.
    pub plan: PlanDigest,
    /// The dataset of the whole run; `cases` counts the cases of all shards.
    pub dataset: v1::Dataset,
    /// The policy that decides on the whole: one look at `repeats`.
    pub policy: v1::Policy,
    /// Whether the configuration lets an inconclusive verdict pass.
    pub inconclusive_passes: bool,
    /// What this shard was to bring, and what is missing.
    pub counts: Counts,
    /// What it brought.
    pub part: Part,
}

/// How much a shard was to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Its cases.
    pub cases: usize,
    /// Trials of its cases by the variants that are answered in this run: cases x repeats x variants.
    pub trials: usize,
    /// How many of these have no answer.
    pub missing: usize,
}

/// The part of the run that a shard carried out, with fields as in report v1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Name of the suite.
    pub name: String,
    /// The cases of this shard with their trials, in dataset order.
    pub cases: Vec<PartCase>,
    /// What is compared.
    pub variants: v1::Variants,
    /// Why there is no baseline, or, after `baseline_reused: `, where its answers are from.
    pub baseline_note: Option<String>,
    /// What a reused baseline was asked for; null where it is answered in this run.
    pub reused_baseline: Option<ReusedBaseline>,
    /// The judge; null where none is asked.
    pub judge: Option<v1::Judge>,
    /// Where the policy is from, where it is not the candidate's own configuration; else absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_source: Option<v1::PolicySource>,
    /// How the dataset differs from the one beside that policy; absent where it was not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_changes: Option<v1::DatasetChanges>,
    /// Metric names of the whole run: the checks, then the judges, in configuration order.
    pub scorers: Vec<String>,
    /// Repeats of every case.
    pub repeats: u32,
    /// Calls, tokens and money of this shard.
    pub usage: v1::Usage,
    /// Prices that the costs were computed with.
    pub prices: Vec<v1::Price>,
    /// Whether the endpoint was the simulated one.
    pub simulated: bool,
    /// How this shard ended: `completed` and `failed_fast` are done.
    pub ended: v1::Ended,
    /// Things a reader should know.
    pub warnings: Vec<String>,
    /// Start of this shard: RFC 3339, UTC.
    pub started_at: String,
    /// Wall time of this shard in milliseconds.
    pub duration_ms: u64,
}

/// A case of a shard with its trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartCase {
    /// Its place in the dataset, from 0.
    pub index: usize,
    /// Its id; its hash says which shard it belongs to.
    pub id: String,
    /// The question.
    pub query: String,
    /// The passages an answer may rely on; absent where the case has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub context: Option<Arc<[String]>>,
    /// The reference answer as text; absent where the case has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its cluster.
    pub group: Option<String>,
    /// Whether it is a criterion of its own.
    pub must_pass: bool,
    /// Whether both variants rendered the same request, which was then answered and judged once.
    pub shared: bool,
    /// Names of the scorers that grade this case.
    pub scorers: Vec<String>,
    /// The trials: by repeat, candidate before baseline.
    pub trials: v1::Trials,
}

/// What a reused baseline was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReusedBaseline {
    /// Repeats of every case.
    pub repeats: u32,
    /// For each of `scorers`, how many of these it was asked to grade.
    pub graded: Vec<u32>,
}

/// The JSON Schema of [`ShardFile`], draft 2020-12.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(ShardFile);
    schema.insert("$id".to_owned(), Value::from("urn:promptgate:shard:v1"));
    schema.to_value()
}
