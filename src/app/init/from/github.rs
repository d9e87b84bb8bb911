//! `.prompt.yml` files of GitHub: a prompt, its cases and its evaluators.

use serde_json::{Map, Value, json};

use promptgate_core::check;
use promptgate_core::document::Document;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::draft::{
    Answerer, Draft, DraftCase, DraftCheck, DraftMessage, DraftPrompt, Model, slug, text_place,
};
use super::names::Names;
use super::promptfoo::parameters;
use super::sources::{Sources, stem};
use super::template::{Dialect, render, value_at};

const KEYS: [&str; 9] = [
    "name",
    "description",
    "model",
    "modelParameters",
    "messages",
    "testData",
    "evaluators",
    "responseFormat",
    "jsonSchema",
];
/// The address of GitHub Models, and the variable of its key.
const ADDRESS: &str = "https://models.github.ai/inference";
const KEY: &str = "GITHUB_MODELS_TOKEN";
/// Built-in evaluators and metrics: the field that every case needs.
const BUILT_IN: [(&str, &str, &str); 4] = [
    ("similarity", "correctness", "expected"),
    ("relevance", "relevance", "query"),
    ("groundedness", "faithfulness", "context"),
    ("retrieval", "faithfulness", "context"),
];

/// Whether a document is such a file.
pub(super) fn recognizes(value: &Value) -> bool {
    let is_message = |item: &Value| item.get("role").is_some() && item.get("content").is_some();
    let messages = value.get("messages").and_then(Value::as_array);
    messages.is_some_and(|items| !items.is_empty() && items.iter().all(is_message))
}

/// Converts a file.
///
/// # Errors
/// A prompt without messages.
pub(super) fn convert(path: &str, document: &Document, sources: &Sources<'_>) -> Result<Draft, Diagnostics> {
    let map = document.value().as_object().cloned().unwrap_or_default();
    let name = map.get("name").and_then(Value::as_str).map_or_else(|| stem(path), str::to_owned);
    let mut draft = Draft { name: name.clone(), ..Draft::default() };
    for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        draft.note(
            &document.key_place(&format!("/{key}")),
            format!("the key `{key}` has no counterpart"),
            "leave it out",
        );
    }
    let mut prompt = DraftPrompt {
        label: slug(&name),
        messages: messages(&map, document),
        original: Some(sources.original(path)),
        ..DraftPrompt::default()
    };
    if prompt.messages.is_empty() {
        let diagnostic = Diagnostic::new("the prompt has no messages").at(document.key_place("/messages"));
        return Err(diagnostic.help("write `messages: [{role: user, content: TEXT}]`").into());
    }
    if let Some(description) = map.get("description").and_then(Value::as_str) {
        prompt.front_matter.insert("description".to_owned(), Value::from(description));
    }
    model(&map, document, &mut draft);
    let used = prompt.names(Dialect::Plain);
    let rows: Vec<Map<String, Value>> = map
        .get("testData")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|row| row.as_object().cloned())
        .collect();
    if rows.is_empty() {
        draft.only_case(&document.key_place("/testData"), &Map::new(), &used, &mut prompt, Dialect::Plain);
        evaluators(&map, document, &[Map::new()], &mut draft);
    } else {
        let names = Names::of_prompt(&used, &rows.iter().collect::<Vec<_>>());
        for (index, row) in rows.iter().enumerate() {
            for name in used.iter().filter(|name| value_at(row, name).is_none()) {
                let place = Place { excerpt: None, ..document.place(&format!("/testData/{index}")) };
                draft.note(
                    &place,
                    format!("the variable `{name}` of the prompt has no value"),
                    "give it one in cases.jsonl",
                );
            }
            draft.cases.push(DraftCase { id: format!("test-{}", index + 1), ..names.case(row, &used) });
        }
        draft.copied.push((sources.original(path), rows.len()));
        draft.translate(&mut prompt, Dialect::Plain, &names);
        evaluators(&map, document, &rows, &mut draft);
    }
    draft.prompts.push(prompt);
    Ok(draft)
}

