//! Tool calls of a conversation: an id for each, and the call that each result belongs to.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde_json::{Map, Value};

use promptgate_core::model::{Message, MessageRole, ToolCall};

/// A message whose calls have ids.
pub(super) struct Resolved<'a> {
    pub(super) message: &'a Message,
    /// The ids of its calls, in order.
    pub(super) ids: Vec<CallId<'a>>,
    /// The call whose result it is; `None` for a message that is not of a tool.
    pub(super) answers: Option<AnsweredCall<'a>>,
}

/// The id of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallId<'a> {
    pub(super) text: Cow<'a, str>,
    /// Whether the conversation has it; otherwise it was made here.
    pub(super) is_given: bool,
}

/// The call that a result belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnsweredCall<'a> {
    pub(super) id: CallId<'a>,
    /// The name of the tool; empty where no call has this id.
    pub(super) name: &'a str,
}

/// Resolves a conversation. A result without an id belongs to the first call before it that has no result.
pub(super) fn resolve(messages: &[Message]) -> Vec<Resolved<'_>> {
    let mut calls: Vec<AnsweredCall<'_>> = Vec::new();
    let mut open: VecDeque<AnsweredCall<'_>> = VecDeque::new();
    let mut resolved = Vec::with_capacity(messages.len());
    for message in messages {
        let made: Vec<AnsweredCall<'_>> = (calls.len()..)
            .zip(&message.tool_calls)
            .map(|(index, call)| AnsweredCall { id: id(call, index), name: &call.name })
            .collect();
        let answers = (message.role == MessageRole::Tool).then(|| answered(message, &calls, &mut open));
        open.extend(made.iter().cloned());
        let ids = made.iter().map(|call| call.id.clone()).collect();
        calls.extend(made);
        resolved.push(Resolved { message, ids, answers });
    }
    resolved
}

fn id(call: &ToolCall, index: usize) -> CallId<'_> {
    match call.id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => CallId { text: Cow::Borrowed(id), is_given: true },
        None => CallId { text: Cow::Owned(format!("call_{index}")), is_given: false },
    }
}

fn answered<'a>(
    message: &'a Message,
    calls: &[AnsweredCall<'a>],
    open: &mut VecDeque<AnsweredCall<'a>>,
) -> AnsweredCall<'a> {
    let Some(id) = message.tool_call_id.as_deref() else {
        let made = CallId { text: Cow::Borrowed("call_0"), is_given: false };
        return open.pop_front().unwrap_or(AnsweredCall { id: made, name: "" });
    };
    open.retain(|call| call.id.text != id);
    let call = calls.iter().rev().find(|call| call.id.text == id);
    let name = call.map_or("", |call| call.name);
    AnsweredCall { id: CallId { text: Cow::Borrowed(id), is_given: true }, name }
}

/// The arguments of a call as an object: those that are not are under `arguments`.
pub(super) fn arguments(call: &ToolCall) -> Map<String, Value> {
    if call.arguments.trim().is_empty() {
        return Map::new();
    }
    match serde_json::from_str(&call.arguments) {
        Ok(Value::Object(arguments)) => arguments,
        _ => Map::from_iter([("arguments".to_owned(), Value::from(call.arguments.as_str()))]),
    }
}

/// The function of a tool in OpenAI's form; `None` for a tool in another form.
pub(super) fn function(tool: &Value) -> Option<&Map<String, Value>> {
    tool.get("function")
        .and_then(Value::as_object)
        .filter(|_| tool.get("type").is_none_or(|kind| kind == "function"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: Option<&str>, name: &str) -> ToolCall {
        ToolCall { id: id.map(str::to_owned), name: name.to_owned(), arguments: "{}".to_owned() }
    }

    fn result(id: Option<&str>) -> Message {
        Message { tool_call_id: id.map(str::to_owned), ..Message::new(MessageRole::Tool, "7") }
    }

    #[test]
    fn results_belong_to_their_calls() {
        let calling = |tool_calls| Message { tool_calls, ..Message::new(MessageRole::Assistant, "") };
        let messages = [
            calling(vec![call(None, "a"), call(Some("x"), "b"), call(None, "c")]),
            result(Some("x")),
            result(None),
            result(None),
            result(None),
            result(Some("unknown")),
        ];
        let resolved = resolve(&messages);
        let ids: Vec<&str> = resolved[0].ids.iter().map(|id| &*id.text).collect();
        assert_eq!(ids, ["call_0", "x", "call_2"]);
        let found: Vec<(&str, &str)> =
            resolved[1..].iter().flat_map(|it| &it.answers).map(|call| (&*call.id.text, call.name)).collect();
        assert_eq!(found, [("x", "b"), ("call_0", "a"), ("call_2", "c"), ("call_0", ""), ("unknown", "")]);
        assert!(resolved[0].answers.is_none());
    }

    #[test]
    fn arguments_are_an_object_always() {
        let of = |arguments: &str| {
            let call = ToolCall { arguments: arguments.to_owned(), ..call(None, "f") };
            Value::from(super::arguments(&call)).to_string()
        };
        assert_eq!(of(r#"{"b":1,"a":2}"#), r#"{"b":1,"a":2}"#);
        assert_eq!(of(" "), "{}");
        assert_eq!(of("[1]"), r#"{"arguments":"[1]"}"#);
        assert_eq!(of("{cut"), r#"{"arguments":"{cut"}"#);
    }
}
