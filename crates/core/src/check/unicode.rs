//! Typographic variants of plain characters, which models write unasked.
//!
//! `As an\u{a0}AI` and `As an AI` are the same text to a reader. Only spaces, zero-width characters, quotes and dashes are
//! mapped. Compatibility normalization (NFKC) would go too far: it makes `m²` equal to `m2`.

use std::borrow::Cow;

/// Replaces typographic spaces, quotes and dashes by their ASCII forms, and removes zero-width characters.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_mapped) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(mapped).collect())
}

/// Whether the text is about typographic characters themselves: it has some, and neither letter nor digit. `—` forbids
/// long dashes, not hyphens.
pub(super) fn is_about_characters(text: &str) -> bool {
    !text.is_ascii() && text.chars().any(is_mapped) && !text.chars().any(char::is_alphanumeric)
}

fn is_mapped(character: char) -> bool {
    mapped(character) != Some(character)
}

fn mapped(character: char) -> Option<char> {
    Some(match character {
        // Spaces: no-break, Ogham, en quad to hair space, narrow no-break, mathematical, ideographic.
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        // Zero width: soft hyphen, spaces and joiners, direction marks, variation selectors, byte order mark.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => return None,
        // Single quotes: left, right, low, reversed, modifier letter apostrophe.
        '\u{2018}'..='\u{201b}' | '\u{2bc}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        // Hyphens, dashes, the minus sign.
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typographic_characters_become_plain() {
        for (text, expected) in [
            ("As an\u{a0}AI", "As an AI"),
            ("30\u{202f}days", "30 days"),
            ("As an\u{200b} A\u{ad}I", "As an AI"),
            ("don\u{2019}t", "don't"),
            ("\u{201c}a\u{201d}", "\"a\""),
            ("1\u{2013}2\u{2014}3 \u{2212}4", "1-2-3 -4"),
            ("plain", "plain"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn other_characters_stay() {
        for text in ["m²", "№ 5", "ﬁne", "½", "Ａ", "«a»", "5′", "é\n\t", "…"] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn texts_of_typographic_characters_alone_are_recognized() {
        for text in ["\u{2014}", " \u{2014} ", "\u{a0}", "\u{201c}"] {
            assert!(is_about_characters(text), "{text:?}");
        }
        for text in ["-", " ", "don\u{2019}t", "\u{2014} 5", ""] {
            assert!(!is_about_characters(text), "{text:?}");
        }
    }
}