fn messages(map: &Map<String, Value>, document: &Document) -> Vec<DraftMessage> {
    let items = map.get("messages").and_then(Value::as_array).into_iter().flatten().enumerate();
    let messages = items.filter_map(|(index, item)| {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        let role = text("role")?.to_ascii_lowercase();
        let place = text_place(document, &format!("/messages/{index}/content"));
        Some(DraftMessage { role, text: text("content")?.to_owned(), place })
    });
    messages.filter(|message| !message.text.trim().is_empty()).collect()
}

fn endpoint() -> Map<String, Value> {
    [("base_url".to_owned(), json!(ADDRESS)), ("api_key_env".to_owned(), json!(KEY))].into_iter().collect()
}

fn model(map: &Map<String, Value>, document: &Document, draft: &mut Draft) {
    let Some(name) = map.get("model").and_then(Value::as_str) else {
        draft.note(&document.place(""), "no model is named", "write `model: NAME`");
        return;
    };
    let sent = map.get("modelParameters").and_then(Value::as_object).map(parameters).unwrap_or_default();
    let mut model = Model { name: name.to_owned(), parameters: sent, endpoint: endpoint() };
    match (map.get("responseFormat").and_then(Value::as_str), map.get("jsonSchema")) {
        (Some("json_schema"), Some(written)) => match schema(written) {
            Ok(format) => {
                let inner = format.get("schema").cloned().unwrap_or_else(|| format.clone());
                draft.checks.push(DraftCheck { body: json!({"json_schema": {"schema": inner}}), name: None });
                draft.carried += 1;
                let named = if format.get("schema").is_some() {
                    format
                } else {
                    json!({"name": "answer", "schema": format})
                };
                model.parameters.insert(
                    "response_format".to_owned(),
                    json!({"type": "json_schema", "json_schema": named}),
                );
            }
            Err(message) => {
                draft.note(&document.key_place("/jsonSchema"), message, "correct it, and import again");
            }
        },
        (Some("json_object"), _) => {
            draft.checks.push(DraftCheck { body: json!({"is_json": true}), name: None });
            draft.carried += 1;
            model.parameters.insert("response_format".to_owned(), json!({"type": "json_object"}));
        }
        (Some("text") | None, _) => {}
        (Some(other), _) => {
            let help = "write `response_format` under `parameters`, in the format of the API";
            draft.note(
                &document.key_place("/responseFormat"),
                format!("the format `{other}` has no counterpart"),
                help,
            );
        }
    }
    draft.answerer = Answerer::Model(model);
}

/// The schema, which is a text of JSON.
fn schema(written: &Value) -> Result<Value, String> {
    match written {
        Value::String(text) => {
            Document::json("jsonSchema", text).map(Document::into_value).map_err(|errors| {
                format!(
                    "`jsonSchema` is not valid JSON: {}",
                    errors.0.first().map(|error| error.message.as_str()).unwrap_or_default()
                )
            })
        }
        other => Ok(other.clone()),
    }
}

fn evaluators(map: &Map<String, Value>, document: &Document, rows: &[Map<String, Value>], draft: &mut Draft) {
    let items = map.get("evaluators").and_then(Value::as_array).cloned().unwrap_or_default();
    for (index, item) in items.iter().enumerate() {
        let place = Place { excerpt: None, ..document.place(&format!("/evaluators/{index}")) };
        let name = item.get("name").and_then(Value::as_str).map(slug).filter(|name| !name.is_empty());
        let result = match (item.get("string"), item.get("llm"), item.get("uses").and_then(Value::as_str)) {
            (Some(Value::Object(string)), ..) => texts(string, name.as_deref(), rows, draft),
            (_, Some(llm), _) => judged(llm, rows, draft),
            (_, _, Some(uses)) => built_in(uses, draft),
            _ => Err((
                "an evaluator has none of `string`, `llm` and `uses`".to_owned(),
                "leave it out".to_owned(),
            )),
        };
        match result {
            Ok(()) => draft.carried += 1,
            Err((message, help)) => draft.note(&place, message, help),
        }
    }
}

type Carried = Result<(), (String, String)>;

fn inserted(text: &str, row: &Map<String, Value>) -> String {
    let lookup = |name: &str| value_at(row, name).cloned();
    render(text, Dialect::Plain, &lookup).unwrap_or_else(|_| text.to_owned())
}

