//! Yes/no items about the answer, for judges with a checklist. The score is the weighted share of yes; a no to a
//! critical item makes it 0.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use promptgate_core::model::{Case, Item};

use crate::judge::conversation::{Conversation, Stop};
use crate::judge::reply::{Form, Judged, Verdict};
use crate::judge::request::{Numbered, Payload};
use crate::judge::{ScoreResult, Scored, details};

/// Whether the answer has a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the prompts define the verdicts")]
pub enum YesNo {
    Yes,
    No,
}

impl Verdict for YesNo {
    const FORM: Form = Form { name: "checklist", list: "items", verdicts: &["yes", "no"], quotes: false };
}

/// How a judge that only compares words, such as the simulated one, decides an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordRule {
    /// The answer has words of the question.
    Addressed,
    /// The answer has words of each part of the question.
    EveryPart,
    /// Most sentences share words with the question or with each other.
    OnTopic,
    /// The answer does not say that it cannot answer.
    NoEvasion,
    /// The answer has no rude phrase.
    Polite,
    /// The answer has a phrase that names a next step.
    NextStep,
    /// The answer has none of these phrases.
    NoneOf(&'static [&'static str]),
    /// The answer has most content words of this text; of a negated text, it has not.
    Keywords(&'static str),
}

/// An item of a built-in judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedItem {
    /// A statement about the answer.
    pub text: &'static str,
    /// The rule without understanding.
    pub rule: WordRule,
}

impl FixedItem {
    /// The item with the weight 1.
    pub(super) fn item(&self) -> Item {
        Item { text: self.text.to_owned(), weight: 1.0, critical: false }
    }

    /// The texts of a list, for the settings of its judge.
    pub(super) fn settings(items: &[Self]) -> Value {
        items.iter().map(|item| item.text).collect()
    }
}

/// The data of one judgement by a checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the prompts define the fields")]
pub struct ChecklistPayload {
    pub question: String,
    pub answer: String,
    pub items: Vec<Numbered>,
}

impl ChecklistPayload {
    pub(super) fn new(case: &Case, answer: &str, items: &[Item]) -> Result<Self, Stop> {
        if items.is_empty() {
            return Err(Stop::Invalid("the rubric has no items".into()));
        }
        Ok(Self {
            question: case.query.clone(),
            answer: answer.to_owned(),
            items: Numbered::list(items.iter().map(|item| item.text.clone())),
        })
    }
}

impl Payload for ChecklistPayload {
    type Entry = Judged<YesNo>;

    fn entries(&self) -> usize {
        self.items.len()
    }
}

/// Asks for the verdicts on `items` and computes the score.
///
/// # Errors
/// The reason why there is no score.
pub(super) async fn score(conversation: &mut Conversation<'_>, items: &[Item]) -> ScoreResult {
    let judged: Vec<Judged<YesNo>> = conversation.ask().await?;
    let mut total = 0.0;
    let mut fulfilled = 0.0;
    let mut not_fulfilled = Vec::new();
    let mut critical = Vec::new();
    let mut entries = Vec::new();
    for (item, judged) in items.iter().zip(&judged) {
        // An invalid weight makes the sum NaN, and with it the score, so that the item counts neither way.
        let weight = if item.weight > 0.0 && item.weight.is_finite() { item.weight } else { f64::NAN };
        total += weight;
        match judged.verdict {
            YesNo::Yes => fulfilled += weight,
            YesNo::No if item.critical => critical.push(judged.id),
            YesNo::No => not_fulfilled.push(judged.id),
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
    let yes = items.len() - not_fulfilled.len() - critical.len();
    let mut reason = format!("{yes} of {} items fulfilled", items.len());
    if !not_fulfilled.is_empty() {
        reason.push_str(&format!("; not: {}", details::ids(&not_fulfilled)));
    }
    let mut flags = Vec::new();
    if !critical.is_empty() {
        reason.push_str(&format!("; critical and not fulfilled: {}", details::ids(&critical)));
        flags.push("critical_item".to_owned());
        fulfilled *= 0.0;
    }
    // Sums of the same numbers in another order may differ in the last bit; all yes must be exactly 1.
    let score = if yes == items.len() && (fulfilled / total).is_finite() { 1.0 } else { fulfilled / total };
    Ok(Scored { score, reason, details: details::list("items", entries), flags })
}
