//! What a source says of a statement: backs it, denies it, or is silent. Word by word, nothing more.
//!
//! A statement is backed when at most [`MOST_QUOTES`] sentences of the source hold at least [`BACKED`] of its
//! content words by weight, not by numbers alone, and all of its numbers and names. It is denied when its words are
//! there but a negation, an opposite or a number is not the same. Copied text never reaches anything but these
//! counts, so text that addresses the judge sways nothing.

use std::collections::BTreeSet;

use super::language::{Kind, Term, Terms, clauses, leading_marker, sentences};
use super::thesaurus;

/// The share of content words that backs a statement.
pub(super) const BACKED: f64 = 0.65;
/// The share from which a statement is close enough to be denied.
const CLOSE: f64 = 0.5;
/// The most sentences quoted for one statement.
const MOST_QUOTES: usize = 3;

/// A source, split once for many statements.
#[derive(Debug)]
pub(super) struct Source<'a> {
    sentences: Vec<Sentence<'a>>,
}

#[derive(Debug)]
struct Sentence<'a> {
    text: &'a str,
    terms: Terms,
    stems: BTreeSet<String>,
}

/// What the source says of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    Backed,
    Denied,
    Silent,
}

/// A finding with its evidence.
#[derive(Debug, Clone)]
pub(super) struct Evidence<'a> {
    pub(super) finding: Finding,
    /// Sentences of the source, verbatim, best first; empty where none shares a word.
    pub(super) quotes: Vec<&'a str>,
    pub(super) reasoning: String,
}

impl<'a> Source<'a> {
    /// Splits a text into sentences, without the markers of its passages.
    pub(super) fn new(text: &'a str) -> Self {
        let sentences = sentences(text)
            .into_iter()
            .map(|sentence| leading_marker(sentence).map_or(sentence, |(_, rest)| rest))
            .filter(|sentence| !sentence.is_empty())
            .map(|text| {
                let terms = Terms::of(text);
                let stems = terms.list.iter().map(|term| term.stem.clone()).collect();
                Sentence { text, terms, stems }
            })
            .collect();
        Self { sentences }
    }

    /// Looks a statement up.
    pub(super) fn look_up(&self, statement: &str) -> Evidence<'a> {
        let wanted = Terms::of(statement);
        let chosen = self.best_sentences(&wanted);
        let found: BTreeSet<&str> = chosen.iter().flat_map(|sentence| sentence.terms.stems()).collect();
        let coverage = wanted.covered_by(&found);
        let quotes: Vec<&'a str> = chosen.iter().map(|sentence| sentence.text).collect();
        let evidence = |finding, reasoning| Evidence { finding, quotes: quotes.clone(), reasoning };
        let share = format!("{:.0} % of its content words are there", coverage * 100.0);
        if coverage < CLOSE {
            return evidence(Finding::Silent, format!("no passage says this: {share}"));
        }
        let words = || wanted.list.iter().filter(|term| term.kind != Kind::Number);
        if words().next().is_some() && !words().any(|term| found.contains(term.stem.as_str())) {
            return evidence(Finding::Silent, "no passage says this: it shares numbers alone".to_owned());
        }
        let missing = |kind: Kind| {
            wanted.list.iter().find(|term| term.kind == kind && !found.contains(term.stem.as_str()))
        };
        if let Some(number) = missing(Kind::Number) {
            let other_number = chosen.iter().any(|sentence| !sentence.terms.numbers().is_empty());
            let finding = if other_number { Finding::Denied } else { Finding::Silent };
            return evidence(finding, format!("the number {} is not in the passage", number.stem));
        }
        if let Some(opposite) = opposed(&wanted, &found) {
            return evidence(Finding::Denied, format!("the passage says the opposite: {opposite}"));
        }
        if negation_differs(statement, &quotes) {
            return evidence(
                Finding::Denied,
                "the passage negates what this affirms, or the reverse".to_owned(),
            );
        }
        if let Some(name) = missing(Kind::Name) {
            return evidence(Finding::Silent, format!("the name {} is not in the passage", name.stem));
        }
        if coverage < BACKED {
            return evidence(Finding::Silent, format!("no passage says all of this: {share}"));
        }
        evidence(Finding::Backed, format!("the quoted text says this: {share}"))
    }

    /// The sentences that together hold most of the wanted words, greedily, each adding a word.
    fn best_sentences(&self, wanted: &Terms) -> Vec<&Sentence<'a>> {
        let mut chosen: Vec<&Sentence<'a>> = Vec::new();
        let mut missing: Vec<&Term> = wanted.list.iter().collect();
        while chosen.len() < MOST_QUOTES {
            let mut best: Option<(f64, &Sentence<'a>)> = None;
            for sentence in &self.sentences {
                let gain: f64 = missing
                    .iter()
                    .filter(|term| sentence.stems.contains(&term.stem))
                    .map(|term| term.weight())
                    .sum();
                if gain > best.as_ref().map_or(0.0, |(known, _)| *known) + 1e-12 {
                    best = Some((gain, sentence));
                }
            }
            let Some((_, sentence)) = best else { break };
            missing.retain(|term| !sentence.stems.contains(&term.stem));
            chosen.push(sentence);
        }
        chosen
    }
}

/// A word of the statement whose opposite stands in the source instead.
fn opposed(wanted: &Terms, found: &BTreeSet<&str>) -> Option<String> {
    wanted.list.iter().find_map(|term| {
        let opposite = thesaurus::opposite(&term.stem)?;
        (!found.contains(term.stem.as_str()) && found.contains(opposite)).then(|| opposite.to_owned())
    })
}

/// Whether a clause of the statement is negated where its nearest clause in the quotes is not, or the reverse.
fn negation_differs(statement: &str, quotes: &[&str]) -> bool {
    let sources: Vec<Terms> = quotes
        .iter()
        .flat_map(|quote| clauses(quote))
        .map(Terms::of)
        .filter(|terms| !terms.is_empty())
        .collect();
    clauses(statement).into_iter().map(Terms::of).filter(|terms| !terms.is_empty()).any(|clause| {
        let mut nearest: Option<(f64, f64, bool)> = None;
        for source in &sources {
            // Ties go to the source clause that is itself covered best: the closest in length.
            let key = (clause.covered_by(&source.stems()), source.covered_by(&clause.stems()));
            if nearest.is_none_or(|(there, back, _)| key > (there, back)) {
                nearest = Some((key.0, key.1, source.negated));
            }
        }
        nearest.is_some_and(|(there, _, negated)| there >= CLOSE && negated != clause.negated)
    })
}
