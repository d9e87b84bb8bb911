//! Judge verdicts on statements and items that count against an answer.

use serde::Serialize;
use serde_json::Value;

use super::{Sanitizer, fails};
use crate::v1::{Case, Grade, Role};
use promptgate_core::model::{EVEN, PREFERENCE};

/// Verdicts that do not count against an answer.
const ACCEPTED_VERDICTS: [&str; 7] = ["supported", "no_claim", "covered", "yes", "5", "candidate", "tie"];

/// A statement of an answer, or an item of a rubric, that a judge does not accept.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct FailingStatement {
    /// The metric.
    pub(crate) scorer: String,
    /// The statement or item.
    pub(crate) text: String,
    /// The verdict: `contradicted`.
    pub(crate) verdict: String,
    /// The first quote; `None` where there is none.
    pub(crate) quote: Option<String>,
}

/// Returns the first failing statement of each metric that a repeat of the candidate does not pass, with texts of at most
/// `limit` characters.
pub(crate) fn failing_statements(
    case: &Case,
    repeat: u32,
    limit: usize,
    sanitizer: &Sanitizer<'_>,
) -> Vec<FailingStatement> {
    let is_shown = |trial: &crate::v1::Trial| trial.role == Role::Candidate && trial.repeat == repeat;
    let Some(trial) = case.trials.readable().find(|trial| is_shown(trial)) else { return Vec::new() };
    let failing = trial.grades.iter().filter(|grade| fails(case, grade) || is_lost(grade));
    let statement = |grade: &Grade| {
        let worst = worst(&grade.details)?;
        let text = |key: &str| worst.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let quote = worst.get("quotes").and_then(Value::as_array).and_then(|quotes| quotes.first()?.as_str());
        Some(FailingStatement {
            scorer: sanitizer.clip(&grade.scorer, limit.min(60)),
            text: sanitizer.clip(text("text")?, limit),
            verdict: sanitizer.clip(text("verdict")?, 40).replace('_', " "),
            quote: quote.map(|quote| sanitizer.clip(quote, limit)),
        })
    };
    failing.filter_map(statement).collect()
}

/// Whether it is a comparison with the baseline's answer that the candidate's lost.
pub(crate) fn is_lost(grade: &Grade) -> bool {
    grade.scorer == PREFERENCE && grade.score.is_some_and(|score| score < EVEN)
}

/// The first statement that is contradicted, else the first that is not accepted.
fn worst(details: &Value) -> Option<&Value> {
    let verdict = |entry: &Value| entry.get("verdict").and_then(Value::as_str).map(str::to_owned);
    let failing = || {
        judge_entries(details).into_iter().filter(|entry| {
            verdict(entry).is_some_and(|verdict| !ACCEPTED_VERDICTS.contains(&verdict.as_str()))
                || entry.get("problem").is_some_and(|problem| !problem.is_null())
        })
    };
    failing().find(|entry| verdict(entry).as_deref() == Some("contradicted")).or_else(|| failing().next())
}

/// The statements, items or ratings in the details of a grade, of all judgements of a panel.
pub(crate) fn judge_entries(details: &Value) -> Vec<&Value> {
    let judgements = details.get("judgements").and_then(Value::as_array);
    let each: Vec<&Value> = match judgements {
        Some(judgements) => judgements.iter().filter_map(|judgement| judgement.get("details")).collect(),
        None => vec![details],
    };
    let lists = ["statements", "items", "passages", "ratings", "orders"];
    each.into_iter()
        .filter_map(|of| lists.iter().find_map(|name| of.get(name)?.as_array()))
        .flatten()
        .filter(|entry| entry.is_object())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use promptgate_core::text::Redactor;
    use serde_json::json;

    /// The statements of the first failing case, whose grades have these details.
    fn of(details: &Value) -> Vec<FailingStatement> {
        let mut report = fixtures::fail();
        fixtures::edit_trials(&mut report, |trial| {
            for grade in &mut trial.grades {
                grade.details = details.clone();
            }
        });
        let case = report.cases.iter().find(|case| case.id == "refund-002").unwrap();
        failing_statements(case, 0, 400, &Sanitizer::new(&Redactor::new(&[])))
    }

    #[test]
    fn contradicted_statement_comes_before_one_that_is_not_found() {
        let found = of(&json!({"statements": [
            {"text": "a", "verdict": "supported", "quotes": ["q"]},
            {"text": "b", "verdict": "not_found", "quotes": []},
            {"text": "c", "verdict": "contradicted", "quotes": ["within 4 days", "other"]},
        ]}));
        let first = found.first().unwrap();
        assert_eq!((first.text.as_str(), first.verdict.as_str()), ("c", "contradicted"));
        assert_eq!(first.quote.as_deref(), Some("within 4 days"));
    }

    #[test]
    fn panels_and_items_are_read_and_other_details_have_none() {
        let panel = json!({"judgements": [{"details": {"items": [
            {"text": "is polite", "verdict": "yes"},
            {"text": "answers all", "verdict": "no"},
        ]}}]});
        let found = of(&panel);
        assert_eq!((found[0].text.as_str(), found[0].verdict.as_str()), ("answers all", "no"));
        assert_eq!(found[0].quote, None);
        for other in [Value::Null, json!([1]), json!({"statements": 3}), json!({"items": ["text"]})] {
            assert_eq!(of(&other), []);
        }
    }
}
