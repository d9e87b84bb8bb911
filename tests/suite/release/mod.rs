//! The commands that write: publish, approve, promote, rollback, reconcile and pull, in real repositories, over ledgers in
//! a folder and on a branch, against a fake Langfuse.

mod bad_registry;
mod bad_report;
mod concurrent;
pub(crate) mod killed;
mod never;
mod outputs;
mod planted;
mod policy;
pub(crate) mod refuted;
mod regraded;
mod releases;
mod requests;
mod story;
pub(crate) mod support;
