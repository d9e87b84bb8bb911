//! Two raters, one label each per answer: agreement beyond chance.

use std::collections::BTreeSet;

use crate::stats::describe::sum;
use crate::stats::{Bounds, Estimate, t_bounds};

/// Differences this small are rounding.
const ROUNDING: f64 = 1e-12;
/// More labels than this make a table that is not worth its memory, and hardly two answers would share one.
const MAX_LABELS: usize = 1_000;

/// Cohen's kappa and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kappa {
    /// Agreement beyond chance: 1 is perfect, 0 is chance, below 0 is worse than chance.
    pub kappa: f64,
    /// Its standard error in large samples (Fleiss, Cohen and Everitt 1969); 0 at perfect agreement, where it
    /// says little.
    pub standard_error: f64,
    /// The agreement that was seen, weighted where kappa is.
    pub agreement: f64,
    /// The agreement that the raters' own shares of labels would give by chance.
    pub by_chance: f64,
}

impl Kappa {
    /// Bounds of kappa from its standard error and the normal distribution, each one-sided at `alpha`, within
    /// -1..=1. Good from about 50 answers on.
    pub fn bounds(&self, alpha: f64) -> Bounds {
        let (mean, standard_error) = (self.kappa, self.standard_error);
        let open = t_bounds(Estimate { mean, standard_error, degrees_of_freedom: f64::INFINITY }, alpha);
        Bounds { lower: open.lower.map(|b| b.max(-1.0)), upper: open.upper.map(|b| b.min(1.0)) }
    }
}

/// How a disagreement counts in a weighted kappa, by the distance of two scores as a share of the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// 1 - distance.
    Linear,
    /// 1 - distance squared, which is close to an intraclass correlation (Fleiss and Cohen 1973).
    Quadratic,
}

/// The share of answers that both raters label alike.
pub fn percent_agreement<Label: PartialEq>(first: &[Label], second: &[Label]) -> Option<f64> {
    if first.is_empty() || first.len() != second.len() {
        return None;
    }
    let alike = first.iter().zip(second).filter(|(a, b)| a == b).count();
    Some(alike as f64 / first.len() as f64)
}

/// Cohen's kappa (Cohen 1960) of labels without an order, with its standard error. `None` also where both
/// raters use one and the same label only.
pub fn cohen_kappa<Label: Ord>(first: &[Label], second: &[Label]) -> Option<Kappa> {
    let (_, counts) = table(first, second)?;
    from_counts(&counts, |row, column| f64::from(u8::from(row == column)))
}

/// Weighted kappa (Cohen 1968) of scores, with its standard error. Distances are those of the scores; on a
/// scale of equal steps that is the same as counting steps. `None` also where both raters give one and the same
/// score only.
pub fn weighted_kappa(first: &[f64], second: &[f64], weighting: Weighting) -> Option<Kappa> {
    let (first, second) = (ordered(first)?, ordered(second)?);
    let (labels, counts) = table(&first, &second)?;
    let scores: Vec<f64> = labels.iter().map(|label| label.0).collect();
    let span = scores.last()? - scores.first()?;
    from_counts(&counts, |row, column| {
        if row == column {
            return 1.0;
        }
        let distance = (scores[row] - scores[column]).abs() / span;
        match weighting {
            Weighting::Linear => 1.0 - distance,
            Weighting::Quadratic => 1.0 - distance * distance,
        }
    })
}

/// Gwet's AC1 (Gwet 2008): agreement beyond a chance that stays small where one label is rare, so that it does
/// not fall at high agreement as kappa does. `categories` is how many labels there are to choose from, seen or
/// not; `None` also where that is below 2 or below the number of labels seen.
pub fn gwet_ac1<Label: Ord>(first: &[Label], second: &[Label], categories: usize) -> Option<f64> {
    let (labels, counts) = table(first, second)?;
    if categories < labels.len().max(2) {
        return None;
    }
    let total = first.len() as f64;
    let (rows, columns) = margins(&counts);
    let chance = sum(rows.iter().zip(&columns).map(|(row, column)| {
        let share = (row + column) / (2.0 * total);
        share * (1.0 - share)
    })) / (categories - 1) as f64;
    let agreement = percent_agreement(first, second)?;
    Some((agreement - chance) / (1.0 - chance))
}

