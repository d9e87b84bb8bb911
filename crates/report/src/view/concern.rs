//! Which cases want a look, and why, the most pressing first: one order for all that list cases.

use crate::v1::{Case, CaseStatus, Report};

/// Why a case wants a look; the first is the most pressing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// It must pass, and fewer than half of its trials do: that alone fails the run.
    MustPass,
    /// Every trial passed before, and every one fails now.
    Broken,
    /// It must pass, and some of its trials do not.
    MustPassInDoubt,
    /// It got worse by more than the resolution.
    Regressed,
    /// Something fails in it, and there is no baseline to have got worse than.
    Fails,
    /// An answer or a grade is missing.
    Missing,
}

/// The cases that want a look, by concern, then by loss, then in dataset order.
pub fn concerns(report: &Report) -> Vec<(Concern, &Case)> {
    let alone = report.variants.baseline.is_none();
    let loss = |case: &Case| case.largest_difference.as_ref().map_or(0.0, |largest| largest.difference);
    let found = report.cases.iter().filter_map(|case| of(case, alone).map(|concern| (concern, case)));
    let mut cases: Vec<(Concern, &Case)> = found.collect();
    // The sort is stable: equal ones stay in dataset order.
    cases.sort_by(|(one, case), (two, other)| one.cmp(two).then_with(|| loss(case).total_cmp(&loss(other))));
    cases
}

fn of(case: &Case, alone: bool) -> Option<Concern> {
    let passes = case.candidate_passes.filter(|passes| case.must_pass && passes.passed < passes.of);
    if passes.is_some_and(|passes| passes.passed < passes.of - passes.passed) {
        return Some(Concern::MustPass);
    }
    match case.status {
        CaseStatus::Broken => Some(Concern::Broken),
        _ if passes.is_some() => Some(Concern::MustPassInDoubt),
        CaseStatus::Regressed => Some(Concern::Regressed),
        _ if alone && !case.failing.is_empty() => Some(Concern::Fails),
        CaseStatus::Missing => Some(Concern::Missing),
        CaseStatus::Fixed | CaseStatus::Improved | CaseStatus::Flaky | CaseStatus::Same => None,
    }
}

/// What is said of a case in a word: its status; without a baseline, where nothing can be the same as before, how it
/// does.
pub(crate) fn status(report: &Report, case: &Case) -> &'static str {
    match case.status {
        CaseStatus::Same if report.variants.baseline.is_none() => match case.candidate_passes {
            _ if !case.failing.is_empty() => "failing",
            Some(passes) if passes.passed == passes.of => "passing",
            _ => "graded",
        },
        status => status.as_str(),
    }
}

/// The same of a case in a list of concerns: that it must pass comes before what it was before.
pub(crate) fn words(report: &Report, case: &Case, concern: Option<Concern>) -> &'static str {
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
    use crate::v1::Passes;
    use crate::{Format, Style, sample, write};

    fn shown(report: &Report, format: Format) -> String {
        let mut out = Vec::new();
        write(report, format, &mut out, Style::default()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cases_that_must_pass_and_fail_come_before_all_others() {
        let mut report = sample::fail().report();
        let mut must = report.cases.last().cloned().unwrap();
        must.status = CaseStatus::Same;
        (must.must_pass, must.failing) = (true, vec!["check.refusal".to_owned()]);
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
            ]
        );
        let terminal = shown(&report, Format::Terminal);
        let row = |id: &str| terminal.lines().position(|line| line.trim_start().starts_with(id)).unwrap();
        assert!(row("hardly") < row("refund-002"), "{terminal}");
        assert!(terminal.lines().nth(row("hardly")).unwrap().contains("must pass"), "{terminal}");
    }

    #[test]
    fn without_a_baseline_nothing_is_called_the_same() {
        let mut report = sample::no_baseline().report();
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
        // The frozen format has the statuses it had.
        assert!(shown(&report, Format::Json).contains(r#""status": "same""#));
    }
}
