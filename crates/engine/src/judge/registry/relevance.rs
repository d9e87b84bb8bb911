//! Relevance: does the answer do what the question asks for? Four fixed items, the same for every variant and case.

use serde_json::Value;

use promptgate_core::model::{Case, Item};

use super::checklist::{self, ChecklistPayload, FixedItem, WordRule};
use crate::judge::conversation::{Conversation, Stop};
use crate::judge::kind::Spec;
use crate::judge::{Needs, ScoreResult};

#[derive(Debug)]
pub(super) struct Relevance;

impl Spec for Relevance {
    const NAME: &'static str = "relevance";
    const PROMPT: &'static str = include_str!("../prompts/relevance.md");
    const NEEDS: Needs = Needs { query: true, ..Needs::NOTHING };
    /// In the order of their ids.
    const ITEMS: &'static [FixedItem] = &[
        FixedItem { text: "addresses the question that was asked", rule: WordRule::Addressed },
        FixedItem { text: "answers every part of the question", rule: WordRule::EveryPart },
        FixedItem { text: "stays on topic", rule: WordRule::OnTopic },
        FixedItem { text: "does not evade or refuse what it could answer", rule: WordRule::NoEvasion },
    ];
    #[cfg(test)]
    const FINGERPRINT: &'static str = "b724d12c4ffc5ee2d2f2f72d0d623bdbed18b436ae7eca94bd889b1cb80020cb";

    type Payload = ChecklistPayload;

    fn for_self_test() -> Self {
        Self
    }

    fn settings(&self) -> Value {
        FixedItem::settings(Self::ITEMS)
    }

    fn payload(&self, case: &Case, answer: &str) -> Result<ChecklistPayload, Stop> {
        if case.query.trim().is_empty() {
            return Err(Stop::Invalid("the case has no question to judge relevance by".into()));
        }
        ChecklistPayload::new(case, answer, &items())
    }

    async fn score(&self, conversation: &mut Conversation<'_>, _: &ChecklistPayload) -> ScoreResult {
        checklist::score(conversation, &items()).await
    }
}

pub(super) fn items() -> Vec<Item> {
    Relevance::ITEMS.iter().map(FixedItem::item).collect()
}
