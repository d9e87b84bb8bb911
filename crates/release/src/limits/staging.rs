//! Decides about a version on staging.

use jiff::Timestamp;

use super::{
    LimitFinding, LimitFindingKind, LimitReadings, OnNoTraffic, StagingChecks, failure, review, worst,
};
use crate::rollout::Status;
use crate::time::after;
use crate::{Evidence, EvidenceVerdict};

/// The inputs of a decision.
#[derive(Debug, Clone, Copy)]
pub struct StagingRequest<'a> {
    /// The checks of the version's record.
    pub checks: &'a StagingChecks,
    /// The answers of the sources about the version, since it came to staging.
    pub readings: &'a LimitReadings,
    /// The newest evaluation of the version.
    pub evidence: Option<&'a Evidence>,
    /// When it came to staging.
    pub since: Timestamp,
    /// The shortest time there, in seconds.
    pub hold_seconds: u64,
    /// The longest time there, in seconds.
    pub max_hold_seconds: u64,
    /// The time.
    pub now: Timestamp,
}

/// The next action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StagingAction {
    /// It may go to production, as far as staging is concerned.
    Pass,
    /// Nothing yet.
    Wait,
    /// Nothing, and time alone will not change that.
    Stuck,
    /// The golden cases are to be replayed by the gate, since there is too little traffic.
    Replay,
    /// Staging goes back to what production serves.
    PutBack,
}

/// The decision.
#[derive(Debug, Clone, PartialEq)]
pub struct StagingDecision {
    /// The next action.
    pub action: StagingAction,
    /// Why, in the order of the limits.
    pub findings: Vec<LimitFinding>,
    /// Why sources failed; `None` if none did.
    pub failure: Option<String>,
}

/// Decides whether a version has passed staging: after its hold, with its samples within all limits, or with the golden
/// cases replayed since it came there. A broken limit puts staging back at once.
pub fn stage(request: &StagingRequest<'_>) -> StagingDecision {
    let StagingRequest { checks, since, now, .. } = *request;
    let mut findings = review(&checks.limits, request.readings, checks.min_samples);
    let failure = failure(&findings);
    let replay = replayed(request);
    let whole = |kind| LimitFinding { metric: None, kind };
    if replay == Some(EvidenceVerdict::Fail) {
        findings.push(whole(LimitFindingKind::ReplayFailed));
    }
    let hold_ends = after(since, request.hold_seconds);
    let is_held = now < hold_ends;
    if is_held {
        findings.push(whole(LimitFindingKind::HoldUntil(hold_ends)));
    }
    let lacks_traffic = findings.iter().all(|finding| {
        matches!(
            finding.kind,
            LimitFindingKind::Within { .. }
                | LimitFindingKind::FewSamples { .. }
                | LimitFindingKind::Missing(_)
        )
    });
    // A metric that is missing beside others that are seen has another cause.
    let is_seen = findings.iter().any(|finding| matches!(finding.kind, LimitFindingKind::Within { .. }));
    let is_missing = findings.iter().any(|finding| matches!(finding.kind, LimitFindingKind::Missing(_)));
    let lacks_traffic = lacks_traffic && !(is_seen && is_missing);
    let mut action = match worst(&findings) {
        Status::Fail => StagingAction::PutBack,
        Status::Pass => StagingAction::Pass,
        Status::Inconclusive | Status::Hold | Status::Error => StagingAction::Wait,
    };
    if action == StagingAction::Wait && lacks_traffic && checks.on_no_traffic == OnNoTraffic::Replay {
        action = match replay {
            Some(EvidenceVerdict::Pass) => {
                findings.push(whole(LimitFindingKind::Replayed));
                StagingAction::Pass
            }
            // Repeated until it passes, the gate would decide by chance.
            Some(EvidenceVerdict::Inconclusive) => {
                findings.push(whole(LimitFindingKind::ReplayInconclusive));
                StagingAction::Wait
            }
            Some(EvidenceVerdict::Incomplete | EvidenceVerdict::Fail) | None => StagingAction::Replay,
        };
    }
    let end = after(since, request.max_hold_seconds);
    if action == StagingAction::Wait && now > end && !is_held && failure.is_none() {
        findings.push(whole(LimitFindingKind::MaxHold(end)));
        action = StagingAction::Stuck;
    }
    StagingDecision { action, findings, failure }
}

/// The verdict of the gate since the version came to staging; `None` if it has not run since.
fn replayed(request: &StagingRequest<'_>) -> Option<EvidenceVerdict> {
    let evidence = request.evidence.filter(|evidence| evidence.at > request.since)?;
    let passes = evidence.verdict == EvidenceVerdict::Inconclusive && evidence.waived;
    Some(if passes { EvidenceVerdict::Pass } else { evidence.verdict })
}
