//! Correctness: does the answer say what the expected answer says?
//!
//! Score = covered / all statements of the reference; a contradicted one counts as not covered and is flagged.

use serde_json::{Value, json};

use promptgate_core::model::Case;

use super::ask::{Conversation, Question, Stop};
use super::faithfulness::{numbered, ratio};
use super::reply::{Coverage, JudgedReference};
use super::request::{Numbered, Payload};
use super::schema::Form;
use super::{Scored, details, statements};

/// The judge's own part of the system message.
pub(super) const RUBRIC: &str = include_str!("prompts/correctness.md");

/// What to ask, and the statements of the reference.
///
/// # Errors
/// There is nothing to ask about.
pub(super) fn prepare(case: &Case, answer: &str) -> Result<(Question, Vec<Numbered>), Stop> {
    let Some(expected) = &case.expected else {
        return Err(Stop::Invalid("the case has no expected answer to judge correctness by".into()));
    };
    let statements = numbered(reference(expected));
    if statements.is_empty() {
        return Err(Stop::Invalid("the expected answer holds no statement".into()));
    }
    let question = Question {
        rubric: RUBRIC,
        form: Form::Correctness,
        asked: statements.len(),
        payload: Payload::Correctness {
            question: case.query.clone(),
            answer: answer.to_owned(),
            statements: statements.clone(),
        },
    };
    Ok((question, statements))
}

/// The statements of a reference: the sentences of a text, those of each text of a list, else the JSON as one.
fn reference(expected: &Value) -> Vec<String> {
    match expected {
        Value::Null => Vec::new(),
        Value::String(text) => statements::split(text),
        Value::Array(parts) => parts.iter().flat_map(reference).collect(),
        other => vec![other.to_string()],
    }
}

/// Asks and scores.
///
/// # Errors
/// Why there is no score.
pub(super) async fn score(
    conversation: &mut Conversation<'_>,
    statements: &[Numbered],
) -> Result<Scored, Stop> {
    let judged: Vec<JudgedReference> = conversation.ask().await?;
    let with = |verdict: Coverage| -> Vec<u32> {
        judged.iter().filter(|entry| entry.verdict == verdict).map(|entry| entry.id).collect()
    };
    let covered = with(Coverage::Covered).len();
    let contradicted = with(Coverage::Contradicted);
    let mut reason = format!("{covered} of {} statements of the expected answer covered", statements.len());
    let mut flags = Vec::new();
    if !contradicted.is_empty() {
        reason.push_str(&format!("; contradicted: number {}", details::ids(&contradicted)));
        flags.push("contradicted".to_owned());
    }
    let absent = with(Coverage::Absent);
    if !absent.is_empty() {
        reason.push_str(&format!("; absent: {}", details::ids(&absent)));
    }
    let entry = |(statement, judged): (&Numbered, &JudgedReference)| {
        json!({
            "id": statement.id,
            "text": details::text(&statement.text),
            "reasoning": details::text(&judged.reasoning),
            "verdict": judged.verdict,
        })
    };
    let entries = statements.iter().zip(&judged).map(entry).collect();
    let details = details::list("statements", entries);
    Ok(Scored { score: ratio(covered, statements.len()), reason, details, flags })
}
