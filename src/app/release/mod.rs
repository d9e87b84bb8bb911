//! The release of a prompt: what a ledger says about its versions and labels, who acts, and who approved.

#[cfg(test)]
mod approval_world;
mod approvals;
mod approve;
mod approvers;
mod assign;
mod authors;
mod bundle;
mod diff;
mod failure;
mod get;
mod identity;
mod log;
mod resolve;
mod show;
mod status;
#[cfg(test)]
mod testing;
mod verify;
mod wire;

pub(crate) use assign::assign;
pub(crate) use bundle::{BundleOptions, Bundled, DEFAULT_BUNDLE_FOLDER, bundle};
pub(crate) use diff::{DiffOptions, diff};
pub(crate) use get::{GetOptions, get};
pub(crate) use log::log;
pub(crate) use show::show;
pub(crate) use status::{StatusOptions, status};
pub(crate) use verify::verify;
