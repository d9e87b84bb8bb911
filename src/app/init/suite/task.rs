//! The task of a prompt, and the checks and metrics that it gets.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fit::Fit;
use crate::app::init::from::yaml::flow;
use crate::app::init::survey::FoundPrompt;

/// The kind of work of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Rag,
    Classify,
    Extract,
    Chat,
    Agent,
}

impl Task {
    /// All.
    pub(crate) const ALL: [Self; 5] = [Self::Rag, Self::Classify, Self::Extract, Self::Chat, Self::Agent];

    /// The value of `--task`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rag => "rag",
            Self::Classify => "classify",
            Self::Extract => "extract",
            Self::Chat => "chat",
            Self::Agent => "agent",
        }
    }
}

/// Labels of a classification at most.
const MAX_LABELS: usize = 12;
/// Words of the longest label.
const LABEL_WORDS: usize = 4;

/// The distinct reference answers of a dataset, where they are short and few: labels.
pub(super) fn labels(fit: &Fit) -> Option<Vec<String>> {
    labels_among(fit.cases.iter().map(|case| case.expected.as_ref()))
}

/// The distinct values of a column, where they are labels.
pub(super) fn labels_among<'v>(values: impl Iterator<Item = Option<&'v Value>>) -> Option<Vec<String>> {
    let mut labels = BTreeSet::new();
    let mut count = 0;
    for value in values {
        count += 1;
        let text = match value? {
            Value::String(text) => text.trim().to_owned(),
            _ => return None,
        };
        if text.is_empty() || text.split_whitespace().count() > LABEL_WORDS || text.len() > 40 {
            return None;
        }
        labels.insert(text);
    }
    // A label that every case has for itself is an answer.
    let are_few = labels.len() <= MAX_LABELS && (2..).contains(&labels.len()) && labels.len() * 2 <= count;
    are_few.then(|| labels.into_iter().collect())
}

