//! Looks at the version on staging.

use std::collections::BTreeMap;

use super::observe::{Sources, read_limits};
use super::open::OpenRollout;
use crate::app::Failure;
use crate::app::release::write::{self, Current};
use promptgate_release::limits::{
    LimitFinding, LimitFindingKind, LimitReadings, StagingAction, StagingDecision, StagingRequest, stage,
};
use promptgate_release::ports::Addition;
use promptgate_release::rollout::{Reading, Sample};
use promptgate_release::{EventKind, Label, Name, Record, State};

/// A version on staging: what was observed, and what follows.
pub(super) struct StagingReview {
    pub(super) decision: StagingDecision,
    /// Remarks for people.
    pub(super) notes: Vec<String>,
    readings: LimitReadings,
}

/// Observes the version of `record` on staging. `None` if nothing is checked there.
pub(super) async fn review(
    sources: &Sources,
    name: &Name,
    state: &State,
    record: &Record,
    now: jiff::Timestamp,
) -> Option<StagingReview> {
    let policy = &record.policy;
    let (checks, rollouts) = (policy.staging_checks.as_ref()?, policy.rollouts.as_ref()?);
    let since = state.holds_since(record.version, &Label::Staging)?;
    let is_changed = sources.digest != rollouts.sources;
    let (readings, mut notes) = match is_changed {
        true => (LimitReadings::new(), Vec::new()),
        false => {
            let window = rollouts.window(since, now);
            read_limits(sources, name, state, record.version, &checks.limits, window).await
        }
    };
    let known = state.versions.get(&record.version);
    let mut decision = stage(&StagingRequest {
        checks,
        readings: &readings,
        evidence: known.and_then(|known| known.evidence.as_ref()),
        since,
        hold_seconds: policy.staging_hold_seconds,
        max_hold_seconds: rollouts.max_hold_seconds,
        now,
    });
    // Others than those of the record are not asked, and decide nothing.
    if is_changed {
        decision.action = StagingAction::Stuck;
        notes.push(format!(
            "the sources of metrics are not those that held when {} was published: publish a new version, or promote it \
             with --skip-holds",
            record.version
        ));
    }
    Some(StagingReview { decision, notes, readings })
}

/// Records that the version of `record` keeps the limits of staging, unless staging has moved on.
///
/// # Errors
/// A ledger that fails.
pub(super) async fn pass(open: &OpenRollout, record: &Record, review: &StagingReview) -> Result<(), Failure> {
    let version = record.version;
    let observed = |(metric, reading): (&String, &Reading<Sample>)| match reading {
        Reading::Observed(sample) => Some((metric.clone(), *sample)),
        Reading::Missing(_) | Reading::Failed(_) => None,
    };
    let is_replayed = |finding: &LimitFinding| finding.kind == LimitFindingKind::Replayed;
    let samples: BTreeMap<String, Sample> = match review.decision.findings.iter().any(is_replayed) {
        true => BTreeMap::new(),
        false => review.readings.iter().filter_map(observed).collect(),
    };
    write::append(open.opened.ledger.as_ref(), open.name(), async |current: &Current| {
        let is_staged = current.state.labels.get(&Label::Staging) == Some(&version);
        let addition = match is_staged && !current.state.has_passed_staging(version) {
            true => open.stamp.events([EventKind::StagingPassed { version, samples: samples.clone() }]),
            false => Addition::default(),
        };
        Ok::<_, Failure>((addition, ()))
    })
    .await
}
