//! Messages in the form of chat completions.

use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::super::calls::{self, Resolved};
use promptgate_core::model::{Message, MessageRole};

/// The messages of a request.
pub(super) struct Messages<'a>(pub(super) &'a [Message]);

/// A message of text alone, as most are.
#[derive(Serialize)]
struct Plain<'a> {
    role: MessageRole,
    content: &'a str,
}

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        if self.0.iter().all(is_plain) {
            for Message { role, content, .. } in self.0 {
                list.serialize_element(&Plain { role: *role, content })?;
            }
        } else {
            for message in calls::resolve(self.0) {
                list.serialize_element(&full(&message))?;
            }
        }
        list.end()
    }
}

fn is_plain(message: &Message) -> bool {
    message.role != MessageRole::Tool && message.images.is_empty() && message.tool_calls.is_empty()
}

fn full(resolved: &Resolved<'_>) -> Value {
    let message = resolved.message;
    let mut value = json!({"role": message.role, "content": content(message)});
    if !message.tool_calls.is_empty() {
        let calls = resolved.ids.iter().zip(&message.tool_calls).map(|(id, call)| {
            let function = json!({"name": call.name, "arguments": call.arguments});
            json!({"id": id.text, "type": "function", "function": function})
        });
        value["tool_calls"] = calls.collect();
    }
    if let Some(call) = &resolved.answers {
        value["tool_call_id"] = Value::from(&*call.id.text);
    }
    value
}

fn content(message: &Message) -> Value {
    if message.images.is_empty() {
        // A message that only calls tools has no text.
        let is_null = message.content.is_empty() && !message.tool_calls.is_empty();
        return if is_null { Value::Null } else { Value::from(message.content.as_str()) };
    }
    let text = (!message.content.is_empty()).then(|| json!({"type": "text", "text": message.content}));
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    text.into_iter().chain(message.images.iter().map(|it| image(&it.url))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use promptgate_core::model::{Image, ToolCall};

    #[test]
    fn images_calls_and_results_have_the_form_of_the_api() {
        let image = Image { url: "data:image/png;base64,QUI=".to_owned() };
        let call = ToolCall { id: None, name: "find".to_owned(), arguments: "{\"id\": 7}".to_owned() };
        let messages = [
            Message::new(MessageRole::Developer, "Be brief."),
            Message { images: vec![image.clone()], ..Message::new(MessageRole::User, "Look:") },
            Message { images: vec![image], ..Message::new(MessageRole::User, "") },
            Message { tool_calls: vec![call.clone()], ..Message::new(MessageRole::Assistant, "") },
            Message::new(MessageRole::Tool, "found"),
            Message { tool_calls: vec![call], ..Message::new(MessageRole::Assistant, "Again.") },
            Message { tool_call_id: Some("call_1".to_owned()), ..Message::new(MessageRole::Tool, "") },
        ];
        let url = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,QUI="}});
        let call = |id: &str| json!([{"id": id, "type": "function", "function": {"name": "find", "arguments": "{\"id\": 7}"}}]);
        assert_eq!(
            serde_json::to_value(Messages(&messages)).unwrap(),
            json!([
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Look:"}, url]},
                {"role": "user", "content": [url]},
                {"role": "assistant", "content": null, "tool_calls": call("call_0")},
                {"role": "tool", "content": "found", "tool_call_id": "call_0"},
                {"role": "assistant", "content": "Again.", "tool_calls": call("call_1")},
                {"role": "tool", "content": "", "tool_call_id": "call_1"},
            ])
        );
    }
}
