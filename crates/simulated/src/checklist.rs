//! Judges checklist items by words: an item of a built-in judge by the rule that it names, an item of a user by a rule
//! of `data/item_rules.txt`, else by its keywords.

use std::collections::BTreeSet;

use super::language::{Terms, sentences};
use super::lexicon;
use promptgate_engine::judge::registry::{self, WordRule};

/// The minimum share of the question's content words in an answer that addresses it.
pub(super) const MIN_ADDRESSED: f64 = 0.3;
/// The minimum share of a part's content words in an answer to that part.
const MIN_PART_ADDRESSED: f64 = 0.25;
/// The minimum share of sentences on the question's topic.
const MIN_ON_TOPIC: f64 = 0.5;
/// The minimum share of an item's keywords in an answer that fulfils it.
const MIN_KEYWORDS: f64 = 0.5;

/// The words of an answer and its question.
#[derive(Debug)]
pub(super) struct ParsedAnswer {
    lower: String,
    terms: Terms,
    question: Terms,
    parts: Vec<(String, Terms)>,
    sentences: Vec<Terms>,
    is_refusal: bool,
}

impl ParsedAnswer {
    /// Parses an answer, without the questions in it, such as an echo of the question.
    pub(super) fn new(question: &str, answer: &str) -> Self {
        let stated: Vec<&str> =
            sentences(answer).into_iter().filter(|sentence| !sentence.trim_end().ends_with('?')).collect();
        let lower = stated.join(" ").to_lowercase().replace('’', "'");
        Self {
            terms: Terms::of(&stated.join(" ")),
            question: Terms::of(question),
            parts: parts(question).into_iter().map(|part| (part.to_owned(), Terms::of(part))).collect(),
            sentences: stated
                .iter()
                .map(|sentence| Terms::of(sentence))
                .filter(|terms| !terms.is_empty())
                .collect(),
            is_refusal: lexicon::is_refusal(&lower),
            lower,
        }
    }

    /// Whether the answer fulfils an item, and why.
    pub(super) fn fulfils(&self, item: &str) -> (bool, String) {
        if self.terms.is_empty() {
            return (false, "the answer has no content words".to_owned());
        }
        match registry::word_rule(item).or_else(|| lexicon::item_rule(&item.to_lowercase())) {
            Some(WordRule::Addressed) => self.check_addressed(),
            Some(WordRule::EveryPart) => self.check_every_part(),
            Some(WordRule::OnTopic) => self.check_on_topic(),
            Some(WordRule::NoEvasion) => self.check_no_evasion(),
            Some(WordRule::Polite) => match lexicon::find(&lexicon::RUDE, &self.lower) {
                Some(phrase) => (false, format!("it contains a rude phrase: {phrase}")),
                None => (true, "it contains no rude phrase".to_owned()),
            },
            Some(WordRule::NextStep) => match lexicon::find(&lexicon::NEXT_STEPS, &self.lower) {
                Some(phrase) => (true, format!("it names a next step: {}", phrase.trim())),
                None => (false, "it names no next step".to_owned()),
            },
            Some(WordRule::NoneOf(phrases)) => {
                match phrases.iter().find(|phrase| self.lower.contains(**phrase)) {
                    Some(phrase) => (false, format!("it contains the phrase: {phrase}")),
                    None => (true, "it contains no phrase against it".to_owned()),
                }
            }
            Some(WordRule::Keywords(text)) => self.check_keywords(text),
            None => self.check_keywords(item),
        }
    }

    fn check_no_evasion(&self) -> (bool, String) {
        if self.is_refusal {
            return (false, "it says that it cannot answer".to_owned());
        }
        let off_topic = self.question.covered_by(&self.terms.stems()) <= 0.0 && !self.question.is_empty();
        let reason =
            if off_topic { "it has none of the question's words" } else { "it neither refuses nor evades" };
        (!off_topic, reason.to_owned())
    }

    fn check_addressed(&self) -> (bool, String) {
        let share = self.question.covered_by(&self.terms.stems());
        let yes = !self.is_refusal && (share >= MIN_ADDRESSED || self.question.is_empty());
        (yes, format!("{:.0} % of the question's words are in the answer", share * 100.0))
    }

    fn check_every_part(&self) -> (bool, String) {
        if lexicon::says_unknown(&self.lower) {
            return (true, "it says that the answer is not known".to_owned());
        }
        if self.is_refusal {
            return (false, "it says that it cannot answer".to_owned());
        }
        let stems = self.terms.stems();
        let is_missed = |terms: &Terms| !terms.is_empty() && terms.covered_by(&stems) < MIN_PART_ADDRESSED;
        match self.parts.iter().find(|(_, terms)| is_missed(terms)) {
            Some((part, _)) => (false, format!("it does not address this part: {part}")),
            None => (true, "it addresses each part of the question".to_owned()),
        }
    }

    fn check_on_topic(&self) -> (bool, String) {
        // A sentence that shares words with an on-topic sentence is on topic as well.
        let mut topic: BTreeSet<&str> = self.question.stems();
        let mut on = 0;
        for terms in &self.sentences {
            let stems = terms.stems();
            if stems.iter().any(|stem| topic.contains(stem)) {
                on += 1;
                topic.extend(stems);
            }
        }
        let share = on as f64 / self.sentences.len().max(1) as f64;
        (share >= MIN_ON_TOPIC, format!("{on} of {} sentences are on topic", self.sentences.len()))
    }

    /// The answer contains the keywords of an item, or does not if the item is negative.
    fn check_keywords(&self, item: &str) -> (bool, String) {
        let mut keywords = Terms::of(item);
        let negative = keywords.negated || item.to_lowercase().contains("avoid");
        keywords.list.retain(|term| !lexicon::ITEM_STEMS.contains(term.stem.as_str()));
        let share = keywords.covered_by(&self.terms.stems());
        let contained = share >= MIN_KEYWORDS;
        (contained != negative, format!("{:.0} % of the item's keywords are in the answer", share * 100.0))
    }
}

/// The parts of a question: its sentences, split where a question word or an auxiliary verb follows `and`.
fn parts(question: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for sentence in sentences(question) {
        let mut start = 0;
        for (at, and) in sentence.match_indices(" and ") {
            let after = at + and.len();
            let next = sentence[after..].split_whitespace().next().unwrap_or_default().to_lowercase();
            if lexicon::QUESTION_OPENERS.contains(next.as_str()) {
                parts.push(&sentence[start..at]);
                start = after;
            }
        }
        parts.push(&sentence[start..]);
    }
    parts
}
