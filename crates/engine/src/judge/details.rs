//! Details of grades, of bounded size.

use serde::Serialize;
use serde_json::{Value, json};

use super::reply::Judged;

/// Maximum number of entries of a list.
const MAX_ENTRIES: usize = 100;
/// Maximum length of a text, in characters.
const MAX_TEXT: usize = 500;
/// Maximum number of quotes of an entry.
const MAX_QUOTES: usize = 5;

/// `{name: [entries]}`, with the number of entries left out.
pub(super) fn list(name: &str, mut entries: Vec<Value>) -> Value {
    let left_out = entries.len().saturating_sub(MAX_ENTRIES);
    entries.truncate(MAX_ENTRIES);
    if left_out == 0 { json!({name: entries}) } else { json!({name: entries, "left_out": left_out}) }
}

/// The verdict on a text.
pub(super) fn verdict<V: Serialize>(text: &str, judged: &Judged<V>) -> Value {
    json!({
        "id": judged.id,
        "text": self::text(text),
        "reasoning": self::text(&judged.reasoning),
        "verdict": judged.verdict,
    })
}

/// The text, cut with an ellipsis if it is too long.
pub(super) fn text(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}\u{2026}", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The first few quotes.
pub(super) fn quotes(quotes: &[String]) -> Vec<String> {
    quotes.iter().take(MAX_QUOTES).map(|quote| text(quote)).collect()
}

/// The first few ids: `2, 5 and 9 more`.
pub(super) fn ids(ids: &[u32]) -> String {
    const MAX: usize = 10;
    let shown = ids.iter().take(MAX).map(u32::to_string).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The ids of statements with their noun: `statement 1`, `statements 1, 2`.
pub(super) fn statements(statements: &[u32]) -> String {
    let noun = if statements.len() == 1 { "statement" } else { "statements" };
    format!("{noun} {}", ids(statements))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(text("short"), "short");
        assert_eq!(text(&"é".repeat(501)).chars().count(), 501);
        assert_eq!(text(&"é".repeat(500)).chars().count(), 500);
        assert_eq!(quotes(&vec!["q".to_owned(); 9]).len(), 5);
        assert_eq!(ids(&(1..=12).collect::<Vec<_>>()), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more");
        let value = list("items", vec![Value::Null; 103]);
        assert_eq!(value["left_out"], 3);
        assert_eq!(value["items"].as_array().unwrap().len(), 100);
    }
}
