//! Dotprompt: front matter, and a Handlebars template whose plain part is carried.

mod picoschema;

use serde_json::{Map, Value, json};

use promptgate_core::document::Document;
use promptgate_core::model::{Diagnostics, Place};

use super::draft::{Answerer, Draft, DraftCheck, DraftMessage, DraftPrompt, Model, slug};
use super::front_matter::Split;
use super::promptfoo::parameters;
use super::sources::{Sources, stem};
use super::template::Dialect;

const KEYS: [&str; 10] =
    ["model", "config", "input", "output", "name", "description", "variant", "version", "metadata", "ext"];
/// Vendors by the prefix of a model: the prefix and the protocol.
const VENDORS: [(&str, &str); 5] = [
    ("googleai", "gemini"),
    ("google-genai", "gemini"),
    ("gemini", "gemini"),
    ("anthropic", "anthropic"),
    ("openai", "openai"),
];

/// Whether a front matter is one of Dotprompt.
pub(super) fn recognizes(front_matter: &Value, body: &str) -> bool {
    let is_map = |key: &str| front_matter.get(key).is_some_and(Value::is_object);
    let has_model = front_matter.get("model").is_some_and(Value::is_string);
    body.contains("{{role ") || (has_model && body.contains("{{")) || is_map("input") || is_map("output")
}

/// Converts a file.
///
/// # Errors
/// None yet: what has no counterpart becomes a note.
pub(super) fn convert(path: &str, split: &Split, sources: &Sources<'_>) -> Result<Draft, Diagnostics> {
    let document = &split.front_matter;
    let map = document.value().as_object().cloned().unwrap_or_default();
    let shown = sources.shown(path);
    let named = map.get("name").and_then(Value::as_str).map_or_else(|| stem(path), str::to_owned);
    let mut draft = Draft { name: named.clone(), ..Draft::default() };
    for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        let help = match key.as_str() {
            "tools" | "toolDefs" => "write the tools under `parameters`, in the format of the API",
            _ => "leave it out",
        };
        draft.note(
            &document.key_place(&format!("/{key}")),
            format!("the key `{key}` has no counterpart"),
            help,
        );
    }
    let schema = output(&map, document, &mut draft);
    model(&map, document, schema, &mut draft);
    let mut prompt = DraftPrompt {
        label: slug(&named),
        messages: messages(split, &shown, &mut draft),
        original: Some(sources.original(path)),
        ..DraftPrompt::default()
    };
    if let Some(description) = map.get("description").and_then(Value::as_str) {
        prompt.front_matter.insert("description".to_owned(), Value::from(description));
    }
    let used = prompt.names(Dialect::Handlebars);
    let defaults = map.get("input").and_then(|input| input.get("default")).and_then(Value::as_object);
    let defaults = defaults.cloned().unwrap_or_default();
    draft.only_case(&Place::line(shown, 1), &defaults, &used, &mut prompt, Dialect::Handlebars);
    draft.prompts.push(prompt);
    Ok(draft)
}

/// The schema of the answer; JSON without a schema is a check alone.
fn output(map: &Map<String, Value>, document: &Document, draft: &mut Draft) -> Option<Value> {
    let output = map.get("output")?;
    let is_json = output.get("format").and_then(Value::as_str).is_none_or(|format| format == "json");
    let Some(schema) = output.get("schema") else {
        if output.get("format").is_some() && is_json {
            draft.checks.push(DraftCheck { body: json!({"is_json": true}), name: None });
            draft.carried += 1;
        }
        return None;
    };
    let place = document.key_place("/output/schema");
    match picoschema::schema(schema) {
        Ok(schema) => {
            draft.checks.push(DraftCheck { body: json!({"json_schema": {"schema": schema}}), name: None });
            draft.carried += 1;
            Some(schema)
        }
        Err(message) => {
            draft.note(&place, message, "write the JSON Schema: `checks: - json_schema: FILE`");
            None
        }
    }
}

fn model(map: &Map<String, Value>, document: &Document, schema: Option<Value>, draft: &mut Draft) {
    let place = document.key_place("/model");
    let Some(written) = map.get("model").and_then(Value::as_str) else {
        draft.note(&document.place(""), "no model is named", "write `model: NAME`");
        return;
    };
    let (vendor, name) = written.split_once('/').unwrap_or(("", written));
    let mut model = Model { name: name.to_owned(), ..Model::default() };
    match VENDORS.iter().find(|(prefix, _)| *prefix == vendor) {
        Some((_, "openai")) => {}
        Some((_, protocol)) => drop(model.endpoint.insert("protocol".to_owned(), json!(protocol))),
        None => {
            draft.note(
                &place,
                format!("the vendor of `{written}` is not known"),
                "write `endpoint: {base_url: URL}`",
            );
        }
    }
    if let Some(config) = map.get("config").and_then(Value::as_object) {
        model.parameters = parameters(config);
        for key in config.keys() {
            let one: Map<String, Value> =
                [(key.clone(), config.get(key).cloned().unwrap_or_default())].into_iter().collect();
            if parameters(&one).is_empty() {
                let at = document.key_place(&format!("/config/{key}"));
                draft.note(
                    &at,
                    format!("the parameter `{key}` is not known"),
                    "write it under `parameters` in the API's own words",
                );
            }
        }
    }
    if let Some(schema) = schema {
        let format = json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}});
        model.parameters.insert("response_format".to_owned(), format);
    }
    draft.answerer = Answerer::Model(model);
}

/// The messages between the marks of roles; without one they are the user's.
fn messages(split: &Split, shown: &str, draft: &mut Draft) -> Vec<DraftMessage> {
    let mut messages: Vec<DraftMessage> = Vec::new();
    let mut add = |role: &str, text: &str, line: usize| {
        let blank = text.chars().take_while(|c| c.is_whitespace()).filter(|c| *c == '\n').count();
        let trimmed = text.trim();
        if !trimmed.is_empty() {
            messages.push(DraftMessage {
                role: role.to_owned(),
                text: trimmed.to_owned(),
                place: Place::line(shown, line + blank),
            });
        }
    };
    let (mut role, mut rest, mut line) = ("user", split.body.as_str(), split.first_line);
    while let Some((before, after)) = rest.split_once("{{role ") {
        add(role, before, line);
        line += before.matches('\n').count();
        let Some((name, behind)) = after.split_once("}}") else { break };
        role = match name.trim().trim_matches(['"', '\'']) {
            "system" => "system",
            "user" => "user",
            "model" | "assistant" => "assistant",
            other => {
                let help = "the roles are system, user and model";
                draft.note(&Place::line(shown, line), format!("the role `{other}` is not known"), help);
                "user"
            }
        };
        rest = behind;
    }
    add(role, rest, line);
    messages
}
