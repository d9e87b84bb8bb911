//! Execution of a plan: requests completions, grades them by checks and then by judges, and returns the trials.
//!
//! Retries, rate limits and budgets are layers behind the [`ChatModel`](promptgate_core::port::ChatModel) port. The gate
//! decides what scores and missing grades mean.

mod case_cost;
mod conversation;
mod embeddings;
mod outside;
mod pairs;
mod plan;
mod round;
mod scorers;
mod self_test;
mod state;
#[cfg(test)]
mod tests;
mod transform;

pub use case_cost::CaseCostLimit;
pub use embeddings::EmbeddingModel;
pub use outside::OutsideScorer;
pub use plan::{Plan, Roles, Slot};
pub use round::{Engine, Round, RoundResult};
pub use scorers::Scorers;
