//! The lexical judge: a verdict on each statement by word overlap with the source, in the engine's reply types.
//!
//! It only compares words, so text that addresses the judge has no effect, and a paraphrase that shares no words is
//! not recognized. Its scores do not measure any model.

use std::collections::BTreeSet;

use super::checklist;
use super::evidence::{Entailment, Evidence, Source};
use super::language::{Term, Terms, sentences};
use super::lexicon;
use super::noise::Noise;
use super::preference::preference;
use promptgate_core::model::{ChatRequest, MessageRole};
use promptgate_engine::judge::registry::context_precision::{ContextPrecisionPayload, Usefulness};
use promptgate_engine::judge::registry::context_recall::{ContextRecallPayload, Recall};
use promptgate_engine::judge::registry::correctness::{CorrectnessPayload, Coverage};
use promptgate_engine::judge::registry::faithfulness::{FaithfulnessPayload, JudgedStatement, Support};
use promptgate_engine::judge::registry::scale::{Rating, ScalePayload};
use promptgate_engine::judge::registry::{ChecklistPayload, Quoted, YesNo};
use promptgate_engine::judge::reply::{self, Judged};
use promptgate_engine::judge::request::{Numbered, UntypedPayload};

/// The payload of a judge request; `None` for any other request. A re-ask has it in an earlier user message than
/// the last.
pub(super) fn payload(request: &ChatRequest) -> Option<UntypedPayload> {
    request
        .messages
        .iter()
        .rev()
        .filter(|message| message.role == MessageRole::User)
        .find_map(|message| UntypedPayload::unwrap(&message.content))
}

/// The answer to be judged by a request; `None` if it is not a judge request.
pub(crate) fn judged_answer(request: &ChatRequest) -> Option<String> {
    payload(request).map(|payload| payload.answer().to_owned())
}

/// The reply to a judge request: JSON, in a fenced block unless the request has a response format. Prose if there are no
/// rules for the task, so that the grade is missing.
pub(super) fn reply(payload: &UntypedPayload, has_format: bool, noise: &mut Noise) -> String {
    let json = if let Some(payload) = payload.typed() {
        reply::write(&faithfulness(&payload, noise))
    } else if let Some(payload) = payload.typed() {
        reply::write(&checklist(&payload, noise))
    } else if let Some(payload) = payload.typed() {
        reply::write(&correctness(&payload, noise))
    } else if let Some(payload) = payload.typed() {
        reply::write(&scale(&payload, noise))
    } else if let Some(payload) = payload.typed() {
        reply::write(&preference(&payload, noise))
    } else if let Some(payload) = payload.typed() {
        reply::write(&context_recall(&payload, noise))
    } else if let Some(payload) = payload.typed() {
        reply::write(&context_precision(&payload, noise))
    } else {
        return format!("The simulated judge has no rules for the task `{}`.", payload.task());
    };
    if has_format { json } else { format!("```json\n{json}\n```") }
}

fn faithfulness(payload: &FaithfulnessPayload, noise: &mut Noise) -> Vec<JudgedStatement> {
    let source = Source::new(&payload.context);
    let question = Terms::of(&payload.question);
    let question_stems = question.stems();
    let mut earlier_claims = BTreeSet::new();
    let judge = |statement: &Numbered| {
        let no_claim = |reasoning: &str| JudgedStatement {
            id: statement.id,
            quotes: Vec::new(),
            reasoning: reasoning.to_owned(),
            verdict: Support::NoClaim,
        };
        let evidence = source.look_up(&statement.text);
        let claim = claim_key(&statement.text);
        if !claim.is_empty() && !earlier_claims.insert(claim) {
            return no_claim("an earlier statement makes the same claim");
        }
        // A verbatim copy of the source is a claim even if it reads like an admission of not knowing.
        let copied = evidence.copied && evidence.entailment == Entailment::Entailed;
        if !copied && makes_no_claim(&statement.text, &question_stems) {
            return no_claim("no factual claim: small talk, a question, or the answer is not known");
        }
        let Evidence { entailment, quotes, reasoning, .. } = evidence;
        let verdict = match (entailment, noise.flips()) {
            (Entailment::Entailed, false) => Support::Supported,
            (Entailment::Contradicted, false) => Support::Contradicted,
            (Entailment::Neutral, false) | (Entailment::Entailed, true) => Support::NotFound,
            // A wrong `supported` verdict needs a quote as well.
            (_, true) if quotes.is_empty() => Support::NotFound,
            (_, true) => Support::Supported,
        };
        let quotes = match verdict {
            Support::Supported | Support::Contradicted => quotes.into_iter().map(str::to_owned).collect(),
            Support::NotFound | Support::NoClaim => Vec::new(),
        };
        JudgedStatement { id: statement.id, quotes, reasoning, verdict }
    };
    payload.statements.iter().map(judge).collect()
}

/// The specific or negated words of a statement: statements with equal keys make the same claim.
fn claim_key(statement: &str) -> BTreeSet<(String, bool)> {
    let terms = Terms::of(statement);
    let specific = terms.claims().filter(|term| term.negated || term.is_specific());
    specific.map(|term| (term.stem.clone(), term.negated)).collect()
}

