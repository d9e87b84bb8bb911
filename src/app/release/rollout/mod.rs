//! Rollouts: a version gets a growing share of the units, by evidence.

mod advance;
mod end;
mod observe;
mod open;
mod pause;
mod report;
mod start;
mod status;

pub(crate) use advance::advance;
pub(crate) use end::abort;
pub(super) use end::{end, events};
pub(crate) use pause::{pause, resume};
pub(crate) use start::{StartOptions, start};
pub(crate) use status::status;
