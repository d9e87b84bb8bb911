//! The JSON of MLflow's model registry, where prompts are registered models.

use promptgate_core::model::Message;
use promptgate_release::ports::StoredVersion;
use promptgate_release::{Content, Digest, PortError, PromptKind, Record, Version};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::registry::layout::{Body, Settings, chat_messages, cut, text_messages};

/// Tags that MLflow's client reads and writes (`mlflow/prompt/constants.py`).
const IS_PROMPT: &str = "mlflow.prompt.is_prompt";
const TEXT: &str = "mlflow.prompt.text";
const TYPE: &str = "_mlflow_prompt_type";
const MODEL_CONFIG: &str = "_mlflow_prompt_model_config";
const RESPONSE_FORMAT: &str = "_mlflow_prompt_response_format";
/// promptgate's own tags.
const VERSION: &str = "promptgate.version";
const DIGEST: &str = "promptgate.digest";
const LEVEL: &str = "promptgate.level";
const COMMIT: &str = "promptgate.commit";
const USER: &str = "promptgate.user";
const PARAMETERS: &str = "promptgate.parameters";

/// The key of the model in the model configuration, and keys that its client gives another meaning.
const MODEL: &str = "model_name";
const RESERVED: [&str; 2] = ["provider", "extra_params"];
/// The source of every prompt; the server takes no other.
const SOURCE: &str = "dummy-source";
/// Maximum characters of a tag, and of a description, which is a column.
const MAX_TAG: usize = 100_000;
const MAX_DESCRIPTION: usize = 5000;

#[derive(Debug, Deserialize)]
pub(super) struct ModelReply {
    pub(super) registered_model: RegisteredModel,
}

/// A prompt.
#[derive(Debug, Deserialize)]
pub(super) struct RegisteredModel {
    #[serde(default)]
    tags: Vec<Tag>,
    /// Left out if there is none.
    #[serde(default)]
    pub(super) aliases: Vec<Alias>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Alias {
    pub(super) alias: String,
    pub(super) version: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct VersionReply {
    pub(super) model_version: StoredModelVersion,
}

/// A page of a search; empty for an unknown name.
#[derive(Debug, Deserialize)]
pub(super) struct SearchPage {
    #[serde(default)]
    pub(super) model_versions: Vec<StoredModelVersion>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

/// A version.
#[derive(Debug, Deserialize)]
pub(super) struct StoredModelVersion {
    pub(super) name: String,
    pub(super) version: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

fn find<'t>(tags: &'t [Tag], key: &str) -> Option<&'t str> {
    tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str())
}

/// The body that creates a prompt.
pub(super) fn create_prompt_body(record: &Record, name: &str) -> Value {
    json!({
        "name": name,
        "tags": [{"key": IS_PROMPT, "value": "true"}],
        "description": cut(&record.reason, MAX_DESCRIPTION),
    })
}

/// The body that creates the version of a record.
///
/// # Errors
/// [`PortError::Invalid`] for a content that MLflow cannot store.
pub(in crate::registry) fn create_version_body(record: &Record, name: &str) -> Result<Value, PortError> {
    let content = &record.content;
    let mut ours = vec![
        (VERSION, record.version.to_string()),
        (DIGEST, record.digest.to_string()),
        (LEVEL, record.level.to_string()),
    ];
    ours.extend(record.change.commit.clone().map(|commit| (COMMIT, commit)));
    let (kind, text) = match Body::of(record)? {
        Body::Text { system, user } => {
            ours.extend(user.map(|user| (USER, user.to_owned())));
            ("text", system.to_owned())
        }
        Body::Chat(messages) => ("chat", json!(messages).to_string()),
    };
    let Settings { map, rest } = Settings::of(content, MODEL, &RESERVED);
    if !rest.is_empty() {
        ours.push((PARAMETERS, Value::Object(rest).to_string()));
    }
    let mut tags = ours;
    tags.extend([(IS_PROMPT, "true".to_owned()), (TYPE, kind.to_owned()), (TEXT, text)]);
    tags.extend(content.answer_schema.as_ref().map(|schema| (RESPONSE_FORMAT, schema.to_string())));
    if !map.is_empty() {
        tags.push((MODEL_CONFIG, Value::Object(map).to_string()));
    }
    if let Some((key, value)) = tags.iter().find(|(_, value)| value.chars().count() > MAX_TAG) {
        return Err(PortError::Invalid(format!(
            "version {} of {} cannot be stored in MLflow: its tag {key} would have {} characters, and MLflow takes \
             {MAX_TAG}; make the prompt shorter",
            record.version,
            record.name,
            value.chars().count()
        )));
    }
    let tags: Vec<_> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    Ok(json!({
        "name": name,
        "source": SOURCE,
        "tags": tags,
        "description": cut(&record.reason, MAX_DESCRIPTION),
    }))
}

impl RegisteredModel {
    pub(super) fn is_prompt(&self) -> bool {
        find(&self.tags, IS_PROMPT) == Some("true")
    }
}

impl StoredModelVersion {
    pub(super) fn is_prompt(&self) -> bool {
        find(&self.tags, IS_PROMPT) == Some("true")
    }

    /// The version and digest in promptgate's tags.
    pub(super) fn published(&self) -> Option<(Version, Digest)> {
        let tag = |key| find(&self.tags, key);
        Some((tag(VERSION)?.parse().ok()?, tag(DIGEST)?.parse().ok()?))
    }

    fn is_chat(&self) -> bool {
        find(&self.tags, TYPE) == Some("chat")
    }

    fn messages(&self) -> Option<Vec<Message>> {
        let text = find(&self.tags, TEXT)?;
        if self.is_chat() {
            return chat_messages(&serde_json::from_str(text).ok()?);
        }
        Some(text_messages(text.to_owned(), find(&self.tags, USER).map(str::to_owned)))
    }

    /// Checks that every message can be expressed as a message of a content.
    ///
    /// # Errors
    /// [`PortError::Invalid`].
    pub(super) fn check_readable(&self) -> Result<(), PortError> {
        if self.messages().is_some() {
            return Ok(());
        }
        Err(PortError::Invalid(format!(
            "version {} of {} in MLflow has no text, or an entry that is not a message of the roles system, developer, \
             user or assistant; promptgate cannot publish it",
            self.version, self.name
        )))
    }

    /// The version; without messages if they cannot be expressed. A tag that is not the expected JSON is kept as a text,
    /// so that it changes the digest.
    pub(super) fn into_stored(self) -> StoredVersion {
        let json = |key: &str| {
            let text = find(&self.tags, key)?;
            Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
        };
        let map = |key: &str| match json(key) {
            Some(Value::Object(map)) => map,
            Some(other) => Map::from_iter([(key.to_owned(), other)]),
            None => Map::new(),
        };
        let settings = Settings { map: map(MODEL_CONFIG), rest: map(PARAMETERS) };
        let (model, parameters) = settings.restore(MODEL);
        let content = Content {
            kind: if self.is_chat() { PromptKind::Chat } else { PromptKind::Text },
            messages: self.messages().unwrap_or_default(),
            model,
            parameters,
            answer_schema: json(RESPONSE_FORMAT),
        };
        StoredVersion {
            published: self.published(),
            content,
            id: self.version,
            author: self.user_id.filter(|user| !user.is_empty()),
            message: self.description.filter(|text| !text.is_empty()),
        }
    }
}
