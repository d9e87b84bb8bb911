//! The changes of cases that chance alone would show.

use std::collections::HashMap;

use super::case_noise::Noise;
use super::case_pair::Pair;
use crate::stats::rearrangements;

/// Rearrangements of a case: all of them at three repeats of each variant.
const MAX_REARRANGEMENTS: usize = 40;
/// Seed of drawn rearrangements. Nothing of a run may choose it, or a run could be repeated until its statuses please.
const SEED: u64 = 1;
/// Statistics closer than this share of their size are tied.
const TIE: f64 = 1e-9;

/// Statistics of all cases with their scores assigned to the variants in other ways than they were.
///
/// If no case changed, every assignment is as likely as the observed one, so that these are statistics of chance. The
/// observed assignment is left out: that of a case that did change is not chance.
pub(super) struct ChanceStatistics {
    /// Statistics in descending order, each with the share of the cases' statistics that are at least as large.
    shares: Vec<(f64, f64)>,
}

impl ChanceStatistics {
    /// Smaller statistics than `least` are not kept: they are not asked for.
    pub(super) fn new(pairs: &[(usize, Pair)], noise: &Noise, least: f64) -> Self {
        let mut shares: Vec<(f64, f64)> = Vec::new();
        if least.is_finite() {
            let mut known: HashMap<(usize, usize), Vec<Vec<usize>>> = HashMap::new();
            for (_, pair) in pairs {
                let (ours, theirs) = pair.counts();
                let others = known
                    .entry((ours, theirs))
                    .or_insert_with(|| rearrangements(ours, theirs, MAX_REARRANGEMENTS, SEED));
                let (weight, noise) = (1.0 / others.len() as f64, noise.of_case(pair));
                let statistics = others.iter().map(|candidate| {
                    let (difference, within) = pair.rearranged(candidate);
                    noise.statistic(difference, within)
                });
                let large = statistics.filter(|statistic| *statistic >= least * (1.0 - TIE));
                shares.extend(large.map(|statistic| (statistic, weight)));
            }
        }
        shares.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let cases = pairs.iter().filter(|(_, pair)| pair.freedom_within() > 0.0).count() as f64;
        let mut total = 0.0;
        for (_, share) in &mut shares {
            total += *share / cases;
            *share = total;
        }
        Self { shares }
    }

    /// The share of statistics of chance that are at least as large as this one.
    pub(super) fn share_of_at_least(&self, statistic: f64) -> f64 {
        let count = self.shares.partition_point(|(of_chance, _)| *of_chance >= statistic * (1.0 - TIE));
        count.checked_sub(1).map_or(0.0, |last| self.shares[last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::case_noise::Noise;
    use super::*;

    #[test]
    fn share_counts_the_statistics_that_chance_shows() {
        // One coin among nine constant cases: two of its nine divisions into threes part its scores as unevenly as may be.
        let constant = Pair::new(&[1.0; 3], &[1.0; 3]).unwrap();
        let coin = Pair::new(&[1.0, 0.5, 0.5], &[1.0, 1.0, 0.5]).unwrap();
        let pairs: Vec<(usize, Pair)> =
            (0..10).map(|case| (case, if case == 0 { coin.clone() } else { constant.clone() })).collect();
        let noise = Noise::new(&pairs, 0.0475);
        let chance = ChanceStatistics::new(&pairs, &noise, 0.1);
        let parted = noise.of_case(&coin).statistic(0.5, 0.0);
        // Two of the eighteen arrangements, in one of ten cases.
        assert!((chance.share_of_at_least(parted) - 2.0 / 18.0 / 10.0).abs() < 1e-12);
        assert_eq!(chance.share_of_at_least(parted * 1.01), 0.0);
        assert!((chance.share_of_at_least(0.1) - 0.1).abs() < 1e-12, "every arrangement of the coin");
    }

    #[test]
    fn single_scores_show_no_chance() {
        let pairs = vec![(0, Pair::new(&[0.5], &[0.9]).unwrap())];
        let noise = Noise::new(&pairs, 0.0475);
        assert_eq!(ChanceStatistics::new(&pairs, &noise, 1.0).share_of_at_least(1.0), 0.0);
    }
}
