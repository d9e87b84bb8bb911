//! Chance-corrected agreement of two raters with one label each per answer.

use std::collections::BTreeSet;

use crate::stats::describe::sum;
use crate::stats::{Bounds, Estimate, t_bounds};

/// Differences below this are rounding errors.
const ROUNDING: f64 = 1e-12;
/// Maximum number of distinct labels. With more, the table is large and few answers share a label.
const MAX_LABELS: usize = 1_000;

/// Cohen's kappa and its components.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kappa {
    /// Agreement beyond chance: 1 is perfect, 0 is chance, below 0 is worse than chance.
    pub kappa: f64,
    /// Its large-sample standard error (Fleiss, Cohen and Everitt 1969). At perfect agreement it is 0 and uninformative.
    pub standard_error: f64,
    /// The observed agreement, weighted for a weighted kappa.
    pub agreement: f64,
    /// The agreement expected by chance from the label shares of both raters.
    pub chance_agreement: f64,
}

impl Kappa {
    /// Normal bounds of kappa, each one-sided at `alpha`, clamped to -1..=1. Accurate from about 50 answers on.
    pub fn bounds(&self, alpha: f64) -> Bounds {
        let (mean, standard_error) = (self.kappa, self.standard_error);
        let bounds = t_bounds(Estimate { mean, standard_error, degrees_of_freedom: f64::INFINITY }, alpha);
        Bounds { lower: bounds.lower.map(|b| b.max(-1.0)), upper: bounds.upper.map(|b| b.min(1.0)) }
    }
}

/// The weight of a disagreement in a weighted kappa, from the distance of two scores as a share of the largest distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// 1 - distance.
    Linear,
    /// 1 - distance squared, close to an intraclass correlation (Fleiss and Cohen 1973).
    Quadratic,
}

/// The share of answers with the same label from both raters.
pub fn percent_agreement<Label: PartialEq>(first: &[Label], second: &[Label]) -> Option<f64> {
    if first.is_empty() || first.len() != second.len() {
        return None;
    }
    let alike = first.iter().zip(second).filter(|(a, b)| a == b).count();
    Some(alike as f64 / first.len() as f64)
}

/// Cohen's kappa (Cohen 1960) of nominal labels, with its standard error. Also `None` if both raters use the same single
/// label.
pub fn cohen_kappa<Label: Ord>(first: &[Label], second: &[Label]) -> Option<Kappa> {
    let (_, counts) = table(first, second)?;
    from_counts(&counts, |row, column| f64::from(u8::from(row == column)))
}

/// Weighted kappa (Cohen 1968) of scores, with its standard error. Distances are differences of scores, which on a scale
/// of equal steps is the same as counting steps. Also `None` if both raters give the same single score.
pub fn weighted_kappa(first: &[f64], second: &[f64], weighting: Weighting) -> Option<Kappa> {
    // Adding 0 turns -0 into 0.
    let mut scores: Vec<f64> = first.iter().chain(second).map(|score| score + 0.0).collect();
    if !scores.iter().all(|score| score.is_finite()) {
        return None;
    }
    scores.sort_by(f64::total_cmp);
    scores.dedup();
    let label = |score: &f64| scores.binary_search_by(|known| known.total_cmp(&(score + 0.0))).ok();
    let labels = |ratings: &[f64]| ratings.iter().map(label).collect::<Option<Vec<usize>>>();
    let (_, counts) = table(&labels(first)?, &labels(second)?)?;
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

/// Gwet's AC1 (Gwet 2008): its chance agreement stays small if one label is rare, so that unlike kappa it does not fall at
/// high agreement. `categories` is the number of labels to choose from, used or not. Also `None` if it is below 2 or below
/// the number of labels used.
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

/// The sorted distinct labels, and the counts of answers by label of the first (row) and second rater (column).
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

/// Row and column sums.
fn margins(counts: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let rows = counts.iter().map(|row| sum(row.iter().copied())).collect();
    let columns = (0..counts.len()).map(|column| sum(counts.iter().map(|row| row[column]))).collect();
    (rows, columns)
}

/// Kappa of a square table of counts with agreement weights (1 on the diagonal), and its standard error by Fleiss, Cohen
/// and Everitt (1969). `None` for an empty table, or if chance agreement is 1.
pub(super) fn from_counts(counts: &[Vec<f64>], weight: impl Fn(usize, usize) -> f64) -> Option<Kappa> {
    let total = sum(counts.iter().flatten().copied());
    if total <= 0.0 {
        return None;
    }
    let share = |row: usize, column: usize| counts[row][column] / total;
    let (rows, columns) = margins(counts);
    let cells = || (0..counts.len()).flat_map(|row| (0..counts.len()).map(move |column| (row, column)));
    let agreement = sum(cells().map(|(row, column)| weight(row, column) * share(row, column)));
    let chance_agreement =
        sum(cells().map(|(row, column)| weight(row, column) * rows[row] * columns[column])) / (total * total);
    if 1.0 - chance_agreement < ROUNDING {
        return None; // kappa would be 0 / 0
    }
    let kappa = (agreement - chance_agreement) / (1.0 - chance_agreement);
    // Mean weight of each row over the column shares, and of each column over the row shares.
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
    let variance = spread - (kappa - chance_agreement * (1.0 - kappa)).powi(2);
    let variance = if variance < ROUNDING { 0.0 } else { variance };
    let standard_error = (variance / total).sqrt() / (1.0 - chance_agreement);
    // Distances of huge scores may overflow.
    let finite = kappa.is_finite() && standard_error.is_finite();
    finite.then_some(Kappa { kappa, standard_error, agreement, chance_agreement })
}
