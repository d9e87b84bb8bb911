//! Estimates with their standard errors, and score tests of 0/1 answers.

use super::describe::{clamp_variance, mean, sample_variance, sum};
use super::{Repeated, normal_cdf};

/// Rounding error of a score.
const ROUNDED: f64 = 1e-12;

/// An estimate with its standard error and degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub mean: f64,
    /// Its standard error; 0 without noise, infinite if unknown.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error; infinite without noise.
    pub degrees_of_freedom: f64,
}

impl Estimate {
    /// The mirror image, for requirements of the form "at most".
    #[must_use]
    pub fn negated(self) -> Self {
        Self { mean: -self.mean, ..self }
    }
}

/// Sums of v and v^2 / (k - 1) over cases and sides, where v is the variance of a row mean.
#[derive(Default)]
struct Noise {
    variance: f64,
    squares: f64,
    unknown: bool,
}

impl Noise {
    /// Adds the variance of the mean of `row`, times `weight`.
    fn add(&mut self, row: &[f64], weight: f64) {
        self.add_at_least(row, weight, 0.0);
    }

    /// Adds the variance of the mean of `row`, times `weight`, or that of values with the variance `least` if that is
    /// larger. The latter is not estimated, so it leaves the degrees of freedom as they are.
    fn add_at_least(&mut self, row: &[f64], weight: f64, least: f64) {
        if weight == 0.0 {
            return;
        }
        if row.len() < 2 {
            self.unknown = true;
            return;
        }
        let observed = sample_variance(row);
        let variance = weight * observed.max(least) / row.len() as f64;
        self.variance += variance;
        if observed >= least {
            self.squares += variance * variance / (row.len() - 1) as f64;
        }
    }

    fn estimate(&self, mean: f64, cases: usize) -> Estimate {
        if self.unknown || cases == 0 {
            return Estimate { mean, standard_error: f64::INFINITY, degrees_of_freedom: 1.0 };
        }
        if self.variance == 0.0 {
            return Estimate { mean, standard_error: 0.0, degrees_of_freedom: f64::INFINITY };
        }
        Estimate {
            mean,
            standard_error: self.variance.sqrt() / cases as f64,
            // Infinite if no variance was estimated.
            degrees_of_freedom: self.variance * self.variance / self.squares,
        }
    }
}

/// The mean of case means, with the noise of repeats alone: SE = sqrt(sum(s2 / k)) / n, degrees of freedom
/// (sum v)^2 / sum(v^2 / (k - 1)) with v = s2 / k (Satterthwaite 1946). A row with one repeat makes the standard error
/// infinite.
pub fn suite_mean(scores: &Repeated) -> Estimate {
    suite_mean_above(scores, None)
}

/// [`suite_mean`] for a lower bound, with the variance of every case of which `floor` says so.
pub fn suite_mean_above(scores: &Repeated, floor: Option<VarianceFloor>) -> Estimate {
    let mut noise = Noise::default();
    for row in scores.rows() {
        noise.add_at_least(row, 1.0, floor.map_or(0.0, |floor| floor.if_maybe_lower(row)));
    }
    noise.estimate(mean(&scores.row_means()), scores.len())
}

/// The mean over cases of the candidate's case mean minus `factor` times the baseline's, with the noise of repeats alone,
/// as in [`suite_mean`]. A factor of 1 gives the difference. A `shared` case was answered once for both sides, so it counts
/// (1 - factor) times.
pub fn suite_contrast(candidate: &Repeated, baseline: &Repeated, shared: &[bool], factor: f64) -> Estimate {
    let mut noise = Noise::default();
    let mut contrasts = Vec::with_capacity(candidate.len());
    for (index, (ours, theirs)) in candidate.rows().zip(baseline.rows()).enumerate() {
        if shared.get(index).copied().unwrap_or(false) {
            contrasts.push((1.0 - factor) * mean(ours));
            noise.add(ours, (1.0 - factor).powi(2));
        } else {
            contrasts.push(mean(ours) - factor * mean(theirs));
            noise.add(ours, 1.0);
            noise.add(theirs, factor * factor);
        }
    }
    noise.estimate(mean(&contrasts), contrasts.len())
}

/// The difference of [`suite_contrast`] for a lower bound, with the variance of every case of which `floor` says so.
pub fn suite_difference_above(
    candidate: &Repeated,
    baseline: &Repeated,
    shared: &[bool],
    floor: VarianceFloor,
) -> Estimate {
    let mut noise = Noise::default();
    let mut differences = Vec::with_capacity(candidate.len());
    for (index, (ours, theirs)) in candidate.rows().zip(baseline.rows()).enumerate() {
        if shared.get(index).copied().unwrap_or(false) {
            differences.push(0.0);
        } else {
            differences.push(mean(ours) - mean(theirs));
            noise.add_at_least(ours, 1.0, floor.if_maybe_lower(ours));
            noise.add_at_least(theirs, 1.0, floor.if_maybe_higher(theirs));
        }
    }
    noise.estimate(mean(&differences), differences.len())
}

