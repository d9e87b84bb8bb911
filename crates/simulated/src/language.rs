//! Splits text into sentences, clauses and stemmed content words.
//!
//! Sentence and word boundaries follow UAX #29, stems the Snowball English stemmer.

use std::collections::BTreeSet;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

use super::lexicon;

/// The number of content words after a negation that it applies to.
const NEGATION_SCOPE: usize = 3;

/// The kind of a content word; numbers and names weigh more than plain words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Name,
    /// A number word up to twelve: "two of them" may count items that the source only lists.
    Count,
    Number,
}

/// A content word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// Stem or digits.
    pub(super) stem: String,
    pub(super) kind: Kind,
    /// Whether an odd number of negations applies to it.
    pub(super) negated: bool,
}

impl Term {
    /// The weight in an overlap.
    pub(super) fn weight(&self) -> f64 {
        match self.kind {
            Kind::Word => 1.0,
            Kind::Name => 1.5,
            Kind::Count | Kind::Number => 2.0,
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Count | Kind::Number)
    }

    /// Whether it is a number or a word that is not general.
    pub(super) fn is_specific(&self) -> bool {
        self.is_number() || lexicon::content_weight(&self.stem) >= 1.0
    }
}

/// The content words of a text in order, and whether any is negated.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    pub(super) list: Vec<Term>,
    pub(super) negated: bool,
}

