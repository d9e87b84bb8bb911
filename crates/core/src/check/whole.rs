//! Parsing of a whole answer for JSON checks.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::model::FinishReason;
use crate::port::{Finding, Subject};
use crate::text::json;

use super::fenced;
use super::reason::fail;

/// Location of the JSON in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Extract {
    /// In the only fenced code block of the answer, with or without text around it.
    Fenced,
}

/// Parses the JSON of a whole answer.
///
/// # Errors
/// A failed finding with the reason in one line.
pub(crate) fn json(subject: &Subject<'_>, extract: Option<Extract>) -> Result<Value, Finding> {
    read(subject, extract).map_err(fail)
}

fn read(subject: &Subject<'_>, extract: Option<Extract>) -> Result<Value, String> {
    // A truncated answer may still be valid JSON: `12` of `1234`.
    match subject.completion.finish_reason {
        FinishReason::Length => return Err("the answer was cut off by the token limit".to_owned()),
        FinishReason::ContentFilter => return Err("the answer was cut off by a filter".to_owned()),
        FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other(_) => {}
    }
    let text = &subject.completion.text;
    match extract {
        None => json::parse(text).map_err(|error| {
            let hint = if text.trim_start().starts_with("```") {
                " (it is fenced; `extract: fenced` allows that)"
            } else {
                ""
            };
            format!("the answer is not JSON: {error}{hint}")
        }),
        Some(Extract::Fenced) => {
            let block = fenced::only(text)?;
            json::parse(&block).map_err(|error| format!("the fenced block is not JSON: {error}"))
        }
    }
}
