//! What others wrote, on its way into the page: without secrets, within bounds, and with nothing that hides.

use promptgate_core::text::{Redactor, neutral};

/// Texts of a report, made fit to be shown.
pub(crate) struct Sanitizer<'a> {
    redactor: &'a Redactor,
}

impl<'a> Sanitizer<'a> {
    /// Without these secrets.
    pub(crate) fn new(redactor: &'a Redactor) -> Self {
        Self { redactor }
    }

    /// What takes the secrets out.
    pub(crate) fn redactor(&self) -> &'a Redactor {
        self.redactor
    }

    /// At most `limit` characters. A secret goes before the cut, which would leave a part of it.
    pub(crate) fn clip(&self, text: &str, limit: usize) -> String {
        let text = self.redactor.redact(text);
        // No text has more characters than bytes.
        if text.len() <= limit { text.into_owned() } else { neutral::clip(&text, limit) }
    }
}

/// JSON that can stand in a `<script>` element: nothing in it ends the element or starts a comment.
pub(super) fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for character in json.chars() {
        match character {
            // None of these occurs in JSON but inside a string, where the escape means the same.
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

/// The text with a label in place of every character that shows nothing, or that turns the direction of others.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\t' => out.push(' '),
            '\n' => out.push('\n'),
            '\r' if characters.peek() == Some(&'\n') => {}
            hidden if is_hidden(before, hidden, characters.peek().copied()) => {
                out.push_str(&format!("⟦U+{:04X}⟧", u32::from(hidden)));
            }
            other => out.push(other),
        }
        before = Some(character);
    }
    out
}

/// Whether a character is to be labelled where it stands; `words.js` has the same rule.
fn is_hidden(before: Option<char>, character: char, after: Option<char>) -> bool {
    let plain = |neighbour: Option<char>| neighbour.is_none_or(|of| of.is_ascii());
    let selects = |of: char| matches!(of, '\u{FE00}'..='\u{FE0F}');
    match character {
        // Joiners belong to emoji and to scripts that join their letters; between others they hide.
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
    use promptgate_core::text::Secret;

    #[test]
    fn what_hides_is_labelled() {
        assert_eq!(visible("a\u{202E}b\u{0}c\u{1B}[31m"), "a⟦U+202E⟧b⟦U+0000⟧c⟦U+001B⟧[31m");
        assert_eq!(visible("in\u{200B}visible \u{E0041}"), "in⟦U+200B⟧visible ⟦U+E0041⟧");
        assert_eq!(visible("two\r\nlines\tand\n"), "two\nlines and\n");
        // A family, a word of Persian and a heart are written with characters that show nothing by themselves.
        for text in ["👨\u{200D}👩\u{200D}👧", "می\u{200C}خواهم", "❤\u{FE0F}"] {
            assert_eq!(visible(text), text);
        }
        assert_eq!(visible("x\u{200D}y"), "x⟦U+200D⟧y");
        assert_eq!(visible("a\u{FE00}\u{FE01}"), "a\u{FE00}⟦U+FE01⟧");
    }

    #[test]
    fn a_secret_goes_before_the_cut() {
        let redactor = Redactor::new(&[Secret::new("sk-0123456789&<\"/+")]);
        let sanitizer = Sanitizer::new(&redactor);
        assert_eq!(sanitizer.clip("key sk-0123456789&<\"/+ here", 400), "key [redacted] here");
        assert!(!sanitizer.clip("key sk-0123456789&<\"/+ here", 12).contains("sk-"));
        assert_eq!(sanitizer.clip("abcdef", 4), "abc…");
    }
}
