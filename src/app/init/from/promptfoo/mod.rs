//! Configurations of promptfoo.

mod assertions;
mod cases;
mod csv;
mod expand;
mod prompts;
mod providers;
mod references;
mod tests;
mod transform;
mod vendors;

use serde_json::{Map, Value};

use promptgate_core::document::{Document, pointer};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::draft::{Answerer, Draft, Model};
use super::sources::{Sources, stem};
use super::template::Dialect;
use providers::{Provider, ProviderKind};

pub(super) use vendors::parameters;

/// Keys that change no verdict.
const IGNORED: [&str; 14] = [
    "$schema",
    "assertionTemplates",
    "commandLineOptions",
    "description",
    "metadata",
    "outputPath",
    "sharing",
    "tags",
    "writeLatestResults",
    "prompts",
    "providers",
    "targets",
    "tests",
    "defaultTest",
];

/// Whether a document is a configuration of promptfoo.
pub(super) fn recognizes(value: &Value) -> bool {
    let has = |key: &str| value.get(key).is_some();
    has("prompts")
        && (has("providers") || has("targets") || has("tests") || has("scenarios") || has("defaultTest"))
        || (has("providers") || has("targets")) && (has("tests") || has("scenarios"))
}

/// The state while a configuration is read.
struct Reader<'a> {
    sources: &'a Sources<'a>,
    /// The file of the configuration.
    file: &'a str,
    document: &'a Document,
    /// The configuration without references.
    root: &'a Map<String, Value>,
    draft: Draft,
    /// Whether assertions get the answer as a value of JSON.
    answers_are_json: bool,
}

/// Converts a configuration.
///
/// # Errors
/// A configuration that is unreadable: a missing file, a cyclic reference, a table with odd quoting.
pub(super) fn convert(path: &str, document: &Document, sources: &Sources<'_>) -> Result<Draft, Diagnostics> {
    let value = references::resolved(document, sources)?;
    let Value::Object(root) = &value else {
        return Err(Diagnostic::new("the configuration must be a map").at(document.place("")).into());
    };
    let mut reader =
        Reader { sources, file: path, document, root, draft: Draft::default(), answers_are_json: false };
    reader.draft.name = name(root, path);
    reader.note_other_keys();
    let mut prompts = reader.prompts()?;
    let providers = reader.providers()?;
    let tests = reader.tests()?;
    let is_target = matches!(providers.first().map(|provider| &provider.kind), Some(ProviderKind::Target(_)));
    // A prompt that is all plain is carried whole, so it comes first.
    let logic = |prompt: &super::draft::DraftPrompt| {
        let mut copy = prompt.clone();
        copy.translate(Dialect::Nunjucks, &str::to_owned);
        !copy.problems.is_empty()
    };
    prompts.sort_by_key(|prompt| logic(prompt));
    reader.answerer(&providers);
    reader.cases(tests, &mut prompts, is_target)?;
    if is_target {
        reader.only_first_prompt(&prompts);
        prompts.clear();
    }
    reader.draft.prompts = prompts;
    reader.adapters(&providers);
    Ok(reader.draft)
}

/// The description, else the name of the folder or file.
fn name(root: &Map<String, Value>, path: &str) -> String {
    let described = root.get("description").and_then(Value::as_str).map(str::trim);
    let described = described.and_then(|text| text.lines().next()).filter(|text| !text.is_empty());
    described.map_or_else(|| stem(path), |text| text.chars().take(80).collect())
}

