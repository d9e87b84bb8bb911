//! The extractive answerer: picks the sentences of what it was given that best match the question.
//!
//! It sees the request alone. Every message but the question is a source: passages, instructions and worked
//! examples alike, so whatever a prompt says can end up in an answer, as it does with real models. Sentences that
//! read like instructions or questions count for less, unless they stand in a passage with a citation marker.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::instructions::Instructions;
use super::language::{Terms, leading_marker, sentences};
use super::noise::Noise;
use super::thesaurus;
use promptgate_core::model::{ChatRequest, MessageRole};

/// Sentences of an answer where the prompt sets no limit.
const MAX_SENTENCES: usize = 3;
/// The share of the question's weight below which nothing given matches it.
const MATCHES: f64 = 0.34;
/// The share of the best sentence's score from which another one that adds something is taken too.
const CLOSE_SECOND: f64 = 0.55;
/// What an instruction or a question counts of its score.
const INSTRUCTION: f64 = 0.35;
/// What the rest of its passage adds to a sentence's score.
const NEIGHBOURS: f64 = 0.4;

/// A sentence that could be part of an answer.
#[derive(Debug)]
struct Candidate {
    text: String,
    terms: Terms,
    /// Number of the paragraph it stands in.
    paragraph: usize,
    marker: Option<String>,
    instruction: bool,
}

/// Answers a request in the form that its prompt asks for.
pub(super) fn answer(request: &ChatRequest, noise: &mut Noise) -> String {
    // A passage with a marker is data: what it says about replies is not followed.
    let prompt: Vec<String> = request
        .messages
        .iter()
        .filter(|message| matches!(message.role, MessageRole::System | MessageRole::Developer))
        .flat_map(|message| paragraphs(&message.content))
        .filter(|paragraph| leading_marker(paragraph).is_none())
        .collect();
    let instructions = Instructions::read(&prompt.join("\n\n"), request.response_format.as_ref());
    let (question, candidates) = read_messages(request, &instructions);
    let picked = pick(&Terms::of(&question), &candidates, &instructions, noise);

    let (mut said, citations) = match picked {
        Picked::Sentences(chosen) => {
            let mut markers: Vec<String> = Vec::new();
            for candidate in &chosen {
                if let Some(marker) = &candidate.marker
                    && !markers.contains(marker)
                {
                    markers.push(marker.clone());
                }
            }
            let texts: Vec<&str> = chosen.iter().map(|candidate| candidate.text.as_str()).collect();
            (texts.join(" "), markers)
        }
        Picked::Fallback(text) => (text, Vec::new()),
    };
    if let Some(most) = instructions.most_words {
        said = said.split_whitespace().take(most).collect::<Vec<_>>().join(" ");
    }
    let text = match &instructions.skeleton {
        Some(skeleton) => Value::Object(fill(skeleton, &said, &citations, &question)).to_string(),
        None => said,
    };
    match (instructions.fenced, &instructions.skeleton) {
        (true, Some(_)) => format!("```json\n{text}\n```"),
        (true, None) => format!("```\n{text}\n```"),
        (false, _) => text,
    }
}

/// The question, and every other sentence of the messages.
fn read_messages(request: &ChatRequest, instructions: &Instructions) -> (String, Vec<Candidate>) {
    let asked = request.messages.iter().rposition(|message| message.role == MessageRole::User);
    let mut question = String::new();
    let mut candidates = Vec::new();
    let mut paragraph = 0;
    for (index, message) in request.messages.iter().enumerate() {
        let mut source = message.content.clone();
        if Some(index) == asked {
            let (asked, rest) = split_question(&message.content);
            question = asked;
            source = rest;
        }
        for form in &instructions.form {
            source = source.replace(form.as_str(), " ");
        }
        for text in paragraphs(&source) {
            paragraph += 1;
            read_paragraph(&text, paragraph, &mut candidates);
        }
    }
    if asked.is_none()
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

/// The paragraphs of a text: parted by blank lines, or by a line that starts with a citation marker.
fn paragraphs(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = vec![String::new()];
    for line in text.lines() {
        let fresh = line.trim().is_empty() || leading_marker(line).is_some();
        if fresh && parts.last().is_some_and(|part| !part.is_empty()) {
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
        if let Some((found, rest)) = leading_marker(sentence) {
            marker = Some(found.to_owned());
            sentence = rest;
        }
        let sentence = sentence.trim();
        let terms = Terms::of(sentence);
        if terms.is_empty() {
            continue;
        }
        let instruction = marker.is_none() && reads_like_instruction(sentence);
        candidates.push(Candidate {
            text: sentence.to_owned(),
            terms,
            paragraph,
            marker: marker.clone(),
            instruction,
        });
    }
}

fn reads_like_instruction(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let first = lower.split_whitespace().next().unwrap_or_default();
    sentence.ends_with(['?', ':'])
        || thesaurus::opens_instruction(first.trim_matches(|c: char| !c.is_alphanumeric() && c != '\''))
        || lower.starts_with("you are ")
        || lower.starts_with("your ")
        || lower.starts_with("if ")
}

/// The text without the label of a dialogue: `Q:`, `Answer:`.
fn strip_label(text: &str) -> &str {
    const LABELS: &[&str] =
        &["question:", "answer:", "assistant:", "customer:", "agent:", "user:", "q:", "a:"];
    LABELS
        .iter()
        .find(|label| text.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label)))
        .map_or(text, |label| text[label.len()..].trim_start())
}

