//! Looks around in a folder: prompts, datasets, suites of other tools, suites that are there, and the repository.

mod listing;
pub(super) mod recognize;
mod repository;

use std::path::Path;

use super::CONFIGURATIONS;
use super::from::is_source;
use promptgate_adapters::files::{PROMPT_LIMIT, decode};
use promptgate_core::document::Document;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::template;
use promptgate_core::text::neutral;
pub(super) use recognize::Mark;

pub(crate) use repository::{CiSystem, RepositoryFacts};

/// Bytes of the largest dataset that is looked into.
const MAX_DATASET: u64 = 32 << 20;
/// Extensions of datasets.
const DATASETS: [&str; 7] = ["jsonl", "ndjson", "csv", "tsv", "json", "yaml", "yml"];

/// The result of a look around. Paths are relative to the folder.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Prompts that a suite can be about.
    pub(crate) prompts: Vec<FoundPrompt>,
    /// Files that a suite can be imported from, each with its kind.
    pub(crate) sources: Vec<(String, &'static str)>,
    /// Files that may be datasets.
    pub(crate) datasets: Vec<String>,
    /// Configurations of suites that are there.
    pub(crate) suites: Vec<String>,
    /// Prompts that have a suite already.
    pub(crate) covered: Vec<String>,
    /// Prompts that no suite can use as they are, and why.
    pub(crate) unusable: Vec<Diagnostic>,
    /// A file that says that the folder is an application.
    pub(crate) application: Option<String>,
    /// Files that were skipped, and why.
    pub(crate) notes: Vec<String>,
    /// The repository around the folder.
    pub(crate) repository: RepositoryFacts,
}

/// A prompt.
#[derive(Debug, Clone)]
pub(crate) struct FoundPrompt {
    /// Its path.
    pub(crate) path: String,
    /// The names of its placeholders, each once.
    pub(crate) placeholders: Vec<String>,
    /// Names in single braces with their lines, where it has no placeholder.
    pub(crate) single_braces: Vec<(usize, String)>,
    /// Whether it is a text, which becomes the system message.
    pub(crate) is_text: bool,
    pub(super) bytes: Vec<u8>,
    mark: Mark,
}

/// Looks around in a folder, which need not exist yet.
pub(crate) fn survey(folder: &Path) -> Survey {
    let (files, notes) = listing::list(folder);
    let mut survey = Survey {
        notes,
        application: recognize::application(&files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>()),
        repository: repository::look(folder),
        ..Survey::default()
    };
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    survey.suites = files
        .iter()
        .filter(|file| CONFIGURATIONS.contains(&name(&file.path).as_str()))
        .map(|file| file.path.clone())
        .collect();
    let with_suite: Vec<String> = survey.suites.iter().map(|path| folder_of(path)).collect();
    let has_suite = |path: &str| with_suite.iter().any(|folder| path.starts_with(folder.as_str()));
    for file in &files {
        let path = &file.path;
        if CONFIGURATIONS.contains(&name(path).as_str()) || name(path).ends_with(".schema.json") {
            continue;
        }
        let may_be_prompt = recognize::may_be_prompt(path) && file.size <= PROMPT_LIMIT;
        let found = match may_be_prompt.then(|| look_at(folder, path)) {
            Some(Looked::Prompt(prompt)) if has_suite(path) => {
                if prompt.mark == Mark::Marked {
                    survey.covered.push(path.clone());
                }
                true
            }
            Some(Looked::Prompt(prompt)) => {
                survey.prompts.push(prompt);
                true
            }
            Some(Looked::Source(kind)) if !has_suite(path) => {
                survey.sources.push((path.clone(), kind));
                true
            }
            Some(Looked::Unusable(why)) if !has_suite(path) => {
                survey.notes.push(format!("skipped {}: {}", neutral::terminal(path), one_line(&why)));
                survey.unusable.push(why.or_at(&Place::file(path)));
                true
            }
            _ => false,
        };
        if !found && !has_suite(path) && DATASETS.contains(&recognize::extension(path).as_str()) {
            if file.size <= MAX_DATASET {
                survey.datasets.push(path.clone());
            } else {
                survey.notes.push(format!("{path} is too large to look at: name it with --dataset"));
            }
        }
    }
    // Texts without a mark count only where no other prompt was found.
    if !survey.sources.is_empty() || survey.prompts.iter().any(|prompt| prompt.mark == Mark::Marked) {
        survey.prompts.retain(|prompt| prompt.mark == Mark::Marked);
    }
    survey
}

