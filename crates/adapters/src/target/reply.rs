//! The answer of an application: its JSON as a completion.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::http::server_text;
use crate::worker::error_text;
use promptgate_core::model::{Completion, Fault, FaultKind, FinishReason, ToolCall, Usage};
use promptgate_core::text::Redactor;

/// Larger token counts are errors of the application.
const MAX_TOKENS: u64 = 1 << 40;

/// The parts of an answer; null is the same as absent.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts<'a> {
    pub(super) output: Option<&'a Value>,
    pub(super) contexts: Option<&'a Value>,
    pub(super) tool_calls: Option<&'a Value>,
    pub(super) messages: Option<&'a Value>,
    pub(super) usage: Option<&'a Value>,
    pub(super) latency_ms: Option<&'a Value>,
    pub(super) cost_usd: Option<&'a Value>,
    pub(super) error: Option<&'a Value>,
}

/// The reason why an answer is not a completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InvalidReply {
    /// The application reports an error.
    Error(String),
    /// A part is missing or has another form.
    Malformed(String),
}

impl<'a> Parts<'a> {
    /// Reads the fields of a line.
    pub(super) fn of(object: &'a Map<String, Value>) -> Self {
        let part = |name: &str| object.get(name).filter(|value| !value.is_null());
        Self {
            output: part("output"),
            contexts: part("contexts"),
            tool_calls: part("tool_calls"),
            messages: part("messages"),
            usage: part("usage"),
            latency_ms: part("latency_ms"),
            cost_usd: part("cost_usd"),
            error: part("error"),
        }
    }

    /// Returns the completion. Its latency is `elapsed` where the application reports none.
    pub(super) fn completion(&self, elapsed: Duration) -> Result<Completion, InvalidReply> {
        if let Some(error) = self.error {
            return Err(InvalidReply::Error(error_text(error)));
        }
        self.parse(elapsed).map_err(InvalidReply::Malformed)
    }

    fn parse(&self, elapsed: Duration) -> Result<Completion, String> {
        let tool_calls = match (self.tool_calls, self.messages) {
            (Some(calls), _) => tool_calls(calls)?,
            (None, Some(messages)) => tool_calls_of(messages)?,
            (None, None) => Vec::new(),
        };
        let text = match self.output {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None if !tool_calls.is_empty() => String::new(),
            None => return Err("`output` is missing, expected the text of the answer".to_owned()),
        };
        let measured = elapsed.as_secs_f64() * 1000.0;
        let finish_reason =
            if tool_calls.is_empty() { FinishReason::Stop } else { FinishReason::from("tool_calls") };
        let passages = self.contexts.map(contexts).transpose()?;
        let (contexts, context_ids) = passages.map_or((None, Vec::new()), |(texts, ids)| (Some(texts), ids));
        Ok(Completion {
            tool_calls,
            contexts,
            context_ids,
            usage: self.usage.and_then(usage),
            latency_ms: self.latency_ms.map_or(Ok(measured), |value| amount("latency_ms", value))?,
            cost_usd: self.cost_usd.map(|value| amount("cost_usd", value)).transpose()?,
            finish_reason,
            ..Completion::from_text(text)
        })
    }
}

impl InvalidReply {
    /// Returns the fault, with the application's text redacted and cut.
    pub(super) fn fault(&self, label: &str, redactor: &Redactor) -> Fault {
        match self {
            Self::Error(text) => {
                let message =
                    format!("{label}: the application reports an error: {}", server_text(redactor, text));
                Fault::new(FaultKind::Unavailable, message).help("see the log of the application")
            }
            Self::Malformed(reason) => {
                let message = format!("{label}: invalid answer: {}", server_text(redactor, reason));
                Fault::new(FaultKind::InvalidAnswer, message)
            }
        }
    }
}

/// Removes secrets: an echoed key must reach neither a judge nor an excerpt, which could cut it in two.
pub(super) fn redacted(mut completion: Completion, redactor: &Redactor) -> Completion {
    let redact = |text: &mut String| {
        if let std::borrow::Cow::Owned(clean) = redactor.redact(text) {
            *text = clean;
        }
    };
    redact(&mut completion.text);
    completion.contexts.iter_mut().flatten().for_each(redact);
    completion.context_ids.iter_mut().flatten().for_each(redact);
    for call in &mut completion.tool_calls {
        call.name = server_text(redactor, &call.name);
        redact(&mut call.arguments);
        call.id.iter_mut().for_each(redact);
    }
    completion
}

