//! Sentences of a paragraph: the boundaries of UAX 29 without those inside a sentence.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_segmentation::UnicodeSegmentation;

use promptgate_core::text::word_list;

/// Abbreviations that never end a sentence, without their last full stop.
static NEVER_LAST: LazyLock<HashSet<&str>> =
    LazyLock::new(|| word_list(include_str!("../data/abbreviations.txt")));
/// Abbreviations that do not end a sentence before a number.
static BEFORE_NUMBER: LazyLock<HashSet<&str>> =
    LazyLock::new(|| word_list(include_str!("../data/abbreviations_before_numbers.txt")));
/// One-word answers, which need the sentence that follows.
static ONE_WORD_ANSWERS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| word_list(include_str!("../data/one_word_answers.txt")));
/// Words that are more likely to open a sentence than to follow an initial or an acronym with full stops.
static SENTENCE_OPENERS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| word_list(include_str!("../data/sentence_openers.txt")));

/// Splits a paragraph into sentences. Concatenated, they are the paragraph.
pub(super) fn sentences(paragraph: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut end = 0;
    for piece in paragraph.split_sentence_bounds() {
        if end > start {
            let before = paragraph.get(start..end).unwrap_or_default();
            if !continues(before, piece) {
                sentences.push(before);
                start = end;
            }
        }
        end += piece.len();
    }
    if let Some(rest) = paragraph.get(start..)
        && !rest.is_empty()
    {
        sentences.push(rest);
    }
    sentences
}

/// Whether `next` belongs to the sentence `before`.
fn continues(before: &str, next: &str) -> bool {
    if !next.chars().any(char::is_alphanumeric) || !before.chars().any(char::is_alphanumeric) {
        return true;
    }
    let trimmed = before.trim_end();
    let words = trimmed.trim_matches(|character: char| !character.is_alphanumeric()).to_lowercase();
    if ONE_WORD_ANSWERS.contains(words.as_str()) && !trimmed.ends_with('?') {
        return true;
    }
    // In a web address or "v2?x=1" no white space follows, as it does after a Latin sentence.
    if trimmed.len() == before.len() && trimmed.ends_with(|end: char| end.is_ascii() || end == '\u{2026}') {
        return true;
    }
    if trimmed.ends_with("...") || trimmed.ends_with('\u{2026}') {
        return continues_after_ellipsis(trimmed);
    }
    let Some(body) = trimmed.strip_suffix('.') else {
        return false;
    };
    let token = body.rsplit(char::is_whitespace).next().unwrap_or_default();
    let token = token.trim_start_matches(|character: char| !character.is_alphanumeric());
    let lower = token.to_lowercase();
    if NEVER_LAST.contains(lower.as_str()) {
        return true;
    }
    let number_follows =
        next.trim_start_matches(['#', '(', ' ']).starts_with(|character: char| character.is_ascii_digit());
    if number_follows && BEFORE_NUMBER.contains(lower.as_str()) {
        return true;
    }
    // A lone "1." is the number of an item within a line.
    if !token.is_empty() && body.trim() == token && token.chars().all(|character| character.is_ascii_digit())
    {
        return token.len() <= 2;
    }
    is_initials(token) && !opens_sentence(next)
}

/// Whether an ellipsis replaces words or follows a lead such as "Well...".
fn continues_after_ellipsis(trimmed: &str) -> bool {
    let body = trimmed.trim_end_matches(['.', '\u{2026}']);
    body.ends_with(char::is_whitespace) || body.unicode_words().count() < 3
}

/// Whether a token is single letters between full stops, such as `J`, `U.S` or `p.m`, but not the word "I".
fn is_initials(token: &str) -> bool {
    !token.is_empty()
        && token != "I"
        && token.split('.').all(|part| {
            let mut characters = part.chars();
            characters.next().is_some_and(char::is_alphabetic) && characters.next().is_none()
        })
        && (token.contains('.') || token.chars().all(char::is_uppercase))
}

fn opens_sentence(next: &str) -> bool {
    next.unicode_words().next().is_some_and(|word| SENTENCE_OPENERS.contains(word.to_lowercase().as_str()))
}
