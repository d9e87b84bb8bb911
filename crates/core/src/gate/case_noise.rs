//! Cases that changed by more than noise explains.
//!
//! A single case has few trials, so that its own spread says little about its noise. The noise of all cases is pooled
//! (Smyth 2004): the variance of a score of a case is the mean of its own and of the other cases', weighted by degrees of
//! freedom. A change of each case is tested two-sided against that, and the share of false alarms is controlled over all
//! cases (Benjamini and Hochberg 1995).

use crate::model::{Analysis, Cell, MetricScores, Role};
use crate::stats::{VarianceFloor, benjamini_hochberg, mean, normal_cdf, student_t_cdf};

use super::evidence::EXACT;
use super::trials::role_row;

/// The expected share of cases without a change among those that count as changed.
const FALSE_DISCOVERIES: f64 = 0.1;

/// Weight of the other cases' variance in that of a case, in degrees of freedom: as much as the case itself has at three
/// repeats of each variant.
const POOLED_FREEDOM: f64 = 4.0;

/// Weight of the variance that is assumed before any score is seen, in degrees of freedom. Without it, a suite whose few
/// repeats happen to agree would have no noise at all.
const ASSUMED_FREEDOM: f64 = 1.0;

/// A change of a case in one metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    /// Index of the metric.
    pub(super) metric: usize,
    /// The candidate's case mean minus the baseline's.
    pub(super) difference: f64,
}

/// Returns for each case the change that noise does not explain: the most certain loss, or the most certain gain if there is no such
/// loss. `compared` are the metrics that count for each case; a shared case cannot change.
pub(super) fn changes_beyond_noise(
    analysis: &Analysis,
    resolution: f64,
    compared: impl Fn(usize, usize) -> bool,
) -> Vec<Option<Change>> {
    let mut tests: Vec<Vec<(Change, f64)>> = vec![Vec::new(); analysis.cases.len()];
    for (index, metric) in analysis.metrics.iter().enumerate() {
        for (case, difference, p) in metric_tests(analysis, index, metric, resolution, &compared) {
            tests[case].push((Change { metric: index, difference }, p));
        }
    }
    // Bonferroni's correction over the metrics of a case, then the correction over cases.
    for of_case in &mut tests {
        let metrics = of_case.len() as f64;
        of_case.iter_mut().for_each(|(_, p)| *p = (*p * metrics).min(1.0));
    }
    let smallest = |of_case: &Vec<(Change, f64)>| of_case.iter().map(|(_, p)| *p).reduce(f64::min);
    let tested: Vec<f64> = tests.iter().filter_map(smallest).collect();
    let adjusted = benjamini_hochberg(&tested);
    let rejected = tested.iter().zip(&adjusted).filter(|(_, adjusted)| **adjusted <= FALSE_DISCOVERIES);
    let threshold = rejected.map(|(p, _)| *p).fold(f64::NEG_INFINITY, f64::max);
    tests.iter().map(|of_case| most_certain(of_case, threshold)).collect()
}

/// The most certain loss with a p of at most `threshold`, otherwise the most certain gain.
fn most_certain(tests: &[(Change, f64)], threshold: f64) -> Option<Change> {
    let certain = tests.iter().filter(|(change, p)| *p <= threshold && change.difference.abs() > EXACT);
    certain
        .min_by(|(one, one_p), (other, other_p)| {
            let is_gain = |change: &Change| change.difference > 0.0;
            is_gain(one)
                .cmp(&is_gain(other))
                .then(one_p.total_cmp(other_p))
                .then(other.difference.abs().total_cmp(&one.difference.abs()))
        })
        .map(|(change, _)| *change)
}

/// The two-sided p of "the case did not change" in one metric, by case, with the difference.
fn metric_tests(
    analysis: &Analysis,
    index: usize,
    metric: &MetricScores,
    resolution: f64,
    compared: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, f64, f64)> {
    let values = |role, case| -> Vec<f64> {
        let row = role_row(analysis, index, role, case).unwrap_or_default();
        let values: Vec<f64> = row.iter().copied().filter_map(Cell::value).collect();
        // Copies of one answer are one score.
        if analysis.repeats_cached && !values.is_empty() { vec![mean(&values)] } else { values }
    };
    let pairs: Vec<(usize, Pair)> = (0..analysis.cases.len())
        .filter(|&case| !analysis.cases[case].shared && compared(index, case))
        .filter_map(|case| {
            Some((case, Pair::new(&values(Role::Candidate, case), &values(Role::Baseline, case))?))
        })
        .collect();
    if metric.is_deterministic() {
        // Nothing but the change can move a score.
        let p = |pair: &Pair| if pair.difference.abs() > EXACT { 0.0 } else { 1.0 };
        return pairs.iter().map(|(case, pair)| (*case, pair.difference, p(pair))).collect();
    }
    let noise = Noise::new(&pairs, VarianceFloor::new(resolution).variance());
    pairs.iter().map(|(case, pair)| (*case, pair.difference, noise.p(pair))).collect()
}

