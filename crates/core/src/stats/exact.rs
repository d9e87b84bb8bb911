//! Exact tests of 0/1 answers.

use statrs::function::gamma::ln_gamma;

use super::describe::sum;
use super::{Share, Stratum, hypergeometric_cdf, normal_cdf, share_test};

/// Variance of the treatment's successes above which they count as normal. Their skewness is at most 1/158 then, which
/// changes a p of 0.001 by a thirtieth.
const MAX_VARIANCE: f64 = 25_000.0;
/// Chances below this share of the highest one count as 0.
const MIN_CHANCE: f64 = 1e-25;
/// Maximum number of units whose split is tested exactly.
const MAX_UNITS: u64 = 1_000_000_000;
/// Basis points in one.
const BASIS_POINTS: u32 = 10_000;

/// One-sided exact p of "the candidate passes less often" for two independent groups of trials (Fisher 1935):
/// the chance that at most `passes` of the candidate's `trials` pass if all passes are assigned to trials at random.
/// 1 if a group is empty. Passes are capped at the number of trials.
pub fn fisher_p_worse(passes: usize, trials: usize, baseline_passes: usize, baseline_trials: usize) -> f64 {
    let (passes, baseline_passes) = (passes.min(trials), baseline_passes.min(baseline_trials));
    hypergeometric_cdf(passes, trials, passes + baseline_passes, trials + baseline_trials)
}

/// One-sided exact p that all `baseline` repeats of a case pass and all `candidate` repeats fail by chance:
/// 1 / C(baseline + candidate, candidate), the extreme table of [`fisher_p_worse`].
pub fn broken_case_p(baseline: usize, candidate: usize) -> f64 {
    fisher_p_worse(0, candidate, baseline, baseline)
}

/// One-sided exact p of "the treatment succeeds less often" over strata: the chance that the treatments' successes in all
/// strata together are at most those observed, if the successes of each stratum are assigned to its units at random
/// (Birch 1964; the exact form of the Cochran-Mantel-Haenszel test). With one stratum, that is Fisher's exact test.
///
/// 1 without a stratum with units on both sides. Successes are capped at the number of units. A p below 1e-25 may be 0. If
/// the variance of the treatment's successes is above 25,000, for which it needs more than as many successes and as many
/// failures, p is that of [`share_test`].
pub fn share_p_worse(strata: &[Stratum<Share>]) -> f64 {
    let capped = |side: Share| Share { successes: side.successes.min(side.n), n: side.n };
    let strata: Vec<Stratum<Share>> = strata
        .iter()
        .filter(|stratum| stratum.control.n > 0 && stratum.treatment.n > 0)
        .map(|stratum| Stratum { control: capped(stratum.control), treatment: capped(stratum.treatment) })
        .collect();
    let counts: Option<Vec<Hypergeometric>> = strata.iter().map(Hypergeometric::new).collect();
    let is_small = |counts: &Vec<_>| sum(counts.iter().map(Hypergeometric::variance)) <= MAX_VARIANCE;
    let Some(counts) = counts.filter(is_small) else {
        return share_test(&strata, 0.0).map_or(1.0, |test| normal_cdf(test.z));
    };
    let observed: u128 = strata.iter().map(|stratum| u128::from(stratum.treatment.successes)).sum();
    let mut total = Counts { first: 0, chances: vec![1.0] };
    for counts in &counts {
        total = total.plus(&counts.likely());
    }
    let tail = (observed + 1).saturating_sub(total.first);
    let tail = total.chances.iter().take(usize::try_from(tail).unwrap_or(usize::MAX));
    sum(tail.copied()).min(1.0)
}

/// The distribution of the treatment's successes in one stratum, given all successes.
struct Hypergeometric {
    control: u64,
    treatment: u64,
    successes: u64,
}

impl Hypergeometric {
    /// `None` if the counts exceed 2^64.
    fn new(Stratum { control, treatment }: &Stratum<Share>) -> Option<Self> {
        control.n.checked_add(treatment.n)?;
        let successes = control.successes + treatment.successes;
        Some(Self { control: control.n, treatment: treatment.n, successes })
    }

    fn variance(&self) -> f64 {
        let units = self.control + self.treatment;
        let all = units as f64;
        let (success, failure) = (self.successes as f64 / all, (units - self.successes) as f64 / all);
        self.control as f64 * (self.treatment as f64 / all) * success * failure * (all / (all - 1.0))
    }

