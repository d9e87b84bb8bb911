//! The turns of a conversation, for APIs that take the system prompt apart and whose turns alternate.

use serde_json::Value;

use super::calls::{self, Resolved};
use promptgate_core::model::{Message, MessageRole};

/// A conversation by its sides.
pub(super) struct Turns {
    /// The system prompt; `None` where it is empty.
    pub(super) system: Option<String>,
    /// The role and the parts of each turn; consecutive messages of one side are one turn.
    pub(super) turns: Vec<(&'static str, Vec<Value>)>,
}

/// Splits a conversation. `assistant` is the role of the model, and `parts` serializes a message.
pub(super) fn split(
    messages: &[Message],
    assistant: &'static str,
    parts: impl Fn(&Resolved<'_>) -> Vec<Value>,
) -> Turns {
    let is_system = |message: &Message| matches!(message.role, MessageRole::System | MessageRole::Developer);
    let system: Vec<&str> = messages
        .iter()
        .filter(|message| is_system(message) && !message.content.is_empty())
        .map(|message| message.content.as_str())
        .collect();
    let mut turns: Vec<(&'static str, Vec<Value>)> = Vec::new();
    for resolved in calls::resolve(messages).iter().filter(|resolved| !is_system(resolved.message)) {
        let role = if resolved.message.role == MessageRole::Assistant { assistant } else { "user" };
        let parts = parts(resolved);
        match turns.last_mut() {
            Some((last, turn)) if *last == role => turn.extend(parts),
            _ => turns.push((role, parts)),
        }
    }
    Turns { system: (!system.is_empty()).then(|| system.join("\n\n")), turns }
}
