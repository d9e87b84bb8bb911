//! Tests of two independent groups, stratified: each stratum (a step of a rollout, with its own split and its own days) is
//! compared within itself, and the differences are combined. Counts are never pooled over strata, because that mixes the
//! difference between sides with the difference between days (Simpson 1951).
//!
//! Differences are treatment - control. A positive z speaks for the treatment: a test of harm uses -z at margin 0, a test
//! of "not worse by the margin" uses z at that margin. Where lower values are better, count failures as successes would be
//! (`n - successes`), or negate means.

mod means;
mod shares;

pub use means::mean_test;
pub use shares::share_test;
pub(super) use shares::{restricted, variance};

/// Both sides of a comparison that share a split and a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stratum<T> {
    /// Units that got the version in use.
    pub control: T,
    /// Units that got the new version.
    pub treatment: T,
}

/// Successes among units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Number of units with a success; at most `n`.
    pub successes: u64,
    /// Number of units.
    pub n: u64,
}

/// A sample of numbers, summarised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Number of units.
    pub n: u64,
    /// Their arithmetic mean.
    pub mean: f64,
    /// Their sample variance (denominator n - 1).
    pub variance: f64,
}

/// A stratified comparison of two groups. All numbers are finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoSample {
    /// Treatment - control, combined over the strata by information.
    pub estimate: f64,
    /// The standard error of the estimate, under the null hypothesis for shares; 0 without any variation.
    pub standard_error: f64,
    /// The test statistic of "treatment - control is at most -margin", standard normal if it is exactly -margin.
    pub z: f64,
    /// Information about the difference: shares in units, nc nt / (nc + nt) per stratum; means in 1 / square of their unit.
    pub information: f64,
}

#[cfg(test)]
mod tests;
