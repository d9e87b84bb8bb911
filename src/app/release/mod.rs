//! The release of a prompt: what a ledger says about its versions and labels.

mod assign;
mod bundle;
mod diff;
mod failure;
mod get;
mod log;
mod open;
mod reading;
mod resolve;
mod show;
mod status;
#[cfg(test)]
mod testing;
mod verify;
mod wire;

pub(crate) use assign::assign;
pub(crate) use bundle::{BundleOptions, DEFAULT_BUNDLE_FOLDER, bundle};
pub(crate) use diff::{DiffOptions, diff};
pub(crate) use get::{GetOptions, get};
pub(crate) use log::log;
pub(crate) use reading::{LedgerOptions, open_ledger_for_reading};
pub(crate) use show::show;
pub(crate) use status::{StatusOptions, status};
pub(crate) use verify::verify;
