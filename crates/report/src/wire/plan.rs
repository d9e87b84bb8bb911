//! Estimates of a run's cost and of the drops it can detect: `promptgate.plan/v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema` in every plan of this version.
pub const SCHEMA: &str = "promptgate.plan/v1";

/// A plan: the lowest, expected and highest cost of a run, and the smallest drops that it detects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate plan v1")]
pub struct Plan {
    /// Always `promptgate.plan/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Name of the suite.
    pub name: String,
    /// Number of cases.
    pub cases: usize,
    /// Cases for which both variants render the same request, which is sent once.
    pub shared_cases: usize,
    /// Variants in the run: 2 with a baseline, else 1.
    pub variants: usize,
    /// Metrics that a judge grades.
    pub judged: Vec<String>,
    /// Repeats at each look.
    pub looks: Vec<u32>,
    /// The amount if the run ends at the first look.
    pub lowest: Amount,
    /// The expected amount if the candidate is as good as the baseline.
    pub expected: Amount,
    /// The amount if the run goes to the last look with every judge.
    pub most: Amount,
    /// The additional amount of the judge's self-test, once per run; null without one.
    pub self_test: Option<Amount>,
    /// The run in shards; null without `--shards`.
    #[serde(default)]
    pub shards: Option<Shards>,
    /// The smallest drops that this suite detects with 80 % power, for each noise.
    pub drops: Vec<Drop>,
    /// The smallest drops for other numbers of cases and repeats, at the noise that decides.
    pub table: Vec<DropsRow>,
    /// The share of failing traffic that this many cases without a failure cannot rule out.
    pub unseen_failure_share: f64,
    /// Sources of the numbers, and advice.
    pub notes: Vec<String>,
}

/// A run in shards, which takes one look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shards {
    /// Number of shards.
    pub of: u32,
    /// Cases of the largest shard.
    pub cases: usize,
    /// The amount of the largest shard, without the self-test that each shard runs.
    pub largest: Amount,
}

/// The amount of a number of repeats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// Repeats of every case.
    pub repeats: u32,
    /// Completion calls.
    pub answers: u64,
    /// Judgement calls, without re-prompts and retries.
    pub judgements: u64,
    /// Approximate tokens of the requests.
    pub prompt_tokens: u64,
    /// Approximate tokens of the answers.
    pub completion_tokens: u64,
    /// Approximate cost in US dollars; null where a price is not known.
    pub cost_usd: Option<f64>,
}

/// The smallest drops at one noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drop {
    /// `quiet`, `moderate`, `noisy`, or the measured metric.
    pub name: String,
    /// Whether the noise comes from the report of an earlier run.
    pub measured: bool,
    /// Standard deviation over the repeats of a case.
    pub noise: f64,
    /// The smallest drop in the scope `suite` by the last look; scores are in 0 to 1.
    pub suite: f64,
    /// Standard deviation over cases of the differences between the variants; null where it was not measured.
    pub spread: Option<f64>,
    /// The smallest drop in the scope `population`; null where the spread was not measured.
    pub population: Option<f64>,
}

/// The smallest drops of a number of cases in one look, in the scope `suite`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Row")]
pub struct DropsRow {
    /// Cases.
    pub cases: usize,
    /// Standard deviation over the repeats of a case.
    pub noise: f64,
    /// The smallest drop for each number of repeats.
    pub drops: Vec<AtRepeats>,
}

/// The smallest drop with a number of repeats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtRepeats {
    /// Repeats.
    pub repeats: u32,
    /// The drop; scores are in 0 to 1.
    pub drop: f64,
}

/// The JSON Schema of [`Plan`], draft 2020-12.
pub fn schema() -> Value {
    super::schema_of::<Plan>("plan")
}
