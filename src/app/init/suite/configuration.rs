//! promptgate.yaml for a prompt of the user, with comments.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fit::{CONSTANT, USER};
use super::task::Criteria;
use crate::app::init::from::yaml::{flow, scalar};
use promptgate_core::model::price_table;
use promptgate_core::text::neutral;

const MODEL: &str = "gpt-4o-mini";
const JUDGE: &str = "gpt-4o";
/// The variable of the key for GitHub Models.
const GITHUB_KEY: &str = "GITHUB_MODELS_TOKEN";

/// The parts of a configuration. Paths are relative to it.
pub(super) struct Parts<'p> {
    pub(super) name: &'p str,
    pub(super) schema: &'p str,
    pub(super) prompt: &'p str,
    /// Whether the prompt is a text, to which a user message is added.
    pub(super) is_text: bool,
    /// Whether the cases have what the user writes.
    pub(super) has_question: bool,
    /// The field of a JSON answer that is graded.
    pub(super) answer_field: Option<&'p str>,
    /// The model that the prompt file names.
    pub(super) own_model: Option<&'p str>,
    /// The model that was asked for.
    pub(super) model: Option<&'p str>,
    pub(super) dataset: &'p str,
    pub(super) is_draft: bool,
    pub(super) fields: &'p BTreeMap<String, String>,
    pub(super) criteria: &'p Criteria,
    /// Whether the folder is in a repository.
    pub(super) in_repository: bool,
    /// The branch that changes are merged into, if it has an unusual name.
    pub(super) branch: Option<&'p str>,
}

/// The API that a model of this name speaks, and the variable of its key.
fn protocol(model: &str) -> Option<(&'static str, &'static str)> {
    let name = model.rsplit('/').next().unwrap_or(model);
    match name {
        _ if model.contains('/') => None,
        name if name.starts_with("claude") => Some(("anthropic", "ANTHROPIC_API_KEY")),
        name if name.starts_with("gemini") => Some(("gemini", "GEMINI_API_KEY")),
        _ => None,
    }
}

fn key_variable(model: &str) -> &'static str {
    protocol(model).map_or("OPENAI_API_KEY", |(_, key)| key)
}

