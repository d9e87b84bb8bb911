//! Texts as sequences of numbered words, without case, punctuation and whitespace.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

/// A word by its number.
pub(super) type Word = u32;

/// The numbers of words, by their first use.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    numbers: HashMap<String, Word>,
    facts: Vec<WordFacts>,
}

/// Facts about a word.
#[derive(Debug, Clone, Copy)]
struct WordFacts {
    has_digit: bool,
    characters: usize,
}

impl Vocabulary {
    /// Appends the words of a text.
    pub(super) fn read(&mut self, text: &str, words: &mut Vec<Word>) {
        let mut word = String::new();
        let mut before = ' ';
        let mut letters = text.nfkc().flat_map(char::to_lowercase).peekable();
        while let Some(letter) = letters.next() {
            let is_sign = letter == '-'
                && !before.is_alphanumeric()
                && letters.peek().is_some_and(|next| next.is_ascii_digit());
            if is_ideograph(letter) || is_sign || is_symbol(letter) {
                self.end(&mut word, words);
                word.push(letter);
                self.end(&mut word, words);
            } else if letter.is_alphanumeric() {
                word.push(letter);
            } else if !is_apostrophe(letter) {
                self.end(&mut word, words);
            }
            before = letter;
        }
        self.end(&mut word, words);
    }

    /// The words of a text.
    pub(super) fn words(&mut self, text: &str) -> Vec<Word> {
        let mut words = Vec::new();
        self.read(text, &mut words);
        words
    }

    fn end(&mut self, word: &mut String, words: &mut Vec<Word>) {
        if word.is_empty() {
            return;
        }
        let next = Word::try_from(self.facts.len()).unwrap_or(Word::MAX);
        let number = match self.numbers.get(word.as_str()) {
            Some(number) => *number,
            None => {
                let has_digit = word.chars().any(char::is_numeric);
                self.facts.push(WordFacts { has_digit, characters: word.chars().count() });
                self.numbers.insert(std::mem::take(word), next);
                next
            }
        };
        word.clear();
        words.push(number);
    }

    /// Whether a word has a digit.
    pub(super) fn has_digit(&self, word: Word) -> bool {
        self.facts(word).is_some_and(|facts| facts.has_digit)
    }

    /// Number of characters of a word.
    pub(super) fn characters(&self, word: Word) -> usize {
        self.facts(word).map_or(0, |facts| facts.characters)
    }

    fn facts(&self, word: Word) -> Option<WordFacts> {
        self.facts.get(word as usize).copied()
    }
}

/// Characters of scripts that are written without spaces, each of which counts as a word.
fn is_ideograph(letter: char) -> bool {
    matches!(u32::from(letter), 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// Symbols that can make two texts different: `C++` and `C#`, `<` and `>`, emoji.
fn is_symbol(letter: char) -> bool {
    matches!(letter, '+' | '#' | '*' | '/' | '<' | '=' | '>' | '%' | '$' | '&' | '@' | '^' | '|' | '~')
        || matches!(u32::from(letter), 0xA2..=0xA9 | 0xAC..=0xB1 | 0x20A0..=0x20CF | 0x2190..=0x2BFF | 0x1F000..=0x1FAFF)
}

fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '\u{2019}' | '\u{2bc}')
}

/// Whether a sequence of words contains another, in time linear in both.
pub(super) fn contains(text: &[Word], part: &[Word]) -> bool {
    if part.is_empty() || part.len() > text.len() {
        return false;
    }
    // The length of the longest proper beginning of `part` that ends at each place of it.
    let mut borders = vec![0; part.len()];
    let mut matched = 0;
    for (index, word) in part.iter().enumerate().skip(1) {
        matched = extended(part, &borders, matched, *word);
        if let Some(border) = borders.get_mut(index) {
            *border = matched;
        }
    }
    matched = 0;
    text.iter().any(|word| {
        matched = extended(part, &borders, matched, *word);
        matched == part.len()
    })
}

/// The length of the longest beginning of `part` that ends with `word`, after one of `matched` words.
fn extended(part: &[Word], borders: &[usize], mut matched: usize, word: Word) -> usize {
    while part.get(matched) != Some(&word) {
        match matched.checked_sub(1).and_then(|last| borders.get(last)) {
            Some(border) => matched = *border,
            None => return 0,
        }
    }
    matched + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_punctuation_and_whitespace_do_not_count() {
        let mut vocabulary = Vocabulary::default();
        let mut same = |one: &str, other: &str| vocabulary.words(one) == vocabulary.words(other);
        for (one, other) in [
            ("Can I return it?", "can i  return it"),
            ("Don\u{2019}t!", "dont"),
            ("ＦＵＬＬ width", "full width"),
            ("a-b", "a b"),
            ("...", ""),
        ] {
            assert!(same(one, other), "{one} and {other}");
        }
        for (one, other) in [
            ("What is C++?", "What is C#?"),
            ("3.5", "35"),
            ("at -5 degrees", "at 5 degrees"),
            ("2 + 2", "2 * 2"),
            ("价格多少", "价格多"),
            ("😀", "😡"),
        ] {
            assert!(!same(one, other), "{one} and {other}");
        }
        assert_eq!(vocabulary.words("价格多少").len(), 4);
    }

    proptest! {
        #[test]
        fn parts_are_found_as_by_windows(text in prop::collection::vec(0_u32..3, 0..30), part in prop::collection::vec(0_u32..3, 1..5)) {
            let expected = text.windows(part.len()).any(|window| window == part);
            prop_assert_eq!(contains(&text, &part), expected);
        }
    }
}
