//! A metric's values, case by repeat, in as little memory as they need: there are many of them.

use super::Cell;

/// Rows in case order, none where the metric does not apply to the case; a row has one cell per repeat.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    /// The cells of all rows, one row after the other.
    cells: Vec<Cell>,
    /// Where the row of each case ends in `cells`, and whether there is one.
    rows: Vec<(u32, bool)>,
}

impl Matrix {
    /// How many cases there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no case.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of a case, if it has one.
    pub fn row(&self, case: usize) -> Option<&[Cell]> {
        let start = case.checked_sub(1).and_then(|before| self.rows.get(before)).map_or(0, |(end, _)| *end);
        match self.rows.get(case) {
            Some((end, true)) => self.cells.get(start as usize..*end as usize),
            Some((_, false)) | None => None,
        }
    }

    /// The rows in case order.
    pub fn rows(&self) -> impl Iterator<Item = Option<&[Cell]>> {
        (0..self.len()).map(|case| self.row(case))
    }

    /// Adds the row of the next case.
    pub fn push(&mut self, row: Option<impl IntoIterator<Item = Cell>>) {
        let applies = row.is_some();
        self.cells.extend(row.into_iter().flatten());
        // More cells than that do not fit into memory.
        self.rows.push((u32::try_from(self.cells.len()).unwrap_or(u32::MAX), applies));
    }

    /// Gives back the room that was kept for more rows.
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
    fn rows_of_any_length_come_back() {
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
