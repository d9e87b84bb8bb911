//! Responses that come as a stream of server-sent events.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::Streamed;
use super::super::invalid::{InvalidReply, read_event};
use super::super::sse::events;
use super::reply::{Content, Envelope, ReplyMessage, completion, text_of};
use promptgate_core::model::Completion;

/// The event after the last chunk.
const DONE: &str = "[DONE]";

/// Puts the chunks of a complete stream together.
pub(in crate::endpoint::wire) fn parse(body: &[u8]) -> Result<Streamed, InvalidReply> {
    let mut answer = Answer::default();
    let mut first_token = None;
    for event in events(body) {
        if event.data.trim() == DONE {
            answer.is_done = true;
            break;
        }
        answer.add(&read_event(&event.data)?)?;
        if first_token.is_none() && answer.has_token() {
            first_token = Some(event.end);
        }
    }
    Ok(Streamed { completion: answer.finish()?, first_token })
}

/// A tool call as far as it has arrived.
#[derive(Default)]
struct PartialCall {
    id: String,
    name: String,
    arguments: String,
}

/// An answer as far as it has arrived.
#[derive(Default)]
struct Answer {
    is_done: bool,
    has_choice: bool,
    text: Option<String>,
    reasoning: String,
    refusal: String,
    /// By index.
    calls: BTreeMap<u64, PartialCall>,
    envelope: Envelope,
}

