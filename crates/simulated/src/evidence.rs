//! What a source says of a statement: backs it, denies it, or is silent. Word by word, nothing more.
//!
//! A statement is backed when at most [`MAX_QUOTES`] sentences of the source hold its content words but for a few
//! ([`Source::allowed`]), and all of its numbers and names. It is denied when its words are there but a negation,
//! an opposite or a number is not the same. Copied text never reaches anything but these counts, so text that
//! addresses the judge sways nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::commonplace;
use super::language::{Kind, Term, Terms, clauses, leading_marker, sentences};
use super::thesaurus;

/// The share of the words' weight below which nothing backs a statement, however long the source.
const MIN: f64 = 0.55;
/// The share from which a statement is close enough to be denied.
const CLOSE: f64 = 0.5;
/// The share of a clause's words from which another is next to it, so that a negation in one alone matters.
const NEAR: f64 = 0.66;
/// The most sentences quoted for one statement: a summary draws on many.
const MAX_QUOTES: usize = 6;
/// Missing words for each root of a statement's length, for a source of [`SHORT`] distinct words and one of
/// [`LONG`]: what stands in a single sentence is copied, what stands in pages is put in words of one's own.
const ALLOWED: [f64; 2] = [0.45, 1.15];
const SHORT: f64 = 15.0;
const LONG: f64 = 100.0;
/// What it counts to speak of oneself where the source does not: two missing words.
const SPEAKER: f64 = 2.0;
/// The share of a statement's other words from which a sentence is about the same, so that its number must be too.
const SAME: f64 = 0.8;
/// How much nearer that sentence has to be than any that holds the statement's number.
const NEARER: f64 = 0.3;
/// Letters that related words start with, such as `discolored` and `discoloration`.
const ROOT: usize = 5;

/// A source, split once for many statements.
#[derive(Debug)]
pub(super) struct Source<'a> {
    sentences: Vec<Sentence<'a>>,
    /// By stem the sentences that hold it, in order.
    holders: BTreeMap<String, Vec<usize>>,
    /// Whether somebody speaks of himself in it.
    speaks: bool,
}

#[derive(Debug)]
struct Sentence<'a> {
    text: &'a str,
    clauses: Vec<Clause>,
}

/// A part of a sentence, of statement or source.
#[derive(Debug)]
struct Clause {
    stems: BTreeSet<String>,
    weight: f64,
    terms: Terms,
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
    /// Whether one sentence holds every word, of three or more.
    pub(super) copied: bool,
}

/// A word of a statement with the sentences that hold it.
#[derive(Debug)]
struct Wanted<'t> {
    term: &'t Term,
    weight: f64,
    holders: Vec<usize>,
}