fn amount(name: &str, value: &Value) -> Result<f64, String> {
    let amount = value.as_f64().filter(|amount| amount.is_finite() && *amount >= 0.0);
    amount.ok_or_else(|| format!("`{name}` is {value}, expected a number of at least 0"))
}

/// Returns the texts of passages and their ids, which are empty where none has one.
fn contexts(value: &Value) -> Result<(Vec<String>, Vec<Option<String>>), String> {
    let expected = || "`contexts` is not a list of texts or {\"id\", \"text\"}".to_owned();
    let list = value.as_array().ok_or_else(expected)?;
    let passages: Vec<_> = list.iter().map(passage).collect::<Option<_>>().ok_or_else(expected)?;
    let (texts, mut ids): (Vec<_>, Vec<_>) = passages.into_iter().unzip();
    if ids.iter().all(Option::is_none) {
        ids.clear();
    }
    Ok((texts, ids))
}

fn passage(value: &Value) -> Option<(String, Option<String>)> {
    let Value::Object(map) = value else { return Some((value.as_str()?.to_owned(), None)) };
    let text = map.get("text")?.as_str()?.to_owned();
    let id = match map.get("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Number(id)) if id.is_i64() || id.is_u64() => Some(id.to_string()),
        Some(_) => return None,
    };
    Some((text, id))
}

fn tool_calls(value: &Value) -> Result<Vec<ToolCall>, String> {
    let list = value.as_array().ok_or_else(|| "`tool_calls` is not a list".to_owned())?;
    list.iter()
        .map(|call| {
            tool_call(call).ok_or_else(|| {
                "a tool call has no name, expected {\"name\", \"arguments\"} or OpenAI's form".to_owned()
            })
        })
        .collect()
}

/// Returns the calls that a conversation's assistant messages ask for.
fn tool_calls_of(messages: &Value) -> Result<Vec<ToolCall>, String> {
    let messages = messages.as_array().ok_or_else(|| "`messages` is not a list".to_owned())?;
    let assistant = messages.iter().filter(|message| message.get("role") == Some(&Value::from("assistant")));
    let mut calls = Vec::new();
    for list in assistant.filter_map(|message| message.get("tool_calls")).filter(|list| !list.is_null()) {
        calls.append(&mut tool_calls(list)?);
    }
    Ok(calls)
}

fn tool_call(call: &Value) -> Option<ToolCall> {
    let function = call.get("function").filter(|function| function.is_object()).unwrap_or(call);
    let name = function.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())?;
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    };
    let id = call.get("id").and_then(Value::as_str).map(str::to_owned);
    Some(ToolCall { id, name: name.to_owned(), arguments })
}

