//! Answers of the worst cases in code blocks, for full disclosure.

use minijinja::value::Serde;
use minijinja::{Value, context};

use crate::v1::{Case, Report, Role};
use crate::view::{self, CaseAnswer, Sanitizer, answers, failure_reasons};

/// Characters of a reason.
const MAX_REASON: usize = 300;

/// Returns the first `max` of the worst cases with at most `limit` characters of each answer.
pub(super) fn worst(report: &Report, max: usize, limit: usize, sanitizer: &Sanitizer<'_>) -> Vec<Value> {
    view::worst(report).into_iter().take(max).map(|row| case_answers(row.case, limit, sanitizer)).collect()
}

fn case_answers(case: &Case, limit: usize, sanitizer: &Sanitizer<'_>) -> Value {
    let side = |answer: CaseAnswer| {
        context! {
            title => if answer.side == Role::Baseline.as_str() { "Baseline answer" } else { "Candidate answer" },
            repeat => answer.repeat,
            text => match (&answer.text, &answer.error) {
                (Some(text), _) => sanitizer.clip(text, limit),
                (None, Some(error)) => sanitizer.clip(&format!("no answer: {error}"), limit),
                (None, None) => "no answer".to_owned(),
            },
        }
    };
    let reason =
        |(metric, reason): (String, String)| (metric, sanitizer.clip(&reason, MAX_REASON.min(limit)));
    context! {
        id => sanitizer.clip(&case.id, 60),
        question => sanitizer.clip(&case.query, limit),
        answers => answers(case, sanitizer).into_iter().map(side).collect::<Value>(),
        reasons => Serde(failure_reasons(case, sanitizer).into_iter().map(reason).collect::<Vec<_>>()),
    }
}