/// A comparison of texts; all but `equals` ignore case.
fn texts(
    string: &Map<String, Value>,
    name: Option<&str>,
    rows: &[Map<String, Value>],
    draft: &mut Draft,
) -> Carried {
    let known = ["equals", "contains", "startsWith", "endsWith"];
    let found = known
        .iter()
        .find_map(|key| Some((*key, string.get(*key)?.as_str().filter(|text| !text.is_empty())?)));
    let Some((kind, text)) = found else {
        let keys = string.keys().cloned().collect::<Vec<_>>().join(", ");
        return Err((
            format!("a comparison by `{keys}` has no counterpart"),
            "write `contains`, `equals`, `starts_with` or `regex`".to_owned(),
        ));
    };
    for (case, row) in draft.cases.iter_mut().zip(rows) {
        let text = inserted(text, row);
        let body = match kind {
            "equals" => json!({"equals": {"value": text, "trim": true}}),
            "contains" => json!({"contains": {"all": [text], "ignore_case": true}}),
            "startsWith" => json!({"starts_with": {"any": [text], "ignore_case": true, "trim": true}}),
            _ => json!({"ends_with": {"any": [text], "ignore_case": true, "trim": true}}),
        };
        if let Err(errors) = check::compile(&body, &|_| Err(String::new())) {
            let message = errors.into_iter().next().map(|error| error.message).unwrap_or_default();
            return Err((message, "correct it, and import again".to_owned()));
        }
        case.checks.push(DraftCheck { body, name: name.map(str::to_owned) });
    }
    Ok(())
}

/// A question to a model with choices: a criterion where all but the first choice score 0.
fn judged(llm: &Value, rows: &[Map<String, Value>], draft: &mut Draft) -> Carried {
    let choices: Vec<f64> = llm
        .get("choices")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|choice| choice.get("score").and_then(Value::as_f64))
        .collect();
    let passing = choices.iter().filter(|score| **score > 0.0).count();
    let Some(prompt) = llm.get("prompt").and_then(Value::as_str) else {
        return Err(("a judgement has no `prompt`".to_owned(), "leave it out".to_owned()));
    };
    if passing > 1 {
        let help = "write `metrics: {NAME: {scale: {of: …, anchors: {0: …, 5: …}}}}`";
        return Err(("a judgement with several scores is not a criterion".to_owned(), help.to_owned()));
    }
    let asks = |text: &str| text.replace("{{completion}}", "").replace("{{ completion }}", "");
    for (case, row) in draft.cases.iter_mut().zip(rows) {
        let text = inserted(&asks(prompt), row).split_whitespace().collect::<Vec<_>>().join(" ");
        case.criteria.push(Value::from(format!("a yes to this question about the answer: {text}")));
    }
    if let Some(name) = llm.get("modelId").and_then(Value::as_str) {
        draft.judge.get_or_insert_with(|| Model {
            name: name.to_owned(),
            endpoint: endpoint(),
            ..Model::default()
        });
    }
    Ok(())
}

fn built_in(uses: &str, draft: &mut Draft) -> Carried {
    let name = uses.strip_prefix("github/").unwrap_or(uses);
    let Some((_, metric, field)) = BUILT_IN.iter().find(|(known, ..)| *known == name) else {
        let help = "write a metric with a `rubric`: yes/no statements about a good answer";
        return Err((format!("`{uses}` has no counterpart"), help.to_owned()));
    };
    let has = |case: &DraftCase| match *field {
        "expected" => case.expected.is_some(),
        "query" => case.query.is_some(),
        _ => case.context.is_some(),
    };
    if !draft.cases.iter().all(has) {
        let help = format!("give every case `{field}`, and write `metrics: {{{metric}: {{min: 0.8}}}}`");
        return Err((format!("`{uses}` needs `{field}` in every case"), help));
    }
    draft.metrics.insert((*metric).to_owned(), json!({"min": 0.8}));
    if draft.judge.is_none()
        && let Answerer::Model(model) = &draft.answerer
    {
        draft.judge = Some(Model {
            name: "openai/gpt-4o".to_owned(),
            endpoint: model.endpoint.clone(),
            ..Model::default()
        });
    }
    Ok(())
}
