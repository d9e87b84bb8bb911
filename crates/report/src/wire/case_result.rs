//! One case of a saved report: the output of `promptgate case --format json`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::v1::{Case, Grade, Report, Role, Trial, Variants, Verdict};
use promptgate_core::gate::passing_score;
use promptgate_core::model::{CaseRequests, Message};

/// The value of `schema` in every document of this version.
pub const SCHEMA: &str = "promptgate.case-result/v1";

/// Differences of scores up to this are rounding errors.
const EXACT: f64 = 1e-9;

/// A case with its trials, and the run that they are from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "promptgate case result v1")]
pub struct CaseResult {
    /// Always `promptgate.case-result/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The path of the report.
    pub report: String,
    /// Name of the suite.
    pub suite: String,
    /// The verdict of the run.
    pub verdict: Verdict,
    /// Start of the run: RFC 3339, UTC.
    pub started_at: String,
    /// Whether the endpoint was the simulated one.
    pub simulated: bool,
    /// The compared variants.
    pub variants: Variants,
    /// Its position in the dataset, from 1.
    pub position: usize,
    /// Number of cases in the report.
    pub of: usize,
    /// The messages that were sent for it; null in reports of earlier versions.
    pub requests: Option<SentMessages>,
    /// The case, as in report.json, with all its trials.
    pub case: Case,
    /// Whether each trial passed, in the order of the trials.
    pub marks: Vec<TrialMark>,
}

/// The messages that the variants sent for a case.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SentMessages {
    /// The candidate's.
    pub candidate: Vec<Message>,
    /// The baseline's; empty without a baseline, and where it sent the same ones.
    pub baseline: Vec<Message>,
}

/// Whether a trial passed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TrialMark {
    /// The variant's role.
    pub role: Role,
    /// The repeat, from 0.
    pub repeat: u32,
    /// Whether every check and every judged metric with a minimum passes; null where an answer or a grade is missing.
    pub passed: Option<bool>,
    /// The metrics that do not pass.
    pub failing: Vec<String>,
}

impl CaseResult {
    /// The case at an index of a report that was read from `file`; `None` without it.
    pub fn of(report: &Report, file: &str, index: usize) -> Option<Self> {
        let case = report.cases.get(index)?;
        let trials: Vec<Trial> = case.trials.readable().map(|trial| trial.into_owned()).collect();
        let marks = trials.iter().map(|trial| mark(report, trial)).collect();
        Some(Self {
            schema: SCHEMA.to_owned(),
            report: file.to_owned(),
            suite: report.name.clone(),
            verdict: report.verdict,
            started_at: report.started_at.clone(),
            simulated: report.simulated,
            variants: report.variants.clone(),
            requests: case.requests.read().ok().flatten().map(|requests| SentMessages::of(&requests)),
            position: index + 1,
            of: report.cases.len(),
            // In memory, so that a large run's are written as well.
            case: Case { trials: trials.into(), ..case.clone() },
            marks,
        })
    }
}

impl SentMessages {
    fn of(requests: &CaseRequests) -> Self {
        let texts = |list: &[Arc<Message>]| list.iter().map(|message| Message::clone(message)).collect();
        Self { candidate: texts(&requests.candidate), baseline: texts(&requests.baseline) }
    }
}

fn mark(report: &Report, trial: &Trial) -> TrialMark {
    let fails = |grade: &&Grade| {
        required(report, &grade.scorer)
            .zip(grade.score)
            .is_some_and(|(required, score)| score < required - EXACT)
    };
    let failing: Vec<String> = trial.grades.iter().filter(fails).map(|grade| grade.scorer.clone()).collect();
    let is_open = |grade: &Grade| grade.score.is_none() && required(report, &grade.scorer).is_some();
    let is_missing = trial.error.is_some() || trial.grades.iter().any(is_open);
    let passed = match (failing.is_empty(), is_missing) {
        (false, _) => Some(false),
        (true, true) => None,
        (true, false) => Some(true),
    };
    TrialMark { role: trial.role, repeat: trial.repeat, passed, failing }
}

/// The score with which a trial passes on a metric of the report.
fn required(report: &Report, metric: &str) -> Option<f64> {
    let kind = report.metrics.iter().find(|of| of.name == metric)?.kind;
    passing_score(&report.policy, metric, kind)
}

/// The JSON Schema of [`CaseResult`], draft 2020-12.
pub fn schema() -> Value {
    super::schema_of::<CaseResult>("case-result")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::v1::Passes;

    #[test]
    fn marks_add_up_to_the_passes_of_the_case() {
        for (name, report) in fixtures::all() {
            for index in 0..report.cases.len() {
                let result = CaseResult::of(&report, "report.json", index).unwrap();
                let passes = |role| {
                    let decided =
                        result.marks.iter().filter(|mark| mark.role == role).filter_map(|mark| mark.passed);
                    let decided: Vec<bool> = decided.collect();
                    let passed = decided.iter().filter(|passed| **passed).count();
                    (!decided.is_empty()).then_some(Passes { passed, of: decided.len() })
                };
                // A report without metrics has no passes either.
                if !report.metrics.is_empty() {
                    assert_eq!(passes(Role::Candidate), result.case.candidate_passes, "{name} {index}");
                    assert_eq!(passes(Role::Baseline), result.case.baseline_passes, "{name} {index}");
                }
            }
        }
        assert_eq!(CaseResult::of(&fixtures::pass(), "report.json", 99), None);
    }
}
