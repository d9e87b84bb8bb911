//! The extractive answerer: picks the sentences of the request that best match the question.
//!
//! Every message but the question is a source: passages, instructions and worked examples alike, so any text of a
//! prompt can end up in an answer, as with real models. Sentences that read like instructions or questions have a
//! lower score, unless they are in a passage with a citation marker.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::instructions::Instructions;
use super::language::{Terms, leading_marker, sentences};
use super::lexicon;
use super::noise::Noise;
use promptgate_core::model::{ChatRequest, MessageRole};

/// The number of sentences in an answer unless the prompt sets a limit.
const DEFAULT_MAX_SENTENCES: usize = 3;
/// The minimum score of a sentence that matches the question.
const MIN_MATCH: f64 = 0.34;
/// The minimum score of a further sentence, relative to the best one.
const MIN_RELATIVE_SCORE: f64 = 0.55;
/// The factor on the score of an instruction or a question.
const INSTRUCTION_FACTOR: f64 = 0.35;
/// The weight of a sentence's paragraph in its score.
const PARAGRAPH_WEIGHT: f64 = 0.4;

/// A sentence that could be part of an answer.
#[derive(Debug)]
struct Candidate {
    text: String,
    terms: Terms,
    /// Index of its paragraph.
    paragraph: usize,
    marker: Option<String>,
    is_instruction: bool,
}

/// Answers a request in the format that its prompt asks for.
pub(super) fn answer(request: &ChatRequest, noise: &mut Noise) -> String {
    // A passage with a marker is data: instructions in it are not followed.
    let prompt: Vec<String> = request
        .messages
        .iter()
        .filter(|message| matches!(message.role, MessageRole::System | MessageRole::Developer))
        .flat_map(|message| paragraphs(&message.content))
        .filter(|paragraph| leading_marker(paragraph).is_none())
        .collect();
    let instructions = Instructions::read(&prompt.join("\n\n"), request.response_format.as_ref());
    let (question, candidates) = read_messages(request, &instructions);
    let chosen = select(&Terms::of(&question), &candidates, &instructions, noise);
    let mut citations: Vec<String> = Vec::new();
    for marker in chosen.iter().flatten().filter_map(|candidate| candidate.marker.as_ref()) {
        if !citations.contains(marker) {
            citations.push(marker.clone());
        }
    }
    let texts =
        chosen.map(|chosen| chosen.iter().map(|candidate| candidate.text.as_str()).collect::<Vec<_>>());
    let mut answer = texts.map(|texts| texts.join(" ")).or(instructions.fallback).unwrap_or_default();
    if let Some(max) = instructions.max_words {
        answer = answer.split_whitespace().take(max).collect::<Vec<_>>().join(" ");
    }
    let (text, language) = match instructions.skeleton {
        Some(skeleton) => (fill(skeleton, &answer, &citations, &question).to_string(), "json"),
        None => (answer, ""),
    };
    if instructions.fenced { format!("```{language}\n{text}\n```") } else { text }
}

/// Splits the messages into the question and all other sentences.
fn read_messages(request: &ChatRequest, instructions: &Instructions) -> (String, Vec<Candidate>) {
    let last_user = request.messages.iter().rposition(|message| message.role == MessageRole::User);
    let mut question = String::new();
    let mut candidates = Vec::new();
    let mut paragraph = 0;
    for (index, message) in request.messages.iter().enumerate() {
        let mut source = message.content.clone();
        if Some(index) == last_user {
            (question, source) = split_question(&message.content);
        }
        for text in &instructions.non_content {
            source = source.replace(text.as_str(), " ");
        }
        for text in paragraphs(&source) {
            paragraph += 1;
            read_paragraph(&text, paragraph, &mut candidates);
        }
    }
    if last_user.is_none()
        && let Some(last) = candidates.pop()
    {
        question = last.text;
    }
    (question, candidates)
}

/// The question of a user message: its last paragraph with a question mark, else its last; and what is left.
fn split_question(message: &str) -> (String, String) {
    let mut parts = paragraphs(message);
    let at = parts.iter().rposition(|part| part.contains('?')).or_else(|| parts.len().checked_sub(1));
    let question = at.map(|at| parts.remove(at)).unwrap_or_default();
    (strip_label(question.trim()).to_owned(), parts.join("\n\n"))
}

/// The paragraphs of a text, separated by blank lines; a citation marker at the start of a line opens one as well.
fn paragraphs(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = vec![String::new()];
    for line in text.lines() {
        let starts_paragraph = line.trim().is_empty() || leading_marker(line).is_some();
        if starts_paragraph && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| !line.trim().is_empty()) {
            if !part.is_empty() {
                part.push('\n');
            }
            part.push_str(line);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn read_paragraph(text: &str, paragraph: usize, candidates: &mut Vec<Candidate>) {
    let mut marker = None;
    for sentence in sentences(text) {
        let mut sentence = strip_label(sentence.trim_start_matches(['#', '-', '*', '•', '>', ' ']));
        if let Some((text, rest)) = leading_marker(sentence) {
            marker = Some(text.to_owned());
            sentence = rest;
        }
        let sentence = sentence.trim();
        let terms = Terms::of(sentence);
        if terms.is_empty() {
            continue;
        }
        let is_instruction = marker.is_none() && reads_like_instruction(sentence);
        candidates.push(Candidate {
            text: sentence.to_owned(),
            terms,
            paragraph,
            marker: marker.clone(),
            is_instruction,
        });
    }
}

fn reads_like_instruction(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let first = lower.split_whitespace().next().unwrap_or_default();
    sentence.ends_with(['?', ':'])
        || lexicon::INSTRUCTION_VERBS
            .contains(first.trim_matches(|c: char| !c.is_alphanumeric() && c != '\''))
        || lower.starts_with("you are ")
        || lower.starts_with("your ")
        || lower.starts_with("if ")
}

/// Strips a dialogue label: `Q:`, `Answer:`.
fn strip_label(text: &str) -> &str {
    const LABELS: &[&str] =
        &["question:", "answer:", "assistant:", "customer:", "agent:", "user:", "q:", "a:"];
    LABELS
        .iter()
        .find(|label| text.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label)))
        .map_or(text, |label| text[label.len()..].trim_start())
}

