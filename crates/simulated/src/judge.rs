//! The lexical judge: verdicts statement by statement, by overlap with the source, in the reply types of the
//! judge room.
//!
//! It compares words and nothing else, so text that addresses it changes nothing, and so does a paraphrase that
//! shares no words: its scores are no measure of a model.

use std::collections::BTreeSet;

use super::checklist;
use super::commonplace;
use super::evidence::{Evidence, Finding, Source};
use super::language::{Kind, Term, Terms};
use super::noise::Noise;
use super::thesaurus;
use promptgate_core::model::{ChatRequest, Speaker};
use promptgate_engine::judge::registry::correctness::{CorrectnessPayload, Coverage, JudgedReference};
use promptgate_engine::judge::registry::faithfulness::{FaithfulnessPayload, JudgedStatement, Support};
use promptgate_engine::judge::registry::scale::{JudgedRating, Rating, ScalePayload};
use promptgate_engine::judge::registry::{ChecklistPayload, JudgedItem, YesNo};
use promptgate_engine::judge::reply;
use promptgate_engine::judge::request::{Numbered, UntypedPayload};

/// The data of the judgement that a request asks for; `None` for any other request. A re-ask carries the data in
/// an earlier user message than its last.
pub(super) fn payload(request: &ChatRequest) -> Option<UntypedPayload> {
    request
        .messages
        .iter()
        .rev()
        .filter(|message| message.role == Speaker::User)
        .find_map(|message| UntypedPayload::unwrap(&message.content))
}

/// The answer that a request wants judged; `None` where it is no judgement.
pub(crate) fn judged_answer(request: &ChatRequest) -> Option<String> {
    payload(request).map(|payload| payload.answer().to_owned())
}

/// The reply to a judgement: JSON, in a fenced block unless the request holds the model to a format. Prose if there are
/// no rules for the task, so that there is no grade.
pub(super) fn reply(payload: &UntypedPayload, held_to_format: bool, noise: &mut Noise) -> String {
    let json = if let Some(payload) = payload.typed() {
        reply::write(&faithfulness(&payload, noise))
    } else if let Some(payload) = payload.typed() {
        reply::write(&checklist(&payload, noise))
    } else if let Some(payload) = payload.typed() {
        reply::write(&correctness(&payload, noise))
    } else if let Some(payload) = payload.typed() {
        reply::write(&scale(&payload, noise))
    } else {
        return format!("The simulated judge has no rules for the task `{}`.", payload.task());
    };
    if held_to_format { json } else { format!("```json\n{json}\n```") }
}

