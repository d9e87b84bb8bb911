//! Findings with reasons of limited length.
//!
//! Reasons may quote the answer, so they are neutralized before they are printed.

use serde_json::Value;

use crate::port::Finding;

/// Maximum length of a quoted value in a reason.
const QUOTED_LENGTH: usize = 120;
/// Maximum length of a reason.
const REASON_LENGTH: usize = 600;

/// A finding that the answer passes.
pub(crate) fn pass(reason: impl AsRef<str>) -> Finding {
    finding(true, reason.as_ref(), Value::Null)
}

/// A finding that the answer fails.
pub(crate) fn fail(reason: impl AsRef<str>) -> Finding {
    finding(false, reason.as_ref(), Value::Null)
}

/// A finding with evidence.
pub(crate) fn finding(passed: bool, reason: &str, details: Value) -> Finding {
    Finding { passed, reason: excerpt(reason, REASON_LENGTH), details }
}

/// Shortens a text to `length` characters, the last one `…`.
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

/// Quotes a text in one line, shortened.
pub(crate) fn quoted(text: &str) -> String {
    format!("{:?}", excerpt(text, QUOTED_LENGTH))
}

/// Returns a JSON value in one line, shortened; text is quoted.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => excerpt(&other.to_string(), QUOTED_LENGTH),
    }
}

/// Lists the first ten quoted names in their order, and the number of the others.
pub(crate) fn list_of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(quoted).collect();
    let shown = names.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(10) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Returns the type of a value, for messages.
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
    fn excerpt_cuts_between_characters() {
        assert_eq!(excerpt("äöü", 3), "äöü");
        assert_eq!(excerpt("äöüß", 3), "äö…");
        assert_eq!(excerpt("", 0), "");
    }

    #[test]
    fn reasons_are_short_and_quotes_are_one_line() {
        assert_eq!(fail("x".repeat(10_000)).reason.chars().count(), REASON_LENGTH);
        assert_eq!(quoted("a\nb\u{1b}"), "\"a\\nb\\u{1b}\"");
    }
}
