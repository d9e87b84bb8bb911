//! Permutation tests of "the candidate is worse", exact under exchangeability (Fisher 1935; Pitman 1937).
//!
//! Up to 200,000 arrangements are enumerated. Above that, 50,000 are drawn from a fixed seed, and the observed one is
//! counted among them (Phipson and Smyth 2010). If that took more than 2e8 random numbers, there is no test, and the
//! caller falls back to t.
//!
//! The draws are the same on every machine and in every build: rand_chacha documents ChaCha8 as portable and tests it
//! against reference vectors, rand_core treats a change of `seed_from_u64` as breaking, and this module maps its words to
//! numbers by integer arithmetic, without a sampler that may change.

use std::cmp::Ordering;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::describe::sum;
use super::{Repeated, binomial_cdf, mean};

/// Maximum number of arrangements that are enumerated.
const MAX_ENUMERATED: f64 = 2e5;
/// Arrangements drawn if there are more.
const DRAWS: usize = 50_000;
/// Maximum number of random numbers for one test.
const MAX_RANDOM_NUMBERS: usize = 200_000_000;
/// Maximum number of arrangements of a case that are tabulated before drawing.
const MAX_TABLE: f64 = 1_000.0;
/// Means closer than this are tied, so that rounding cannot break a tie.
const TIE: f64 = 1e-9;

/// The result of a permutation test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PermutationTest {
    /// The share of arrangements at most as good for the candidate as the observed one.
    pub p: f64,
    /// Whether p is exact. If not, it comes from [`PermutationTest::draws`] drawn arrangements.
    pub exact: bool,
    /// Arrangements drawn; 0 if p is exact.
    pub draws: usize,
}

impl PermutationTest {
    fn exact(p: f64) -> Self {
        Self { p, exact: true, draws: 0 }
    }

    fn drawn(at_most: usize) -> Self {
        Self { p: (1 + at_most) as f64 / (1 + DRAWS) as f64, exact: false, draws: DRAWS }
    }
}

/// A case with unequal scores: a slice of the score pool, and the weight of a choice from it.
struct Stratum {
    start: usize,
    len: usize,
    /// Number of scores picked: the size of the smaller side.
    picks: usize,
    /// Factor from the sum of picked scores to the statistic.
    weight: f64,
}

/// Permutation of the variants within each case. The statistic is the mean over cases of the difference of means; lower
/// is worse. `shift` is added to each score of the candidate first, to test for a drop beyond a tolerance. `shared` cases
/// are left out. `None` if there are too many scores.
pub fn within_cases(
    candidate: &Repeated,
    baseline: &Repeated,
    shared: &[bool],
    shift: f64,
    seed: u64,
) -> Option<PermutationTest> {
    let mut pool = Vec::with_capacity(candidate.values().len() + baseline.values().len());
    let mut strata = Vec::with_capacity(candidate.len());
    let (mut observed, mut fixed) = (Vec::new(), Vec::new());
    let mut arrangements = 1.0_f64;
    for (index, (ours, theirs)) in candidate.rows().zip(baseline.rows()).enumerate() {
        if shared.get(index).copied().unwrap_or(false) || ours.is_empty() || theirs.is_empty() {
            continue;
        }
        let start = pool.len();
        pool.extend(ours.iter().map(|score| score + shift));
        pool.extend_from_slice(theirs);
        let scores = &pool[start..];
        let lowest = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if highest - lowest < 1e-12 {
            // All arrangements of equal scores are the same.
            pool.truncate(start);
            continue;
        }
        let total = sum(scores.iter().copied());
        let (our_count, their_count) = (ours.len() as f64, theirs.len() as f64);
        // mean(ours) - mean(theirs) = sum(ours) (1/k_c + 1/k_b) - total / k_b, or the mirror image.
        let weight = 1.0 / our_count + 1.0 / their_count;
        observed.push(mean(&scores[..ours.len()]) - mean(&scores[ours.len()..]));
        let (picks, weight, constant) = if ours.len() <= theirs.len() {
            (ours.len(), weight, -total / their_count)
        } else {
            (theirs.len(), -weight, total / our_count)
        };
        fixed.push(constant);
        arrangements *= choose(ours.len() + theirs.len(), picks);
        strata.push(Stratum { start, len: ours.len() + theirs.len(), picks, weight });
    }
    // The comparison is between sums over cases, so the tie is scaled to a sum.
    let bound = sum(observed) - sum(fixed) + TIE * candidate.len() as f64;
    if arrangements <= MAX_ENUMERATED {
        let choices = strata.iter().map(|stratum| {
            let mut sums = Vec::new();
            let scores = &pool[stratum.start..stratum.start + stratum.len];
            subset_sums(scores, stratum.picks, 0.0, stratum.weight, &mut sums);
            sums
        });
        return Some(PermutationTest::exact(share_at_most(choices, bound)));
    }
    if pool.len().saturating_mul(DRAWS) > MAX_RANDOM_NUMBERS {
        return None;
    }
    sort_strata(&mut pool, &mut strata);
    Some(PermutationTest::drawn(draw_within(&mut pool, &strata, bound, seed)))
}

