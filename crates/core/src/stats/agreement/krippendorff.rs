//! Any number of raters, with gaps.

use crate::stats::Repeated;
use crate::stats::describe::sum;

/// What the distance of two ratings means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Ratings are names: two are alike or not.
    Nominal,
    /// Ratings are ranks: the distance is the number of ratings between two.
    Ordinal,
    /// Ratings are on a scale of equal steps.
    Interval,
    /// Ratings are on a scale with a true zero; none is below it.
    Ratio,
}

/// Krippendorff's alpha: 1 - observed / expected disagreement (Krippendorff 2019, chapter 12). Each row holds
/// the ratings of one answer in any order; a rating that is missing is left out of its row, and a row with
/// fewer than two does not count. Only ratings in rows that count give the expected disagreement. `None` with
/// nothing to compare, where all ratings are the same, with a rating that is not finite, or with a negative one
/// at the ratio level.
pub fn krippendorff_alpha(answers: &Repeated, level: Level) -> Option<f64> {
    let rows = || answers.rows().filter(|row| row.len() >= 2);
    // Adding 0 turns -0 into 0, so that equal ratings are next to each other.
    let mut sorted: Vec<f64> = rows().flatten().map(|rating| rating + 0.0).collect();
    let impossible = |rating: &f64| !rating.is_finite() || (level == Level::Ratio && *rating < 0.0);
    if sorted.is_empty() || sorted.iter().any(impossible) {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    // Each distinct rating: its value, its place in the middle of its ties, and how often it is given.
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
            // The ratings between the middles of both ties.
            Level::Ordinal => (left_place - right_place).powi(2),
            Level::Interval => (left - right).powi(2),
            Level::Ratio => ((left - right) / (left + right)).powi(2),
        }
    };
    let total = sorted.len() as f64;
    let observed = sum(rows().map(|row| {
        let found: Vec<usize> = row
            .iter()
            .filter_map(|rating| values.binary_search_by(|value| value.0.total_cmp(&(rating + 0.0))).ok())
            .collect();
        let pairs = found.iter().enumerate().flat_map(|(at, a)| found[..at].iter().map(|b| distance(*a, *b)));
        2.0 * sum(pairs) / (row.len() - 1) as f64
    }));
    let expected = sum((0..values.len()).flat_map(|a| {
        let (values, distance) = (&values, &distance);
        (0..a).map(move |b| 2.0 * values[a].2 * values[b].2 * distance(a, b))
    })) / (total - 1.0);
    // Squares of huge or tiny ratings may leave the range of numbers.
    let alpha = 1.0 - observed / expected;
    (expected > 0.0 && alpha.is_finite()).then_some(alpha)
}
