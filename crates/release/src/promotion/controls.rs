//! The controls, one function each.

use super::{Obstacle, Promotion};
use crate::time::after;
use crate::{ActorSource, Digest, Evidence, GateScope, Label, Level, Record, Version, diff};

/// The version that production serves and its digest, as the ledger says.
fn production(promotion: &Promotion<'_>) -> Option<(Version, Digest)> {
    let version = *promotion.state.labels.get(&Label::Production)?;
    promotion.state.versions.get(&version).map(|state| (version, state.digest.clone()))
}

/// The level of the change from what production serves now, which may have moved since the version was published; without
/// the record of that version, the highest.
pub(super) fn level(promotion: &Promotion<'_>) -> Level {
    let Some((version, digest)) = production(promotion) else { return Level::Major };
    let is_served = |record: &&Record| record.version == version && record.digest == digest;
    let Some(served) = promotion.production.filter(is_served) else { return Level::Major };
    let rules = &promotion.record.policy.rules;
    let least = diff::compare(&served.content, &promotion.record.content, rules).level;
    promotion.record.level.max(least.unwrap_or(Level::Patch))
}

/// Obstacles of the request itself.
pub(super) fn request(promotion: &Promotion<'_>, current: Option<Version>) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    let version = promotion.record.version;
    if !matches!(promotion.to, Label::Staging | Label::Production) {
        obstacles.push(Obstacle::NotPromotable(promotion.to.clone()));
    }
    if promotion.actor == ActorSource::OtherBranch {
        obstacles.push(Obstacle::OtherBranch);
    }
    // Below production on any label: a version that production has left behind returns by a rollback alone.
    let served = production(promotion).map(|(version, _)| version);
    if let Some(current) = current.max(served).filter(|current| version < *current) {
        obstacles.push(Obstacle::Older { current });
    }
    let rolled_back =
        promotion.state.versions.get(&version).is_some_and(|state| !state.rolled_back.is_empty());
    if rolled_back && !promotion.again {
        obstacles.push(Obstacle::RolledBack);
    }
    let needs_reason = promotion.skip_holds || (rolled_back && promotion.again);
    if needs_reason && promotion.reason.is_none_or(|reason| reason.trim().is_empty()) {
        obstacles.push(Obstacle::NoReason);
    }
    obstacles
}

/// Obstacles of the evaluation.
pub(super) fn evidence(promotion: &Promotion<'_>, level: Level) -> Vec<Obstacle> {
    let version = promotion.state.versions.get(&promotion.record.version);
    let Some(evidence) = version.and_then(|version| version.evidence.as_ref()) else {
        return vec![Obstacle::NoEvidence];
    };
    let mut obstacles = Vec::new();
    if evidence.candidate != promotion.record.digest {
        obstacles.push(Obstacle::OtherContent);
    }
    // A claimed login is enough for a ledger that its readers write; a job of a pull request never is.
    let counts_unverified = promotion.unverified_counts && evidence.source == ActorSource::Local;
    if !evidence.source.is_trusted() && !counts_unverified {
        obstacles.push(Obstacle::UntrustedEvidence { source: evidence.source });
    }
    if evidence.simulated && !promotion.allow_simulated {
        obstacles.push(Obstacle::Simulated);
    }
    obstacles.extend(Obstacle::of_verdict(evidence));
    obstacles.extend(scope(promotion, evidence, level));
    obstacles
}

fn scope(promotion: &Promotion<'_>, evidence: &Evidence, level: Level) -> Option<Obstacle> {
    let required =
        if promotion.skip_holds { GateScope::Full } else { promotion.record.policy.controls(level).gate };
    if evidence.scope < required {
        return Some(Obstacle::GateScope { examined: evidence.scope, level });
    }
    // Deterministic checks compare with nothing, so nothing makes them stale.
    let (production, digest) = production(promotion).filter(|_| required == GateScope::Full)?;
    let compared = evidence.baseline.as_ref().map(|baseline| &baseline.digest);
    (compared != Some(&digest)).then_some(Obstacle::StaleBaseline { production })
}

/// Missing approvals. Staging needs them only where the gate did not pass by itself.
pub(super) fn approvals(promotion: &Promotion<'_>, level: Level) -> Option<Obstacle> {
    let version = promotion.state.versions.get(&promotion.record.version)?;
    let waived = version.evidence.as_ref().is_some_and(|evidence| evidence.waived);
    let by_level = match promotion.to {
        Label::Production => promotion.record.policy.controls(level).approvals,
        _ => 0,
    };
    let need = by_level.max(u32::from(waived || (promotion.skip_holds && promotion.to == Label::Production)));
    let mut counted: Vec<String> = Vec::new();
    let mut rejected = Vec::new();
    for approval in &version.approvals {
        match approval.check(promotion.record, promotion.unverified_counts) {
            Ok(()) => counted.push(approval.login.to_ascii_lowercase()),
            Err(reason) => rejected.push((approval.login.clone(), reason)),
        }
    }
    counted.sort_unstable();
    counted.dedup();
    let have = u32::try_from(counted.len()).unwrap_or(u32::MAX);
    (have < need).then_some(Obstacle::Approvals { have, need, rejected })
}

/// A rollout that is running, or that the level requires.
pub(super) fn rollout(promotion: &Promotion<'_>, level: Level) -> Option<Obstacle> {
    if promotion.to != Label::Production {
        return None;
    }
    if let Some(running) = &promotion.state.rollout {
        let (number, version) = (running.start.number, running.start.treatment);
        return Some(Obstacle::RolloutRunning { number, version });
    }
    // A first version has nothing to be compared with.
    let is_direct = promotion.by_rollout || promotion.skip_holds || production(promotion).is_none();
    let kind = promotion.record.policy.controls(level).rollout;
    (!is_direct && !kind.is_direct()).then_some(Obstacle::RolloutRequired { level })
}

/// Whether the version was held on staging for long enough.
pub(super) fn staging(promotion: &Promotion<'_>) -> Option<Obstacle> {
    if promotion.to != Label::Production || promotion.skip_holds || production(promotion).is_none() {
        return None;
    }
    let Some(since) = promotion.state.holds_since(promotion.record.version, &Label::Staging) else {
        return Some(Obstacle::NotStaged);
    };
    let policy = &promotion.record.policy;
    let until = after(since, policy.staging_hold_seconds);
    if until > promotion.now {
        return Some(Obstacle::StagingHold { until });
    }
    let has_passed = promotion.state.has_passed_staging(promotion.record.version);
    (policy.staging_checks.is_some() && !has_passed).then_some(Obstacle::StagingLimits)
}
