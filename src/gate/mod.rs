//! The decision: pure, from numbers and a policy to a verdict.

pub mod policy;

pub use policy::{Bound, Criterion, Policy, Requirement, Rule, Statistic};
