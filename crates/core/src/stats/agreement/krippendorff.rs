//! Agreement of any number of raters, with missing ratings.

use crate::stats::Repeated;
use crate::stats::describe::sum;

/// The level of measurement of ratings, which determines their distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Names: two ratings are equal or not.
    Nominal,
    /// Ranks: the distance is the number of ratings in between.
    Ordinal,
    /// A scale of equal steps.
    Interval,
    /// A scale with a true zero, without negative ratings.
    Ratio,
}

/// Krippendorff's alpha: 1 - observed / expected disagreement (Krippendorff 2019, chapter 12). Each row holds
/// the ratings of one answer in any order, without the missing ones. Rows with fewer than two ratings do not count, not
/// even towards the expected disagreement. `None` if there is nothing to compare, all ratings are equal, a rating is not
/// finite, or a rating is negative at the ratio level.
pub fn krippendorff_alpha(answers: &Repeated, level: Level) -> Option<f64> {
    let rows = || answers.rows().filter(|row| row.len() >= 2);
    // Adding 0 turns -0 into 0, so that equal ratings are adjacent.
    let mut sorted: Vec<f64> = rows().flatten().map(|rating| rating + 0.0).collect();
    let invalid = |rating: &f64| !rating.is_finite() || (level == Level::Ratio && *rating < 0.0);
    if sorted.is_empty() || sorted.iter().any(invalid) {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    // Each distinct rating: value, middle rank of its ties, count.
    let mut values: Vec<(f64, f64, f64)> = Vec::new();
    for (index, rating) in sorted.iter().enumerate() {
        match values.last_mut() {
            Some((value, place, count)) if value == rating => {
                *place += 0.5;
                *count += 1.0;
            }
            _ => values.push((*rating, index as f64 + 0.5, 1.0)),
        }
    }
    let distance = |a: usize, b: usize| -> f64 {
        if a == b {
            return 0.0;
        }
        let ((left, left_place, _), (right, right_place, _)) = (values[a], values[b]);
        match level {
            Level::Nominal => 1.0,
            // The number of ratings between the middles of both ties.
            Level::Ordinal => (left_place - right_place).powi(2),
            Level::Interval => (left - right).powi(2),
            Level::Ratio => ((left - right) / (left + right)).powi(2),
        }
    };
    let total = sorted.len() as f64;
    let observed = sum(rows().map(|row| {
        let indexes: Vec<usize> = row
            .iter()
            .filter_map(|rating| values.binary_search_by(|value| value.0.total_cmp(&(rating + 0.0))).ok())
            .collect();
        let pairs =
            indexes.iter().enumerate().flat_map(|(at, a)| indexes[..at].iter().map(|b| distance(*a, *b)));
        2.0 * sum(pairs) / (row.len() - 1) as f64
    }));
    let expected = sum((0..values.len()).flat_map(|a| {
        let (values, distance) = (&values, &distance);
        (0..a).map(move |b| 2.0 * values[a].2 * values[b].2 * distance(a, b))
    })) / (total - 1.0);
    // Squares of huge or tiny ratings may overflow or underflow.
    let alpha = 1.0 - observed / expected;
    (expected > 0.0 && alpha.is_finite()).then_some(alpha)
}
