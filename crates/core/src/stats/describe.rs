//! Sums, means, variances, percentiles and correlation, and the container of repeated scores.

/// Variances below this are rounding errors, not noise.
const ROUNDING: f64 = 1e-18;

/// Scores by case: one row per case, one value per repeat. Rows may differ in length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Repeated {
    values: Vec<f64>,
    ends: Vec<usize>,
}

impl Repeated {
    /// Creates an empty container with room for `rows` rows and `values` values in all.
    pub fn with_capacity(rows: usize, values: usize) -> Self {
        Self { values: Vec::with_capacity(values), ends: Vec::with_capacity(rows) }
    }

    /// Appends a row.
    pub fn push(&mut self, row: impl IntoIterator<Item = f64>) {
        self.values.extend(row);
        self.ends.push(self.values.len());
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> + Clone {
        (0..self.ends.len()).map(|row| {
            let start = if row == 0 { 0 } else { self.ends[row - 1] };
            &self.values[start..self.ends[row]]
        })
    }

    /// All values, row after row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The mean of each row; 0 for an empty row.
    pub fn row_means(&self) -> Vec<f64> {
        self.rows().map(mean).collect()
    }

    /// The length of the shortest row; 0 without rows.
    pub fn shortest(&self) -> usize {
        self.rows().map(<[f64]>::len).min().unwrap_or(0)
    }
}

impl<Row: IntoIterator<Item = f64>> FromIterator<Row> for Repeated {
    fn from_iter<Rows: IntoIterator<Item = Row>>(rows: Rows) -> Self {
        let mut repeated = Self::default();
        for row in rows {
            repeated.push(row);
        }
        repeated
    }
}

/// A sum whose rounding error does not grow with the number of terms (Neumaier 1974), so that the order of cases cannot
/// change a comparison.
pub(super) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        total = next;
    }
    total + lost
}

/// The arithmetic mean; 0 without values.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { sum(values.iter().copied()) / values.len() as f64 }
}

/// The sample variance (denominator n - 1); 0 with fewer than two values, or if it is below 1e-18, which is rounding.
pub fn sample_variance(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let centre = mean(values);
    let squares = sum(values.iter().map(|value| (value - centre).powi(2)));
    clamp_variance(squares / (values.len() - 1) as f64)
}

/// The variance, or 0 if it is below the rounding error.
pub(super) fn clamp_variance(variance: f64) -> f64 {
    if variance < ROUNDING { 0.0 } else { variance }
}

/// The variance within rows, pooled over all rows by their degrees of freedom; `None` if no row has two values.
pub fn pooled_variance<'a>(rows: impl IntoIterator<Item = &'a [f64]>) -> Option<f64> {
    let (mut squares, mut freedom) = (0.0, 0_usize);
    for row in rows {
        if row.len() >= 2 {
            squares += sample_variance(row) * (row.len() - 1) as f64;
            freedom += row.len() - 1;
        }
    }
    (freedom > 0).then(|| squares / freedom as f64)
}

/// The percentile by nearest rank: the smallest value with at least the share `level` of all values at or
/// below it (Hyndman and Fan 1996, definition 1). `sorted` is ascending. `None` without values.
pub fn nearest_rank(sorted: &[f64], level: f64) -> Option<f64> {
    // Subtracts the rounding error, so that 0.95 * 20 is rank 19 and not 20.
    let rank = (level * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

/// Pearson's correlation; `None` with fewer than two pairs, or if one side does not vary.
pub fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let count = pairs.len() as f64;
    let left_mean = sum(pairs.iter().map(|pair| pair.0)) / count;
    let right_mean = sum(pairs.iter().map(|pair| pair.1)) / count;
    let left = sum(pairs.iter().map(|pair| (pair.0 - left_mean).powi(2)));
    let right = sum(pairs.iter().map(|pair| (pair.1 - right_mean).powi(2)));
    let both = sum(pairs.iter().map(|pair| (pair.0 - left_mean) * (pair.1 - right_mean)));
    (pairs.len() >= 2 && left > ROUNDING && right > ROUNDING)
        .then(|| (both / (left * right).sqrt()).clamp(-1.0, 1.0))
}
