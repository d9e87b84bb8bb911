//! Passing and failing trials, and the criteria that count them: `must_pass` cases and broken cases.

use crate::model::{
    Analysis, CRITERIA, Cell, Criterion, CriterionVerdict, Matrix, MetricKind, MetricScores, Policy,
    Requirement, Role,
};

use super::evidence::{EXACT, Evidence, literal_verdict};
use super::fill::Fill;
use crate::stats::fisher_p_worse;

/// Trials of one case by one variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// Trials that pass.
    pub(super) passed: usize,
    /// Trials that fail.
    pub(super) failed: usize,
    /// Trials that are undecided because a grade is missing.
    pub(super) open: usize,
    /// Trials that do not count because a metric was settled before them.
    pub(super) excluded: usize,
}

impl Tally {
    /// Trials that count.
    pub(super) fn counted(self) -> usize {
        self.passed + self.failed + self.open
    }

    /// Trials that passed, of those that passed or failed; `None` if there are none.
    pub(super) fn passes(self) -> Option<(usize, usize)> {
        let decided = self.passed + self.failed;
        (decided > 0).then_some((self.passed, decided))
    }

    /// Whether some trials pass and some fail.
    pub(super) fn is_flaky(self) -> bool {
        self.passed > 0 && self.failed > 0
    }

    /// Passes and fails if all open trials pass, or all fail.
    fn resolved(self, open_pass: bool) -> (usize, usize) {
        if open_pass {
            (self.passed + self.open, self.failed)
        } else {
            (self.passed, self.failed + self.open)
        }
    }
}

/// The trials of every case, counted by whether they pass: all checks are 1, and each judged metric reaches its own
/// minimum.
#[derive(Debug)]
pub(super) struct TrialTallies {
    /// Index of each required metric, and the score that passes.
    required: Vec<(usize, f64)>,
    /// By case.
    candidate: Vec<Tally>,
    /// By case; `None` without a baseline.
    baseline: Option<Vec<Tally>>,
}

impl TrialTallies {
    /// Counts the trials of a run.
    pub(super) fn new(analysis: &Analysis, policy: &Policy, gaps_from_fail_fast: bool) -> Self {
        let required = |(index, metric): (usize, &MetricScores)| {
            Some((index, passing_score(policy, &metric.name, metric.kind)?))
        };
        let required: Vec<(usize, f64)> = analysis.metrics.iter().enumerate().filter_map(required).collect();
        let tallies = |role| {
            (0..analysis.cases.len())
                .map(|case| tally(analysis, &required, role, case, gaps_from_fail_fast))
                .collect()
        };
        let baseline = analysis.has_baseline.then(|| tallies(Role::Baseline));
        Self { candidate: tallies(Role::Candidate), baseline, required }
    }

    /// The candidate's trials of a case.
    pub(super) fn candidate(&self, case: usize) -> Tally {
        self.candidate.get(case).copied().unwrap_or_default()
    }

    /// The baseline's trials of a case; `None` without a baseline.
    pub(super) fn baseline(&self, case: usize) -> Option<Tally> {
        self.baseline.as_ref().and_then(|tallies| tallies.get(case)).copied()
    }

    /// Whether any trial passes or fails.
    pub(super) fn any_decided(&self) -> bool {
        self.candidate.iter().chain(self.baseline.iter().flatten()).any(|tally| tally.passes().is_some())
    }

    /// Open trials of a case, or of all cases and both variants.
    pub(super) fn open(&self, case: Option<usize>) -> usize {
        match case {
            Some(case) => self.candidate(case).open,
            None => {
                let all = self.candidate.iter().chain(self.baseline.iter().flatten());
                all.map(|tally| tally.open).sum()
            }
        }
    }

    /// The required metrics that some candidate trial of a case fails, as indices.
    pub(super) fn failing_metrics<'a>(
        &'a self,
        analysis: &'a Analysis,
        case: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        self.required.iter().filter_map(move |&(index, required)| {
            let row = role_row(analysis, index, Role::Candidate, case)?;
            let fails = row.iter().any(|cell| cell.value().is_some_and(|score| score < required - EXACT));
            fails.then_some(index)
        })
    }

    /// Whether every trial of the baseline passes and every trial of the candidate fails, if the open trials of
    /// (candidate, baseline) all pass or all fail.
    pub(super) fn is_broken(&self, case: usize, open_pass: (bool, bool)) -> bool {
        let (our_passes, our_fails) = self.candidate(case).resolved(open_pass.0);
        let (their_passes, their_fails) = self.baseline(case).unwrap_or_default().resolved(open_pass.1);
        our_passes == 0 && our_fails > 0 && their_fails == 0 && their_passes > 0
    }

    /// Whether every trial of the candidate passes and every trial of the baseline fails, without open trials.
    pub(super) fn is_fixed(&self, case: usize) -> bool {
        let (ours, theirs) = (self.candidate(case), self.baseline(case).unwrap_or_default());
        ours.passed > 0
            && ours.failed + ours.open == 0
            && theirs.failed > 0
            && theirs.passed + theirs.open == 0
    }
}

