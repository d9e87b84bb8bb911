//! Compact storage of a metric's values by case and repeat.

use super::Cell;

/// Rows in case order, absent where the metric does not apply to the case. A row has one cell per repeat.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    /// The cells of all rows in row order.
    cells: Vec<Cell>,
    /// For each case, the end of its row in `cells` and whether the metric applies.
    rows: Vec<(u32, bool)>,
}

impl Matrix {
    /// Number of cases.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no cases.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the row of a case.
    pub fn row(&self, case: usize) -> Option<&[Cell]> {
        let start = case.checked_sub(1).and_then(|before| self.rows.get(before)).map_or(0, |(end, _)| *end);
        match self.rows.get(case) {
            Some((end, true)) => self.cells.get(start as usize..*end as usize),
            Some((_, false)) | None => None,
        }
    }

    /// Returns the rows in case order.
    pub fn rows(&self) -> impl Iterator<Item = Option<&[Cell]>> {
        (0..self.len()).map(|case| self.row(case))
    }

    /// Appends the row of the next case.
    pub fn push(&mut self, row: Option<impl IntoIterator<Item = Cell>>) {
        let applies = row.is_some();
        self.cells.extend(row.into_iter().flatten());
        // Saturation is unreachable: u32::MAX cells do not fit into memory.
        self.rows.push((u32::try_from(self.cells.len()).unwrap_or(u32::MAX), applies));
    }

    /// Frees unused capacity.
    pub fn shrink(&mut self) {
        self.cells.shrink_to_fit();
        self.rows.shrink_to_fit();
    }
}

impl<R: IntoIterator<Item = Cell>> FromIterator<Option<R>> for Matrix {
    fn from_iter<I: IntoIterator<Item = Option<R>>>(rows: I) -> Self {
        let mut matrix = Self::default();
        rows.into_iter().for_each(|row| matrix.push(row));
        matrix.shrink();
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_different_lengths_are_returned_unchanged() {
        let value = Cell::Value;
        let rows = [
            None,
            Some(vec![value(1.0), Cell::Missing]),
            Some(Vec::new()),
            None,
            Some(vec![Cell::NotAsked, value(0.5), value(0.25)]),
        ];
        let matrix: Matrix = rows.iter().cloned().collect();
        assert_eq!(matrix.len(), rows.len());
        assert!(matrix.rows().eq(rows.iter().map(|row| row.as_deref())));
        assert_eq!(matrix.row(rows.len()), None);
        assert!(Matrix::default().is_empty());
    }
}
