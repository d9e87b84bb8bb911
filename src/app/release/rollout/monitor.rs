//! Looks at the version that production serves.

use std::time::Duration;

use super::observe::{Sources, read_limits};
use super::open::OpenRollout;
use super::report;
use crate::app::Failure;
use crate::app::release::resolve;
use jiff::Timestamp;
use promptgate_release::limits::{MonitorAction, MonitorDecision, MonitorRequest, monitor};
use promptgate_release::ports::{LedgerStore, Window};
use promptgate_release::{Label, MoveCause, Name, State, Version};
use promptgate_report::release::rollout as wire;

/// The version that production serves: what was observed, and what follows.
pub(super) struct MonitorReview {
    version: Version,
    decision: MonitorDecision,
    notes: Vec<String>,
}

/// Observes what production serves. `None` if nothing is monitored there.
///
/// # Errors
/// A ledger that fails.
pub(super) async fn review(
    sources: &Sources,
    name: &Name,
    ledger: &dyn LedgerStore,
    state: &State,
    now: Timestamp,
) -> Result<Option<MonitorReview>, Failure> {
    let Some(version) = state.labels.get(&Label::Production).copied() else { return Ok(None) };
    let Some(since) = state.holds_since(version, &Label::Production) else { return Ok(None) };
    let record = resolve::record_in(ledger, name, state, version).await?;
    let (Some(limits), Some(rollouts)) = (&record.policy.monitor, &record.policy.rollouts) else {
        return Ok(None);
    };
    let length = Duration::from_secs(limits.window_seconds);
    let window = rollouts
        .window(since, now)
        .map(|Window { from, to }| Window { from: to.checked_sub(length).unwrap_or(from).max(from), to });
    let (readings, mut notes) = read_limits(sources, name, state, version, &limits.limits, window).await;
    let mut decision = monitor(&MonitorRequest { monitor: limits, readings: &readings, since, now });
    if decision.action == MonitorAction::RollBack
        && let Some(why) = spared(sources.digest != rollouts.sources, state, version)
    {
        decision.action = MonitorAction::Alert;
        notes.push(why);
    }
    Ok(Some(MonitorReview { version, decision, notes }))
}

/// Why a broken limit only alerts, whatever the policy says.
fn spared(are_sources_changed: bool, state: &State, version: Version) -> Option<String> {
    if are_sources_changed {
        return Some(format!(
            "not rolled back: the sources of metrics are not those that held when {version} was published"
        ));
    }
    // A fault that affects all versions would take production back to the first one.
    let last = state.moves.iter().rfind(|moved| moved.label == Label::Production)?;
    (last.cause == MoveCause::Rollback)
        .then(|| format!("not rolled back: production came to {version} by a rollback, and a person decides"))
}

impl MonitorReview {
    /// Rolls production back where a limit is broken and the policy says so, and returns what is printed. It stays an
    /// alert where there is nothing to roll back to.
    ///
    /// # Errors
    /// Ledger or registry failing.
    pub(super) async fn act(self, open: &OpenRollout, dry_run: bool) -> Result<wire::Monitored, Failure> {
        if self.decision.action != MonitorAction::RollBack {
            return Ok(self.report());
        }
        let findings = &self.decision.findings;
        let rolled_back = open.roll_back(Label::Production, (self.version, None), findings, dry_run).await;
        let mut report = self.report();
        match rolled_back {
            Ok(notes) => report.notes.extend(notes),
            Err(Failure::Diagnostics(diagnostics)) => {
                report.result = wire::MonitorResult::Alert;
                report.notes.extend(report::sentences(&diagnostics));
            }
            Err(failure) => return Err(failure),
        }
        Ok(report)
    }

    /// The review as it is printed.
    pub(super) fn report(&self) -> wire::Monitored {
        wire::Monitored {
            version: self.version.to_string(),
            result: match (self.decision.action, &self.decision.failure) {
                (MonitorAction::RollBack, _) => wire::MonitorResult::RolledBack,
                (MonitorAction::Alert, _) => wire::MonitorResult::Alert,
                (MonitorAction::Quiet, Some(_)) => wire::MonitorResult::SourceFailed,
                (MonitorAction::Quiet, None) => wire::MonitorResult::Quiet,
            },
            findings: report::limit_findings(&self.decision.findings),
            notes: self.notes.clone(),
        }
    }
}
