//! The configuration: from the text of a promptgate.yaml to [`Settings`], or to every diagnostic in it at once.
//!
//! This file lists the keys; each key that is more than a text has a file of its own, with the key as written (its doc
//! comments become the JSON Schema and `docs/configuration.md`), its defaults and its resolution. Every written field has
//! a default for serde, so that the valid parts of a broken file are still checked; the schema requires the fields that
//! must be present.
//!
//! Nothing here reads files that the configuration names, compiles checks, or reads variables.

mod budget;
mod cache;
mod case;
mod checks;
mod dataset;
mod difference;
mod embeddings;
mod endpoint;
mod extends;
mod find;
mod gate;
mod judge;
mod limits;
mod load;
mod metrics;
mod policy;
mod prices;
mod prompt;
mod release;
mod scalar;
mod schema;
mod scorer;
mod slices;
mod suites;
mod target;
mod transform;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use promptgate_core::gate::Criterion;
use promptgate_core::model::{CRITERIA, Prices};

use load::Reader;
use scalar::Ordered;

pub use budget::{BudgetSettings, DEFAULT_CASE_FACTOR};
pub use cache::{CacheSettings, CachedBaseline};
pub use dataset::DatasetSettings;
pub use difference::{Difference, differences};
pub use embeddings::EmbeddingsSettings;
pub use endpoint::{EndpointSettings, HeaderValue, KeyVariable};
pub use extends::{ConfigText, SharedText, extends};
pub use find::{NAMES, find};
pub use gate::{DatasetRule, GateSettings, Inconclusive};
pub use judge::{JudgeSettings, MemberSettings};
pub use load::{Placed, load, written};
pub use metrics::MetricSettings;
pub use policy::{CheckPolicy, parse_minimum};
pub use prompt::{InlinePrompt, PromptSettings};
pub use release::{
    HeaderSetting, LedgerSettings, RegistrySettings, ReleaseSettings, SourceSettings, SourcesSettings,
};
pub use scalar::parse_duration;
pub use schema::{case_schema, published_schema, schema};
pub use scorer::ScorerSettings;
pub use suites::{listed_suites, refuse_list};
pub use target::{HttpSettings, TargetKind, TargetSettings};
pub use transform::{TransformCommandSettings, TransformSettings};

/// Configuration of promptgate: a suite, its scorers, and the criteria for a prompt change.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "promptgate.yaml")]
#[schemars(extend("required" = ["version", "dataset"]))]
struct Written {
    /// Version of this format: 1.
    #[schemars(schema_with = "version")]
    version: u64,
    /// Path of a file with the keys that suites share, relative to this file: ../shared.yaml. Maps are merged key by key, any
    /// other value of this file replaces that of the shared one, and null removes it.
    #[schemars(length(min = 1), extend("examples" = ["../shared.yaml"]))]
    extends: Option<String>,
    /// Name of the suite in reports; the name of the folder by default.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// The cases: a path or a glob, relative to this file, or a map with path, format and fields.
    dataset: dataset::WrittenDataset,
    /// The candidate's prompt: a path, relative to this file, or {text: …} or {messages: […]}; required without a target.
    #[schemars(extend("examples" = ["prompts/support.md"]))]
    prompt: Option<prompt::WrittenPrompt>,
    /// What is evaluated: the prompt with a model, or an application.
    target: Option<target::WrittenTarget>,
    /// Baseline: git:merge-base, git:REF[:PATH], file:PATH, report:PATH, registry:NAME@LABEL, registry:NAME@VERSION or none.
    /// By default registry:NAME@production with `release`, else git:merge-base in a repository, else none.
    #[schemars(length(min = 1))]
    baseline: Option<String>,
    /// For JSON answers: the field that judges and text checks read.
    #[schemars(length(min = 1))]
    answer_field: Option<String>,
    /// Transformations of every answer before it is graded.
    transform: transform::WrittenTransform,
    /// User message of a text prompt; {{query}} by default.
    user: Option<String>,
    /// Model that answers; if absent, the front matter of the prompt must name one.
    #[schemars(length(min = 1))]
    model: Option<String>,
    /// Parameters of every request, sent unchanged: temperature, max_completion_tokens, …
    parameters: Map<String, Value>,
    /// The endpoint that is called.
    endpoint: endpoint::WrittenEndpoint,
    /// The judge; required by every metric.
    judge: Option<judge::WrittenJudge>,
    /// The model of embeddings; required by the check `similar`.
    embeddings: Option<embeddings::WrittenEmbeddings>,
    /// Deterministic checks of every answer, and scorers by command.
    checks: Vec<checks::CheckEntry>,
    /// Metrics that a judge scores: a built-in judge, or a name of your own with a rubric or a scale.
    #[schemars(schema_with = "metrics::schema")]
    metrics: Ordered<metrics::WrittenMetric>,
    /// Ceilings for latency, tokens and cost, absolute or relative to the baseline.
    limits: limits::WrittenLimits,
    /// Minimums over the cases with a tag: tag, then metric, then min.
    slices: slices::WrittenSlices,
    /// US dollars per million tokens, by model.
    prices: Ordered<prices::WrittenPrice>,
    /// The cache of answers.
    cache: Option<cache::WrittenCache>,
    /// How the gate decides.
    gate: gate::WrittenGate,
    /// Limits of a run; reaching one ends it as incomplete.
    budget: budget::WrittenBudget,
    /// The release of the prompt: its versions, its registry, and the controls before production.
    release: Option<release::WrittenRelease>,
}

