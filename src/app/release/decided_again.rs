//! Decides a report once more from its grades: its words alone are no evidence.

use promptgate_core::model::{Decision, Diagnostic, Diagnostics};
use promptgate_core::text::neutral;
use promptgate_engine::evaluate;
use promptgate_report::Report;

/// Largest difference of equal numbers: reading JSON may change the last digit.
const ROUNDING: f64 = 1e-9;

/// Requires that the grades in a report decide what it says.
///
/// # Errors
/// Another verdict, other criteria or other numbers; trials that cannot be read.
pub(super) fn require_same_decision(report: &Report) -> Result<(), Diagnostics> {
    let (_, decision) = evaluate::decide(&report.to_run()?, &report.policy);
    match difference(report, &decision) {
        None => Ok(()),
        Some(difference) => Err(Diagnostic::new(format!("the report contradicts itself: {difference}"))
            .help("it was edited, or another version wrote it: run the gate again, with this version of promptgate")
            .into()),
    }
}

/// The first difference.
fn difference(report: &Report, decision: &Decision) -> Option<String> {
    let words = |name: &str, said: &str, decided: &str| {
        let name = neutral::clip(&neutral::terminal(name), 80);
        (said != decided).then(|| format!("{name} is {said}, and its grades decide {decided}"))
    };
    let verdict = words("`verdict`", report.verdict.as_str(), decision.verdict.as_str());
    let criteria = report.criteria.iter().zip(&decision.criteria).find_map(|(said, decided)| {
        let name = format!("criterion `{}`", said.id);
        words(&name, said.verdict.as_str(), decided.verdict.as_str()).or_else(|| {
            let numbers =
                [(said.estimate, decided.estimate), (said.lower, decided.lower), (said.upper, decided.upper)];
            numbers.into_iter().find_map(|(said, decided)| number(&name, said, decided))
        })
    });
    let metrics = || {
        report.metrics.iter().zip(&decision.metrics).find_map(|(said, decided)| {
            number(&format!("the mean of `{}`", said.name), said.candidate.mean, decided.candidate.mean)
        })
    };
    let count = || {
        let (said, decided) = (report.metrics.len(), decision.metrics.len());
        (said != decided).then(|| format!("it has {said} metrics, and its grades give {decided}"))
    };
    verdict.or(criteria).or_else(count).or_else(metrics)
}

/// The difference between two numbers; JSON has none for a value that is not finite.
fn number(name: &str, said: Option<f64>, decided: Option<f64>) -> Option<String> {
    let decided = decided.filter(|value| value.is_finite());
    let is_same = match (said, decided) {
        (Some(said), Some(decided)) => (said - decided).abs() <= ROUNDING * decided.abs().max(1.0),
        (said, decided) => said == decided,
    };
    let shown = |value: Option<f64>| value.map_or_else(|| "missing".to_owned(), |value| value.to_string());
    let name = neutral::clip(&neutral::terminal(name), 80);
    (!is_same).then(|| format!("{name} is {}, and its grades give {}", shown(said), shown(decided)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::app::report_files;
    use promptgate_report::v1::{CriterionVerdict, Verdict};

    fn fixture(name: &str) -> Report {
        report_files::read(Path::new(&format!("tests/fixtures/reports/{name}.json"))).unwrap()
    }

    #[test]
    fn real_reports_are_decided_the_same_again() {
        for name in [
            "pass",
            "fail",
            "inconclusive",
            "incomplete",
            "interrupted",
            "no_baseline",
            "without_key",
            "reused_baseline",
            "panel",
            "unfit_judge",
        ] {
            assert_eq!(require_same_decision(&fixture(name)), Ok(()), "{name}");
        }
    }

    #[test]
    fn edited_verdict_criteria_and_numbers_are_found() {
        let refused = |edit: &dyn Fn(&mut Report)| {
            let mut report = fixture("fail");
            edit(&mut report);
            require_same_decision(&report).unwrap_err().to_string()
        };
        let contains = |message: String, part: &str| assert!(message.contains(part), "{message}");
        let passing = |report: &mut Report| {
            report.verdict = Verdict::Pass;
            report.criteria.iter_mut().for_each(|criterion| criterion.verdict = CriterionVerdict::Pass);
        };
        contains(refused(&passing), "`verdict` is pass, and its grades decide fail");
        let criterion = |report: &mut Report| {
            let failed = report.criteria.iter_mut().find(|it| it.verdict == CriterionVerdict::Fail);
            failed.unwrap().verdict = CriterionVerdict::Pass;
        };
        contains(refused(&criterion), "is pass, and its grades decide fail");
        let estimate = |report: &mut Report| {
            let estimate = report.criteria.iter_mut().find_map(|it| it.estimate.as_mut());
            *estimate.unwrap() += 0.001;
        };
        contains(refused(&estimate), "and its grades give");
        let mean = |report: &mut Report| {
            report.metrics.iter_mut().for_each(|metric| metric.candidate.mean = Some(0.5));
        };
        contains(refused(&mean), "the mean of `");
        contains(refused(&|report| report.metrics.clear()), "it has 0 metrics");
    }
}
