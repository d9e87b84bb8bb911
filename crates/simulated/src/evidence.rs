//! Whether a source entails or contradicts a statement, decided by words alone.
//!
//! A statement is entailed if at most [`MAX_QUOTES`] sentences of the source contain all of its numbers and names and
//! its content words but for a few ([`Source::max_missing`]). It is contradicted if the source has its words but a
//! different negation, an opposite or another number. Text is only ever counted, so text that addresses the judge
//! has no effect.

use std::collections::{BTreeMap, BTreeSet};

use super::language::{Kind, Term, Terms, clauses, leading_marker, sentences};
use super::lexicon;

/// The minimum coverage of an entailed statement, for a source of any length.
const MIN_ENTAILED: f64 = 0.55;
/// The minimum coverage of a contradicted statement.
const MIN_CONTRADICTED: f64 = 0.5;
/// The minimum overlap of two clauses whose negations are compared.
const MIN_CLAUSE_OVERLAP: f64 = 0.66;
/// The maximum number of sentences quoted for one statement; a summary draws on many.
const MAX_QUOTES: usize = 6;
/// The weight of missing words allowed, times the root of the statement's length, for a source of [`SHORT`] distinct
/// words and one of [`LONG`]: a single sentence is copied, pages are paraphrased.
const ALLOWED: [f64; 2] = [0.45, 1.15];
const SHORT: f64 = 15.0;
const LONG: f64 = 100.0;
/// The weight, in missing words, of a first person that the source does not use.
const FIRST_PERSON: f64 = 2.0;
/// The minimum share of a statement's other words in a sentence whose number must be the same.
const MIN_NUMBER_CONTEXT: f64 = 0.8;
/// The minimum lead of that share over any sentence with the statement's number.
const MIN_NUMBER_LEAD: f64 = 0.3;
/// The length of the common prefix of related words, such as `discolored` and `discoloration`.
const PREFIX: usize = 5;

/// A source text, split once for many statements.
#[derive(Debug)]
pub(super) struct Source<'a> {
    sentences: Vec<Sentence<'a>>,
    /// For each stem the sentences that contain it, in order.
    holders: BTreeMap<String, Vec<usize>>,
    uses_first_person: bool,
}

#[derive(Debug)]
struct Sentence<'a> {
    text: &'a str,
    clauses: Vec<Terms>,
}

/// The relation of a source to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entailment {
    Entailed,
    Contradicted,
    Neutral,
}

/// The relation to a statement and the sentences that show it.
#[derive(Debug, Clone)]
pub(super) struct Evidence<'a> {
    pub(super) entailment: Entailment,
    /// Sentences of the source, verbatim, best first; empty if none shares a word.
    pub(super) quotes: Vec<&'a str>,
    pub(super) reasoning: String,
    /// Whether one sentence contains every word, of three or more.
    pub(super) copied: bool,
}

/// A word of a statement and the sentences that contain it.
#[derive(Debug)]
struct WeightedTerm<'t> {
    term: &'t Term,
    weight: f64,
    holders: Vec<usize>,
}

