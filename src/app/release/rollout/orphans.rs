//! Rollouts that are running and that no configuration releases: it was renamed or deleted, and nobody looks at them.

use crate::app::Failure;
use crate::app::release::names::ledger_of;
use crate::app::release::open::open_ledger;
use crate::app::sources::Released;
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::LedgerStore;
use promptgate_release::rollout::Rollout;
use promptgate_release::{Name, PortError};

/// Such rollouts in the ledgers of these releases, with the name of each prompt, and ledgers that cannot be read, unless a
/// prompt has failed already.
pub(super) async fn orphans(releases: &[Released], has_failed: bool) -> Vec<(String, Failure)> {
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
        match running(ledger.as_ref(), is_released).await {
            Ok(found) => failures
                .extend(found.iter().map(|(name, rollout)| (name.to_string(), unreleased(name, rollout)))),
            Err(_) if has_failed => {}
            Err(error) => failures.push((ledger.location(), error.into())),
        }
    }
    failures
}

/// The running rollouts of the names of a ledger that are not released.
async fn running(
    ledger: &dyn LedgerStore,
    is_released: impl Fn(&Name) -> bool,
) -> Result<Vec<(Name, Rollout)>, PortError> {
    ledger.refresh().await?;
    let mut running = Vec::new();
    for name in ledger.names().await? {
        if !is_released(&name)
            && let Some(rollout) = ledger.state(&name).await?.and_then(|state| state.rollout)
        {
            running.push((name, *rollout));
        }
    }
    Ok(running)
}

fn unreleased(name: &Name, rollout: &Rollout) -> Failure {
    let (number, version) = (rollout.start.number, rollout.start.treatment);
    let message =
        format!("{name}: rollout {number} of {version} is running, and no configuration here releases it");
    let help = "restore the configuration, or end it with `promptgate rollback` at the commit before";
    Failure::Unsettled(Diagnostic::new(message).help(help))
}
