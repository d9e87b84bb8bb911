//! The configuration as written. Its descriptions become the JSON Schema and `docs/configuration.md`.
//!
//! Every field has a default for serde, so that the valid parts of a broken file are still checked. The schema requires
//! the fields that must be present.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use promptgate_core::gate::Rule;
use promptgate_core::model::{DatasetFormat, Scope};

use super::scalar::{Increase, Ordered, Share, WrittenDuration};

/// Configuration of promptgate: a suite, its scorers, and the criteria for a prompt change.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "promptgate.yaml")]
#[schemars(extend("required" = ["version", "dataset", "prompt"]))]
pub(super) struct Written {
    /// Version of this format: 1.
    #[schemars(schema_with = "version")]
    pub(super) version: u64,
    /// Name of the suite in reports; the name of the folder by default.
    #[schemars(length(min = 1))]
    pub(super) name: Option<String>,
    /// The cases: a path or a glob, relative to this file, or a map with path, format and fields.
    pub(super) dataset: WrittenDataset,
    /// Path of the candidate's prompt, relative to this file.
    #[schemars(length(min = 1))]
    pub(super) prompt: String,
    /// Baseline: git:merge-base, git:REF[:PATH], file:PATH, report:PATH or none. By default git:merge-base in a
    /// repository, else none.
    #[schemars(length(min = 1))]
    pub(super) baseline: Option<String>,
    /// For JSON answers: the field that judges and text checks read.
    #[schemars(length(min = 1))]
    pub(super) answer_field: Option<String>,
    /// User message of a text prompt; {{query}} by default.
    pub(super) user: Option<String>,
    /// Model that answers; if absent, the front matter of the prompt must name one.
    #[schemars(length(min = 1))]
    pub(super) model: Option<String>,
    /// Parameters of every request, sent unchanged: temperature, max_completion_tokens, …
    pub(super) parameters: Map<String, Value>,
    /// The endpoint that is called.
    pub(super) endpoint: WrittenEndpoint,
    /// The judge; required by every metric.
    pub(super) judge: Option<WrittenJudge>,
    /// Deterministic checks of every answer.
    pub(super) checks: Vec<CheckEntry>,
    /// Metrics that a judge scores: a built-in judge, or a name of your own with a rubric or a scale.
    #[schemars(schema_with = "metrics")]
    pub(super) metrics: Ordered<WrittenMetric>,
    /// Ceilings for latency, tokens and cost, absolute or relative to the baseline.
    pub(super) limits: WrittenLimits,
    /// Minimums over the cases with a tag: tag, then metric, then min.
    pub(super) slices: Ordered<Ordered<WrittenSlice>>,
    /// US dollars per million tokens, by model.
    pub(super) prices: Ordered<WrittenPrice>,
    /// The cache of answers.
    pub(super) cache: Option<WrittenCache>,
    /// How the gate decides.
    pub(super) gate: WrittenGate,
    /// Limits of a run; reaching one ends it as incomplete.
    pub(super) budget: WrittenBudget,
}

