//! Descriptions of values and help for parser messages.

use std::fmt;

use serde_json::Value;

use super::MAX_DEPTH;
use super::secret::looks_like_secret;

/// Maximum length of a quoted text in a message.
const SHOWN: usize = 60;

/// Describes a value: `text "abc"`, `the number 60`, `a list`. Possible secrets are not quoted.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.is_empty() => "an empty text".to_owned(),
        Value::String(text) if looks_like_secret(text) => "text".to_owned(),
        Value::String(text) => format!("text {:?}", shortened(text)),
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(map) if map.is_empty() => "an empty map".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

/// Quotes a key or a character in backquotes, shortened and without control characters.
pub(super) fn quoted(text: &str) -> String {
    if looks_like_secret(text) {
        return "(not shown)".to_owned();
    }
    let plain: String = shortened(text)
        .chars()
        .map(|c| if c.is_control() || c == '`' { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    format!("`{plain}`")
}

pub(crate) fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let mut short: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// The message for a document that is nested too deeply.
pub(super) fn too_deep() -> String {
    format!("nested deeper than {MAX_DEPTH} levels")
}

/// Help for some messages of the YAML parser.
pub(super) fn yaml_help(info: &str) -> Option<&'static str> {
    if info.contains("tab") {
        Some("indent with spaces")
    } else if info.contains("unknown anchor") {
        Some("put quotes around text that starts with `*`, or define the anchor before it")
    } else if info.contains("mapping values are not allowed") {
        Some("put quotes around text that contains `: `, and check the indentation")
    } else if info.contains("simple key") || info.contains("expected ':'") {
        Some("check the indentation, and that a space follows each `:`")
    } else if info.contains("quoted scalar") || info.contains("end of stream") {
        Some("check that every quote and bracket is closed")
    } else if info.contains("start any token") {
        Some("put quotes around text that starts with `@`, a backquote or `%`")
    } else {
        None
    }
}

/// Displays a JSON pointer as a path: `` `checks[0].min` ``; the root is "the document".
pub(super) struct Path<'a>(pub(super) &'a str);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the document");
        }
        let mut path = String::new();
        for token in self.0.split('/').skip(1) {
            if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
                path.push_str(&format!("[{token}]"));
            } else {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&token.replace("~1", "/").replace("~0", "~"));
            }
        }
        f.write_str(&quoted(&path))
    }
}

/// Quotes words in backquotes, separated by commas.
pub(super) fn quoted_list(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ")
}

/// Quotes an allowed value.
pub(super) fn shown_option(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    }
}
