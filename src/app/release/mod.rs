//! The life of a version after the gate: who acts, who approved, and what is recorded.

pub(crate) mod approvals;
pub(crate) mod approve;
mod approvers;
mod authors;
pub(crate) mod identity;
