//! Correctness: does the answer say what the expected answer says?
//!
//! Score = covered statements / all statements of the expected answer. A contradicted one counts as not covered and is
//! flagged.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use promptgate_core::model::Case;

use crate::judge::conversation::{Conversation, Stop};
use crate::judge::kind::Spec;
use crate::judge::reply::{Form, Judged, Verdict};
use crate::judge::request::{Numbered, Payload};
use crate::judge::self_test::{PlantedAnswer, planted};
use crate::judge::{Needs, ScoreResult, Scored, details, ratio, statements};

/// Whether the answer says what a statement of the expected answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the prompt defines the verdicts")]
pub enum Coverage {
    Covered,
    Contradicted,
    Absent,
}

impl Verdict for Coverage {
    const FORM: Form = Form {
        name: "correctness",
        list: "statements",
        verdicts: &["covered", "contradicted", "absent"],
        quotes: false,
    };
}

/// The data of one judgement of correctness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the prompt defines the fields")]
pub struct CorrectnessPayload {
    pub question: String,
    pub answer: String,
    pub statements: Vec<Numbered>,
}

impl Payload for CorrectnessPayload {
    type Entry = Judged<Coverage>;

    fn entries(&self) -> usize {
        self.statements.len()
    }
}

#[derive(Debug)]
pub(super) struct Correctness;

impl Spec for Correctness {
    const NAME: &'static str = "correctness";
    const PROMPT: &'static str = include_str!("../prompts/correctness.md");
    const NEEDS: Needs = Needs { expected: true, ..Needs::NOTHING };
    const PLANTED: &'static [&'static [PlantedAnswer]] =
        &[planted::FOR_EVERY_KIND, &[planted::CONTRADICTION]];
    #[cfg(test)]
    const FINGERPRINT: &'static str = "8d3bec87a2ee139d1765ddfc15891b98e15713c5a3bb2b320d9bf9a63f3deea9";

    type Payload = CorrectnessPayload;

    fn for_self_test() -> Self {
        Self
    }

    fn payload(&self, case: &Case, answer: &str) -> Result<CorrectnessPayload, Stop> {
        let Some(expected) = &case.expected else {
            return Err(Stop::Invalid("the case has no expected answer to judge correctness by".into()));
        };
        let statements = Numbered::list(reference(expected));
        if statements.is_empty() {
            return Err(Stop::Invalid("the expected answer has no statement".into()));
        }
        Ok(CorrectnessPayload { question: case.query.clone(), answer: answer.to_owned(), statements })
    }

    async fn score(&self, conversation: &mut Conversation<'_>, payload: &CorrectnessPayload) -> ScoreResult {
        Ok(tally(&payload.statements, &conversation.ask().await?))
    }
}

/// The statements of an expected answer: the sentences of a text or of each text of a list; other JSON as one.
pub(super) fn reference(expected: &Value) -> Vec<String> {
    match expected {
        Value::Null => Vec::new(),
        Value::String(text) => statements::split(text),
        Value::Array(parts) => parts.iter().flat_map(reference).collect(),
        other => vec![other.to_string()],
    }
}

fn tally(statements: &[Numbered], judged: &[Judged<Coverage>]) -> Scored {
    let ids_with = |verdict: Coverage| -> Vec<u32> {
        judged.iter().filter(|entry| entry.verdict == verdict).map(|entry| entry.id).collect()
    };
    let covered = ids_with(Coverage::Covered).len();
    let mut reason = format!("{covered} of {} statements of the expected answer covered", statements.len());
    let mut flags = Vec::new();
    let contradicted = ids_with(Coverage::Contradicted);
    if !contradicted.is_empty() {
        reason.push_str(&format!("; contradicted: {}", details::statements(&contradicted)));
        flags.push("contradicted".to_owned());
    }
    let absent = ids_with(Coverage::Absent);
    if !absent.is_empty() {
        reason.push_str(&format!("; absent: {}", details::statements(&absent)));
    }
    let entries = statements.iter().zip(judged);
    let entries = entries.map(|(statement, judged)| details::verdict(&statement.text, judged)).collect();
    let details = details::list("statements", entries);
    Scored { score: ratio(covered, statements.len()), reason, details, flags }
}
