//! Reports of real runs for tests, from `tests/fixtures/reports`; `tests/suite/report_fixtures.rs` writes them.

use std::io;

use super::history::{self, History, SavedRun};
use super::v1::{Policy, Report, Trial, read};
use promptgate_core::model::{Decision, MetricKind, Run};
use promptgate_core::{forecast, gate, metric};

/// Every report by its name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("pass", pass()),
        ("fail", fail()),
        ("inconclusive", inconclusive()),
        ("incomplete", incomplete()),
        ("interrupted", interrupted()),
        ("no_baseline", no_baseline()),
        ("without_key", without_key()),
        ("reused_baseline", reused_baseline()),
        ("panel", panel()),
        ("unfit_judge", unfit_judge()),
    ]
}

/// Every criterion is met; the judge is calibrated, the baseline from the cache.
pub(crate) fn pass() -> Report {
    named("pass")
}

/// `refund-002` broke with a check and both metrics, `refund-004` got worse, `refund-005` is fixed.
pub(crate) fn fail() -> Report {
    named("fail")
}

/// Too little evidence on `faithfulness.baseline`.
pub(crate) fn inconclusive() -> Report {
    named("inconclusive")
}

/// The quota was spent before `refund-005` and `refund-006`; grades of two other cases are missing.
pub(crate) fn incomplete() -> Report {
    named("incomplete")
}

/// Ctrl-C before `refund-005` and `refund-006`.
pub(crate) fn interrupted() -> Report {
    named("interrupted")
}

/// A new prompt on the simulated model, without prices.
pub(crate) fn no_baseline() -> Report {
    named("no_baseline")
}

/// No key for the endpoint.
pub(crate) fn without_key() -> Report {
    named("without_key")
}

/// The baseline is the candidate of an earlier report.
pub(crate) fn reused_baseline() -> Report {
    named("reused_baseline")
}

/// Two judges with two votes each.
pub(crate) fn panel() -> Report {
    named("panel")
}

/// The judge failed its self-test.
pub(crate) fn unfit_judge() -> Report {
    named("unfit_judge")
}

fn named(name: &str) -> Report {
    let path = format!("{}/../../tests/fixtures/reports/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    read(&path, &text, |_| Err(io::ErrorKind::NotFound.into())).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs of the failing report whose faithfulness has these means, with bounds 0.02 away.
pub(crate) fn history(means: &[f64]) -> History {
    edited_history(means, |_, _| {})
}

/// Such runs, each edited by its index.
pub(crate) fn edited_history(means: &[f64], edit: impl Fn(usize, &mut SavedRun)) -> History {
    let path = format!("{}/../../tests/fixtures/reports/fail.json", env!("CARGO_MANIFEST_DIR"));
    let saved = history::read(&path, &std::fs::read_to_string(&path).unwrap()).unwrap();
    let run = |(index, mean): (usize, &f64)| {
        let mut run = saved.clone();
        run.started_at = format!("2026-11-{:02}T08:00:00Z", index + 1);
        (run.usage.cached, run.usage.cached_judgements) = (0, 0);
        for metric in run.metrics.iter_mut().filter(|metric| metric.name == "faithfulness") {
            let of = &mut metric.candidate;
            (of.mean, of.lower, of.upper) = (Some(*mean), Some(mean - 0.02), Some(mean + 0.02));
        }
        edit(index, &mut run);
        (format!("run-{index}/report.json"), run)
    };
    History::of("customer-support", means.iter().enumerate().map(run).rev().collect(), Vec::new()).unwrap()
}

/// Changes every trial of the report.
pub(crate) fn edit_trials(report: &mut Report, mut change: impl FnMut(&mut Trial)) {
    for case in &mut report.cases {
        let mut trials: Vec<Trial> = case.trials.readable().map(|trial| trial.into_owned()).collect();
        trials.iter_mut().for_each(&mut change);
        case.trials = trials.into();
    }
}

/// Everything a report is made of.
pub(crate) struct Parts {
    pub(crate) run: Run,
    pub(crate) decision: Decision,
    pub(crate) policy: Policy,
    pub(crate) exit_code: u8,
}

impl Parts {
    /// The run of a report, analysed and decided once more.
    pub(crate) fn of(report: &Report) -> Self {
        let run = report.to_run().unwrap();
        let analysis = metric::analyse(&run);
        let policy = report.policy.clone();
        let mut decision = gate::decide(&analysis, &policy, &run.ended);
        for summary in decision.metrics.iter_mut().filter(|summary| summary.kind == MetricKind::Judge) {
            summary.judged = Some(metric::judge_quality(&run, summary, policy.alpha()));
        }
        decision.to_settle = report.to_settle.and_then(|_| forecast::to_settle(&run, &decision));
        Self { run, decision, policy, exit_code: report.exit_code }
    }

    /// The report of these parts.
    pub(crate) fn report(&self) -> Report {
        let report = Report::undecided(&self.run, self.policy.clone(), None);
        report.decided(&self.decision, self.exit_code)
    }
}
