//! Trials that pass or fail, and what became of each case.

use crate::model::{Analysis, CaseStatus, CaseSummary, Cell, CriterionVerdict, Matrix, MetricKind, Role};
use crate::stats::mean;

use super::evidence::{EXACT, Evidence, literally};
use super::fill::Fill;
use super::{Criterion, Policy, Requirement};

/// Trials of one case by one variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// Trials that pass.
    pub(super) passed: usize,
    /// Trials that fail.
    pub(super) failed: usize,
    /// Trials that a missing grade leaves open.
    pub(super) open: usize,
    /// Trials that say nothing either way: by design, a metric was not asked about them.
    pub(super) silent: usize,
}

impl Tally {
    /// Trials that count: all but those that say nothing.
    pub(super) fn counted(self) -> usize {
        self.passed + self.failed + self.open
    }

    /// Passes and fails once the open trials are settled.
    fn settled(self, open_pass: bool) -> (usize, usize) {
        if open_pass {
            (self.passed + self.open, self.failed)
        } else {
            (self.passed, self.failed + self.open)
        }
    }
}

/// What a trial has to reach, and how the trials of every case did.
#[derive(Debug)]
pub(super) struct Passing {
    /// Metric index and the score that passes.
    demands: Vec<(usize, f64)>,
    /// By case.
    candidate: Vec<Tally>,
    /// By case; `None` without a baseline.
    baseline: Option<Vec<Tally>>,
}

impl Passing {
    /// Tells for each trial whether all its checks are 1 and each judged metric reaches its own minimum.
    pub(super) fn new(analysis: &Analysis, policy: &Policy, gaps_from_fail_fast: bool) -> Self {
        let minimum = |name: &str| {
            let minima = policy.criteria.iter().filter_map(|criterion| match criterion.requirement {
                Requirement::Minimum { value: minimum }
                    if criterion.metric == name && criterion.tag.is_none() =>
                {
                    Some(minimum)
                }
                Requirement::EveryTrial if criterion.metric == name && criterion.tag.is_none() => Some(1.0),
                _ => None,
            });
            minima.reduce(f64::max)
        };
        let demand = |(index, metric): (usize, &crate::model::MetricScores)| match metric.kind {
            MetricKind::Check => Some((index, 1.0)),
            MetricKind::Judge => minimum(&metric.name).map(|minimum| (index, minimum)),
            _ => None,
        };
        let demands: Vec<(usize, f64)> = analysis.metrics.iter().enumerate().filter_map(demand).collect();
        let tallies = |role| {
            (0..analysis.cases.len())
                .map(|case| tally(analysis, &demands, role, case, gaps_from_fail_fast))
                .collect()
        };
        let baseline = analysis.has_baseline.then(|| tallies(Role::Baseline));
        Self { candidate: tallies(Role::Candidate), baseline, demands }
    }

    /// Whether nothing says what a passing trial is.
    fn demands_nothing(&self) -> bool {
        self.demands.is_empty()
    }

    /// Whether every trial of the baseline passes and every one of the candidate fails.
    fn broken(&self, case: usize, open: (bool, bool)) -> bool {
        let ours = self.candidate.get(case).copied().unwrap_or_default();
        let theirs =
            self.baseline.as_ref().and_then(|tallies| tallies.get(case)).copied().unwrap_or_default();
        let (our_passes, our_fails) = ours.settled(open.0);
        let (their_passes, their_fails) = theirs.settled(open.1);
        our_passes == 0 && our_fails > 0 && their_fails == 0 && their_passes > 0
    }

    fn fixed(&self, case: usize) -> bool {
        let ours = self.candidate.get(case).copied().unwrap_or_default();
        let theirs =
            self.baseline.as_ref().and_then(|tallies| tallies.get(case)).copied().unwrap_or_default();
        ours.passed > 0
            && ours.failed + ours.open == 0
            && theirs.failed > 0
            && theirs.passed + theirs.open == 0
    }
}

/// A row of a metric for a role; of a shared case the candidate's on both sides.
fn row(analysis: &Analysis, metric: usize, role: Role, case: usize) -> Option<&[Cell]> {
    let scores = &analysis.metrics.get(metric)?.scores;
    let shared = analysis.cases.get(case).is_some_and(|facts| facts.shared);
    let matrix: &Matrix =
        if role == Role::Candidate || shared { &scores.candidate } else { scores.baseline.as_ref()? };
    matrix.row(case)
}

