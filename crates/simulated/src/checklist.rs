//! Yes or no to checklist items, by words: the four of relevance by what they ask for, any other by its keywords.

use std::collections::BTreeSet;

use super::language::{Terms, sentences};
use super::thesaurus;

/// The share of the question's content words from which an answer addresses it.
pub(super) const ADDRESSES: f64 = 0.3;
/// The share of a part's content words from which the part counts as answered.
const ANSWERS_PART: f64 = 0.25;
/// The share of sentences that have to stay with the question.
const ON_TOPIC: f64 = 0.5;
/// The share of an item's keywords from which an answer does what the item says.
const KEYWORDS: f64 = 0.5;

/// An answer seen with its question.
#[derive(Debug)]
pub(super) struct Answer {
    lower: String,
    terms: Terms,
    question: Terms,
    parts: Vec<(String, Terms)>,
    sentences: Vec<Terms>,
    refuses: bool,
}

impl Answer {
    /// Reads an answer; questions in it, such as the question echoed, count for nothing.
    pub(super) fn read(question: &str, answer: &str) -> Self {
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
            refuses: thesaurus::refuses(&lower),
            lower,
        }
    }

    /// Whether the answer fulfils an item, and why.
    pub(super) fn fulfils(&self, item: &str) -> (bool, String) {
        let lower = item.to_lowercase();
        let asks = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if self.terms.is_empty() {
            return (false, "the answer says nothing".to_owned());
        }
        if asks(&["evade", "evasi", "dodge", "not refuse"]) {
            self.evades_nothing()
        } else if asks(&["every part", "all parts", "each part", "whole question", "all of the question"]) {
            self.answers_every_part()
        } else if asks(&["on topic", "on-topic", "off topic", "off-topic", "unrelated", "irrelevant"]) {
            self.stays_on_topic()
        } else if asks(&["question"]) && asks(&["address", "answer", "respond"]) {
            self.addresses_question()
        } else if asks(&["polite", "courteous", "friendly", "respectful"]) {
            let rude = ["stupid", "idiot", "shut up", "ridiculous", "nonsense", "your fault", "obviously"];
            match rude.iter().find(|word| self.lower.contains(**word)) {
                Some(word) => (false, format!("it says {word}")),
                None => (true, "no rude word is in it".to_owned()),
            }
        } else if asks(&["next step", "what to do next"]) {
            self.names_next_step()
        } else {
            self.has_keywords(item)
        }
    }

    fn evades_nothing(&self) -> (bool, String) {
        if self.refuses {
            return (false, "it says that it cannot answer".to_owned());
        }
        let silent = self.question.covered_by(&self.terms.stems()) <= 0.0 && !self.question.is_empty();
        let reason = if silent { "it says nothing on the matter" } else { "it neither refuses nor evades" };
        (!silent, reason.to_owned())
    }

    fn addresses_question(&self) -> (bool, String) {
        let share = self.question.covered_by(&self.terms.stems());
        let yes = !self.refuses && (share >= ADDRESSES || self.question.is_empty());
        (yes, format!("{:.0} % of the question's words are taken up", share * 100.0))
    }

    fn answers_every_part(&self) -> (bool, String) {
        if thesaurus::says_not_knowing(&self.lower) {
            return (true, "it says plainly what is not known".to_owned());
        }
        if self.refuses {
            return (false, "it says that it cannot answer".to_owned());
        }
        let stems = self.terms.stems();
        match self
            .parts
            .iter()
            .find(|(_, terms)| !terms.is_empty() && terms.covered_by(&stems) < ANSWERS_PART)
        {
            Some((part, _)) => (false, format!("it does not take up this part: {part}")),
            None => (true, "each part of the question is taken up".to_owned()),
        }
    }

    fn stays_on_topic(&self) -> (bool, String) {
        // A sentence that goes on from one on the topic is on the topic.
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
        (share >= ON_TOPIC, format!("{on} of {} sentences stay with the question", self.sentences.len()))
    }

    fn names_next_step(&self) -> (bool, String) {
        const STEPS: &[&str] = &[
            "contact", "open ", "go to", "choose", "select", "click", "reply", "send ", "call ", "visit",
            "write to", "sign in", "log in", "you can", "please",
        ];
        match STEPS.iter().find(|step| self.lower.contains(**step)) {
            Some(step) => (true, format!("it says what to do: {}", step.trim())),
            None => (false, "it says nothing to do".to_owned()),
        }
    }

    /// Any other item: its keywords are in the answer, or, where the item is negative, are not.
    fn has_keywords(&self, item: &str) -> (bool, String) {
        const FRAME: &[&str] = &[
            "answer", "respons", "repli", "mention", "name", "state", "say", "includ", "contain", "give",
            "tell", "explain", "avoid", "provid", "custom",
        ];
        let mut keywords = Terms::of(item);
        let negative = keywords.negated || item.to_lowercase().contains("avoid");
        keywords.list.retain(|term| !FRAME.contains(&term.stem.as_str()));
        let share = keywords.covered_by(&self.terms.stems());
        let there = share >= KEYWORDS;
        (there != negative, format!("{:.0} % of the item's keywords are in the answer", share * 100.0))
    }
}

/// The parts of a question: its sentences, split where `and` goes on with a question word or a verb of asking.
fn parts(question: &str) -> Vec<&str> {
    const OPENERS: &[&str] = &[
        "how", "what", "when", "where", "which", "who", "why", "can", "do", "does", "is", "are", "will",
        "should", "may", "must",
    ];
    let mut parts = Vec::new();
    for sentence in sentences(question) {
        let mut rest = sentence;
        let mut from = 0;
        while let Some(at) = rest[from..].find(" and ").map(|at| at + from) {
            let after = &rest[at + 5..];
            let next = after.split_whitespace().next().unwrap_or_default().to_lowercase();
            if OPENERS.contains(&next.as_str()) {
                parts.push(&rest[..at]);
                rest = after;
                from = 0;
            } else {
                from = at + 5;
            }
        }
        parts.push(rest);
    }
    parts
}
