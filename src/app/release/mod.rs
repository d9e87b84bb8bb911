//! The release of a prompt: publishing versions, moving labels, and what a ledger says about both.
//!
//! The way of the data: prompt, policy and report become a record and evidence; `promotion::decide` holds them against
//! the controls; events go to the ledger, then the label to the registry, which is read back.

mod adopt;
#[cfg(test)]
mod approval_world;
mod approvals;
mod approve;
mod approvers;
mod assign;
mod authors;
mod bundle;
pub(in crate::app) mod claims;
mod committed;
pub(in crate::app) mod content;
mod decided_again;
mod diff;
mod evidence;
pub(in crate::app) mod failure;
mod get;
mod identity;
mod labels;
mod log;
mod metrics;
mod names;
mod open;
mod pending;
mod promote;
mod publish;
mod pull;
mod reading;
mod reconcile;
mod record;
mod releases;
pub(in crate::app) mod resolve;
pub(in crate::app) mod review;
mod rollback;
mod rollout;
mod secrets;
mod show;
mod status;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod verify;
mod wait;
mod wire;
mod write;

pub(crate) use approve::{ApproveOptions, ApproveResult, Approved, approve};
pub(crate) use assign::assign;
pub(crate) use bundle::{BundleOptions, DEFAULT_BUNDLE_FOLDER, bundle};
pub(crate) use diff::{DiffOptions, diff};
pub(crate) use get::{GetOptions, get};
pub(crate) use log::log;
pub(crate) use names::refuse_shared_name;
pub(in crate::app) use open::open_ledger;
pub(crate) use open::{Opened, Target};
pub(crate) use promote::{PromoteOptions, PromoteOutcome, Promoted, promote};
pub(crate) use publish::{PublishOptions, PublishOutcome, Published, publish};
pub(crate) use pull::{PullOptions, PullOutcome, Pulled, pull};
pub(crate) use reading::{LedgerOptions, open_ledger_for_reading};
pub(crate) use reconcile::{Difference, ReconcileOptions, Reconciled, reconcile};
pub(crate) use rollback::{RollbackOptions, RolledBack, rollback};
pub(crate) use rollout::{
    CarryOptions, PlanOptions, SimulateOptions, StartOptions, abort, advance, advance_all, pause,
    plan as plan_rollout, resume, simulate as simulate_rollout, start as start_rollout,
    status as rollout_status,
};
pub(crate) use show::show;
pub(crate) use status::{StatusOptions, status};
pub(crate) use verify::verify;
pub(crate) use wait::{Wait, wait};
pub(crate) use wire::{obstacles, word};
