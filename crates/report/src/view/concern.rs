//! Orders cases by how urgently they need attention.

use crate::v1::{Case, CaseStatus, Report, Verdict};

/// Why a case needs attention, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// A must-pass case with fewer than half of its trials passing, which fails the run.
    MustPass,
    /// Every trial passed before and fails now.
    Broken,
    /// A must-pass case with some failing trials.
    MustPassInDoubt,
    /// A loss that noise does not explain.
    Regressed,
    /// A failing case in a run without a baseline.
    Fails,
    /// A missing answer or grade.
    Missing,
    /// A loss that noise explains, in a run that compares and did not pass.
    Lower,
}

/// Returns the cases that need attention, by concern, then by loss, then in dataset order.
pub fn concerns(report: &Report) -> Vec<(Concern, &Case)> {
    let loss = |case: &Case| case.largest_difference.as_ref().map_or(0.0, |largest| largest.difference);
    let concerning =
        report.cases.iter().filter_map(|case| concern(report, case).map(|concern| (concern, case)));
    let mut cases: Vec<(Concern, &Case)> = concerning.collect();
    // A stable sort keeps dataset order among equals.
    cases.sort_by(|(one, case), (two, other)| one.cmp(two).then_with(|| loss(case).total_cmp(&loss(other))));
    cases
}

fn concern(report: &Report, case: &Case) -> Option<Concern> {
    let no_baseline = report.variants.baseline.is_none();
    let has_loss = case.largest_difference.as_ref().is_some_and(|largest| largest.difference < 0.0);
    let passes = case.candidate_passes.filter(|passes| case.must_pass && passes.passed < passes.of);
    if passes.is_some_and(|passes| passes.passed < passes.of - passes.passed) {
        return Some(Concern::MustPass);
    }
    match case.status {
        CaseStatus::Broken => Some(Concern::Broken),
        _ if passes.is_some() => Some(Concern::MustPassInDoubt),
        CaseStatus::Regressed => Some(Concern::Regressed),
        _ if no_baseline && !case.failing.is_empty() => Some(Concern::Fails),
        CaseStatus::Missing => Some(Concern::Missing),
        CaseStatus::Lower | CaseStatus::Flaky if has_loss && !hides_noise(report) => Some(Concern::Lower),
        CaseStatus::Fixed
        | CaseStatus::Improved
        | CaseStatus::Flaky
        | CaseStatus::Lower
        | CaseStatus::Higher
        | CaseStatus::Same => None,
    }
}

/// Whether changes within noise are hidden, as in a run that passed.
pub(crate) fn hides_noise(report: &Report) -> bool {
    matches!(report.verdict, Verdict::Pass | Verdict::Unchanged)
}

/// The status of a case of a report in a word.
pub(crate) fn status(report: &Report, case: &Case) -> &'static str {
    status_of(report.variants.baseline.is_some(), case)
}

/// The status of a case in a word; without a baseline `same` becomes `failing`, `passing` or `graded`.
pub(crate) fn status_of(has_baseline: bool, case: &Case) -> &'static str {
    match case.status {
        CaseStatus::Same if !has_baseline => match case.candidate_passes {
            _ if !case.failing.is_empty() => "failing",
            Some(passes) if passes.passed == passes.of => "passing",
            _ => "graded",
        },
        status => status.as_str(),
    }
}

