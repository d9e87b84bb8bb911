//! How far two raters agree on categories, beyond what chance explains.

use super::Estimate;

/// Verdicts of a judge against those of people, two classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// Both say yes.
    pub true_positives: usize,
    /// The judge alone says yes.
    pub false_positives: usize,
    /// The person alone says yes.
    pub false_negatives: usize,
    /// Both say no.
    pub true_negatives: usize,
}

impl Confusion {
    /// Counts pairs of (person, judge).
    pub fn count(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for pair in pairs {
            match pair {
                (true, true) => counts.true_positives += 1,
                (false, true) => counts.false_positives += 1,
                (true, false) => counts.false_negatives += 1,
                (false, false) => counts.true_negatives += 1,
            }
        }
        counts
    }

    /// Pairs in all.
    pub fn total(self) -> usize {
        self.true_positives + self.false_positives + self.false_negatives + self.true_negatives
    }

    /// Share of the person's yes that the judge finds; `None` without any.
    pub fn sensitivity(self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Share of the person's no that the judge finds; `None` without any.
    pub fn specificity(self) -> Option<f64> {
        share(self.true_negatives, self.true_negatives + self.false_positives)
    }

    /// Mean of sensitivity and specificity: 0.5 for a judge that says the same to everything.
    pub fn balanced_accuracy(self) -> Option<f64> {
        Some((self.sensitivity()? + self.specificity()?) / 2.0)
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// How two ratings may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// By the number of categories between them.
    Linear,
    /// By its square.
    Quadratic,
}

/// A table of shares, square, one row for each category of the first rater.
struct Table {
    cells: Vec<Vec<f64>>,
    rows: Vec<f64>,
    columns: Vec<f64>,
    pairs: f64,
}

impl Table {
    /// `None` for no pairs, or sides of different length.
    fn new(first: &[usize], second: &[usize]) -> Option<Self> {
        let last = *first.iter().chain(second).max()?;
        if first.len() != second.len() || last >= MOST_CATEGORIES {
            return None;
        }
        let size = last + 1;
        let pairs = first.len() as f64;
        let mut cells = vec![vec![0.0; size]; size];
        for (one, other) in first.iter().zip(second) {
            cells[*one][*other] += 1.0;
        }
        cells.iter_mut().flatten().for_each(|cell| *cell /= pairs);
        let rows: Vec<f64> = cells.iter().map(|row| row.iter().sum()).collect();
        let columns = (0..size).map(|column| cells.iter().map(|row| row[column]).sum()).collect();
        Some(Self { cells, rows, columns, pairs })
    }

    fn observed(&self) -> f64 {
        (0..self.cells.len()).map(|category| self.cells[category][category]).sum()
    }

    fn expected(&self) -> f64 {
        self.rows.iter().zip(&self.columns).map(|(row, column)| row * column).sum()
    }
}

/// More categories than this are no categories: their table alone would fill the memory.
const MOST_CATEGORIES: usize = 1000;

/// Share of pairs with the same category; `None` for no pairs, or sides of different length.
pub fn agreement(first: &[usize], second: &[usize]) -> Option<f64> {
    let same = first.iter().zip(second).filter(|(one, other)| one == other).count();
    (first.len() == second.len()).then(|| share(same, first.len())).flatten()
}

/// Cohen's kappa (1960) with its large-sample standard error (Fleiss, Cohen and Everitt 1969). Categories are
/// numbered from 0. `None` for no pairs, sides of different length, or raters who both always say the same one
/// thing, where chance alone explains all.
pub fn cohen_kappa(first: &[usize], second: &[usize]) -> Option<Estimate> {
    let table = Table::new(first, second)?;
    let (observed, expected) = (table.observed(), table.expected());
    if expected >= 1.0 {
        return None;
    }
    let kappa = (observed - expected) / (1.0 - expected);
    let doubt = 1.0 - kappa;
    let (mut agreeing, mut differing) = (0.0, 0.0);
    for (one, row) in table.cells.iter().enumerate() {
        for (other, cell) in row.iter().enumerate() {
            if one == other {
                agreeing += cell * (1.0 - (table.rows[one] + table.columns[one]) * doubt).powi(2);
            } else {
                differing += cell * (table.columns[one] + table.rows[other]).powi(2);
            }
        }
    }
    let variance = (agreeing + doubt * doubt * differing - (kappa - expected * doubt).powi(2))
        / ((1.0 - expected).powi(2) * table.pairs);
    Some(Estimate {
        mean: kappa,
        standard_error: variance.max(0.0).sqrt(),
        degrees_of_freedom: f64::INFINITY,
    })
}

/// Cohen's weighted kappa (1968) for ordered categories, numbered from 0 without gaps in between. `None` as for
/// [`cohen_kappa`].
pub fn weighted_kappa(first: &[usize], second: &[usize], weighting: Weighting) -> Option<f64> {
    let table = Table::new(first, second)?;
    let (mut observed, mut expected) = (0.0, 0.0);
    for (one, row) in table.cells.iter().enumerate() {
        for (other, cell) in row.iter().enumerate() {
            let apart = one.abs_diff(other) as f64;
            let weight = match weighting {
                Weighting::Linear => apart,
                Weighting::Quadratic => apart * apart,
            };
            observed += weight * cell;
            expected += weight * table.rows[one] * table.columns[other];
        }
    }
    (expected > 0.0).then(|| 1.0 - observed / expected)
}

/// Gwet's AC1 (2008): agreement beyond chance that stays meaningful where one category is rare. `categories` is how
/// many there could be, at least 2. `None` for no pairs, sides of different length, or a category beyond them.
pub fn gwet_ac1(first: &[usize], second: &[usize], categories: usize) -> Option<f64> {
    let table = Table::new(first, second)?;
    if categories < 2 || table.cells.len() > categories {
        return None;
    }
    let spread: f64 = table
        .rows
        .iter()
        .zip(&table.columns)
        .map(|(row, column)| (row + column) / 2.0)
        .map(|prevalence| prevalence * (1.0 - prevalence))
        .sum();
    let expected = spread / (categories - 1) as f64;
    Some((table.observed() - expected) / (1.0 - expected))
}
