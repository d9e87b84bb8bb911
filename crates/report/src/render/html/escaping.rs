//! Escaping beyond HTML: JSON in script elements, and labels for invisible characters.

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
                out.push_str(&format!("⟦U+{:04X}⟧", u32::from(invisible)));
            }
            other => out.push(other),
        }
        before = Some(character);
    }
    out
}

/// Whether a character is labelled in this position; `elements.js` has the same rule.
fn is_invisible(before: Option<char>, character: char, after: Option<char>) -> bool {
    let plain = |neighbour: Option<char>| neighbour.is_none_or(|of| of.is_ascii());
    let selects = |of: char| matches!(of, '\u{FE00}'..='\u{FE0F}');
    match character {
        // Joiners belong to emoji and cursive scripts; next to ASCII they are invisible.
        '\u{200C}' | '\u{200D}' => plain(before) || plain(after),
        selector if selects(selector) => before.is_none_or(selects),
        '\u{AD}'
        | '\u{34F}'
        | '\u{61C}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}' => true,
        other => other.is_control(),
    }
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
