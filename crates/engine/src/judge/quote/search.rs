//! Search of a quote in a text: exact, or with small edits.
//!
//! The distance is Sellers' semi-global edit distance (1980), at most a tenth of the quote's bytes, for quotes of at
//! least fifteen characters. If a quote is cut into k + 1 pieces, k edits leave at least one of them unchanged, so it is
//! enough to search around exact matches of the pieces, which is fast in long contexts. A quote that exceeds the bound on
//! the work is not found. Edits may change white space, articles, and one letter of a longer word. Any other added,
//! missing or replaced word makes another sentence, and a changed statement must not pass as a quote for itself.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::super::normalize::negations;
use super::super::numbers;

/// Shorter quotes must occur exactly.
const MIN_CHARACTERS: usize = 15;
/// Longer quotes, in bytes, must occur exactly.
const MAX_BYTES: usize = 2_000;
/// Bytes of the quote per edit.
const BYTES_PER_EDIT: usize = 10;
/// Maximum number of cells of the distance matrix for one quote (about ten milliseconds).
const MAX_CELLS: usize = 4_000_000;
/// Maximum number of matches of a piece.
const MAX_MATCHES: usize = 20_000;
/// Shorter words must be equal, since too many of them differ in one letter.
const MIN_LETTERS: usize = 5;

/// Finds `quote` in `text`, both normalized. The result has whole words, even if the quote cuts its last one.
pub(super) fn find<'t>(text: &'t str, quote: &str) -> Option<&'t str> {
    if quote.is_empty() {
        return None;
    }
    exact(text, quote).or_else(|| approximate(text, quote))
}

fn exact<'t>(text: &'t str, quote: &str) -> Option<&'t str> {
    text.match_indices(quote)
        .take(MAX_MATCHES)
        .map(|(start, found)| start..start + found.len())
        .find(|range| whole_words(text, range) == *range)
        .and_then(|range| text.get(range))
}

fn approximate<'t>(text: &'t str, quote: &str) -> Option<&'t str> {
    let edits = quote.len() / BYTES_PER_EDIT;
    if edits == 0 || quote.len() > MAX_BYTES || quote.chars().count() < MIN_CHARACTERS {
        return None;
    }
    let mut cells = 0;
    let mut found: Vec<(usize, Range<usize>)> = Vec::new();
    for window in windows(text, quote, edits) {
        cells += window.len().saturating_mul(quote.len());
        if cells > MAX_CELLS {
            break;
        }
        let bytes = text.as_bytes().get(window.clone()).unwrap_or_default();
        if let Some((cost, range)) = nearest(bytes, quote.as_bytes(), edits) {
            found.push((cost, range.start + window.start..range.end + window.start));
        }
    }
    found.sort_by_key(|(cost, range)| (*cost, range.start));
    found.into_iter().find_map(|(cost, range)| {
        let whole = whole_words(text, &range);
        // A cut word counts as an edit.
        let added = whole.len().saturating_sub(range.len());
        let words = text.get(whole)?;
        (cost + added <= edits && same_sense(words, quote)).then_some(words)
    })
}

/// The parts of the text that may contain the quote, merged and in order.
fn windows(text: &str, quote: &str, edits: usize) -> Vec<Range<usize>> {
    let mut windows = Vec::new();
    let mut start = 0;
    for piece in 1..=edits + 1 {
        let end = floor(quote, quote.len() * piece / (edits + 1));
        let Some(needle) = quote.get(start..end).filter(|needle| !needle.is_empty()) else {
            continue;
        };
        for (place, _) in text.match_indices(needle).take(MAX_MATCHES) {
            let from = place.saturating_sub(start + edits);
            let to = place.saturating_add(quote.len() - start + edits).min(text.len());
            windows.push(from..to);
        }
        start = end;
        if windows.len() > MAX_MATCHES {
            break;
        }
    }
    windows.sort_by_key(|window| (window.start, window.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for window in windows {
        match merged.last_mut() {
            Some(last) if window.start <= last.end => last.end = last.end.max(window.end),
            _ => merged.push(window),
        }
    }
    merged
}

/// The match in `text` with the smallest distance to `quote`, if that is at most `edits`.
fn nearest(text: &[u8], quote: &[u8], edits: usize) -> Option<(usize, Range<usize>)> {
    // A column of Sellers' matrix: for each prefix of the quote, the smallest distance to a text that ends here, and the
    // start of that text.
    let mut column: Vec<(usize, usize)> = (0..=quote.len()).map(|row| (row, 0)).collect();
    let mut best: Option<(usize, Range<usize>)> = None;
    for (at, byte) in text.iter().enumerate() {
        let mut diagonal = (0, at);
        let mut above = (0, at + 1);
        for (cell, expected) in column.iter_mut().zip(std::iter::once(&0).chain(quote)).skip(1) {
            let left = *cell;
            let replaced = (diagonal.0 + usize::from(expected != byte), diagonal.1);
            let inserted = (left.0 + 1, left.1);
            let deleted = (above.0 + 1, above.1);
            let next = [inserted, deleted]
                .into_iter()
                .fold(replaced, |best, other| if other.0 < best.0 { other } else { best });
            diagonal = left;
            above = next;
            *cell = next;
        }
        let better = |cost: usize| best.as_ref().is_none_or(|(least, _)| cost < *least);
        if above.0 <= edits && better(above.0) {
            best = Some((above.0, above.1..at + 1));
        }
    }
    best
}

/// Whether the text found and the quote differ only in ways that keep the meaning.
fn same_sense(found: &str, quote: &str) -> bool {
    let words = |text| -> Vec<&str> {
        str::unicode_words(text).filter(|word| !matches!(*word, "a" | "an" | "the")).collect()
    };
    let (found_words, quote_words) = (words(found), words(quote));
    let word_by_word = found_words.len() == quote_words.len()
        && found_words.iter().zip(&quote_words).all(|(one, other)| same_word(one, other));
    // White space may be added or missing.
    (word_by_word || found_words.concat() == quote_words.concat())
        && numbers::stated(found) == numbers::stated(quote)
        && negations(found) == negations(quote)
}

/// Whether two words are equal up to one letter, but not the first, which may be a negating prefix.
fn same_word(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (longer, shorter) = if one.len() < other.len() { (other, one) } else { (one, other) };
    let start = longer.iter().zip(&shorter).take_while(|(one, other)| one == other).count();
    let rest = shorter.get(start + usize::from(longer.len() == shorter.len())..).unwrap_or_default();
    longer.len() >= MIN_LETTERS
        && start > 0
        && longer.len() - shorter.len() <= 1
        && longer.get(start + 1..).unwrap_or_default() == rest
}

/// Extends the range until it cuts no ASCII word and no number. Other scripts may not separate their words.
fn whole_words(text: &str, range: &Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let letter = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_alphanumeric);
    let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    // A point or comma between two digits is part of the number.
    let inside = |index: usize| {
        letter(index)
            || (bytes.get(index).is_some_and(|byte| matches!(byte, b'.' | b','))
                && index > 0
                && digit(index - 1)
                && digit(index + 1))
    };
    let mut start = floor(text, range.start);
    let mut end = range.end.min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    while start > 0 && inside(start) && inside(start - 1) {
        start -= 1;
    }
    while end > 0 && inside(end - 1) && inside(end) {
        end += 1;
    }
    start..end
}

fn floor(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}
