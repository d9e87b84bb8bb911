//! Complete HTTP responses with an invalid completion.

use serde_json::{Value, json};

use super::faults::FaultForm;
use crate::judged_answer;
use promptgate_core::model::{ChatRequest, Purpose};

/// Applies a fault of the completion to a reply.
pub(super) fn corrupt(reply: &mut Value, form: &FaultForm, request: &ChatRequest) {
    if request.purpose == Purpose::Embedding {
        reply["data"] = json!([]);
        return;
    }
    let choice = &mut reply["choices"][0];
    let text = choice["message"]["content"].as_str().unwrap_or_default().to_owned();
    let (content, finish) = match form {
        FaultForm::NoChoices => {
            reply["choices"] = json!([]);
            return;
        }
        FaultForm::Length => {
            let words: Vec<&str> = text.split_whitespace().collect();
            (Value::from(words[..words.len() / 2].join(" ")), "length")
        }
        FaultForm::ContentFilter => (Value::Null, "content_filter"),
        FaultForm::ToolCalls => {
            let call = json!({"id": "call_0", "type": "function", "function": {"name": "search", "arguments": "{}"}});
            choice["message"]["tool_calls"] = json!([call]);
            (Value::Null, "tool_calls")
        }
        FaultForm::Refusal => {
            choice["message"]["refusal"] = Value::from("I'm sorry, but I can't help with that.");
            (Value::Null, "stop")
        }
        FaultForm::NullContent => (Value::Null, "stop"),
        _ => (Value::from(invalid_judgement(form, &text, request)), "stop"),
    };
    choice["message"]["content"] = content;
    choice["finish_reason"] = Value::from(finish);
}

/// The text of an invalid judgement.
fn invalid_judgement(form: &FaultForm, text: &str, request: &ChatRequest) -> String {
    let bare = text.strip_prefix("```json\n").and_then(|text| text.strip_suffix("\n```")).unwrap_or(text);
    let mut verdicts: Value = serde_json::from_str(bare).unwrap_or_default();
    let lists = ["items", "passages"];
    let list = lists.into_iter().find(|name| verdicts.get(name).is_some()).unwrap_or("statements");
    for verdict in verdicts.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
        match form {
            FaultForm::NoVerdict => {
                verdict.as_object_mut().and_then(|verdict| verdict.shift_remove("verdict"));
            }
            FaultForm::BadVerdict => verdict["verdict"] = Value::from("11/10"),
            FaultForm::UnknownId => {
                verdict["id"] = Value::from(verdict["id"].as_u64().unwrap_or_default() + 1000)
            }
            _ => {}
        }
    }
    match form {
        FaultForm::Prose => {
            "Overall the answer looks good to me. It is mostly faithful and I would give it a high score."
                .to_owned()
        }
        FaultForm::Echo => {
            let judged = json!({"answer": judged_answer(request).unwrap_or_default()});
            format!("The answer to judge is:\n{judged}\nMy verdict:\n{verdicts}")
        }
        _ => verdicts.to_string(),
    }
}