impl Reader<'_> {
    fn place(&self, pointer: &str) -> Place {
        self.document.place(pointer)
    }

    fn note(&mut self, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        let place = self.document.key_place(pointer);
        self.draft.note(&place, message, help);
    }

    fn note_other_keys(&mut self) {
        let keys: Vec<String> = self.root.keys().cloned().collect();
        for key in keys.iter().filter(|key| !IGNORED.contains(&key.as_str())) {
            let help = match key.as_str() {
                "scenarios" | "evaluateOptions" => continue,
                "env" => {
                    "set the variables where promptgate runs; `endpoint.api_key_env` names that of the key"
                }
                "nunjucksFilters" => "write the finished values into the dataset",
                "extensions" => {
                    "a scorer by command (`checks: - command:`) can prepare what it needs when it starts"
                }
                "redteam" => "attacks are not generated: write them as cases",
                "derivedMetrics" => "the report has every score; compute sums from report.json",
                _ => "see docs/configuration.md for what there is",
            };
            let message = format!("the key `{key}` has no counterpart");
            self.note(&pointer("", key), message, help);
        }
        if let Some(Value::Object(options)) = self.root.get("evaluateOptions") {
            let options: Vec<String> = options.keys().cloned().collect();
            for key in options
                .iter()
                .filter(|key| !["maxConcurrency", "showProgressBar", "cache"].contains(&key.as_str()))
            {
                let help = match key.as_str() {
                    "repeat" => "write `gate: {repeats: N}`",
                    "delay" => "write `endpoint: {rpm: N}`",
                    _ => "leave it out",
                };
                let at = pointer("/evaluateOptions", key);
                self.note(&at, format!("the option `{key}` has no counterpart"), help);
            }
        }
    }

    /// The first provider answers; the others become comments.
    fn answerer(&mut self, providers: &[Provider]) {
        let Some(first) = providers.first() else { return };
        self.draft.answerer = match &first.kind {
            ProviderKind::Model(model) => {
                let mut model = model.clone();
                let concurrency =
                    self.root.get("evaluateOptions").and_then(|options| options.get("maxConcurrency"));
                if let Some(limit) = concurrency.filter(|limit| limit.as_u64().is_some_and(|limit| limit > 0))
                {
                    model.endpoint.insert("max_concurrency".to_owned(), limit.clone());
                }
                Answerer::Model(model)
            }
            ProviderKind::Target(target) => Answerer::Target(target.clone()),
            ProviderKind::Unknown => Answerer::Unknown,
        };
        for other in providers.iter().skip(1) {
            match &other.kind {
                ProviderKind::Model(model) => {
                    let lines = super::layout::model_lines(model);
                    self.draft.alternatives.push(format!(
                        "to evaluate {}: {}",
                        other.id,
                        lines.trim().replace('\n', "; ")
                    ));
                }
                ProviderKind::Target(target) => {
                    let line = format!("to evaluate {}: target: {}", other.id, super::yaml::flow(target));
                    self.draft.alternatives.push(line);
                }
                ProviderKind::Unknown => continue,
            }
            let help =
                "promptgate.yaml has the lines to write in its place, or in another configuration beside it";
            self.draft.note(
                &other.place,
                format!("the provider `{}` is not evaluated, only the first one", other.id),
                help,
            );
        }
    }

    fn only_first_prompt(&mut self, prompts: &[super::draft::DraftPrompt]) {
        for other in prompts.iter().skip(1) {
            let Some(message) = other.messages.first() else { continue };
            let help = "a dataset of its own, with its text in `query`, evaluates it";
            self.draft.note(
                &message.place,
                format!("the prompt `{}` is not given to the application", other.label),
                help,
            );
        }
    }

    /// The programs that connect an application of the first provider.
    fn adapters(&mut self, providers: &[Provider]) {
        if let Some(first) = providers.first() {
            for (name, text) in &first.files {
                self.draft.files.push((name.clone(), text.clone()));
            }
        }
    }

    /// The judge that `options.provider` names.
    fn judge(&mut self, options: &Map<String, Value>, place: &Place) {
        let Some(grader) = options.get("provider") else { return };
        let provider = grader.get("text").unwrap_or(grader);
        match providers::model_of(provider) {
            Some(model) => {
                let is_other = |judge: &Model| judge.name != model.name;
                if self.draft.judge.as_ref().is_some_and(is_other) {
                    let help =
                        "one judge decides all criteria: `judge: {model: NAME}`; several are a `panel`";
                    self.draft.note(place, format!("the grader `{}` is not the first one", model.name), help);
                } else {
                    self.draft.judge = Some(model);
                }
            }
            None => {
                let help = "write `judge: {model: NAME}` with its `endpoint`";
                self.draft.note(place, "the grader cannot be carried", help);
            }
        }
    }
}