/// How the trials of one case did. Whether a trial counts must not depend on how it did: were one that fails another
/// metric counted, and one that passes it left out, the share that passes would sink with every look.
fn tally(
    analysis: &Analysis,
    demands: &[(usize, f64)],
    role: Role,
    case: usize,
    gaps_from_fail_fast: bool,
) -> Tally {
    let mut tally = Tally::default();
    for repeat in 0..analysis.repeats as usize {
        let (mut graded, mut failed, mut open, mut silent) = (false, false, false, false);
        for (metric, demanded) in demands {
            match row(analysis, *metric, role, case).and_then(|row| row.get(repeat)) {
                Some(Cell::Value(score)) => {
                    graded = true;
                    failed |= *score < demanded - EXACT;
                }
                Some(Cell::Missing) => open = true,
                Some(Cell::NotAsked) if gaps_from_fail_fast => open = true,
                // A metric that was settled before this repeat.
                Some(Cell::NotAsked) => silent = true,
                None => {}
            }
        }
        if silent {
            tally.silent += 1;
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

/// A `must_pass` case: pass when all its trials do, fail when fewer than half do.
pub(super) fn must_pass(passing: &Passing, case: usize, fill: Fill) -> Evidence {
    let tally = trials(passing, case);
    if passing.demands_nothing() || tally.counted() == 0 {
        return Evidence::none(1.0);
    }
    let (passed, failed) = tally.settled(fill == Fill::Best);
    let verdict = if failed == 0 {
        CriterionVerdict::Pass
    } else if passed * 2 < passed + failed {
        CriterionVerdict::Fail
    } else {
        CriterionVerdict::Inconclusive
    };
    Evidence::literal(passed as f64 / (passed + failed) as f64, 1.0, verdict)
}

/// At most `max` cases are broken.
pub(super) fn broken_cases(passing: &Passing, max: usize, fill: Fill) -> Evidence {
    if passing.demands_nothing() || passing.baseline.is_none() || passing.candidate.is_empty() {
        return Evidence::none(max as f64);
    }
    let open = if fill == Fill::Worst { (false, true) } else { (true, false) };
    let broken = (0..passing.candidate.len()).filter(|case| passing.broken(*case, open)).count();
    Evidence::literal(broken as f64, max as f64, literally(broken <= max))
}

/// The candidate's trials of a case.
pub(super) fn trials(passing: &Passing, case: usize) -> Tally {
    passing.candidate.get(case).copied().unwrap_or_default()
}

/// Trials that a missing grade leaves open, over the case or over all.
pub(super) fn open_trials(passing: &Passing, case: Option<usize>) -> usize {
    match case {
        Some(case) => trials(passing, case).open,
        None => {
            let all = passing.candidate.iter().chain(passing.baseline.iter().flatten());
            all.map(|tally| tally.open).sum()
        }
    }
}

/// Whether a criterion gates this metric, for some case at least.
fn gates(criterion: &Criterion, metric: &str) -> bool {
    let quality = matches!(
        criterion.requirement,
        Requirement::Minimum { .. } | Requirement::EveryTrial | Requirement::NotWorse { .. }
    );
    quality && criterion.metric == metric
}

/// What the statuses of all cases have in common, found once: a criterion per case is no rarity.
struct Measures<'a> {
    analysis: &'a Analysis,
    /// The shortfall that a case is allowed before it counts as regressed.
    resolution: f64,
    /// Indices of the checks and judged metrics.
    quality: Vec<usize>,
    /// By metric index, the criteria that gate it.
    gating: Vec<Vec<&'a Criterion>>,
}

impl Measures<'_> {
    /// Whether a criterion gates this metric for this case.
    fn gated(&self, metric: usize, case: usize) -> bool {
        let tags = &self.analysis.cases[case].tags;
        self.gating[metric]
            .iter()
            .any(|criterion| criterion.tag.as_ref().is_none_or(|tag| tags.iter().any(|own| own == tag)))
    }

    /// The candidate's mean of a case less the baseline's; `None` where a side has no value.
    fn difference(&self, metric: usize, case: usize) -> Option<f64> {
        let ours = row_mean(row(self.analysis, metric, Role::Candidate, case));
        let theirs = row_mean(row(self.analysis, metric, Role::Baseline, case));
        ours.zip(theirs).map(|(ours, theirs)| ours - theirs)
    }
}

/// The status of every case.
pub(super) fn statuses(analysis: &Analysis, policy: &Policy, passing: &Passing) -> Vec<CaseSummary> {
    let quality: Vec<usize> = (0..analysis.metrics.len())
        .filter(|index| matches!(analysis.metrics[*index].kind, MetricKind::Check | MetricKind::Judge))
        .collect();
    let gating: Vec<Vec<&Criterion>> = analysis
        .metrics
        .iter()
        .map(|metric| policy.criteria.iter().filter(|criterion| gates(criterion, &metric.name)).collect())
        .collect();
    let measures = Measures { analysis, resolution: policy.resolution, quality, gating };
    (0..analysis.cases.len()).map(|case| status(&measures, passing, case)).collect()
}

fn status(measures: &Measures<'_>, passing: &Passing, case: usize) -> CaseSummary {
    let Measures { analysis, quality, .. } = measures;
    let mut missing = false;
    let mut largest: Option<(&str, f64)> = None;
    for &index in quality {
        let metric = &analysis.metrics[index];
        let ours = row(analysis, index, Role::Candidate, case);
        let theirs = row(analysis, index, Role::Baseline, case);
        let lacks = |row: Option<&[Cell]>| row.is_some_and(|row| row.contains(&Cell::Missing));
        missing |= lacks(ours) || lacks(theirs);
        if let Some(difference) = measures.difference(index, case)
            && measures.gated(index, case)
            && difference.abs() > EXACT
        {
            // A loss goes before any gain, and the larger one before the smaller.
            let ahead = largest.is_none_or(|(_, so_far)| {
                if so_far < 0.0 { difference < so_far } else { difference < 0.0 || difference > so_far }
            });
            if ahead {
                largest = Some((&metric.name, difference));
            }
        }
    }
    let failing = passing.demands.iter().filter_map(|&(index, demanded)| {
        let row = row(analysis, index, Role::Candidate, case)?;
        let fails = row.iter().any(|cell| cell.value().is_some_and(|score| score < demanded - EXACT));
        fails.then(|| analysis.metrics[index].name.clone())
    });
    let ours = passing.candidate.get(case).copied().unwrap_or_default();
    let theirs = passing.baseline.as_ref().and_then(|tallies| tallies.get(case)).copied();
    let flaky = |tally: Tally| tally.passed > 0 && tally.failed > 0;
    // Rounding must not make a loss of exactly the resolution more than it.
    let beyond = measures.resolution + EXACT;
    let status = if missing {
        CaseStatus::Missing
    } else if passing.broken(case, (true, false)) {
        CaseStatus::Broken
    } else if passing.fixed(case) {
        CaseStatus::Fixed
    } else if largest.is_some_and(|(_, difference)| difference < -beyond) {
        CaseStatus::Regressed
    } else if largest.is_some_and(|(_, difference)| difference > beyond) || gained(measures, case, beyond) {
        CaseStatus::Improved
    } else if flaky(ours) || theirs.is_some_and(flaky) {
        CaseStatus::Flaky
    } else {
        CaseStatus::Same
    };
    let told = |tally: Tally| {
        let known = tally.passed + tally.failed;
        (known > 0).then_some((tally.passed, known))
    };
    CaseSummary {
        status,
        candidate_passes: told(ours),
        baseline_passes: theirs.and_then(told),
        largest_difference: largest.map(|(metric, difference)| (metric.to_owned(), difference)),
        failing: failing.collect(),
    }
}

/// Whether a gated metric won more than the resolution, also where another one lost a little.
fn gained(measures: &Measures<'_>, case: usize, beyond: f64) -> bool {
    measures.quality.iter().any(|&index| {
        measures.difference(index, case).is_some_and(|difference| difference > beyond)
            && measures.gated(index, case)
    })
}

/// The mean of the values in a row; `None` where there are none.
fn row_mean(row: Option<&[Cell]>) -> Option<f64> {
    let values: Vec<f64> = row?.iter().filter_map(|cell| cell.value()).collect();
    (!values.is_empty()).then(|| mean(&values))
}