/// Sorts scores and cases, so that the result does not depend on the order of the dataset.
fn sort_strata(pool: &mut [f64], strata: &mut [Stratum]) {
    for stratum in strata.iter() {
        pool[stratum.start..stratum.start + stratum.len].sort_by(f64::total_cmp);
    }
    let scores = |stratum: &Stratum| pool[stratum.start..stratum.start + stratum.len].iter();
    strata.sort_by(|a, b| {
        let by_score = || scores(a).zip(scores(b)).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
        let by_size = (a.len, a.picks).cmp(&(b.len, b.picks)).then(a.weight.total_cmp(&b.weight));
        by_size.then_with(|| by_score().unwrap_or(Ordering::Equal))
    });
}

impl Stratum {
    /// The contribution of each arrangement to the statistic; empty if there are too many.
    fn table(&self, pool: &[f64]) -> Vec<f64> {
        let mut sums = Vec::new();
        if choose(self.len, self.picks) <= MAX_TABLE {
            subset_sums(&pool[self.start..self.start + self.len], self.picks, 0.0, self.weight, &mut sums);
        }
        sums
    }
}

/// A random number below `limit`, by multiply and shift, with a bias below 2^-22.
pub(super) fn below(random: &mut ChaCha8Rng, limit: usize) -> usize {
    ((u64::from(random.next_u32()) * limit as u64) >> 32) as usize
}

/// The number of drawn arrangements with a statistic of at most `bound`.
fn draw_within(pool: &mut [f64], strata: &[Stratum], bound: f64, seed: u64) -> usize {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // For a small case, one random number picks a whole arrangement.
    let tables: Vec<Vec<f64>> = strata.iter().map(|stratum| stratum.table(pool)).collect();
    let mut at_most = 0;
    for _ in 0..DRAWS {
        let mut statistic = 0.0;
        for (stratum, table) in strata.iter().zip(&tables) {
            if !table.is_empty() {
                statistic += table[below(&mut random, table.len())];
                continue;
            }
            let scores = &mut pool[stratum.start..stratum.start + stratum.len];
            let mut picked = 0.0;
            // The first steps of a Fisher-Yates shuffle, which may start from any order.
            for place in 0..stratum.picks {
                let other = place + below(&mut random, scores.len() - place);
                scores.swap(place, other);
                picked += scores[place];
            }
            statistic += stratum.weight * picked;
        }
        at_most += usize::from(statistic <= bound);
    }
    at_most
}

/// Sign-flip test of "the units are centred at 0" against a lower centre. A unit is the difference of one case, or the sum
/// of the differences of one cluster. For differences of equal size it is the exact McNemar test, at any number. `cases`,
/// the number of cases, scales the tie. `None` if there are too many units.
pub fn sign_flip(units: &[f64], cases: usize, seed: u64) -> Option<PermutationTest> {
    let mut nonzero: Vec<f64> = units.iter().copied().filter(|unit| unit.abs() > 1e-12).collect();
    let Some(size) = nonzero.first().map(|unit| unit.abs()) else { return Some(PermutationTest::exact(1.0)) };
    if nonzero.iter().all(|unit| (unit.abs() - size).abs() < 1e-12) {
        let gains = nonzero.iter().filter(|unit| **unit > 0.0).count();
        return Some(PermutationTest::exact(binomial_cdf(gains, nonzero.len(), 0.5)));
    }
    let bound = sum(nonzero.iter().copied()) + TIE * cases as f64;
    if nonzero.len() < 64 && (1_u64 << nonzero.len()) as f64 <= MAX_ENUMERATED {
        let choices = nonzero.iter().map(|unit| vec![*unit, -*unit]);
        return Some(PermutationTest::exact(share_at_most(choices, bound)));
    }
    if nonzero.len().saturating_mul(DRAWS) > MAX_RANDOM_NUMBERS {
        return None;
    }
    // Keeps the result independent of the order of the dataset.
    nonzero.sort_by(f64::total_cmp);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut at_most = 0;
    for _ in 0..DRAWS {
        let mut statistic = 0.0;
        for chunk in nonzero.chunks(64) {
            let mut signs = random.next_u64();
            for unit in chunk {
                statistic += if signs & 1 == 0 { *unit } else { -*unit };
                signs >>= 1;
            }
        }
        at_most += usize::from(statistic <= bound);
    }
    Some(PermutationTest::drawn(at_most))
}

/// The share of combinations, one term from each choice, with a sum of at most `bound`.
fn share_at_most(choices: impl Iterator<Item = Vec<f64>>, bound: f64) -> f64 {
    let mut sums = vec![0.0];
    for choice in choices {
        sums = sums.iter().flat_map(|sum| choice.iter().map(move |term| sum + term)).collect();
    }
    let at_most = sums.iter().filter(|sum| **sum <= bound).count();
    at_most as f64 / sums.len() as f64
}

/// Collects the weighted sum of every choice of `picks` scores.
fn subset_sums(scores: &[f64], picks: usize, so_far: f64, weight: f64, sums: &mut Vec<f64>) {
    if picks == 0 {
        sums.push(so_far * weight);
        return;
    }
    for first in 0..=scores.len().saturating_sub(picks) {
        if let Some(score) = scores.get(first) {
            subset_sums(&scores[first + 1..], picks - 1, so_far + score, weight, sums);
        }
    }
}

/// The binomial coefficient; infinite on overflow.
fn choose(len: usize, picks: usize) -> f64 {
    (0..picks).map(|i| (len - i) as f64 / (i + 1) as f64).product::<f64>().round()
}
