//! One test case: the run, a criterion, or a case of the dataset.

use std::collections::HashSet;
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestRerun};

use super::xml_text::XmlText;
use super::{ended_early, is_green, run_reasons};
use crate::v1::{Case, CaseStatus, Criterion, CriterionVerdict, Report, Role, Trial, Verdict};
use crate::view::{self, concern, number};

/// Reported repeats of a flaky case.
const MAX_FLAKY_REPEATS: usize = 5;

/// A test case before serialization.
pub(super) struct TestEntry {
    /// `gate` or `case`: the middle of the class name.
    class: &'static str,
    name: String,
    outcome: TestOutcome,
    /// Output shown beside the outcome.
    note: Option<String>,
    time: Option<Duration>,
}

enum TestOutcome {
    Passed,
    /// Passed with this number of failed repeats, and their message.
    Flaky(usize, String),
    Failed(String, String),
    Error(String, String),
    Skipped(String, String),
}

impl TestEntry {
    /// Upper estimate of the size in bytes; escaping needs at most six bytes per byte.
    pub(super) fn bytes(&self) -> usize {
        let outcome = match &self.outcome {
            TestOutcome::Passed => 0,
            TestOutcome::Flaky(times, message) => times * (message.len() * 6 + 100),
            TestOutcome::Failed(kind, message)
            | TestOutcome::Error(kind, message)
            | TestOutcome::Skipped(kind, message) => (kind.len() + message.len()) * 6,
        };
        let note = self.note.as_ref().map_or(0, String::len);
        outcome + (self.name.len() + note) * 6
    }

    /// Makes the name unique, since different ids can be equal after clipping.
    pub(super) fn unique(mut self, seen: &mut HashSet<(&'static str, String)>) -> Self {
        let name = self.name.clone();
        let mut number = 2;
        while !seen.insert((self.class, self.name.clone())) {
            self.name = format!("{name} ({number})");
            number += 1;
        }
        self
    }

    pub(super) fn test_case(self, suite: &str) -> TestCase {
        let status = match self.outcome {
            TestOutcome::Passed => TestCaseStatus::success(),
            TestOutcome::Flaky(times, message) => {
                let mut status = TestCaseStatus::success();
                status.add_reruns((0..times).map(|_| {
                    let mut rerun = TestRerun::new(NonSuccessKind::Failure);
                    rerun.set_type("flaky").set_message(&message);
                    rerun
                }));
                status
            }
            TestOutcome::Failed(kind, message) => {
                with_message(TestCaseStatus::non_success(NonSuccessKind::Failure), &kind, &message)
            }
            TestOutcome::Error(kind, message) => {
                with_message(TestCaseStatus::non_success(NonSuccessKind::Error), &kind, &message)
            }
            TestOutcome::Skipped(kind, message) => with_message(TestCaseStatus::skipped(), &kind, &message),
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

/// Sets the message as attribute and as text, since readers show one or the other.
fn with_message(mut status: TestCaseStatus, kind: &str, message: &str) -> TestCaseStatus {
    status.set_type(kind).set_message(message).set_description(message);
    status
}

/// The run itself, where it was stopped or its verdict is not visible in any criterion.
pub(super) fn run(report: &Report, xml: &XmlText<'_>) -> TestEntry {
    let reason = run_reasons(report).next();
    let kind = reason.map_or(report.verdict.as_str(), |reason| reason.code.as_str()).to_owned();
    let fault = report.ended.fault.as_ref().map(|fault| fault.message.as_str());
    let message = reason.map(|reason| reason.message.as_str()).or(fault).unwrap_or("the run did not finish");
    let message = xml.line(message);
    let outcome = match report.verdict {
        _ if is_green(report) => TestOutcome::Passed,
        Verdict::Fail if !ended_early(report) => TestOutcome::Failed(kind, message),
        _ => TestOutcome::Error(kind, message),
    };
    TestEntry { class: "gate", name: "run".to_owned(), outcome, note: None, time: None }
}

/// A criterion.
pub(super) fn criterion(report: &Report, criterion: &Criterion, xml: &XmlText<'_>) -> TestEntry {
    let message = xml.line(&criterion.explanation);
    let kind = || xml.line(&criterion.kind);
    let (outcome, note) = match criterion.verdict {
        CriterionVerdict::Pass => (TestOutcome::Passed, Some(message)),
        CriterionVerdict::Fail => (TestOutcome::Failed(kind(), message), None),
        CriterionVerdict::Incomplete => (TestOutcome::Error("incomplete".to_owned(), message), None),
        // With `--inconclusive pass` the run is green, and so is the file.
        CriterionVerdict::Inconclusive if is_green(report) => {
            (TestOutcome::Skipped("inconclusive".to_owned(), message), None)
        }
        CriterionVerdict::Inconclusive => (TestOutcome::Failed("inconclusive".to_owned(), message), None),
    };
    TestEntry { class: "gate", name: xml.name(&criterion.id), outcome, note, time: None }
}

/// A case of the dataset. It never fails, but a missing answer or grade is an error.
pub(super) fn case(report: &Report, case: &Case, has_times: bool, xml: &XmlText<'_>) -> TestEntry {
    let outcome = match (case.status, case.candidate_passes) {
        (CaseStatus::Missing, _) => missing(report, case, xml),
        (_, Some(passes)) if passes.passed > 0 && passes.passed < passes.of => {
            let failed = passes.of - passes.passed;
            let mut message = format!("the candidate fails {failed} of {} repeats", passes.of);
            if !case.failing.is_empty() {
                message.push_str(": ");
                message.push_str(&case.failing.join(", "));
            }
            TestOutcome::Flaky(failed.min(MAX_FLAKY_REPEATS), xml.line(&message))
        }
        _ => TestOutcome::Passed,
    };
    let time = has_times.then(|| {
        let latencies = case.trials.readable().filter_map(|trial| trial.latency_ms);
        Duration::try_from_secs_f64(latencies.sum::<f64>() / 1000.0).unwrap_or_default()
    });
    TestEntry { class: "case", name: xml.name(&case.id), outcome, note: note(report, case, xml), time }
}

/// The reason for a missing answer or grade; skipped instead of an error where the run is green.
fn missing(report: &Report, case: &Case, xml: &XmlText<'_>) -> TestOutcome {
    let gap = case.trials.readable().find_map(|trial| find_gap(&trial));
    let (kind, message) = gap.unwrap_or_else(|| ("missing", "an answer or a grade is missing".to_owned()));
    let (kind, message) = (kind.to_owned(), xml.line(&message));
    if is_green(report) { TestOutcome::Skipped(kind, message) } else { TestOutcome::Error(kind, message) }
}

/// The kind and message of the missing answer or grade of a trial.
fn find_gap(trial: &Trial) -> Option<(&'static str, String)> {
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
            // The reason may quote the judge.
            None => ("ungraded", format!("{place}, {scorer}: the judge gave no valid grade")),
        })
    })
}

/// Status, passes and differences of a case in one line; `None` for an unremarkable case.
fn note(report: &Report, case: &Case, xml: &XmlText<'_>) -> Option<String> {
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
        parts.push(format!("failing: {}", case.failing.join(", ")));
    }
    Some(xml.line(&parts.join("; ")))
}
