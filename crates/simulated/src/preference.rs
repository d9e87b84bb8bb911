//! The better of two answers, by words alone: what it has of the question, the criteria, the context and the reference.

use super::checklist::ParsedAnswer;
use super::evidence::{Entailment, Source};
use super::language::{Terms, sentences};
use super::noise::Noise;
use promptgate_engine::judge::registry::preference::{Better, JudgedPair, PreferencePayload};

/// The lead in merit below which two answers tie.
const MIN_LEAD: f64 = 0.1;
/// The items of the built-in judge of relevance.
const RELEVANT: [&str; 4] = [
    "addresses the question that was asked",
    "answers every part of the question",
    "stays on topic",
    "does not evade or refuse what it could answer",
];
/// Quotes of a verdict.
const MAX_QUOTES: usize = 2;
/// Words, or else characters, of a passage that is long enough to be a quote.
const MIN_QUOTE: (usize, usize) = (3, 15);

/// The verdict on two answers.
pub(super) fn preference(payload: &PreferencePayload, noise: &mut Noise) -> Vec<JudgedPair> {
    let PreferencePayload { first, second, .. } = payload;
    let lead = merit(payload, first) - merit(payload, second);
    let leads = if noise.flips() { lead < 0.0 } else { lead > 0.0 };
    let verdict = match leads {
        _ if lead.abs() < MIN_LEAD => Better::Tie,
        true => Better::First,
        false => Better::Second,
    };
    let quotes = match verdict {
        Better::First => quotes(first, second),
        Better::Second => quotes(second, first),
        Better::Tie => Vec::new(),
    };
    // Without words that tell them apart, no answer is better.
    let verdict = if quotes.is_empty() { Better::Tie } else { verdict };
    let reasoning = format!("by shared words, the lead of the first answer is {lead:.2}");
    vec![JudgedPair { id: 1, quotes, reasoning, verdict }]
}

/// The sum of four shares: of the items on relevance, of the criteria, of sentences that the source states, and of
/// sentences of the reference that the answer states. A contradiction counts against it.
fn merit(payload: &PreferencePayload, answer: &str) -> f64 {
    if Terms::of(answer).is_empty() {
        return 0.0;
    }
    let parsed = ParsedAnswer::new(&payload.question, answer);
    let fulfilled = |item: &str| f64::from(u8::from(parsed.fulfils(item).0));
    let relevant = mean(RELEVANT.iter().map(|item| fulfilled(item)));
    let criteria = mean(payload.criteria.iter().map(|item| fulfilled(item)));
    let known: Vec<&str> = payload.context.iter().chain(&payload.reference).map(String::as_str).collect();
    let grounded = if known.is_empty() { 0.0 } else { stated(&known.join("\n\n"), answer) };
    let covered = payload.reference.as_ref().map_or(0.0, |reference| stated(answer, reference));
    relevant + criteria + grounded + covered
}

/// The mean over the sentences of `text`: 1 if the source states it, -1 if it says otherwise, 0 if it is silent.
fn stated(source: &str, text: &str) -> f64 {
    let source = Source::new(source);
    mean(sentences(text).into_iter().map(|sentence| match source.look_up(sentence).entailment {
        Entailment::Entailed => 1.0,
        Entailment::Contradicted => -1.0,
        Entailment::Neutral => 0.0,
    }))
}

/// The mean; 0 of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
}

/// Sentences of the better answer that the other one lacks, else sentences of the other one.
fn quotes(better: &str, other: &str) -> Vec<String> {
    let own = own_sentences(better, other);
    if own.is_empty() { own_sentences(other, better) } else { own }
}

fn own_sentences(answer: &str, other: &str) -> Vec<String> {
    let (answer, other) = (answer.trim(), other.to_lowercase());
    let (words, characters) = MIN_QUOTE;
    let is_long = |text: &str| text.split_whitespace().count() >= words || text.chars().count() >= characters;
    let is_own = |text: &&str| !text.is_empty() && !other.contains(&text.to_lowercase());
    let long = sentences(answer).into_iter().map(str::trim).filter(|text| is_long(text)).filter(is_own);
    let found: Vec<String> = long.take(MAX_QUOTES).map(str::to_owned).collect();
    // A short answer is its own quote.
    if found.is_empty() {
        Some(answer).filter(is_own).map(str::to_owned).into_iter().collect()
    } else {
        found
    }
}
