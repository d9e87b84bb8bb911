//! The gate: decides a run from its metrics and its policy.
//!
//! Pure: no clock, no files, and no randomness except the seed of the policy. Every criterion is decided twice, with all
//! missing grades at their worst and at their best; only a verdict that is the same both times counts. `docs/decision.md`
//! explains the rules to users.

mod attribution;
mod base_cases;
mod case_chance;
mod case_noise;
mod case_pair;
mod case_status;
mod criterion;
mod decide;
mod evidence;
mod explain;
mod fill;
mod first_attempts;
mod fresh;
mod length_bias;
mod limit;
mod mean_test;
mod means;
mod missing;
mod numbers;
mod reasons;
mod refusals;
mod schedule;
mod second_decision;
mod slices;
mod summary;
mod trials;
mod warnings;
mod win_rate;

pub use crate::model::{Bound, Criterion, Policy, Requirement, Rule, Statistic};
pub use base_cases::decide;
pub use explain::NOT_CAUSED;
pub use schedule::{Look, Schedule};
pub use trials::passing_score;

#[cfg(test)]
mod tests;