#[derive(Debug)]
enum Picked<'a> {
    Sentences(Vec<&'a Candidate>),
    Fallback(String),
}

fn pick<'a>(
    question: &Terms,
    candidates: &'a [Candidate],
    instructions: &Instructions,
    noise: &mut Noise,
) -> Picked<'a> {
    let scores = scores(question, candidates);
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    // Stable: of equal scores, what was said first.
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let best = order.first().map_or(0.0, |index| scores[*index]);
    if let Some(fallback) = &instructions.fallback
        && best < MATCHES
    {
        return Picked::Fallback(fallback.clone());
    }
    if noise.strikes() && order.len() > 1 {
        order.swap(0, 1);
    }
    let most = instructions.most_sentences.unwrap_or(MAX_SENTENCES);
    let mut chosen: Vec<usize> = Vec::new();
    let mut said: BTreeSet<&str> = BTreeSet::new();
    let mut asked: BTreeSet<&str> = BTreeSet::new();
    let wanted = question.stems();
    for index in order {
        if chosen.len() >= most {
            break;
        }
        let stems = candidates[index].terms.stems();
        let repeats = candidates[index].terms.covered_by(&said) > 0.8;
        let adds = stems.iter().any(|stem| wanted.contains(stem) && !asked.contains(stem));
        let close = scores[index] >= CLOSE_SECOND * best;
        if chosen.is_empty() || (close && adds && !repeats) {
            asked.extend(stems.iter().filter(|stem| wanted.contains(*stem)));
            said.extend(stems);
            chosen.push(index);
        }
    }
    if chosen.len() > 1 && noise.strikes() {
        chosen.pop();
    }
    // In the order of the text, as a reader expects it.
    chosen.sort_unstable();
    Picked::Sentences(chosen.into_iter().map(|index| &candidates[index]).collect())
}

/// For each sentence the share of the question's weight that it holds, in 0..=1; rare words weigh more.
fn scores(question: &Terms, candidates: &[Candidate]) -> Vec<f64> {
    let stems: Vec<BTreeSet<&str>> = candidates.iter().map(|candidate| candidate.terms.stems()).collect();
    let mut around: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for (candidate, own) in candidates.iter().zip(&stems) {
        around.entry(candidate.paragraph).or_default().extend(own);
    }
    let mut seen = BTreeSet::new();
    let mut weights: Vec<(&str, f64)> = Vec::new();
    for term in question.list.iter().filter(|term| seen.insert(term.stem.as_str())) {
        let holders = stems.iter().filter(|own| own.contains(term.stem.as_str())).count();
        // Inverse document frequency, smoothed; a word that is nowhere still counts as asked for.
        let rarity = ((stems.len() as f64 + 1.0) / (holders as f64 + 1.0)).ln() + 0.5;
        weights.push((term.stem.as_str(), term.weight() * rarity));
    }
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let share = |held: &BTreeSet<&str>| -> f64 {
        let found: f64 =
            weights.iter().filter(|(stem, _)| held.contains(stem)).map(|(_, weight)| weight).sum();
        if total > 0.0 { found / total } else { 0.0 }
    };
    let score = |(candidate, held): (&Candidate, &BTreeSet<&str>)| {
        let own = share(held);
        let neighbours = around.get(&candidate.paragraph).filter(|_| own > 0.0).map_or(0.0, &share);
        let factor = if candidate.instruction { INSTRUCTION } else { 1.0 };
        factor * (own + NEIGHBOURS * neighbours) / (1.0 + NEIGHBOURS)
    };
    candidates.iter().zip(&stems).map(score).collect()
}

/// The skeleton with its placeholders filled.
fn fill(
    skeleton: &Map<String, Value>,
    said: &str,
    citations: &[String],
    question: &str,
) -> Map<String, Value> {
    let mut answered = false;
    let mut filled = Map::new();
    for (name, value) in skeleton {
        let lower = name.to_lowercase();
        let names_sources =
            ["citation", "source", "passage", "reference", "article"].iter().any(|word| lower.contains(word));
        let new = match value {
            Value::Array(_) => Value::Array(citations.iter().cloned().map(Value::String).collect()),
            Value::String(_) if names_sources => Value::String(citations.join(", ")),
            Value::String(_) if lower == "question" => Value::String(question.to_owned()),
            Value::String(written) if written.contains('|') => {
                Value::String(option(written, !citations.is_empty()))
            }
            Value::String(_) if !answered => {
                answered = true;
                Value::String(said.to_owned())
            }
            Value::String(_) => Value::String(String::new()),
            other => other.clone(),
        };
        filled.insert(name.clone(), new);
    }
    filled
}

/// Of `<high | medium | low>` the first when the answer has a source, else the last.
fn option(written: &str, sourced: bool) -> String {
    let mut options = written.trim_matches(['<', '>']).split('|').map(str::trim);
    let chosen = if sourced { options.next() } else { options.next_back() };
    chosen.unwrap_or_default().to_owned()
}
