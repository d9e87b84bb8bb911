//! Normalization of texts for comparison: spelling, stems and negations.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use promptgate_core::text::word_list;

/// Words without content.
static STOP_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| word_list(include_str!("data/stop_words.txt")));
/// Words that negate a sentence.
static NEGATIONS: LazyLock<HashSet<&str>> = LazyLock::new(|| word_list(include_str!("data/negations.txt")));

/// The digit zero of scripts with their own digits; one to nine follow it.
const ZEROS: [char; 18] = [
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}', '\u{1810}',
];

/// Removes invisible characters, so that the judge sees the same text as a reader.
pub(super) fn visible(text: &str) -> String {
    text.chars().filter(|character| !is_invisible(*character)).collect()
}

/// Normalizes a text: NFKC, folded case, single spaces, ASCII quotes, dashes and digits, no invisible characters, no
/// marks of bold or code.
pub(super) fn normalize(text: &str) -> String {
    // Quotes leave out these marks of Markdown.
    let text = text.replace("**", "").replace('`', "");
    if text.is_ascii() { normalize_ascii(&text) } else { normalize_any(&text) }
}

/// [`normalize_any`] for ASCII, the most frequent case: only letter case, spaces and controls change.
fn normalize_ascii(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut space = false;
    for byte in text.bytes() {
        // White space by Unicode, which includes the vertical tab.
        if matches!(byte, b'\t'..=b'\r' | b' ') {
            space = true;
        } else if !byte.is_ascii_control() {
            if space && !normal.is_empty() {
                normal.push(' ');
            }
            space = false;
            normal.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    normal
}

fn normalize_any(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut space = false;
    let plain = text.chars().filter(|character| !is_invisible(*character)).map(plain);
    for character in plain.nfkc().filter(|character| !is_invisible(*character)) {
        if character.is_whitespace() {
            space = true;
        } else {
            if space && !normal.is_empty() {
                normal.push(' ');
            }
            space = false;
            // Upper and then lower case folds "ß" to "ss" and all sigmas to one.
            normal.extend(self::plain(character).to_uppercase().flat_map(char::to_lowercase));
        }
    }
    normal
}

/// Zero-width and bidirectional controls, variation selectors, tags and other invisible controls.
fn is_invisible(character: char) -> bool {
    (character.is_control() && !character.is_whitespace())
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e01ef}'
        )
}

/// Converts typographic quotes and dashes, and the digits of every script, to ASCII.
fn plain(character: char) -> char {
    match character {
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2039}' | '\u{203a}' | '\u{b4}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
        other if other.is_ascii() => other,
        other => {
            let value = ZEROS.iter().find_map(|zero| {
                (u32::from(other)).checked_sub(u32::from(*zero)).filter(|value| *value < 10)
            });
            value.and_then(|value| char::from_digit(value, 10)).unwrap_or(other)
        }
    }
}

/// Whether no word of a normalized text has content.
pub(super) fn only_stop_words(normal: &str) -> bool {
    normal.unicode_words().all(|word| STOP_WORDS.contains(word))
}

/// Stems of the words with content in a normalized text. They are English; a word of another language is still equal to
/// itself.
pub(super) fn content_stems(normal: &str) -> BTreeSet<String> {
    let stemmer = Stemmer::create(Algorithm::English);
    normal
        .unicode_words()
        .filter(|word| !STOP_WORDS.contains(word) && word.chars().any(char::is_alphabetic))
        .map(|word| stemmer.stem(word.strip_suffix("'s").unwrap_or(word)).into_owned())
        // A lone Latin letter has no content, but a lone ideograph is a word.
        .filter(|stem| stem.len() > 1)
        .collect()
}

/// The number of negations in a normalized text.
pub(super) fn negations(normal: &str) -> usize {
    normal.unicode_words().filter(|word| NEGATIONS.contains(word) || word.ends_with("n't")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_look_the_same_are_equal() {
        assert_eq!(
            normalize("  The\u{a0}“Ｆｕｌｌ”\n ﬁne\u{200b}  Straße \u{2014} it\u{2019}s "),
            "the \"full\" fine strasse - it's"
        );
        assert_eq!(normalize("Ὀδυσσεύς"), normalize("ὈΔΥΣΣΕΎΣ"));
        assert_eq!(normalize("e\u{301}te\u{301}"), normalize("été"));
        assert_eq!(normalize("a\u{202e}b\u{feff}c\u{e0041}\u{0}"), "abc");
        assert_eq!(normalize("\u{200b}\n"), "");
        assert_eq!(normalize("\u{663}\u{660} \u{96f} \u{669}\u{66a}"), "30 9 9\u{66a}");
    }

    proptest::proptest! {
        #[test]
        fn ascii_path_equals_the_general_path(text in "[\\x00-\\x7f]{0,80}") {
            proptest::prop_assert_eq!(normalize_ascii(&text), normalize_any(&text));
        }
    }

    #[test]
    fn homoglyphs_of_another_script_stay_different() {
        assert_ne!(normalize("refund"), normalize("r\u{435}fund"));
    }

    #[test]
    fn content_stems_exclude_stop_words_and_numbers() {
        let stems = content_stems(&normalize("The refunds are refunded within 30 days of it."));
        assert_eq!(stems.into_iter().collect::<Vec<_>>(), ["day", "refund"]);
    }

    #[test]
    fn negations_are_counted() {
        assert_eq!(negations("you can't return it and it is not refunded without a receipt"), 3);
        assert_eq!(negations("notable nothingness"), 0);
    }
}