/// The variables that hold the keys of model and judge.
pub(super) fn keys(parts: &Parts<'_>) -> Vec<&'static str> {
    if is_of_github(parts) {
        return vec![GITHUB_KEY];
    }
    let mut keys = vec![key_variable(model_of(parts.own_model, parts.model))];
    if !parts.criteria.metrics.is_empty() && !keys.contains(&"OPENAI_API_KEY") {
        keys.push("OPENAI_API_KEY");
    }
    keys
}

/// Whether a prompt file names a model of GitHub Models, which is reached with a token of GitHub.
fn is_of_github(parts: &Parts<'_>) -> bool {
    parts.prompt.contains(".prompt.y") && parts.own_model.is_some_and(|model| model.contains('/'))
}

/// Whether a model accepts no temperature.
fn is_reasoning(model: &str) -> bool {
    ["o1", "o3", "o4", "gpt-5"].iter().any(|family| model.starts_with(family))
}

/// The model of a suite.
fn model_of<'p>(own: Option<&'p str>, asked: Option<&'p str>) -> &'p str {
    own.or(asked).unwrap_or(MODEL)
}

/// The text of the configuration.
pub(super) fn text(parts: &Parts<'_>) -> String {
    let mut lines = vec![
        format!("# yaml-language-server: $schema={}", parts.schema),
        format!(
            "# Quality gate for {}. All keys: `promptgate schema config`.",
            neutral::terminal(parts.prompt)
        ),
        "version: 1".to_owned(),
        format!("name: {}", scalar(parts.name)),
    ];
    lines.extend(dataset(parts));
    lines.push(format!("prompt: {} # the candidate", scalar(parts.prompt)));
    lines.push(baseline(parts));
    if parts.is_text && !parts.has_question {
        lines.push(format!(
            "user: \"{CONSTANT}\" # the same for all cases: the file above is the system message, and takes the data by its placeholders"
        ));
    } else if parts.is_text {
        lines.push(format!("user: \"{USER}\" # the user message; the file above is the system message"));
    }
    lines.extend(model(parts));
    if !parts.criteria.metrics.is_empty() {
        let model = model_of(parts.own_model, parts.model);
        let elsewhere = if protocol(model).is_some() {
            ", endpoint: {protocol: openai, api_key_env: OPENAI_API_KEY}"
        } else {
            ""
        };
        let judge = if is_of_github(parts) { "openai/gpt-4o" } else { JUDGE };
        lines.push(format!("judge: {{model: {judge}{elsewhere}}} # preferably not the model under test"));
    }
    lines.extend(
        parts.answer_field.map(|field| format!("answer_field: {field} # of the JSON answer: what is graded")),
    );
    lines.push("checks: # of every answer, without a model".to_owned());
    lines.extend(parts.criteria.checks.iter().map(|check| match check.strip_prefix("# ") {
        Some(later) => format!("  # - {later}"),
        None => format!("  - {check}"),
    }));
    if !parts.criteria.metrics.is_empty() {
        lines.push("metrics: # graded by the judge; none may fall below the baseline".to_owned());
        lines.extend(parts.criteria.metrics.iter().map(|metric| format!("  {metric}")));
    }
    lines.push("gate: {repeats: 3, max_repeats: 24} # more repeats only while undecided".to_owned());
    lines.extend(budget(parts));
    lines.join("\n") + "\n"
}

fn dataset(parts: &Parts<'_>) -> Vec<String> {
    let comment = if parts.is_draft { " # drafts: replace them" } else { "" };
    if parts.fields.is_empty() {
        return vec![format!("dataset: {}{comment}", scalar(parts.dataset))];
    }
    let fields = parts.fields.iter().map(|(field, column)| (field.clone(), Value::from(column.as_str())));
    vec![
        "dataset:".to_owned(),
        format!("  path: {}{comment}", scalar(parts.dataset)),
        format!("  fields: {} # field: column", flow(&Value::Object(fields.collect()))),
    ]
}

fn baseline(parts: &Parts<'_>) -> String {
    match parts.branch {
        Some(branch) => format!(
            "baseline: {} # the same file on the branch that changes are merged into",
            scalar(&format!("git:{branch}"))
        ),
        None if parts.in_repository => {
            "baseline: git:merge-base # the same file before the change".to_owned()
        }
        None => "# baseline: git:merge-base # the same file before the change, once this is a git repository"
            .to_owned(),
    }
}

fn model(parts: &Parts<'_>) -> Vec<String> {
    let model = model_of(parts.own_model, parts.model);
    let mut lines = match parts.own_model {
        Some(_) => vec!["# model: as the prompt file says".to_owned()],
        None => vec![format!("model: {}", scalar(model))],
    };
    let temperature = if is_reasoning(model) { "" } else { "temperature: 0, " };
    lines.push(format!("parameters: {{{temperature}max_completion_tokens: 1000}}"));
    if is_of_github(parts) {
        let endpoint = format!(
            "base_url: \"https://models.github.ai/inference\", api_key_env: {GITHUB_KEY}, timeout: 60s"
        );
        lines.push(format!("endpoint: {{{endpoint}}}"));
        return lines;
    }
    let key = key_variable(model);
    let protocol = protocol(model).map(|(name, _)| format!("protocol: {name}, ")).unwrap_or_default();
    lines.push(format!(
        "endpoint: {{{protocol}api_key_env: {key}, timeout: 60s, max_concurrency: 16}} # another server: base_url"
    ));
    lines
}

/// A ceiling in money where the prices are known, else in calls.
fn budget(parts: &Parts<'_>) -> Vec<String> {
    let model = model_of(parts.own_model, parts.model);
    if price_table::is_listed(model) {
        return vec![
            "budget: {usd: 2} # a run that reaches it is incomplete; `promptgate plan` estimates".to_owned(),
        ];
    }
    vec![
        format!(
            "# prices: {{{}: {{input_per_million: …, output_per_million: …}}}} # no built-in price",
            scalar(&neutral::terminal(model))
        ),
        "budget: {calls: 2000} # with prices also `usd`; a run that reaches it is incomplete".to_owned(),
    ]
}
