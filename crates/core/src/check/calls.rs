//! The tool calls of an answer, as checks read them.

use serde_json::{Map, Value};

use crate::model::ToolCall;
use crate::text::json;

use super::reason::{list_of_names, quoted};

/// Parses the arguments of a call. Models leave the text empty for a tool without parameters.
///
/// # Errors
/// The reason in one line: the arguments are not JSON.
pub(crate) fn arguments(call: &ToolCall) -> Result<Value, String> {
    if call.arguments.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    json::parse(&call.arguments)
        .map_err(|error| format!("the arguments of {} are not JSON: {error}", quoted(&call.name)))
}

/// Names the called tools in their order, for messages.
pub(crate) fn described(calls: &[ToolCall]) -> String {
    match calls {
        [] => "no tool was called".to_owned(),
        calls => format!("called: {}", list_of_names(calls.iter().map(|call| call.name.as_str()))),
    }
}

/// A number of calls in words.
pub(crate) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}