impl<'a> Source<'a> {
    /// Splits a text into sentences, without its citation markers.
    pub(super) fn new(text: &'a str) -> Self {
        let sentences: Vec<Sentence<'a>> = sentences(text)
            .into_iter()
            .map(|sentence| leading_marker(sentence).map_or(sentence, |(_, rest)| rest))
            .filter(|sentence| !sentence.is_empty())
            .map(|text| Sentence { text, clauses: parts(text) })
            .collect();
        let mut holders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, sentence) in sentences.iter().enumerate() {
            let stems: BTreeSet<&str> = sentence.clauses.iter().flat_map(Terms::stems).collect();
            for stem in stems {
                holders.entry(stem.to_owned()).or_default().push(index);
            }
        }
        Self { sentences, holders, uses_first_person: lexicon::uses_first_person(text) }
    }

    /// Looks up a statement.
    pub(super) fn look_up(&self, statement: &str) -> Evidence<'a> {
        use Entailment::{Contradicted, Entailed, Neutral};
        let terms = Terms::of(statement);
        let words = self.weighted_terms(&terms);
        let chosen = self.best_sentences(&words);
        let is_covered = |word: &WeightedTerm<'_>| word.holders.iter().any(|holder| chosen.contains(holder));
        let mut total: f64 = words.iter().map(|word| word.weight).sum();
        let mut missing: f64 = words.iter().filter(|word| !is_covered(word)).map(|word| word.weight).sum();
        if !self.uses_first_person && lexicon::uses_first_person(statement) {
            total += FIRST_PERSON;
            missing += FIRST_PERSON;
        }
        let coverage = if total > 0.0 { 1.0 - missing / total } else { 0.0 };
        let mut quotes: Vec<&'a str> = chosen.iter().map(|index| self.sentences[*index].text).collect();
        quotes.extend(self.references(&terms, &chosen));
        let copied = missing <= 0.0
            && words.len() >= 3
            && chosen.first().is_some_and(|first| words.iter().all(|word| word.holders.contains(first)));
        let evidence =
            |entailment, reasoning| Evidence { entailment, quotes: quotes.clone(), reasoning, copied };
        let share = format!("{:.0} % of its content words are in the source", coverage * 100.0);
        if coverage < MIN_CONTRADICTED {
            return evidence(Neutral, format!("no passage states this: {share}"));
        }
        let has_words = terms.list.iter().any(|term| term.kind != Kind::Number);
        let mut non_numbers = words.iter().filter(|word| word.term.kind != Kind::Number);
        if has_words && !non_numbers.any(is_covered) {
            return evidence(Neutral, "no passage states this: only numbers match".to_owned());
        }
        let missing_term = |kind: Kind| {
            words.iter().find(|word| word.term.kind == kind && word.weight >= 1.0 && !is_covered(word))
        };
        if let Some(number) = missing_term(Kind::Number) {
            let other_number = chosen.iter().any(|index| self.sentences[*index].numbers().next().is_some());
            let entailment = if other_number { Contradicted } else { Neutral };
            return evidence(entailment, format!("the number {} is not in the passage", number.term.stem));
        }
        if let Some(number) = self.other_number(&terms, &words, &chosen) {
            return evidence(Contradicted, format!("the passage has another number than {number}"));
        }
        if let Some(opposite) = self.opposed(&words, &chosen) {
            return evidence(Contradicted, format!("the passage has the opposite: {opposite}"));
        }
        if self.negation_differs(statement, &chosen) {
            return evidence(Contradicted, "the passage and the statement differ in a negation".to_owned());
        }
        if let Some(name) = missing_term(Kind::Name) {
            return evidence(Neutral, format!("the name {} is not in the passage", name.term.stem));
        }
        if coverage < MIN_ENTAILED || missing > self.max_missing(total) {
            return evidence(Neutral, format!("no passage states all of this: {share}"));
        }
        evidence(Entailed, format!("the quoted text states this: {share}"))
    }

    /// The maximum weight of words missing from the source in an entailed statement with words of this weight. It
    /// grows with the root of the length, as random counts do.
    fn max_missing(&self, total: f64) -> f64 {
        let words = (self.holders.len() as f64).clamp(SHORT, LONG);
        let share = (words / SHORT).ln() / (LONG / SHORT).ln();
        (ALLOWED[0] + share * (ALLOWED[1] - ALLOWED[0])) * (1.0 + total).sqrt()
    }

    /// The content words of a statement with their weights, without the numbers of passages and steps.
    fn weighted_terms<'t>(&self, terms: &'t Terms) -> Vec<WeightedTerm<'t>> {
        let weighted = |(index, term): (usize, &'t Term)| {
            let weight = match term.kind {
                Kind::Number if terms.is_reference(index) => 0.0,
                Kind::Number => term.weight(),
                Kind::Word | Kind::Name | Kind::Count => lexicon::content_weight(&term.stem),
            };
            (weight > 0.0).then(|| WeightedTerm { term, weight, holders: self.holders_of(term) })
        };
        terms.list.iter().enumerate().filter_map(weighted).collect()
    }

    /// The sentences that contain a word, or else a related one: a stem with the same prefix, at least two thirds of
    /// the longer stem.
    fn holders_of(&self, term: &Term) -> Vec<usize> {
        if let Some(holders) = self.holders.get(&term.stem) {
            return holders.clone();
        }
        let Some(prefix) = term.stem.get(..PREFIX).filter(|_| matches!(term.kind, Kind::Word | Kind::Name))
        else {
            return Vec::new();
        };
        let related =
            self.holders.range(prefix.to_owned()..).take_while(|(stem, _)| stem.starts_with(prefix));
        let indices: BTreeSet<usize> = related
            .filter(|(stem, _)| {
                let same =
                    stem.bytes().zip(term.stem.bytes()).take_while(|(one, other)| one == other).count();
                3 * same >= 2 * stem.len().max(term.stem.len())
            })
            .flat_map(|(_, holders)| holders.iter().copied())
            .collect();
        indices.into_iter().collect()
    }

    /// The sentences that together contain most of the words, chosen greedily, each adding a word.
    fn best_sentences(&self, words: &[WeightedTerm<'_>]) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let mut missing: Vec<&WeightedTerm<'_>> =
            words.iter().filter(|word| !word.holders.is_empty()).collect();
        while chosen.len() < MAX_QUOTES && !missing.is_empty() {
            let mut gains: BTreeMap<usize, f64> = BTreeMap::new();
            for word in &missing {
                for holder in &word.holders {
                    *gains.entry(*holder).or_default() += word.weight;
                }
            }
            let best =
                gains.into_iter().reduce(|best, next| if next.1 > best.1 + 1e-12 { next } else { best });
            let Some((index, _)) = best else { break };
            missing.retain(|word| !word.holders.contains(&index));
            chosen.push(index);
        }
        chosen
    }

    /// Further sentences with the numbers of passages and steps that a statement refers to. The numbers are no part
    /// of the claim, but a quote has to contain them.
    fn references(&self, terms: &Terms, chosen: &[usize]) -> Vec<&'a str> {
        let mut added: Vec<usize> = Vec::new();
        for (index, term) in terms.list.iter().enumerate().filter(|(index, _)| terms.is_reference(*index)) {
            let holders = self.holders.get(&term.stem).map(Vec::as_slice).unwrap_or_default();
            let named = index.checked_sub(1).and_then(|before| self.holders.get(&terms.list[before].stem));
            let near = holders.iter().find(|holder| named.is_some_and(|named| named.contains(holder)));
            if let Some(holder) = near.or(holders.first())
                && !holders.iter().any(|holder| chosen.contains(holder) || added.contains(holder))
            {
                added.push(*holder);
            }
        }
        added.into_iter().map(|index| self.sentences[index].text).collect()
    }

    /// A number of the statement in whose place the nearest sentence has another.
    fn other_number<'t>(
        &self,
        terms: &'t Terms,
        words: &[WeightedTerm<'t>],
        chosen: &[usize],
    ) -> Option<&'t str> {
        let is_number = |word: &&WeightedTerm<'_>| word.term.is_number();
        let rest: f64 = words.iter().filter(|word| !is_number(word)).map(|word| word.weight).sum();
        let share = |index: usize| -> f64 {
            let held = words.iter().filter(|word| !is_number(word) && word.holders.contains(&index));
            held.map(|word| word.weight).sum::<f64>() / rest.max(1e-12)
        };
        let numbers = terms.numbers();
        words.iter().filter(is_number).find_map(|word| {
            let with = word.holders.iter().map(|holder| share(*holder)).fold(0.0, f64::max);
            chosen
                .iter()
                .any(|index| {
                    let nearest = share(*index);
                    !word.holders.contains(index)
                        && nearest >= MIN_NUMBER_CONTEXT
                        && nearest >= with + MIN_NUMBER_LEAD
                        && self.sentences[*index].numbers().any(|number| !numbers.contains(number))
                })
                .then_some(word.term.stem.as_str())
        })
    }

    /// The opposite of a word of the statement, if the chosen sentences have it in place of the word.
    fn opposed(&self, words: &[WeightedTerm<'_>], chosen: &[usize]) -> Option<&'static str> {
        let is_chosen = |holders: &[usize]| holders.iter().any(|holder| chosen.contains(holder));
        words.iter().filter(|word| word.weight >= 1.0 && !is_chosen(&word.holders)).find_map(|word| {
            let opposite = lexicon::OPPOSITES.get(word.term.stem.as_str()).copied();
            opposite.filter(|opposite| self.holders.get(*opposite).is_some_and(|holders| is_chosen(holders)))
        })
    }

    /// Whether a word is negated in the statement and affirmed in the nearest clauses, or the reverse.
    fn negation_differs(&self, statement: &str, chosen: &[usize]) -> bool {
        let sources: Vec<&Terms> = chosen.iter().flat_map(|index| &self.sentences[*index].clauses).collect();
        parts(statement).iter().any(|clause| {
            let words = &clause.list;
            let covered = |one: &Terms, other: &Terms| one.covered_by(&other.stems());
            let near: Vec<&Terms> = sources
                .iter()
                .copied()
                .filter(|source| covered(clause, source) >= MIN_CLAUSE_OVERLAP)
                .collect();
            // Among equal words the last negated one decides: "no return is possible" equals "a return is not
            // possible", but not "no return is not possible".
            if let Some(same) = near.iter().find(|source| covered(source, clause) >= 1.0)
                && covered(clause, same) >= 1.0
            {
                // A word that is both negated and affirmed decides nothing.
                let both = |term: &&Term| same.has(term, true) && same.has(term, false);
                let last =
                    words.iter().rev().find(|term| (term.negated || same.has(term, true)) && !both(term));
                return last.is_some_and(|term| !same.has(term, term.negated));
            }
            let agrees =
                near.iter().any(|source| words.iter().any(|term| term.negated && source.has(term, true)));
            let differs = |term: &Term| {
                near.iter().any(|source| source.has(term, !term.negated))
                    && !sources.iter().any(|source| source.has(term, term.negated))
            };
            !agrees && words.iter().any(|term| lexicon::content_weight(&term.stem) >= 1.0 && differs(term))
        })
    }
}

impl Sentence<'_> {
    fn numbers(&self) -> impl Iterator<Item = &str> {
        self.clauses.iter().flat_map(Terms::numbers)
    }
}

/// The clauses of a sentence that have content words.
fn parts(sentence: &str) -> Vec<Terms> {
    clauses(sentence).into_iter().map(Terms::of).filter(|terms| !terms.is_empty()).collect()
}
