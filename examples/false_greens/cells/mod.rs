//! The cells of the table: one simulated situation each.

mod ceiling;
mod faults;
mod reused_baseline;

use rand_chacha::ChaCha8Rng;

use crate::suite::Outcome;

/// One row of the table.
pub(crate) struct Cell {
    /// The kind of situation.
    pub(crate) group: &'static str,
    /// The situation.
    pub(crate) name: String,
    /// Simulates one run.
    pub(crate) simulate: Box<dyn Fn(ChaCha8Rng) -> Outcome + Sync>,
    /// The largest share of runs that is promised.
    pub(crate) promises: Vec<(Share, f64)>,
}

impl Cell {
    /// Group and name.
    pub(crate) fn label(&self) -> String {
        format!("{}: {}", self.group, self.name)
    }
}

/// A share of the runs of a cell, by verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    Green,
    Red,
    /// Inconclusive or incomplete.
    Undecided,
}

impl Share {
    pub(crate) const ALL: [Self; 3] = [Self::Green, Self::Red, Self::Undecided];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Green => "pass",
            Self::Red => "fail",
            Self::Undecided => "undecided",
        }
    }
}

/// All cells, in the order of the table.
pub(crate) fn all() -> Vec<Cell> {
    let mut cells = faults::cells();
    cells.extend(ceiling::cells());
    cells.extend(reused_baseline::cells());
    cells
}