/// The score with which a trial passes on a metric: its minimum, without one 1 on a check and on the criteria of a case; `None`
/// where any score passes.
pub fn passing_score(policy: &Policy, metric: &str, kind: MetricKind) -> Option<f64> {
    let minimum = |criterion: &Criterion| match criterion.requirement {
        _ if criterion.metric != metric || criterion.tag.is_some() => None,
        Requirement::Minimum { value } => Some(value),
        Requirement::EveryTrial => Some(1.0),
        _ => None,
    };
    let highest = || policy.criteria.iter().filter_map(minimum).reduce(f64::max);
    match kind {
        // A check that passes or fails gives 1 or 0, which any minimum above 0 separates.
        MetricKind::Check => Some(highest().filter(|minimum| *minimum > 0.0).unwrap_or(1.0)),
        // The criteria of a case are requirements of its author: without a minimum, all of them count.
        MetricKind::Judge => highest().or((metric == CRITERIA).then_some(1.0)),
        _ => None,
    }
}

/// The row of a metric for a role. A shared case has the candidate's row for both roles.
pub(super) fn role_row(analysis: &Analysis, metric: usize, role: Role, case: usize) -> Option<&[Cell]> {
    let scores = &analysis.metrics.get(metric)?.scores;
    let shared = analysis.cases.get(case).is_some_and(|facts| facts.shared);
    let matrix: &Matrix =
        if role == Role::Candidate || shared { &scores.candidate } else { scores.baseline.as_ref()? };
    matrix.row(case)
}

/// Counts the trials of one case. Whether a trial counts must not depend on whether it passes: otherwise, trials that fail
/// another metric would count and trials that pass it would not, and the pass rate would sink with every look.
fn tally(
    analysis: &Analysis,
    required: &[(usize, f64)],
    role: Role,
    case: usize,
    gaps_from_fail_fast: bool,
) -> Tally {
    let mut tally = Tally::default();
    for repeat in 0..analysis.repeats as usize {
        let (mut graded, mut failed, mut open, mut excluded) = (false, false, false, false);
        for (metric, required) in required {
            match role_row(analysis, *metric, role, case).and_then(|row| row.get(repeat)) {
                Some(Cell::Value(score)) => {
                    graded = true;
                    failed |= *score < required - EXACT;
                }
                Some(Cell::Missing) => open = true,
                Some(Cell::NotAsked) if gaps_from_fail_fast => open = true,
                // The metric was settled before this repeat.
                Some(Cell::NotAsked) => excluded = true,
                None => {}
            }
        }
        if excluded {
            tally.excluded += 1;
        } else if failed {
            tally.failed += 1;
        } else if open {
            tally.open += 1;
        } else if graded {
            tally.passed += 1;
        }
    }
    tally
}

/// The method of a `must_pass` case that passes because it flickers in both variants alike.
pub(super) const FLAKY: &str = "flaky";

/// The one-sided level at which the candidate passes a flickering case less often than the baseline.
const LESS_OFTEN: f64 = 0.05;

/// The evidence on a `must_pass` case: pass if all its trials pass, fail if fewer than half do. Unless it is `strict`, a
/// case that flickers with the baseline too passes as flaky if the candidate is not shown to pass less often.
pub(super) fn must_pass(tallies: &TrialTallies, case: usize, fill: Fill, strict: bool) -> Evidence {
    let tally = tallies.candidate(case);
    if tallies.required.is_empty() || tally.counted() == 0 {
        return Evidence::none(1.0);
    }
    let (passed, failed) = tally.resolved(fill == Fill::Best);
    let (their_passes, their_failures) =
        tallies.baseline(case).unwrap_or_default().resolved(fill == Fill::Worst);
    let flickers = passed > 0 && failed > 0 && their_passes > 0 && their_failures > 0;
    if flickers
        && !strict
        && fisher_p_worse(passed, passed + failed, their_passes, their_passes + their_failures) > LESS_OFTEN
    {
        let share = passed as f64 / (passed + failed) as f64;
        let flaky = Evidence::literal(share, 1.0, CriterionVerdict::Pass);
        return Evidence { method: FLAKY.to_owned(), ..flaky };
    }
    let verdict = if failed == 0 {
        CriterionVerdict::Pass
    } else if passed * 2 < passed + failed {
        CriterionVerdict::Fail
    } else {
        CriterionVerdict::Inconclusive
    };
    Evidence::literal(passed as f64 / (passed + failed) as f64, 1.0, verdict)
}

/// The evidence on the number of broken cases, which must be at most `max`.
pub(super) fn broken_cases(tallies: &TrialTallies, max: usize, fill: Fill) -> Evidence {
    if tallies.required.is_empty() || tallies.baseline.is_none() || tallies.candidate.is_empty() {
        return Evidence::none(max as f64);
    }
    let open_pass = if fill == Fill::Worst { (false, true) } else { (true, false) };
    let broken = (0..tallies.candidate.len()).filter(|case| tallies.is_broken(*case, open_pass)).count();
    Evidence::literal(broken as f64, max as f64, literal_verdict(broken <= max))
}