/// Guesses the task from prompt and dataset, and says why.
pub(super) fn guess(prompt: &FoundPrompt, text: &str, fit: Option<&Fit>) -> (Task, String) {
    let lower = text.to_lowercase();
    if let Some(labels) = fit.and_then(labels).filter(|_| !lower.contains("json")) {
        return (Task::Classify, format!("`expected` has {} labels", labels.len()));
    }
    let names: Vec<&str> = prompt.placeholders.iter().map(String::as_str).collect();
    if let Some(name) = super::roles::passages(&names) {
        return (Task::Rag, format!("the prompt inserts {{{{{name}}}}}"));
    }
    let says = |words: &[&'static str]| words.iter().find(|word| lower.contains(**word)).copied();
    if let Some(word) =
        says(&["classify", "categorize", "one of the following", "label the", "which category"])
    {
        return (Task::Classify, format!("the prompt says \"{word}\""));
    }
    if lower.contains("json") {
        return (Task::Extract, "the prompt asks for JSON".to_owned());
    }
    if let Some(word) =
        says(&["tool_call", "call the tool", "use the tool", "available tools", "function call"])
    {
        return (Task::Agent, format!("the prompt says \"{word}\""));
    }
    (Task::Chat, "neither passages, labels, JSON nor tools".to_owned())
}

/// Lines of `checks` and `metrics`.
pub(super) struct Criteria {
    pub(super) checks: Vec<String>,
    pub(super) metrics: Vec<String>,
}

/// The field of a JSON answer that is the label: the column of `expected`, if the prompt speaks of it.
pub(super) fn label_field(task: Task, text: &str, fit: Option<&Fit>) -> Option<String> {
    let fit = fit.filter(|fit| task == Task::Extract && labels(fit).is_some())?;
    let column = fit.fields.get("expected")?;
    let is_plain = column.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_named =
        [format!("\"{column}\""), format!("\\\"{column}\\\"")].iter().any(|key| text.contains(key));
    (is_plain && is_named).then(|| column.clone())
}

/// The criteria of a task; `fit` is the dataset, `None` for drafts; `label` is the field of a JSON answer that is its label.
pub(super) fn criteria(task: Task, fit: Option<&Fit>, label: Option<&str>) -> Criteria {
    let has_expected = fit.is_some_and(Fit::has_expected);
    let has_context = fit.is_none_or(Fit::has_context);
    let has_query = fit.is_none_or(Fit::has_query);
    // The answers to drafts say nothing about a threshold.
    let metric = |name: &str, min: &str| match fit {
        Some(_) => format!("{name}: {{min: {min}}}"),
        None => format!("{name}: {{}} # with cases of your own: {{min: {min}}}"),
    };
    let length = |max: u32| format!("length: {{min_chars: 1, max_chars: {max}}}");
    let mut checks = Vec::new();
    let mut metrics = Vec::new();
    match task {
        Task::Rag => {
            checks.push(length(2000));
            if has_context {
                metrics.push(metric("faithfulness", "0.75"));
            }
            if has_query {
                metrics.push(metric("relevance", "0.7"));
            }
            if has_expected {
                metrics.push(metric("correctness", "0.7"));
            }
        }
        Task::Classify => {
            checks.push(length(200));
            if let Some(labels) = fit.and_then(labels) {
                let labels = Value::from(labels);
                checks.push(format!(
                    "one_of: {{values: {}, ignore_case: true, trim: true}} # nothing but a label",
                    flow(&labels)
                ));
            } else {
                checks.push("# one_of: [LABEL, OTHER] # nothing but a label".to_owned());
            }
            let equals =
                "{equals: {ignore_case: true, trim: true}, name: right-label, min: 0.8, baseline: true}";
            checks.push(if has_expected {
                equals.to_owned()
            } else {
                format!("# {equals} # `expected` of each case is its label")
            });
        }
        Task::Extract => {
            checks.push(match fit {
                Some(_) => "is_json: true # or json_schema: FILE".to_owned(),
                None => "# is_json: true # nothing but JSON; or json_schema: FILE".to_owned(),
            });
            if let (Some(field), Some(labels)) = (label, fit.and_then(labels)) {
                let labels = flow(&Value::from(labels));
                checks.push(format!("json_field: {{path: {field}, one_of: {labels}}}"));
            }
            let fields = if has_expected { expected_keys(fit) } else { Vec::new() };
            if !fields.is_empty() {
                checks.push(format!("required_fields: {}", flow(&Value::from(fields))));
            }
            checks.push(length(8000));
            let are_labels = fit.and_then(labels).is_some();
            if are_labels && label.is_some() {
                checks.push(
                    "{equals: {ignore_case: true, trim: true}, name: right-label, min: 0.8, baseline: true} # of `answer_field`"
                        .to_owned(),
                );
            } else if are_labels {
                checks.push("{contains: {ignore_case: true}, name: right-label, min: 0.8, baseline: true} # or equals, with answer_field: FIELD".to_owned());
            } else if has_expected {
                checks.push(
                    "{equals: {}, name: right-values, min: 0.8, baseline: true} # compares JSON values"
                        .to_owned(),
                );
            }
        }
        Task::Chat => {
            checks.push(length(4000));
            checks.push("not_contains: [\"as an AI\"]".to_owned());
            if has_query {
                metrics.push(metric("relevance", "0.7"));
            }
            if has_expected {
                metrics.push(metric("correctness", "0.7"));
            }
        }
        Task::Agent => {
            checks.push(length(4000));
            checks.push("# tool_called: TOOL # the tools are `parameters: {tools: […]}`; or evaluate the application: `target:`".to_owned());
            if has_query {
                metrics.push(metric("relevance", "0.7"));
            }
        }
    }
    Criteria { checks, metrics }
}

/// The keys that all reference answers have, where these are JSON objects.
fn expected_keys(fit: Option<&Fit>) -> Vec<String> {
    let cases = fit.map(|fit| fit.cases.as_slice()).unwrap_or_default();
    let objects: Option<Vec<serde_json::Map<String, Value>>> =
        cases.iter().map(|case| case.expected.as_ref().and_then(object)).collect();
    let Some(objects) = objects else { return Vec::new() };
    let Some(first) = objects.first() else { return Vec::new() };
    let is_plain = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    first
        .iter()
        .filter(|(key, value)| is_plain(key) && !value.is_null())
        .map(|(key, _)| key.clone())
        .filter(|key| objects.iter().all(|object| object.get(key).is_some_and(|value| !value.is_null())))
        .collect()
}

fn object(value: &Value) -> Option<serde_json::Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}
