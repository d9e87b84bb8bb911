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
    const FINGERPRINT: &'static str = "df722962067fa5f76547cbd09584b45d59a6f2f8fbd148b387e62b7e8c07bca5";

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
