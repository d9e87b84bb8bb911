//! The resolved configuration: defaults filled in, with the place of every item that may prove wrong later.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use promptgate_core::gate::{Criterion, Rule};
use promptgate_core::model::{DatasetFormat, Place, Scope};
use promptgate_engine::judge::Kind;

/// A value with its place in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub place: Place,
}

/// A resolved configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The configuration file, as named.
    pub file: String,
    /// Name of the suite.
    pub name: String,
    /// The cases.
    pub dataset: DatasetSettings,
    /// Path of the candidate's prompt, relative to the configuration.
    pub prompt: Placed<String>,
    /// The baseline as written: `git:merge-base`, `file:PATH`, …; `None` where it is absent.
    pub baseline: Option<Placed<String>>,
    /// The field of a JSON answer that judges and text checks read.
    pub answer_field: Option<String>,
    /// User message of a text prompt.
    pub user: Placed<String>,
    /// Model that answers; `None` leaves it to the prompt's front matter.
    pub model: Option<Placed<String>>,
    /// Parameters of every request.
    pub parameters: Map<String, Value>,
    /// The candidate's endpoint.
    pub endpoint: EndpointSettings,
    /// The judge; there whenever `metrics` is not empty.
    pub judge: Option<JudgeSettings>,
    /// Deterministic checks, as written; compiled later.
    pub checks: Vec<CheckSettings>,
    /// Judged metrics.
    pub metrics: Vec<MetricSettings>,
    /// Ceilings: criteria on `latency`, `output_tokens` and `cost_usd`.
    pub limits: Vec<Criterion>,
    /// Minimums by tag.
    pub slices: Vec<SliceSettings>,
    /// Model, then US dollars per million tokens of input and of output.
    pub prices: Vec<(String, f64, f64)>,
    /// The cache of answers.
    pub cache: CacheSettings,
    /// How the gate decides.
    pub gate: GateSettings,
    /// Limits of a run.
    pub budget: BudgetSettings,
}

impl Settings {
    /// The price of a model: US dollars per million tokens of input and of output.
    pub fn price(&self, model: &str) -> Option<(f64, f64)> {
        self.prices.iter().find(|(name, _, _)| name == model).map(|(_, input, output)| (*input, *output))
    }
}

/// The dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetSettings {
    /// Path or glob, relative to the configuration.
    pub path: Placed<String>,
    /// Format; `None` to detect it.
    pub format: Option<DatasetFormat>,
    /// Names of dataset fields, by the name they have in promptgate.
    pub fields: BTreeMap<String, String>,
    /// The place of `fields`, else of the dataset.
    pub fields_place: Place,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointSettings {
    /// URL up to `/chat/completions`: http or https, without user and password.
    pub base_url: Option<Placed<String>>,
    /// Name of the variable that holds the key.
    pub api_key_env: Option<Placed<String>>,
    /// Timeout of one call.
    pub timeout: Duration,
    /// Maximum calls in flight, at least 1.
    pub max_concurrency: usize,
    /// Requests per minute.
    pub rpm: Option<u32>,
    /// Tokens per minute.
    pub tpm: Option<u64>,
    /// Additional headers in the order of the configuration.
    pub headers: Vec<(String, HeaderValue)>,
    /// PEM file with additional certificate authorities, relative to the configuration.
    pub ca_cert: Option<Placed<String>>,
    /// Maximum attempts of one call, at least 1.
    pub attempts: u32,
    /// Maximum total wait between the attempts of one call.
    pub max_wait: Duration,
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// Held by this environment variable.
    Env(Placed<String>),
    /// Written in the configuration; not a secret.
    Literal(String),
}

/// The judge.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeSettings {
    /// The models that judge, at least one.
    pub panel: Vec<MemberSettings>,
    /// Judgements of one answer by each of them, at least 1.
    pub votes: u32,
    /// Whether the judge is tested on planted answers first.
    pub self_test: bool,
    /// Planted answers beside the built-in ones, relative to the configuration.
    pub planted: Option<Placed<String>>,
    /// Minimum kappa of the calibration.
    pub min_kappa: Option<f64>,
    /// Minimum balanced accuracy of the calibration.
    pub min_balanced_accuracy: Option<f64>,
    /// The calibration file, relative to the configuration.
    pub calibration: Option<Placed<String>>,
}

/// A model that judges.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberSettings {
    /// Its name.
    pub model: Placed<String>,
    /// Its endpoint; `None` is the candidate's.
    pub endpoint: Option<EndpointSettings>,
    /// Parameters of every judgement by it.
    pub parameters: Map<String, Value>,
}

/// A check as written.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckSettings {
    /// The entry.
    pub entry: Value,
    /// Its place.
    pub place: Place,
}

/// A judged metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSettings {
    /// The name of a built-in judge, or one of the user's own.
    pub name: String,
    /// Minimum mean score, in 0..=1.
    pub min: Option<f64>,
    /// Whether the candidate must not be worse than the baseline.
    pub baseline: bool,
    /// The kind of judge that scores it.
    pub kind: Kind,
    /// The place of its name.
    pub place: Place,
}

/// A minimum over the cases with a tag.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceSettings {
    /// The tag.
    pub tag: String,
    /// The metric: a name of `metrics`, or `check.NAME`.
    pub metric: String,
    /// Minimum mean score, in 0..=1.
    pub min: f64,
    /// The place of the metric's name.
    pub place: Place,
}

/// The cache of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// Path, relative to the configuration.
    pub path: Placed<String>,
    /// Age above which a cached answer is replaced.
    pub max_age: Option<Duration>,
    /// Whether the baseline's answers may come from an earlier session.
    pub baseline: CachedBaseline,
}

/// Whether the baseline's answers may come from an earlier session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CachedBaseline {
    /// Allowed.
    #[default]
    Reuse,
    /// Not allowed: the baseline is always called.
    Fresh,
}

/// The effect of an inconclusive verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Inconclusive {
    /// Exit code 11.
    #[default]
    Fail,
    /// Exit code 0.
    Pass,
}

/// How the gate decides.
#[derive(Debug, Clone, PartialEq)]
pub struct GateSettings {
    /// Answers to every case by each variant, at least 1.
    pub repeats: u32,
    /// Maximum answers to a case, at least `repeats`.
    pub max_repeats: u32,
    /// One-sided confidence, above 0.5 and below 1.
    pub confidence: f64,
    /// The drop that a run must be able to detect, in 0..1.
    pub resolution: f64,
    /// The scope of uncertainty.
    pub scope: Scope,
    /// How a criterion with noise is decided.
    pub rule: Rule,
    /// How far below the baseline the candidate may be, in 0..=1.
    pub baseline_tolerance: f64,
    /// Share of missing grades above which nothing is decided, in 0..=1.
    pub max_missing: f64,
    /// Maximum broken cases; `None` for no criterion.
    pub max_broken_cases: Option<usize>,
    /// The effect of an inconclusive verdict.
    pub inconclusive: Inconclusive,
    /// Seed of random permutations.
    pub seed: u64,
}

/// Limits of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BudgetSettings {
    /// US dollars.
    pub usd: Option<f64>,
    /// Calls, including retries and judgements.
    pub calls: Option<u64>,
    /// Time.
    pub time: Option<Duration>,
}
