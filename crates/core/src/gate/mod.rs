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
mod looks;
pub mod policy;
mod reasons;
mod slices;
mod summary;
mod weigh;

pub use decide::decide;
pub use looks::{Look, Schedule};
pub use policy::{Bound, Criterion, Policy, Requirement, Rule, Statistic};

#[cfg(test)]
mod tests;
