//! Places and excerpts, as the sentences of changes name them.

use promptgate_core::model::MessageRole;

/// The most characters of an excerpt.
const MAX_EXCERPT: usize = 48;

/// A message, counted from 1.
pub(super) fn message(index: usize, role: MessageRole) -> String {
    format!("message {} ({})", index + 1, role.as_str())
}

/// A line of a message, both counted from 1.
pub(super) fn line(index: usize, role: MessageRole, line: usize) -> String {
    format!("{}, line {line}", message(index, role))
}

/// A text in backticks, cut at the end, with escapes for characters that cannot be seen.
pub(super) fn excerpt(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown = String::new();
    for character in characters.by_ref().take(MAX_EXCERPT) {
        if character == ' ' || !is_invisible(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Whether a character is a control, a format character or a blank.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || character.is_whitespace()
        || matches!(character,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
}

/// `was added`, `was removed` or `changed` for a value of a map.
pub(super) fn verb<T>(old: Option<&T>, new: Option<&T>) -> &'static str {
    match (old, new) {
        (None, _) => "was added",
        (_, None) => "was removed",
        _ => "changed",
    }
}

/// A JSON pointer with one more token.
pub(super) fn child(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}
