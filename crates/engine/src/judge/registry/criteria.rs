//! Criteria: does the answer have the properties that its case asks for? Cases without criteria are not graded.

use promptgate_core::model::{CRITERIA, Case};

use super::checklist::{self, ChecklistPayload};
use crate::judge::conversation::{Conversation, Stop};
use crate::judge::kind::Spec;
use crate::judge::{Needs, ScoreResult};

#[derive(Debug)]
pub(super) struct Criteria;

impl Spec for Criteria {
    const NAME: &'static str = CRITERIA;
    const PROMPT: &'static str = include_str!("../prompts/rubric.md");
    const NEEDS: Needs = Needs::NOTHING;
    const ONLY_WITH_CRITERIA: bool = true;
    #[cfg(test)]
    const FINGERPRINT: &'static str = "55d167585a97528c7226e13967eb7508ac4377a4a719262169c40101198a8bc6";

    type Payload = ChecklistPayload;

    fn for_self_test() -> Self {
        Self
    }

    fn payload(&self, case: &Case, answer: &str) -> Result<ChecklistPayload, Stop> {
        if case.criteria.is_empty() {
            return Err(Stop::Invalid("the case has no criteria".into()));
        }
        ChecklistPayload::new(case, answer, &case.criteria)
    }

    async fn score(&self, conversation: &mut Conversation<'_>, _: &ChecklistPayload) -> ScoreResult {
        let items = conversation.case().criteria.clone();
        checklist::score(conversation, &items).await
    }
}
