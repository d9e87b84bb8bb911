//! Findings with reasons of bounded length.
//!
//! Reasons may hold the model's words; what prints them neutralises them.

use serde_json::Value;

use crate::port::Finding;

/// Characters of a quoted value in a reason.
const QUOTED_LENGTH: usize = 120;
/// Characters of a whole reason.
const REASON_LENGTH: usize = 600;

/// The answer passes.
pub(crate) fn pass(reason: impl AsRef<str>) -> Finding {
    finding(true, reason.as_ref(), Value::Null)
}

/// The answer fails.
pub(crate) fn fail(reason: impl AsRef<str>) -> Finding {
    finding(false, reason.as_ref(), Value::Null)
}

/// A finding with evidence.
pub(crate) fn finding(passed: bool, reason: &str, details: Value) -> Finding {
    Finding { passed, reason: excerpt(reason, REASON_LENGTH), details }
}

/// At most `length` characters of a text; a cut is shown by `…`.
pub(crate) fn excerpt(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        None => text.to_owned(),
        Some(_) => {
            let mut cut: String = text.chars().take(length.saturating_sub(1)).collect();
            cut.push('…');
            cut
        }
    }
}

/// A text in quotes, on one line, cut to a readable length.
pub(crate) fn quoted(text: &str) -> String {
    format!("{:?}", excerpt(text, QUOTED_LENGTH))
}

/// A JSON value on one line, cut to a readable length; a text is quoted.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => excerpt(&other.to_string(), QUOTED_LENGTH),
    }
}

/// What kind of value this is, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters() {
        assert_eq!(excerpt("äöü", 3), "äöü");
        assert_eq!(excerpt("äöüß", 3), "äö…");
        assert_eq!(excerpt("", 0), "");
    }

    #[test]
    fn keeps_reasons_short_and_quotes_on_one_line() {
        assert_eq!(fail("x".repeat(10_000)).reason.chars().count(), REASON_LENGTH);
        assert_eq!(quoted("a\nb\u{1b}"), "\"a\\nb\\u{1b}\"");
    }
}
