//! Partial runs: selected cases, for debugging. They decide nothing about the suite.

use std::collections::BTreeSet;

use super::evaluate::RunOptions;
use super::suite::{ChosenCases, Origin};
use super::{Failure, mismatch, report_files};
use promptgate_core::model::{Diagnostic, Place, Reason, ReasonCode, Verdict};
use promptgate_engine::evaluate::Evaluation;
use promptgate_report::{Format, Report, concerns};

/// The folder of a partial run's report, in that of the whole run's: the last whole report stays.
pub(crate) const FOLDER: &str = "partial";

/// Limits a run to the cases with these ids, or to those that failed or got worse in the last report. Its own report goes
/// to a folder below.
///
/// # Errors
/// No report, one that cannot be read, and one without a failed case.
pub(crate) fn limit(options: &mut RunOptions, ids: &[String], only_failed: bool) -> Result<(), Failure> {
    let chosen = if only_failed {
        failed_cases(options)?
    } else if ids.is_empty() {
        return Ok(());
    } else {
        ChosenCases { ids: ids.iter().cloned().collect(), origin: Origin::Flags }
    };
    options.suite.chosen = Some(chosen);
    options.out = options.out.join(FOLDER);
    Ok(())
}

/// The cases of the last report that failed or got worse.
fn failed_cases(options: &RunOptions) -> Result<ChosenCases, Failure> {
    let path = options.out.join(Format::Json.file_name().unwrap_or_default());
    let (file, place) = (path.display().to_string(), || Place::file("--only-failed"));
    if !path.exists() {
        return Err(Diagnostic::new(format!("no report of an earlier run: {file} does not exist"))
            .at(place())
            .help(
                "run the whole suite first, without `--only-failed`; `--out` names the folder of its report",
            )
            .into());
    }
    let report = report_files::read(&path)?;
    if let Some(diagnostic) = mismatch::partial(&report.dataset) {
        return Err(diagnostic.at(Place::file(file)).into());
    }
    let ids = failed(&report);
    if ids.is_empty() {
        let message = format!("no case failed or got worse in {file} of {}", report.started_at);
        let help = "run the whole suite, or name cases with `--case ID`";
        return Err(Failure::Nothing(Diagnostic::new(message).at(place()).help(help)));
    }
    let origin = Origin::Report { file, suite: report.name, started_at: report.started_at };
    Ok(ChosenCases { ids, origin })
}

/// The ids of the cases that a trial of the candidate did not pass, that got worse, or that are missing.
fn failed(report: &Report) -> BTreeSet<String> {
    let concerning = concerns(report).into_iter().map(|(_, case)| case);
    let failing = report.cases.iter().filter(|case| !case.failing.is_empty());
    concerning.chain(failing).map(|case| case.id.clone()).collect()
}

/// Makes the pass of a partial run inconclusive: passing on chosen cases is no evidence about the others.
pub(super) fn withhold_pass(evaluation: &mut Evaluation) {
    let Evaluation { run, decision, .. } = evaluation;
    let Some(partial) = &run.dataset.partial else { return };
    // More of the same cases would settle nothing.
    decision.to_settle = None;
    if decision.verdict != Verdict::Pass {
        return;
    }
    decision.verdict = Verdict::Inconclusive;
    let message = format!(
        "Every criterion passes on {} of {} cases; only a run of the whole suite can pass.",
        run.dataset.cases, partial.of
    );
    decision.reasons.insert(0, Reason { code: ReasonCode::PartialRun, message, criterion: None });
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn failed_cases_are_those_that_fail_or_got_worse() {
        let report = |name: &str| {
            report_files::read(Path::new(&format!("tests/fixtures/reports/{name}.json"))).unwrap()
        };
        let failing = report("fail");
        let ids = failed(&failing);
        // Broken, and worse; the case that is fixed passes.
        assert!(ids.contains("refund-002") && ids.contains("refund-004"), "{ids:?}");
        assert!(!ids.contains("refund-005"), "{ids:?}");
        assert!(failed(&report("pass")).is_empty());
        // Not answered any more.
        assert!(failed(&report("interrupted")).contains("refund-006"));
    }
}
