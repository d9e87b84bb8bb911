//! Cases that never discriminate: the results of saved reports, by case.

use super::{finding, percent};
use crate::model::{Case, CaseHistory, DatasetCode, DatasetFinding, FindingLevel};
use crate::text::counted;

/// The reports of a case from which its results say whether it discriminates.
pub const MIN_REPORTS: usize = 5;

/// The trials of a variant on a case that passed, of those with a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialCounts {
    /// Trials that passed.
    pub passed: usize,
    /// Trials with a result.
    pub of: usize,
}

/// The results of the cases of a dataset in saved reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    reports: usize,
    variants: usize,
    cases: Vec<CaseHistory>,
}

impl TrialCounts {
    fn flickers(self) -> bool {
        self.passed > 0 && self.passed < self.of
    }
}

impl History {
    /// The history of these cases without a report.
    pub fn new(cases: &[Case]) -> Self {
        let case = |case: &Case| CaseHistory { id: case.id.clone(), ..CaseHistory::default() };
        Self { reports: 0, variants: 0, cases: cases.iter().map(case).collect() }
    }

    /// Counts a report.
    pub fn add_report(&mut self) {
        self.reports += 1;
    }

    /// Sets the number of distinct variants in the reports.
    pub fn set_variants(&mut self, variants: usize) {
        self.variants = variants;
    }

    /// Adds the results of the case at a place in one report. A variant without a result is `None`; the baseline's also is where
    /// it shares the trials of the candidate.
    pub fn add(&mut self, place: usize, candidate: Option<TrialCounts>, baseline: Option<TrialCounts>) {
        let Some(case) = self.cases.get_mut(place) else { return };
        let counts = [candidate, baseline].into_iter().flatten().filter(|counts| counts.of > 0);
        let (passed, trials) =
            counts.fold((0, 0), |(passed, of), counts| (passed + counts.passed, of + counts.of));
        if trials == 0 {
            return;
        }
        case.reports += 1;
        case.passed += passed;
        case.trials += trials;
        case.flickering += usize::from(
            candidate.zip(baseline).is_some_and(|(one, other)| one.flickers() && other.flickers()),
        );
    }

    /// Counts a report in which the case at a place is another one.
    pub fn add_changed(&mut self, place: usize) {
        if let Some(case) = self.cases.get_mut(place) {
            case.changed += 1;
        }
    }

    /// Number of reports.
    pub fn reports(&self) -> usize {
        self.reports
    }

    /// Number of distinct variants in them.
    pub fn variants(&self) -> usize {
        self.variants
    }

    /// The cases that are in any report, in dataset order.
    pub fn cases(&self) -> impl Iterator<Item = &CaseHistory> {
        self.cases.iter().filter(|case| case.reports + case.changed > 0)
    }

    /// Cases that always pass, always fail or always flicker.
    pub(super) fn findings(&self, cases: &[Case]) -> Vec<DatasetFinding> {
        if self.reports < MIN_REPORTS {
            let message = format!(
                "not enough reports: {} of {MIN_REPORTS}, so nothing is said about cases that never discriminate",
                self.reports
            );
            let help = "keep the report of each run, and name their folder with `--reports`";
            return vec![finding(DatasetCode::TooFewReports, FindingLevel::Info, message, help, cases, [])];
        }
        let places = |is_found: &dyn Fn(&CaseHistory) -> bool| -> Vec<usize> {
            let known = self.cases.iter().enumerate().filter(|(_, case)| case.reports >= MIN_REPORTS);
            known.filter(|(_, case)| is_found(case)).map(|(place, _)| place).collect()
        };
        let must_pass = |place: &usize| cases.get(*place).is_some_and(|case| case.must_pass);
        let known = places(&|_| true);
        let guards = known.iter().filter(|place| must_pass(place)).count();
        let mut passing = places(&|case| case.passed == case.trials);
        passing.retain(|place| !must_pass(place));
        let failing = places(&|case| case.passed == 0);
        let flickering = places(&|case| case.flickering * 2 >= case.reports);
        let evidence = format!(
            "in {} with {}",
            counted(self.reports as u64, "report"),
            counted(self.variants as u64, "variant")
        );
        let mut findings = Vec::new();
        let open = known.len() - guards;
        if !passing.is_empty() {
            let level = match passing.len() * 2 > open {
                true => FindingLevel::Warning,
                false => FindingLevel::Info,
            };
            let message = format!(
                "{} of {} that need not pass ({}) always passed, {evidence}",
                passing.len(),
                counted(open as u64, "case"),
                percent(passing.len(), open)
            );
            let help =
                "replace some by harder ones: a case that every prompt passes cannot tell two prompts apart";
            findings.push(finding(DatasetCode::AlwaysPasses, level, message, help, cases, passing));
        }
        if !failing.is_empty() {
            let message = format!("{} always failed, {evidence}", counted(failing.len() as u64, "case"));
            let help = "read an answer with `promptgate case ID`: the reference answer or a check may be wrong, or the case \
                        too hard";
            findings.push(finding(
                DatasetCode::AlwaysFails,
                FindingLevel::Warning,
                message,
                help,
                cases,
                failing,
            ));
        }
        if !flickering.is_empty() {
            let message = format!(
                "{} passed and failed with both variants in at least half of their reports, {evidence}",
                counted(flickering.len() as u64, "case")
            );
            let help = "make the question or the reference answer clearer: such a case adds noise";
            findings.push(finding(
                DatasetCode::AlwaysFlickers,
                FindingLevel::Warning,
                message,
                help,
                cases,
                flickering,
            ));
        }
        findings
    }
}
