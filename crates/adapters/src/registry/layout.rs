//! The parts of a content that registries have places for, and the rest, which goes into promptgate's own metadata.
//!
//! Applications read model and parameters where the registry's own clients expect them, so those places hold the
//! content, not a copy of it: whoever changes them changes the digest.

use promptgate_core::model::{Message, MessageRole};
use promptgate_release::{Content, PortError, PromptKind, Record};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The messages of a content as registries store them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body<'c> {
    /// A text, and the template of the user message, which no registry has a place for.
    Text { system: &'c str, user: Option<&'c str> },
    /// A list of messages.
    Chat(&'c [Message]),
}

impl<'c> Body<'c> {
    /// Splits the messages of a record.
    ///
    /// # Errors
    /// [`PortError::Invalid`] for messages that cannot be stored.
    pub(super) fn of(record: &'c Record) -> Result<Self, PortError> {
        let content = &record.content;
        let invalid = |problem: &str| {
            PortError::Invalid(format!(
                "version {} of {} cannot be stored: {problem}",
                record.version, record.name
            ))
        };
        if has_null_character(&json!(content)) {
            return Err(invalid("it contains the character U+0000, which databases do not take; remove it"));
        }
        match (content.kind, content.messages.as_slice()) {
            (PromptKind::Chat, messages @ [_, ..]) => Ok(Self::Chat(messages)),
            (PromptKind::Text, [system, rest @ ..]) if system.role == MessageRole::System => match rest {
                [] => Ok(Self::Text { system: &system.content, user: None }),
                [user] if user.role == MessageRole::User => {
                    Ok(Self::Text { system: &system.content, user: Some(&user.content) })
                }
                _ => Err(invalid("a text prompt has one system message and at most one user message")),
            },
            (PromptKind::Text, _) => Err(invalid("a text prompt begins with its system message")),
            (PromptKind::Chat, []) => Err(invalid("it has no messages")),
        }
    }
}

fn has_null_character(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_null_character),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_null_character(value)),
        _ => false,
    }
}

/// The messages of a text prompt.
pub(super) fn text_messages(system: String, user: Option<String>) -> Vec<Message> {
    let user = user.map(|content| Message::new(MessageRole::User, content));
    std::iter::once(Message::new(MessageRole::System, system)).chain(user).collect()
}

/// The messages of a chat prompt; `None` if one of them has an unknown role, or is a placeholder for others.
pub(super) fn chat_messages(value: &Value) -> Option<Vec<Message>> {
    /// A message, with the type that the SDK for JavaScript adds. An unknown field would change what is sent.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        r#type: Option<String>,
        role: MessageRole,
        content: String,
    }
    let entries = value.as_array()?.iter().map(|entry| {
        let Entry { r#type, role, content } = Entry::deserialize(entry).ok()?;
        r#type.is_none_or(|kind| kind == "chatmessage").then_some(Message::new(role, content))
    });
    entries.collect::<Option<Vec<_>>>().filter(|messages| !messages.is_empty())
}

/// Model and parameters as one map of settings.
pub(super) struct Settings {
    /// For applications.
    pub(super) map: Map<String, Value>,
    /// Parameters whose names have another meaning in the map.
    pub(super) rest: Map<String, Value>,
}

impl Settings {
    /// Puts model and parameters of a content into a map with the model under `model_key`.
    pub(super) fn of(content: &Content, model_key: &str, reserved: &[&str]) -> Self {
        let is_reserved = |name: &str| name == model_key || reserved.contains(&name);
        let mut map = Map::new();
        if !content.model.is_empty() {
            map.insert(model_key.to_owned(), Value::String(content.model.clone()));
        }
        let mut rest = Map::new();
        for (name, value) in &content.parameters {
            let target = if is_reserved(name) { &mut rest } else { &mut map };
            target.insert(name.clone(), value.clone());
        }
        Self { map, rest }
    }

    /// Takes model and parameters back out.
    pub(super) fn restore(self, model_key: &str) -> (String, Map<String, Value>) {
        let Self { mut map, rest } = self;
        let model = match map.shift_remove(model_key) {
            Some(Value::String(model)) => model,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        map.extend(rest);
        (model, map)
    }
}

/// The start of a text, of at most `max` characters.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut start: String = text.chars().take(max.saturating_sub(1)).collect();
    start.push('…');
    start
}
