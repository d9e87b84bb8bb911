//! The worst cases as the page shows them without its script: question, reasons, both answers.

use serde::Serialize;

use super::untrusted_text::Sanitizer;
use crate::v1::{Case, Report, Role, Trial};
use crate::view::{self, number};

/// Cases that are shown.
const MAX: usize = 8;
/// Characters of an answer, and of other texts.
const ANSWER: usize = 4000;
/// See [`ANSWER`].
const WORDS: usize = 600;

/// A case.
#[derive(Serialize)]
pub(super) struct Worst {
    pub(super) number: usize,
    pub(super) id: String,
    pub(super) query: String,
    pub(super) status: &'static str,
    pub(super) words: &'static str,
    pub(super) before: String,
    pub(super) now: String,
    pub(super) difference: String,
    pub(super) failing: Vec<String>,
    pub(super) reasons: Vec<(String, String)>,
    pub(super) answers: Vec<Answer>,
}

/// An answer of one side, or why there is none.
#[derive(Serialize)]
pub(crate) struct Answer {
    pub(crate) side: &'static str,
    pub(crate) repeat: u32,
    pub(crate) text: Option<String>,
    pub(crate) error: Option<String>,
}

/// The worst cases, and how many more got worse.
pub(super) fn worst(report: &Report, order: &[usize], sanitizer: &Sanitizer<'_>) -> (Vec<Worst>, usize) {
    let rows = view::worst(report);
    let more = rows.len().saturating_sub(MAX);
    let shown = rows.into_iter().take(MAX).zip(order).map(|(row, place)| Worst {
        number: place + 1,
        id: sanitizer.clip(&row.case.id, 120),
        query: sanitizer.clip(&row.case.query, WORDS),
        status: row.case.status.as_str(),
        words: row.label,
        before: row.baseline.clone(),
        now: row.candidate.clone(),
        difference: row.difference.as_ref().map_or_else(
            || number::NONE.to_owned(),
            |(metric, difference)| {
                format!("{} {}", number::minus(difference.clone()), sanitizer.clip(metric, 60))
            },
        ),
        failing: row.case.failing.iter().take(8).map(|name| sanitizer.clip(name, 60)).collect(),
        reasons: reasons(row.case, sanitizer),
        answers: answers(row.case, sanitizer),
    });
    (shown.collect(), more)
}

/// Of every metric that a trial of the candidate does not pass, the first reason.
pub(crate) fn reasons(case: &Case, sanitizer: &Sanitizer<'_>) -> Vec<(String, String)> {
    let mut reasons: Vec<(String, String)> = Vec::new();
    for trial in case.trials.readable().filter(|trial| trial.role == Role::Candidate) {
        for grade in &trial.grades {
            let scorer = sanitizer.clip(&grade.scorer, 60);
            if view::fails(case, grade) && reasons.len() < 8 && reasons.iter().all(|(of, _)| *of != scorer) {
                reasons.push((scorer, sanitizer.clip(&grade.reason, WORDS)));
            }
        }
    }
    reasons
}

/// Both answers of the first repeat in which the candidate does not pass, baseline first.
pub(crate) fn answers(case: &Case, sanitizer: &Sanitizer<'_>) -> Vec<Answer> {
    let fails =
        |trial: &Trial| trial.error.is_some() || trial.grades.iter().any(|grade| view::fails(case, grade));
    let candidates = || case.trials.readable().filter(|trial| trial.role == Role::Candidate);
    let found = candidates().find(|trial| fails(trial)).or_else(|| candidates().next());
    let Some(repeat) = found.map(|trial| trial.repeat) else { return Vec::new() };
    let of = |role: Role| {
        let trial = case.trials.readable().find(|trial| trial.role == role && trial.repeat == repeat)?;
        Some(Answer {
            side: role.as_str(),
            repeat: repeat + 1,
            text: trial.output.as_deref().map(|text| sanitizer.clip(text, ANSWER)),
            error: trial.error.as_ref().map(|fault| sanitizer.clip(&fault.message, WORDS)),
        })
    };
    [Role::Baseline, Role::Candidate].into_iter().filter_map(of).collect()
}
