//! Relevance: does the answer do what the question asks for? Four fixed items, the same for every variant, and the
//! case's own.

use serde_json::{Value, json};

use promptgate_core::model::{Case, Item};

use super::checklist::{self, ChecklistPayload};
use crate::judge::conversation::{Conversation, Stop};
use crate::judge::kind::Spec;
use crate::judge::self_test::{PlantedAnswer, planted};
use crate::judge::{Needs, ScoreResult};

/// The fixed items, in the order of their ids; a case's own items follow.
const ITEMS: [&str; 4] = [
    "addresses the question that was asked",
    "answers every part of the question",
    "stays on topic",
    "does not evade or refuse what it could answer",
];

#[derive(Debug)]
pub(super) struct Relevance;

impl Spec for Relevance {
    const NAME: &'static str = "relevance";
    const PROMPT: &'static str = include_str!("../prompts/relevance.md");
    const NEEDS: Needs = Needs { query: true, ..Needs::NOTHING };
    const PLANTED: &'static [PlantedAnswer] = planted::FOR_EVERY_KIND;

    type Payload = ChecklistPayload;

    fn for_self_test() -> Self {
        Self
    }

    fn settings(&self) -> Value {
        json!(ITEMS)
    }

    fn payload(&self, case: &Case, answer: &str) -> Result<ChecklistPayload, Stop> {
        if case.query.trim().is_empty() {
            return Err(Stop::Invalid("the case has no question to judge relevance by".into()));
        }
        ChecklistPayload::new(case, answer, &items(case))
    }

    async fn score(&self, conversation: &mut Conversation<'_>, _: &ChecklistPayload) -> ScoreResult {
        checklist::score(conversation, &items(conversation.case())).await
    }
}

fn items(case: &Case) -> Vec<Item> {
    let fixed = ITEMS.iter().map(|text| Item { text: (*text).to_owned(), weight: 1.0, critical: false });
    fixed.chain(case.criteria.iter().cloned()).collect()
}
