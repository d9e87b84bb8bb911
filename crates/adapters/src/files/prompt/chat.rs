//! Chat messages in JSON or YAML: a list of `{role, content}` objects, or a map with `messages` as in `.prompt.yml`.

use serde::Deserialize as _;
use serde_json::{Map, Value};

use promptgate_core::document::{Document, pointer, shown};
use promptgate_core::model::{Diagnostic, Diagnostics, Message, MessageRole, Place};
use promptgate_release::PromptKind;

use super::front_matter::{settings, unknown};
use super::{Parts, Settings};
use crate::files::diagnostics::did_you_mean;

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

const ROLES: [&str; 4] = ["system", "developer", "user", "assistant"];

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
    let mut messages = Vec::new();
    let mut lines = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let place = format!("{parent}/{index}");
        if let Some(message) = message(document, &place, item, &mut diagnostics) {
            lines.push(content_line(document, &format!("{place}/content")));
            messages.push(message);
        }
    }
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

fn message(
    document: &Document,
    at: &str,
    value: &Value,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Message> {
    let Value::Object(map) = value else {
        let message = format!("a message must be a map with `role` and `content`, found {}", shown(value));
        diagnostics
            .push(Diagnostic::new(message).at(document.place(at)).help("write {role: user, content: …}"));
        return None;
    };
    let before = diagnostics.len();
    for key in map.keys().filter(|key| !matches!(key.as_str(), "role" | "content")) {
        let help = did_you_mean(key, ["role", "content"], || "the keys are `role` and `content`".to_owned());
        let place = document.key_place(&pointer(at, key));
        diagnostics.push(Diagnostic::new(format!("unknown key `{key}` in a message")).at(place).help(help));
    }
    let roles = || "roles are system, developer, user and assistant".to_owned();
    let role = map.get("role").filter(|role| role.is_string());
    let known = role.and_then(|role| MessageRole::deserialize(role).ok());
    if known.is_none() {
        let (message, help) = match role {
            Some(name) => (
                format!("unknown role: {}", shown(name)),
                did_you_mean(name.as_str().unwrap_or_default(), ROLES, roles),
            ),
            None => ("a message has no `role`".to_owned(), roles()),
        };
        let place = document.place(&format!("{at}/role"));
        diagnostics.push(Diagnostic::new(message).at(place).help(help));
    }
    let content = map.get("content");
    let text = content.and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    if text.is_none() {
        let found = content.map_or("none".to_owned(), shown);
        let message = format!("the `content` of a message must be text, found {found}");
        let place = document.place(&format!("{at}/content"));
        diagnostics
            .push(Diagnostic::new(message).at(place).help("images and multi-part content are not supported"));
    }
    if diagnostics.len() > before {
        return None;
    }
    Some(Message::new(known?, text?.to_owned()))
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
