//! YAML front matter of a text prompt, and the settings shared by text and chat prompts.

use serde_json::{Map, Value};

use promptgate_core::document::{Document, pointer, shown, unexpanded};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_release::Level;

use super::Settings;
use crate::files::diagnostics::did_you_mean;

const KEYS: [&str; 8] =
    ["name", "version", "level", "description", "model", "parameters", "author", "reason"];

/// The keys of a prompt file that concern its publication. They are part of no request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FrontMatter {
    /// `version:` as written, and its place.
    pub version: Option<(String, Place)>,
    /// `level:`, and its place.
    pub level: Option<(Level, Place)>,
    /// `reason:`: why the prompt was changed.
    pub reason: Option<String>,
}

/// Splits a text prompt into its settings, its body, and the first line of the body. The keys `ignored` are skipped.
pub(super) fn split<'t>(
    file: &str,
    text: &'t str,
    ignored: &[&str],
) -> Result<(Settings, &'t str, usize), Diagnostics> {
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
        return Ok((Settings::default(), text, 1));
    };
    let head_start = first.len();
    let mut head_end = head_start;
    let mut number = 1;
    for line in lines {
        number += 1;
        if line.trim_end() == "---" {
            let head = text.get(head_start..head_end).unwrap_or_default();
            let body = text.get(head_end + line.len()..).unwrap_or_default();
            let document = Document::yaml_from(file, 2, head)?;
            return Ok((head_settings(&document, ignored)?, body, number + 1));
        }
        head_end += line.len();
    }
    Err(Diagnostic::new("front matter is opened but never closed")
        .at(Place::line(file, 1))
        .help("close it with a line `---`; for a horizontal rule, insert a blank line before it")
        .into())
}

fn head_settings(document: &Document, ignored: &[&str]) -> Result<Settings, Diagnostics> {
    match document.value() {
        Value::Null => Ok(Settings::default()),
        Value::Object(map) => {
            let mut diagnostics = Vec::new();
            let is_unknown = |key: &&String| !KEYS.contains(&key.as_str()) && !ignored.contains(&key.as_str());
            for key in map.keys().filter(is_unknown) {
                diagnostics.push(unknown(document, key, &KEYS));
            }
            let settings = settings(document, map, "parameters", &mut diagnostics);
            if diagnostics.is_empty() { Ok(settings) } else { Err(Diagnostics(diagnostics)) }
        }
        other => Err(Diagnostic::new(format!("front matter must be a map, found {}", shown(other)))
            .at(document.place(""))
            .help("write `key: value` lines between the two `---`; for a horizontal rule, insert a blank line before it")
            .into()),
    }
}

/// A diagnostic for an unknown key at the root of a document.
pub(super) fn unknown(document: &Document, key: &str, known: &[&str]) -> Diagnostic {
    let help = did_you_mean(key, known.iter().copied(), || format!("known keys are {}", known.join(", ")));
    Diagnostic::new(format!("unknown key `{key}`")).at(document.key_place(&pointer("", key))).help(help)
}

/// Reads name, version, model, parameters and the keys of a publication. `parameters` is the key of the fourth.
pub(super) fn settings(
    document: &Document,
    map: &Map<String, Value>,
    parameters: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Settings {
    let mut read = |key: &str| match map.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
        // Only integers: the number 1.10 would become the version 1.1.
        Some(Value::Number(number)) if key == "version" && (number.is_u64() || number.is_i64()) => {
            Some(number.to_string())
        }
        Some(other) => {
            let help = match other {
                Value::Number(_) => "quote it",
                Value::Object(_) if key == "model" => {
                    "write its name, `model: gpt-4o-mini`, and its parameters under `parameters`"
                }
                _ => "write text, or remove the key",
            };
            let message = format!("`{key}` must be text, found {}", shown(other));
            diagnostics.push(Diagnostic::new(message).at(document.place(&pointer("", key))).help(help));
            None
        }
    };
    let (name, version, model) = (read("name"), read("version"), read("model"));
    let (reason, level) = (read("reason"), read("level"));
    for key in ["author", "description"] {
        read(key);
    }
    for (key, value) in [("name", &name), ("version", &version), ("model", &model)] {
        if value.as_ref().is_some_and(|text| text.chars().any(char::is_control)) {
            let message = format!("`{key}` contains a line break or another control character");
            diagnostics.push(Diagnostic::new(message).at(document.place(&pointer("", key))));
        }
        if let Some((written, _)) = value.as_deref().and_then(unexpanded) {
            let message = format!("`{written}` is not expanded: prompts cannot read the environment");
            let place = document.place(&pointer("", key));
            diagnostics.push(Diagnostic::new(message).at(place).help("write the value itself"));
        }
    }
    let level = level.and_then(|level| match level.parse::<Level>() {
        Ok(level) => Some((level, document.place("/level"))),
        Err(error) => {
            let diagnostic = Diagnostic::new(error.to_string()).at(document.place("/level"));
            diagnostics.push(
                diagnostic.help("write `level: minor` or `level: major` to raise the level, or remove it"),
            );
            None
        }
    });
    let place = |version: &String| (version.clone(), document.place("/version"));
    let front_matter = FrontMatter { version: version.as_ref().map(place), level, reason };
    let parameters = match map.get(parameters) {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map.clone(),
        Some(other) => {
            let message = format!("`{parameters}` must be a map, found {}", shown(other));
            let place = document.place(&pointer("", parameters));
            diagnostics.push(Diagnostic::new(message).at(place).help("write `parameters: {temperature: 0}`"));
            Map::new()
        }
    };
    Settings { name, version, model, parameters, front_matter }
}
