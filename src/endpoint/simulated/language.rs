//! Sentences and words, as the simulated model sees them.
//!
//! Sentence and word boundaries are those of UAX #29, stems those of the Snowball English stemmer. Judgements
//! are made of these words elsewhere.

use std::collections::BTreeSet;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

use super::thesaurus;

/// What a content word is; numbers and names weigh more than plain words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Word,
    Name,
    Number,
}

/// A content word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term {
    /// Stem or digits.
    pub(super) stem: String,
    pub(super) kind: Kind,
}

impl Term {
    /// How much it counts in an overlap.
    pub(super) fn weight(&self) -> f64 {
        match self.kind {
            Kind::Word => 1.0,
            Kind::Name => 1.5,
            Kind::Number => 2.0,
        }
    }
}

/// The content words of a stretch of text, in order, and whether it is negated.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    pub(super) list: Vec<Term>,
    pub(super) negated: bool,
}

impl Terms {
    /// The words of a text; citation markers count for nothing.
    pub(super) fn of(text: &str) -> Self {
        let stemmer = Stemmer::create(Algorithm::English);
        let text = without_markers(text).replace('’', "'");
        let mut terms = Self::default();
        for (position, word) in text.unicode_words().enumerate() {
            let lower = word.to_lowercase();
            if thesaurus::is_negation(&lower) {
                terms.negated = true;
            } else if let Some(number) = number(&lower) {
                terms.list.push(Term { stem: number, kind: Kind::Number });
            } else if !thesaurus::is_function_word(&lower) {
                let bare = lower.strip_suffix("'s").unwrap_or(&lower);
                let stem = stemmer.stem(bare);
                let named = position > 0 && word.chars().next().is_some_and(char::is_uppercase);
                terms.list.push(Term {
                    stem: thesaurus::synonym(&stem).to_owned(),
                    kind: if named { Kind::Name } else { Kind::Word },
                });
            }
        }
        terms
    }

    /// Whether there is no content word.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The distinct stems, in alphabetical order.
    pub(super) fn stems(&self) -> BTreeSet<&str> {
        self.list.iter().map(|term| term.stem.as_str()).collect()
    }

    /// The distinct numbers.
    pub(super) fn numbers(&self) -> BTreeSet<&str> {
        self.list.iter().filter(|term| term.kind == Kind::Number).map(|term| term.stem.as_str()).collect()
    }

    /// The weighted share of these words that `other` has, in 0..=1; 0 where there are none.
    pub(super) fn covered_by(&self, other: &BTreeSet<&str>) -> f64 {
        let total: f64 = self.list.iter().map(Term::weight).sum();
        let found: f64 =
            self.list.iter().filter(|term| other.contains(term.stem.as_str())).map(Term::weight).sum();
        if total > 0.0 { found / total } else { 0.0 }
    }
}

/// The digits of a number, without group separators and a trailing `.0` or `.00`.
fn number(word: &str) -> Option<String> {
    if let Some(digits) = thesaurus::number_word(word) {
        return Some(digits.to_owned());
    }
    if !word.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = word.replace(',', "");
    Some(match digits.split_once('.') {
        Some((whole, rest)) if rest.chars().all(|c| c == '0') => whole.to_owned(),
        _ => digits,
    })
}

/// The sentences of a text, trimmed, each a verbatim slice of it. A line is never joined with the next unless
/// the text is hard-wrapped prose: a line that starts in lower case goes on from the one before.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for block in blocks(text) {
        // UAX #29 ends a sentence at every line feed, so hard-wrapped prose is mended by offsets.
        let flat: String = block.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }).collect();
        for (start, sentence) in flat.split_sentence_bound_indices() {
            if let Some(slice) = block.get(start..start + sentence.len()) {
                let slice = slice.trim();
                if slice.contains(char::is_alphanumeric) {
                    found.push(slice);
                }
            }
        }
    }
    found
}

/// Runs of lines that belong together: prose that goes on in lower case after a line break.
fn blocks(text: &str) -> Vec<&str> {
    let mut blocks: Vec<(usize, usize)> = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let end = offset + line.len();
        let goes_on = line.chars().next().is_some_and(char::is_lowercase);
        match blocks.last_mut() {
            Some(last) if goes_on && last.1 == offset && !text[last.0..last.1].trim().is_empty() => {
                last.1 = end
            }
            _ => blocks.push((offset, end)),
        }
        offset = end;
    }
    blocks.into_iter().map(|(start, end)| text[start..end].trim_end_matches(['\n', '\r'])).collect()
}

/// The parts of a sentence between commas, semicolons, colons, dashes and `but`.
pub(super) fn clauses(sentence: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for piece in sentence.split([';', ':', '—', '–']) {
        for piece in piece.split(", ") {
            for piece in piece.split(" but ") {
                if piece.contains(char::is_alphanumeric) {
                    parts.push(piece.trim());
                }
            }
        }
    }
    parts
}

/// A citation marker at the start of a text, `[KB-12]`, with what follows it.
pub(super) fn leading_marker(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_start().strip_prefix('[')?;
    let (inside, rest) = rest.split_once(']')?;
    is_identifier(inside).then(|| (inside, rest.trim_start()))
}

fn is_identifier(inside: &str) -> bool {
    !inside.is_empty()
        && inside.len() <= 32
        && inside.contains(|c: char| c.is_ascii_digit())
        && inside.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '#'))
}

/// The text without its citation markers.
pub(super) fn without_markers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let (before, from) = rest.split_at(open);
        kept.push_str(before);
        match leading_marker(from) {
            Some((marker, _)) => rest = &from[marker.len() + 2..],
            None => {
                kept.push('[');
                rest = &from[1..];
            }
        }
    }
    kept.push_str(rest);
    kept
}
