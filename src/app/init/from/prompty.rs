//! Prompty: front matter, and messages below lines such as `system:`.

use serde_json::{Map, Value, json};

use promptgate_core::document::Document;
use promptgate_core::model::{Diagnostics, Place};

use super::draft::{Answerer, Draft, DraftMessage, DraftPrompt, Model, slug};
use super::front_matter::Split;
use super::names::Names;
use super::promptfoo::parameters;
use super::sources::{Sources, normal, stem};
use super::template::Dialect;

/// Keys that change no answer.
const IGNORED: [&str; 9] =
    ["name", "description", "authors", "tags", "version", "model", "inputs", "sample", "outputs"];

/// Whether a front matter is one of Prompty.
pub(super) fn recognizes(front_matter: &Value, body: &str) -> bool {
    let has_model = front_matter.pointer("/model/configuration").is_some()
        || front_matter.pointer("/model/api").is_some();
    has_model
        || (front_matter.get("inputs").is_some() || front_matter.get("sample").is_some())
            && body.lines().any(|line| role(line).is_some())
}

/// The role that a line starts.
fn role(line: &str) -> Option<&'static str> {
    let name = line.trim_end().trim_start_matches('#').trim_start().strip_suffix(':')?;
    ["system", "user", "assistant", "developer"].into_iter().find(|role| name.eq_ignore_ascii_case(role))
}

/// Converts a file.
///
/// # Errors
/// A sample in a file that cannot be read.
pub(super) fn convert(path: &str, split: &Split, sources: &Sources<'_>) -> Result<Draft, Diagnostics> {
    let document = &split.front_matter;
    let map = document.value().as_object().cloned().unwrap_or_default();
    let mut draft = Draft::default();
    let named = map.get("name").and_then(Value::as_str).map_or_else(|| stem(path), str::to_owned);
    draft.name.clone_from(&named);
    for key in map.keys().filter(|key| !IGNORED.contains(&key.as_str())) {
        if key == "template" && is_plain(map.get(key)) {
            continue;
        }
        let place = document.key_place(&format!("/{key}"));
        draft.note(&place, format!("the key `{key}` has no counterpart"), "leave it out");
    }
    model(&map, document, &mut draft);
    let sample = sample(&map, document, sources)?;
    let mut prompt = DraftPrompt {
        label: slug(&named),
        messages: messages(split, &sources.shown(path)),
        original: Some(sources.original(path)),
        ..DraftPrompt::default()
    };
    if let Some(description) = map.get("description").and_then(Value::as_str) {
        prompt.front_matter.insert("description".to_owned(), Value::from(description));
    }
    let used = prompt.names(Dialect::Nunjucks);
    draft.only_case(&Place::line(sources.shown(path), 1), &sample, &used, &mut prompt, Dialect::Nunjucks);
    draft.prompts.push(prompt);
    Ok(draft)
}

/// Jinja and Mustache have plain variables alike.
fn is_plain(template: Option<&Value>) -> bool {
    let known = |name: &str| ["jinja2", "mustache", "prompty"].contains(&name);
    match template {
        Some(Value::String(name)) => known(name),
        Some(Value::Object(map)) => {
            let of = |key: &str| {
                map.get(key).and_then(|value| value.as_str().or_else(|| value.get("kind")?.as_str()))
            };
            of("format").is_none_or(known) && of("type").is_none_or(known)
        }
        _ => false,
    }
}

fn messages(split: &Split, shown: &str) -> Vec<DraftMessage> {
    let mut messages: Vec<DraftMessage> = Vec::new();
    for (index, line) in split.body.lines().enumerate() {
        let number = split.first_line + index;
        if let Some(role) = role(line) {
            let place = Place::line(shown, number + 1);
            messages.push(DraftMessage { role: role.to_owned(), text: String::new(), place });
            continue;
        }
        if messages.is_empty() && !line.trim().is_empty() {
            messages.push(DraftMessage {
                role: "system".to_owned(),
                text: String::new(),
                place: Place::line(shown, number),
            });
        }
        if let Some(last) = messages.last_mut() {
            last.text.push_str(line);
            last.text.push('\n');
        }
    }
    for message in &mut messages {
        let blank = message.text.lines().take_while(|line| line.trim().is_empty()).count();
        message.place.line = message.place.line.map(|line| line + blank);
        message.text = message.text.trim_matches('\n').trim_end().to_owned();
    }
    messages.retain(|message| !message.text.is_empty());
    messages
}