impl Terms {
    /// The content words of a text without its citation markers.
    pub(super) fn of(text: &str) -> Self {
        let stemmer = Stemmer::create(Algorithm::English);
        let text = without_markers(text).replace('’', "'");
        let mut terms = Self::default();
        // For each negation, the number of terms before it.
        let mut negations: Vec<usize> = Vec::new();
        let mut avoidances: Vec<usize> = Vec::new();
        let mut before = String::new();
        for (start, word) in text.unicode_word_indices() {
            let lower = word.to_lowercase();
            let bare = lower.strip_suffix("'s").unwrap_or(&lower);
            if lexicon::is_negation(&lower) {
                // "Paid or not" negates nothing.
                if before != "or" {
                    negations.push(terms.list.len());
                }
            } else if (lower == "than" && before == "rather") || (lower == "of" && before == "instead") {
                negations.push(terms.list.len());
            } else if matches!(bare, "only" | "just" | "more" | "less" | "later" | "fewer")
                && lexicon::is_negation(&before)
            {
                // "Not only" and "no later than" negate nothing.
                negations.pop();
            } else if let Some(stem) = number(&lower) {
                let small = !lower.starts_with(|c: char| c.is_ascii_digit())
                    && stem.parse::<u8>().is_ok_and(|value| value <= 12);
                let kind = if small { Kind::Count } else { Kind::Number };
                terms.list.push(Term { stem, kind, negated: false });
            } else if !lexicon::FUNCTION_WORDS.contains(bare) {
                let stem = stemmer.stem(bare);
                let kind = if is_named(&text[..start], word) { Kind::Name } else { Kind::Word };
                if lexicon::is_avoidance(&stem) {
                    avoidances.push(terms.list.len() + 1);
                }
                terms.list.push(Term { stem: lexicon::synonym(&stem).to_owned(), kind, negated: false });
            }
            before = lower;
        }
        terms.negated = !negations.is_empty();
        for at in negations.into_iter().chain(avoidances) {
            // A negation at the end ("these are not") applies to the word before it.
            let from = if at == terms.list.len() { at.saturating_sub(1) } else { at };
            let mut reach = NEGATION_SCOPE;
            for term in terms.list.iter_mut().skip(from) {
                term.negated = !term.negated;
                reach = reach.saturating_sub(usize::from(lexicon::content_weight(&term.stem) >= 1.0));
                if reach == 0 {
                    break;
                }
            }
        }
        terms
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The distinct stems, in alphabetical order.
    pub(super) fn stems(&self) -> BTreeSet<&str> {
        self.list.iter().map(|term| term.stem.as_str()).collect()
    }

    /// The distinct numbers, in digits and in words.
    pub(super) fn numbers(&self) -> BTreeSet<&str> {
        self.list.iter().filter(|term| term.is_number()).map(|term| term.stem.as_str()).collect()
    }

    /// The terms without numbers of parts of a text.
    pub(super) fn claims(&self) -> impl Iterator<Item = &Term> {
        let claims = self.list.iter().enumerate().filter(|(index, _)| !self.is_reference(*index));
        claims.map(|(_, term)| term)
    }

    /// Whether the term at this index is the number of a part of a text: `passage 2`, `steps 3 and 4`.
    pub(super) fn is_reference(&self, index: usize) -> bool {
        let (before, rest) = self.list.split_at(index);
        let label = before.iter().rfind(|term| term.kind != Kind::Number);
        rest.first().is_some_and(|term| term.kind == Kind::Number)
            && label.is_some_and(|term| lexicon::PART_STEMS.contains(term.stem.as_str()))
    }

    /// Whether it has a word, negated or affirmed.
    pub(super) fn has(&self, term: &Term, negated: bool) -> bool {
        self.list.iter().any(|own| own.stem == term.stem && own.negated == negated)
    }

    /// The weighted share of these words that `other` contains, in 0..=1; 0 if there are no words.
    pub(super) fn covered_by(&self, other: &BTreeSet<&str>) -> f64 {
        let total: f64 = self.list.iter().map(Term::weight).sum();
        let covered = self.list.iter().filter(|term| other.contains(term.stem.as_str()));
        let covered: f64 = covered.map(Term::weight).sum();
        if total > 0.0 { covered / total } else { 0.0 }
    }
}

/// Whether a word is written as a name: capitalized within a sentence, not after a mark that requires a capital.
fn is_named(before: &str, word: &str) -> bool {
    word.len() > 1
        && word.starts_with(char::is_uppercase)
        && before
            .trim_end()
            .ends_with(|c: char| c.is_alphanumeric() || matches!(c, ',' | '-' | '&' | '/' | '\''))
}

/// The digits of a number, without group separators and a trailing `.0` or `.00`.
fn number(word: &str) -> Option<String> {
    if let Some(digits) = lexicon::NUMBER_WORDS.get(word) {
        return Some((*digits).to_owned());
    }
    if !word.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    // Without units and ordinal endings: `7th`, `3pm`, `160f`.
    let digits = word.trim_end_matches(|c: char| c.is_alphabetic()).replace(',', "");
    Some(match digits.split_once('.') {
        Some((whole, rest)) if rest.chars().all(|c| c == '0') => whole.to_owned(),
        _ => digits,
    })
}

/// The sentences of a text, trimmed, each a verbatim slice of it. A line is joined with the one before only if it
/// starts in lower case, as in hard-wrapped prose.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    for block in blocks(text) {
        // UAX #29 ends a sentence at every line feed, so lines are joined before the split.
        let flat: String = block.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }).collect();
        for (start, sentence) in flat.split_sentence_bound_indices() {
            if let Some(slice) = block.get(start..start + sentence.len()) {
                let slice = slice.trim();
                if slice.contains(char::is_alphanumeric) {
                    sentences.push(slice);
                }
            }
        }
    }
    sentences
}

/// Groups of lines: a line that starts in lower case continues the one before.
fn blocks(text: &str) -> Vec<&str> {
    let mut blocks: Vec<(usize, usize)> = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let end = offset + line.len();
        let continues = line.chars().next().is_some_and(char::is_lowercase);
        match blocks.last_mut() {
            Some(last) if continues && last.1 == offset && !text[last.0..last.1].trim().is_empty() => {
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
    let pieces = sentence.split([';', ':', '—', '–']);
    let pieces = pieces.flat_map(|piece| piece.split(", ")).flat_map(|piece| piece.split(" but "));
    pieces.filter(|piece| piece.contains(char::is_alphanumeric)).map(str::trim).collect()
}

/// The citation marker at the start of a text, `[KB-12]`, and the text after it.
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
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let (before, from) = rest.split_at(open);
        bare.push_str(before);
        match leading_marker(from) {
            Some((marker, _)) => rest = &from[marker.len() + 2..],
            None => {
                bare.push('[');
                rest = &from[1..];
            }
        }
    }
    bare.push_str(rest);
    bare
}
