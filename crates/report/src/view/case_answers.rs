//! Answers of a case, and the reasons for its failing grades.

use std::borrow::Cow;

use serde::Serialize;

use super::changes::word_diff;
use super::{Sanitizer, fails};
use crate::v1::{Case, Role, Segment, SegmentOp, Trial};
use promptgate_core::text::neutral;

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
    /// Characters of the answer after those of `text`; `None` where it is whole.
    pub(crate) more: Option<usize>,
    /// The text in pieces: those that are not equal are in this answer alone.
    pub(crate) segments: Vec<Segment>,
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
pub(crate) fn with_calls<'a>(text: &'a str, trial: &Trial) -> Cow<'a, str> {
    if trial.tool_calls.is_empty() {
        return Cow::Borrowed(text);
    }
    let calls: Vec<String> = trial.tool_calls.iter().map(|call| format!("[calls {call}]")).collect();
    Cow::Owned(format!("{text}\n{}", calls.join("\n")).trim_start().to_owned())
}

/// The first repeat that the candidate does not pass, else its first one.
pub(crate) fn shown_repeat(case: &Case) -> Option<u32> {
    let is_failing =
        |trial: &Trial| trial.error.is_some() || trial.grades.iter().any(|grade| fails(case, grade));
    let candidates = || case.trials.readable().filter(|trial| trial.role == Role::Candidate);
    let failing = candidates().find(|trial| is_failing(trial)).or_else(|| candidates().next());
    failing.map(|trial| trial.repeat)
}

/// Returns the answers of the first repeat that the candidate does not pass, baseline first.
pub(crate) fn answers(case: &Case, sanitizer: &Sanitizer<'_>) -> Vec<CaseAnswer> {
    let Some(repeat) = shown_repeat(case) else { return Vec::new() };
    let answer = |role: Role| {
        let trial = case.trials.readable().find(|trial| trial.role == role && trial.repeat == repeat)?;
        let whole = trial.output.as_deref().map(|text| sanitizer.clip(&with_calls(text, &trial), usize::MAX));
        let characters = whole.as_ref().map_or(0, |whole| whole.chars().count());
        let text = whole.map(|whole| neutral::clip(&whole, MAX_ANSWER));
        let shown = text.as_ref().map_or(0, |text| text.chars().count());
        Some(CaseAnswer {
            side: role.as_str(),
            repeat: repeat + 1,
            more: Some(characters.saturating_sub(shown)).filter(|more| *more > 0),
            text,
            error: trial.error.as_ref().map(|fault| sanitizer.clip(&fault.message, MAX_TEXT)),
            segments: Vec::new(),
        })
    };
    let mut answers: Vec<CaseAnswer> =
        [Role::Baseline, Role::Candidate].into_iter().filter_map(answer).collect();
    mark_differences(&mut answers);
    answers
}

/// Marks in each of two answers what the other one lacks.
fn mark_differences(answers: &mut [CaseAnswer]) {
    if let [
        CaseAnswer { text: Some(before), segments: of_baseline, .. },
        CaseAnswer { text: Some(after), segments: of_candidate, .. },
    ] = answers
    {
        for segment in word_diff(before, after) {
            if segment.op != SegmentOp::Added {
                of_baseline.push(segment.clone());
            }
            if segment.op != SegmentOp::Removed {
                of_candidate.push(segment);
            }
        }
        return;
    }
    for answer in answers {
        let text = answer.text.iter().cloned();
        answer.segments = text.map(|text| Segment { op: SegmentOp::Equal, text }).collect();
    }
}
