//! Metrics of a run as case x repeat matrices, with their missing cells.
//!
//! Nothing is averaged, filled or left out here: that depends on the policy and is up to the gate.

mod aggregate;
mod determinism;
mod judge_quality;
mod stored;

pub use aggregate::analyse;
pub use determinism::{determinism_warning, variation_warning};
pub use judge_quality::{POSITION_FLIP, judge_quality};
pub use stored::{candidate_is_stored, started, stored_baseline};

use crate::model::Cell;
use crate::stats::mean;

/// The mean of the values in a row; `None` without values.
pub(crate) fn row_mean(row: Option<&[Cell]>) -> Option<f64> {
    let values: Vec<f64> = row?.iter().filter_map(|cell| cell.value()).collect();
    (!values.is_empty()).then(|| mean(&values))
}

#[cfg(test)]
mod tests;
