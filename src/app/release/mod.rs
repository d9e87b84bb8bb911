//! The release of a prompt: what a ledger says about its versions and labels.

mod assign;
mod bundle;
pub(in crate::app) mod claims;
pub(in crate::app) mod content;
mod diff;
#[cfg_attr(not(test), allow(dead_code, reason = "read by the commands that publish"))]
mod evidence;
mod failure;
mod get;
mod log;
pub(in crate::app) mod resolve;
pub(in crate::app) mod review;
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
