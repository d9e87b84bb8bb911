//! Faithfulness: is every statement of the answer backed by the context?
//!
//! Score = supported / (all but no_claim). A `supported` counts only with a real quote (`quote`); without one the
//! judge is asked once more about it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use promptgate_core::model::Case;

use super::ask::{Conversation, Question, Stop};
use super::quote::{Context, Problem};
use super::reply::{JudgedStatement, Support};
use super::request::{Numbered, Payload};
use super::schema::Form;
use super::{Scored, details, statements, words};

/// The judge's own part of the system message.
pub(super) const RUBRIC: &str = include_str!("prompts/faithfulness.md");

/// Numbers texts from 1.
pub(super) fn numbered(texts: Vec<String>) -> Vec<Numbered> {
    (1..).zip(texts).map(|(id, text)| Numbered { id, text }).collect()
}

/// What to ask, and the statements.
///
/// # Errors
/// There is nothing to ask about.
pub(super) fn prepare(case: &Case, answer: &str) -> Result<(Question, Vec<Numbered>), Stop> {
    let Some(context) = case.context_text() else {
        return Err(Stop::Invalid("the case has no context to judge faithfulness by".into()));
    };
    // What is said again counts once: else one true sentence, many times, would outweigh what is false.
    let mut said = BTreeSet::new();
    let mut statements = statements::split(answer);
    statements.retain(|statement| said.insert(words::normalise(statement)));
    let statements = numbered(statements);
    if statements.is_empty() {
        return Err(Stop::Invalid("the answer holds no statement".into()));
    }
    let question = Question {
        rubric: RUBRIC,
        form: Form::Faithfulness,
        asked: statements.len(),
        payload: Payload::Faithfulness {
            question: case.query.clone(),
            context,
            answer: answer.to_owned(),
            statements: statements.clone(),
        },
    };
    Ok((question, statements))
}

/// One statement after the quote check.
struct Checked<'a> {
    statement: &'a Numbered,
    judged: JudgedStatement,
    /// Why its quotes do not back it; looked at for `supported` alone.
    problem: Option<Problem>,
}

impl Checked<'_> {
    fn counts(&self) -> bool {
        self.judged.verdict == Support::Supported && self.problem.is_none()
    }

    fn unquoted(&self) -> bool {
        self.judged.verdict == Support::Supported && self.problem.is_some()
    }
}

/// Asks and scores.
///
/// # Errors
/// Why there is no score.
pub(super) async fn score(
    conversation: &mut Conversation<'_>,
    case: &Case,
    statements: &[Numbered],
) -> Result<Scored, Stop> {
    let context = Context::new(
        &case.context_text().unwrap_or_default(),
        case.context.as_ref().map_or(0, |passages| passages.len()),
        &case.query,
    );
    let check = |(statement, judged): (_, JudgedStatement)| check(&context, statement, judged);
    let first: Vec<JudgedStatement> = conversation.ask().await?;
    let mut checked: Vec<Checked<'_>> = statements.iter().zip(first).map(check).collect();
    if checked.iter().any(Checked::unquoted) {
        conversation.object(objection(&checked));
        let second: Vec<JudgedStatement> = conversation.ask().await?;
        // Only what was in dispute is taken from the second reply: the rest was fine and stays as it was said.
        for (entry, judged) in checked.iter_mut().zip(second) {
            if entry.unquoted() {
                *entry = check((entry.statement, judged));
            }
        }
    }
    let mut scored = tally(&checked, case.must_answer);
    // A judge that was talked into `no_claim` takes statements out of the score. A number is a claim, unless it
    // is asked for or comes from the question.
    let hides_a_number = |entry: &Checked<'_>| {
        entry.judged.verdict == Support::NoClaim && context.claims_a_number(&entry.statement.text)
    };
    if checked.iter().any(hides_a_number) {
        scored.flags.push("number_in_no_claim".to_owned());
    }
    Ok(scored)
}

fn check<'a>(context: &Context, statement: &'a Numbered, judged: JudgedStatement) -> Checked<'a> {
    let problem = match judged.verdict {
        Support::Supported => context.backs(&statement.text, &judged.quotes).err(),
        Support::Contradicted | Support::NotFound | Support::NoClaim => None,
    };
    Checked { statement, judged, problem }
}

/// What the judge is told about its unquoted support.
fn objection(checked: &[Checked<'_>]) -> String {
    let mut text =
        "These ids are said to be supported without a quote of the context that backs them:\n".to_owned();
    for entry in checked.iter().filter(|entry| entry.unquoted()) {
        if let Some(problem) = &entry.problem {
            text.push_str(&format!("- id {}: {}\n", entry.statement.id, details::text(&problem.to_string())));
        }
    }
    text.push_str(
        "Judge them again: copy the words of the context that back the statement, with every number it has, or \
         give another verdict. Reply for all ids again, in the form that the first message asks for.",
    );
    text
}

fn tally(checked: &[Checked<'_>], must_answer: bool) -> Scored {
    let with = |verdict| -> Vec<u32> {
        checked
            .iter()
            .filter(|entry| entry.judged.verdict == verdict)
            .map(|entry| entry.statement.id)
            .collect()
    };
    let claims = checked.len() - with(Support::NoClaim).len();
    let supported = checked.iter().filter(|entry| entry.counts()).count();
    let unquoted: Vec<u32> =
        checked.iter().filter(|entry| entry.unquoted()).map(|entry| entry.statement.id).collect();
    let mut flags = Vec::new();
    if !unquoted.is_empty() {
        flags.push("unquoted_support".to_owned());
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
        for (what, ids) in [
            ("contradicted", with(Support::Contradicted)),
            ("not found", with(Support::NotFound)),
            ("supported without a real quote", unquoted),
        ] {
            if !ids.is_empty() {
                reason.push_str(&format!("; {what}: number {}", details::ids(&ids)));
            }
        }
        (ratio(supported, claims), reason)
    };
    let entries = checked.iter().map(evidence).collect();
    Scored { score, reason, details: details::list("statements", entries), flags }
}

fn evidence(entry: &Checked<'_>) -> Value {
    let mut evidence = json!({
        "id": entry.statement.id,
        "text": details::text(&entry.statement.text),
        "verdict": entry.judged.verdict,
        "quotes": details::quotes(&entry.judged.quotes),
        "reasoning": details::text(&entry.judged.reasoning),
        "quote_found": entry.counts(),
    });
    if let (Some(problem), Value::Object(fields)) = (&entry.problem, &mut evidence) {
        fields.insert("problem".into(), details::text(&problem.to_string()).into());
    }
    evidence
}

/// `part / whole`, both counts of statements; `whole` is above 0.
#[expect(clippy::cast_precision_loss, reason = "counts of statements are far below 2^52")]
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
