//! Langfuse: a prompt as its API returns it, and the items of a dataset.

use serde_json::{Map, Value};

use promptgate_core::document::{Document, pointer};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::draft::{Answerer, Draft, DraftCase, DraftMessage, DraftPrompt, Model, slug, text_place, unique};
use super::names::Names;
use super::promptfoo::parameters;
use super::template::{Dialect, value_at};

/// Whether a document is a prompt.
pub(super) fn is_prompt(value: &Value) -> bool {
    let is_typed =
        value.get("type").and_then(Value::as_str).is_some_and(|kind| kind == "chat" || kind == "text");
    let has_prompt = value.get("prompt").is_some_and(|prompt| prompt.is_string() || prompt.is_array());
    has_prompt && (is_typed || value.get("labels").is_some())
}

/// The items of a dataset: a list, a page of the API, or one item.
pub(super) fn items(value: &Value) -> Option<Vec<(String, &Value)>> {
    let is_item = |item: &Value| {
        item.get("input").is_some()
            && ["expectedOutput", "expected_output", "datasetName", "datasetId"]
                .iter()
                .any(|key| item.get(key).is_some())
    };
    let (parent, list) = match value {
        Value::Array(items) => ("", items),
        Value::Object(map) => match map.get("data").or(map.get("items")) {
            Some(Value::Array(items)) => (if map.contains_key("data") { "/data" } else { "/items" }, items),
            _ => return is_item(value).then(|| vec![(String::new(), value)]),
        },
        _ => return None,
    };
    let is_list = !list.is_empty() && list.iter().all(is_item);
    is_list
        .then(|| list.iter().enumerate().map(|(index, item)| (format!("{parent}/{index}"), item)).collect())
}

/// Converts a prompt with the items of a dataset, of which there may be none.
///
/// # Errors
/// No prompt, and a prompt without messages.
pub(super) fn convert(prompt: &Document, dataset: Option<&Document>) -> Result<Draft, Diagnostics> {
    let value = prompt.value();
    let name = value.get("name").and_then(Value::as_str).unwrap_or("prompt");
    let mut draft = Draft { name: name.to_owned(), ..Draft::default() };
    model(value, prompt, &mut draft);
    let mut messages = messages(value, prompt, &mut draft);
    if messages.is_empty() {
        let diagnostic = Diagnostic::new("the prompt has no messages").at(prompt.place("/prompt"));
        return Err(diagnostic.help("export one with a text, and import again").into());
    }
    messages.iter_mut().for_each(|message| message.text = message.text.trim_end().to_owned());
    let mut candidate = DraftPrompt { label: slug(name), messages, ..DraftPrompt::default() };
    if let Some(version) = value.get("version").filter(|version| version.is_u64()) {
        candidate.front_matter.insert("version".to_owned(), Value::from(version.to_string()));
    }
    let used = candidate.names(Dialect::Plain);
    match dataset {
        None => {
            let place = Place { excerpt: None, ..prompt.place("") };
            draft.only_case(&place, &Map::new(), &used, &mut candidate, Dialect::Plain);
        }
        Some(dataset) => {
            let names = cases(dataset, &used, &mut draft);
            draft.translate(&mut candidate, Dialect::Plain, &names);
        }
    }
    draft.prompts.push(candidate);
    Ok(draft)
}

fn model(value: &Value, document: &Document, draft: &mut Draft) {
    let config = value.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
    let name = ["model", "modelName", "model_name"].iter().find_map(|key| config.get(*key)?.as_str());
    let Some(name) = name else {
        draft.note(&document.key_place("/config"), "the config names no model", "write `model: NAME`");
        return;
    };
    let sent = parameters(&config);
    for key in config.keys() {
        let one: Map<String, Value> =
            [(key.clone(), config.get(key).cloned().unwrap_or_default())].into_iter().collect();
        if !["model", "modelName", "model_name"].contains(&key.as_str()) && parameters(&one).is_empty() {
            let place = document.key_place(&pointer("/config", key));
            draft.note(
                &place,
                format!("`{key}` of the config is not carried"),
                "where the API knows it, write it under `parameters`",
            );
        }
    }
    draft.answerer = Answerer::Model(Model { name: name.to_owned(), parameters: sent, ..Model::default() });
}

