//! Forecasts: the cost of a run, the drops it can detect, and the extra work that would settle an inconclusive run.
//!
//! Pure arithmetic on sizes, prices and noise; calls nothing and reads nothing.

mod cost;
mod detectable;
mod settle;
#[cfg(test)]
mod tests;

pub use cost::{CallCost, CostEstimate, Load, estimate_cost};
pub use detectable::{
    ComparisonSize, between_case_sd, detectable_population_drop, detectable_suite_drop, likely_repeats,
};
pub use settle::{Rates, rates, to_settle};
