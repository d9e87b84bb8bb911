//! Shares of runs with exact intervals.

use promptgate_core::stats::clopper_pearson;

/// A share with its exact 95 % interval (Clopper and Pearson 1934).
pub(crate) struct ExactShare {
    /// The lower bound.
    pub(crate) lower: f64,
    /// Share and interval in percent.
    pub(crate) text: String,
}

impl ExactShare {
    pub(crate) fn of(count: usize, runs: usize) -> Self {
        let bounds = clopper_pearson(count, runs, 0.025);
        let (lower, upper) = (bounds.lower.unwrap_or(0.0), bounds.upper.unwrap_or(1.0));
        let text = format!("{} ({}–{})", percent(count as f64 / runs as f64), percent(lower), percent(upper));
        Self { lower, text }
    }
}

/// A share in percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}
