//! Several suites: their rows, order and words.

use super::number;
use crate::suites::{SuiteResult, SuiteVerdict, Suites};
use crate::v1::{CaseStatus, Report};
use promptgate_core::text::Redactor;

/// Characters of a name or path.
pub(crate) const MAX_NAME: usize = 60;
/// Characters of a sentence.
pub(crate) const MAX_WHY: usize = 300;

/// The row of a suite that has a report. `config` is the path of its configuration, `folder` that of its report.
pub fn suite_result(
    report: &Report,
    exit_code: u8,
    config: &str,
    folder: &str,
    redactor: &Redactor,
) -> SuiteResult {
    let worse = |status: CaseStatus| matches!(status, CaseStatus::Broken | CaseStatus::Regressed);
    let why = super::why(report, redactor).map(|why| why.plain());
    let first = || super::reasons(report, redactor).into_iter().next();
    SuiteResult {
        name: redactor.redact(&report.name).into_owned(),
        config: config.to_owned(),
        verdict: report.verdict.into(),
        exit_code,
        why: redactor.redact(&why.or_else(first).unwrap_or_default()).into_owned(),
        folder: Some(folder.to_owned()),
        cases: Some(report.cases.len()),
        worse: Some(report.cases.iter().filter(|case| worse(case.status)).count()),
        calls: report.usage.calls,
        cost_usd: report.usage.cost_usd,
        simulated: report.simulated,
    }
}

/// The suites, the gravest first; those of one verdict in the order of the run.
pub(crate) fn by_gravity(suites: &Suites) -> Vec<&SuiteResult> {
    let rank =
        |suite: &&SuiteResult| SuiteVerdict::BY_GRAVITY.iter().position(|verdict| *verdict == suite.verdict);
    let mut sorted: Vec<&SuiteResult> = suites.suites.iter().collect();
    sorted.sort_by_key(rank);
    sorted
}

/// `5 suites: 1 fail, 4 pass`.
pub(crate) fn tally(suites: &Suites) -> String {
    let parts = SuiteVerdict::BY_GRAVITY.into_iter().filter_map(|verdict| {
        let count = suites.suites.iter().filter(|suite| suite.verdict == verdict).count();
        (count > 0).then(|| format!("{count} {}", words(verdict)))
    });
    let all = number::counted(suites.suites.len() as u64, "suite");
    format!("{all}: {}", parts.collect::<Vec<_>>().join(", "))
}

pub(crate) fn words(verdict: SuiteVerdict) -> &'static str {
    match verdict {
        SuiteVerdict::NotEvaluated => "not evaluated",
        other => other.as_str(),
    }
}

/// The sentence about a suite; where it has none, one about its verdict.
pub(crate) fn sentence(suite: &SuiteResult) -> &str {
    match (suite.why.as_str(), suite.verdict) {
        ("", SuiteVerdict::Pass) => "every criterion passed",
        ("", SuiteVerdict::Unchanged) => "nothing differs from the base",
        (why, _) => why,
    }
}

/// Calls and cost: `1,204 calls, $0.31`. Simulated calls cost nothing.
pub(crate) fn spent(suites: &Suites) -> String {
    let is_simulated = suites.suites.iter().any(|suite| suite.simulated);
    let cost = match suites.cost_usd {
        None => String::new(),
        Some(cost) if is_simulated => format!(", nothing spent (would be {})", number::dollars(cost)),
        Some(cost) => format!(", {}", number::dollars(cost)),
    };
    format!("{}{cost}", number::counted(suites.calls, "call"))
}
