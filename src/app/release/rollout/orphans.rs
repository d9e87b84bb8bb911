//! Rollouts that are running and that no configuration releases: it was renamed or deleted, and nobody looks at them.
//!
//! A ledger belongs to one repository. Where several share one all the same, the address of the job that began a rollout says
//! whose it is; a rollout that was begun outside of a job counts as this repository's.

use crate::app::release::identity;
use crate::app::release::names::ledger_of;
use crate::app::release::open::open_ledger;
use crate::app::sources::Released;
use crate::app::{Environment, Failure};
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::LedgerStore;
use promptgate_release::rollout::Rollout;
use promptgate_release::{EventKind, Name, PortError};

/// Such rollouts in the ledgers of these releases, with the name of each prompt, and ledgers that cannot be read, unless a
/// prompt has failed already.
pub(super) async fn orphans(
    releases: &[Released],
    has_failed: bool,
    environment: &Environment,
) -> Vec<(String, Failure)> {
    let mut seen = Vec::new();
    let mut failures = Vec::new();
    for release in releases {
        let place = ledger_of(release);
        if seen.contains(&place) {
            continue;
        }
        seen.push(place);
        let (_, folder, settings) = release;
        let ledger = open_ledger(&settings.ledger, folder);
        let is_released = |name: &Name| releases.iter().any(|(_, _, settings)| settings.name == *name);
        let identity = identity::identity(environment, folder).ok();
        let own = identity.and_then(|identity| identity.actor.run);
        match running(ledger.as_ref(), is_released, own.as_deref()).await {
            Ok(found) => failures
                .extend(found.iter().map(|(name, rollout)| (name.to_string(), unreleased(name, rollout)))),
            Err(_) if has_failed => {}
            Err(error) => failures.push((ledger.location(), error.into())),
        }
    }
    failures
}

/// The running rollouts of the names of a ledger that are not released, except for those of other repositories. `own` is the
/// address of this job.
async fn running(
    ledger: &dyn LedgerStore,
    is_released: impl Fn(&Name) -> bool,
    own: Option<&str>,
) -> Result<Vec<(Name, Rollout)>, PortError> {
    ledger.refresh().await?;
    let mut running = Vec::new();
    for name in ledger.names().await? {
        if !is_released(&name)
            && let Some(rollout) = ledger.state(&name).await?.and_then(|state| state.rollout)
        {
            let number = rollout.start.number;
            let begun_by =
                ledger.history(&name).await?.events.into_iter().rev().find_map(|event| match &event.kind {
                    EventKind::RolloutStarted { start } if start.number == number => event.actor.run,
                    _ => None,
                });
            if !is_of_another_repository(begun_by.as_deref(), own) {
                running.push((name, *rollout));
            }
        }
    }
    Ok(running)
}

/// Whether the jobs at two addresses are of different repositories; false where that is not known.
fn is_of_another_repository(begun_by: Option<&str>, own: Option<&str>) -> bool {
    match begun_by.zip(own).map(|(begun_by, own)| (repository_of(begun_by), repository_of(own))) {
        Some((Some(begun_by), Some(own))) => !begun_by.eq_ignore_ascii_case(own),
        _ => false,
    }
}

/// The address of the repository of a job of GitHub or GitLab.
fn repository_of(run: &str) -> Option<&str> {
    ["/actions/runs/", "/-/jobs/", "/-/pipelines/"].iter().find_map(|part| Some(run.split_once(part)?.0))
}

fn unreleased(name: &Name, rollout: &Rollout) -> Failure {
    let (number, version) = (rollout.start.number, rollout.start.treatment);
    let message =
        format!("{name}: rollout {number} of {version} is running, and no configuration here releases it");
    let help = "restore the configuration, or end it with `promptgate rollback` at the commit before";
    Failure::Unsettled(Diagnostic::new(message).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_of_a_rollout_is_that_of_the_job_that_began_it() {
        let own = "https://github.com/acme/support/actions/runs/17";
        for (begun_by, own, expected) in [
            (Some("https://github.com/acme/support/actions/runs/9"), Some(own), false),
            // Names of repositories are case-insensitive.
            (Some("https://github.com/Acme/Support/actions/runs/9"), Some(own), false),
            (Some("https://github.com/acme/sales/actions/runs/17"), Some(own), true),
            (Some("https://git.example/acme/support/-/jobs/9"), Some(own), true),
            (Some("https://git.example/a/b/-/jobs/9"), Some("https://git.example/a/b/-/pipelines/1"), false),
            // Not known.
            (None, Some(own), false),
            (Some("https://github.com/acme/sales/actions/runs/17"), None, false),
            (Some("https://ci.example/1"), Some(own), false),
        ] {
            assert_eq!(is_of_another_repository(begun_by, own), expected, "{begun_by:?} {own:?}");
        }
    }
}