/// The status of a case, or `must pass` where that is the concern.
pub(crate) fn label(report: &Report, case: &Case, concern: Option<Concern>) -> &'static str {
    match concern {
        Some(Concern::MustPass | Concern::MustPassInDoubt) if case.status != CaseStatus::Broken => {
            "must pass"
        }
        _ => status(report, case),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{LargestDifference, Passes};
    use crate::{Format, Style, fixtures, write};

    fn shown(report: &Report, format: Format) -> String {
        let mut out = Vec::new();
        write(report, format, &mut out, Style::default()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn failing_must_pass_cases_come_first() {
        let mut report = fixtures::fail();
        let mut must = report.cases.last().cloned().unwrap();
        must.status = CaseStatus::Same;
        (must.must_pass, must.failing) = (true, vec!["check.refusal".to_owned()]);
        let mut lower = must.clone();
        (lower.id, lower.status) = ("slightly".to_owned(), CaseStatus::Lower);
        (lower.must_pass, lower.failing) = (false, Vec::new());
        lower.largest_difference =
            Some(LargestDifference { metric: "faithfulness".to_owned(), difference: -0.1 });
        report.cases.push(lower);
        let regressed = report.cases.iter_mut().find(|case| case.id == "refund-004").unwrap();
        regressed.status = CaseStatus::Regressed;
        for (id, passed) in [("always", 3), ("mostly", 2), ("hardly", 1)] {
            must.id = id.to_owned();
            must.candidate_passes = Some(Passes { passed, of: 3 });
            must.baseline_passes = must.candidate_passes;
            report.cases.push(must.clone());
        }
        let found: Vec<(Concern, &str)> =
            concerns(&report).into_iter().map(|(concern, case)| (concern, case.id.as_str())).collect();
        assert_eq!(
            found,
            [
                (Concern::MustPass, "hardly"),
                (Concern::Broken, "refund-002"),
                (Concern::MustPassInDoubt, "mostly"),
                (Concern::Regressed, "refund-004"),
                (Concern::Lower, "slightly"),
            ]
        );
        let terminal = shown(&report, Format::Terminal);
        let row = |id: &str| terminal.lines().position(|line| line.trim_start().starts_with(id)).unwrap();
        assert!(row("hardly") < row("refund-002"), "{terminal}");
        assert!(terminal.lines().nth(row("hardly")).unwrap().contains("must pass"), "{terminal}");
    }

    #[test]
    fn passed_run_hides_moves_within_noise() {
        let mut report = fixtures::pass();
        let mut alike = report.cases.iter_mut().filter(|case| case.status == CaseStatus::Same);
        (alike.next().unwrap().status, alike.next().unwrap().status) =
            (CaseStatus::Lower, CaseStatus::Higher);
        let same = 2 + alike.count();
        let lower = report.cases.iter_mut().find(|case| case.status == CaseStatus::Lower).unwrap();
        lower.largest_difference =
            Some(LargestDifference { metric: "faithfulness".to_owned(), difference: -0.01 });
        for format in [Format::Terminal, Format::Markdown] {
            let text = shown(&report, format);
            assert!(text.contains(&format!("{same} same within noise")), "{text}");
            assert!(!text.contains("lower,") && !text.contains("| lower"), "{text}");
        }
        assert!(concerns(&report).is_empty());
        report.verdict = Verdict::Inconclusive;
        assert_eq!(concerns(&report)[0].0, Concern::Lower);
        assert!(shown(&report, Format::Terminal).contains("1 lower, 1 higher"));
    }

    #[test]
    fn no_baseline_no_case_is_called_same() {
        let mut report = fixtures::no_baseline();
        report.cases[0].failing = vec!["faithfulness".to_owned()];
        report.cases[0].candidate_passes = Some(Passes { passed: 0, of: 3 });
        report.cases[0].must_pass = false;
        report.cases[1].candidate_passes = None;
        let rest = report.cases.len() - 2;
        let tally = format!("1 failing, {rest} passing");
        for format in [Format::Terminal, Format::Markdown] {
            let text = shown(&report, format);
            assert!(text.contains(&tally), "{text}");
        }
        let page = shown(&report, Format::Html);
        assert!(!page.contains(r#""status":"same""#));
        for status in ["failing", "passing", "graded"] {
            assert!(page.contains(&format!(r#""status":"{status}""#)), "{status}");
        }
        // The wire format keeps its statuses.
        assert!(shown(&report, Format::Json).contains(r#""status": "same""#));
    }
}
