//! Characters that a reader does not see.

/// Whether a character is invisible in this position. Joiners and variation selectors belong to emoji and cursive scripts:
/// their neighbours decide. `elements.js` of the page has the same rule.
pub fn is_invisible(before: Option<char>, character: char, after: Option<char>) -> bool {
    let plain = |neighbour: Option<char>| neighbour.is_none_or(|of| of.is_ascii());
    let selects = |of: char| matches!(of, '\u{FE00}'..='\u{FE0F}');
    match character {
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

/// The label that is shown in place of an invisible character: `⟦U+200B⟧`.
pub fn label(character: char) -> String {
    format!("⟦U+{:04X}⟧", u32::from(character))
}

/// The invisible characters of a text, in order. Line breaks and tabs are none.
pub fn invisible(text: &str) -> impl Iterator<Item = char> {
    let mut before = None;
    let mut characters = text.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            let character = characters.next()?;
            let is_layout = matches!(character, '\n' | '\r' | '\t');
            let is_hidden = !is_layout && is_invisible(before, character, characters.peek().copied());
            before = Some(character);
            if is_hidden {
                return Some(character);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_decide_on_joiners_and_selectors() {
        let found = |text: &str| invisible(text).collect::<String>();
        for text in ["👨\u{200D}👩\u{200D}👧", "می\u{200C}خواهم", "❤\u{FE0F}", "two\r\nlines\tand\n", ""]
        {
            assert_eq!(found(text), "", "{text:?}");
        }
        assert_eq!(found("x\u{200D}y\u{E0100}z\u{2060}"), "\u{200D}\u{E0100}\u{2060}");
        assert_eq!(found("a\u{FE00}\u{FE01}"), "\u{FE01}");
        assert_eq!(found("a\u{0}\u{202E}b"), "\u{0}\u{202E}");
    }
}