    /// The most likely count.
    fn mode(&self) -> u64 {
        let [control, treatment, successes] = [self.control, self.treatment, self.successes].map(u128::from);
        let mode = (successes + 1) * (treatment + 1) / (control + treatment + 2);
        u64::try_from(mode).unwrap_or(u64::MAX)
    }

    /// The chances of the likely counts, by the ratio of neighbours from the most likely one.
    fn likely(&self) -> Counts {
        let least = self.successes.saturating_sub(self.control);
        let greatest = self.successes.min(self.treatment);
        // The chance of `count` + 1, as a multiple of that of `count`.
        let ratio = |count: u64| {
            let ways = (self.successes - count) as f64 * (self.treatment - count) as f64;
            let back = (count + 1) as f64 * (self.control + count + 1 - self.successes) as f64;
            ways / back
        };
        let mode = self.mode().clamp(least, greatest);
        let fewer = falling((least..mode).rev().map(|count| ratio(count).recip()));
        let more = falling((mode..greatest).map(ratio));
        let first = u128::from(mode) - fewer.len() as u128;
        let chances: Vec<f64> = fewer.into_iter().rev().chain([1.0]).chain(more).collect();
        let total = sum(chances.iter().copied());
        Counts { first, chances: chances.iter().map(|chance| chance / total).collect() }
    }
}

/// The products of these ratios, until they are negligible.
fn falling(ratios: impl Iterator<Item = f64>) -> Vec<f64> {
    let products = ratios.scan(1.0, |product, ratio| {
        *product *= ratio;
        (*product >= MIN_CHANCE).then_some(*product)
    });
    products.collect()
}

/// A distribution of counts.
struct Counts {
    /// The least count.
    first: u128,
    /// The chance of each count from there.
    chances: Vec<f64>,
}

impl Counts {
    /// The distribution of the sum of two independent counts.
    fn plus(&self, other: &Self) -> Self {
        let mut chances = vec![0.0; self.chances.len() + other.chances.len() - 1];
        for (at, one) in self.chances.iter().enumerate() {
            for (sum, other) in chances.iter_mut().skip(at).zip(&other.chances) {
                *sum += one * other;
            }
        }
        Self { first: self.first + other.first, chances }
    }
}

/// Two-sided exact p that units were split as planned, with `basis_points` of 10,000 for the treatment: twice the smaller
/// tail of the binomial distribution, at most 1 (Clopper and Pearson 1934).
///
/// Exact, because a step of 5 % starts with a handful of treated units, where chi-square is off by a factor of 4 (3 of 20
/// units: .04 instead of .15). 1 without units. Basis points are capped at 10,000. Above a billion units, where the two
/// agree, p is that of the chi-square test (Pearson 1900).
pub fn sample_ratio_p(control: u64, treatment: u64, basis_points: u32) -> f64 {
    let share = f64::from(basis_points.min(BASIS_POINTS)) / f64::from(BASIS_POINTS);
    let (control_count, treatment_count) = (control as f64, treatment as f64);
    let units = control_count + treatment_count;
    let impossible = (share == 0.0 && treatment > 0) || (share == 1.0 && control > 0);
    if impossible {
        return 0.0;
    }
    if share == 0.0 || share == 1.0 {
        return 1.0;
    }
    let excess = treatment_count - units * share;
    if control.checked_add(treatment).is_none_or(|units| units > MAX_UNITS) {
        return 2.0 * normal_cdf(-excess.abs() / (units * share * (1.0 - share)).sqrt());
    }
    // The tail away from the expected count, seen from its own side.
    let (tail_side, other_side, odds) = if excess <= 0.0 {
        (treatment_count, control_count, share / (1.0 - share))
    } else {
        (control_count, treatment_count, (1.0 - share) / share)
    };
    let ways = ln_gamma(units + 1.0) - ln_gamma(treatment_count + 1.0) - ln_gamma(control_count + 1.0);
    let mut term = (ways + treatment_count * share.ln() + control_count * (1.0 - share).ln()).exp();
    let (mut tail, mut fewer, mut more) = (0.0, tail_side, other_side);
    loop {
        tail += term;
        more += 1.0;
        // Terms fall, so that the rest cannot count once a term does not.
        term *= fewer / (more * odds);
        fewer -= 1.0;
        if fewer < 0.0 || term <= tail * f64::EPSILON {
            break;
        }
    }
    (2.0 * tail).min(1.0)
}
