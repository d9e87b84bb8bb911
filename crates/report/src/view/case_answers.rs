//! Answers of a case, and the reasons for its failing grades.

use std::borrow::Cow;

use serde::Serialize;

use super::{Sanitizer, fails};
use crate::v1::{Case, Role, Trial};

/// Characters of an answer.
const MAX_ANSWER: usize = 4000;
/// Characters of a reason or an error.
const MAX_TEXT: usize = 600;
/// Reasons of a case.
const MAX_REASONS: usize = 8;

/// The answer of one variant, or the error in its place.
#[derive(Serialize)]
pub(crate) struct CaseAnswer {
    pub(crate) side: &'static str,
    pub(crate) repeat: u32,
    pub(crate) text: Option<String>,
    pub(crate) error: Option<String>,
}

/// Returns the first reason of each metric that a trial of the candidate does not pass.
pub(crate) fn failure_reasons(case: &Case, sanitizer: &Sanitizer<'_>) -> Vec<(String, String)> {
    let mut reasons: Vec<(String, String)> = Vec::new();
    for trial in case.trials.readable().filter(|trial| trial.role == Role::Candidate) {
        for grade in &trial.grades {
            let scorer = sanitizer.clip(&grade.scorer, 60);
            if fails(case, grade)
                && reasons.len() < MAX_REASONS
                && reasons.iter().all(|(of, _)| *of != scorer)
            {
                reasons.push((scorer, sanitizer.clip(&grade.reason, MAX_TEXT)));
            }
        }
    }
    reasons
}

/// The text of an answer with the tools that it calls.
fn with_calls<'a>(text: &'a str, trial: &Trial) -> Cow<'a, str> {
    if trial.tool_calls.is_empty() {
        return Cow::Borrowed(text);
    }
    let calls: Vec<String> = trial.tool_calls.iter().map(|call| format!("[calls {call}]")).collect();
    Cow::Owned(format!("{text}\n{}", calls.join("\n")).trim_start().to_owned())
}

/// Returns the answers of the first repeat that the candidate does not pass, baseline first.
pub(crate) fn answers(case: &Case, sanitizer: &Sanitizer<'_>) -> Vec<CaseAnswer> {
    let is_failing =
        |trial: &Trial| trial.error.is_some() || trial.grades.iter().any(|grade| fails(case, grade));
    let candidates = || case.trials.readable().filter(|trial| trial.role == Role::Candidate);
    let failing = candidates().find(|trial| is_failing(trial)).or_else(|| candidates().next());
    let Some(repeat) = failing.map(|trial| trial.repeat) else { return Vec::new() };
    let answer = |role: Role| {
        let trial = case.trials.readable().find(|trial| trial.role == role && trial.repeat == repeat)?;
        Some(CaseAnswer {
            side: role.as_str(),
            repeat: repeat + 1,
            text: trial.output.as_deref().map(|text| sanitizer.clip(&with_calls(text, &trial), MAX_ANSWER)),
            error: trial.error.as_ref().map(|fault| sanitizer.clip(&fault.message, MAX_TEXT)),
        })
    };
    [Role::Baseline, Role::Candidate].into_iter().filter_map(answer).collect()
}
