//! The kind of a file, by its content.

use serde_json::Value;

use promptgate_core::document::Document;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::draft::Draft;
use super::front_matter::{Split, split};
use super::sources::{Sources, extension, parse};
use super::{dotprompt, github, langfuse, promptfoo, prompty};

/// Names of files that are looked for in a folder, by rank: the first that is there counts.
const IN_FOLDER: [&str; 7] = [
    "promptfooconfig.yaml",
    "promptfooconfig.yml",
    "promptfooconfig.json",
    "*.prompt.y*ml",
    "*.prompty",
    "*.prompt",
    "*.json",
];
/// The kinds in messages.
const KINDS: &str = "a promptfoo configuration, a GitHub .prompt.yml, a .prompty, a .prompt of Dotprompt, or the export of a \
                     Langfuse prompt";

/// A file of a known kind.
pub(super) enum Found {
    Promptfoo(Document),
    GitHub(Document),
    Prompty(Split),
    Dotprompt(Split),
    Langfuse(Document),
    /// The items of a dataset of Langfuse.
    Items(Document),
}

impl Found {
    /// The kind in messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Promptfoo(_) => "a promptfoo configuration",
            Self::GitHub(_) => "a GitHub prompt",
            Self::Prompty(_) => "a Prompty file",
            Self::Dotprompt(_) => "a Dotprompt file",
            Self::Langfuse(_) => "a Langfuse prompt",
            Self::Items(_) => "Langfuse dataset items",
        }
    }
}

/// The kind of a file.
///
/// # Errors
/// It cannot be read, or is of no known kind.
pub(super) fn detect(path: &str, sources: &Sources<'_>) -> Result<Found, Diagnostics> {
    let shown = sources.shown(path);
    let text = sources.text(path, &Place::file("--from"))?;
    if text.trim().is_empty() {
        return Err(unknown(&shown, "the file is empty").into());
    }
    if let Some(found) = split(&shown, &text)? {
        let value = found.front_matter.value().clone();
        let is_prompty = prompty::recognizes(&value, &found.body);
        return match extension(path).as_str() {
            "prompty" => Ok(Found::Prompty(found)),
            _ if is_prompty => Ok(Found::Prompty(found)),
            "prompt" => Ok(Found::Dotprompt(found)),
            _ if dotprompt::recognizes(&value, &found.body) => Ok(Found::Dotprompt(found)),
            _ => Err(unknown(&shown, "its front matter is of no known kind").into()),
        };
    }
    if extension(path) == "prompt" {
        let front_matter = Document::yaml(&shown, "{}")?;
        return Ok(Found::Dotprompt(Split { front_matter, body: text, first_line: 1 }));
    }
    let is_json =
        text.trim_start().starts_with(['{', '[']) && extension(path) != "yaml" && extension(path) != "yml";
    let document = if is_json { Document::json(&shown, &text)? } else { parse(&shown, &text)? };
    let value = document.value();
    if promptfoo::recognizes(value) {
        Ok(Found::Promptfoo(document))
    } else if langfuse::is_prompt(value) {
        Ok(Found::Langfuse(document))
    } else if langfuse::items(value).is_some() {
        Ok(Found::Items(document))
    } else if github::recognizes(value) {
        Ok(Found::GitHub(document))
    } else {
        Err(unknown(&shown, describe(value)).into())
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Object(map) if map.contains_key("dataset") && map.contains_key("version") => {
            "this is a configuration of promptgate already"
        }
        Value::Array(_) => "a list of values is not a configuration",
        Value::Object(_) => "its keys are those of no known tool",
        _ => "this is a text, not a configuration",
    }
}

fn unknown(shown: &str, why: &str) -> Diagnostic {
    let help = format!("expected {KINDS}; a dataset alone needs no import: `dataset: FILE`");
    Diagnostic::new(format!("the format is not known: {why}")).at(Place::file(shown)).help(help)
}

/// The file in a folder that is imported.
///
/// # Errors
/// None is there, or several of one rank.
pub(super) fn in_folder(sources: &Sources<'_>) -> Result<String, Diagnostics> {
    let place =
        || Place::file(if sources.folder.is_empty() { ".".to_owned() } else { sources.folder.clone() });
    for pattern in IN_FOLDER {
        let mut found = (sources.list)(pattern).map_err(|error| Diagnostic::new(error).at(place()))?;
        if pattern == "*.json" {
            found.retain(|path| {
                matches!(
                    detect(path, sources),
                    Ok(Found::Langfuse(_) | Found::Promptfoo(_) | Found::Items(_))
                )
            });
            // Items go with a prompt beside them.
            let prompts: Vec<String> = found
                .iter()
                .filter(|path| !matches!(detect(path, sources), Ok(Found::Items(_))))
                .cloned()
                .collect();
            found = if prompts.is_empty() { found } else { prompts };
        }
        match found.as_slice() {
            [] => {}
            [one] => return Ok(one.clone()),
            several => {
                let message = format!("several files could be imported: {}", several.join(", "));
                return Err(Diagnostic::new(message)
                    .at(place())
                    .help("name one of them: --from FILE")
                    .into());
            }
        }
    }
    Err(Diagnostic::new("there is nothing to import").at(place()).help(format!("expected {KINDS}")).into())
}

/// Converts a file of a known kind.
///
/// # Errors
/// The source is unreadable.
pub(super) fn convert(path: &str, found: &Found, sources: &Sources<'_>) -> Result<Draft, Diagnostics> {
    match found {
        Found::Promptfoo(document) => promptfoo::convert(path, document, sources),
        Found::GitHub(document) => github::convert(path, document, sources),
        Found::Prompty(split) => prompty::convert(path, split, sources),
        Found::Dotprompt(split) => dotprompt::convert(path, split, sources),
        Found::Langfuse(document) => langfuse::convert(
            document,
            beside(path, sources, |found| matches!(found, Found::Items(_))).as_ref(),
        ),
        Found::Items(items) => match beside(path, sources, |found| matches!(found, Found::Langfuse(_))) {
            Some(prompt) => langfuse::convert(&prompt, Some(items)),
            None => Err(Diagnostic::new("these are the items of a dataset, without a prompt")
                .at(items.place(""))
                .help("save the export of the prompt as a .json beside it, and import again")
                .into()),
        },
    }
}

/// The only other JSON file of that kind in the folder.
fn beside(path: &str, sources: &Sources<'_>, is_wanted: impl Fn(&Found) -> bool) -> Option<Document> {
    let others = (sources.list)("*.json").ok()?;
    let mut found =
        others.iter().filter(|other| *other != path).filter_map(|other| detect(other, sources).ok());
    let mut found = found.by_ref().filter(|found| is_wanted(found));
    match (found.next(), found.next()) {
        (Some(Found::Langfuse(document) | Found::Items(document)), None) => Some(document),
        _ => None,
    }
}