/// A dataset: its path, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Dataset")]
pub(super) enum WrittenDataset {
    /// A path or a glob.
    Path(#[schemars(length(min = 1))] String),
    /// A path with its format and field names.
    Map(DatasetMap),
}

impl Default for WrittenDataset {
    fn default() -> Self {
        Self::Path(String::new())
    }
}

/// A dataset with its format and the names of its fields.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["path"]))]
pub(super) struct DatasetMap {
    /// A path or a glob, relative to this file.
    #[schemars(length(min = 1))]
    pub(super) path: String,
    /// Format of the files; detected from name and content by default.
    pub(super) format: Option<DatasetFormat>,
    /// Names of dataset fields, by the name they have in promptgate: {query: question}.
    pub(super) fields: Ordered<String>,
}

/// An OpenAI-compatible endpoint.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Endpoint")]
pub(super) struct WrittenEndpoint {
    /// URL up to /chat/completions; OPENAI_BASE_URL by default, else that of OpenAI.
    #[schemars(length(min = 1))]
    pub(super) base_url: Option<String>,
    /// Name of the environment variable that holds the key, never the key itself; by default OPENAI_API_KEY.
    #[schemars(length(min = 1))]
    pub(super) api_key_env: Option<String>,
    /// Timeout of one call; 120s by default.
    pub(super) timeout: Option<WrittenDuration>,
    /// Maximum calls in flight; 32 by default.
    #[schemars(range(min = 1, max = 10_000))]
    pub(super) max_concurrency: Option<usize>,
    /// Requests per minute; no limit by default.
    #[schemars(range(min = 1, max = 4_294_967_295u32))]
    pub(super) rpm: Option<u32>,
    /// Tokens per minute; no limit by default.
    #[schemars(range(min = 1))]
    pub(super) tpm: Option<u64>,
    /// Additional headers, by name: {env: VARIABLE} for a secret, {value: TEXT} for anything else.
    pub(super) headers: Ordered<WrittenHeader>,
    /// Path of a PEM file with additional certificate authorities, relative to this file.
    #[schemars(length(min = 1))]
    pub(super) ca_cert: Option<String>,
    /// Maximum attempts of one call; 6 by default.
    #[schemars(range(min = 1, max = 100))]
    pub(super) attempts: Option<u32>,
    /// Maximum total wait between the attempts of one call; 120s by default.
    pub(super) max_wait: Option<WrittenDuration>,
}

/// The value of a header.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
#[schemars(rename = "Header")]
pub(super) struct WrittenHeader {
    /// Name of the environment variable that holds the value.
    #[schemars(length(min = 1))]
    pub(super) env: Option<String>,
    /// The value itself, if it is not a secret.
    pub(super) value: Option<String>,
}

/// The judge of the metrics.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Judge", extend("required" = ["model"]))]
pub(super) struct WrittenJudge {
    /// Model that judges; preferably not the candidate's.
    #[schemars(length(min = 1))]
    pub(super) model: String,
    /// Endpoint of the judge; the candidate's by default.
    pub(super) endpoint: Option<WrittenEndpoint>,
    /// Parameters of every judgement.
    pub(super) parameters: Map<String, Value>,
    /// Additional judges: the score is the mean of all.
    #[schemars(length(max = 9))]
    pub(super) panel: Vec<WrittenMember>,
    /// Judgements of one answer by each judge; their mean counts. 1 by default.
    #[schemars(range(min = 1, max = 100))]
    pub(super) votes: Option<u32>,
    /// Whether the judge is tested on planted answers before a run; true by default.
    pub(super) self_test: Option<bool>,
    /// Path of your own planted answers, relative to this file: cases with answer, low and high.
    #[schemars(length(min = 1))]
    pub(super) planted: Option<String>,
    /// Minimum Cohen's kappa with human labels, from the calibration file.
    #[schemars(range(min = -1, max = 1))]
    pub(super) min_kappa: Option<f64>,
    /// Minimum balanced accuracy against human labels, from the calibration file.
    #[schemars(range(min = 0, max = 1))]
    pub(super) min_balanced_accuracy: Option<f64>,
    /// Path of the calibration file, relative to this file; `promptgate calibrate` writes it.
    #[schemars(length(min = 1))]
    pub(super) calibration: Option<String>,
}

/// An additional judge.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Member", extend("required" = ["model"]))]
pub(super) struct WrittenMember {
    /// Model that judges.
    #[schemars(length(min = 1))]
    pub(super) model: String,
    /// Its endpoint; the judge's by default.
    pub(super) endpoint: Option<WrittenEndpoint>,
    /// Parameters of every judgement by it.
    pub(super) parameters: Map<String, Value>,
}

/// Requirements on a metric.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Metric")]
pub(super) struct WrittenMetric {
    /// Minimum mean score (0–1); no threshold by default.
    #[schemars(range(min = 0, max = 1))]
    pub(super) min: Option<f64>,
    /// Whether the candidate must not be worse than the baseline; true by default.
    pub(super) baseline: Option<bool>,
    /// Yes/no statements about a good answer, for a metric of your own.
    #[schemars(length(min = 1))]
    pub(super) rubric: Option<Vec<WrittenItem>>,
    /// A scale from 0 to 5, for a metric of your own.
    pub(super) scale: Option<WrittenScale>,
}

/// A scale from 0 to 5.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Scale", extend("required" = ["of", "anchors"]))]
pub(super) struct WrittenScale {
    /// The property that is rated: how polite the answer is.
    #[schemars(length(min = 1))]
    pub(super) of: String,
    /// The meaning of a rating, by its number from 0 to 5; 0 and 5 are required.
    #[schemars(schema_with = "anchors")]
    pub(super) anchors: Ordered<String>,
}

/// An item of a rubric: its text, or a map.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Item")]
pub(super) enum WrittenItem {
    /// A statement about the answer.
    Text(#[schemars(length(min = 1))] String),
    /// A statement with its weight.
    Map(ItemMap),
}

/// A statement about the answer with its weight.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["text"]))]
pub(super) struct ItemMap {
    /// The statement: names the next step.
    #[schemars(length(min = 1))]
    pub(super) text: String,
    /// Its weight in the score; 1 by default.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) weight: Option<f64>,
    /// Whether a "no" makes the whole score 0; false by default.
    pub(super) critical: Option<bool>,
}

/// Ceilings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Limits")]
pub(super) struct WrittenLimits {
    /// Median latency.
    pub(super) latency_p50: Option<LatencyLimit>,
    /// 95th percentile of latency.
    pub(super) latency_p95: Option<LatencyLimit>,
    /// Mean output tokens.
    pub(super) output_tokens_mean: Option<NumberLimit>,
    /// Mean cost of an answer in US dollars; requires the price of the model.
    pub(super) cost_per_case_usd: Option<NumberLimit>,
}

/// A ceiling for a time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum LatencyLimit {
    /// At most this.
    Max(WrittenDuration),
    /// At most this, or at most so much above the baseline.
    Map(LatencyLimitMap),
}

/// A ceiling for a time, absolute or relative.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1))]
pub(super) struct LatencyLimitMap {
    /// At most this.
    pub(super) max: Option<WrittenDuration>,
    /// At most so much above the baseline's.
    pub(super) max_increase: Option<Increase>,
}

/// A ceiling for a number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum NumberLimit {
    /// At most this.
    Max(#[schemars(range(min = 0))] f64),
    /// At most this, or at most so much above the baseline.
    Map(NumberLimitMap),
}

/// A ceiling for a number, absolute or relative.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1))]
pub(super) struct NumberLimitMap {
    /// At most this.
    #[schemars(range(min = 0))]
    pub(super) max: Option<f64>,
    /// At most so much above the baseline's.
    pub(super) max_increase: Option<Increase>,
}

/// Requirements on a metric over the cases with a tag.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Slice", extend("required" = ["min"]))]
pub(super) struct WrittenSlice {
    /// Minimum mean score (0–1).
    #[schemars(range(min = 0, max = 1))]
    pub(super) min: Option<f64>,
}

/// A price.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Price", extend("required" = ["input_per_million", "output_per_million"]))]
pub(super) struct WrittenPrice {
    /// US dollars per million tokens of a request.
    #[schemars(range(min = 0))]
    pub(super) input_per_million: f64,
    /// US dollars per million tokens of an answer.
    #[schemars(range(min = 0))]
    pub(super) output_per_million: f64,
}

/// The cache of answers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Cache")]
pub(super) struct WrittenCache {
    /// Path of the cache, relative to this file; .promptgate/cache.redb by default.
    #[schemars(length(min = 1))]
    pub(super) path: Option<String>,
    /// Age above which a cached answer is replaced.
    pub(super) max_age: Option<WrittenDuration>,
    /// Whether the baseline's answers may come from an earlier session; reuse by default.
    pub(super) baseline: Option<super::CachedBaseline>,
}

/// How the gate decides.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Gate")]
pub(super) struct WrittenGate {
    /// Answers to every case by each variant at the first look; 3 by default. Without max_repeats there is no other look.
    #[schemars(range(min = 1, max = 1_000))]
    pub(super) repeats: Option<u32>,
    /// Maximum answers to a case: repeats are added up to this many while criteria are undecided; 24 by default.
    #[schemars(range(min = 1, max = 1_000))]
    pub(super) max_repeats: Option<u32>,
    /// One-sided confidence of every decision, above 0.5 and below 1; 0.95 by default.
    #[schemars(extend("exclusiveMinimum" = 0.5, "exclusiveMaximum" = 1))]
    pub(super) confidence: Option<f64>,
    /// The drop that a run must be able to detect; 0.05 by default.
    pub(super) resolution: Option<Share>,
    /// Scope of uncertainty: suite (would this suite pass if run again?) or population (would new cases of its kind
    /// pass?); suite by default.
    pub(super) scope: Option<Scope>,
    /// How a criterion with noise is decided: evidence, or point (estimate against requirement); evidence by
    /// default.
    pub(super) rule: Option<Rule>,
    /// How far below the baseline the candidate may be; 0 by default.
    pub(super) baseline_tolerance: Option<Share>,
    /// Share of missing grades above which nothing is decided; 2% by default.
    pub(super) max_missing: Option<Share>,
    /// Maximum number of cases that passed with the baseline and fail with the candidate; no criterion by default.
    #[schemars(range(min = 0))]
    pub(super) max_broken_cases: Option<usize>,
    /// Effect of an inconclusive verdict: fail (exit code 11) or pass (exit code 0); fail by default.
    pub(super) inconclusive: Option<super::Inconclusive>,
    /// Seed of random permutations; 0 by default.
    #[schemars(range(min = 0))]
    pub(super) seed: Option<u64>,
}

/// Limits of a run.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Budget")]
pub(super) struct WrittenBudget {
    /// US dollars; requires the prices of all models.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) usd: Option<f64>,
    /// Calls, including retries and judgements.
    #[schemars(range(min = 1))]
    pub(super) calls: Option<u64>,
    /// Time.
    pub(super) time: Option<WrittenDuration>,
}

/// A check as written; its schema comes from the specifications of the checks.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct CheckEntry(pub(super) Value);

impl JsonSchema for CheckEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        super::schema::CHECK.into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "object"})
    }
}

fn version(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"const": 1})
}

fn metrics(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let metric = generator.subschema_for::<WrittenMetric>();
    schemars::json_schema!({
        "type": "object",
        "propertyNames": {"title": "a name of letters, digits, `_` and `-`", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$"},
        "additionalProperties": metric,
    })
}

fn anchors(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let text = generator.subschema_for::<String>();
    schemars::json_schema!({
        "type": "object",
        "propertyNames": {"title": "a number from 0 to 5", "pattern": "^[0-5]$"},
        "additionalProperties": text,
        "required": ["0", "5"],
    })
}
