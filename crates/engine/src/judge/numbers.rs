//! Numbers in a text, in a canonical form.
//!
//! Separators of groups of three are removed (`1,000`, `1'000`), any other comma is a decimal point, and insignificant
//! zeros are removed (`02`, `3.50`). Several points (`1.2.3`) stay as written. Number words are English: `thirty`,
//! `twenty-five`. Words below thirteen count as stated ("two weeks" backs "2 weeks") but not as claimed ("one of them"
//! is not a number). Hundreds and thousands in words, fractions and other languages are not parsed; `1.000` is one.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use unicode_segmentation::UnicodeSegmentation;

use promptgate_core::text::word_list;

/// Number words below twenty; the index is the value.
static UNITS: LazyLock<Vec<&str>> = LazyLock::new(|| word_list(include_str!("data/units.txt")));
/// Number words from twenty to ninety.
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
/// The smallest number word that counts as a claim.
const MIN_CLAIMED: usize = 13;

/// Numbers that a normalized text claims: those in digits, and words from thirteen on.
pub(super) fn claimed(normal: &str) -> BTreeSet<String> {
    let mut numbers = digits(normal);
    numbers
        .extend(in_words(normal).into_iter().filter(|number| *number >= MIN_CLAIMED).map(|n| n.to_string()));
    numbers
}

/// Numbers that a normalized text states: those in digits and all words.
pub(super) fn stated(normal: &str) -> BTreeSet<String> {
    let mut numbers = digits(normal);
    numbers.extend(in_words(normal).into_iter().map(|number| number.to_string()));
    numbers
}

fn digits(text: &str) -> BTreeSet<String> {
    let mut numbers = BTreeSet::new();
    let mut token = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_ascii_digit() {
            token.push(character);
            continue;
        }
        let separates = matches!(character, '.' | ',' | '\'') && !token.is_empty();
        if separates && characters.peek().is_some_and(char::is_ascii_digit) {
            token.push(character);
        } else if !token.is_empty() {
            numbers.insert(canonical(&token));
            token.clear();
        }
    }
    if !token.is_empty() {
        numbers.insert(canonical(&token));
    }
    numbers
}

/// The canonical form of a token of digits with single separators between them.
fn canonical(token: &str) -> String {
    let commas = token.matches([',', '\'']).count();
    let grouped = commas > 0
        && token.split('.').next().is_some_and(|whole| {
            let mut groups = whole.split([',', '\'']);
            let first = groups.next().map_or(0, str::len);
            (1..=3).contains(&first) && groups.all(|group| group.len() == 3)
        })
        && token.rsplit('.').next().is_some_and(|tail| !token.contains('.') || !tail.contains([',', '\'']));
    let plain = if grouped { token.replace([',', '\''], "") } else { token.replace([',', '\''], ".") };
    if plain.matches('.').count() > 1 {
        return plain;
    }
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

fn in_words(normal: &str) -> Vec<usize> {
    let mut numbers = Vec::new();
    let mut tens: Option<usize> = None;
    for word in normal.unicode_words() {
        let unit = UNITS.iter().position(|unit| *unit == word);
        match (tens.take(), unit) {
            (Some(tens), Some(unit)) if (1..=9).contains(&unit) => {
                numbers.push(tens + unit);
                continue;
            }
            (Some(tens), _) => numbers.push(tens),
            (None, _) => {}
        }
        numbers.extend(unit);
        tens = TENS.iter().position(|ten| *ten == word).map(|index| (index + 2) * 10);
    }
    numbers.extend(tens);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(set: BTreeSet<String>) -> Vec<String> {
        set.into_iter().collect()
    }

    #[test]
    fn spellings_of_a_number_are_canonical() {
        for (text, number) in [
            ("1,000", "1000"),
            ("1'234'567", "1234567"),
            ("1,234.50", "1234.5"),
            ("3.50", "3.5"),
            ("3,5", "3.5"),
            ("007", "7"),
            ("0.0", "0"),
            ("1.2.3", "1.2.3"),
            ("$30.", "30"),
            ("kb-101", "101"),
            ("30%", "30"),
            ("12,34", "12.34"),
        ] {
            assert_eq!(list(stated(text)), [number], "{text}");
        }
    }

    #[test]
    fn every_number_is_found() {
        assert_eq!(list(stated("from 9:30 to 17, on 2024-01-05")), ["1", "17", "2024", "30", "5", "9"]);
    }

    #[test]
    fn number_words_are_parsed() {
        assert_eq!(list(stated("twenty-five or thirty days, one week")), ["1", "25", "30"]);
        assert_eq!(list(claimed("twenty-five or thirty days, one week")), ["25", "30"]);
        assert_eq!(list(stated("twenty, ninety ten")), ["10", "20", "90"]);
        assert!(claimed("one of the two").is_empty());
    }
}
