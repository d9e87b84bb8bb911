//! Escaping beyond HTML: JSON in script elements, and labels for invisible characters.

use promptgate_core::text::neutral::{is_invisible, label};

/// Escapes JSON for a `<script>` element, so that it can neither end the element nor start a comment.
pub(super) fn escape_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for character in json.chars() {
        match character {
            // In JSON these occur only inside strings, where the escape is equivalent.
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

/// Replaces invisible and direction-changing characters by labels.
pub(super) fn label_invisible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\t' => out.push(' '),
            '\n' => out.push('\n'),
            '\r' if characters.peek() == Some(&'\n') => {}
            invisible if is_invisible(before, invisible, characters.peek().copied()) => {
                out.push_str(&label(invisible));
            }
            other => out.push(other),
        }
        before = Some(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_labelled() {
        assert_eq!(label_invisible("a\u{202E}b\u{0}c\u{1B}[31m"), "a⟦U+202E⟧b⟦U+0000⟧c⟦U+001B⟧[31m");
        assert_eq!(label_invisible("in\u{200B}visible \u{E0041}"), "in⟦U+200B⟧visible ⟦U+E0041⟧");
        assert_eq!(label_invisible("two\r\nlines\tand\n"), "two\nlines and\n");
        // These emoji and the Persian word need joiners and selectors.
        for text in ["👨\u{200D}👩\u{200D}👧", "می\u{200C}خواهم", "❤\u{FE0F}"] {
            assert_eq!(label_invisible(text), text);
        }
        assert_eq!(label_invisible("x\u{200D}y"), "x⟦U+200D⟧y");
        assert_eq!(label_invisible("a\u{FE00}\u{FE01}"), "a\u{FE00}⟦U+FE01⟧");
    }
}