fn faithfulness(payload: &FaithfulnessPayload, noise: &mut Noise) -> Vec<JudgedStatement> {
    let source = Source::new(&payload.context);
    let question = Terms::of(&payload.question);
    let asked = question.stems();
    let mut said = BTreeSet::new();
    let judge = |statement: &Numbered| {
        let found = source.look_up(&statement.text);
        let told = told(&statement.text);
        if !told.is_empty() && !said.insert(told) {
            return JudgedStatement {
                id: statement.id,
                quotes: Vec::new(),
                reasoning: "an earlier statement has said this already".to_owned(),
                verdict: Support::NoClaim,
            };
        }
        // What the source says word for word is a claim, also where it reads like not knowing.
        let copied = found.copied && found.finding == Finding::Backed;
        if !copied && claims_nothing(&statement.text, &asked) {
            return JudgedStatement {
                id: statement.id,
                quotes: Vec::new(),
                reasoning: "this states no fact: small talk, a question, or not knowing".to_owned(),
                verdict: Support::NoClaim,
            };
        }
        let Evidence { finding, quotes, reasoning, .. } = found;
        let verdict = match (finding, noise.strikes()) {
            (Finding::Backed, false) => Support::Supported,
            (Finding::Denied, false) => Support::Contradicted,
            (Finding::Silent, false) | (Finding::Backed, true) => Support::NotFound,
            // A judge that errs on the kind side still has to show a quote.
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

/// The words of a statement that tell something of their own or are negated: two statements with the same ones say
/// the same.
fn told(statement: &str) -> BTreeSet<(String, bool)> {
    let terms = Terms::of(statement);
    let tells = |term: &Term| {
        let number = matches!(term.kind, Kind::Count | Kind::Number);
        term.negated || number || commonplace::weight(&term.stem) >= 1.0
    };
    let telling =
        terms.list.iter().enumerate().filter(|(index, term)| !terms.is_reference(*index) && tells(term));
    telling.map(|(_, term)| (term.stem.clone(), term.negated)).collect()
}

/// Whether a statement claims nothing: no word that tells something, a question, small talk, not knowing without a
/// fact, or a lead-in that only repeats what was asked.
fn claims_nothing(statement: &str, asked: &BTreeSet<&str>) -> bool {
    let terms = Terms::of(statement);
    let tells = |term: &&Term| commonplace::weight(&term.stem) > 0.0;
    let telling = || terms.list.iter().enumerate().filter(|(index, _)| !terms.is_reference(*index));
    if !telling().any(|(_, term)| tells(&term)) {
        return true;
    }
    let leads_in = statement.trim_end().trim_end_matches('*').ends_with(':');
    let of_a_text = terms.list.iter().any(|term| commonplace::is_text(&term.stem));
    let adds = |term: &Term| {
        let number = matches!(term.kind, Kind::Count | Kind::Number);
        !asked.contains(term.stem.as_str()) && (number || commonplace::weight(&term.stem) >= 1.0)
    };
    if (leads_in || of_a_text) && !telling().any(|(_, term)| adds(term)) {
        return true;
    }
    let lower = statement.to_lowercase().replace('’', "'");
    // A number, or a clause that goes on with `but`, is a claim however politely it is wrapped.
    if !terms.numbers().is_empty() || lower.contains(" but ") || lower.contains("however") {
        return false;
    }
    let few = terms.list.len() <= 5;
    lower.trim_end().ends_with('?')
        || thesaurus::says_not_knowing(&lower)
        || (few && (thesaurus::is_small_talk(&lower) || thesaurus::refuses(&lower)))
}

fn checklist(payload: &ChecklistPayload, noise: &mut Noise) -> Vec<JudgedItem> {
    let seen = checklist::Answer::read(&payload.question, &payload.answer);
    let judge = |item: &Numbered| {
        let (fulfilled, reasoning) = seen.fulfils(&item.text);
        let verdict = if fulfilled != noise.strikes() { YesNo::Yes } else { YesNo::No };
        JudgedItem { id: item.id, reasoning, verdict }
    };
    payload.items.iter().map(judge).collect()
}

fn correctness(payload: &CorrectnessPayload, noise: &mut Noise) -> Vec<JudgedReference> {
    let source = Source::new(&payload.answer);
    let judge = |statement: &Numbered| {
        let found = source.look_up(&statement.text);
        let verdict = match (found.finding, noise.strikes()) {
            (Finding::Backed, false) | (Finding::Denied | Finding::Silent, true) => Coverage::Covered,
            (Finding::Denied, false) => Coverage::Contradicted,
            (Finding::Silent, false) | (Finding::Backed, true) => Coverage::Absent,
        };
        JudgedReference { id: statement.id, reasoning: found.reasoning, verdict }
    };
    payload.statements.iter().map(judge).collect()
}

/// The share of an anchor's words from which an answer is what it says.
const ANCHORED: f64 = 0.6;

/// A rating by shared words: the anchor whose words the answer has, else how far the answer takes up the question.
fn scale(payload: &ScalePayload, noise: &mut Noise) -> Vec<JudgedRating> {
    let ScalePayload { question, answer, of, anchors } = payload;
    let said = Terms::of(answer);
    let said = said.stems();
    let mut nearest: Option<(f64, u8)> = None;
    for anchor in anchors {
        let share = Terms::of(&anchor.text).covered_by(&said);
        if share >= ANCHORED && share > nearest.map_or(0.0, |(most, _)| most) {
            nearest = Some((share, anchor.rating));
        }
    }
    // An answer that takes up the question has done what most scales ask for.
    let asked = if question.trim().is_empty() { of } else { question };
    let topic = (Terms::of(asked).covered_by(&said) / checklist::ADDRESSES).min(1.0);
    let rating = nearest.map_or((topic * 5.0).round() as u8, |(_, rating)| rating);
    let rating = if noise.strikes() { 5 - rating.min(5) } else { rating };
    let verdict = Rating::ALL.get(usize::from(rating)).copied().unwrap_or(Rating::Zero);
    let reasoning = "the words of the answer are nearest to this rating".to_owned();
    vec![JudgedRating { id: 1, reasoning, verdict }]
}
