//! Rank correlation of two raters.

use statrs::statistics::{Data, OrderStatistics, RankTieBreaker};

use crate::stats::correlation;

/// Spearman's rank correlation: Pearson's of the ranks, ties at their middle rank (Spearman 1904). Also `None`
/// with fewer than two answers, or if one side gives a single score.
pub fn spearman(first: &[f64], second: &[f64]) -> Option<f64> {
    if !valid(first, second) {
        return None;
    }
    let ranks = |scores: &[f64]| Data::new(scores.to_vec()).ranks(RankTieBreaker::Average);
    let ranks: Vec<(f64, f64)> = ranks(first).into_iter().zip(ranks(second)).collect();
    correlation(&ranks)
}

/// Kendall's tau-b: concordant minus discordant pairs, over the pairs that are not tied (Kendall 1945). `None` as
/// for [`spearman`].
pub fn kendall_tau_b(first: &[f64], second: &[f64]) -> Option<f64> {
    if !valid(first, second) {
        return None;
    }
    let order = |a: f64, b: f64| i64::from(a > b) - i64::from(a < b);
    let (mut concordant, mut apart_first, mut apart_second) = (0_i64, 0_i64, 0_i64);
    for (at, (a, b)) in first.iter().zip(second).enumerate() {
        for (c, d) in first.iter().zip(second).take(at) {
            let (left, right) = (order(*a, *c), order(*b, *d));
            concordant += left * right;
            apart_first += left.abs();
            apart_second += right.abs();
        }
    }
    let pairs = (apart_first as f64).sqrt() * (apart_second as f64).sqrt();
    (pairs > 0.0).then(|| (concordant as f64 / pairs).clamp(-1.0, 1.0))
}

fn valid(first: &[f64], second: &[f64]) -> bool {
    first.len() == second.len() && first.iter().chain(second).all(|score| score.is_finite())
}