/// The scores of a case by both variants.
#[derive(Debug, Clone, Copy)]
struct Pair {
    difference: f64,
    /// Trials of both variants.
    trials: f64,
    /// The variance of the difference in units of the variance of one score: 1 / n + 1 / m.
    factor: f64,
    /// Sum of squares around the mean of each variant.
    within: f64,
    /// Sum of squares around the mean of both variants together.
    total: f64,
    /// Whether every score is 0 or 1.
    is_binary: bool,
}

impl Pair {
    /// `None` where a variant has no score.
    fn new(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        if ours.is_empty() || theirs.is_empty() {
            return None;
        }
        let squares = |values: &[f64]| {
            let centre = mean(values);
            values.iter().map(|value| (value - centre).powi(2)).sum::<f64>()
        };
        let both: Vec<f64> = ours.iter().chain(theirs).copied().collect();
        Some(Self {
            difference: mean(ours) - mean(theirs),
            trials: both.len() as f64,
            factor: 1.0 / ours.len() as f64 + 1.0 / theirs.len() as f64,
            within: squares(ours) + squares(theirs),
            total: squares(&both),
            is_binary: both.iter().all(|score| *score == 0.0 || *score == 1.0),
        })
    }

    fn freedom_within(&self) -> f64 {
        self.trials - 2.0
    }

    /// Evidence of the case about the noise of single scores: a sum of squares and its degrees of freedom. Without repeats,
    /// that is its difference itself.
    fn pooled(&self, by_differences: bool) -> (f64, f64) {
        if by_differences {
            (self.difference.powi(2) / self.factor, 1.0)
        } else {
            (self.within, self.freedom_within())
        }
    }
}

/// The noise of single scores over all cases.
#[derive(Debug, Clone, Copy)]
struct Noise {
    /// Sum of squares within cases and variants, and what is assumed.
    squares: f64,
    /// Its degrees of freedom.
    freedom: f64,
    /// Whether no case has repeats, so that the spread of all differences around 0 is the only sign of noise.
    by_differences: bool,
    /// Whether every score of the metric is 0 or 1.
    is_binary: bool,
}

impl Noise {
    /// `assumed` is the variance of a score before any is seen.
    fn new(pairs: &[(usize, Pair)], assumed: f64) -> Self {
        let pairs = || pairs.iter().map(|(_, pair)| pair);
        let by_differences = pairs().all(|pair| pair.freedom_within() == 0.0);
        let (mut squares, mut freedom) = (ASSUMED_FREEDOM * assumed, ASSUMED_FREEDOM);
        for pair in pairs() {
            let (own_squares, own_freedom) = pair.pooled(by_differences);
            squares += own_squares;
            freedom += own_freedom;
        }
        Self { squares, freedom, by_differences, is_binary: pairs().all(|pair| pair.is_binary) }
    }

    /// The two-sided p of "the case did not change".
    fn p(&self, pair: &Pair) -> f64 {
        if pair.difference.abs() <= EXACT {
            return 1.0;
        }
        let (pooled_squares, pooled_freedom) = pair.pooled(self.by_differences);
        let other_freedom = self.freedom - pooled_freedom;
        let others = (self.squares - pooled_squares).max(0.0) / other_freedom;
        let weight = other_freedom.min(POOLED_FREEDOM);
        // The variance of a 0/1 score follows from its share, so three equal trials do not show that there is none: the
        // share is that of both variants, as in a score test.
        let (own, freedom) = if self.is_binary {
            (pair.total, pair.trials - 1.0)
        } else {
            (pair.within, pair.freedom_within())
        };
        let variance = (weight * others + own) / (weight + freedom);
        let z = pair.difference.abs() / (variance * pair.factor).sqrt();
        let tail = if self.is_binary { normal_cdf(-z) } else { student_t_cdf(-z, weight + freedom) };
        (2.0 * tail).min(1.0)
    }
}