/// Whether a statement makes no factual claim: no content words, a question, small talk, an admission of not
/// knowing, or a lead-in that only repeats the question.
fn makes_no_claim(statement: &str, question_stems: &BTreeSet<&str>) -> bool {
    let terms = Terms::of(statement);
    if !terms.claims().any(|term| lexicon::content_weight(&term.stem) > 0.0) {
        return true;
    }
    let is_lead_in = statement.trim_end().trim_end_matches('*').ends_with(':');
    let is_about_text = terms.list.iter().any(|term| lexicon::TEXT_STEMS.contains(term.stem.as_str()));
    let adds = |term: &Term| term.is_specific() && !question_stems.contains(term.stem.as_str());
    if (is_lead_in || is_about_text) && !terms.claims().any(adds) {
        return true;
    }
    let lower = statement.to_lowercase().replace('’', "'");
    // A number or a clause after `but` is a claim, however politely it is phrased.
    if !terms.numbers().is_empty() || lower.contains(" but ") || lower.contains("however") {
        return false;
    }
    let is_short = terms.list.len() <= 5;
    lower.trim_end().ends_with('?')
        || lexicon::says_unknown(&lower)
        || (is_short && (lexicon::is_small_talk(&lower) || lexicon::is_refusal(&lower)))
}

fn checklist(payload: &ChecklistPayload, noise: &mut Noise) -> Vec<Judged<YesNo>> {
    let parsed = checklist::ParsedAnswer::new(&payload.question, &payload.answer);
    let judge = |item: &Numbered| {
        let (fulfilled, reasoning) = parsed.fulfils(&item.text);
        let verdict = if fulfilled != noise.flips() { YesNo::Yes } else { YesNo::No };
        Judged { id: item.id, reasoning, verdict }
    };
    payload.items.iter().map(judge).collect()
}

fn correctness(payload: &CorrectnessPayload, noise: &mut Noise) -> Vec<Judged<Coverage>> {
    let source = Source::new(&payload.answer);
    let judge = |statement: &Numbered| {
        let evidence = source.look_up(&statement.text);
        let verdict = match (evidence.entailment, noise.flips()) {
            (Entailment::Entailed, false) | (Entailment::Contradicted | Entailment::Neutral, true) => {
                Coverage::Covered
            }
            (Entailment::Contradicted, false) => Coverage::Contradicted,
            (Entailment::Neutral, false) | (Entailment::Entailed, true) => Coverage::Absent,
        };
        Judged { id: statement.id, reasoning: evidence.reasoning, verdict }
    };
    payload.statements.iter().map(judge).collect()
}

fn context_recall(payload: &ContextRecallPayload, noise: &mut Noise) -> Vec<Quoted<Recall>> {
    let source = Source::new(&payload.context);
    let judge = |statement: &Numbered| {
        let Evidence { entailment, quotes, reasoning, .. } = source.look_up(&statement.text);
        let is_supported = (entailment == Entailment::Entailed) != noise.flips() && !quotes.is_empty();
        let verdict = if is_supported { Recall::Supported } else { Recall::Missing };
        let quotes = quotes.into_iter().filter(|_| is_supported).map(str::to_owned).collect();
        Quoted { id: statement.id, quotes, reasoning, verdict }
    };
    payload.statements.iter().map(judge).collect()
}

/// A passage is useful if it states a sentence of the reference.
fn context_precision(payload: &ContextPrecisionPayload, noise: &mut Noise) -> Vec<Quoted<Usefulness>> {
    let reference = sentences(&payload.reference);
    let judge = |passage: &Numbered| {
        let source = Source::new(&passage.text);
        let stated = reference
            .iter()
            .map(|sentence| source.look_up(sentence))
            .find(|evidence| evidence.entailment == Entailment::Entailed && !evidence.quotes.is_empty());
        let useful = |quotes: Vec<&str>, reasoning: String| Quoted {
            id: passage.id,
            quotes: quotes.into_iter().map(str::to_owned).collect(),
            reasoning,
            verdict: Usefulness::Useful,
        };
        match (stated, noise.flips()) {
            (Some(evidence), false) => useful(evidence.quotes, evidence.reasoning),
            // A wrong verdict needs a quote as well.
            (None, true) => useful(sentences(&passage.text), "the passage seems to help".to_owned()),
            _ => Quoted {
                id: passage.id,
                quotes: Vec::new(),
                reasoning: "the passage states no sentence of the reference".to_owned(),
                verdict: Usefulness::NotUseful,
            },
        }
    };
    payload.passages.iter().map(judge).collect()
}

/// The minimum share of an anchor's words in an answer that matches it.
const MIN_ANCHORED: f64 = 0.6;

/// A rating by shared words: that of the nearest anchor, else by the share of the question's words in the answer.
fn scale(payload: &ScalePayload, noise: &mut Noise) -> Vec<Judged<Rating>> {
    let ScalePayload { question, answer, of, anchors } = payload;
    let answer = Terms::of(answer);
    let answer_stems = answer.stems();
    let mut nearest: Option<(f64, u8)> = None;
    for anchor in anchors {
        let share = Terms::of(&anchor.text).covered_by(&answer_stems);
        if share >= MIN_ANCHORED && share > nearest.map_or(0.0, |(best, _)| best) {
            nearest = Some((share, anchor.rating));
        }
    }
    // Most scales reward an answer that addresses the question.
    let topic = if question.trim().is_empty() { of } else { question };
    let addressed = (Terms::of(topic).covered_by(&answer_stems) / checklist::MIN_ADDRESSED).min(1.0);
    let rating = nearest.map_or((addressed * 5.0).round() as u8, |(_, rating)| rating);
    let rating = if noise.flips() { 5 - rating.min(5) } else { rating };
    let verdict = Rating::ALL.get(usize::from(rating)).copied().unwrap_or(Rating::Zero);
    let reasoning = "the words of the answer are nearest to this rating".to_owned();
    vec![Judged { id: 1, reasoning, verdict }]
}
