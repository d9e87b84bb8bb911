//! Relevance and rubrics: yes/no items about the answer; the score is the weighted share of yes.
//!
//! Relevance has fixed items, the same for every variant, and those of the case. A no to a critical item makes
//! the score 0.

use serde_json::json;

use promptgate_core::model::{Case, Item};

use super::ask::{Conversation, Question, Stop};
use super::faithfulness::numbered;
use super::reply::{JudgedItem, YesNo};
use super::request::{Payload, RELEVANCE_ITEMS};
use super::schema::Form;
use super::{Scored, details};

/// The judge's own part of the system message.
pub(super) const RELEVANCE: &str = include_str!("prompts/relevance.md");
/// The judge's own part of the system message.
pub(super) const RUBRIC: &str = include_str!("prompts/rubric.md");

/// The items of the relevance judge for a case: the fixed ones, equally weighted, then the case's own.
pub(super) fn relevance_items(case: &Case) -> Vec<Item> {
    let fixed =
        RELEVANCE_ITEMS.iter().map(|text| Item { text: (*text).to_owned(), weight: 1.0, critical: false });
    fixed.chain(case.criteria.iter().cloned()).collect()
}

/// What the relevance judge asks.
///
/// # Errors
/// There is no question that the answer could be relevant to.
pub(super) fn relevance(case: &Case, answer: &str, items: &[Item]) -> Result<Question, Stop> {
    if case.query.trim().is_empty() {
        return Err(Stop::Invalid("the case has no question to judge relevance by".into()));
    }
    Ok(question(RELEVANCE, case, answer, items))
}

/// What a rubric asks.
pub(super) fn rubric(case: &Case, answer: &str, items: &[Item]) -> Question {
    question(RUBRIC, case, answer, items)
}

fn question(rubric: &'static str, case: &Case, answer: &str, items: &[Item]) -> Question {
    Question {
        rubric,
        form: Form::Checklist,
        asked: items.len(),
        payload: Payload::Checklist {
            question: case.query.clone(),
            answer: answer.to_owned(),
            items: numbered(items.iter().map(|item| item.text.clone()).collect()),
        },
    }
}

/// Asks and scores.
///
/// # Errors
/// Why there is no score.
pub(super) async fn score(conversation: &mut Conversation<'_>, items: &[Item]) -> Result<Scored, Stop> {
    if items.is_empty() {
        return Err(Stop::Invalid("the rubric has no items".into()));
    }
    let judged: Vec<JudgedItem> = conversation.ask().await?;
    let mut total = 0.0;
    let mut fulfilled = 0.0;
    let mut lacking = Vec::new();
    let mut critical = Vec::new();
    let mut entries = Vec::new();
    for (item, judged) in items.iter().zip(&judged) {
        // A weight that is none must not count for or against: it spoils the sum, and with it the score.
        let weight = if item.weight > 0.0 && item.weight.is_finite() { item.weight } else { f64::NAN };
        total += weight;
        match judged.verdict {
            YesNo::Yes => fulfilled += weight,
            YesNo::No if item.critical => critical.push(judged.id),
            YesNo::No => lacking.push(judged.id),
        }
        entries.push(json!({
            "id": judged.id,
            "text": details::text(&item.text),
            "weight": item.weight,
            "critical": item.critical,
            "reasoning": details::text(&judged.reasoning),
            "verdict": judged.verdict,
        }));
    }
    let yes = items.len() - lacking.len() - critical.len();
    let mut reason = format!("{yes} of {} items fulfilled", items.len());
    if !lacking.is_empty() {
        reason.push_str(&format!("; not: {}", details::ids(&lacking)));
    }
    let mut flags = Vec::new();
    if !critical.is_empty() {
        reason.push_str(&format!("; critical and not fulfilled: {}", details::ids(&critical)));
        flags.push("critical_item".to_owned());
        fulfilled *= 0.0;
    }
    // Sums of the same numbers in another order may differ in the last bit: all yes is exactly 1.
    let score = if yes == items.len() && (fulfilled / total).is_finite() { 1.0 } else { fulfilled / total };
    Ok(Scored { score, reason, details: details::list("items", entries), flags })
}
