//! Exact tests of 0/1 answers.

use statrs::function::gamma::ln_gamma;

use super::describe::sum;
use super::{Share, Stratum, hypergeometric_cdf, normal_cdf, share_test};

/// Maximum number of totals that are enumerated, over all strata together.
const MAX_TOTALS: u64 = 10_000;
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
/// 1 without a stratum with units on both sides. Successes are capped at the number of units. If more than 10,000 totals
/// are possible, which needs thousands of units on the smaller side, p is that of [`share_test`].
pub fn share_p_worse(strata: &[Stratum<Share>]) -> f64 {
    let capped = |side: Share| Share { successes: side.successes.min(side.n), n: side.n };
    let strata: Vec<Stratum<Share>> = strata
        .iter()
        .filter(|stratum| stratum.control.n > 0 && stratum.treatment.n > 0)
        .map(|stratum| Stratum { control: capped(stratum.control), treatment: capped(stratum.treatment) })
        .collect();
    let totals = strata.iter().map(Hypergeometric::new).try_fold(0_u64, |sum, counts| {
        let width = counts?.width();
        sum.checked_add(width)
    });
    if totals.is_none_or(|totals| totals > MAX_TOTALS) {
        return share_test(&strata, 0.0).map_or(1.0, |test| normal_cdf(test.z));
    }
    let mut chances = vec![1.0];
    let mut observed = 0;
    for stratum in &strata {
        let Some(counts) = Hypergeometric::new(stratum) else { continue };
        observed += stratum.treatment.successes - counts.least;
        chances = convolve(&chances, &counts.chances());
    }
    let tail = chances.iter().take(usize::try_from(observed).unwrap_or(usize::MAX).saturating_add(1));
    sum(tail.copied()).min(1.0)
}

/// The distribution of the treatment's successes in one stratum, given all successes.
struct Hypergeometric {
    control: u64,
    treatment: u64,
    successes: u64,
    least: u64,
    greatest: u64,
}

impl Hypergeometric {
    /// `None` if the counts exceed 2^64.
    fn new(Stratum { control, treatment }: &Stratum<Share>) -> Option<Self> {
        control.n.checked_add(treatment.n)?;
        let successes = control.successes + treatment.successes;
        Some(Self {
            control: control.n,
            treatment: treatment.n,
            successes,
            least: successes.saturating_sub(control.n),
            greatest: successes.min(treatment.n),
        })
    }

    /// The number of possible counts.
    fn width(&self) -> u64 {
        (self.greatest - self.least).saturating_add(1)
    }

    /// The chance of each count from the least, by the ratio of neighbours from the most likely one.
    fn chances(&self) -> Vec<f64> {
        let mut logarithm = 0.0;
        let mut logarithms = vec![logarithm];
        for count in self.least..self.greatest {
            let ways = (self.successes - count) as f64 * (self.treatment - count) as f64;
            let back = (count + 1) as f64 * (self.control + count + 1 - self.successes) as f64;
            logarithm += (ways / back).ln();
            logarithms.push(logarithm);
        }
        let highest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let chances: Vec<f64> = logarithms.iter().map(|logarithm| (logarithm - highest).exp()).collect();
        let total = sum(chances.iter().copied());
        chances.iter().map(|chance| chance / total).collect()
    }
}

/// The distribution of the sum of two independent counts.
fn convolve(one: &[f64], other: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; one.len() + other.len() - 1];
    for (at, chance) in one.iter().enumerate() {
        for (more, other) in other.iter().enumerate() {
            sums[at + more] += chance * other;
        }
    }
    sums
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
