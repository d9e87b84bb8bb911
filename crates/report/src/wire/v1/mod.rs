//! Version 1 of the report: the names that scripts, dashboards and `compare` read.

mod build;
mod case;
mod changes;
mod contradictions;
mod decision_contradictions;
mod judge;
mod overridden;
mod read;
mod requests;
mod restore;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use promptgate_core::model;

pub use super::message_diff::{MessageChange, Segment, SegmentOp};
pub use super::trials::{Grade, Messages, RequestDigests, Requests, Trial, Trials, TrialsFile, Ungraded};
pub(super) use case::CUT;
pub use case::{Case, LargestDifference, Passes};
pub use changes::{ChangedMessage, ChangedParameter, ChangedText, Changes};
pub(super) use contradictions::{MAX_LISTED, undecided_contradictions, wrong_criteria, wrong_trials};
pub use judge::{Judge, JudgeResponses, SelfTest};
pub use overridden::Override;
pub use promptgate_core::model::{
    Bound, CachedCalls, CalibrationFacts, CallFacts, CallOrigin, CallReason, CaseStatus, ContestedTotals,
    Criterion as PolicyCriterion, CriterionOutcome as Criterion, CriterionVerdict, DatasetChanges,
    DatasetFacts as Dataset, EndedKind, Expected, Fault, FaultKind, FinishReason,
    FirstAttemptsOutcome as FirstAttempts, Interval, Judged, Judging, LengthCorrelation, LevelReason,
    LookCriterion, LookOutcome as Look, MetricKind, MetricSummary as Metric, NamedCases, Need, Opinion,
    PlantedOutcome as Planted, Policy, PolicyChange, PolicySource, PromptFacts as Prompt, PromptMessage,
    PublishedVersion, Reason, ReasonCode, RefusalCounts, Refusals, ReleaseControls, ReleaseFacts as Release,
    ReleaseGate, ReleaseLevel, Requirement, Role, Rule, Scope, Slice, Statistic, ToSettle, Usage as Tokens,
    VariantFacts as Variant, VariantSummary, Verdict,
};
pub use read::read;

/// The value of `schema` in every report of this version.
pub const SCHEMA: &str = "promptgate.report/v1";

/// A report: the verdict, its numbers, and every trial behind them.
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
    /// Exit code of the process: with `--advisory`, 0 whatever the verdict.
    pub exit_code: u8,
    /// The person who overrode the verdict on a pull request, which left `verdict` as it is and made `exit_code` 0; absent
    /// where nobody did.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Override>,
    /// The reasons for the verdict, worst first.
    pub reasons: Vec<Reason>,
    /// Every criterion, in policy order.
    pub criteria: Vec<Criterion>,
    /// Further evidence that would settle an inconclusive run; null for any other run, and where it cannot be computed.
    pub to_settle: Option<ToSettle>,
    /// Every look at the evidence; the verdict of the last look is that of the run, unless that is a partial one.
    pub looks: Vec<Look>,
    /// Structural refusals: answers whose text came in the `refusal` field; absent in reports of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusals: Option<Refusals>,
    /// Every metric: checks, judges, then latency, tokens, cost and length.
    pub metrics: Vec<Metric>,
    /// Every case with its trials, in dataset order.
    pub cases: Vec<Case>,
    /// The file with all trials of a run of more than 20,000 of them: `cases` then holds those of the cases that got worse
    /// or failed, worst first, at most 2,000. Absent where `cases` holds them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials_file: Option<TrialsFile>,
    /// The messages that were sent, each once, by digest: those of the `requests` of `cases`, and those without placeholders.
    /// Absent in reports of earlier versions.
    #[serde(default, skip_serializing_if = "Messages::is_empty")]
    pub messages: Messages,
    /// The compared variants.
    pub variants: Variants,
    /// Differences between what the candidate and the baseline send; absent without a baseline, and in reports of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// Facts that come first: what is new, and what was not compared; absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// Why there is no baseline, or, after `baseline_reused: `, the source of its answers.
    pub baseline_note: Option<String>,
    /// Whether the baseline was run in an earlier session.
    pub baseline_reused: bool,
    /// Repeats of a reused baseline; null where it was run in this session, as often as the candidate.
    pub baseline_repeats: Option<u32>,
    /// The judge; null without judged metrics.
    pub judge: Option<Judge>,
    /// The dataset.
    pub dataset: Dataset,
    /// The policy that decided.
    pub policy: Policy,
    /// The source of the policy, where it is not the candidate's own configuration (`--policy-from`); else absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_source: Option<PolicySource>,
    /// Differences of the dataset from the one beside that policy; absent where it was not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_changes: Option<DatasetChanges>,
    /// The release that the candidate would become; absent without `release:` in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Metric names of the checks, then of the judges, in configuration order.
    pub scorers: Vec<String>,
    /// Repeats of every case.
    pub repeats: u32,
    /// Calls, tokens and money.
    pub usage: Usage,
    /// Trials and judgements that a retry may have selected; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<ContestedTotals>,
    /// Prices that the costs were computed with.
    pub prices: Vec<Price>,
    /// Whether the endpoint was the simulated one, whose scores do not measure a model.
    pub simulated: bool,
    /// How the run ended.
    pub ended: Ended,
    /// Warnings for readers.
    pub warnings: Vec<String>,
    /// Start of the run: RFC 3339, UTC.
    pub started_at: String,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
}

/// Both sides of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Variants {
    /// The changed prompt.
    pub candidate: Variant,
    /// The prompt that the candidate is compared with; null without a baseline.
    pub baseline: Option<Variant>,
}

/// Calls, tokens and money of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Requests sent, including retries and judgements.
    pub calls: u64,
    /// Completions from a cache or a saved report.
    pub cached: u64,
    /// Judgements from a cache.
    #[serde(default)]
    pub cached_judgements: u64,
    /// Time of the oldest cached entry in use, RFC 3339; null where none was used.
    #[serde(default)]
    pub cached_since: Option<String>,
    /// Tokens of all requests.
    pub prompt_tokens: u64,
    /// Tokens of all responses.
    pub completion_tokens: u64,
    /// US dollars of all calls; null where a price is not known.
    pub cost_usd: Option<f64>,
    /// The share of the variants' completions.
    pub completions: UsageShare,
    /// The share of the judges.
    pub judgements: UsageShare,
}

/// Tokens and money of one kind of call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageShare {
    /// Tokens of the requests.
    pub prompt_tokens: u64,
    /// Tokens of the responses.
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
    /// US dollars per million tokens of responses.
    pub output_per_million: f64,
    /// US dollars per million tokens of requests that the endpoint read from its own cache; absent where they cost the
    /// same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input_per_million: Option<f64>,
    /// Whether the change that is judged brought the price, since the policy has none for this model; then no criterion
    /// on cost is measured with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_change: bool,
    /// The day of the built-in table that the price is from; absent for a price of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<model::PriceDate>,
}

impl Price {
    pub(crate) fn per_token(&self) -> model::Price {
        model::Price {
            input_per_million: self.input_per_million,
            output_per_million: self.output_per_million,
            cached_input_per_million: self.cached_input_per_million,
            from_change: self.from_change,
            as_of: self.as_of,
        }
    }
}

/// How the run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// The kind of end.
    pub kind: EndedKind,
    /// The fault that stopped the run; null unless `kind` is `stopped`.
    pub fault: Option<Fault>,
}

/// The JSON Schema of [`Report`], draft 2020-12.
pub fn schema() -> Value {
    super::schema_of::<Report>("report")
}
