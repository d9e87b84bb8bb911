//! Several suites in one command: which, one after the other with a common budget, and their common result.

mod changed;
mod named;
mod select;
mod written;

use std::time::Instant;

pub(crate) use changed::Changes;
pub(crate) use named::{NamedSuite, named};
pub(crate) use select::{Selected, SuiteChoice, select};
pub(in crate::app) use select::{listed, matching, without_extended};
pub(in crate::app) use written::discard;
pub(crate) use written::{NAME, prepare, render, write};

use super::report_files::Reported;
use promptgate_adapters::endpoint::Ceilings;
use promptgate_report::suites::{SCHEMA, SuiteResult, SuiteVerdict, Suites};

/// A suite that ended.
pub(crate) struct EndedSuite {
    /// Its row.
    pub(crate) result: SuiteResult,
    /// Its report, if it has one.
    pub(crate) reported: Option<Box<Reported>>,
}

impl EndedSuite {
    /// A suite with a report.
    pub(crate) fn reported(suite: &NamedSuite, reported: Reported) -> Self {
        let result = with_report(suite, &reported, reported.report.exit_code);
        Self { result, reported: Some(Box::new(reported)) }
    }

    /// A suite without a report, and why.
    pub(crate) fn without_report(
        suite: &NamedSuite,
        verdict: SuiteVerdict,
        exit_code: u8,
        why: impl Into<String>,
    ) -> Self {
        Self { result: without_report(suite, verdict, exit_code, why.into()), reported: None }
    }
}

/// The row of a suite with a report.
pub(crate) fn with_report(suite: &NamedSuite, reported: &Reported, exit_code: u8) -> SuiteResult {
    let Reported { report, redactor, .. } = reported;
    promptgate_report::suite_result(report, exit_code, &suite.shown, &suite.folder, redactor)
}

/// The row of a suite without a report.
pub(crate) fn without_report(
    suite: &NamedSuite,
    verdict: SuiteVerdict,
    exit_code: u8,
    why: String,
) -> SuiteResult {
    SuiteResult {
        name: suite.name.clone(),
        config: suite.shown.clone(),
        verdict,
        exit_code,
        why,
        folder: None,
        cases: None,
        worse: None,
        calls: 0,
        cost_usd: None,
        simulated: false,
    }
}

/// The rest of a budget that several suites share.
pub(crate) struct SharedBudget {
    left: Ceilings,
    started: Instant,
}

impl SharedBudget {
    /// Starts now.
    pub(crate) fn new(ceilings: Ceilings) -> Self {
        Self { left: ceilings, started: Instant::now() }
    }

    /// The ceilings of the next suite.
    pub(crate) fn left(&self) -> Ceilings {
        let time = self.left.time.map(|time| time.saturating_sub(self.started.elapsed()));
        Ceilings { time, ..self.left }
    }

    /// Takes what a suite used.
    pub(crate) fn take(&mut self, calls: u64, usd: Option<f64>) {
        self.left.calls = self.left.calls.map(|left| left.saturating_sub(calls));
        self.left.usd = self.left.usd.map(|left| (left - usd.unwrap_or(0.0)).max(0.0));
    }

    /// Milliseconds since the start.
    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The common result of suites that ended.
pub(crate) fn joined(ended: &[&SuiteResult], exit_code: u8, budget: &SharedBudget) -> Suites {
    let mut reported = ended.iter().filter(|suite| suite.folder.is_some()).peekable();
    Suites {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        verdict: SuiteVerdict::gravest(ended.iter().map(|suite| suite.verdict)),
        exit_code,
        calls: ended.iter().map(|suite| suite.calls).sum(),
        cost_usd: reported.peek().is_some().then(|| reported.map(|suite| suite.cost_usd).sum()).flatten(),
        duration_ms: budget.elapsed_ms(),
        suites: ended.iter().map(|suite| (*suite).clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn budget_is_shared_and_never_negative() {
        let ceilings = Ceilings { calls: Some(10), usd: Some(1.0), time: Some(Duration::from_secs(3600)) };
        let mut budget = SharedBudget::new(ceilings);
        budget.take(7, Some(0.25));
        let left = budget.left();
        assert_eq!((left.calls, left.usd), (Some(3), Some(0.75)));
        assert!(left.time.unwrap() < Duration::from_secs(3600));
        budget.take(7, Some(2.0));
        assert_eq!((budget.left().calls, budget.left().usd), (Some(0), Some(0.0)));
        let unlimited = SharedBudget::new(Ceilings::default());
        assert_eq!(unlimited.left().calls, None);
    }

    #[test]
    fn cost_is_known_only_if_every_report_knows_it() {
        let suite = NamedSuite::of("a");
        let row = |cost: Option<f64>| SuiteResult {
            folder: Some("a".to_owned()),
            cost_usd: cost,
            ..EndedSuite::without_report(&suite, SuiteVerdict::Pass, 0, "").result
        };
        let uncalled = EndedSuite::without_report(&suite, SuiteVerdict::Unchanged, 0, "").result;
        let budget = SharedBudget::new(Ceilings::default());
        let cost = |rows: &[&SuiteResult]| joined(rows, 0, &budget).cost_usd;
        assert_eq!(cost(&[&row(Some(0.5)), &row(Some(0.25)), &uncalled]), Some(0.75));
        assert_eq!(cost(&[&row(Some(0.5)), &row(None)]), None);
        assert_eq!(cost(&[&uncalled]), None);
    }
}
