//! Rubrics: does the answer have each of the configured properties?

use serde_json::{Value, json};

use promptgate_core::model::{Case, Item};

use super::checklist::{self, ChecklistPayload};
use crate::judge::conversation::{Conversation, Stop};
use crate::judge::kind::Spec;
use crate::judge::{Needs, ScoreResult};

#[derive(Debug)]
pub(super) struct Rubric {
    pub(super) items: Vec<Item>,
}

impl Spec for Rubric {
    const NAME: &'static str = "rubric";
    const PROMPT: &'static str = include_str!("../prompts/rubric.md");
    const NEEDS: Needs = Needs::NOTHING;
    #[cfg(test)]
    const FINGERPRINT: &'static str = "0255a545ffbab01c57be3d26b003484b50193ae31c2aaf82e6aa3f62c43119da";

    type Payload = ChecklistPayload;

    fn for_self_test() -> Self {
        let text = "says for how many days a book may be kept".to_owned();
        Self { items: vec![Item { text, weight: 1.0, critical: false }] }
    }

    fn settings(&self) -> Value {
        json!(self.items)
    }

    fn payload(&self, case: &Case, answer: &str) -> Result<ChecklistPayload, Stop> {
        ChecklistPayload::new(case, answer, &self.items)
    }

    async fn score(&self, conversation: &mut Conversation<'_>, _: &ChecklistPayload) -> ScoreResult {
        checklist::score(conversation, &self.items).await
    }
}
