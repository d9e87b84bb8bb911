//! Why a model stopped: the finish reasons of all vendors under five names.

use serde::{Deserialize, Serialize};

/// Names of a natural end.
const STOP: [&str; 13] = [
    "stop",
    "null",
    "",
    "end_turn",
    "end_of_turn",
    "eos",
    "eos_token",
    "end",
    "complete",
    "completed",
    "stop_sequence",
    "stop_token",
    "unspecified",
];
/// Names of an answer that a limit of tokens cut off.
const LENGTH: [&str; 12] = [
    "length",
    "max_tokens",
    "max_token",
    "max_output_tokens",
    "max_completion_tokens",
    "max_new_tokens",
    "max_length",
    "model_length",
    "token_limit",
    "context_window_exceeded",
    "model_context_window_exceeded",
    "error_limit",
];
/// Names of an answer that a filter withheld or cut off.
const FILTER: [&str; 24] = [
    "content_filter",
    "content_filtered",
    "content_filter_block",
    "content_blocked",
    "content_moderation",
    "content_policy",
    "moderation",
    "filtered",
    "safety",
    "image_safety",
    "safety_filter",
    "recitation",
    "blocklist",
    "prohibited_content",
    "spii",
    "guardrail",
    "guardrail_intervened",
    "guardrails",
    "refusal",
    "sensitive",
    "model_armor",
    "jailbreak",
    "image_prohibited_content",
    "image_recitation",
];
/// Names of an answer that calls tools.
const TOOL: [&str; 5] = ["tool_calls", "tool_call", "function_call", "tool_use", "function_calls"];

/// Why the model stopped. A name of any vendor is read as one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum FinishReason {
    /// The answer is complete.
    Stop,
    /// Token limit.
    Length,
    /// Content filter.
    ContentFilter,
    /// The model called a tool.
    ToolCalls,
    /// An unknown name.
    Other(String),
}

impl FinishReason {
    /// The reason of an answer whose server failed to generate the JSON that the request asked for.
    pub const INVALID_JSON: &str = "json_validate_failed";

    /// The name in JSON.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ContentFilter => "content_filter",
            Self::ToolCalls => "tool_calls",
            Self::Other(other) => other,
        }
    }

    /// The name that no vendor is known to use; `None` for all others.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Self::Other(name) if name != Self::INVALID_JSON => Some(name),
            _ => None,
        }
    }
}

impl From<&str> for FinishReason {
    fn from(name: &str) -> Self {
        let plain = name.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        let plain = plain.strip_prefix("finish_reason_").unwrap_or(&plain);
        if STOP.contains(&plain) {
            Self::Stop
        } else if LENGTH.contains(&plain) {
            Self::Length
        } else if FILTER.contains(&plain) {
            Self::ContentFilter
        } else if TOOL.contains(&plain) {
            Self::ToolCalls
        } else {
            Self::Other(name.to_owned())
        }
    }
}

impl From<String> for FinishReason {
    fn from(name: String) -> Self {
        Self::from(name.as_str())
    }
}

impl From<FinishReason> for String {
    fn from(reason: FinishReason) -> Self {
        reason.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finish_reasons_of_all_vendors_are_recognized() {
        use FinishReason::{ContentFilter, Length, Stop, ToolCalls};
        for (expected, names) in [
            (
                Stop,
                &["stop", "STOP", "end_turn", "eos", "EOS_TOKEN", "null", "COMPLETE", "stop_sequence"][..],
            ),
            (Stop, &["FINISH_REASON_STOP", "FINISH_REASON_UNSPECIFIED", ""]),
            (Length, &["length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens"]),
            (Length, &["model_context_window_exceeded", "ERROR_LIMIT"]),
            (ContentFilter, &["content_filter", "SAFETY", "content_filtered", "guardrail_intervened"]),
            (
                ContentFilter,
                &["RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "refusal", "sensitive"],
            ),
            (ToolCalls, &["tool_calls", "function_call", "tool_use", "TOOL_CALL"]),
        ] {
            for name in names {
                assert_eq!(FinishReason::from(*name), expected, "{name}");
                assert_eq!(FinishReason::from(*name).unknown(), None);
            }
        }
        let other = FinishReason::from("pause_turn");
        assert_eq!((other.unknown(), other.as_str()), (Some("pause_turn"), "pause_turn"));
        assert_eq!(FinishReason::from(FinishReason::INVALID_JSON).unknown(), None);
    }

    #[test]
    fn stored_names_are_read_like_those_of_an_endpoint() {
        let read = |json: &str| serde_json::from_str::<FinishReason>(json).unwrap();
        assert_eq!(read("\"end_turn\""), FinishReason::Stop);
        assert_eq!(read("\"MAX_TOKENS\""), FinishReason::Length);
        assert_eq!(serde_json::to_string(&FinishReason::ContentFilter).unwrap(), "\"content_filter\"");
    }
}
