//! One test case: the run, a criterion, or a case of the dataset.

use std::collections::HashSet;
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestRerun};

use super::xml_text::Words;
use super::{ended_early, is_green, reasons_of_the_run};
use crate::v1::{Case, CaseStatus, Criterion, CriterionVerdict, Report, Role, Trial, Verdict};
use crate::view::{self, concern, number};

/// Repeats of a flaky case that are told of, at most.
const MAX_REPEATS: usize = 5;

/// A test case before it is XML.
pub(super) struct Entry {
    /// `gate` or `case`: the middle of the class name.
    class: &'static str,
    name: String,
    outcome: Outcome,
    /// What is said beside the outcome.
    note: Option<String>,
    time: Option<Duration>,
}

/// What became of it.
enum Outcome {
    Passed,
    /// Passed; so many repeats did not, each for the same reason.
    Flaky(usize, String),
    Failed(String, String),
    Error(String, String),
    Skipped(String, String),
}

impl Entry {
    /// About what its words take as XML, in bytes; no character takes more than six for each of its own.
    pub(super) fn bytes(&self) -> usize {
        let outcome = match &self.outcome {
            Outcome::Passed => 0,
            Outcome::Flaky(times, message) => times * (message.len() * 6 + 100),
            Outcome::Failed(kind, message)
            | Outcome::Error(kind, message)
            | Outcome::Skipped(kind, message) => (kind.len() + message.len()) * 6,
        };
        let note = self.note.as_ref().map_or(0, String::len);
        outcome + (self.name.len() + note) * 6
    }

