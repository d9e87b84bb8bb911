//! Rollouts: a version gets a growing share of the units, by evidence.

mod advance;
mod carry;
mod end;
mod monitor;
mod observe;
mod open;
mod pause;
mod plan;
mod report;
mod simulate;
mod staging;
mod start;
mod status;

pub(crate) use advance::{advance, advance_all};
pub(crate) use carry::CarryOptions;
pub(crate) use end::abort;
pub(super) use end::{end, events, remaining};
pub(crate) use pause::{pause, resume};
pub(crate) use plan::{PlanOptions, plan};
pub(super) use report::position;
pub(crate) use simulate::{SimulateOptions, simulate};
pub(crate) use start::{StartOptions, start};
pub(crate) use status::status;

use crate::app::release::metrics::open_sources;
use crate::app::release::open::Opened;
use crate::app::{Environment, Failure};
use observe::Sources;

/// Opens the sources of metrics that the configuration names now.
///
/// # Errors
/// Credentials that are not set.
fn sources(opened: &Opened, environment: &Environment) -> Result<Sources, Failure> {
    let settings = &opened.settings.sources;
    let by_name = open_sources(settings, &opened.folder, environment, &opened.shown)?;
    Ok(Sources { by_name, digest: settings.digest() })
}
