//! Cases that changed by more than noise explains.
//!
//! A single case has few trials, so that its own spread says little about its noise. The noise of all cases is pooled
//! (Smyth 2004): the variance of a score of a case is the mean of its own and of the other cases', weighted by degrees of
//! freedom. A change of each case is tested two-sided against that. Pooling makes a noisy case among quiet ones look more
//! certain than it is, so its p is at least the share of statistics as large when the scores of every case are assigned to
//! the variants in other ways (Tusher, Tibshirani and Chu 2001). The share of false alarms is controlled over all cases
//! (Benjamini and Hochberg 1995). Without repeats nothing tells noise from change, and nothing is tested.

use crate::model::{Analysis, Cell, MetricScores, Role};
use crate::stats::{VarianceFloor, benjamini_hochberg, mean, normal_cdf, student_t_cdf};

use super::case_chance::ChanceStatistics;
use super::case_pair::Pair;

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

/// Returns for each case the change that noise does not explain: the most certain loss, or without a loss the most certain
/// gain. `compared` are the metrics that count for each case; a shared case cannot change.
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
    let tests: Vec<(f64, f64)> = pairs.iter().map(|(_, pair)| noise.test(pair)).collect();
    // A case above that cannot count as changed, so its p needs no more care.
    let in_question = tests.iter().filter(|(_, p)| *p <= FALSE_DISCOVERIES).map(|(statistic, _)| *statistic);
    let chance = ChanceStatistics::new(&pairs, &noise, in_question.fold(f64::INFINITY, f64::min));
    let p = |(statistic, p): &(f64, f64)| p.max(chance.share_of_at_least(*statistic));
    pairs.iter().zip(&tests).map(|((case, pair), test)| (*case, pair.difference, p(test))).collect()
}

/// The noise of single scores over all cases.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise {
    /// Sum of squares within cases and variants, and what is assumed.
    squares: f64,
    /// Its degrees of freedom.
    freedom: f64,
    /// Whether every score of the metric is 0 or 1.
    is_binary: bool,
}

impl Noise {
    /// `assumed` is the variance of a score before any is seen.
    pub(super) fn new(pairs: &[(usize, Pair)], assumed: f64) -> Self {
        let pairs = || pairs.iter().map(|(_, pair)| pair);
        let (mut squares, mut freedom) = (ASSUMED_FREEDOM * assumed, ASSUMED_FREEDOM);
        for pair in pairs() {
            squares += pair.within;
            freedom += pair.freedom_within();
        }
        Self { squares, freedom, is_binary: pairs().all(|pair| pair.is_binary) }
    }

    /// The size of the change in units of its noise, and the two-sided p of "the case did not change".
    fn test(&self, pair: &Pair) -> (f64, f64) {
        if pair.difference.abs() <= EXACT || pair.freedom_within() == 0.0 {
            return (0.0, 1.0);
        }
        let statistic = self.of_case(pair).statistic(pair.difference, pair.within);
        let tail = if self.is_binary {
            normal_cdf(-statistic)
        } else {
            student_t_cdf(-statistic, self.weight(pair) + pair.freedom_within())
        };
        (statistic, (2.0 * tail).min(1.0))
    }

    /// The noise of a case.
    pub(super) fn of_case<'a>(&self, pair: &'a Pair) -> CaseNoise<'a> {
        let weight = self.weight(pair);
        let others = (self.squares - pair.within).max(0.0) / (self.freedom - pair.freedom_within());
        CaseNoise { pair, weight, squares: weight * others, is_binary: self.is_binary }
    }

    /// The degrees of freedom of the other cases in the variance of a case.
    fn weight(&self, pair: &Pair) -> f64 {
        (self.freedom - pair.freedom_within()).min(POOLED_FREEDOM)
    }
}

/// The noise of the scores of a case.
pub(super) struct CaseNoise<'a> {
    pair: &'a Pair,
    /// The degrees of freedom of the other cases.
    weight: f64,
    /// Their sum of squares.
    squares: f64,
    is_binary: bool,
}

impl CaseNoise<'_> {
    /// The size of this difference in units of its noise, where `within` is the sum of squares within the variants.
    pub(super) fn statistic(&self, difference: f64, within: f64) -> f64 {
        // The variance of a 0/1 score follows from its share, so three equal trials do not show that there is none: the
        // share is that of both variants, as in a score test.
        let (own, freedom) = if self.is_binary {
            (self.pair.total, self.pair.trials - 1.0)
        } else {
            (within, self.pair.freedom_within())
        };
        let variance = (self.squares + own) / (self.weight + freedom);
        difference.abs() / (variance * self.pair.factor).sqrt()
    }
}