/// A resolved configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The configuration file, as named.
    pub file: String,
    /// Path of the file that it extends, relative to it.
    pub extends: Option<String>,
    /// Name of the suite.
    pub name: String,
    /// The cases.
    pub dataset: DatasetSettings,
    /// The candidate's prompt.
    pub prompt: PromptSettings,
    /// The application that answers; `None` for the prompt with a model.
    pub target: Option<TargetSettings>,
    /// The baseline as written: `git:merge-base`, `file:PATH`, …; `None` where it is absent.
    pub baseline: Option<Placed<String>>,
    /// The field of a JSON answer that judges and text checks read.
    pub answer_field: Option<String>,
    /// Transformations of every answer before it is graded.
    pub transform: TransformSettings,
    /// User message of a text prompt.
    pub user: String,
    /// Model that answers; `None` leaves it to the prompt's front matter.
    pub model: Option<Placed<String>>,
    /// Parameters of every request.
    pub parameters: Map<String, Value>,
    /// The candidate's endpoint.
    pub endpoint: EndpointSettings,
    /// The judge; there whenever `metrics` is not empty.
    pub judge: Option<JudgeSettings>,
    /// The model of embeddings.
    pub embeddings: Option<EmbeddingsSettings>,
    /// Deterministic checks, as written; compiled later.
    pub checks: Vec<Placed<Value>>,
    /// Scorers by command.
    pub scorers: Vec<ScorerSettings>,
    /// Judged metrics.
    pub metrics: Vec<MetricSettings>,
    /// Ceilings: criteria on `latency`, `output_tokens` and `cost_usd`.
    pub limits: Vec<Criterion>,
    /// Minimums by tag: criteria, each with the place of its metric.
    pub slices: Vec<Placed<Criterion>>,
    /// Prices by model.
    pub prices: Prices,
    /// The cache of answers.
    pub cache: CacheSettings,
    /// How the gate decides.
    pub gate: GateSettings,
    /// Limits of a run.
    pub budget: BudgetSettings,
    /// The release of the prompt.
    pub release: Option<ReleaseSettings>,
}

impl Written {
    fn resolve(self, reader: &mut Reader<'_>, file: &str) -> Settings {
        let name = self.name.unwrap_or_else(|| folder(file));
        let target = self.target.and_then(|target| target.resolve(reader));
        if self.prompt.is_none()
            && !["/prompt", "/target", "/prompts", "/targets"].iter().any(|key| reader.has(key))
        {
            let help = "write `prompt: prompts/NAME.md`, or a `target:`";
            reader.report("", "`prompt` is missing", help);
        }
        if self.prompt.is_none() && self.release.is_some() && reader.has("/target") {
            let help = "name it with `prompt:`, or leave `release:` out";
            reader.report_key("/release", "a release needs a prompt, and this target has none", help);
        }
        if let Some(prompt::WrittenPrompt::Inline(_)) = self.prompt
            && self.release.is_some()
        {
            let help = "move it to a file such as prompts/NAME.md, which `publish` reads and `pull` writes, and write \
                        `prompt: prompts/NAME.md`";
            reader.report_key("/prompt", "a prompt that is released must be a file", help);
        }
        // The verdicts of a judge may vary.
        let is_deterministic =
            self.judge.is_none() && target.as_ref().is_some_and(|target| target.deterministic);
        let (checks, scorers) = checks::resolve(reader, self.checks);
        let endpoint = self.endpoint.resolve(reader, "/endpoint");
        let settings = Settings {
            checks,
            scorers,
            embeddings: self.embeddings.map(|embeddings| embeddings.resolve(reader, &endpoint)),
            file: file.to_owned(),
            extends: self.extends,
            release: self.release.and_then(|release| release.resolve(reader, &name)),
            prompt: self
                .prompt
                .map(|prompt| prompt::resolve(reader, prompt, file, &name))
                .unwrap_or_default(),
            name,
            dataset: self.dataset.resolve(reader, !self.metrics.0.iter().any(|(name, _)| name == CRITERIA)),
            target,
            baseline: self.baseline.map(|baseline| reader.placed("/baseline", baseline)),
            answer_field: self.answer_field,
            transform: self.transform.resolve(reader),
            user: self.user.unwrap_or_else(|| "{{query}}".to_owned()),
            model: self.model.map(|model| reader.placed("/model", model)),
            parameters: self.parameters,
            endpoint,
            judge: self.judge.map(|judge| judge.resolve(reader)),
            metrics: metrics::resolve(reader, self.metrics),
            limits: self.limits.resolve(),
            slices: slices::resolve(reader, self.slices),
            prices: prices::resolve(self.prices),
            cache: self.cache.unwrap_or_default().resolve(),
            gate: self.gate.resolve(reader, is_deterministic),
            budget: self.budget.resolve(),
        };
        settings.require_prices(reader);
        settings
    }
}

/// The name of the folder of the configuration; of one in a commit, named `git:REF:PATH`, that of its path.
pub fn folder(file: &str) -> String {
    let file =
        file.strip_prefix("git:").and_then(|rest| rest.rsplit_once(':')).map_or(file, |(_, path)| path);
    let path = std::path::absolute(file).unwrap_or_default();
    let folder = path.parent().and_then(|parent| parent.file_name());
    folder.map_or_else(|| "promptgate".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn version(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"const": 1})
}
