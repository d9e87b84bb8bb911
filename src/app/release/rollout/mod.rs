//! Rollouts: a version gets a growing share of the units, by evidence.

mod advance;
mod end;
mod observe;
mod open;
mod pause;
mod plan;
mod report;
mod simulate;
mod start;
mod status;

pub(crate) use advance::advance;
pub(crate) use end::abort;
pub(super) use end::{end, events};
pub(crate) use pause::{pause, resume};
pub(crate) use plan::{PlanOptions, plan};
pub(crate) use simulate::{SimulateOptions, simulate};
pub(crate) use start::{StartOptions, start};
pub(crate) use status::status;

use crate::app::release::open::Opened;
use crate::app::{Environment, Failure};
use observe::Sources;

/// Opens the sources of metrics.
fn sources(opened: &Opened, _environment: &Environment) -> Result<Sources, Failure> {
    let digest = opened.settings.policy.rollouts.as_ref().map(|policy| policy.sources.clone());
    let digest = digest.unwrap_or_else(|| opened.settings.policy.digest());
    Ok(Sources { by_name: std::collections::BTreeMap::new(), digest })
}