impl<'a> Source<'a> {
    /// Splits a text into sentences, without the markers of its passages.
    pub(super) fn new(text: &'a str) -> Self {
        let sentences: Vec<Sentence<'a>> = sentences(text)
            .into_iter()
            .map(|sentence| leading_marker(sentence).map_or(sentence, |(_, rest)| rest))
            .filter(|sentence| !sentence.is_empty())
            .map(|text| Sentence { text, clauses: parts(text) })
            .collect();
        let mut holders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, sentence) in sentences.iter().enumerate() {
            for stem in sentence.clauses.iter().flat_map(|clause| &clause.stems) {
                match holders.get_mut(stem) {
                    Some(known) if known.last() == Some(&index) => {}
                    Some(known) => known.push(index),
                    None => {
                        holders.insert(stem.clone(), vec![index]);
                    }
                }
            }
        }
        Self { sentences, holders, speaks: thesaurus::speaks_of_self(text) }
    }

    /// Looks a statement up.
    pub(super) fn look_up(&self, statement: &str) -> Evidence<'a> {
        let terms = Terms::of(statement);
        let wanted = self.wanted(&terms);
        let chosen = self.best_sentences(&wanted);
        let holds = |word: &Wanted<'_>| word.holders.iter().any(|holder| chosen.contains(holder));
        let mut total: f64 = wanted.iter().map(|word| word.weight).sum();
        let mut missing: f64 = wanted.iter().filter(|word| !holds(word)).map(|word| word.weight).sum();
        if !self.speaks && thesaurus::speaks_of_self(statement) {
            total += SPEAKER;
            missing += SPEAKER;
        }
        let coverage = if total > 0.0 { 1.0 - missing / total } else { 0.0 };
        let mut quotes: Vec<&'a str> = chosen.iter().map(|index| self.sentences[*index].text).collect();
        quotes.extend(self.references(&terms, &chosen));
        let copied = missing <= 0.0
            && wanted.len() >= 3
            && chosen.first().is_some_and(|first| wanted.iter().all(|word| word.holders.contains(first)));
        let evidence = |finding, reasoning| Evidence { finding, quotes: quotes.clone(), reasoning, copied };
        let share = format!("{:.0} % of its content words are there", coverage * 100.0);
        if coverage < CLOSE {
            return evidence(Finding::Silent, format!("no passage says this: {share}"));
        }
        let has_words = terms.list.iter().any(|term| term.kind != Kind::Number);
        let words = wanted.iter().filter(|word| word.term.kind != Kind::Number);
        if has_words && !words.into_iter().any(holds) {
            return evidence(Finding::Silent, "no passage says this: it shares numbers alone".to_owned());
        }
        let lacking = |kind: Kind| {
            wanted.iter().find(|word| word.term.kind == kind && word.weight >= 1.0 && !holds(word))
        };
        if let Some(number) = lacking(Kind::Number) {
            let other_number = chosen.iter().any(|index| self.sentences[*index].has_number());
            let finding = if other_number { Finding::Denied } else { Finding::Silent };
            return evidence(finding, format!("the number {} is not in the passage", number.term.stem));
        }
        if let Some(number) = self.other_number(&terms, &wanted, &chosen) {
            return evidence(Finding::Denied, format!("the passage says another number than {number}"));
        }
        if let Some(opposite) = self.opposed(&wanted, &chosen) {
            return evidence(Finding::Denied, format!("the passage says the opposite: {opposite}"));
        }
        if self.negation_differs(statement, &chosen) {
            return evidence(
                Finding::Denied,
                "the passage negates what this affirms, or the reverse".to_owned(),
            );
        }
        if let Some(name) = lacking(Kind::Name) {
            return evidence(Finding::Silent, format!("the name {} is not in the passage", name.term.stem));
        }
        if coverage < MIN || missing > self.allowed(total) {
            return evidence(Finding::Silent, format!("no passage says all of this: {share}"));
        }
        evidence(Finding::Backed, format!("the quoted text says this: {share}"))
    }

    /// The weight of words that may be missing from the source where a statement has words of this weight. It
    /// grows with the root of the length, as counts by chance do.
    fn allowed(&self, total: f64) -> f64 {
        let words = (self.holders.len() as f64).clamp(SHORT, LONG);
        let share = (words / SHORT).ln() / (LONG / SHORT).ln();
        (ALLOWED[0] + share * (ALLOWED[1] - ALLOWED[0])) * (1.0 + total).sqrt()
    }

    /// The words of a statement that tell something, without the numbers of passages and steps.
    fn wanted<'t>(&self, terms: &'t Terms) -> Vec<Wanted<'t>> {
        let mut wanted = Vec::new();
        for (index, term) in terms.list.iter().enumerate() {
            let weight = match term.kind {
                Kind::Number if terms.is_reference(index) => 0.0,
                Kind::Number => term.weight(),
                Kind::Word | Kind::Name | Kind::Count => commonplace::weight(&term.stem),
            };
            if weight > 0.0 {
                wanted.push(Wanted { term, weight, holders: self.holders_of(term) });
            }
        }
        wanted
    }

    /// The sentences that hold a word, or else a related one: with the same first letters, and at least two thirds
    /// of the longer stem in common.
    fn holders_of(&self, term: &Term) -> Vec<usize> {
        if let Some(holders) = self.holders.get(&term.stem) {
            return holders.clone();
        }
        let Some(root) = term.stem.get(..ROOT).filter(|_| matches!(term.kind, Kind::Word | Kind::Name))
        else {
            return Vec::new();
        };
        let related = self.holders.range(root.to_owned()..).take_while(|(stem, _)| stem.starts_with(root));
        let found: BTreeSet<usize> = related
            .filter(|(stem, _)| {
                let same =
                    stem.bytes().zip(term.stem.bytes()).take_while(|(one, other)| one == other).count();
                3 * same >= 2 * stem.len().max(term.stem.len())
            })
            .flat_map(|(_, holders)| holders.iter().copied())
            .collect();
        found.into_iter().collect()
    }

    /// The sentences that together hold most of the wanted words, greedily, each adding a word.
    fn best_sentences(&self, wanted: &[Wanted<'_>]) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let mut missing: Vec<&Wanted<'_>> = wanted.iter().filter(|word| !word.holders.is_empty()).collect();
        while chosen.len() < MAX_QUOTES && !missing.is_empty() {
            let mut gains: BTreeMap<usize, f64> = BTreeMap::new();
            for word in &missing {
                for holder in &word.holders {
                    *gains.entry(*holder).or_default() += word.weight;
                }
            }
            let mut best: Option<(usize, f64)> = None;
            for (index, gain) in gains {
                if best.is_none_or(|(_, most)| gain > most + 1e-12) {
                    best = Some((index, gain));
                }
            }
            let Some((index, _)) = best else { break };
            missing.retain(|word| !word.holders.contains(&index));
            chosen.push(index);
        }
        chosen
    }

    /// Sentences that hold the numbers of passages and steps that a statement refers to and the chosen ones lack:
    /// the numbers claim nothing, but a quote has to show them.
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

    /// A number of the statement in whose place the sentence that is nearest has another.
    fn other_number<'t>(&self, terms: &'t Terms, wanted: &[Wanted<'t>], chosen: &[usize]) -> Option<&'t str> {
        let is_number = |word: &&Wanted<'_>| matches!(word.term.kind, Kind::Number | Kind::Count);
        let rest: f64 = wanted.iter().filter(|word| !is_number(word)).map(|word| word.weight).sum();
        let share = |index: usize| -> f64 {
            let held = wanted.iter().filter(|word| !is_number(word) && word.holders.contains(&index));
            held.map(|word| word.weight).sum::<f64>() / rest.max(1e-12)
        };
        let said = terms.numbers();
        wanted.iter().filter(is_number).find_map(|word| {
            let with = word.holders.iter().map(|holder| share(*holder)).fold(0.0, f64::max);
            chosen
                .iter()
                .any(|index| {
                    let nearest = share(*index);
                    !word.holders.contains(index)
                        && nearest >= SAME
                        && nearest >= with + NEARER
                        && self.sentences[*index].numbers().any(|number| !said.contains(number))
                })
                .then_some(word.term.stem.as_str())
        })
    }

    /// A word of the statement whose opposite stands in the chosen sentences instead.
    fn opposed(&self, wanted: &[Wanted<'_>], chosen: &[usize]) -> Option<&'static str> {
        let there = |holders: &[usize]| holders.iter().any(|holder| chosen.contains(holder));
        wanted.iter().filter(|word| word.weight >= 1.0 && !there(&word.holders)).find_map(|word| {
            thesaurus::opposite(&word.term.stem)
                .filter(|opposite| self.holders.get(*opposite).is_some_and(|holders| there(holders)))
        })
    }

    /// Whether a word of the statement is negated where the clauses next to it have it affirmed, or the reverse.
    fn negation_differs(&self, statement: &str, chosen: &[usize]) -> bool {
        let sources: Vec<&Clause> = chosen.iter().flat_map(|index| &self.sentences[*index].clauses).collect();
        parts(statement).iter().any(|clause| {
            let words = &clause.terms.list;
            let near: Vec<&Clause> =
                sources.iter().copied().filter(|source| clause.covered_by(source) >= NEAR).collect();
            // Of the same words the last that is negated decides: "no return is possible" is "a return is not
            // possible", and not "no return is not possible".
            if let Some(same) = near.iter().find(|source| source.covered_by(clause) >= 1.0)
                && clause.covered_by(same) >= 1.0
            {
                // A word that it has both ways says nothing.
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
            !agrees && words.iter().any(|term| commonplace::weight(&term.stem) >= 1.0 && differs(term))
        })
    }
}

impl Sentence<'_> {
    fn numbers(&self) -> impl Iterator<Item = &str> {
        self.clauses.iter().flat_map(|clause| clause.terms.numbers())
    }

    fn has_number(&self) -> bool {
        self.numbers().next().is_some()
    }
}

impl Clause {
    fn has(&self, term: &Term, negated: bool) -> bool {
        self.terms.list.iter().any(|own| own.stem == term.stem && own.negated == negated)
    }

    fn covered_by(&self, other: &Self) -> f64 {
        let held = self.terms.list.iter().filter(|term| other.stems.contains(&term.stem));
        held.map(Term::weight).sum::<f64>() / self.weight
    }
}

/// The clauses of a sentence that have content words.
fn parts(sentence: &str) -> Vec<Clause> {
    clauses(sentence)
        .into_iter()
        .map(Terms::of)
        .filter(|terms| !terms.is_empty())
        .map(|terms| Clause {
            stems: terms.list.iter().map(|term| term.stem.clone()).collect(),
            weight: terms.list.iter().map(Term::weight).sum(),
            terms,
        })
        .collect()
}
