//! Carries out a plan: asks for completions, grades them by checks, then by judges, and returns the trials.
//!
//! Knows models only through the [`ChatModel`](promptgate_core::port::ChatModel) port: retries, rates and budgets are
//! layers behind it. Decides nothing about quality; what a missing grade means is the gate's business.

mod execute;
mod grade;
mod plan;
mod self_test;
mod state;
#[cfg(test)]
mod tests;

pub use execute::{Engine, Executed, Round};
pub use grade::Scorers;
pub use plan::{Plan, Roles, Slot};
