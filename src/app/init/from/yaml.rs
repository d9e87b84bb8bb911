//! YAML as people write it: block lists at the top, flow values, block texts.

use serde_json::{Map, Value};

/// Words that YAML 1.1 or 1.2 may read as something other than a text.
const WORDS: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"];

/// A value in one line.
pub(in crate::app::init) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => format!("{{{}}}", entries(map)),
        other => other.to_string(),
    }
}

fn entries(map: &Map<String, Value>) -> String {
    map.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect::<Vec<_>>().join(", ")
}

/// A text, in quotes where it needs them.
pub(in crate::app::init) fn scalar(text: &str) -> String {
    let is_plain = |c: char| {
        c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '@' | '(' | ')' | '+' | ';')
    };
    let starts = text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '/');
    let is_word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    if starts && text.chars().all(is_plain) && text.trim() == text && !is_word && text.len() < 200 {
        return text.to_owned();
    }
    // A string of JSON is one of YAML.
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// A key with a text, in a block where it has several lines.
pub(super) fn block(indent: usize, key: &str, text: &str) -> String {
    let pad = " ".repeat(indent);
    let is_odd = |c: char| {
        c != '\n' && (c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'))
    };
    let fits = text.contains('\n')
        && !text.chars().any(is_odd)
        && !text.starts_with([' ', '\n'])
        && !text.ends_with([' ', '\n'])
        && !text.lines().any(|line| !line.is_empty() && line.trim().is_empty());
    if !fits {
        return format!("{pad}{key}: {}\n", scalar(text));
    }
    let lines = text.split('\n').map(|line| match line {
        "" => "\n".to_owned(),
        line => format!("{pad}  {line}\n"),
    });
    format!("{pad}{key}: |-\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use promptgate_core::document::Document;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_back() {
        let value = json!({
            "a": ["yes", "No", "1.0", "007", "", " x", "x ", "a: b", "#c", "- d", "{{x}}", "ä", "2026-01-01", "a\tb\n", "\u{7f}", "~"],
            "b c": {"d": null, "e": 1.5, "f": true, "g": []},
            "y": "plain words (here)", "\"q\"": "it's",
        });
        let document = Document::yaml("x", &flow(&value)).unwrap();
        assert_eq!(document.value(), &value, "{}", flow(&value));
    }

    #[test]
    fn texts_are_read_back() {
        for text in [
            "one",
            "one\ntwo",
            "one\n\n  two\n# three",
            " one\ntwo",
            "one\n",
            "a\n \nb",
            "a\r\nb",
            "",
            "a\n\tb",
            "x: y\n- z",
        ] {
            let document = Document::yaml("x", &format!("m:\n{}", block(2, "content", text))).unwrap();
            assert_eq!(document.value(), &json!({"m": {"content": text}}), "{text:?}");
        }
    }
}
