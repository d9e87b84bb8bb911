//! Which group of units is lower than the rest, with the correction for looking at all groups.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::permutation::below;
use super::{mean, sample_variance};

/// Arrangements drawn.
const DRAWS: usize = 1_999;
/// Statistics closer than this are tied.
const TIE: f64 = 1e-9;

/// The group whose mean is lowest, in units of its standard error, with the p of "no group differs from the rest".
///
/// The values are assigned to units at random; p is the share of arrangements in which any group is as low, and so corrects
/// for their number and their overlap (Westfall and Young 1993). A suite in which all units are lower by as much has no low
/// group. `groups` are indices into `values`; empty ones and those of all units are skipped. `None` if p is above `alpha`,
/// or if there is nothing to compare.
pub fn lowest_group(values: &[f64], groups: &[Vec<usize>], alpha: f64, seed: u64) -> Option<(usize, f64)> {
    let units = values.len();
    let variance = sample_variance(values);
    if units < 2 || variance == 0.0 {
        return None;
    }
    let centre = mean(values);
    let mut centred: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let scales: Vec<Option<f64>> = groups
        .iter()
        .map(|group| {
            let (inside, outside) = (group.len() as f64, units.saturating_sub(group.len()) as f64);
            (inside > 0.0 && outside > 0.0).then(|| (variance * inside * outside / units as f64).sqrt())
        })
        .collect();
    let lowest = |centred: &[f64]| {
        let scored = groups.iter().zip(&scales).enumerate().filter_map(|(index, (group, scale))| {
            Some((index, group.iter().map(|unit| centred[*unit]).sum::<f64>() / (*scale)?))
        });
        scored.min_by(|(_, one), (_, other)| one.total_cmp(other))
    };
    let (index, observed) = lowest(&centred)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut as_low = 0;
    for _ in 0..DRAWS {
        for place in (1..units).rev() {
            centred.swap(place, below(&mut random, place + 1));
        }
        as_low += usize::from(lowest(&centred).is_some_and(|(_, statistic)| statistic <= observed + TIE));
        if (1 + as_low) as f64 > alpha * (1 + DRAWS) as f64 {
            return None;
        }
    }
    Some((index, (1 + as_low) as f64 / (1 + DRAWS) as f64))
}
