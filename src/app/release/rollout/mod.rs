//! Rollouts: a version gets a growing share of the units, by evidence.

mod advance;
mod carry;
mod end;
mod monitor;
mod observe;
mod open;
mod orphans;
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

use std::sync::Arc;

use crate::app::release::metrics::{Unopened, open_sources};
use crate::app::release::open::Opened;
use crate::app::{Environment, Failure};
use observe::Sources;
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::MetricSource;

/// Opens the sources of metrics that the configuration names now. One that cannot be opened fails when it is read, so that
/// the harm that others show still counts.
fn sources(opened: &Opened, environment: &Environment) -> Sources {
    let settings = &opened.settings;
    let source = |(name, source): (String, Result<Arc<dyn MetricSource>, Diagnostic>)| {
        let source = source.unwrap_or_else(|error| Arc::new(Unopened::new(&name, &error)));
        (name, source)
    };
    let opened = open_sources(settings, &opened.folder, environment, &opened.shown);
    Sources { by_name: opened.into_iter().map(source).collect(), digest: settings.sources.digest() }
}

/// Opens the sources for a command that needs them all.
///
/// # Errors
/// Credentials that are not set.
fn all_sources(opened: &Opened, environment: &Environment) -> Result<Sources, Failure> {
    let settings = &opened.settings;
    let opened = open_sources(settings, &opened.folder, environment, &opened.shown).into_iter();
    let by_name = opened.map(|(name, source)| Ok((name, source?))).collect::<Result<_, Diagnostic>>()?;
    Ok(Sources { by_name, digest: settings.sources.digest() })
}