/// A finite score that can be sorted; 0 and -0 are the same score.
#[derive(Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

fn ordered(scores: &[f64]) -> Option<Vec<Ordered>> {
    // Adding 0 turns -0 into 0.
    scores.iter().map(|score| score.is_finite().then_some(Ordered(score + 0.0))).collect()
}

/// The labels seen, in order, and how often the first rater gave one (row) where the second gave another
/// (column).
fn table<'a, Label: Ord>(first: &'a [Label], second: &'a [Label]) -> Option<(Vec<&'a Label>, Vec<Vec<f64>>)> {
    if first.is_empty() || first.len() != second.len() {
        return None;
    }
    let labels: Vec<&Label> = first.iter().chain(second).collect::<BTreeSet<_>>().into_iter().collect();
    if labels.len() > MAX_LABELS {
        return None;
    }
    let mut counts = vec![vec![0.0; labels.len()]; labels.len()];
    for (a, b) in first.iter().zip(second) {
        counts[labels.binary_search(&a).ok()?][labels.binary_search(&b).ok()?] += 1.0;
    }
    Some((labels, counts))
}

/// The sums of rows and of columns.
fn margins(counts: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let rows = counts.iter().map(|row| sum(row.iter().copied())).collect();
    let columns = (0..counts.len()).map(|column| sum(counts.iter().map(|row| row[column]))).collect();
    (rows, columns)
}

/// Kappa of a square table of counts with agreement weights (1 on the diagonal), and its standard error by
/// Fleiss, Cohen and Everitt (1969). `None` for an empty table, or where chance alone agrees fully.
pub(super) fn from_counts(counts: &[Vec<f64>], weight: impl Fn(usize, usize) -> f64) -> Option<Kappa> {
    let total = sum(counts.iter().flatten().copied());
    if total <= 0.0 {
        return None;
    }
    let share = |row: usize, column: usize| counts[row][column] / total;
    let (rows, columns) = margins(counts);
    let cells = || (0..counts.len()).flat_map(|row| (0..counts.len()).map(move |column| (row, column)));
    let agreement = sum(cells().map(|(row, column)| weight(row, column) * share(row, column)));
    let by_chance =
        sum(cells().map(|(row, column)| weight(row, column) * rows[row] * columns[column])) / (total * total);
    if 1.0 - by_chance < ROUNDING {
        return None; // kappa would be 0 / 0
    }
    let kappa = (agreement - by_chance) / (1.0 - by_chance);
    // The mean weight of each row under the column shares, and of each column under the row shares.
    let each = 0..counts.len();
    let row_weights: Vec<f64> = each
        .clone()
        .map(|row| sum(each.clone().map(|column| columns[column] / total * weight(row, column))))
        .collect();
    let column_weights: Vec<f64> = each
        .clone()
        .map(|column| sum(each.clone().map(|row| rows[row] / total * weight(row, column))))
        .collect();
    let spread = sum(cells().map(|(row, column)| {
        let off = weight(row, column) - (row_weights[row] + column_weights[column]) * (1.0 - kappa);
        share(row, column) * off * off
    }));
    let variance = spread - (kappa - by_chance * (1.0 - kappa)).powi(2);
    let variance = if variance < ROUNDING { 0.0 } else { variance };
    let standard_error = (variance / total).sqrt() / (1.0 - by_chance);
    // Distances of huge scores may leave the range of numbers.
    let finite = kappa.is_finite() && standard_error.is_finite();
    finite.then_some(Kappa { kappa, standard_error, agreement, by_chance })
}
