//! Sentences of a paragraph: the boundaries of UAX 29 without those inside a sentence.

use unicode_segmentation::UnicodeSegmentation;

/// Abbreviations that never end a sentence, without their last full stop.
const NEVER_LAST: [&str; 47] = [
    "mr", "mrs", "ms", "mx", "dr", "prof", "st", "gen", "col", "lt", "sgt", "capt", "cmdr", "gov", "sen",
    "rep", "rev", "hon", "pres", "messrs", "mme", "mlle", "sr", "sra", "e.g", "i.e", "eg", "ie", "vs", "cf",
    "viz", "approx", "ca", "incl", "excl", "esp", "resp", "z.b", "d.h", "bzw", "ggf", "evtl", "inkl", "zzgl",
    "hr", "fr", "p.ej",
];
/// Abbreviations that do not end a sentence before a number.
const BEFORE_NUMBER: [&str; 36] = [
    "no", "nos", "nr", "num", "art", "sec", "sect", "ch", "chap", "vol", "p", "pp", "fig", "figs", "eq",
    "para", "par", "abs", "ext", "tel", "ver", "v", "ed", "min", "max", "jan", "feb", "mar", "apr", "jun",
    "jul", "aug", "sep", "sept", "oct", "nov",
];
/// One-word answers, which need the sentence that follows.
const ONE_WORD_ANSWERS: [&str; 14] = [
    "yes",
    "no",
    "yeah",
    "yep",
    "nope",
    "sure",
    "certainly",
    "absolutely",
    "correct",
    "right",
    "ja",
    "nein",
    "oui",
    "of course",
];
/// Words that are more likely to open a sentence than to follow an initial or an acronym with full stops.
const SENTENCE_OPENERS: [&str; 44] = [
    "the", "a", "an", "this", "that", "these", "those", "it", "its", "he", "she", "they", "we", "you", "i",
    "your", "our", "their", "if", "when", "then", "there", "in", "on", "at", "for", "to", "as", "but", "and",
    "or", "so", "please", "however", "also", "after", "before", "all", "no", "not", "do", "what", "how",
    "once",
];

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
    if ONE_WORD_ANSWERS.contains(&words.as_str()) && !trimmed.ends_with('?') {
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
    if NEVER_LAST.contains(&lower.as_str()) {
        return true;
    }
    let number_follows =
        next.trim_start_matches(['#', '(', ' ']).starts_with(|character: char| character.is_ascii_digit());
    if number_follows && (BEFORE_NUMBER.contains(&lower.as_str()) || lower == "dec") {
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
    next.unicode_words().next().is_some_and(|word| SENTENCE_OPENERS.contains(&word.to_lowercase().as_str()))
}