    /// With a name that none before it has: two ids may be one when they are cut.
    pub(super) fn unique(mut self, seen: &mut HashSet<(&'static str, String)>) -> Self {
        let name = self.name.clone();
        let mut number = 2;
        while !seen.insert((self.class, self.name.clone())) {
            self.name = format!("{name} ({number})");
            number += 1;
        }
        self
    }

    /// As quick-junit has it.
    pub(super) fn test_case(self, suite: &str) -> TestCase {
        let status = match self.outcome {
            Outcome::Passed => TestCaseStatus::success(),
            Outcome::Flaky(times, message) => {
                let mut status = TestCaseStatus::success();
                status.add_reruns((0..times).map(|_| {
                    let mut rerun = TestRerun::new(NonSuccessKind::Failure);
                    rerun.set_type("flaky").set_message(&message);
                    rerun
                }));
                status
            }
            Outcome::Failed(kind, message) => {
                told(TestCaseStatus::non_success(NonSuccessKind::Failure), &kind, &message)
            }
            Outcome::Error(kind, message) => {
                told(TestCaseStatus::non_success(NonSuccessKind::Error), &kind, &message)
            }
            Outcome::Skipped(kind, message) => told(TestCaseStatus::skipped(), &kind, &message),
        };
        let mut case = TestCase::new(&self.name, status);
        case.set_classname(format!("promptgate.{}.{suite}", self.class));
        case.time = self.time;
        if let Some(note) = &self.note {
            case.set_system_out(note);
        }
        case
    }
}

/// The message as attribute and as text: some readers show the one, some the other.
fn told(mut status: TestCaseStatus, kind: &str, message: &str) -> TestCaseStatus {
    status.set_type(kind).set_message(message).set_description(message);
    status
}

/// The run itself: it was stopped, or decided by something that is no criterion.
pub(super) fn run(report: &Report, words: &Words<'_>) -> Entry {
    let reason = reasons_of_the_run(report).next();
    let kind = reason.map_or(report.verdict.as_str(), |reason| reason.code.as_str()).to_owned();
    let fault = report.ended.fault.as_ref().map(|fault| fault.message.as_str());
    let message = reason.map(|reason| reason.message.as_str()).or(fault).unwrap_or("the run did not end");
    let message = words.text(message);
    let outcome = match report.verdict {
        _ if is_green(report) => Outcome::Passed,
        Verdict::Fail if !ended_early(report) => Outcome::Failed(kind, message),
        _ => Outcome::Error(kind, message),
    };
    Entry { class: "gate", name: "run".to_owned(), outcome, note: None, time: None }
}

/// A criterion: where the gate decides.
pub(super) fn criterion(report: &Report, criterion: &Criterion, words: &Words<'_>) -> Entry {
    let message = words.text(&criterion.explanation);
    let kind = || words.text(&criterion.kind);
    let (outcome, note) = match criterion.verdict {
        CriterionVerdict::Pass => (Outcome::Passed, Some(message)),
        CriterionVerdict::Fail => (Outcome::Failed(kind(), message), None),
        CriterionVerdict::Incomplete => (Outcome::Error("incomplete".to_owned(), message), None),
        // Where the run is green all the same, as under `--inconclusive pass`, so is the file.
        CriterionVerdict::Inconclusive if is_green(report) => {
            (Outcome::Skipped("inconclusive".to_owned(), message), None)
        }
        CriterionVerdict::Inconclusive => (Outcome::Failed("inconclusive".to_owned(), message), None),
    };
    Entry { class: "gate", name: words.name(&criterion.id), outcome, note, time: None }
}

/// A case of the dataset: described, never judged; a missing answer or grade is an error.
pub(super) fn case(report: &Report, case: &Case, times: bool, words: &Words<'_>) -> Entry {
    let outcome = match (case.status, case.candidate_passes) {
        (CaseStatus::Missing, _) => missing(report, case, words),
        (_, Some(passes)) if passes.passed > 0 && passes.passed < passes.of => {
            let failed = passes.of - passes.passed;
            let mut message = format!("{failed} of {} repeats of the candidate do not pass", passes.of);
            if !case.failing.is_empty() {
                message.push_str(": ");
                message.push_str(&case.failing.join(", "));
            }
            Outcome::Flaky(failed.min(MAX_REPEATS), words.text(&message))
        }
        _ => Outcome::Passed,
    };
    let time = times.then(|| {
        let latencies = case.trials.readable().filter_map(|trial| trial.latency_ms);
        Duration::try_from_secs_f64(latencies.sum::<f64>() / 1000.0).unwrap_or_default()
    });
    Entry { class: "case", name: words.name(&case.id), outcome, note: note(report, case, words), time }
}

/// Why an answer or a grade is missing. Where the change may be merged in spite of it, it is no error.
fn missing(report: &Report, case: &Case, words: &Words<'_>) -> Outcome {
    let found = case.trials.readable().find_map(|trial| gap(&trial));
    let (kind, message) = found.unwrap_or_else(|| ("missing", "an answer or a grade is missing".to_owned()));
    let (kind, message) = (kind.to_owned(), words.text(&message));
    if is_green(report) { Outcome::Skipped(kind, message) } else { Outcome::Error(kind, message) }
}

/// What a trial lacks: the answer, or a grade.
fn gap(trial: &Trial) -> Option<(&'static str, String)> {
    let side = match trial.role {
        Role::Candidate => "candidate",
        Role::Baseline => "baseline",
    };
    let place = format!("{side}, repeat {}", u64::from(trial.repeat) + 1);
    if let Some(fault) = &trial.error {
        return Some((fault.kind.as_str(), format!("{place}: {}", fault.message)));
    }
    trial.grades.iter().find_map(|grade| {
        let ungraded = grade.ungraded.as_ref()?;
        let scorer = &grade.scorer;
        Some(match &ungraded.fault {
            Some(fault) => (fault.kind.as_str(), format!("{place}, {scorer}: {}", fault.message)),
            // The reason may hold words of the judge.
            None => ("ungraded", format!("{place}, {scorer}: the judge gave no valid grade")),
        })
    })
}

/// What became of a case, in a line, where that is something.
fn note(report: &Report, case: &Case, words: &Words<'_>) -> Option<String> {
    if case.status == CaseStatus::Same && case.failing.is_empty() {
        return None;
    }
    let mut parts = vec![concern::status(report, case).to_owned()];
    let passes = [("baseline", case.baseline_passes), ("candidate", case.candidate_passes)];
    parts.extend(passes.into_iter().filter_map(|(side, passes)| {
        passes.map(|passes| format!("{side} passed {} of {}", passes.passed, passes.of))
    }));
    if let Some(largest) = &case.largest_difference {
        let difference = number::signed(view::metric_kind(report, &largest.metric), largest.difference);
        parts.push(format!("{} {difference}", largest.metric));
    }
    if !case.failing.is_empty() {
        parts.push(format!("not passed: {}", case.failing.join(", ")));
    }
    Some(words.text(&parts.join("; ")))
}