/// The least variance of a score in 0..=1 near the ends of the scale, where a few equal repeats do not show that there is
/// no noise: rho (1 - rho), the variance of a 0/1 score that misses its end in a share of rho.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VarianceFloor(f64);

impl VarianceFloor {
    /// The least rho, whatever the resolution: a smaller one would let less noise pass for none.
    const MIN_RHO: f64 = 0.05;

    /// The floor for the shortfall that must be ruled out.
    pub fn new(resolution: f64) -> Self {
        Self(resolution.clamp(Self::MIN_RHO, 0.5))
    }

    /// The variance of a single score.
    pub fn variance(self) -> f64 {
        self.0 * (1.0 - self.0)
    }

    /// The share of the scale that counts as its end.
    pub fn rho(self) -> f64 {
        self.0
    }

    /// The least variance of scores that may truly be lower: equal ones above 0, and those that are never below 1 - rho.
    fn if_maybe_lower(self, row: &[f64]) -> f64 {
        let lowest = row.iter().copied().fold(f64::INFINITY, f64::min);
        let applies = lowest >= 1.0 - self.0 - ROUNDED || (lowest > 0.0 && sample_variance(row) == 0.0);
        if applies { self.variance() } else { 0.0 }
    }

    /// The least variance of scores that may truly be higher: equal ones below 1, and those that are never above rho.
    fn if_maybe_higher(self, row: &[f64]) -> f64 {
        let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let applies = highest <= self.0 + ROUNDED || (highest < 1.0 && sample_variance(row) == 0.0);
        if applies { self.variance() } else { 0.0 }
    }
}

/// The mean of values sampled from a larger population: SE = sd / sqrt(n), n - 1 degrees of freedom. With `clusters` (the
/// cluster index of each value, from 0) the cluster-robust standard error with the factor G / (G - 1), G - 1 degrees of
/// freedom (Liang and Zeger 1986; Miller 2024). The standard error is infinite with fewer than two values or clusters.
pub fn population_mean(values: &[f64], clusters: Option<&[usize]>) -> Estimate {
    let centre = mean(values);
    let unknown = Estimate { mean: centre, standard_error: f64::INFINITY, degrees_of_freedom: 1.0 };
    let count = values.len() as f64;
    let (variance, units) = match clusters {
        None => (sample_variance(values) / count, values.len()),
        Some(clusters) => {
            let mut totals = vec![0.0; clusters.iter().max().map_or(0, |last| last + 1)];
            for (value, &cluster) in values.iter().zip(clusters) {
                totals[cluster] += value - centre;
            }
            let groups = totals.len();
            if groups < 2 {
                return unknown;
            }
            let factor = groups as f64 / (groups - 1) as f64;
            let squares = sum(totals.iter().map(|total| total * total));
            (clamp_variance(factor * squares / (count * count)), groups)
        }
    };
    if units < 2 {
        return unknown;
    }
    let degrees_of_freedom = if variance == 0.0 { f64::INFINITY } else { (units - 1) as f64 };
    Estimate { mean: centre, standard_error: variance.sqrt(), degrees_of_freedom }
}

/// The score statistic of Tango (1998) for the difference `delta` = P(gain) - P(loss) of paired 0/1 answers;
/// it decreases as `delta` grows.
pub(super) fn tango_score(cases: usize, losses: usize, gains: usize, delta: f64) -> f64 {
    let (n, b, c) = (cases as f64, gains as f64, losses as f64);
    // Maximum likelihood estimate of the probability of a loss, given delta.
    let linear = -b - c + (2.0 * n - b + c) * delta;
    let constant = -c * delta * (1.0 - delta);
    let discriminant = (linear * linear - 8.0 * n * constant).max(0.0);
    let loss = (discriminant.sqrt() - linear) / (4.0 * n);
    let variance = n * (2.0 * loss + delta * (1.0 - delta));
    let excess = b - c - n * delta;
    if excess.abs() < 1e-12 {
        0.0
    } else if variance <= 1e-15 {
        excess.signum() * f64::INFINITY
    } else {
        excess / variance.sqrt()
    }
}

/// One-sided p of "the difference of paired 0/1 answers is below `delta`", by the score of Tango (1998).
pub fn tango_p_worse(cases: usize, losses: usize, gains: usize, delta: f64) -> f64 {
    normal_cdf(tango_score(cases, losses, gains, delta))
}

/// One-sided p of "the share is below `required`", by the score test that Wilson's interval inverts (Wilson 1927). Any
/// failure misses a requirement of 1, nothing misses one of 0.
pub fn proportion_p_below(successes: usize, trials: usize, required: f64) -> f64 {
    if trials == 0 || required <= 0.0 || successes == trials {
        return 1.0;
    }
    if required >= 1.0 {
        return 0.0;
    }
    let share = successes as f64 / trials as f64;
    normal_cdf((share - required) / (required * (1.0 - required) / trials as f64).sqrt())
}
