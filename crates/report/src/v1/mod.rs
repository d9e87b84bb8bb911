//! Version 1 of the report: the names that scripts, dashboards and `compare` read.
//!
//! These types belong to readers outside, so they are kept apart from the program's own data: a change inside
//! cannot rename a field here. Fields may be added, never renamed or removed. Numbers are finite or null.

mod build;
mod judge;
mod names;
mod origin;
mod policy;
mod read;
mod restore;
mod result;
mod trial;
mod trials;
mod trials_file;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use judge::{CalibrationFacts, Judge, Planted, SelfTest, TrialSummary};
pub use names::{
    CaseStatus, CriterionVerdict, EndedKind, Expected, FaultKind, MetricKind, ReasonCode, Role, Scope,
    Verdict,
};
pub(crate) use origin::policy_source;
pub use origin::{DatasetChanges, NamedCases, PolicyChange, PolicySource};
pub(crate) use policy::wrong_criteria;
pub use policy::{Bound, Policy, PolicyCriterion, Requirement, Rule, Statistic};
pub(crate) use read::contradictions;
pub use read::read;
pub use result::{
    Criterion, Interval, Judged, LengthCorrelation, Look, LookCriterion, Metric, Need, Reason, Slice,
    ToSettle, VariantSummary,
};
pub use trial::{
    CachedCalls, Case, Fault, Grade, Judging, LargestDifference, Opinion, Passes, Tokens, Trial, Ungraded,
};
pub use trials::Trials;
pub use trials_file::{Digesting, TrialsFile, is_line, write_lines};

/// The value of `schema` in every report of this version.
pub const SCHEMA: &str = "promptgate.report/v1";

/// A report: the verdict, the numbers it rests on, and every trial behind them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate report v1")]
pub struct Report {
    /// Always `promptgate.report/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Version of promptgate that wrote the report.
    pub tool_version: String,
    /// Name of the suite.
    pub name: String,
    /// The verdict of the run.
    pub verdict: Verdict,
    /// Exit code of the process, before `--advisory` turned it into 0 or after, as it left.
    pub exit_code: u8,
    /// Why, worst first.
    pub reasons: Vec<Reason>,
    /// Every criterion, in policy order.
    pub criteria: Vec<Criterion>,
    /// What would settle an inconclusive run; null for any other, and where nothing can be told.
    pub to_settle: Option<ToSettle>,
    /// Every look that was taken at the evidence; the last one's verdict is that of the run.
    pub looks: Vec<Look>,
    /// Every metric: checks, judges, then latency, tokens, cost and length.
    pub metrics: Vec<Metric>,
    /// Every case with its trials, in dataset order.
    pub cases: Vec<Case>,
    /// Where all trials are, in a run of more than 20,000 of them: `cases` then holds those of the cases that got worse
    /// or failed, worst first, at most 2,000. Absent where `cases` holds them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials_file: Option<TrialsFile>,
    /// What was compared.
    pub variants: Variants,
    /// Why there is no baseline, or, after `baseline_reused: `, where its answers are from.
    pub baseline_note: Option<String>,
    /// Whether the baseline's trials were answered in an earlier session.
    pub baseline_reused: bool,
    /// Repeats of a reused baseline; null where it was answered in this session, as often as the candidate.
    pub baseline_repeats: Option<u32>,
    /// The judge; null where none was asked.
    pub judge: Option<Judge>,
    /// The dataset.
    pub dataset: Dataset,
    /// The criteria as decided: enough to decide again.
    pub policy: Policy,
    /// Where the policy is from, where it is not the candidate's own configuration (`--policy-from`); else absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_source: Option<PolicySource>,
    /// How the dataset differs from the one beside that policy; absent where it was not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_changes: Option<DatasetChanges>,
    /// Metric names of the checks, then of the judges, in configuration order.
    pub scorers: Vec<String>,
    /// Repeats of every case.
    pub repeats: u32,
    /// Calls, tokens and money.
    pub usage: Usage,
    /// Prices that the costs were computed with.
    pub prices: Vec<Price>,
    /// Whether the endpoint was the simulated one; its scores are no measure of a model.
    pub simulated: bool,
    /// How the run ended.
    pub ended: Ended,
    /// Things a reader should know.
    pub warnings: Vec<String>,
    /// Start of the run: RFC 3339, UTC.
    pub started_at: String,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
}

/// Both sides of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Variants {
    /// The changed prompt that wants to be merged.
    pub candidate: Variant,
    /// What it is compared with; null without a baseline.
    pub baseline: Option<Variant>,
}

/// A prompt with its model and parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Variant {
    /// The prompt.
    pub prompt: Prompt,
    /// The model's name as sent.
    pub model: String,
    /// Request parameters beside messages and model, as sent.
    pub parameters: Map<String, Value>,
}

/// Provenance of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Prompt {
    /// Its name.
    pub name: String,
    /// Its version: from the front matter, else the first twelve digits of the digest.
    pub version: String,
    /// `sha256:…` of the file's bytes.
    pub digest: String,
    /// Where it was read.
    pub source: String,
    /// The commit it was read from, in full; null where that is not known.
    pub commit: Option<String>,
}

/// Provenance of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dataset {
    /// The path as configured.
    pub path: String,
    /// The format found: `jsonl`, `json`, `csv` or `yaml`.
    pub format: String,
    /// `sha256:…` over the canonical content of the cases that were evaluated.
    pub digest: String,
    /// Number of cases that were evaluated.
    pub cases: usize,
}

/// Calls, tokens and money of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Requests sent, retries and judgements included.
    pub calls: u64,
    /// Answers taken from a cache or a saved report.
    pub cached: u64,
    /// Judgements taken from a cache.
    #[serde(default)]
    pub cached_judgements: u64,
    /// When the oldest of what came from the cache was cached, RFC 3339; null where nothing did.
    #[serde(default)]
    pub cached_since: Option<String>,
    /// Tokens of all requests.
    pub prompt_tokens: u64,
    /// Tokens of all answers.
    pub completion_tokens: u64,
    /// US dollars of all calls; null where a price is not known.
    pub cost_usd: Option<f64>,
    /// The share of the variants' answers.
    pub completions: UsageShare,
    /// The share of the judge.
    pub judgements: UsageShare,
}

/// Tokens and money of one kind of call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageShare {
    /// Tokens of the requests.
    pub prompt_tokens: u64,
    /// Tokens of the answers.
    pub completion_tokens: u64,
    /// US dollars; null where a price is not known.
    pub cost_usd: Option<f64>,
}

/// The price of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// The model.
    pub model: String,
    /// US dollars per million tokens of requests.
    pub input_per_million: f64,
    /// US dollars per million tokens of answers.
    pub output_per_million: f64,
}

/// How the run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// How.
    pub kind: EndedKind,
    /// What stopped it; null unless `kind` is `stopped`.
    pub fault: Option<Fault>,
}

/// The JSON Schema of [`Report`], draft 2020-12.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("$id".to_owned(), Value::from("urn:promptgate:report:v1"));
    schema.to_value()
}

/// Seconds since 1970 (UTC) as RFC 3339.
fn timestamp(seconds: u64) -> Option<String> {
    let seconds = i64::try_from(seconds).ok()?;
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

/// The inverse of [`timestamp`].
fn seconds(timestamp: &str) -> Option<u64> {
    timestamp.parse::<jiff::Timestamp>().ok().and_then(|time| u64::try_from(time.as_second()).ok())
}
