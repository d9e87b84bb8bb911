//! From trials to matrices: every metric of a run as case x repeat, with what is missing in it.
//!
//! Nothing is averaged, filled or left out here: that depends on the policy and is the gate's.

mod aggregate;

pub use aggregate::analyse;

#[cfg(test)]
mod tests;