/// The folder of a path, with a slash at its end; empty for the first folder.
pub(super) fn folder_of(path: &str) -> String {
    path.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default()
}

/// The kind of a file.
enum Looked {
    Prompt(FoundPrompt),
    Source(&'static str),
    /// A prompt that no suite can use.
    Unusable(Diagnostic),
    Other,
}

fn look_at(folder: &Path, path: &str) -> Looked {
    let is_text = recognize::is_text(path);
    let is_named = path.to_lowercase().contains("prompt");
    let bytes = match std::fs::read(folder.join(path)) {
        Ok(bytes) => bytes,
        Err(error) if is_named => {
            return Looked::Unusable(Diagnostic::new(format!("cannot be read: {error}")));
        }
        Err(_) => return Looked::Other,
    };
    let text = match decode(path, &bytes) {
        Ok(text) => text.replace("\r\n", "\n"),
        Err(error) if is_named && is_text => return Looked::Unusable(error),
        Err(_) => return Looked::Other,
    };
    if text.trim().is_empty() {
        return Looked::Other;
    }
    let extension = recognize::extension(path);
    let mark = if is_text {
        match recognize::mark(path, &text) {
            Some(mark) => mark,
            None => return Looked::Other,
        }
    } else if has_cases(path, &text) {
        return source(path, &text).map_or(Looked::Other, Looked::Source);
    } else if extension == "prompty" || is_chat(path, &text) {
        Mark::Marked
    } else {
        return source(path, &text).map_or(Looked::Other, Looked::Source);
    };
    match prompt(path, bytes, &text, mark) {
        Ok(prompt) => Looked::Prompt(prompt),
        Err(error) => match source(path, &text) {
            Some(kind) => Looked::Source(kind),
            None if mark == Mark::Unmarked => Looked::Other,
            None => Looked::Unusable(error),
        },
    }
}

/// Whether a prompt of GitHub brings cases, which only an import reads.
pub(super) fn has_cases(path: &str, text: &str) -> bool {
    path.contains(".prompt.y") && text.lines().any(|line| line.starts_with("testData:"))
}

/// Whether a JSON or YAML file holds chat messages.
fn is_chat(path: &str, text: &str) -> bool {
    if !text.contains("role") {
        return false;
    }
    let document =
        if path.ends_with(".json") { Document::json(path, text) } else { Document::yaml(path, text) };
    let Ok(document) = document else { return false };
    let value = document.value();
    let messages = value.as_array().or_else(|| value.get("messages").and_then(|list| list.as_array()));
    messages.is_some_and(|items| !items.is_empty() && items.iter().all(|item| item.get("role").is_some()))
}

/// The kind of a file that can be imported, by name and content.
fn source(path: &str, text: &str) -> Option<&'static str> {
    let extension = recognize::extension(path);
    let is_likely = path.contains(".prompt") || path.contains("promptfoo") || extension == "prompty";
    if is_likely { is_source(path, text) } else { None }
}

/// A prompt that a suite can use.
///
/// # Errors
/// Why none can.
pub(super) fn prompt(path: &str, bytes: Vec<u8>, text: &str, mark: Mark) -> Result<FoundPrompt, Diagnostic> {
    let first = |errors: promptgate_core::model::Diagnostics| {
        errors.0.into_iter().next().unwrap_or_else(|| Diagnostic::new("not a prompt"))
    };
    let parsed = recognize::parse(path, &bytes, "").map_err(first)?;
    if let Some(problem) = recognize::problem(&parsed) {
        return Err(problem);
    }
    let placeholders = template::used_names(&parsed.variant);
    let single_braces = if placeholders.is_empty() { recognize::single_braces(text) } else { Vec::new() };
    let is_text = parsed.kind == promptgate_release::PromptKind::Text;
    Ok(FoundPrompt { path: path.to_owned(), placeholders, single_braces, is_text, bytes, mark })
}

/// A diagnostic in one line, without the name of its file.
pub(super) fn one_line(error: &Diagnostic) -> String {
    let line = error.place.as_ref().and_then(|place| place.line).map(|line| format!("line {line}: "));
    let help = error.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{}{}{help}", line.unwrap_or_default(), error.message)
}

#[cfg(test)]
impl FoundPrompt {
    /// A text prompt.
    pub(super) fn of_text(path: &str, text: &str) -> Self {
        prompt(path, text.as_bytes().to_vec(), text, Mark::Marked).unwrap()
    }
}
