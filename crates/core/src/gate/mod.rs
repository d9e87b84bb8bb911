//! The decision: pure, from numbers and a policy to a verdict. No clock, no file, no randomness but the
//! policy's seed.
//!
//! `docs/decision.md` tells users how a verdict comes about. Every criterion is decided twice, with all missing
//! grades filled at worst and at best; only the same verdict twice is one.

mod cases;
mod decide;
mod evidence;
mod examine;
mod explain;
mod fill;
mod length;
mod limit;
mod reasons;
mod schedule;
mod slices;
mod summary;
mod weigh;

pub use crate::model::{Bound, Criterion, Policy, Requirement, Rule, Statistic};
pub use decide::decide;
pub use schedule::{Look, Schedule};

#[cfg(test)]
mod tests;
