//! Whether two scores put things in the same order.

use super::correlation;

/// Spearman's rank correlation (1904), ties at their average rank, in -1..=1. `None` where [`correlation`] of the
/// ranks is, or a value is not finite.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    if !all_finite(pairs) {
        return None;
    }
    let first = ranks(&pairs.iter().map(|(one, _)| *one).collect::<Vec<_>>());
    let second = ranks(&pairs.iter().map(|(_, other)| *other).collect::<Vec<_>>());
    correlation(&first.into_iter().zip(second).collect::<Vec<_>>())
}

/// Kendall's tau-b (1945), corrected for ties, in -1..=1; counted in n log n by sorting (Knight 1966). `None` where a
/// side does not vary, or a value is not finite.
pub fn kendall_tau_b(pairs: &[(f64, f64)]) -> Option<f64> {
    if !all_finite(pairs) {
        return None;
    }
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let tied_first = tied(&sorted, |one, other| one.0 == other.0);
    let tied_both = tied(&sorted, |one, other| one == other);
    let mut second: Vec<f64> = sorted.iter().map(|pair| pair.1).collect();
    let swaps = sort_counting_swaps(&mut second);
    let tied_second = tied(&second, |one, other| one == other);
    let all = pairs_of(pairs.len());
    let apart = (all - tied_first) * (all - tied_second);
    let agreeing_less_opposing = all - tied_first - tied_second + tied_both - 2.0 * swaps;
    (apart > 0.0).then(|| agreeing_less_opposing / apart.sqrt())
}

fn all_finite(pairs: &[(f64, f64)]) -> bool {
    pairs.iter().all(|(one, other)| one.is_finite() && other.is_finite())
}

/// The rank of each value from 1, ties at their average.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for run in order.chunk_by(|one, other| values[*one] == values[*other]) {
        let average = start as f64 + (run.len() + 1) as f64 / 2.0;
        run.iter().for_each(|place| ranks[*place] = average);
        start += run.len();
    }
    ranks
}

/// Pairs among so many things.
fn pairs_of(count: usize) -> f64 {
    count as f64 * (count as f64 - 1.0) / 2.0
}

/// Pairs within runs of equal neighbours.
fn tied<T>(sorted: &[T], equal: impl Fn(&T, &T) -> bool) -> f64 {
    sorted.chunk_by(|one, other| equal(one, other)).map(|run| pairs_of(run.len())).sum()
}

/// Sorts by merging; returns how many pairs stood the wrong way round.
fn sort_counting_swaps(values: &mut Vec<f64>) -> f64 {
    let mut swaps = 0.0;
    let mut width = 1;
    let mut merged = Vec::with_capacity(values.len());
    while width < values.len() {
        merged.clear();
        for block in values.chunks(2 * width) {
            let (mut left, mut right) = block.split_at(width.min(block.len()));
            while let (Some(one), Some(other)) = (left.first(), right.first()) {
                if one.total_cmp(other).is_le() {
                    merged.push(*one);
                    left = &left[1..];
                } else {
                    merged.push(*other);
                    right = &right[1..];
                    swaps += left.len() as f64;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(values, &mut merged);
        width *= 2;
    }
    swaps
}