fn model(map: &Map<String, Value>, document: &Document, draft: &mut Draft) {
    let place = document.key_place("/model");
    let text = |path: &str| map.get("model")?.pointer(path)?.as_str().map(str::to_owned);
    let written = map.get("model").and_then(|model| model.get("parameters").or(model.get("options")));
    let parameters = written.and_then(Value::as_object).map(parameters).unwrap_or_default();
    let mut model = Model { parameters, ..Model::default() };
    let kind = text("/configuration/type").or(text("/connection/kind")).unwrap_or_default();
    let deployment = text("/configuration/azure_deployment");
    let name = text("/configuration/name").or(text("/configuration/model")).or(text("/id"));
    let name = name.or_else(|| map.get("model")?.as_str().map(str::to_owned));
    if kind.starts_with("azure") || deployment.is_some() {
        let deployment = deployment.or(name).unwrap_or_else(|| "DEPLOYMENT".to_owned());
        let host = text("/configuration/azure_endpoint").filter(|host| !host.contains("${"));
        let host = host.map(|host| host.trim_start_matches("https://").trim_end_matches('/').to_owned());
        if host.is_none() {
            draft.note(
                &place,
                "the address of the resource comes from the environment",
                "replace NAME in `endpoint.base_url`",
            );
        }
        let version = text("/configuration/api_version").unwrap_or_else(|| "2024-10-21".to_owned());
        let host = host.unwrap_or_else(|| "NAME.openai.azure.com".to_owned());
        let address = format!("https://{host}/openai/deployments/{deployment}?api-version={version}");
        model.endpoint.insert("base_url".to_owned(), json!(address));
        model.endpoint.insert("headers".to_owned(), json!({"api-key": {"env": "AZURE_OPENAI_API_KEY"}}));
        model.name = deployment;
    } else if let Some(name) = name {
        model.name = name;
        match kind.as_str() {
            "" | "openai" => {}
            "anthropic" => drop(model.endpoint.insert("protocol".to_owned(), json!("anthropic"))),
            other => draft.note(
                &place,
                format!("the model's type `{other}` is not known"),
                "write `endpoint: {base_url: URL}`",
            ),
        }
    } else {
        draft.note(&place, "no model is named", "write `model: NAME`");
        return;
    }
    draft.answerer = Answerer::Model(model);
}

/// The sample: a map, a file, or what each input has.
fn sample(
    map: &Map<String, Value>,
    document: &Document,
    sources: &Sources<'_>,
) -> Result<Map<String, Value>, Diagnostics> {
    let place = document.place("/sample");
    let mut sample = Map::new();
    for (name, input) in map.get("inputs").and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = input.get("sample").or(input.get("example")).or(input.get("default")) {
            sample.insert(name.clone(), value.clone());
        }
    }
    match map.get("sample") {
        Some(Value::Object(values)) => sample.extend(values.clone()),
        Some(Value::String(path)) => {
            let path = path.strip_prefix("${file:").and_then(|path| path.strip_suffix('}')).unwrap_or(path);
            let values = sources.document(&normal(path), &place)?.into_value();
            sample.extend(values.as_object().cloned().unwrap_or_default());
        }
        _ => {}
    }
    Ok(sample)
}

impl Draft {
    /// Adds the case of a prompt's only example, and translates the prompt.
    pub(super) fn only_case(
        &mut self,
        place: &Place,
        vars: &Map<String, Value>,
        used: &[String],
        prompt: &mut DraftPrompt,
        dialect: Dialect,
    ) {
        let mut vars = vars.clone();
        let missing: Vec<&String> =
            used.iter().filter(|name| super::template::value_at(&vars, name).is_none()).collect();
        if vars.is_empty() || !missing.is_empty() {
            let message = match missing.as_slice() {
                [] => "there are no cases".to_owned(),
                missing => format!(
                    "there is no example of {}",
                    missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                ),
            };
            let help = "replace the example in cases.jsonl, and add cases, checks and criteria";
            self.note(place, message, help);
            let missing: Vec<String> = missing.into_iter().cloned().collect();
            vars.extend(
                missing.into_iter().map(|name| (name.clone(), Value::from(format!("an example of {name}")))),
            );
        }
        let names = Names::of_prompt(used, &[&vars]);
        let mut case = names.case(&vars, used);
        case.id = "example".to_owned();
        self.cases.push(case);
        self.translate(prompt, dialect, &names);
    }
}