impl Answer {
    fn add(&mut self, chunk: &Value) -> Result<(), InvalidReply> {
        let present = |value: &Value, name: &str| value.get(name).filter(|value| !value.is_null()).cloned();
        if let Some(error) = present(chunk, "error") {
            return Err(InvalidReply::error(&error));
        }
        for (name, field) in [
            ("usage", &mut self.envelope.usage),
            ("model", &mut self.envelope.model),
            ("system_fingerprint", &mut self.envelope.system_fingerprint),
        ] {
            if let Some(value) = present(chunk, name) {
                *field = Some(value);
            }
        }
        // The last chunk may have usage alone.
        let choices = chunk.get("choices").and_then(Value::as_array).into_iter().flatten();
        for choice in choices.filter(|choice| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0) {
            self.has_choice = true;
            if let Some(error) = present(choice, "error") {
                return Err(InvalidReply::error(&error));
            }
            if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
                self.envelope.finish_reason = Some(reason.to_owned());
            }
            // Some servers end with the whole message.
            if let Some(Value::Object(delta)) = choice.get("delta").or_else(|| choice.get("message")) {
                self.add_delta(delta);
            }
        }
        Ok(())
    }

    fn add_delta(&mut self, delta: &Map<String, Value>) {
        match delta.get("content") {
            Some(Value::String(text)) => self.text.get_or_insert_default().push_str(text),
            Some(Value::Array(parts)) => parts.iter().for_each(|part| self.add_part(part)),
            _ => {}
        }
        let text = |name: &str| delta.get(name).and_then(Value::as_str);
        self.reasoning.push_str(text("reasoning_content").or_else(|| text("reasoning")).unwrap_or_default());
        self.refusal.push_str(text("refusal").unwrap_or_default());
        for (position, call) in
            (0..).zip(delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten())
        {
            let index = call.get("index").and_then(Value::as_u64).unwrap_or(position);
            self.add_call(index, call);
        }
        if let Some(call) = delta.get("function_call") {
            self.add_call(0, call);
        }
    }

    fn add_part(&mut self, part: &Value) {
        match part.get("type").and_then(Value::as_str) {
            Some("thinking" | "reasoning") => self.reasoning.push_str(&text_of(part)),
            _ => self.text.get_or_insert_default().push_str(&text_of(part)),
        }
    }

    fn add_call(&mut self, index: u64, call: &Value) {
        let partial = self.calls.entry(index).or_default();
        let function = call.get("function").unwrap_or(call);
        let text = |value: &Value, field: &str| {
            value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        // Some servers repeat the id with every piece.
        if partial.id.is_empty() {
            partial.id = text(call, "id");
        }
        partial.name.push_str(&text(function, "name"));
        partial.arguments.push_str(&text(function, "arguments"));
    }

    /// Whether the model has begun to answer, to reason or to call a tool.
    fn has_token(&self) -> bool {
        let texts = [self.text.as_deref().unwrap_or_default(), &self.reasoning, &self.refusal];
        texts.iter().any(|text| !text.is_empty()) || !self.calls.is_empty()
    }

    fn finish(self) -> Result<Completion, InvalidReply> {
        if !self.has_choice {
            let reason = if self.is_done { "the stream has no answer" } else { "the stream is empty" };
            return Err(InvalidReply::Truncated(reason.to_owned()));
        }
        if !self.is_done && self.envelope.finish_reason.is_none() {
            return Err(InvalidReply::Truncated("the stream is cut off: it has no end".to_owned()));
        }
        let content = self.text.map_or(Content::None, Content::Text);
        let calls = self.calls.into_values();
        let call = |PartialCall { id, name, arguments }| serde_json::json!({"id": id, "function": {"name": name, "arguments": arguments}});
        let message = ReplyMessage {
            content,
            refusal: Some(self.refusal),
            reasoning: Some(Value::from(self.reasoning)),
            tool_calls: Some(calls.map(call).collect()),
            ..ReplyMessage::default()
        };
        completion(message, self.envelope)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use promptgate_core::model::{FinishReason, ToolCall, Usage};

    fn answer(text: &str) -> Completion {
        parse(text.as_bytes()).unwrap().completion
    }

    fn reason(text: &str) -> String {
        match parse(text.as_bytes()).map(|streamed| streamed.completion).unwrap_err() {
            InvalidReply::Truncated(reason)
            | InvalidReply::Malformed(reason)
            | InvalidReply::Failed(reason)
            | InvalidReply::Blocked(reason) => reason,
            InvalidReply::Error(error) => error.summary(),
        }
    }

    #[test]
    fn chunks_are_joined() {
        let stream = concat!(
            ": OPENROUTER PROCESSING\n\n",
            "data: {\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\r\n\r\n",
            "event: message\ndata: {\"choices\":[{\"index\":0,\n",
            "data: \"delta\":{\"content\":\"hel\"}}]}\n\n",
            "data:{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"other\"}},{\"index\":0,\"delta\":{\"content\":\"lo\"}}]}\n\n",
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3}}\n\n",
            "data: [DONE]\n\n",
        );
        let answer = answer(stream);
        assert_eq!((answer.text.as_str(), answer.reasoning.as_deref()), ("hello", Some("hm")));
        assert_eq!((answer.usage, answer.model.as_deref()), (Some(Usage::new(5, 3)), Some("m-1")));
    }

    #[test]
    fn tool_call_in_pieces_is_joined() {
        let stream = concat!(
            "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_7\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n",
            "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n",
        );
        let answer = answer(stream);
        assert_eq!(
            answer.tool_calls,
            [ToolCall { id: Some("call_7".into()), name: "f".into(), arguments: "{}".into() }]
        );
        assert_eq!(answer.finish_reason, FinishReason::ToolCalls);
    }

    #[test]
    fn first_token_is_the_first_text_of_any_kind() {
        let start = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
        let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
        for delta in [
            "{\"content\":\"a\"}",
            "{\"reasoning\":\"a\"}",
            "{\"refusal\":\"a\"}",
            "{\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]}",
        ] {
            let token = format!("data: {{\"choices\":[{{\"delta\":{delta}}}]}}\n\n");
            let found = parse(format!("{start}{token}{token}{end}").as_bytes()).unwrap().first_token;
            assert_eq!(found, Some(start.len() + token.len()), "{delta}");
        }
        assert_eq!(parse(format!("{start}{end}").as_bytes()).unwrap().first_token, None);
    }

    #[test]
    fn stream_without_end_is_cut() {
        let chunk = "data: {\"choices\":[{\"delta\":{\"content\":\"hel\"}}]}\n\n";
        assert!(reason(chunk).contains("cut off"));
        assert!(reason(&format!("{chunk}data: {{\"choi")).contains("not JSON"));
        assert!(reason("data: [DONE]\n\n").contains("no answer"));
        assert!(reason("").contains("empty"));
        assert_eq!(reason("data: {\"error\":{\"message\":\"boom\"}}\n\n"), "boom");
        // Length and filters end a stream as well.
        let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
        assert_eq!(answer(&format!("{chunk}{end}")).finish_reason, FinishReason::Length);
    }

    proptest! {
        #[test]
        fn any_stream_is_parsed_without_a_panic(text in "(data: ?[\\[\\]{}:,\"a-z0-9]{0,30}\n{1,2}){0,5}") {
            let _ = parse(text.as_bytes());
        }
    }
}
