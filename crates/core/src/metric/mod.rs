//! From trials to matrices: every metric of a run as case x repeat, with what is missing in it.
//!
//! Nothing is averaged, filled or left out here: that depends on the policy and is the gate's.

mod aggregate;
mod judged;

pub use aggregate::analyse;
pub use judged::judged;

#[cfg(test)]
mod tests;
