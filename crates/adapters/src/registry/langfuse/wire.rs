//! The JSON of Langfuse's prompts.

use promptgate_core::model::Message;
use promptgate_release::ports::StoredVersion;
use promptgate_release::{Content, Digest, PortError, PromptKind, Record, Version};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::registry::layout::{Body, Settings, chat_messages, cut, text_messages};

/// The keys of `config` with a meaning of their own.
const MODEL: &str = "model";
const RESPONSE_FORMAT: &str = "response_format";
const OURS: &str = "promptgate";
/// The key in promptgate's metadata that says that the parameter `response_format` has the answer schema.
const SCHEMA_IN_PARAMETERS: &str = "schema_in_parameters";
/// The name of an answer schema, which OpenAI's API requires.
const SCHEMA_NAME: &str = "answer";
/// A reference to another prompt, which the server replaces by that prompt's text.
const DEPENDENCY: &str = "@@@langfusePrompt:";
/// Maximum characters of a commit message.
const MAX_MESSAGE: usize = 500;

/// One version, as `GET` and `POST` return it. Fields that nothing reads are left out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) version: u64,
    #[serde(default)]
    r#type: Option<String>,
    prompt: Value,
    #[serde(default)]
    config: Value,
    #[serde(default)]
    created_by: Option<String>,
    #[serde(default)]
    commit_message: Option<String>,
}

/// A page of the list.
#[derive(Debug, Deserialize)]
pub(super) struct Listing {
    pub(super) data: Vec<Entry>,
    meta: Meta,
}

/// A prompt of the list, with the versions that the filters leave.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) versions: Vec<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    total_pages: u64,
}

impl Listing {
    pub(super) fn is_last(&self, page: u64) -> bool {
        page >= self.meta.total_pages || self.data.is_empty()
    }
}

/// The body that creates the version of a record.
///
/// # Errors
/// [`PortError::Invalid`] for messages that Langfuse cannot store as they are.
pub(super) fn create_body(record: &Record, name: &str, label: &str) -> Result<Value, PortError> {
    let body = Body::of(record)?;
    if record.content.messages.iter().any(|message| message.content.contains(DEPENDENCY)) {
        return Err(PortError::Invalid(format!(
            "version {} of {} refers to another prompt ({DEPENDENCY}…): its text would change whenever the other one \
             does; copy that text into the prompt",
            record.version, record.name
        )));
    }
    let (kind, prompt, user) = match body {
        Body::Text { system, user } => ("text", json!(system), user),
        Body::Chat(messages) => ("chat", json!(messages), None),
    };
    Ok(json!({
        "name": name,
        "type": kind,
        "prompt": prompt,
        "config": config(record, user),
        "labels": [label],
        "commitMessage": cut(&record.reason, MAX_MESSAGE),
    }))
}

/// The `config` of a record: model, parameters and answer schema as an application passes them on, and promptgate's
/// metadata with the template of a text prompt's user message.
pub(crate) fn config(record: &Record, user: Option<&str>) -> Map<String, Value> {
    let schema = record.content.answer_schema.as_ref();
    let parameter = record.content.parameters.get(RESPONSE_FORMAT);
    // A parameter with the schema is what applications send: it stays as it is, and the schema is read from it.
    let is_requested = schema.is_some() && parameter.and_then(requested_schema) == schema;
    let conflicts = |value: &Value| schema.is_some() || answer_schema(value).is_some();
    let is_taken = !is_requested && parameter.is_some_and(conflicts);
    let reserved: &[&str] = if is_taken { &[OURS, RESPONSE_FORMAT] } else { &[OURS] };
    let Settings { map: mut config, rest } = Settings::of(&record.content, MODEL, reserved);
    if let Some(schema) = schema.filter(|_| !is_requested) {
        config.insert(RESPONSE_FORMAT.to_owned(), response_format(schema));
    }
    let mut ours = json!({
        "version": record.version,
        "digest": record.digest,
        "level": record.level,
    });
    let mut add = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            ours[key] = value;
        }
    };
    add("commit", record.change.commit.clone().map(Value::from));
    add("pull_request", record.change.pull_request.map(Value::from));
    add(SCHEMA_IN_PARAMETERS, is_requested.then_some(Value::Bool(true)));
    add("parameters", (!rest.is_empty()).then_some(Value::Object(rest)));
    add("user", user.map(Value::from));
    config.insert(OURS.to_owned(), ours);
    config
}

/// An answer schema as the parameter that OpenAI's API takes.
fn response_format(schema: &Value) -> Value {
    json!({"type": "json_schema", "json_schema": {"name": SCHEMA_NAME, "schema": schema}})
}

/// The schema in a parameter `response_format`.
fn requested_schema(parameter: &Value) -> Option<&Value> {
    parameter.get("json_schema")?.get("schema")
}

/// The schema in a parameter of exactly the form that [`response_format`] writes.
fn answer_schema(parameter: &Value) -> Option<&Value> {
    let schema = requested_schema(parameter)?;
    (*parameter == response_format(schema)).then_some(schema)
}

impl Row {
    /// The version and digest in promptgate's metadata.
    pub(super) fn published(&self) -> Option<(Version, Digest)> {
        let ours = self.config.get(OURS)?;
        let text = |key: &str| ours.get(key)?.as_str();
        Some((text("version")?.parse().ok()?, text("digest")?.parse().ok()?))
    }

    fn is_chat(&self) -> bool {
        self.r#type.as_deref() == Some("chat")
    }

    fn messages(&self) -> Option<Vec<Message>> {
        if self.is_chat() {
            return chat_messages(&self.prompt);
        }
        let user = self.config.get(OURS).and_then(|ours| ours.get("user")).and_then(Value::as_str);
        Some(text_messages(self.prompt.as_str()?.to_owned(), user.map(str::to_owned)))
    }

    /// Checks that every message can be expressed as a message of a content.
    ///
    /// # Errors
    /// [`PortError::Invalid`].
    pub(super) fn check_readable(&self, name: &str) -> Result<(), PortError> {
        if self.messages().is_some() {
            return Ok(());
        }
        Err(PortError::Invalid(format!(
            "version {} of {name} in Langfuse has an entry that is not a message of the roles system, developer, user \
             or assistant, such as a placeholder; promptgate cannot publish it",
            self.version
        )))
    }

    /// The version; without messages if they cannot be expressed.
    pub(super) fn into_stored(self) -> StoredVersion {
        let published = self.published();
        let kind = if self.is_chat() { PromptKind::Chat } else { PromptKind::Text };
        let messages = self.messages().unwrap_or_default();
        let mut map = match self.config {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let (mut rest, mut is_requested) = (Map::new(), false);
        if let Some(Value::Object(mut ours)) = map.shift_remove(OURS) {
            is_requested = ours.get(SCHEMA_IN_PARAMETERS) == Some(&Value::Bool(true));
            if let Some(Value::Object(parameters)) = ours.shift_remove("parameters") {
                rest = parameters;
            }
        }
        let format = map.get(RESPONSE_FORMAT);
        let schema =
            if is_requested { format.and_then(requested_schema) } else { format.and_then(answer_schema) };
        let schema = schema.cloned();
        if schema.is_some() && !is_requested {
            map.shift_remove(RESPONSE_FORMAT);
        }
        let (model, parameters) = Settings { map, rest }.restore(MODEL);
        StoredVersion {
            id: self.version.to_string(),
            published,
            content: Content { kind, messages, model, parameters, answer_schema: schema },
            // Versions that were created with a key have no author.
            author: self.created_by.filter(|author| author != "API"),
            message: self.commit_message.filter(|message| !message.is_empty()),
        }
    }
}
