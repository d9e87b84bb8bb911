//! Faithfulness: is every statement of the answer backed by the context?
//!
//! Score = supported statements / all statements except `no_claim`. A `supported` counts only with a real quote
//! (`quote`); without one the judge is asked about it once more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use promptgate_core::model::Case;

use crate::judge::conversation::{Conversation, Stop};
use crate::judge::kind::Spec;
use crate::judge::normalize::normalize;
use crate::judge::quote::Context;
use crate::judge::reply::Form;
use crate::judge::request::{Numbered, Payload};
use crate::judge::self_test::{PlantedAnswer, planted};
use crate::judge::{Needs, ScoreResult, Scored, details, ratio, statements};

use super::quoted::{self, Checked, Objection, Quoted, QuotedVerdict};

/// Whether the context backs a statement of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the prompt defines the verdicts")]
pub enum Support {
    Supported,
    Contradicted,
    NotFound,
    NoClaim,
}

/// The verdict on one statement of the answer.
pub type JudgedStatement = Quoted<Support>;

impl QuotedVerdict for Support {
    const FORM: Form = Form {
        name: "faithfulness",
        list: "statements",
        verdicts: &["supported", "contradicted", "not_found", "no_claim"],
        quotes: true,
    };

    fn needs_quote(self) -> bool {
        self == Self::Supported
    }
}

const OBJECTION: Objection = Objection {
    before: "These ids are said to be supported without a quote of the context that backs them:",
    after: "Judge them again: copy the words of the context that back the statement, with every number it has, or \
            give another verdict. Reply for all ids again, in the form that the first message asks for.",
};

/// The data of one judgement of faithfulness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaithfulnessPayload {
    /// The question.
    pub question: String,
    /// The passages, joined by blank lines.
    pub context: String,
    /// The whole answer.
    pub answer: String,
    /// The answer's statements.
    pub statements: Vec<Numbered>,
}

impl Payload for FaithfulnessPayload {
    type Entry = JudgedStatement;

    fn entries(&self) -> usize {
        self.statements.len()
    }
}

#[derive(Debug)]
pub(super) struct Faithfulness;

impl Spec for Faithfulness {
    const NAME: &'static str = "faithfulness";
    const PROMPT: &'static str = include_str!("../prompts/faithfulness.md");
    const NEEDS: Needs = Needs { context: true, ..Needs::NOTHING };
    const PLANTED: &'static [&'static [PlantedAnswer]] =
        &[planted::FOR_EVERY_KIND, &[planted::CONTRADICTION]];
    #[cfg(test)]
    const FINGERPRINT: &'static str = "1a2efa41360e473f96fe6972ad932250134d516ee127f20f7c67c0a7c2b17d58";

    type Payload = FaithfulnessPayload;

    fn for_self_test() -> Self {
        Self
    }

    fn payload(&self, case: &Case, answer: &str) -> Result<FaithfulnessPayload, Stop> {
        let Some(context) = case.context_text() else {
            return Err(Stop::Invalid("the case has no context to judge faithfulness by".into()));
        };
        // A repeated statement counts once; otherwise a true sentence, repeated often, would outweigh false ones.
        let mut seen = BTreeSet::new();
        let mut statements = statements::split(answer);
        statements.retain(|statement| seen.insert(normalize(statement)));
        if statements.is_empty() {
            return Err(Stop::Invalid("the answer has no statement".into()));
        }
        Ok(FaithfulnessPayload {
            question: case.query.clone(),
            context,
            answer: answer.to_owned(),
            statements: Numbered::list(statements),
        })
    }

    async fn score(&self, conversation: &mut Conversation<'_>, payload: &FaithfulnessPayload) -> ScoreResult {
        let case = conversation.case();
        let passages = case.context.as_ref().map_or(0, |passages| passages.len());
        let context = Context::new(&payload.context, passages, &payload.question);
        let backs = |statement: &Numbered, quotes: &[String]| context.backs(&statement.text, quotes);
        let checked = quoted::ask(conversation, &payload.statements, backs, &OBJECTION).await?;
        let mut scored = tally(&checked, case.must_answer);
        // A judge that was talked into `no_claim` removes statements from the score. A number is a claim, unless the
        // statement is a question or the number comes from the question.
        let has_a_number = |entry: &Checked<'_, Support>| {
            entry.judged.verdict == Support::NoClaim && context.claims_a_number(&entry.item.text)
        };
        if checked.iter().any(has_a_number) {
            scored.flags.push("number_in_no_claim".to_owned());
        }
        Ok(scored)
    }
}

fn tally(checked: &[Checked<'_, Support>], must_answer: bool) -> Scored {
    let with = |verdict| quoted::ids(checked, |entry| entry.judged.verdict == verdict);
    let claims = checked.len() - with(Support::NoClaim).len();
    let supported = quoted::ids(checked, |entry| entry.counts()).len();
    let unquoted = quoted::ids(checked, |entry| entry.problem.is_some());
    let mut flags = Vec::new();
    if !unquoted.is_empty() {
        flags.push(quoted::UNQUOTED.to_owned());
    }
    let (score, reason) = if claims == 0 {
        flags.push("no_claims".to_owned());
        if must_answer {
            (0.0, "the answer claims nothing, and this case has to be answered".to_owned())
        } else {
            (1.0, "the answer claims nothing".to_owned())
        }
    } else {
        let mut reason = format!("{supported} of {claims} statements backed by the context");
        for (verdict, ids) in [
            ("contradicted", with(Support::Contradicted)),
            ("not found", with(Support::NotFound)),
            ("supported without a real quote", unquoted),
        ] {
            if !ids.is_empty() {
                reason.push_str(&format!("; {verdict}: {}", details::statements(&ids)));
            }
        }
        (ratio(supported, claims), reason)
    };
    let entries = checked.iter().map(Checked::evidence).collect();
    Scored { score, reason, details: details::list("statements", entries), flags }
}
