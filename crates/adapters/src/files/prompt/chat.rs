//! Chat messages in JSON or YAML: a list of messages, or a map with `messages` as in `.prompt.yml`.

use serde_json::{Map, Value};

use promptgate_core::document::{Document, pointer, shown};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_release::PromptKind;

use super::front_matter::{settings, unknown};
use super::{Parts, Settings};
use crate::files::messages;

const KEYS: [&str; 10] = [
    "messages",
    "name",
    "version",
    "level",
    "description",
    "model",
    "parameters",
    "modelParameters",
    "author",
    "reason",
];

/// Keys of `.prompt.yml` that configure evaluations in other tools.
const IGNORED: [&str; 2] = ["testData", "evaluators"];

/// Keys of `.prompt.yml` that would change the request.
const UNSUPPORTED: [&str; 2] = ["responseFormat", "jsonSchema"];

/// Parameter names in `.prompt.yml` and in requests.
const PARAMETER_NAMES: [(&str, &str); 6] = [
    ("maxTokens", "max_tokens"),
    ("maxCompletionTokens", "max_completion_tokens"),
    ("topP", "top_p"),
    ("frequencyPenalty", "frequency_penalty"),
    ("presencePenalty", "presence_penalty"),
    ("reasoningEffort", "reasoning_effort"),
];

/// Reads a chat prompt.
pub(super) fn read(file: &str, document: &Document) -> Result<Parts, Diagnostics> {
    let mut diagnostics = Vec::new();
    let mut warnings = Vec::new();
    let (settings, parent, items) = match document.value() {
        Value::Array(items) => (Settings::default(), "", items.as_slice()),
        Value::Object(map) => {
            let settings = map_settings(file, document, map, &mut diagnostics, &mut warnings);
            let Some(Value::Array(items)) = map.get("messages") else {
                let diagnostic = match map.get("messages") {
                    Some(other) => {
                        let message = format!("`messages` must be a list, found {}", shown(other));
                        Diagnostic::new(message).at(document.place("/messages"))
                    }
                    None => Diagnostic::new("`messages` is missing")
                        .at(document.place(""))
                        .help("write `messages: [{role: system, content: …}, {role: user, content: …}]`"),
                };
                diagnostics.push(diagnostic);
                return Err(Diagnostics(diagnostics));
            };
            (settings, "/messages", items.as_slice())
        }
        other => {
            let message = format!("a chat prompt must be a list of messages, found {}", shown(other));
            return Err(Diagnostic::new(message)
                .at(document.place(""))
                .help("write [{\"role\": \"system\", \"content\": \"…\"}], or use a .md file for plain text")
                .into());
        }
    };
    if items.is_empty() {
        diagnostics.push(Diagnostic::new("the list of messages is empty").at(Place::file(file)));
    }
    let (parsed, problems) = messages::parse(items);
    diagnostics.extend(problems.into_iter().map(|problem| {
        let at = format!("{parent}{}", problem.at);
        let place = if problem.at_key { document.key_place(&at) } else { document.place(&at) };
        Diagnostic::new(problem.message).at(place).help(problem.help)
    }));
    let line = |index: &usize| content_line(document, &format!("{parent}/{index}/content"));
    let lines = parsed.iter().map(|(index, _)| line(index)).collect();
    let messages = parsed.into_iter().map(|(_, message)| message).collect();
    if !diagnostics.is_empty() {
        return Err(Diagnostics(diagnostics));
    }
    Ok(Parts { kind: PromptKind::Chat, messages, lines, settings, warnings })
}

fn map_settings(
    file: &str,
    document: &Document,
    map: &Map<String, Value>,
    diagnostics: &mut Vec<Diagnostic>,
    warnings: &mut Vec<String>,
) -> Settings {
    for key in map.keys() {
        if IGNORED.contains(&key.as_str()) {
            warnings.push(format!(
                "{file}: `{key}` is ignored; cases come from `dataset`, scorers from the configuration"
            ));
        } else if UNSUPPORTED.contains(&key.as_str()) {
            diagnostics.push(
                Diagnostic::new(format!("`{key}` is not supported in a prompt"))
                    .at(document.key_place(&pointer("", key)))
                    .help("set `response_format` under `parameters`, in the format of the API"),
            );
        } else if !KEYS.contains(&key.as_str()) {
            diagnostics.push(unknown(document, key, &KEYS));
        }
    }
    if map.contains_key("parameters") && map.contains_key("modelParameters") {
        diagnostics.push(
            Diagnostic::new("both `parameters` and `modelParameters` are set")
                .at(document.key_place("/modelParameters"))
                .help("keep one of them"),
        );
    }
    let github = map.contains_key("modelParameters");
    let mut settings =
        settings(document, map, if github { "modelParameters" } else { "parameters" }, diagnostics);
    if github {
        let request_name = |name: String| {
            PARAMETER_NAMES
                .iter()
                .find(|(camel_case, _)| *camel_case == name)
                .map_or(name, |(_, request)| (*request).to_owned())
        };
        settings.parameters =
            settings.parameters.into_iter().map(|(name, value)| (request_name(name), value)).collect();
    }
    settings
}

/// The first line of a text; in a YAML block scalar, the line after the indicator.
pub(super) fn content_line(document: &Document, at: &str) -> usize {
    let place = document.place(at);
    let start = place.column.unwrap_or(1) - 1;
    let block = place
        .excerpt
        .as_deref()
        .and_then(|line| line.chars().nth(start))
        .is_some_and(|character| matches!(character, '|' | '>'));
    place.line.unwrap_or(0) + usize::from(block)
}