/// The sentences of the answer, in the order of the text; `None` if the fallback is the answer.
fn select<'a>(
    question: &Terms,
    candidates: &'a [Candidate],
    instructions: &Instructions,
    noise: &mut Noise,
) -> Option<Vec<&'a Candidate>> {
    let scores = scores(question, candidates);
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    // A stable sort: of equal scores, the earlier sentence comes first.
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let best = order.first().map_or(0.0, |index| scores[*index]);
    if instructions.fallback.is_some() && best < MIN_MATCH {
        return None;
    }
    if noise.flips() && order.len() > 1 {
        order.swap(0, 1);
    }
    let max = instructions.max_sentences.unwrap_or(DEFAULT_MAX_SENTENCES);
    let mut chosen: Vec<usize> = Vec::new();
    let mut covered: BTreeSet<&str> = BTreeSet::new();
    let question = question.stems();
    for index in order {
        if chosen.len() >= max {
            break;
        }
        let stems = candidates[index].terms.stems();
        let repeats = candidates[index].terms.covered_by(&covered) > 0.8;
        let adds = stems.iter().any(|stem| question.contains(stem) && !covered.contains(stem));
        let close = scores[index] >= MIN_RELATIVE_SCORE * best;
        if chosen.is_empty() || (close && adds && !repeats) {
            covered.extend(stems);
            chosen.push(index);
        }
    }
    if chosen.len() > 1 && noise.flips() {
        chosen.pop();
    }
    chosen.sort_unstable();
    Some(chosen.into_iter().map(|index| &candidates[index]).collect())
}

/// The score of each sentence, in 0..=1: its share of the question's words, where rare words weigh more.
fn scores(question: &Terms, candidates: &[Candidate]) -> Vec<f64> {
    let stems: Vec<BTreeSet<&str>> = candidates.iter().map(|candidate| candidate.terms.stems()).collect();
    let mut paragraphs: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for (candidate, own) in candidates.iter().zip(&stems) {
        paragraphs.entry(candidate.paragraph).or_default().extend(own);
    }
    let mut seen = BTreeSet::new();
    let mut weights: Vec<(&str, f64)> = Vec::new();
    for term in question.list.iter().filter(|term| seen.insert(term.stem.as_str())) {
        let holders = stems.iter().filter(|own| own.contains(term.stem.as_str())).count();
        // Inverse document frequency, smoothed: a word that no sentence has still has a weight.
        let rarity = ((stems.len() as f64 + 1.0) / (holders as f64 + 1.0)).ln() + 0.5;
        weights.push((term.stem.as_str(), term.weight() * rarity));
    }
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let share = |held: &BTreeSet<&str>| -> f64 {
        let matched = weights.iter().filter(|(stem, _)| held.contains(stem));
        let matched: f64 = matched.map(|(_, weight)| weight).sum();
        if total > 0.0 { matched / total } else { 0.0 }
    };
    let score = |(candidate, held): (&Candidate, &BTreeSet<&str>)| {
        let own = share(held);
        let paragraph = paragraphs.get(&candidate.paragraph).filter(|_| own > 0.0).map_or(0.0, &share);
        let factor = if candidate.is_instruction { INSTRUCTION_FACTOR } else { 1.0 };
        factor * (own + PARAGRAPH_WEIGHT * paragraph) / (1.0 + PARAGRAPH_WEIGHT)
    };
    candidates.iter().zip(&stems).map(score).collect()
}

/// Fills the placeholders of a skeleton.
fn fill(skeleton: Map<String, Value>, answer: &str, citations: &[String], question: &str) -> Value {
    let mut answer = Some(answer);
    let mut fill = |name: &str, value: Value| {
        let lower = name.to_lowercase();
        let names_sources =
            ["citation", "source", "passage", "reference", "article"].iter().any(|word| lower.contains(word));
        match value {
            Value::Array(_) => json!(citations),
            Value::String(_) if names_sources => Value::from(citations.join(", ")),
            Value::String(_) if lower == "question" => Value::from(question),
            Value::String(options) if options.contains('|') => option(&options, !citations.is_empty()).into(),
            Value::String(_) => Value::from(answer.take().unwrap_or_default()),
            other => other,
        }
    };
    let filled = skeleton.into_iter().map(|(name, value)| {
        let value = fill(&name, value);
        (name, value)
    });
    Value::Object(filled.collect())
}

/// Of `<high | medium | low>` the first if the answer has a source, else the last.
fn option(options: &str, sourced: bool) -> String {
    let mut options = options.trim_matches(['<', '>']).split('|').map(str::trim);
    let chosen = if sourced { options.next() } else { options.next_back() };
    chosen.unwrap_or_default().to_owned()
}