fn messages(value: &Value, document: &Document, draft: &mut Draft) -> Vec<DraftMessage> {
    match value.get("prompt") {
        Some(Value::String(text)) => {
            let place = text_place(document, "/prompt");
            vec![DraftMessage { role: "user".to_owned(), text: text.clone(), place }]
        }
        Some(Value::Array(items)) => {
            let mut messages = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let at = format!("/prompt/{index}");
                let text = |key: &str| item.get(key).and_then(Value::as_str);
                match (text("role"), text("content")) {
                    (Some(role @ ("system" | "developer" | "user" | "assistant")), Some(content)) => {
                        let place = text_place(document, &format!("{at}/content"));
                        messages.push(DraftMessage {
                            role: role.to_owned(),
                            text: content.to_owned(),
                            place,
                        });
                    }
                    _ => {
                        let help =
                            "write the earlier turns as messages, or into a column that the prompt inserts";
                        draft.note(
                            &document.place(&at),
                            "a placeholder of messages has no counterpart",
                            help,
                        );
                    }
                }
            }
            messages
        }
        _ => Vec::new(),
    }
}

/// The cases of the active items.
fn cases(dataset: &Document, used: &[String], draft: &mut Draft) -> Names {
    let items: Vec<(String, &Value)> = items(dataset.value()).unwrap_or_default();
    let is_active =
        |item: &Value| item.get("status").and_then(Value::as_str).is_none_or(|status| status == "ACTIVE");
    let active = items.iter().filter(|(_, item)| is_active(item)).map(|(at, item)| {
        // A text is the question.
        let vars = match item.get("input") {
            Some(Value::Object(map)) => map.clone(),
            Some(input) => {
                let name = used
                    .iter()
                    .find(|name| !name.contains("context"))
                    .cloned()
                    .unwrap_or_else(|| "query".to_owned());
                [(name, input.clone())].into_iter().collect()
            }
            None => Map::new(),
        };
        (at.clone(), *item, vars)
    });
    let active: Vec<(String, &Value, Map<String, Value>)> = active.collect();
    let rows: Vec<&Map<String, Value>> = active.iter().map(|(_, _, vars)| vars).collect();
    let names = Names::of_prompt(used, &rows);
    let mut taken = Vec::new();
    for (at, item, vars) in &active {
        for name in used.iter().filter(|name| value_at(vars, name).is_none()) {
            let place = Place { excerpt: None, ..dataset.place(at) };
            draft.note(
                &place,
                format!("the variable `{name}` of the prompt has no value"),
                "give it one in cases.jsonl",
            );
        }
        let id = item.get("id").and_then(Value::as_str).unwrap_or("item");
        let expected =
            item.get("expectedOutput").or(item.get("expected_output")).filter(|value| !value.is_null());
        let case = names.case(vars, used);
        let expected = expected.cloned().or(case.expected.clone());
        draft.cases.push(DraftCase { id: unique(id, &mut taken), expected, ..case });
    }
    let archived = items.len() - active.len();
    if archived > 0 {
        let message = match archived {
            1 => "one archived item is left out".to_owned(),
            several => format!("{several} archived items are left out"),
        };
        draft.note(
            &Place { excerpt: None, ..dataset.place("") },
            message,
            "restore them there, and import again",
        );
    }
    if draft.cases.iter().any(|case| case.expected.is_some()) {
        let help = "nothing compares answers with `expected` yet: write `metrics: {correctness: {min: 0.8}}` and a `judge`, or a check such as `equals: {}`";
        draft.note(
            &Place { excerpt: None, ..dataset.place("") },
            "Langfuse's evaluators are not part of the export",
            help,
        );
    }
    names
}