/// Returns both counts or none, under the names of OpenAI's APIs or of Anthropic's: a missing, negative or implausible
/// count is not 0.
fn usage(value: &Value) -> Option<Usage> {
    let count = |value: Option<&Value>| value.and_then(Value::as_u64).filter(|count| *count <= MAX_TOKENS);
    let one_of = |names: &[&str]| names.iter().find_map(|name| count(value.pointer(name)));
    let prompt_tokens = one_of(&["/prompt_tokens", "/input_tokens"])?;
    let completion_tokens = one_of(&["/completion_tokens", "/output_tokens"])?;
    let cached = one_of(&[
        "/prompt_tokens_details/cached_tokens",
        "/input_tokens_details/cached_tokens",
        "/cache_read_input_tokens",
    ]);
    let cached_prompt_tokens = cached.unwrap_or_default().min(prompt_tokens);
    let usage = Usage { cached_prompt_tokens, ..Usage::new(prompt_tokens, completion_tokens) };
    (usage != Usage::default()).then_some(usage)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn completion(value: Value) -> Result<Completion, InvalidReply> {
        Parts::of(value.as_object().unwrap()).completion(Duration::from_millis(5))
    }

    #[test]
    fn every_part_of_an_answer_is_read() {
        let full = completion(json!({
            "id": "a", "output": "text", "contexts": ["one", "two"], "latency_ms": 12.5, "cost_usd": 0.01,
            "usage": {"input_tokens": 7, "output_tokens": 3, "cache_read_input_tokens": 5},
            "tool_calls": [{"name": "f", "arguments": {"x": 1}},
                {"id": "c1", "type": "function", "function": {"name": "g", "arguments": "{}"}}],
        }));
        let full = full.unwrap();
        assert_eq!((full.text.as_str(), full.latency_ms, full.cost_usd), ("text", 12.5, Some(0.01)));
        assert_eq!(full.contexts, Some(vec!["one".to_owned(), "two".to_owned()]));
        assert_eq!(full.usage, Some(Usage { cached_prompt_tokens: 5, ..Usage::new(7, 3) }));
        let calls: Vec<String> = full.tool_calls.iter().map(ToString::to_string).collect();
        assert_eq!(calls, ["f({\"x\":1})", "g({})"]);
        assert_eq!(full.tool_calls[1].id.as_deref(), Some("c1"));
        let short = completion(json!({"output": "", "contexts": null, "error": null})).unwrap();
        assert_eq!(
            (short.text.as_str(), short.latency_ms, short.contexts, short.usage),
            ("", 5.0, None, None)
        );
        assert_eq!(completion(json!({"output": {"a": 1}})).unwrap().text, "{\"a\":1}");
        let openai = completion(json!({"output": "", "usage": {"prompt_tokens": 1, "completion_tokens": 2}}));
        assert_eq!(openai.unwrap().usage, Some(Usage::new(1, 2)));
    }

    #[test]
    fn passages_may_have_ids() {
        let contexts = json!([{"id": "a", "text": "one", "score": 0.5}, "two", {"id": 7, "text": "three"}]);
        let answer = completion(json!({"output": "a", "contexts": contexts})).unwrap();
        assert_eq!(answer.contexts.unwrap(), ["one", "two", "three"]);
        let ids: Vec<Option<&str>> = answer.context_ids.iter().map(Option::as_deref).collect();
        assert_eq!(ids, [Some("a"), None, Some("7")]);
        let answer = completion(json!({"output": "a", "contexts": [{"text": "one"}]})).unwrap();
        assert!(answer.context_ids.is_empty());
    }

    #[test]
    fn calls_come_from_the_messages_where_there_are_no_others() {
        let messages = json!([{"role": "user", "content": "q"},
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "content": "r"}, {"role": "assistant", "content": "done", "tool_calls": null}]);
        let answer = completion(json!({"output": "done", "messages": messages})).unwrap();
        assert_eq!(answer.tool_calls.len(), 1);
        let alone = completion(json!({"messages": messages, "tool_calls": [{"name": "g"}]})).unwrap();
        assert_eq!((alone.text.as_str(), alone.tool_calls[0].name.as_str()), ("", "g"));
    }

    #[test]
    fn invalid_answers_are_never_completions() {
        for (value, expected) in [
            (json!({}), "`output` is missing"),
            (json!({"output": null}), "`output` is missing"),
            (json!({"output": null, "tool_calls": []}), "`output` is missing"),
            (json!({"output": "a", "contexts": "one"}), "`contexts`"),
            (json!({"output": "a", "contexts": [1]}), "`contexts`"),
            (json!({"output": "a", "contexts": [{"id": "a"}]}), "`contexts`"),
            (json!({"output": "a", "contexts": [{"id": [], "text": "one"}]}), "`contexts`"),
            (json!({"output": "a", "tool_calls": {}}), "`tool_calls`"),
            (json!({"output": "a", "tool_calls": [{"arguments": "{}"}]}), "no name"),
            (json!({"output": "a", "messages": "m"}), "`messages`"),
            (json!({"output": "a", "latency_ms": -1}), "`latency_ms`"),
            (json!({"output": "a", "latency_ms": "5"}), "`latency_ms`"),
            (json!({"output": "a", "cost_usd": -0.1}), "`cost_usd`"),
        ] {
            match completion(value.clone()) {
                Err(InvalidReply::Malformed(reason)) => {
                    assert!(reason.contains(expected), "{value}: {reason}")
                }
                other => panic!("{value}: {other:?}"),
            }
        }
        for value in [json!({"output": "a", "error": "no"}), json!({"error": {"message": "no"}})] {
            assert_eq!(completion(value), Err(InvalidReply::Error("no".to_owned())));
        }
        for usage in [json!(5), json!({"input_tokens": 1}), json!({"input_tokens": -1, "output_tokens": 1})] {
            assert_eq!(completion(json!({"output": "a", "usage": usage})).unwrap().usage, None);
        }
    }
}
