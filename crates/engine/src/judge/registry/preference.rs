//! Preference: which of two answers to the same question is better?
//!
//! The score is that of the first answer: 1, 0, or one half for a tie. A winner counts only with a quote that exactly one
//! of the answers has (`quote`); without one the judge is asked once more, and then there is no score. `pair` asks in both
//! orders.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use promptgate_core::model::{Case, EVEN, PREFERENCE};

use crate::judge::conversation::{Conversation, Stop};
use crate::judge::kind::Spec;
use crate::judge::quote;
use crate::judge::reply::{Entry, Form};
use crate::judge::request::Payload;
use crate::judge::self_test::{PlantedAnswer, planted};
use crate::judge::{Needs, ScoreResult, Scored, details};

/// The better answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the prompt defines the verdicts")]
pub enum Better {
    First,
    Second,
    Tie,
}

/// The verdict on two answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the prompt defines the fields")]
pub struct JudgedPair {
    pub id: u32,
    pub quotes: Vec<String>,
    pub reasoning: String,
    pub verdict: Better,
}

impl Entry for JudgedPair {
    const FORM: Form =
        Form { name: "preference", list: "pairs", verdicts: &["first", "second", "tie"], quotes: true };

    fn id(&self) -> u32 {
        self.id
    }
}

/// The data of one comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreferencePayload {
    /// The question.
    pub question: String,
    /// The passages of the case, joined by blank lines; `None` where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The expected answer; `None` where the case has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What makes an answer better.
    pub criteria: Vec<String>,
    /// The answer that the judge reads first.
    pub first: String,
    /// The other answer.
    pub second: String,
}

impl Payload for PreferencePayload {
    type Entry = JudgedPair;

    fn entries(&self) -> usize {
        1
    }
}

/// The judge of preference, with the criteria of the configuration.
#[derive(Debug)]
pub(super) struct Preference {
    pub(super) criteria: Vec<String>,
}

impl Spec for Preference {
    const NAME: &'static str = PREFERENCE;
    const PROMPT: &'static str = include_str!("../prompts/preference.md");
    const NEEDS: Needs = Needs::NOTHING;
    const PAIRWISE: bool = true;
    const PLANTED: &'static [&'static [PlantedAnswer]] =
        &[planted::FOR_EVERY_KIND, &[planted::CONTRADICTION, planted::EQUAL]];
    #[cfg(test)]
    const FINGERPRINT: &'static str = "fc4de150d0025f286b46fe13dfaace7412d5910718842b95e82df9cbff11ad9f";

    type Payload = PreferencePayload;

    fn for_self_test() -> Self {
        Self { criteria: Vec::new() }
    }

    fn settings(&self) -> Value {
        json!(self.criteria)
    }

    fn payload(&self, _: &Case, _: &str) -> Result<PreferencePayload, Stop> {
        Err(Stop::Invalid("this judge compares two answers".into()))
    }

    fn pair_payload(&self, case: &Case, first: &str, second: &str) -> Result<PreferencePayload, Stop> {
        Ok(PreferencePayload {
            question: case.query.clone(),
            context: case.context_text(),
            reference: case.expected_text(),
            criteria: self.criteria.clone(),
            first: first.to_owned(),
            second: second.to_owned(),
        })
    }

    async fn score(&self, conversation: &mut Conversation<'_>, payload: &PreferencePayload) -> ScoreResult {
        let mut judged = verdict(conversation).await?;
        if let Err(problem) = decides(payload, &judged) {
            conversation.object(objection(problem));
            judged = verdict(conversation).await?;
        }
        if let Err(problem) = decides(payload, &judged) {
            return Err(Stop::Invalid(format!("the judge prefers an answer without evidence: {problem}")));
        }
        let (score, reason) = match judged.verdict {
            Better::First => (1.0, "the first answer is better"),
            Better::Second => (0.0, "the second answer is better"),
            Better::Tie => (EVEN, "a tie"),
        };
        let evidence = json!({
            "quotes": details::quotes(&judged.quotes),
            "reasoning": details::text(&judged.reasoning),
        });
        Ok(Scored { score, reason: reason.to_owned(), details: evidence, flags: Vec::new() })
    }
}

async fn verdict(conversation: &mut Conversation<'_>) -> Result<JudgedPair, Stop> {
    let judged: Vec<JudgedPair> = conversation.ask().await?;
    judged.into_iter().next().ok_or_else(|| Stop::Invalid("the reply has no verdict".into()))
}

/// Checks the quotes of a winner; a tie needs none.
fn decides(payload: &PreferencePayload, judged: &JudgedPair) -> Result<(), &'static str> {
    match judged.verdict {
        Better::Tie => Ok(()),
        Better::First | Better::Second => {
            quote::tell_apart([&payload.first, &payload.second], &judged.quotes)
        }
    }
}

/// The message to the judge about a winner without a quote.
fn objection(problem: &str) -> String {
    format!(
        "Your verdict has no quote that decides: {problem}.\nJudge again: copy words that one answer has and the other does \
         not, or say `tie` if nothing tells the answers apart. Reply in the form that the first message asks for."
    )
}
